//! Initiatives by their names.

use connector::Result;

use super::{Names, find, slug_of_url};
use crate::api::names::Named;

/// The initiative `wanted`: its name, the id in its address, its address or its id.
pub(crate) async fn initiative(names: &Names, wanted: &str) -> Result<Named> {
    names.is_ours(wanted).await?;
    let wanted = slug_of_url(wanted, "initiative").unwrap_or_else(|| wanted.to_owned());
    let all = names.api.initiative_names().await?;
    let found = find(&wanted, &all)?;
    Ok(Named { id: found.id.clone(), name: found.name.clone() })
}
