//! The tools, one file per family: arguments, the work, the reply.

mod canvases;
mod catch_up;
mod channel_admin;
mod compose;
mod conversations;
mod directory;
mod ephemeral;
mod files;
mod identity;
mod lists;
mod messages;
mod pins;
mod reactions;
mod read;
mod schedule;
mod search;
mod usergroups;

use std::collections::BTreeSet;

use connector::catalog::Tool;
use jiff::tz::TimeZone;

use crate::{
    Slack,
    api::types::{Identity, Message},
    render::message::{self, Style},
    resolve::people::People,
    workspace::Workspace,
};

/// Every tool.
pub(crate) fn all() -> Vec<Tool<Slack>> {
    Tool::gather(&[
        identity::tools,
        search::tools,
        read::tools,
        catch_up::tools,
        directory::tools,
        messages::tools,
        schedule::tools,
        reactions::tools,
        conversations::tools,
        files::tools,
        canvases::tools,
        channel_admin::tools,
        usergroups::tools,
        pins::tools,
        lists::tools,
        ephemeral::tools,
    ])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Slack";

/// What it takes to show messages: names, the user's zone, and whose workspace it is.
pub(crate) struct Readers {
    pub(crate) people: People,
    pub(crate) zone: TimeZone,
    pub(crate) me: Identity,
}

impl Readers {
    /// For `messages`, and `others` who are named beside them.
    pub(crate) async fn of(workspace: &Workspace, messages: &[Message], others: BTreeSet<String>) -> Self {
        let mut ids = message::people_in(messages);
        ids.extend(others);
        let names = workspace.names();
        let (zone, me, people) = futures::join!(names.zone(), names.me(), names.people(ids));
        Self { people, zone, me: me.unwrap_or_default() }
    }

    /// How messages are shown.
    pub(crate) fn style(&self, names_threads: bool) -> Style<'_> {
        Style { people: &self.people, zone: &self.zone, own_team: &self.me.team_id, names_threads }
    }
}
