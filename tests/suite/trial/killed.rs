//! Programs that are killed at any call of the control plane leave nothing that `duet clean-up` does not delete.

use super::{
    account::{Account, Act, Things},
    try_orders,
};
use crate::{
    campaign::{Scratch, assert_code, subcommand},
    cli::stderr,
    scripted::Reply,
};
use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

const CLONES: usize = 4;

/// Sends a signal to the process, as soon as that is known.
pub fn signal(process: &AtomicU32, signal: &str) {
    while process.load(Ordering::SeqCst) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let id = process.load(Ordering::SeqCst).to_string();
    assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
}

/// Runs a trial that is killed at the control call of this number, after it was done or before. False if there are not so many
/// calls.
fn killed_at(number: usize, is_done: bool) -> bool {
    let process = Arc::new(AtomicU32::new(0));
    let killed = Arc::clone(&process);
    let account = Account::start(move |control| {
        if control.number != number {
            return Act::Answer;
        }
        signal(&killed, "KILL");
        if is_done { Act::DoneBut(Reply::lost()) } else { Act::Instead(Reply::lost()) }
    });
    let (before, scratch) = (account.things(), Scratch::new());
    let child = try_orders(&account, &scratch, CLONES, &["--memory", "1024", "--yes"]).spawn().unwrap();
    process.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        assert_eq!(account.things(), before);
        return false;
    }
    assert_eq!(output.status.code(), None, "call {number}: {}", stderr(&output));
    account.continue_with(|_| Act::Answer);
    if scratch.has("run/clones.json") {
        // What is left is not forgotten.
        let again = try_orders(&account, &scratch, CLONES, &["--yes"]).output().unwrap();
        assert_code(&again, 1);
        assert!(stderr(&again).contains("duet clean-up ") || stderr(&again).contains("holds a campaign already"));
    }
    if scratch.has("run") {
        let cleaned = clean_up(&account, &[&scratch.path("run")]);
        assert_code(&cleaned, 0);
    }
    assert_eq!(account.things(), before, "call {number}, done: {is_done}");
    true
}

/// The layer with the probe of the account's last trial.
fn made_by(account: &Account) -> String {
    let campaign = account.made()[0]["Tags"]["lambda-duet:campaign"].as_str().unwrap().to_owned();
    format!("duet-{campaign}-probe")
}

fn clean_up(account: &Account, what: &[&str]) -> std::process::Output {
    subcommand(&account.server.url, "clean-up").args(what).arg("--yes").output().unwrap()
}

#[test]
fn whatever_call_a_trial_is_killed_at_clean_up_leaves_the_account_as_it_was() {
    let kills = [false, true].map(|is_done| {
        thread::spawn(move || {
            let mut number = 0;
            while killed_at(number, is_done) {
                number += 1;
            }
            number
        })
    });
    for kills in kills {
        let kills = kills.join().unwrap();
        // Reading the function, then for each clone: making it, looking at it, deleting it and its log group.
        assert!(kills > 2 + 5 * CLONES, "{kills}");
    }
}

#[test]
fn an_interrupted_trial_deletes_its_clones() {
    // While it makes them, and while it calls them.
    for is_late in [false, true] {
        let process = Arc::new(AtomicU32::new(0));
        let interrupted = Arc::clone(&process);
        let account = Account::start(move |control| {
            if !is_late && control.number == 3 {
                signal(&interrupted, "INT");
            }
            Act::Answer
        });
        let (before, scratch) = (account.things(), Scratch::new());
        // So many calls that it cannot be complete before.
        let mut command = try_orders(&account, &scratch, 10_000, &["--memory", "1024", "--yes"]);
        let child = command.spawn().unwrap();
        process.store(child.id(), Ordering::SeqCst);
        while is_late && account.invocations() < 20 {
            thread::sleep(Duration::from_millis(1));
        }
        if is_late {
            signal(&process, "INT");
        }
        let output = child.wait_with_output().unwrap();
        assert_code(&output, 130);
        assert_eq!(account.things(), before);
        assert_eq!(scratch.has("run"), is_late);
        let said = stderr(&output);
        assert!(said.contains("Ending: deleting the clones; Ctrl-C again leaves that undone"), "{said}");
        assert!(!is_late || said.contains("Interrupted: the samples so far are kept in "), "{said}");
    }
}

