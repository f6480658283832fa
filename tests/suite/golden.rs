//! The same work on both architectures, to the last bit.

use crate::{
    architectures::{FOREIGN, NATIVE, on_both},
    handler::Handler,
    sample::sample,
};
use lambda_duet::{
    protocol::{Architecture, Shape, SizeName},
    workload,
};
use std::collections::BTreeMap;

on_both!(
    small_is_golden,
    medium_is_golden;
    sorting_is_equal_for_many_seeds,
    math_is_equal_for_many_seeds,
    string_is_equal_for_many_seeds,
    other_sizes_are_equal,
    shapes_are_equal
);

/// The checksums of every workload at its three sizes, seed 42.
const GOLDEN: [(&str, [&str; 3]); workload::ALL.len()] = [
    ("math/ed25519", ["39f9f488d22212cc", "f6e84a07a3ad7741", "ee39f01af4679e55"]),
    ("math/fft", ["5016673491cb3a6c", "9d88c50939324041", "abaf7f611e089d69"]),
    ("math/mandelbrot", ["c36eb1207a4e9823", "4b3f9c47b1e4c42a", "6b7ce2b2a9bca61c"]),
    ("math/matmul", ["e7375ff8ccef975f", "886a9af30195f2be", "855f44199d609324"]),
    ("math/matmul-tuned", ["f5fec98b1bdf0070", "b6bd4ab475bca2e4", "740a1069dbdf9c03"]),
    ("math/modpow", ["f684cc190e3e8d21", "549514022b08aa69", "9c2c03cf22a4061a"]),
    ("math/monte-carlo", ["c1d5d4804a05cc76", "b767348a7f3646b2", "1a8849036ccaf4b9"]),
    ("math/nbody", ["cfde32bd9dbb3236", "bfaeeb11e0283fbf", "932adc3d01a6dfe4"]),
    ("math/primes", ["3a78d3af8e8ddcca", "c2139ff5a17f569c", "1afc6d0005b2d1a6"]),
    ("sorting/heapsort", ["58c34838c5f2a582", "d3f2ce3e99e4e647", "56e59b83b6d51504"]),
    ("sorting/mergesort", ["be383d3ffd355da1", "e8e41aba809529df", "3fda6eb12ecf1153"]),
    ("sorting/quicksort", ["be383d3ffd355da1", "68b58ece89cfcdaf", "68325b58b12321a6"]),
    ("sorting/radix", ["7bb6c6d9f2333a14", "25483f03e1fa17eb", "7c948f5bfd49126c"]),
    ("sorting/std-stable-strings", ["be5feb2183f570f8", "6a49eec1684cbd84", "e5b5bbb6212dee69"]),
    ("sorting/std-unstable", ["af72a02128c372d0", "bc5724d9826636c3", "42728a94d3eaf0bd"]),
    ("string/base64", ["dee0393684d20fe8", "546098c118299caf", "3b86565ce76be536"]),
    ("string/csv", ["bfba0b0ca18585e0", "5a0e6136c0371796", "5a9654c3c3c7a34f"]),
    ("string/gunzip", ["878b7e5cbd3ebb7e", "baebc9c546964e72", "039095826107cb0b"]),
    ("string/gzip", ["e1bc1fc2d9bd9102", "cd4ef774467eab7e", "a701a30ab0845828"]),
    ("string/json", ["c5df12dded46cdf5", "23c8f7bb39910cb0", "37a08583d58c3589"]),
    ("string/levenshtein", ["c420ddd37b0da9cb", "6d5474bef47e4cd1", "a4a738c40d15dd4a"]),
    ("string/regex", ["7636ef1282633e99", "f6a851cd3ebe04dd", "5e82ab1282588653"]),
    ("string/search", ["b89feac81e8c1926", "e6129e1b68251613", "73e24849a00bb1e9"]),
    ("string/search-naive", ["820e4e6f73da5d1d", "0b1711758aab520a", "a4de0b619cfbf244"]),
    ("string/sha256", ["0e67df7d43cf7066", "d6c7dc79f461bfee", "5d2dae80386a6256"]),
    ("string/utf8", ["21e3d68cc240d9c6", "b326a1682b328082", "503ee09188a92ae2"]),
    ("string/word-count", ["b737bc419c2ced57", "3bc1c3f6a9874de8", "0ab2e43003085050"]),
];

/// Seeds that have nothing in common, and the two ends.
const SEEDS: [u64; 20] = [
    0,
    1,
    2,
    3,
    5,
    8,
    13,
    21,
    34,
    55,
    89,
    144,
    1 << 16,
    1 << 32,
    1 << 48,
    1 << 63,
    0x5555_5555_5555_5555,
    0xaaaa_aaaa_aaaa_aaaa,
    u64::MAX - 1,
    u64::MAX,
];

