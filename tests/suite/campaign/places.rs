//! Where calls go: regions, endpoints, profiles and names, by one rule for every service.

use super::{Scratch, assert_code, both, samples, targets::described_stack};
use crate::{
    cli::{stderr, stdout},
    program::{self, isolate},
    scripted::{Call, Reply, Scripted},
};
use lambda_duet::campaign::manifest::Place;
use serde_json::json;
use std::process::{Command, Output, Stdio};

pub const X86: &str = "lambda:arn:aws:lambda:eu-west-1:123456789012:function:x86";
pub const ARM: &str = "lambda:arn:aws:lambda:ap-south-1:123456789012:function:arm";

/// Both functions, the stack of them, and whatever else a test adds.
pub fn aws() -> Scripted {
    Scripted::aws(|call, _| answer(call))
}

/// The same behind a proxy, before which requests look different, and for requests that are signed for others too.
pub fn proxy() -> Scripted {
    Scripted::start(|call, _| answer(call))
}

pub fn answer(call: &Call) -> Reply {
    if call.body.starts_with("Action=DescribeStacks") {
        let name = call.body.rsplit_once("StackName=").map_or("duet", |(_, name)| name);
        return Reply::ok(described_stack(name, ["x86", "arm"])).header("content-type", "text/xml");
    }
    if !call.line.contains("/configuration") {
        return Reply::ok("{}");
    }
    let architecture = if call.line.contains("arm/") { "arm64" } else { "x86_64" };
    let configuration = json!({
        "Architectures": [architecture], "MemorySize": 128, "Timeout": 3, "State": "Active", "RevisionId": "r",
        "Runtime": "provided.al2023", "LastUpdateStatus": "Successful", "CodeSha256": "s"
    });
    Reply::ok(configuration.to_string()).header("content-type", "application/json")
}

