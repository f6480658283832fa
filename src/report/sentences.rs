//! Sentences about an analysis, the same in every output format.

use super::counted_fleets::{both_ranges, without_census};
use super::imported;
use super::words::{
    Name, change, compared, count, counted, date, dollars, from_to, names, percent, proportion, proportion_to, range,
    range_of, significant, took,
};
use crate::{
    analysis::{
        estimate::Sources,
        result::{
            ColdShare, ColdShareSource, Comparison, Interval, Measure, Method, Money, PairAnalysis, Provenance, Ratio,
        },
        sides::Sides,
        verdict::Verdict,
        warning_kind::WarningKind,
    },
    campaign::{insights::DAYS, manifest::Order},
};

/// The verdict in one sentence.
pub fn headline(analysis: &PairAnalysis) -> String {
    match &analysis.headline {
        Some(comparison) if comparison.verdict != Verdict::Withheld => verdict(analysis, comparison),
        comparison => format!("No verdict: {}.", why_withheld(analysis, comparison.as_ref())),
    }
}

fn verdict(analysis: &PairAnalysis, comparison: &Comparison) -> String {
    let Sides { baseline, candidate } = names(analysis);
    let first = candidate.at_start();
    let time = match comparison.measure {
        Measure::Init => "time to start",
        Measure::Billed => "billed time",
        _ => "time",
    };
    let margin = format!("within ±{}{}", percent(analysis.method.margin), in_brackets(without_census(comparison)));
    let speed = speed(comparison, &analysis.method);
    let certain = |money: &Money| Some((money.savings, money.savings_interval.filter(is_certain)?));
    let Some((savings, interval)) = analysis.money.as_ref().and_then(certain) else {
        return match comparison.verdict {
            Verdict::Faster | Verdict::Slower => {
                let takes = compared(ratio(comparison), time, &baseline.to_string());
                format!("{first} takes {takes}{speed}.")
            }
            Verdict::Equivalent => format!("No difference: {candidate} takes as much {time} as {baseline}, {margin}."),
            Verdict::Inconclusive | Verdict::Withheld => {
                format!("Inconclusive: {candidate} takes {}; {}.", seems(comparison, time), needed(comparison))
            }
        };
    };
    let confidence = percent(analysis.method.confidence);
    let costs = compared(1.0 - savings, "", &baseline.to_string());
    let costs = format!("{first} costs {costs} ({confidence} interval {})", saved_range(interval));
    match comparison.verdict {
        Verdict::Faster | Verdict::Slower => {
            let agree = (interval.low > 0.0) == (comparison.verdict == Verdict::Faster);
            let change = change(ratio(comparison));
            format!("{costs}{} takes {change} {time}{speed}.", if agree { " and" } else { ", but" })
        }
        Verdict::Equivalent => format!("{costs} and takes as much {time}, {margin}."),
        Verdict::Inconclusive | Verdict::Withheld => format!(
            "{costs}; whether it takes less {time} is open: it takes {}, and {}.",
            seems(comparison, time),
            needed(comparison)
        ),
    }
}

/// The ratio that a verdict is on.
fn ratio(comparison: &Comparison) -> f64 {
    comparison.ratio.map_or(f64::NAN, |ratio| ratio.estimate)
}

/// Whether these savings rule out that both sides cost the same.
pub fn is_certain(savings: &Interval) -> bool {
    savings.excludes(0.0)
}

/// Savings in words: `12% less`.
pub fn saved(savings: f64) -> String {
    change(1.0 - savings)
}

/// An interval of savings in words.
pub fn saved_range(Interval { low, high }: Interval) -> String {
    range(Interval { low: 1.0 - high, high: 1.0 - low })
}

/// ` (1.14× as fast; 95% interval 10% to 14% less)`.
fn speed(comparison: &Comparison, method: &Method) -> String {
    let Some(Ratio { estimate, interval, .. }) = comparison.ratio else { return String::new() };
    let ranges = interval.map(|interval| both_ranges(comparison, interval));
    let ranges = ranges.map(|ranges| format!("; {} interval {ranges}", percent(method.confidence)));
    format!(" ({}× as fast{})", significant(1.0 / estimate), ranges.unwrap_or_default())
}

fn in_brackets(text: Option<String>) -> String {
    text.map(|text| format!(" ({text})")).unwrap_or_default()
}

/// The interval of the ratio in words.
fn seems(comparison: &Comparison, time: &str) -> String {
    match comparison.ratio.and_then(|ratio| ratio.interval) {
        Some(interval) => range_of(interval, time) + &in_brackets(without_census(comparison)),
        None => format!("neither more nor less {time} for certain"),
    }
}

