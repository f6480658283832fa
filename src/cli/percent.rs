//! Percentages on the command line.

/// Reads a percentage above 0% and below 50% as a share: 0.02 for `2%`.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let share = proportion(text).filter(|share| *share > 0.0 && *share < 0.5);
    share.ok_or_else(|| "it must be a percentage above 0% and below 50%, such as 2%".to_owned())
}

/// Reads a percentage from 0% to 100% as a share.
pub(super) fn up_to_all(text: &str) -> Result<f64, String> {
    let proportion = proportion(text).filter(|share| (0.0..=1.0).contains(share));
    proportion.ok_or_else(|| "it must be a percentage from 0% to 100%, such as 1%".to_owned())
}

fn proportion(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    Some(percent / 100.0)
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
        assert_eq!([up_to_all("0%"), up_to_all("100%"), up_to_all("0.4%")], [Ok(0.0), Ok(1.0), Ok(0.004)]);
        for wrong in ["1", "101%", "-1%", "NaN%", ""] {
            assert!(up_to_all(wrong).unwrap_err().contains("such as 1%"), "{wrong}");
        }
    }
}
