use super::*;
use crate::analysis::sides::{Side, Sides};
use crate::{
    analysis::{
        result::{CellAnalysis, ColdStarts, Comparison, Interval, MixPoint, Ratio, SummaryStatistics, VariantFacts},
        verdict::Verdict,
        warning_kind::{Warning, WarningKind},
    },
    report::fixture,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path};

/// The page of a campaign of this pair.
fn page_of(pair: &PairAnalysis) -> String {
    page(&fixture::campaign(pair))
}

/// The charts of a page, each as well-formed as XML has to be, and none with a number that is none.
fn charts(page: &str) -> usize {
    let mut count = 0;
    for chart in page.split("<svg").skip(1) {
        let (inside, _) = chart.split_once("</svg>").unwrap();
        let text = format!("<svg{inside}</svg>");
        let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        assert!(root.attribute("aria-label").is_some_and(|label| label.len() > 20));
        for element in root.descendants().filter(|node| node.is_element() && !node.has_tag_name("title")) {
            for attribute in element.attributes().filter(|attribute| attribute.name() != "aria-label") {
                assert!(!["NaN", "inf"].iter().any(|number| attribute.value().contains(number)), "{attribute:?}");
            }
        }
        count += 1;
    }
    count
}

fn has_all_sections(page: &str) {
    for title in ["Every cell", "Distributions", "Over the campaign", "Cold starts", "The bill", "Memory", "Method"] {
        assert!(page.contains(title), "{title} is missing");
    }
}

