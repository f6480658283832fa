//! The bucket for code that a deployment has of its own, and its stack.

use super::stack::{Stack, StackName};
use crate::campaign::{aws::Session, failure::Failure, lowercase_hex};
use rand::{TryRng, rngs::SysRng};

const TEMPLATE: &str = include_str!("code_stack.yaml");

/// The beginning of the description of such a stack, by which it is known.
const DESCRIPTION: &str = "Lambda Duet: the bucket for the code";

/// The parameter with the name of the bucket, and the output too.
const BUCKET_NAME: &str = "BucketName";

/// The most characters of a stack's name that the name of its bucket begins with: with what follows it has 63 at most.
const LONGEST_BEGINNING: usize = 40;

/// The stack of a bucket.
#[derive(Debug)]
pub struct CodeStack;

impl CodeStack {
    /// What CloudFormation is sent.
    pub const TEMPLATE: &str = TEMPLATE;

    /// The parameter with the name of the bucket.
    pub const PARAMETER: &str = BUCKET_NAME;

    /// Whether this is the stack of a bucket for code.
    ///
    /// # Errors
    /// When CloudFormation does not give its template.
    pub async fn is(stack: &Stack, session: &Session) -> Result<bool, Failure> {
        stack.is_own(session, DESCRIPTION).await
    }

    /// The name of the bucket of such a stack; none if it was never made.
    pub fn bucket(stack: &Stack) -> Option<&str> {
        stack.output(BUCKET_NAME)
    }
}

/// A name for the bucket of a stack. It cannot be guessed: all accounts share the names of buckets, and another one could
/// have taken it before.
pub fn bucket_name(stack: &StackName) -> String {
    format!("{}{}", beginning_of_bucket(stack.as_str()), random_digits())
}

/// What the names of all buckets for the code of a stack begin with.
pub fn beginning_of_bucket(stack: &str) -> String {
    let beginning: String = stack.to_lowercase().chars().take(LONGEST_BEGINNING).collect();
    format!("{beginning}-code-")
}

/// Twelve random hexadecimal digits.
pub(super) fn random_digits() -> String {
    let mut random = [0; 6];
    SysRng.try_fill_bytes(&mut random).expect("the operating system provides random bytes");
    lowercase_hex(&random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_known_by_its_description_and_names_its_bucket() {
        assert!(TEMPLATE.contains(&format!("\nDescription: \"{DESCRIPTION}")));
        assert_eq!(TEMPLATE.matches(&format!("  {BUCKET_NAME}:\n")).count(), 2);
        for setting in ["BucketOwnerEnforced", "SSEAlgorithm: AES256", "aws:SecureTransport: \"false\""] {
            assert!(TEMPLATE.contains(setting), "{setting}");
        }
        assert_eq!(TEMPLATE.matches(": true\n").count(), 4);
    }

    #[test]
    fn names_of_buckets_are_ones_that_s3_takes() {
        for stack in ["lambda-duet", "Lambda-Duet-PROD", &"x".repeat(123)] {
            let stack: StackName = stack.parse().unwrap();
            let [one, other] = [0, 1].map(|_| bucket_name(&stack));
            assert_ne!(one, other);
            assert!(one.len() <= 63, "{one}");
            assert!(
                one.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{one}"
            );
        }
    }
}
