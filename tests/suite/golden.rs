//! The same work on both architectures, to the last bit.

use crate::handler::{BOTH, Handler};
use lambda_duet::{protocol::SizeName, workload};
use std::collections::BTreeMap;

/// The checksums of every workload at its three sizes, seed 42.
const GOLDEN: [(&str, [&str; 3]); 6] = [
    ("math/matmul", ["12dcc9de68593ec9", "778a69ea2f50d5e8", "0b21d84e08e67818"]),
    ("math/primes", ["f28f2ffd5ddc68e3", "3f1e671b33b31f4e", "0d82e780e591cc6f"]),
    ("sorting/quicksort", ["be383d3ffd355da1", "71dd46756acad81a", "a442558fab4f484c"]),
    ("sorting/std-unstable", ["f14a4713e1f078ae", "bc5724d9826636c3", "e13953fcefb033f4"]),
    ("string/levenshtein", ["5144310907876ea6", "2761375b46bf9f92", "a4a738c40d15dd4a"]),
    ("string/word-count", ["b737bc419c2ced57", "3bc1c3f6a9874de8", "786a16a662b56be4"]),
];

async fn checksums(handler: &mut Handler, size: &str, seed: u64) -> BTreeMap<String, String> {
    let request = format!(r#"{{"size":{size},"seed":{seed},"iterations":1,"warmup":0,"heap":false}}"#);
    let response = handler.direct(request).await.unwrap();
    assert!(response.complete);
    response.results.into_iter().map(|sample| (sample.workload, sample.checksum.unwrap())).collect()
}

fn golden(size: SizeName) -> BTreeMap<String, String> {
    let index = SizeName::ALL.into_iter().position(|it| it == size).unwrap();
    GOLDEN.into_iter().map(|(name, checksums)| (name.to_owned(), checksums[index].to_owned())).collect()
}

#[test]
fn every_workload_has_golden_checksums() {
    assert_eq!(GOLDEN.map(|(name, _)| name).to_vec(), workload::ALL.each_ref().map(|workload| workload.name).to_vec());
}

#[tokio::test]
async fn checksums_are_golden_on_both_architectures() {
    for architecture in BOTH {
        let mut handler = Handler::start(architecture).await;
        for size in SizeName::ALL {
            let found = checksums(&mut handler, &format!("\"{size}\""), 42).await;
            assert_eq!(found, golden(size), "{architecture} at {size}");
        }
    }
}

#[tokio::test]
async fn checksums_agree_for_other_seeds_and_sizes() {
    let [mut arm64, mut x86_64] = [Handler::start(BOTH[0]).await, Handler::start(BOTH[1]).await];
    for (size, seed) in [("1", 0), ("2", 1), ("63", 2), ("64", 3), ("65", 4), ("1000", u64::MAX)] {
        assert_eq!(
            checksums(&mut arm64, size, seed).await,
            checksums(&mut x86_64, size, seed).await,
            "size {size}, seed {seed}"
        );
    }
}
