//! What the handler is built from.

use std::{collections::BTreeSet, process::Command};

/// `name version` of every package that is linked into the handler, on any platform.
fn packages() -> BTreeSet<(String, String)> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--no-default-features", "--features", "lambda", "--edges", "normal", "--target", "all"])
        .args(["--prefix", "none", "--format", "{p}", "--locked", "--package", env!("CARGO_PKG_NAME")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    text.lines().filter_map(package).collect()
}

fn versions(name: &str) -> usize {
    packages().iter().filter(|(package, _)| package == name).count()
}

#[test]
fn the_handler_has_exactly_one_tls_stack() {
    assert_eq!((versions("rustls"), versions("ring")), (1, 1));
    for other in ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "openssl-sys", "s2n-tls", "boring"] {
        assert_eq!(versions(other), 0, "{other} is a second TLS stack");
    }
}

#[test]
fn the_handler_has_no_part_of_the_command_line() {
    let packages = packages();
    let parts = ["clap", "clap_builder", "comfy-table", "anyhow", "aws-sdk-lambda", "indicatif", "toml", "roxmltree"];
    for part in parts.into_iter().chain([
        "anstream",
        "maud",
        "plotters",
        "statrs",
        "serde-saphyr",
        "aws-sdk-signin",
        "ipnet",
        "object",
        "parquet",
        "tempfile",
        "zip",
    ]) {
        assert!(packages.iter().all(|(package, _)| package != part), "{part} belongs to the command line");
    }
}

#[test]
fn the_handler_speaks_one_http() {
    assert_eq!((versions("hyper"), versions("hyper-rustls"), versions("h2")), (1, 1, 0));
}

#[test]
fn the_handler_is_built_on_what_it_says() {
    let named = [
        "lambda_runtime",
        "lambda_http",
        "aws-config",
        "aws-sdk-cloudwatch",
        "tokio",
        "serde",
        "serde_json",
        "tracing",
        "tracing-subscriber",
        "rand",
    ];
    for name in named {
        assert_eq!(versions(name), 1, "{name}");
    }
}