fn needed(comparison: &Comparison) -> String {
    match comparison.environments_needed {
        Some(needed) => format!("about {} environments of each side would probably tell", count(needed)),
        None => "only more blocks would tell".to_owned(),
    }
}

fn why_withheld(analysis: &PairAnalysis, comparison: Option<&Comparison>) -> String {
    let names = names(analysis);
    let withholding = analysis.warnings.iter().filter(|warning| analysis.withholds(warning));
    let gravest = withholding.min_by_key(|warning| warning.kind);
    let side = gravest.and_then(|gravest| gravest.side).map_or("a side".to_owned(), |side| names[side].to_string());
    match gravest.map(|gravest| gravest.kind) {
        Some(WarningKind::ChecksumMismatch) => "equal work gave different results".to_owned(),
        Some(WarningKind::Emulated) => format!("{side} was emulated, so its times mean nothing"),
        Some(WarningKind::NoSamples) => format!("{side} has no sample that can be used"),
        Some(WarningKind::FunctionChanged) => format!("{side} was changed during the campaign"),
        Some(WarningKind::RepeatedRequests) => format!("one request to {side} is said to have given several answers"),
        Some(WarningKind::ImplausibleEnvironments) => {
            format!("the environments of {side} have ids that cannot be theirs")
        }
        Some(WarningKind::EnvironmentsUnknown) => "nothing tells environments apart".to_owned(),
        _ if comparison.is_none() => "no cell was measured of both variants".to_owned(),
        _ => too_few(analysis, comparison, &names),
    }
}

fn too_few(analysis: &PairAnalysis, comparison: Option<&Comparison>, names: &Sides<Name>) -> String {
    let Method { minimum_environments, minimum_blocks, .. } = analysis.method;
    let seen = comparison.map_or_else(|| analysis.sides.map(|_, side| side.environments), |of| of.environments);
    if seen.iter().any(|(_, environments)| *environments < minimum_environments) {
        return format!(
            "{} of {} and {} of {} {}, and it takes {minimum_environments} of each side",
            counted(seen.baseline, "environment"),
            names.baseline,
            seen.candidate,
            names.candidate,
            if analysis.campaign.imported.is_some() { "were measured" } else { "answered" }
        );
    }
    match comparison.map_or(analysis.campaign.blocks, |comparison| comparison.blocks.into()) {
        blocks if blocks >= minimum_blocks.into() => "nothing tells how much of a difference is chance".to_owned(),
        1 => format!("1 block has samples of both sides, and it takes {minimum_blocks}"),
        blocks => format!("{} blocks have samples of both sides, and it takes {minimum_blocks}", count(blocks)),
    }
}

/// What a month costs, and how slow the candidate may be.
pub fn savings(analysis: &PairAnalysis, money: &Money) -> String {
    let Sides { baseline, candidate } = names(analysis);
    let Money { monthly, savings, savings_interval, break_even, .. } = money;
    let interval = savings_interval.map_or(", without an interval".to_owned(), |interval| {
        format!(" ({} interval {})", percent(analysis.method.confidence), saved_range(interval))
    });
    let mut text = format!(
        "At {} invocations a month, {candidate} costs {} and {baseline} {}: {}{interval}.",
        count(money.invocations_per_month as u64),
        dollars(monthly.candidate.total_usd),
        dollars(monthly.baseline.total_usd),
        saved(*savings)
    );
    if let Some(factor) = break_even {
        text +=
            &format!(" Both would cost the same if {candidate} were billed {} times as long.", significant(*factor));
    }
    text
}

/// What the bill assumes: cold starts and prices.
pub fn assumptions(money: &Money) -> String {
    format!("{} {}", cold_share(money), prices(money))
}

/// Which cold starts are on the bill.
pub fn cold_share(money: &Money) -> String {
    let ColdShare { value, interval, invocations, source } = money.cold_share;
    match source {
        ColdShareSource::Measured => format!(
            "{} of invocations are taken to be cold starts (95% interval {}), as in the {} of the {DAYS} days before the \
             campaign.",
            proportion(value),
            interval.map(|Interval { low, high }| from_to(low, high, proportion_to)).unwrap_or_default(),
            count(invocations.unwrap_or_default())
        ),
        ColdShareSource::Assumed => {
            format!("{} of invocations are taken to be cold starts (--cold-share).", proportion(value))
        }
        ColdShareSource::Usage => {
            format!(
                "{} of invocations are taken to be cold starts, as of the function before it was tried.",
                proportion(value)
            )
        }
        ColdShareSource::Campaign => "Every invocation is taken to be a cold start, as in this campaign.".to_owned(),
        ColdShareSource::Unknown => "Cold starts are not on the bill, because too few were measured.".to_owned(),
    }
}

