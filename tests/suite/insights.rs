//! CloudWatch Logs Insights' query language, as much of it as docs/logs.md uses, over lines of a log.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A line of a log, or of an answer.
pub type Row = Map<String, Value>;

/// The answer to a query.
pub fn query(query: &str, log: &[Row]) -> Vec<Row> {
    query.split("\n| ").fold(log.to_vec(), |rows, command| {
        let (name, rest) = command.trim().split_once(' ').unwrap_or_else(|| panic!("no command: {command}"));
        match name {
            "filter" => rows.into_iter().filter(|row| evaluate(rest, row) == json!(true)).collect(),
            "fields" => rows.into_iter().map(|row| with_fields(rest, row)).collect(),
            "stats" => stats(rest, &rows),
            "sort" => sorted(rest, rows),
            other => panic!("unknown command: {other}"),
        }
    })
}

/// The value of `x` or `x operator y`; null where a field is missing, as in Insights.
fn evaluate(expression: &str, row: &Row) -> Value {
    let operand =
        |text: &str| match (text.strip_prefix('"').and_then(|text| text.strip_suffix('"')), text.parse::<f64>()) {
            (Some(string), _) => json!(string),
            (None, Ok(number)) => json!(number),
            (None, Err(_)) => row.get(text).cloned().unwrap_or_default(),
        };
    let binary = [" = ", " / "].into_iter().find_map(|operator| Some((operator, expression.split_once(operator)?)));
    match binary {
        None => operand(expression),
        Some((" = ", (left, right))) => json!(operand(left) == operand(right)),
        Some((_, (left, right))) => {
            let quotient = operand(left).as_f64().zip(operand(right).as_f64()).map(|(left, right)| left / right);
            json!(quotient)
        }
    }
}

fn with_fields(list: &str, mut row: Row) -> Row {
    for (expression, name) in named(list) {
        let value = evaluate(expression, &row);
        row.insert(name.to_owned(), value);
    }
    row
}

/// The parts of a list, each with its name.
fn named(list: &str) -> Vec<(&str, &str)> {
    let mut depth = 0;
    let parts = list.split(move |letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    });
    parts.map(|part| part.trim().split_once(" as ").unwrap_or((part.trim(), part.trim()))).collect()
}

fn stats(command: &str, rows: &[Row]) -> Vec<Row> {
    let (aggregates, keys) = command.split_once(" by ").expect("stats have groups");
    let keys: Vec<&str> = keys.split(", ").collect();
    let mut groups = BTreeMap::<String, Vec<&Row>>::new();
    for row in rows {
        let key: Vec<_> = keys.iter().map(|key| row.get(*key)).collect();
        groups.entry(format!("{key:?}")).or_default().push(row);
    }
    let answer = |group: Vec<&Row>| {
        let of_group = keys.iter().map(|key| ((*key).to_owned(), group[0].get(*key).cloned().unwrap_or_default()));
        let results = named(aggregates).into_iter().map(|(call, name)| (name.to_owned(), aggregate(call, &group)));
        of_group.chain(results).collect()
    };
    groups.into_values().map(answer).collect()
}

fn aggregate(call: &str, group: &[&Row]) -> Value {
    let (function, arguments) = call.strip_suffix(')').and_then(|call| call.split_once('(')).expect("a call");
    let (field, argument) = arguments.split_once(", ").unwrap_or((arguments, ""));
    let values: Vec<&Value> = group.iter().filter_map(|row| row.get(field)).filter(|value| !value.is_null()).collect();
    let mut numbers: Vec<f64> = values.iter().filter_map(|value| value.as_f64()).collect();
    numbers.sort_by(f64::total_cmp);
    match function {
        "count" if field == "*" => json!(group.len()),
        "count_distinct" => json!(values.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len()),
        "sum" => json!(numbers.iter().sum::<f64>()),
        "min" => json!(numbers.first()),
        "pct" => {
            let rank = argument.parse::<f64>().expect("a percentage") / 100.0 * numbers.len() as f64;
            json!(numbers.get((rank.ceil() as usize).saturating_sub(1)))
        }
        other => panic!("unknown function: {other}({arguments})"),
    }
}

fn sorted(command: &str, mut rows: Vec<Row>) -> Vec<Row> {
    let (field, descending) = match command.split_once(' ') {
        Some((field, "desc")) => (field, true),
        None => (command, false),
        Some(_) => panic!("unknown order: {command}"),
    };
    let number = |row: &Row| row[field].as_f64().unwrap_or(0.0);
    let text = |row: &Row| row[field].as_str().unwrap_or_default().to_owned();
    rows.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| text(a).cmp(&text(b))));
    if descending {
        rows.reverse();
    }
    rows
}
