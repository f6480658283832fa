//! Documents for a terminal of 100 columns, with ANSI styles: printed through `anstream`, which leaves them out where there
//! is no terminal.

use super::document::{Alignment, Block, Table, Tone};
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle};
use std::{iter, slice};

pub const WIDTH: usize = 100;

/// One line below the header and no other.
const TABLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// The indentation of facts, beside their name.
const INDENT: &str = "              ";

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Neutral => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Open => AnsiColor::Yellow.on_default(),
        }
    }
}

/// Characters without width, which stand where a style begins until the table is laid out: that takes escape sequences
/// for text.
const MARKERS: [(Tone, char); 3] = [(Tone::Good, '\u{2061}'), (Tone::Bad, '\u{2062}'), (Tone::Open, '\u{2063}')];
/// Where a style ends that a marker has begun.
const END: char = '\u{2064}';

/// A document without its details.
pub fn summary(blocks: &[Block]) -> String {
    render(blocks, false)
}

/// All of a document.
pub fn full(blocks: &[Block]) -> String {
    render(blocks, true)
}

fn render(blocks: &[Block], with_details: bool) -> String {
    let mut text = String::new();
    for block in blocks {
        let has_title = match block {
            Block::Heading(_) => true,
            Block::Table(table) => !table.title.is_empty() && !table.rows.is_empty(),
            _ => false,
        };
        if has_title && !text.is_empty() {
            text.push('\n');
        }
        text += &match block {
            Block::Verdict(tone, text) => paragraph(text, tone.style().bold()),
            Block::Warning { name, text, withholds } => {
                let tone = if *withholds { Tone::Bad } else { Tone::Open };
                hanging(&format!("{name}: {text}"), "", "  ", tone.style())
            }
            Block::Heading(title) => heading(title),
            Block::Paragraph(text) => paragraph(text, Style::new()),
            Block::Remark(text) => paragraph(text, FAINT),
            Block::Item(text) => hanging(text, "- ", "  ", Tone::Open.style()),
            Block::Facts(name, lines) => facts(name, lines),
            Block::Table(table) => self::table(table),
            Block::Code { title, lines, .. } => paragraph(title, Style::new()) + &verbatim(lines),
            Block::Link { text, url } => format!("{text}: {url}\n"),
            Block::Details(blocks) if with_details => "\n".to_owned() + &render(blocks, true),
            Block::Details(_) => "\n".to_owned() + &paragraph("More with --details.", FAINT),
        };
    }
    text
}

fn heading(text: &str) -> String {
    format!("{BOLD}{text}{BOLD:#}\n")
}

/// Text in lines that fit.
pub fn paragraph(text: &str, style: Style) -> String {
    hanging(text, "", "", style)
}

/// The same, the first line begun in one way and the others in another.
pub fn hanging(text: &str, first: &str, others: &str, style: Style) -> String {
    // Names and options have hyphens, and a line that ends in one does not look like a part of either.
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(others)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).iter().map(|line| format!("{style}{line}{style:#}\n")).collect()
}

fn facts(name: &str, lines: &[String]) -> String {
    let name = format!("{name:<width$}", width = INDENT.len());
    let indents = iter::once(name.as_str()).chain(iter::repeat(INDENT));
    lines.iter().zip(indents).map(|(line, first)| hanging(line, first, INDENT, Style::new())).collect()
}

/// Lines that are copied, and so not broken.
fn verbatim(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

/// A table under its title; nothing of one without rows.
pub fn table(table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let mut layout = comfy_table::Table::new();
    layout
        .load_style(TABLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH as u16)
        .set_header(
            table.columns.iter().map(|column| cell(slice::from_ref(&column.header), column.alignment, Tone::Neutral)),
        )
        .add_rows(table.rows.iter().map(|row| {
            let cells = row.iter().zip(&table.columns);
            cells.map(|(value, column)| cell(&value.lines(), column.alignment, value.tone())).collect::<Vec<_>>()
        }));
    // There is one more space between columns.
    let natural_width: usize = layout.column_max_content_widths().into_iter().map(usize::from).sum();
    let padding = if natural_width + 3 * (table.columns.len() - 1) > WIDTH { 1 } else { 2 };
    for (index, column) in layout.column_iter_mut().enumerate() {
        column.set_padding((padding * u16::from(index > 0), 0));
        // Names may be broken; numbers may not.
        if index > 0 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let title = if table.title.is_empty() { String::new() } else { heading(&table.title) };
    title + &layout.to_string().lines().map(|line| styled(line.trim_end()) + "\n").collect::<String>()
}

fn cell(lines: &[String], alignment: Alignment, tone: Tone) -> Cell {
    let is_marker = |character: char| character == END || MARKERS.iter().any(|(_, marker)| *marker == character);
    let marked = |line: &String| {
        // Names may hold anything.
        let line = line.replace(is_marker, "");
        let marker = MARKERS.iter().find(|(of_tone, _)| *of_tone == tone);
        marker.map_or(line.clone(), |(_, marker)| format!("{marker}{line}{END}"))
    };
    let text = lines.iter().map(marked).collect::<Vec<_>>().join("\n");
    Cell::new(text).set_alignment(match alignment {
        Alignment::Left => CellAlignment::Left,
        Alignment::Right => CellAlignment::Right,
    })
}

/// A line of a table with styles in the place of markers.
fn styled(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut style = Style::new();
    for character in line.chars() {
        match MARKERS.iter().find(|(_, marker)| *marker == character) {
            Some((tone, _)) => {
                style = tone.style();
                text += &style.to_string();
            }
            None if character == END => text += &format!("{style:#}"),
            None => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::{Value, numbers, words};

    #[test]
    fn verdicts_have_colours_and_names_do_not() {
        let verdict = Value::Verdict(Tone::Bad, "slower".to_owned(), Some("more blocks".to_owned()));
        let rows = [vec![Value::text("a slower\u{2062}"), Value::number(7), verdict]];
        let text = table(&Table::new("", [words("cell"), numbers("n"), words("verdict")], rows));
        let red = Tone::Bad.style();
        let expected = format!(
            "cell       n   verdict\n────────────────────────────────\na slower   7   {red}slower{red:#}\n               \
             {red}needs more blocks{red:#}\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn lines_are_broken_at_spaces_alone() {
        let text = paragraph(&format!("{} --max-latency holds", "n".repeat(90)), Style::new());
        assert_eq!(text, format!("{}\n--max-latency holds\n", "n".repeat(90)));
    }

    #[test]
    fn columns_move_together_before_names_are_broken() {
        let wide = |length: usize| {
            let rows = [vec![Value::text("n".repeat(40)), Value::number("1".repeat(length)), Value::number("2")]];
            table(&Table::new("", [words("name"), numbers("a"), numbers("b")], rows))
        };
        for length in [53, 54, 55, 56] {
            let text = wide(length);
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            assert_eq!(text.contains(&"n".repeat(40)), length <= 55, "{text}");
        }
    }

    #[test]
    fn details_are_shown_on_demand() {
        let blocks = [Block::Paragraph("seen".to_owned()), Block::Details(vec![Block::Heading("hidden".to_owned())])];
        assert_eq!(summary(&blocks), format!("seen\n\n{FAINT}More with --details.{FAINT:#}\n"));
        assert_eq!(full(&blocks), format!("seen\n\n{BOLD}hidden{BOLD:#}\n"));
    }
}
