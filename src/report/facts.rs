//! The facts behind a verdict, in the words of the terminal and of Markdown.

use super::words::{count, dollars, percent, percent_change, significant};
use crate::{
    analysis::{
        decision::Verdict,
        estimate::Sources,
        result::{Analysis, ColdShare, ColdShareSource, CpuShare, Interval, Levels, Measure, Money, Ratio, SideFacts},
    },
    campaign::{insights::DAYS, schedule::Order, sides::Sides},
};
use std::time::{Duration, UNIX_EPOCH};

/// The mean of a side in milliseconds.
pub(super) fn milliseconds(levels: Option<&Levels>) -> String {
    levels.map_or("–".to_owned(), |it| format!("{} ms", significant(it.mean)))
}

/// An interval as changes in percent.
pub(super) fn changes(interval: Option<Interval>) -> String {
    interval.map_or("–".to_owned(), |it| format!("{} to {}", percent_change(it.low), percent_change(it.high)))
}

/// A ratio as a change in percent, with its interval.
pub(super) fn change_and_interval(ratio: &Ratio) -> String {
    format!("{} ({})", percent_change(ratio.estimate), changes(ratio.interval))
}

/// A CPU model without what all of them have.
pub(super) fn short_cpu(model: &str) -> String {
    let plain = model.replace("(R)", "").replace("(TM)", "").replace("Processor", "").replace("CPU", "");
    match plain.split_whitespace().collect::<Vec<_>>().join(" ") {
        it if it.is_empty() => "unknown".to_owned(),
        it => it,
    }
}

/// What was called and what became of it.
pub(super) fn side_line(it: &SideFacts) -> String {
    let mut parts = Vec::new();
    parts.extend(it.architecture.map(|it| it.to_string()));
    parts.extend(it.memory_mb.map(|it| format!("{it} MB")));
    parts.push(format!("{} calls ({} cold)", count(it.calls), count(it.cold_calls)));
    parts.push(match it.environments {
        0 => "environments unknown".to_owned(),
        it => format!("{} environments", count(it.into())),
    });
    parts.extend(it.failures.iter().map(|(kind, number)| format!("{kind}: {}", count(*number))));
    if it.emulated {
        parts.push("EMULATED".to_owned());
    }
    if it.spent_usd > 0.0 {
        parts.push(format!("{} spent", dollars(it.spent_usd)));
    }
    parts.join(", ")
}

/// The CPU models of a side, with the shares of the fleet that they may have.
pub(super) fn mix(it: &SideFacts) -> String {
    let model = |it: &CpuShare| {
        let share = &it.share;
        let interval = format!("{} to {}", percent(share.low), percent(share.high));
        format!("{} {} ({interval})", short_cpu(&it.model), percent(share.estimate))
    };
    let models = it.cpus.iter().map(model).collect::<Vec<_>>().join(", ");
    format!("{models}; others at most {}", percent(it.unseen))
}

/// What a measure of starts is.
pub(super) fn start_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Latency => "cold call",
        other => other.as_str(),
    }
}

/// Why starts have no interval: they are of too few blocks.
pub(super) fn starts_note(analysis: &Analysis) -> Option<String> {
    let minimum = analysis.method.minimum_blocks;
    let blocks = analysis.starts.comparisons.iter().map(|it| it.blocks).max()?;
    let has_no_interval = blocks < minimum && !analysis.campaign.cold;
    has_no_interval.then(|| {
        let have = if blocks == 1 { "1 has".to_owned() } else { format!("{blocks} have") };
        format!("Starts are compared where {minimum} blocks have some on both sides, as with --cold; here {have}.")
    })
}

/// What the candidate saves, and how slow it may be.
pub(super) fn savings(names: &Sides<String>, money: &Money) -> String {
    let word = |share: f64| if share < 0.0 { "more expensive" } else { "cheaper" };
    let interval = money
        .savings_interval
        .map(|Interval { low, high }| {
            let signed = |it: f64| format!("{} {}", percent(it.abs()), word(it));
            format!(" (95% interval {} to {})", signed(low), signed(high))
        })
        .unwrap_or_default();
    let candidate = &names.candidate;
    let break_even = money.break_even.map(|it| {
        let baseline = &names.baseline;
        format!(" It costs as much as {baseline} where its billed duration is {} times as long.", significant(it))
    });
    format!(
        "By the month {candidate} is {} {}{interval}.{}",
        percent(money.savings.abs()),
        word(money.savings),
        break_even.unwrap_or_default()
    )
}

