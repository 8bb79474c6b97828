//! A reference file as typed: published results, how to set a scenario up for each, and how near is near enough.
//!
//! The doc comments below are the descriptions in the JSON Schema and in `docs/references.md`. What it does not do:
//! read the scenario, or give values their unit (see `scenario::resolve`).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::ScenarioFile;
use super::quantity::{SchemaVersion, Text, WITH_UNIT, Word};
use crate::units::Ratio;
use crate::vocabulary::{Mark, RoundMeasure};

/// Published results, and how the simulator is compared with them: a file in `models/references`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reference")]
pub struct ReferenceFile {
    /// Where editors find the JSON Schema; not read. Default: none.
    #[serde(rename = "$schema", default)]
    pub schema_location: Option<String>,
    /// Version of this format.
    pub schema: SchemaVersion,
    /// Its name in reports: the file's name without its ending.
    pub id: String,
    /// The citation, with section, figure or table.
    pub source: String,
    /// What is compared, what is fitted, and what honestly does not fit.
    pub why: String,
    /// The experiment: a path, from this file's folder, or the scenario itself.
    pub scenario: ScenarioRef,
    /// Parameters that the source does not give, fitted to some of its rows. Default: none.
    #[serde(default)]
    pub fit: Vec<Fit>,
    /// The published values, one each.
    pub rows: Vec<Row>,
}

/// A parameter that is fitted: set in every row that does not set it itself, to the value that makes the sum of the
/// squared relative errors of its `rows` least.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// The way to it in the scenario, as for `--set`.
    pub path: String,
    /// The rows that it is fitted to. They do not count towards the score.
    pub rows: Vec<String>,
    /// Least value that is tried: a quantity with its unit, or a whole number.
    pub from: Amount,
    /// Greatest value that is tried, of the same kind.
    pub to: Amount,
}

/// One published value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name, only once in the file.
    pub id: String,
    /// What this row changes in the scenario: paths as for `--set`, with JSON values, made in this order. Default:
    /// nothing.
    #[serde(default)]
    pub set: Map<String, Value>,
    /// What is measured: a column of the record with a number in it, or a measure.
    pub metric: MetricRef,
    /// The published value, with the unit of the metric; a whole number for a count. Default: the median of
    /// `repetitions`.
    #[serde(default)]
    pub value: Option<Amount>,
    /// The single results of which `value` is the median. If they spread by more than 5 % of it, the row is reported and
    /// not scored. Default: none.
    #[serde(default)]
    pub repetitions: Vec<Amount>,
    /// How near the predicted value must come. Default: none; a row that counts has this or `equals`.
    #[serde(default)]
    pub within: Option<Within>,
    /// `true`: the predicted value must be the published one, exactly. Default: `false`.
    #[serde(default)]
    pub equals: Option<bool>,
    /// Runs with different random draws, of which the median is compared. Default: 1.
    #[serde(default)]
    pub replications: Option<u64>,
    /// Why this row does not count: it is printed, and never gates. Default: it counts.
    #[serde(default)]
    pub why: Option<String>,
}

/// How near is near enough; any one of those given suffices.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// Greatest difference, as a share of the published value. Default: does not apply.
    #[serde(default)]
    pub fraction: Option<Text<Ratio>>,
    /// Greatest difference, in the unit of the metric. Default: does not apply.
    #[serde(default)]
    pub absolute: Option<Amount>,
    /// Greatest factor between the two, either way: `"2"`, `"1.5"`. Default: does not apply.
    #[serde(default)]
    pub factor: Option<String>,
}

/// The time between two marks (`from` and `to`), or a number of one round (`round` and `of`).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// The mark at which the time begins. Default: a round is meant.
    #[serde(default)]
    pub from: Option<Word<Mark>>,
    /// The mark at which it ends. Default: a round is meant.
    #[serde(default)]
    pub to: Option<Word<Mark>>,
    /// The round, from 1, or `"last"` for the copy with the VM stopped. Default: two marks are meant.
    #[serde(default)]
    pub round: Option<RoundRef>,
    /// What of the round. Default: two marks are meant.
    #[serde(default)]
    pub of: Option<Word<RoundMeasure>>,
}

/// The experiment that a reference is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioRef {
    /// A file, from the reference's folder.
    Path(String),
    /// In place; read from there by the reader of scenarios.
    Inline,
}

/// A column of the record, or a measure of its own.
#[derive(Debug, Clone)]
pub enum MetricRef {
    /// The column.
    Column(String),
    /// The measure.
    Measure(Measure),
}

/// A value whose unit depends on what it is a value of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// A quantity with its unit.
    Text(String),
    /// A number of things.
    Whole(u64),
}

/// A round by its number, or the last copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundRef {
    /// From 1.
    Number(u64),
    /// With the VM stopped.
    Last,
}

/// `Deserialize` and `JsonSchema` for a type that is read by its own visitor.
macro_rules! by_visitor {
    ($name:ident, $expecting:expr, $schema:expr, { $($visit:item)+ }) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Own;
                impl<'de> Visitor<'de> for Own {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        let expecting: String = $expecting;
                        f.write_str(&expecting)
                    }
                    $($visit)+
                }
                deserializer.deserialize_any(Own)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let make: fn(&mut SchemaGenerator) -> Schema = $schema;
                make(generator)
            }
        }
    };
}

by_visitor!(
    ScenarioRef,
    "the path of a scenario or a scenario itself".into(),
    |generator| {
        let inline = generator.subschema_for::<ScenarioFile>();
        json_schema!({ "anyOf": [{ "type": "string" }, inline] })
    },
    {
        fn visit_str<E: de::Error>(self, path: &str) -> Result<ScenarioRef, E> {
            Ok(ScenarioRef::Path(path.into()))
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ScenarioRef, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(ScenarioRef::Inline)
        }
    }
);

by_visitor!(
    MetricRef,
    "the name of a column or a measure".into(),
    |generator| {
        let measure = generator.subschema_for::<Measure>();
        json_schema!({ "anyOf": [{ "type": "string" }, measure] })
    },
    {
        fn visit_str<E: de::Error>(self, column: &str) -> Result<MetricRef, E> {
            Ok(MetricRef::Column(column.into()))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MetricRef, A::Error> {
            Measure::deserialize(MapAccessDeserializer::new(map)).map(MetricRef::Measure)
        }
    }
);

by_visitor!(
    Amount,
    format!("a value{WITH_UNIT}\"1.5 s\""),
    |_| { json_schema!({ "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }] }) },
    {
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
            Ok(Amount::Text(text.into()))
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
            Ok(Amount::Whole(number))
        }
    }
);

by_visitor!(
    RoundRef,
    "the number of a round or \"last\"".into(),
    |_| { json_schema!({ "anyOf": [{ "const": "last" }, { "type": "integer", "minimum": 1 }] }) },
    {
        fn visit_str<E: de::Error>(self, text: &str) -> Result<RoundRef, E> {
            match text {
                "last" => Ok(RoundRef::Last),
                other => Err(E::custom(format_args!("unknown variant `{other}`, expected `last`"))),
            }
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<RoundRef, E> {
            match number {
                0 => Err(E::custom("rounds count from 1")),
                number => Ok(RoundRef::Number(number)),
            }
        }
    }
);

pub(super) use by_visitor;
