//! Events that once broke something, and the sample events, through the check that the fuzzer makes of every event.

#[path = "../fuzz/check.rs"]
mod check;

use crate::handler::root;
use check::Checker;
use std::fs;

#[test]
fn no_known_event_breaks_the_service() {
    let checker = Checker::new();
    let mut checked = 0;
    for folder in ["events", "tests/fuzz/regressions"] {
        for file in fs::read_dir(root().join(folder)).unwrap() {
            checker.check(&fs::read(file.unwrap().path()).unwrap());
            checked += 1;
        }
    }
    assert!(checked > 25, "there are only {checked} events");
}
