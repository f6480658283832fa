//! Whether real packages run on the other architecture: wheels of PyPI, packages of npm, JARs with natives, programs.

pub mod packages;

use crate::handler;
use lambda_duet::{
    portability::{Finding, FunctionDescription, Package, PackageName, Portability, Verdict, assess},
    protocol::Architecture,
};
use packages::{Files, files, library, npm, wheel, wheel_file, zipped};
use serde_json::Value;
use std::{fs, io::Cursor};

/// Wheels with native code, by the names and versions in their `dist-info`.
const WHEELS: [(&str, &str); 14] = [
    ("bcrypt", "bcrypt==4.3.0"),
    ("cffi", "cffi==1.17.1"),
    ("charset_normalizer", "charset_normalizer==3.4.1"),
    ("frozenlist", "frozenlist==1.5.0"),
    ("markupsafe", "MarkupSafe==3.0.2"),
    ("msgpack", "msgpack==1.1.0"),
    ("multidict", "multidict==6.1.0"),
    ("psutil", "psutil==7.0.0"),
    ("pyyaml", "PyYAML==6.0.2"),
    ("rpds_py", "rpds_py==0.24.0"),
    ("simplejson", "simplejson==3.20.1"),
    ("ujson", "ujson==5.10.0"),
    ("wrapt", "wrapt==1.17.2"),
    ("xxhash", "xxhash==3.5.0"),
];

/// What is found in a file, in a few words: what, of what, in how many files; and the rebuild line.
fn in_short(finding: &Finding) -> String {
    let json = serde_json::to_value(finding).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let origin = &json["origin"];
    let words = [
        text(&json["finding"]),
        text(&origin["kind"]),
        text(&origin["name"]),
        text(&origin["version"]),
        text(&origin["file"]),
        format!("×{}", finding.count),
    ];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let rebuild = finding.rebuild.iter().map(|line| format!(": {line}"));
    words.join(" ") + &rebuild.collect::<String>()
}

fn answer(runtime: &str, architecture: Architecture, package: PackageName, archive: &[u8]) -> Portability {
    let function = FunctionDescription {
        runtime: Some(runtime.to_owned()),
        handler: Some("app.handler".to_owned()),
        architecture,
        image: None,
    };
    let app = zipped(&files(&[("app.py", b"")]));
    let code = Package { name: PackageName::Code, compatible_architectures: None, archive: Ok(Cursor::new(app)) };
    let asked = Package { name: package, compatible_architectures: None, archive: Ok(Cursor::new(archive.to_vec())) };
    let packages = if asked.name == PackageName::Code { vec![asked] } else { vec![code, asked] };
    assess(&function, packages).unwrap()
}

/// Both answers about one package: to a function that is on x86_64 today, and to one that is on arm64.
fn is(name: &str, runtime: &str, package: &Files, on_x86_64: (Verdict, &[&str]), on_arm64: (Verdict, &[&str])) {
    let archive = zipped(package);
    let directions = [(Architecture::X86_64, on_x86_64), (Architecture::Arm64, on_arm64)];
    for (architecture, (verdict, findings)) in directions {
        let answer = answer(runtime, architecture, PackageName::Code, &archive);
        let found: Vec<String> = answer.findings.iter().map(in_short).collect();
        assert_eq!((answer.verdict, found), (verdict, findings.iter().map(ToString::to_string).collect()), "{name}");
    }
}

/// A package that needs other files on one side only.
fn is_for(name: &str, runtime: &str, package: &Files, architecture: Architecture, of: &str, rebuild: &str) {
    let needs = format!("present-architecture {of}: {rebuild}");
    let remark = format!("other-architecture {of}");
    let (needs, remark) = ([needs.as_str()], [remark.as_str()]);
    let (needs, remark) = ((Verdict::NeedsFiles, needs.as_slice()), (Verdict::Portable, remark.as_slice()));
    match architecture {
        Architecture::X86_64 => is(name, runtime, package, needs, remark),
        Architecture::Arm64 => is(name, runtime, package, remark, needs),
    }
}

fn is_portable(name: &str, runtime: &str, package: &Files) {
    is(name, runtime, package, (Verdict::Portable, &[]), (Verdict::Portable, &[]));
}

fn with_app(package: Files) -> Files {
    [files(&[("app.py", b"def handler(event, context): pass\n")]), package].concat()
}

const SIDES: [(Architecture, &str, &str); 2] =
    [(Architecture::X86_64, "x86_64", "aarch64"), (Architecture::Arm64, "aarch64", "x86_64")];

#[test]
fn wheels_are_for_the_architecture_in_their_names() {
    for (name, requirement) in WHEELS {
        for (architecture, own, other) in SIDES {
            let package = with_app(wheel(name, own, ""));
            let natives = package.iter().filter(|(path, _)| path.ends_with(".so")).count();
            let of = format!("wheel {} ×{natives}", requirement.replace("==", " "));
            let rebuild = format!(
                "pip install --platform manylinux2014_{other} --implementation cp --python-version 3.13 \
                 --only-binary=:all: --target package {requirement}"
            );
            is_for(&format!("{name} {own}"), "python3.13", &package, architecture, &of, &rebuild);
        }
    }
}

