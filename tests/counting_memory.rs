//! The agents know memory only by actions and counts: here a memory that is nothing but two counters carries them through a whole
//! pre-copy, without world, network or pages.

use std::collections::VecDeque;

use midflight::protocol::{
    Action, Actions, Agent, Batch, Channel, Destination, Envelope, Input, Message, Report, Settings, Source, Standing,
    StateId, Timer,
};
use midflight::scenario::Policy;
use midflight::scenario::policy::{
    Caps, Detector, Encoding, Ending, Fencing, Handover, HandoverKind, Migration, OnSilence, PreCopy, StopRule,
    TransportError,
};
use midflight::units::{Bytes, LocalTime, PageCount, Span};
use midflight::vocabulary::Host;

/// Guest memory as two numbers.
struct Counting {
    pending: u64,
    dirtied_per_sync: u64,
    running: bool,
    taken: u64,
    placed: u64,
    syncs: u64,
}

struct Bench {
    now: u64,
    source: Source,
    destination: Destination,
    memory: Counting,
    /// What reaches whom next, in order.
    inputs: VecDeque<(Host, Input)>,
    destination_runs: bool,
    relinquished: bool,
}

const PAGES: u64 = 10_000;

fn settings(kind: HandoverKind) -> Settings {
    let pre_copy = PreCopy {
        stop_rule: StopRule::Qemu { downtime_limit: Span::from_ms(20), max_bandwidth: None },
        caps: Caps::default(),
        auto_converge: None,
        encoding: Encoding::Plain,
        channels: 1,
    };
    Settings {
        policy: Policy {
            migration: Migration::PreCopy(pre_copy),
            handover: Handover {
                kind,
                on_silence: OnSilence::Resume,
                destination_on_silence: OnSilence::Wait,
                ask_period: Span::from_s(1),
            },
            detector: Detector { heartbeat: None, transport_error: TransportError::AtOnce },
            checkpoint: None,
            ending: Ending::Handshake,
            fencing: Fencing::None,
        },
        page_size: Bytes::new(4096),
        chunk: PageCount::new(64),
        packet: PageCount::new(64),
        setup: Span::from_ms(3),
        window: Span::from_ms(100),
        iteration: Span::from_ms(50),
    }
}

impl Bench {
    fn new(kind: HandoverKind) -> Self {
        let settings = settings(kind);
        let memory = Counting { pending: 0, dirtied_per_sync: 3000, running: true, taken: 0, placed: 0, syncs: 0 };
        Self {
            now: 0,
            source: Source::new(settings.clone()),
            destination: Destination::new(settings),
            memory,
            inputs: VecDeque::new(),
            destination_runs: false,
            relinquished: false,
        }
    }

    fn step(&mut self, host: Host, input: Input) {
        // A chunk of 64 pages takes about 2.2 ms on gigabit Ethernet; everything else is counted as nothing.
        self.now += if matches!(input, Input::Sent { .. }) { 2_200_000 } else { 1000 };
        let mut actions = Actions::default();
        let agent: &mut dyn Agent = if host == Host::Source { &mut self.source } else { &mut self.destination };
        agent.step(LocalTime::from_ns(self.now), input, &mut actions);
        let actions: Vec<Action> = actions.drain().collect();
        for action in actions {
            self.perform(host, action);
        }
    }

    fn perform(&mut self, host: Host, action: Action) {
        let own = |input| (host, input);
        match action {
            Action::Send { to, channel, envelope } => {
                if channel == Channel::Migration {
                    self.inputs.push_back(own(Input::Sent { channel: Channel::Migration }));
                }
                if to != Host::Management {
                    self.inputs.push_back((to, Input::Message { from: host, channel, envelope }));
                }
            }
            Action::SetTimer(Timer::Setup, _) => self.inputs.push_back(own(Input::Timer(Timer::Setup))),
            Action::StartLog => self.memory.pending = PAGES,
            Action::SyncLog => {
                self.memory.syncs += 1;
                if self.memory.running {
                    self.memory.pending += self.memory.dirtied_per_sync;
                    self.memory.dirtied_per_sync /= 4;
                }
                self.inputs.push_back(own(Input::Synced { pending: PageCount::new(self.memory.pending) }));
            }
            Action::Take { channel, budget, .. } => {
                let pages = budget.get().min(self.memory.pending);
                self.memory.pending -= pages;
                self.memory.taken += pages;
                let batch = Batch { id: 0, pages: PageCount::new(pages), bytes: Bytes::new(pages * 4104) };
                let pending = PageCount::new(self.memory.pending);
                self.inputs.push_back(own(Input::Taken { channel, batch, pending }));
                self.end_window();
            }
            Action::Stop => {
                self.memory.running = false;
                self.inputs.push_back(own(Input::Stopped { state: StateId(7) }));
            }
            Action::Place { channel, batch } => {
                self.memory.placed += batch.pages.get();
                self.inputs.push_back(own(Input::Placed { channel, missing: PageCount::ZERO }));
            }
            Action::Load(state) => {
                assert_eq!(state, StateId(7));
                self.inputs.push_back(own(Input::Loaded));
            }
            Action::Resume => {
                assert_eq!(host, Host::Destination);
                self.destination_runs = true;
                self.inputs.push_back(own(Input::Resumed));
            }
            Action::Relinquish => self.relinquished = true,
            _ => {}
        }
    }

    /// The window's timer, by the clock.
    fn end_window(&mut self) {
        if self.now / 100_000_000 != self.now.saturating_sub(2_200_000) / 100_000_000 {
            self.inputs.push_back((Host::Source, Input::Timer(Timer::Window)));
        }
    }

    fn migrate(&mut self) {
        let envelope = Envelope {
            attempt: midflight::protocol::Attempt(1),
            epoch: midflight::protocol::Epoch::default(),
            message: Message::Migrate,
        };
        let migrate = Input::Message { from: Host::Management, channel: Channel::Management, envelope };
        self.inputs.push_back((Host::Source, migrate));
        for _ in 0..100_000 {
            let Some((host, input)) = self.inputs.pop_front() else { return };
            self.step(host, input);
        }
        panic!("it does not end");
    }
}

#[test]
fn a_memory_of_two_counters_drives_the_same_agents() {
    for kind in [HandoverKind::Autostart, HandoverKind::ThreePhase] {
        let mut bench = Bench::new(kind);
        bench.migrate();
        assert_eq!(bench.source.standing(), Standing::Ended(Report::Success), "{kind:?}");
        assert_eq!(bench.destination.standing(), Standing::Ended(Report::Success), "{kind:?}");
        assert!(bench.destination_runs && bench.relinquished && !bench.memory.running);
        assert_eq!(bench.memory.taken, bench.memory.placed);
        assert!(bench.memory.taken > PAGES && bench.memory.syncs >= 3, "more than one round: {}", bench.memory.syncs);
        assert_eq!(bench.memory.pending, 0);
    }
}
