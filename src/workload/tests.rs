//! What holds for every workload.

use super::*;
use std::collections::HashSet;

const MEBIBYTE: u64 = 1024 * 1024;

fn checksum(workload: &Workload, elements: u64, seed: u64) -> u64 {
    let mut routine = (workload.prepare)(&Params { elements, seed });
    routine.restore();
    routine.run();
    routine.checksum()
}

#[test]
fn names_are_sorted_unique_and_say_their_category() {
    assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
    for workload in &ALL {
        assert_eq!(workload.name.split_once('/').unwrap().0, workload.category.as_str());
    }
}

#[test]
fn every_workload_is_documented() {
    for workload in &ALL {
        for text in [workload.summary, workload.stresses, workload.element] {
            assert!(text.len() > 10 && !text.ends_with('.'), "{}: \"{text}\"", workload.name);
        }
    }
}

#[test]
fn sizes_grow_and_large_fits_the_default_memory() {
    for workload in &ALL {
        let Sizes { small, medium, large } = workload.sizes;
        assert!(0 < small && small < medium && medium < large, "{}", workload.name);
        assert!(workload.memory_bytes(large) < 1024 * MEBIBYTE, "{}", workload.name);
    }
}

#[test]
fn memory_needs_grow_and_never_overflow() {
    for workload in &ALL {
        assert!(workload.memory_bytes(u64::MAX) > 1 << 60, "{}", workload.name);
        for bytes in [4 * MEBIBYTE, 128 * MEBIBYTE, 10_240 * MEBIBYTE] {
            let largest = workload.largest_within(bytes);
            assert!(workload.memory_bytes(largest) <= bytes, "{}", workload.name);
            assert!(workload.memory_bytes(largest + 1) > bytes, "{}", workload.name);
        }
    }
}

#[test]
fn work_repeats_after_restoring() {
    for workload in &ALL {
        let mut routine = (workload.prepare)(&Params { elements: 500, seed: 9 });
        let checksums: HashSet<u64> = (0..3)
            .map(|_| {
                routine.restore();
                routine.run();
                routine.checksum()
            })
            .collect();
        assert_eq!(checksums.len(), 1, "{}", workload.name);
    }
}

#[test]
fn checksums_tell_sizes_and_seeds_apart() {
    for workload in &ALL {
        let mut seen = HashSet::new();
        assert!(seen.insert(checksum(workload, 500, 1)));
        assert!(seen.insert(checksum(workload, 520, 1)), "{} ignores its size", workload.name);
        let seeded = workload.name != "math/primes";
        assert_eq!(seen.insert(checksum(workload, 500, 2)), seeded, "{} and its seed", workload.name);
    }
}

#[test]
fn the_least_sizes_work() {
    for workload in &ALL {
        for elements in 1..=3 {
            checksum(workload, elements, 0);
        }
    }
}

#[test]
fn selectors_name_categories_and_workloads() {
    let names = |selectors: &[&str]| {
        let selection = Selection::Some(selectors.iter().map(|selector| (*selector).to_owned()).collect());
        select(&selection).map(|workloads| workloads.iter().map(|workload| workload.name).collect::<Vec<_>>())
    };
    assert_eq!(select(&Selection::All).unwrap().len(), ALL.len());
    assert_eq!(names(&["math"]).unwrap(), ["math/matmul", "math/primes"]);
    assert_eq!(
        names(&["string/word-count", "math", "math/matmul"]).unwrap(),
        ["math/matmul", "math/primes", "string/word-count"]
    );
    for (selector, part) in [
        ("math/matmull", "did you mean \"math/matmul\"?"),
        ("quicksort", "did you mean \"sorting/quicksort\"?"),
        ("strings", "did you mean \"string\"?"),
        ("xyzzy", "the workloads are math/matmul, "),
    ] {
        let Err(Error::InvalidRequest { field, detail }) = names(&["math", selector]) else {
            panic!("{selector} was accepted");
        };
        assert_eq!(field.as_deref(), Some("workloads[1]"));
        assert!(detail.contains(part), "{detail}");
    }
}
