//! What a campaign is, as `campaign.json` keeps it.

use super::{
    Auth, Target,
    configuration::Configuration,
    prices::{FREE_EPHEMERAL_MB, Price},
    region,
    schedule::Order,
    sides::{Side, Sides},
    status::AcceptedStatus,
};
use hyper::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, ops::Not, time::Duration};

/// The version of the run directory's shape; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// A campaign, complete enough to be continued and to be judged later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// The version of Lambda Duet that made it.
    pub version: String,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: u64,
    /// What is compared.
    pub sides: Sides<Variant>,
    /// What is called, how often and in which order.
    pub plan: Plan,
    /// When it ends.
    pub limits: Limits,
}

/// One of the two things that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// A short name for people.
    pub name: String,
    /// What is called.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub target: Target,
    /// Where it is called; None for what this machine runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How Lambda has configured it, where Lambda says so.
    pub configuration: Option<Configuration>,
    /// What Lambda asks for it; none for what Lambda does not run.
    pub price: Option<Price>,
}

/// Where a side is called, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The region that calls are signed for, or in which an endpoint is that asks for no signature; None if unknown.
    pub region: Option<String>,
    /// The profile of the AWS configuration files, if one was named.
    pub profile: Option<String>,
    /// Whether samconfig names that profile: its credentials then go before those of the environment.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_profile_fixed: bool,
    /// The URL of Lambda, for functions.
    pub endpoint: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.region {
            Some(region) => write!(f, "in {region} ({})", region::partition(region))?,
            None => f.write_str("in a region that is not known")?,
        }
        if let Some(endpoint) = &self.endpoint {
            write!(f, ", at {endpoint}")?;
        }
        self.profile.as_ref().map_or(Ok(()), |profile| write!(f, ", with the profile {profile}"))
    }
}

/// The schedule and all that decides about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The seed of the order of every block.
    pub seed: u64,
    /// How many environments of each side are called at a time.
    pub environments: u32,
    /// What is called together, and what in turns.
    #[serde(default)]
    pub order: Order,
    /// The block from which on steps are separate, because there was not the concurrency for joint ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separate_from: Option<u64>,
    /// Whether every call meets an environment that has just started.
    pub cold: bool,
    /// Whether the calls of one step run side by side; on one machine they would get in each other's way.
    pub concurrent: bool,
    /// The payloads, each with its weight.
    pub cells: Vec<Cell>,
    /// The least time from the start of one block to the start of the next, in milliseconds.
    pub pace_ms: u64,
    /// How long a call may take, in milliseconds.
    pub timeout_ms: u64,
    /// How requests to HTTP endpoints prove who sends them.
    pub auth: Auth,
    /// Whether answers of one cell must be equal.
    pub compare_output: bool,
    /// How far numbers in them may differ, in units of the larger one; none where they must be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// The JSON pointers to what is left out of that comparison.
    pub ignore: Vec<String>,
    /// The JSON pointer to what names the environment in an answer of the user's own function.
    pub environment: Option<String>,
    /// The JSON pointer to what names the processor's model there.
    pub cpu_model: Option<String>,
    /// The tenant that functions with tenant isolation are called for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Statuses that count as success beside those that do by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept_status: Vec<AcceptedStatus>,
    /// The method of requests to HTTP endpoints; none for POST.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "method")]
    pub method: Option<Method>,
    /// The names of the headers that they have besides; values may be secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The names of the variables of a function's own that runs on this machine; their values are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
}

/// A payload that both sides get in every block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Its name, unique in the campaign.
    pub name: String,
    /// How often a block sends it to each side.
    pub weight: u32,
    /// The workload of the benchmark service, where the payload is a request to it.
    pub workload: Option<String>,
    /// What is sent, byte for byte.
    pub payload: String,
    /// A guess at the billed duration of one call before there is any, in milliseconds.
    pub guess_ms: f64,
}

/// What [`Limits::until_ci`] has to be below: an interval of ±50% says next to nothing.
pub const MAX_HALF_WIDTH: f64 = 0.5;

/// The most environments of a side that a block may call.
pub const MAX_ENVIRONMENTS: u32 = 1000;

/// When a campaign ends, whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The time it takes, in milliseconds, pauses between two starts of the program left out.
    pub duration_ms: Option<u64>,
    /// The calls of both sides together; only whole blocks are made.
    pub invocations: Option<u64>,
    /// The bill as estimated, in US dollars.
    pub max_cost_usd: Option<f64>,
    /// The half width of the intervals that are enough, as a share of the estimate: 0.02 for ±2%.
    pub until_ci: Option<f64>,
}

impl Plan {
    /// The order of a block, where steps are separate from another block on.
    pub fn order_of(&self, block: u64, separate_from: Option<u64>) -> Order {
        if separate_from.is_some_and(|from| block >= from) { Order::SeparateSteps } else { self.order }
    }

    /// How many steps a block in this order has.
    pub fn steps(&self, order: Order) -> u64 {
        match order {
            Order::SeparateSteps => 2 * self.visits(),
            Order::JointSteps => self.visits(),
            Order::SingleCalls => self.calls(),
        }
    }

