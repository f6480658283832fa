//! The user's environment: every source of credentials, and the messages about missing settings.

use super::{
    Scratch, assert_code, both,
    places::{ARM, X86, answer, aws, configure, program, program_on, run, signed},
    samples,
};
use crate::{
    cli::{duet, stderr},
    scripted::{Reply, Scripted},
};
use std::{process::Command, time::Duration};

const TARGETS: [&str; 4] = ["--targets", "lambda:x86", "lambda:arm", "--dry-run"];

/// The key that signs the calls of a plan, without keys in the environment.
fn key(home: &Scratch, variables: &[(&str, String)]) -> Vec<String> {
    let aws = aws();
    let mut program = program(home);
    program.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    program.env("AWS_ENDPOINT_URL_LAMBDA", &aws.url).env("AWS_REGION", "us-east-1");
    program.envs(variables.iter().map(|(name, value)| (name, value)));
    assert_code(&run(&mut program, &TARGETS), 0);
    signed(&aws, "/functions/")
}

#[test]
fn a_credential_process_runs_once_for_both_sides() {
    let home = Scratch::new();
    let script = home.file(
        "credentials.sh",
        "echo run >> \"$HOME/runs\"\necho '{\"Version\": 1, \"AccessKeyId\": \"PROGRAM\", \"SecretAccessKey\": \"s\"}'\n",
    );
    configure(&home, &format!("[profile team]\ncredential_process = sh {script}\n"));
    assert_eq!(key(&home, &[("AWS_PROFILE", "team".to_owned())]), ["PROGRAM us-east-1 lambda"]);
    assert_eq!(std::fs::read_to_string(home.path("runs")).unwrap(), "run\n");
    // Also for two regions.
    let aws = aws();
    let mut program = program(&home);
    program.env_remove("AWS_ACCESS_KEY_ID").env("AWS_ENDPOINT_URL", &aws.url).env("AWS_PROFILE", "team");
    assert_code(&run(&mut program, &["--targets", X86, ARM, "--dry-run"]), 0);
    assert_eq!(std::fs::read_to_string(home.path("runs")).unwrap(), "run\nrun\n");
    assert_eq!(signed(&aws, "/functions/"), ["PROGRAM eu-west-1 lambda", "PROGRAM ap-south-1 lambda"]);
}

#[test]
fn credentials_of_a_container_are_used() {
    let containers = Scripted::start(|_, _| {
        Reply::ok(
            r#"{"AccessKeyId": "CONTAINER", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}"#,
        )
    });
    let uri = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/role", containers.url));
    assert_eq!(key(&Scratch::new(), &[uri]), ["CONTAINER us-east-1 lambda"]);
    assert_eq!(containers.count(), 1);
}

#[test]
fn an_assumed_role_is_asked_of_sts_once() {
    let home = Scratch::new();
    configure(
        &home,
        "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n\
         [profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n",
    );
    let sts = Scripted::start(|call, _| {
        assert!(
            call.body.contains("Action=AssumeRole")
                && call.headers["authorization"].to_str().unwrap().contains("BASE/")
        );
        Reply::ok(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>i</AssumedRoleId>\
             <Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>",
        )
    });
    let variables = [("AWS_PROFILE", "role".to_owned()), ("AWS_ENDPOINT_URL_STS", sts.url.clone())];
    assert_eq!(key(&home, &variables), ["ROLE us-east-1 lambda"]);
    assert_eq!(sts.count(), 1);
}

#[test]
fn credentials_of_single_sign_on_are_used() {
    let home = Scratch::new();
    let portal = Scripted::start(|call, _| {
        assert_eq!(call.headers["x-amz-sso_bearer_token"], "token");
        assert!(
            call.line.starts_with("GET /federation/credentials?") && call.line.contains("role_name=dev"),
            "{}",
            call.line
        );
        Reply::ok(
            r#"{"roleCredentials": {"accessKeyId": "SSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": 4070908800000}}"#,
        )
    });
    configure(
        &home,
        "[profile team]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n\
         [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n",
    );
    std::fs::create_dir_all(home.path(".aws/sso/cache")).unwrap();
    home.file(
        // The SHA-1 of "corp".
        ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
        r#"{"accessToken": "token", "expiresAt": "2099-01-01T00:00:00Z", "startUrl": "https://corp.awsapps.com/start", "region": "eu-west-1"}"#,
    );
    let variables = [("AWS_PROFILE", "team".to_owned()), ("AWS_ENDPOINT_URL_SSO", portal.url.clone())];
    assert_eq!(key(&home, &variables), ["SSO us-east-1 lambda"]);

    // Without a session the sentence says what happened.
    std::fs::remove_dir_all(home.path(".aws/sso")).unwrap();
    let mut program = program(&home);
    program.env_remove("AWS_ACCESS_KEY_ID").env("AWS_PROFILE", "team").env("AWS_REGION", "us-east-1");
    let message = refusal(&mut program, &TARGETS);
    assert!(message.contains("the AWS credentials cannot be had") && message.contains("aws sso login"), "{message}");
}

