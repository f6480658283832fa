//! A campaign that takes a census.

use super::*;
use crate::campaign::{
    census::{CensusFile, CensusRow, FleetVariances, Observer, PlannedCensus, Tally},
    prices::{Price, PriceTable, Tier},
};
use crate::protocol::Architecture;
use std::sync::Mutex;

/// Keeps the order of blocks and rounds, and ends the campaign at a call of this number.
#[derive(Default)]
pub(super) struct ObserverOfCensus {
    pub(super) log: Vec<String>,
    rows: u32,
    ends_at: Option<(u32, watch::Sender<bool>)>,
}

impl Observer for ObserverOfCensus {
    fn round(&mut self, variant: VariantIndex, calls: u32, _: &Variants<Tally>) -> io::Result<()> {
        self.log.push(format!("{calls} of {variant}"));
        Ok(())
    }

    fn row(&mut self, _: &CensusRow, _: &Variants<Tally>) -> io::Result<()> {
        self.rows += 1;
        if let Some((_, stop)) = self.ends_at.as_ref().filter(|(at, _)| *at == self.rows) {
            stop.send_replace(true);
        }
        Ok(())
    }

    fn backoff(&mut self, variant: VariantIndex, pause: Duration) -> io::Result<()> {
        self.log.push(format!("{variant} waits: {}", !pause.is_zero()));
        Ok(())
    }
}

/// A warm campaign of ten blocks, which counts ten environments of each variant.
fn manifest() -> Manifest {
    let mut manifest = Manifest::example();
    manifest.plan.census = Some(PlannedCensus { environments: 10, rounds: 5, hold_ms: 0, is_allocated: false });
    (manifest.plan.environment, manifest.plan.cpu_model) = (Some("/id".to_owned()), Some("/cpu".to_owned()));
    manifest.limits.invocations = Some(20);
    manifest
}

/// Sets what every call costs, however long it takes on a busy machine: $0.0000002.
fn set_price_of_a_call(manifest: &mut Manifest) {
    let price = PriceTable::built_in().price("us-east-1", Architecture::X86_64).unwrap();
    let price = Price { tiers: vec![Tier { up_to_gb_seconds: None, gb_second_usd: 0.0 }], ..price };
    manifest.variants.iter_mut().for_each(|(_, variant)| variant.price = Some(price.clone()));
}

/// Runs the campaign in `directory` from where it is; its rounds have at most `most` calls. Gives also the rows of its
/// census.
async fn conducted(
    manifest: &Manifest,
    lambda: &Arc<FakeLambda>,
    directory: &Path,
    most: u32,
    (observer, ends_at): (&mut TestObserver, Option<u32>),
) -> (Finished, Vec<CensusRow>) {
    let journal = match Journal::open(directory) {
        Ok(journal) => journal,
        Err(_) => Journal::create(directory, manifest).unwrap(),
    };
    let planned = manifest.census().unwrap();
    let (file, rows) = CensusFile::open(directory, &planned).unwrap();
    let samples = run_directory::rows(directory, manifest).unwrap();
    let most = manifest.variants.map(|_, _| most);
    let rule = Box::new(TwelvefoldBetweenModels { blocks: 0 }) as Box<dyn StoppingRule>;
    let is_allocated = manifest.plan.census.is_some_and(|census| census.is_allocated);
    let progress = Progress::new(manifest, samples, is_allocated.then_some(rule)).unwrap().with_census(&most, &rows);
    let (campaign, stop) = campaign(manifest, lambda, directory, journal, progress);
    observer.census.ends_at = ends_at.map(|at| (at, stop.clone()));
    let finished = campaign.with_census(Some((&planned, file))).run(observer).await;
    (finished, CensusFile::open(directory, &planned).unwrap().1)
}

/// Ends a campaign after twelve blocks, whose CPU models differ more than environments of one do.
#[derive(Debug)]
struct TwelvefoldBetweenModels {
    blocks: u64,
}

impl StoppingRule for TwelvefoldBetweenModels {
    fn observe(&mut self, row: &Row) {
        self.blocks = row.block + 1;
    }

    fn reason(&self, _: &Totals, _: &NextCalls, _: Duration) -> Option<String> {
        (self.blocks >= 12).then(|| "enough".to_owned())
    }

