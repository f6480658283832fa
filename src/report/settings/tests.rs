use super::*;
use crate::{
    analysis::choice::{Choice, Chosen},
    report::fixture,
};

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:orders:7";

/// A function of 1,024 MB on x86_64, and a choice of arm64 at such a size.
fn analysis(memory_mb: u32, package_type: Option<&str>, arn: Option<&str>) -> Analysis {
    let mut analysis = fixture::campaign(&fixture::analysis());
    analysis.variants[1].memory_mb = Some(memory_mb);
    analysis.trial = Some(TriedFunction {
        arn: arn.map(str::to_owned),
        package_type: package_type.map(str::to_owned),
        ..fixture::tried_function(Architecture::X86_64)
    });
    let balanced = Some(Chosen { variant: "arm64".to_owned(), not_distinguishable: Vec::new() });
    let (cheapest, fastest, undecided) = (None, None, Vec::new());
    analysis.choice = Some(Choice { weight: 0.5, exceeding: Vec::new(), cheapest, fastest, balanced, undecided });
    analysis
}

fn lines(analysis: &Analysis) -> Vec<String> {
    let blocks = blocks(analysis).into_iter();
    blocks
        .flat_map(|block| match block {
            Block::Code { lines, .. } => lines,
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn architecture_and_memory_are_set_by_each_tool() {
    let expected = [
        "Architectures: [arm64]",
        "MemorySize: 512",
        "architecture: lambda.Architecture.ARM_64,",
        "memorySize: 512,",
        "architectures = [\"arm64\"]",
        "memory_size   = 512",
        "aws lambda update-function-code --region eu-west-1 --function-name orders --architectures arm64 --zip-file \
         fileb://FILE.zip",
        "aws lambda wait function-updated --region eu-west-1 --function-name orders",
        "aws lambda update-function-configuration --region eu-west-1 --function-name orders --memory-size 512",
    ];
    assert_eq!(lines(&analysis(512, Some("Zip"), Some(ARN))), expected);
}

#[test]
fn only_what_differs_changes() {
    let analysis = analysis(1024, Some("Image"), None);
    let lines = lines(&analysis);
    assert_eq!(lines.len(), 4, "{lines:?}");
    let command = "aws lambda update-function-code --function-name FUNCTION --architectures arm64 --image-uri IMAGE";
    assert_eq!(lines[3], command);
    let mut memory_alone = analysis;
    memory_alone.variants[1].memory_mb = Some(2048);
    memory_alone.trial.as_mut().unwrap().architecture = Architecture::Arm64;
    let text = fixture::plain(&blocks(&memory_alone));
    assert!(text.contains("  memorySize: 2048,\n") && !text.to_lowercase().contains("architecture"), "{text}");
    memory_alone.variants[1].memory_mb = Some(1024);
    assert!(blocks(&memory_alone).is_empty(), "it is the function as it is");
}

#[test]
fn what_is_no_name_is_not_put_into_a_command() {
    for arn in ["arn:aws:lambda:eu-west-1:1:function:a`b", "arn:aws:lambda:eu west:1:function:a", "orders", ""] {
        let lines = lines(&analysis(512, None, Some(arn)));
        assert!(lines[6].starts_with("aws lambda update-function-code --function-name FUNCTION "), "{lines:?}");
    }
}
