//! GitHub, as the shared tests see it. What is named here stands in the story in `fixtures`.

mod marked;

use connector::{
    sandbox::{Action, Change},
    settings::Value as Setting,
};
use github_mcp::GitHub;
use serde_json::{Value, json};

use crate::{Bounded, IdForm, IdWalk, Marked, Overtaken, Sample, Subject};

/// The server that this is about.
pub type Server = GitHub;

/// The company's repository, its open pull request, the issue of the incident, the newest issue, the run that
/// failed; a comment of the caller's, a review thread, a notification, a branch.
const REPO: &str = "harbor-example/import-api";
const PULL: u64 = 485;
const ISSUE: u64 = 471;
const NEWEST: u64 = 490;
const RUN: u64 = 90_043;
const COMMENT: u64 = 47_105;
const THREAD: &str = "PRRT_kwDOAAAAAAAAvYE";
const NOTIFICATION: &str = "81005";
const BRANCH: &str = "feature/with-slash/and-more";

/// A call about the company's repository.
fn about(tool: &'static str, mut arguments: Value) -> Sample {
    arguments["repo"] = json!(REPO);
    Sample::new(tool, arguments)
}

fn conversation() -> Sample {
    about("get_issue", json!({"number": ISSUE, "include": ["comments", "timeline", "linked_prs"]}))
}

fn pull() -> Sample {
    let include = ["checks", "reviews", "threads", "comments", "commits"];
    about("get_pr", json!({"number": PULL, "include": include}))
}

impl Subject for GitHub {
    const LIST_BUDGET: usize = 6_000;
    const TWENTY_ROWS_BUDGET: usize = 1_200;
    const CREDENTIAL: &'static str = "token";
    const REFUSED_CREDENTIAL: &'static str = "ghp_revoked0k3k8f2m1x7c5v9q4w6e";
    const READ_ONLY_CREDENTIAL: Option<(&'static str, &'static str)> =
        Some(("github_pat_sandbox0maya0readonly", "contents=write"));
    /// 2,000 points of GraphQL a minute, which no header of GitHub's can raise.
    const PACE: (usize, Option<usize>) = (100, Some(500));
    const LACKS: &'static [(&'static str, &'static str)] =
        &[("one_of_several_gone", "no tool takes several names at once and reads them one by one")];

    const NOT_MARKED: &'static [(&'static str, &'static str)] = marked::NOT_MARKED;

    fn reads() -> Vec<Sample> {
        vec![
            Sample::new("whoami", json!({"include": ["orgs", "teams"]})),
            Sample::new("search", json!({"kind": "issues", "query": "import", "repo": REPO})),
            Sample::new("search", json!({"kind": "code", "query": "chunk", "repo": REPO})),
            Sample::new("list_members", json!({"org": "harbor-example"})),
            Sample::new("list_repos", json!({"owner": "harbor-example"})),
            about("get_repo", json!({"include": ["readme", "labels", "milestones", "issue_types"]})),
            about("read_file", json!({"path": "src/chunks.rs"})),
            about("list_tree", json!({"glob": "src/**"})),
            about("list_refs", json!({"kind": "branches"})),
            about("list_commits", json!({"limit": 10})),
            about("get_diff", json!({"number": PULL, "detail": "patch"})),
            about("list_releases", json!({})),
            about("list_issues", json!({"state": "all", "limit": 50})),
            conversation(),
            Sample::new("get_issue", json!({"repo": "harbor-example/docs", "number": 12})),
            about("list_prs", json!({"state": "all"})),
            pull(),
            about("list_runs", json!({})),
            about("get_run", json!({"run_id": RUN, "include": ["jobs", "annotations"]})),
            about("get_job_logs", json!({"run_id": RUN})),
            Sample::new("list_notifications", json!({})),
            Sample::new("list_project", json!({"owner": "harbor-example", "number": 4})),
            about("list_discussions", json!({})),
            Sample::new("list_gists", json!({})),
            about("list_alerts", json!({"kind": "dependabot"})),
            Sample::new("api_get", json!({"path": format!("/repos/{REPO}/topics")})),
        ]
    }