#[test]
fn wheels_without_natives_are_portable() {
    is_portable("six", "python3.13", &with_app(wheel("six", "any", "")));
    is_portable("requests", "python3.13", &with_app(wheel("requests", "any", "")));
}

#[test]
fn wheels_of_both_architectures_in_one_directory_are_portable() {
    for name in ["wrapt", "multidict", "cffi"] {
        let mut package = with_app(wheel(name, "x86_64", ""));
        let other = wheel(name, "aarch64", "").into_iter().filter(|(path, _)| path.ends_with(".so"));
        package.extend(other);
        is_portable(name, "python3.13", &package);
    }
}

#[test]
fn wheels_that_are_not_installed_are_looked_into() {
    let package = with_app(vec![("markupsafe.whl".to_owned(), wheel_file("markupsafe", "x86_64"))]);
    let rebuild = "pip install --platform manylinux2014_aarch64 --implementation cp --python-version 3.13 \
                   --only-binary=:all: --target package MarkupSafe==3.0.2";
    is_for("wheel", "python3.13", &package, Architecture::X86_64, "wheel MarkupSafe 3.0.2 ×1", rebuild);
}

#[test]
fn wheels_of_layers_are_installed_for_layers() {
    let archive = zipped(&wheel("ujson", "x86_64", "python/lib/python3.13/site-packages/"));
    let answer = answer("python3.13", Architecture::X86_64, PackageName::Layer("json".to_owned()), &archive);
    assert_eq!(answer.verdict, Verdict::NeedsFiles);
    let [finding] = answer.findings.as_slice() else { panic!("{answer:?}") };
    assert_eq!(
        finding.sentence(),
        "In layer json: the wheel ujson 5.10.0 \
         (python/lib/python3.13/site-packages/ujson.cpython-313-x86_64-linux-gnu.so) is for x86_64 alone."
    );
    let rebuild = finding.rebuild.as_deref().unwrap();
    assert!(rebuild.ends_with(" --target python ujson==5.10.0"), "{rebuild}");
}

#[test]
fn npm_packages_with_natives_of_both_architectures_are_portable() {
    let portable = |packages: &[&str]| is_portable(&packages.join(" "), "nodejs22.x", &npm(packages));
    portable(&["ms@2.1.3"]);
    portable(&["@node-rs/crc32@1.10.6"]);
    portable(&["bcrypt@6.0.0"]);
    portable(&["@node-rs/crc32-linux-x64-gnu@1.10.6", "@node-rs/crc32-linux-arm64-gnu@1.10.6"]);
    portable(&["@node-rs/bcrypt-linux-x64-gnu@1.10.7", "@node-rs/bcrypt-linux-arm64-gnu@1.10.7", "ms@2.1.3"]);
    portable(&["@parcel/watcher-linux-x64-glibc@2.5.1", "@parcel/watcher-linux-arm64-glibc@2.5.1"]);
    portable(&[
        "@parcel/watcher-linux-x64-glibc@2.5.1",
        "@parcel/watcher-linux-arm64-glibc@2.5.1",
        "@parcel/watcher-darwin-arm64@2.5.1",
    ]);
    portable(&[
        "@node-rs/crc32@1.10.6",
        "@node-rs/crc32-linux-x64-gnu@1.10.6",
        "@node-rs/crc32-linux-x64-musl@1.10.6",
        "@node-rs/crc32-linux-arm64-gnu@1.10.6",
    ]);
}

#[test]
fn npm_packages_with_natives_of_one_architecture_are_named() {
    let is_for = |packages: &[&str], architecture, natives: &str, installed: &str| {
        let cpu = if architecture == Architecture::X86_64 { "arm64" } else { "x64" };
        let rebuild = format!("npm install --os=linux --cpu={cpu} --libc=glibc {installed}");
        let of = format!("npm-package {natives}");
        is_for(&packages.join(" "), "nodejs22.x", &npm(packages), architecture, &of, &rebuild);
    };
    let x86_64 = Architecture::X86_64;
    is_for(&["bufferutil@4.0.9"], x86_64, "bufferutil 4.0.9 ×1", "bufferutil@4.0.9");
    is_for(&["utf-8-validate@6.0.5", "ms@2.1.3"], x86_64, "utf-8-validate 6.0.5 ×1", "utf-8-validate@6.0.5");
    let crc32 = "@node-rs/crc32@1.10.6";
    let (gnu, musl) = ("@node-rs/crc32-linux-x64-gnu@1.10.6", "@node-rs/crc32-linux-x64-musl@1.10.6");
    is_for(&[crc32, gnu], x86_64, "@node-rs/crc32-linux-x64-gnu 1.10.6 ×1", crc32);
    is_for(&[crc32, gnu, musl], x86_64, "@node-rs/crc32-linux-x64-gnu 1.10.6 ×1", crc32);
    is_for(&[gnu], x86_64, "@node-rs/crc32-linux-x64-gnu 1.10.6 ×1", gnu);
    let arm64 = "@node-rs/crc32-linux-arm64-gnu@1.10.6";
    is_for(&[crc32, arm64], Architecture::Arm64, "@node-rs/crc32-linux-arm64-gnu 1.10.6 ×1", crc32);
    // What the package has for arm64 is linked with musl.
    let x64 = "@msgpackr-extract/msgpackr-extract-linux-x64@3.0.3";
    let arm64 = "@msgpackr-extract/msgpackr-extract-linux-arm64@3.0.3";
    let of = "@msgpackr-extract/msgpackr-extract-linux-x64 3.0.3 ×2";
    is_for(&["msgpackr-extract@3.0.3", x64], x86_64, of, "msgpackr-extract@3.0.3");
    is_for(&["msgpackr-extract@3.0.3", x64, arm64], x86_64, of, "msgpackr-extract@3.0.3");
}

