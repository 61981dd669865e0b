//! GitHub's records as short text.

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The first twelve characters of a commit's id: enough to name it.
pub(crate) fn short_sha(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

/// The day of a time as GitHub writes it: `2026-11-22`.
pub(crate) fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// A time to the minute: `2026-11-22 12:00`.
pub(crate) fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_short() {
        assert_eq!(
            (thousands(7), thousands(1_234), thousands(123_456)),
            ("7".into(), "1,234".into(), "123,456".into())
        );
        assert_eq!(minute("2026-11-22T12:34:56Z"), "2026-11-22 12:34");
        assert_eq!(
            (day("2026-11-22T12:34:56Z"), short_sha("0123456789abcdef")),
            ("2026-11-22", "0123456789ab")
        );
    }
}
