//! The tools, one file per family: arguments, the work, the reply.

mod audience;
mod canvases;
mod catch_up;
mod channel_admin;
mod channels;
mod compose;
mod conversations;
mod edits;
mod ephemeral;
mod files;
mod identity;
mod lists;
mod messages;
mod one_message;
mod people;
mod pins;
mod places;
mod reactions;
mod read;
mod schedule;
mod search;
mod search_files;
mod usergroups;

use std::collections::BTreeSet;

use connector::{
    Result,
    access::Denial,
    catalog::{Call, Plan, Reply, Tool, Written, reconcile},
};
use jiff::tz::TimeZone;

use crate::{
    Slack,
    api::types::{Identity, Message},
    render::{
        message::{self, Style},
        mrkdwn,
    },
    resolve::people::{MOST, People},
    workspace::Workspace,
};

/// Every tool.
pub(crate) fn all() -> Vec<Tool<Slack>> {
    Tool::gather(&[
        identity::tools,
        search::tools,
        read::tools,
        one_message::tools,
        catch_up::tools,
        channels::tools,
        people::tools,
        messages::tools,
        edits::tools,
        schedule::tools,
        reactions::tools,
        conversations::tools,
        files::tools,
        search_files::tools,
        canvases::tools,
        channel_admin::tools,
        usergroups::tools,
        pins::tools,
        lists::tools,
        ephemeral::tools,
    ])
}

/// How a write ended, as words: `sent`, or where its answer was lost what `is_so` sees afterwards.
///
/// # Errors
/// The failure, unless what it was to do is seen to be so.
async fn settled<T>(
    sent: Result<T>,
    words: &str,
    is_so: impl Future<Output = Result<bool>>,
) -> Result<String> {
    let look = async { is_so.await.unwrap_or(false).then_some(()) };
    let (_, lost) = reconcile::created(sent.map(drop), look).await?;
    Ok(told(lost, words))
}

/// What is done, in `words`, and whether its answer was lost.
fn told(lost: bool, words: &str) -> String {
    if lost {
        format!("Slack's answer was lost; it was looked for, and is done: {words}")
    } else {
        words.to_owned()
    }
}

/// Nothing is to be done, and why.
fn nothing(why: &str) -> Plan {
    Plan::nothing(Reply::written(Written::new(format!("Nothing changed: {why}"))))
}

/// The opt-in toolsets that the operator has not switched on, with none of their tools.
fn toolsets_off(call: &Call<Slack>) -> BTreeSet<&'static str> {
    let (mut on, mut off) = (BTreeSet::new(), BTreeSet::new());
    for tool in all().iter().filter(|tool| !tool.capability().on_by_default) {
        match call.rights().decide(&tool.capability()) {
            Ok(()) => on.insert(tool.toolset_name()),
            Err(Denial::ToolsetOff { .. }) => off.insert(tool.toolset_name()),
            Err(_) => continue,
        };
    }
    off.difference(&on).copied().collect()
}

/// That what `these` are is changed by a toolset, if that is off.
fn changed_by(call: &Call<Slack>, these: &str, toolset: &str) -> Option<String> {
    toolsets_off(call).contains(toolset).then(|| {
        format!(
            "{these} are changed by the toolset `{toolset}`, which is off: the operator switches it on with --toolsets."
        )
    })
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Slack";

/// The names that texts mention by their ids.
async fn named_in<'a>(workspace: &Workspace, texts: impl IntoIterator<Item = &'a str>) -> People {
    let mut ids = BTreeSet::new();
    texts.into_iter().for_each(|text| mrkdwn::mentioned(text, &mut ids));
    workspace.names().people(ids).await
}

/// What it takes to show messages: names, the user's zone, and whose workspace it is.
pub(crate) struct Readers {
    pub(crate) people: People,
    pub(crate) zone: TimeZone,
    pub(crate) me: Identity,
}

impl Readers {
    /// For `messages`, and `others` who are named beside them.
    pub(crate) async fn of<'a>(
        workspace: &Workspace,
        messages: impl IntoIterator<Item = &'a Message>,
        others: BTreeSet<String>,
    ) -> Self {
        let messages: Vec<&Message> = messages.into_iter().collect();
        let mut ids = message::people_in(messages.iter().copied());
        ids.extend(others);
        // Who posted through an app or reacted is looked up only beside those who wrote, never in their place.
        let beside = message::posting_in(messages.iter().copied()).into_iter();
        let beside = beside.chain(message::reacting_in(messages)).filter(|id| !ids.contains(id));
        let beside = beside.take(MOST.saturating_sub(ids.len())).collect();
        let names = workspace.names();
        let (zone, me, people, more) =
            futures::join!(names.zone(), names.me(), names.people(ids), names.people(beside));
        Self { people: people.and(more), zone, me: me.unwrap_or_default() }
    }

    /// How messages are shown.
    pub(crate) fn style(&self, names_threads: bool) -> Style<'_> {
        Style { people: &self.people, zone: &self.zone, me: &self.me, names_threads }
    }
}