    fn writes() -> Vec<Sample> {
        vec![
            Sample::new("create_repo", json!({"name": "runbooks", "org": "harbor-example"})),
            about(
                "commit_files",
                json!({"branch": BRANCH, "message": "Say when it is done", "changes": [
                    {"path": "docs/done.md", "content": "Two clean nights.\n"},
                    {"path": "docs/import.md", "delete": true}]}),
            ),
            about("manage_ref", json!({"action": "delete", "kind": "branch", "name": "release/2.14"})),
            about("create_release", json!({"tag": "v2.14.1", "target": "main", "name": "v2.14.1"})),
            about("create_issue", json!({"title": "Write the runbook", "labels": ["importer"]})),
            about("update_issue", json!({"number": NEWEST, "add_labels": ["P1"], "state": "closed"})),
            about("link_issues", json!({"number": 473, "relation": "sub_issue", "target": "#490"})),
            about("add_comment", json!({"number": NEWEST, "body": "Seen on staging too."})),
            about("edit_comment", json!({"comment_id": COMMENT, "action": "delete"})),
            about("create_pr", json!({"title": "More of it", "head": BRANCH})),
            about("update_pr", json!({"number": PULL, "add_reviewers": ["aiko"]})),
            about("review_pr", json!({"number": PULL, "event": "comment", "body": "Almost there."})),
            Sample::new("resolve_threads", json!({"thread_ids": [THREAD]})),
            about("merge_pr", json!({"number": 487, "mode": "auto"})),
            about("run_workflow", json!({"action": "rerun_failed", "run_id": RUN})),
            about("manage_label", json!({"action": "create", "name": "runbook", "color": "00aaff"})),
            about("manage_milestone", json!({"action": "create", "milestone": "v2.16"})),
            Sample::new("update_notifications", json!({"action": "read", "ids": [NOTIFICATION]})),
            Sample::new(
                "update_project_items",
                json!({"owner": "harbor-example", "number": 4, "action": "add", "items": [format!("{REPO}#{NEWEST}")]}),
            ),
            about("write_discussion", json!({"action": "comment", "number": 428, "body": "Written down."})),
            Sample::new(
                "save_gist",
                json!({"description": "Counts", "files": [{"name": "counts.sql", "content": "select 1;"}]}),
            ),
        ]
    }

    fn marked_writes(marker: &str) -> Vec<Marked> {
        marked::writes(marker)
    }

    fn listing() -> (Sample, &'static str) {
        (about("list_issues", json!({"limit": 7})), "IssueList")
    }

    fn twenty_rows() -> Sample {
        about("list_issues", json!({"limit": 20}))
    }

    fn repeatable_create() -> Option<(Sample, &'static str)> {
        let begin = json!({"action": "create", "kind": "branch", "name": "hotfix/night", "from": "main"});
        Some((about("manage_ref", begin), "POST /repos/{owner}/{repo}/git/refs"))
    }

    fn once_only_write() -> Option<(Sample, &'static str)> {
        let inputs = json!({"environment": "staging", "version": "v2.14.0"});
        let dispatch =
            json!({"action": "dispatch", "workflow": "deploy.yml", "ref": "main", "inputs": inputs});
        let operation = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches";
        Some((about("run_workflow", dispatch), operation))
    }

    fn partial_write() -> Option<(Sample, &'static str, Value)> {
        let errors = json!([{"message": "The pull request could not be read", "type": "SERVICE_UNAVAILABLE",
            "path": ["convertPullRequestToDraft", "pullRequest", "mergeable"]}]);
        Some((about("update_pr", json!({"number": PULL, "set": "draft"})), "PullToDraft", errors))
    }

    fn read_one() -> (Sample, &'static str) {
        (about("get_issue", json!({"number": ISSUE})), "IssueGet")
    }

    fn cached_read() -> Option<(Sample, &'static str)> {
        Some((about("get_repo", json!({})), "GET /repos/{owner}/{repo}"))
    }

    fn drifts() -> Vec<(Sample, &'static str, Action)> {
        let set = |pointer: &str, value: Value| Change::set(pointer, value);
        let list = |change| {
            let patch = Action::Patch { changes: vec![change] };
            (about("list_issues", json!({"limit": 5})), "IssueList", patch)
        };
        let get = |change| (conversation(), "IssueGet", Action::Patch { changes: vec![change] });
        let releases = |change| {
            let patch = Action::Patch { changes: vec![change] };
            (about("list_releases", json!({})), "GET /repos/{owner}/{repo}/releases", patch)
        };
        vec![
            list(set("/data/repository/issues/nodes/*/state", json!("PAUSED"))),
            list(set("/data/repository/issues/nodes/0/author", Value::Null)),
            list(set("/data/repository/issues/nodes/*/number", json!("7"))),
            list(set("/data/repository/issues/totalCount", json!("12"))),
            list(set("/data/repository/issues/nodes/0", Value::Null)),
            list(Change::remove("/data/repository/issues/nodes/0/labels")),
            get(set("/data/repository/issueOrPullRequest/author", Value::Null)),
            get(set("/data/repository/issueOrPullRequest/labels", Value::Null)),
            releases(set("/0/author", Value::Null)),
            releases(set("/*/id", json!("7"))),
            releases(Change::remove("/0/published_at")),
        ]
    }

