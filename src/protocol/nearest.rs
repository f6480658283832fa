//! "Did you mean …?" for names that users type.

/// The candidate that is most similar to `name`, if it is similar enough.
///
/// Similarity is the Damerau-Levenshtein distance scaled to 0–1, in which a swapped pair of letters counts as one slip;
/// a suggestion below 0.5 would be a guess. A candidate that is less than half as long is always below that, and is not
/// compared, so that long made-up names take no time.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    candidates
        .into_iter()
        .filter(|candidate| length <= 2 * candidate.chars().count())
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_slip_and_withholds_a_guess() {
        let names = ["iterations", "warmup", "seed"];
        assert_eq!(nearest("itertaions", names), Some("iterations"));
        assert_eq!(nearest("warm_up", names), Some("warmup"));
        assert_eq!(nearest("zzz", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn a_candidate_may_be_half_as_long() {
        assert_eq!(nearest("seedseed", ["seed"]), Some("seed"));
        assert_eq!(nearest("seedseeds", ["seed"]), None);
    }
}
