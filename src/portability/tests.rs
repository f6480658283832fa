//! Packages of every kind, with exactly what is found in them.

use super::{
    FindingKind, FunctionDescription, Machine, Origin, Package, PackageName, Portability, Verdict, assess,
    test_packages::{
        ARM, ARM64, X86_64, assessed, elf, elf_linked, elf_with, function, mach_o, package, portable_executable, zip,
    },
};
use crate::protocol::Architecture;
use std::io::{Cursor, Write};
use zip::{ZipWriter, write::SimpleFileOptions};

const APP: (&str, &[u8]) = ("app.py", b"def handler(event, context): pass\n");

fn is(answer: &Portability, verdict: Verdict, sentences: &[&str]) {
    assert_eq!((answer.verdict, answer.sentences()), (verdict, sentences.iter().map(ToString::to_string).collect()));
}

fn rebuild(answer: &Portability) -> &str {
    answer.findings[0].rebuild.as_deref().unwrap()
}

#[test]
fn interpreted_code_is_portable() {
    is(&assessed("python3.13", &[APP]), Verdict::Portable, &[]);
    is(&assessed("nodejs22.x", &[("index.mjs", b"")]), Verdict::Portable, &[]);
    is(&assessed("java21", &[("app/App.class", b"\xca\xfe\xba\xbe\0\0\0\x41..........")]), Verdict::Portable, &[]);
    is(&assessed("dotnet8", &[("App.dll", &portable_executable(0x14c, true))]), Verdict::Portable, &[]);
}

#[test]
fn natives_of_a_wheel_are_one_finding() {
    let x86 = elf(X86_64);
    let files: [(&str, &[u8]); 6] = [
        APP,
        ("demo/_a.cpython-313-x86_64-linux-gnu.so", &x86),
        ("demo/_b.abi3.so", &x86),
        ("demo.libs/libz-0123abcd.so.1", &x86),
        ("Demo-1.2.dist-info/WHEEL", b"Wheel-Version: 1.0\nTag: cp313-cp313-manylinux_2_28_x86_64\n"),
        ("Demo-1.2.dist-info/RECORD", b"demo/_a.cpython-313-x86_64-linux-gnu.so,,\ndemo/_b.abi3.so,,\n"),
    ];
    let answer = assessed("python3.13", &files);
    let sentence =
        "In the code: the wheel Demo 1.2 (demo.libs/libz-0123abcd.so.1 and 2 other files) is for x86_64 alone.";
    is(&answer, Verdict::NeedsFiles, &[sentence]);
    assert_eq!(
        rebuild(&answer),
        "pip install --platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64 --implementation cp \
         --python-version 3.13 --only-binary=:all: --target package Demo==1.2"
    );
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!(json["verdict"], "needs-files");
    assert_eq!(
        json["findings"][0],
        serde_json::json!({
            "package": "code",
            "file": "demo.libs/libz-0123abcd.so.1",
            "count": 3,
            "finding": "present-architecture",
            "machine": "x86_64",
            "origin": {"kind": "wheel", "name": "Demo", "version": "1.2", "platforms": ["manylinux_2_28_x86_64"]},
            "rebuild": rebuild(&answer),
        })
    );
}

