//! `network` and `platform`: a model and its bases read as one, complete and able to work.

use std::sync::Arc;

use super::checkpoint::{Like, costs};
use super::context::{Context, Layers, Place};
use crate::scenario::schema::model::{self as text, Model, ModelKind, ModelRef, RateTrace};
use crate::scenario::source::Source;
use crate::scenario::{DirtyLog, MonitorInStop, Network, Nics, Platform, RateStep};
use crate::units::{ByteRate, Bytes, PageCount, Quantity, Ratio, Span};

/// Smallest page; the least that any hardware has had.
const MIN_PAGE: u64 = 512;
/// The header of a rate trace.
const TRACE_HEADER: [&str; 2] = ["from_s", "rate_bit_s"];

/// A field that must be given, as its quantity and place.
macro_rules! required {
    ($context:ident, $layers:ident, $field:ident, $stand_in:expr) => {
        $context.required(&$layers, stringify!($field), |model| model.$field.map(|text| text.0), $stand_in)
    };
}

/// A field that has a default.
macro_rules! optional {
    ($layers:ident, $field:ident) => {
        $layers.pick(stringify!($field), |model| model.$field.map(|text| text.0))
    };
}

pub(super) fn network(context: &mut Context<'_>, reference: &ModelRef<text::Network>, at: &Place) -> Option<Network> {
    let layers = context.layers(reference, at)?;
    let (nics, _) = required!(context, layers, nics, Nics::Separate);
    let (rate, rate_at) = required!(context, layers, rate, ByteRate::new(1));
    let network = Network {
        nics,
        rate,
        application_rate: application_rate(context, &layers, nics, rate),
        rate_trace: rate_trace(context, &layers),
        path_rate: optional!(layers, path_rate).map(|(rate, _)| rate),
        latency: required!(context, layers, latency, Span::ZERO).0,
        jitter: optional!(layers, jitter).map_or(Span::ZERO, |(jitter, _)| jitter),
        loss: optional!(layers, loss).map_or(Ratio::ZERO, |(loss, _)| loss),
        duplicate: optional!(layers, duplicate).map_or(Ratio::ZERO, |(duplicate, _)| duplicate),
        queue: required!(context, layers, queue, Bytes::new(u64::MAX)).0,
        send_buffer: required!(context, layers, send_buffer, Bytes::new(u64::MAX)).0,
        packet: required!(context, layers, packet, Bytes::new(1)).0,
        rto: required!(context, layers, rto, Span::from_ns(1)).0,
        rto_max: required!(context, layers, rto_max, Span::from_ns(u64::MAX)).0,
        give_up: required!(context, layers, give_up, Span::from_ns(u64::MAX)).0,
    };
    context.positive(rate != ByteRate::ZERO, &rate_at);
    check_network(context, &layers, &network);
    Some(network)
}

/// Where a field stands, or would.
fn place<T>(layers: &Layers<impl Model>, key: &str, given: Option<(T, Place)>) -> Place {
    given.map_or_else(|| layers.at().key(key), |(_, place)| place)
}

fn application_rate(context: &mut Context<'_>, layers: &Layers<text::Network>, nics: Nics, rate: ByteRate) -> ByteRate {
    if nics == Nics::Separate {
        let (application, at) = optional!(layers, application_rate).unwrap_or((rate, layers.at().clone()));
        context.positive(rate == ByteRate::ZERO || application != ByteRate::ZERO, &at);
        return application;
    }
    let own = layers.own().and_then(|own| own.application_rate).map(|text| text.0);
    if own.is_some_and(|own| own != rate) {
        let message = format!("the one card that is shared has the rate {rate}");
        context.problem(&layers.at().key("application_rate"), message, Some("leave `application_rate` out"));
    }
    rate
}

fn check_network(context: &mut Context<'_>, layers: &Layers<text::Network>, network: &Network) {
    let path_rate = optional!(layers, path_rate);
    context.positive(network.path_rate != Some(ByteRate::ZERO), &place(layers, "path_rate", path_rate));
    if network.loss >= Ratio::ONE {
        let message = format!("{} is no probability below 100 %", network.loss);
        context.problem(&place(layers, "loss", optional!(layers, loss)), message, Some("`cut` is a fault of its own"));
    }
    if !network.duplicate.is_share() {
        let message = format!("{} is no probability", network.duplicate);
        context.problem(&place(layers, "duplicate", optional!(layers, duplicate)), message, None);
    }
    let packet = place(layers, "packet", optional!(layers, packet));
    context.positive(network.packet != Bytes::ZERO, &packet);
    let queue = (network.queue, place(layers, "queue", optional!(layers, queue)));
    let send_buffer = (network.send_buffer, place(layers, "send_buffer", optional!(layers, send_buffer)));
    for (size, at) in [queue, send_buffer] {
        if size < network.packet {
            context.problem(&at, format!("{size} does not hold one packet of {}", network.packet), None);
        }
    }
    context.positive(network.rto != Span::ZERO, &place(layers, "rto", optional!(layers, rto)));
    let rto_max = (network.rto_max, place(layers, "rto_max", optional!(layers, rto_max)));
    let give_up = (network.give_up, place(layers, "give_up", optional!(layers, give_up)));
    for (span, at) in [rto_max, give_up] {
        if span < network.rto {
            context.problem(&at, format!("{span} is below `rto`, {}", network.rto), None);
        }
    }
}

