//! From the words people use (names, handles, e-mail addresses, ids, addresses) to Slack's ids.
//!
//! No directory is read before a name needs one, and none further than the name: an id costs one
//! request, a name the list of one's own conversations, and only then the workspace's. What fits
//! nothing, or more than one thing, is an error that lists the candidates.

pub(crate) mod emoji;
pub(crate) mod people;
pub(crate) mod reference;
pub(crate) mod time;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Mutex, PoisonError},
};

use connector::{
    Error, Kind, Result,
    catalog::{nearest, one_line},
};
use jiff::tz::TimeZone;

use crate::api::{
    Api, DIRECTORY_PAGE, Form, methods,
    types::{Channel, Group, Identity, User},
};
use people::{People, is_user};
use reference::{MessageRef, address, is_id, ts, untagged};

/// Every kind of conversation.
pub(crate) const ALL_TYPES: &str = "public_channel,private_channel,mpim,im";
/// Channels of both kinds.
const CHANNELS: &str = "public_channel,private_channel";
/// The most pages of a directory that one name is worth.
const PAGES: usize = 10;

/// The names of one workspace.
pub(crate) struct Names {
    api: Api,
    /// The zone that the operator set.
    zone: Option<String>,
    /// People who were seen lately, by handle: a name just read needs no directory.
    seen: Mutex<HashMap<String, String>>,
}

impl Names {
    pub(crate) fn new(api: Api, zone: Option<String>) -> Self {
        Self { api, zone, seen: Mutex::default() }
    }

    /// Whose token it is.
    pub(crate) async fn me(&self) -> Result<Identity> {
        self.api.identity().await
    }

    /// The user's own zone: the operator's word, else what Slack knows of the token's owner, else UTC.
    pub(crate) async fn zone(&self) -> TimeZone {
        let named = match &self.zone {
            Some(zone) => Some(zone.clone()),
            None => match self.me().await {
                Ok(me) => self.api.user(&me.user_id).await.ok().and_then(|user| user.tz),
                Err(_) => None,
            },
        };
        named.and_then(|zone| TimeZone::get(&zone).ok()).unwrap_or(TimeZone::UTC)
    }

