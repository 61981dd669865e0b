//! GitHub's records as short text.

use connector::catalog::words::counted;

pub(crate) use connector::catalog::{day, minute, thousands};

/// How long a text is: `1,200 characters`.
pub(crate) fn characters(text: &str) -> String {
    counted(text.chars().count(), ("character", "characters"))
}

/// The first twelve characters of a commit's id: enough to name it.
pub(crate) fn short_sha(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

/// A time as GitHub's parameters take it: `2026-11-22T12:00:00Z`.
pub(crate) fn second(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_commits_are_short() {
        assert_eq!(second("2026-11-22T12:34:56.789Z".parse().unwrap()), "2026-11-22T12:34:56Z");
        assert_eq!(short_sha("0123456789abcdef"), "0123456789ab");
    }
}
