//! Arguments that turn out to be wrong after they were read: together, or in view of what they name.

use crate::protocol::control_characters::visible_lines;
use clap::{Error, error::ErrorKind};
use std::fmt::Display;

/// The error that ends the program as clap's own do, with exit code 2.
pub(super) fn wrong_arguments(reason: impl Display) -> anyhow::Error {
    Error::raw(ErrorKind::ValueValidation, visible_lines(&format!("{reason}\n"))).into()
}

/// Returns from a function because arguments are wrong, as `bail!` does for other reasons.
macro_rules! refuse {
    ($($reason:tt)*) => {
        return Err($crate::cli::wrong_arguments::wrong_arguments(format_args!($($reason)*)))
    };
}

pub(super) use refuse;