#[test]
fn a_trial_whose_output_fails_deletes_its_clones() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    let before = account.things();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = try_orders(&account, &scratch, 2, &["--yes", "--json"]).stdout(full).output().unwrap();
    assert_code(&output, 1);
    assert!(account.made().len() == 2 && account.things() == before, "{}", stderr(&output));
}

#[test]
fn clones_of_a_run_directory_that_is_gone_are_found_by_their_names_and_tags() {
    let process = Arc::new(AtomicU32::new(0));
    let killed = Arc::clone(&process);
    let account = Account::start(move |control| {
        // The first deletion.
        if control.line.starts_with("DELETE ") {
            signal(&killed, "KILL");
            return Act::Instead(Reply::lost());
        }
        Act::Answer
    });
    let (before, scratch) = (account.things(), Scratch::new());
    let child = try_orders(&account, &scratch, 2, &["--yes"]).spawn().unwrap();
    process.store(child.id(), Ordering::SeqCst);
    assert_eq!(child.wait_with_output().unwrap().status.code(), None);
    std::fs::remove_dir_all(scratch.path("run")).unwrap();
    account.continue_with(|_| Act::Answer);
    // Functions that only look like clones, and one whose campaign runs elsewhere.
    account.change(|things| {
        let names: Vec<String> = things.functions.keys().filter(|name| name.starts_with("duet-")).cloned().collect();
        let clone = things.functions[&names[0]].clone();
        let named = |things: &mut Things, name: &str, tags: serde_json::Value| {
            let mut other = clone.clone();
            other.configuration["FunctionName"] = name.into();
            other.configuration["FunctionArn"] =
                format!("arn:aws:lambda:us-east-1:123456789012:function:{name}").into();
            other.tags = tags;
            things.functions.insert(name.to_owned(), other);
        };
        named(things, "duet-orders", clone.tags.clone());
        named(things, "duet-0123456789-arm64-512", serde_json::json!({}));
        let mut elsewhere = clone.tags.clone();
        elsewhere["lambda-duet:campaign"] = "abcdef0123".into();
        elsewhere["lambda-duet:owner"] =
            "campaign=a host=b machine=00000000 process=1/1 at=2026-11-27T00:00:00.000000000Z".into();
        elsewhere["lambda-duet:expires"] = "2999-01-01T00:00:00Z".into();
        named(things, "duet-abcdef0123-arm64-512", elsewhere);
        things.log_groups.insert("/aws/lambda/duet-abcdef0123-arm64-512".to_owned());
        // The log group of a function that is no clone, and layers of a campaign that runs elsewhere and of other people.
        things.log_groups.insert("/aws/lambda/duet-0123456789-arm64-512".to_owned());
        let layer = |things: &mut Things, name: &str, description: &str| {
            things.layers.insert(name.to_owned(), [(1, description.to_owned())].into());
        };
        let mark = "campaign=a host=b machine=00000000 process=1/1 at=2026-11-27T00:00:00.000000000Z";
        layer(things, "duet-abcdef0123-probe", "");
        layer(things, "duet-aaaaaaaaaa-probe", &format!("{mark} expires=2999-01-01T00:00:00Z"));
        layer(things, "duet-bbbbbbbbbb-probe", "tools of the shop");
        layer(things, "duet-tools", "");
    });
    let others = account.things();
    let cleaned = clean_up(&account, &["--region", "us-east-1"]);
    assert_code(&cleaned, 0);
    let mut expected = others.clone();
    expected.functions.retain(|name, _| {
        before.functions.contains_key(name)
            || ["duet-orders", "duet-0123456789-arm64-512", "duet-abcdef0123-arm64-512"].contains(&name.as_str())
    });
    expected.log_groups.retain(|group| {
        before.log_groups.contains(group) || group.contains("abcdef0123") || group.contains("0123456789")
    });
    let own = made_by(&account);
    expected.layers.retain(|layer, _| *layer != own);
    assert_eq!(account.things(), expected);
    let again = clean_up(&account, &["--region", "us-east-1"]);
    assert_code(&again, 0);
    assert!(String::from_utf8_lossy(&again.stdout).contains("No other clones are left in us-east-1"));
}
