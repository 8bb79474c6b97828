//! What a hypervisor on a kind of host costs, and how it behaves.

use crate::units::{Bytes, PageCount, Span};

/// Which dirty log the hypervisor keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirtyLog {
    /// A write at any time since the last sync counts (TCG, older KVM).
    Snapshot,
    /// Only writes after the page was sent count (KVM manual protect).
    ClearOnSend,
    /// A write at any time since the last sync counts, and a page that is dirty again when it is scanned is left for the
    /// next round (Xen; Clark et al., NSDI 2005).
    SkipRedirtied,
}

/// Whether a VMM hears commands while its VM stands for the last copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MonitorInStop {
    /// At once, as at any other time.
    Answers,
    /// Only when the last copy has been written or given up: the migration thread holds the lock that the monitor needs.
    Blocked,
}

/// Whether a page that arrives counts as dirty for the next checkpoint, written by the guest or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ArrivedPages {
    /// It does not.
    #[default]
    Clean,
    /// It does: placing it sets its bit.
    Dirty,
    /// It does until all of a version is sent, which clears the VMM's own bits; those of the guest's writes are the kernel's and
    /// stay. A page of zeros does not: it is mapped and not written (`UFFDIO_ZEROPAGE`).
    UntilSent,
}

/// Costs and constants of a hypervisor on a kind of host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Platform {
    /// Bytes of one guest page.
    pub page_size: Bytes,
    /// Bytes that each page sent adds to its contents.
    pub page_header: Bytes,
    /// Bytes on the wire of a page that holds only zeros.
    pub zero_page: Bytes,
    /// CPU, devices and markers: bytes sent once, after the last page.
    pub device_state: Bytes,
    /// Bytes of a protocol message without payload.
    pub message: Bytes,
    /// Pages read and sent at a time, not counting those of zeros among them.
    pub chunk: PageCount,
    /// What each of several channels sends before it counts for the limit.
    pub packet: PageCount,
    /// The dirty log.
    pub dirty_log: DirtyLog,
    /// Command accepted → first page read.
    pub setup: Span,
    /// One sync of the dirty log, per GiB of guest memory.
    pub sync_per_gib: Span,
    /// Reading, testing and copying one page at the sender.
    pub read_page: Span,
    /// Writing one page at the receiver.
    pub place_page: Span,
    /// Comparing a page with the one sent last and encoding the difference; `None`: not known.
    pub xbzrle_page: Option<Span>,
    /// Compressing one page at the sender; `None`: not known.
    pub compress_page: Option<Span>,
    /// Decompressing one page at the receiver; `None`: not known.
    pub decompress_page: Option<Span>,
    /// What a page with contents costs more where the receiver has never held it: page faults.
    pub first_touch: Span,
    /// Placing a page with contents while the VM runs without it, instead of `place_page` and `first_touch`: a page is then found,
    /// filled and mapped in one step.
    pub place_missing: Span,
    /// Placing a page that holds only zeros, first or not.
    pub place_zero: Span,
    /// Stopping the vCPUs and saving CPU and device state.
    pub stop: Span,
    /// Loading CPU and device state at the receiver.
    pub load: Span,
    /// Starting the vCPUs.
    pub resume: Span,
    /// From an access to a page that is not there to the request for it: trap, and the way to the process that asks.
    pub fault: Span,
    /// From a VMM's death to its kernel's closing its connections, per GiB of guest memory: the memory is given back first.
    pub exit_per_gib: Span,
    /// Length of the window in which `max_bandwidth` is a budget, and the least over which bandwidth is measured.
    pub window: Span,
    /// How long the sender sends on between two looks at what is left.
    pub iteration: Span,
    /// Whether commands are heard in the stop phase.
    pub monitor_in_stop: MonitorInStop,
    /// What checkpoints cost.
    pub checkpoint: CheckpointCosts,
}

/// Costs of checkpoints and of restoring from them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CheckpointCosts {
    /// Whether arrived pages count as dirty.
    pub arrived_pages: ArrivedPages,
    /// What a stage costs beside its pages and the sync of the log.
    pub stage: Span,
    /// Copying one page in a stage.
    pub stage_page: Span,
    /// Stopping the vCPUs, quiescing devices and saving both.
    pub suspend: Span,
    /// Starting the vCPUs after it.
    pub unsuspend: Span,
    /// CPU and devices: bytes sent with the pages.
    pub state: Bytes,
    /// Storing one page in memory.
    pub store_page: Span,
    /// Storing or reading one page on disk; `None`: not known.
    pub disk_page: Option<Span>,
    /// Writing one page with contents to a file; `None`: not known.
    pub file_page: Option<Span>,
    /// Writing one page, with contents or not, that the running VM may not write before; `None`: not known.
    pub snapshot_page: Option<Span>,
    /// Starting a VMM that loads a file.
    pub launch: Span,
    /// Marking a version complete.
    pub commit: Span,
    /// What a restore costs beside its pages.
    pub restore: Span,
    /// Restoring one page; from a file, one with contents.
    pub restore_page: Span,
}

impl Platform {
    /// Pages of zeros that a chunk takes along beside those that it counts: a quarter of its bytes, as QEMU gathers 32 KiB of headers
    /// for 128 KiB of pages.
    pub fn zero_pages_per_chunk(&self) -> u64 {
        let bytes = self.chunk.get().saturating_mul(self.page_size.get()) / 4;
        bytes / self.zero_page.get()
    }
}
