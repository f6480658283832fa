//! A campaign on a function in memory.

use super::*;
use crate::campaign::{
    caller::FunctionCaller,
    cold_start_variable::{
        Owner,
        double::{Act, FakeLambda},
    },
    forced_cold_starts::ChangedFunctions,
};
use std::{env, fs, path::PathBuf, process};

/// An observer that panics at the second sample.
struct Panicking(u32);

impl Observer for Panicking {
    fn block(&mut self, _number: u64, _totals: &Totals) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, _row: &Row, _totals: &Totals) -> io::Result<()> {
        self.0 += 1;
        assert!(self.0 < 2, "a bug");
        Ok(())
    }

    fn warning(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn difference(&mut self, _difference: &AnswerDifference) -> io::Result<()> {
        Ok(())
    }

    fn backoff(&mut self, _variant: VariantIndex, _calls: usize, _pause: Duration) -> io::Result<()> {
        Ok(())
    }

    fn given_up(&mut self, _hopeless: &Hopeless) -> io::Result<()> {
        Ok(())
    }

    fn has_enough(&mut self, _variant: VariantIndex, _reason: &str) -> io::Result<()> {
        Ok(())
    }
}

fn manifest() -> Manifest {
    let mut manifest = Manifest::example();
    manifest.plan.cold = true;
    manifest
}

fn scratch() -> PathBuf {
    let directory = env::temp_dir().join(format!("lambda-duet-driver-{}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[tokio::test(start_paused = true)]
async fn a_bug_that_panics_leaves_nothing_changed() {
    let (lambda, manifest, directory) = (Arc::new(FakeLambda::new(|_, _| Act::Answer)), manifest(), scratch());
    let caller = || Arc::new(Caller::Function(FunctionCaller::new(lambda.client().into(), "x", None, None)));
    let owner = Owner::this_process(&directory);
    let changes = Arc::new(ChangedFunctions::read(&directory, &owner).unwrap());
    let cold = ColdStartForcer::new(owner, Arc::clone(&changes), Duration::from_secs(60));
    let journal = Journal::create(&directory, &manifest).unwrap();
    let progress = Progress::new(&manifest, std::iter::empty(), Vec::new()).unwrap();
    let comparison = AnswerComparison::read(&directory, &manifest.plan).unwrap();
    let callers = [caller(), caller()].into_iter().collect();
    let (_stop, stopped) = watch::channel(false);
    let campaign = Campaign::new(&manifest, &callers, cold, comparison, journal, progress, stopped);
    let panic = catching(campaign.run(&mut Panicking(0))).await.expect_err("the panic is not hidden");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bug"));
    assert!(lambda.count("PUT") >= 3 && lambda.is_as_before());
    assert!(changes.open().is_empty());
    fs::remove_dir_all(&directory).unwrap();
}
