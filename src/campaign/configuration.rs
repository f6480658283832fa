//! The configuration of a function, and the differences between two of them.

use super::{function_arn::FunctionArn, function_features::Feature};
use crate::protocol::Architecture;
use aws_sdk_lambda::{operation::get_function_configuration::GetFunctionConfigurationOutput, types};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, iter,
};

/// The variable whose change makes Lambda start new environments; no setting of the function's own.
pub const COLD_START_VARIABLE: &str = "LAMBDA_DUET_COLD";

/// The longest timeout that a function can have, in seconds.
pub const LONGEST_TIMEOUT_S: u32 = 900;

/// The text for a setting that is not known.
const UNKNOWN: &str = "unknown";

/// The settings that may affect a function's times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    pub arn: Option<String>,
    pub architecture: Architecture,
    /// The memory setting, in MiB.
    pub memory_mb: u32,
    /// How long an invocation may take, in seconds.
    pub timeout_s: u32,
    /// The runtime, such as `provided.al2023`; `None` for a container image.
    pub runtime: Option<String>,
    /// The format of its logs: `Text` or `JSON`.
    pub log_format: Option<String>,
    /// The log group; `None` for the one with the function's name.
    pub log_group: Option<String>,
    /// The least level of Lambda's own lines in a JSON log, such as `INFO`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_log_level: Option<String>,
    /// The size of `/tmp`, in MiB.
    pub ephemeral_storage_mb: u32,
    /// How invocations are traced: `Active` or `PassThrough`.
    pub tracing: Option<String>,
    /// The ARNs of its layers.
    pub layers: Vec<String>,
    /// The version: `$LATEST`, or the number of a published one.
    pub version: Option<String>,
    /// How its code is deployed: `Zip` or `Image`.
    pub package_type: Option<String>,
    /// The handler; for a container image its entry point, command and working directory, if the function overrides
    /// those of the image.
    pub handler: Option<String>,
    /// The subnets and security groups of its VPC; empty outside of one.
    pub vpc: Option<Vec<String>>,
    /// Whether environments are restored from snapshots: `PublishedVersions` or `None`.
    pub snap_start: Option<String>,
    /// The names of its environment variables, if they can be read; their values may be secret and are not stored.
    pub variables: Option<BTreeSet<String>>,
    /// The SHA-256 of its code.
    pub code_sha256: Option<String>,
    /// Lambda's id of this revision of the configuration.
    pub revision_id: Option<String>,
    /// Its special features.
    #[serde(default)]
    pub features: BTreeSet<Feature>,
    /// The values of its variables, for the comparison before the first call.
    #[serde(skip)]
    values: HiddenVariables,
}

/// Values that are neither shown nor stored.
#[derive(Clone, Default, PartialEq, Eq)]
struct HiddenVariables(BTreeMap<String, String>);

impl fmt::Debug for HiddenVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Configuration {
    pub(super) fn from_output(output: &GetFunctionConfigurationOutput) -> Self {
        let number = |value: Option<i32>, default| value.and_then(|value| value.try_into().ok()).unwrap_or(default);
        let architecture = architecture(output.architectures());
        let is_readable = output.environment().is_none_or(|environment| environment.error().is_none());
        let mut values =
            output.environment().and_then(types::EnvironmentResponse::variables).cloned().unwrap_or_default();
        values.remove(COLD_START_VARIABLE);
        let values: BTreeMap<String, String> = values.into_iter().collect();
        Self {
            arn: output.function_arn.clone(),
            architecture,
            // Lambda's own defaults.
            memory_mb: number(output.memory_size, 128),
            timeout_s: number(output.timeout, 3),
            runtime: output.runtime().map(|runtime| runtime.as_str().to_owned()),
            log_format: output.logging_config().and_then(|logging| Some(logging.log_format()?.as_str().to_owned())),
            log_group: output.logging_config().and_then(|logging| logging.log_group()).map(str::to_owned),
            system_log_level: output
                .logging_config()
                .and_then(|logging| Some(logging.system_log_level()?.as_str().to_owned())),
            ephemeral_storage_mb: number(output.ephemeral_storage().map(types::EphemeralStorage::size), 512),
            tracing: output.tracing_config().and_then(|tracing| Some(tracing.mode()?.as_str().to_owned())),
            layers: output.layers().iter().filter_map(|layer| layer.arn().map(str::to_owned)).collect(),
            version: output.version.clone(),
            package_type: output.package_type().map(|kind| kind.as_str().to_owned()),
            handler: handler(output),
            vpc: Some(vpc(output)),
            snap_start: output.snap_start().and_then(|snap_start| Some(snap_start.apply_on()?.as_str().to_owned())),
            variables: is_readable.then(|| values.keys().cloned().collect()),
            code_sha256: output.code_sha256.clone(),
            revision_id: output.revision_id.clone(),
            features: Feature::from_output(output),
            values: HiddenVariables(values),
        }
    }

