//! What belongs to projects, by name: their labels.

use connector::Result;

use super::find;
use crate::api::{Api, names::Named};

/// The project labels `wanted`: each by its name or id.
pub(crate) async fn labels(api: &Api, wanted: &[String]) -> Result<Vec<Named>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<_> = api.project_labels().await?.into_iter().filter(|label| !label.is_group).collect();
    let mut found = Vec::new();
    for wanted in wanted {
        let label = find(wanted, &all)?;
        found.push(Named { id: label.id.clone(), name: label.name.clone() });
    }
    Ok(found)
}
