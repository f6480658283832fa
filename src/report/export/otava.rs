//! What Apache Otava's importer of CSV reads: a row for each campaign, in the order of time, and a column for each estimate.

use super::estimates::{Estimate, Estimates, Quantity, SameName, check_unique};
use crate::report::{
    csv::{key, number},
    words::date,
};
use csv::Writer;
use std::collections::{BTreeMap, BTreeSet};

/// A campaign of the series.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// Its directory.
    pub(crate) name: String,
    pub(crate) unix_ms: u64,
    pub(crate) estimates: Estimates<'a>,
}

/// The series.
#[derive(Debug)]
pub(crate) struct Series {
    rows: Vec<Row>,
    /// The estimates that all campaigns have: Otava takes no gaps.
    columns: Vec<String>,
    left_out: Vec<String>,
}

#[derive(Debug)]
struct Row {
    name: String,
    unix_ms: u64,
    values: BTreeMap<String, f64>,
    /// The cells that what is estimated of all cells is of.
    cells: BTreeSet<String>,
}

impl Series {
    /// The series of these campaigns, those without any verdict left out: they are not comparable with the others.
    ///
    /// # Errors
    /// When names do not tell estimates apart.
    pub(crate) fn new(runs: Vec<Run<'_>>) -> Result<Self, SameName> {
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        let (mut order, mut known, mut of_all_cells) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for Run { name, unix_ms, estimates } in runs {
            let reasons = estimates.left_out();
            if estimates.analysis.ranked().is_empty() {
                left_out.push(format!("{name}, which gives no verdict: {}", reasons.join("; ")));
                continue;
            }
            left_out.extend(reasons.into_iter().map(|reason| format!("of {name}, {reason}")));
            let columns: Vec<String> = estimates.all.iter().map(column).collect();
            check_unique(columns.iter())?;
            let values = columns.iter().cloned().zip(estimates.all.iter().map(|estimate| estimate.value)).collect();
            let named = columns.iter().zip(&estimates.all);
            of_all_cells
                .extend(named.filter(|(_, estimate)| estimate.is_of_all_cells()).map(|(column, _)| column.clone()));
            let cells = estimates.all.iter().filter(|estimate| !estimate.is_of_all_cells());
            let cells = cells.filter_map(|estimate| estimate.cell.map(str::to_owned)).collect();
            order.extend(columns.into_iter().filter(|column| known.insert(column.clone())));
            rows.push(Row { name, unix_ms, values, cells });
        }
        rows.sort_by_key(|row: &Row| row.unix_ms);
        let has_gap = |column: &String| rows.iter().any(|row| !row.values.contains_key(column));
        let (gaps, columns): (Vec<String>, Vec<String>) = order.into_iter().partition(has_gap);
        left_out.extend(gaps.into_iter().map(|column| {
            let missing = rows.iter().filter(|row| !row.values.contains_key(&column)).count();
            format!("the column {column}, which {missing} of {} campaigns do not have: Otava takes no gaps", rows.len())
        }));
        let is_same = rows.windows(2).all(|pair| pair[0].cells == pair[1].cells);
        let is_comparable = |column: &String| is_same || !of_all_cells.contains(column);
        let (columns, mixed): (Vec<String>, Vec<String>) = columns.into_iter().partition(is_comparable);
        left_out.extend(mixed.into_iter().map(|column| {
            format!("the column {column}, which is of all cells: the campaigns do not have the same ones")
        }));
        Ok(Self { rows, columns, left_out })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() || self.columns.is_empty()
    }

