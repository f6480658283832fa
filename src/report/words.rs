//! What an analysis says, in words that every face shares.

use crate::{
    analysis::{
        decision::Verdict,
        result::{Analysis, Comparison, Interval, Measure, Money, Ratio},
        warning::WarningKind,
    },
    campaign::sides::{Side, Sides},
};

/// The verdict in one sentence, for those who read no other.
pub fn headline(analysis: &Analysis) -> String {
    let names = names(analysis);
    match &analysis.headline {
        Some(comparison) if comparison.verdict != Verdict::Withheld => {
            let confidence = format!("{} interval", percent(analysis.method.confidence));
            let speed = Speed { comparison, margin: analysis.method.margin, confidence: &confidence };
            let mut text = sentence(&names, &speed, analysis.money.as_ref().and_then(|it| cost(it, &confidence)));
            // Names keep their letters, the word that stands in for one does not.
            if text.starts_with("the ") {
                text.replace_range(..1, "T");
            }
            text
        }
        comparison => format!("No verdict: {}.", why_withheld(analysis, comparison.as_ref(), &names)),
    }
}

/// The names of both sides, such that they tell the sides apart.
pub fn names(analysis: &Analysis) -> Sides<String> {
    let Sides { baseline, candidate } = analysis.names();
    let unnamed = baseline == Side::Baseline.as_str() && candidate == Side::Candidate.as_str();
    match unnamed || baseline == candidate || baseline.is_empty() || candidate.is_empty() {
        true => Sides { baseline: "the baseline".to_owned(), candidate: "the candidate".to_owned() },
        false => Sides { baseline: baseline.to_owned(), candidate: candidate.to_owned() },
    }
}

/// What a comparison says of the candidate's speed.
struct Speed<'a> {
    comparison: &'a Comparison,
    margin: f64,
    confidence: &'a str,
}

/// What the bill says of the candidate.
struct Cost {
    cheaper: bool,
    change: String,
    range: String,
}

fn cost(money: &Money, confidence: &str) -> Option<Cost> {
    let Interval { low, high } = money.savings_interval.filter(|it| it.low > 0.0 || it.high < 0.0)?;
    let (cheaper, word) = (low > 0.0, if low > 0.0 { "cheaper" } else { "more expensive" });
    let (from, to) = if cheaper { (low, high) } else { (-high, -low) };
    let range = format!("({confidence} {} to {})", percent(from), percent(to));
    Some(Cost { cheaper, change: format!("{} {word}", percent(money.savings.abs())), range })
}

fn sentence(names: &Sides<String>, speed: &Speed<'_>, cost: Option<Cost>) -> String {
    let Sides { baseline, candidate } = names;
    let Speed { comparison, margin, confidence } = speed;
    let interval = comparison.ratio.and_then(|it| it.interval);
    let range = interval.map(|it| format!(" ({confidence} {})", range(it))).unwrap_or_default();
    let change = comparison.ratio.map_or("–".to_owned(), |it| change(it.estimate));
    let start = if comparison.measure == Measure::Init { " to start" } else { "" };
    let margin = format!("within ±{}", percent(*margin));
    match (comparison.verdict, cost) {
        (Verdict::Faster | Verdict::Slower, None) => format!("{candidate} is {change}{start} than {baseline}{range}."),
        (Verdict::Faster | Verdict::Slower, Some(cost)) => {
            let agree = cost.cheaper == (comparison.verdict == Verdict::Faster);
            let link = if agree { " and" } else { ", but" };
            // The first interval says of which kind both are.
            let second = interval.map(|it| format!(" ({})", self::range(it))).unwrap_or_default();
            format!("{candidate} is {} than {baseline} {}{link} {change}{start}{second}.", cost.change, cost.range)
        }
        (Verdict::Equivalent, None) => format!(
            "No difference: {candidate} and {baseline} are equivalent {margin}{}.",
            if start.is_empty() { "" } else { " in how long they take to start" }
        ),
        (Verdict::Equivalent, Some(cost)) => format!(
            "{candidate} is {} than {baseline} {} and as fast{start}: equivalent {margin}.",
            cost.change, cost.range
        ),
        (_, None) => {
            format!("Inconclusive: {candidate} is {}{start}; {}.", seems(comparison.ratio), needed(comparison))
        }
        (_, Some(cost)) => format!(
            "{candidate} is {} than {baseline} {}; whether it is faster{start} is open: it is {}, and {}.",
            cost.change,
            cost.range,
            seems(comparison.ratio),
            needed(comparison)
        ),
    }
}

