//! Where a file, a canvas or a list is shared, and so whether it may be read or changed.

use connector::{Effect, Result, catalog::Call};

use super::audience;
use crate::{
    Slack,
    api::types::{Channel, File},
    workspace::Workspace,
};

/// The most conversations of one file that are looked at.
const MOST: usize = 10;
/// The most of them where the operator bounds what is written: each must be within.
const BOUNDED: usize = 50;

/// The conversations that a file is shared in. One that cannot be looked at fails, so that nothing is
/// taken for allowed because it was not seen.
async fn places(workspace: &Workspace, file: &File, most: usize) -> Vec<Result<Channel>> {
    let ids = file.channels.iter().chain(&file.groups).chain(&file.ims).take(most);
    futures::future::join_all(ids.map(|id| workspace.api().conversation(id))).await
}

/// Refuses a file that is shared in no conversation that may be read; and notes a private one.
///
/// # Errors
/// `policy`, or why no place of it could be looked at.
pub(super) async fn readable(call: &Call<Slack>, workspace: &Workspace, file: &File) -> Result<()> {
    let policy = call.policy();
    if !policy.narrows(Effect::Read) && !file.channels.is_empty() {
        return Ok(()); // Shared in a channel that everybody sees.
    }
    let mut refusal = None;
    for place in places(workspace, file, MOST).await {
        match place.and_then(|channel| policy.reads(&channel).map(|()| channel)) {
            Ok(channel) => {
                if file.channels.is_empty() {
                    policy.note_read(call.principal(), &channel);
                }
                return Ok(());
            }
            Err(error) => refusal = Some(error),
        }
    }
    match refusal {
        Some(error) if policy.narrows(Effect::Read) => Err(error),
        Some(_) => Ok(()),
        None => policy.outside("a file that is shared nowhere", Effect::Read),
    }
}

/// Refuses to change a canvas or list that is shared where nothing may be written, and says why a change is
/// asked about.
///
/// # Errors
/// `policy`, or why a place of it could not be looked at.
pub(super) async fn writable(call: &Call<Slack>, workspace: &Workspace, file: &File) -> Result<Vec<String>> {
    let policy = call.policy();
    let mut asks = Vec::new();
    let most = if policy.narrows(Effect::Write) { BOUNDED } else { MOST };
    let places = places(workspace, file, most).await;
    if places.is_empty() {
        policy.outside("a file that is shared nowhere", Effect::Write)?;
    }
    if file.channels.len() + file.groups.len() + file.ims.len() > BOUNDED {
        policy.outside("a file shared in more conversations than are looked at", Effect::Write)?;
    }
    for place in places {
        match place {
            Ok(channel) => {
                policy.writes(&channel)?;
                asks.extend(audience::asks(call, workspace, &channel, &[]).await);
            }
            Err(error) if policy.narrows(Effect::Write) => return Err(error),
            Err(_) => {}
        }
    }
    asks.sort();
    asks.dedup();
    Ok(asks)
}
