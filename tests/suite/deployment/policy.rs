//! The policy that `duet policy deploy` prints is what a deployment and a deletion take.

use super::{account, code, delete, deploy, deployed};
use crate::{campaign::assert_code, cli::duet};
use serde_json::Value;
use std::collections::BTreeSet;

/// The permission for a request.
fn permission(action: &str) -> String {
    match action.split_once(' ') {
        None => format!("cloudformation:{action}"),
        Some(("HEAD", _)) => "s3:GetObject".to_owned(),
        Some(("PUT", _)) => "s3:PutObject".to_owned(),
        Some(("GET", _)) => "s3:ListBucketVersions".to_owned(),
        Some(("DELETE", _)) => "s3:DeleteObjectVersion".to_owned(),
        _ => panic!("{action}"),
    }
}

/// The actions that are allowed.
fn allowed(options: &[&str]) -> BTreeSet<String> {
    let output = duet(&[&["policy", "deploy"], options].concat());
    assert_code(&output, 0);
    let policy: Value = serde_json::from_slice(&output.stdout).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_request_is_allowed() {
    let (account, code) = (account(), code());
    assert_code(&deploy(&account, &code, &["--dry-run"]).output().unwrap(), 0);
    assert_code(&deployed(&account, &code, &[]), 0);
    assert_code(&deployed(&account, &code, &[]), 0);
    assert_code(&delete(&account, &[]), 0);
    let taken: BTreeSet<String> = account.requests().iter().map(|request| permission(&request.action)).collect();
    let allowed = allowed(&["--stack", "duet"]);
    assert_eq!(taken.difference(&allowed).collect::<Vec<_>>(), [""; 0]);
    let own = allowed.iter().filter(|action| action.starts_with("cloudformation:")).cloned().collect::<BTreeSet<_>>();
    // This one goes with tags.
    let of_tags = BTreeSet::from(["cloudformation:TagResource".to_owned()]);
    assert_eq!(own.difference(&taken).cloned().collect::<BTreeSet<_>>(), of_tags);
}

#[test]
fn only_what_the_options_need_is_allowed() {
    let with_bucket = allowed(&["--bucket", "shop-code"]);
    assert!(with_bucket.contains("s3:ListBucket") && !with_bucket.contains("s3:CreateBucket"), "{with_bucket:?}");
    assert!(!with_bucket.iter().any(|action| action.starts_with("sns:")));
    assert!(allowed(&["--parameter", "AlarmEmail=a@example.com"]).contains("sns:CreateTopic"));
    let output = duet(&["policy", "deploy", "--stack", "shop", "--region", "cn-north-1"]);
    let policy = String::from_utf8(output.stdout).unwrap();
    for arn in [
        "arn:aws-cn:cloudformation:cn-north-1:*:stack/shop/*",
        "arn:aws-cn:cloudformation:cn-north-1:*:changeSet/duet-*/*",
        "arn:aws-cn:s3:::shop-code-*/lambda-duet/*",
        "arn:aws-cn:iam::*:role/shop-*",
        "arn:aws-cn:lambda:cn-north-1:*:function:shop-*",
        "arn:aws-cn:apigateway:cn-north-1::/restapis",
    ] {
        assert!(policy.contains(&format!("\"{arn}\"")), "{arn}: {policy}");
    }
    // CloudFormation cuts long names of stacks in those of functions and roles.
    let long = "shop-of-the-second-warehouse-in-the-north";
    let policy = String::from_utf8(duet(&["policy", "deploy", "--stack", long]).stdout).unwrap();
    for arn in [
        "arn:aws:iam::*:role/shop-of-the-second-wareh*",
        "arn:aws:lambda:*:*:function:shop-of-the-second-wareh*",
        "arn:aws:logs:*:*:log-group:/aws/lambda/shop-of-the-second-wareh*",
        "arn:aws:cloudformation:*:*:stack/shop-of-the-second-warehouse-in-the-north/*",
    ] {
        assert!(policy.contains(&format!("\"{arn}\"")), "{arn}: {policy}");
    }
}
