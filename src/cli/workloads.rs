//! `duet workloads`

use super::{output, wrong_arguments::wrong_arguments};
use crate::{protocol::Selection, report::response, workload};
use clap::Args;

/// Lists the workloads: what each does, what it stresses, its sizes and their memory.
#[derive(Debug, Args)]
pub struct WorkloadsArgs {
    /// Categories (sorting) and names (math/fft); all workloads where none is given.
    selectors: Vec<String>,
    /// Print the catalogue as JSON, as `GET …/workloads` answers it.
    #[arg(long)]
    json: bool,
}

impl WorkloadsArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let selection = if self.selectors.is_empty() { Selection::All } else { Selection::Some(self.selectors) };
        let catalogue = workload::catalogue(workload::select(&selection).map_err(wrong_arguments)?);
        output::print_as(self.json, &catalogue, || response::catalogue(&catalogue))
    }
}
