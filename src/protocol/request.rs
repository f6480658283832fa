//! Requests, read strictly: every error names the field, the value and the fix.

mod census;

pub use census::CensusRequest;

use super::{Error, nearest};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt, ops::RangeInclusive};

/// The largest request body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

const FIELDS: [&str; 9] =
    ["workloads", "size", "shape", "iterations", "warmup", "seed", "heap", "emit_metrics", "hold_ms"];
const ITERATIONS: RangeInclusive<u64> = 1..=1000;
const WARMUP: RangeInclusive<u64> = 0..=100;

/// One benchmark request. `{}` and an empty body mean [`Request::default`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Which workloads to run.
    pub workloads: Selection,
    /// The size of each workload's input.
    pub size: Size,
    /// The order of the sorting workloads' input.
    pub shape: Shape,
    /// Timed iterations per workload, 1–1000.
    pub iterations: u32,
    /// Untimed iterations first, 0–100.
    pub warmup: u32,
    /// Seed of the input generator.
    pub seed: u64,
    /// Whether to run one more, untimed pass that measures the heap.
    pub heap: bool,
    /// Whether this invocation emits metrics.
    pub emit_metrics: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            workloads: Selection::All,
            size: Size::Named(SizeName::Medium),
            shape: Shape::Random,
            iterations: 10,
            warmup: 2,
            seed: 42,
            heap: true,
            emit_metrics: true,
        }
    }
}

/// The workloads that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Every workload in the catalogue.
    All,
    /// Categories (`sorting`) and names (`math/matmul`), as written by the caller.
    Some(Vec<String>),
}

impl Serialize for Selection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Some(selectors) => selectors.serialize(serializer),
        }
    }
}

/// How large the input of a workload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Size {
    /// One of the workload's own three sizes.
    Named(SizeName),
    /// A number of elements, in the workload's own unit.
    Elements(u64),
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Elements(elements) => elements.fmt(f),
        }
    }
}

/// The three sizes that every workload has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SizeName {
    /// About 1 ms an iteration.
    Small,
    /// Tens of milliseconds an iteration.
    Medium,
    /// About 1 s an iteration.
    Large,
}

impl SizeName {
    /// All sizes, smallest first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];
}

/// The order of a sorting workload's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// In random order.
    Random,
    /// Sorted already.
    Sorted,
    /// Sorted the other way round.
    Reversed,
    /// In random order, with no more than 16 different keys.
    FewUnique,
}

impl Shape {
    pub const ALL: [Self; 4] = [Self::Random, Self::Sorted, Self::Reversed, Self::FewUnique];
}

/// What the service is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceRequest {
    /// To run workloads.
    Benchmark(Request),
    /// To tell which CPU the environment has.
    Census(CensusRequest),
}

impl ServiceRequest {
    /// Reads a request from JSON text.
    ///
    /// # Errors
    /// [`Error::InputTooLarge`] for a body over [`MAX_BODY_BYTES`]; [`Error::InvalidRequest`] for
    /// text that is not a JSON object, an unknown field, a wrong type or a value out of bounds.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_BODY_BYTES {
            return Err(Error::InputTooLarge {
                field: None,
                detail: format!("the request is {} bytes long; at most {MAX_BODY_BYTES} bytes are read", text.len()),
            });
        }
        if text.trim().is_empty() {
            return Ok(Self::Benchmark(Request::default()));
        }
        let fields = match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => fields,
            Ok(other) => return Err(not_an_object(&describe(&other))),
            Err(error) => return Err(not_an_object(&format!("not JSON: {error}"))),
        };
        if let Some(name) = repeated(text) {
            let name = shortened(&name);
            let detail = format!("the field \"{name}\" is there more than once; keep one");
            return Err(Error::invalid(name, detail));
        }
        fields.keys().try_for_each(|name| known_field(name))?;
        match CensusRequest::from_fields(&fields)? {
            Some(census) => Ok(Self::Census(census)),
            None => Request::from_fields(&fields).map(Self::Benchmark),
        }
    }

    /// Whether this invocation emits metrics.
    pub fn emit_metrics(&self) -> bool {
        match self {
            Self::Benchmark(request) => request.emit_metrics,
            Self::Census(request) => request.emit_metrics,
        }
    }
}

