//! What became of writes whose answer was lost: by what Notion itself says that it saved, else by looking.
//!
//! Notion has no keys for repeated writes, so nothing that makes something is sent twice; and its times are cut
//! to the minute, so what was made in the minute of an attempt may be its own.

use connector::{
    Error, Kind, Result,
    catalog::{Call, one_line, reconcile::Attempt},
};
use jiff::SignedDuration;
use serde_json::Value;

use crate::{Notion, api::objects::plain, draft::inline};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What a reply says of a write whose answer was lost.
pub(super) fn note(lost: bool) -> &'static str {
    if lost { " (its answer was lost; it is there)" } else { "" }
}

/// What of a batch was not tried, from its `first` on.
pub(super) fn untried(noun: (&str, &str), first: usize, total: usize) -> String {
    if first == total {
        format!("Not tried: {} {total}.", noun.0)
    } else {
        format!("Not tried: {} {first} to {total}.", noun.1)
    }
}

/// A create that begins now.
pub(super) fn attempt(call: &Call<Notion>, kind: &'static str) -> Attempt {
    Attempt::begin(call.api().upstream(), kind).cut_to(MINUTE)
}

/// The id of whoever this server writes as.
pub(super) async fn own_id(call: &Call<Notion>) -> Option<String> {
    call.api().me().await.ok().map(|me| me.id)
}

/// Whether something with an id, a time of creation and a creator may be of an attempt by `me`.
pub(super) fn is_of(attempt: &Attempt, me: &str, id: &str, created: &str, by: &Value) -> bool {
    by["id"] == me && attempt.may_have_made(id, created)
}

/// The same of a block.
pub(super) fn is_of_block(attempt: &Attempt, me: &str, block: &Value) -> bool {
    let text = |field: &str| block[field].as_str().unwrap_or_default();
    is_of(attempt, me, text("id"), text("created_time"), &block["created_by"])
}

/// The last block in `parent` that `is_it`.
pub(super) async fn find_block(
    call: &Call<Notion>,
    parent: &str,
    is_it: impl Fn(&Value) -> bool,
) -> Option<Value> {
    let mut found = None;
    let mut cursor: Option<String> = None;
    loop {
        let page = call.api().children(parent, 100, cursor.as_deref()).await.ok()?;
        let next = page.next(cursor.as_deref()).map(str::to_owned);
        found = page.results.into_iter().rfind(|block| is_it(block)).or(found);
        match next {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

/// Whether rich text says what `markdown` says, its marks aside.
pub(super) fn says(shown: &Value, markdown: &str) -> bool {
    let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let written = inline(markdown, true);
    let runs = written
        .iter()
        .filter_map(|run| run["text"]["content"].as_str().or(run["equation"]["expression"].as_str()));
    let wanted = words(&runs.collect::<String>());
    let mentions = written.iter().any(|run| run["type"] == "mention");
    let said = words(&plain(shown));
    said == wanted || mentions && is_within(&wanted, &said)
}

/// Whether the characters of `part` stand in `whole` in their order: mentions say more than was written.
fn is_within(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|c| whole.any(|other| other == c))
}

/// The error of a batch of `total` whose first write failed: it names which, and that the others were not tried.
pub(super) fn of_first(error: Error, title: &str, total: usize) -> Error {
    if total == 1 {
        return error;
    }
    let message = format!("1 of {total} ({}): {}", one_line(title), error.message());
    let outcome = if error.kind() == Kind::UnknownOutcome { "" } else { "Nothing was written. " };
    let untried = if total == 2 { "2 was".to_owned() } else { format!("2 to {total} were") };
    let hint = format!("{outcome}{untried} not tried. {}", error.hint().unwrap_or_default());
    let mut named =
        Error::new(error.kind(), message).with_hint(hint.trim_end().to_owned()).with_retry(error.retry());
    if let Some(after) = error.retry_after() {
        named = named.with_retry_after(after);
    }
    if let Some(id) = error.request_id() {
        named = named.with_request_id(id);
    }
    named.with_source(error)
}

/// Whether a thing is there no more: what a removal wanted.
///
/// # Errors
/// The failure of the removal, if the thing is still there or cannot be asked for.
pub(super) async fn gone<T, L>(
    sent: Result<T>,
    look: impl Future<Output = Result<L>>,
    is_gone: impl Fn(&L) -> bool,
) -> Result<bool> {
    match sent {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == Kind::UnknownOutcome => match look.await {
            Ok(seen) if is_gone(&seen) => Ok(true),
            Err(missing) if missing.kind() == Kind::NotFound => Ok(true),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}