/// The message of a program that cannot begin: one line, exit code 1, and no run directory.
fn refusal(program: &mut Command, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    assert_code(&output, 1);
    assert!(output.stdout.is_empty());
    let message = stderr(&output);
    assert_eq!(message.lines().count(), 1, "{message}");
    // Nothing that only a programmer can read.
    for dump in ["{", "Error(", "panicked", "ErrorMetadata", "Some("] {
        assert!(!message.contains(dump), "{message}");
    }
    message
}

#[test]
fn a_missing_setting_is_one_sentence_with_the_fix() {
    let unset: &[(&str, &str)] = &[];
    let region = ("AWS_REGION", "us-east-1");
    for (config, variables, part) in [
        ("", unset, "no region is known: set AWS_REGION, or region in the profile, or name a function by its ARN"),
        ("", &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "")], "no region is known: set AWS_REGION"),
        ("", &[("AWS_REGION", "us-east-1\n")], r#""us-east-1\n" is not a region; write one such as us-east-1"#),
        ("", &[("AWS_REGION", "Ireland")], "\"Ireland\" is not a region"),
        (
            "[profile a]\n[profile b]\n",
            &[region, ("AWS_PROFILE", "c")],
            "the profile \"c\", which AWS_PROFILE names, is not in the AWS configuration files (there are a, b)",
        ),
        (
            "",
            &[region, ("AWS_PROFILE", "c")],
            "(there are none): name one that is, or add it with `aws configure --profile`",
        ),
        (
            "",
            &[region, ("AWS_ENDPOINT_URL", "localhost:4566")],
            "AWS_ENDPOINT_URL has no scheme: write http:// or https:// before localhost:4566",
        ),
        ("", &[region, ("AWS_ENDPOINT_URL_LAMBDA", "127.0.0.1:4566")], "AWS_ENDPOINT_URL_LAMBDA has no scheme"),
        ("", &[region, ("AWS_ENDPOINT_URL", "http://")], "AWS_ENDPOINT_URL is not a URL that can be called"),
        (
            "",
            &[region, ("AWS_ENDPOINT_URL", "ftp://host")],
            "AWS_ENDPOINT_URL has another scheme than http:// and https://: ftp",
        ),
        ("", &[region, ("AWS_ENDPOINT_URL", "localhost:4566")], "AWS_ENDPOINT_URL has no scheme: write http://"),
        (
            "[default]\nendpoint_url = localhost\n",
            &[region],
            "endpoint_url of the AWS profile has no scheme: write http:// or https:// before localhost",
        ),
        (
            "",
            &[region, ("AWS_ACCESS_KEY_ID", "AKIA\n")],
            "the access key ID has white space or other characters that none has, perhaps the end of a line",
        ),
        (
            "",
            &[region, ("AWS_ACCESS_KEY_ID", "AK IA")],
            "(AWS_ACCESS_KEY_ID, or aws_access_key_id in the AWS configuration files)",
        ),
        ("", &[region, ("AWS_SECRET_ACCESS_KEY", "secret\r\n")], "the secret access key has white space"),
        ("", &[region, ("AWS_SESSION_TOKEN", "to\nken")], "the session token has white space"),
        ("", &[region, ("AWS_ACCESS_KEY_ID", "\u{e9}")], "the access key ID has"),
        (
            "",
            &[region, ("AWS_ACCESS_KEY_ID", "")],
            "there are no AWS credentials: sign in with `aws login` or `aws sso login`, or set AWS_PROFILE",
        ),
        ("[default\nregion = x\n", &[region], ".aws/config on line 1: Profile definition must end with ']'"),
        ("", &[region, ("AWS_CONFIG_FILE", "/")], "the AWS configuration file / cannot be read: Is a directory"),
        ("", &[region, ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws")], ".aws cannot be read: Is a directory"),
        (
            "",
            &[region, ("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")],
            "FIPS and custom endpoint are not supported",
        ),
    ] {
        let home = Scratch::new();
        configure(&home, config);
        for arguments in [TARGETS.as_slice(), &TARGETS[..3]] {
            let message = refusal(program(&home).envs(variables.iter().copied()), arguments);
            assert!(message.contains(part), "{variables:?}: {message}");
        }
        assert!(!home.0.join("duet-runs").exists());
        let output = program(&home).envs(variables.iter().copied()).args(["call", "lambda:x86"]).output().unwrap();
        assert_code(&output, 1);
        assert!(stderr(&output).contains(part) && stderr(&output).lines().count() == 1, "{}", stderr(&output));
    }
}

#[test]
fn missing_settings_are_named_for_endpoints_and_stacks() {
    let home = Scratch::new();
    let url = "https://api.example.com/";
    let endpoint = ["--targets", url, url];
    let stack = ["--targets", "stack:duet"];
    let message = refusal(&mut program(&home), &endpoint);
    assert!(message.contains("no region is known") && message.contains("with --no-auth, if"), "{message}");
    let message = refusal(&mut program(&home), &stack);
    assert!(message.contains("no region is known"), "{message}");
    for targets in [endpoint.as_slice(), &stack] {
        let mut with_key = program(&home);
        with_key.env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "AKIA\n");
        assert!(refusal(&mut with_key, targets).contains("the access key ID has white space"));
        let mut without = program(&home);
        without.env("AWS_REGION", "us-east-1").env_remove("AWS_ACCESS_KEY_ID");
        assert!(refusal(&mut without, targets).contains("there are no AWS credentials"));
    }
    let mut cloudformation = program(&home);
    cloudformation.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL_CLOUDFORMATION", "localhost:4566");
    assert!(refusal(&mut cloudformation, &stack).contains("AWS_ENDPOINT_URL_CLOUDFORMATION has no scheme"));
}

