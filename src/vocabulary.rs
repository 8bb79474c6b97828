//! The closed word lists of the product: hosts, phases, outcomes, invariants, fault classes, beliefs.
//!
//! One spelling per notion, used in scenarios, records, plots and code. Each list is an enum with its
//! spelling beside each variant, so that parser, printer, schema and "did you mean" agree by construction.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $vdoc])* $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The spelling used everywhere.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
            /// What it means, in a sentence.
            pub const fn doc(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($vdoc),*).trim_ascii(),)+
                }
            }
            /// The word with this spelling.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

mod message;

pub use message::MessageKind;

words! {
    /// A host by its role in the scenario.
    Host {
        /// Where the VM runs before the migration.
        Source = "source",
        /// Where the VM runs after it.
        Destination = "destination",
        /// Where the operator (libvirt, an orchestrator) runs.
        Management = "management",
        /// Where the VM's clients are.
        Client = "client",
        /// Where checkpoints are kept, if on a host of their own.
        Staging = "staging",
    }
}

words! {
    /// Phases of a migration, set by the world from what happened; half-open intervals.
    Phase {
        /// No migrate command has been accepted.
        Idle = "idle",
        /// Command accepted, no page sent yet.
        Setup = "setup",
        /// Pages are being sent while the VM runs at the source.
        Copy = "copy",
        /// The VM is stopped at the source; pages are still missing at the destination.
        Stop = "stop",
        /// From the last page's arrival (L) until the source gives up its right to restore (R).
        Handover = "handover",
        /// The VM runs at the destination, and pages are still missing there.
        PostCopy = "post-copy",
        /// From R until the destination learns of it (C).
        Ending = "ending",
        /// After C, or after the migration failed.
        Done = "done",
        /// Pages are missing at the destination, and a node has given the connection up and waits to be told to recover.
        Paused = "paused",
        /// A paused migration has connected again, and pages do not flow yet; or a node restores the VM from a checkpoint.
        Recovery = "recovery",
        /// Of a checkpoint: dirty pages are copied while the VM runs.
        Stage1 = "stage-1",
        /// Of a checkpoint: the VM stands, and the rest is copied.
        Stage2 = "stage-2",
        /// Of a checkpoint: its pages are on their way to the store.
        Transfer = "transfer",
        /// Of a checkpoint: all is sent, and it is not known to be complete.
        Commit = "commit",
    }
}

words! {
    /// What became of the VM, as the oracle sees it at the end; the first that holds.
    Outcome {
        /// `single-history` is broken: the outside saw two histories.
        SplitBrain = "split_brain",
        /// No complete copy exists or can be rebuilt.
        Lost = "lost",
        /// A complete copy exists but does not execute, or emits and can never release.
        Stalled = "stalled",
        /// Runs again from a version, after the destination had executed.
        Recovered = "recovered",
        /// Post-copy paused and later completed.
        Resumed = "resumed",
        /// Runs at the source; nothing the destination did survives.
        RolledBack = "rolled_back",
        /// Runs at the destination, output flows, and R has passed or, after a post-copy, every page is there.
        Completed = "completed",
        /// The VM runs unharmed; the migration has not ended at the horizon, or none was asked for.
        Unfinished = "unfinished",
    }
}

words! {
    /// What must hold in every run.
    Invariant {
        /// At no time do two copies of a VM execute.
        SingleExecution = "single-execution",
        /// At a restore with fork f at time t, no output beyond f on an abandoned branch was released before t.
        OutputCommit = "output-commit",
        /// No branch but the newest releases an output beyond f at or after t.
        SingleHistory = "single-history",
        /// A copy resumes from exactly a state the guest was in: pages, CPU, devices and disk of one commit point.
        ConsistentRecovery = "consistent-recovery",
        /// A restore uses the newest version complete at the instant of its claim.
        Freshest = "freshest",
        /// While a copy executes, each resident page holds the last write of that copy's own history.
        NoStalePage = "no-stale-page",
        /// Every disk write completed on the surviving history is on the disk.
        NoLostWrite = "no-lost-write",
        /// At every event, for each tolerated fault, the surviving nodes can rebuild a state that covers all released output.
        Recoverable = "recoverable",
        /// The VM is lost only under faults that the scenario does not claim to tolerate.
        Durability = "durability",
        /// Within a bound after the last fault, the VM is lost, or a complete copy advances and releases output.
        Liveness = "liveness",
        /// Bytes and pages sent = delivered + lost + in flight; in post-copy no page arrives twice; time never goes back.
        Accounting = "accounting",
    }
}

