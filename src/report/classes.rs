//! Page classes fitted to recorded writes: for machines, and in a sentence for the file that is made of them.

use super::tree::Json;
use super::validation::size;
use crate::calibrate::ClassFit;
use crate::scenario::{ClassOf, RecordedWorkload};

/// Version of the document's shape.
const SCHEMA: u64 = 1;

/// The document.
pub fn json_classes(workload: &RecordedWorkload, fits: &[ClassFit]) -> String {
    let fits = workload.recorded.iter().flatten().zip(fits).map(|(recorded, fit)| {
        Json::Object(vec![
            ("recording", Json::text(&recorded.name)),
            ("good", Json::Bool(fit.is_good())),
            ("error", Json::whole(fit.error())),
            ("drift", Json::Text(fit.drift().to_string())),
            ("classes", Json::List(fit.classes.iter().map(class).collect())),
            ("curve", Json::List(fit.points.iter().map(point).collect())),
        ])
    });
    Json::Object(vec![
        ("schema", Json::whole(SCHEMA)),
        ("workload", Json::text(&workload.name)),
        ("fits", Json::List(fits.collect())),
    ])
    .print(4)
}

fn class(class: &ClassOf) -> Json {
    Json::Object(vec![
        ("pages", Json::whole(class.pages.get())),
        ("write", Json::text(class.write.to_string())),
        ("zero", Json::text(class.zero.to_string())),
    ])
}

fn point(point: &crate::calibrate::Point) -> Json {
    Json::Object(vec![
        ("window_s", Json::seconds(point.window)),
        ("recorded", Json::whole(point.recorded.get())),
        ("fitted", Json::whole(point.fitted.get())),
    ])
}

/// Where the numbers of the file come from.
pub fn provenance_of_classes(workload: &RecordedWorkload, fits: &[ClassFit], version: &str) -> String {
    let each = workload.recorded.iter().flatten().zip(fits).map(|(recorded, fit)| {
        format!(
            "the mean distinct pages of windows of {} to {} of the recording {}, greatest error {}; its second half dirties {} \
             pages than its first",
            fit.points.first().map_or_else(String::new, |point| point.window.to_string()),
            fit.points.last().map_or_else(String::new, |point| point.window.to_string()),
            recorded.name,
            size(fit.error()),
            more(fit.drift()),
        )
    });
    let each: Vec<String> = each.collect();
    format!("Fitted by midflight {version} to {}. {}", each.join("; and to "), workload.source)
}

/// "3.2 % more", "0.1 % fewer".
pub(super) fn more(drift: i64) -> String {
    format!("{} {}", size(drift.unsigned_abs()), if drift < 0 { "fewer" } else { "more" })
}