    /// The differences besides the architecture, one sentence each.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = self.settings().into_iter().zip(other.settings()).filter(|(one, another)| one != another);
        let differences = pairs.map(|((name, one), (_, another))| format!("{name}: {one} against {another}"));
        differences.chain(self.different_variables(other)).collect()
    }

    /// The changes since the configuration `before`, one sentence each.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let architecture = ("architecture", self.architecture.to_string(), before.architecture.to_string());
        let names =
            |configuration: &Self| Some(list(&configuration.variables.as_ref()?.iter().cloned().collect::<Vec<_>>()));
        let known = [
            ("function", self.arn.clone(), before.arn.clone()),
            ("version", self.version.clone(), before.version.clone()),
            ("SHA-256 of the code", self.code_sha256.clone(), before.code_sha256.clone()),
            ("environment variables", names(self), names(before)),
        ];
        // A setting that was not known before has not changed.
        let known = known.into_iter().filter_map(|(name, now, then)| Some((name, now?, then?)));
        let settings = self.settings().into_iter().zip(before.settings());
        let settings =
            settings.map(|((name, now), (_, then))| (name, now, then)).filter(|(_, _, then)| then != UNKNOWN);
        let changed = iter::once(architecture).chain(settings).chain(known).filter(|(_, now, then)| now != then);
        changed.map(|(name, now, then)| format!("{name}: {now}, was {then}")).collect()
    }

    /// The function's ARN without a version or an alias, if it is known.
    pub fn unqualified_arn(&self) -> Option<&str> {
        Some(FunctionArn(self.arn.as_deref()?).unqualified())
    }

    /// Whether `before` is the configuration of another function: one in another account or region.
    pub fn is_of_another_function(&self, before: &Self) -> bool {
        self.arn.is_some() && before.arn.is_some() && self.arn != before.arn
    }

    /// Whether Lambda's revision differs. Only that shows a change of what is not stored, such as a variable's value.
    pub fn has_other_revision(&self, before: &Self) -> bool {
        self.revision_id.is_some() && before.revision_id.is_some() && self.revision_id != before.revision_id
    }

    /// The names of the variables that differ, in a sentence.
    fn different_variables(&self, other: &Self) -> Option<String> {
        let (own, others) = (self.variables.as_ref()?, other.variables.as_ref()?);
        let is_equal = |name: &str| self.values.0.get(name) == other.values.0.get(name);
        let is_common = |name: &str| own.contains(name) && others.contains(name);
        let names = own.union(others).map(String::as_str);
        let different: Vec<&str> = names.filter(|name| !is_common(name) || !is_equal(name)).collect();
        (!different.is_empty()).then(|| format!("environment variables: {}", different.join(", ")))
    }

    /// The settings that are compared, in words.
    fn settings(&self) -> [(&'static str, String); 11] {
        let text = |setting: &Option<String>| setting.clone().unwrap_or(UNKNOWN.to_owned());
        [
            ("memory", format!("{} MB", self.memory_mb)),
            ("timeout", format!("{} s", self.timeout_s)),
            ("ephemeral storage", format!("{} MB", self.ephemeral_storage_mb)),
            ("layers", list(&self.layers)),
            ("runtime", text(&self.runtime)),
            ("log format", text(&self.log_format)),
            ("tracing", text(&self.tracing)),
            ("package type", text(&self.package_type)),
            ("handler", text(&self.handler)),
            ("VPC", self.vpc.as_deref().map_or(UNKNOWN.to_owned(), list)),
            ("SnapStart", text(&self.snap_start)),
        ]
    }
}

/// The architecture of a function: Lambda's lists have one.
pub(super) fn architecture(names: &[types::Architecture]) -> Architecture {
    match names {
        [types::Architecture::Arm64, ..] => Architecture::Arm64,
        _ => Architecture::X86_64,
    }
}

