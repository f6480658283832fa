//! A census of CPUs: how many execution environments of each variant have which CPU model.
//!
//! Calls that are open at the same moment meet as many environments, and cold starts are forced before each round of them,
//! so that every round meets new ones. Nothing is measured.

mod allocation;
mod driver;
mod file;
mod plan;
mod planned;
mod round;
mod row;

pub use allocation::{Allocation, EXPECTED, EnvironmentCosts, ExpectedFleet, FleetVariances, counted};
pub use driver::{Census, CensusOutcome, FinishedCensus, Observer};
pub(super) use driver::{CensusError, Goal, Rounds};
pub use file::CensusFile;
pub(crate) use file::{is_in, manifest, rows, rows_of_campaign};
pub use plan::{CensusCall, CensusManifest, CensusPlan, MAX_CENSUS, MAX_ROUND};
pub use planned::{BLOCKS_BETWEEN_ROUNDS, MAX_ROUNDS_OF_CAMPAIGN, MIN_ROUNDS_OF_CAMPAIGN, PlannedCensus};
pub use round::{Counted, Tally, VariantEnd};
pub use row::CensusRow;