/// Whose prices the bill has.
fn prices(money: &Money) -> String {
    let Sides { baseline, candidate } = &money.prices;
    let prices = if baseline == candidate { baseline.clone() } else { format!("{baseline}, and {candidate}") };
    format!("Prices: {prices}, {} the free tier.", if money.free_tier { "after" } else { "without" })
}

/// Why cold starts have no interval: they are of too few blocks.
pub fn cold_starts_note(analysis: &PairAnalysis) -> Option<String> {
    let minimum = analysis.method.minimum_blocks;
    let blocks = analysis.cold_starts.comparisons.iter().map(|start| start.blocks).max()?;
    (blocks < minimum && !analysis.campaign.cold).then(|| {
        let have = if blocks == 1 { "1 has".to_owned() } else { format!("{blocks} have") };
        format!("Cold starts are compared where {minimum} blocks have some on both sides, as with --cold; here {have}.")
    })
}

/// Where the samples come from.
pub fn origin(analysis: &PairAnalysis) -> String {
    let campaign = &analysis.campaign;
    if let Some(import) = &campaign.imported {
        return imported::origin(import, campaign);
    }
    let Provenance { version, created_unix_ms, elapsed_ms, seed, cold, environments_per_step, blocks, calls, .. } =
        campaign;
    let took = elapsed_ms.map(|ms| format!(", took {}", took(ms)));
    let of_environments =
        environments_per_step.map(|number| format!(" of {} of each variant", counted(number, "environment")));
    let seed = seed.map(|seed| format!(", seed {seed}"));
    format!(
        "Begun {}{}: {} in {}, {}{}{}, Lambda Duet {version}.",
        date(*created_unix_ms),
        took.unwrap_or_default(),
        counted(*calls, "call"),
        counted(*blocks, "block"),
        if *cold { "cold starts" } else { "warm calls" },
        of_environments.unwrap_or_default(),
        seed.unwrap_or_default()
    )
}

/// Where the uncertainty of the headline comes from; None without an interval, or where nothing tells.
pub fn sources(analysis: &PairAnalysis) -> Option<String> {
    let headline = analysis.headline.as_ref().filter(|headline| headline.verdict != Verdict::Withheld)?;
    let Sources { environments, disturbances, mix, .. } = headline.sources?;
    let mut parts = Vec::new();
    let campaign = &analysis.campaign;
    match campaign.order {
        // Short ones are among the calls, so that none says nothing.
        Some(Order::SingleCalls) if disturbances < 0.005 => {}
        Some(Order::SingleCalls) => {
            parts.push((format!("at least {}", proportion(disturbances)), "what disturbed several calls in a row"));
        }
        Some(Order::SeparateSteps | Order::JointSteps) | None => {
            parts.push((proportion(disturbances), "what disturbed several environments at once"));
        }
    }
    let has_one_call_each = headline.calls.iter().all(|(side, calls)| *calls == u64::from(headline.environments[side]));
    let calls = imported::calls(campaign);
    let rest = if campaign.cold || has_one_call_each {
        // Nothing tells them apart.
        format!("environments and their {calls}")
    } else {
        parts.push((proportion(environments), "differences between environments"));
        format!("single {calls}")
    };
    parts.extend((mix > 0.0).then(|| (proportion(mix), "what the census leaves open of the mix of CPU models")));
    let ((first_share, first), others) = parts.split_first()?;
    let others: String = others.iter().map(|(share, what)| format!(", {share} from {what}")).collect();
    Some(format!(
        "Of the variance behind the interval, {first_share} comes from {first}{others}, and the rest from {rest}."
    ))
}

