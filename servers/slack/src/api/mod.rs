//! Slack's Web API as typed requests and tolerant answers. It builds requests and decides nothing.
//!
//! Every call is a POST of a form, as the official SDK sends it: many methods take nothing else
//! (docs.slack.dev/apis/web-api). Lists and objects go as JSON text.

pub(crate) mod files;
pub(crate) mod methods;
pub(crate) mod types;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use connector::{
    Error, Kind, Result,
    upstream::{Request, Response, Tag, Upstream},
};
use http::{HeaderValue, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::form_urlencoded;

use crate::vendor::POSTS_IN_ONE;
use methods::Method;
use types::{Channel, Emoji, Group, Identity, Message, Page, Reaction, Team, User, Words};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// The most that one page of a directory brings.
pub(crate) const DIRECTORY_PAGE: u32 = 999;

/// The most pages of members that are looked through, 1,000 on each.
const MEMBER_PAGES: usize = 10;

/// The client of one workspace's Web API with one token. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    upstream: Upstream,
    /// Whether history comes in the small pages of an unlisted application.
    limited: Arc<AtomicBool>,
    /// The workspace that is meant, where the token is of a whole organization (Enterprise Grid).
    team: Option<Arc<str>>,
}

/// What an application outside the Marketplace gets of history: 15 messages, once a minute
/// (docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps).
pub(crate) const LIMITED_PAGE: usize = 15;
/// A refusal of history for so long is a sign of such an application too: others wait a second or two.
const LIMITED_WAIT: Duration = Duration::from_secs(30);

/// Whether Slack itself refused a call for so long that others would not be; a wait for our own budget says nothing.
fn is_long_refusal(error: &Error) -> bool {
    error.kind() == Kind::RateLimited
        && !error.is_own_budget()
        && error.retry_after().is_some_and(|wait| wait >= LIMITED_WAIT)
}

