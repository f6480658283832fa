//! The policy that `duet policy try` prints is what a trial takes.

use super::{
    account::{ARN, Account, Act, Control},
    fleet::Manner,
    try_orders,
};
use crate::{
    campaign::{Scratch, assert_code, subcommand},
    cli::duet,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The action that a call of the control plane takes.
fn action(control: &Control) -> &'static str {
    let (line, function) = (control.line.as_str(), control.function.as_str());
    match line.split_once(' ') {
        None if line == "Logs_20140328.DeleteLogGroup" => "logs:DeleteLogGroup",
        None if line == "Logs_20140328.DescribeLogGroups" => "logs:DescribeLogGroups",
        None if line == "GraniteServiceVersion20100801.GetMetricData" => "cloudwatch:GetMetricData",
        Some(("GET", path)) if path.starts_with("/2018-10-31/layers?") || path == "/2018-10-31/layers" => {
            "lambda:ListLayers"
        }
        Some(("POST", path)) if path.starts_with("/2018-10-31/layers/") => "lambda:PublishLayerVersion",
        Some(("GET", path)) if path.starts_with("/2018-10-31/layers/") => "lambda:ListLayerVersions",
        Some(("DELETE", path)) if path.starts_with("/2018-10-31/layers/") => "lambda:DeleteLayerVersion",
        Some(("POST", "/2015-03-31/functions")) => "lambda:CreateFunction",
        Some(("PUT", path)) if path.ends_with("/configuration") => "lambda:UpdateFunctionConfiguration",
        Some(("DELETE", _)) => "lambda:DeleteFunction",
        Some(("GET", path)) if path.starts_with("/2017-03-31/tags/") => "lambda:ListTags",
        Some(("GET", path)) if path.contains("/account-settings") => "lambda:GetAccountSettings",
        Some(("GET", path)) if path.ends_with("/concurrency") => "lambda:GetFunctionConcurrency",
        Some(("GET", path)) if path.contains("/configuration") => "lambda:GetFunctionConfiguration",
        Some(("GET", _)) if function.is_empty() => "lambda:ListFunctions",
        Some(("GET", _)) => "lambda:GetFunction",
        _ => panic!("{line}"),
    }
}

/// What takes no call of its own: it is part of making functions, or the scripted account has none of it, or the server does
/// not tell it.
const WITHOUT_CALLS: [&str; 15] = [
    "lambda:TagResource",
    "iam:PassRole",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:GetSecurityGroupsForVpc",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:CreateGrant",
    "elasticfilesystem:DescribeMountTargets",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "lambda:GetLayerVersion",
    "lambda:InvokeFunction",
    "logs:FilterLogEvents",
];

fn policy(arguments: &[&str]) -> Value {
    let output = duet(&[&["policy", "try"], arguments].concat());
    assert_code(&output, 0);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_trial_takes_the_permissions_of_the_policy_and_no_others() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    assert_code(&try_orders(&account, &scratch, 2, &["--yes"]).output().unwrap(), 0);
    assert_takes(&account, &[]);
}

#[test]
fn changing_the_memory_takes_one_permission_more_and_on_the_function_alone() {
    let (account, scratch) = (super::apply::more_memory_is_better(), Scratch::new());
    assert_code(&super::apply::try_and_apply(&account, &scratch, &["--apply", "--yes"]).output().unwrap(), 0);
    assert_eq!(account.updates().len(), 1);
    assert_takes(&account, &["--apply"]);
    let policy = policy(&[ARN, "--payload", "event.json", "--apply"]);
    let is_change = |statement: &&Value| statement["Action"].to_string().contains("UpdateFunctionConfiguration");
    let changes: Vec<&Value> = policy["Statement"].as_array().unwrap().iter().filter(is_change).collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["Action"], serde_json::json!(["lambda:UpdateFunctionConfiguration"]));
    assert_eq!(changes[0]["Resource"], serde_json::json!([ARN]));
}

