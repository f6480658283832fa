//! The functions of a deployed Lambda Duet stack, as CloudFormation names them.

use super::{
    Target,
    aws::Session,
    cloud_formation::{self, Refusal, parameter, text},
    row::Failure,
};
use std::collections::HashMap;

/// Both functions of the stack `name`, x86_64 first.
///
/// # Errors
/// When there is no such stack, or it is not a stack of Lambda Duet.
pub async fn functions(name: &str, session: &Session) -> Result<[Target; 2], Failure> {
    let outputs = parse(&describe(name, session).await?)
        .ok_or_else(|| Failure::refused(format!("CloudFormation's description of the stack {name} cannot be read")))?;
    Ok([function(name, &outputs, "X86FunctionName")?, function(name, &outputs, "Arm64FunctionName")?])
}

fn function(stack: &str, outputs: &HashMap<String, String>, key: &str) -> Result<Target, Failure> {
    let Some(name) = outputs.get(key) else {
        return Err(Failure::refused(format!(
            "the stack {stack} has no output {key}, so it is not a stack of Lambda Duet: name the functions with --targets"
        )));
    };
    format!("lambda:{name}").parse().map_err(|error| {
        Failure::refused(format!("the stack {stack} has an output {key} that names no function: {error}"))
    })
}

/// Checks that `name` has only characters that the query can carry, and that an ARN has the right form.
fn check_name(name: &str) -> Result<(), Failure> {
    // Stack names consist of letters, digits and hyphens; ARNs add colons and slashes.
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-:/._".contains(character);
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(Failure::refused(format!("\"{name}\" is not the name of a stack")));
    }
    match name.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "cloudformation", region, _, stack] if !region.is_empty() && stack.starts_with("stack/") => Ok(()),
        [_] => Ok(()),
        _ => Err(Failure::refused(format!(
            "\"{name}\" is not a stack; write stack:NAME or stack:arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID"
        ))),
    }
}

/// CloudFormation's description of the stack.
async fn describe(name: &str, session: &Session) -> Result<String, Failure> {
    check_name(name)?;
    let refused = |refusal| Failure::refused(format!("CloudFormation does not describe the stack {name}: {refusal}"));
    let answer = cloud_formation::ask(session, "DescribeStacks", &[parameter("StackName", name)]).await;
    answer.map_err(|refusal| match refusal {
        Refusal::Error { .. } => refused(refusal),
        Refusal::Lost(failure) => failure,
    })
}

/// The outputs of the first stack.
fn parse(xml: &str) -> Option<HashMap<String, String>> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let stack = document.descendants().find(|node| node.tag_name().name() == "Stacks")?;
    let outputs = stack.descendants().filter_map(|node| Some((text(node, "OutputKey")?, text(node, "OutputValue")?)));
    Some(outputs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read() {
        let xml = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
            <DescribeStacksResult><Stacks><member><StackName>duet</StackName><Outputs>
              <member><OutputKey>ApiUrl</OutputKey><OutputValue>https://a?b&amp;c</OutputValue></member>
              <member><OutputKey>X86FunctionName</OutputKey><OutputValue>x</OutputValue></member>
            </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"#;
        let outputs = parse(xml).unwrap();
        assert_eq!(outputs["ApiUrl"], "https://a?b&c");
        assert_eq!(outputs["X86FunctionName"], "x");
        assert!(parse("<html>").is_none());
    }
}
