//! Resources: GitHub's things under addresses of their own. They read as the tools do.

use std::time::Duration;

use connector::{
    Effect, Error, Result,
    catalog::{Call, Reply, Resource, ResourceTemplate, Variables},
    settings::{Config, Setting, SettingKind},
};
use serde_json::json;

use crate::{GitHub, repo::Repo, tools::context::account};

/// What can be written in a search, for a person or a model that attaches it.
const SEARCH_SYNTAX: &str = "\
How to search GitHub (the search tool's `query`; `kind` says what is looked for).

Everywhere: words are joined by AND; \"exact words\" in quotes; -qualifier:value leaves out; at most 256 characters, \
five AND, OR or NOT, and 1,000 results. repo:owner/name, user:login or org:name narrow it down.

Issues and pull requests: is:open, is:closed, is:merged, is:draft, author:login, assignee:login, mentions:login, \
involves:login (@me is you), label:bug, label:\"good first issue\", no:assignee, no:label, milestone:\"v2.15\", type:Bug, \
in:title, in:body, in:comments, created:>=2026-11-01, updated:2026-11-01..2026-11-30, closed:<2026-11-01, comments:>5, \
linked:pr, reason:completed. For pull requests: review:required, review:approved, review:changes_requested, \
review-requested:@me, reviewed-by:login, status:success, status:failure, base:main, head:branch.

Code: only default branches and files under 384 kB. language:rust, path:src/, filename:Cargo.toml, extension:yml, \
symbol and words of the text; at least one word.

Repositories: language:rust, stars:>100, pushed:>2026-01-01, topic:name, archived:false, is:public, is:private, \
license:mit, in:name, in:description, in:readme.

Commits: author:login, committer:login, author-date:>=2026-11-01, hash:abc123, merge:false.

Users and organizations: type:user, type:org, in:login, in:name, location:Oslo, repos:>10, followers:>100.

Source: docs.github.com, \"Searching on GitHub\".";

/// The settings of what is watched.
pub(crate) const SETTINGS: &[Setting] = &[Setting {
    key: "watch-seconds",
    env: "GITHUB_WATCH_SECONDS",
    kind: SettingKind::Seconds,
    default: Some("30"),
    help: "How often a subscribed resource is looked at",
}];

/// What is asked for more often comes from what was kept, and no news would be seen.
const SHORTEST_WATCH: Duration = Duration::from_secs(10);

/// How often what is watched is looked at.
///
/// # Errors
/// `invalid_argument` for less than ten seconds.
pub(crate) fn poll_interval(config: &Config) -> Result<Duration> {
    let interval = config.seconds("watch-seconds").unwrap_or(Duration::from_secs(30));
    if interval < SHORTEST_WATCH {
        return Err(Error::invalid("GITHUB_WATCH_SECONDS is too short")
            .with_hint(format!("Give at least {} seconds", SHORTEST_WATCH.as_secs())));
    }
    Ok(interval)
}

/// The resources with a fixed address.
pub(crate) fn all() -> Vec<Resource<GitHub>> {
    vec![
        Resource::of_tool(
            "github://me",
            "me",
            "You on GitHub",
            "Whose credential this is, what it may do, organizations and teams.",
            "whoami",
            json!({"include": ["orgs", "teams"]}),
        ),
        Resource::new(
            "github://rate-limit",
            "rate-limit",
            "Rate limits",
            "What is left of GitHub's limits.",
            |call: Call<GitHub>| async move {
                let limits = call.api().limits().await?;
                Ok(Reply::new(format!("Limits left: {}.", account::limits_line(&limits))))
            },
        )
        .needs(&["whoami"]),
        Resource::new(
            "github://search-syntax",
            "search-syntax",
            "How to search",
            "The qualifiers that GitHub's searches take.",
            |_| async { Ok(Reply::new(SEARCH_SYNTAX)) },
        ),
    ]
}