async fn checksums(handler: &mut Handler, selection: &str, knobs: &str) -> BTreeMap<String, String> {
    let request = format!(r#"{{"workloads":[{selection}],"iterations":1,"warmup":0,"heap":false,{knobs}}}"#);
    let response = handler.direct(request).await.unwrap();
    assert!(response.complete, "{knobs}");
    response.results.into_iter().map(|sample| (sample.workload, sample.checksum.unwrap())).collect()
}

#[test]
fn every_workload_has_golden_checksums() {
    assert_eq!(GOLDEN.map(|(name, _)| name), workload::ALL.each_ref().map(|workload| workload.name));
}

/// Holds these rows of the table to what the handler says at a size.
async fn assert_golden(handler: &mut Handler, rows: &[(&str, [&str; 3])], size: SizeName) {
    let index = SizeName::ALL.iter().position(|it| *it == size).unwrap();
    let names: Vec<String> = rows.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let found = checksums(handler, &names.join(","), &format!(r#""size":"{size}""#)).await;
    let golden = rows.iter().map(|(name, checksums)| ((*name).to_owned(), checksums[index].to_owned())).collect();
    assert_eq!(found, golden, "{} at {size}", handler.architecture);
}

async fn small_is_golden(architecture: Architecture) {
    assert_golden(&mut Handler::start(architecture).await, &GOLDEN, SizeName::Small).await;
}

async fn medium_is_golden(architecture: Architecture) {
    let rows = if architecture == NATIVE { GOLDEN.to_vec() } else { sample("golden at medium", GOLDEN, 13) };
    assert_golden(&mut Handler::start(architecture).await, &rows, SizeName::Medium).await;
}

#[tokio::test]
async fn large_is_golden() {
    let rows = sample("golden at large", GOLDEN, 9);
    assert_golden(&mut Handler::start(NATIVE).await, &rows, SizeName::Large).await;
}

#[tokio::test]
#[ignore = "takes minutes for some workloads: run by `make equal-work`"]
async fn large_is_golden_under_emulation() {
    assert_golden(&mut Handler::start(FOREIGN).await, &GOLDEN, SizeName::Large).await;
}

/// Runs the same on both architectures; the emulated one takes nearly all of the time.
async fn assert_equal(category: &str, knobs: impl IntoIterator<Item = String>) {
    let [mut foreign, mut native] = [Handler::start(FOREIGN).await, Handler::start(NATIVE).await];
    let category = format!("\"{category}\"");
    for knobs in knobs {
        let (on_foreign, on_native) =
            tokio::join!(checksums(&mut foreign, &category, &knobs), checksums(&mut native, &category, &knobs));
        assert_eq!(on_foreign, on_native, "{category}: {knobs}");
    }
}

/// Some of the seeds at small, and one at medium, for which the emulator takes seconds.
async fn assert_equal_for_many_seeds(category: &str) {
    let drawn = |size, count| {
        let seeds = sample(&format!("seeds of {category} at {size}"), SEEDS, count);
        seeds.into_iter().map(move |seed| knobs((size, seed)))
    };
    assert_equal(category, drawn(SizeName::Small, 5).chain(drawn(SizeName::Medium, 1))).await;
}

/// All seeds at the sizes that take long.
fn all_seeds() -> impl Iterator<Item = String> {
    [SizeName::Medium, SizeName::Large].into_iter().flat_map(|size| SEEDS.map(|seed| knobs((size, seed))))
}

fn knobs((size, seed): (SizeName, u64)) -> String {
    format!(r#""size":"{size}","seed":{seed}"#)
}

async fn sorting_is_equal_for_many_seeds() {
    assert_equal_for_many_seeds("sorting").await;
}

async fn math_is_equal_for_many_seeds() {
    assert_equal_for_many_seeds("math").await;
}

async fn string_is_equal_for_many_seeds() {
    assert_equal_for_many_seeds("string").await;
}

#[tokio::test]
#[ignore = "takes an hour under emulation: run by `make equal-work`"]
async fn sorting_is_equal_for_all_seeds_at_large() {
    assert_equal("sorting", all_seeds()).await;
}

#[tokio::test]
#[ignore = "takes an hour under emulation: run by `make equal-work`"]
async fn math_is_equal_for_all_seeds_at_large() {
    assert_equal("math", all_seeds()).await;
}

#[tokio::test]
#[ignore = "takes an hour under emulation: run by `make equal-work`"]
async fn string_is_equal_for_all_seeds_at_large() {
    assert_equal("string", all_seeds()).await;
}

async fn other_sizes_are_equal() {
    for category in ["sorting", "math", "string"] {
        let sizes = [1, 2, 3, 63, 64, 65, 257];
        assert_equal(category, sizes.map(|size| format!(r#""size":{size},"seed":{size}"#))).await;
    }
}

async fn shapes_are_equal() {
    let shapes = Shape::ALL.map(|shape| format!(r#""size":"small","shape":"{shape}""#));
    assert_equal("sorting", shapes).await;
}

/// Another build of the same code, which may use fewer instructions of the CPU.
async fn assert_portable_is_golden(mut portable: Handler, target_cpu: &str) {
    let response = portable.direct(r#"{"size":"small","iterations":1,"warmup":0}"#).await.unwrap();
    assert_eq!(response.build.target_cpu, target_cpu);
    assert!(!response.build.target_features.iter().any(|feature| feature == "avx2" || feature == "lse"));
    for (sample, (name, [small, ..])) in response.results.iter().zip(GOLDEN) {
        let case = (sample.workload.as_str(), sample.checksum.as_deref());
        assert_eq!(case, (name, Some(small)), "{}", portable.architecture);
    }
}

#[tokio::test]
async fn a_build_for_any_cpu_does_the_same_work() {
    assert_portable_is_golden(Handler::start_quick().await, "generic").await;
}

#[tokio::test]
#[ignore = "needs `make build PROFILE=portable`: run by `make equal-work`"]
async fn portable_builds_do_the_same_work() {
    assert_portable_is_golden(Handler::start_portable(Architecture::Arm64).await, "generic").await;
    assert_portable_is_golden(Handler::start_portable(Architecture::X86_64).await, "x86-64").await;
}
