//! Names in the workspace's directories. A directory that one page holds is known whole: a name that is not
//! in it is looked for once more, because it may be new. In one that is larger, Slack's own search finds a
//! person, and no more than ten pages are ever read for one name.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use connector::{
    Error, Kind, Result,
    catalog::{
        excerpt,
        names::{Entry, Reading, find, fold},
        one_line,
        words::short,
    },
    upstream::Tag,
};
use tokio::time::Instant;

use super::{CHANNELS, Names, PAGES, people::is_user, reference::untagged};
use crate::api::{
    DIRECTORY_PAGE,
    types::{Channel, Group, User},
};

/// The most people that Slack's search found whose profiles are read for one name.
const FOUND: usize = 5;
/// The most people, or channels, of a like name that are told.
const ALIKE: usize = 4;
/// Characters of a channel's name, at most (docs.slack.dev/reference/methods/conversations.create).
const CHANNEL_NAME: usize = 80;
/// Characters that are shown of what is longer.
const SHOWN: usize = 40;

impl Names {
    fn invalidate(&self, tag: &'static str) {
        self.api.upstream().invalidate(&[Tag::Borrowed(tag)]);
    }

    /// A handle or a name among the workspace's people; one who was deactivated only where nobody else is
    /// called so.
    pub(super) async fn search_directory(&self, wanted: &str) -> Result<User> {
        let first = self.api.users(None).await?;
        if first.next().is_some() {
            return self.search_large(wanted).await;
        }
        let (gone, there): (Vec<User>, Vec<User>) = first.rows.into_iter().partition(|user| user.deleted);
        if let (Err(miss), Ok(user)) = (find(wanted, &there), find(wanted, &gone))
            && miss.is_unknown()
        {
            return Ok(user.clone());
        }
        self.directories
            .find("users", wanted, |reading| async move {
                if reading == Reading::Anew {
                    self.invalidate("users");
                }
                Ok(active(self.api.users(None).await?.rows))
            })
            .await
            .map_err(|error| match error.hint() {
                Some(hint) if error.kind() == Kind::NotFound => {
                    let hint = with_end(hint);
                    error.with_hint(format!(
                        "{hint} People of other organizations go by their id (U…, W…): search_users finds it"
                    ))
                }
                _ => error,
            })
    }

