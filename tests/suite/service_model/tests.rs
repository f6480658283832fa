//! The models refuse what AWS would not take, and what it would not say.

use super::{Findings, decoded, examine, examine_put_metric_data};
use crate::{
    campaign::{Scratch, targets::on_lambda},
    scripted::{Call, Reply, Scripted, request_id},
};
use hyper::{HeaderMap, header::HeaderName};
use std::{
    io::{Read, Write},
    net::TcpStream,
    panic::{AssertUnwindSafe, catch_unwind},
};

const INVOKE: &str = "POST /2015-03-31/functions/f/invocations";
const GET: &str = "GET /2015-03-31/functions/f/configuration";
const UPDATE: &str = "PUT /2015-03-31/functions/f/configuration";

/// A request that is signed for a service.
fn call(service: &str, line: &str, headers: &[(&'static str, &str)], body: &str) -> Call {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let all = headers.iter().copied().chain([("authorization", authorization.as_str())]);
    let headers: HeaderMap = all.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
    Call { line: line.to_owned(), headers, body: body.to_owned() }
}

fn lambda(line: &str, headers: &[(&'static str, &str)], body: &str) -> Call {
    call("lambda", line, headers, body)
}

/// Both have one finding each, or none, which has all of the parts.
fn assert_findings(findings: &[String], parts: &[&str]) {
    let is_one = usize::from(!parts.is_empty()) == findings.len();
    assert!(is_one && parts.iter().all(|part| findings[0].contains(part)), "{parts:?}: {findings:?}");
}

#[test]
fn requests_that_lambda_takes_are_taken() {
    let variables = r#"{"Environment": {"Variables": {"KEEP": "1"}}, "RevisionId": "r", "Timeout": 900}"#;
    let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af";
    let of_arn = format!("GET /2015-03-31/functions/{arn}/configuration?Qualifier=%24LATEST");
    let headers = [("x-amz-log-type", "Tail"), ("x-amz-invocation-type", "RequestResponse"), ("x-amz-date", "now")];
    for request in [
        lambda(INVOKE, &headers, "any [ bytes"),
        lambda(GET, &[], ""),
        lambda(&of_arn, &[], ""),
        lambda(UPDATE, &[], variables),
        lambda("GET /2019-09-30/functions/f/provisioned-concurrency?List=ALL", &[], ""),
    ] {
        assert_eq!(examine(&request, &Reply::ok("{}")), Findings::default(), "{request:?}");
    }
}

#[test]
fn requests_that_lambda_would_refuse_are_found_with_shape_and_member() {
    let variables =
        |variables: &str| lambda(UPDATE, &[], &format!(r#"{{"Environment": {{"Variables": {variables}}}}}"#));
    let with_header = |name, value| lambda(INVOKE, &[(name, value)], "{}");
    for (request, parts) in [
        (lambda("GET /2015-03-31/function", &[], ""), ["no such operation", "GET /2015-03-31/function"]),
        (lambda("PUT /2015-03-31/functions/f/invocations", &[], ""), ["no such operation", "Lambda"]),
        (lambda("GET /2015-03-31/functions//configuration", &[], ""), ["no such operation", "//"]),
        (
            lambda("GET /2015-03-31/functions/a%20b/configuration", &[], ""),
            ["FunctionName", "\"a b\", which does not match"],
        ),
        (
            lambda(&format!("{GET}?Qualifier=%21"), &[], ""),
            ["Qualifier (shape NumericLatestPublishedOr", "\"!\", which does not"],
        ),
        (lambda(&format!("{GET}?qualifier=1"), &[], ""), ["parameter qualifier", "GetFunctionConfigurationRequest"]),
        (with_header("x-amz-log-type", "Head"), ["LogType", "\"Head\", which is none of None, Tail"]),
        (with_header("x-amz-logtype", "Tail"), ["Invoke", "no header x-amz-logtype"]),
        (lambda(UPDATE, &[], "{"), ["UpdateFunctionConfiguration", "no JSON"]),
        (lambda(UPDATE, &[], r#"{"Variables": {}}"#), ["UpdateFunctionConfigurationRequest", "no member Variables"]),
        (variables("[]"), ["Environment.Variables (shape EnvironmentVariables)", "no Map"]),
        (variables(r#"{"KEEP": 1}"#), ["Variables.KEEP (shape EnvironmentVariableValue)", "no String"]),
        (variables(r#"{"A-B": ""}"#), ["Variables.A-B (shape EnvironmentVariableName)", "does not match"]),
        (variables("null"), ["Environment.Variables (shape EnvironmentVariables)", "null"]),
        (lambda(UPDATE, &[], r#"{"MemorySize": 64}"#), ["MemorySize (shape MemorySize)", "128 at least"]),
        (lambda(UPDATE, &[], r#"{"Timeout": 1.5}"#), ["Timeout (shape Timeout)", "no Integer"]),
        (lambda(UPDATE, &[], r#"{"Runtime": "rust"}"#), ["Runtime (shape Runtime)", "none of nodejs"]),
        (lambda(UPDATE, &[], r#"{"EphemeralStorage": {}}"#), ["EphemeralStorage", "required member Size"]),
        (call("execute-api", GET, &[], ""), ["signed for execute-api", "lacks"]),
        (Call { headers: HeaderMap::new(), ..lambda(GET, &[], "") }, ["not signed", GET]),
    ] {
        assert_findings(&examine(&request, &Reply::ok("{}")).request, &parts);
    }
}

#[test]
fn answers_that_lambda_gives_are_taken() {
    let get = lambda(GET, &[], "");
    let event = lambda(INVOKE, &[("x-amz-invocation-type", "Event")], "{}");
    let configuration =
        r#"{"MemorySize": 128, "Architectures": ["arm64"], "KMSKeyArn": null, "Layers": [{"CodeSize": 1}]}"#;
    let throttled = Reply::lambda_error("TooManyRequestsException", "Rate Exceeded.");
    for (request, reply) in [
        (&get, Reply::ok(configuration)),
        (&get, Reply::lambda_error("ResourceNotFoundException", "Function not found")),
        (&get, throttled.header("retry-after", "1")),
        (
            &get,
            Reply::status(403, r#"{"Message": "no"}"#).header("x-amzn-errortype", "AccessDeniedException:http://x/"),
        ),
        (&event, Reply::status(202, "")),
        (&lambda(INVOKE, &[], "{}"), Reply::ok("7").header("x-amz-executed-version", "$LATEST")),
        (&lambda(INVOKE, &[], "{}"), Reply::ok("not JSON").header("x-amz-log-result", "TE9H")),
    ] {
        assert_eq!(examine(request, &reply), Findings::default(), "{reply:?}");
    }
    // Their members are spelled as the model spells them.
    assert!(Reply::lambda_error("TooManyRequestsException", "x").body.contains(r#""message":"x""#));
    assert!(Reply::lambda_error("ServiceException", "x").body.contains(r#""Message":"x","Type":"Service""#));
}

#[test]
fn answers_that_lambda_would_not_give_are_found_with_shape_and_member() {
    let (get, invoke) = (lambda(GET, &[], ""), lambda(INVOKE, &[], "{}"));
    let error = |status, name, body: &str| Reply::status(status, body).header("x-amzn-errortype", name);
    let throttled = "TooManyRequestsException";
    let tail = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, vec![b'x'; 4097]);
    for (request, reply, parts) in [
        (&get, Reply::ok(r#"{"Memory": 128}"#), ["FunctionConfiguration", "no member Memory"]),
        (
            &get,
            Reply::ok(r#"{"MemorySize": "128"}"#),
            ["FunctionConfiguration.MemorySize (shape MemorySize)", "no Integer"],
        ),
        (&get, Reply::ok(r#"{"Architectures": ["x86"]}"#), ["Architectures[0] (shape Architecture)", "x86_64, arm64"]),
        (&get, Reply::ok(r#"{"Architectures": []}"#), ["Architectures (shape ArchitecturesList)", "1 at least"]),
        (&get, Reply::ok(r#"{"LastUpdateStatus": "Done"}"#), ["LastUpdateStatus", "Successful, Failed, InProgress"]),
        (&get, Reply::ok(r#"{"FunctionArn": "f"}"#), ["FunctionArn (shape NameSpacedFunctionArn)", "does not match"]),
        (&get, Reply::ok("<html>"), ["GetFunctionConfiguration", "no JSON"]),
        (&get, Reply::status(202, "{}"), ["HTTP 202", "success is HTTP 200"]),
        (&invoke, Reply::status(204, ""), ["HTTP 204", "success is HTTP 200"]),
        (&invoke, Reply::status(302, ""), ["HTTP 302", "success is HTTP 200"]),
        (&invoke, Reply::ok("").header("x-amz-executed-version", "live"), ["ExecutedVersion (shape Version)", "live"]),
        (&invoke, Reply::ok("").header("x-amz-log-results", "TE9H"), ["Invoke", "no header x-amz-log-results"]),
        (&invoke, Reply::ok("").header("x-amz-log-result", "LOG"), ["LogResult", "not base64"]),
        (&invoke, Reply::ok("").header("x-amz-log-result", tail), ["LogResult has 4097 bytes", "4096"]),
        (&invoke, Reply::status(500, "{}"), ["HTTP 500", "without x-amzn-errortype"]),
        (&invoke, error(500, throttled, "{}"), [throttled, "is HTTP 429, not 500"]),
        (&invoke, error(429, throttled, r#"{"Message": "x"}"#), [throttled, "no member Message"]),
        (&invoke, error(429, throttled, r#"{"Reason": "x"}"#), ["Reason (shape ThrottleReason)", "Reserved"]),
        (&get, error(502, "EC2ThrottledException", "{}"), ["EC2ThrottledException", "no error of this operation"]),
        (&get, error(404, "FunctionNotFound", "{}"), ["FunctionNotFound", "no error of this operation"]),
        (&get, error(500, "AccessDeniedException", "{}"), ["AccessDeniedException", "not 500"]),
        (&get, error(403, "AccessDeniedException", "no"), ["AccessDeniedException", "no JSON object"]),
        (
            &get,
            error(403, "AccessDeniedException", r#"{"Reason": "x"}"#),
            ["AccessDeniedException", "no member Reason"],
        ),
        (
            &get,
            error(403, "AccessDeniedException", r#"{"message": 1}"#),
            ["AccessDeniedException.message", "no String"],
        ),
    ] {
        assert_findings(&examine(request, &reply).reply, &parts);
    }
}

/// What CloudFormation says of one stack, with what a test changes.
fn described(from: &str, to: &str) -> Reply {
    let whole = "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
        <DescribeStacksResult><Stacks><member><StackName>s</StackName><StackStatus>CREATE_COMPLETE</StackStatus>\
        <CreationTime>2026-11-20T10:00:00Z</CreationTime><DisableRollback>false</DisableRollback></member></Stacks>\
        </DescribeStacksResult><ResponseMetadata/></DescribeStacksResponse>";
    assert!(whole.contains(from));
    Reply::ok(whole.replace(from, to))
}

#[test]
fn what_cloudformation_is_asked_and_answers_is_held_to_its_model() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let ask = |line: &str, query: &str| call("cloudformation", line, &form, query);
    let asked = ask("POST /", "Action=DescribeStacks&Version=2010-05-15&StackName=a%2Fb");
    let set = "Action=CreateChangeSet&Version=2010-05-15&StackName=s&ChangeSetName=c";
    let whole = format!("{set}&Capabilities.member.1=CAPABILITY_IAM&Tags.member.1.Key=a&Tags.member.1.Value=b");
    assert_eq!(examine(&ask("POST /", &whole), &described("", "")).request, [""; 0]);
    assert_eq!(examine(&asked, &described("", "")), Findings::default());
    for (request, parts) in [
        (ask("POST /", "Action=DescribeStack&Version=2010-05-15"), ["no Action", "DescribeStack"]),
        (ask("GET /", "Action=DescribeStacks&Version=2010-05-15"), ["goes to POST /", "GET /"]),
        (ask("POST /", "Action=DescribeStacks&Version=2011-05-15"), ["Version is", "not 2010-05-15"]),
        (ask("POST /", "Action=DescribeStacks&Version=2010-05-15&Name=s"), ["no member Name", "DescribeStacksInput"]),
        (ask("POST /", "Action=DescribeStackEvents&Version=2010-05-15"), ["DescribeStackEventsInput", "StackName"]),
        (
            ask("POST /", &format!("{set}&Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.3.Key=c")),
            ["Tags (shape Tags)", "numbered from 1"],
        ),
        (ask("POST /", &format!("{set}&Tags.member.1.Key=a")), ["Tags.member.1. (shape Tag)", "required member Value"]),
        (ask("POST /", &format!("{set}&Tags=a")), ["Tags (shape Tags)", "numbered from 1"]),
        (
            ask("POST /", &format!("{set}&Parameters.member.1.Name=a")),
            ["no member Parameters.member.1.Name", "(shape Parameter)"],
        ),
        (ask("POST /", &format!("{set}&ChangeSetType=NEW")), ["ChangeSetType", "none of CREATE"]),
        (
            call("cloudformation", "POST /", &[], "Action=DescribeStacks&Version=2010-05-15"),
            ["DescribeStacks", "content-type"],
        ),
    ] {
        assert_findings(&examine(&request, &described("", "")).request, &parts);
    }
    let error = |status, code: &str| {
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error>");
        Reply::status(status, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
    };
    for (reply, parts) in [
        (error(400, "ValidationError"), [].as_slice()),
        (error(404, "ValidationError"), &["ValidationError", "not 404"]),
        (error(400, "NoSuchStack"), &["NoSuchStack", "no error of this operation"]),
        (Reply::status(400, "<Error><Code>ValidationError</Code></Error>"), &["ErrorResponse", "Code"]),
        (Reply::ok("Stacks"), &["DescribeStacks", "no XML"]),
        (Reply { status: 201, ..described("", "") }, &["HTTP 201", "HTTP 200"]),
        (described("xmlns", "xmlns:c"), &["DescribeStacksResponse of", "2010-05-15"]),
        (described("<ResponseMetadata/>", "<Stacks/>"), &["DescribeStacks", "no element Stacks"]),
        (
            Reply::ok("<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"/>"),
            &["no element DescribeStacksResult", "result"],
        ),
        (described("<StackName>s</StackName>", ""), &["Stacks[0] (shape Stack)", "required member StackName"]),
        (described("CREATE_COMPLETE", "READY"), &["Stacks[0].StackStatus (shape StackStatus)", "none of"]),
        (described("2026-11-20T10:00:00Z", "today"), &["CreationTime (shape CreationTime)", "no Timestamp"]),
        (described("false", "no"), &["DisableRollback (shape DisableRollback)", "no Boolean"]),
        (described("<DisableRollback>false</DisableRollback>", "<Url/>"), &["(shape Stack)", "no member Url"]),
    ] {
        assert_findings(&examine(&asked, &reply).reply, parts);
    }
    let list = described("<member>", "<item>");
    let list = Reply::ok(list.body.replace("</member>", "</item>"));
    assert_findings(&examine(&asked, &list).reply, &["Stacks (shape Stacks) has item", "member"]);
}

#[test]
fn what_cloudwatch_is_sent_is_held_to_its_model() {
    let datum = |datum: &str| {
        let body: serde_json::Value =
            serde_json::from_str(&format!(r#"{{"Namespace": "N", "MetricData": [{datum}]}}"#)).unwrap();
        let mut bytes = Vec::new();
        ciborium::into_writer(&body, &mut bytes).unwrap();
        examine_put_metric_data(&bytes)
    };
    assert_findings(&datum(r#"{"MetricName": "m", "Values": [1, 2.5], "Unit": "Bytes", "StorageResolution": 1}"#), &[]);
    assert_findings(&datum("{}"), &["MetricData[0] (shape MetricDatum)", "required member MetricName"]);
    assert_findings(
        &datum(r#"{"MetricName": "m", "Unit": "Hours"}"#),
        &["Unit (shape StandardUnit)", "none of Seconds"],
    );
    assert_findings(&datum(r#"{"MetricName": "m", "Name": "m"}"#), &["(shape MetricDatum)", "no member Name"]);
    assert_findings(&examine_put_metric_data(b"\xff"), &["PutMetricData", "no CBOR"]);
}

/// What a test is told that has this script for its Lambda.
fn told(script: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static, looks: bool) -> String {
    let scratch = Scratch::new();
    let lambda = Scripted::aws(script);
    on_lambda(&scratch, &lambda, &[]);
    let ending = AssertUnwindSafe(move || if looks { drop(lambda.calls()) } else { drop(lambda) });
    catch_unwind(ending).map_or_else(|panic| *panic.downcast::<String>().unwrap(), |()| String::new())
}

#[test]
fn a_script_that_breaks_the_model_fails_its_test() {
    let lies = |_: &Call, _| Reply::ok(r#"{"MemorySize": 64}"#);
    for looks in [true, false] {
        let told = told(lies, looks);
        assert!(told.contains("FunctionConfiguration.MemorySize (shape MemorySize) is 64"), "{told}");
        // Both sides' answers are wrong, and in the same way.
        assert_eq!(told.matches("MemorySize (shape").count(), 1, "{told}");
    }
    let panics = told(|call, _| panic!("{} is not mine", call.line), false);
    assert!(panics.contains("the script panicked at GET") && panics.contains("is not mine"), "{panics}");
    let fits = told(|_, _| Reply::ok(r#"{"MemorySize": 128}"#).breaking_the_model("it looks strange"), false);
    assert!(fits.contains("said to break the model (it looks strange) and fits it"), "{fits}");
    let breaks = told(|_, _| Reply::status(404, "{}").breaking_the_model("a proxy has no error type"), false);
    assert_eq!(breaks, "");
}

#[test]
fn every_answer_of_aws_has_a_request_id() {
    let aws = Scripted::aws(|_, number| match number {
        0 => Reply::ok("{}"),
        _ => Reply::ok("{}").header("x-amzn-requestid", "mine"),
    });
    let address = aws.url.strip_prefix("http://").unwrap();
    let signed = lambda(GET, &[], "").headers["authorization"].clone();
    let signed = signed.to_str().unwrap();
    for id in [request_id(0).as_str(), "mine"] {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{GET} HTTP/1.1\r\nhost: {address}\r\nauthorization: {signed}\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(&format!("x-amzn-requestid: {id}\r\n")), "{answer}");
    }
}

#[test]
fn percent_encoding_is_undone() {
    for (text, expected) in
        [("a%3Ab", "a:b"), ("100%", "100%"), ("%zz%2", "%zz%2"), ("a+b", "a b"), ("%C3%A9", "é"), ("é%41", "éA")]
    {
        assert_eq!(decoded(text), expected);
    }
}

#[test]
fn what_s3_is_asked_and_answers_is_held_to_its_model() {
    let ask = |line: &str| call("s3", line, &[("x-amz-expected-bucket-owner", "123456789012")], "");
    let listed = |inner: &str| {
        Reply::ok(format!(
            "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</ListVersionsResult>"
        ))
    };
    let version = "<Version><Key>a</Key><VersionId>null</VersionId><IsLatest>true</IsLatest></Version>";
    let error =
        |status, code: &str| Reply::status(status, format!("<Error><Code>{code}</Code><Message>m</Message></Error>"));
    for (line, reply, parts) in [
        ("GET /b?versions", listed(&format!("<Name>b</Name>{version}{version}")), [].as_slice()),
        ("GET /b?versions", listed("<Versions/>"), &["has no member Versions"]),
        ("GET /b?versions", listed("<IsTruncated>no</IsTruncated>"), &["IsTruncated", "no Boolean"]),
        ("GET /b?versions", error(404, "NoSuchBucket"), &[]),
        ("GET /b?versions", error(400, "NoSuchBucket"), &["NoSuchBucket", "not 400"]),
        ("GET /b?versions", error(400, "NoSuchThing"), &["no error of S3's"]),
        ("HEAD /b/k/l", Reply::status(404, ""), &[]),
        ("HEAD /b/k/l", error(404, "NoSuchKey"), &["HeadObject", "no body"]),
        ("DELETE /b/k?versionId=3", Reply::status(204, ""), &[]),
        ("DELETE /b/k?versionId=3", Reply::ok(""), &["success is HTTP 204"]),
    ] {
        let findings = examine(&ask(line), &reply);
        assert_eq!(findings.request, [""; 0], "{line}");
        assert_findings(&findings.reply, parts);
    }
    for (line, parts) in
        [("PATCH /b", ["PATCH /b", "no such operation"]), ("GET /b?versions&after=k", ["query", "after"])]
    {
        assert_findings(&examine(&ask(line), &listed("")).request, &parts);
    }
}
