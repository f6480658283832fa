//! The permissions that a trial takes.

use super::TryArgs;
use crate::{
    campaign::{FunctionName, region},
    cli::policy::{policy, statement},
};
use serde_json::{Value, json};

/// Where the function is, as parts of ARNs; `*` for what its name does not tell.
struct ArnParts {
    partition: String,
    region: String,
    account: String,
}

/// What the name of a function does not tell.
const ANY: &str = "*";

impl ArnParts {
    fn of(name: &str) -> Self {
        // A partial ARN begins with the region, a whole one has three parts before it.
        let region = name.split(':').find(|part| region::is_region(part)).map(str::to_owned);
        let account = name.split(':').rev().skip(1).find(|part| region::is_account(part));
        let partition = region.as_deref().map_or("aws", region::partition).to_owned();
        let any = || ANY.to_owned();
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
        let place = ArnParts::of(name);
        let function = function_arn(&place, name);
        let layers = format!("arn:{}:lambda:{}:*:layer:*", place.partition, place.region);
        let mut statements = vec![statement("ReadLayers", &["lambda:GetLayerVersion"], &[layers])];
        if self.inspect {
            statements.insert(0, statement("ReadFunction", &["lambda:GetFunction"], &of_any_version(&function)));
            return policy(&statements);
        }
        let reading = ["lambda:GetFunction", "lambda:GetFunctionConfiguration"];
        statements.insert(0, statement("ReadFunction", &reading, &of_any_version(&function)));
        statements.push(statement("SeeHowOftenItIsCalled", &["cloudwatch:GetMetricData"], &["*".to_owned()]));
        if self.apply.is_some() {
            let action = ["lambda:UpdateFunctionConfiguration"];
            statements.push(statement("ChangeItsMemory", &action, std::slice::from_ref(&function)));
        }
        let hooks: Vec<String> =
            self.campaign.hooks.functions().map(|FunctionName { name, .. }| function_arn(&place, name)).collect();
        if !hooks.is_empty() {
            let hooks: Vec<String> = hooks.iter().flat_map(|arn| of_any_version(arn)).collect();
            statements.push(statement("CallHooks", &["lambda:InvokeFunction"], &hooks));
        }
        let arns_of_clones = [place.arn("lambda", "function:duet-??????????-*")];
        let clones = [
            "lambda:CreateFunction",
            "lambda:TagResource",
            "lambda:GetFunctionConfiguration",
            "lambda:InvokeFunction",
            "lambda:ListTags",
            "lambda:DeleteFunction",
        ];
        statements.push(statement("MakeCallAndDeleteClones", &clones, &arns_of_clones));
        if self.campaign.census.is_given() {
            let census = ["lambda:UpdateFunctionConfiguration", "lambda:GetFunctionConcurrency"];
            statements.push(statement("CountTheirCpus", &census, &arns_of_clones));
            let limit = ["lambda:GetAccountSettings"];
            statements.push(statement("SeeHowManyCallsMayBeOpen", &limit, &["*".to_owned()]));
        }
        let role = role.map_or_else(|| format!("arn:{}:iam::{}:role/*", place.partition, place.account), str::to_owned);
        let mut passing = statement("GiveThemTheRole", &["iam:PassRole"], &[role]);
        passing["Condition"] = json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}});
        statements.push(passing);
        let logs = [
            place.arn("logs", "log-group:/aws/lambda/duet-??????????-*"),
            place.arn("logs", "log-group:/aws/lambda/duet-??????????-*:*"),
        ];
        statements.push(statement("ReadAndDeleteTheirLogs", &["logs:FilterLogEvents", "logs:DeleteLogGroup"], &logs));
        let network =
            ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc"];
        statements.push(statement("IfTheFunctionIsInAVpc", &network, &["*".to_owned()]));
        let key = ["kms:Decrypt", "kms:Encrypt", "kms:CreateGrant"];
        statements.push(statement("IfItsVariablesHaveAKeyOfYourOwn", &key, &[place.arn("kms", "key/*")]));
        let files = ["elasticfilesystem:DescribeMountTargets"];
        statements.push(statement("IfItMountsAFileSystem", &files, &[place.arn("elasticfilesystem", "file-system/*")]));
        let image = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        statements.push(statement("IfItsCodeIsAnImage", &image, &[place.arn("ecr", "repository/*")]));
        if !self.no_probe {
            let probe = ["lambda:PublishLayerVersion", "lambda:ListLayerVersions", "lambda:DeleteLayerVersion"];
            let layers = [
                place.arn("lambda", "layer:duet-??????????-probe"),
                place.arn("lambda", "layer:duet-??????????-probe:*"),
            ];
            statements.push(statement("MakeAndDeleteTheProbe", &probe, &layers));
        }
        let search = ["lambda:ListFunctions", "lambda:ListLayers", "logs:DescribeLogGroups"];
        statements.push(statement("FindClonesThatAKilledProgramLeft", &search, &["*".to_owned()]));
        policy(&statements)
    }
}

/// The ARN of the function that people name so; what the name does not tell is as of the function that is tried.
fn function_arn(place: &ArnParts, name: &str) -> String {
    let own = ArnParts::of(name);
    let or = |own: String, other: &str| if own == ANY { other.to_owned() } else { own };
    let place = ArnParts {
        partition: if own.region == ANY { place.partition.clone() } else { own.partition },
        region: or(own.region, &place.region),
        account: or(own.account, &place.account),
    };
    place.arn("lambda", &format!("function:{}", name.rsplit(':').next().unwrap_or(name)))
}

/// A function, and its versions and aliases.
fn of_any_version(function: &str) -> [String; 2] {
    [function.to_owned(), format!("{function}:*")]
}