/// The program alone with a home directory, keys, and nothing else that says where to call.
pub fn program(home: &Scratch) -> Command {
    let mut command = program::duet();
    isolate(command.env_clear());
    command
        .env("HOME", home.path(""))
        .env("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(home.path(""))
        .stdin(Stdio::null());
    command
}

/// The same, which calls `aws` in us-east-1.
pub fn program_on(aws: &Scripted, home: &Scratch) -> Command {
    let mut command = program(home);
    command.env("AWS_ENDPOINT_URL", &aws.url).env("AWS_REGION", "us-east-1");
    command
}

pub fn run(command: &mut Command, arguments: &[&str]) -> Output {
    command.arg("run").args(arguments).output().unwrap()
}

/// The configuration file in the home directory.
pub fn configure(home: &Scratch, text: &str) {
    std::fs::create_dir_all(home.path(".aws")).unwrap();
    home.file(".aws/config", text);
}

/// The access key, region and service of every call whose path or body has this in it.
pub fn signed(aws: &Scripted, part: &str) -> Vec<String> {
    let calls = aws.calls().into_iter().filter(|call| call.line.contains(part) || call.body.contains(part));
    let mut scopes: Vec<String> = calls
        .map(|call| {
            let header = call.headers["authorization"].to_str().unwrap().to_owned();
            let scope = header.split("Credential=").nth(1).unwrap().split('/').collect::<Vec<_>>();
            [scope[0], scope[2], scope[3]].join(" ")
        })
        .collect();
    scopes.dedup();
    scopes
}

#[test]
fn each_side_is_called_in_the_region_of_its_own_arn() {
    for (variable, region) in [("AWS_REGION", "us-east-1"), ("AWS_REGION", ""), ("UNUSED", "")] {
        let (home, aws) = (Scratch::new(), aws());
        let (payload, out) = (home.file("payload.json", "{}"), home.path("run"));
        let arguments = [
            ["--targets", X86, ARM, "--payload", &payload, "--out", &out].as_slice(),
            &["--environments", "1", "--invocations", "4"],
        ]
        .concat();
        let output = run(program(&home).env("AWS_ENDPOINT_URL", &aws.url).env(variable, region), &arguments);
        assert_code(&output, 0);
        assert_eq!(signed(&aws, "x86/"), ["ENVIRONMENT eu-west-1 lambda"]);
        assert_eq!(signed(&aws, "arm/"), ["ENVIRONMENT ap-south-1 lambda"]);
        assert_eq!(aws.calls().iter().filter(|call| call.line.contains("/invocations")).count(), 4);
        let variants = samples(&out).0.variants;
        let region = |place: Option<Place>| place.unwrap().region.unwrap();
        assert_eq!(variants[both()[0]].price.as_ref().unwrap().region, "eu-west-1");
        assert_eq!(
            (region(variants[both()[0]].place.clone()), region(variants[both()[1]].place.clone())),
            ("eu-west-1".into(), "ap-south-1".into())
        );
        assert!(stderr(&output).contains(&format!("in ap-south-1 (aws), at {}", aws.url)), "{}", stderr(&output));
    }
}

#[test]
fn a_name_is_called_where_the_environment_says_beside_an_arn() {
    let (home, aws) = (Scratch::new(), aws());
    let arguments = ["--targets", "lambda:x86", ARM, "--dry-run"];
    let output = run(program(&home).env("AWS_ENDPOINT_URL", &aws.url).env("AWS_REGION", "us-west-2"), &arguments);
    assert_code(&output, 0);
    assert_eq!(signed(&aws, "x86/"), ["ENVIRONMENT us-west-2 lambda"]);
    assert_eq!(signed(&aws, "arm/"), ["ENVIRONMENT ap-south-1 lambda"]);
    let plan = stdout(&output);
    assert!(plan.contains(&format!("in us-west-2 (aws), at {}", aws.url)), "{plan}");
    assert!(plan.contains("Prices of us-west-2") && plan.contains("and ap-south-1"), "{plan}");
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_profile_or_the_second_variable_names_the_region_where_the_first_is_empty() {
    let (home, aws) = (Scratch::new(), aws());
    configure(&home, "[default]\nregion = eu-north-1\n[profile other]\nregion = sa-east-1\n");
    let arguments = ["--targets", "lambda:x86", "lambda:arm", "--dry-run"];
    for (variables, region) in [
        ([("AWS_REGION", ""), ("AWS_PROFILE", "")], "eu-north-1"),
        ([("AWS_REGION", ""), ("AWS_PROFILE", "other")], "sa-east-1"),
        ([("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "ca-west-1")], "ca-west-1"),
        ([("AWS_REGION", "eu-west-2"), ("AWS_DEFAULT_REGION", "ca-west-1")], "eu-west-2"),
    ] {
        let output = run(program(&home).env("AWS_ENDPOINT_URL", &aws.url).envs(variables), &arguments);
        assert_code(&output, 0);
        assert!(stdout(&output).contains(&format!("in {region} (aws)")), "{}", stdout(&output));
        assert_eq!(signed(&aws, "x86/").last().unwrap(), &format!("ENVIRONMENT {region} lambda"));
    }
}

/// Hosts of API Gateway and of function URLs, with what the plan says about them, and whether prices are known.
const HOSTS: [(&str, &str, bool); 9] = [
    ("abc.execute-api.eu-central-1.amazonaws.com", "eu-central-1 (aws)", true),
    ("abc.execute-api.us-east-2.api.aws", "us-east-2 (aws)", true),
    ("vpce-1-a.execute-api.us-west-2.vpce.amazonaws.com", "us-west-2 (aws)", true),
    ("abc.lambda-url.ap-south-1.on.aws", "ap-south-1 (aws)", true),
    ("abc.execute-api.cn-north-1.amazonaws.com.cn", "cn-north-1 (aws-cn)", false),
    ("abc.execute-api.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1 (aws-eusc)", false),
    ("abc.execute-api.us-iso-east-1.c2s.ic.gov", "us-iso-east-1 (aws-iso)", false),
    ("abc.execute-api.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1 (aws-iso-b)", false),
    ("abc.execute-api.us-gov-west-1.amazonaws.com", "us-gov-west-1 (aws-us-gov)", false),
];

#[test]
fn endpoints_are_signed_for_the_region_of_their_host_in_every_partition() {
    let home = Scratch::new();
    let payload = home.file("payload.json", "{}");
    // Whatever the host, the proxy answers.
    let proxy = proxy();
    for (index, (host, place, has_prices)) in HOSTS.into_iter().enumerate() {
        let (url, out) = (format!("http://{host}/prod"), home.path(&index.to_string()));
        let arguments = [
            ["--targets", &url, &url, "--payload", &payload, "--out", &out].as_slice(),
            &["--environments", "1", "--invocations", "2"],
        ]
        .concat();
        let output = run(program(&home).env("HTTP_PROXY", &proxy.url).env("AWS_REGION", "us-east-1"), &arguments);
        assert_code(&output, 0);
        let (region, _) = place.split_once(' ').unwrap();
        let service = if host.contains("lambda-url") { "lambda" } else { "execute-api" };
        assert_eq!(signed(&proxy, host), [format!("ENVIRONMENT {region} {service}")]);
        let message = stderr(&output);
        assert!(message.contains(&format!("in {place}")), "{message}");
        assert_eq!(message.contains("those of us-east-1 stand in"), !has_prices, "{message}");
        let price = samples(&out).0.variants[both()[0]].price.clone().unwrap();
        assert_eq!(price.region, if has_prices { region } else { "us-east-1" });
    }
}

#[test]
fn an_endpoint_without_a_signature_has_its_hosts_region_and_needs_no_credentials() {
    let home = Scratch::new();
    let url = "https://abc.execute-api.eu-west-3.amazonaws.com/prod";
    for option in ["--no-auth", "--api-key=key"] {
        let mut program = program(&home);
        program.env_remove("AWS_ACCESS_KEY_ID").env("AWS_PROFILE", "nowhere");
        let output = run(&mut program, &["--targets", url, url, "--dry-run", option]);
        assert_code(&output, 0);
        let plan = stdout(&output);
        assert!(plan.contains("in eu-west-3 (aws)") && plan.contains("Prices of eu-west-3"), "{plan}");
    }
    let output = run(&mut program(&home), &["--targets", "http://localhost/", url, "--dry-run", "--no-auth"]);
    assert!(stdout(&output).contains("in a region that is not known"), "{}", stdout(&output));
}

#[test]
fn functions_of_other_partitions_are_asked_at_the_hosts_of_their_partition() {
    let home = Scratch::new();
    for (region, partition, host) in [
        ("eu-west-1", "aws", "lambda.eu-west-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "lambda.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "aws-eusc", "lambda.eusc-de-east-1.amazonaws.eu"),
        ("us-iso-east-1", "aws-iso", "lambda.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "lambda.us-isob-east-1.sc2s.sgov.gov"),
        ("us-gov-west-1", "aws-us-gov", "lambda.us-gov-west-1.amazonaws.com"),
    ] {
        // A proxy that refuses shows where it was to lead.
        let proxy = Scripted::start(|_, _| Reply::status(403, "no"));
        let arn = format!("lambda:arn:{partition}:lambda:{region}:123456789012:function:x86");
        let output = run(program(&home).env("HTTPS_PROXY", &proxy.url), &["--targets", &arn, &arn, "--dry-run"]);
        assert_code(&output, 1);
        assert_eq!(proxy.calls()[0].line, format!("CONNECT {host}:443"));
        let message = stderr(&output);
        assert!(message.contains(&format!("through the proxy {}", proxy.url)), "{message}");
        let stack = "stack:duet";
        let output = run(
            program(&home).env("HTTPS_PROXY", &proxy.url).env("AWS_REGION", region),
            &["--targets", stack, "--dry-run"],
        );
        assert_code(&output, 1);
        let host = host.replace("lambda", "cloudformation");
        assert_eq!(proxy.calls().last().unwrap().line, format!("CONNECT {host}:443"));
    }
}

#[test]
fn fips_and_dual_stack_apply_to_every_service() {
    let home = Scratch::new();
    for (variables, region, suffix) in [
        (vec![("AWS_USE_FIPS_ENDPOINT", "true")], "us-east-2", "-fips.us-east-2.amazonaws.com"),
        (vec![("AWS_USE_DUALSTACK_ENDPOINT", "true")], "us-east-2", ".us-east-2.api.aws"),
    ] {
        let proxy = Scripted::start(|_, _| Reply::status(403, "no"));
        let mut hosts = Vec::new();
        for targets in [["--targets", "lambda:x86", "lambda:arm"].as_slice(), &["--targets", "stack:duet"]] {
            let mut program = program(&home);
            program.env("HTTPS_PROXY", &proxy.url).env("AWS_REGION", region).envs(variables.clone());
            assert_code(&run(&mut program, targets), 1);
            hosts.push(proxy.calls().last().unwrap().line.clone());
        }
        let expected = ["lambda", "cloudformation"].map(|service| format!("CONNECT {service}{suffix}:443"));
        assert_eq!(hosts, expected);
    }
}

#[test]
fn one_endpoint_rule_applies_to_every_service() {
    let region = "region = eu-west-1";
    for (config, variables, is_cloudformation_elsewhere) in [
        // {1} and {2} are two servers.
        (format!("[default]\n{region}\nendpoint_url = {{1}}\n"), vec![], false),
        (format!("[default]\n{region}\nendpoint_url = {{1}}\n"), vec![("AWS_ENDPOINT_URL", "")], false),
        (
            format!(
                "[default]\n{region}\nservices = s\nendpoint_url = {{1}}\n[services s]\ncloudformation =\n  endpoint_url = {{2}}\n"
            ),
            vec![],
            true,
        ),
        (format!("[default]\n{region}\nendpoint_url = {{2}}\n"), vec![("AWS_ENDPOINT_URL", "{1}")], false),
        (
            format!("[default]\n{region}\nendpoint_url = {{1}}\n"),
            vec![("AWS_ENDPOINT_URL_CLOUDFORMATION", "{2}"), ("AWS_ENDPOINT_URL_LAMBDA", "")],
            true,
        ),
        (format!("[default]\n{region}\n"), vec![("AWS_ENDPOINT_URL", "{2}"), ("AWS_ENDPOINT_URL_LAMBDA", "{1}")], true),
    ] {
        let (home, first, second) = (Scratch::new(), aws(), aws());
        let fill = |text: &str| text.replace("{1}", &first.url).replace("{2}", &second.url);
        configure(&home, &fill(&config));
        let mut program = program(&home);
        program.envs(variables.iter().map(|(name, value)| (name, fill(value))));
        let output = run(&mut program, &["--targets", "stack:duet", "--dry-run"]);
        assert_code(&output, 0);
        assert!(stdout(&output).contains(&format!("in eu-west-1 (aws), at {}", first.url)), "{}", stdout(&output));
        let [lambda, other] = [&first, &second].map(Scripted::count);
        let expected = if is_cloudformation_elsewhere { (2, 1) } else { (3, 0) };
        assert_eq!((lambda, other), expected, "{config} {variables:?}");
    }
}

#[test]
fn configured_endpoints_can_be_ignored_for_every_service() {
    let (home, aws) = (Scratch::new(), aws());
    let proxy = Scripted::start(|_, _| Reply::status(403, "no"));
    configure(&home, &format!("[default]\nregion = eu-west-1\nendpoint_url = {}\n", aws.url));
    for targets in [["--targets", "lambda:x86", "lambda:arm"].as_slice(), &["--targets", "stack:duet"]] {
        let mut program = program(&home);
        program.env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").env("AWS_ENDPOINT_URL", &aws.url);
        assert_code(&run(program.env("HTTPS_PROXY", &proxy.url), targets), 1);
    }
    let hosts: Vec<String> = proxy.calls().into_iter().map(|call| call.line).collect();
    assert_eq!(
        hosts,
        ["CONNECT lambda.eu-west-1.amazonaws.com:443", "CONNECT cloudformation.eu-west-1.amazonaws.com:443"]
    );
    assert_eq!(aws.count(), 0);
}

#[test]
fn a_resumed_campaign_keeps_its_region_and_warns_of_another_endpoint() {
    let (home, first, second) = (Scratch::new(), aws(), aws());
    let (payload, out) = (home.file("payload.json", "{}"), home.path("run"));
    let arguments = [
        ["--targets", "lambda:x86", "lambda:arm", "--payload", &payload, "--out", &out].as_slice(),
        &["--environments", "1", "--invocations", "2"],
    ]
    .concat();
    let output = run(program(&home).env("AWS_ENDPOINT_URL", &first.url).env("AWS_REGION", "eu-west-1"), &arguments);
    assert_code(&output, 0);
    let output =
        run(program(&home).env("AWS_ENDPOINT_URL", &second.url).env("AWS_REGION", "us-west-2"), &["--resume", &out]);
    assert_code(&output, 0);
    let warning = format!(
        "Warning: lambda:x86 was called in eu-west-1 (aws), at {} and is now called in eu-west-1 (aws), at {}",
        first.url, second.url
    );
    assert!(stderr(&output).contains(&warning), "{}", stderr(&output));
    let output = run(program(&home).env("AWS_ENDPOINT_URL", &first.url), &["--resume", &out]);
    assert!(!stderr(&output).contains("Warning"), "{}", stderr(&output));
}

#[test]
fn a_single_call_goes_where_its_target_says() {
    let (home, aws) = (Scratch::new(), proxy());
    for (region, target, scope) in [
        ("", X86, "ENVIRONMENT eu-west-1 lambda"),
        ("us-west-2", ARM, "ENVIRONMENT ap-south-1 lambda"),
        ("us-west-2", "lambda:plain", "ENVIRONMENT us-west-2 lambda"),
        ("us-west-2", "lambda:sa-east-1:123456789012:function:partial", "ENVIRONMENT sa-east-1 lambda"),
    ] {
        let mut program = program(&home);
        program.env("AWS_ENDPOINT_URL", &aws.url).env("AWS_REGION", region);
        let output = program.args(["call", target]).output().unwrap();
        assert_code(&output, 0);
        assert_eq!(stdout(&output), "{}\n");
        let name = target.rsplit(':').next().unwrap();
        assert_eq!(signed(&aws, &format!("{name}/invocations")), [scope]);
    }
    // A proxy answers for every host.
    let url = "http://abc.lambda-url.ca-central-1.on.aws/";
    let output = program(&home).env("http_proxy", &aws.url).args(["call", url]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(signed(&aws, url), ["ENVIRONMENT ca-central-1 lambda"]);
}
