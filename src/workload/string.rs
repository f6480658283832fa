//! Text.

pub mod levenshtein;
pub mod word_count;