    fn one_of_several_gone() -> Option<(Sample, &'static str, &'static str)> {
        None
    }

    fn foreign_addresses() -> Vec<Sample> {
        let place = format!("https://github.example.com/{REPO}");
        let issue = format!("{place}/issues/{NEWEST}");
        vec![
            Sample::new("list_issues", json!({"repo": place})),
            Sample::new("update_issue", json!({"repo": place, "number": NEWEST, "state": "closed"})),
            about("link_issues", json!({"number": NEWEST, "relation": "blocked_by", "target": issue})),
            about("create_issue", json!({"title": "x", "parent": issue})),
        ]
    }

    fn outdated_write() -> Option<Sample> {
        let past = "2020-01-01T00:00:00Z";
        Some(about("update_issue", json!({"number": NEWEST, "state": "closed", "expected_updated_at": past})))
    }

    fn overtaken() -> Vec<Overtaken> {
        let note = |branch: &str| {
            let changes = json!([{"path": "docs/meanwhile.md", "content": "Meanwhile.\n"}]);
            about("commit_files", json!({"branch": branch, "message": "Meanwhile", "changes": changes}))
        };
        let changes = json!([{"path": "docs/import.md", "delete": true}]);
        let project = |item: &str| {
            let items = json!([format!("{REPO}#{item}")]);
            let arguments =
                json!({"owner": "harbor-example", "number": 4, "action": "remove", "items": items});
            Sample::new("update_project_items", arguments)
        };
        let gist = |content: &str| {
            let files = json!([{"name": "result.md", "content": content}]);
            Sample::new("save_gist", json!({"id": "6f1d2c3b4a5968778695a4b3c2d1e0f1", "files": files}))
        };
        let link = |more: Value| {
            let mut link = json!({"number": 473, "relation": "sub_issue", "target": "#490"});
            link.as_object_mut()
                .into_iter()
                .for_each(|link| link.extend(more.as_object().cloned().unwrap_or_default()));
            about("link_issues", link)
        };
        let title = |number: u64| about("update_issue", json!({"number": number, "title": "Meanwhile"}));
        let rerun = about("run_workflow", json!({"action": "rerun_failed", "run_id": RUN}));
        let draft =
            |notes: &str| about("create_release", json!({"tag": "v2.15.0", "draft": true, "body": notes}));
        let on = |asks, meanwhile| Overtaken::new(asks, meanwhile);
        vec![
            on(
                about("commit_files", json!({"branch": BRANCH, "message": "Gone", "changes": changes})),
                note(BRANCH),
            ),
            on(
                about("manage_ref", json!({"action": "delete", "kind": "branch", "name": "release/2.14"})),
                note("release/2.14"),
            ),
            on(about("update_issue", json!({"number": NEWEST, "body": "All new."})), title(NEWEST)),
            Overtaken { before: vec![link(json!({}))], ..on(link(json!({"remove": true})), title(NEWEST)) },
            on(
                about("edit_comment", json!({"comment_id": COMMENT, "action": "delete"})),
                about(
                    "edit_comment",
                    json!({"comment_id": COMMENT, "action": "update", "body": "Meanwhile."}),
                ),
            ),
            on(
                about("update_pr", json!({"number": PULL, "body": "All new."})),
                about("update_pr", json!({"number": PULL, "title": "Meanwhile"})),
            ),
            on(about("merge_pr", json!({"number": 487, "mode": "auto"})), note("dependabot/cargo/hyper-1.9")),
            on(rerun.clone(), rerun),
            Overtaken {
                before: vec![draft("Faster.")],
                ..on(about("create_release", json!({"tag": "v2.15.0"})), draft("Faster. And meanwhile."))
            },
            on(
                about("manage_label", json!({"action": "delete", "name": "P2"})),
                about("manage_label", json!({"action": "update", "name": "P2", "description": "Meanwhile"})),
            ),
            on(
                about("manage_milestone", json!({"action": "delete", "milestone": "v2.15"})),
                about(
                    "manage_milestone",
                    json!({"action": "update", "milestone": "v2.15", "new_title": "v2.15.0"}),
                ),
            ),
            on(project("474"), project("474")),
            on(
                about("write_discussion", json!({"action": "update", "number": 428, "body": "All new."})),
                about("write_discussion", json!({"action": "update", "number": 428, "title": "Meanwhile"})),
            ),
            on(gist("None.\n"), gist("Meanwhile.\n")),
        ]
    }

