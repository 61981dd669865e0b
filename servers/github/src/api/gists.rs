//! Gists.

use std::collections::BTreeMap;

use connector::{Effect, Result};
use serde::Deserialize;
use serde_json::Value;

use super::{Api, Listed, Operation, Target, issues::Person, route};

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// A gist.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Gist {
    pub(crate) id: String,
    pub(crate) html_url: String,
    pub(crate) public: bool,
    pub(crate) description: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    comments: Option<f64>,
    pub(crate) owner: Person,
    /// More files than GitHub shows.
    pub(crate) truncated: bool,
    pub(crate) files: BTreeMap<String, Option<File>>,
}

impl Gist {
    /// How many comments it has.
    pub(crate) fn comments(&self) -> u64 {
        super::issues::whole(self.comments)
    }

    /// Its files by name.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().filter_map(|(name, file)| Some((name.as_str(), file.as_ref()?)))
    }
}

/// A file of a gist.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    size: Option<f64>,
    /// Only where a gist is shown alone.
    pub(crate) content: String,
    /// Whether the content is only its first megabyte.
    pub(crate) truncated: bool,
}

impl File {
    /// Bytes.
    pub(crate) fn size(&self) -> u64 {
        super::issues::whole(self.size)
    }
}

impl Api {
    /// The gists of somebody, or one's own, the newest first.
    ///
    /// # Errors
    /// As [`Api::json`]; `policy` where only some repositories are within reach.
    pub(crate) async fn gists(
        &self,
        user: Option<&str>,
        since: Option<&str>,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Gist>> {
        self.bounds().permits_outside("a gist", Effect::Read)?;
        let mut request = match user {
            Some(user) => route("GET /users/{username}/gists", &[user]),
            None => route("GET /gists", &[]),
        };
        if let Some(since) = since {
            request = request.query("since", since);
        }
        self.list(Target::Viewer, request, None, per_page, after).await
    }

    /// One gist with its contents.
    ///
    /// # Errors
    /// As [`Api::json`]; `policy` where only some repositories are within reach.
    pub(crate) async fn gist(&self, id: &str) -> Result<Gist> {
        self.bounds().permits_outside("a gist", Effect::Read)?;
        self.json(Target::Viewer, route("GET /gists/{gist_id}", &[id])).await
    }

    /// Makes a gist.
    ///
    /// # Errors
    /// As [`Api::json`]; `policy` where only some repositories are within reach.
    pub(crate) async fn create_gist(&self, fields: &Value) -> Result<Gist> {
        self.bounds().permits_outside("a gist", Effect::Write)?;
        let request =
            route("POST /gists", &[]).json(fields)?.check("Check with list_gists whether it is there");
        self.json(Target::Viewer, request).await
    }

    /// Changes a gist: contents are given whole, so a repeat does no more.
    ///
    /// # Errors
    /// As [`Api::json`]; `policy` where only some repositories are within reach.
    pub(crate) async fn change_gist(&self, id: &str, fields: &Value) -> Result<Gist> {
        self.bounds().permits_outside("a gist", Effect::Write)?;
        let request = route("PATCH /gists/{gist_id}", &[id]).json(fields)?;
        self.json(Target::Viewer, request).await
    }
}
