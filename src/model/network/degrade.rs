//! Links and cards that carry less than they should, for a time or for good.
//!
//! Each degradation is named by whoever applies it, so that several at a time come and go independently: shares of a rate
//! multiply, delays and probabilities of loss add.

use std::collections::BTreeMap;

use super::event::{Effect, HostId};
use super::links::Links;
use super::{Network, Nic};
use crate::units::{Ratio, SimTime, Span};

/// What is left of a path on the migration card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Degradation {
    /// Share of the rate that its cards would give it alone.
    pub rate: Ratio,
    /// Added to the one-way delay.
    pub latency: Span,
    /// Added to the probability of loss.
    pub loss: Ratio,
}

/// Everything that is degraded now, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Degraded {
    paths: BTreeMap<(usize, u64), Degradation>,
    /// Shares of the rates of hosts' migration cards.
    cards: BTreeMap<(u8, u64), Ratio>,
    /// Constants of the paths that have others than the rest.
    links: BTreeMap<usize, Links>,
}

impl Network {
    /// Degrades the way from one host to another on the migration card, under a name; `None`: no longer.
    pub fn degrade(
        &mut self,
        now: SimTime,
        (from, to): (HostId, HostId),
        name: u64,
        how: Option<Degradation>,
        out: &mut Vec<Effect>,
    ) {
        let index = self.index(self.path(from, to, Nic::Migration));
        match how {
            Some(how) => drop(self.degraded.paths.insert((index, name), how)),
            None => drop(self.degraded.paths.remove(&(index, name))),
        }
        self.degraded.links.remove(&index);
        let here: Vec<Degradation> = self.degraded_path(index).copied().collect();
        if !here.is_empty() {
            let latency = here.iter().fold(Span::ZERO, |sum, one| sum.saturating_add(one.latency));
            let loss = here.iter().fold(Ratio::ZERO, |sum, one| sum.plus(one.loss));
            self.degraded.links.insert(index, self.links.degraded(latency, loss));
        }
        self.reshare(now, out);
    }

    /// Leaves a host's migration card a share of its rate, under a name; `None`: all of it again.
    pub fn degrade_card(&mut self, now: SimTime, host: HostId, name: u64, rate: Option<Ratio>, out: &mut Vec<Effect>) {
        match rate {
            Some(rate) => drop(self.degraded.cards.insert((host.0, name), rate)),
            None => drop(self.degraded.cards.remove(&(host.0, name))),
        }
        self.reshare(now, out);
    }

    fn degraded_path(&self, index: usize) -> impl Iterator<Item = &Degradation> {
        self.degraded.paths.range((index, 0)..=(index, u64::MAX)).map(|(_, how)| how)
    }

    /// Constants of a path.
    pub(super) fn links_of(&self, index: usize) -> &Links {
        self.degraded.links.get(&index).unwrap_or(&self.links)
    }

    /// Constants that hold on some path now.
    pub(super) fn all_links(&self) -> impl Iterator<Item = &Links> {
        [&self.links].into_iter().chain(self.degraded.links.values())
    }

    /// What one direction of a card carries now [B/s].
    pub(super) fn capacity(&self, resource: usize) -> u64 {
        let whole = self.capacities[resource];
        let (host, card) = ((resource / 2) / usize::from(self.cards), (resource / 2) % usize::from(self.cards));
        if card != 0 || self.degraded.cards.is_empty() {
            return whole;
        }
        let host = u8::try_from(host).expect("few hosts");
        let shares = self.degraded.cards.range((host, 0)..=(host, u64::MAX));
        shares.fold(whole, |rate, (_, share)| left(*share, rate))
    }

    /// The same of all cards.
    pub(super) fn all_capacities(&self) -> Vec<u64> {
        (0..self.capacities.len()).map(|resource| self.capacity(resource)).collect()
    }

    /// Highest rate of a path, given that of the path as it should be.
    pub(super) fn degraded_cap(&self, index: usize, resources: [usize; 2], cap: Option<u64>) -> Option<u64> {
        let alone = resources.map(|resource| self.capacity(resource)).into_iter().chain(cap).min()?;
        let degraded = self.degraded_path(index).fold(alone, |rate, one| left(one.rate, rate));
        if degraded < alone { Some(degraded) } else { cap }
    }
}

/// A share of a rate; a rate stays a rate.
fn left(share: Ratio, rate: u64) -> u64 {
    share.of(rate).max(rate.min(1))
}
