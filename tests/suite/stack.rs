//! The deployed stack. These tests need one and find it in variables that `scripts/with-stack.sh` sets; `make test`
//! runs them, one by one, because they share the functions' environments.

mod deploy;
mod documents;
mod load;
mod metrics;
mod service;
mod trial;

/// A variable that describes the deployed stack.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this below scripts/with-stack.sh"))
}
