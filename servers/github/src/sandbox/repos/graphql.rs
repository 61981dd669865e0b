//! Repositories' code as the GraphQL API shows it: references, commits, trees, files, blame.
//!
//! Keys of nodes: of a `Commit`, `Tree`, `Blob`, `Tag` the repository's id and the object's id ([`object_node`]), of
//! a `Tree` that was found by its path that, too;
//! of a `Ref` and a `BranchProtectionRule` the repository's id and the full name; of a `TreeEntry` the
//! repository's id, the tree's id, and the path as far as it is known.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Repository,
    asked::since,
    commit_on_branch,
    git::{Commit, Entry, File, Mode, Object, Signature, diff::is_binary},
    show::{login_of, object_id, parse_object_id},
};
use crate::sandbox::{
    accounts::Account,
    errors::{ApiError, Outcome},
    graphql::{actor, connection, may},
    ids,
    request::RequestContext,
    route::read,
    state::State,
};

/// The node of a commit, tree, blob or tag.
pub(in crate::sandbox) fn object_node(repo: &Repository, sha: &str) -> Option<Node> {
    let ty = match repo.git.object(sha)? {
        Object::Blob(_) => "Blob",
        Object::Tree(_) => "Tree",
        Object::Commit(_) => "Commit",
        Object::Tag(_) => "Tag",
    };
    Some(Node::new(ty, json!([repo.id, sha])))
}

/// The node of a branch or tag, by its full name.
pub(in crate::sandbox) fn ref_node(repo: &Repository, name: &str) -> Option<Node> {
    repo.git.reference(name).map(|_| Node::new("Ref", json!([repo.id, name])))
}

/// The repository's id and the object's id (or reference's name) of such a node.
pub(in crate::sandbox) fn keyed(node: &Node) -> Option<(u64, &str)> {
    Some((node.key[0].as_u64()?, node.key[1].as_str()?))
}

/// Knows the types of `schema/repos.graphql`.
pub(in crate::sandbox) fn resolve(
    cx: &RequestContext<'_>,
    node: &Node,
    asked: &Asked<'_>,
) -> Option<Outcome<Resolved>> {
    match (node.ty.as_str(), asked.field) {
        ("Mutation", "createCommitOnBranch") => {
            return Some(commit_on_branch::commit(cx, asked.arg("input")));
        }
        ("Query", "node") => return by_id(cx, asked.text("id").unwrap_or_default()),
        _ => {}
    }
    let state = cx.site.state();
    if node.ty == "Repository" {
        return of_repository(state.repos.get(node.key.as_u64()?)?, asked);
    }
    if node.ty == "BlameRange" {
        return of_range(node, asked);
    }
    let (repo, name) = keyed(node)?;
    let repo = state.repos.get(repo)?;
    match node.ty.as_str() {
        "Ref" => of_ref(repo, name, asked),
        "BranchProtectionRule" => of_rule(repo, name, asked),
        "Commit" => of_object(repo, name, asked).or_else(|| of_commit(&state, repo, name, asked)),
        "Tree" => of_object(repo, name, asked)
            .or_else(|| of_tree(repo, name, node.key[2].as_str().unwrap_or_default(), asked)),
        "Blob" => of_object(repo, name, asked).or_else(|| of_blob(repo, name, asked)),
        "Tag" => of_object(repo, name, asked).or_else(|| of_tag(&state, repo, name, asked)),
        "TreeEntry" => of_entry(repo, name, node.key[2].as_str()?, node.key[3].as_str()?, asked),
        _ => None,
    }
}

/// A commit or a reference by its global id.
fn by_id(cx: &RequestContext<'_>, id: &str) -> Option<Outcome<Resolved>> {
    let found =
        ["C", "T", "B", "TA", "REF"].iter().find_map(|kind| Some((*kind, parse_object_id(kind, id)?)));
    let (kind, (repo, name)) = found?;
    if let Err(error) = may(cx, repo, read("contents")) {
        return Some(Err(error));
    }
    let state = cx.site.state();
    let repo = state.repos.get(repo)?;
    let node = if kind == "REF" { ref_node(repo, &name) } else { object_node(repo, &name) };
    node.map(|node| Ok(node.into()))
}