    /// The same where nobody knows all: only a whole name means somebody, and of several none.
    async fn search_large(&self, wanted: &str) -> Result<User> {
        let bare = wanted.trim().trim_start_matches('@');
        let mut called: Vec<User> = Vec::new();
        // Who was just read is known by this name; others may be called so too.
        for id in self.just_seen(bare).into_iter().take(FOUND) {
            if let Ok(user) = self.api.user(&id).await
                && user.is_called(bare)
            {
                called.push(user);
            }
        }
        for id in self.searching.people(bare).await.unwrap_or_default().into_iter().take(FOUND) {
            if let Ok(user) = self.api.user(&id).await
                && user.is_called(bare)
                && called.iter().all(|other| other.id != user.id)
            {
                called.push(user);
            }
        }
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            if !called.is_empty() {
                break;
            }
            let page = self.api.users(cursor.as_deref()).await?;
            cursor = page.next().map(str::to_owned);
            called.extend(page.rows.into_iter().filter(|user| user.is_called(bare)));
            if cursor.is_none() {
                break;
            }
        }
        if called.iter().any(|user| !user.deleted) {
            called.retain(|user| !user.deleted);
        }
        match find(wanted, &called) {
            Ok(user) => Ok(user.clone()),
            Err(miss) if miss.is_unknown() => {
                Err(Error::not_found(format!("Nobody called {} was found", one_line(bare))).with_hint(
                    "The workspace is too large to read whole: give the exact handle, the e-mail address or the id (U…)",
                ))
            }
            Err(miss) => Err(miss.into_error()),
        }
    }

    /// Others whom `wanted` could mean, where it was taken for `user`; as far as the first page of the directory
    /// tells.
    pub(crate) async fn namesakes(&self, wanted: &str, user: &User) -> Vec<User> {
        let want = fold(untagged(wanted).trim_start_matches('@'));
        if is_user(untagged(wanted)) || want.contains(['@', '.', ' ']) {
            return Vec::new();
        }
        let others = active(self.api.users(None).await.map(|page| page.rows).unwrap_or_default());
        let first = |name: &str| name.split([' ', '.']).next().map(fold).unwrap_or_default();
        let alike = |other: &User| {
            other.id != user.id && (first(other.full_name()) == want || first(other.handle()) == want)
        };
        others.into_iter().filter(alike).take(ALIKE).collect()
    }

    /// The user group of exactly this handle, name or id, as far as is known.
    pub(crate) async fn known_group(&self, word: &str) -> Result<Option<Group>> {
        let word = word.trim_start_matches('@');
        let groups = self.api.groups().await?;
        Ok(groups.into_iter().find(|group| group.id.eq_ignore_ascii_case(word) || group.is_called(word)))
    }

    /// The user group `wanted`: its handle, name or id.
    pub(crate) async fn group(&self, wanted: &str) -> Result<Group> {
        let word = super::reference::untagged(wanted).trim_start_matches('@');
        if let Some(group) = self.known_group(word).await? {
            return Ok(group);
        }
        if self.directories.may_reread("groups") {
            self.invalidate("groups");
            if let Some(group) = self.known_group(word).await? {
                return Ok(group);
            }
        }
        Err(match find(word, &self.api.groups().await?) {
            Ok(near) => {
                not_found("There is no user group @", word, &format!("Did you mean {}?", near.describe()))
            }
            Err(miss) => miss.into_error(),
        })
    }

    /// A channel by its whole name: among one's own, then among all that are public.
    pub(super) async fn by_name(&self, wanted: &str) -> Result<Channel> {
        let want = wanted.trim().trim_start_matches('#').replace(' ', "-");
        if want.chars().nth(CHANNEL_NAME).is_some() {
            let hint = format!("A channel's name has {CHANNEL_NAME} characters at most");
            return Err(not_found("The token sees no channel #", &short(&want, SHOWN), &hint));
        }
        let (found, mut names, pages) = self.look_for_channel(&want).await?;
        let mut found = found;
        if found.is_none() && pages <= 2 && self.directories.may_reread("channels") {
            self.invalidate("channels");
            (found, names, _) = self.look_for_channel(&want).await?;
        }
        if let Some(channel) = found {
            // `users.conversations` leaves out who is in it.
            return self.api.conversation(&channel.id).await.or(Ok(channel));
        }
        let person = if wanted.trim().starts_with('#') {
            String::new()
        } else {
            format!("For a person write @{}; ", one_line(&want))
        };
        let low = want.to_lowercase();
        let within =
            names.iter().filter(|channel| low.len() > 2 && channel.name.to_lowercase().contains(&low));
        let mut within: Vec<String> = within.take(ALIKE).map(Entry::describe).collect();
        if within.is_empty() {
            within = names.iter().filter_map(|channel| about(channel, &low)).take(ALIKE).collect();
        }
        let near = match find(&want, &names) {
            _ if !within.is_empty() => format!("Did you mean {}? ", within.join(" or ")),
            Ok(near) => format!("Did you mean {}? ", near.describe()),
            Err(miss) => {
                let hint = miss.into_error().hint().map(str::to_owned).unwrap_or_default();
                // All names that there are would help nobody.
                if hint.starts_with("There is") { String::new() } else { format!("{} ", with_end(&hint)) }
            }
        };
        let hint = format!(
            "{near}{person}search_channels finds channels by a part of the name; a private one is seen only by its members"
        );
        Err(not_found("The token sees no channel #", &want, &hint))
    }

    /// The channel of this name, if it is there; else every channel that was seen, and on how many pages.
    async fn look_for_channel(&self, want: &str) -> Result<(Option<Channel>, Vec<Channel>, usize)> {
        let (mut seen, mut pages) = (Vec::new(), 0);
        for own in [true, false] {
            let mut cursor: Option<String> = None;
            for _ in 0..PAGES {
                let after = cursor.as_deref();
                let page = if own {
                    self.api.own_conversations(CHANNELS, None, DIRECTORY_PAGE, after, false).await?
                } else {
                    self.api.conversations("public_channel", true, after).await?
                };
                pages += 1;
                cursor = page.next().map(str::to_owned);
                for channel in page.rows {
                    if channel.is_called(want) {
                        return Ok((Some(channel), seen, pages));
                    }
                    // What may not be read is in no hint.
                    if (own || channel.is_member != Some(true)) && self.policy.may_read(&channel) {
                        seen.push(channel);
                    }
                }
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok((None, seen, pages))
    }

    /// The ids of the private channels that who searches is in; none if they are not known all.
    pub(crate) async fn private_channels(&self) -> Option<BTreeSet<String>> {
        let mut ids = BTreeSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let after = cursor.as_deref();
            let page =
                self.searching.own_conversations("private_channel", None, DIRECTORY_PAGE, after, false).await;
            let page = page.ok()?;
            cursor = page.next().map(str::to_owned);
            ids.extend(page.rows.into_iter().map(|channel| channel.id));
            if cursor.is_none() {
                return Some(ids);
            }
        }
        None
    }

    /// Notes what people who were just read are called.
    pub(super) fn note_seen<'a>(&self, people: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (id, name) in people.into_iter().filter(|(id, _)| is_user(id)) {
            seen.note(name, id);
        }
    }

    /// The people who were just read under this handle.
    fn just_seen(&self, handle: &str) -> BTreeSet<String> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).called(handle)
    }
}

