//! Whether a function's package can run on the other architecture, and which of its files are in the way.
//!
//! The packages are ZIP files that have been fetched: the function's code and its layers. Every file of them is
//! looked at, those in archives within archives too, but none is written under its name, and none is held in memory.

mod archive;
mod assess;
#[cfg(test)]
mod attacks;
mod bootstrap;
mod contents;
mod finding;
mod function;
mod judge;
mod limits;
mod linkage;
mod markers;
mod native;
mod origin;
mod pairs;
mod path_words;
mod paths;
mod rebuild;
mod sentences;
#[cfg(test)]
mod test_packages;
#[cfg(test)]
mod tests;
mod walk;
mod wheels;

pub use archive::Refusal;
pub use assess::{SpoolError, assess};
pub use finding::{Finding, FindingKind, Origin, Portability, Verdict};
pub use function::{FunctionDescription, Package, PackageName};
pub use markers::Language;
pub use native::{Machine, Native, System};
