//! "Did you mean …?" for names that users type.

/// The candidate closest to `name`, if one is close enough to be what was meant.
///
/// Closeness is the Damerau-Levenshtein distance scaled to 0–1, so that a swapped pair of letters
/// counts as one slip; below 0.5 the suggestion would be a guess and is withheld.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_slip_and_withholds_the_guess() {
        let names = ["iterations", "warmup", "seed"];
        assert_eq!(nearest("itertaions", names), Some("iterations"));
        assert_eq!(nearest("warm_up", names), Some("warmup"));
        assert_eq!(nearest("zzz", names), None);
        assert_eq!(nearest("", names), None);
    }
}
