//! The forms of a function's name that Lambda accepts.

use super::{super::region, Target, TargetError, has_userinfo};
use std::str::FromStr;

/// A whole ARN, for messages.
const ARN: &str = "arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]";

/// A Lambda function, in any form that Lambda accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionName {
    /// Without the qualifier.
    pub name: String,
    /// The version or alias.
    pub qualifier: Option<String>,
}

impl FunctionName {
    /// Reads what targets have behind `lambda:`.
    ///
    /// # Errors
    /// When Lambda would not accept it.
    pub(super) fn read(text: &str) -> Result<Self, TargetError> {
        let wrong = |reason| TargetError::Function { name: text.to_owned(), reason };
        let (name, qualifier) = split(text).map_err(wrong)?;
        Ok(Self { name: name.to_owned(), qualifier: qualifier.map(str::to_owned) })
    }
}

/// A function as people name it: `lambda:` may be left out.
impl FromStr for FunctionName {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        // Before anything else: every other message repeats the text.
        if has_userinfo(text) {
            return Err(TargetError::Userinfo);
        }
        Self::read(text.strip_prefix("lambda:").unwrap_or(text))
    }
}

impl From<FunctionName> for Target {
    fn from(FunctionName { name, qualifier }: FunctionName) -> Self {
        Self::Function { name, qualifier }
    }
}

const PARTS: [&str; 7] = ["\"arn\"", "partition", "service", "region", "account", "resource type", "name"];

/// The longest name of a function, in characters.
const MAX_NAME: usize = 64;

/// Splits a function's name, in any form that Lambda accepts, into the name and the qualifier. The forms are `NAME`,
/// `REGION:ACCOUNT:function:NAME`, in which each part before the name is optional, and an ARN, all with or without
/// `:QUALIFIER`.
///
/// # Errors
/// With the reason why Lambda would not accept it, and with the right form.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    let parts: Vec<&str> = text.split(':').collect();
    let index = if parts[0] == "arn" { name_in_arn(&parts)? } else { name_in_partial_arn(&parts)? };
    if parts.len() > index + 2 {
        return Err(format!("it has parts behind the qualifier; write NAME[:QUALIFIER] or {ARN}"));
    }
    check_name(parts[index])?;
    let qualifier = parts.get(index + 1).copied();
    qualifier.map_or(Ok(()), check_qualifier)?;
    let name = qualifier.map_or(text, |qualifier| &text[..text.len() - qualifier.len() - 1]);
    Ok((name, qualifier))
}

/// The index of the name in an ARN.
fn name_in_arn(parts: &[&str]) -> Result<usize, String> {
    let name = PARTS.len() - 1;
    if let Some(part) = PARTS.get(parts.len()) {
        return Err(format!("the ARN is cut off before its {part}; write {ARN}"));
    }
    if let Some((part, _)) = PARTS[..name].iter().zip(parts).find(|(_, text)| text.is_empty()) {
        return Err(format!("the ARN's {part} is empty; write {ARN}"));
    }
    if parts[2] != "lambda" || parts[5] != "function" {
        return Err(format!("the ARN is of {} in {}, not of a function; write {ARN}", parts[5], parts[2]));
    }
    if !region::is_account(parts[4]) {
        return Err(format!("the ARN's account \"{}\" is not 12 digits; write {ARN}", parts[4]));
    }
    Ok(name)
}

/// The index of the name after a region, an account and `function`, each of which is optional.
fn name_in_partial_arn(parts: &[&str]) -> Result<usize, String> {
    let last = parts.len() - 1;
    let mut index = 0;
    for is_prefix in [region::is_region, region::is_account, is_resource_type] {
        index += usize::from(index < last && is_prefix(parts[index]));
    }
    if index > 0 && index == last && (is_resource_type(parts[index]) || region::is_account(parts[index])) {
        return Err("it is cut off before the name; write ACCOUNT:function:NAME[:QUALIFIER]".to_owned());
    }
    Ok(index)
}

