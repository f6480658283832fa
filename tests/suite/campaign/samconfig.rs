//! Stacks as SAM CLI's configuration file describes them.

use super::{
    Scratch, assert_code, both,
    places::{aws, configure, program, program_on, run, signed},
    samples,
};
use crate::cli::{stderr, stdout};

const PROFILES: &str = "[default]\nregion = us-east-1\n[profile team]\nregion = sa-east-1\naws_access_key_id = TEAM\n\
                        aws_secret_access_key = secret\n";

const TOML: &str = "samconfig.toml";
const STACK: &[&str] = &["--targets", "stack:duet"];
const STACK_ARN: &[&str] =
    &["--targets", "stack:arn:aws:cloudformation:us-west-1:123456789012:stack/duet/0b1c2d3e-1234"];

/// Which key signed for which region, by a plan for a file of samconfig and further arguments.
fn scopes(file: &str, text: &str, arguments: &[&str]) -> (Vec<String>, Vec<String>, String) {
    let (home, aws) = (Scratch::new(), aws());
    configure(&home, PROFILES);
    home.file(file, text);
    let output = run(program(&home).env("AWS_ENDPOINT_URL", &aws.url), &[&["--dry-run"], arguments].concat());
    assert_code(&output, 0);
    (signed(&aws, "DescribeStacks"), signed(&aws, "/functions/"), stdout(&output))
}

#[test]
fn region_and_profile_of_samconfig_go_before_the_environment() {
    for (file, text, arguments, expected) in [
        (
            TOML,
            "version = 0.1\n[default.deploy.parameters]\nstack_name = \"duet\"\nregion = \"eu-west-1\"\nprofile = \"team\"\n",
            [].as_slice(),
            "TEAM eu-west-1",
        ),
        (
            TOML,
            "[default.global.parameters]\nstack_name = \"duet\"\nregion = \"eu-west-2\"\nprofile = \"team\"\n",
            &[],
            "TEAM eu-west-2",
        ),
        // The command's own table goes first, and only where it says something.
        (
            TOML,
            "[default.global.parameters]\nstack_name = \"duet\"\nregion = \"eu-west-2\"\nprofile = \"team\"\n\
             [default.deploy.parameters]\nregion = \"eu-west-3\"\n",
            &[],
            "TEAM eu-west-3",
        ),
        // The profile's own region where the file names none.
        (TOML, "[default.global.parameters]\nprofile = \"team\"\n", STACK, "TEAM sa-east-1"),
        (TOML, "[default.global.parameters]\nregion = \"eu-north-1\"\n", STACK, "ENVIRONMENT eu-north-1"),
        (
            "samconfig.yaml",
            "version: 0.1\ndefault:\n  global:\n    parameters:\n      stack_name: duet\n      profile: team\n  deploy:\n    \
             parameters:\n      region: ap-south-1\n      parameter_overrides:\n        - A=1\n",
            &[],
            "TEAM ap-south-1",
        ),
        ("samconfig.yml", "default: {global: {parameters: {region: ca-west-1}}}\n", STACK, "ENVIRONMENT ca-west-1"),
        (
            TOML,
            "[default.global.parameters]\nstack_name = \"duet\"\nregion = \"eu-west-1\"\n\
             [prod.global.parameters]\nstack_name = \"duet-prod\"\nregion = \"ap-east-1\"\nprofile = \"team\"\n",
            &["--config-env", "prod"],
            "TEAM ap-east-1",
        ),
        // An ARN knows its region.
        (
            TOML,
            "[default.global.parameters]\nregion = \"eu-west-1\"\nprofile = \"team\"\n",
            STACK_ARN,
            "TEAM us-west-1",
        ),
        ("unused", "", STACK_ARN, "ENVIRONMENT us-west-1"),
    ] {
        let (stack, functions, plan) = scopes(file, text, arguments);
        assert_eq!(stack, [format!("{expected} cloudformation")], "{text}");
        assert_eq!(functions, [format!("{expected} lambda")], "{text}");
        let (_, region) = expected.split_once(' ').unwrap();
        assert!(plan.contains(&format!("in {region} (aws)")), "{plan}");
        assert_eq!(plan.contains("with the profile team"), expected.starts_with("TEAM"), "{plan}");
    }
}

#[test]
fn the_stack_of_an_environment_is_the_one_that_is_asked_for() {
    let (home, aws) = (Scratch::new(), aws());
    home.file(
        "samconfig.toml",
        "[default.global.parameters]\nstack_name = \"duet\"\n[dev.global.parameters]\nstack_name = \"duet-dev\"\n",
    );
    // TOML goes before YAML, as for SAM CLI.
    home.file("samconfig.yaml", "default: {global: {parameters: {stack_name: wrong}}}\n");
    for (arguments, name) in [(["--dry-run"].as_slice(), "duet"), (&["--dry-run", "--config-env", "dev"], "duet-dev")] {
        let output = run(&mut program_on(&aws, &home), arguments);
        assert_code(&output, 0);
        let asked = aws.calls().into_iter().rev().find(|call| call.body.contains("DescribeStacks")).unwrap();
        assert!(asked.body.ends_with(&format!("StackName={name}")), "{}", asked.body);
    }
}

