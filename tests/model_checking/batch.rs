//! Pages in a message of the model: their name is what they are, so that equal contents in flight are equal states.

use midflight::protocol::Batch;
use midflight::units::{Bytes, PageCount};

use crate::vm::{Content, PAGES, Pages};

/// One byte says that a page is there, one its branch, one its step.
const BITS: usize = 24;

pub fn named(pages: &Pages) -> Batch {
    let code = |(&page, content): (&usize, &Content)| {
        let there = 1 << 16 | u64::from(content.branch) << 8 | u64::from(content.step);
        there << (page * BITS)
    };
    let count = PageCount::new(pages.len() as u64);
    // What the agents do with bytes is count them, and here nothing takes time.
    Batch { id: pages.iter().map(code).sum(), pages: count, bytes: Bytes::ZERO }
}

pub fn contents(batch: Batch) -> Pages {
    let page = |page: usize| {
        let [step, branch, there, ..] = (batch.id >> (page * BITS)).to_le_bytes();
        (there == 1).then_some((page, Content { branch, step }))
    };
    (0..PAGES).filter_map(page).collect()
}