/// What the bill assumes: cold starts and prices.
pub(super) fn assumptions(money: &Money) -> String {
    format!("{} Prices: {}.", cold_share(money), prices(money))
}

/// Which cold starts are on the bill.
pub(super) fn cold_share(money: &Money) -> String {
    let ColdShare { value, interval, invocations, source } = money.cold_share;
    match source {
        ColdShareSource::Measured => format!(
            "{} of invocations are taken to be cold starts (95% interval {}), as in the {} of the {DAYS} days before the \
             campaign.",
            percent(value),
            interval.map_or_else(String::new, |it| format!("{} to {}", percent(it.low), percent(it.high))),
            count(invocations.unwrap_or_default())
        ),
        ColdShareSource::Assumed => {
            format!("{} of invocations are taken to be cold starts (--cold-share).", percent(value))
        }
        ColdShareSource::Campaign => "Every invocation is taken to be a cold start, as in this campaign.".to_owned(),
        ColdShareSource::Unknown => "Cold starts are not on the bill, because too few were measured.".to_owned(),
    }
}

/// Whose prices the bill has.
fn prices(money: &Money) -> String {
    let Sides { baseline, candidate } = &money.prices;
    let prices = if baseline == candidate { baseline.clone() } else { format!("{baseline} beside {candidate}") };
    format!("{prices}, {} the free tier", if money.free_tier { "after" } else { "without" })
}

/// Where the samples come from.
pub(super) fn origin(analysis: &Analysis) -> String {
    let it = &analysis.campaign;
    let created = UNIX_EPOCH + Duration::from_millis(it.created_unix_ms);
    format!(
        "Begun {}, {} long: {} calls in {} blocks, {} of {} environments a side, seed {}, Lambda Duet {}.",
        humantime::format_rfc3339_seconds(created),
        humantime::format_duration(Duration::from_secs(it.elapsed_ms / 1000)),
        count(it.calls),
        count(it.blocks),
        if it.cold { "cold starts" } else { "warm calls" },
        it.environments_per_step,
        it.seed,
        it.version
    )
}

/// Where the uncertainty of the headline comes from; none where there is no interval, or nothing tells.
pub(super) fn sources(analysis: &Analysis) -> Option<String> {
    let headline = analysis.headline.as_ref().filter(|it| it.verdict != Verdict::Withheld)?;
    let Sources { environments, disturbances, .. } = headline.sources?;
    let mut parts = Vec::new();
    match analysis.campaign.order {
        // Short ones are among the calls, so that none says nothing.
        Order::SingleCalls if disturbances < 0.005 => {}
        Order::SingleCalls => {
            parts.push((format!("at least {}", percent(disturbances)), "what disturbed several calls in a row"));
        }
        Order::SeparateSteps | Order::JointSteps => {
            parts.push((percent(disturbances), "what disturbed several environments at once"));
        }
    }
    let rest = if analysis.campaign.cold {
        // Each has one.
        "environments and their calls"
    } else {
        parts.push((percent(environments), "differences between environments"));
        "single calls"
    };
    let ((share, first), others) = parts.split_first()?;
    let others: String = others.iter().map(|(share, what)| format!(", {share} from {what}")).collect();
    Some(format!("Of the variance behind the interval, {share} comes from {first}{others}, and the rest from {rest}."))
}

/// What the numbers mean.
pub(super) fn how_to_read(analysis: &Analysis) -> String {
    let method = &analysis.method;
    let looks = match method.until_ci {
        Some(target) => format!("valid at every look of a campaign that was to end at ±{}", percent(target)),
        None if analysis.campaign.order == Order::SingleCalls => "clustered by environment".to_owned(),
        None => "clustered by environment and block".to_owned(),
    };
    format!(
        "Below 0% the candidate takes less. Intervals are {}, {looks}; verdicts are Holm-corrected over cells; within \
         ±{} counts as equivalent; environments (envs) are those of baseline/candidate; a verdict takes {} of each and {} \
         blocks.",
        percent(method.confidence),
        percent(method.margin),
        method.minimum_environments,
        method.minimum_blocks
    )
}