fn is_resource_type(text: &str) -> bool {
    text == "function"
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name is empty; write NAME[:QUALIFIER]".to_owned());
    }
    if let Some((region, original)) = name.split_once('.').filter(|(region, _)| region::is_region(region)) {
        return Err(format!(
            "{name} is a replica of Lambda@Edge, which CloudFront alone can call; name the function that it was made \
             from, {original} in {region}"
        ));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(format!("\"{name}\" is not a function's name, which has letters, digits, hyphens and underscores"));
    }
    if name.len() > MAX_NAME {
        return Err(format!("the name has {} characters; Lambda's have {MAX_NAME} at most", name.len()));
    }
    Ok(())
}

fn check_qualifier(qualifier: &str) -> Result<(), String> {
    if qualifier.is_empty() {
        return Err("there is nothing after the last colon; write NAME, NAME:VERSION or NAME:ALIAS".to_owned());
    }
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if ["$LATEST", "$LATEST.PUBLISHED"].contains(&qualifier) || qualifier.bytes().all(is_known) {
        return Ok(());
    }
    Err(format!("\"{qualifier}\" is not a qualifier; write a version's number, an alias, or $LATEST"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_lambda_accepts_is_split() {
        let arn = "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:fast";
        for name in [
            "fast",
            "function:fast",
            "123456789012:fast",
            "123456789012:function:fast",
            "us-east-1:123456789012:function:fast",
            "eusc-de-east-1:function:fast",
            "function",
            "123456789012",
            "us-east-1",
            arn,
        ] {
            assert_eq!(split(name), Ok((name, None)));
            for qualifier in ["7", "live", "$LATEST", "$LATEST.PUBLISHED", "a_b-C"] {
                // What stands before one colon is taken for a prefix, as Lambda does.
                if !["function", "123456789012", "us-east-1"].contains(&name) {
                    assert_eq!(split(&format!("{name}:{qualifier}")), Ok((name, Some(qualifier))));
                }
            }
        }
        assert_eq!(split("function:live"), Ok(("function:live", None)));
    }

    #[test]
    fn an_incomplete_name_is_refused_with_the_right_form() {
        for (text, part) in [
            ("arn", "cut off before its partition"),
            ("arn:aws", "cut off before its service"),
            ("arn:aws:lambda", "cut off before its region"),
            ("arn:aws:lambda:eu-west-1", "cut off before its account"),
            ("arn:aws:lambda:eu-west-1:123456789012", "cut off before its resource type"),
            ("arn:aws:lambda:eu-west-1:123456789012:function", "cut off before its name"),
            ("arn:aws:lambda::123456789012:function:fast", "region is empty"),
            ("arn:aws:lambda:eu-west-1::function:fast", "account is empty"),
            ("arn:aws:lambda:eu-west-1:12345678901:function:fast", "\"12345678901\" is not 12 digits"),
            ("arn:aws:lambda:eu-west-1:123456789012:function:", "the name is empty"),
            ("arn:aws:lambda:eu-west-1:123456789012:layer:fast:1", "of layer in lambda"),
            ("arn:aws:states:eu-west-1:123456789012:stateMachine:fast", "of stateMachine in states"),
            ("arn:aws:lambda:eu-west-1:123456789012:function:fast:", "nothing after the last colon"),
            ("arn:aws:lambda:eu-west-1:123456789012:function:fast:1:2", "parts behind the qualifier"),
            ("123456789012:function", "ACCOUNT:function:NAME"),
            ("us-east-1:123456789012", "ACCOUNT:function:NAME"),
            ("123456789012:function:", "the name is empty"),
            ("fast:", "nothing after the last colon"),
            (":live", "the name is empty"),
            ("fast:live:2", "parts behind the qualifier"),
            ("fast:l!ve", "\"l!ve\" is not a qualifier"),
            ("fast function", "is not a function's name"),
            ("us-east-1.fast", "Lambda@Edge"),
        ] {
            let reason = split(text).unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
        assert!(split(&"x".repeat(64)).is_ok() && split(&"x".repeat(65)).unwrap_err().contains("65 characters"));
    }
}