/// Where the truth lies as far as is known.
fn seems(ratio: Option<Ratio>) -> String {
    match ratio.and_then(|it| it.interval) {
        Some(Interval { low, high }) => format!("between {} and {}", change(low), change(high)),
        None => "neither faster nor slower for certain".to_owned(),
    }
}

fn needed(comparison: &Comparison) -> String {
    match comparison.environments_needed {
        Some(needed) => format!("about {} environments of each side would probably tell", count(needed)),
        None => "only more blocks would tell".to_owned(),
    }
}

fn why_withheld(analysis: &Analysis, comparison: Option<&Comparison>, names: &Sides<String>) -> String {
    let gravest = analysis.warnings.iter().filter(|it| it.kind <= WarningKind::TooFewBlocks).min_by_key(|it| it.kind);
    let of = |side: Option<Side>| side.map_or("a side".to_owned(), |it| names[it].clone());
    match gravest.map(|it| (it.kind, it.side)) {
        Some((WarningKind::ChecksumMismatch, _)) => "equal work gave different results".to_owned(),
        Some((WarningKind::Emulated, side)) => format!("{} was emulated, so its times mean nothing", of(side)),
        Some((WarningKind::NoSamples, side)) => format!("{} has no sample that can be used", of(side)),
        Some((WarningKind::FunctionChanged, side)) => format!("{} was changed during the campaign", of(side)),
        Some((WarningKind::EnvironmentsUnknown, _)) => "nothing tells environments apart".to_owned(),
        Some((WarningKind::TooFewEnvironments | WarningKind::TooFewBlocks, _)) => too_few(analysis, comparison, names),
        _ => match comparison {
            None => "there are no samples of both sides to compare".to_owned(),
            Some(_) => too_few(analysis, comparison, names),
        },
    }
}

fn too_few(analysis: &Analysis, comparison: Option<&Comparison>, names: &Sides<String>) -> String {
    let minimum = analysis.method.minimum_environments;
    let seen = comparison.map_or_else(|| analysis.sides.map(|_, it| it.environments), |it| it.environments);
    if seen.iter().all(|(_, it)| *it >= minimum) {
        let blocks = comparison.map_or(analysis.campaign.blocks, |it| it.blocks.into());
        return match analysis.method.minimum_blocks {
            minimum if blocks < minimum.into() => {
                let have =
                    if blocks == 1 { "1 block has".to_owned() } else { format!("{} blocks have", count(blocks)) };
                format!("{have} samples of both sides, and it takes {minimum}")
            }
            _ => "the warnings say why".to_owned(),
        };
    }
    format!(
        "{} environments of {} and {} of {} answered, and it takes {minimum} of each side",
        seen.baseline, names.baseline, seen.candidate, names.candidate
    )
}

/// What a ratio of times comes to: `12% faster` takes 12% less time, `3.1 times slower` takes 3.1 times the time.
pub fn change(ratio: f64) -> String {
    match ratio {
        _ if !ratio.is_finite() => "–".to_owned(),
        _ if ratio >= 2.0 => format!("{} times slower", significant(ratio)),
        _ if percent(ratio - 1.0) == "0%" => "0% faster".to_owned(),
        _ if ratio > 1.0 => format!("{} slower", percent(ratio - 1.0)),
        _ => format!("{} faster", percent(1.0 - ratio)),
    }
}