/// The families of resources.
pub(crate) fn templates() -> Vec<ResourceTemplate<GitHub>> {
    let mut templates = vec![
        ResourceTemplate::of_tool(
            "github://{owner}/{repo}",
            "repository",
            "A repository",
            "What a repository is, with its README.",
            "get_repo",
            |given| Ok(json!({"repo": name(given), "include": ["readme"]})),
        ),
        ResourceTemplate::of_tool(
            "github://{owner}/{repo}/blob/{ref}/{+path}",
            "file",
            "A file",
            "A file at a branch, tag or commit; slashes in the ref are written %2F.",
            "read_file",
            |given| Ok(json!({"repo": name(given), "ref": given.text("ref"), "path": given.text("path")})),
        )
        .slashes("ref"),
        ResourceTemplate::of_tool(
            "github://{owner}/{repo}/issues/{number}",
            "issue",
            "An issue",
            "An issue with its comments.",
            "get_issue",
            |given| {
                Ok(json!({"repo": name(given), "number": given.number("number")?, "include": ["comments"]}))
            },
        )
        .subscribable(watchable, |call, given| async move {
            call.api().issue_version(&repo(&given)?, id(&given)?).await
        }),
        ResourceTemplate::of_tool(
            "github://{owner}/{repo}/pull/{number}",
            "pull-request",
            "A pull request",
            "A pull request with its checks, reviews and threads.",
            "get_pr",
            |given| {
                let include = ["checks", "reviews", "threads", "comments"];
                Ok(json!({"repo": name(given), "number": given.number("number")?, "include": include}))
            },
        )
        .subscribable(watchable, |call, given| async move {
            call.api().pull_version(&repo(&given)?, id(&given)?).await
        }),
        ResourceTemplate::of_tool(
            "github://{owner}/{repo}/pull/{number}/diff",
            "diff",
            "A pull request's diff",
            "What a pull request changes.",
            "get_diff",
            |given| Ok(json!({"repo": name(given), "number": given.number("number")?, "detail": "patch"})),
        ),
        ResourceTemplate::of_tool(
            "github://{owner}/{repo}/runs/{run_id}",
            "run",
            "A workflow run",
            "A run of CI with its jobs and what failed.",
            "get_run",
            |given| {
                let include = ["jobs", "annotations", "artifacts"];
                Ok(json!({"repo": name(given), "run_id": given.number("run_id")?, "include": include}))
            },
        )
        .subscribable(watchable, |call, given| async move {
            call.api().run_version(&repo(&given)?, id(&given)?).await
        }),
        ResourceTemplate::of_tool(
            "github://{owner}/{repo}/runs/{run_id}/log",
            "log",
            "A run's log",
            "The ends of the logs of a run's failed jobs.",
            "get_job_logs",
            |given| Ok(json!({"repo": name(given), "run_id": given.number("run_id")?})),
        ),
    ];
    templates.extend(contents());
    templates
}

/// The addresses of files that GitHub's own server has.
fn contents() -> [ResourceTemplate<GitHub>; 5] {
    let template = |template, name, title, at: fn(&Variables) -> Result<Option<String>>| {
        let read =
            move |call: Call<GitHub>, given: Variables| async move { file(&call, &given, at(&given)?).await };
        ResourceTemplate::new(template, name, title, "A file, or the files of a folder.", read)
            .needs(&["read_file", "list_tree"])
    };
    [
        template(
            "repo://{owner}/{repo}/contents{/path*}",
            "contents",
            "A file of the default branch",
            |_| Ok(None),
        ),
        template(
            "repo://{owner}/{repo}/refs/heads/{branch}/contents{/path*}",
            "branch-contents",
            "A file of a branch",
            |given| Ok(Some(given.text("branch").to_owned())),
        )
        .slashes("branch"),
        template(
            "repo://{owner}/{repo}/refs/tags/{tag}/contents{/path*}",
            "tag-contents",
            "A file of a tag",
            |given| Ok(Some(given.text("tag").to_owned())),
        )
        .slashes("tag"),
        template(
            "repo://{owner}/{repo}/sha/{sha}/contents{/path*}",
            "commit-contents",
            "A file of a commit",
            |given| Ok(Some(given.text("sha").to_owned())),
        ),
        template(
            "repo://{owner}/{repo}/refs/pull/{prNumber}/head/contents{/path*}",
            "pull-request-contents",
            "A file of a pull request",
            |given| Ok(Some(format!("pull/{}", given.number("prNumber")?))),
        ),
    ]
}

/// A file, or the files of the whole repository where no path is given.
async fn file(call: &Call<GitHub>, given: &Variables, at: Option<String>) -> Result<Reply> {
    let path = given.text("path");
    let (tool, mut arguments) = if path.is_empty() {
        ("list_tree", json!({"repo": name(given), "limit": 100}))
    } else {
        ("read_file", json!({"repo": name(given), "path": path}))
    };
    if let Some(at) = at {
        arguments["ref"] = json!(at);
    }
    call.tool(tool, arguments).await
}

/// Whether an address is that of something to watch, in a repository that may be read.
fn watchable(server: &GitHub, given: &Variables) -> Result<()> {
    id(given)?;
    server.bounds().permits(&repo(given)?, Effect::Read)
}

/// The repository of an address, as its full name.
fn name(given: &Variables) -> String {
    format!("{}/{}", given.text("owner"), given.text("repo"))
}

/// The repository of an address.
fn repo(given: &Variables) -> Result<Repo> {
    Repo::parse(&name(given))
}

/// What is watched in it, by the last of its variables.
fn id(given: &Variables) -> Result<u64> {
    given.number(if given.contains_key("run_id") { "run_id" } else { "number" })
}

#[cfg(test)]
mod tests {
    use connector::settings::Value as Setting;

    use super::*;

    #[test]
    fn looking_more_often_than_every_ten_seconds_is_refused() {
        let mut config = Config::default();
        assert_eq!(poll_interval(&config).unwrap(), Duration::from_secs(30));
        config.set("watch-seconds", Setting::Number(10));
        assert_eq!(poll_interval(&config).unwrap(), Duration::from_secs(10));
        config.set("watch-seconds", Setting::Number(9));
        let error = poll_interval(&config).unwrap_err();
        assert!(error.for_agent().contains("GITHUB_WATCH_SECONDS is too short"), "{}", error.for_agent());
    }
}