#[test]
fn a_census_takes_three_permissions_more_and_changes_clones_alone() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    account.has_fleet(Manner { warm: 10, ..Manner::default() });
    assert_code(&try_orders(&account, &scratch, 2, &["--yes", "--census", "5"]).output().unwrap(), 0);
    assert_takes(&account, &["--census", "5"]);
    let policy = policy(&[ARN, "--payload", "event.json", "--census", "5"]);
    let is_change = |statement: &&Value| statement["Action"].to_string().contains("UpdateFunctionConfiguration");
    let changes: Vec<&Value> = policy["Statement"].as_array().unwrap().iter().filter(is_change).collect();
    assert_eq!(changes.len(), 1);
    let clones = "arn:aws:lambda:us-east-1:123456789012:function:duet-??????????-*";
    assert_eq!(changes[0]["Resource"], serde_json::json!([clones]));
}

/// Checks that the policy for these options has what a trial has taken, and what a search for clones takes.
fn assert_takes(account: &Account, options: &[&str]) {
    let search = ["--region", "us-east-1", "--yes"];
    assert_code(&subcommand(&account.server.url, "clean-up").args(search).output().unwrap(), 0);
    let taken: BTreeSet<String> = account.controls().iter().map(|control| action(control).to_owned()).collect();
    let allowed = actions(&policy(&[&["orders", "--payload", "event.json"], options].concat()));
    let with_calls: BTreeSet<String> =
        allowed.iter().filter(|action| !WITHOUT_CALLS.contains(&action.as_str())).cloned().collect();
    assert_eq!(taken, with_calls);
    assert_eq!(allowed.len(), with_calls.len() + WITHOUT_CALLS.len());
}

#[test]
fn a_policy_names_the_function_and_the_role_that_it_is_told() {
    let role = "arn:aws:iam::123456789012:role/orders";
    let policy = policy(&[ARN, "--payload", "event.json", "--role", role]);
    let resources = |sid: &str| {
        let statement = policy["Statement"].as_array().unwrap().iter().find(|statement| statement["Sid"] == sid);
        statement.unwrap()["Resource"].to_string()
    };
    assert_eq!(resources("ReadFunction"), format!("[\"{ARN}\",\"{ARN}:*\"]"));
    assert_eq!(
        resources("MakeCallAndDeleteClones"),
        "[\"arn:aws:lambda:us-east-1:123456789012:function:duet-??????????-*\"]"
    );
    assert_eq!(resources("GiveThemTheRole"), format!("[\"{role}\"]"));
    let hooked = self::policy(&[ARN, "--payload", "event.json", "--before", "lambda:reset", "--after", "true"]);
    let hooks = hooked["Statement"].as_array().unwrap().iter().find(|statement| statement["Sid"] == "CallHooks");
    let reset = "arn:aws:lambda:us-east-1:123456789012:function:reset";
    assert_eq!(hooks.unwrap()["Resource"], serde_json::json!([reset, format!("{reset}:*")]));
    let elsewhere = ["--before", "lambda:us-west-2:210987654321:function:reset"];
    let hooked = self::policy(&[&[ARN, "--payload", "event.json"], elsewhere.as_slice()].concat());
    let reset = "arn:aws:lambda:us-west-2:210987654321:function:reset";
    assert!(hooked.to_string().contains(reset), "{hooked}");
}

#[test]
fn looking_alone_takes_two_permissions() {
    let policy = policy(&["orders", "--inspect"]);
    assert_eq!(actions(&policy).into_iter().collect::<Vec<_>>(), ["lambda:GetFunction", "lambda:GetLayerVersion"]);
    let account_of_any = "[\"arn:aws:lambda:*:*:function:orders\",\"arn:aws:lambda:*:*:function:orders:*\"]";
    assert_eq!(policy["Statement"][0]["Resource"].to_string(), account_of_any);
}