    /// The names of the people with these ids.
    pub(crate) async fn people(&self, ids: BTreeSet<String>) -> People {
        if ids.is_empty() {
            return People::default();
        }
        let team = self.me().await.map(|me| me.team_id).unwrap_or_default();
        let people = People::of(&self.api, ids.clone(), &team).await;
        let mut seen = self.seen();
        for id in ids {
            let name = people.name(&id).to_lowercase();
            if name != id.to_lowercase() {
                seen.insert(name, id);
            }
        }
        people
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The person `wanted`: `me`, an id, an e-mail address, a handle or a name.
    pub(crate) async fn person(&self, wanted: &str) -> Result<User> {
        let word = untagged(wanted);
        let bare = word.trim_start_matches('@');
        if bare.eq_ignore_ascii_case("me") || bare.eq_ignore_ascii_case("myself") {
            let me = self.me().await?;
            return self.api.user(&me.user_id).await;
        }
        if is_user(bare) {
            return self.api.user(bare).await;
        }
        if bare.contains('@') {
            return self.api.user_by_email(bare).await;
        }
        let known = self.seen().get(&bare.to_lowercase()).cloned();
        if let Some(id) = known {
            return self.api.user(&id).await;
        }
        self.search_directory(bare).await
    }

    /// A handle or a name in the workspace's directory.
    async fn search_directory(&self, wanted: &str) -> Result<User> {
        let fold = |text: &str| text.trim().to_lowercase();
        let want = fold(wanted);
        let mut cursor: Option<String> = None;
        let mut near: Vec<User> = Vec::new();
        let mut complete = false;
        for _ in 0..PAGES {
            let page = self.api.users(cursor.as_deref()).await?;
            let next = page.next().map(str::to_owned);
            for user in page.rows.into_iter().filter(|user| !user.deleted) {
                if [&user.profile.display_name, &user.name].into_iter().any(|name| fold(name) == want) {
                    return Ok(user);
                }
                let full = fold(user.full_name());
                if full == want
                    || full.split_whitespace().any(|part| part == want)
                    || (want.len() > 2 && full.starts_with(&want))
                {
                    near.push(user);
                }
            }
            cursor = next;
            if cursor.is_none() {
                complete = true;
                break;
            }
        }
        let exact: Vec<&User> = near.iter().filter(|user| fold(user.full_name()) == want).collect();
        match (exact.as_slice(), near.as_slice()) {
            ([only], _) => Ok((*only).clone()),
            ([], [only]) => Ok(only.clone()),
            ([], []) => Err(Error::not_found(format!("Nobody here is called {}", one_line(wanted)))
                .with_hint(if complete {
                    "search_users finds people by a part of a name, title or e-mail address"
                } else {
                    "The workspace is too large to read whole: give the e-mail address or the id (U…)"
                })),
            _ => {
                let names: Vec<String> = near
                    .iter()
                    .take(8)
                    .map(|user| format!("@{} ({})", one_line(user.handle()), one_line(user.full_name())))
                    .collect();
                Err(Error::invalid(format!("Several people could be meant by {}", one_line(wanted)))
                    .with_hint(format!("Name one: {}", names.join(", "))))
            }
        }
    }

    /// The user group `wanted`: its handle, name or id.
    pub(crate) async fn group(&self, wanted: &str) -> Result<Group> {
        let word = untagged(wanted).trim_start_matches('@').to_lowercase();
        let groups = self.api.groups().await?;
        let fits = |group: &&Group| {
            group.id.to_lowercase() == word
                || group.handle.to_lowercase() == word
                || group.name.to_lowercase() == word
        };
        if let Some(group) = groups.iter().find(fits) {
            return Ok(group.clone());
        }
        let near = nearest(&word, groups.iter().map(|group| group.handle.as_str()));
        let hint = near
            .map_or_else(|| "list_usergroups shows them".to_owned(), |near| format!("Did you mean @{near}?"));
        Err(Error::not_found(format!("There is no user group {}", one_line(wanted))).with_hint(hint))
    }

    /// The conversation `wanted`: an id, a name, an address, or a person for the direct messages with them.
    pub(crate) async fn channel(&self, wanted: &str) -> Result<Channel> {
        let word = untagged(wanted);
        if word.is_empty() {
            return Err(Error::invalid("`channel` is empty"));
        }
        if let Some(MessageRef { host, channel: Some(channel), .. }) = address(word) {
            self.is_ours(host.as_deref()).await?;
            return self.api.conversation(&channel).await;
        }
        if is_id(word, &['C', 'G', 'D']) {
            return self.api.conversation(word).await;
        }
        if is_user(word) || word.starts_with('@') || word.contains('@') {
            let user = self.person(word).await?;
            return self.direct(&user).await?.ok_or_else(|| {
                Error::not_found(format!("There is no conversation with @{} yet", one_line(user.handle())))
                    .with_hint("send_message to them begins one")
            });
        }
        self.by_name(word.trim_start_matches('#')).await
    }

    /// The conversation to write into: as [`Self::channel`], where a person's is not there yet its user.
    pub(crate) async fn destination(&self, wanted: &str) -> Result<Destination> {
        let word = untagged(wanted);
        let person = is_user(word) || word.starts_with('@') || (word.contains('@') && !word.contains("://"));
        if !person {
            return self.channel(wanted).await.map(Destination::Known);
        }
        let user = self.person(word).await?;
        Ok(match self.direct(&user).await? {
            Some(channel) => Destination::Known(channel),
            None => Destination::New(vec![user]),
        })
    }

    /// The direct messages with somebody, if there are any.
    async fn direct(&self, user: &User) -> Result<Option<Channel>> {
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let page =
                self.api.own_conversations("im", None, DIRECTORY_PAGE, cursor.as_deref(), false).await?;
            cursor = page.next().map(str::to_owned);
            if let Some(found) = page.rows.into_iter().find(|channel| channel.user == user.id) {
                return Ok(Some(found));
            }
            if cursor.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// A channel by its name: among one's own, then among all that are public.
    async fn by_name(&self, wanted: &str) -> Result<Channel> {
        let want = wanted.trim().to_lowercase().replace(' ', "-");
        let mut names: Vec<String> = Vec::new();
        for own in [true, false] {
            let mut cursor: Option<String> = None;
            for _ in 0..PAGES {
                let page = if own {
                    self.api
                        .own_conversations(CHANNELS, None, DIRECTORY_PAGE, cursor.as_deref(), false)
                        .await?
                } else {
                    self.api.conversations("public_channel", true, cursor.as_deref()).await?
                };
                cursor = page.next().map(str::to_owned);
                for channel in page.rows {
                    if channel.name.to_lowercase() == want {
                        // `users.conversations` leaves out who is in it.
                        return self.api.conversation(&channel.id).await.or(Ok(channel));
                    }
                    names.push(channel.name);
                }
                if cursor.is_none() {
                    break;
                }
            }
        }
        let mut near: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| name.contains(&want) || want.contains(*name))
            .take(3)
            .collect();
        near.extend(nearest(&want, names.iter().map(String::as_str)));
        near.dedup();
        let hint = if near.is_empty() {
            "search_channels finds channels by a part of the name; a private one is seen only by its members"
                .to_owned()
        } else {
            format!(
                "Did you mean {}?",
                near.iter().map(|name| format!("#{name}")).collect::<Vec<_>>().join(", ")
            )
        };
        Err(Error::not_found(format!("The token sees no channel #{}", one_line(wanted))).with_hint(hint))
    }

    /// Refuses an address of another workspace.
    async fn is_ours(&self, host: Option<&str>) -> Result<()> {
        let me = self.me().await?;
        let own = url::Url::parse(&me.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        match (host, own) {
            (Some(host), Some(own)) if host != own && host != "app.slack.com" => Err(Error::invalid(
                format!("The address is of {}, and this workspace is {own}", one_line(host)),
            )
            .with_hint("Give the `workspace` it belongs to, if it is configured")),
            _ => Ok(()),
        }
    }

    /// The conversation and timestamp that the arguments name: apart, or in one address.
    pub(crate) async fn message(&self, channel: Option<&str>, message: &str) -> Result<(Channel, String)> {
        let found = address(message);
        let stamp = ts(message)?;
        let channel = match (channel.filter(|channel| !channel.trim().is_empty()), found) {
            (Some(channel), _) => self.channel(channel).await?,
            (None, Some(_)) => self.channel(message).await?,
            (None, None) => {
                return Err(Error::invalid("`channel` is missing")
                    .with_hint("Give it beside `ts`, or give the message's address as `ts`"));
            }
        };
        Ok((channel, stamp))
    }

    /// Opens the direct messages with people.
    pub(crate) async fn open(&self, users: &[User]) -> Result<Channel> {
        #[derive(serde::Deserialize)]
        struct Answer {
            channel: Channel,
        }
        let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
        let form = Form::new().set("users", ids.join(","));
        let answer: Answer = self
            .api
            .write(
                methods::CONVERSATIONS_OPEN,
                form,
                "Look whether the conversation is open".to_owned(),
                &["channels"],
            )
            .await?;
        self.api.conversation(&answer.channel.id).await.or_else(|error| match error.kind() {
            Kind::NotFound | Kind::Permission => Ok(answer.channel),
            _ => Err(error),
        })
    }

    /// What a conversation is called: `#general`, `DM with @tomas`.
    pub(crate) async fn title(&self, channel: &Channel) -> String {
        if channel.is_im {
            let people = self.people(BTreeSet::from([channel.user.clone()])).await;
            return format!("DM with @{}", one_line(people.name(&channel.user)));
        }
        if channel.is_mpim {
            return format!("group DM {}", one_line(&channel.name));
        }
        if channel.name.is_empty() { channel.id.clone() } else { format!("#{}", one_line(&channel.name)) }
    }
}

/// Where something is written to.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// A conversation that is there.
    Known(Channel),
    /// One with these people, which is opened first.
    New(Vec<User>),
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("zone", &self.zone).finish_non_exhaustive()
    }
}
