//! Initiatives by their names.

use connector::Result;

use super::{find, slug_of_url};
use crate::api::{Api, names::Named};

/// The initiative `wanted`: its name, the id in its address, its address or its id.
pub(crate) async fn initiative(api: &Api, wanted: &str) -> Result<Named> {
    let wanted = slug_of_url(wanted, "initiative").unwrap_or_else(|| wanted.to_owned());
    let all = api.initiative_names().await?;
    let found = find(&wanted, &all)?;
    Ok(Named { id: found.id.clone(), name: found.name.clone() })
}
