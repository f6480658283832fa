//! Both functions of a deployed Lambda Duet stack, as CloudFormation names them.

use super::{
    Target,
    aws::{Session, Signer},
    row::{Failure, FailureKind},
    sides::Sides,
};
use crate::transport::with_causes;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper::{Request, header::CONTENT_TYPE};
use serde::Deserialize;
use std::{collections::HashMap, env, fs, path::Path};

/// The name that a project's `samconfig.toml` gives its stack, if it gives one.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn configured_name(path: &Path) -> Result<Option<String>, String> {
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let SamConfig { default } = toml::from_str(&text).map_err(|error| wrong(&error))?;
    // A command's own parameters go before those for all commands.
    Ok([default.deploy, default.global].into_iter().find_map(|command| command.parameters.stack_name))
}

#[derive(Deserialize)]
struct SamConfig {
    #[serde(default)]
    default: Environment,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Environment {
    deploy: Command,
    global: Command,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Command {
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    stack_name: Option<String>,
}

/// Both functions of the stack `name`: x86_64 is the baseline.
///
/// # Errors
/// When there is no such stack, or it is none of Lambda Duet.
pub async fn functions(name: &str, session: &Session) -> Result<Sides<Target>, Failure> {
    let outputs = parse(&describe(name, session).await?)
        .ok_or_else(|| failure(format!("CloudFormation's description of the stack {name} cannot be read")))?;
    let function = |key: &str| match outputs.get(key) {
        Some(function) => Ok(Target::Function { name: function.clone(), qualifier: None }),
        None => Err(failure(format!(
            "the stack {name} has no output {key}, so it is none of Lambda Duet: name the functions with --targets"
        ))),
    };
    Ok(Sides { baseline: function("X86FunctionName")?, candidate: function("Arm64FunctionName")? })
}

fn failure(message: String) -> Failure {
    Failure::new(FailureKind::Refused, message)
}

/// Asks CloudFormation by its query protocol.
async fn describe(name: &str, session: &Session) -> Result<String, Failure> {
    let signer = Signer::new(session, "cloudformation").await?;
    let set = |variable| env::var(variable).ok().filter(|url| !url.is_empty());
    let endpoint = set("AWS_ENDPOINT_URL_CLOUDFORMATION")
        .or_else(|| set("AWS_ENDPOINT_URL"))
        .unwrap_or_else(|| regional_endpoint(signer.region()));
    // Stack names consist of letters, digits and hyphens; ARNs add colons and slashes.
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-:/".contains(it);
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(failure(format!("\"{name}\" is not the name of a stack")));
    }
    let query = format!("Action=DescribeStacks&Version=2010-05-15&StackName={name}");
    let mut request = Request::post(endpoint.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(SdkBody::from(query))
        .map_err(|error| failure(format!("the endpoint \"{endpoint}\" is not a URL: {error}")))?;
    signer.sign(&mut request).await?;
    let lost = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(FailureKind::Network, format!("asking CloudFormation at {endpoint}: {}", with_causes(error)))
    };
    let response = session.transport().send(request).await.map_err(|error| lost(&error))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| lost(&error))?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() {
        return Ok(text);
    }
    let reason = message(&text).unwrap_or(text);
    Err(failure(format!("CloudFormation does not describe the stack {name}: HTTP {}: {reason}", status.as_u16())))
}

fn regional_endpoint(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://cloudformation.{region}.{suffix}/")
}

/// The outputs of the first stack.
fn parse(xml: &str) -> Option<HashMap<String, String>> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let stack = document.descendants().find(|node| node.tag_name().name() == "Stacks")?;
    let text = |node: roxmltree::Node<'_, '_>, name: &str| {
        Some(node.children().find(|it| it.tag_name().name() == name)?.text()?.trim().to_owned())
    };
    let outputs = stack.descendants().filter_map(|node| Some((text(node, "OutputKey")?, text(node, "OutputValue")?)));
    Some(outputs.collect())
}

/// What an error says.
fn message(xml: &str) -> Option<String> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let message = document.descendants().find(|node| node.tag_name().name() == "Message")?;
    Some(message.text()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_and_errors_are_read() {
        let xml = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
            <DescribeStacksResult><Stacks><member><StackName>duet</StackName><Outputs>
              <member><OutputKey>ApiUrl</OutputKey><OutputValue>https://a?b&amp;c</OutputValue></member>
              <member><OutputKey>X86FunctionName</OutputKey><OutputValue>x</OutputValue></member>
            </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"#;
        let outputs = parse(xml).unwrap();
        assert_eq!(outputs["ApiUrl"], "https://a?b&c");
        assert_eq!(outputs["X86FunctionName"], "x");
        let error = "<ErrorResponse><Error><Code>V</Code><Message>no such stack</Message></Error></ErrorResponse>";
        assert_eq!(message(error).unwrap(), "no such stack");
        assert!(parse("<html>").is_none() && message("").is_none());
    }

    #[test]
    fn the_projects_own_file_names_its_stack() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samconfig.toml");
        assert_eq!(configured_name(&path).unwrap().as_deref(), Some("lambda-duet"));
        assert_eq!(configured_name(Path::new("/nowhere/samconfig.toml")), Ok(None));
    }
}
