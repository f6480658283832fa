//! Finding clones that no list names: those of run directories that are gone, or on another machine.

use super::{CampaignId, CloneName, PREFIX, Remover, Resource, arn_beside, tags::Tags};
use crate::campaign::{
    aws::{Lambda, Session},
    caller::classify::failure,
    cloudwatch_logs::{self, Refusal},
    pauses,
    row::{Failure, FailureKind},
};
use aws_sdk_lambda::types::LayersListItem;
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

/// What there is of a campaign.
#[derive(Clone, Debug)]
pub enum Leftover {
    /// A clone, with the ARN of the function.
    Clone(CloneName, String),
    /// The log group of a clone that is not there.
    LogGroup(CloneName),
    /// A layer with a probe.
    Probe(CampaignId),
}

impl Leftover {
    pub fn campaign(&self) -> &CampaignId {
        match self {
            Self::Clone(name, _) | Self::LogGroup(name) => &name.campaign,
            Self::Probe(campaign) => campaign,
        }
    }

    pub fn name(&self) -> String {
        match self {
            Self::Clone(name, _) | Self::LogGroup(name) => name.to_string(),
            Self::Probe(campaign) => Resource::Probe(campaign.clone()).to_string(),
        }
    }

    /// What it is, in a list of what is deleted.
    pub fn text(&self) -> String {
        match self {
            Self::Clone(_, arn) => format!("{arn}, and its log group"),
            Self::LogGroup(name) => format!("{}, a log group", name.log_group()),
            Self::Probe(campaign) => Resource::Probe(campaign.clone()).text(),
        }
    }
}

/// What campaigns have left in a region, without what one may still need.
///
/// # Errors
/// When functions, layers or log groups cannot be listed.
pub async fn find(session: &Session, within: Duration) -> Result<Vec<Leftover>, Failure> {
    let remover = Remover::new(session, within).await?;
    // Before the functions: the log group of a clone that is called for the first time meanwhile is not left over.
    let groups = log_groups(session).await?;
    let probes = probes(session).await?;
    let (mut found, mut functions_of) = (BTreeMap::new(), BTreeSet::new());
    for (name, arn) in functions(session).await? {
        if remover.is_needed(&arn, &name).await? == Some(false) {
            found.insert(name.clone(), Leftover::Clone(name, arn));
        } else {
            // It may be no clone at all, or one that is needed: what belongs to it stays too.
            functions_of.insert(name);
        }
    }
    for name in groups.into_iter().filter(|name| !functions_of.contains(name)) {
        found.entry(name.clone()).or_insert(Leftover::LogGroup(name));
    }
    let used: BTreeSet<CampaignId> = functions_of.into_iter().map(|name| name.campaign).collect();
    let probes = probes.into_iter().filter(|campaign| !used.contains(campaign));
    Ok(found.into_values().chain(probes.map(Leftover::Probe)).collect())
}

/// The campaigns whose layers with probes no program needs.
async fn probes(session: &Session) -> Result<Vec<CampaignId>, Failure> {
    let lambda = Lambda::new(session).await?;
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let list = async |client: aws_sdk_lambda::Client| client.list_layers().set_marker(marker.clone()).send().await;
        let page = pauses::repeated(async || lambda.request(list).await.map_err(|error| failure(&error))).await?;
        found.extend(page.layers().iter().filter_map(left_over));
        marker = next(page.next_marker());
        if marker.is_none() {
            return Ok(found);
        }
    }
}

/// The campaign of a layer, if it is a probe that no program needs.
fn left_over(layer: &LayersListItem) -> Option<CampaignId> {
    let Ok(Resource::Probe(campaign)) = layer.layer_name()?.parse() else { return None };
    let made = Tags::from_text(layer.latest_matching_version()?.description()?)?;
    (!made.may_be_needed(SystemTime::now())).then_some(campaign)
}

/// The marker of the next page, if there is one.
fn next(marker: Option<&str>) -> Option<String> {
    marker.filter(|marker| !marker.is_empty()).map(str::to_owned)
}

/// The functions that have names of clones, with their ARNs.
async fn functions(session: &Session) -> Result<Vec<(CloneName, String)>, Failure> {
    let lambda = Lambda::new(session).await?;
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let list =
            async |client: aws_sdk_lambda::Client| client.list_functions().set_marker(marker.clone()).send().await;
        let page = pauses::repeated(async || lambda.request(list).await.map_err(|error| failure(&error))).await?;
        for function in page.functions() {
            let (Some(name), Some(arn)) = (function.function_name(), function.function_arn()) else { continue };
            if let Ok(clone) = name.parse() {
                found.push((clone, arn_beside(arn, name)));
            }
        }
        marker = next(page.next_marker());
        if marker.is_none() {
            return Ok(found);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    log_groups: Vec<LogGroup>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogGroup {
    log_group_name: String,
}

/// The clones that have log groups.
async fn log_groups(session: &Session) -> Result<Vec<CloneName>, Failure> {
    const PATH: &str = "/aws/lambda/";
    let (mut found, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut query = json!({ "logGroupNamePrefix": format!("{PATH}{PREFIX}") });
        if let Some(token) = &token {
            query["nextToken"] = json!(token);
        }
        let ask = async || match cloudwatch_logs::ask(session, "DescribeLogGroups", &query).await {
            Ok(body) => Ok(body),
            Err(Refusal::Passing(failure)) => Err(Failure { kind: FailureKind::Transient, ..failure }),
            Err(refusal) => Err(Failure::from(refusal)),
        };
        let body = pauses::repeated(ask).await?;
        let page: Page = serde_json::from_slice(&body)
            .map_err(|error| Failure::refused(format!("DescribeLogGroups of CloudWatch Logs: {error}")))?;
        let names = page.log_groups.iter().filter_map(|group| group.log_group_name.strip_prefix(PATH)?.parse().ok());
        found.extend(names);
        token = page.next_token;
        if token.is_none() {
            return Ok(found);
        }
    }
}
