//! What a report shows, as data: the same for every output format, which decides looks and never content.

use super::words::{change_with_interval, changes, count, percent_change};
use crate::analysis::sides::Sides;
use crate::analysis::{
    result::{Interval, Ratio},
    verdict::Verdict,
    warning_kind::{Warning, WarningKind},
};
use std::fmt::Display;

/// A report or a part of one.
#[derive(Clone, Debug)]
pub enum Block {
    /// The result in one sentence.
    Verdict(Tone, String),
    /// A reason to doubt the result, with its name, and whether it withholds a verdict.
    Warning {
        name: WarningKind,
        text: String,
        withholds: bool,
    },
    Heading(String),
    Paragraph(String),
    /// Background, for readers who want to check the rest.
    Remark(String),
    Item(String),
    /// Facts about something with a name.
    Facts(String, Vec<String>),
    Table(Table),
    /// Lines to copy.
    Code {
        title: String,
        language: &'static str,
        lines: Vec<String>,
    },
    Link {
        text: String,
        url: String,
    },
    /// Shown on demand.
    Details(Vec<Block>),
}

impl Block {
    pub fn warning(warning: &Warning, withholds: bool) -> Self {
        Self::Warning { name: warning.kind, text: warning.text.clone(), withholds }
    }
}

/// Whether something is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Neutral,
    Good,
    Bad,
    Open,
}

impl From<Verdict> for Tone {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Faster | Verdict::Equivalent => Self::Good,
            Verdict::Slower => Self::Bad,
            Verdict::Inconclusive | Verdict::Withheld => Self::Open,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Table {
    pub title: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub header: String,
    pub alignment: Alignment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// Of words.
    Left,
    /// Of numbers.
    Right,
}

/// The content of a table cell.
#[derive(Clone, Debug)]
pub enum Value {
    Unknown,
    Text(String),
    /// A number with its unit.
    Number(String),
    /// By how much a ratio differs from 1.
    Change(f64),
    Interval(Interval),
    ChangeWithInterval(Ratio),
    /// How many environments of each side there are, where that is known, and how many would probably lead to a verdict.
    Environments(Sides<Option<u32>>, Option<u64>),
    /// A verdict or a decision, and what it needs to become one.
    Verdict(Tone, String, Option<String>),
}

impl Table {
    pub fn new(
        title: impl Into<String>,
        columns: impl IntoIterator<Item = Column>,
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Self {
        Self { title: title.into(), columns: columns.into_iter().collect(), rows: rows.into_iter().collect() }
    }
}

pub fn words(header: impl Into<String>) -> Column {
    Column { header: header.into(), alignment: Alignment::Left }
}

pub fn numbers(header: impl Into<String>) -> Column {
    Column { header: header.into(), alignment: Alignment::Right }
}

impl Value {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn number(number: impl Display) -> Self {
        Self::Number(number.to_string())
    }

    /// A number that may be unknown.
    pub fn number_or_unknown(number: Option<impl Display>) -> Self {
        number.map_or(Self::Unknown, Self::number)
    }

    /// Its lines: the first is the value, the second what a verdict still needs.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![match self {
            Self::Unknown => "–".to_owned(),
            Self::Text(text) | Self::Number(text) | Self::Verdict(_, text, _) => text.clone(),
            Self::Change(ratio) => percent_change(*ratio),
            Self::Interval(interval) => changes(*interval),
            Self::ChangeWithInterval(Ratio { estimate, interval: Some(interval), .. }) => {
                change_with_interval(*estimate, *interval)
            }
            Self::ChangeWithInterval(Ratio { estimate, interval: None, .. }) => percent_change(*estimate),
            Self::Environments(Sides { baseline: None, candidate: None }, _) => "–".to_owned(),
            Self::Environments(of_sides, _) => {
                let known = |number: &Option<u32>| number.map_or("–".to_owned(), |number| count(number.into()));
                let Sides { baseline, candidate } = of_sides.map(|_, number| known(number));
                format!("{baseline}/{candidate}")
            }
        }];
        lines.extend(match self {
            Self::Environments(_, needed) => needed.map(|number| format!("~{} needed", count(number))),
            Self::Verdict(.., needs) => needs.as_ref().map(|what| format!("needs {what}")),
            _ => None,
        });
        lines
    }

    pub fn tone(&self) -> Tone {
        match self {
            Self::Verdict(tone, ..) => *tone,
            _ => Tone::Neutral,
        }
    }
}
