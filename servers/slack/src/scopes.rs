//! The scopes that tools need (each says its own), and what a token or an app needs for a set of tools.

use std::{collections::BTreeSet, sync::LazyLock};

use connector::{
    Connector as _,
    access::Selection,
    catalog::{Catalog, Tool},
};

use crate::{Slack, api::types::Identity};

/// To read messages, for each kind of conversation.
pub(crate) const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];
/// To see conversations, for each kind.
pub(crate) const CHANNELS: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
/// To see people.
pub(crate) const PEOPLE: &[&str] = &["users:read", "users:read.email"];
/// To search public channels: by Real-time Search, or the legacy one.
pub(crate) const SEARCH: &[&str] = &["search:read.public", "search:read", "search:read.users"];
/// To search what is private too.
pub(crate) const SEARCH_PRIVATE: &[&str] =
    &["search:read.private", "search:read", "search:read.public", "search:read.im", "search:read.mpim"];
/// To post, edit, delete and schedule.
pub(crate) const POST: &[&str] = &["chat:write"];
/// To make and change conversations: a bot's `channels:manage` is a user's `channels:write`.
pub(crate) const MANAGE: &[&str] =
    &["channels:manage", "channels:write", "groups:write", "im:write", "mpim:write"];
/// To invite people.
pub(crate) const INVITE: &[&str] =
    &["channels:write.invites", "groups:write.invites", "channels:manage", "channels:write", "groups:write"];

/// What every tool resolves names and threads with.
const ALWAYS: [&[&str]; 4] = [HISTORY, CHANNELS, PEOPLE, &["usergroups:read"]];
/// What is of use with a scope only with others: posting to people opens the conversation with them, and the
/// workspace has emoji of its own; a list is read as a file; of many who reacted a message names some.
const TOGETHER: [(&str, &[&str]); 5] = [
    ("channels:history", &["reactions:read"]),
    ("chat:write", &["im:write", "mpim:write"]),
    ("files:write", &["im:write", "mpim:write", "files:read"]),
    ("files:read", &["lists:read"]),
    ("reactions:write", &["emoji:read"]),
];

/// Whose token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A user's.
    User,
    /// A bot's.
    Bot,
}

impl Whose {
    /// Whether tokens of this kind can have the scope (docs.slack.dev/reference/scopes).
    fn can_have(self, scope: &str) -> bool {
        match self {
            Self::User => !["channels:manage", "channels:join"].contains(&scope),
            // Searching takes a user's token, or a token of the event that a bot answers.
            Self::Bot => scope != "channels:write" && !scope.starts_with("search:"),
        }
    }
}

/// The scopes with which a token can do everything that `tools` do.
pub(crate) fn wanted<'a>(
    tools: impl IntoIterator<Item = &'a Tool<Slack>>,
    whose: Whose,
) -> BTreeSet<&'static str> {
    let mut all: BTreeSet<&str> = ALWAYS.into_iter().flatten().copied().collect();
    all.extend(tools.into_iter().flat_map(Tool::needed_scopes));
    for (scope, others) in TOGETHER {
        if all.contains(scope) {
            all.extend(others);
        }
    }
    all.retain(|scope| whose.can_have(scope));
    all
}

/// The scopes of the default tools that a token lacks, sorted; none if Slack does not tell.
pub(crate) fn missing(me: &Identity) -> Option<Vec<&'static str>> {
    /// Those of a user's token and of a bot's.
    static DEFAULT: LazyLock<[BTreeSet<&str>; 2]> = LazyLock::new(|| {
        let catalog = Slack::catalog().select(&Selection::default());
        let tools = catalog.as_ref().map(Catalog::all_tools).unwrap_or_default();
        [Whose::User, Whose::Bot].map(|whose| wanted(tools, whose))
    });
    me.scopes.as_ref()?;
    let [user, bot] = &*DEFAULT;
    let wanted = if me.bot_id.is_empty() { user } else { bot };
    Some(wanted.iter().copied().filter(|scope| me.lacks(scope)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_which_scopes_it_needs() {
        for tool in crate::tools::all() {
            assert_eq!(tool.needed_scopes().is_empty(), tool.name() == "whoami", "{}", tool.name());
            for whose in [Whose::User, Whose::Bot] {
                let can = tool.needed_scopes().iter().any(|scope| whose.can_have(scope));
                let searches = tool.name().starts_with("search") && whose == Whose::Bot;
                assert!(can || searches || tool.name() == "whoami", "{} by {whose:?}", tool.name());
            }
        }
    }
}
