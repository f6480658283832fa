//! The permissions that a deployment takes.

use super::DeployArgs;
use crate::{
    campaign::region,
    cli::{
        policy::{policy, statement},
        service_stack::DEFAULT,
    },
    deployment::{NAMES, PREFIX, beginning_of_bucket},
};
use serde_json::{Value, json};

/// Actions on functions that CloudFormation takes.
const FUNCTIONS: [&str; 20] = [
    "lambda:AddPermission",
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    "lambda:DeleteFunctionConcurrency",
    "lambda:GetFunction",
    "lambda:GetFunctionCodeSigningConfig",
    "lambda:GetFunctionConfiguration",
    "lambda:GetFunctionRecursionConfig",
    "lambda:GetFunctionScalingConfig",
    "lambda:GetPolicy",
    "lambda:GetRuntimeManagementConfig",
    "lambda:ListTags",
    "lambda:PutFunctionConcurrency",
    "lambda:PutFunctionRecursionConfig",
    "lambda:PutRuntimeManagementConfig",
    "lambda:RemovePermission",
    "lambda:TagResource",
    "lambda:UntagResource",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
];

const ROLES: [&str; 15] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
];

const LOG_GROUPS: [&str; 9] = [
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DeleteRetentionPolicy",
    "logs:DescribeIndexPolicies",
    "logs:GetDataProtectionPolicy",
    "logs:ListTagsForResource",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "logs:UntagResource",
];

const ALARMS: [&str; 9] = [
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DeleteDashboards",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetDashboard",
    "cloudwatch:ListTagsForResource",
    "cloudwatch:PutDashboard",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:TagResource",
    "cloudwatch:UntagResource",
];

const TOPICS: [&str; 10] = [
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:GetDataProtectionPolicy",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTagsForResource",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:Unsubscribe",
];

const BUCKETS: [&str; 15] = [
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucketVersions",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
];

/// The most characters of a stack's name of which nothing is cut in the names of functions and roles, which have 64 at most.
const LONGEST_UNCUT: usize = 24;

/// What the names begin with that CloudFormation gives to functions and roles of a stack.
fn beginning_of_names(stack: &str) -> String {
    // Names of stacks are ASCII.
    stack
        .get(..LONGEST_UNCUT)
        .filter(|_| stack.len() > LONGEST_UNCUT)
        .map_or_else(|| format!("{stack}-"), str::to_owned)
}

impl DeployArgs {
    /// The least policy for these options.
    pub(in crate::cli) fn policy(&self) -> Value {
        let stack = self.stack.stack.as_ref().map_or(DEFAULT, |name| name.as_str());
        let region = self.stack.region.as_deref();
        let partition = region.map_or("aws", region::partition);
        let region = region.unwrap_or("*");
        let arn = |service: &str, resource: String| format!("arn:{partition}:{service}:{region}:*:{resource}");
        let beginning = beginning_of_names(stack);
        let global = |service: &str, resource: String| format!("arn:{partition}:{service}:{resource}");

        let mut stacks = ["", "-code"].map(|end| arn("cloudformation", format!("stack/{stack}{end}/*"))).to_vec();
        stacks.push(arn("cloudformation", format!("changeSet/{NAMES}*/*")));
        let of_stacks = [
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplate",
            "cloudformation:ListChangeSets",
            "cloudformation:ListStackResources",
            "cloudformation:TagResource",
        ];
        let transform = format!("arn:{partition}:cloudformation:{region}:aws:transform/Serverless-2016-10-31");
        let mut statements = vec![
            statement("ChangeTheStacks", &of_stacks, &stacks),
            statement("ExpandTheTemplate", &["cloudformation:CreateChangeSet"], &[transform]),
        ];
        let mut objects = vec!["s3:GetObject", "s3:PutObject"];
        let bucket = match &self.bucket {
            Some(bucket) => {
                let action = ["s3:ListBucket"];
                statements.push(statement("LookAtTheBucket", &action, &[global("s3", format!("::{bucket}"))]));
                bucket.clone()
            }
            None => {
                let bucket = beginning_of_bucket(stack) + "*";
                let arn = global("s3", format!("::{bucket}"));
                statements.push(statement("MakeAndDeleteTheBucket", &BUCKETS, &[arn]));
                objects.extend(["s3:DeleteObject", "s3:DeleteObjectVersion"]);
                bucket
            }
        };
        statements.push(statement("PutCodeThere", &objects, &[global("s3", format!("::{bucket}/{PREFIX}*"))]));
        statements.push(statement("Functions", &FUNCTIONS, &[arn("lambda", format!("function:{beginning}*"))]));
        let roles = [global("iam", format!(":*:role/{beginning}*"))];
        statements.push(statement("Roles", &ROLES, &roles));
        let mut passing = statement("GiveThemTheirRoles", &["iam:PassRole"], &roles);
        let services = ["lambda.amazonaws.com", "apigateway.amazonaws.com"];
        passing["Condition"] = json!({ "StringEquals": { "iam:PassedToService": services } });
        statements.push(passing);
        let groups = [format!("/aws/lambda/{beginning}"), format!("/aws/apigateway/{stack}")]
            .map(|group| arn("logs", format!("log-group:{group}*")));
        statements.push(statement("LogGroups", &LOG_GROUPS, &groups));
        statements.push(statement("FindLogGroups", &["logs:DescribeLogGroups"], &["*".to_owned()]));
        let api = ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"];
        let apis = ["/restapis", "/restapis/*", "/account", "/tags/*"]
            .map(|path| format!("arn:{partition}:apigateway:{region}::{path}"));
        statements.push(statement("Api", &api, &apis));
        let alarms = [
            arn("cloudwatch", format!("alarm:{stack}-*")),
            format!("arn:{partition}:cloudwatch::*:dashboard/{stack}-*"),
        ];
        statements.push(statement("AlarmsAndDashboard", &ALARMS, &alarms));
        if self.parameters.iter().any(|(name, value)| name == "AlarmEmail" && !value.is_empty()) {
            statements.push(statement("TellOfAlarms", &TOPICS, &[arn("sns", format!("{stack}-*"))]));
        }
        policy(&statements)
    }
}