words! {
    /// Defects that can be planted in an agent, for negative controls: an invariant that none of them breaks proves nothing.
    Defect {
        /// Every agent does what it was written to do.
        None = "none",
        /// Protected side: lets output go when its checkpoint is copied, before it is complete in the store.
        ReleaseEarly = "release-early",
        /// Protected side: leaves out stage II, so a version lacks what was dirtied while stage I copied.
        SkipStageTwo = "skip-stage-two",
        /// Protected side: never sets the timer of the next checkpoint.
        ForgetTimer = "forget-timer",
        /// Restoring side: loads CPU and devices of the state saved before the one that it restores.
        MixedState = "mixed-state",
        /// Restoring side: takes the other side for fenced without asking for it or waiting.
        RestoreUnfenced = "restore-unfenced",
        /// Source: frees its copy when its last page is sent, before it is known to have arrived.
        FreeEarly = "free-early",
        /// Source: does not read the dirty log again once the VM stands.
        LoseDirty = "lose-dirty",
        /// Destination: after a pause, lists the pages that it had when the VM began to run there.
        StaleList = "stale-list",
        /// Store: answers a claim with the version before the newest.
        StaleClaim = "stale-claim",
        /// Store: offers the version that it finds, although a newer one that it has called complete is lost.
        OfferOlder = "offer-older",
        /// Store: loses the first pages of each version and takes it for whole.
        CommitTorn = "commit-torn",
        /// Store: says that a version is complete when its first pages have come.
        AckEarly = "ack-early",
        /// Store: accepts versions of a side that a claim has shut out.
        AcceptLate = "accept-late",
        /// Protected side: counts the term of its lease from when the grant came, not from when it was asked for.
        LeaseFromReceipt = "lease-from-receipt",
        /// Protected side: sees the end of its lease at the next tick of a timer, and its VM goes on till then.
        LeaseTimerOnly = "lease-timer-only",
        /// Restoring side: restores the base, whatever versions there are.
        RestoreFirst = "restore-first",
        /// Store: keeps the pages of each two successive versions under each other's number.
        SwapVersions = "swap-versions",
        /// Store: keeps what it has when a new attempt begins: pages of an abandoned branch are restored with those of the newest.
        MixBranches = "mix-branches",
        /// Protected side: clears the log of dirty pages after they were copied, and with it what was written meanwhile.
        ClearAfterSend = "clear-after-send",
        /// Protected side: the VM's memory changes while stage II copies it, and CPU and devices are those of before.
        DmaDuringPause = "dma-during-pause",
        /// Protected side: versions lack their disk writes.
        DropWrite = "drop-write",
    }
}

