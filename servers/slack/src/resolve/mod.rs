//! From the words people use (names, handles, e-mail addresses, ids, addresses) to Slack's ids.
//!
//! No directory is read before a name needs one, and none further than the name: an id costs one
//! request, a name the list of one's own conversations, and only then the workspace's. What fits
//! nothing, or more than one thing, is an error that lists the candidates.

mod directory;
pub(crate) mod emoji;
mod entries;
mod guests;
pub(crate) mod people;
pub(crate) mod reference;
pub(crate) mod time;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

use connector::{
    Error, Kind, Result,
    catalog::{
        names::{Directories, Entry as _},
        one_line,
    },
};
use jiff::tz::TimeZone;

use crate::{
    api::{
        Api, DIRECTORY_PAGE, Form, methods,
        types::{Channel, Identity, User},
    },
    policy::Policy,
};
use directory::Seen;
use people::{People, is_foreign, is_user};
use reference::{MessageRef, address, is_id, ts, untagged};

/// Every kind of conversation.
pub(crate) const ALL_TYPES: &str = "public_channel,private_channel,mpim,im";
/// Channels of both kinds.
const CHANNELS: &str = "public_channel,private_channel";
/// The most pages of a directory that one name is worth.
const PAGES: usize = 10;
/// The most channels that texts name by their ids alone and that are looked up for one reply.
const CHANNELS_NAMED: usize = 10;

/// The names of one workspace.
pub(crate) struct Names {
    api: Api,
    /// What searches: a user's token, where there is one.
    searching: Api,
    /// What may be read: nothing else is named.
    policy: Arc<Policy>,
    /// The zone that the operator set.
    zone: Option<TimeZone>,
    /// People who were read lately, by handle: in a directory too large to read they are found so.
    seen: Mutex<Seen>,
    directories: Directories,
}

impl Names {
    pub(crate) fn new(api: Api, searching: Api, policy: Arc<Policy>, zone: Option<TimeZone>) -> Self {
        let (seen, directories) = (Mutex::default(), Directories::default());
        Self { api, searching, policy, zone, seen, directories }
    }

    /// Whose token it is.
    pub(crate) async fn me(&self) -> Result<Identity> {
        self.api.identity().await
    }

    /// The user's own zone: the operator's word, else what Slack knows of the token's owner, else UTC. Where a bot
    /// acts, its owner is who searches: a bot is in no zone of its own.
    pub(crate) async fn zone(&self) -> TimeZone {
        if let Some(zone) = &self.zone {
            return zone.clone();
        }
        let named = match self.owner().await {
            Ok(owner) => self.api.user(&owner.user_id).await.ok().and_then(|user| user.tz),
            Err(_) => None,
        };
        named.and_then(|zone| TimeZone::get(&zone).ok()).unwrap_or(TimeZone::UTC)
    }

    /// Whom the server works for: the person whose token acts or searches, else the bot.
    async fn owner(&self) -> Result<Identity> {
        let me = self.me().await?;
        if me.bot_id.is_empty() {
            return Ok(me);
        }
        let person = self.searching.identity().await.ok().filter(|person| person.bot_id.is_empty());
        Ok(person.unwrap_or(me))
    }

    /// The names of the people with these ids, and of the channels and user groups among them. A channel that may
    /// not be read keeps its id.
    pub(crate) async fn people(&self, ids: BTreeSet<String>) -> People {
        if ids.is_empty() {
            return People::default();
        }
        let (channels, ids): (BTreeSet<String>, BTreeSet<String>) =
            ids.into_iter().partition(|id| is_id(id, &['C', 'G']));
        let (groups, ids): (BTreeSet<String>, BTreeSet<String>) =
            ids.into_iter().partition(|id| is_id(id, &['S']));
        let me = self.me().await.unwrap_or_default();
        let people = People::of(&self.api, ids.clone(), &me);
        let (mut people, channels, groups) =
            futures::join!(people, self.channel_names(channels), self.group_names(groups));
        self.note_seen(ids.iter().map(|id| (id.as_str(), people.name(id))));
        people.know(channels.into_iter().chain(groups));
        people
    }

    /// What the channels of these ids are called, as far as a few requests tell.
    async fn channel_names(&self, ids: BTreeSet<String>) -> Vec<(String, String)> {
        let looks = ids.into_iter().take(CHANNELS_NAMED).map(async |id| {
            let channel = self.api.conversation(&id).await.ok()?;
            let told = !channel.name.is_empty() && !channel.is_mpim && self.policy.may_read(&channel);
            told.then_some((id, channel.name))
        });
        futures::future::join_all(looks).await.into_iter().flatten().collect()
    }

    /// The handles of the user groups of these ids.
    async fn group_names(&self, ids: BTreeSet<String>) -> Vec<(String, String)> {
        if ids.is_empty() {
            return Vec::new();
        }
        let groups = self.api.groups().await.unwrap_or_default();
        groups
            .into_iter()
            .filter(|group| ids.contains(&group.id))
            .map(|group| (group.id, group.handle))
            .collect()
    }

