//! What becomes of pages before they are sent: the policy's wish, against what the platform says that it costs.

use super::context::{Context, Place};
use crate::scenario::Platform;
use crate::scenario::policy::{Encoding, Policy};
use crate::scenario::schema::policy as text;
use crate::units::{Bytes, Span};

/// QEMU's `xbzrle-cache-size`.
const DEFAULT_CACHE: Bytes = Bytes::new(64 << 20);

pub(super) fn encoding(context: &mut Context<'_>, text: &text::PreCopy, at: &Place) -> Encoding {
    match (&text.xbzrle, &text.compression) {
        (Some(_), Some(_)) => {
            let message =
                "not together with `xbzrle`: a page goes as its changes or compressed (QEMU refuses both, too)";
            context.problem(&at.key("compression"), message, Some("leave one of them out"));
            Encoding::Compressed
        }
        (Some(xbzrle), None) => Encoding::Xbzrle { cache: xbzrle.cache.map_or(DEFAULT_CACHE, |cache| cache.0) },
        (None, Some(_)) => Encoding::Compressed,
        (None, None) => Encoding::Plain,
    }
}

/// Connections for pages. Several are QEMU's (multifd), so what QEMU cannot do with them is refused.
pub(super) fn channels(context: &mut Context<'_>, text: &text::PreCopy, at: &Place) -> u8 {
    let Some(channels) = text.channels else { return 1 };
    let at = at.key("channels");
    let message = match u8::try_from(channels) {
        Ok(1) => return 1,
        Ok(0) | Err(_) => format!("{channels} is not from 1 to {}", u8::MAX),
        Ok(_) if text.xbzrle.is_some() => {
            "several channels cannot share one cache of `xbzrle` (nor do they in QEMU)".into()
        }
        Ok(_) if matches!(text.stop_rule, Some(text::StopRule::Clark(_))) => {
            "the adaptive rate of `clark` is spread evenly over one connection".into()
        }
        Ok(several) => return several,
    };
    context.problem(&at, message, None);
    1
}

/// Complains about an encoding that the platform cannot do or price. `at`: the migration as typed.
pub(super) fn affordable(context: &mut Context<'_>, policy: &Policy, platform: &Platform, at: &Place) {
    let Some(pre_copy) = policy.migration.pre_copy() else { return };
    let at = at.key("pre-copy");
    match pre_copy.encoding {
        Encoding::Plain => {}
        Encoding::Compressed => {
            cost_known(context, platform.compress_page, "compress_page", &at.key("compression"));
            cost_known(context, platform.decompress_page, "decompress_page", &at.key("compression"));
        }
        Encoding::Xbzrle { cache } => {
            cost_known(context, platform.xbzrle_page, "xbzrle_page", &at.key("xbzrle"));
            let (pages, rest) = (cache.get() / platform.page_size.get(), cache.get() % platform.page_size.get());
            if rest != 0 || !pages.is_power_of_two() {
                let message = format!("{cache} is not a power of two of pages of {}", platform.page_size);
                context.problem(&at.key("xbzrle").key("cache"), message, None);
            }
        }
    }
}

fn cost_known(context: &mut Context<'_>, cost: Option<Span>, field: &str, at: &Place) {
    if cost.is_none() {
        let message = format!("the platform does not say what it costs: it has no `{field}`");
        context.problem(at, message, Some("give it in `platform`, or a `base` that has it"));
    }
}
