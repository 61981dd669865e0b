//! GitHub's records as short text.

pub(crate) use connector::catalog::{day, thousands};

/// The first twelve characters of a commit's id: enough to name it.
pub(crate) fn short_sha(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

/// A time to the minute: `2026-11-22 12:00`.
pub(crate) fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_commits_are_short() {
        assert_eq!(minute("2026-11-22T12:34:56Z"), "2026-11-22 12:34");
        assert_eq!(short_sha("0123456789abcdef"), "0123456789ab");
    }
}
