//! The links to the visualizer of AWS Lambda Power Tuning.

use super::document::Block;
use crate::{analysis::result::Analysis, protocol::Architecture};

/// The links, and what is not seen there. Nothing if there are none.
pub fn blocks(analysis: &Analysis) -> Vec<Block> {
    if analysis.visualizer.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::Heading("In the visualizer of AWS Lambda Power Tuning".to_owned())];
    blocks.extend(analysis.visualizer.iter().map(|link| {
        let architectures = link.architectures.iter().map(Architecture::to_string).collect::<Vec<_>>();
        Block::Link { text: architectures.join(" and "), url: link.url.clone() }
    }));
    blocks.push(Block::Remark(
        "The link holds all that the page draws, which is not sent to its server. It shows neither intervals nor the fee for \
         a request: its cost of a call is without it."
            .to_owned(),
    ));
    blocks
}
