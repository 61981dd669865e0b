//! The repositories of the seed. Their history is told as a list of commits, each a list of changes to files,
//! in the order in which they are made; ids follow from that.
//!
//! A commit: `on` a branch (or a full name, `refs/pull/479/head`), begun `from` another where it is new; `by` a
//! login, `at` a time, a `message`; a `key` to find it by. What it does is one of
//! - `files`: path to what becomes of the file (see [`content`]);
//! - `squash` or `merge`: a branch or reference that is brought in, by GitHub.
//!
//! `pull` says that it is the squash of that pull request, whose head is then made up: one commit, an hour
//! earlier, with the same files.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    Release, Repos, Repository, Role,
    git::{Commit, File, Files, Method, Mode, Object, Signature, Tag, Wording},
    show::{self, SIGNED},
};
use crate::sandbox::{part, state::State, time};

/// How long before its squash the head of a made-up pull request is from.
const HOUR: i64 = 3_600;

impl Repos {
    pub(in crate::sandbox) fn from_seed(seed: &Value, state: &State) -> Result<Self, String> {
        let mut repos = Self::default();
        for row in seed["repositories"].as_array().into_iter().flatten() {
            let (repo, former) = repository(row, state)
                .map_err(|error| format!("{}: {error}", row["name"].as_str().unwrap_or_default()))?;
            repos.former.extend(former.iter().map(|name| (name.to_lowercase(), repo.id)));
            repos.add(repo);
        }
        Ok(repos)
    }
}

fn text(row: &Value, key: &str) -> Result<String, String> {
    optional(row, key).ok_or_else(|| format!("no {key} in {row}"))
}

