//! A census, for people.

use super::{
    document::{Block, Table, Value, numbers, words},
    words::{count, counted, date, dollars, exact_time, proportion, short_cpu, took},
};
use crate::{
    analysis::{
        census_result::{CensusResult, EndOfCensus, VariantCensus},
        result::CpuProportion,
    },
    campaign::{
        census::{CensusCall, CensusManifest, Tally},
        variants::Variants,
    },
};

/// What a census is going to do, what that may cost, and when it ends. `most` has the most calls of a round of each variant.
pub fn plan(manifest: &CensusManifest, most: &Variants<u32>) -> String {
    let plan = &manifest.plan;
    let mut lines: Vec<String> = Vec::new();
    for (index, variant) in manifest.variants.iter() {
        let place = variant.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
        let calls = counted(most[index], "call");
        lines.push(format!("{}: {}{place}, rounds of {calls} at most", variant.name, variant.target));
    }
    lines.push(match &plan.call {
        CensusCall::Service { hold_ms } => format!(
            "{} of each variant are counted by calls that are held for {}, seed {}",
            counted(plan.environments, "environment"),
            exact_time(f64::from(*hold_ms)),
            plan.seed
        ),
        CensusCall::Own { environment, cpu_model, .. } => format!(
            "{} of each variant are counted by calls that name them at {environment} and their CPU at {cpu_model}, seed {}",
            counted(plan.environments, "environment"),
            plan.seed
        ),
        CensusCall::Probe { .. } => format!(
            "{} of each variant are counted by cold starts whose logs name the CPU, seed {}",
            counted(plan.environments, "environment"),
            plan.seed
        ),
    });
    lines.push(format!(
        "Each round changes a variable of the function, so that new environments start; that is undone at the end. It may \
         cost {} in all, by the guess, and ends at {}",
        dollars(manifest.guessed_cost()),
        dollars(plan.max_cost_usd)
    ));
    lines.join("\n") + "\n"
}

/// What has been counted of a variant while a census is taken.
pub fn so_far(name: &str, tally: &Tally) -> String {
    let Tally { rounds, failed, throttled, cost_usd, .. } = tally;
    format!(
        "{name} {}, {}, {} failed, {} throttled, {}",
        counted(*rounds, "round"),
        counted(tally.count(), "environment"),
        count(*failed),
        count(*throttled),
        dollars(*cost_usd)
    )
}

/// Which CPU models there are, and what is known of those that were not seen.
pub fn document(census: &CensusResult) -> Vec<Block> {
    let rows = census.variants.iter().flat_map(rows);
    let columns = [words("variant"), words("CPU model"), numbers("environments"), numbers("proportion (95% interval)")];
    let mut blocks = vec![Block::Table(Table::new("", columns, rows))];
    blocks.extend(census.variants.iter().map(|variant| Block::Paragraph(variant_text(variant))));
    let all = format!(
        "The census of {} cost {} and took {}",
        date(census.created_unix_ms),
        dollars(census.cost_usd),
        took(census.elapsed_ms)
    );
    blocks.push(Block::Paragraph(all));
    blocks
}

fn rows(variant: &VariantCensus) -> Vec<Vec<Value>> {
    let row = |(place, cpu): (usize, &CpuProportion)| {
        let CpuProportion { model, environments, proportion: share, .. } = cpu;
        let name = if place == 0 { variant.name.as_str() } else { "" };
        let [estimate, low, high] = [share.estimate, share.low, share.high].map(proportion);
        vec![
            Value::text(name),
            Value::text(short_cpu(model)),
            Value::number(count((*environments).into())),
            Value::number(format!("{estimate} ({low} to {high})")),
        ]
    };
    if variant.cpus.is_empty() {
        return vec![vec![Value::text(&variant.name), Value::Unknown, Value::number(0), Value::Unknown]];
    }
    variant.cpus.iter().enumerate().map(row).collect()
}

/// What was done for a variant, and what is not known.
fn variant_text(variant: &VariantCensus) -> String {
    let VariantCensus { name, environments, unseen, rounds, calls, failed, throttled, cost_usd, .. } = variant;
    let mut made = vec![format!("{} in {}", counted(*calls, "call"), counted(*rounds, "round"))];
    made.extend((*failed > 0).then(|| format!("{} failed", count(*failed))));
    made.extend((*throttled > 0).then(|| format!("{} throttled", count(*throttled))));
    made.push(dollars(*cost_usd));
    let mut text = format!("{name}: {} ({})", counted(*environments, "environment"), made.join(", "));
    if *environments > 0 {
        text += &format!("; a model that was not seen has at most {} of the fleet", proportion(*unseen));
    }
    if variant.end == EndOfCensus::Fruitless {
        text += "; the last three rounds met no new environment";
    }
    if let Some(failure) = &variant.failure {
        text += &format!(": {failure}");
    }
    text
}