fn list(texts: &[String]) -> String {
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn handler(output: &GetFunctionConfigurationOutput) -> Option<String> {
    let image = output.image_config_response().and_then(types::ImageConfigResponse::image_config);
    let of_image = image.map(|image| {
        let words = image.entry_point().iter().chain(image.command()).map(String::as_str);
        words.chain(image.working_directory()).collect::<Vec<_>>().join(" ")
    });
    output.handler.clone().or(of_image)
}

fn vpc(output: &GetFunctionConfigurationOutput) -> Vec<String> {
    let vpc = output.vpc_config().map(|vpc| vpc.subnet_ids().iter().chain(vpc.security_group_ids()));
    let mut ids: Vec<String> = vpc.into_iter().flatten().cloned().collect();
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As campaigns of earlier versions stored it.
    const SHORT: &str = r#"{"arn": null, "architecture": "x86_64", "memory_mb": 1769, "timeout_s": 30, "tracing": null,
        "runtime": "provided.al2023", "log_format": "JSON", "ephemeral_storage_mb": 512, "layers": []}"#;

    fn configuration() -> Configuration {
        Configuration {
            version: Some("$LATEST".to_owned()),
            code_sha256: Some("one".to_owned()),
            revision_id: Some("1".to_owned()),
            vpc: Some(Vec::new()),
            variables: Some(BTreeSet::new()),
            ..serde_json::from_str(SHORT).unwrap()
        }
    }

    fn with_variables(variables: &[(&str, &str)]) -> Configuration {
        let values: BTreeMap<_, _> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Configuration {
            variables: Some(values.keys().cloned().collect()),
            values: HiddenVariables(values),
            ..configuration()
        }
    }

    #[test]
    fn differences_are_named_except_the_architecture() {
        let one = configuration();
        let other = Configuration { architecture: Architecture::Arm64, arn: Some("arn".to_owned()), ..one.clone() };
        assert_eq!(one.differences(&other), [""; 0]);
        let other = Configuration { memory_mb: 512, log_format: Some("Text".to_owned()), ..other };
        assert_eq!(one.differences(&other), ["memory: 1769 MB against 512 MB", "log format: JSON against Text"]);
        let other = Configuration { vpc: Some(vec!["sg-1".to_owned(), "subnet-1".to_owned()]), ..one.clone() };
        assert_eq!(one.differences(&other), ["VPC: none against sg-1, subnet-1"]);
        let other =
            Configuration { handler: Some("a.b".to_owned()), snap_start: Some("None".to_owned()), ..one.clone() };
        assert_eq!(one.differences(&other), ["handler: unknown against a.b", "SnapStart: unknown against None"]);
    }

    #[test]
    fn differing_variables_are_named_without_their_values() {
        let one = with_variables(&[("SAME", "hunter1"), ("OTHER", "hunter2"), ("MINE", "")]);
        let other = with_variables(&[("SAME", "hunter1"), ("OTHER", "hunter3"), ("YOURS", "")]);
        assert_eq!(one.differences(&other), ["environment variables: MINE, OTHER, YOURS"]);
        for text in [format!("{one:?}"), serde_json::to_string(&one).unwrap()] {
            assert!(text.contains("OTHER") && !text.contains("hunter"), "{text}");
        }
    }

    #[test]
    fn changes_are_named_with_both_values() {
        let before = configuration();
        assert_eq!(before.changes_since(&before), [""; 0]);
        let now = Configuration {
            architecture: Architecture::Arm64,
            memory_mb: 512,
            code_sha256: Some("two".to_owned()),
            revision_id: Some("2".to_owned()),
            ..before.clone()
        };
        let expected =
            ["architecture: arm64, was x86_64", "memory: 512 MB, was 1769 MB", "SHA-256 of the code: two, was one"];
        assert_eq!(now.changes_since(&before), expected);
        let now = with_variables(&[("NEW", "hunter2")]);
        assert_eq!(now.changes_since(&before), ["environment variables: NEW, was none"]);
        let of_account = |account| Configuration {
            arn: Some(format!("arn:aws:lambda:us-east-1:{account}:function:x")),
            ..before.clone()
        };
        let elsewhere = of_account("222222222222").changes_since(&of_account("111111111111"));
        assert!(elsewhere.len() == 1 && elsewhere[0].starts_with("function: arn:aws:lambda:us-east-1:2222"));
        assert_eq!(of_account("222222222222").changes_since(&before), [""; 0]);
        // A value shows in the revision alone.
        let (before, now) = (with_variables(&[("A", "1")]), with_variables(&[("A", "2")]));
        let now = Configuration { revision_id: Some("2".to_owned()), ..now };
        assert!(now.changes_since(&before).is_empty() && now.has_other_revision(&before));
        assert!(!before.has_other_revision(&before));
    }

    #[test]
    fn settings_unknown_before_have_not_changed() {
        let before: Configuration = serde_json::from_str(SHORT).unwrap();
        let now = Configuration { handler: Some("a.b".to_owned()), ..with_variables(&[("NEW", "")]) };
        assert_eq!(now.changes_since(&before), [""; 0]);
        assert!(!now.has_other_revision(&before));
    }
}
