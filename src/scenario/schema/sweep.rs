//! A sweep as typed: one scenario, what is varied in it, and how often each is run.
//!
//! The doc comments below are the descriptions in the JSON Schema and in `docs/sweep.md`. What it does not do: read the
//! scenario, or make values of ranges (see `scenario::resolve`).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::Empty;
use super::quantity::{SchemaVersion, Text, Word};
use super::reference::{Amount, ScenarioRef, by_visitor};
use crate::scenario::Relation;
use crate::units::Ratio;

/// One scenario, the ways in which it is varied, and how often each is run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sweep")]
pub struct SweepFile {
    /// Where editors find the JSON Schema; not read. Default: none.
    #[serde(rename = "$schema", default)]
    pub schema_location: Option<String>,
    /// Version of this format.
    pub schema: SchemaVersion,
    /// What is asked, in a sentence.
    pub why: String,
    /// What is varied: the path of a scenario, from this file's folder, or the scenario itself.
    pub base: ScenarioRef,
    /// What is varied in it, and with which values; the first varies slowest. At least one.
    pub axes: Vec<Axis>,
    /// Axes that go together: arrays of names of axes with as many values each. Default: none.
    #[serde(default)]
    pub zip: Vec<Vec<String>>,
    /// What must hold of a cell; the others are left out. Default: nothing.
    #[serde(rename = "where", default)]
    pub conditions: Vec<Condition>,
    /// Which cells are taken. Default: `{"grid": {}}`.
    #[serde(default)]
    pub design: Option<Design>,
    /// Runs of each cell: a number, or until enough is known. Run k of one cell has the same random draws as run k of another, but for
    /// what the change itself alters. Default: 1.
    #[serde(default)]
    pub replications: Option<Replications>,
    /// Seed of all runs. Default: the scenario's.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Columns of the record that are summarised. Default: all that have a number in any run.
    #[serde(default)]
    pub metrics: Option<Vec<String>>,
    /// Probability with which an interval is to contain the true value. Default: `"95 %"`.
    #[serde(default)]
    pub level: Option<Text<Ratio>>,
    /// What cells are compared with, run by run. Default: nothing.
    #[serde(default)]
    pub compare: Option<Compare>,
}

/// One thing that is varied: exactly one of `values`, `range`, `log` and `files`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The way to it in the scenario, as for `--set`.
    pub path: String,
    /// Its name: a column of the results. Default: the last key of `path`.
    #[serde(rename = "as", default)]
    pub name: Option<String>,
    /// Values as they stand in a scenario. Default: another key says them.
    #[serde(default)]
    pub values: Option<Vec<Value>>,
    /// What each of `values` or `files` is called in the results. Default: as it is.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// Values at equal distances. Default: another key says them.
    #[serde(default)]
    pub range: Option<Range>,
    /// Values at equal ratios. Default: another key says them.
    #[serde(default)]
    pub log: Option<Log>,
    /// Whole models: names, or paths of files (ending in `.json`, from this file's folder). Default: another key says them.
    #[serde(default)]
    pub files: Option<Vec<String>>,
}

/// `from`, `from` + `step`, … up to `to`, exactly.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The first value: a quantity with its unit, or a whole number.
    pub from: Amount,
    /// None is above it; it is a value itself if the steps meet it.
    pub to: Amount,
    /// From one value to the next; above zero.
    pub step: Amount,
}

/// `n` values from `from` to `to`, each the same multiple of the one before; those between the ends are rounded to four digits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The first value, above zero: a quantity with its unit, or a whole number.
    pub from: Amount,
    /// The last, above the first.
    pub to: Amount,
    /// How many; at least 2.
    pub n: u64,
}

/// What must hold of an axis: exactly one of `value` and `axis`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The axis: its name, or its path.
    pub path: String,
    /// How its value must stand to the other.
    pub op: Word<Relation>,
    /// The other: a value. Default: that of an axis.
    #[serde(default)]
    pub value: Option<Value>,
    /// The other: that of an axis, by its name or path. Default: a value.
    #[serde(default)]
    pub axis: Option<String>,
}

/// Which cells are taken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// Every value with every other.
    Grid(Empty),
    /// A Latin hypercube: of each axis the values come equally often, as nearly as can be.
    Lhs(Points),
    /// The first points of a Sobol sequence, which fill the space evenly.
    Sobol(Points),
}

/// Points in the space of the axes; each takes the value of an axis below which its coordinate falls. Cells met twice are taken once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Points {
    /// How many points; at least 1.
    pub n: u64,
}

/// How often a cell is run.
#[derive(Debug, Clone)]
pub enum Replications {
    /// So often.
    Fixed(u64),
    /// Until enough is known.
    Until(Until),
}

/// The other way to say how often.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UntilObject {
    /// When it is enough.
    until: Until,
}

by_visitor!(
    Replications,
    "a whole number, or an object with `until`".into(),
    |generator| {
        let until = generator.subschema_for::<UntilObject>();
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, until] })
    },
    {
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Replications, E> {
            Ok(Replications::Fixed(number))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Replications, A::Error> {
            UntilObject::deserialize(MapAccessDeserializer::new(map)).map(|object| Replications::Until(object.until))
        }
    }
);

/// A cell is run 32, 64, 128 … times until the interval of a metric is narrow enough; where all runs have the same value, `max` times.
/// To pay for looking several times, half of the probability beyond is taken for the interval of that metric.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// A column of the record with a number in it, for its mean, or `outcome=lost` (or another outcome), for its probability.
    pub metric: String,
    /// Half the width of the interval: in the unit of the metric (of a probability or a share, `"2 %"` is 0.02), or, of any other mean, as a
    /// share of it (`"2 %"`).
    pub half_width: Amount,
    /// Most runs; at least 32.
    pub max: u64,
}

/// Which cells are compared with which: the difference of each run to that of the same number in the other cell.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// The axis, by its name: cells that differ in nothing else are compared.
    pub axis: String,
    /// Its value with which the others are compared.
    pub with: Value,
}
