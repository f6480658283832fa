//! The description of a campaign, as `campaign.json` stores it.

use super::{
    Auth, Target,
    accepted_status::AcceptedStatus,
    census::PlannedCensus,
    configuration::Configuration,
    hooks::Hooks,
    import::Import,
    prices::{FREE_EPHEMERAL_MB, Price},
    program::Program,
    region,
    trial::Trial,
    unix_ms,
    variants::{VariantIndex, Variants},
};
use hyper::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, ops::Not};

/// The version of the run directory's format; it grows when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 2;

/// A campaign, complete enough to be continued and analyzed later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format that the file has, [`SCHEMA`] or an earlier one.
    pub schema: u32,
    /// The version of Lambda Duet that created it.
    pub version: String,
    /// When it was created, in milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: u64,
    /// The variants that are compared.
    pub variants: Variants<Variant>,
    /// The variant that all others are compared with.
    pub baseline: VariantIndex,
    /// The calls of a block and their order.
    pub plan: Plan,
    /// When it ends.
    pub limits: CampaignLimits,
    /// Where its measurements are from, if this program has not made the calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Import>,
    /// The function whose clones the variants are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
}

/// A manifest of schema 1: its campaigns had two sides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestOfSides {
    schema: u32,
    version: String,
    created_unix_ms: u64,
    sides: BothSides,
    plan: Plan,
    limits: CampaignLimits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BothSides {
    baseline: Variant,
    candidate: Variant,
}

/// One of the variants that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// A short display name, unique in the campaign.
    pub name: String,
    /// What is called.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub target: Target,
    /// Where it is called; `None` for processes on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Its configuration, if it is a function whose configuration can be read.
    pub configuration: Option<Configuration>,
    /// Its program, if it is a process on this machine; `None` in campaigns of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// Lambda's price for it; `None` for processes on this machine and functions that are billed by instances.
    pub price: Option<Price>,
    /// When its calls ended, if that was before the campaign's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// The end of a variant's calls, while the campaign goes on with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// The block of the first step without it.
    pub block: u64,
    /// That step.
    pub step: u32,
    pub reason: EndReason,
}

impl Ended {
    /// The first block that lacks it from the beginning, or the one in which it was given up; counted from 1, as people do.
    pub fn first_block_without(&self) -> u64 {
        let is_cut_short = self.reason == EndReason::NarrowInterval && self.step > 0;
        self.block + 1 + u64::from(is_cut_short)
    }
}

/// Why a variant is not called any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// Nothing but failures came.
    GivenUp,
    /// Its interval is narrow enough ([`CampaignLimits::until_ci`]).
    NarrowInterval,
}

/// The place where a variant is called, and the profile that is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The region that calls are signed for, or that of an endpoint without signatures; `None` if unknown.
    pub region: Option<String>,
    /// The profile of the AWS configuration files, if one was named.
    pub profile: Option<String>,
    /// Whether samconfig names that profile: its credentials then take precedence over those of the environment.
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

/// The schedule and the options of calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The seed of the order of every block.
    pub seed: u64,
    /// How many environments of each variant are called.
    pub environments: u32,
    /// Which calls are made at the same time.
    #[serde(default)]
    pub order: Order,
    /// The first block with separate steps, if there was not enough concurrency for joint ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separate_from: Option<u64>,
    /// Whether every call is a cold start.
    pub cold: bool,
    /// Whether the calls of a step are concurrent; on one machine they would compete for its processors.
    pub concurrent: bool,
    /// The payloads, each with its weight.
    pub cells: Vec<Cell>,
    /// The minimum time from the start of one block to the start of the next, in milliseconds.
    pub pace_ms: u64,
    /// How long a call may take, in milliseconds.
    pub timeout_ms: u64,
    /// The authentication of requests to HTTP endpoints.
    pub auth: Auth,
    /// Whether all answers to a cell must be equal.
    pub compare_output: bool,
    /// The largest relative difference between numbers in answers; `None` if they must be equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// JSON pointers to parts of answers that are not compared.
    pub ignore: Vec<String>,
    /// The JSON pointer to the environment's id in answers of the user's own function.
    pub environment: Option<String>,
    /// The JSON pointer to the processor's model in answers of the user's own function.
    pub cpu_model: Option<String>,
    /// The tenant for which functions with tenant isolation are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Further statuses that count as success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept_status: Vec<AcceptedStatus>,
    /// The method of requests to HTTP endpoints; `None` for POST.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "method")]
    pub method: Option<Method>,
    /// The names of further headers of requests to HTTP endpoints; their values may be secret and are not stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The names of environment variables for processes on this machine; their values may be secret and are not stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// What is run before and after every block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Hooks>,
    /// The census of CPUs that the campaign takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub census: Option<PlannedCensus>,
}