/// By how much a ratio differs from 1, with its sign: `−12%`, `+3.4%`; from 10 on the ratio itself: `×31.4`.
pub fn percent_change(ratio: f64) -> String {
    match percent(ratio - 1.0) {
        _ if ratio >= 10.0 && ratio.is_finite() => format!("×{}", significant(ratio)),
        text if text == "0%" || text.starts_with(['−', '–']) => text,
        text => format!("+{text}"),
    }
}

/// An interval of ratios in words: `9% to 15% faster`, `1.2% faster to 3% slower`.
pub fn range(interval: Interval) -> String {
    let (low, high) = (change(interval.low), change(interval.high));
    match (low.strip_suffix(" faster"), high.strip_suffix(" faster")) {
        // The smaller of two savings is that of the larger ratio.
        (Some(most), Some(least)) => format!("{least} to {most}"),
        (None, None) if interval.high < 2.0 => {
            format!("{} to {}", percent(interval.low - 1.0), percent(interval.high - 1.0))
        }
        _ => format!("{low} to {high}"),
    }
}

/// A share in percent, with the digits that people read: `12%`, `3.4%`, `0.05%`, `−2%`.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let decimals = match value.abs() {
        _ if !value.is_finite() => return "–".to_owned(),
        it if it >= 9.95 => 0,
        it if it >= 0.095 => 1,
        _ => 2,
    };
    // Something that is nearly all is not all.
    let text = if (99.5..100.0).contains(&value) { "over 99".to_owned() } else { trimmed(value, decimals) };
    format!("{text}%")
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{}{text}", if value < 0.0 && text != "0" { "−" } else { "" })
}

/// A number of three digits or so: `0.00123`, `1.23`, `123`, `12,300`, and powers of ten beyond that.
pub fn significant(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        it if !(1e-4..1e9).contains(&it) => format!("{value:.2e}").replace('-', "−"),
        it if it >= 100.0 => {
            let sign = if value < 0.0 { "−" } else { "" };
            sign.to_owned() + &count(it.round() as u64)
        }
        it => {
            // At least two decimals below 10, none lost above.
            let decimals = (2 - it.log10().floor() as i32).max(0) as usize;
            format!("{value:.decimals$}").replace('-', "−")
        }
    }
}

