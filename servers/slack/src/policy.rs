//! What this server's operator allows beyond what Slack does: which conversations may be read and
//! written to, broadcasts, other organizations; and the rule that what was read in private is not
//! posted to more people without a question.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use connector::{
    Effect, Error, Kind, Result,
    access::{Bounded, Bounds, Principal},
    catalog::{one_line, words::listed},
    settings::{Config, Setting, SettingKind},
};
use tokio::time::Instant;

use crate::api::types::Channel;

/// How long after reading in private a wider post is asked about.
const MEMORY: Duration = Duration::from_secs(30 * 60);

/// The conversations that an operator may bound.
static CONVERSATIONS: Bounded = Bounded {
    things: "conversations",
    allow: "allow-channels",
    deny: "deny-channels",
    allow_write: "allow-write-channels",
    deny_write: "deny-write-channels",
};

/// The settings of the policy.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "allow-channels",
        env: "SLACK_ALLOW_CHANNELS",
        kind: SettingKind::Bound("NAMES"),
        default: None,
        help: "Only these conversations are read: names or ids, `*` for any part, `dm` for direct messages",
    },
    Setting {
        key: "deny-channels",
        env: "SLACK_DENY_CHANNELS",
        kind: SettingKind::Bound("NAMES"),
        default: None,
        help: "None of these conversations, whatever else is said",
    },
    Setting {
        key: "allow-write-channels",
        env: "SLACK_ALLOW_WRITE_CHANNELS",
        kind: SettingKind::Bound("NAMES"),
        default: None,
        help: "Only these are written to, of those that may be read",
    },
    Setting {
        key: "deny-write-channels",
        env: "SLACK_DENY_WRITE_CHANNELS",
        kind: SettingKind::Bound("NAMES"),
        default: None,
        help: "None of these is written to, whatever else is said",
    },
    Setting {
        key: "posts-per-minute",
        env: "SLACK_POSTS_PER_MINUTE",
        kind: SettingKind::Number,
        default: Some("60"),
        help: "The most messages a minute in one conversation, evenly spread; Slack itself takes 60",
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
    bounds: Bounds,
    pub(crate) broadcast: bool,
    external: bool,
    pub(crate) confirm_posts: bool,
    /// What callers have read in private lately.
    read_in_private: Mutex<HashMap<String, Vec<Reading>>>,
}

/// A private conversation that was read.
#[derive(Debug)]
struct Reading {
    id: String,
    /// What it is called.
    name: String,
    at: Instant,
}

/// The most private conversations that a question names.
const NAMED: usize = 3;

