//! `duet workloads`

use crate::{report::terminal, workload};
use clap::Args;

/// Lists the workloads: what each does, what it stresses, its sizes and their memory.
#[derive(Debug, Args)]
pub struct Workloads {
    /// Print the catalogue as JSON, as `GET …/workloads` answers it.
    #[arg(long)]
    json: bool,
}

impl Workloads {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let catalogue = workload::catalogue();
        if self.json {
            println!("{}", serde_json::to_string_pretty(&catalogue)?);
        } else {
            print!("{}", terminal::catalogue(&catalogue));
        }
        Ok(())
    }
}
