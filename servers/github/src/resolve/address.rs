//! What an address of GitHub's pages names: an issue or pull request, one of its comments, a run, a job, a release, a
//! project.

use connector::{Error, Result, catalog::one_line};
use serde_json::{Value, json};

use crate::GitHub;

/// What the address `text`, given as `argument`, says by the names of arguments.
///
/// # Errors
/// `invalid_argument` for an address of another host, and for one that does not name what `argument` takes.
pub(crate) fn read(server: &GitHub, argument: &str, text: &str) -> Result<Vec<(&'static str, Value)>> {
    server.bounds().is_ours(text)?;
    let mut all = parts(text);
    if argument == "numbers" {
        all.iter_mut().filter(|(name, _)| *name == "number").for_each(|(name, _)| *name = "numbers");
    }
    if all.iter().any(|(name, _)| *name == argument) {
        return Ok(all);
    }
    let error =
        Error::invalid(format!("`{argument}`: nothing of the kind is at `{}`", one_line(text.trim())));
    Err(error
        .with_hint("Nothing was read or written. Give the number, or the address of the page of just this"))
}

/// Everything that an address says.
fn parts(text: &str) -> Vec<(&'static str, Value)> {
    let path = text.trim().split_once("://").map_or("", |(_, rest)| rest);
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    let path = path.split('?').next().unwrap_or_default();
    let steps: Vec<&str> = path.split('/').skip(1).filter(|step| !step.is_empty()).collect();
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    let mut all = Vec::new();
    let mut add =
        |name: &'static str, text: &str| all.extend(number(text).map(|number| (name, json!(number))));
    let (owner, name, kind, rest) = match steps.as_slice() {
        ["orgs" | "users", owner, "projects", project, ..] => {
            add("number", project);
            all.push(("owner", json!(owner)));
            return all;
        }
        [owner, name, kind, rest @ ..] => (owner, name, *kind, rest),
        _ => return all,
    };
    match (kind, rest) {
        ("issues" | "pull" | "pulls" | "discussions", [of, ..]) => {
            add("number", of);
            if let Some(id) = fragment.strip_prefix("issuecomment-") {
                add("comment", id);
                add("comment_id", id);
                all.push(("kind", json!("issue")));
            } else if let Some(id) = fragment.strip_prefix("discussion_r") {
                add("reply_to", id);
                add("comment_id", id);
                all.push(("kind", json!("review")));
            }
        }
        ("actions", ["runs", run, more @ ..]) => {
            add("run_id", run);
            match more {
                ["job", job, ..] => add("job_id", job),
                ["attempts", attempt, ..] => add("attempt", attempt),
                _ => {}
            }
        }
        ("releases", ["tag", tag @ ..]) if !tag.is_empty() => all.push(("tag", json!(tag.join("/")))),
        _ => return all,
    }
    all.push(("repo", json!(format!("{owner}/{name}"))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_all_of_what_it_names() {
        let said = |address: &str| {
            let mut said: Vec<_> =
                parts(address).iter().map(|(name, value)| format!("{name} {value}")).collect();
            said.sort_unstable();
            said.join(", ").replace('"', "")
        };
        for (address, all) in [
            ("https://github.com/octo/cat/issues/7", "number 7, repo octo/cat"),
            (
                "https://github.com/octo/cat/issues/7?x=1#issuecomment-12",
                "comment 12, comment_id 12, kind issue, number 7, repo octo/cat",
            ),
            (
                "https://github.com/octo/cat/pull/8/files#discussion_r9",
                "comment_id 9, kind review, number 8, reply_to 9, repo octo/cat",
            ),
            ("https://github.com/octo/cat/actions/runs/5/job/6", "job_id 6, repo octo/cat, run_id 5"),
            ("https://github.com/octo/cat/actions/runs/5/attempts/2", "attempt 2, repo octo/cat, run_id 5"),
            ("https://github.com/octo/cat/releases/tag/v1/rc", "repo octo/cat, tag v1/rc"),
            ("https://github.com/orgs/octo/projects/4/views/1", "number 4, owner octo"),
            ("https://github.com/octo/cat", ""),
            ("https://github.com/octo/cat/issues/new", "repo octo/cat"),
        ] {
            assert_eq!(said(address), all, "{address}");
        }
    }
}
