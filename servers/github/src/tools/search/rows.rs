//! What a search found, in rows.

use connector::catalog::{excerpt, one_line, words::counted};
use schemars::JsonSchema;
use serde::Serialize;

use super::Hit;
use crate::{
    api::{
        issues::Person,
        rest_issues::RestIssue,
        search::{FoundCommit, FoundFile, FoundRepo, TextMatch},
    },
    render,
    repo::Repo,
    tools::issues::rows::{Row, some},
};

/// Lines of one file that are shown.
const LINES: usize = 4;
/// Comments of one issue that are shown.
const COMMENTS: usize = 3;
/// Characters of one line of a file.
const LINE: usize = 160;
/// Characters of a repository's description.
const DESCRIPTION: usize = 120;

/// What was found, as data.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Found {
    /// An issue or pull request.
    Issue(Box<Row>),
    /// A file, with the lines that have what was looked for.
    File { repo: String, path: String, lines: Vec<String> },
    /// A repository.
    Repository {
        repo: String,
        visibility: String,
        language: String,
        stars: u64,
        pushed: String,
        description: String,
    },
    /// A commit.
    Commit { repo: String, sha: String, date: String, author: String, subject: String },
    /// A user or an organization.
    Account { login: String },
}

/// An issue or pull request.
pub(super) fn issue(ticket: &RestIssue, home: Option<&Repo>) -> Hit {
    let (comments, lines) = in_comments(&ticket.text_matches);
    let row = Row::of_rest_issue(ticket, home).found_in(comments);
    // Which of the two it is, the header says.
    let text = row.text();
    let mut text = text.strip_prefix("PR ").unwrap_or(&text).to_owned();
    for line in lines {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    Hit { repo: ticket.repo().map(str::to_owned), text, data: Found::Issue(Box::new(row)) }
}

/// The comments in which something was found that the issue itself does not say: their ids, and a line of each.
fn in_comments(matches: &[TextMatch]) -> (Vec<u64>, Vec<String>) {
    if matches.iter().any(|found| found.comment().is_none()) {
        return (Vec::new(), Vec::new());
    }
    let mut comments = Vec::new();
    let mut lines = Vec::new();
    for found in matches.iter().take(COMMENTS) {
        let Some(id) = found.comment().filter(|id| !comments.contains(id)) else { continue };
        let said = matching(std::slice::from_ref(found)).into_iter().next();
        lines.push(format!("comment {id}: {}", said.unwrap_or_default()));
        comments.push(id);
    }
    (comments, lines)
}

/// A file, with the lines that have what was looked for.
pub(super) fn file(file: &FoundFile, home: Option<&Repo>) -> Hit {
    let lines = matching(&file.text_matches);
    let repo = &file.repository.full_name;
    let mut text = format!("{}{}", prefix(repo, home), one_line(&file.path));
    for line in &lines {
        text.push_str("\n  ");
        text.push_str(line);
    }
    Hit { repo: some(repo), text, data: Found::File { repo: repo.clone(), path: file.path.clone(), lines } }
}

/// The lines of fragments that have a match in them, or the first ones if GitHub does not say.
fn matching(matches: &[TextMatch]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for found in matches.iter().filter(|found| found.property != "path") {
        let words: Vec<&str> = found.words().collect();
        let mut lines_of_it = found.fragment.lines().peekable();
        while let Some(line) = lines_of_it.next() {
            let hit = words.is_empty()
                || words.iter().any(|word| line.contains(word.lines().next().unwrap_or(word)));
            // A fragment ends anywhere, also within a word.
            let ends_within = lines_of_it.peek().is_none() && !found.fragment.ends_with('\n');
            let (mut line, cut) = excerpt(line.trim(), 0, LINE);
            if cut.is_some() || (ends_within && line.ends_with(char::is_alphanumeric)) {
                line.push('…');
            }
            if hit && !line.is_empty() && !lines.contains(&line) && lines.len() < LINES {
                lines.push(line);
            }
        }
    }
    lines
}

/// A repository.
pub(super) fn repository(repo: &FoundRepo) -> Hit {
    let visibility = match (repo.visibility.as_str(), repo.private) {
        ("", true) => "private",
        ("", false) => "public",
        (word, _) => word,
    };
    let mut facts = vec![one_line(visibility)];
    for (is, word) in [(repo.fork, "fork"), (repo.archived, "archived")] {
        if is {
            facts.push(word.to_owned());
        }
    }
    facts.extend(some(&repo.language).map(|language| one_line(&language)));
    if repo.stars() > 0 {
        facts.push(counted(repo.stars(), ("star", "stars")));
    }
    facts.extend(some(&repo.pushed_at).map(|at| format!("pushed {}", render::day(&at))));
    let mut text = format!("{} {}", one_line(&repo.full_name), facts.join(", "));
    if !repo.description.is_empty() {
        let line = one_line(&repo.description);
        let (description, cut) = excerpt(&line, 0, DESCRIPTION);
        text.push_str(": ");
        text.push_str(&description);
        if cut.is_some() {
            text.push('…');
        }
    }
    Hit {
        repo: some(&repo.full_name),
        text,
        data: Found::Repository {
            repo: repo.full_name.clone(),
            visibility: visibility.to_owned(),
            language: repo.language.clone(),
            stars: repo.stars(),
            pushed: repo.pushed_at.clone(),
            description: repo.description.clone(),
        },
    }
}

/// A commit.
pub(super) fn commit(commit: &FoundCommit, home: Option<&Repo>) -> Hit {
    let repo = &commit.repository.full_name;
    let subject = one_line(commit.commit.message.lines().next().unwrap_or_default());
    let author = if commit.author.login.is_empty() {
        one_line(&commit.commit.author.name)
    } else {
        format!("@{}", one_line(&commit.author.login))
    };
    let date = render::day(&commit.commit.author.date);
    Hit {
        repo: some(repo),
        text: format!("{}{} {date}, {author}: {subject}", prefix(repo, home), render::short_sha(&commit.sha)),
        data: Found::Commit {
            repo: repo.clone(),
            sha: commit.sha.clone(),
            date: date.to_owned(),
            author: author.clone(),
            subject: subject.clone(),
        },
    }
}

/// A user or an organization.
pub(super) fn person(person: &Person) -> Hit {
    Hit {
        repo: None,
        text: format!("@{}", one_line(person.login())),
        data: Found::Account { login: person.login.clone() },
    }
}

/// `owner/name ` where it is not plain.
fn prefix(repo: &str, home: Option<&Repo>) -> String {
    match home {
        Some(home) if home.to_string().eq_ignore_ascii_case(repo) => String::new(),
        _ => format!("{} ", one_line(repo)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_shows_only_the_lines_with_what_was_looked_for() {
        let found: FoundFile = connector::tolerant::from_value(json!({
            "path": "src/chunks.rs", "repository": {"full_name": "octo/cat"},
            "text_matches": [
                {"property": "path", "fragment": "src/chunks.rs", "matches": [{"text": "chunk"}]},
                {"property": "content", "fragment": "fn a() {}\n    let chunk = next();\n\nfn b() {}", "matches": [{"text": "chunk"}]},
            ],
        }))
        .unwrap();
        let home = Repo::parse("octo/cat").unwrap();
        assert_eq!(file(&found, None).text, "octo/cat src/chunks.rs\n  let chunk = next();");
        assert_eq!(file(&found, Some(&home)).text, "src/chunks.rs\n  let chunk = next();");
    }

    /// Matches as docs.github.com shows them, "Text match metadata".
    #[test]
    fn a_hit_in_a_comment_names_it() {
        let found = |own: bool| {
            let url = "https://api.github.com/repositories/1/issues";
            let mut matches = vec![
                json!({"object_url": format!("{url}/comments/25688342"), "object_type": "IssueComment",
                "property": "body", "fragment": "Hello.\nThe fonts of windows", "matches": [{"text": "windows"}]}),
            ];
            if own {
                matches.push(
                    json!({"object_url": format!("{url}/132"), "object_type": "Issue", "property": "body",
                    "fragment": "a windows font", "matches": [{"text": "windows"}]}),
                );
            }
            let ticket: RestIssue = connector::tolerant::from_value(json!({
                "number": 132, "title": "Fonts", "state": "open", "user": {"login": "maya"},
                "repository_url": "https://api.github.com/repos/octo/cat", "text_matches": matches,
            }))
            .unwrap();
            issue(&ticket, None).text
        };
        assert_eq!(
            found(false),
            "octo/cat#132 open, by @maya: Fonts\n  comment 25688342: The fonts of windows…"
        );
        assert_eq!(found(true), "octo/cat#132 open, by @maya: Fonts", "the issue says it itself");
    }

    #[test]
    fn a_repository_and_a_commit_are_one_line() {
        let repo: FoundRepo = connector::tolerant::from_value(json!({
            "full_name": "octo/cat", "private": true, "language": "Rust", "stargazers_count": 1200, "archived": true,
            "pushed_at": "2026-11-22T10:00:00Z", "description": "A\ncat",
        }))
        .unwrap();
        assert_eq!(
            repository(&repo).text,
            "octo/cat private, archived, Rust, 1,200 stars, pushed 2026-11-22: A cat"
        );
        let found: FoundCommit = connector::tolerant::from_value(json!({
            "sha": "0123456789abcdef", "author": null, "repository": {"full_name": "octo/cat"},
            "commit": {"message": "Subject\n\nBody", "author": {"name": "Maya", "date": "2026-11-22T10:00:00Z"}},
        }))
        .unwrap();
        assert_eq!(commit(&found, None).text, "octo/cat 0123456789ab 2026-11-22, Maya: Subject");
    }
}