    /// How many calls a block makes.
    pub fn calls(&self) -> u64 {
        2 * self.visits() * u64::from(self.environments)
    }

    /// How often a block sends payloads to an environment.
    fn visits(&self) -> u64 {
        self.cells.iter().map(|cell| u64::from(cell.weight)).sum()
    }

    /// How long a call may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

impl Manifest {
    /// The guess at the bill of one block, in US dollars.
    pub fn guessed_cost(&self) -> f64 {
        let call = |side: Side, cell: &Cell| {
            self.sides[side].cost(cell.guess_ms, None) * f64::from(cell.weight) * f64::from(self.plan.environments)
        };
        Side::BOTH.iter().flat_map(|side| self.plan.cells.iter().map(move |cell| call(*side, cell))).sum()
    }

    /// Whether both sides are one function, perhaps in two versions of it, which share the concurrency that is reserved.
    pub fn has_one_function(&self) -> bool {
        let Sides { baseline, candidate } = &self.sides;
        let arn = |variant: &Variant| variant.configuration.as_ref()?.unqualified_arn().map(str::to_owned);
        match (arn(baseline).zip(arn(candidate)), &baseline.target, &candidate.target) {
            (Some((one, other)), ..) => one == other,
            // In whichever form they are named.
            (None, Target::Function { name: one, .. }, Target::Function { name: other, .. }) => {
                let name = |text: &str| text.rsplit(':').next().map(str::to_owned);
                name(one) == name(other) && baseline.place == candidate.place
            }
            _ => false,
        }
    }
}

impl Variant {
    /// What Lambda asks for a call that is billed for so many milliseconds, in US dollars: with the memory that Lambda
    /// reports of it, else with that of the configuration.
    pub fn cost(&self, billed_ms: f64, reported_memory_mb: Option<u32>) -> f64 {
        let memory_mb = reported_memory_mb.unwrap_or_else(|| self.memory_mb());
        self.price.as_ref().map_or(0.0, |price| price.of_call(billed_ms, memory_mb, self.ephemeral_mb()))
    }

    /// Its memory in MiB, as configured; where Lambda does not say, what the project's own stack has.
    pub fn memory_mb(&self) -> u32 {
        self.configuration.as_ref().map_or(DEFAULT_MEMORY_MB, |it| it.memory_mb)
    }

    /// How long Lambda lets an invocation run, in seconds; where Lambda does not say, as long as it lets any.
    pub fn longest_s(&self) -> u32 {
        self.configuration.as_ref().map_or(LONGEST_TIMEOUT_S, |it| it.timeout_s)
    }

    /// Its ephemeral storage in MiB, as configured; where Lambda does not say, what is free.
    pub fn ephemeral_mb(&self) -> u32 {
        self.configuration.as_ref().map_or(FREE_EPHEMERAL_MB, |it| it.ephemeral_storage_mb)
    }
}

/// The longest timeout that a function can have, in seconds.
const LONGEST_TIMEOUT_S: u32 = 900;

/// What the project's own stack has, in MiB.
pub const DEFAULT_MEMORY_MB: u32 = 1769;

fn as_text<S: Serializer>(target: &Target, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(target)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

#[cfg(test)]
impl Manifest {
    /// Two calls of one function in each block, one of each side.
    pub(crate) fn example() -> Self {
        let variant = Variant {
            name: "x".to_owned(),
            target: "lambda:x".parse().unwrap(),
            place: None,
            configuration: None,
            price: None,
        };
        let cell = Cell { name: "a".to_owned(), weight: 1, workload: None, payload: "{}".to_owned(), guess_ms: 1.0 };
        Self {
            schema: SCHEMA,
            version: "0.1.0".to_owned(),
            created_unix_ms: 0,
            sides: Sides { baseline: variant.clone(), candidate: variant },
            plan: Plan {
                seed: 1,
                environments: 1,
                order: Order::SeparateSteps,
                separate_from: None,
                cold: false,
                concurrent: true,
                cells: vec![cell],
                pace_ms: 0,
                timeout_ms: 1000,
                auth: Auth::None,
                compare_output: false,
                tolerance: None,
                ignore: Vec::new(),
                environment: None,
                cpu_model: None,
                tenant: None,
                accept_status: Vec::new(),
                method: None,
                headers: Vec::new(),
                variables: Vec::new(),
            },
            limits: Limits { invocations: Some(10), ..Limits::default() },
        }
    }
}

/// A method as its name.
mod method {
    use super::{Deserialize, Deserializer, Method, Serializer, de};

    pub(super) fn serialize<S: Serializer>(method: &Option<Method>, serializer: S) -> Result<S::Ok, S::Error> {
        match method {
            Some(method) => serializer.serialize_str(method.as_str()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Method>, D::Error> {
        let name = Option::<String>::deserialize(deserializer)?;
        name.map(|name| name.parse().map_err(de::Error::custom)).transpose()
    }
}
