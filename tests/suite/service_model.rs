//! What AWS's own descriptions of its services say about a request and its answer.
//!
//! They are botocore's models, which come with the AWS CLI in `.tools/aws`: every operation with its method and path,
//! the shapes of what goes in and out, and the errors. The scripted AWS holds to them what the program sends and what a
//! test has it answer, so that no test passes against an AWS that does not exist.

mod cbor;
mod json;
mod query;
mod rest_json;
mod rest_xml;
mod shapes;
mod tests;

use crate::{
    handler::root,
    scripted::{Call, Reply},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, OnceLock},
};

/// The services that the program calls, by the names that requests to them are signed for.
static LAMBDA: LazyLock<Model> = LazyLock::new(|| Model::load("lambda"));
static CLOUDWATCH: LazyLock<Model> = LazyLock::new(|| Model::load("cloudwatch"));
static LOGS: LazyLock<Model> = LazyLock::new(|| Model::load("logs"));
static CLOUDFORMATION: LazyLock<Model> = LazyLock::new(|| Model::load("cloudformation"));
static S3: LazyLock<Model> = LazyLock::new(|| Model::load("s3"));

/// Errors that every service may answer with (*Common Errors* in their references), and their statuses. Where the
/// reference and the services disagree both are allowed.
const COMMON_ERRORS: [(&str, &[u16]); 20] = [
    ("AccessDenied", &[403]),
    ("AccessDeniedException", &[400, 403]),
    ("ExpiredToken", &[400, 403]),
    ("ExpiredTokenException", &[400, 403]),
    ("IncompleteSignature", &[400, 403]),
    ("IncompleteSignatureException", &[400, 403]),
    ("InternalFailure", &[500]),
    ("InvalidClientTokenId", &[403]),
    ("InvalidSignatureException", &[403]),
    ("MissingAuthenticationTokenException", &[403]),
    ("NotAuthorized", &[400, 401]),
    ("OptInRequired", &[403]),
    ("RequestExpired", &[400]),
    ("ServiceUnavailable", &[503]),
    ("ServiceUnavailableException", &[503]),
    ("Throttling", &[400]),
    ("ThrottlingException", &[400, 429]),
    ("UnknownOperationException", &[404]),
    ("UnrecognizedClientException", &[400, 403]),
    ("ValidationError", &[400]),
];

/// One service.
#[derive(Debug, Deserialize)]
pub struct Model {
    metadata: Metadata,
    operations: BTreeMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    api_version: String,
    protocol: String,
    service_id: String,
    xml_namespace: Option<String>,
    json_version: Option<String>,
    target_prefix: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Operation {
    name: String,
    http: Http,
    input: Option<Reference>,
    output: Option<Reference>,
    #[serde(default)]
    errors: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    request_uri: String,
    response_code: Option<u16>,
}

/// Where a shape is used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    shape: String,
    location: Option<String>,
    location_name: Option<String>,
    /// The XML element around an output.
    result_wrapper: Option<String>,
}

impl Reference {
    /// The name on the wire of the member `name`.
    fn wire_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.location_name.as_deref().unwrap_or(name)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    members: BTreeMap<String, Reference>,
    required: Vec<String>,
    /// The member that is the whole body.
    payload: Option<String>,
    member: Option<Reference>,
    key: Option<Reference>,
    value: Option<Reference>,
    #[serde(rename = "enum")]
    values: Vec<String>,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    /// It as this program reads it; none where it is in another dialect.
    #[serde(skip)]
    matcher: OnceLock<Option<regex::bytes::Regex>>,
    error: Option<ErrorTrait>,
    eventstream: bool,
    /// Whether the items of a list stand in XML where the list would.
    flattened: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Structure,
    List,
    Map,
    String,
    Blob,
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorTrait {
    /// Its name on the wire, where that is not the shape's.
    code: Option<String>,
    http_status_code: u16,
    #[serde(default)]
    sender_fault: bool,
}

impl Model {
    fn load(service: &str) -> Self {
        let path = newest(service).unwrap_or_else(|| {
            panic!("the AWS CLI's description of {service} is missing in .tools/aws: run scripts/setup.sh check")
        });
        let text = fs::read_to_string(&path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).unwrap_or_else(|| panic!("the model of {} lacks {name}", self.metadata.service_id))
    }

