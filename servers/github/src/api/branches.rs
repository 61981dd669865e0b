//! Branches with what one needs to know before one is deleted or merged: their last commit, how far they are from
//! the default branch, and their open pull requests.

use connector::{Result, upstream::Connection};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Operation, Partial, Target, document, incomplete,
    pulls::{Actor, GitActor, Pull},
};
use crate::repo::Repo;

const LIST: Operation = Operation::read("BranchList", document!("branch_list"));

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[&LIST];

/// A branch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) target: Tip,
    branch_protection_rule: Option<Value>,
    ref_update_rule: Option<Value>,
    compare: Option<Distance>,
    associated_pull_requests: Connection<Pull>,
}

/// The commit at the end of a branch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Tip {
    pub(crate) oid: String,
    pub(crate) committed_date: String,
    author: Option<GitActor>,
}

impl Tip {
    /// Who wrote it: a login with `@`, or else a name.
    pub(crate) fn author(&self) -> String {
        match &self.author {
            Some(GitActor { user: Some(user), .. }) => format!("@{}", Actor::name(user)),
            Some(GitActor { name, .. }) => name.clone(),
            None => String::new(),
        }
    }
}

/// How far the default branch is from a branch, which GitHub takes as the base.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Distance {
    ahead_by: u64,
    behind_by: u64,
}

impl Branch {
    /// Whether rules protect it, as far as the token may see them.
    pub(crate) fn is_protected(&self) -> bool {
        self.branch_protection_rule.is_some() || self.ref_update_rule.is_some()
    }

    /// How many commits it has that the default branch lacks, and the other way round; none where that is not known.
    pub(crate) fn ahead_and_behind(&self) -> Option<(u64, u64)> {
        // `Ref.compare` takes the ref as the base (docs.github.com, GraphQL, `Ref`).
        self.compare.map(|of_default| (of_default.behind_by, of_default.ahead_by))
    }

    /// The open pull requests that it is the head of.
    pub(crate) fn pulls(&self) -> impl Iterator<Item = &Pull> {
        self.associated_pull_requests.nodes.iter().filter(|pull| pull.is_open())
    }

    /// The pull request by which all of it was merged, be it squashed.
    pub(crate) fn merged_as(&self) -> Option<&Pull> {
        let mut pulls = self.associated_pull_requests.nodes.iter();
        pulls.find(|pull| pull.is_merged() && pull.head_ref_oid == self.target.oid)
    }
}

impl Api {
    /// A page of the branches of `repo` by name, those that have `query` in it, measured against `default`.
    ///
    /// # Errors
    /// As [`Api::run`].
    pub(crate) async fn branches(
        &self,
        repo: &Repo,
        default: &str,
        query: Option<&str>,
        first: u32,
        after: Option<&str>,
    ) -> Result<Partial<Connection<Branch>>> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Repository>,
        }
        #[derive(Deserialize)]
        struct Repository {
            #[serde(default)]
            refs: Connection<Branch>,
        }
        let variables = json!({
            "owner": repo.owner,
            "name": repo.name,
            "default": default,
            "query": query,
            "first": first,
            "after": after,
        });
        let answer = self.run::<Data>(Target::Repo(repo), &LIST, variables, None).await?;
        let data = answer.data.repository.ok_or_else(|| incomplete("repository"))?.refs;
        Ok(Partial { data, failures: answer.failures })
    }
}
