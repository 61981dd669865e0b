//! Who will read what is written, and whether they could read before what was read in private.

use std::collections::BTreeSet;

use connector::catalog::{Call, words::listed};

use super::compose::{Composed, Mentioned};
use crate::{
    Slack,
    api::types::{Channel, User},
    policy::Reading,
    resolve::Destination,
    workspace::Workspace,
};

/// The most private conversations that a question names.
const NAMED: usize = 3;
/// The most private conversations whose members are compared; of what was read in others it is asked.
const COMPARED: usize = 10;
/// The most readers who are compared; where there are more, it is asked.
const READERS: u32 = 200;

/// Why a text for `channel` is asked about before it is written. `begun_with` are the readers of direct
/// messages that nobody has begun.
pub(super) async fn asks(
    call: &Call<Slack>,
    workspace: &Workspace,
    channel: &Channel,
    begun_with: &[User],
) -> Vec<String> {
    let mut asks = Vec::new();
    if channel.is_ext_shared {
        asks.push("the channel is shared with another organization".to_owned());
    }
    let read = call.policy().read_elsewhere(call.principal(), channel);
    let names = carried(workspace, channel, begun_with, read).await;
    if !names.is_empty() {
        asks.push(format!(
            "private text was read before in {}, and this has other readers",
            listed(&names, NAMED)
        ));
    }
    asks
}

/// The conversations of `read` that somebody who reads `channel` is not in.
async fn carried(
    workspace: &Workspace,
    channel: &Channel,
    begun_with: &[User],
    read: Vec<Reading>,
) -> Vec<String> {
    if read.is_empty() {
        return Vec::new();
    }
    let readers = readers(workspace, channel, begun_with).await;
    let compared = read.iter().take(COMPARED).map(async |reading| match &readers {
        Some(readers) => {
            let readers: Vec<&str> = readers.iter().map(String::as_str).collect();
            let there = workspace.api().has_members(&reading.id, &readers).await;
            !there.is_ok_and(|there| there.into_iter().all(|there| there))
        }
        None => true,
    });
    let others: Vec<bool> = futures::future::join_all(compared).await;
    let others = others.into_iter().chain(std::iter::repeat(true));
    let names: BTreeSet<String> =
        read.into_iter().zip(others).filter(|(_, others)| *others).map(|(reading, _)| reading.name).collect();
    names.into_iter().collect()
}

/// Who reads a conversation besides the token's owner; none if that is everybody, too many, or not known.
async fn readers(workspace: &Workspace, channel: &Channel, begun_with: &[User]) -> Option<Vec<String>> {
    if channel.is_ext_shared || !channel.is_closed() {
        return None;
    }
    let me = workspace.names().me().await.ok()?.user_id;
    let mut readers: Vec<String> = if channel.id.is_empty() {
        begun_with.iter().map(|user| user.id.clone()).collect()
    } else {
        let page = workspace.api().members(&channel.id, READERS, None).await.ok()?;
        if page.next().is_some() {
            return None;
        }
        page.rows
    };
    readers.retain(|user| *user != me);
    Some(readers)
}

/// The most people of one text of whom it is asked whether they are where it goes.
const MENTIONED: usize = 10;
/// The most members of a channel that everybody sees: of one page.
const PAGE: u64 = 1_000;

/// Tells of the people whom a text mentions who is not where it goes: Slack notifies nobody else.
pub(super) async fn told(workspace: &Workspace, destination: &Destination, composed: &mut Composed) {
    let ids: Vec<String> = composed.mentioned.iter().filter_map(|one| one.id.clone()).collect();
    if ids.is_empty() {
        return;
    }
    let there = match destination {
        Destination::New(users) => {
            Some(ids.iter().map(|id| users.iter().any(|user| user.id == *id)).collect::<Vec<_>>())
        }
        Destination::Known(channel) => {
            let few = channel.is_closed() || channel.num_members.is_some_and(|members| members <= PAGE);
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            if few && ids.len() <= MENTIONED {
                workspace.api().has_members(&channel.id, &ids).await.ok()
            } else {
                None
            }
        }
    };
    let Some(there) = there else {
        composed.are_there = false;
        return;
    };
    let absent: BTreeSet<&String> =
        ids.iter().zip(there).filter(|(_, there)| !there).map(|(id, _)| id).collect();
    let (gone, stay) = std::mem::take(&mut composed.mentioned)
        .into_iter()
        .partition(|one| one.id.as_ref().is_some_and(|id| absent.contains(id)));
    composed.mentioned = stay;
    let gone: Vec<String> = gone.into_iter().map(|one: Mentioned| one.told).collect();
    if !gone.is_empty() {
        composed.told.push(format!("not in the conversation, so not notified: {}", gone.join(", ")));
    }
}