impl Request {
    fn from_fields(fields: &Map<String, Value>) -> Result<Self, Error> {
        let default = Self::default();
        Ok(Self {
            workloads: read(fields, "workloads", default.workloads, selection)?,
            size: read(fields, "size", default.size, size)?,
            shape: read(fields, "shape", default.shape, shape)?,
            iterations: read(fields, "iterations", default.iterations, integer(ITERATIONS))?,
            warmup: read(fields, "warmup", default.warmup, integer(WARMUP))?,
            seed: read(fields, "seed", default.seed, integer(0..=u64::MAX))?,
            heap: read(fields, "heap", default.heap, boolean)?,
            emit_metrics: read(fields, "emit_metrics", default.emit_metrics, boolean)?,
        })
    }
}

fn not_an_object(what: &str) -> Error {
    Error::invalid_as_a_whole(format!("the request is {what}; send a JSON object such as {{}}"))
}

/// The first name that an object has twice. A map would silently keep the last value.
fn repeated(object: &str) -> Option<String> {
    struct FirstRepeated;

    impl<'de> Visitor<'de> for FirstRepeated {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut seen = BTreeSet::new();
            let mut repeated = None;
            while let Some((name, IgnoredAny)) = members.next_entry::<String, _>()? {
                if !seen.insert(name.clone()) {
                    repeated.get_or_insert(name);
                }
            }
            Ok(repeated)
        }
    }

    serde_json::Deserializer::from_str(object).deserialize_map(FirstRepeated).ok()?
}

fn known_field(name: &str) -> Result<(), Error> {
    if FIELDS.contains(&name) {
        return Ok(());
    }
    let hint = match nearest(name, FIELDS) {
        Some(field) => format!("did you mean \"{field}\"?"),
        None => format!("the fields are {}", FIELDS.join(", ")),
    };
    let name = shortened(name);
    let detail = format!("unknown field \"{name}\"; {hint}");
    Err(Error::invalid(name, detail))
}

fn read<T>(
    fields: &Map<String, Value>,
    field: &str,
    default: T,
    parse: impl FnOnce(&str, &Value) -> Result<T, Error>,
) -> Result<T, Error> {
    fields.get(field).map_or(Ok(default), |value| parse(field, value))
}

fn expected(field: &str, what: &str, value: &Value) -> Error {
    Error::invalid(field, format!("\"{field}\" must be {what}, not {}", describe(value)))
}

fn integer<T: TryFrom<u64>>(bounds: RangeInclusive<u64>) -> impl FnOnce(&str, &Value) -> Result<T, Error> {
    move |field, value| {
        let number = value.as_u64().filter(|number| bounds.contains(number));
        number
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| expected(field, &format!("an integer from {} to {}", bounds.start(), bounds.end()), value))
    }
}

fn boolean(field: &str, value: &Value) -> Result<bool, Error> {
    value.as_bool().ok_or_else(|| expected(field, "true or false", value))
}

fn size(field: &str, value: &Value) -> Result<Size, Error> {
    let named = |name: &str| SizeName::ALL.into_iter().find(|size| size.to_string() == name).map(Size::Named);
    value
        .as_str()
        .and_then(named)
        .or_else(|| value.as_u64().filter(|elements| *elements > 0).map(Size::Elements))
        .ok_or_else(|| expected(field, "\"small\", \"medium\", \"large\" or a number of elements from 1", value))
}

fn shape(field: &str, value: &Value) -> Result<Shape, Error> {
    Shape::ALL
        .into_iter()
        .find(|shape| *value == shape.to_string())
        .ok_or_else(|| expected(field, "\"random\", \"sorted\", \"reversed\" or \"few-unique\"", value))
}

fn selection(field: &str, value: &Value) -> Result<Selection, Error> {
    let wanted = "\"all\" or an array of categories and names such as [\"sorting\", \"math/matmul\"]";
    if value == "all" {
        return Ok(Selection::All);
    }
    let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(|| expected(field, wanted, value))?;
    let selectors = items
        .iter()
        .enumerate()
        .map(|(index, item)| match item {
            Value::String(selector) => Ok(selector.clone()),
            other => Err(expected(&format!("{field}[{index}]"), "a category or a name in quotes", other)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(if selectors.iter().any(|selector| selector == "all") { Selection::All } else { Selection::Some(selectors) })
}

/// A JSON value in an error message: scalars as they are, containers by kind.
fn describe(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "an empty array".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => shortened(&scalar.to_string()),
    }
}

/// The beginning of a caller's text, for an error message.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