    /// What stands for a conversation with `users` that has not begun, to be judged before it does.
    ///
    /// # Errors
    /// That of asking whose workspace this is: without it nobody can be told to be of another.
    pub(crate) async fn to_begin(&self, users: &[User]) -> Result<Channel> {
        let me = self.me().await?;
        Ok(Channel {
            is_im: users.len() == 1,
            is_mpim: users.len() > 1,
            is_ext_shared: users.iter().any(|user| is_foreign(user, &me)),
            ..Channel::default()
        })
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
        self.search_directory(word).await
    }

    /// The same, of those who can still read what is sent to them.
    ///
    /// # Errors
    /// As [`Self::person`], and `invalid_argument` for somebody who was deactivated.
    pub(crate) async fn present(&self, wanted: &str) -> Result<User> {
        let user = self.person(wanted).await?;
        if user.deleted {
            return Err(Error::invalid(format!("{} is deactivated", user.describe()))
                .with_hint("Nothing was sent or changed. Nobody reads what is sent to them"));
        }
        Ok(user)
    }

    /// The conversation `wanted`: an id, a name, an address, or a person for the direct messages with them.
    pub(crate) async fn channel(&self, wanted: &str) -> Result<Channel> {
        match self.conversation(wanted).await? {
            Destination::Known(channel) => Ok(channel),
            Destination::New(users) => {
                let people: Vec<String> = users.iter().map(User::told).collect();
                Err(Error::not_found(format!("There is no conversation with {}", people.join(", ")))
                    .with_hint(no_messages(&users)))
            }
        }
    }

    /// The same, to read: direct messages that nobody has begun are those with nothing in them yet.
    pub(crate) async fn conversation(&self, wanted: &str) -> Result<Destination> {
        let word = untagged(wanted);
        if word.is_empty() {
            return Err(Error::invalid("`channel` is empty"));
        }
        if let Some(MessageRef { host, channel: Some(channel), .. }) = address(word) {
            self.is_ours(host.as_deref()).await?;
            return self.api.conversation(&channel).await.map(Destination::Known);
        }
        // Where a text gives no name for a channel, its id stands behind the mark.
        let id = word.strip_prefix('#').unwrap_or(word);
        if is_id(id, &['C', 'G', 'D']) {
            return match self.api.conversation(id).await {
                // A name in capitals may look like an id.
                Err(error) if error.kind() == Kind::NotFound => match self.own_named(id).await {
                    Some(channel) => self.api.conversation(&channel.id).await.map(Destination::Known),
                    None => Err(error),
                },
                found => found.map(Destination::Known),
            };
        }
        if is_user(word) || word.starts_with('@') || word.contains('@') {
            let user = self.person(word).await?;
            return Ok(match self.direct(&user).await? {
                Some(channel) => Destination::Known(channel),
                None => Destination::New(vec![user]),
            });
        }
        self.by_name(word).await.map(Destination::Known)
    }

    /// The channel of this name among the first of one's own.
    async fn own_named(&self, name: &str) -> Option<Channel> {
        let own = self.api.own_conversations(CHANNELS, None, DIRECTORY_PAGE, None, false).await.ok()?;
        own.rows.into_iter().find(|channel| channel.is_called(name))
    }

    /// The conversation to write into: as [`Self::channel`], where a person's is not there yet its user.
    pub(crate) async fn destination(&self, wanted: &str) -> Result<Destination> {
        let word = untagged(wanted);
        let person = is_user(word) || word.starts_with('@') || (word.contains('@') && !word.contains("://"));
        if !person {
            return self.channel(wanted).await.map(Destination::Known);
        }
        let user = self.present(word).await?;
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

    /// Refuses an address of another workspace.
    async fn is_ours(&self, host: Option<&str>) -> Result<()> {
        let me = self.me().await?;
        let own = url::Url::parse(&me.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        match (host, own) {
            (Some(host), Some(own)) if host != own && host != "app.slack.com" => {
                // On Enterprise Grid a workspace has an address beside that of its organization.
                if !me.enterprise_id.is_empty() && self.api.hosts().await.iter().any(|ours| ours == host) {
                    return Ok(());
                }
                let wrong =
                    format!("The address belongs to `{}`, and this workspace is {own}", one_line(host));
                Err(Error::invalid(wrong)
                    .with_hint("Give the `workspace` it belongs to, if it is configured"))
            }
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

    /// What a conversation is called: `#general`, `DM with @tomas (Tomás Herrera)`.
    pub(crate) async fn title(&self, channel: &Channel) -> String {
        if channel.is_im {
            let people = self.people(BTreeSet::from([channel.user.clone()])).await;
            return format!("DM with {}", people.described(&channel.user));
        }
        if channel.is_mpim {
            return format!("group DM {}", one_line(&channel.name));
        }
        if channel.name.is_empty() { channel.id.clone() } else { format!("#{}", one_line(&channel.name)) }
    }
}

/// What can be done where nobody has written to `users` yet.
pub(crate) fn no_messages(users: &[User]) -> &'static str {
    if users.iter().any(|user| user.deleted) {
        "search_private with `from` finds what they said elsewhere"
    } else {
        "send_message to them begins one"
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
