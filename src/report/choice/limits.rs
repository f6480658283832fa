//! What limits say about the choice.

use crate::{
    analysis::{
        exceeding::{Exceeding, Standing},
        limits::{Condition, LatencyLimit, TimeStatistic},
        result::Analysis,
        tested::Found,
    },
    campaign::cell_names::ALL_CELLS,
    report::words::{
        compared, exact_time, from_to, measured_with_interval, percent, proportion, proportion_to, range, time_unit,
        unit_of_limit,
    },
};

/// That a variant exceeds a limit, or may.
pub fn sentence(analysis: &Analysis, exceeding: &Exceeding) -> String {
    let (variant, limit) = (&exceeding.variant, limit(exceeding.condition));
    match (exceeding.standing, found(analysis, exceeding)) {
        (Standing::Beyond, Some(found)) => format!("{variant} is not chosen: {found}, which is beyond {limit}."),
        (Standing::MayExceed, Some(found)) => format!("{variant} may exceed {limit}: {found}."),
        _ => format!(
            "Whether {variant} keeps to {limit} is not known: {}.",
            exceeding.reason.as_deref().unwrap_or("nothing was measured")
        ),
    }
}

/// A limit with the option that sets it.
fn limit(condition: Condition) -> String {
    match condition {
        Condition::Slowdown(limit) => format!("{} more time (--max-slowdown)", percent(limit)),
        Condition::CostIncrease(0.0) => "no more cost (--max-cost-increase)".to_owned(),
        Condition::CostIncrease(limit) => format!("{} more cost (--max-cost-increase)", percent(limit)),
        Condition::Latency(LatencyLimit { of: TimeStatistic::Mean, ms }) => {
            format!("{} (--max-latency)", exact_time(ms))
        }
        Condition::Latency(LatencyLimit { of, ms }) => format!("a {of} of {} (--max-latency)", exact_time(ms)),
    }
}

/// What was found, in the cell where there are several.
fn found(analysis: &Analysis, exceeding: &Exceeding) -> Option<String> {
    let has_cells = analysis.comparisons.iter().any(|pair| pair.cells.len() > 1) && exceeding.cell != ALL_CELLS;
    let cell = if has_cells { format!(" in {}", exceeding.cell) } else { String::new() };
    let confidence = percent(analysis.method.confidence);
    Some(match exceeding.found? {
        Found::Ratio(ratio) => {
            let interval = ratio.interval.map(|interval| format!(" ({confidence} interval {})", range(interval)));
            format!("it costs {}{}", compared(ratio.estimate, "", &analysis.baseline), interval.unwrap_or_default())
        }
        Found::MeanMs(mean) => {
            let unit = match exceeding.condition {
                Condition::Latency(limit) => unit_of_limit(limit.ms),
                Condition::Slowdown(_) | Condition::CostIncrease(_) => time_unit(mean.estimate),
            };
            format!("its mean is {}{cell}", measured_with_interval(unit, mean.estimate, mean.interval))
        }
        Found::ProportionAbove(above) => format!(
            "{} of its calls take longer ({}){cell}",
            proportion(above.estimate),
            from_to(above.low, above.high, proportion_to)
        ),
    })
}