    /// What is left out, and why.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The series as comma-separated values.
    ///
    /// # Errors
    /// When the writer of `csv` fails, which it does not in memory.
    pub(crate) fn csv(&self) -> Result<String, csv::Error> {
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_record([TIME, RUN].into_iter().chain(self.columns.iter().map(String::as_str)))?;
        for Row { name, unix_ms, values, .. } in &self.rows {
            let values = self.columns.iter().map(|column| number(values.get(column).copied()));
            writer.write_record([date(*unix_ms), name.clone()].into_iter().chain(values))?;
        }
        let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The configuration of Otava that reads the series from `file`, as YAML: lower values are better.
    pub(crate) fn configuration(&self, file: &str) -> String {
        let metric = |column: &String| {
            let name = quoted(column);
            format!("      {name}:\n        column: {name}\n        direction: -1\n        scale: 1\n")
        };
        let metrics: String = self.columns.iter().map(metric).collect();
        let file = quoted(file);
        format!(
            "tests:\n  duet:\n    type: csv\n    file: {file}\n    time_column: {TIME}\n    attributes: [{RUN}]\n    \
             metrics:\n{metrics}"
        )
    }
}

/// The column with the time of a campaign.
const TIME: &str = "time";

/// The column with its name.
const RUN: &str = "run";

/// A column's name, which is that of a metric.
fn column(estimate: &Estimate<'_>) -> String {
    let names = [Some(estimate.subject()), estimate.cell.map(str::to_owned)].into_iter().flatten();
    let quantity = match estimate.quantity {
        Quantity::Time(measure) => format!("{}_ms", key(measure)),
        Quantity::Ratio(measure) => format!("{}_ratio", key(measure)),
        Quantity::Cost => "cost_usd_per_million".to_owned(),
    };
    names.chain([quantity]).collect::<Vec<_>>().join(".")
}

/// A text of YAML in double quotes, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{result::Analysis, verdict::Verdict},
        report::fixture,
    };

    fn run(analysis: &Analysis, unix_ms: u64) -> Run<'_> {
        Run { name: format!("runs/{unix_ms}"), unix_ms, estimates: Estimates::new(analysis) }
    }

    fn rows(series: &Series) -> Vec<Vec<String>> {
        let text = series.csv().unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn campaigns_are_rows_in_the_order_of_time() {
        let analysis = fixture::campaign(&fixture::analysis());
        let series = Series::new(vec![run(&analysis, 2_000), run(&analysis, 1_000)]).unwrap();
        let rows = rows(&series);
        assert_eq!(rows[0][..3], ["time", "run", "x86_64.math/matmul.wall_ms"]);
        assert_eq!(rows[1][..2], ["1970-01-01T00:00:01Z", "runs/1000"]);
        assert_eq!(rows[2][..2], ["1970-01-01T00:00:02Z", "runs/2000"]);
        let place = rows[0].iter().position(|name| name == "arm64 over x86_64.math/matmul.wall_ratio").unwrap();
        assert_eq!(rows[1][place], "0.742");
        assert!(series.left_out().is_empty());
    }

    #[test]
    fn there_are_no_gaps() {
        let (mut other, mut withheld) = (fixture::analysis(), fixture::analysis());
        other.cells[0].name = "new".to_owned();
        withheld.headline.as_mut().unwrap().verdict = Verdict::Withheld;
        let [all, other, withheld] = [fixture::analysis(), other, withheld].map(|pair| fixture::campaign(&pair));
        let series = Series::new(vec![run(&all, 1_000), run(&other, 2_000), run(&withheld, 3_000)]).unwrap();
        let rows = rows(&series);
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().flatten().all(|value| !value.is_empty()), "{rows:?}");
        assert!(!rows[0].iter().any(|name| name.contains("math/matmul") || name.contains("new")), "{rows:?}");
        let left_out = series.left_out().join("\n");
        assert!(left_out.starts_with("runs/3000, which gives no verdict: "), "{left_out}");
        let column = "the column arm64.math/matmul.wall_ms, which 1 of 2 campaigns do not have: Otava takes no gaps";
        assert!(left_out.contains(column), "{left_out}");
        // What is of all cells would change with the cells.
        let of_all = "the column arm64 over x86_64.all.wall_ratio, which is of all cells: the campaigns do not have the same ones";
        assert!(left_out.contains(of_all), "{left_out}");
        assert!(!rows[0].iter().any(|name| name.contains(".all.")), "{rows:?}");
    }

    #[test]
    fn the_configuration_names_every_column() {
        let mut pair = fixture::analysis();
        pair.cells[0].name = "a \"b\": c".to_owned();
        let analysis = fixture::campaign(&pair);
        let series = Series::new(vec![run(&analysis, 1_000)]).unwrap();
        let yaml = series.configuration("series.csv");
        assert!(yaml.starts_with("tests:\n  duet:\n    type: csv\n    file: \"series.csv\"\n"), "{yaml}");
        let metric = "      \"arm64.a \\\"b\\\": c.wall_ms\":\n        column: \"arm64.a \\\"b\\\": c.wall_ms\"\n";
        assert!(yaml.contains(metric), "{yaml}");
        assert_eq!(yaml.matches("direction: -1").count(), rows(&series)[0].len() - 2);
    }
}
