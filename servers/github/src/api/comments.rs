//! Comments: of a conversation, and of a review on lines of a pull request.

use connector::{
    Result,
    upstream::{Replay, Request},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Listed, Operation, Target, document,
    issues::{Person, ReactionGroup},
    route, unproven,
};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[&MINIMIZE];

const MINIMIZE: Operation = Operation::write("MinimizeComment", document!("minimize_comment")).idempotent();

/// A comment of a conversation, as GraphQL tells of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Said {
    /// The id that REST knows it by.
    #[serde(rename = "fullDatabaseId")]
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) last_edited_at: String,
    pub(crate) is_minimized: bool,
    pub(crate) minimized_reason: String,
    pub(crate) author_association: String,
    pub(crate) author: Person,
    pub(crate) reaction_groups: Vec<ReactionGroup>,
}

/// A comment as REST tells of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Comment {
    pub(crate) id: String,
    pub(crate) node_id: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) html_url: String,
    pub(crate) author_association: String,
    issue_url: String,
    pull_request_url: String,
    /// The comment that began the thread, if it is a reply.
    #[serde(rename = "in_reply_to_id")]
    pub(crate) in_reply_to: String,
    pub(crate) path: String,
    pub(crate) user: Person,
}

impl Comment {
    /// The number of the issue or pull request that it stands under.
    pub(crate) fn number(&self) -> &str {
        let address = if self.issue_url.is_empty() { &self.pull_request_url } else { &self.issue_url };
        address.rsplit('/').next().unwrap_or_default()
    }
}

/// Which of the two kinds of comments: their ids are not of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// Of the conversation of an issue or a pull request.
    Conversation,
    /// Of a review, on lines of a pull request.
    Review,
}

impl Of {
    fn pick<T>(self, conversation: T, review: T) -> T {
        match self {
            Self::Conversation => conversation,
            Self::Review => review,
        }
    }
}

impl Api {
    /// One comment, fresh.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn comment(&self, repo: &Repo, of: Of, id: u64) -> Result<Comment> {
        let request = one(
            of.pick(
                "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
                "GET /repos/{owner}/{repo}/pulls/comments/{comment_id}",
            ),
            repo,
            id,
        );
        self.json(Target::Repo(repo), request).await
    }

    /// Comments on an issue or pull request. It must not be repeated blindly.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn add_comment(&self, repo: &Repo, number: u64, body: &str) -> Result<Comment> {
        let request = one("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", repo, number)
            .check(format!("Check with get_issue whether {repo}#{number} has the new comment"))
            .json(&json!({"body": body}))?;
        self.json(Target::Repo(repo), request).await
    }

    /// Replies in the thread that the review comment `to` began. It must not be repeated blindly.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn reply_comment(
        &self,
        repo: &Repo,
        number: u64,
        to: u64,
        body: &str,
    ) -> Result<Comment> {
        let values = [repo.owner.as_str(), &repo.name, &number.to_string(), &to.to_string()];
        let request =
            route("POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies", &values)
                .check(format!("Check with get_pr whether the thread in {repo}#{number} has the new reply"))
                .json(&json!({"body": body}))?;
        self.json(Target::Repo(repo), request).await
    }

    /// The comments of an issue or pull request that were changed since a time: its conversation, or those
    /// of its reviews.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn comments_since(
        &self,
        repo: &Repo,
        of: Of,
        number: u64,
        since: &str,
    ) -> Result<Listed<Comment>> {
        let template = of.pick(
            "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
            "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
        );
        let request = one(template, repo, number).query("since", since);
        self.list(Target::Repo(repo), request, None, 100, None).await
    }

    /// Sets a comment's text.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn change_comment(&self, repo: &Repo, of: Of, id: u64, body: &str) -> Result<Comment> {
        let template = of.pick(
            "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
            "PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}",
        );
        let request = one(template, repo, id).json(&json!({"body": body}))?;
        self.json(Target::Repo(repo), request).await
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn delete_comment(&self, repo: &Repo, of: Of, id: u64) -> Result<()> {
        let template = of.pick(
            "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
            "DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}",
        );
        let request = one(template, repo, id)
            .effect(connector::Effect::Destructive)
            .replay(Replay::Idempotent)
            .any_body();
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Reacts to a comment; false if the same reaction was there already, which is then no second one.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn react(&self, repo: &Repo, of: Of, id: u64, content: &str) -> Result<bool> {
        let template = of.pick(
            "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
            "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions",
        );
        let request =
            one(template, repo, id).replay(Replay::Idempotent).json(&json!({"content": content}))?;
        let answer = self.send(Target::Repo(repo), request).await?;
        Ok(answer.status == http::StatusCode::CREATED)
    }

    /// Hides a comment, by its node id, for a reason of GitHub's `ReportedContentClassifiers`; the reason
    /// that it then has.
    ///
    /// # Errors
    /// As [`Api::mutate`]; `upstream` if GitHub did not hide it.
    pub(crate) async fn hide_comment(&self, repo: &Repo, node_id: &str, reason: &str) -> Result<String> {
        let check = "Check with get_issue whether the comment is hidden";
        let answer: Value = self
            .mutate(Target::Repo(repo), &MINIMIZE, json!({"id": node_id, "reason": reason}), check)
            .await?;
        let comment = &answer["minimizeComment"]["minimizedComment"];
        if comment["isMinimized"] != json!(true) {
            return Err(unproven("hidden comment"));
        }
        Ok(comment["minimizedReason"].as_str().unwrap_or_default().to_owned())
    }
}

/// A request of a route about one comment, or about the comments of one issue.
fn one(template: &'static str, repo: &Repo, id: u64) -> Request {
    route(template, &[&repo.owner, &repo.name, &id.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_says_under_what_it_stands() {
        let number = |json| connector::tolerant::from_value::<Comment>(json).unwrap().number().to_owned();
        assert_eq!(number(json!({"issue_url": "https://api.github.com/repos/o/r/issues/471"})), "471");
        assert_eq!(number(json!({"pull_request_url": "https://api.github.com/repos/o/r/pulls/9"})), "9");
        assert_eq!(number(json!({})), "");
    }
}