#[test]
fn a_page_is_complete_and_loads_nothing() {
    let page = page_of(&fixture::analysis());
    has_all_sections(&page);
    // Seven charts, each for a wide and for a narrow page.
    assert_eq!(charts(&page), 14);
    for word in ["<script", "<img", "<link", "url(", "@import", " onload", "src=", "href="] {
        assert!(!page.contains(word), "{word}");
    }
    let addresses = page.matches("http").count() - page.matches("http-equiv").count();
    assert_eq!(addresses, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    assert!(page.contains("2026-10-21T"), "the date is missing");
    for heading in page.split("<th").skip(1).filter(|tag| !tag.starts_with("ead")) {
        let (tag, _) = heading.split_once('>').unwrap();
        assert!(tag.contains("scope="), "{tag}");
    }
}

#[test]
fn every_colour_is_in_the_style_sheet() {
    let page = page_of(&fixture::analysis());
    for attribute in ["fill=\"#", "stroke=\"#"] {
        for colour in page.split(attribute).skip(1).map(|rest| &rest[..6]) {
            let rule = format!("svg [{attribute}{colour}\"]");
            assert!(STYLE.contains(&rule), "{rule}");
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut analysis = fixture::analysis();
    let hostile = "<script>alert(1)</script>\"'&\u{0}\u{202e}\u{1f980}Ä";
    analysis.sides.candidate.name = hostile.to_owned();
    analysis.sides.baseline.target = hostile.to_owned();
    analysis.sides.baseline.builds = vec![hostile.to_owned()];
    analysis.cells[0].name = hostile.to_owned();
    analysis.cells[1].name = "x/".repeat(5_000);
    analysis.cells[0].distributions.candidate[0].cpu = hostile.to_owned();
    analysis.warnings[0].text = hostile.to_owned();
    let page = page_of(&analysis);
    assert!(charts(&page) > 0);
    assert!(!page.contains("<script"));
    assert!(!page.contains(['\u{0}', '\u{202e}']));
    assert!(page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn missing_parts_are_named() {
    let mut analysis = fixture::analysis();
    analysis.headline = None;
    analysis.money = None;
    analysis.cells.clear();
    analysis.cold_starts = ColdStarts { comparisons: vec![], init_ms: Sides::default() };
    analysis.sides = analysis.sides.map(|_, facts| VariantFacts { memory: None, ..facts.clone() });
    let text = "arm64 ran under emulation.".to_owned();
    analysis.warnings.insert(0, Warning { kind: WarningKind::Emulated, side: Some(Side::Candidate), text });
    let page = page_of(&analysis);
    has_all_sections(&page);
    assert_eq!(charts(&page), 0);
    assert_eq!(page.matches("No chart: ").count(), 4);
    for sentence in ["No histogram: ", "No bill: ", "<h1>No verdict: arm64 was emulated", "<li class=\"grave\">"] {
        assert!(page.contains(sentence), "{sentence}");
    }
    // What withholds the verdict comes with it, before anything else.
    assert!(page.find("ran under emulation").unwrap() < page.find("Every cell").unwrap());
}

#[test]
fn what_is_not_known_has_no_place() {
    let mut analysis = fixture::analysis();
    analysis.cells.truncate(1);
    analysis.campaign.elapsed_ms = Some(7_400);
    for side in Side::BOTH {
        (analysis.sides[side].cpus, analysis.sides[side].memory_mb) = (Vec::new(), None);
    }
    let page = page_of(&analysis);
    for text in ["by CPU model", "The CPU models", "models not seen", "The pale bar", "1 cells"] {
        assert!(!page.contains(text), "{text}");
    }
    for text in ["<h2>Distributions</h2>", "in 1 cell.", "for 1 cell."] {
        assert!(page.contains(text), "{text}");
    }
    assert!(page.contains(">7s<"), "the same rounding as in a text");
}

#[test]
fn other_mixes_are_a_chart_with_words_and_numbers() {
    let page = page_of(&fixture::counted());
    has_all_sections(&page);
    // One chart more, for a wide and for a narrow page.
    assert_eq!(charts(&page), 16);
    let (_, section) = page.split_once("<section aria-label=\"Other mixes of CPU models\">").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    let sentence = "arm64 is faster while at most 54% of its fleet is Neoverse-N1 (now 43%), equivalent at 60%, and slower \
                    from 66% on; otherwise the verdict is inconclusive.";
    // For all readers, and for those who do not see the charts: as a label and as a title of each.
    assert_eq!(section.matches(sentence).count(), 5);
    let lines = |text: &str| section.lines().filter(|line| line.trim() == text).count();
    for text in ["now 43% (40% to 46%)", "Neoverse-N1 in the fleet of arm64", "faster", "slower", "+10%", "60%"] {
        assert_eq!(lines(text), 2, "{text}");
    }
    assert_eq!(section.matches("<th scope=\"row\">").count(), 51);
    assert!(section.contains("<th scope=\"row\">54%</th><td>−2% (−3.4% to −0.6%)</td><td>faster</td>"), "{section}");
    assert!(section.contains("as the census and the calls tell it."), "{section}");
    let uncounted = PairAnalysis { mix_scenarios: fixture::counted().mix_scenarios, ..fixture::analysis() };
    assert!(page_of(&uncounted).contains("as the environments that were called tell it."));
    assert!(!page_of(&fixture::analysis()).contains("Other mixes"));
}

#[test]
fn a_census_has_its_columns_and_its_row() {
    let mut analysis = fixture::counted();
    let page = page_of(&analysis);
    let row = |text: &str| page.contains(text);
    let has_columns = "<th scope=\"col\">known environments</th><th scope=\"col\">known proportion</th>";
    assert!(row(has_columns), "{page}");
    assert!(row("<td>63%</td><td>50% to 75%</td><td>471</td><td>43%</td><td>40% to 46%</td>"), "{page}");
    assert!(
        row("arm64: models not seen</th><td>–</td><td>–</td><td>–</td><td>0</td><td>–</td><td>up to 0.3%</td>"),
        "{page}"
    );
    assert!(row("<td>1,012 environments counted in 11 rounds</td><td>1,043 environments counted in 12 rounds</td>"));
    assert!(!row("are not used"));
    analysis.sides.candidate.census.as_mut().unwrap().has_drifted = true;
    analysis.sides.baseline.census = None;
    analysis.sides.baseline.cpus[0].counted = None;
    let page = page_of(&analysis);
    let row = |text: &str| page.contains(text);
    assert!(row("The environments counted of arm64 are not used, because"), "{page}");
    assert!(row("<td>none</td><td>1,043 environments counted in 12 rounds</td>"));
    assert!(row("<td>93% to 100%</td><td>–</td><td>–</td><td>–</td>"), "{page}");
    let without = page_of(&fixture::analysis());
    assert!(!without.contains("census") && !without.contains("known proportion"));
}

#[test]
fn points_of_the_course_have_units_that_fit() {
    let mut analysis = fixture::analysis();
    analysis.cells.truncate(1);
    analysis.cells[0].series.truncate(6);
    for (day, point) in analysis.cells[0].series.iter_mut().enumerate() {
        point.elapsed_s = Some(86_400.0 * day as f64);
    }
    let page = page_of(&analysis);
    assert!(page.contains("after, days") && page.contains("<td>5</td>"), "{page}");
    assert!(!page.contains("432000"));
}

#[test]
fn many_cells_are_drawn_and_more_are_in_the_table() {
    let mut analysis = fixture::analysis();
    let cell = analysis.cells[0].clone();
    analysis.cells = (0..40).map(|number| CellAnalysis { name: format!("cell {number}"), ..cell.clone() }).collect();
    let page = page_of(&analysis);
    assert_eq!(charts(&page), 14);
    assert!(page.contains("10 more cells in the table only."));
    assert!(page.contains("<th scope=\"row\">cell 39</th>"));
}

/// Replaces every number of an analysis by one of these, in turn, and shortens every list to `length`.
struct Scrambled {
    numbers: Vec<f64>,
    next: usize,
    length: usize,
}

impl Scrambled {
    fn number(&mut self) -> f64 {
        self.next += 1;
        self.numbers[self.next % self.numbers.len()]
    }

    fn some(&mut self) -> bool {
        self.number() > 0.5
    }

    fn interval(&mut self) -> Option<Interval> {
        self.some().then(|| Interval { low: self.number(), high: self.number() })
    }

    fn levels(&mut self) -> Option<SummaryStatistics> {
        let interval = self.interval();
        let mut number = || self.number();
        let [mean, min, p50, p90, p95, p99, max] = std::array::from_fn(|_| number());
        self.some().then_some(SummaryStatistics { mean, interval, min, p50, p90, p95, p99, max })
    }

    fn comparison(&mut self, comparison: &mut Comparison) {
        comparison.statistics = Sides { baseline: self.levels(), candidate: self.levels() };
        let ratio = Ratio {
            estimate: self.number(),
            interval: self.interval(),
            log_standard_error: None,
            degrees_of_freedom: None,
            p_value: None,
        };
        comparison.ratio = self.some().then_some(ratio);
        comparison.environments_needed = self.some().then_some(u64::MAX);
        let verdicts =
            [Verdict::Faster, Verdict::Slower, Verdict::Equivalent, Verdict::Inconclusive, Verdict::Withheld];
        comparison.verdict = verdicts[self.next % verdicts.len()];
    }

    fn analysis(&mut self) -> PairAnalysis {
        let mut analysis = fixture::counted();
        for scenario in &mut analysis.mix_scenarios {
            scenario.now = self.number();
            scenario.points.truncate(self.length * 10);
            for MixPoint { proportion, ratio, .. } in &mut scenario.points {
                *proportion = self.number();
                (ratio.estimate, ratio.interval) = (self.number(), self.interval());
            }
        }
        analysis.method.margin = self.number();
        analysis.method.until_ci = self.some().then(|| self.number());
        analysis.campaign.created_unix_ms = self.number() as u64;
        analysis.campaign.elapsed_ms = Some(self.number() as u64);
        analysis
            .headline
            .iter_mut()
            .chain(&mut analysis.cold_starts.comparisons)
            .for_each(|comparison| self.comparison(comparison));
        analysis.cells.truncate(self.length);
        for cell in &mut analysis.cells {
            cell.comparisons.truncate(self.length);
            cell.comparisons.iter_mut().for_each(|comparison| self.comparison(comparison));
            cell.by_cpu.iter_mut().for_each(|pair| pair.ratio.estimate = self.number());
            cell.series.truncate(self.length);
            for point in &mut cell.series {
                point.elapsed_s = Some(self.number());
                point.mean_ms = Sides { baseline: Some(self.number()), candidate: self.some().then(|| self.number()) };
                point.environments.baseline = self.number() as u32;
            }
            for side in Side::BOTH {
                cell.distributions[side].truncate(self.length);
                for distribution in &mut cell.distributions[side] {
                    distribution.percentiles.truncate(self.length * 30);
                    distribution.percentiles.iter_mut().for_each(|value| *value = self.number());
                }
            }
        }
        for side in Side::BOTH {
            analysis.cold_starts.init_ms[side] = (0..self.length).map(|_| self.number()).collect();
            analysis.sides[side].memory = self.levels();
            analysis.sides[side].memory_mb = self.some().then_some(self.number() as u32);
            analysis.sides[side].failures = Some(BTreeMap::new());
            analysis.sides[side].spent_usd = Some(self.number());
        }
        if let Some(money) = &mut analysis.money {
            money.savings = self.number();
            money.savings_interval = self.interval();
            money.invocations_per_month = self.number();
            money.monthly.candidate.total_usd = self.number();
            money.by_volume.truncate(self.length);
            for (volume, bill) in &mut money.by_volume {
                *volume = self.number();
                *bill = Sides { baseline: self.number(), candidate: self.number() };
            }
        }
        analysis
    }
}

/// Plausible numbers, and extreme ones.
fn number() -> impl Strategy<Value = f64> {
    let odd = [0.0, -0.0, 1.0, 1e-6, 1e6, 1e-300, 1e300, -1.0, f64::MAX, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY];
    prop_oneof![4 => 0.5..2.0, 2 => 1e-3..1e4, 2 => prop::sample::select(odd.to_vec()), 1 => any::<f64>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers_make_a_page(numbers in prop::collection::vec(number(), 1..60), length in 0..4_usize) {
        let page = page_of(&Scrambled { numbers, next: 0, length }.analysis());
        has_all_sections(&page);
        charts(&page);
    }

    #[test]
    fn any_names_make_a_page(name in any::<String>(), other in any::<String>()) {
        let mut analysis = fixture::analysis();
        analysis.cells.truncate(2);
        analysis.cells[0].name = name.clone();
        analysis.sides.baseline.name = name;
        analysis.sides.candidate.name = other;
        prop_assert_eq!(charts(&page_of(&analysis)), 14);
    }
}

/// Many cells, some of them far off or without an interval, and a side that was emulated.
fn withheld() -> PairAnalysis {
    let mut analysis = fixture::analysis();
    let text = "arm64 ran on another instruction set than its own, so its times mean nothing.".to_owned();
    analysis.warnings.insert(0, Warning { kind: WarningKind::Emulated, side: Some(Side::Candidate), text });
    analysis.headline.as_mut().unwrap().verdict = Verdict::Withheld;
    analysis.cells = analysis.cells.iter().cycle().take(28).cloned().collect();
    for (index, cell) in analysis.cells.iter_mut().enumerate() {
        cell.name = format!("{} of a payload with a long name, number {index}", cell.name);
        let comparison = &mut cell.comparisons[0];
        let ratio = comparison.ratio.as_mut().unwrap();
        match index % 7 {
            0 => ratio.interval = None,
            3 => ratio.estimate = 1e6,
            5 => comparison.ratio = None,
            _ => ratio.interval = Some(Interval { low: ratio.estimate / 1.9, high: ratio.estimate * 1.6 }),
        }
        comparison.verdict = Verdict::Withheld;
    }
    analysis.money = None;
    analysis
}

/// For looking at: `cargo test --lib report::html -- --ignored`, then target/tmp/report.html.
#[test]
#[ignore = "writes a file to look at"]
fn write_a_page() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("report.html"), page_of(&fixture::analysis())).unwrap();
    fs::write(directory.join("withheld.html"), page_of(&withheld())).unwrap();
    fs::write(directory.join("counted.html"), page_of(&fixture::counted())).unwrap();
    let other_mixes = mix_scenarios::section(&fixture::counted()).into_string();
    let page = format!("<!DOCTYPE html><meta charset=\"utf-8\"><style>{STYLE}</style>{other_mixes}");
    fs::write(directory.join("other-mixes.html"), page).unwrap();
}
