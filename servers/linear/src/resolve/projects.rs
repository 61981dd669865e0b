//! What belongs to projects, by name: their labels and milestones.

use std::borrow::Cow;

use connector::{Result, catalog::one_line};

use super::{Entry, find};
use crate::api::{Api, milestones::Milestone, names::Named, projects::ProjectLabel};

impl Entry for ProjectLabel {
    const WHAT: &'static str = "project label";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("`{}`", one_line(&self.name))
    }
}

impl Entry for Milestone {
    const WHAT: &'static str = "milestone";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("`{}`", one_line(&self.name))
    }
}

/// The project labels `wanted`: each by its name or id.
pub(crate) async fn labels(api: &Api, wanted: &[String]) -> Result<Vec<Named>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<_> = api.project_labels().await?.into_iter().filter(|label| !label.is_group).collect();
    let mut found = Vec::new();
    for wanted in wanted {
        let label = find(wanted, all.clone()).map_err(|miss| miss.into_error())?;
        found.push(Named { id: label.id, name: label.name });
    }
    Ok(found)
}