/// What the numbers mean.
pub fn how_to_read(analysis: &PairAnalysis) -> String {
    let method = &analysis.method;
    let looks = match method.until_ci {
        Some(target) => format!("valid at every look of a campaign that was to end at ±{}", percent(target)),
        None if analysis.campaign.order == Some(Order::SingleCalls) => "clustered by environment".to_owned(),
        None => "clustered by environment and block".to_owned(),
    };
    format!(
        "Below 0% the candidate takes less. Intervals are {}, {looks}; verdicts are Holm-corrected over all of them; within ±{} \
         counts as equivalent; environments are those of baseline/candidate; a verdict takes {} of each and {} blocks.",
        percent(method.confidence),
        percent(method.margin),
        method.minimum_environments,
        method.minimum_blocks
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::sides::Side, analysis::warning_kind::Warning, report::fixture};

    #[test]
    fn the_headline_states_the_verdict_and_the_cost() {
        let of = |verdict, ratio: f64, half: f64, has_bill: bool| {
            let mut analysis = fixture::analysis();
            let comparison = analysis.headline.as_mut().unwrap();
            let found = comparison.ratio.as_mut().unwrap();
            found.estimate = ratio;
            found.interval = Some(Interval { low: ratio - half, high: ratio + half });
            comparison.verdict = verdict;
            comparison.environments_needed = Some(1_200);
            analysis.money = analysis.money.filter(|_| has_bill);
            headline(&analysis)
        };
        let cheaper = "arm64 costs 25% less than x86_64 (95% interval 23% to 28% less)";
        assert_eq!(
            of(Verdict::Faster, 0.88, 0.03, true),
            format!("{cheaper} and takes 12% less time (1.14× as fast; 95% interval 9% to 15% less).")
        );
        assert_eq!(
            of(Verdict::Slower, 1.12, 0.03, true),
            format!("{cheaper}, but takes 12% more time (0.893× as fast; 95% interval 9% to 15% more).")
        );
        assert_eq!(of(Verdict::Equivalent, 1.0, 0.01, true), format!("{cheaper} and takes as much time, within ±2%."));
        assert_eq!(
            of(Verdict::Inconclusive, 1.0, 0.05, true),
            format!(
                "{cheaper}; whether it takes less time is open: it takes between 5% less and 5% more time, and about 1,200 \
                 environments of each side would probably tell."
            )
        );
        assert_eq!(
            of(Verdict::Faster, 0.88, 0.03, false),
            "arm64 takes 12% less time than x86_64 (1.14× as fast; 95% interval 9% to 15% less)."
        );
        assert_eq!(
            of(Verdict::Slower, 19.7, 0.4, false),
            "arm64 takes 19.7 times as much time as x86_64 (0.0508× as fast; 95% interval 19.3 to 20.1 times as much)."
        );
        assert_eq!(
            of(Verdict::Equivalent, 1.0, 0.01, false),
            "No difference: arm64 takes as much time as x86_64, within ±2%."
        );
        assert_eq!(
            of(Verdict::Inconclusive, 1.0, 0.05, false),
            "Inconclusive: arm64 takes between 5% less and 5% more time; about 1,200 environments of each side would \
             probably tell."
        );
    }

    #[test]
    fn the_headline_states_why_there_is_no_verdict() {
        let mut analysis = fixture::analysis();
        analysis.headline.as_mut().unwrap().verdict = Verdict::Withheld;
        assert_eq!(headline(&analysis), "No verdict: nothing tells how much of a difference is chance.");
        analysis.headline.as_mut().unwrap().environments.candidate = 3;
        assert_eq!(
            headline(&analysis),
            "No verdict: 48 environments of x86_64 and 3 of arm64 answered, and it takes 8 of each side."
        );
        for (kind, reason) in [
            (WarningKind::EnvironmentsUnknown, "nothing tells environments apart"),
            (WarningKind::ImplausibleEnvironments, "the environments of arm64 have ids that cannot be theirs"),
            (WarningKind::RepeatedRequests, "one request to arm64 is said to have given several answers"),
            (WarningKind::FunctionChanged, "arm64 was changed during the campaign"),
            (WarningKind::NoSamples, "arm64 has no sample that can be used"),
            (WarningKind::Emulated, "arm64 was emulated, so its times mean nothing"),
            (WarningKind::ChecksumMismatch, "equal work gave different results"),
        ] {
            analysis.warnings.push(Warning { kind, side: Some(Side::Candidate), text: String::new() });
            assert_eq!(headline(&analysis), format!("No verdict: {reason}."));
        }
        analysis.headline = None;
        analysis.warnings.clear();
        assert_eq!(headline(&analysis), "No verdict: no cell was measured of both variants.");
    }

    #[test]
    fn savings_state_both_bills_and_the_break_even() {
        let analysis = fixture::analysis();
        let money = analysis.money.as_ref().unwrap();
        let text = savings(&analysis, money);
        let expected = "At 10,000,000 invocations a month, arm64 costs $8.75 and x86_64 $11.72: 25% less (95% interval 23% \
                        to 28% less). Both would cost the same if arm64 were billed 1.25 times as long.";
        assert_eq!(text, expected);
        let dearer = Money { savings: -0.05, savings_interval: None, break_even: None, ..money.clone() };
        assert!(savings(&analysis, &dearer).ends_with(": 5% more, without an interval."), "{dearer:?}");
    }
}
