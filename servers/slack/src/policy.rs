//! What this server's operator allows beyond what Slack does: which conversations may be read and
//! written to, broadcasts, other organizations; and the rule that what was read in private is not
//! posted to more people without a question.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use connector::{
    Effect, Error, Kind, Result, Secret,
    access::{Bounded, Bounds, Principal},
    catalog::one_line,
    settings::{Config, Setting, SettingKind},
    upstream::Upstream,
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
        key: "searches-per-minute",
        env: "SLACK_SEARCHES_PER_MINUTE",
        kind: SettingKind::Number,
        default: Some("8"),
        help: "The most questions a minute to Real-time Search; Slack takes 10 of each user, by hand and by apps",
    },
    Setting {
        key: "max-recipients",
        env: "SLACK_MAX_RECIPIENTS",
        kind: SettingKind::Number,
        default: Some("10"),
        help: "The most people one message is sent to or notifies by a user group; a larger group is a broadcast",
    },
    Setting {
        key: "unfurl-domains",
        env: "SLACK_UNFURL_DOMAINS",
        kind: SettingKind::Bound("NAMES"),
        default: None,
        help: "Only links to these domains, and those below them, are shown with a preview",
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
        key: "message-suffix",
        env: "SLACK_MESSAGE_SUFFIX",
        kind: SettingKind::Text("TEXT"),
        default: None,
        help: "Ends every new message; without it messages are sent as they are written",
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
    /// Which lists bound it, in words.
    lists: Vec<String>,
    pub(crate) broadcast: bool,
    external: bool,
    /// The most people whom one message is for.
    pub(crate) max_recipients: u64,
    /// The domains whose links may have previews, if not all.
    unfurl: Option<Vec<String>>,
    pub(crate) confirm_posts: bool,
    /// What ends every new message.
    pub(crate) suffix: Option<String>,
    /// What callers have read in private lately, by digests of who they are.
    read_in_private: Mutex<HashMap<String, Vec<Reading>>>,
    /// The way to other replicas.
    replicas: OnceLock<Upstream>,
}