/// What Real-time Search finds of people and channels.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    users: Vec<FoundUser>,
    channels: Vec<FoundChannel>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FoundUser {
    user_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FoundChannel {
    channel_id: String,
    name: String,
    topic: String,
    purpose: String,
    is_archived: bool,
}

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(&'static str, String)>);

impl Form {
    /// No arguments.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds an argument.
    #[must_use]
    pub(crate) fn set(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.push((name, value.to_string()));
        self
    }

    /// Adds an argument where there is one.
    #[must_use]
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Adds a list or object.
    #[must_use]
    pub(crate) fn json(self, name: &'static str, value: &Value) -> Self {
        self.set(name, value)
    }

    fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

#[derive(Deserialize)]
struct OneChannel {
    channel: Channel,
}

impl OneChannel {
    fn form(id: &str) -> Form {
        Form::new().set("channel", id).set("include_num_members", "true")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Groups {
    usergroups: Vec<Group>,
}

impl Groups {
    fn form() -> Form {
        Form::new().set("include_users", "true")
    }
}

/// Where in a list to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub(crate) limit: u32,
    pub(crate) cursor: Option<String>,
    pub(crate) oldest: Option<String>,
    pub(crate) latest: Option<String>,
    pub(crate) inclusive: bool,
    /// Whether messages bring their metadata.
    pub(crate) metadata: bool,
}

impl Window {
    fn form(&self) -> Form {
        Form::new()
            .set("limit", self.limit)
            .maybe("cursor", self.cursor.as_deref())
            .maybe("oldest", self.oldest.as_deref())
            .maybe("latest", self.latest.as_deref())
            .maybe("inclusive", self.inclusive.then_some("true"))
            .maybe("include_all_metadata", self.metadata.then_some("true"))
    }
}

impl Api {
    /// A client over `upstream`, whose base URL is that of the Web API, for the workspace `team` of a token that is
    /// of several.
    pub(crate) fn new(upstream: Upstream, team: Option<&str>) -> Self {
        Self { upstream, limited: Arc::default(), team: team.map(Arc::from) }
    }

    /// Whether history comes in the small pages of an unlisted application, as far as it has shown.
    pub(crate) fn is_limited(&self) -> bool {
        self.limited.load(Ordering::Relaxed)
    }

    /// Looks at a page of history, or the refusal of one, for the signs of a limited application: more was asked
    /// for, exactly 15 came, and there is more; or it has to wait for long. A larger page shows that it is none.
    fn note_page(&self, asked: u32, page: &Result<Page<Message>>) {
        match page {
            Ok(page) if page.rows.len() > LIMITED_PAGE => self.limited.store(false, Ordering::Relaxed),
            Ok(page) if asked as usize > LIMITED_PAGE && page.rows.len() == LIMITED_PAGE && page.has_more => {
                self.limited.store(true, Ordering::Relaxed);
            }
            Err(error) if is_long_refusal(error) => self.limited.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// The workspace that is meant, where the operator has said so.
    pub(crate) fn team(&self) -> Option<&str> {
        self.team.as_deref()
    }

    /// The pipeline beneath.
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    fn request(&self, method: Method, form: &Form) -> Request {
        let team = self.team.as_deref().filter(|_| methods::OF_A_WORKSPACE.contains(&method.name));
        let form = form.clone().maybe("team_id", team);
        Request::post(method.name, format!("/{}", method.name))
            .effect(method.effect)
            .replay(method.replay)
            .cost(method.name, 1)
            .header(header::CONTENT_TYPE, FORM)
            .body(form.encode())
    }

    /// Calls `method`.
    ///
    /// # Errors
    /// What Slack's table of errors says, or `upstream` for an answer of another shape.
    pub(crate) async fn call<T: DeserializeOwned>(&self, method: Method, form: Form) -> Result<T> {
        self.upstream.send(self.request(method, &form)).await?.json()
    }

    /// Calls `method`, a read whose answer is good for `ttl` or until something makes `tag` old.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn cached<T: DeserializeOwned>(
        &self,
        method: Method,
        form: Form,
        ttl: Duration,
        tag: &'static str,
    ) -> Result<T> {
        self.cached_response(method, form, ttl, tag).await?.json()
    }

    async fn cached_response(
        &self,
        method: Method,
        form: Form,
        ttl: Duration,
        tag: &'static str,
    ) -> Result<Response> {
        self.upstream.send(self.request(method, &form).cache(ttl, [tag])).await
    }

    /// Calls `method`, a write. `check` says what to look at should its outcome never be learned, as the
    /// beginning of a sentence; `tags` are what it makes old.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        form: Form,
        check: String,
        tags: &'static [&'static str],
    ) -> Result<T> {
        let tags = tags.iter().map(|tag| Tag::Borrowed(*tag));
        self.upstream.send(self.request(method, &form).check(check).invalidates(tags)).await?.json()
    }

    /// Posts into a conversation; see [`Self::write`]. Slack takes a message a second in each.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        channel: &str,
        form: Form,
        check: String,
    ) -> Result<T> {
        let request = self.request(methods::POST, &form.set("channel", channel));
        self.upstream.send(request.check(check).cost_of(POSTS_IN_ONE, channel)).await?.json()
    }

    /// Whose token it is, and its scopes, which Slack tells in a header of every answer.
    pub(crate) async fn identity(&self) -> Result<Identity> {
        let response = self.cached_response(methods::AUTH_TEST, Form::new(), 10 * MINUTE, "identity").await?;
        let mut identity: Identity = response.json()?;
        identity.scopes = response.header("x-oauth-scopes").map(|scopes| {
            scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
        });
        Ok(identity)
    }

    /// Names and ids of the workspaces that a token of a whole organization is for.
    pub(crate) async fn teams(&self) -> Result<Vec<Team>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            teams: Vec<Team>,
        }
        let form = Form::new().set("limit", 100);
        Ok(self.cached::<Answer>(methods::AUTH_TEAMS, form, 10 * MINUTE, "identity").await?.teams)
    }

    /// The hosts by which messages of the workspace are addressed on Enterprise Grid; none if Slack does not tell.
    pub(crate) async fn hosts(&self) -> Vec<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            team: Team,
        }
        let form = Form::new().maybe("team", self.team.as_deref());
        let answer = self.cached::<Answer>(methods::TEAM_INFO, form, 10 * MINUTE, "identity").await;
        let Ok(Answer { team: Team { domain, enterprise_domain, .. } }) = answer else { return Vec::new() };
        let host = |name: &str, below: &str| (!name.is_empty()).then(|| format!("{name}{below}"));
        [
            host(&domain, ".slack.com"),
            host(&domain, ".enterprise.slack.com"),
            host(&enterprise_domain, ".enterprise.slack.com"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// A page of the conversations that the token's owner, or another user, is in.
    pub(crate) async fn own_conversations(
        &self,
        types: &str,
        user: Option<&str>,
        limit: u32,
        cursor: Option<&str>,
        exclude_muted: bool,
    ) -> Result<Page<Channel>> {
        let form = Form::new()
            .set("types", types)
            .set("limit", limit)
            .maybe("cursor", cursor)
            .maybe("user", user)
            .maybe("exclude_muted", exclude_muted.then_some("true"));
        self.cached(methods::USERS_CONVERSATIONS, form, 5 * MINUTE, "channels").await
    }

    /// A page of all conversations that the token sees.
    pub(crate) async fn conversations(
        &self,
        types: &str,
        archived: bool,
        cursor: Option<&str>,
    ) -> Result<Page<Channel>> {
        let form = Form::new()
            .set("types", types)
            .set("limit", DIRECTORY_PAGE)
            .maybe("exclude_archived", (!archived).then_some("true"))
            .maybe("cursor", cursor);
        self.cached(methods::CONVERSATIONS_LIST, form, 15 * MINUTE, "channels").await
    }

    /// One conversation. What Slack says of direct messages has the last of them in it, which is never kept.
    pub(crate) async fn conversation(&self, id: &str) -> Result<Channel> {
        if id.starts_with('D') {
            return self.conversation_now(id).await;
        }
        let (method, form) = (methods::CONVERSATIONS_INFO, OneChannel::form(id));
        Ok(self.cached::<OneChannel>(method, form, 5 * MINUTE, "channels").await?.channel)
    }

    /// One conversation as it is now.
    pub(crate) async fn conversation_now(&self, id: &str) -> Result<Channel> {
        Ok(self.call::<OneChannel>(methods::CONVERSATIONS_INFO, OneChannel::form(id)).await?.channel)
    }

    /// Whether each of `users` is in a conversation, as far as its first 10,000 members tell.
    pub(crate) async fn has_members(&self, id: &str, users: &[&str]) -> Result<Vec<bool>> {
        let mut there = vec![false; users.len()];
        let mut cursor: Option<String> = None;
        for _ in 0..MEMBER_PAGES {
            let page = self.members(id, 1_000, cursor.as_deref()).await?;
            for (user, there) in users.iter().zip(&mut there) {
                *there |= page.rows.iter().any(|member| member == user);
            }
            cursor = page.next().map(str::to_owned);
            if cursor.is_none() || there.iter().all(|there| *there) {
                break;
            }
        }
        Ok(there)
    }

    /// A page of who is in a conversation.
    pub(crate) async fn members(&self, id: &str, limit: u32, cursor: Option<&str>) -> Result<Page<String>> {
        let form = Form::new().set("channel", id).set("limit", limit).maybe("cursor", cursor);
        self.call(methods::CONVERSATIONS_MEMBERS, form).await
    }

    /// A page of a conversation's messages, newest first. Never kept.
    pub(crate) async fn history(&self, channel: &str, window: &Window) -> Result<Page<Message>> {
        let page = self.call(methods::CONVERSATIONS_HISTORY, window.form().set("channel", channel)).await;
        self.note_page(window.limit, &page);
        page
    }

    /// A page of a thread, its parent first. Never kept.
    pub(crate) async fn replies(&self, channel: &str, ts: &str, window: &Window) -> Result<Page<Message>> {
        let form = window.form().set("channel", channel).set("ts", ts);
        let page = self.call(methods::CONVERSATIONS_REPLIES, form).await;
        self.note_page(window.limit, &page);
        page
    }

    /// One user.
    pub(crate) async fn user(&self, id: &str) -> Result<User> {
        #[derive(Deserialize)]
        struct Answer {
            user: User,
        }
        Ok(self.cached::<Answer>(methods::USERS_INFO, Form::new().set("user", id), HOUR, "users").await?.user)
    }

    /// The user with this e-mail address.
    pub(crate) async fn user_by_email(&self, email: &str) -> Result<User> {
        #[derive(Deserialize)]
        struct Answer {
            user: User,
        }
        Ok(self
            .cached::<Answer>(methods::USERS_LOOKUP, Form::new().set("email", email), HOUR, "users")
            .await?
            .user)
    }

    /// A page of the workspace's people.
    pub(crate) async fn users(&self, cursor: Option<&str>) -> Result<Page<User>> {
        let form = Form::new().set("limit", DIRECTORY_PAGE).maybe("cursor", cursor);
        self.cached(methods::USERS_LIST, form, HOUR, "users").await
    }

    /// What Real-time Search finds of one kind by name: 20 at most.
    async fn found(&self, kind: &'static str, words: &str, more: &[(&'static str, &str)]) -> Result<Found> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            results: Found,
        }
        let form = Form::new().set("query", words).set("content_types", kind).set("limit", 20);
        let form = more.iter().fold(form, |form, (name, value)| form.set(name, value));
        Ok(self.call::<Answer>(methods::SEARCH_CONTEXT, form).await?.results)
    }

    /// The ids of people whom Real-time Search finds by name.
    pub(crate) async fn people(&self, name: &str) -> Result<Vec<String>> {
        let found = self.found("users", name, &[("include_deleted_users", "true")]).await?;
        Ok(found.users.into_iter().map(|found| found.user_id).collect())
    }

    /// Everybody who reacted to a message: what reads it names some of many.
    pub(crate) async fn reactions(&self, channel: &str, ts: &str) -> Result<Vec<Reaction>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            message: Message,
        }
        let form = Form::new().set("channel", channel).set("timestamp", ts).set("full", "true");
        Ok(self.call::<Answer>(methods::REACTIONS_GET, form).await?.message.reactions)
    }

    /// The public channels that Real-time Search finds by a part of name, topic or purpose.
    pub(crate) async fn channels(&self, words: &str) -> Result<Vec<Channel>> {
        let more = [("channel_types", "public_channel"), ("include_archived_channels", "true")];
        let found = self.found("channels", words, &more).await?.channels.into_iter();
        let channel = |found: FoundChannel| Channel {
            id: found.channel_id,
            name: found.name,
            topic: Words { value: found.topic },
            purpose: Words { value: found.purpose },
            is_archived: found.is_archived,
            ..Channel::default()
        };
        Ok(found.map(channel).collect())
    }

    /// The user groups with their members.
    pub(crate) async fn groups(&self) -> Result<Vec<Group>> {
        let groups: Groups =
            self.cached(methods::USERGROUPS_LIST, Groups::form(), 30 * MINUTE, "groups").await?;
        Ok(groups.usergroups)
    }

    /// One user group as it is now, before its members are replaced.
    pub(crate) async fn group_now(&self, id: &str) -> Result<Option<Group>> {
        let groups: Groups = self.call(methods::USERGROUPS_LIST, Groups::form()).await?;
        Ok(groups.usergroups.into_iter().find(|group| group.id == id))
    }

    /// The workspace's own emoji.
    pub(crate) async fn emoji(&self) -> Result<Emoji> {
        self.cached(methods::EMOJI_LIST, Form::new(), 6 * HOUR, "emoji").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slacks_own_long_refusal_is_the_sign_of_a_limited_app() {
        let refusal = |seconds: u64| {
            let wait = Duration::from_secs(seconds);
            Error::new(Kind::RateLimited, "Wait").with_retry_after(wait)
        };
        assert!(is_long_refusal(&refusal(45)) && !is_long_refusal(&refusal(2)));
        assert!(!is_long_refusal(&refusal(45).with_own_budget()));
    }
}