#[test]
fn packages_that_were_installed_on_a_mac_are_remarked_on() {
    let remark = ["foreign-system npm-package @parcel/watcher-darwin-arm64 2.5.1 ×1"];
    let answer = (Verdict::Portable, remark.as_slice());
    is("mac", "nodejs22.x", &npm(&["@parcel/watcher-darwin-arm64@2.5.1"]), answer, answer);
}

#[test]
fn jars_are_looked_into() {
    let (x86_64, arm64) = (library("markupsafe", "x86_64"), library("markupsafe", "aarch64"));
    let jar = |natives: &[(&str, &[u8])]| zipped(&[files(natives), files(&[("a/A.class", b"")])].concat());
    let both = jar(&[("org/a/linux/amd64/liba.so", &x86_64), ("org/a/linux/aarch64/liba.so", &arm64)]);
    is_portable("jar of both", "java21", &files(&[("lib/a-1.0.jar", &both)]));
    for (architecture, own, other) in SIDES {
        let native = if own == "x86_64" { &x86_64 } else { &arm64 };
        let one = jar(&[(&format!("META-INF/native/liba_linux_{own}.so"), native)]);
        let rebuild = format!("use a version that has natives for linux-{other}");
        let package = files(&[("lib/a-1.0.jar", &one)]);
        is_for(own, "java21", &package, architecture, "jar lib/a-1.0.jar ×1", &rebuild);
        // Spring packs JARs into a JAR.
        let packed = zipped(&files(&[("BOOT-INF/lib/a-1.0.jar", &one), ("BOOT-INF/lib/b-1.0.jar", &both)]));
        let package = files(&[("lib/app.jar", &packed)]);
        is_for(own, "java21", &package, architecture, "jar lib/app.jar!/BOOT-INF/lib/a-1.0.jar ×1", &rebuild);
    }
}

#[test]
fn runtimes_of_dot_net_are_told_apart() {
    let (x86_64, arm64) = (library("ujson", "x86_64"), library("ujson", "aarch64"));
    let app: (&str, &[u8]) = ("App.dll", b"");
    let both: [(&str, &[u8]); 3] =
        [app, ("runtimes/linux-x64/native/liba.so", &x86_64), ("runtimes/linux-arm64/native/liba.so", &arm64)];
    is_portable("both", "dotnet8", &files(&both));
    let rebuild = "dotnet publish --configuration Release --runtime linux-arm64";
    is_for("one", "dotnet8", &files(&both[..2]), Architecture::X86_64, "dot-net ×1", rebuild);
    let rebuild = "dotnet publish --configuration Release --runtime linux-x64";
    is_for("published", "dotnet8", &files(&[app, ("liba.so", &arm64)]), Architecture::Arm64, "dot-net ×1", rebuild);
}

/// A function that is the handler of this project, on its own architecture and on the other one.
fn is_rust_of(architecture: Architecture, program: &[u8]) {
    let option = if architecture == Architecture::X86_64 { "--arm64" } else { "--x86-64" };
    let rebuild = format!("cargo lambda build --release {option}");
    let package = files(&[("bootstrap", program)]);
    is_for("handler", "provided.al2023", &package, architecture, "executable ×1", &rebuild);
}

#[test]
fn programs_of_rust_are_built_by_cargo_lambda() {
    is_rust_of(Architecture::OF_BINARY, &fs::read(handler::QUICK).unwrap());
}

#[test]
fn scripts_are_judged_by_what_they_call() {
    let script: (&str, &[u8]) = ("bootstrap", b"#!/bin/sh\nset -eu\nexec \"$LAMBDA_TASK_ROOT/bin/worker\"\n");
    let missing = (Verdict::CannotTell, ["missing-program ×0"].as_slice());
    is("missing", "provided.al2023", &files(&[script]), missing, missing);
    let worker = library("ujson", "x86_64");
    let package = files(&[script, ("bin/worker", &worker)]);
    is_for("worker", "provided.al2023", &package, Architecture::X86_64, "executable ×1", "rebuild for arm64");
}

mod foreign {
    use super::*;

    #[test]
    fn handlers_of_both_architectures_are_told() {
        for architecture in [Architecture::X86_64, Architecture::Arm64] {
            is_rust_of(architecture, &fs::read(handler::bootstrap(architecture)).unwrap());
        }
    }
}
