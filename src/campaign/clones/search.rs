//! Finding clones that no list names: those of run directories that are gone, or on another machine.

use super::{CampaignId, CloneName, PREFIX, Remover, Resource, tags::Tags};
use crate::campaign::{
    aws::{Lambda, Session},
    caller::classify::failure,
    cloudwatch_logs::{self, Refusal},
    function_arn::FunctionArn,
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
pub struct Leftover {
    pub resource: Resource,
    /// The ARN of a clone; `None` of a layer, and where the log group of a clone alone is left.
    pub arn: Option<String>,
}

impl Leftover {
    /// What it is, in a list of what is deleted.
    pub fn text(&self) -> String {
        match (&self.resource, &self.arn) {
            (_, Some(arn)) => format!("{arn}, and its log group"),
            (Resource::Clone(name), None) => format!("{}, a log group", name.log_group()),
            (Resource::Probe(_), None) => self.resource.text(),
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
            found.insert(name, Some(arn));
        } else {
            // It may be no clone at all, or one that is needed: what belongs to it stays too.
            functions_of.insert(name);
        }
    }
    for name in groups.into_iter().filter(|name| !functions_of.contains(name)) {
        found.entry(name).or_insert(None);
    }
    let used: BTreeSet<CampaignId> = functions_of.into_iter().map(|name| name.campaign).collect();
    let probes = probes.into_iter().filter(|campaign| !used.contains(campaign));
    let clones = found.into_iter().map(|(name, arn)| Leftover { resource: Resource::Clone(name), arn });
    Ok(clones.chain(probes.map(|campaign| Leftover { resource: Resource::Probe(campaign), arn: None })).collect())
}

/// All that the pages of a list hold; after a page with a marker comes another one.
async fn all<T>(
    page: impl AsyncFn(Option<String>) -> Result<(Vec<T>, Option<String>), Failure>,
) -> Result<Vec<T>, Failure> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let (found, next) = page(marker).await?;
        all.extend(found);
        marker = next.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// The campaigns whose layers with probes no program needs.
async fn probes(session: &Session) -> Result<Vec<CampaignId>, Failure> {
    let lambda = Lambda::new(session).await?;
    let page = async |marker: Option<String>| {
        let list = async |client: aws_sdk_lambda::Client| client.list_layers().set_marker(marker.clone()).send().await;
        let page = pauses::repeated(async || lambda.request(list).await.map_err(|error| failure(&error))).await?;
        Ok((page.layers().iter().filter_map(left_over).collect(), page.next_marker))
    };
    all(page).await
}

/// The campaign of a layer, if it is a probe that no program needs.
fn left_over(layer: &LayersListItem) -> Option<CampaignId> {
    let Ok(Resource::Probe(campaign)) = layer.layer_name()?.parse() else { return None };
    let made = Tags::from_text(layer.latest_matching_version()?.description()?)?;
    (!made.may_be_needed(SystemTime::now())).then_some(campaign)
}

/// The functions that have names of clones, with their ARNs.
async fn functions(session: &Session) -> Result<Vec<(CloneName, String)>, Failure> {
    let lambda = Lambda::new(session).await?;
    let page = async |marker: Option<String>| {
        let list =
            async |client: aws_sdk_lambda::Client| client.list_functions().set_marker(marker.clone()).send().await;
        let page = pauses::repeated(async || lambda.request(list).await.map_err(|error| failure(&error))).await?;
        let clones = page.functions().iter().filter_map(|function| {
            let (name, arn) = (function.function_name()?, function.function_arn()?);
            Some((name.parse().ok()?, FunctionArn(arn).beside(name)))
        });
        Ok((clones.collect(), page.next_marker))
    };
    all(page).await
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
    let page = async |token: Option<String>| {
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
        Ok((names.collect(), page.next_token))
    };
    all(page).await
}
