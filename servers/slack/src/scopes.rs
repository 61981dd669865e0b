//! The scopes that the tools use, for the manifest, `whoami` and `doctor`.

use crate::api::types::Identity;

/// Scopes of one toolset's tools, for a user's token and for a bot's.
pub(crate) struct Needs {
    pub(crate) toolset: &'static str,
    pub(crate) user: &'static [&'static str],
    pub(crate) bot: &'static [&'static str],
}

const HISTORY: [&str; 8] = [
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
    "channels:read",
    "groups:read",
    "im:read",
    "mpim:read",
];

/// What each toolset needs.
pub(crate) const NEEDS: &[Needs] = &[
    Needs { toolset: "reading", user: &HISTORY, bot: &HISTORY },
    Needs {
        toolset: "people",
        user: &["users:read", "users:read.email", "usergroups:read", "team:read", "emoji:read"],
        bot: &["users:read", "users:read.email", "usergroups:read", "team:read", "emoji:read"],
    },
    Needs {
        toolset: "search",
        user: &[
            "search:read",
            "search:read.public",
            "search:read.private",
            "search:read.im",
            "search:read.mpim",
            "search:read.files",
            "search:read.users",
        ],
        bot: &[],
    },
    Needs {
        toolset: "messages",
        user: &["chat:write", "im:write", "mpim:write", "reactions:read", "reactions:write"],
        bot: &["chat:write", "im:write", "mpim:write", "reactions:read", "reactions:write"],
    },
    Needs {
        toolset: "conversations",
        user: &["channels:write", "groups:write", "channels:write.invites", "groups:write.invites"],
        bot: &["channels:manage", "groups:write", "channels:write.invites", "groups:write.invites"],
    },
    Needs {
        toolset: "files",
        user: &["files:read", "files:write", "canvases:read", "canvases:write"],
        bot: &["files:read", "files:write", "canvases:read", "canvases:write"],
    },
    Needs {
        toolset: "channel_admin",
        user: &["channels:write", "groups:write"],
        bot: &["channels:join", "channels:manage", "groups:write"],
    },
    Needs { toolset: "usergroups", user: &["usergroups:write"], bot: &["usergroups:write"] },
    Needs {
        toolset: "pins_bookmarks",
        user: &["pins:read", "pins:write", "bookmarks:read", "bookmarks:write"],
        bot: &["pins:read", "pins:write", "bookmarks:read", "bookmarks:write"],
    },
    Needs { toolset: "lists", user: &["lists:read", "lists:write"], bot: &["lists:read", "lists:write"] },
];

/// Toolsets that must be asked for.
pub(crate) const OPT_IN: [&str; 5] = ["channel_admin", "usergroups", "pins_bookmarks", "lists", "ephemeral"];

/// The scopes of the default tools that a token lacks; none if Slack does not tell.
pub(crate) fn missing(me: &Identity) -> Option<Vec<&'static str>> {
    me.scopes.as_ref()?;
    let default = NEEDS.iter().filter(|needs| !OPT_IN.contains(&needs.toolset));
    let wanted = default.flat_map(|needs| if me.bot_id.is_empty() { needs.user } else { needs.bot });
    let mut missing: Vec<&str> = wanted.copied().filter(|scope| me.lacks(scope)).collect();
    missing.sort_unstable();
    missing.dedup();
    Some(missing)
}
