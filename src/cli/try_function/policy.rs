//! The permissions that a trial takes.

use super::TryArgs;
use crate::campaign::{FunctionName, region};
use serde_json::{Value, json};

/// Where the function is, as parts of ARNs; `*` for what its name does not tell.
struct Place {
    partition: String,
    region: String,
    account: String,
}

impl Place {
    fn of(name: &str) -> Self {
        let region = region::of_arn(name).map(str::to_owned);
        let is_account = |part: &&str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
        let account = name.split(':').rev().skip(1).find(is_account);
        let partition = region.as_deref().map_or("aws", region::partition).to_owned();
        let any = || "*".to_owned();
        Self { partition, region: region.unwrap_or_else(any), account: account.map_or_else(any, str::to_owned) }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl TryArgs {
    /// The least policy for these options.
    pub(in crate::cli) fn policy(&self, role: Option<&str>) -> Value {
        let FunctionName { name, .. } = &self.function;
        let place = Place::of(name);
        let function = function_arn(&place, name);
        let layers = format!("arn:{}:lambda:{}:*:layer:*", place.partition, place.region);
        let mut statements = vec![statement("ReadLayers", &["lambda:GetLayerVersion"], &[layers])];
        if self.inspect {
            statements.insert(0, statement("ReadFunction", &["lambda:GetFunction"], &of_any_version(&function)));
            return policy(statements);
        }
        let reading = ["lambda:GetFunction", "lambda:GetFunctionConfiguration"];
        statements.insert(0, statement("ReadFunction", &reading, &of_any_version(&function)));
        statements.push(statement("SeeHowOftenItIsCalled", &["cloudwatch:GetMetricData"], &["*".to_owned()]));
        let hooks: Vec<String> =
            self.campaign.hooks.functions().map(|FunctionName { name, .. }| function_arn(&place, name)).collect();
        if !hooks.is_empty() {
            let hooks: Vec<String> = hooks.iter().flat_map(|arn| of_any_version(arn)).collect();
            statements.push(statement("CallHooks", &["lambda:InvokeFunction"], &hooks));
        }
        let clones = [
            "lambda:CreateFunction",
            "lambda:TagResource",
            "lambda:GetFunctionConfiguration",
            "lambda:InvokeFunction",
            "lambda:ListTags",
            "lambda:DeleteFunction",
        ];
        statements.push(statement("MakeCallAndDeleteClones", &clones, &[place.arn("lambda", "function:duet-*")]));
        let role = role.map_or_else(|| format!("arn:{}:iam::{}:role/*", place.partition, place.account), str::to_owned);
        let mut passing = statement("GiveThemTheRole", &["iam:PassRole"], &[role]);
        passing["Condition"] = json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}});
        statements.push(passing);
        let logs =
            [place.arn("logs", "log-group:/aws/lambda/duet-*"), place.arn("logs", "log-group:/aws/lambda/duet-*:*")];
        statements.push(statement("ReadAndDeleteTheirLogs", &["logs:FilterLogEvents", "logs:DeleteLogGroup"], &logs));
        let network =
            ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc"];
        statements.push(statement("IfTheFunctionIsInAVpc", &network, &["*".to_owned()]));
        let image = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        statements.push(statement("IfItsCodeIsAnImage", &image, &[place.arn("ecr", "repository/*")]));
        if !self.no_probe {
            let probe = ["lambda:PublishLayerVersion", "lambda:ListLayerVersions", "lambda:DeleteLayerVersion"];
            let layers = [place.arn("lambda", "layer:duet-*"), place.arn("lambda", "layer:duet-*:*")];
            statements.push(statement("MakeAndDeleteTheProbe", &probe, &layers));
        }
        let search = ["lambda:ListFunctions", "lambda:ListLayers", "logs:DescribeLogGroups"];
        statements.push(statement("FindClonesThatAKilledProgramLeft", &search, &["*".to_owned()]));
        policy(statements)
    }
}

/// The ARN of the function that people name so, beside the one of the trial unless it says otherwise.
fn function_arn(place: &Place, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    place.arn("lambda", &format!("function:{}", name.rsplit(':').next().unwrap_or(name)))
}

fn policy(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn statement(sid: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// A function, and its versions and aliases.
fn of_any_version(function: &str) -> [String; 2] {
    [function.to_owned(), format!("{function}:*")]
}
