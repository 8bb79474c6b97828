//! Platforms as typed.

use schemars::JsonSchema;

use super::{Header, Model, ModelKind};
use crate::scenario::schema::quantity::{SchemaVersion, Text, Word};
use crate::scenario::{ArrivedPages, DirtyLog, MonitorInStop};
use crate::units::{Bytes, PageCount, Span};

model! {
    /// Costs and constants of a hypervisor on a kind of host. What neither it nor its bases give must be given.
    Platform,
    /// A file in `models/platforms`.
    PlatformFile,
    {
        /// Bytes of one guest page; a power of two, 512 B at least.
        page_size: Text<Bytes>,
        /// Bytes that each page sent adds to its contents.
        page_header: Text<Bytes>,
        /// Bytes on the wire of a page that holds only zeros; above zero.
        zero_page: Text<Bytes>,
        /// CPU, devices and markers: bytes sent once, after the last page; above zero.
        device_state: Text<Bytes>,
        /// Bytes of a protocol message without payload; above zero.
        message: Text<Bytes>,
        /// Pages with contents that are read and sent at a time; at least 1. Pages of zeros between them go along, as long
        /// as they take no more than a quarter of a chunk's bytes.
        chunk: Text<PageCount>,
        /// Pages that each of several `channels` sends before they count for the limit, in chunks; while all are at work, the next
        /// packet is made up. At least 1. Default: `chunk`.
        packet: Text<PageCount>,
        /// Whether a write at any time since the last sync counts (`snapshot`: TCG, older KVM), only one after the page
        /// was sent (`clear-on-send`: KVM's manual protection), or any, and a page that is dirty again when it is scanned
        /// is left for the next round (`skip-redirtied`: Xen).
        dirty_log: Word<DirtyLog>,
        /// Command accepted to first page read.
        setup: Text<Span>,
        /// One sync of the dirty log, per GiB of guest memory.
        sync_per_gib: Text<Span>,
        /// Reading, testing and copying one page at the sender.
        read_page: Text<Span>,
        /// Writing one page at the receiver.
        place_page: Text<Span>,
        /// Comparing a page with the one sent last and encoding the difference, at the sender. Default: unknown, and then
        /// `xbzrle` is refused.
        xbzrle_page: Text<Span>,
        /// Compressing one page, at the sender. Default: unknown, and then `compression` is refused.
        compress_page: Text<Span>,
        /// Decompressing one page, at the receiver. Default: unknown, and then `compression` is refused.
        decompress_page: Text<Span>,
        /// What a page with contents costs more at a receiver that has never held it (page faults). Default: `"0 s"`.
        first_touch: Text<Span>,
        /// Placing a page with contents while the VM runs without it (in post-copy), instead of `place_page` and `first_touch`.
        /// Default: the two together.
        place_missing: Text<Span>,
        /// Placing one page that holds only zeros. Default: `place_page`.
        place_zero: Text<Span>,
        /// Stopping the vCPUs and saving CPU and device state.
        stop: Text<Span>,
        /// Loading CPU and device state at the receiver.
        load: Text<Span>,
        /// Starting the vCPUs.
        resume: Text<Span>,
        /// From an access to a page that is not there to the request for it: trap, and the way to the process that asks.
        fault: Text<Span>,
        /// From a VMM's death to its kernel's closing its connections, per GiB of guest memory, which is given back first.
        /// Default: `"0 s"`.
        exit_per_gib: Text<Span>,
        /// Window in which `max_bandwidth` is a budget and the least over which bandwidth is measured; above zero.
        window: Text<Span>,
        /// How long the sender sends on before it looks at how much is left, and tests QEMU's stop rule. Default: half of
        /// `window`.
        iteration: Text<Span>,
        /// Whether the VMM hears commands (`cancel`) while its VM stands for the last copy (`answers`), or only after it
        /// (`blocked`). Default: `"answers"`.
        monitor_in_stop: Word<MonitorInStop>,
        /// Whether a page that arrives counts as dirty for the next checkpoint even if the guest does not write it: none does
        /// (`clean`), each does (`dirty`), or each that is not of zeros does, unless all of a version is sent before it has
        /// been copied (`until-sent`). Default: `"clean"`.
        arrived_pages: Word<ArrivedPages>,
        /// What a stage of a checkpoint costs beside its pages and the sync of the dirty log. Default: `"0 s"`.
        stage: Text<Span>,
        /// Copying one page in a stage of a checkpoint. Default: `read_page`.
        stage_page: Text<Span>,
        /// Stopping the vCPUs for a checkpoint, quiescing devices and saving both. Default: `stop`.
        suspend: Text<Span>,
        /// Starting the vCPUs after it. Default: `resume`.
        unsuspend: Text<Span>,
        /// CPU and devices of a checkpoint: bytes sent with its pages. Default: `device_state`.
        checkpoint_state: Text<Bytes>,
        /// Storing one page in memory. Default: `place_page`.
        store_page: Text<Span>,
        /// Storing or reading one page on disk. Default: unknown, and then a store on disk is refused.
        disk_page: Text<Span>,
        /// Writing one page with contents to a file, behind a pipe. Default: unknown, and then a store in a file is refused.
        file_page: Text<Span>,
        /// Writing one page while the VM runs on, which may not write it before (a background snapshot), instead of `read_page`.
        /// Default: unknown, and then such a `save` is refused.
        snapshot_page: Text<Span>,
        /// Starting a VMM that loads a file. Default: `"0 s"`.
        launch: Text<Span>,
        /// Marking a version complete at the store. Default: `"0 s"`.
        commit: Text<Span>,
        /// What a restore costs beside its pages. Default: `"0 s"`.
        restore: Text<Span>,
        /// Restoring one page; from a file, one with contents, reading included. Default: `place_page`.
        restore_page: Text<Span>,
    }
}
