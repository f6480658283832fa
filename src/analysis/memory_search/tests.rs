use super::*;
use crate::campaign::{platform_report::PlatformReport, prices::PriceTable};
use proptest::prelude::*;

/// A search among all sizes of both architectures for a function of x86_64 with 512 MB.
fn search() -> MemorySearch {
    let price = |architecture| PriceTable::built_in().price("us-east-1", architecture).ok();
    let own = CloneSettings { architecture: Architecture::X86_64, memory_mb: 512 };
    let all = [Architecture::X86_64, Architecture::Arm64]
        .into_iter()
        .flat_map(|architecture| SIZES.into_iter().map(move |memory_mb| CloneSettings { architecture, memory_mb }));
    let others = all.filter(|settings| *settings != own);
    MemorySearch::new(std::iter::once(own).chain(others).map(|settings| (settings, price(settings.architecture), 512)))
}

fn place(search: &MemorySearch, architecture: Architecture, memory_mb: u32) -> VariantIndex {
    let settings = CloneSettings { architecture, memory_mb };
    search.searched.iter().find(|(_, searched)| searched.settings == settings).unwrap().0
}

fn name(architecture: Architecture) -> &'static str {
    if architecture == Architecture::Arm64 { "arm64" } else { "x86_64" }
}

fn within(mean_ms: f64, share: f64) -> Result<Finding, Failed> {
    let time = Interval { low: mean_ms * (1.0 - share), high: mean_ms * (1.0 + share) };
    Ok(Finding { time, is_memory_short: false })
}

/// Tries variants until the search is over.
fn run(search: &mut MemorySearch, mut attempt: impl FnMut(&mut MemorySearch, VariantIndex)) {
    let mut next = search.next();
    while let [_, ..] = &*next {
        next.into_iter().for_each(|place| attempt(search, place));
        next = search.next();
    }
}