impl Policy {
    /// The rules of the settings.
    ///
    /// # Errors
    /// `invalid_argument` for a pattern that no conversation can have.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let check = |pattern: &str| {
            if pattern.contains(char::is_whitespace) {
                Err("is no name of a conversation".to_owned())
            } else {
                Ok(())
            }
        };
        Ok(Self {
            bounds: Bounds::new(&CONVERSATIONS, |setting| config.bound(setting), check)?,
            broadcast: config.switch("allow-broadcast"),
            external: config.switch("allow-external"),
            confirm_posts: config.switch("confirm-posts"),
            read_in_private: Mutex::default(),
        })
    }

    /// Whether what is said in a conversation may be read.
    pub(crate) fn may_read(&self, channel: &Channel) -> bool {
        self.bounds.sees(&words(&names(channel)))
    }

    /// Refuses to read where that is not allowed.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn reads(&self, channel: &Channel) -> Result<()> {
        self.bounds.permits(&words(&names(channel)), Effect::Read)
    }

    /// Refuses to write where that is not allowed.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn writes(&self, channel: &Channel) -> Result<()> {
        let names = names(channel);
        self.bounds.permits(&words(&names), Effect::Write)?;
        if channel.is_ext_shared && !self.external {
            let what: &str = if channel.is_im || channel.is_mpim { "the direct message" } else { &names[0] };
            return Err(Error::new(
                Kind::Policy,
                format!("{what} is shared with another organization; nothing was sent"),
            )
            .with_hint("The operator can allow this with SLACK_ALLOW_EXTERNAL=true"));
        }
        Ok(())
    }

    /// Refuses what lies in no conversation, such as a canvas of one's own, where only some are allowed.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn outside(&self, what: &str, effect: Effect) -> Result<()> {
        self.bounds.permits_outside(what, effect)
    }

    /// Whether only some conversations are allowed for what has this effect.
    pub(crate) fn narrows(&self, effect: Effect) -> bool {
        self.bounds.narrows(effect)
    }

    /// Why a text for `channel` is asked about before it is sent.
    pub(crate) fn asks(&self, who: &Principal, channel: &Channel) -> Vec<String> {
        let mut asks = Vec::new();
        if channel.is_ext_shared {
            asks.push("the channel is shared with another organization".to_owned());
        }
        let read = self.read_elsewhere(who, channel);
        if !read.is_empty() {
            asks.push(format!(
                "private text was read before in {}, and this has other readers",
                listed(&read, NAMED)
            ));
        }
        asks
    }

    /// Notes that somebody has read a conversation.
    pub(crate) fn note_read(&self, who: &Principal, channel: &Channel) {
        if channel.is_closed() {
            let mut book = self.read_in_private.lock().unwrap_or_else(PoisonError::into_inner);
            let reads = book.entry(who.id().to_owned()).or_default();
            reads.retain(|read| read.at.elapsed() < MEMORY && read.id != channel.id);
            let name = match names(channel).swap_remove(0) {
                name if name == "dm" => "a direct message".to_owned(),
                name => name,
            };
            reads.push(Reading { id: channel.id.clone(), name, at: Instant::now() });
        }
    }

    /// What was read elsewhere in private, and may be carried to more people by posting to `channel`.
    fn read_elsewhere(&self, who: &Principal, channel: &Channel) -> Vec<String> {
        if channel.is_closed() && !channel.is_ext_shared {
            return Vec::new();
        }
        let book = self.read_in_private.lock().unwrap_or_else(PoisonError::into_inner);
        let reads = book.get(who.id()).into_iter().flatten();
        let reads = reads.filter(|read| read.at.elapsed() < MEMORY && read.id != channel.id);
        let mut names: Vec<String> = reads.map(|read| read.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Everything that an operator may have written for a conversation, first what it is called.
fn names(channel: &Channel) -> Vec<String> {
    let mut names = Vec::new();
    if channel.is_im || channel.is_mpim {
        names.push("dm".to_owned());
    } else if !channel.name.is_empty() {
        names.extend([format!("#{}", one_line(&channel.name)), channel.name.clone()]);
    }
    names.push(channel.id.clone());
    names
}

fn words(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use connector::settings::Value;

    use super::*;

    fn channel(name: &str) -> Channel {
        Channel { id: "C0000000001".to_owned(), name: name.to_owned(), ..Channel::default() }
    }

    fn policy(settings: &[(&'static str, &[&str])]) -> Result<Policy> {
        let mut config = Config::default();
        for (key, words) in settings {
            config.set(key, Value::List(words.iter().map(ToString::to_string).collect()));
        }
        Policy::new(&config)
    }

    #[test]
    fn lists_allow_and_deny_by_name_pattern_id_and_kind() {
        let direct = Channel { is_im: true, id: "D1".to_owned(), ..Channel::default() };
        for (setting, words, readable, refused) in [
            ("allow-channels", &["#eng-*", "general"][..], channel("eng-imports"), channel("deals")),
            ("allow-channels", &["C0000000001"], channel("x"), direct.clone()),
            ("allow-channels", &["dm"], direct.clone(), channel("deals")),
            ("deny-channels", &["deals"], channel("general"), channel("deals")),
            ("deny-channels", &["dm"], channel("dmz"), direct.clone()),
        ] {
            let policy = policy(&[(setting, words)]).unwrap();
            assert!(policy.may_read(&readable) && policy.reads(&readable).is_ok(), "{words:?}");
            let error = policy.reads(&refused).unwrap_err();
            assert!(!policy.may_read(&refused) && error.kind() == Kind::Policy, "{words:?}: {error}");
        }
        assert!(policy(&[("allow-channels", &["two words"])]).is_err());
        assert!(policy(&[("deny-channels", &[])]).is_err(), "named and empty");
    }

    #[test]
    fn what_may_not_be_read_may_not_be_written() {
        let policy =
            policy(&[("allow-channels", &["eng-*"]), ("deny-write-channels", &["eng-alerts"])]).unwrap();
        assert!(policy.writes(&channel("eng-imports")).is_ok());
        assert!(policy.writes(&channel("eng-alerts")).is_err() && policy.may_read(&channel("eng-alerts")));
        assert!(policy.writes(&channel("general")).is_err());
        assert!(policy.outside("a canvas", Effect::Read).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_in_private_makes_wider_posts_a_question_for_a_while() {
        let policy = Policy::new(&Config::default()).unwrap();
        let me = Principal::local();
        let private = Channel { is_private: true, id: "G1".to_owned(), ..channel("deals") };
        let public = channel("general");
        policy.note_read(&me, &public);
        assert!(policy.read_elsewhere(&me, &public).is_empty());
        policy.note_read(&me, &private);
        assert_eq!(policy.read_elsewhere(&me, &public), ["#deals"]);
        assert!(policy.read_elsewhere(&me, &private).is_empty());
        assert!(policy.read_elsewhere(&Principal::key("somebody else"), &public).is_empty());
        tokio::time::advance(MEMORY).await;
        assert!(policy.read_elsewhere(&me, &public).is_empty());
    }
}
