//! Text.

pub mod base64;
pub mod csv;
pub mod documents;
pub mod gunzip;
pub mod gzip;
pub mod json;
pub mod levenshtein;
pub mod orders;
pub mod regex;
pub mod search;
pub mod search_naive;
pub mod sha256;
pub mod shipments;
pub mod utf8;
pub mod word_count;