#[test]
fn samconfig_does_not_apply_to_two_targets() {
    let (home, aws) = (Scratch::new(), aws());
    home.file("samconfig.toml", "[default.global.parameters]\nregion = \"eu-west-1\"\nprofile = \"nowhere\"\n");
    let mut program = program_on(&aws, &home);
    assert_code(&run(&mut program, &["--targets", "lambda:x86", "lambda:arm", "--dry-run"]), 0);
    assert_eq!(signed(&aws, "/functions/"), ["ENVIRONMENT us-east-1 lambda"]);
}

#[test]
fn a_campaign_is_continued_with_the_profile_and_region_of_its_stack() {
    let (home, aws) = (Scratch::new(), aws());
    configure(&home, PROFILES);
    let (payload, out) = (home.file("payload.json", "{}"), home.path("run"));
    home.file(
        "samconfig.toml",
        "[default.global.parameters]\nstack_name = \"duet\"\nregion = \"eu-west-1\"\nprofile = \"team\"\n",
    );
    let arguments = ["--payload", &payload, "--out", &out, "--environments", "1", "--invocations", "4"];
    assert_code(&run(program(&home).env("AWS_ENDPOINT_URL", &aws.url), &arguments), 0);
    let place = samples(&out).0.variants[both()[0]].place.clone().unwrap();
    assert_eq!((place.profile.as_deref(), place.is_profile_fixed), (Some("team"), true));
    // As if it had been interrupted, and somewhere else.
    std::fs::remove_file(home.path("samconfig.toml")).unwrap();
    let rows = std::fs::read_to_string(home.path("run/samples.jsonl")).unwrap();
    std::fs::write(home.path("run/samples.jsonl"), rows.split_inclusive('\n').take(1).collect::<String>()).unwrap();
    assert_code(
        &run(program(&home).env("AWS_ENDPOINT_URL", &aws.url).env("AWS_REGION", "us-east-2"), &["--resume", &out]),
        0,
    );
    assert_eq!(signed(&aws, "/functions/"), ["TEAM eu-west-1 lambda"]);
    assert_eq!(samples(&out).1.len(), 4);
}

#[test]
fn an_invalid_samconfig_is_refused_with_the_fix() {
    for (file, text, arguments, part) in [
        (TOML, "[default.global.parameters]\nprofile = \"nowhere\"\n", STACK, "\"nowhere\", which samconfig"),
        (TOML, "[default\n", STACK, "samconfig.toml: TOML parse error at line 1"),
        ("samconfig.yaml", "default: [\n", STACK, "samconfig.yaml: "),
        (TOML, "[default.global.parameters]\nregion = 5\n", STACK, "environment \"default\": invalid type"),
        (TOML, "[dev.global.parameters]\n", &["--config-env", "prod"], "no environment \"prod\" in it, but dev"),
        ("unused", "", &["--config-env", "prod"], "--config-env prod: there is no samconfig.toml here"),
        ("unused", "", &["--targets", "stack:arn:aws:cloudformation:eu-west-1"], "is not a stack; write stack:NAME or"),
        (
            "unused",
            "",
            &["--targets", "stack:arn:aws:lambda:eu-west-1:123456789012:function:x86"],
            "stack:arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID",
        ),
        ("unused", "", &["--targets", "stack:my stack"], "is not the name of a stack"),
    ] {
        let home = Scratch::new();
        home.file(file, text);
        let output = run(program(&home).env("AWS_REGION", "us-east-1"), arguments);
        assert_code(&output, 1);
        assert!(stderr(&output).contains(part), "{text}: {}", stderr(&output));
    }
}

#[test]
fn arguments_that_name_no_stack_are_wrong() {
    for (arguments, reason) in [
        (
            ["--config-env", "dev", "--targets", "lambda:x86", "lambda:arm"].as_slice(),
            "--config-env says which stack is meant, and --targets names none",
        ),
        (
            &[],
            "there is nothing to compare: use --targets BASELINE CANDIDATE…, or run this where samconfig.toml names the stack",
        ),
    ] {
        let output = run(program(&Scratch::new()).env("AWS_REGION", "us-east-1"), arguments);
        assert_code(&output, 2);
        assert_eq!(stderr(&output), format!("error: {reason}\n"));
    }
}
