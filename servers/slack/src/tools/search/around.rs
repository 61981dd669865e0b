//! What stands around a message that was found: the nearest messages before and after it, where they are asked for.
//! Real-time Search gives them with the row; beside the legacy search they are read.

use connector::catalog::{excerpt, minute_in, one_line};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::{READ, backends::Found};
use crate::{
    api::types::{Channel, Identity, Message},
    render::message::{author, said},
    resolve::{people::People, time::parse_ts},
    tools::one_message::around,
    workspace::Workspace,
};

/// So many messages on each side are shown.
const NEAREST: u32 = 2;
/// Characters of each.
const EXCERPT: usize = 160;

/// Messages before and after one, oldest first.
#[derive(Default)]
pub(super) struct Around {
    pub(super) before: Vec<Message>,
    pub(super) after: Vec<Message>,
}

impl Around {
    pub(super) fn all(&self) -> impl Iterator<Item = &Message> + Clone {
        self.before.iter().chain(&self.after)
    }

    /// The nearest of what Slack gave.
    pub(super) fn nearest(mut self) -> Self {
        let most = NEAREST as usize;
        self.before.drain(..self.before.len().saturating_sub(most));
        self.after.truncate(most);
        self
    }
}

/// One of them in structured content.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Beside {
    ts: String,
    author: String,
    text: String,
}

/// Reads what stands around the first rows, of which the search gave nothing.
pub(super) async fn read(workspace: &Workspace, rows: &mut [(usize, Found)]) {
    let lacking = rows.iter_mut().map(|(_, row)| row).filter(|row| row.around.all().next().is_none());
    let reads = lacking.take(READ).map(async |row| {
        let channel = Channel { id: row.channel_id.clone(), ..Channel::default() };
        let thread_ts = row.thread().or(row.message.thread_ts.clone());
        let found = Message { ts: row.message.ts.clone(), thread_ts, ..Message::default() };
        if let Ok(all) = around(workspace, &channel, &found, NEAREST).await {
            let (before, after) = all.into_iter().partition(|message| message.ts < found.ts);
            row.around = Around { before, after };
        }
    });
    futures::future::join_all(reads).await;
}

/// The lines below a row, and their data.
pub(super) fn lines(
    around: &Around,
    people: &People,
    me: &Identity,
    zone: &TimeZone,
) -> (String, Vec<Beside>) {
    let (mut lines, mut items) = (String::new(), Vec::new());
    for (word, messages) in [("before", &around.before), ("after", &around.after)] {
        for message in messages {
            let at = parse_ts(&message.ts).map(|at| minute_in(at, zone)).unwrap_or_default();
            let author = author(message, people, me);
            let (text, more) = excerpt(&one_line(&said(message, people)), 0, EXCERPT);
            let cut = if more.is_some() { "…" } else { "" };
            lines.push_str(&format!("\n  {word} it: {} {at} {author}: {text}{cut}", message.ts));
            items.push(Beside { ts: message.ts.clone(), author, text });
        }
    }
    (lines, items)
}
