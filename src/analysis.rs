//! The analysis of a campaign's samples: pure functions of rows, without clocks, files or unseeded randomness.

pub mod analyze_samples;
pub(crate) mod bill;
pub(crate) mod calibration;
pub mod call_sample;
pub(crate) mod campaign_bill;
mod cells;
pub(crate) mod census_result;
pub(crate) mod change;
pub(crate) mod choice;
mod clustered_proportion;
mod compare_sets;
mod cost_increase;
mod counted_environments;
#[cfg(test)]
mod counted_fleets;
mod cpu_models;
pub(crate) mod data_quality;
pub(crate) mod estimate;
pub(crate) mod exceeding;
pub(crate) mod gate;
#[cfg(test)]
mod imported;
pub(crate) mod interval;
pub(crate) mod limits;
mod measures;
pub(crate) mod memory_search;
mod mix_scenarios;
mod pair_samples;
mod plot_data;
pub(crate) mod precision;
pub mod proportion;
mod ratio;
#[cfg(test)]
mod reference;
pub(crate) mod result;
pub mod samples;
pub mod sides;
mod summary_statistics;
pub(crate) mod tested;
pub(crate) mod tried_function;
mod variant_summary;
pub(crate) mod verdict;
pub(crate) mod visualizer;
pub(crate) mod warning_kind;
mod warnings;
