//! Releases: listed, found by their tag, made.

use connector::{
    Effect, Result,
    catalog::reconcile::{self, Seen, same_text},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, Listed, OFTEN, Operation, Target, contents::Account, repos::NONE, route};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// A release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Release {
    pub(crate) id: String,
    pub(crate) tag_name: String,
    pub(crate) target_commitish: String,
    pub(crate) name: String,
    pub(crate) body: String,
    pub(crate) draft: bool,
    pub(crate) prerelease: bool,
    pub(crate) created_at: String,
    /// Empty for a draft.
    pub(crate) published_at: String,
    pub(crate) author: Account,
    pub(crate) assets: Vec<Asset>,
    pub(crate) html_url: String,
}

impl Release {
    /// Whether it has these values.
    fn has(&self, fields: &Map<String, Value>) -> bool {
        fields.iter().all(|(name, value)| match name.as_str() {
            "name" => *value == self.name,
            "body" => value.as_str().is_some_and(|body| same_text(body, &self.body)),
            "target_commitish" => *value == self.target_commitish,
            "draft" => *value == self.draft,
            "prerelease" => *value == self.prerelease,
            _ => false,
        })
    }
}

/// A file of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Asset {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) download_count: u64,
}

/// A release that is to be.
#[derive(Clone, Debug)]
pub(crate) struct NewRelease {
    pub(crate) tag: String,
    /// Where the tag is made, if there is none yet.
    pub(crate) target: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) generate_notes: bool,
    pub(crate) draft: bool,
    pub(crate) prerelease: bool,
}

/// What GitHub would write about a release.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Notes {
    pub(crate) name: String,
    pub(crate) body: String,
}

impl Api {
    /// A page of releases, newest first; drafts only for those who may write.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn releases(
        &self,
        repo: &Repo,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Release>> {
        let request =
            route("GET /repos/{owner}/{repo}/releases", &[&repo.owner, &repo.name]).cache(OFTEN, NONE);
        self.list(Target::Repo(repo), request, None, per_page, after).await
    }

    /// The latest release: neither a draft nor a prerelease.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn latest_release(&self, repo: &Repo) -> Result<Option<Release>> {
        let request = route("GET /repos/{owner}/{repo}/releases/latest", &[&repo.owner, &repo.name]);
        self.maybe(Target::Repo(repo), request).await
    }

    /// The release of a tag as it is now, drafts included where they may be seen.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn release(&self, repo: &Repo, tag: &str) -> Result<Option<Release>> {
        let path = [&repo.owner, &repo.name, tag];
        // The tag's last part is one segment for GitHub, slashes and all.
        let request = route("GET /repos/{owner}/{repo}/releases/tags/{tag}", &path);
        if let Some(found) = self.maybe(Target::Repo(repo), request).await? {
            return Ok(Some(found));
        }
        // A draft has no tag of its own yet and stands in the list only, at its top.
        let request = route("GET /repos/{owner}/{repo}/releases", &[&repo.owner, &repo.name]);
        let newest: Listed<Release> = self.list(Target::Repo(repo), request, None, 30, None).await?;
        Ok(newest.items.into_iter().find(|release| release.tag_name == tag))
    }

    /// What GitHub would write about a release of `tag`; nothing is made.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn release_notes(&self, repo: &Repo, tag: &str, target: Option<&str>) -> Result<Notes> {
        let mut body = json!({"tag_name": tag});
        if let Some(target) = target {
            body["target_commitish"] = json!(target);
        }
        let request = route("POST /repos/{owner}/{repo}/releases/generate-notes", &[&repo.owner, &repo.name])
            .effect(Effect::Read)
            .json(&body)?;
        self.json(Target::Repo(repo), request).await
    }

    /// Sets fields of the release that was read as `was`. If the answer is lost, it is looked for, and sent again
    /// only while nobody has changed anything.
    ///
    /// # Errors
    /// As [`Api::json`]; `unknown_outcome` if the release is neither as it was nor as it was to be.
    pub(crate) async fn change_release(
        &self,
        repo: &Repo,
        was: &Release,
        fields: &Map<String, Value>,
    ) -> Result<Release> {
        let send = || async {
            let path = [repo.owner.as_str(), repo.name.as_str(), was.id.as_str()];
            let request =
                route("PATCH /repos/{owner}/{repo}/releases/{release_id}", &path).json(fields)?.check(
                    format!("Check with list_releases what became of the release {} of {repo}", was.tag_name),
                );
            self.json(Target::Repo(repo), request).await
        };
        let look = || async {
            let now = self.release(repo, &was.tag_name).await?.filter(|now| now.id == was.id);
            Ok(match now {
                Some(now) if now.has(fields) => Seen::Done(now),
                Some(now) if now == *was => Seen::Untouched,
                _ => Seen::Changed,
            })
        };
        reconcile::updated(send, look).await.map(|(release, _)| release)
    }

    /// Makes a release.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_release(&self, repo: &Repo, new: &NewRelease) -> Result<Release> {
        let mut body = json!({
            "tag_name": new.tag,
            "draft": new.draft,
            "prerelease": new.prerelease,
            "generate_release_notes": new.generate_notes,
        });
        for (field, value) in [("target_commitish", &new.target), ("name", &new.name), ("body", &new.body)] {
            if let Some(value) = value {
                body[field] = json!(value);
            }
        }
        let request = route("POST /repos/{owner}/{repo}/releases", &[&repo.owner, &repo.name])
            .json(&body)?
            .check(format!("Check with list_releases whether {repo} has a release of {}", new.tag));
        self.json(Target::Repo(repo), request).await
    }
}
