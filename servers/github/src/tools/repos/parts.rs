//! The parts of a repository that get_repo adds: each is read by itself, so that one that fails spoils no
//! other.

use connector::{
    Result,
    catalog::{Call, Reply, excerpt, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    GitHub,
    api::{
        contents::{Content, Entry},
        planning::Milestone,
        repos::Rule,
    },
    render::day,
    repo::Repo,
};

/// Characters of a README, and of one template.
const README: usize = 8_000;
const TEMPLATE: usize = 2_000;
/// Templates that are shown.
const TEMPLATES: usize = 6;

// A part. No doc comment: it would go into the schema that every client pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Include {
    Labels,
    Milestones,
    IssueTypes,
    Collaborators,
    BranchRules,
    Languages,
    Templates,
    Readme,
}

impl Include {
    /// As it is asked for.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Milestones => "milestones",
            Self::IssueTypes => "issue_types",
            Self::Collaborators => "collaborators",
            Self::BranchRules => "branch_rules",
            Self::Languages => "languages",
            Self::Templates => "templates",
            Self::Readme => "readme",
        }
    }
}

/// A part that was read.
#[derive(Debug)]
pub(super) struct Part {
    /// Our words about it.
    lines: Vec<String>,
    /// Texts in it, each with where it comes from.
    texts: Vec<(String, String)>,
    data: Value,
}

impl Part {
    /// A list under a title; what is in it was written outside.
    fn list(title: &str, rows: Vec<String>, more: bool) -> Self {
        if rows.is_empty() {
            return Self { lines: vec![format!("{title}: none.")], texts: Vec::new(), data: json!([]) };
        }
        let more = if more { " (GitHub has more; the first 100 are here)" } else { "" };
        let lines = if more.is_empty() { Vec::new() } else { vec![format!("{title}{more}:")] };
        Self { lines, data: json!(rows), texts: vec![(title.to_owned(), rows.join("\n"))] }
    }

    /// `reply` with this part.
    pub(super) fn show(&self, mut reply: Reply) -> Reply {
        for line in &self.lines {
            reply = reply.line(line.clone());
        }
        for (from, text) in &self.texts {
            reply = reply.outside(from.clone(), None, text.clone());
        }
        reply
    }

    /// As structured content.
    pub(super) fn into_data(self) -> Value {
        self.data
    }
}

/// Reads one part of `repo`.
///
/// # Errors
/// Whatever GitHub gives.
pub(super) async fn read(call: &Call<GitHub>, repo: &Repo, branch: &str, part: Include) -> Result<Part> {
    let api = call.api();
    Ok(match part {
        Include::Labels => {
            let listed = api.labels(repo).await?;
            let rows = listed.items.iter().map(|label| described(&label.name, &label.description)).collect();
            Part::list("labels", rows, listed.next.is_some())
        }
        Include::Milestones => {
            let listed = api.milestones(repo).await?;
            let is_open = |one: &&Milestone| one.state != "closed";
            let open: Vec<_> = listed.items.iter().filter(is_open).map(milestone).collect();
            let closed = listed.items.len() - open.len();
            let mut part = Part::list("open milestones", open, listed.next.is_some());
            if closed > 0 {
                let milestones = counted(closed as u64, ("closed milestone", "closed milestones"));
                part.lines.push(format!("{milestones} not shown."));
            }
            part
        }
        Include::IssueTypes => {
            let types = api.issue_types(repo).await?.unwrap_or_default();
            Part::list("issue types", types.iter().map(|kind| one_line(&kind.name)).collect(), false)
        }
        Include::Collaborators => {
            let listed = api.collaborators(repo).await?;
            let row = |login: &str, role: &str| format!("@{} {}", one_line(login), one_line(role));
            let rows = listed.items.iter().map(|person| row(&person.login, &person.role_name)).collect();
            Part::list("collaborators", rows, listed.next.is_some())
        }
        Include::BranchRules => branch_rules(call, repo, branch).await?,
        Include::Languages => {
            let languages = api.languages(repo).await?;
            let all = languages.iter().fold(0_u64, |all, (_, bytes)| all.saturating_add(*bytes));
            let share = |bytes: u64| bytes as f64 * 100.0 / all.max(1) as f64;
            let rows: Vec<_> = languages
                .iter()
                .map(|(name, bytes)| format!("{} {:.1} %", one_line(name), share(*bytes)))
                .collect();
            let line = if rows.is_empty() { "none".to_owned() } else { rows.join(", ") };
            Part { lines: vec![format!("Languages: {line}.")], texts: Vec::new(), data: json!(rows) }
        }
        Include::Templates => templates(call, repo, branch).await?,
        Include::Readme => {
            let text = api.readme(repo).await?;
            let (shown, more) = excerpt(text.trim(), 0, README);
            let more = more.map(|_| "\n[The README goes on: read_file has it whole.]").unwrap_or_default();
            let data = json!(shown);
            Part { lines: Vec::new(), texts: vec![("README".to_owned(), format!("{shown}{more}"))], data }
        }
    })
}

fn described(name: &str, description: &str) -> String {
    match one_line(description).as_str() {
        "" => one_line(name),
        description => format!("{}: {description}", one_line(name)),
    }
}

fn milestone(milestone: &Milestone) -> String {
    let due =
        if milestone.due_on.is_empty() { String::new() } else { format!(", due {}", day(&milestone.due_on)) };
    let (open, closed) = milestone.counts();
    format!(
        "#{} {}{due}, {open} open and {closed} closed issues and PRs",
        one_line(&milestone.number),
        one_line(&milestone.title)
    )
}

