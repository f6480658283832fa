//! Shares as people write them.

/// A share that is written as a percentage: 0.02 for `2%`.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let percent: Option<f64> = text.strip_suffix('%').and_then(|number| number.parse().ok());
    let share = percent.map(|it| it / 100.0).filter(|it| *it > 0.0 && *it < 0.5);
    share.ok_or_else(|| "it must be a percentage above 0% and below 50%, such as 2%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages_with_their_sign() {
        assert_eq!(percent("2%"), Ok(0.02));
        assert_eq!(percent("0.5%"), Ok(0.005));
        for wrong in ["0.02", "2", "%", "0%", "-1%", "50%", "1e400%", "NaN%", "inf%", "2 %", "2%%", ""] {
            assert!(percent(wrong).unwrap_err().contains("such as 2%"), "{wrong}");
        }
    }
}
