//! Initiatives by their names.

use std::borrow::Cow;

use connector::{Result, catalog::one_line};

use super::{Entry, find, slug_of_url};
use crate::api::{Api, initiatives::InitiativeName, names::Named};

impl Entry for InitiativeName {
    const WHAT: &'static str = "initiative";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into(), self.slug_id.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("`{}` ({}, {})", one_line(&self.name), one_line(&self.status), self.slug_id)
    }
}

/// The initiative `wanted`: its name, the id in its address, its address or its id.
pub(crate) async fn initiative(api: &Api, wanted: &str) -> Result<Named> {
    let wanted = slug_of_url(wanted, "initiative").unwrap_or_else(|| wanted.to_owned());
    let found = find(&wanted, api.initiative_names().await?).map_err(|miss| miss.into_error())?;
    Ok(Named { id: found.id, name: found.name })
}
