//! What Slack answers, as far as this server reads it. Every field may be missing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One page of anything, under whichever name Slack gives the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Page<T> {
    #[serde(
        alias = "channels",
        alias = "members",
        alias = "messages",
        alias = "items",
        alias = "scheduled_messages"
    )]
    pub(crate) rows: Vec<T>,
    pub(crate) has_more: bool,
    /// Whether a free plan hides what is older.
    pub(crate) is_limited: bool,
    pub(crate) response_metadata: Option<Metadata>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) next_cursor: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), has_more: false, is_limited: false, response_metadata: None }
    }
}

impl<T> Page<T> {
    /// The cursor of the next page; an empty one means the end.
    pub(crate) fn next(&self) -> Option<&str> {
        self.response_metadata.as_ref()?.next_cursor.as_deref().filter(|cursor| !cursor.is_empty())
    }
}

/// Whose token it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Identity {
    /// The workspace's address: `https://acme.slack.com/`.
    pub(crate) url: String,
    pub(crate) team: String,
    pub(crate) user: String,
    pub(crate) team_id: String,
    pub(crate) user_id: String,
    /// There for a bot.
    pub(crate) bot_id: String,
    /// The organization of the workspace, on Enterprise Grid.
    pub(crate) enterprise_id: String,
    /// Whether the token is of the whole organization.
    pub(crate) is_enterprise_install: bool,
    /// What the token may do, if Slack told.
    #[serde(skip)]
    pub(crate) scopes: Option<Vec<String>>,
}

impl Identity {
    /// Whether the token lacks a scope, as far as is known.
    pub(crate) fn lacks(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(|known| known == scope))
    }

    /// Whether `team` is another workspace than one's own, and not the organization that it belongs to.
    pub(crate) fn is_elsewhere(&self, team: &str) -> bool {
        !team.is_empty() && !self.team_id.is_empty() && team != self.team_id && team != self.enterprise_id
    }
}

/// A workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Its address is this below `slack.com`.
    pub(crate) domain: String,
    /// The organization's, below `enterprise.slack.com`.
    pub(crate) enterprise_domain: String,
}

/// A conversation of any kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_im: bool,
    pub(crate) is_mpim: bool,
    pub(crate) is_private: bool,
    pub(crate) is_archived: bool,
    pub(crate) is_ext_shared: bool,
    /// Whether several workspaces of one's own organization have it (Enterprise Grid).
    pub(crate) is_org_shared: bool,
    pub(crate) is_member: Option<bool>,
    /// Who made it.
    pub(crate) creator: String,
    pub(crate) num_members: Option<u64>,
    /// The other one of a direct message.
    pub(crate) user: String,
    pub(crate) topic: Words,
    pub(crate) purpose: Words,
    /// Up to where the token's owner has read, where Slack tells.
    pub(crate) last_read: Option<String>,
    pub(crate) unread_count_display: Option<u64>,
    pub(crate) properties: Option<Box<Properties>>,
}

/// What a channel has besides messages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Properties {
    canvas: Option<Canvas>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Canvas {
    file_id: String,
    is_empty: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Words {
    pub(crate) value: String,
}

impl Channel {
    /// The canvas that is the channel's tab, unless nobody has written in it.
    pub(crate) fn canvas(&self) -> Option<&str> {
        let canvas = self.properties.as_ref()?.canvas.as_ref()?;
        (!canvas.is_empty && !canvas.file_id.is_empty()).then_some(canvas.file_id.as_str())
    }

    /// Whether only its members see it.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_private || self.is_im || self.is_mpim
    }
}

/// Somebody.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) team_id: String,
    pub(crate) name: String,
    pub(crate) real_name: String,
    pub(crate) deleted: bool,
    pub(crate) is_bot: bool,
    pub(crate) is_admin: bool,
    pub(crate) is_restricted: bool,
    pub(crate) is_stranger: bool,
    pub(crate) tz: Option<String>,
    pub(crate) profile: Profile,
    pub(crate) enterprise_user: EnterpriseUser,
}

/// Somebody as their organization knows them (docs.slack.dev/reference/objects/user-object, enterprise_user).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EnterpriseUser {
    pub(crate) enterprise_id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) real_name: String,
    pub(crate) display_name: String,
    pub(crate) title: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) status_text: String,
    pub(crate) status_emoji: String,
}

impl User {
    /// The name that stands for them: the display name, else the account's, else the real name.
    pub(crate) fn handle(&self) -> &str {
        [&self.profile.display_name, &self.name]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or_else(|| self.full_name(), String::as_str)
    }

    /// The real name, wherever it stands; for some people only under `profile`.
    pub(crate) fn full_name(&self) -> &str {
        [&self.real_name, &self.profile.real_name, &self.name]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or(&self.id, |name| name)
    }
}

/// A user group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) handle: String,
    pub(crate) description: String,
    pub(crate) user_count: Option<u64>,
    pub(crate) users: Vec<String>,
}

/// The workspace's own emoji: a name and an address, or `alias:other`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Emoji {
    pub(crate) emoji: BTreeMap<String, String>,
}

/// A message. What it shows stands in any of text, blocks, attachments and files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) ts: String,
    pub(crate) thread_ts: Option<String>,
    pub(crate) subtype: Option<String>,
    pub(crate) user: Option<String>,
    /// The workspace of the author, where it is another.
    pub(crate) team: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) bot_id: Option<String>,
    pub(crate) bot_profile: Option<BotProfile>,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    pub(crate) files: Vec<File>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) reply_count: Option<u64>,
    pub(crate) latest_reply: Option<String>,
    pub(crate) edited: Option<Value>,
    pub(crate) pinned_to: Option<Value>,
    pub(crate) metadata: Option<Value>,
}

impl Message {
    /// The thread's parent, if this is a reply.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.thread_ts.as_deref().filter(|thread| !thread.is_empty() && *thread != self.ts)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BotProfile {
    pub(crate) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reaction {
    pub(crate) name: String,
    /// Not everybody where they are many (docs.slack.dev/reference/methods/reactions.get).
    pub(crate) users: Vec<String>,
    pub(crate) count: u64,
}

impl Reaction {
    /// Of how many people it is.
    pub(crate) fn number(&self) -> u64 {
        self.count.max(self.users.len() as u64)
    }

    /// Whether Slack named everybody.
    pub(crate) fn is_whole(&self) -> bool {
        self.users.len() as u64 >= self.count
    }
}

/// A file, a canvas or a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) mimetype: String,
    pub(crate) filetype: String,
    pub(crate) size: u64,
    pub(crate) user: String,
    /// When it was made, in seconds since the Unix epoch.
    pub(crate) created: i64,
    pub(crate) url_private: String,
    pub(crate) url_private_download: String,
    pub(crate) permalink: String,
    pub(crate) channels: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) ims: Vec<String>,
    pub(crate) shares: Value,
    /// Of a list: its columns, in the form that slackLists.items.info gives them with the list's file.
    pub(crate) list_metadata: Value,
}

impl File {
    /// Whether it is a list, which Slack keeps as a file of this type.
    pub(crate) fn is_list(&self) -> bool {
        self.filetype == "list" || self.mimetype == "application/vnd.slack-list"
    }

    /// Whether it is a canvas, which Slack keeps as a file of this type.
    pub(crate) fn is_canvas(&self) -> bool {
        self.filetype == "quip" || self.filetype == "canvas" || self.mimetype == "application/vnd.slack-docs"
    }
}