#[test]
fn natives_of_both_architectures_are_portable() {
    let (x86, arm, mac, windows) = (elf(X86_64), elf(ARM64), mach_o(), portable_executable(0x8664, false));
    let js: (&str, &[u8]) = ("index.js", b"");
    let prebuilds: [(&str, &[u8]); 9] = [
        js,
        ("node_modules/b/package.json", br#"{"name": "b", "version": "1.0.0"}"#),
        ("node_modules/b/prebuilds/linux-x64/node.napi.node", &x86),
        ("node_modules/b/prebuilds/linux-x64/node.napi.musl.node", &x86),
        ("node_modules/b/prebuilds/linux-arm64/node.napi.armv8.node", &arm),
        ("node_modules/b/prebuilds/linux-arm/node.napi.node", &elf(ARM)),
        ("node_modules/b/prebuilds/darwin-arm64/node.napi.node", &mac),
        ("node_modules/b/prebuilds/win32-x64/node.napi.node", &windows),
        ("node_modules/b/prebuilds/freebsd-x64/other.node", &x86),
    ];
    is(&assessed("nodejs22.x", &prebuilds), Verdict::Portable, &[]);
    let packages: [(&str, &[u8]); 3] = [
        js,
        ("node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node", &x86),
        ("node_modules/@img/sharp-linux-arm64/lib/sharp-linux-arm64.node", &arm),
    ];
    is(&assessed("nodejs22.x", &packages), Verdict::Portable, &[]);
    let jar = zip(&[("native/linux/amd64/liba.so", &x86), ("native/linux/aarch64/liba.so", &arm)]);
    is(&assessed("java21", &[("lib/a.jar", &jar)]), Verdict::Portable, &[]);
    let netty: [(&str, &[u8]); 3] = [
        ("app/App.class", b""),
        ("META-INF/native/libepoll_x86_64.so", &x86),
        ("META-INF/native/libepoll_aarch_64.so", &arm),
    ];
    is(&assessed("java21", &netty), Verdict::Portable, &[]);
    let dot_net: [(&str, &[u8]); 3] = [
        ("App.dll", &portable_executable(0x14c, true)),
        ("runtimes/linux-x64/native/liba.so", &x86),
        ("runtimes/linux-arm64/native/liba.so", &arm),
    ];
    is(&assessed("dotnet8", &dot_net), Verdict::Portable, &[]);
    let modules: [(&str, &[u8]); 5] = [
        APP,
        ("demo/_a.cpython-313-x86_64-linux-gnu.so", &x86),
        ("demo/_a.cpython-313-aarch64-linux-gnu.so", &arm),
        ("demo.libs/libz-0123abcd.so.1", &x86),
        ("demo.libs/libz-89abcdef.so.1", &arm),
    ];
    is(&assessed("python3.13", &modules), Verdict::Portable, &[]);
}

#[test]
fn one_file_without_a_counterpart_is_found() {
    let (x86, arm) = (elf(X86_64), elf(ARM64));
    let files: [(&str, &[u8]); 4] = [
        ("index.js", b""),
        ("natives/linux-x64/a.node", &x86),
        ("natives/linux-x64/b.node", &x86),
        ("natives/linux-arm64/a.node", &arm),
    ];
    let sentence = "In the code: the library natives/linux-x64/b.node is for x86_64 alone.";
    is(&assessed("nodejs22.x", &files), Verdict::NeedsFiles, &[sentence]);
    // In a directory for arm64 lies a file for x86_64.
    let files: [(&str, &[u8]); 3] =
        [("index.js", b""), ("natives/linux-x64/a.node", &x86), ("natives/linux-arm64/a.node", &x86)];
    let sentence = "In the code: the libraries natives/linux-arm64/a.node and one other file are for x86_64 alone.";
    is(&assessed("nodejs22.x", &files), Verdict::NeedsFiles, &[sentence]);
}

#[test]
fn npm_packages_are_named_with_what_installs_them() {
    let x86 = elf(X86_64);
    let parent =
        br#"{"name": "sharp", "version": "0.34.0", "optionalDependencies": {"@img/sharp-linux-x64": "0.34.0"}}"#;
    let files: [(&str, &[u8]); 5] = [
        ("index.js", b""),
        ("node_modules/sharp/package.json", parent),
        ("node_modules/@img/sharp-linux-x64/package.json", br#"{"name": "@img/sharp-linux-x64", "version": "0.34.0"}"#),
        ("node_modules/@img/sharp-linux-x64/lib/package.json", br#"{"type": "module"}"#),
        ("node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node", &x86),
    ];
    let answer = assessed("nodejs22.x", &files);
    let file = "node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node";
    is(
        &answer,
        Verdict::NeedsFiles,
        &[&format!("In the code: the npm package @img/sharp-linux-x64 0.34.0 ({file}) is for x86_64 alone.")],
    );
    assert_eq!(rebuild(&answer), "npm install --os=linux --cpu=arm64 --libc=glibc sharp@0.34.0");
}

#[test]
fn names_from_packages_stay_out_of_commands() {
    let files: [(&str, &[u8]); 3] = [
        ("index.js", b""),
        ("node_modules/a/package.json", br#"{"name": "a; rm -rf ~\u001b[2J", "version": "1"}"#),
        ("node_modules/a/a.node", &elf(X86_64)),
    ];
    let answer = assessed("nodejs22.x", &files);
    let sentence = "In the code: the npm package a; rm -rf ~\\u{1b}[2J 1 (node_modules/a/a.node) is for x86_64 alone.";
    is(&answer, Verdict::NeedsFiles, &[sentence]);
    assert_eq!(rebuild(&answer), "rebuild for arm64");
    let files: [(&str, &[u8]); 3] = [
        ("index.js", b""),
        ("node_modules/a/package.json", br#"{"name": "a", "version": "attacker/repo"}"#),
        ("node_modules/a/a.node", &elf(X86_64)),
    ];
    assert_eq!(rebuild(&assessed("nodejs22.x", &files)), "rebuild for arm64");
    let answer = assessed("nodejs22.x", &[("index.js", b""), ("a\u{1b}[2J.node", &elf(X86_64))]);
    assert_eq!(answer.findings[0].file.as_deref(), Some("a\\u{1b}[2J.node"));
}

#[test]
fn programs_are_told_by_their_language() {
    let line = |text: &[u8]| {
        let answer = assessed("provided.al2023", &[("bootstrap", &elf_with(X86_64, 2, text))]);
        assert_eq!(answer.verdict, Verdict::NeedsFiles);
        rebuild(&answer).to_owned()
    };
    assert_eq!(line(b"\xff Go buildinf:\x08\x02"), "GOOS=linux GOARCH=arm64 go build");
    let rust = [b"/rustc/".as_slice(), &[b'0'; 40], b"/library/std"].concat();
    assert_eq!(line(&rust), "cargo lambda build --release --arm64");
    assert_eq!(line(b""), "rebuild for arm64");
}

#[test]
fn other_platforms_are_remarks() {
    let answer = assessed(
        "python3.13",
        &[APP, ("a/_a.cpython-313-darwin.so", &mach_o()), ("a/b.so", &elf(ARM64)), ("a/c.so", &elf(ARM))],
    );
    is(
        &answer,
        Verdict::Portable,
        &[
            "In the code: the library a/_a.cpython-313-darwin.so is for macOS, which never runs on Lambda.",
            "In the code: the library a/b.so is for arm64 alone: broken or unused today.",
            "In the code: the library a/c.so is for 32-bit Arm, which Lambda does not have.",
        ],
    );
    let musl = elf_linked(X86_64, None, &["libc.musl-x86_64.so.1"]);
    let sentence = "In the code: the library a/b.so is for Linux with musl, which never runs on Lambda.";
    is(&assessed("python3.13", &[APP, ("a/b.so", &musl)]), Verdict::Portable, &[sentence]);
}

#[test]
fn what_does_not_run_does_not_count() {
    let files: [(&str, &[u8]); 5] = [
        APP,
        ("a/object.o", &elf_with(X86_64, 1, b"")),
        ("a/core", &elf_with(X86_64, 4, b"")),
        ("a/library.a", b"!<arch>\nobject.o/                                                 `\n"),
        ("a/empty.so", b""),
    ];
    is(&assessed("python3.13", &files), Verdict::Portable, &[]);
}

#[test]
fn natives_in_archives_are_found() {
    let inner = zip(&[
        ("native/linux-x64/liba.so", &elf(X86_64)),
        ("META-INF/maven/g/a/pom.properties", b"version=1.0\ngroupId=g\nartifactId=a\n"),
    ]);
    let outer = zip(&[("WEB-INF/lib/a-1.0.jar", &inner)]);
    let answer = assessed("java21", &[("App.class", b""), ("lib/app.war", &outer)]);
    let file = "lib/app.war!/WEB-INF/lib/a-1.0.jar!/native/linux-x64/liba.so";
    is(&answer, Verdict::NeedsFiles, &[&format!("In the code: the JAR of g:a:1.0 ({file}) is for x86_64 alone.")]);
    assert_eq!(rebuild(&answer), "use a version that has natives for linux-aarch64");
    let wheel = zip(&[("demo/a.so", &elf(X86_64)), ("demo-1.dist-info/RECORD", b"demo/a.so,,\n")]);
    let answer = assessed("python3.13", &[APP, ("demo.whl", &wheel)]);
    is(&answer, Verdict::NeedsFiles, &["In the code: the wheel demo 1 (demo.whl!/demo/a.so) is for x86_64 alone."]);
}

#[test]
fn assemblies_and_gems_are_found() {
    let answer = assessed("dotnet8", &[("App.dll", &portable_executable(0x8664 ^ 0x7b79, true))]);
    is(&answer, Verdict::NeedsFiles, &["In the code: the .NET application (App.dll) is for x86_64 alone."]);
    assert_eq!(rebuild(&answer), "dotnet publish --configuration Release --runtime linux-arm64");
    let path = "vendor/bundle/ruby/3.4.0/gems/bcrypt-3.1.20/lib/bcrypt_ext.so";
    let answer = assessed("ruby3.4", &[("app.rb", b""), (path, &elf(X86_64))]);
    is(&answer, Verdict::NeedsFiles, &[&format!("In the code: the gem bcrypt 3.1.20 ({path}) is for x86_64 alone.")]);
    assert_eq!(rebuild(&answer), "bundle lock --add-platform aarch64-linux");
}

fn with_layer(layer: &[(&str, &[u8])], architectures: Option<Vec<Architecture>>) -> Portability {
    let name = PackageName::Layer("arn:aws:lambda:eu-west-1:1:layer:tools:7".to_owned());
    let layer = Package { name, compatible_architectures: architectures, archive: Ok(Cursor::new(zip(layer))) };
    assess(&function("python3.13"), vec![package(PackageName::Code, &zip(&[APP])), layer]).unwrap()
}

#[test]
fn layers_are_packages_too() {
    let name = "arn:aws:lambda:eu-west-1:1:layer:tools:7";
    let answer = with_layer(&[("extensions/agent", &elf(X86_64))], Some(vec![Architecture::X86_64]));
    is(
        &answer,
        Verdict::NeedsFiles,
        &[
            &format!("In layer {name}: the extension extensions/agent is for x86_64 alone."),
            &format!("Layer {name} says that it is for x86_64 alone."),
        ],
    );
    assert_eq!(rebuild(&answer), "use the layer that its publisher has for arm64");
    let pure: (&str, &[u8]) = ("python/a.py", b"");
    let sentence = format!("Layer {name} says that it is for x86_64 alone.");
    is(&with_layer(&[pure], Some(vec![Architecture::X86_64])), Verdict::CannotTell, &[&sentence]);
    is(&with_layer(&[pure], Some(vec![Architecture::X86_64, Architecture::Arm64])), Verdict::Portable, &[]);
    is(&with_layer(&[pure], None), Verdict::Portable, &[]);
    let wheel: [(&str, &[u8]); 2] = [("python/a/b.so", &elf(X86_64)), ("python/a-1.dist-info/RECORD", b"a/b.so,,\n")];
    assert!(rebuild(&with_layer(&wheel, None)).ends_with("--target python a==1"));
}

#[test]
fn what_cannot_be_told_is_said() {
    is(
        &assessed("python3.13", &[("README", b"")]),
        Verdict::CannotTell,
        &["No package has code in the language of the runtime."],
    );
    is(&assessed("cobol85", &[APP]), Verdict::CannotTell, &["The runtime cobol85 is not known."]);
    let image = FunctionDescription { runtime: None, ..function("") };
    let answer = assess(&image, vec![package(PackageName::Code, &zip(&[APP]))]).unwrap();
    is(&answer, Verdict::CannotTell, &["The function has no runtime."]);
    is(
        &assessed("provided.al2", &[APP]),
        Verdict::CannotTell,
        &["No package has a file bootstrap, which the runtime starts."],
    );
    is(
        &assessed("provided.al2", &[("bootstrap", b"hello")]),
        Verdict::CannotTell,
        &["The file bootstrap is neither native code nor a script."],
    );
    let script: (&str, &[u8]) = ("bootstrap", b"#!/bin/sh\nexec /opt/bin/worker\n");
    is(
        &assessed("provided.al2", &[script]),
        Verdict::CannotTell,
        &["The script bootstrap calls /opt/bin/worker, which is in no package."],
    );
    let with_worker = assessed("provided.al2", &[script, ("bin/worker", &elf(X86_64))]);
    is(&with_worker, Verdict::NeedsFiles, &["In the code: the program bin/worker is for x86_64 alone."]);
    let sentence = "Lambda has the runtime java8 for x86_64 alone.";
    let answer = assessed("java8", &[("App.class", b"")]);
    is(&answer, Verdict::NeedsFiles, &[sentence]);
    assert_eq!(answer.sentence(), "The function needs another runtime to run on arm64.");
    assert_eq!(rebuild(&answer), "use a runtime that Lambda has for arm64, such as java21");
}

#[test]
fn both_directions_are_asked_alike() {
    let files = zip(&[APP, ("a/b.so", &elf(ARM64))]);
    let function = FunctionDescription { architecture: Architecture::Arm64, ..function("python3.13") };
    let answer = assess(&function, vec![package(PackageName::Code, &files)]).unwrap();
    is(&answer, Verdict::NeedsFiles, &["In the code: the library a/b.so is for arm64 alone."]);
    assert_eq!(answer.findings[0].kind, FindingKind::PresentArchitecture { machine: Machine::Arm64 });
    assert_eq!(answer.findings[0].origin, Some(Origin::Directory { path: "a".to_owned() }));
    assert!(rebuild(&answer).contains("--platform manylinux2014_x86_64"));
    assert_eq!(answer.sentence(), "The package needs other files to run on x86_64.");
}

#[test]
fn links_are_judged_by_where_they_lead() {
    let linked = |target: &str| {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        archive.start_file("lib/real.so.1", options).unwrap();
        archive.write_all(&elf(ARM64)).unwrap();
        archive.start_file("app.py", options).unwrap();
        archive.add_symlink("lib/link.so", target, options).unwrap();
        let archive = archive.finish().unwrap().into_inner();
        let mut function = function("python3.13");
        function.architecture = Architecture::X86_64;
        assess(&function, vec![package(PackageName::Code, &archive)]).unwrap()
    };
    let remark = "In the code: the library lib/real.so.1 is for arm64 alone: broken or unused today.";
    for inside in ["real.so.1", "../lib/real.so.1", "/var/task/lib/real.so.1"] {
        is(&linked(inside), Verdict::Portable, &[remark]);
    }
    for outside in ["/usr/lib64/libc.so.6", "../../etc/passwd", "gone.so", "link.so", "/opt/gone.so"] {
        let sentence = format!("In the code: the link lib/link.so leads to {outside}, which is in no package.");
        is(&linked(outside), Verdict::CannotTell, &[&sentence, remark]);
    }
}

#[test]
fn a_layer_that_was_not_fetched_cannot_be_told() {
    let name = PackageName::Layer("theirs".to_owned());
    let layer = Package { name, compatible_architectures: None, archive: Err("not\u{1b} allowed".to_owned()) };
    let answer = assess(&function("python3.13"), vec![package(PackageName::Code, &zip(&[APP])), layer]).unwrap();
    is(&answer, Verdict::CannotTell, &["Layer theirs could not be fetched: not\\u{1b} allowed."]);
}

#[test]
fn what_lambda_starts_has_no_counterpart() {
    let (x86, arm) = (elf(X86_64), elf(ARM64));
    let present = "In the code: the program bootstrap is for x86_64 alone.";
    let remark = "In the code: the program bootstrap-arm64 is for arm64 alone: broken or unused today.";
    let programs: [(&str, &[u8]); 2] = [("bootstrap", &x86), ("bootstrap-arm64", &arm)];
    is(&assessed("provided.al2023", &programs), Verdict::NeedsFiles, &[present, remark]);
    let foreign = assessed("provided.al2023", &[("bootstrap", &mach_o())]);
    let sentence =
        "In the code: the program bootstrap is for macOS, which never runs on Lambda, but is what Lambda starts.";
    is(&foreign, Verdict::NeedsFiles, &[sentence]);
    assert_eq!(rebuild(&foreign), "rebuild for arm64");
    let riscv = assessed("provided.al2023", &[("bootstrap", &elf(243)), ("bootstrap-arm64", &arm)]);
    assert_eq!(riscv.verdict, Verdict::NeedsFiles);
    // A text in a program is not what it is linked with.
    let text = elf_with(X86_64, 2, b"\0libc.musl-x86_64.so.1\0");
    is(&assessed("provided.al2023", &[("bootstrap", &text)]), Verdict::NeedsFiles, &[present]);
    let extensions = with_layer(&[("extensions/agent", &x86), ("extensions/agent-arm64", &arm)], None);
    assert_eq!(extensions.verdict, Verdict::NeedsFiles);
    let go: [(&str, &[u8]); 2] = [("app.handler", &x86), ("app.handler-arm64", &arm)];
    assert_eq!(assessed("go1.x", &go).findings.len(), 3);
}

#[test]
fn links_lead_through_directories() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    archive.start_file("lib64/libz.so.1", options).unwrap();
    archive.write_all(&elf(ARM64)).unwrap();
    archive.start_file("app.py", options).unwrap();
    archive.add_symlink("lib", "lib64", options).unwrap();
    archive.add_symlink("libz.so", "lib/libz.so.1", options).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    let answer = assess(&function("python3.13"), vec![package(PackageName::Code, &archive)]).unwrap();
    assert_eq!((answer.verdict, answer.findings.len()), (Verdict::Portable, 1));
}

#[test]
fn an_image_is_for_one_architecture() {
    let image = Some("123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:7".to_owned());
    let function = FunctionDescription { runtime: None, handler: None, image, ..function("") };
    let answer = assess(&function, Vec::<Package<Cursor<Vec<u8>>>>::new()).unwrap();
    let expected = "The image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:7 is for one architecture, as Lambda takes \
                    images: build another.";
    is(&answer, Verdict::NeedsFiles, &[expected]);
    assert_eq!(rebuild(&answer), "docker buildx build --platform linux/arm64 --provenance=false --tag IMAGE .");
}
