//! Finding clones that no list names: those of run directories that are gone, or on another machine.

use super::{CampaignId, CloneName, PREFIX, Remover, arn_beside};
use crate::campaign::{
    aws::{Lambda, Session},
    caller::classify::failure,
    cloudwatch_logs::{self, Refusal},
    pauses,
    row::{Failure, FailureKind},
};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What there is of a clone.
#[derive(Clone, Debug)]
pub struct Leftover {
    pub name: CloneName,
    /// The ARN of the function; `None` if only the log group is left.
    pub arn: Option<String>,
}

impl Leftover {
    pub fn campaign(&self) -> &CampaignId {
        &self.name.campaign
    }

    pub fn text(&self) -> String {
        match &self.arn {
            Some(arn) => format!("{arn}, and its log group"),
            None => self.name.log_group(),
        }
    }
}

/// The clones in a region, and log groups that were left of clones, without those that a campaign may still need.
///
/// # Errors
/// When functions or log groups cannot be listed.
pub async fn find(session: &Session, within: Duration) -> Result<Vec<Leftover>, Failure> {
    let remover = Remover::new(session, within).await?;
    let (mut found, mut needed) = (BTreeMap::new(), BTreeSet::new());
    for (name, arn) in functions(session).await? {
        match remover.is_needed(&arn, &name).await? {
            Some(false) => drop(found.insert(name.clone(), Leftover { name, arn: Some(arn) })),
            // Not a clone, or one that is deleted by now.
            None => {}
            Some(true) => drop(needed.insert(name.campaign.clone())),
        }
    }
    // The log group of a clone that is being made, or was deleted just now, may be there without the function.
    for name in log_groups(session).await? {
        if !needed.contains(&name.campaign) {
            found.entry(name.clone()).or_insert(Leftover { name, arn: None });
        }
    }
    Ok(found.into_values().collect())
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
        marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
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
