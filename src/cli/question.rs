//! Questions before something is made or deleted.

use super::wrong_arguments::refuse;
use crate::campaign::stop_request::unless_asked;
use anyhow::Context;
use std::{
    io::{self, BufRead, IsTerminal, Write},
    thread,
};
use tokio::sync::{oneshot, watch};

/// Asks a question; true if the answer is yes.
///
/// # Errors
/// When there is nobody to answer: standard input is not a terminal.
pub(super) fn ask(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        refuse!("{question} There is no terminal to ask at: use --yes if that is meant");
    }
    write!(io::stderr(), "{question} [y/N] ").and_then(|()| io::stderr().flush()).context("asking")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("reading the answer")?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// The same; none if `stop` ends the waiting for an answer.
///
/// # Errors
/// As [`ask`].
pub(super) async fn ask_unless(stop: &watch::Receiver<bool>, question: String) -> anyhow::Result<Option<bool>> {
    let (answer, answered) = oneshot::channel();
    // A thread of the runtime would keep the program from ending before there is an answer.
    thread::spawn(move || answer.send(ask(&question)));
    match unless_asked(stop, answered).await {
        Some(answer) => answer.context("asking")?.map(Some),
        None => Ok(None),
    }
}
