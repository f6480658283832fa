//! Arguments that may hold a secret.

use clap::{Arg, Command, Error, builder::TypedValueParser, error::ErrorKind};
use std::{ffi::OsStr, fmt::Display, marker::PhantomData, str::FromStr};

/// Reads an argument; error messages do not repeat it, as clap's own would: a URL may contain a password.
#[derive(Clone)]
pub(super) struct Unechoed<T>(PhantomData<fn() -> T>);

impl<T> Unechoed<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Unechoed<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let name = argument.map(ToString::to_string).unwrap_or_default();
        let refused = |reason: String| {
            Error::raw(ErrorKind::ValueValidation, format!("invalid value for '{name}': {reason}\n")).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| refused("it is not UTF-8".to_owned()))?;
        text.parse::<T>().map_err(|error| refused(error.to_string()))
    }
}
