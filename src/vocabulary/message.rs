//! Kinds of messages, as faults that wait for one name them.

words! {
    /// Kinds of messages between nodes.
    MessageKind {
        /// Operator to source: migrate the VM.
        Migrate = "migrate",
        /// Operator to source: give the migration up.
        Cancel = "cancel",
        /// Node to operator: the migration succeeded.
        ReportSuccess = "report-success",
        /// Node to operator: the migration failed.
        ReportFailure = "report-failure",
        /// Source to destination: a batch of pages.
        Pages = "pages",
        /// Source to destination, on each of several connections: what follows comes after what went before on all.
        Flush = "flush",
        /// Source to destination: CPU and devices, and no page follows.
        State = "state",
        /// Destination to source: everything is loaded.
        Ready = "ready",
        /// Source to destination: run it, I never shall.
        Go = "go",
        /// Destination to source: it runs.
        Started = "started",
        /// Source to destination: I have given it up for good.
        Released = "released",
        /// Source to destination: CPU and devices; run it, its memory follows.
        Switch = "switch",
        /// Destination to source: a vCPU waits for this page.
        Request = "request",
        /// Destination to source: every page is here.
        Complete = "complete",
        /// Operator to a node: give the connection up and wait.
        Pause = "pause",
        /// Node to operator: it has given the connection up and waits.
        Paused = "paused",
        /// Operator to source: connect again and go on.
        Recover = "recover",
        /// Source to operator: pages flow again.
        Recovered = "recovered",
        /// Source to destination on a new connection: which pages have you got?
        Resync = "resync",
        /// Destination to source: these.
        Have = "have",
        /// Either to the other: where do you stand?
        Ask = "ask",
        /// Destination to source: it runs here.
        AnswerRunning = "answer-running",
        /// Destination to source: everything is here, waiting for "go".
        AnswerHolding = "answer-holding",
        /// Source to destination, asked: run it, I never shall.
        AnswerGo = "answer-go",
        /// Either to the other: I do not and shall not run this attempt's copy.
        AnswerAbandoned = "answer-abandoned",
        /// Source to destination: be ready to restore the VM.
        Protect = "protect",
        /// Protected side to store: pages of a checkpoint.
        Chunk = "chunk",
        /// Protected side to store: that is all of a checkpoint.
        Mark = "mark",
        /// Store to protected side: it is whole, and not yet all before it.
        Sealed = "sealed",
        /// Store to protected side: it is complete.
        Committed = "committed",
        /// Store to protected side: it came incomplete.
        Torn = "torn",
        /// Store to protected side: there is no room.
        Full = "full",
        /// Store to protected side: it does not follow on what is here.
        Gap = "gap",
        /// Store to any: another has claimed the VM.
        Refused = "refused",
        /// Restoring side to store: here begins what I may restore.
        Open = "open",
        /// Store to restoring side: I know of it.
        Opened = "opened",
        /// Restoring side to store: accept nothing more from the other side.
        Claim = "claim",
        /// Restoring side to store: what is the newest version?
        Read = "read",
        /// Store to restoring side: this is it.
        Claimed = "claimed",
        /// Store to restoring side: what was promised cannot be read here.
        Unreadable = "unreadable",
        /// Restoring side to store: send it.
        Fetch = "fetch",
        /// Store to restoring side: pages of it.
        Restored = "restored",
        /// Store to restoring side: that is all.
        AllRestored = "all-restored",
        /// Protected side to store: nothing is to be restored any more.
        WriteFinal = "write-final",
        /// Store to protected side: so it is.
        FinalWritten = "final-written",
        /// Store to restoring side: there is nothing to restore.
        Final = "final",
        /// Protected side to store: let me run, for a time.
        LeaseRequest = "lease-request",
        /// Store to protected side: you may.
        LeaseGranted = "lease-granted",
        /// Protected side to restoring side: give up restoring.
        Degrade = "degrade",
        /// Restoring side to protected side: I have.
        Degraded = "degraded",
        /// Protected side to restoring side: restore, I give my copy up.
        Abandon = "abandon",
        /// Restoring side to power switch: power the other host off.
        Fence = "fence",
        /// Power switch to restoring side: what came of it.
        Fenced = "fenced",
    }
}
