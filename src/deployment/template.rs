//! The template of the service, which is part of this program, and what of it a deployment edits.

use crate::protocol::{Architecture, nearest};

/// The template as it is in the repository.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// The code of both functions where SAM CLI builds it.
const CODE_OF_ALL: &str = "    CodeUri: .\n";

/// The beginning of the descriptions of this project's stacks of the service, by which they are known.
pub const DESCRIPTION: &str = "Lambda Duet: the same benchmark service";

/// The template of the service with the code of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTemplate(String);

impl ServiceTemplate {
    /// The template whose functions have the code in `bucket` under the keys that `key` gives.
    pub fn new(bucket: &str, key: impl Fn(Architecture) -> String) -> Self {
        Self::of(TEMPLATE, bucket, key)
    }

    fn of(template: &str, bucket: &str, key: impl Fn(Architecture) -> String) -> Self {
        let mut text = replaced(template, CODE_OF_ALL, "");
        for architecture in Architecture::ALL {
            let anchor = anchor(architecture);
            let code =
                format!("{anchor}      CodeUri:\n        Bucket: \"{bucket}\"\n        Key: {}\n", key(architecture));
            text = replaced(&text, &anchor, &code);
        }
        Self(text)
    }

    /// What CloudFormation is sent.
    pub fn body(&self) -> &str {
        &self.0
    }

    /// The names of the parameters.
    pub fn parameters() -> impl Iterator<Item = &'static str> {
        let section = TEMPLATE.lines().skip_while(|line| *line != "Parameters:").skip(1);
        let section = section.take_while(|line| line.is_empty() || line.starts_with(' '));
        section.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':').filter(|name| !name.starts_with(' ')))
    }

    /// Refuses a parameter that the template has not.
    ///
    /// # Errors
    /// With the nearest one that it has.
    pub fn check_parameter(name: &str) -> Result<(), String> {
        if Self::parameters().any(|known| known == name) {
            return Ok(());
        }
        let all = || Self::parameters().collect::<Vec<_>>().join(", ");
        let hint = nearest(name, Self::parameters())
            .map_or_else(|| format!("it has {}", all()), |nearest| format!("did you mean {nearest}?"));
        Err(format!("the template has no parameter \"{name}\"; {hint}"))
    }
}

/// A text in which `part` is replaced, which has to be there: otherwise the functions would get no code, or another one.
fn replaced(text: &str, part: &str, by: &str) -> String {
    assert_eq!(text.matches(part).count(), 1, "the template has not the shape that is edited: {part:?}");
    text.replacen(part, by, 1)
}

/// The first property of the function of an architecture.
fn anchor(architecture: Architecture) -> String {
    format!("      Description: Lambda Duet on {architecture}\n")
}

/// Where the functions of a deployed template have their code, whether `duet` or SAM CLI has deployed it.
pub fn code_locations(template: &str) -> Vec<String> {
    let mut lines = template.lines().map(str::trim).peekable();
    let mut locations = Vec::new();
    while let Some(line) = lines.next() {
        let Some(code) = line.strip_prefix("CodeUri:").map(str::trim) else { continue };
        if code.starts_with("s3://") {
            locations.push(code.to_owned());
        } else if let Some(bucket) = lines.next_if(|line| line.starts_with("Bucket: "))
            && let Some(key) = lines.next_if(|line| line.starts_with("Key: "))
        {
            let bucket = bucket["Bucket: ".len()..].trim_matches('"');
            locations.push(format!("s3://{bucket}/{}", &key["Key: ".len()..]));
        }
    }
    locations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited() -> ServiceTemplate {
        ServiceTemplate::new("the-bucket", |architecture| format!("lambda-duet/{architecture}.zip"))
    }

    #[test]
    fn the_template_has_the_shape_that_is_edited() {
        let count = |text: &str| TEMPLATE.matches(text).count();
        assert_eq!(count("CodeUri"), 1);
        assert_eq!(count(CODE_OF_ALL), 1);
        assert_eq!(count("Type: AWS::Serverless::Function\n"), 2);
        for (architecture, name) in Architecture::ALL.into_iter().zip(["X86Function", "Arm64Function"]) {
            let anchor = anchor(architecture);
            assert_eq!(count(&anchor), 1);
            // The anchor is a property of that function.
            let function = TEMPLATE.split(&format!("\n  {name}:\n")).nth(1).unwrap();
            let function = function.split("\n\n").next().unwrap();
            let properties = format!("    Properties:\n{anchor}      Architectures: [{architecture}]\n");
            assert!(function.contains(&properties), "{name}: {function}");
        }
        assert!(TEMPLATE.contains(&format!("Description: >-\n  {DESCRIPTION}")));
        assert!(TEMPLATE.contains("\nTransform: AWS::Serverless-2016-10-31\n"));
    }

    /// The most bytes of a template that CloudFormation takes in a request.
    const MAX_BODY: usize = 51_200;

    #[test]
    fn each_function_gets_the_code_of_its_architecture_and_nothing_else_changes() {
        let template = edited();
        let body = template.body();
        assert!(body.len() <= MAX_BODY, "{} bytes", body.len());
        for architecture in Architecture::ALL {
            let expected = format!(
                "Lambda Duet on {architecture}\n      CodeUri:\n        Bucket: \"the-bucket\"\n        Key: \
                 lambda-duet/{architecture}.zip\n      Architectures: [{architecture}]\n"
            );
            assert!(body.contains(&expected), "{body}");
        }
        assert_eq!(body.lines().count(), TEMPLATE.lines().count() + 5);
        let kept = body.lines().filter(|line| TEMPLATE.lines().any(|own| own == *line)).count();
        assert_eq!(kept, body.lines().count() - 6);
    }

    #[test]
    #[should_panic(expected = "the template has not the shape that is edited")]
    fn a_template_of_another_shape_is_not_deployed() {
        ServiceTemplate::of(&TEMPLATE.replace('\n', "\r\n"), "the-bucket", |_| String::new());
    }

    #[test]
    fn parameters_are_those_of_the_template() {
        let names: Vec<&str> = ServiceTemplate::parameters().collect();
        assert_eq!(names.len(), 11, "{names:?}");
        assert_eq!([names[0], names[10]], ["MemorySize", "ApiGatewayLogRole"]);
        assert_eq!(ServiceTemplate::check_parameter("XRay"), Ok(()));
        let wrong = ServiceTemplate::check_parameter("Memorysize").unwrap_err();
        assert_eq!(wrong, "the template has no parameter \"Memorysize\"; did you mean MemorySize?");
        assert!(ServiceTemplate::check_parameter("zzz").unwrap_err().contains("it has MemorySize, Timeout, "));
    }

    #[test]
    fn the_code_of_a_deployed_template_is_found() {
        let own = ["s3://the-bucket/lambda-duet/arm64.zip", "s3://the-bucket/lambda-duet/x86_64.zip"];
        assert_eq!(code_locations(edited().body()), own);
        let of_sam = "  Arm64Function:\n    Properties:\n      CodeUri: s3://managed/0ab1\n      Handler: bootstrap\n";
        assert_eq!(code_locations(of_sam), ["s3://managed/0ab1"]);
        let unquoted = "      CodeUri:\n        Bucket: shop\n        Key: a.zip\n";
        assert_eq!(code_locations(unquoted), ["s3://shop/a.zip"]);
        assert_eq!(code_locations(TEMPLATE), [""; 0]);
    }
}
