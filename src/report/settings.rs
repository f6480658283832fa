//! How a function gets the architecture and the memory of a variant: the lines to change, for each tool.

use super::document::Block;
use crate::{
    analysis::{
        result::{Analysis, VariantFacts},
        tried_function::TriedFunction,
    },
    campaign::function_arn::FunctionArn,
    protocol::Architecture,
};

/// What changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    architecture: Option<Architecture>,
    memory_mb: Option<u32>,
}

/// How a tool's files set them.
struct Dialect {
    tool: &'static str,
    language: &'static str,
    /// Where the lines stand.
    place: &'static str,
    architecture: fn(Architecture) -> String,
    memory: fn(u32) -> String,
}

const DIALECTS: [Dialect; 3] = [
    Dialect {
        tool: "AWS SAM",
        language: "yaml",
        place: "the function's Properties",
        architecture: |architecture| format!("Architectures: [{architecture}]"),
        memory: |memory_mb| format!("MemorySize: {memory_mb}"),
    },
    Dialect {
        tool: "AWS CDK",
        language: "typescript",
        place: "the properties of its lambda.Function",
        architecture: |architecture| match architecture {
            Architecture::Arm64 => "architecture: lambda.Architecture.ARM_64,".to_owned(),
            Architecture::X86_64 => "architecture: lambda.Architecture.X86_64,".to_owned(),
        },
        memory: |memory_mb| format!("memorySize: {memory_mb},"),
    },
    Dialect {
        tool: "Terraform",
        language: "hcl",
        place: "its aws_lambda_function",
        architecture: |architecture| format!("architectures = [\"{architecture}\"]"),
        memory: |memory_mb| format!("memory_size   = {memory_mb}"),
    },
];

/// The lines to change for the balanced variant. Nothing if that is the function as it is, or if there is none.
pub fn blocks(analysis: &Analysis) -> Vec<Block> {
    let balanced = analysis.choice.as_ref().and_then(|choice| choice.balanced.as_ref());
    balanced.map_or_else(Vec::new, |balanced| blocks_of(analysis, &balanced.variant))
}

/// The lines to change for the variant of this name. Nothing if that is the function as it is.
pub fn blocks_of(analysis: &Analysis, name: &str) -> Vec<Block> {
    let variant = analysis.variants.iter().find(|facts| facts.name == name);
    let Some((function, variant)) = analysis.trial.as_ref().zip(variant) else { return Vec::new() };
    let Some(change) = Change::new(function, variant) else { return Vec::new() };
    let mut blocks = vec![Block::Heading(format!("To make the function like {}", variant.name))];
    blocks.extend(DIALECTS.iter().map(|dialect| Block::Code {
        title: format!("{}, in {}:", dialect.tool, dialect.place),
        language: dialect.language,
        lines: change.lines(dialect),
    }));
    blocks.push(Block::Code { title: "AWS CLI:".to_owned(), language: "sh", lines: commands(change, function) });
    blocks.extend(change.architecture.map(|architecture| {
        Block::Remark(format!(
            "Its code and layers must be for {architecture}; duet try FUNCTION --inspect names what is not."
        ))
    }));
    blocks
}

impl Change {
    /// None if there is none.
    fn new(function: &TriedFunction, variant: &VariantFacts) -> Option<Self> {
        let change = Self {
            architecture: variant.architecture.filter(|architecture| *architecture != function.architecture),
            memory_mb: variant.memory_mb.filter(|memory_mb| *memory_mb != function.memory_mb),
        };
        (change.architecture.is_some() || change.memory_mb.is_some()).then_some(change)
    }

    fn lines(self, dialect: &Dialect) -> Vec<String> {
        let architecture = self.architecture.map(dialect.architecture);
        architecture.into_iter().chain(self.memory_mb.map(dialect.memory)).collect()
    }
}

/// The calls of the AWS CLI. Lambda refuses the second while the first is under way.
fn commands(change: Change, function: &TriedFunction) -> Vec<String> {
    let named = options(function.arn.as_deref());
    let package = match function.package_type.as_deref() {
        Some("Image") => "--image-uri IMAGE",
        _ => "--zip-file fileb://FILE.zip",
    };
    let code = change.architecture.map(|architecture| {
        format!("aws lambda update-function-code {named} --architectures {architecture} {package}")
    });
    let configuration = change.memory_mb.map(|memory_mb| memory_command(function.arn.as_deref(), memory_mb));
    let wait = || format!("aws lambda wait function-updated {named}");
    match (code, configuration) {
        (Some(code), Some(configuration)) => vec![code, wait(), configuration],
        (code, configuration) => code.into_iter().chain(configuration).collect(),
    }
}

/// The call of the AWS CLI that sets the memory of a function.
pub fn memory_command(arn: Option<&str>, memory_mb: u32) -> String {
    format!("aws lambda update-function-configuration {} --memory-size {memory_mb}", options(arn))
}

/// The call of the AWS CLI that tells the memory of a function.
pub fn look_command(arn: Option<&str>) -> String {
    format!("aws lambda get-function-configuration {} --query MemorySize", options(arn))
}

/// The options that name the function and its region.
fn options(arn: Option<&str>) -> String {
    let is_plain = |part: &&str| {
        !part.is_empty() && part.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
    };
    let arn = FunctionArn(arn.unwrap_or_default());
    match (arn.region().filter(is_plain), arn.name().filter(is_plain)) {
        (Some(region), Some(name)) => format!("--region {region} --function-name {name}"),
        _ => "--function-name FUNCTION".to_owned(),
    }
}

#[cfg(test)]
mod tests;