fn optional(row: &Value, key: &str) -> Option<String> {
    row[key].as_str().map(str::to_owned)
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn moment(row: &Value, key: &str) -> Result<String, String> {
    time(&row[key]).ok_or_else(|| format!("no {key} in {row}"))
}

/// A repository, and its former names.
fn repository(row: &Value, state: &State) -> Result<(Repository, Vec<String>), String> {
    let id = row["id"].as_u64().ok_or("no id")?;
    let created = moment(row, "created")?;
    let mut repo = Repository::new(id, &text(row, "owner")?, &text(row, "name")?, &created);
    repo.private = row["private"].as_bool().unwrap_or_default();
    repo.archived = row["archived"].as_bool().unwrap_or_default();
    repo.default_branch = optional(row, "default_branch").unwrap_or(repo.default_branch);
    repo.description = optional(row, "description");
    repo.homepage = optional(row, "homepage");
    repo.topics = strings(&row["topics"]);
    repo.parent = row["fork_of"].as_u64();
    let tree_limit = row["tree_limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    repo.tree_limit = tree_limit.unwrap_or(repo.tree_limit);
    for (login, role) in row["collaborators"].as_object().into_iter().flatten() {
        let role = role.as_str().and_then(Role::parse).ok_or_else(|| format!("no role {role}"))?;
        repo.collaborators.insert(login.clone(), role);
    }
    repo.merging = part(&row["merging"])?;
    for (branch, rules) in row["protection"].as_object().into_iter().flatten() {
        repo.protection.insert(branch.clone(), part(rules)?);
    }
    for commit in row["commits"].as_array().into_iter().flatten() {
        add_commit(&mut repo, commit, state)?;
    }
    for tag in row["tags"].as_array().into_iter().flatten() {
        add_tag(&mut repo, tag, state)?;
    }
    for (number, branch) in row["pulls"].as_object().into_iter().flatten() {
        let number: u64 = number.parse().map_err(|_| format!("no number {number}"))?;
        let branch = branch.as_str().unwrap_or_default();
        if !repo.open_pull(number, branch) {
            return Err(format!("no branch {branch}"));
        }
    }
    for branch in strings(&row["deleted"]) {
        repo.git.drop_reference(&format!("refs/heads/{branch}"));
    }
    repo.releases = row["releases"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| release(&repo, row))
        .collect::<Result<_, String>>()?;
    Ok((repo, strings(&row["former_names"])))
}

fn release(repo: &Repository, row: &Value) -> Result<Release, String> {
    let draft = row["draft"].as_bool().unwrap_or_default();
    let prerelease = row["prerelease"].as_bool().unwrap_or_default();
    Ok(Release {
        id: row["id"].as_u64().ok_or("a release without id")?,
        tag: text(row, "tag")?,
        target: optional(row, "target").unwrap_or_else(|| repo.default_branch.clone()),
        name: optional(row, "name"),
        body: row["body"].as_array().map(|_| strings(&row["body"]).join("\n")),
        draft,
        prerelease,
        author: text(row, "by")?,
        created_at: moment(row, "at")?,
        published_at: if draft { None } else { Some(moment(row, "at")?) },
        latest: !draft && !prerelease,
    })
}

/// `refs/heads/main` for `main`, unless it is a full name already.
fn full(name: &str) -> String {
    if name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") }
}

/// The person of a login, at a moment of the seed.
fn signature(state: &State, login: &str, at: &str) -> Result<Signature, String> {
    let account = state.accounts.get(login).ok_or_else(|| format!("nobody is called {login}"))?;
    show::signature_of(account, at).ok_or_else(|| format!("{at} is no time"))
}

fn add_commit(repo: &mut Repository, row: &Value, state: &State) -> Result<(), String> {
    let on = full(&text(row, "on")?);
    let at = moment(row, "at")?;
    let message = match &row["message"] {
        Value::Array(_) => strings(&row["message"]).join("\n"),
        message => message.as_str().unwrap_or_default().to_owned(),
    };
    let author = signature(state, &text(row, "by")?, &at)?;
    let from = optional(row, "from");
    let parent = match &from {
        Some(from) => Some(repo.resolve(from).ok_or_else(|| format!("no {from}"))?),
        None => repo.git.reference(&on).map(str::to_owned),
    };
    let brought = optional(row, "squash").map(|name| (name, Method::Squash));
    let brought = brought.or_else(|| optional(row, "merge").map(|name| (name, Method::Merge)));
    let sha = if let Some((name, method)) = brought {
        let base = parent.ok_or("nothing to merge into")?;
        let head = repo.resolve(&name).ok_or_else(|| format!("no {name}"))?;
        let committer = show::github(author.at);
        let wording = Wording { message, author, committer, signature: Some(SIGNED.to_owned()) };
        let merged = repo.git.merge(&base, &head, method, wording);
        merged.map_err(|conflicts| format!("{name} conflicts in {:?}", conflicts.0))?
    } else {
        let mut files = repo.git.files_of(parent.as_deref());
        for (path, becomes) in row["files"].as_object().into_iter().flatten() {
            change(repo, &mut files, path, becomes)?;
        }
        let tree = repo.git.write_tree(&files);
        let parents: Vec<_> = parent.into_iter().collect();
        let plain = Commit {
            tree,
            parents,
            author: author.clone(),
            committer: author.clone(),
            signature: None,
            message,
        };
        match row["pull"].as_u64() {
            None => repo.git.put(Object::Commit(plain)),
            Some(number) => {
                let subject = plain.subject().trim_end_matches(&format!(" (#{number})")).to_owned();
                let earlier = Signature { at: author.at - HOUR, ..author.clone() };
                let head =
                    Commit { message: subject, author: earlier.clone(), committer: earlier, ..plain.clone() };
                let head = repo.git.put(Object::Commit(head));
                repo.git.point(&format!("refs/pull/{number}/head"), &head);
                let (committer, signature) = (show::github(author.at), Some(SIGNED.to_owned()));
                repo.git.put(Object::Commit(Commit { committer, signature, ..plain }))
            }
        }
    };
    repo.git.point(&on, &sha);
    at.clone_into(&mut repo.pushed_at);
    repo.updated_at = at;
    if let Some(key) = optional(row, "key") {
        repo.keys.insert(key, sha);
    }
    Ok(())
}

fn add_tag(repo: &mut Repository, row: &Value, state: &State) -> Result<(), String> {
    let name = text(row, "name")?;
    let target = text(row, "of")?;
    let commit = repo.resolve(&target).ok_or_else(|| format!("no {target}"))?;
    let sha = match optional(row, "message") {
        None => commit,
        Some(message) => {
            let tagger = signature(state, &text(row, "by")?, &moment(row, "at")?)?;
            let kind = "commit".to_owned();
            repo.git.put(Object::Tag(Tag { object: commit, kind, name: name.clone(), tagger, message }))
        }
    };
    repo.git.point(&format!("refs/tags/{name}"), &sha);
    Ok(())
}

/// What becomes of a file:
/// - a list of lines is its content, a text its content without a last line break;
/// - null removes it;
/// - an object has `lines`, `base64` or `generate` for its content, or `move` for the file that it was, or
///   `edit`: pairs of what is replaced, and by what; and `mode`, if it is not an ordinary file.
fn change(repo: &mut Repository, files: &mut Files, path: &str, becomes: &Value) -> Result<(), String> {
    if becomes.is_null() {
        return files.remove(path).map(drop).ok_or_else(|| format!("no {path} to remove"));
    }
    let mut was = files.get(path).cloned();
    if let Some(from) = optional(becomes, "move") {
        was = Some(files.remove(&from).ok_or_else(|| format!("no {from} to move"))?);
    }
    let mode = match becomes["mode"].as_str() {
        Some(mode) => Mode::parse(mode).ok_or_else(|| format!("no mode {mode}"))?,
        None => was.as_ref().map_or(Mode::File, |was| was.mode),
    };
    let sha = match (optional(becomes, "commit"), content(becomes)?) {
        (Some(sha), _) => sha,
        (None, Some(content)) => repo.git.put(Object::Blob(content)),
        (None, None) => {
            let was = was.ok_or_else(|| format!("no {path} to edit"))?;
            let mut content =
                String::from_utf8_lossy(repo.git.blob(&was.sha).unwrap_or_default()).into_owned();
            for pair in becomes["edit"].as_array().into_iter().flatten() {
                let (old, new) = (joined(&pair[0]), joined(&pair[1]));
                if content.matches(&old).count() != 1 {
                    return Err(format!("{old:?} is not in {path} once"));
                }
                content = content.replacen(&old, &new, 1);
            }
            repo.git.put(Object::Blob(content.into_bytes()))
        }
    };
    files.insert(path.to_owned(), File { mode, sha });
    Ok(())
}

/// Lines of an edit, with line breaks between them.
fn joined(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => strings(value).join("\n"),
    }
}

/// A file's whole content, if it is given.
fn content(becomes: &Value) -> Result<Option<Vec<u8>>, String> {
    let lines =
        |value: &Value| strings(value).iter().flat_map(|line| [line, "\n"].concat().into_bytes()).collect();
    Ok(match becomes {
        Value::Array(_) => Some(lines(becomes)),
        Value::String(text) => Some(text.clone().into_bytes()),
        _ if becomes["lines"].is_array() => Some(lines(&becomes["lines"])),
        _ if becomes["base64"].is_string() => {
            let text = becomes["base64"].as_str().unwrap_or_default();
            Some(STANDARD.decode(text).map_err(|error| error.to_string())?)
        }
        _ if becomes["generate"].is_object() => Some(generated(&becomes["generate"])),
        _ => None,
    })
}

/// A made-up file: `head`, then the line `row` over and over, until there are `bytes`. In a row, `{n}` is its
/// number from 1, and `{n%M+A}` that number modulo M plus A.
fn generated(how: &Value) -> Vec<u8> {
    let head = how["head"].as_str().unwrap_or_default();
    let row = how["row"].as_str().unwrap_or_default();
    let bytes = how["bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
    let parts: Vec<&str> = row.split(['{', '}']).collect();
    let mut text = format!("{head}\n");
    let mut number: u64 = 0;
    while text.len() < bytes && !row.is_empty() {
        number += 1;
        for (at, part) in parts.iter().enumerate() {
            // Every second part stood in braces.
            if at % 2 == 0 {
                text.push_str(part);
            } else {
                text.push_str(&counted(part, number).to_string());
            }
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// The value of `n` or `n%M+A`.
fn counted(part: &str, number: u64) -> u64 {
    let Some((_, rest)) = part.split_once('%') else { return number };
    let (modulus, more) = rest.split_once('+').unwrap_or((rest, "0"));
    let (modulus, more) = (modulus.parse().unwrap_or(1), more.parse().unwrap_or(0));
    // Steps of a prime, so that rows do not look alike.
    (number * 7_919) % std::cmp::max(modulus, 1) + more
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::date};

    use super::*;

    /// Puts times of a fixed day in place of offsets.
    fn dated(value: &mut Value) {
        match value {
            Value::String(text) => {
                let offset = text.strip_prefix("D-").and_then(|rest| rest.split_once('T'));
                let Some((days, time)) = offset else { return };
                let Ok(days) = days.parse::<i32>() else { return };
                let day = date(2026, 11, 22).checked_sub(days.days()).unwrap();
                *text = format!("{day}T{time}:00.000Z");
            }
            Value::Array(values) => values.iter_mut().for_each(dated),
            Value::Object(fields) => fields.values_mut().for_each(dated),
            _ => {}
        }
    }

    fn story() -> State {
        let mut seed: Value = serde_json::from_str(crate::sandbox::seed()).unwrap();
        dated(&mut seed["accounts"]);
        dated(&mut seed["repos"]);
        let seed = serde_json::json!({ "accounts": seed["accounts"], "repos": seed["repos"] });
        State::from_seed(&seed).unwrap()
    }

    #[test]
    fn the_story_has_its_branches_pull_requests_and_commits() {
        let state = story();
        let repo = state.repos.get(3001).unwrap();
        let git = &repo.git;
        for pull in [433, 479, 482, 485, 486, 487, 488] {
            assert!(repo.resolve(&format!("pull/{pull}/head")).is_some(), "{pull}");
        }
        let main = repo.head().unwrap();
        assert_eq!(git.log(&main).len(), 40);
        assert!(git.leads_to(&repo.resolve("@fix-482").unwrap(), &main));
        assert_eq!(
            git.commit(&repo.resolve("@fix-482").unwrap()).unwrap().subject(),
            "Make chunk writes idempotent (#482)"
        );
        // What a pull request can be merged, and what cannot.
        for (pull, fine) in [(485, true), (486, true), (487, true), (488, false)] {
            assert_eq!(git.joins(&main, repo.pull_head(pull).unwrap()).is_ok(), fine, "{pull}");
        }
        let csv = git.at_commit(&main, "fixtures/stock-nightly.csv").unwrap();
        assert!((303_000..303_200).contains(&git.blob(&csv.sha).unwrap().len()));
        assert_eq!(git.at_commit(&main, "scripts/backfill.sh").unwrap().mode, Mode::Executable);
    }

    #[test]
    fn a_push_moves_the_head_of_an_open_pull_request_only() {
        let mut state = story();
        let repo = state.repos.get_mut(3001).unwrap();
        let fix = repo.resolve("@fix-482").unwrap();
        let (branch, now) = ("tomas/eng-31-progress", "2026-11-22T12:00:00Z");
        repo.push(branch, &fix, now);
        assert_eq!(repo.pull_head(485), Some(fix.as_str()));
        repo.close_pull(485);
        let main = repo.head().unwrap();
        repo.push(branch, &main, now);
        assert_eq!(repo.pull_head(485), Some(fix.as_str()));
    }
}