fn rate_trace(context: &mut Context<'_>, layers: &Layers<text::Network>) -> Vec<RateStep> {
    let Some((trace, at)) = layers.pick("rate_trace", |network| network.rate_trace.clone()) else { return Vec::new() };
    match trace {
        RateTrace::Steps(steps) => {
            let at = at.key("steps");
            for (i, pair) in steps.windows(2).enumerate() {
                if pair[1].from.0 <= pair[0].from.0 {
                    let message = format!("{} is not after {}; steps rise in time", pair[1].from.0, pair[0].from.0);
                    context.problem(&at.index(i + 1).key("from"), message, None);
                }
            }
            steps.iter().map(|step| RateStep { from: step.from.0, rate: step.rate.0 }).collect()
        }
        RateTrace::Csv(name) => match context.find(ModelKind::Trace, &name, &at.key("csv")) {
            Some(source) => read_trace(context, &source),
            None => Vec::new(),
        },
    }
}

/// A trace file: header `from_s,rate_bit_s`, then decimals of seconds and bits per second, read exactly.
fn read_trace(context: &mut Context<'_>, source: &Arc<Source>) -> Vec<RateStep> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(source.text().as_bytes());
    let mut steps: Vec<RateStep> = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let offset = error.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
                context.line_problem(source, offset.min(source.text().len()), format!("not a rate trace: {error}"));
                return steps;
            }
        };
        let at = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        let result = match number {
            0 if record.iter().map(str::trim).eq(TRACE_HEADER) => continue,
            0 => Err(format!("the header of a rate trace is `{}`", TRACE_HEADER.join(","))),
            _ => trace_step(&record, steps.last()),
        };
        match result {
            Ok(step) => steps.push(step),
            Err(message) => {
                context.line_problem(source, at, message);
                return steps;
            }
        }
    }
    steps
}

fn trace_step(record: &csv::StringRecord, last: Option<&RateStep>) -> Result<RateStep, String> {
    let field = |i: usize| record.get(i).unwrap_or_default().trim();
    let from = Span::parse(&format!("{} s", field(0))).map_err(|error| format!("{}: {error}", TRACE_HEADER[0]))?;
    let rate =
        ByteRate::parse(&format!("{} bit/s", field(1))).map_err(|error| format!("{}: {error}", TRACE_HEADER[1]))?;
    match last {
        Some(last) if from <= last.from => Err(format!("{from} is not after {}; steps rise in time", last.from)),
        _ => Ok(RateStep { from, rate }),
    }
}

pub(super) fn platform(
    context: &mut Context<'_>,
    reference: &ModelRef<text::Platform>,
    at: &Place,
) -> Option<Platform> {
    let layers = context.layers(reference, at)?;
    let (page_size, page_size_at) = required!(context, layers, page_size, Bytes::new(4096));
    if page_size.get() < MIN_PAGE || !page_size.get().is_power_of_two() {
        context.problem(&page_size_at, format!("{page_size} is no page size"), Some("a power of two from 512 B on"));
    }
    let (zero_page, zero_page_at) = required!(context, layers, zero_page, Bytes::new(1));
    let (device_state, device_state_at) = required!(context, layers, device_state, Bytes::new(1));
    let (message, message_at) = required!(context, layers, message, Bytes::new(1));
    for (size, at) in [(zero_page, &zero_page_at), (device_state, &device_state_at), (message, &message_at)] {
        context.positive(size != Bytes::ZERO, at);
    }
    let (chunk, chunk_at) = required!(context, layers, chunk, PageCount::new(1));
    context.positive(chunk != PageCount::ZERO, &chunk_at);
    let (packet, packet_at) = optional!(layers, packet).unwrap_or((chunk, chunk_at));
    context.positive(packet != PageCount::ZERO, &packet_at);
    let (window, window_at) = required!(context, layers, window, Span::from_ns(1));
    context.positive(window != Span::ZERO, &window_at);
    let place_page = required!(context, layers, place_page, Span::ZERO).0;
    let read_page = required!(context, layers, read_page, Span::ZERO).0;
    let stop = required!(context, layers, stop, Span::ZERO).0;
    let first_touch = optional!(layers, first_touch).map_or(Span::ZERO, |(cost, _)| cost);
    let resume = required!(context, layers, resume, Span::ZERO).0;
    Some(Platform {
        page_size,
        page_header: required!(context, layers, page_header, Bytes::ZERO).0,
        zero_page,
        device_state,
        message,
        chunk,
        packet,
        dirty_log: required!(context, layers, dirty_log, DirtyLog::Snapshot).0,
        setup: required!(context, layers, setup, Span::ZERO).0,
        sync_per_gib: required!(context, layers, sync_per_gib, Span::ZERO).0,
        read_page,
        place_page,
        first_touch,
        place_missing: optional!(layers, place_missing)
            .map_or(place_page.saturating_add(first_touch), |(cost, _)| cost),
        place_zero: optional!(layers, place_zero).map_or(place_page, |(cost, _)| cost),
        xbzrle_page: optional!(layers, xbzrle_page).map(|(cost, _)| cost),
        compress_page: optional!(layers, compress_page).map(|(cost, _)| cost),
        decompress_page: optional!(layers, decompress_page).map(|(cost, _)| cost),
        stop,
        load: required!(context, layers, load, Span::ZERO).0,
        resume,
        fault: required!(context, layers, fault, Span::ZERO).0,
        exit_per_gib: optional!(layers, exit_per_gib).map_or(Span::ZERO, |(cost, _)| cost),
        window,
        iteration: optional!(layers, iteration).map_or(window.scale_saturating(Ratio::new(1, 2)), |(span, _)| span),
        monitor_in_stop: optional!(layers, monitor_in_stop).map_or(MonitorInStop::Answers, |(word, _)| word),
        checkpoint: costs(&layers, &Like { read_page, place_page, stop, resume, device_state }),
    })
}