    fn bounded() -> Option<Bounded> {
        let list = |names: &[&str]| Setting::List(names.iter().map(ToString::to_string).collect());
        Some(Bounded {
            not_read: vec![("allow-repos", list(&["maya/*"]))],
            marker: "import-api",
            refused: 30,
            not_written: vec![
                ("allow-repos", list(&["harbor-example/*"])),
                ("allow-write-repos", list(&["harbor-example/web"])),
            ],
            writes_there: |sample| sample.arguments.get("repo") == Some(&json!(REPO)),
            said: "--allow-write-repos",
        })
    }

    fn ids() -> Vec<IdWalk> {
        let walk = |needed, given_by: Sample, form, mut others: Value| {
            others["repo"] = json!(REPO);
            IdWalk { needed, given_by, form, others }
        };
        let issue = |needed, others| {
            walk(needed, about("list_issues", json!({"limit": 3})), IdForm::DigitsAfter("#"), others)
        };
        let of_pull = |needed, others| {
            walk(needed, about("list_prs", json!({"limit": 1})), IdForm::DigitsAfter("#"), others)
        };
        let of_run = |needed, others| {
            walk(
                needed,
                about("list_runs", json!({"status": "failure", "limit": 1})),
                IdForm::DigitsAfter("\n"),
                others,
            )
        };
        // Only the caller's own comments can be edited by everybody.
        let comment = |needed, others| walk(needed, conversation(), IdForm::DigitsAfter("comment "), others);
        let in_pull = |needed, form, others| walk(needed, pull(), form, others);
        let alone = |needed, given_by, form, others| IdWalk { needed, given_by, form, others };
        vec![
            issue(("get_issue", "number"), json!({})),
            issue(("update_issue", "number"), json!({"add_labels": ["P1"]})),
            issue(("link_issues", "number"), json!({"relation": "blocked_by", "target": "#473"})),
            issue(("add_comment", "number"), json!({"body": "Seen."})),
            comment(("edit_comment", "comment_id"), json!({"action": "react", "reaction": "+1"})),
            of_pull(("get_pr", "number"), json!({})),
            of_pull(("get_diff", "number"), json!({})),
            of_pull(("update_pr", "number"), json!({"add_reviewers": ["tomas"]})),
            of_pull(("review_pr", "number"), json!({"event": "comment", "body": "Seen."})),
            walk(
                ("add_comment", "reply_to"),
                about("get_pr", json!({"number": PULL, "include": ["threads"]})),
                IdForm::DigitsAfter("\n["),
                json!({"number": PULL, "body": "Seen."}),
            ),
            alone(
                ("resolve_threads", "thread_ids"),
                pull(),
                IdForm::Word("PRRT_"),
                json!({"resolved": false}),
            ),
            of_run(("get_run", "run_id"), json!({})),
            of_run(("get_job_logs", "run_id"), json!({})),
            of_run(("run_workflow", "run_id"), json!({"action": "rerun"})),
            in_pull(("get_job_logs", "job_id"), IdForm::DigitsAfter(" job "), json!({})),
            walk(
                ("commit_files", "expected_head"),
                about("read_file", json!({"path": "README.md", "ref": BRANCH})),
                IdForm::Hexadecimal(40),
                json!({"branch": BRANCH, "message": "x", "changes": [{"path": "a.txt", "content": "a"}]}),
            ),
            alone(
                ("update_notifications", "ids"),
                Sample::new("list_notifications", json!({})),
                IdForm::DigitsAfter("\n"),
                json!({"action": "read"}),
            ),
            alone(
                ("list_gists", "id"),
                Sample::new("list_gists", json!({})),
                IdForm::Hexadecimal(32),
                json!({}),
            ),
            walk(
                ("list_discussions", "number"),
                about("list_discussions", json!({})),
                IdForm::DigitsAfter("#"),
                json!({}),
            ),
        ]
    }

    fn count_created(dump: &Value) -> usize {
        dump["repos"].to_string().matches("hotfix/night").count()
    }
}
