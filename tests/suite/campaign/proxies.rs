//! Proxies of the environment, for calls of the SDK and for others alike.

use super::{
    Scratch, assert_code,
    places::{answer, aws, program, program_on, proxy, run, signed},
};
use crate::{
    cli::stderr,
    scripted::{Reply, Scripted},
};

const TARGETS: [&str; 4] = ["--targets", "lambda:x86", "lambda:arm", "--dry-run"];

/// Whether the proxy, asked by these variables, saw the calls of Lambda, instead of the host itself.
fn is_proxied(variables: &[(&str, &str)]) -> bool {
    let (home, proxy, host) = (Scratch::new(), proxy(), aws());
    let mut program = program_on(&host, &home);
    let fill =
        |value: &str| value.replace("{}", &proxy.url).replace("{bare}", proxy.url.strip_prefix("http://").unwrap());
    program.envs(variables.iter().map(|(name, value)| (name, fill(value))));
    assert_code(&run(&mut program, &TARGETS), 0);
    let (proxied, direct) = (proxy.count(), host.count());
    assert!((proxied, direct) == (2, 0) || (proxied, direct) == (0, 2), "{proxied} {direct}");
    for call in proxy.calls() {
        // What a proxy reads is whole.
        assert!(call.line.starts_with(&format!("GET {}/2015-03-31/functions/", host.url)), "{}", call.line);
    }
    proxied > 0
}

#[test]
fn http_goes_through_its_proxy_unless_the_host_is_excepted() {
    for (variables, expected) in [
        ([("HTTP_PROXY", "{}"), ("UNUSED", "")], true),
        ([("http_proxy", "{}"), ("UNUSED", "")], true),
        ([("HTTP_PROXY", "{bare}"), ("UNUSED", "")], true),
        ([("HTTP_PROXY", "{}"), ("http_proxy", "")], true),
        ([("HTTP_PROXY", "http://127.0.0.1:1"), ("http_proxy", "{}")], true),
        ([("HTTP_PROXY", "{}"), ("NO_PROXY", "example.com")], true),
        ([("HTTP_PROXY", "{}"), ("NO_PROXY", "127.0.0.1")], false),
        ([("HTTP_PROXY", "{}"), ("no_proxy", "example.com, 127.0.0.0/8")], false),
        ([("HTTP_PROXY", "{}"), ("NO_PROXY", "*")], false),
        ([("HTTP_PROXY", ""), ("NO_PROXY", "")], false),
        // It is for https:// alone, as the AWS CLI takes it.
        ([("HTTPS_PROXY", "{}"), ("ALL_PROXY", "{}")], false),
    ] {
        assert_eq!(is_proxied(&variables), expected, "{variables:?}");
    }
}

#[test]
fn endpoints_and_stacks_go_through_the_proxy_too_and_show_its_password_to_it_alone() {
    let (home, proxy) = (Scratch::new(), proxy());
    let payload = home.file("payload.json", "{}");
    let with_password = proxy.url.replace("http://", "http://me:s3cret@");
    let url = "http://abc.execute-api.eu-west-1.amazonaws.com/prod";
    let campaign = ["--targets", url, url, "--payload", &payload, "--environments", "1", "--invocations", "2"];
    let output = run(program(&home).env("HTTP_PROXY", &with_password), &campaign);
    assert_code(&output, 0);
    assert!(!stderr(&output).contains("s3cret"), "{}", stderr(&output));
    assert_eq!(signed(&proxy, url), ["ENVIRONMENT eu-west-1 execute-api"]);
    let mut program = program(&home);
    program.env("HTTP_PROXY", &with_password).env("AWS_REGION", "eu-west-1");
    program.env("AWS_ENDPOINT_URL", "http://aws.example.com");
    assert_code(&run(&mut program, &["--targets", "stack:duet", "--dry-run"]), 0);
    for call in proxy.calls() {
        // "me:s3cret" in base64.
        assert_eq!(call.headers["proxy-authorization"], "Basic bWU6czNjcmV0", "{}", call.line);
        let signature = call.headers["authorization"].to_str().unwrap();
        assert!(!signature.contains("proxy-authorization"), "{signature}");
    }
    assert_eq!(proxy.count(), 5);
}

#[test]
fn https_asks_its_proxy_for_a_tunnel_with_the_password() {
    let home = Scratch::new();
    let proxy = Scripted::start(|call, _| match call.headers.get("proxy-authorization") {
        Some(_) => Reply::status(403, "not there"),
        None => Reply::status(407, "who are you?"),
    });
    for (userinfo, part) in [("", "authorization"), ("me:s3cret@", "unsuccessful")] {
        let url = proxy.url.replace("http://", &format!("http://{userinfo}"));
        let mut program = program(&home);
        program.env("https_proxy", &url).env("AWS_REGION", "us-east-1");
        let output = run(&mut program, &TARGETS);
        assert_code(&output, 1);
        let message = stderr(&output);
        assert!(message.contains(&format!("through the proxy {}", proxy.url)) && message.contains(part), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
    assert!(proxy.calls().iter().all(|call| call.line == "CONNECT lambda.us-east-1.amazonaws.com:443"));
    assert_eq!(proxy.calls()[1].headers["proxy-authorization"], "Basic bWU6czNjcmV0");
}

#[test]
fn an_invalid_proxy_is_reported_without_its_password() {
    let home = Scratch::new();
    for (variable, value) in [
        ("HTTPS_PROXY", "socks5://me:s3cret@127.0.0.1:1080"),
        ("HTTP_PROXY", "http://me:s3cret@"),
        ("http_proxy", "ftp://s3cret"),
        ("https_proxy", "http://a b"),
    ] {
        let output = run(program(&home).env(variable, value), &TARGETS);
        assert_code(&output, 1);
        let message = stderr(&output);
        let expected = format!("{variable} does not name an HTTP proxy; write http://HOST:PORT");
        assert!(message.contains(&expected) && !message.contains("s3cret"), "{message}");
    }
}

#[test]
fn credentials_of_containers_come_without_a_proxy_where_it_is_excepted() {
    let (home, proxy) = (Scratch::new(), proxy());
    let containers = Scripted::start(|call, _| {
        assert_eq!(call.headers["authorization"], "token");
        Reply::ok(
            r#"{"AccessKeyId": "CONTAINER", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}"#,
        )
    });
    let lambda = Scripted::start(|call, _| answer(call));
    let mut program = program(&home);
    program
        .env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/role", containers.url))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token")
        .env("AWS_ENDPOINT_URL", &lambda.url)
        .env("AWS_REGION", "us-east-1")
        .env("HTTP_PROXY", &proxy.url)
        .env("NO_PROXY", "127.0.0.1");
    assert_code(&run(&mut program, &TARGETS), 0);
    assert_eq!((containers.count(), proxy.count()), (1, 0));
    assert_eq!(signed(&lambda, "/functions/"), ["CONTAINER us-east-1 lambda"]);
}