fn of_repository(repo: &Repository, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let merging = &repo.merging;
    Some(Ok(match asked.field {
        "autoMergeAllowed" => merging.auto_merge.into(),
        "deleteBranchOnMerge" => merging.delete_branch.into(),
        "mergeCommitAllowed" => merging.merge_commit.into(),
        "rebaseMergeAllowed" => merging.rebase.into(),
        "squashMergeAllowed" => merging.squash.into(),
        "defaultBranchRef" => ref_node(repo, &format!("refs/heads/{}", repo.default_branch)).into(),
        "ref" => named(repo, asked.text("qualifiedName").unwrap_or_default()).into(),
        "refs" => return Some(refs(repo, asked)),
        "object" => return Some(Ok(object(repo, asked).into())),
        _ => return None,
    }))
}

/// A reference by `refs/heads/main`, `heads/main` or `main`.
fn named(repo: &Repository, name: &str) -> Option<Node> {
    let names =
        [name.to_owned(), format!("refs/{name}"), format!("refs/heads/{name}"), format!("refs/tags/{name}")];
    names.iter().find_map(|name| ref_node(repo, name))
}

fn refs(repo: &Repository, asked: &Asked<'_>) -> Outcome<Resolved> {
    let prefix = asked.text("refPrefix").unwrap_or_default();
    let query = asked.text("query").unwrap_or_default().to_lowercase();
    let fits = |name: &&str| name.to_lowercase().contains(&query);
    let mut names: Vec<_> = repo.git.under(prefix).map(|(name, _)| name).filter(fits).collect();
    let order = asked.arg("orderBy");
    if order["field"] == "TAG_COMMIT_DATE" {
        let at = |name: &str| {
            let sha = repo.git.peel(repo.git.reference(&format!("{prefix}{name}"))?)?;
            Some(repo.git.commit(&sha)?.committer.at)
        };
        names.sort_by_key(|name| at(name));
    }
    if order["direction"] == "DESC" || asked.text("direction") == Some("DESC") {
        names.reverse();
    }
    let nodes = names.iter().filter_map(|name| ref_node(repo, &format!("{prefix}{name}")));
    connection(asked, nodes.collect())
}

/// An object by its id, or by an expression: a reference, or `reference:path`.
fn object(repo: &Repository, asked: &Asked<'_>) -> Option<Node> {
    if let Some(oid) = asked.text("oid") {
        return object_node(repo, oid);
    }
    let expression = asked.text("expression")?;
    let (name, path) = match expression.split_once(':') {
        Some((name, path)) => (name, Some(path)),
        None => (expression, None),
    };
    let name = if name.is_empty() { "HEAD" } else { name };
    let commit = repo.resolve(name);
    match path {
        None => object_node(repo, &commit.unwrap_or_else(|| name.to_owned())),
        Some(path) => at_path(repo, &repo.git.at_commit(&commit?, path)?.sha, path.trim_matches('/')),
    }
}

/// The node of a file or directory at a path, which its entries shall know.
fn at_path(repo: &Repository, sha: &str, path: &str) -> Option<Node> {
    let mut node = object_node(repo, sha)?;
    if node.ty == "Tree" {
        node.key = json!([repo.id, sha, path]);
    }
    Some(node)
}

fn of_ref(repo: &Repository, name: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    // `refs/heads/` and what comes after it.
    let cut = name.match_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    let (prefix, short) = name.split_at(cut);
    Some(Ok(match asked.field {
        "id" => object_id("REF", repo.id, name).into(),
        "name" => short.into(),
        "prefix" => prefix.into(),
        "target" => repo.git.reference(name).and_then(|sha| object_node(repo, sha)).into(),
        "branchProtectionRule" => {
            let protected = prefix == "refs/heads/" && repo.protection.contains_key(short);
            protected.then(|| Node::new("BranchProtectionRule", json!([repo.id, short]))).into()
        }
        // The ref is the base (docs.github.com, GraphQL, `Ref.compare`).
        "compare" => {
            let head = named(repo, asked.text("headRef").unwrap_or_default());
            let head = head.and_then(|node| repo.git.peel(repo.git.reference(node.key[1].as_str()?)?));
            let base = repo.git.reference(name).and_then(|sha| repo.git.peel(sha));
            match (base, head) {
                (Some(base), Some(head)) => Resolved::fields([
                    ("aheadBy", repo.git.between(&base, &head).len().into()),
                    ("behindBy", repo.git.between(&head, &base).len().into()),
                ]),
                _ => Resolved::NULL,
            }
        }
        // Unlike the rule itself everybody who reads may see this (docs.github.com, GraphQL, `RefUpdateRule`).
        "refUpdateRule" => match repo.protection.get(short).filter(|_| prefix == "refs/heads/") {
            Some(rules) => Resolved::fields([
                ("pattern", short.into()),
                ("requiresConversationResolution", rules.resolved_conversations.into()),
            ]),
            None => Resolved::NULL,
        },
        _ => return None,
    }))
}

