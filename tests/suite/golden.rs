//! The same work on both architectures, to the last bit.

use crate::handler::{BOTH, Handler};
use lambda_duet::{
    protocol::{Architecture, Shape, SizeName},
    workload::{self, Category},
};
use std::collections::BTreeMap;

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

async fn checksums(handler: &mut Handler, category: Category, knobs: &str) -> BTreeMap<String, String> {
    let request = format!(r#"{{"workloads":["{category}"],"iterations":1,"warmup":0,"heap":false,{knobs}}}"#);
    let response = handler.direct(request).await.unwrap();
    assert!(response.complete, "{knobs}");
    response.results.into_iter().map(|sample| (sample.workload, sample.checksum.unwrap())).collect()
}

#[test]
fn every_workload_has_golden_checksums() {
    assert_eq!(GOLDEN.map(|(name, _)| name), workload::ALL.each_ref().map(|workload| workload.name));
}

async fn assert_golden(architecture: Architecture, category: Category) {
    let mut handler = Handler::start(architecture).await;
    for (index, size) in SizeName::ALL.into_iter().enumerate() {
        let found = checksums(&mut handler, category, &format!(r#""size":"{size}""#)).await;
        let golden = GOLDEN.into_iter().filter(|(name, _)| name.starts_with(category.as_str()));
        let golden = golden.map(|(name, checksums)| (name.to_owned(), checksums[index].to_owned())).collect();
        assert_eq!(found, golden, "{architecture} at {size}");
    }
}

#[tokio::test]
async fn checksums_are_golden_on_x86_64() {
    for category in Category::ALL {
        assert_golden(Architecture::X86_64, category).await;
    }
}

// One test for each category, so that they share the processors.
#[tokio::test]
async fn sorting_is_golden_on_arm64() {
    assert_golden(Architecture::Arm64, Category::Sorting).await;
}

#[tokio::test]
async fn math_is_golden_on_arm64() {
    assert_golden(Architecture::Arm64, Category::Math).await;
}

#[tokio::test]
async fn string_is_golden_on_arm64() {
    assert_golden(Architecture::Arm64, Category::String).await;
}

/// Runs the same on both architectures; the emulated one takes nearly all of the time.
async fn assert_equal(category: Category, knobs: impl IntoIterator<Item = String>) {
    let [mut arm64, mut x86_64] = [Handler::start(BOTH[0]).await, Handler::start(BOTH[1]).await];
    for knobs in knobs {
        let (on_arm64, on_x86_64) =
            tokio::join!(checksums(&mut arm64, category, &knobs), checksums(&mut x86_64, category, &knobs));
        assert_eq!(on_arm64, on_x86_64, "{category}: {knobs}");
    }
}

/// All seeds at small and every third at medium, for which the emulator takes seconds each.
fn seeds() -> impl Iterator<Item = String> {
    let small = SEEDS.into_iter().map(|seed| (SizeName::Small, seed));
    small.chain(SEEDS.into_iter().step_by(3).map(|seed| (SizeName::Medium, seed))).map(knobs)
}

/// All seeds at the sizes that take long.
fn all_seeds() -> impl Iterator<Item = String> {
    [SizeName::Medium, SizeName::Large].into_iter().flat_map(|size| SEEDS.map(|seed| knobs((size, seed))))
}

fn knobs((size, seed): (SizeName, u64)) -> String {
    format!(r#""size":"{size}","seed":{seed}"#)
}

#[tokio::test]
async fn sorting_is_equal_for_twenty_seeds() {
    assert_equal(Category::Sorting, seeds()).await;
}

#[tokio::test]
async fn math_is_equal_for_twenty_seeds() {
    assert_equal(Category::Math, seeds()).await;
}

#[tokio::test]
async fn string_is_equal_for_twenty_seeds() {
    assert_equal(Category::String, seeds()).await;
}

#[tokio::test]
#[ignore = "takes an hour under emulation: run by `make equal-work`"]
async fn sorting_is_equal_for_twenty_seeds_at_large() {
    assert_equal(Category::Sorting, all_seeds()).await;
}

#[tokio::test]
#[ignore = "takes an hour under emulation: run by `make equal-work`"]
async fn math_is_equal_for_twenty_seeds_at_large() {
    assert_equal(Category::Math, all_seeds()).await;
}

#[tokio::test]
#[ignore = "takes an hour under emulation: run by `make equal-work`"]
async fn string_is_equal_for_twenty_seeds_at_large() {
    assert_equal(Category::String, all_seeds()).await;
}

#[tokio::test]
async fn other_sizes_are_equal() {
    for category in Category::ALL {
        let sizes = [1, 2, 3, 63, 64, 65, 1000];
        assert_equal(category, sizes.map(|size| format!(r#""size":{size},"seed":{size}"#))).await;
    }
}

#[tokio::test]
async fn shapes_are_equal_and_differ_from_each_other() {
    let shapes = Shape::ALL.map(|shape| format!(r#""size":"small","shape":"{shape}""#));
    assert_equal(Category::Sorting, shapes).await;
}

/// The other build of the same code, which may use fewer instructions of the CPU.
#[tokio::test]
async fn portable_builds_do_the_same_work() {
    for architecture in BOTH {
        let mut portable = Handler::start_portable(architecture).await;
        let response = portable.direct(r#"{"size":"small","iterations":1,"warmup":0}"#).await.unwrap();
        let expected = match architecture {
            Architecture::Arm64 => "generic",
            Architecture::X86_64 => "x86-64",
        };
        assert_eq!(response.build.target_cpu, expected);
        assert!(!response.build.target_features.iter().any(|feature| feature == "avx2" || feature == "lse"));
        for (sample, (name, [small, ..])) in response.results.iter().zip(GOLDEN) {
            assert_eq!((sample.workload.as_str(), sample.checksum.as_deref()), (name, Some(small)), "{architecture}");
        }
    }
}
