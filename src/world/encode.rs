//! What pages become on the wire, and what it costs the sender to make that of them.

use crate::model::memory::{LastSent, Pages, encoded};
use crate::scenario::policy::Encoding;
use crate::units::{Bytes, PageCount, Span};
use crate::vocabulary::Host;

use super::World;

/// Pages as they go.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wire {
    /// All their bytes.
    pub bytes: Bytes,
    /// Time to read and encode them.
    pub cost: Span,
    /// Those among them that hold only zeros.
    pub zero: PageCount,
    /// Those among them that were compressed.
    pub compressed: PageCount,
    /// Those of which the cache knew what was sent last.
    pub hits: PageCount,
    /// Those of which it did not, though it was in use.
    misses: PageCount,
}

const ONE: PageCount = PageCount::new(1);

impl World {
    fn encoding(&self) -> Encoding {
        self.scenario.policy.migration.pre_copy().map_or(Encoding::Plain, |pre_copy| pre_copy.encoding)
    }

    /// Prepares what the encoding needs, when a copy begins to be sent.
    pub(super) fn prepare_encoding(&mut self, host: Host) {
        if let (Encoding::Xbzrle { cache }, page) = (self.encoding(), self.scenario.platform.page_size)
            && let Some(copy) = self.vm.slot(host)
        {
            copy.memory.keep_sent(cache.pages(page));
        }
    }

    /// From now on pages of the copy on `host` go as they are.
    pub(super) fn send_whole(&mut self, host: Host) {
        if let Some(copy) = self.vm.slot(host) {
            copy.sends_whole = true;
            copy.memory.follow();
        }
    }

    /// Encodes pages read at `host`; `known`: the cache of sent pages was in use when they were.
    pub(super) fn encode(&mut self, host: Host, pages: &Pages, known: bool) -> Wire {
        let encoding = self.encoding();
        let scenario = self.scenario.clone();
        let platform = &scenario.platform;
        let (page_size, full) = (platform.page_size, platform.page_size + platform.page_header);
        let mut wire = Wire { cost: platform.read_page.saturating_mul(pages.count().get()), ..Wire::default() };
        let Some(copy) = self.vm.slot(host) else { return wire };
        let encoding = if copy.sends_whole { Encoding::Plain } else { encoding };
        let Some(guest) = &copy.guest else { return wire };
        for (number, content) in pages.iter() {
            if guest.holds_zeros(number, content) {
                wire.zero += ONE;
                wire.bytes += platform.zero_page;
                continue;
            }
            wire.bytes += match encoding {
                Encoding::Xbzrle { .. } if known => match copy.memory.last_sent(number, content) {
                    LastSent::Unknown => {
                        wire.misses += ONE;
                        full
                    }
                    LastSent::WritesAgo(writes) => {
                        wire.hits += ONE;
                        let changed = encoded(writes, guest.delta(number), page_size);
                        let header = if writes == 0 { Bytes::ZERO } else { platform.page_header };
                        changed.map_or(full, |bytes| header + bytes)
                    }
                },
                Encoding::Compressed => {
                    let small = Bytes::new(page_size.get() - guest.compressed(number).complement().of(page_size.get()));
                    wire.compressed += if small < page_size { ONE } else { PageCount::ZERO };
                    platform.page_header + small
                }
                Encoding::Xbzrle { .. } | Encoding::Plain => full,
            };
        }
        let delta = platform.xbzrle_page.unwrap_or(Span::ZERO).saturating_mul(wire.hits.get());
        wire.cost = wire.cost.saturating_add(delta);
        if encoding == Encoding::Compressed {
            // Whether a page shrinks is known only afterwards.
            let tried = pages.count() - wire.zero;
            let cost = platform.compress_page.unwrap_or(Span::ZERO).saturating_mul(tried.get());
            wire.cost = wire.cost.saturating_add(cost);
        }
        self.counted.cache_hits += wire.hits;
        self.counted.cache_misses += wire.misses;
        wire
    }
}