    /// The shape of an error that `operation` may answer with.
    fn error<'a>(&'a self, operation: &'a Operation, code: &str) -> Option<(&'a str, &'a ErrorTrait)> {
        operation.errors.iter().find_map(|error| {
            let shape = self.shape(&error.shape).error.as_ref()?;
            (shape.code.as_deref().unwrap_or(&error.shape) == code).then_some((error.shape.as_str(), shape))
        })
    }
}

/// The file of the newest version of a service's interface.
fn newest(service: &str) -> Option<PathBuf> {
    let children = |directory: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(directory).into_iter().flatten().map(|it| it.unwrap().path()).collect();
        paths.sort_unstable();
        paths
    };
    let versions = children(&root().join(".tools/aws/lib"))
        .into_iter()
        .flat_map(|python| children(&python.join("site-packages/awscli/botocore/data").join(service)));
    versions.map(|version| version.join("service-2.json")).rfind(|path| path.exists())
}

/// An error of Lambda's, as the status and the body that it has.
pub fn lambda_error(name: &str, message: &str) -> (u16, serde_json::Value) {
    if let Some((_, statuses)) = COMMON_ERRORS.iter().find(|(common, _)| *common == name) {
        // Lambda gives the last of them.
        return (statuses[statuses.len() - 1], serde_json::json!({"message": message}));
    }
    let shape = LAMBDA.shape(name);
    let error = shape.error.as_ref().unwrap_or_else(|| panic!("{name} is no error of Lambda's"));
    // Some have one name for it, some the other.
    let member = shape.members.keys().find(|it| it.eq_ignore_ascii_case("message")).expect("a message");
    let fault = if error.sender_fault { "User" } else { "Service" };
    (error.http_status_code, serde_json::json!({"Type": fault, member: message}))
}

/// What of an exchange breaks the models.
#[derive(Debug, Default, PartialEq)]
pub struct Findings {
    pub request: Vec<String>,
    pub reply: Vec<String>,
}

impl Findings {
    fn of_request(finding: String) -> Self {
        Self { request: vec![finding], reply: Vec::new() }
    }
}

/// What of a `PutMetricData` request, which is CBOR, breaks CloudWatch's model.
pub fn examine_put_metric_data(body: &[u8]) -> Vec<String> {
    cbor::request(&CLOUDWATCH, "PutMetricData", body)
}

/// Fails where the models are missing.
pub fn require() {
    LazyLock::force(&LAMBDA);
}

/// Holds a request and its answer to the model of the service that the request is signed for.
pub fn examine(call: &Call, reply: &Reply) -> Findings {
    let Some(service) = signed_for(call) else {
        return Findings::of_request(format!("{}: the request is not signed", call.line));
    };
    let model = match service {
        "lambda" => &LAMBDA,
        "cloudformation" => &CLOUDFORMATION,
        "logs" => &LOGS,
        "s3" => &S3,
        // It speaks JSON too.
        "monitoring" => return json::examine(&CLOUDWATCH, call, reply),
        _ => {
            let finding = format!("{}: signed for {service}, which tests/suite/service_model.rs lacks", call.line);
            return Findings::of_request(finding);
        }
    };
    match model.metadata.protocol.as_str() {
        "rest-json" => rest_json::examine(model, call, reply),
        "rest-xml" => rest_xml::examine(model, call, reply),
        "query" => query::examine(model, call, reply),
        "json" => json::examine(model, call, reply),
        protocol => panic!("{service} speaks {protocol}"),
    }
}

/// The service in the scope of a signature, `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn signed_for(call: &Call) -> Option<&str> {
    let authorization = call.headers.get("authorization")?.to_str().ok()?;
    let scope = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=")?.split(',').next()?;
    match scope.split('/').collect::<Vec<_>>().as_slice() {
        [.., _, _, service, "aws4_request"] => Some(service),
        _ => None,
    }
}

/// The name and the value of each parameter.
pub fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let code = (*first == b'%').then(|| text.get(text.len() - after.len()..).and_then(|it| it.get(..2))).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
