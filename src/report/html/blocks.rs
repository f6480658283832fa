//! Parts of a document that other output formats show in the same words.

use super::figure::table;
use crate::report::document::Block;
use maud::{Markup, html};

/// These blocks in a row; warnings have a list of their own.
pub fn blocks(blocks: &[Block]) -> Markup {
    html! { @for part in blocks { (block(part)) } }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Verdict(_, text) => p { b { (text) } },
            Block::Heading(title) => h2 { (title) },
            Block::Paragraph(text) | Block::Item(text) | Block::Warning { text, .. } => p { (text) },
            Block::Remark(text) => p.evidence { (text) },
            Block::Facts(name, lines) => p { b { (name) } " " (lines.join("; ")) },
            Block::Table(content) => (table(content)),
            Block::Code { title, lines, .. } => {
                p { (title) }
                pre tabindex="0" { code { (lines.join("\n")) } }
            }
            Block::Link { text, url } => p { a href=(url) rel="noreferrer" { (text) } },
            Block::Details(content) => details { summary { "Details" } (blocks(content)) },
        }
    }
}