/// Which calls are made at the same time. Disturbances at any time must affect all variants alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// A step calls one variant with one cell. This needs the least concurrency; campaigns of earlier versions have it.
    #[default]
    SeparateSteps,
    /// A step calls all variants with one cell.
    JointSteps,
    /// A step is one call.
    SingleCalls,
}

/// A payload that all variants get in every block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Its name, unique in the campaign.
    pub name: String,
    /// How many times a block sends it to each environment.
    pub weight: u32,
    /// The workload, if the payload is a request to the benchmark service.
    pub workload: Option<String>,
    /// What is sent, byte for byte.
    pub payload: String,
    /// A guess at the billed duration of one call, in milliseconds.
    pub guess_ms: f64,
}

/// The upper bound of [`CampaignLimits::until_ci`]: an interval of ±50% says next to nothing.
pub const MAX_HALF_WIDTH: f64 = 0.5;

/// The most environments of a variant that a block may call.
pub const MAX_ENVIRONMENTS: u32 = 1000;

/// The limits of a campaign, which ends at the first that it reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignLimits {
    /// The duration, in milliseconds, without pauses between two starts of the program.
    pub duration_ms: Option<u64>,
    /// The calls of all variants together; only whole blocks are begun.
    pub invocations: Option<u64>,
    /// The estimated bill, in US dollars.
    pub max_cost_usd: Option<f64>,
    /// The half-width of sufficiently narrow intervals, as a share of the estimate: 0.02 for ±2%.
    pub until_ci: Option<f64>,
}

impl Plan {
    /// The order of a block, if steps are separate from the block `separate_from` on.
    pub fn order_of(&self, block: u64, separate_from: Option<u64>) -> Order {
        if separate_from.is_some_and(|from| block >= from) { Order::SeparateSteps } else { self.order }
    }

    /// Whether functions are changed so that new environments start.
    pub fn forces_cold_starts(&self) -> bool {
        self.cold || self.census.is_some()
    }

    /// How many calls of each variant a block makes.
    pub fn calls_of_variant(&self) -> u64 {
        let to_an_environment: u64 = self.cells.iter().map(|cell| u64::from(cell.weight)).sum();
        u64::from(self.environments) * to_an_environment
    }
}

impl Manifest {
    /// A new campaign of this version.
    pub fn new(variants: Variants<Variant>, baseline: VariantIndex, plan: Plan, limits: CampaignLimits) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let created_unix_ms = unix_ms();
        Self { schema: SCHEMA, version, created_unix_ms, variants, baseline, plan, limits, imported: None, trial: None }
    }

    /// Reads a manifest of this schema or of an earlier one.
    ///
    /// # Errors
    /// When it is not one.
    pub fn read(text: &[u8], schema: u64) -> serde_json::Result<Self> {
        if schema == u64::from(SCHEMA) {
            let mut manifest: Self = serde_json::from_slice(text)?;
            manifest.name_by_target();
            return Ok(manifest);
        }
        let ManifestOfSides { schema, version, created_unix_ms, sides, plan, limits } = serde_json::from_slice(text)?;
        let BothSides { mut baseline, mut candidate } = sides;
        if baseline.name == candidate.name {
            [baseline.name, candidate.name] = ["baseline", "candidate"].map(str::to_owned);
        }
        let variants = Variants::from_iter([baseline, candidate]);
        let baseline = VariantIndex::default();
        Ok(Self { schema, version, created_unix_ms, variants, baseline, plan, limits, imported: None, trial: None })
    }

    /// Names the variant without a name, if there is one, by its target: an earlier version left one of three or more
    /// without. No other variant has that name, as names that users give have no colon. Several without a name are damage.
    fn name_by_target(&mut self) {
        let mut unnamed = self.variants.iter_mut().filter(|(_, variant)| variant.name.is_empty());
        if let (Some((_, variant)), None) = (unnamed.next(), unnamed.next()) {
            variant.name = variant.target.to_string();
        }
    }

    /// All variants but the baseline.
    pub fn candidates(&self) -> impl Iterator<Item = VariantIndex> + use<> {
        let baseline = self.baseline;
        self.variants.indices().filter(move |variant| *variant != baseline)
    }

    /// How many calls a block of all variants makes.
    pub fn calls_of_block(&self) -> u64 {
        self.variants.count() as u64 * self.plan.calls_of_variant()
    }

    /// How many calls are made at the same time, at most.
    pub fn most_concurrent_calls(&self) -> u64 {
        let of_variant = u64::from(self.plan.environments);
        match self.plan.order {
            Order::SingleCalls => 1,
            Order::SeparateSteps => of_variant,
            Order::JointSteps => self.variants.count() as u64 * of_variant,
        }
    }

    /// A guess at the bill of one block of all variants, in US dollars.
    pub fn guessed_cost(&self) -> f64 {
        self.variants.iter().map(|(_, variant)| self.guessed_cost_of(variant)).sum()
    }

    /// A guess at the bill of one variant's calls in a block, in US dollars.
    pub fn guessed_cost_of(&self, variant: &Variant) -> f64 {
        let call = |cell: &Cell| variant.cost(cell.guess_ms, None) * f64::from(cell.weight);
        f64::from(self.plan.environments) * self.plan.cells.iter().map(call).sum::<f64>()
    }

    /// Whether another variant is the same function as this one, perhaps in another version: these share its reserved
    /// concurrency.
    pub fn shares_function(&self, variant: VariantIndex) -> bool {
        self.variants.indices().any(|other| other != variant && self.is_one_function(variant, other))
    }

    /// The first variant that is the same function as this one, perhaps in another version.
    pub fn first_of_function(&self, variant: VariantIndex) -> VariantIndex {
        self.variants.indices().find(|other| self.is_one_function(*other, variant)).unwrap_or(variant)
    }

    fn is_one_function(&self, one: VariantIndex, other: VariantIndex) -> bool {
        let (one, other) = (&self.variants[one], &self.variants[other]);
        let arn = |variant: &Variant| variant.configuration.as_ref()?.unqualified_arn().map(str::to_owned);
        match (arn(one).zip(arn(other)), &one.target, &other.target) {
            (Some((arn, other_arn)), ..) => arn == other_arn,
            // They may be named in different forms.
            (None, Target::Function { name, .. }, Target::Function { name: other_name, .. }) => {
                let last = |name: &str| name.rsplit(':').next().map(str::to_owned);
                last(name) == last(other_name) && one.place == other.place
            }
            _ => false,
        }
    }
}

