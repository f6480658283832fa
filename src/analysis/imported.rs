//! Analyses of measurements that other programs have made.

use super::{
    analyze_samples::{Options, analyze},
    result::{Analysis, Measure, PairAnalysis},
    samples::Samples,
    verdict::Verdict,
    warning_kind::WarningKind,
};
use crate::campaign::{
    import::{Columns, EnvironmentNames, Format, Import, ImportedMeasure},
    manifest::Manifest,
    platform_report::PlatformReport,
    row::Row,
    variants::VariantIndex,
};

/// What is imported: 10 measurements of each variant in each of 6 blocks, the second variant taking four fifths.
struct Imported {
    measure: ImportedMeasure,
    environments: EnvironmentNames,
    has_blocks: bool,
    has_cpu_models: bool,
}

const GOOD: Imported = Imported {
    measure: ImportedMeasure::Duration,
    environments: EnvironmentNames::Named,
    has_blocks: true,
    has_cpu_models: false,
};

impl Imported {
    fn manifest(&self) -> Manifest {
        let mut manifest = Manifest::example();
        manifest.plan.cold = self.measure == ImportedMeasure::Init;
        manifest.imported = Some(Import {
            files: vec!["a.csv".to_owned()],
            format: Format::Csv,
            measure: self.measure,
            columns: Some(Columns::default()),
            environments: self.environments,
            has_blocks: self.has_blocks,
            has_times: true,
            has_cpu_models: self.has_cpu_models,
        });
        manifest
    }

    fn rows(&self) -> Vec<Row> {
        let row = |number: u64| {
            let (block, variant) = (number / 20, VariantIndex::first(2).nth(number as usize % 2).unwrap());
            // Neither equal values nor the same ones in each block.
            let scatter = 1.0 + (number * 7 % 13) as f64 / 100.0;
            let value_ms = scatter * if number.is_multiple_of(2) { 100.0 } else { 80.0 };
            let (value, none) = (Some(value_ms), PlatformReport::default());
            Row {
                block: if self.has_blocks { block } else { 0 },
                variant,
                elapsed_ms: block * 86_400_000,
                latency_ns: if self.measure == ImportedMeasure::Latency { (value_ms * 1e6) as u64 } else { 0 },
                cold: Some(self.measure == ImportedMeasure::Init),
                report: match self.measure {
                    ImportedMeasure::Duration => Some(PlatformReport { duration_ms: value, ..none }),
                    ImportedMeasure::Billed => Some(PlatformReport { billed_ms: value, ..none }),
                    ImportedMeasure::Init => Some(PlatformReport { init_ms: value, ..none }),
                    ImportedMeasure::Latency => None,
                },
                environment: (self.environments == EnvironmentNames::Named).then(|| format!("host {}", number % 30)),
                ..Row::example()
            }
        };
        (0..120).map(row).collect()
    }

    fn pair(&self, rows: &[Row]) -> PairAnalysis {
        let mut analysis = self.analysis(rows);
        analysis.comparisons.remove(0)
    }

    fn analysis(&self, rows: &[Row]) -> Analysis {
        let mut samples = Samples::new(2);
        rows.iter().for_each(|row| samples.add(row));
        analyze(&self.manifest(), &samples, &Options::default())
    }
}

fn kinds(pair: &PairAnalysis) -> Vec<WarningKind> {
    pair.warnings.iter().map(|warning| warning.kind).collect()
}

#[test]
fn each_measure_decides_where_it_was_imported() {
    for (measure, expected) in [
        (ImportedMeasure::Duration, Measure::Duration),
        (ImportedMeasure::Billed, Measure::Billed),
        (ImportedMeasure::Latency, Measure::Latency),
        (ImportedMeasure::Init, Measure::Init),
    ] {
        let import = Imported { measure, ..GOOD };
        let pair = import.pair(&import.rows());
        let headline = pair.headline.as_ref().unwrap();
        assert_eq!((headline.measure, headline.verdict), (expected, Verdict::Faster));
        assert!((headline.ratio.unwrap().estimate - 0.8).abs() < 0.02, "{headline:?}");
        assert_eq!((pair.cells[0].comparisons.len(), headline.calls.baseline), (1, 60));
        // None of what this program checks of its own calls.
        assert_eq!(kinds(&pair), [], "{:?}", pair.warnings);
        assert!(pair.cold_starts.comparisons.is_empty() && pair.money.is_none());
    }
}

#[test]
fn the_order_of_rows_makes_no_difference() {
    let sorted = GOOD.rows();
    let expected = GOOD.pair(&sorted);
    let mut unsorted: Vec<Row> = (0..sorted.len()).map(|place| sorted[place * 53 % sorted.len()].clone()).collect();
    // Blocks are numbered as they appear.
    let mut seen = Vec::new();
    for row in &mut unsorted {
        let place = seen.iter().position(|block| *block == row.block);
        row.block = place.unwrap_or_else(|| {
            seen.push(row.block);
            seen.len() - 1
        }) as u64;
    }
    assert_ne!(seen, [0, 1, 2, 3, 4, 5]);
    let found = GOOD.pair(&unsorted);
    let numbers = |pair: &PairAnalysis| {
        let ratio = pair.headline.as_ref().unwrap().ratio.unwrap();
        let interval = ratio.interval.unwrap();
        [ratio.estimate, interval.low, interval.high]
    };
    for (found, expected) in numbers(&found).into_iter().zip(numbers(&expected)) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
    }
    // The course of the campaign is that of time.
    let course = |pair: &PairAnalysis| -> Vec<(Option<f64>, String)> {
        let point = |point: &super::result::SeriesPoint| {
            (point.elapsed_s, format!("{:.6?} {:?}", point.mean_ms, point.environments))
        };
        pair.cells[0].series.iter().map(point).collect()
    };
    assert_eq!(course(&found), course(&expected));
    assert_eq!(course(&found).len(), 6);
}

