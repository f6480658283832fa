//! How a campaign tells which execution environment has answered a call.

use super::{
    Target,
    insights::LogGroup,
    manifest::{Manifest, Plan, Variant},
    region,
};
use serde_json::{Value, json};
use std::fmt;

/// What tells the environments of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentSource<'a> {
    /// The benchmark service names them in its answers.
    Answers,
    /// A JSON pointer leads to their names in answers.
    Pointer(&'a str),
    /// Each is a process on this machine.
    Process,
    /// Each call has one of its own.
    Cold,
    /// Each writes to a log stream of its own, which is read when the campaign has ended.
    LogStreams(FunctionLog),
    /// Nothing does.
    Unknown,
}

/// Where a function logs, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionLog {
    pub group: String,
    pub region: String,
    /// The account; `None` if it is that of the credentials.
    pub account: Option<String>,
    /// The format of Lambda's own lines; `None` if it is not known.
    pub format: Option<LogFormat>,
    /// Whether the log has Lambda's reports: the least level of Lambda's own lines may leave them out.
    pub has_reports: bool,
}

/// The format of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl<'a> EnvironmentSource<'a> {
    /// What tells the environments of `variant` in a campaign of `plan`.
    pub fn of(plan: &'a Plan, variant: &Variant) -> Self {
        if plan.cells.iter().all(|cell| cell.workload.is_some()) {
            return Self::Answers;
        }
        match (&plan.environment, &variant.target) {
            (Some(pointer), _) => Self::Pointer(pointer),
            (None, Target::Process { .. }) => Self::Process,
            (None, _) if plan.cold => Self::Cold,
            (None, Target::Function { name, .. }) => {
                FunctionLog::of(name, variant).map_or(Self::Unknown, Self::LogStreams)
            }
            (None, Target::Endpoint { .. } | Target::Import { .. }) => Self::Unknown,
        }
    }

    /// The log whose streams tell environments.
    pub fn log(self) -> Option<FunctionLog> {
        match self {
            Self::LogStreams(log) => Some(log),
            _ => None,
        }
    }
}

impl fmt::Display for EnvironmentSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers => f.write_str("answers name them"),
            Self::Pointer(pointer) => write!(f, "answers name them at {pointer}"),
            Self::Process => f.write_str("processes on this machine"),
            Self::Cold => f.write_str("each call has its own"),
            Self::LogStreams(log) => write!(f, "log streams of {log}, read at the end"),
            Self::Unknown => f.write_str("nothing tells them"),
        }
    }
}

impl FunctionLog {
    /// The log of the function `name`: as its configuration says, or else the one that Lambda makes by itself. `None` if
    /// no region is known.
    fn of(name: &str, variant: &Variant) -> Option<Self> {
        let configuration = variant.configuration.as_ref();
        let arn = configuration.and_then(|configuration| configuration.arn.as_deref()).unwrap_or(name);
        let configured = configuration.and_then(|configuration| configuration.log_group.clone());
        let group = configuration
            .and_then(LogGroup::from_configuration)
            .map(|log| log.group)
            .or(configured)
            .or_else(|| Some(format!("/aws/lambda/{}", name.rsplit(':').next()?)))?;
        let place = || variant.place.as_ref().and_then(|place| place.region.clone());
        let format = configuration.and_then(|configuration| configuration.log_format.as_deref());
        let level = configuration.and_then(|configuration| configuration.system_log_level.as_deref());
        Some(Self {
            group,
            region: region::of_arn(arn).map(str::to_owned).or_else(place)?,
            account: arn.split(':').find(|part| region::is_account(part)).map(str::to_owned),
            format: match format {
                Some("Text") => Some(LogFormat::Text),
                Some("JSON") => Some(LogFormat::Json),
                _ => None,
            },
            has_reports: level != Some("WARN"),
        })
    }

    /// Whether both are the same log group, which several functions may share.
    pub(super) fn is_same_group(&self, other: &Self) -> bool {
        (&self.group, &self.region, &self.account) == (&other.group, &other.region, &other.account)
    }

    /// Takes in another function that logs into the same group, perhaps in another format.
    pub(super) fn share_with(&mut self, other: &Self) {
        self.format = self.format.filter(|format| Some(*format) == other.format);
        self.has_reports &= other.has_reports;
    }

    /// The statement for the policy of those who are to read it.
    pub fn policy_statement(&self) -> Value {
        let Self { group, region, account, .. } = self;
        let (partition, account) = (region::partition(region), account.as_deref().unwrap_or("*"));
        let resource = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:*");
        json!({ "Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": resource })
    }
}

impl fmt::Display for FunctionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.group, self.region)
    }
}

/// Whether what should name environments changes with every call instead, though most calls, `warm` of them, met one that
/// had started before. Less than two rounds of the calls that are open at once prove nothing.
pub fn changes_with_every_call(calls: u64, names: u64, warm: u64, open_at_once: u64) -> bool {
    calls >= 2 * open_at_once && calls == names && 2 * warm > calls
}

