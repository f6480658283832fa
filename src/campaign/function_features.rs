//! Special features of functions, and their consequences for a campaign.

use aws_sdk_lambda::{
    operation::get_function_configuration::GetFunctionConfigurationOutput,
    types::{PackageType, SnapStartApplyOn, SnapStartResponse},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A feature that sets a function apart from an ordinary one, as its configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// It runs on Lambda Managed Instances: EC2 instances of the account.
    ManagedInstances,
    /// Its executions are durable: they extend over several invocations.
    DurableExecution,
    /// Each tenant has its own execution environments.
    TenantIsolation,
    /// Published versions start from a snapshot.
    SnapStart,
    /// Its code is a container image.
    ContainerImage,
    /// It is a replica that Lambda@Edge has made of another function.
    EdgeReplica,
}

/// How a campaign uses a function.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// Whether it forces cold starts.
    pub cold: bool,
    /// The tenant for which calls are made.
    pub tenant: Option<&'a str>,
    /// Whether a published version is called.
    pub is_published: bool,
}

/// The consequence of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    None,
    /// The function is measured, with this warning.
    Warning(&'static str),
    /// The function cannot be measured, for this reason.
    Refusal(&'static str),
}

impl Feature {
    pub(super) fn from_output(output: &GetFunctionConfigurationOutput) -> BTreeSet<Self> {
        let snap_start = output.snap_start().and_then(SnapStartResponse::apply_on);
        [
            (Self::ManagedInstances, output.capacity_provider_config().is_some()),
            (Self::DurableExecution, output.durable_config().is_some()),
            (Self::TenantIsolation, output.tenancy_config().is_some()),
            (Self::SnapStart, snap_start == Some(&SnapStartApplyOn::PublishedVersions)),
            (Self::ContainerImage, output.package_type() == Some(&PackageType::Image)),
            (Self::EdgeReplica, output.master_arn().is_some()),
        ]
        .into_iter()
        .filter_map(|(feature, has_it)| has_it.then_some(feature))
        .collect()
    }

    /// The consequence of the feature for a campaign.
    pub fn consequence(self, call: Use<'_>) -> Consequence {
        match self {
            Self::ManagedInstances if call.cold => Consequence::Refusal(
                "it runs on Managed Instances, whose environments are started before they are called: leave out --cold or \
                 --census",
            ),
            Self::ManagedInstances => Consequence::Warning(
                "it runs on Managed Instances: Lambda bills the instances and not the duration, so there is no bill, and \
                 --max-cost does not count it; several calls may share an environment at the same time",
            ),
            Self::DurableExecution => Consequence::Refusal(
                "its executions are durable: one may take several invocations, of which Lambda reports the last alone; \
                 compare functions without durable execution that do the same work",
            ),
            Self::TenantIsolation if call.tenant.is_none() => Consequence::Refusal(
                "it isolates tenants, so that every call is made for one: name it with --tenant ID",
            ),
            Self::TenantIsolation => Consequence::Warning(
                "it isolates tenants: what Lambda asks for each environment that a tenant gets is not on the bill",
            ),
            Self::SnapStart if call.is_published => Consequence::Warning(
                "it starts from a snapshot (SnapStart): what Lambda asks for keeping snapshots is not on the bill",
            ),
            Self::SnapStart => Consequence::Warning(
                "SnapStart is for published versions alone: $LATEST, which is called here, starts without it; name a \
                 version to compare restored starts",
            ),
            Self::ContainerImage => Consequence::None,
            Self::EdgeReplica => Consequence::Refusal(
                "it is a replica of Lambda@Edge, which CloudFront alone calls; name the function it was made of",
            ),
        }
    }
}