/// The rules of rulesets, and of the older kind of protection.
async fn branch_rules(call: &Call<GitHub>, repo: &Repo, branch: &str) -> Result<Part> {
    let (rules, protection) =
        futures::join!(call.api().branch_rules(repo, branch), call.api().branch(repo, branch));
    let mut lines = Vec::new();
    match protection? {
        Some(found) if found.protected => {
            let checks = &found.protection.required_status_checks.contexts;
            let checks: Vec<_> = checks.iter().map(|check| one_line(check)).collect();
            lines.push(if checks.is_empty() {
                format!("{branch} is protected")
            } else {
                format!("{branch} is protected; required checks: {}", checks.join(", "))
            });
        }
        Some(_) => lines.push(format!("{branch} is not protected")),
        None => lines.push(format!("There is no branch {branch} yet")),
    }
    lines.extend(rules?.items.iter().map(rule));
    let data = json!(lines);
    let lines = lines.into_iter().map(|line| format!("- {line}"));
    Ok(Part {
        lines: std::iter::once("Branch rules:".to_owned()).chain(lines).collect(),
        texts: Vec::new(),
        data,
    })
}

/// A rule in a few words: what it is, and what of its parameters says something.
fn rule(rule: &Rule) -> String {
    let mut words = Vec::new();
    for (name, value) in rule.parameters.as_object().into_iter().flatten() {
        let name = name.replace('_', " ");
        match value {
            Value::Bool(true) => words.push(name),
            Value::Number(number) if number.as_f64() != Some(0.0) => words.push(format!("{name} {number}")),
            Value::String(text) if !text.is_empty() => words.push(format!("{name} {}", one_line(text))),
            Value::Array(items) if !items.is_empty() => {
                let items: Vec<_> = items
                    .iter()
                    .filter_map(|item| item.as_str().or_else(|| item.get("context").and_then(Value::as_str)))
                    .map(one_line)
                    .collect();
                if !items.is_empty() {
                    words.push(format!("{name} {}", items.join(", ")));
                }
            }
            _ => {}
        }
    }
    let kind = one_line(&rule.kind.replace('_', " "));
    if words.is_empty() { format!("rule: {kind}") } else { format!("rule: {kind} ({})", words.join("; ")) }
}

/// The templates of issues and pull requests, where GitHub looks for them first.
async fn templates(call: &Call<GitHub>, repo: &Repo, branch: &str) -> Result<Part> {
    let sha = call.api().commit_sha(repo, branch).await?;
    let folder = |path: &'static str| {
        let sha = &sha;
        async move {
            match call.api().contents(repo, path, sha).await {
                Ok(Content::Folder(entries)) => Ok(entries),
                Ok(_) => Ok(Vec::new()),
                Err(error) if error.kind() == connector::Kind::NotFound => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        }
    };
    let (top, issues, pulls) = futures::join!(
        folder(".github"),
        folder(".github/ISSUE_TEMPLATE"),
        folder(".github/PULL_REQUEST_TEMPLATE"),
    );
    let is_template = |entry: &Entry| {
        let name = entry.name.to_lowercase();
        entry.kind == "file" && [".md", ".yml", ".yaml"].iter().any(|end| name.ends_with(end))
    };
    let mut paths = Vec::new();
    for entry in top?.iter().filter(|entry| is_template(entry)) {
        let name = entry.name.to_lowercase();
        if name.starts_with("pull_request_template") || name.starts_with("issue_template") {
            paths.push(format!(".github/{}", entry.name));
        }
    }
    for (path, entries) in [("ISSUE_TEMPLATE", issues?), ("PULL_REQUEST_TEMPLATE", pulls?)] {
        let inside = entries.iter().filter(|entry| is_template(entry));
        paths.extend(inside.map(|entry| format!(".github/{path}/{}", entry.name)));
    }
    let read = paths.iter().take(TEMPLATES).map(|path| call.api().contents(repo, path, &sha));
    let mut texts = Vec::new();
    for (path, content) in paths.iter().zip(futures::future::join_all(read).await) {
        if let Content::File { bytes: Some(bytes), .. } = content? {
            let (shown, more) = excerpt(&String::from_utf8_lossy(&bytes), 0, TEMPLATE);
            let more = more.map(|_| "\n[It goes on: read_file has it whole.]").unwrap_or_default();
            texts.push((path.clone(), format!("{}{more}", shown.trim_end())));
        }
    }
    let mut lines = Vec::new();
    if paths.is_empty() {
        lines.push("Templates: none in .github.".to_owned());
    }
    if paths.len() > TEMPLATES {
        lines.push(format!("Not shown: {}", paths[TEMPLATES..].join(", ")));
    }
    let data =
        texts.iter().map(|(path, text)| (path.clone(), json!(text))).collect::<serde_json::Map<_, _>>();
    Ok(Part { lines, texts, data: Value::Object(data) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_by_what_it_asks_for() {
        let told = |kind: &str, parameters: Value| rule(&Rule { kind: kind.to_owned(), parameters });
        assert_eq!(
            told(
                "pull_request",
                json!({"required_approving_review_count": 1, "dismiss_stale_reviews_on_push": false})
            ),
            "rule: pull request (required approving review count 1)"
        );
        assert_eq!(
            told(
                "required_status_checks",
                json!({"required_status_checks": [{"context": "build"}, {"context": "test"}]})
            ),
            "rule: required status checks (required status checks build, test)"
        );
        assert_eq!(told("non_fast_forward", Value::Null), "rule: non fast forward");
    }
}
