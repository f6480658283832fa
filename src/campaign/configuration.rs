//! How Lambda has configured a function, and what sets two functions apart.

use crate::protocol::Architecture;
use aws_sdk_lambda::{operation::get_function_configuration::GetFunctionConfigurationOutput, types};
use serde::{Deserialize, Serialize};

/// The settings that may move a function's times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The function's ARN.
    pub arn: Option<String>,
    /// The instruction set.
    pub architecture: Architecture,
    /// The memory setting, in MiB.
    pub memory_mb: u32,
    /// How long an invocation may take, in seconds.
    pub timeout_s: u32,
    /// The runtime, such as `provided.al2023`; none for a container image.
    pub runtime: Option<String>,
    /// The format of its logs: `Text` or `JSON`.
    pub log_format: Option<String>,
    /// The size of `/tmp`, in MiB.
    pub ephemeral_storage_mb: u32,
    /// How invocations are traced: `Active` or `PassThrough`.
    pub tracing: Option<String>,
    /// The ARNs of its layers.
    pub layers: Vec<String>,
}

impl Configuration {
    pub(super) fn of(output: &GetFunctionConfigurationOutput) -> Self {
        let number = |value: Option<i32>, default| value.and_then(|it| it.try_into().ok()).unwrap_or(default);
        let architecture = match output.architectures() {
            [types::Architecture::Arm64, ..] => Architecture::Arm64,
            _ => Architecture::X86_64,
        };
        Self {
            arn: output.function_arn.clone(),
            architecture,
            // Lambda's own defaults.
            memory_mb: number(output.memory_size, 128),
            timeout_s: number(output.timeout, 3),
            runtime: output.runtime().map(|it| it.as_str().to_owned()),
            log_format: output.logging_config().and_then(|it| Some(it.log_format()?.as_str().to_owned())),
            ephemeral_storage_mb: number(output.ephemeral_storage().map(types::EphemeralStorage::size), 512),
            tracing: output.tracing_config().and_then(|it| Some(it.mode()?.as_str().to_owned())),
            layers: output.layers().iter().filter_map(|it| it.arn().map(str::to_owned)).collect(),
        }
    }

    /// Whether both have the same memory, without which times say nothing about the architecture.
    pub fn has_memory_of(&self, other: &Self) -> bool {
        self.memory_mb == other.memory_mb
    }

    /// What differs besides the architecture, one sentence each.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let layers = |it: &Self| if it.layers.is_empty() { "none".to_owned() } else { it.layers.join(", ") };
        let text = |it: &Option<String>| it.clone().unwrap_or("unknown".to_owned());
        let settings = |it: &Self| {
            [
                ("memory", format!("{} MB", it.memory_mb)),
                ("timeout", format!("{} s", it.timeout_s)),
                ("ephemeral storage", format!("{} MB", it.ephemeral_storage_mb)),
                ("layers", layers(it)),
                ("runtime", text(&it.runtime)),
                ("log format", text(&it.log_format)),
                ("tracing", text(&it.tracing)),
            ]
        };
        let pairs = settings(self).into_iter().zip(settings(other));
        pairs
            .filter(|(one, another)| one != another)
            .map(|((name, one), (_, another))| format!("{name}: {one} against {another}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_the_architecture_is_not() {
        let one = Configuration {
            arn: None,
            architecture: Architecture::X86_64,
            memory_mb: 1769,
            timeout_s: 30,
            runtime: Some("provided.al2023".to_owned()),
            log_format: Some("JSON".to_owned()),
            ephemeral_storage_mb: 512,
            tracing: None,
            layers: Vec::new(),
        };
        let other = Configuration { architecture: Architecture::Arm64, arn: Some("arn".to_owned()), ..one.clone() };
        assert_eq!(one.differences(&other), [""; 0]);
        let other = Configuration { memory_mb: 512, log_format: Some("Text".to_owned()), ..other };
        assert_eq!(one.differences(&other), ["memory: 1769 MB against 512 MB", "log format: JSON against Text"]);
        assert!(!one.has_memory_of(&other));
    }
}