/// How many calls are open at once of the variants whose environments are told by log streams.
pub(super) fn logged_at_once(manifest: &Manifest) -> u64 {
    let Manifest { plan, variants, .. } = manifest;
    let logged = variants.iter().filter(|(_, variant)| EnvironmentSource::of(plan, variant).log().is_some());
    logged.count() as u64 * u64::from(plan.environments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{configuration::Configuration, manifest::Place, variants::VariantIndex};

    /// A campaign with a payload of the user's own.
    fn plan() -> Plan {
        let mut plan = Manifest::example().plan;
        plan.cells.iter_mut().for_each(|cell| cell.workload = None);
        plan
    }

    fn variant(target: &str, configuration: Option<Value>) -> Variant {
        let mut variant = Manifest::example().variants[VariantIndex::default()].clone();
        variant.target = target.parse().unwrap();
        variant.place = Some(Place {
            region: Some("us-east-1".to_owned()),
            profile: None,
            is_profile_fixed: false,
            endpoint: None,
        });
        variant.configuration = configuration.map(|given| {
            let mut all = json!({
                "arn": null, "architecture": "x86_64", "memory_mb": 1769, "timeout_s": 30, "tracing": null,
                "runtime": null, "log_format": null, "ephemeral_storage_mb": 512, "layers": [],
            });
            all.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
            serde_json::from_value::<Configuration>(all).unwrap()
        });
        variant
    }

    fn said(plan: &Plan, target: &str) -> String {
        EnvironmentSource::of(plan, &variant(target, None)).to_string()
    }

    #[test]
    fn each_kind_of_target_has_its_source() {
        let plan = plan();
        assert_eq!(said(&plan, "lambda:f"), "log streams of /aws/lambda/f in us-east-1, read at the end");
        assert_eq!(said(&plan, "https://example.com/"), "nothing tells them");
        assert_eq!(said(&plan, "exec:f"), "processes on this machine");
        let cold = Plan { cold: true, ..plan.clone() };
        assert_eq!(said(&cold, "lambda:f"), "each call has its own");
        let named = Plan { environment: Some("/id".to_owned()), ..cold };
        for target in ["lambda:f", "https://example.com/", "exec:f"] {
            assert_eq!(said(&named, target), "answers name them at /id");
        }
        let mut service = plan;
        service.cells.iter_mut().for_each(|cell| cell.workload = Some("math/fft".to_owned()));
        assert_eq!(said(&service, "lambda:f"), "answers name them");
    }

    #[test]
    fn the_log_is_that_of_the_configuration_or_the_one_that_lambda_makes() {
        let log = |target: &str, configuration| {
            EnvironmentSource::of(&plan(), &variant(target, configuration)).log().unwrap()
        };
        let arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:fast:live";
        let own = log("lambda:fast:live", Some(json!({ "arn": arn, "log_format": "Text" })));
        let expected = FunctionLog {
            group: "/aws/lambda/fast".to_owned(),
            region: "cn-north-1".to_owned(),
            account: Some("123456789012".to_owned()),
            format: Some(LogFormat::Text),
            has_reports: true,
        };
        assert_eq!(own, expected);
        let statement = own.policy_statement();
        let resource = "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws/lambda/fast:*";
        assert_eq!(statement, json!({ "Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": resource }));
        let shared = json!({ "arn": arn, "log_format": "JSON", "log_group": "all", "system_log_level": "WARN" });
        let shared = log("lambda:fast", Some(shared));
        assert_eq!((shared.group.as_str(), shared.format, shared.has_reports), ("all", Some(LogFormat::Json), false));
        // Of functions whose configuration may not be read.
        for target in ["lambda:fast", "lambda:123456789012:function:fast"] {
            assert_eq!(log(target, None).to_string(), "/aws/lambda/fast in us-east-1");
        }
        let foreign = log("lambda:arn:aws:lambda:eu-west-1:123456789012:function:fast", None);
        assert_eq!((foreign.region.as_str(), foreign.account.as_deref()), ("eu-west-1", Some("123456789012")));
        let resource = &log("lambda:fast", None).policy_statement()["Resource"];
        assert_eq!(resource, "arn:aws:logs:us-east-1:*:log-group:/aws/lambda/fast:*");
    }

    #[test]
    fn names_that_change_with_every_call_are_none() {
        assert!(changes_with_every_call(32, 32, 24, 16));
        // Every call was a cold start.
        assert!(!changes_with_every_call(32, 32, 0, 16));
        assert!(!changes_with_every_call(32, 31, 32, 16));
        // The first calls of environments that were there before.
        assert!(!changes_with_every_call(16, 16, 16, 16));
    }
}