#[test]
fn cpu_models_are_those_of_environments() {
    let row = |row: Row| Row { cpu_model: Some(format!("Xeon {}", row.block % 2)), ..row };
    let cpus = |environments| {
        let import = Imported { environments, has_cpu_models: true, ..GOOD };
        let rows: Vec<Row> = import.rows().into_iter().map(row).collect();
        let pair = import.pair(&rows);
        let models = pair.cells[0].distributions.baseline.iter().map(|of_cpu| of_cpu.cpu.clone()).collect::<Vec<_>>();
        (pair.sides.baseline.cpus.len(), pair.sides.baseline.unseen.is_some(), models)
    };
    let named = cpus(EnvironmentNames::Named);
    assert!(named.0 > 0 && named.1 && named.2.iter().all(|model| model.starts_with("Xeon ")), "{named:?}");
    assert_eq!(cpus(EnvironmentNames::Unknown), (0, false, vec![String::new()]));
}

#[test]
fn environments_that_some_measurements_do_not_name_are_not_counted() {
    let mut rows = GOOD.rows();
    rows[0].environment = None;
    let pair = GOOD.pair(&rows);
    let comparison = &pair.cells[0].comparisons[0];
    assert_eq!((comparison.environments.baseline, comparison.environments.candidate), (0, 15));
    assert_eq!(pair.cells[0].series[0].environments.baseline, 0);
}

#[test]
fn without_blocks_or_environments_there_is_advice_and_no_verdict() {
    let import = Imported { has_blocks: false, ..GOOD };
    let pair = import.pair(&import.rows());
    assert_eq!(kinds(&pair), [WarningKind::TooFewBlocks]);
    assert!(pair.warnings[0].text.contains("Import the table with --block COLUMN"), "{}", pair.warnings[0].text);
    assert_eq!(pair.headline.unwrap().verdict, Verdict::Withheld);
    let import = Imported { environments: EnvironmentNames::Unknown, ..GOOD };
    let pair = import.pair(&import.rows());
    assert_eq!(kinds(&pair), [WarningKind::EnvironmentsUnknown; 2]);
    let text = &pair.warnings[0].text;
    assert!(text.starts_with("60 measurements of ") && text.contains("--each-row-an-environment"), "{text}");
    assert_eq!(pair.headline.unwrap().verdict, Verdict::Withheld);
    let one: Vec<Row> = import.rows().into_iter().take(2).collect();
    let text = &import.pair(&one).warnings[0].text;
    assert!(text.starts_with("1 measurement of x does not tell which environment gave it, "), "{text}");
    let one = GOOD.pair(&GOOD.rows().into_iter().take(2).collect::<Vec<_>>());
    let text = &one.warnings[0].text;
    assert!(text.starts_with("1 environment of x was measured; a verdict takes 8 "), "{text}");
    // The advice is of what can be done with a table.
    let few: Vec<Row> = GOOD.rows().into_iter().filter(|row| row.block < 3).take(12).collect();
    let pair = GOOD.pair(&few);
    assert!(kinds(&pair).contains(&WarningKind::TooFewEnvironments));
    for warning in &pair.warnings {
        assert!(warning.text.contains("Import measurements of more"), "{}", warning.text);
        assert!(!warning.text.contains("campaign run longer"), "{}", warning.text);
    }
}

/// So many rows of a variant, in a cell, each of an environment of its own that has such a name.
fn others(variant: usize, cell: &str, block: u64, name: &str) -> Vec<Row> {
    let of_variant = |row: &Row| row.block == 0 && row.variant.get() == variant;
    let rows = GOOD.rows().into_iter().filter(of_variant).enumerate();
    let row = |(number, row): (usize, Row)| Row {
        cell: cell.to_owned(),
        block,
        environment: Some(format!("{name} {number}")),
        ..row
    };
    rows.map(row).collect()
}

/// The first pair of a campaign of two cells.
fn of_two_cells(rows: &[Row]) -> PairAnalysis {
    let mut manifest = GOOD.manifest();
    let mut second = manifest.plan.cells[0].clone();
    second.name = "b".to_owned();
    manifest.plan.cells.push(second);
    let mut samples = Samples::new(2);
    rows.iter().for_each(|row| samples.add(row));
    analyze(&manifest, &samples, &Options::default()).comparisons.remove(0)
}

#[test]
fn what_one_side_lacks_has_no_part_and_is_named() {
    let rows = |more: Vec<Row>| [GOOD.rows(), more].concat();
    let complete = of_two_cells(&GOOD.rows()).headline.unwrap();
    let in_cell = of_two_cells(&rows(others(0, "b", 0, "other")));
    let headline = in_cell.headline.as_ref().unwrap();
    assert_eq!((headline.environments, headline.calls), (complete.environments, complete.calls));
    assert_eq!((headline.ratio, headline.verdict), (complete.ratio, Verdict::Faster));
    assert_eq!(kinds(&in_cell), [WarningKind::MissingCells]);
    let expected = "b has no sample of y that can be used. It has no part in the verdict on all cells. Import measurements of \
                    it too, or name other columns with --cell.";
    assert_eq!(in_cell.warnings[0].text, expected);
    let apart = of_two_cells(&[others(0, "a", 0, "one"), others(1, "b", 0, "other")].concat());
    assert_eq!(apart.headline, None);
    assert_eq!(kinds(&apart), [WarningKind::MissingCells; 2]);
}