/// A private conversation that was read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) id: String,
    /// What it is called.
    pub(crate) name: String,
    at: Instant,
}

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
        let about = &CONVERSATIONS;
        let allowed = [(about.allow, "reads only"), (about.allow_write, "writes only to")];
        let allowed = allowed
            .into_iter()
            .filter_map(|(key, verb)| Some(format!("{verb} {}", config.bound(key)?.join(", "))));
        // What is denied is not named: its names may be secret.
        let denied =
            [(about.deny, "some conversations are not read"), (about.deny_write, "some are not written to")];
        let denied = denied.into_iter().filter(|(key, _)| config.bound(key).is_some());
        let lists = allowed.chain(denied.map(|(_, said)| said.to_owned())).collect();
        Ok(Self {
            lists,
            bounds: Bounds::new(&CONVERSATIONS, |setting| config.bound(setting), check)?,
            broadcast: config.switch("allow-broadcast"),
            external: config.switch("allow-external"),
            max_recipients: config.number("max-recipients").unwrap_or(10).max(1),
            unfurl: config.bound("unfurl-domains").map(|domains| {
                domains.iter().map(|domain| domain.trim().trim_start_matches("*.").to_lowercase()).collect()
            }),
            confirm_posts: config.switch("confirm-posts"),
            suffix: config.text("message-suffix").map(|text| text.trim().to_owned()),
            read_in_private: Mutex::default(),
            replicas: OnceLock::new(),
        })
    }

    /// What it is, as far as the operator has set it, in sentences.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut lists = self.lists.clone();
        lists.extend(
            self.unfurl.as_ref().map(|domains| format!("previews of links only to {}", domains.join(", "))),
        );
        let mut told = Vec::new();
        if !lists.is_empty() {
            told.push(format!("The operator bounds it: {}.", lists.join("; ")));
        }
        let may = |switch: bool| if switch { "are asked about" } else { "are refused" };
        told.push(format!(
            "Broadcasts, and groups of more than {}, {}; messages to other organizations {}{}.",
            self.max_recipients,
            may(self.broadcast),
            may(self.external),
            if self.confirm_posts { "; every message asks first" } else { "" }
        ));
        told
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

    /// Refuses links in `text` of which Slack would show a preview that the operator does not allow: making one,
    /// it asks the page for it. Links that stand in `old` stay; `hint` says what to do.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn unfurls(&self, text: &str, old: &str, hint: &str) -> Result<()> {
        let Some(domains) = &self.unfurl else { return Ok(()) };
        let begins = text.match_indices("http").map(|(at, _)| &text[at..]);
        let links = begins.filter(|rest| rest.starts_with("http://") || rest.starts_with("https://"));
        for link in links {
            let end = link.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')' | '"' | '|'));
            let link = link[..end.unwrap_or(link.len())].trim_end_matches([',', '.', ';', ':', '!', '?']);
            let host = url::Url::parse(link).ok().and_then(|url| url.host_str().map(str::to_lowercase));
            let host = host.unwrap_or_default();
            let below = |domain: &String| {
                host == *domain || host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
            };
            if !domains.iter().any(below) && !old.contains(link) {
                return Err(Error::new(
                    Kind::Policy,
                    format!("No preview of {} may be shown; nothing was sent", one_line(link)),
                )
                .with_hint(format!("{hint}; the operator lists domains in SLACK_UNFURL_DOMAINS")));
            }
        }
        Ok(())
    }

    /// Notes that somebody has read a conversation.
    pub(crate) fn note_read(&self, who: &Principal, channel: &Channel) {
        if channel.is_closed() {
            let name = match names(channel).swap_remove(0) {
                name if name == "dm" => "a direct message".to_owned(),
                name => name,
            };
            let who = digest(who);
            if let Some(replicas) = self.replicas.get() {
                replicas.note(|| format!("{who} {}", channel.id));
            }
            self.note(who, &channel.id, name);
        }
    }

    fn note(&self, who: String, channel: &str, name: String) {
        let mut book = self.book();
        let reads = book.entry(who).or_default();
        reads.retain(|read| read.at.elapsed() < MEMORY && read.id != channel);
        reads.push(Reading { id: channel.to_owned(), name, at: Instant::now() });
    }

    /// The book is valid after every statement, so a panic elsewhere does not spoil it.
    fn book(&self) -> MutexGuard<'_, HashMap<String, Vec<Reading>>> {
        self.read_in_private.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on other replicas are told what is read in private, by digests of who read it and the conversations'
    /// ids, and their readings count here too.
    pub(crate) fn share(self: &Arc<Self>, upstream: &Upstream) {
        let _ = self.replicas.set(upstream.clone());
        let policy = Arc::downgrade(self);
        upstream.hear_notes(move |note| {
            if let (Some(policy), Some((who, channel))) = (policy.upgrade(), note.split_once(' ')) {
                policy.note(who.to_owned(), channel, "a private conversation".to_owned());
            }
        });
    }

    /// What was read lately in private elsewhere than in `channel`, the latest first.
    pub(crate) fn read_elsewhere(&self, who: &Principal, channel: &Channel) -> Vec<Reading> {
        let book = self.book();
        let reads = book.get(&digest(who)).into_iter().flatten().rev();
        reads.filter(|read| read.at.elapsed() < MEMORY && read.id != channel.id).cloned().collect()
    }
}

/// Who somebody is, to nobody who does not know them.
fn digest(who: &Principal) -> String {
    Secret::new(who.id()).fingerprint().to_string()
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

    #[test]
    fn previews_are_shown_of_links_to_the_domains_that_are_listed() {
        let policy = policy(&[("unfurl-domains", &["harbor.example", "*.github.com"])]).unwrap();
        for fine in
            ["no link", "https://harbor.example/a (https://docs.harbor.example)", "<https://github.com/x|x>"]
        {
            assert!(policy.unfurls(fine, "", "").is_ok(), "{fine}");
        }
        for wrong in [
            "https://evil.example",
            "https://harbor.example https://notharbor.example",
            "http://harbor.example.evil",
        ] {
            assert_eq!(policy.unfurls(wrong, "", "").unwrap_err().kind(), Kind::Policy, "{wrong}");
        }
        assert!(Policy::new(&Config::default()).unwrap().unfurls("https://evil.example", "", "").is_ok());
        let old = "see <https://evil.example/a|a>";
        assert!(policy.unfurls("https://evil.example/a and more", old, "").is_ok());
        assert!(policy.unfurls("https://evil.example/ab", old, "").is_err());
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
        let read = policy.read_elsewhere(&me, &public);
        assert_eq!(read.iter().map(|read| read.name.as_str()).collect::<Vec<_>>(), ["#deals"]);
        assert!(policy.read_elsewhere(&me, &private).is_empty());
        assert!(policy.read_elsewhere(&Principal::key("somebody else"), &public).is_empty());
        tokio::time::advance(MEMORY).await;
        assert!(policy.read_elsewhere(&me, &public).is_empty());
    }
}
