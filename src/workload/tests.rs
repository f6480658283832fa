//! Properties of every workload.

use super::*;
use crate::workload::limits::{Limits, Stopped, within};
use std::{collections::HashSet, time::Instant};

const MEBIBYTE: u64 = 1024 * 1024;

impl Params {
    pub fn random(elements: u64, seed: u64) -> Self {
        Self { elements, seed, shape: Shape::Random }
    }
}

pub fn checksum(workload: &Workload, params: &Params) -> u64 {
    let mut routine = (workload.prepare)(params);
    routine.restore();
    routine.run();
    routine.checksum()
}

#[test]
fn names_are_sorted_unique_and_begin_with_a_category() {
    assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
    for workload in &ALL {
        assert!(["sorting", "math", "string"].contains(&workload.category()), "{}", workload.name);
    }
}

#[test]
fn every_workload_is_documented() {
    for workload in &ALL {
        for text in [workload.summary, workload.stresses, workload.difference, workload.source, workload.element] {
            assert!(text.len() > 7 && !text.ends_with('.') && !text.contains("  "), "{}: \"{text}\"", workload.name);
        }
        assert!(workload.time.starts_with("O("), "{}", workload.name);
        assert!(workload.memory.contains("bytes") || workload.memory == "constant", "{}", workload.name);
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
        if workload.memory == "constant" {
            assert_eq!(workload.memory_bytes(u64::MAX), workload.memory_bytes(1), "{}", workload.name);
            assert_eq!(workload.largest_within(MEBIBYTE), u64::MAX, "{}", workload.name);
            continue;
        }
        assert!(workload.memory_bytes(u64::MAX) > 1 << 60, "{}", workload.name);
        for bytes in [4 * MEBIBYTE, 128 * MEBIBYTE, 10_240 * MEBIBYTE] {
            let largest = workload.largest_within(bytes);
            assert!(largest == 0 || workload.memory_bytes(largest) <= bytes, "{}", workload.name);
            assert!(workload.memory_bytes(largest + 1) > bytes, "{}", workload.name);
        }
    }
}

#[test]
fn work_repeats_after_restoring_where_that_is_needed() {
    for workload in &ALL {
        let mut routine = (workload.prepare)(&Params::random(100, 9));
        let checksums: HashSet<u64> = (0..3)
            .map(|_| {
                if workload.in_place {
                    routine.restore();
                }
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
        let mut is_new = |elements, seed| seen.insert(checksum(workload, &Params::random(elements, seed)));
        assert!(is_new(100, 1));
        assert!(is_new(120, 1), "{} ignores its size", workload.name);
        assert_eq!(is_new(100, 2), workload.name != "math/primes", "{} and its seed", workload.name);
    }
}

#[test]
fn the_least_sizes_work() {
    for workload in &ALL {
        for elements in 1..=3 {
            checksum(workload, &Params::random(elements, 0));
        }
    }
}

#[test]
fn every_workload_ends_with_its_time() {
    let over = || Limits { end: Instant::now(), cpu_share: 1.0 };
    for workload in &ALL {
        let params = Params::random(workload.sizes.medium, 0);
        let mut routine = (workload.prepare)(&params);
        routine.restore();
        let outcome = within(over(), || routine.run());
        assert!(matches!(outcome, Err(Stopped::Time)), "{} runs on", workload.name);
        let outcome = within(over(), || drop((workload.prepare)(&params)));
        let prepares_little = workload.memory == "constant";
        assert!(prepares_little || matches!(outcome, Err(Stopped::Time)), "{} prepares on", workload.name);
    }
}

#[test]
fn selectors_name_categories_and_workloads() {
    let names = |selectors: &[&str]| {
        let selection = Selection::Some(selectors.iter().map(|selector| (*selector).to_owned()).collect());
        select(&selection).map(|workloads| workloads.iter().map(|workload| workload.name).collect::<Vec<_>>())
    };
    assert_eq!(select(&Selection::All).unwrap().len(), ALL.len());
    let math: Vec<_> = ALL.iter().map(|workload| workload.name).filter(|name| name.starts_with("math/")).collect();
    assert_eq!(names(&["math"]).unwrap(), math);
    assert_eq!(
        names(&["string/word-count", "math", "math/matmul"]).unwrap(),
        [math, vec!["string/word-count"]].concat()
    );
    for (selector, part) in [
        ("math/matmull", "did you mean \"math/matmul\"?"),
        ("quicksort", "did you mean \"sorting/quicksort\"?"),
        ("strings", "did you mean \"string\"?"),
        ("xyzzy", "the workloads are math/ed25519, "),
    ] {
        let Err(Error::InvalidRequest { field, detail }) = names(&["math", selector]) else {
            panic!("{selector} was accepted");
        };
        assert_eq!(field.as_deref(), Some("workloads[1]"));
        assert!(detail.contains(part), "{detail}");
    }
}

#[test]
fn a_shape_without_a_sorting_workload_is_refused() {
    let selected = |selector: &str| select(&Selection::Some(vec![selector.to_owned()])).unwrap();
    assert_eq!(check_shape(&selected("math"), Shape::Random), Ok(()));
    assert_eq!(check_shape(&selected("sorting/radix"), Shape::Sorted), Ok(()));
    assert_eq!(check_shape(&select(&Selection::All).unwrap(), Shape::Sorted), Ok(()));
    let Err(Error::InvalidRequest { field, detail }) = check_shape(&selected("string"), Shape::FewUnique) else {
        panic!("a shape for text was accepted");
    };
    assert_eq!(field.as_deref(), Some("shape"));
    assert!(detail.contains("\"few-unique\"") && detail.contains("select \"sorting\""), "{detail}");
}

#[test]
fn shapes_change_the_input_of_exactly_the_workloads_that_have_them() {
    for workload in &ALL {
        let checksum = |shape| checksum(workload, &Params { elements: 100, seed: 4, shape });
        assert_eq!(workload.has_shapes(), checksum(Shape::Random) != checksum(Shape::FewUnique), "{}", workload.name);
    }
}