#[test]
fn processes_need_no_credentials() {
    let output = duet(&["run", "--targets", "exec:/bin/true", "exec:/bin/true", "--dry-run"]);
    assert_code(&output, 0);
}

#[test]
fn missing_configuration_files_are_no_error() {
    let (home, aws) = (Scratch::new(), aws());
    let mut program = program(&home);
    program.env("AWS_CONFIG_FILE", "/nowhere/config").env("AWS_SHARED_CREDENTIALS_FILE", "~/nowhere");
    program.env("AWS_ENDPOINT_URL", &aws.url).env("AWS_REGION", "us-east-1").env("AWS_PROFILE", "");
    assert_code(&run(&mut program, &TARGETS), 0);
}

/// Another account's function: Lambda refuses the end of the log, as these words say.
fn without_log_tail(code: &'static str) -> Scripted {
    Scripted::start(move |call, _| match call.headers.get("x-amz-log-type") {
        Some(_) => Reply::status(403, r#"{"Message": "Cross-account log access is not allowed."}"#)
            .header("x-amzn-errortype", code)
            .after(REFUSAL),
        None => answer(call),
    })
}

/// How long that refusal takes.
const REFUSAL: Duration = Duration::from_secs(1);

#[test]
fn a_function_of_another_account_is_called_without_its_log_tail() {
    for code in ["AccessDeniedException", "InvalidParameterValueException"] {
        let (home, aws) = (Scratch::new(), without_log_tail(code));
        let (payload, out) = (home.file("payload.json", "{}"), home.path("run"));
        let mut program = program_on(&aws, &home);
        let arguments = [
            ["--targets", "lambda:123456789012:function:x86", "lambda:arm", "--payload", &payload, "--out", &out]
                .as_slice(),
            &["--environments", "2", "--invocations", "8"],
        ]
        .concat();
        let output = run(&mut program, &arguments);
        assert_code(&output, 0);
        let rows = samples(&out).1;
        assert!(rows.len() == 8 && rows.iter().all(|row| row.failure.is_none() && row.report.is_none()), "{rows:?}");
        // The refusal takes no part in the times.
        assert!(rows.iter().all(|row| u128::from(row.latency_ns) < REFUSAL.as_nanos()), "{rows:?}");
        // Said once for each side, with what is missing.
        let message = stderr(&output);
        assert_eq!(message.matches("without the end of its log, which is refused").count(), 2, "{message}");
        assert!(message.contains(code) && message.contains("what Lambda reports of calls is missing"), "{message}");
        // Not asked again: at most one refusal for each of a side's first two calls.
        let asked = aws.calls().iter().filter(|call| call.headers.contains_key("x-amz-log-type")).count();
        assert!((2..=4).contains(&asked), "{asked}");
    }
}

#[test]
fn another_refusal_is_not_mistaken_for_that_of_the_log_tail() {
    let aws = Scripted::start(|call, _| {
        if call.line.contains("/invocations") {
            Reply::status(403, r#"{"Message": "not authorized to perform: lambda:InvokeFunction"}"#)
                .header("x-amzn-errortype", "AccessDeniedException")
        } else {
            answer(call)
        }
    });
    let home = Scratch::new();
    let payload = home.file("payload.json", "{}");
    let mut program = program_on(&aws, &home);
    let output = run(&mut program, &["--targets", "lambda:x86", "lambda:arm", "--payload", &payload]);
    assert_code(&output, 3);
    assert!(!stderr(&output).contains("without the end of its log"), "{}", stderr(&output));
    let invocations = aws.calls().into_iter().filter(|call| call.line.contains("/invocations"));
    assert!(invocations.into_iter().all(|call| call.headers["x-amz-log-type"] == "Tail"));
}

/// A function that its callers may not look at.
fn without_configuration() -> Scripted {
    Scripted::start(|call, _| {
        if call.line.starts_with("GET ") {
            Reply::status(
            403,
            r#"{"Message": "User: arn:aws:iam::1:user/me is not authorized to perform: lambda:GetFunctionConfiguration"}"#,
        )
        .header("x-amzn-errortype", "AccessDeniedException")
        } else {
            answer(call)
        }
    })
}

#[test]
fn a_function_whose_configuration_may_not_be_read_is_called() {
    let (home, aws) = (Scratch::new(), without_configuration());
    let (payload, out) = (home.file("payload.json", "{}"), home.path("run"));
    let targets = ["--targets", "lambda:x86", "lambda:arm", "--payload", &payload];
    let mut campaign = program_on(&aws, &home);
    let limits = ["--environments", "1", "--invocations", "4", "--out", &out];
    let output = run(&mut campaign, &[targets.as_slice(), &limits].concat());
    assert_code(&output, 0);
    let message = stderr(&output);
    for part in [
        "Warning: how lambda:x86 is configured may not be read",
        "the permission lambda:GetFunctionConfiguration is missing",
        "its memory and architecture are not known",
        "costs are reckoned with 1769 MB",
        "lambda:arm (configuration unknown, costs as for 1769 MB)",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let (manifest, rows) = samples(&out);
    assert!(rows.len() == 4 && rows.iter().all(|row| row.failure.is_none()), "{rows:?}");
    assert_eq!(manifest.variants[both()[0]].configuration, None);
    // It goes on without, too.
    let mut again = program(&home);
    again.env("AWS_ENDPOINT_URL", &aws.url);
    assert_code(&run(&mut again, &["--resume", &out]), 0);

    // But what cannot be changed back is not changed.
    let mut cold = program_on(&aws, &home);
    let output = run(&mut cold, &[targets.as_slice(), &["--cold"]].concat());
    assert_code(&output, 1);
    assert!(stderr(&output).contains("allow lambda:GetFunctionConfiguration and"), "{}", stderr(&output));
    assert!(aws.calls().iter().all(|call| !call.line.starts_with("PUT ")));
}

#[test]
fn wrong_keys_are_not_mistaken_for_a_missing_permission() {
    for code in ["UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"] {
        let aws = Scripted::start(move |_, _| {
            Reply::status(403, r#"{"message": "The security token is wrong."}"#).header("x-amzn-errortype", code)
        });
        let mut program = program(&Scratch::new());
        program.current_dir("/").env("AWS_ENDPOINT_URL", &aws.url).env("AWS_REGION", "us-east-1");
        let message = refusal(&mut program, &TARGETS);
        assert!(message.contains(&format!("looking at lambda:x86: {code}: The security token is wrong.")), "{message}");
    }
}

#[test]
fn credentials_of_aws_login_are_used() {
    let home = Scratch::new();
    let session = "arn:aws:sts::123456789012:assumed-role/dev/me";
    configure(&home, &format!("[profile team]\nlogin_session = {session}\n"));
    std::fs::create_dir_all(home.path(".aws/login/cache")).unwrap();
    // The SHA-256 of the session.
    let name = ".aws/login/cache/9c1b2d83f477d75d462f45debe3b2760a8c7eeac3071e5c6f0f4206b59f09242.json";
    home.file(
        name,
        r#"{"accessToken": {"accessKeyId": "LOGIN", "secretAccessKey": "s", "sessionToken": "t",
            "accountId": "123456789012", "expiresAt": "2099-01-01T00:00:00Z"}, "tokenType": "aws_sigv4",
            "refreshToken": "r", "idToken": "i", "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "k"}"#,
    );
    assert_eq!(key(&home, &[("AWS_PROFILE", "team".to_owned())]), ["LOGIN us-east-1 lambda"]);

    std::fs::remove_file(home.path(name)).unwrap();
    let mut program = program(&home);
    program.env_remove("AWS_ACCESS_KEY_ID").env("AWS_PROFILE", "team").env("AWS_REGION", "us-east-1");
    let message = refusal(&mut program, &TARGETS);
    assert!(message.contains("the AWS credentials cannot be had") && message.contains("`aws login`"), "{message}");
}