    fn fleet_variances(&self) -> Option<FleetVariances> {
        (self.blocks > 0).then_some(FleetVariances { within_models: 0.1, between_models: 1.2 })
    }
}

/// What was done before each block.
fn before_blocks(observer: &TestObserver) -> Vec<Vec<&str>> {
    let blocks = observer.census.log.split_inclusive(|entry| entry.starts_with("block"));
    blocks.map(|entries| entries[..entries.len() - 1].iter().map(String::as_str).collect()).collect()
}

fn counts(finished: &Finished) -> Vec<u32> {
    finished.totals.census.as_ref().unwrap().iter().map(|(_, tally)| tally.count()).collect()
}

#[tokio::test(start_paused = true)]
async fn rounds_come_before_the_blocks_of_the_plan_and_change_nothing_between() {
    let (lambda, manifest, directory) = (Arc::new(FakeLambda::new(|_, _| Act::Answer)), manifest(), scratch("census"));
    let mut observer = TestObserver::default();
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut observer, None)).await;
    assert!(matches!(&finished.end, Ok(Outcome::Enough(reason)) if reason.contains("--invocations 20")));
    assert_eq!((counts(&finished), finished.totals.calls()), (vec![10, 10], 20));
    let before = before_blocks(&observer);
    let kinds = |entries: &[&str]| entries.iter().map(|entry| entry[..1].parse::<u32>().unwrap()).collect::<Vec<_>>();
    // The first of each variant is one call.
    assert_eq!(
        before.iter().map(|entries| kinds(entries)).collect::<Vec<_>>(),
        [vec![1, 1, 1, 1], vec![], vec![2, 2], vec![], vec![2, 2], vec![], vec![2, 2], vec![], vec![2, 2], vec![]]
    );
    assert!(before[2].contains(&"2 of 0") && before[2].contains(&"2 of 1"));
    // An update for each round, and one to undo them.
    assert_eq!((lambda.count("PUT"), rows.len()), (12 + 1, 20));
    assert!(lambda.is_as_before() && !ChangedFunctions::are_in(&directory));
    fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn throttled_rounds_become_smaller_and_the_census_is_completed() {
    // Two of the last calls of the first round with five.
    let lambda = Arc::new(FakeLambda::new({
        let calls = Mutex::new(0);
        move |_, method| {
            let mut calls = calls.lock().unwrap();
            *calls += u32::from(method == "POST");
            match method {
                "POST" if (6..8).contains(&*calls) => Act::Refuse(429, "TooManyRequestsException"),
                _ => Act::Answer,
            }
        }
    }));
    let (mut manifest, directory) = (manifest(), scratch("census-throttled"));
    manifest.plan.census = Some(PlannedCensus { environments: 30, rounds: 5, hold_ms: 0, is_allocated: false });
    let mut observer = TestObserver::default();
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut observer, None)).await;
    assert!(finished.end.is_ok());
    assert_eq!(counts(&finished), [30, 30]);
    assert_eq!(rows.iter().filter(|row| row.failure.is_some()).count(), 2);
    assert_eq!(observer.census.log.iter().filter(|entry| entry.ends_with("waits: true")).count(), 1);
    // Of five calls two were throttled: no round of that variant has more than two from then on.
    let before = before_blocks(&observer);
    let throttled = before[0].iter().find(|entry| entry.ends_with("waits: true")).unwrap();
    let rounds = format!("5 of {}", &throttled[..1]);
    let of_variant = format!("of {}", &throttled[..1]);
    let all: Vec<_> = before.concat().into_iter().filter(|entry| entry.ends_with(&of_variant)).collect();
    assert_eq!(all.iter().filter(|entry| **entry == rounds).count(), 1);
    assert!(all[2..].iter().all(|entry| entry[..1].parse::<u32>().unwrap() <= 2), "{all:?}");
    fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_census_that_was_interrupted_counts_what_is_missing() {
    let (lambda, manifest, directory) =
        (Arc::new(FakeLambda::new(|_, _| Act::Answer)), manifest(), scratch("census-interrupted"));
    let mut observer = TestObserver::default();
    // The first of two calls in the round before block 2.
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut observer, Some(5))).await;
    assert_eq!(finished.end.unwrap(), Outcome::Interrupted);
    assert_eq!((rows.len(), finished.totals.calls()), (6, 4));
    assert!(lambda.is_as_before());
    let mut observer = TestObserver::default();
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut observer, None)).await;
    assert_eq!((counts(&finished), rows.len(), finished.totals.calls()), (vec![10, 10], 20, 20));
    assert_eq!(before_blocks(&observer)[0].len(), 1);
    // It is over, and stays so.
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut TestObserver::default(), None)).await;
    assert_eq!((rows.len(), finished.totals.calls()), (20, 20));
    assert!(lambda.is_as_before());
    fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_counted_is_said_and_the_campaign_goes_on() {
    let (lambda, mut manifest, directory) =
        (Arc::new(FakeLambda::new(|_, _| Act::Answer)), manifest(), scratch("census-untold"));
    manifest.plan.cpu_model = Some("/processor".to_owned());
    let mut observer = TestObserver::default();
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut observer, None)).await;
    assert!(matches!(finished.end, Ok(Outcome::Enough(_))));
    assert_eq!((counts(&finished), rows.len(), finished.totals.calls()), (vec![0, 0], 6, 20));
    let of_census = observer.warnings.iter().filter(|warning| warning.contains("the census of"));
    assert_eq!(of_census.count(), 2);
    assert!(observer.warnings.iter().any(|warning| {
        warning.starts_with(
            "the census of x ends at 0: three rounds in a row met no new environment: --cpu-model /processor",
        )
    }));
    fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_costs_is_that_of_census_and_samples_together() {
    let (lambda, mut manifest, directory) =
        (Arc::new(FakeLambda::new(|_, _| Act::Answer)), manifest(), scratch("census-cost"));
    set_price_of_a_call(&mut manifest);
    let (free, _) = conducted(&manifest, &lambda, &directory, 500, (&mut TestObserver::default(), None)).await;
    assert!(free.totals.cost_usd() > free.totals.cost_of_samples_usd());
    fs::remove_dir_all(&directory).unwrap();
    // Twenty calls, whatever they are for.
    manifest.limits.max_cost_usd = Some(0.000_004_1);
    let directory = scratch("census-costly");
    let mut observer = TestObserver::default();
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut observer, None)).await;
    assert!(
        matches!(&finished.end, Ok(Outcome::Enough(reason)) if reason.contains("--max-cost")),
        "{:?}",
        finished.end
    );
    let calls = rows.len() as u64 + finished.totals.calls();
    assert!(calls == 20 && rows.len() > 4 && finished.totals.cost_usd() <= 0.000_004_1, "{calls} {}", rows.len());
    fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_allocated_census_counts_what_is_cheapest_before_every_fourth_block() {
    let (lambda, mut manifest, directory) =
        (Arc::new(FakeLambda::new(|_, _| Act::Answer)), manifest(), scratch("census-allocated"));
    manifest.plan.census = Some(PlannedCensus { environments: 1, rounds: 1, hold_ms: 0, is_allocated: true });
    manifest.limits = CampaignLimits { until_ci: Some(0.02), max_cost_usd: Some(1.0), ..CampaignLimits::default() };
    set_price_of_a_call(&mut manifest);
    let mut observer = TestObserver::default();
    let (finished, rows) = conducted(&manifest, &lambda, &directory, 500, (&mut observer, None)).await;
    assert_eq!(finished.end.unwrap(), Outcome::Enough("enough".to_owned()));
    // A call of the census costs as much as one of the four of a measured environment. At first two CPUs 1.4× apart are expected;
    // then √(12 · 4) are counted for each, of 2 and 3 that are measured.
    let mut counts = vec![[0; 2]; 12];
    for (block, entries) in before_blocks(&observer).iter().enumerate() {
        for entry in entries {
            let (calls, variant) = entry.split_once(" of ").unwrap();
            counts[block][variant.parse::<usize>().unwrap()] += calls.parse::<u32>().unwrap();
        }
    }
    let mut expected = vec![[0; 2]; 12];
    (expected[0], expected[4], expected[8]) = ([8, 8], [6, 6], [7, 7]);
    assert_eq!((counts, rows.len()), (expected, 42));
    assert!(lambda.is_as_before());
    fs::remove_dir_all(&directory).unwrap();
}