/// For how long somebody was just read.
const LATELY: Duration = Duration::from_secs(60 * 60);
/// The most handles of people who were just read.
const HANDLES: usize = 2_000;

/// People who were read lately, by handle.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<String, BTreeMap<String, Instant>>);

impl Seen {
    fn note(&mut self, name: &str, id: &str) {
        if self.0.len() >= HANDLES {
            self.0.retain(|_, ids| ids.values().any(|at| at.elapsed() < LATELY));
        }
        if self.0.len() >= HANDLES {
            self.0.clear();
        }
        self.0.entry(name.to_lowercase()).or_default().insert(id.to_owned(), Instant::now());
    }

    fn called(&self, handle: &str) -> BTreeSet<String> {
        let ids = self.0.get(&handle.to_lowercase()).into_iter().flatten();
        ids.filter(|(_, at)| at.elapsed() < LATELY).map(|(id, _)| id.clone()).collect()
    }
}

/// What a channel is called that is about `wanted`, with the topic or purpose that says so.
fn about(channel: &Channel, wanted: &str) -> Option<String> {
    let mut words = wanted.split(['-', '_']).map(fold).filter(|word| word.len() > 2).peekable();
    words.peek()?;
    let (topic, purpose) = (channel.topic.value.trim(), channel.purpose.value.trim());
    let both = fold(&format!("{topic} {purpose}"));
    if channel.is_archived || !words.all(|word| both.contains(&word)) {
        return None;
    }
    let (said, _) = excerpt(if topic.is_empty() { purpose } else { topic }, 0, 80);
    Some(format!("{} ({})", channel.describe(), one_line(&said)))
}

/// Those who are still there.
fn active(users: Vec<User>) -> Vec<User> {
    users.into_iter().filter(|user| !user.deleted).collect()
}

fn not_found(what: &str, wanted: &str, hint: &str) -> Error {
    Error::not_found(format!("{what}{}", one_line(wanted))).with_hint(hint.to_owned())
}

/// A hint as a sentence, before another.
fn with_end(hint: &str) -> String {
    if hint.ends_with(['.', '?', '!']) { hint.to_owned() } else { format!("{hint}.") }
}
