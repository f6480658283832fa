//! A campaign on a function in memory.

use super::*;
use crate::campaign::{
    caller::FunctionCaller,
    cold_start_variable::double::{Act, FakeLambda},
    forced_cold_starts::ChangedFunctions,
    manifest::{CampaignLimits, Variant},
    owner::Owner,
    run_directory,
    stopping_rules::{NextCalls, StoppingRule},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

mod census;
mod hooks;

/// An observer that keeps warnings and the variants whose calls ended, and panics or fails at a sample of this number.
#[derive(Default)]
struct TestObserver {
    ended: Vec<VariantIndex>,
    warnings: Vec<String>,
    samples: u32,
    panics_at: Option<u32>,
    fails_at: Option<u32>,
    census: census::ObserverOfCensus,
}

impl Observer for TestObserver {
    fn block(&mut self, number: u64, _totals: &Totals) -> io::Result<()> {
        self.census.log.push(format!("block {number}"));
        Ok(())
    }

    fn row(&mut self, _row: &Row, _totals: &Totals) -> io::Result<()> {
        self.samples += 1;
        assert!(self.panics_at != Some(self.samples), "a bug");
        if self.fails_at == Some(self.samples) { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    fn warning(&mut self, text: &str) -> io::Result<()> {
        self.warnings.push(text.to_owned());
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

    fn has_enough(&mut self, variant: VariantIndex, _reason: &str) -> io::Result<()> {
        self.ended.push(variant);
        Ok(())
    }

    fn census(&mut self) -> &mut dyn CensusObserver {
        &mut self.census
    }
}

fn manifest() -> Manifest {
    let mut manifest = Manifest::example();
    manifest.plan.cold = true;
    manifest
}

fn scratch(name: &str) -> PathBuf {
    let directory = env::temp_dir().join(format!("lambda-duet-driver-{name}-{}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// A campaign on `lambda` as all variants, and what ends it.
fn campaign<'a>(
    manifest: &'a Manifest,
    lambda: &Arc<FakeLambda>,
    directory: &Path,
    journal: Journal,
    progress: Progress<'a>,
) -> (Campaign<'a>, watch::Sender<bool>) {
    let caller = |_| Arc::new(Caller::Function(FunctionCaller::new(lambda.client().into(), "x", None, None)));
    let callers = manifest.variants.indices().map(caller).collect();
    let owner = Owner::this_process(directory);
    let changes = Arc::new(ChangedFunctions::read(directory, &owner).unwrap());
    let cold = ColdStartForcer::new(owner, changes, Duration::from_secs(60));
    let comparison = AnswerComparison::read(directory, &manifest.plan).unwrap();
    let (stop, stopped) = watch::channel(false);
    (Campaign::new(manifest, &callers, cold, comparison, journal, progress, stopped), stop)
}

#[tokio::test(start_paused = true)]
async fn a_bug_that_panics_leaves_nothing_changed() {
    let (lambda, manifest, directory) = (Arc::new(FakeLambda::new(|_, _| Act::Answer)), manifest(), scratch("panic"));
    let journal = Journal::create(&directory, &manifest).unwrap();
    let progress = Progress::new(&manifest, std::iter::empty(), Vec::new()).unwrap();
    let (campaign, _stop) = campaign(&manifest, &lambda, &directory, journal, progress);
    let panic = catching(campaign.run(&mut TestObserver { panics_at: Some(2), ..TestObserver::default() }))
        .await
        .expect_err("the panic is not hidden");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bug"));
    assert!(lambda.count("PUT") >= 3 && lambda.is_as_before());
    assert!(!ChangedFunctions::are_in(&directory));
    fs::remove_dir_all(&directory).unwrap();
}

/// Each variant has enough after as many blocks as its place says.
#[derive(Debug, Default)]
struct EnoughByPlace {
    blocks: u64,
}

impl StoppingRule for EnoughByPlace {
    fn observe(&mut self, row: &Row) {
        self.blocks = row.block + 1;
    }

    fn reason(&self, _totals: &Totals, _next: &NextCalls, _at: Duration) -> Option<String> {
        None
    }

    fn enough_of(&self, candidates: &[VariantIndex]) -> Vec<(VariantIndex, String)> {
        let enough = candidates.iter().filter(|variant| variant.get() as u64 <= self.blocks);
        enough.map(|variant| (*variant, format!("{variant} has enough"))).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_variant_that_has_enough_is_not_called_any_more_and_the_last_one_ends_the_campaign() {
    let (lambda, example, directory) =
        (Arc::new(FakeLambda::new(|_, _| Act::Answer)), Manifest::example(), scratch("enough"));
    let variants = ["base", "b", "c", "d"].map(|name| {
        let variant = example.variants[VariantIndex::default()].clone();
        Variant { name: name.to_owned(), ..variant }
    });
    let limits = CampaignLimits { invocations: Some(1000), ..CampaignLimits::default() };
    let manifest = Manifest { variants: variants.into_iter().collect(), limits, ..example };
    let journal = Journal::create(&directory, &manifest).unwrap();
    let rule = Box::new(EnoughByPlace::default()) as Box<dyn StoppingRule>;
    let progress = Progress::new(&manifest, std::iter::empty(), [rule]).unwrap();
    let (campaign, _stop) = campaign(&manifest, &lambda, &directory, journal, progress);
    let mut observer = TestObserver::default();
    let finished = campaign.run(&mut observer).await;
    assert_eq!(finished.end.unwrap(), Outcome::Enough("3 has enough".to_owned()));
    let calls: Vec<u64> = finished.totals.variants.iter().map(|(_, totals)| totals.calls).collect();
    assert_eq!(calls, [3, 1, 2, 3]);
    assert_eq!(observer.ended, manifest.variants.indices().skip(1).take(2).collect::<Vec<_>>());
    let kept = run_directory::manifest(&directory).unwrap();
    let ended = kept.variants.iter().filter_map(|(_, variant)| Some((variant.name.as_str(), variant.ended?.block)));
    assert_eq!(ended.collect::<Vec<_>>(), [("b", 1), ("c", 2)]);
    fs::remove_dir_all(&directory).unwrap();
}
