//! Documents as GitHub's Markdown, for a comment on a pull request.

use super::document::{Alignment, Block, Column, Table, Tone, Value};

pub fn render(blocks: &[Block]) -> String {
    let is_item = |block: &Block| matches!(block, Block::Warning { .. } | Block::Item(_) | Block::Facts(..));
    // Items in a row are one list.
    let parts = blocks.chunk_by(|one, next| is_item(one) && is_item(next));
    let parts = parts.map(|part| part.iter().map(markdown).collect::<Vec<_>>().join("\n"));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n"
}

fn markdown(block: &Block) -> String {
    match block {
        Block::Verdict(tone, text) => format!("{}**{}**", mark(*tone), escaped(text)),
        Block::Warning { name, text, withholds } => {
            let mark = if *withholds { "⛔" } else { "⚠️" };
            format!("- {mark} `{name}`: {}", escaped(text))
        }
        Block::Heading(title) => format!("**{}**", escaped(title)),
        Block::Paragraph(text) | Block::Remark(text) => escaped(text),
        Block::Item(text) => format!("- {}", escaped(text)),
        Block::Facts(name, lines) => format!("- **{}**: {}", escaped(name), escaped(&lines.join("; "))),
        Block::Table(table) => titled(table),
        Block::Code { title, language, lines } => {
            format!("{}\n\n```{language}\n{}\n```", escaped(title), lines.join("\n"))
        }
        Block::Link { text, url } => format!("[{}]({url})", escaped(text)),
        Block::Details(blocks) => format!("<details><summary>Details</summary>\n\n{}\n</details>", render(blocks)),
    }
}

fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "",
        Tone::Good => "✅ ",
        Tone::Bad => "❌ ",
        Tone::Open => "❔ ",
    }
}

/// A table under its title; nothing of one without rows.
fn titled(table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let title = if table.title.is_empty() { String::new() } else { format!("**{}**\n\n", escaped(&table.title)) };
    let rule = |column: &Column| match column.alignment {
        Alignment::Left => ":--".to_owned(),
        Alignment::Right => "--:".to_owned(),
    };
    let header = table.columns.iter().map(|column| escaped(&column.header));
    let mut lines = vec![line(header), line(table.columns.iter().map(rule))];
    let text = |value: &Value| escaped(&value.lines().join(", "));
    lines.extend(table.rows.iter().map(|row| line(row.iter().map(text))));
    title + &lines.join("\n")
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

/// Text that Markdown shows as it is, also in a table.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_before_word = characters.peek().is_some_and(|next| next.is_alphanumeric());
        match character {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            // Nobody is to be notified.
            '@' if is_before_word => escaped.push_str("&#64;"),
            // Within a word it means nothing: x86_64 stays readable in the raw text.
            '_' if before.is_alphanumeric() && is_before_word => escaped.push('_'),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
        before = character;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{campaign::document, fixture};

    #[test]
    fn the_verdict_comes_first_and_the_rest_can_be_opened() {
        let text = render(&document(&fixture::campaign(&fixture::analysis())));
        assert!(text.starts_with("**arm64 costs 25% less than x86_64 "), "{text}");
        let (shown, hidden) = text.split_once("<details>").unwrap();
        for part in ["- ⚠️ `unseen-cpus`: ", "| math/matmul | 41.8 ms |", "\\~412 needed", "invocations a month"] {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
        for part in ["CPU time", "Neoverse-V1", "cold call", "seed 42", "per million invocations", "</details>"] {
            assert!(hidden.contains(part), "{part} is not in\n{hidden}");
        }
    }

    #[test]
    fn a_census_is_in_the_comment() {
        let text = render(&document(&fixture::campaign(&fixture::counted())));
        let (shown, hidden) = text.split_once("<details>").unwrap();
        let headline = "(1.06× as fast; 95% interval 3.8% to 7.2% less, without the census 5.1% less to 7.7% more).**";
        assert!(shown.contains(headline), "{shown}");
        assert!(
            shown.contains("\n\narm64 is faster while at most 54% of its fleet is Neoverse-N1 (now 43%), "),
            "{shown}"
        );
        for part in [
            "| 60% | −0.08% (−1.5% to +1.4%) | equivalent |",
            "; census: 1,043 environments counted in 12 rounds; with those that were called Neoverse-V1 57% (54% to 60%), ",
            "20% from what the census leaves open of the mix of CPU models",
        ] {
            assert!(hidden.contains(part), "{part} is not in\n{hidden}");
        }
    }

    #[test]
    fn tables_keep_their_columns_with_any_names() {
        let mut analysis = fixture::analysis();
        analysis.cells[0].name = "a|b\n<img>`@all".to_owned();
        analysis.sides.baseline.name = "x|y".to_owned();
        let text = render(&document(&fixture::campaign(&analysis)));
        assert!(text.contains("| a\\|b &lt;img>\\`&#64;all |"), "{text}");
        for block in text.split("\n\n").filter(|block| block.starts_with('|')) {
            let columns = |line: &str| line.replace("\\|", "").matches('|').count();
            let expected = columns(block.lines().next().unwrap());
            assert!(block.lines().all(|line| columns(line) == expected), "{block}");
        }
    }

    #[test]
    fn a_report_without_cells_is_a_sentence() {
        let mut analysis = fixture::analysis();
        analysis.cells.clear();
        (analysis.headline, analysis.money) = (None, None);
        let text = render(&document(&fixture::campaign(&analysis)));
        assert!(text.starts_with("**No verdict: ") && !text.contains("\n\n\n"), "{text}");
    }
}
