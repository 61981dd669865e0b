//! What this server's operator allows beyond what Slack does: which conversations may be read and
//! written to, broadcasts, other organizations; and the rule that what was read in private is not
//! posted to more people without a question.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use connector::{
    Error, Kind, Result,
    access::Principal,
    settings::{Config, Setting, SettingKind},
};
use tokio::time::Instant;

use crate::api::types::Channel;

/// How long after reading in private a wider post is asked about.
const MEMORY: Duration = Duration::from_secs(30 * 60);

/// The settings of the policy.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "read-channels",
        env: "SLACK_READ_CHANNELS",
        kind: SettingKind::Text("NAMES"),
        default: None,
        help: "Only these conversations may be read: names or patterns between commas, `dm` for direct messages, `!name` for all but that",
    },
    Setting {
        key: "write-channels",
        env: "SLACK_WRITE_CHANNELS",
        kind: SettingKind::Text("NAMES"),
        default: None,
        help: "Only these conversations may be written to, in the same words",
    },
    Setting {
        key: "allow-broadcast",
        env: "SLACK_ALLOW_BROADCAST",
        kind: SettingKind::Switch,
        default: None,
        help: "Lets messages say @here, @channel and @everyone, after a question",
    },
    Setting {
        key: "allow-external",
        env: "SLACK_ALLOW_EXTERNAL",
        kind: SettingKind::Switch,
        default: None,
        help: "Lets messages go to channels shared with other organizations, after a question",
    },
    Setting {
        key: "confirm-posts",
        env: "SLACK_CONFIRM_POSTS",
        kind: SettingKind::Switch,
        default: None,
        help: "Asks before every message, not only before those that reach many or other people than before",
    },
];

/// The operator's rules.
#[derive(Debug)]
pub(crate) struct Policy {
    read: Bounds,
    write: Bounds,
    pub(crate) broadcast: bool,
    pub(crate) external: bool,
    pub(crate) confirm_posts: bool,
    /// What callers have read in private lately: the conversation and when.
    read_in_private: Mutex<HashMap<String, Vec<(String, Instant)>>>,
}

/// Which conversations: those of a list, or all but those of a list.
#[derive(Clone, Debug, Default)]
struct Bounds {
    allowed: Vec<String>,
    denied: Vec<String>,
}

impl Bounds {
    fn parse(words: Option<&str>) -> Self {
        let mut bounds = Self::default();
        for word in words.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.strip_prefix('!') {
                Some(denied) => bounds.denied.push(plain(denied)),
                None => bounds.allowed.push(plain(word)),
            }
        }
        bounds
    }

    fn holds(&self, channel: &Channel) -> bool {
        let fits = |pattern: &String| {
            let direct = channel.is_im || channel.is_mpim;
            *pattern == channel.id.to_lowercase()
                || (direct && pattern == "dm")
                || (!direct && fast_glob::glob_match(pattern, channel.name.to_lowercase()))
        };
        !self.denied.iter().any(fits) && (self.allowed.is_empty() || self.allowed.iter().any(fits))
    }
}

fn plain(word: &str) -> String {
    word.trim().trim_start_matches('#').to_lowercase()
}

impl Policy {
    /// The rules of the settings.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            read: Bounds::parse(config.text("read-channels")),
            write: Bounds::parse(config.text("write-channels")),
            broadcast: config.switch("allow-broadcast"),
            external: config.switch("allow-external"),
            confirm_posts: config.switch("confirm-posts"),
            read_in_private: Mutex::default(),
        }
    }

    /// Whether what is said in a conversation may be read.
    pub(crate) fn may_read(&self, channel: &Channel) -> bool {
        self.read.holds(channel)
    }

    /// Refuses to read where that is not allowed.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn reads(&self, channel: &Channel) -> Result<()> {
        if self.may_read(channel) {
            return Ok(());
        }
        Err(Error::new(Kind::Policy, format!("This server may not read {}", name(channel)))
            .with_hint("SLACK_READ_CHANNELS says which conversations it may read"))
    }

    /// Refuses to write where that is not allowed.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn writes(&self, channel: &Channel) -> Result<()> {
        if !self.write.holds(channel) {
            return Err(Error::new(
                Kind::Policy,
                format!("This server may not write to {}; nothing was sent", name(channel)),
            )
            .with_hint("SLACK_WRITE_CHANNELS says where it may write"));
        }
        if channel.is_ext_shared && !self.external {
            return Err(Error::new(
                Kind::Policy,
                format!("{} is shared with another organization; nothing was sent", name(channel)),
            )
            .with_hint("The operator can allow this with SLACK_ALLOW_EXTERNAL=true"));
        }
        Ok(())
    }

    /// Notes that somebody has read a conversation.
    pub(crate) fn note_read(&self, who: &Principal, channel: &Channel) {
        if channel.is_closed() {
            let mut book = self.read_in_private.lock().unwrap_or_else(PoisonError::into_inner);
            let reads = book.entry(who.name().to_owned()).or_default();
            reads.retain(|(id, at)| at.elapsed() < MEMORY && *id != channel.id);
            reads.push((channel.id.clone(), Instant::now()));
        }
    }

    /// Whether posting to `channel` may carry what was read elsewhere in private to more people.
    pub(crate) fn widens(&self, who: &Principal, channel: &Channel) -> bool {
        if channel.is_closed() && !channel.is_ext_shared {
            return false;
        }
        let book = self.read_in_private.lock().unwrap_or_else(PoisonError::into_inner);
        let reads = book.get(who.name()).into_iter().flatten();
        reads.into_iter().any(|(id, at)| at.elapsed() < MEMORY && *id != channel.id)
    }
}

fn name(channel: &Channel) -> String {
    if channel.name.is_empty() {
        format!("the conversation {}", channel.id)
    } else {
        format!("#{}", channel.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str) -> Channel {
        Channel { id: "C0000000001".to_owned(), name: name.to_owned(), ..Channel::default() }
    }

    #[test]
    fn lists_allow_and_deny_by_name_pattern_and_kind() {
        let holds = |words: &str, channel: &Channel| Bounds::parse(Some(words)).holds(channel);
        let direct = Channel { is_im: true, ..channel("") };
        assert!(holds("", &channel("deals")) && holds("", &direct));
        assert!(holds("#eng-*, general", &channel("eng-imports")) && !holds("eng-*", &channel("deals")));
        assert!(
            holds("!deals", &channel("general"))
                && !holds("!deals", &channel("deals"))
                && holds("!deals", &direct)
        );
        assert!(!holds("eng-*", &direct) && holds("eng-*,dm", &direct) && !holds("!dm", &direct));
        assert!(holds("C0000000001", &channel("x")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_in_private_makes_wider_posts_a_question_for_a_while() {
        let policy = Policy::new(&Config::default());
        let me = Principal::local();
        let private = Channel { is_private: true, id: "G1".to_owned(), ..Channel::default() };
        let public = channel("general");
        policy.note_read(&me, &public);
        assert!(!policy.widens(&me, &public));
        policy.note_read(&me, &private);
        assert!(policy.widens(&me, &public) && !policy.widens(&me, &private));
        assert!(!policy.widens(&Principal::named("somebody else"), &public));
        tokio::time::advance(MEMORY).await;
        assert!(!policy.widens(&me, &public));
    }
}