fn of_rule(repo: &Repository, branch: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let rules = repo.protection.get(branch)?;
    Some(Ok(match asked.field {
        "id" => object_id("BPR", repo.id, branch).into(),
        "requiredApprovingReviewCount" => rules.reviews.into(),
        "requiredStatusCheckContexts" => json!(rules.checks).into(),
        _ => return None,
    }))
}

/// What every object has.
fn of_object(repo: &Repository, sha: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let kind = match repo.git.object(sha)? {
        Object::Blob(_) => "B",
        Object::Tree(_) => "T",
        Object::Commit(_) => "C",
        Object::Tag(_) => "TA",
    };
    Some(Ok(match asked.field {
        "id" => object_id(kind, repo.id, sha).into(),
        "oid" => sha.into(),
        _ => return None,
    }))
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// An author or committer. Their account is a user's only.
fn person(state: &State, signature: &Signature) -> Resolved {
    let account = login_of(state, signature).and_then(|login| state.accounts.get(&login));
    let user = account.filter(|account| account.kind == "User");
    Resolved::fields([
        ("name", signature.name.clone().into()),
        ("email", signature.email.clone().into()),
        ("date", time(signature.at).into()),
        (
            "avatarUrl",
            account
                .map_or_else(|| "https://avatars.githubusercontent.com/u/0?v=4".to_owned(), Account::avatar)
                .into(),
        ),
        ("user", user.map_or(Resolved::NULL, |account| actor(state, &account.login))),
    ])
}

fn of_commit(state: &State, repo: &Repository, sha: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let commit = repo.git.commit(sha)?;
    let changes = || repo.git.changes(commit.parents.first().map(String::as_str), sha);
    Some(Ok(match asked.field {
        "additions" => changes().iter().map(|change| change.additions).sum::<usize>().into(),
        "deletions" => changes().iter().map(|change| change.deletions).sum::<usize>().into(),
        "changedFilesIfAvailable" => changes().len().into(),
        "author" => person(state, &commit.author),
        "committedDate" => time(commit.committer.at).into(),
        "committedViaWeb" => (commit.committer.email == "noreply@github.com").into(),
        "messageHeadline" => commit.subject().into(),
        "messageBody" => commit.text().strip_prefix(commit.subject()).unwrap_or_default().trim().into(),
        "url" => repo.html_url(&format!("/commit/{sha}")).into(),
        "signature" => signature(commit),
        "file" => file(repo, commit, asked.text("path").unwrap_or_default()).into(),
        "parents" => {
            let parents = commit.parents.iter().filter_map(|parent| object_node(repo, parent));
            return Some(connection(asked, parents.collect()));
        }
        "history" => return Some(history(state, repo, sha, asked)),
        "blame" => return Some(blame(repo, sha, asked.text("path").unwrap_or_default())),
        _ => return None,
    }))
}

fn signature(commit: &Commit) -> Resolved {
    let Some(signature) = &commit.signature else { return Resolved::NULL };
    json!({
        "__typename": "GpgSignature",
        "email": commit.committer.email,
        "isValid": true,
        "keyId": "B5690EEEBB952194",
        "payload": commit.payload(),
        "signature": signature,
        "signer": null,
        "state": "VALID",
        "verifiedAt": time(commit.committer.at),
        "wasSignedByGitHub": commit.committer.email == "noreply@github.com",
    })
    .into()
}

fn history(state: &State, repo: &Repository, sha: &str, asked: &Asked<'_>) -> Outcome<Resolved> {
    let log = match asked.text("path") {
        Some(path) => repo.git.log_of(sha, path.trim_matches('/')),
        None => repo.git.log(sha),
    };
    let (after, before) = (asked.text("since").and_then(since), asked.text("until").and_then(since));
    let author = asked.arg("author");
    let id = author["id"].as_str().and_then(ids::parse).map(|(_, id)| id);
    let fits = |commit: &Commit| {
        let at = commit.committer.at;
        let mut emails = author["emails"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let theirs = match id {
            Some(id) => login_of(state, &commit.author)
                .and_then(|login| state.accounts.get(&login))
                .is_some_and(|account| account.id == id),
            None => author["emails"].is_null() || emails.any(|email| email == commit.author.email),
        };
        theirs && after.is_none_or(|after| at >= after) && before.is_none_or(|before| at <= before)
    };
    let nodes = log.iter().filter(|sha| repo.git.commit(sha).is_some_and(fits));
    connection(asked, nodes.filter_map(|sha| object_node(repo, sha)).collect())
}

/// Ranges of lines by the commit that wrote them. Their age is from 1 (the newest of the file) to 10.
fn blame(repo: &Repository, sha: &str, path: &str) -> Outcome<Resolved> {
    let git = &repo.git;
    let missing = || ApiError::missing(format!("Could not resolve file for path '{path}'."));
    let wrote = git.blame(sha, path).ok_or_else(missing)?;
    let at = |sha: &String| git.commit(sha).map_or(0, |commit| commit.author.at);
    let newest = wrote.iter().map(at).max().unwrap_or_default();
    let span = newest - wrote.iter().map(at).min().unwrap_or_default();
    let mut ranges: Vec<Value> = Vec::new();
    let mut start = 0;
    for end in 1..=wrote.len() {
        if end < wrote.len() && wrote[end] == wrote[start] {
            continue;
        }
        let age = 1 + (newest - at(&wrote[start])) * 9 / span.max(1);
        ranges.push(json!([repo.id, wrote[start], start + 1, end, age]));
        start = end;
    }
    let ranges = ranges.into_iter().map(|key| Node::new("BlameRange", key)).collect();
    Ok(Resolved::fields([("ranges", Resolved::List(ranges))]))
}

/// A range of lines and its commit.
fn of_range(node: &Node, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    Some(Ok(match asked.field {
        "commit" => Node::new("Commit", json!([node.key[0], node.key[1]])).into(),
        "startingLine" => node.key[2].clone().into(),
        "endingLine" => node.key[3].clone().into(),
        "age" => node.key[4].clone().into(),
        _ => return None,
    }))
}

/// The node of a tree's entry: the tree, the name, the path from the top.
fn entry_node(repo: &Repository, tree: &str, name: &str, path: &str) -> Node {
    Node::new("TreeEntry", json!([repo.id, tree, name, path]))
}

fn file(repo: &Repository, commit: &Commit, path: &str) -> Option<Node> {
    let path = path.trim_matches('/');
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    let tree = repo.git.at(&commit.tree, above).filter(|file| file.mode == Mode::Tree)?;
    repo.git.at(&tree.sha, name).map(|_| entry_node(repo, &tree.sha, name, path))
}

fn of_tree(repo: &Repository, sha: &str, path: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let entries = repo.git.tree(sha)?;
    let under = if path.is_empty() { String::new() } else { format!("{path}/") };
    Some(Ok(match asked.field {
        "entries" => {
            let node = |entry: &Entry| entry_node(repo, sha, &entry.name, &format!("{under}{}", entry.name));
            Resolved::List(entries.iter().map(node).collect())
        }
        _ => return None,
    }))
}

fn of_entry(
    repo: &Repository,
    tree: &str,
    name: &str,
    path: &str,
    asked: &Asked<'_>,
) -> Option<Outcome<Resolved>> {
    let File { mode, sha } = repo.git.at(tree, name)?;
    let bytes = repo.git.blob(&sha);
    Some(Ok(match asked.field {
        "name" => name.into(),
        "path" => path.into(),
        "type" => mode.kind().into(),
        "mode" => i32::from_str_radix(mode.octal(), 8).unwrap_or_default().into(),
        "size" => bytes.map_or(0, <[u8]>::len).into(),
        "extension" => name.rfind('.').map(|at| name[at..].to_owned()).unwrap_or_default().into(),
        "lineCount" => match bytes.filter(|bytes| !is_binary(bytes)) {
            Some(bytes) => bytes.iter().filter(|byte| **byte == b'\n').count().into(),
            None => Resolved::NULL,
        },
        "object" => at_path(repo, &sha, path).into(),
        _ => return None,
    }))
}

fn of_blob(repo: &Repository, sha: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let bytes = repo.git.blob(sha)?;
    Some(Ok(match asked.field {
        "byteSize" => bytes.len().into(),
        "isBinary" => is_binary(bytes).into(),
        "text" if is_binary(bytes) => Resolved::NULL,
        "text" => String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_TEXT)]).into_owned().into(),
        _ => return None,
    }))
}

/// As much of a file as `text` gives, in bytes.
const MOST_TEXT: usize = 512 * 1024;

fn of_tag(state: &State, repo: &Repository, sha: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let tag = repo.git.tag(sha)?;
    Some(Ok(match asked.field {
        "message" => tag.message.trim_end().into(),
        "tagger" => person(state, &tag.tagger),
        "target" => object_node(repo, &tag.object).into(),
        _ => return None,
    }))
}
