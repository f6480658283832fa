//! The description of a census, as `census.json` stores it.

use crate::{
    campaign::{
        LAST_UNIX_MS,
        accepted_status::AcceptedStatus,
        manifest::Variant,
        run_directory::checks,
        unix_ms,
        variants::{MAX_VARIANTS, VariantIndex, Variants},
    },
    protocol::CensusRequest,
};
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The version of the format of `census.json` and `census.jsonl`; it grows when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// The most environments of a variant that are counted.
pub const MAX_CENSUS: u32 = 100_000;

/// The most calls of a round: a function gains concurrency for 1,000 calls in ten seconds, and a process may have 1,024 files
/// open, connections included, where nobody has raised that.
pub const MAX_ROUND: u32 = 900;

/// What a call is billed besides its hold, by a guess, in milliseconds.
const GUESS_MS: f64 = 100.0;

/// A census, complete enough to be continued later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CensusManifest {
    /// The version of the format, [`SCHEMA`].
    pub schema: u32,
    /// The version of Lambda Duet that began it.
    pub version: String,
    /// When it was begun, in milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: u64,
    /// The variants whose environments are counted, with their regions and architectures.
    pub variants: Variants<Variant>,
    pub plan: CensusPlan,
}

/// What is called, how often, and when that ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CensusPlan {
    /// The seed of the order of variants in every round.
    pub seed: u64,
    /// How many environments of each variant are to be counted.
    pub environments: u32,
    pub call: CensusCall,
    /// The most calls of a round, if the user has set it.
    pub concurrency: Option<u32>,
    /// The most that all calls together may cost, in US dollars, as estimated.
    pub max_cost_usd: f64,
    /// How long a call may take, in milliseconds.
    pub timeout_ms: u64,
}

/// What is sent, and what tells environments and CPU models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CensusCall {
    /// A census request to the benchmark service, which names both.
    Service { hold_ms: u32 },
    /// A payload for a function of the user's own, and JSON pointers to both in its answers.
    Own { payload: String, environment: String, cpu_model: String },
    /// A payload for clones with a probe, which writes the CPU of each environment that starts into the log of the call that
    /// has started it. Where answers name one of both too, by pointers, that takes precedence. Only campaigns take such a
    /// census, whose plan has all of it.
    #[serde(skip)]
    Probe {
        payload: String,
        environment: Option<String>,
        cpu_model: Option<String>,
        accept_status: Vec<AcceptedStatus>,
    },
}

impl CensusCall {
    pub(super) fn payload(&self) -> Bytes {
        match self {
            Self::Service { hold_ms } => {
                let request = CensusRequest { hold_ms: *hold_ms, emit_metrics: false };
                serde_json::to_vec(&request).expect("plain data serializes").into()
            }
            Self::Own { payload, .. } | Self::Probe { payload, .. } => payload.clone().into(),
        }
    }

    /// A guess at the billed duration of one call, in milliseconds.
    fn guess_ms(&self) -> f64 {
        match self {
            Self::Service { hold_ms } => f64::from(*hold_ms) + GUESS_MS,
            Self::Own { .. } | Self::Probe { .. } => GUESS_MS,
        }
    }
}

impl CensusPlan {
    /// The most calls of a round where the function may have so many at the same time: half of them, so that nobody else
    /// is throttled.
    pub fn most_of_round(&self, free: u32) -> u32 {
        self.concurrency.unwrap_or(free / 2).clamp(1, MAX_ROUND)
    }

    /// A guess at the bill of one call, in US dollars.
    pub fn guessed_cost(&self, variant: &Variant) -> f64 {
        variant.cost(self.call.guess_ms(), None)
    }
}