words! {
    /// Classes of faults that a scenario may claim to tolerate.
    FaultClass {
        /// The source host or its VMM dies.
        SourceCrash = "source-crash",
        /// The destination host or its VMM dies.
        DestinationCrash = "destination-crash",
        /// The link is cut for good, or its connections are reset.
        LinkFailure = "link-failure",
        /// The link is cut and heals, once or again and again.
        LinkOutage = "link-outage",
        /// One direction only, or hosts other than the two are cut off; or operator or client are gone.
        Partition = "partition",
        /// The source host, its VMM or its agent hangs.
        SourceHang = "source-hang",
        /// The destination host, its VMM or its agent hangs.
        DestinationHang = "destination-hang",
        /// Nothing is dead and nothing cut: heartbeats alone are lost, or a host or a link is slow.
        FalseSuspicion = "false-suspicion",
        /// Connections fall silent without a sign while datagrams, and heartbeats among them, pass: for good or for a time.
        Silence = "silence",
        /// An agent alone dies, and a VM that it governed executes on with nobody to stop it or to speak for it.
        AgentCrash = "agent-crash",
        /// The staging host dies, and the store with it.
        StagingCrash = "staging-crash",
        /// The staging host hangs, and the store with it.
        StagingHang = "staging-hang",
        /// The store of checkpoints dies, and no host with it.
        StoreCrash = "store-crash",
        /// The store of checkpoints hangs, and no host with it.
        StoreHang = "store-hang",
        /// The store of checkpoints, or the staging host, is slow.
        StoreSlow = "store-slow",
        /// There is no more room where checkpoints are kept.
        StoreFull = "store-full",
        /// The newest complete version is lost.
        StoreLoss = "store-loss",
        /// The newest complete version is damaged, as its checksum will tell.
        StoreTorn = "store-torn",
    }
}

words! {
    /// What the nodes say of the migration, against what is true.
    Belief {
        /// Every surviving node that has an opinion is right.
        Agrees = "agrees",
        /// A node reports success and the VM does not run at the destination.
        ClaimsSuccess = "claims-success",
        /// A node reports failure and the migration completed.
        ClaimsFailure = "claims-failure",
        /// One node reports success, another failure.
        NodesDisagree = "nodes-disagree",
    }
}

words! {
    /// What is there of the VM on a host when the run ends.
    End {
        /// No VMM process: it died, or has given up.
        Gone = "gone",
        /// A VMM whose VM does not run.
        Stands = "stands",
        /// Its vCPUs run, if only to wait for pages.
        Runs = "runs",
    }
}

words! {
    /// Why pre-copy left its rounds.
    RoundsEnd {
        /// The stop rule was met.
        Converged = "converged",
        /// The cap on rounds was reached.
        RoundsCap = "rounds-cap",
        /// The cap on bytes was reached.
        BytesCap = "bytes-cap",
        /// The cap on time was reached.
        TimeCap = "time-cap",
        /// It was time for post-copy.
        PostCopy = "post-copy",
    }
}

words! {
    /// Instants of a migration between which a published time can be measured; each the first of its kind, unless it says
    /// otherwise.
    Mark {
        /// The source accepts the migrate command.
        Accepted = "accepted",
        /// The first round begins: the first page is read while the VM runs at the source.
        Copying = "copying",
        /// The VM stops at the source, after the command was accepted.
        Stopped = "stopped",
        /// The VM runs at the destination.
        Resumed = "resumed",
        /// The source's last write of memory and state ends: its bytes are in the send buffer or beyond.
        LastSent = "last-sent",
        /// L: the last page has arrived.
        LastPage = "last-page",
        /// R: the source gives up for good its right to resume.
        Relinquished = "relinquished",
        /// C: the destination learns of R.
        Concluded = "concluded",
        /// A packet that the guest sent at the destination leaves that host.
        FirstOutput = "first-output",
        /// The client has a packet that the guest sent at the destination.
        FirstDelivery = "first-delivery",
        /// A node first gives the connection up while pages are missing at the destination.
        Paused = "paused",
        /// A fault strikes.
        Fault = "fault",
        /// A node suspects its peer.
        Suspected = "suspected",
        /// The source gives the migration up.
        GaveUp = "gave-up",
        /// The VM runs at the source again, after it had stopped there.
        ResumedAtSource = "resumed-at-source",
        /// A checkpoint is complete in the store: the file is written.
        Committed = "committed",
        /// A VMM has been started to load the file.
        Launched = "launched",
    }
}

words! {
    /// What a round of the copy is measured by.
    RoundMeasure {
        /// Bytes on the wire.
        Bytes = "bytes",
        /// Pages read and sent.
        Pages = "pages",
        /// How long it took.
        Time = "time",
        /// Pages found dirty by the sync that ended it.
        Dirtied = "dirtied",
    }
}