impl Variant {
    /// The price of a call that is billed for `billed_ms`, in US dollars, with the reported memory or else the
    /// configured one.
    pub fn cost(&self, billed_ms: f64, reported_memory_mb: Option<u32>) -> f64 {
        let memory_mb = reported_memory_mb.unwrap_or_else(|| self.memory_mb());
        self.price.as_ref().map_or(0.0, |price| price.of_call(billed_ms, memory_mb, self.ephemeral_mb()))
    }

    /// Its configured memory in MiB; that of the project's own stack if unknown.
    pub fn memory_mb(&self) -> u32 {
        self.configuration.as_ref().map_or(DEFAULT_MEMORY_MB, |it| it.memory_mb)
    }

    /// Its configured ephemeral storage in MiB; the free storage if unknown.
    pub fn ephemeral_mb(&self) -> u32 {
        self.configuration.as_ref().map_or(FREE_EPHEMERAL_MB, |it| it.ephemeral_storage_mb)
    }
}

/// The memory of the functions in the project's own stack, in MiB.
pub const DEFAULT_MEMORY_MB: u32 = 1769;

fn as_text<S: Serializer>(target: &Target, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(target)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
    Target::from_file(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
impl Manifest {
    /// Two calls of one function in each block, one as each of two variants.
    pub(crate) fn example() -> Self {
        let variant = Variant {
            name: "x".to_owned(),
            target: "lambda:x".parse().unwrap(),
            place: None,
            configuration: None,
            program: None,
            price: None,
            ended: None,
        };
        let cell = Cell { name: "a".to_owned(), weight: 1, workload: None, payload: "{}".to_owned(), guess_ms: 1.0 };
        Self {
            schema: SCHEMA,
            version: "0.1.0".to_owned(),
            created_unix_ms: 0,
            variants: Variants::from_iter([variant.clone(), Variant { name: "y".to_owned(), ..variant }]),
            baseline: VariantIndex::default(),
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
                hooks: None,
                census: None,
            },
            limits: CampaignLimits { invocations: Some(10), ..CampaignLimits::default() },
            imported: None,
            trial: None,
        }
    }
}

/// A method as its name.
mod method {
    use super::{Deserialize, Deserializer, Method, Serialize, Serializer, de};

    pub(super) fn serialize<S: Serializer>(method: &Option<Method>, serializer: S) -> Result<S::Ok, S::Error> {
        method.as_ref().map(Method::as_str).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Method>, D::Error> {
        let name = Option::<String>::deserialize(deserializer)?;
        name.map(|name| name.parse().map_err(de::Error::custom)).transpose()
    }
}