impl CensusManifest {
    /// A new census of this version.
    pub fn new(variants: Variants<Variant>, plan: CensusPlan) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { schema: SCHEMA, version, created_unix_ms: unix_ms(), variants, plan }
    }

    /// A guess at the bill of a call for each environment that is to be counted, in US dollars.
    pub fn guessed_cost(&self) -> f64 {
        let calls = f64::from(self.plan.environments);
        self.variants.iter().map(|(_, variant)| calls * self.plan.guessed_cost(variant)).sum()
    }

    /// Checks a manifest, which may have been edited.
    ///
    /// # Errors
    /// The field, its value, and what is allowed.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { schema, created_unix_ms, variants, plan, .. } = self;
        if *schema != SCHEMA {
            return Err(format!("schema is {schema}; this version reads {SCHEMA}"));
        }
        checks::at_most("created_unix_ms", *created_unix_ms, LAST_UNIX_MS)?;
        if !(1..=MAX_VARIANTS).contains(&variants.count()) {
            return Err(format!("variants has {} entries; it must have from 1 to {MAX_VARIANTS}", variants.count()));
        }
        let mut names = BTreeSet::new();
        for (index, variant) in variants.iter() {
            checks::variant(variant).map_err(|reason| format!("variants[{index}].{reason}"))?;
            if !names.insert(&variant.name) {
                return Err(format!("variants[{index}].name is {:?} a second time", variant.name));
            }
        }
        checks::within("plan.environments", plan.environments, MAX_CENSUS)?;
        checks::within("plan.concurrency", plan.concurrency.unwrap_or(1), MAX_ROUND)?;
        checks::number("plan.max_cost_usd", plan.max_cost_usd, checks::MAX_USD)?;
        checks::at_most("plan.timeout_ms", plan.timeout_ms, checks::YEAR_MS)?;
        match &plan.call {
            CensusCall::Service { hold_ms } => {
                checks::at_most("plan.call.hold_ms", (*hold_ms).into(), CensusRequest::MAX_HOLD_MS.into())
            }
            CensusCall::Own { environment, cpu_model, .. } => {
                checks::name("plan.call.environment", environment.as_str())?;
                checks::name("plan.call.cpu_model", cpu_model.as_str())
            }
            CensusCall::Probe { .. } => Ok(()),
        }
    }

    /// Whether there is another variant of the same function.
    pub fn repeated_function(&self) -> Option<VariantIndex> {
        let mut seen = BTreeSet::new();
        let function = |variant: &Variant| {
            let arn = variant.configuration.as_ref().and_then(|it| it.unqualified_arn().map(str::to_owned));
            arn.unwrap_or_else(|| variant.target.to_string())
        };
        self.variants.iter().find(|(_, variant)| !seen.insert(function(variant))).map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::manifest::Manifest;

    fn example() -> CensusManifest {
        let plan = CensusPlan {
            seed: 1,
            environments: 10,
            call: CensusCall::Service { hold_ms: 1500 },
            concurrency: None,
            max_cost_usd: 1.0,
            timeout_ms: 1000,
        };
        CensusManifest::new(Manifest::example().variants, plan)
    }

    #[test]
    fn a_round_takes_half_of_what_is_free() {
        let plan = example().plan;
        assert_eq!([1000, 11, 1, 0, 5000].map(|free| plan.most_of_round(free)), [500, 5, 1, 1, 900]);
        let by_hand = CensusPlan { concurrency: Some(7), ..plan };
        assert_eq!(by_hand.most_of_round(1000), 7);
    }

    #[test]
    fn the_service_is_asked_to_hold_and_to_send_no_metrics() {
        let payload = CensusCall::Service { hold_ms: 1500 }.payload();
        assert_eq!(payload, r#"{"hold_ms":1500,"emit_metrics":false}"#);
    }

    #[test]
    fn what_was_edited_is_checked() {
        let example = example();
        assert_eq!(example.check(), Ok(()));
        let edited = |edit: fn(&mut CensusManifest)| {
            let mut manifest = example.clone();
            edit(&mut manifest);
            manifest.check().unwrap_err()
        };
        assert!(edited(|manifest| manifest.schema = 2).contains("this version reads 1"));
        assert!(edited(|manifest| manifest.variants = Variants::from_iter([])).contains("from 1 to 64"));
        assert!(edited(|manifest| manifest.plan.environments = 0).contains("plan.environments"));
        assert!(edited(|manifest| manifest.plan.max_cost_usd = -1.0).contains("plan.max_cost_usd"));
        assert!(edited(|manifest| manifest.plan.concurrency = Some(1001)).contains("plan.concurrency"));
        let long = edited(|manifest| manifest.plan.call = CensusCall::Service { hold_ms: 60_001 });
        assert!(long.contains("plan.call.hold_ms is 60001"), "{long}");
    }

    #[test]
    fn one_function_is_not_counted_twice() {
        assert_eq!(example().repeated_function(), Some(VariantIndex::both()[1]));
        let mut other = example();
        other.variants[VariantIndex::both()[1]].target = "lambda:y".parse().unwrap();
        assert_eq!(other.repeated_function(), None);
    }
}
