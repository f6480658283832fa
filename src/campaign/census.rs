//! A census of CPUs: how many execution environments of each variant have which CPU model.
//!
//! Calls that are open at the same moment meet as many environments, and cold starts are forced before each round of them,
//! so that every round meets new ones. Nothing is measured.

mod driver;
mod file;
mod plan;
mod round;
mod row;

pub use driver::{Census, CensusOutcome, FinishedCensus, Observer};
pub use file::CensusFile;
pub(crate) use file::{is_in, manifest, rows};
pub use plan::{CensusCall, CensusManifest, CensusPlan, MAX_CENSUS, MAX_ROUND};
pub use round::{Tally, VariantEnd};
pub use row::CensusRow;