/// Searches with what calls of each variant would show. Gives how many were measured, and those that are left.
fn searched(
    mut search: MemorySearch,
    show: impl Fn(CloneSettings) -> Result<Finding, Failed>,
) -> (usize, Vec<(&'static str, u32)>) {
    let mut measured = 0;
    run(&mut search, |search, place| {
        measured += 1;
        search.called(place, show(search.searched[place].settings));
    });
    let reasons = search.reasons();
    let kept = search.searched.iter().filter(|(variant, _)| reasons[*variant].is_none());
    (measured, kept.map(|(_, searched)| (name(searched.settings.architecture), searched.settings.memory_mb)).collect())
}

/// One thread that computes: its time falls until it has a whole CPU.
fn single_thread(settings: CloneSettings) -> f64 {
    100.0 * (1769.0 / f64::from(settings.memory_mb)).max(1.0)
}

#[test]
fn one_thread_that_computes_needs_one_cpu() {
    let (measured, kept) = searched(search(), |settings| within(single_thread(settings), 0.01));
    assert_eq!(measured, 8);
    // arm64 is as fast in this, and costs a fifth less.
    assert_eq!(kept, [("x86_64", 512), ("arm64", 512), ("arm64", 1769)]);
}

#[test]
fn waiting_needs_the_least_memory() {
    let (measured, kept) = searched(search(), |_| within(50.0, 0.01));
    assert_eq!(measured, 8);
    assert_eq!(kept, [("x86_64", 512), ("arm64", 128), ("arm64", 512)]);
}

#[test]
fn where_time_is_bought_all_sizes_are_measured() {
    // Each step of memory makes it faster and dearer.
    let (measured, kept) =
        searched(search(), |CloneSettings { memory_mb, .. }| within(100.0 + 1e5 / f64::from(memory_mb), 0.001));
    assert!(measured > 14, "{measured}");
    assert!(SIZES.iter().filter(|size| kept.contains(&("arm64", **size))).count() >= 8, "{kept:?}");
}

#[test]
fn wide_intervals_leave_nothing_out() {
    let (measured, kept) = searched(search(), |settings| within(single_thread(settings), 0.9));
    assert_eq!((measured, kept.len()), (22, 22));
}

#[test]
fn what_fails_with_some_memory_fails_with_less() {
    let show = |settings: CloneSettings| {
        if settings.memory_mb > 600 { within(20.0, 0.01) } else { Err(Failed::ForMemory) }
    };
    let mut failing = search();
    failing.called(VariantIndex::default(), within(50.0, 0.01));
    let (_, kept) = searched(failing, show);
    assert_eq!(kept, [("x86_64", 512), ("arm64", 1024)]);
}

#[test]
fn the_largest_size_that_an_account_may_have_is_found() {
    let mut search = search();
    let mut refused = Vec::new();
    run(&mut search, |search, place| {
        let CloneSettings { architecture, memory_mb } = search.searched[place].settings;
        if memory_mb > 3008 {
            refused.push((architecture, memory_mb));
            search.refused(place, Refused::ForMemory);
        } else {
            // Two threads and more.
            search.called(place, within(1e5 / f64::from(memory_mb), 0.01));
        }
    });
    assert_eq!(refused.iter().filter(|(architecture, _)| *architecture == Architecture::X86_64).count(), 2);
    let reasons = search.reasons();
    let of = |memory_mb| reasons[place(&search, Architecture::Arm64, memory_mb)];
    assert_eq!((of(3008), of(5307), of(7076)), (None, Some(LeftOutReason::NotMade), Some(LeftOutReason::NotMade)));
}

#[test]
fn an_architecture_that_cannot_be_made_is_left_out() {
    let mut search = search();
    run(&mut search, |search, place| match search.searched[place].settings.architecture {
        Architecture::X86_64 => search.called(place, within(50.0, 0.01)),
        Architecture::Arm64 => search.refused(place, Refused::ForAnotherReason),
    });
    let reasons = search.reasons();
    assert_eq!(reasons.iter().filter(|(_, reason)| **reason == Some(LeftOutReason::NotMade)).count(), 11);
}

#[test]
fn what_the_limits_leave_unmeasured_is_no_part_of_the_campaign() {
    let mut search = search();
    for place in search.next() {
        search.called(place, within(single_thread(search.searched[place].settings), 0.9));
    }
    let reasons = search.reasons();
    assert_eq!(reasons[place(&search, Architecture::Arm64, 1024)], Some(LeftOutReason::NotMeasured));
    assert_eq!(reasons[place(&search, Architecture::Arm64, 1769)], None);
}

#[test]
fn short_calls_with_less_than_one_cpu_bound_nothing() {
    let mut search = search();
    search.called(VariantIndex::default(), within(50.0, 0.0));
    let larger = place(&search, Architecture::X86_64, 1024);
    assert_eq!(search.least_ms(larger), 0.0);
    search.called(VariantIndex::default(), within(100.0, 0.0));
    assert_eq!(search.least_ms(larger), 50.0);
}

#[test]
fn no_bound_is_drawn_from_a_size_in_which_memory_was_short() {
    let mut search = search();
    let short = Finding { is_memory_short: true, ..within(1000.0, 0.01).unwrap() };
    search.called(VariantIndex::default(), Ok(short));
    let place = place(&search, Architecture::X86_64, 1024);
    assert_eq!(search.least_ms(place), 0.0);
    search.called(VariantIndex::default(), within(1000.0, 0.01));
    assert_eq!(search.least_ms(place), 495.0);
}

proptest! {
    /// Whatever the times are, as long as they are as Lambda's are: what is left out is at most a little faster or cheaper
    /// than something that is kept.
    #[test]
    fn no_size_is_left_out_that_would_be_worthwhile(
        serial in 1.0..1000.0_f64, parallel in 0.0..1e6_f64, threads in 1.0..6.0_f64, arm64 in 0.7..1.4_f64, width in 0.0..0.2_f64,
    ) {
        let time = |CloneSettings { architecture, memory_mb }: CloneSettings| {
            let cpus = (f64::from(memory_mb) / 1769.0).min(threads);
            let speed = if architecture == Architecture::Arm64 { arm64 } else { 1.0 };
            serial + speed * parallel / (1769.0 * cpus)
        };
        let mut search = search();
        run(&mut search, |search, place| {
            search.called(place, within(time(search.searched[place].settings), width));
        });
        let reasons = search.reasons();
        let truth = |place: VariantIndex| {
            let searched = &search.searched[place];
            let ms = time(searched.settings);
            (ms, searched.cost(ms))
        };
        for place in search.searched.indices().filter(|place| reasons[*place].is_some()) {
            let (ms, usd) = truth(place);
            // One that was not measured, for one that was left out in turn.
            let slack = (1.0 + WORTHWHILE).powi(2) + 1e-9;
            let is_covered = search.searched.indices().filter(|other| reasons[*other].is_none()).any(|other| {
                let (other_ms, other_usd) = truth(other);
                other_ms <= ms * slack && other_usd <= usd * slack
            });
            prop_assert!(is_covered, "{:?}", search.searched[place].settings);
        }
    }
}

fn call(block: u64, slot: u32, latency_ms: u64) -> Row {
    let report = PlatformReport { memory_mb: Some(512), max_memory_mb: Some(100), ..PlatformReport::default() };
    Row { block, slot, latency_ns: latency_ms * 1_000_000, report: Some(report), ..Row::example() }
}

fn shown(rows: &[Row]) -> Option<Result<Finding, Failed>> {
    Finding::of_calls(&rows.iter().collect::<Vec<_>>())
}

#[test]
fn what_calls_show_is_the_mean_of_blocks_without_the_first() {
    let rows = [call(0, 0, 900), call(1, 0, 99), call(1, 1, 101), call(2, 0, 101), call(2, 1, 99)];
    let Finding { time, is_memory_short } = shown(&rows).unwrap().unwrap();
    // Student's 12.706 of one degree of freedom, and a standard error of 1.
    assert!((time.low - 87.294).abs() < 1e-3 && (time.high - 112.706).abs() < 1e-3, "{time:?}");
    assert!(!is_memory_short);
    let alone = shown(&[call(1, 0, 100)]).unwrap().unwrap();
    assert_eq!((alone.time.low, alone.time.high), (0.0, f64::INFINITY));
    assert_eq!(shown(&[call(0, 0, 100)]), None);
}

#[test]
fn memory_is_short_if_it_is_used_or_nothing_tells() {
    let used = |max_memory_mb| {
        let report = PlatformReport { memory_mb: Some(128), max_memory_mb, ..PlatformReport::default() };
        let row = Row { report: Some(report), ..call(1, 0, 10) };
        shown(&[row]).unwrap().unwrap().is_memory_short
    };
    assert_eq!([Some(115), Some(116), None].map(used), [false, true, true]);
}

#[test]
fn a_variant_some_of_whose_calls_fail_shows_no_time() {
    let failed = |kind, message| Row { failure: Some(Failure::new(kind, message)), ..call(1, 9, 10) };
    let killed = failed(FailureKind::Function, "Runtime.ExitError: signal: killed");
    let other = failed(FailureKind::Function, "KeyError");
    assert_eq!(shown(&[call(1, 0, 10), call(1, 1, 10), killed.clone()]), Some(Err(Failed::ForMemory)));
    assert_eq!(shown(&[call(1, 0, 10), killed, other.clone()]), Some(Err(Failed::ForAnotherReason)));
    let many: Vec<Row> = (0..20).map(|slot| call(1, slot, 10)).chain([other]).collect();
    assert!(shown(&many).unwrap().is_ok());
}

#[test]
fn the_best_other_size_is_kept_where_none_is_worthwhile() {
    let price = PriceTable::built_in().price("us-east-1", Architecture::X86_64).unwrap();
    let sizes = [1769].into_iter().chain(SIZES.into_iter().filter(|size| *size != 1769));
    let settings = sizes.map(|memory_mb| CloneSettings { architecture: Architecture::X86_64, memory_mb });
    let search = MemorySearch::new(settings.map(|settings| (settings, Some(price.clone()), 512)));
    let (_, kept) = searched(search, |settings| within(single_thread(settings), 0.01));
    assert_eq!(kept, [("x86_64", 1769), ("x86_64", 10_240)]);
}