/// A whole number with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// US dollars: cents where that is enough, two digits where it is not.
pub fn dollars(usd: f64) -> String {
    let sign = if usd < 0.0 { "−" } else { "" };
    match usd.abs() {
        it if !it.is_finite() => "–".to_owned(),
        it if (1000.0..1e15).contains(&it) => format!("{sign}${}", count(it.round() as u64)),
        it if (1.0..1000.0).contains(&it) => format!("{sign}${it:.2}"),
        it if (1e-9..1.0).contains(&it) => format!("{sign}${it:.*}", (1 - it.log10().floor() as i32).max(2) as usize),
        it => format!("{sign}${}", significant(it)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::warning::Warning, report::fixture};

    #[test]
    fn the_headline_says_what_was_found() {
        let of = |verdict, ratio: f64, half: f64, money| {
            let mut analysis = fixture::analysis();
            let comparison = analysis.headline.as_mut().unwrap();
            let found = comparison.ratio.as_mut().unwrap();
            found.estimate = ratio;
            found.interval = Some(Interval { low: ratio - half, high: ratio + half });
            comparison.verdict = verdict;
            comparison.environments_needed = Some(1_200);
            analysis.money = analysis.money.filter(|_| money);
            headline(&analysis)
        };
        let cheaper = "arm64 is 25% cheaper than x86_64 (95% interval 23% to 28%)";
        assert_eq!(of(Verdict::Faster, 0.88, 0.03, true), format!("{cheaper} and 12% faster (9% to 15%)."));
        assert_eq!(of(Verdict::Slower, 1.12, 0.03, true), format!("{cheaper}, but 12% slower (9% to 15%)."));
        assert_eq!(of(Verdict::Equivalent, 1.0, 0.01, true), format!("{cheaper} and as fast: equivalent within ±2%."));
        assert_eq!(
            of(Verdict::Inconclusive, 1.0, 0.05, true),
            format!(
                "{cheaper}; whether it is faster is open: it is between 5% faster and 5% slower, and about 1,200 \
                 environments of each side would probably tell."
            )
        );
        assert_eq!(of(Verdict::Faster, 0.88, 0.03, false), "arm64 is 12% faster than x86_64 (95% interval 9% to 15%).");
        assert_eq!(
            of(Verdict::Equivalent, 1.0, 0.01, false),
            "No difference: arm64 and x86_64 are equivalent within ±2%."
        );
        assert_eq!(
            of(Verdict::Inconclusive, 1.0, 0.05, false),
            "Inconclusive: arm64 is between 5% faster and 5% slower; about 1,200 environments of each side would probably tell."
        );
    }

    #[test]
    fn the_headline_says_why_there_is_no_verdict() {
        let mut analysis = fixture::analysis();
        analysis.headline.as_mut().unwrap().verdict = Verdict::Withheld;
        assert_eq!(headline(&analysis), "No verdict: the warnings say why.");
        analysis.headline.as_mut().unwrap().environments.candidate = 3;
        assert_eq!(
            headline(&analysis),
            "No verdict: 48 environments of x86_64 and 3 of arm64 answered, and it takes 8 of each side."
        );
        let text = String::new();
        analysis.warnings.push(Warning { kind: WarningKind::Emulated, side: Some(Side::Candidate), text });
        assert_eq!(headline(&analysis), "No verdict: arm64 was emulated, so its times mean nothing.");
        analysis.headline = None;
        analysis.warnings.clear();
        assert_eq!(headline(&analysis), "No verdict: there are no samples of both sides to compare.");
    }

    #[test]
    fn percents_have_the_digits_that_people_read() {
        let texts = [0.2, 0.034, 0.09, 0.0005, 0.0, -0.12, 0.99999, 1.0, f64::NAN].map(percent);
        assert_eq!(texts, ["20%", "3.4%", "9%", "0.05%", "0%", "−12%", "over 99%", "100%", "–"]);
        assert_eq!([0.88, 1.002, 1.0, 31.4].map(percent_change), ["−12%", "+0.2%", "0%", "×31.4"]);
    }

    #[test]
    fn changes_say_which_is_faster() {
        let texts = [0.88, 1.12, 1.0, 3.126, 1e-6, 1e6, f64::INFINITY].map(change);
        let expected = [
            "12% faster",
            "12% slower",
            "0% faster",
            "3.13 times slower",
            "over 99% faster",
            "1,000,000 times slower",
            "–",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn ranges_name_the_direction_where_it_is_not_clear() {
        let range = |low, high| super::range(Interval { low, high });
        assert_eq!(range(0.85, 0.91), "9% to 15%");
        assert_eq!(range(1.05, 1.2), "5% to 20%");
        assert_eq!(range(0.988, 1.03), "1.2% faster to 3% slower");
        assert_eq!(range(1.5, 3.0), "50% slower to 3.00 times slower");
    }

    #[test]
    fn numbers_have_about_three_digits() {
        let texts = [0.0, 0.001234, 1.234, 12.34, 123.4, -12345.6, 1e-9, 1e12].map(significant);
        assert_eq!(texts, ["0", "0.00123", "1.23", "12.3", "123", "−12,346", "1.00e−9", "1.00e12"]);
        assert_eq!(
            [0.0000123, 0.5, 0.0, 12.0, 12345.0].map(dollars),
            ["$0.000012", "$0.50", "$0", "$12.00", "$12,345"]
        );
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
