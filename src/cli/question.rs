//! Questions before something is made or deleted.

use super::wrong_arguments::refuse;
use anyhow::Context;
use std::io::{self, BufRead, IsTerminal, Write};

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
