//! Pages and databases that a text would take from where they are: Notion moves what a `<page url>` or
//! `<database url>` of another place names (developers.notion.com/guides/data-apis/enhanced-markdown).

use connector::{
    Kind, Result,
    catalog::{Call, words},
};

use crate::{Notion, dialect::children, render, resolve::linked::place};

/// Pages that are named; the others are counted.
const NAMED: usize = 10;

/// What the text `new` of the page `own` would move into it, beyond what `old` holds: `Retry a failed import in
/// Runbooks`, each.
pub(super) async fn moved(
    call: &Call<Notion>,
    own: Option<&str>,
    old: &str,
    new: &str,
) -> Result<Vec<String>> {
    let held: Vec<String> = children(old).into_iter().map(|(id, _)| id).collect();
    let mut gained: Vec<String> = children(new).into_iter().map(|(id, _)| id).collect();
    gained.retain(|id| !held.contains(id));
    gained.sort_unstable();
    gained.dedup();
    let mut moved = Vec::new();
    for id in gained.iter().take(NAMED) {
        let found = match call.api().page(id).await {
            Err(error) if error.kind() == Kind::NotFound => call.api().database(id).await,
            found => found,
        };
        let item = match found {
            Ok(item) => item,
            // What this connection does not see, it does not move.
            Err(error) if error.kind() == Kind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let is_here = own.is_some_and(|own| {
            item.parent_id().is_some_and(|(_, parent)| render::bare(parent) == render::bare(own))
        });
        if !is_here {
            let from = place(&item, &call.places(&[&item]).await);
            moved.push(format!("{}{from}", render::title(&item.name())));
        }
    }
    if gained.len() > NAMED {
        moved.push(words::counted(gained.len() - NAMED, ("more page", "more pages")));
    }
    Ok(moved)
}
