//! Timestamps and addresses of messages, as people and models write them.

use connector::{Error, Result, catalog::one_line};

/// A message that is meant: perhaps with its conversation, and with the thread that its address names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MessageRef {
    pub(crate) host: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) ts: Option<String>,
    pub(crate) thread: Option<String>,
}

/// The timestamp that `text` means: as Slack writes it, its digits alone, or as in an address.
///
/// A message's timestamp is its id, and a text with six decimals (docs.slack.dev/messaging/retrieving-messages).
/// One that came as a number may have lost its zeros, and would name nothing or the wrong message.
///
/// # Errors
/// `invalid_argument` for anything else.
pub(crate) fn ts(text: &str) -> Result<String> {
    let text = text.trim();
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((seconds, micros)) = text.split_once('.')
        && digits(seconds, 10)
        && digits(micros, 6)
    {
        return Ok(text.to_owned());
    }
    let bare = text.strip_prefix('p').unwrap_or(text);
    if digits(bare, 16) {
        return Ok(format!("{}.{}", &bare[..10], &bare[10..]));
    }
    if let Some(MessageRef { ts: Some(ts), .. }) = address(text) {
        return Ok(ts);
    }
    Err(Error::invalid(format!("`ts` {} is not the timestamp of a message", one_line(text)))
        .with_hint("Give it as text with six decimals, exactly as a reading tool showed it: as a number it loses its zeros. Nothing was sent"))
}

/// The conversation, message and thread of an address such as
/// `https://acme.slack.com/archives/C123/p1764400000100100?thread_ts=1764400000.000100&cid=C123`.
pub(crate) fn address(text: &str) -> Option<MessageRef> {
    let url = url::Url::parse(text.trim().trim_start_matches('<').trim_end_matches('>')).ok()?;
    let host = url.host_str()?.to_owned();
    let mut segments = url.path_segments()?;
    let (channel, ts) = match segments.next()? {
        "archives" => (segments.next()?, segments.next()),
        // The client's own address: app.slack.com/client/T…/C…
        "client" => {
            segments.next()?;
            (segments.next()?, segments.next())
        }
        _ => return None,
    };
    let ts = ts.filter(|ts| ts.starts_with('p')).and_then(|word| self::ts(word).ok());
    let thread = url.query_pairs().find(|(name, _)| name == "thread_ts").map(|(_, value)| value.into_owned());
    Some(MessageRef {
        host: Some(host),
        channel: Some(channel.to_owned()),
        ts,
        thread: thread.and_then(|word| self::ts(&word).ok()),
    })
}

/// Whether `word` is an id of this kind: one of `kinds`, then capitals and digits.
pub(crate) fn is_id(word: &str, kinds: &[char]) -> bool {
    word.len() >= 8
        && word.starts_with(kinds)
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The id in `<#C1|name>`, `<@U1>`, `<!subteam^S1|@x>`, else the word itself.
pub(crate) fn untagged(word: &str) -> &str {
    let word = word.trim();
    let Some(inner) = word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else { return word };
    let inner = inner.trim_start_matches(['#', '@']);
    let inner = inner.strip_prefix("!subteam^").unwrap_or(inner);
    inner.split('|').next().unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_timestamp_is_read_and_a_number_that_lost_its_zeros_is_refused() {
        // https://github.com/slackapi/node-slack-sdk/issues/780, zencoderai/slack-mcp-server#7.
        let same = "1764400000.100100";
        for form in [
            same,
            "1764400000100100",
            "p1764400000100100",
            " 1764400000.100100 ",
            "https://acme.slack.com/archives/C1/p1764400000100100",
            "https://acme.slack.com/archives/C1/p1764400000100100?thread_ts=1764400000.000100&cid=C1",
        ] {
            assert_eq!(ts(form).unwrap(), same, "{form}");
        }
        for form in [
            "1764400000.1001",
            "1764400000",
            "17644000001001001",
            "yesterday",
            "",
            "1764400000.1001000",
            "https://acme.slack.com/archives/C1",
        ] {
            assert!(ts(form).is_err(), "{form}");
        }
    }

    #[test]
    fn an_address_names_conversation_message_and_thread() {
        let found = address(
            "https://acme.slack.com/archives/C1/p1764400000100100?thread_ts=1764400000.000100&cid=C1",
        )
        .unwrap();
        assert_eq!((found.host.as_deref(), found.channel.as_deref()), (Some("acme.slack.com"), Some("C1")));
        assert_eq!(
            (found.ts.as_deref(), found.thread.as_deref()),
            (Some("1764400000.100100"), Some("1764400000.000100"))
        );
        assert_eq!(address("https://acme.slack.com/files/U1/F1/x"), None);
        assert_eq!(address("general"), None);
    }

    #[test]
    fn ids_are_told_from_names() {
        assert!(
            is_id("C0GENERAL00", &['C'])
                && !is_id("GENERAL", &['C', 'G'])
                && !is_id("DESIGNERS", &['D'])
                && !is_id("c0general00", &['C'])
        );
        assert_eq!(
            (untagged("<#C1|general>"), untagged("<!subteam^S1|@x>"), untagged("<@U1>")),
            ("C1", "S1", "U1")
        );
    }
}
