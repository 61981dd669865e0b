//! Every method of the Web API that this server calls: its tier, what it does, and whether a repeat
//! is harmless. What sets something is not: in the pause somebody else may have set it. Tiers are those of docs.slack.dev/reference/methods, read on 2026-08-20.

use connector::{Effect, upstream::Replay};

/// A method of the Web API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    /// Its name, which is also the operation's and the budget's.
    pub(crate) name: &'static str,
    /// Calls a minute in one workspace.
    pub(crate) per_minute: u32,
    /// What it does.
    pub(crate) effect: Effect,
    /// Whether it may be repeated.
    pub(crate) replay: Replay,
}

/// Tier 2, and tier 3 where docs and SDK differ.
const T2: u32 = 20;
const T3: u32 = 50;
const T4: u32 = 100;
/// "Hundreds a minute".
const SPECIAL: u32 = 300;
/// 10 a minute and user (docs.slack.dev/reference/methods/assistant.search.context, Rate limiting), of which the
/// user's own searches take some. A 429 teaches more.
pub(crate) const SEARCH: u32 = 8;

/// Methods that a token of a whole organization calls for one workspace; of another token they ignore `team_id`
/// (api.slack.com/enterprise/apps/changes-apis; the methods' own pages: "required if org token is used").
pub(crate) const OF_A_WORKSPACE: &[&str] = &[
    "chat.scheduledMessages.list",
    "conversations.create",
    "conversations.list",
    "files.list",
    "search.files",
    "search.messages",
    "usergroups.create",
    "usergroups.list",
    "usergroups.update",
    "usergroups.users.update",
    "users.conversations",
    "users.list",
];

macro_rules! methods {
    ($($name:ident = $wire:literal, $rate:expr, $effect:ident, $replay:ident;)+) => {
        $(
            #[doc = concat!("`", $wire, "`")]
            pub(crate) const $name: Method = Method {
                name: $wire, per_minute: $rate, effect: Effect::$effect, replay: Replay::$replay,
            };
        )+
        /// All of them.
        pub(crate) const ALL: &[Method] = &[$($name),+];
    };
}

methods! {
    AUTH_TEST = "auth.test", SPECIAL, Read, Safe;
    AUTH_TEAMS = "auth.teams.list", T2, Read, Safe;
    TEAM_INFO = "team.info", T3, Read, Safe;
    CONVERSATIONS_LIST = "conversations.list", T2, Read, Safe;
    CONVERSATIONS_INFO = "conversations.info", T3, Read, Safe;
    CONVERSATIONS_MEMBERS = "conversations.members", T4, Read, Safe;
    CONVERSATIONS_HISTORY = "conversations.history", T3, Read, Safe;
    CONVERSATIONS_REPLIES = "conversations.replies", T3, Read, Safe;
    CONVERSATIONS_OPEN = "conversations.open", T3, Write, Idempotent;
    CONVERSATIONS_CREATE = "conversations.create", T2, Write, Once;
    CONVERSATIONS_JOIN = "conversations.join", T3, Write, Idempotent;
    CONVERSATIONS_LEAVE = "conversations.leave", T3, Write, Idempotent;
    CONVERSATIONS_INVITE = "conversations.invite", T3, Write, Idempotent;
    CONVERSATIONS_KICK = "conversations.kick", T3, Destructive, Idempotent;
    CONVERSATIONS_MARK = "conversations.mark", T3, Write, Idempotent;
    CONVERSATIONS_RENAME = "conversations.rename", T2, Write, Once;
    CONVERSATIONS_ARCHIVE = "conversations.archive", T2, Destructive, Idempotent;
    CONVERSATIONS_UNARCHIVE = "conversations.unarchive", T2, Write, Idempotent;
    CONVERSATIONS_SET_TOPIC = "conversations.setTopic", T2, Write, Once;
    CONVERSATIONS_SET_PURPOSE = "conversations.setPurpose", T2, Write, Once;
    USERS_CONVERSATIONS = "users.conversations", T2, Read, Safe;
    USERS_LIST = "users.list", T2, Read, Safe;
    USERS_INFO = "users.info", T4, Read, Safe;
    USERS_LOOKUP = "users.lookupByEmail", T3, Read, Safe;
    USERS_PRESENCE = "users.getPresence", T3, Read, Safe;
    USERGROUPS_LIST = "usergroups.list", T2, Read, Safe;
    USERGROUPS_CREATE = "usergroups.create", T2, Write, Once;
    USERGROUPS_UPDATE = "usergroups.update", T2, Write, Once;
    USERGROUPS_USERS_UPDATE = "usergroups.users.update", T2, Destructive, Once;
    EMOJI_LIST = "emoji.list", T2, Read, Safe;
    POST = "chat.postMessage", SPECIAL, Write, Once;
    UPDATE = "chat.update", T3, Destructive, Once;
    DELETE = "chat.delete", T3, Destructive, Idempotent;
    POST_EPHEMERAL = "chat.postEphemeral", T4, Write, Once;
    SCHEDULE = "chat.scheduleMessage", T3, Write, Once;
    SCHEDULED_LIST = "chat.scheduledMessages.list", T3, Read, Safe;
    SCHEDULED_DELETE = "chat.deleteScheduledMessage", T3, Destructive, Once;
    REACTIONS_GET = "reactions.get", T3, Read, Safe;
    REACTIONS_ADD = "reactions.add", T3, Write, Idempotent;
    REACTIONS_REMOVE = "reactions.remove", T2, Destructive, Idempotent;
    SEARCH_MESSAGES = "search.messages", T2, Read, Safe;
    SEARCH_CONTEXT = "assistant.search.context", SEARCH, Read, Safe;
    FILES_INFO = "files.info", T4, Read, Safe;
    FILES_LIST = "files.list", T3, Read, Safe;
    SEARCH_FILES = "search.files", T2, Read, Safe;
    FILES_UPLOAD_URL = "files.getUploadURLExternal", T4, Write, Idempotent;
    FILES_UPLOAD = "files upload", SPECIAL, Write, Idempotent;
    FILES_COMPLETE = "files.completeUploadExternal", T4, Write, Once;
    FILES_DOWNLOAD = "files download", SPECIAL, Read, Safe;
    CANVASES_CREATE = "canvases.create", T2, Write, Once;
    CONVERSATIONS_CANVASES_CREATE = "conversations.canvases.create", T2, Write, Once;
    CANVASES_EDIT = "canvases.edit", T3, Destructive, Once;
    PINS_LIST = "pins.list", T2, Read, Safe;
    PINS_ADD = "pins.add", T2, Write, Idempotent;
    PINS_REMOVE = "pins.remove", T2, Write, Idempotent;
    BOOKMARKS_LIST = "bookmarks.list", T3, Read, Safe;
    BOOKMARKS_ADD = "bookmarks.add", T2, Write, Once;
    BOOKMARKS_EDIT = "bookmarks.edit", T2, Write, Once;
    BOOKMARKS_REMOVE = "bookmarks.remove", T2, Destructive, Idempotent;
    LISTS_ITEMS = "slackLists.items.list", T2, Read, Safe;
    LISTS_ITEM = "slackLists.items.info", T2, Read, Safe;
    LISTS_CREATE = "slackLists.items.create", T3, Write, Once;
    LISTS_UPDATE = "slackLists.items.update", T3, Write, Once;
}
