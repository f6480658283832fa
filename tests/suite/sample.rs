//! What a run takes of tests that are too long for every run.
//!
//! The emulated architecture repeats what the native one has proven, at a tenth of the speed. A run of `make test`
//! takes a sample of that, drawn by the commit, so that successive commits cover everything; with `DUET_SAMPLE=all`,
//! as every night, all of it is taken. `DUET_SAMPLE=COMMIT` repeats the draw of a commit.

use crate::handler::root;
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::index};
use sha2::{Digest, Sha256};
use std::{env, process::Command, sync::LazyLock};

/// What decides the draw: a commit, or `all`.
static SEED: LazyLock<String> = LazyLock::new(|| env::var("DUET_SAMPLE").unwrap_or_else(|_| commit()));

/// The commit under test; the same draw every time where there is none, as in an unpacked archive.
fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root()).output();
    let commit = output.ok().filter(|it| it.status.success()).and_then(|it| String::from_utf8(it.stdout).ok());
    commit.map_or_else(|| "none".to_owned(), |it| it.trim().to_owned())
}

/// Whether everything is to run.
pub fn everything() -> bool {
    *SEED == "all"
}

/// `count` of the items, in their order, drawn anew for each `name`; all of them where everything is to run.
pub fn sample<T>(name: &str, items: impl IntoIterator<Item = T>, count: usize) -> Vec<T> {
    let items: Vec<T> = items.into_iter().collect();
    if everything() {
        return items;
    }
    println!("{name}: {count} of {}, drawn by DUET_SAMPLE={}", items.len(), *SEED);
    draw(&format!("{name} {}", *SEED), items, count)
}

fn draw<T>(seed: &str, items: Vec<T>, count: usize) -> Vec<T> {
    let mut rng = ChaCha8Rng::from_seed(Sha256::digest(seed).into());
    let mut drawn = index::sample(&mut rng, items.len(), count).into_vec();
    drawn.sort_unstable();
    items
        .into_iter()
        .enumerate()
        .filter(|(index, _)| drawn.binary_search(index).is_ok())
        .map(|(_, item)| item)
        .collect()
}

#[test]
fn a_draw_is_repeatable_and_draws_cover_everything() {
    let items = || (0..27).collect::<Vec<_>>();
    assert_eq!(draw("a", items(), 9), draw("a", items(), 9));
    assert_ne!(draw("a", items(), 9), draw("b", items(), 9));
    let drawn = draw("a", items(), 9);
    assert!(drawn.len() == 9 && drawn.is_sorted());
    let mut covered: Vec<i32> = (0..30).flat_map(|commit| draw(&commit.to_string(), items(), 9)).collect();
    covered.sort_unstable();
    covered.dedup();
    assert_eq!(covered, items());
}
