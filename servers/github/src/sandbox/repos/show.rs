//! Repositories and commits as the REST API shows them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Repository, Role,
    git::{Change, Commit, Signature},
};
use crate::sandbox::{Site, accounts::Account, ids::node_id, state::State};

/// The signature that GitHub puts under commits that it makes.
pub(in crate::sandbox) const SIGNED: &str = "-----BEGIN PGP SIGNATURE-----\n\nwsFcBAABCAAQBQJsandboxNotAKeyOfAnybodyCRC1aQ7uu5UhlAAA\n=GIT1\n-----END PGP SIGNATURE-----\n";

/// GitHub itself, as the committer of what is done on the site.
pub(in crate::sandbox) fn github(at: i64) -> Signature {
    Signature { name: "GitHub".to_owned(), email: "noreply@github.com".to_owned(), at, offset: 0 }
}

/// An account as the author of a commit at a moment (`2026-11-22T12:00:00Z`); none if that is no moment.
pub(in crate::sandbox) fn signature_of(account: &Account, at: &str) -> Option<Signature> {
    let name = if account.name.is_empty() { &account.login } else { &account.name };
    let hidden = format!("{}+{}@users.noreply.github.com", account.id, account.login);
    Some(Signature {
        name: name.clone(),
        email: account.email.clone().unwrap_or(hidden),
        at: at.parse::<Timestamp>().ok()?.as_second(),
        offset: 0,
    })
}

/// The account that a signature's address belongs to.
pub(in crate::sandbox) fn login_of(state: &State, signature: &Signature) -> Option<String> {
    let hidden = signature.email.strip_suffix("@users.noreply.github.com");
    if let Some(login) = hidden.and_then(|name| name.split('+').next_back()) {
        return state.accounts.get(login).map(|account| account.login.clone());
    }
    state.accounts.by_email(&signature.email).map(|account| account.login.clone())
}

/// The node id of something in a repository that has no number: a commit (`C`), a ref (`REF`), a tree, a blob.
pub(in crate::sandbox) fn object_id(kind: &str, repo: u64, name: &str) -> String {
    let bytes = [&repo.to_be_bytes()[..], name.as_bytes()].concat();
    format!("{kind}_kwDO{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The repository and name of such a node id.
pub(in crate::sandbox) fn parse_object_id(kind: &str, id: &str) -> Option<(u64, String)> {
    let rest = id.strip_prefix(kind)?.strip_prefix("_kwDO")?;
    let bytes = URL_SAFE_NO_PAD.decode(rest).ok()?;
    let (repo, name) = bytes.split_at_checked(8)?;
    Some((u64::from_be_bytes(repo.try_into().ok()?), String::from_utf8(name.to_vec()).ok()?))
}

impl Repository {
    /// An address of the API below the repository's.
    pub(in crate::sandbox) fn url(&self, site: &Site, rest: &str) -> String {
        site.url(&format!("repos/{}/{}{rest}", self.owner, self.name))
    }

    /// An address of the site below the repository's.
    pub(in crate::sandbox) fn html_url(&self, rest: &str) -> String {
        format!("https://github.com/{}/{}{rest}", self.owner, self.name)
    }
}

/// A commit's author or committer as git has it.
pub(super) fn person(signature: &Signature) -> Value {
    json!({
        "name": signature.name,
        "email": signature.email,
        "date": Timestamp::from_second(signature.at).unwrap_or_default().to_string(),
    })
}

/// What GitHub says of a commit's signature.
pub(super) fn verification(commit: &Commit) -> Value {
    let at = Timestamp::from_second(commit.committer.at).unwrap_or_default().to_string();
    match &commit.signature {
        Some(signature) => json!({
            "verified": true,
            "reason": "valid",
            "signature": signature,
            "payload": commit.payload(),
            "verified_at": at,
        }),
        None => json!({
            "verified": false,
            "reason": "unsigned",
            "signature": null,
            "payload": null,
            "verified_at": null,
        }),
    }
}

/// GitHub's account for what is committed on the site, or the account of a login; null for nobody.
fn account(site: &Site, state: &State, signature: &Signature) -> Value {
    match login_of(state, signature) {
        Some(login) => state.accounts.simple(site, &login),
        None => Value::Null,
    }
}

/// A commit as `GET /repos/{owner}/{repo}/commits` lists it; null if there is none.
pub(in crate::sandbox) fn commit_json(site: &Site, state: &State, repo: &Repository, sha: &str) -> Value {
    let Some(commit) = repo.git.commit(sha) else { return Value::Null };
    let parents: Vec<_> = commit
        .parents
        .iter()
        .map(|parent| {
            json!({
                "sha": parent,
                "url": repo.url(site, &format!("/commits/{parent}")),
                "html_url": repo.html_url(&format!("/commit/{parent}")),
            })
        })
        .collect();
    json!({
        "sha": sha,
        "node_id": object_id("C", repo.id, sha),
        "commit": {
            "author": person(&commit.author),
            "committer": person(&commit.committer),
            "message": commit.text(),
            "tree": {
                "sha": commit.tree,
                "url": repo.url(site, &format!("/git/trees/{}", commit.tree)),
            },
            "url": repo.url(site, &format!("/git/commits/{sha}")),
            "comment_count": 0,
            "verification": verification(commit),
        },
        "url": repo.url(site, &format!("/commits/{sha}")),
        "html_url": repo.html_url(&format!("/commit/{sha}")),
        "comments_url": repo.url(site, &format!("/commits/{sha}/comments")),
        "author": account(site, state, &commit.author),
        "committer": account(site, state, &commit.committer),
        "parents": parents,
    })
}

/// A changed file, as commits, comparisons and pull requests list it; `sha` is the commit that has it.
pub(in crate::sandbox) fn change_json(site: &Site, repo: &Repository, sha: &str, change: &Change) -> Value {
    let path = encoded(&change.path);
    let mut row = json!({
        "sha": change.blob_sha,
        "filename": change.path,
        "status": change.status.as_str(),
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": repo.html_url(&format!("/blob/{sha}/{path}")),
        "raw_url": repo.html_url(&format!("/raw/{sha}/{path}")),
        "contents_url": repo.url(site, &format!("/contents/{path}?ref={sha}")),
    });
    if let Some(patch) = &change.patch {
        row["patch"] = json!(patch);
    }
    if let Some(previous) = &change.previous {
        row["previous_filename"] = json!(previous);
    }
    row
}

/// A path within an address: slashes stay.
pub(super) fn encoded(path: &str) -> String {
    let parts =
        path.split('/').map(|part| url::form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>());
    parts.collect::<Vec<_>>().join("/").replace('+', "%20")
}

/// The rights that a role has, as repositories show them.
pub(super) fn permissions(role: Option<Role>) -> Value {
    let at_least = |needed: Role| role.is_some_and(|role| role >= needed);
    json!({
        "admin": at_least(Role::Admin),
        "maintain": at_least(Role::Maintain),
        "push": at_least(Role::Write),
        "triage": at_least(Role::Triage),
        "pull": true,
    })
}

/// A repository as listings show it ("minimal repository"), for a login's rights in it.
pub(in crate::sandbox) fn repository_json(
    site: &Site,
    state: &State,
    repo: &Repository,
    login: &str,
) -> Map<String, Value> {
    const PARTS: [(&str, &str); 37] = [
        ("archive_url", "/{archive_format}{/ref}"),
        ("assignees_url", "/assignees{/user}"),
        ("blobs_url", "/git/blobs{/sha}"),
        ("branches_url", "/branches{/branch}"),
        ("collaborators_url", "/collaborators{/collaborator}"),
        ("comments_url", "/comments{/number}"),
        ("commits_url", "/commits{/sha}"),
        ("compare_url", "/compare/{base}...{head}"),
        ("contents_url", "/contents/{+path}"),
        ("contributors_url", "/contributors"),
        ("deployments_url", "/deployments"),
        ("downloads_url", "/downloads"),
        ("events_url", "/events"),
        ("forks_url", "/forks"),
        ("git_commits_url", "/git/commits{/sha}"),
        ("git_refs_url", "/git/refs{/sha}"),
        ("git_tags_url", "/git/tags{/sha}"),
        ("hooks_url", "/hooks"),
        ("issue_comment_url", "/issues/comments{/number}"),
        ("issue_events_url", "/issues/events{/number}"),
        ("issues_url", "/issues{/number}"),
        ("keys_url", "/keys{/key_id}"),
        ("labels_url", "/labels{/name}"),
        ("languages_url", "/languages"),
        ("merges_url", "/merges"),
        ("milestones_url", "/milestones{/number}"),
        ("notifications_url", "/notifications{?since,all,participating}"),
        ("pulls_url", "/pulls{/number}"),
        ("releases_url", "/releases{/id}"),
        ("stargazers_url", "/stargazers"),
        ("statuses_url", "/statuses/{sha}"),
        ("subscribers_url", "/subscribers"),
        ("subscription_url", "/subscription"),
        ("tags_url", "/tags"),
        ("teams_url", "/teams"),
        ("trees_url", "/git/trees{/sha}"),
        ("url", ""),
    ];
    let full_name = repo.full_name();
    let forks = state.repos.all().filter(|fork| fork.parent == Some(repo.id)).count();
    let open_issues = state.tracker.board(repo.id).issues.values().filter(|issue| issue.open).count();
    let mut row = Map::new();
    let about = json!({
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": full_name,
        "private": repo.private,
        "owner": state.accounts.simple(site, &repo.owner),
        "html_url": repo.html_url(""),
        "description": repo.description,
        "fork": repo.parent.is_some(),
        "created_at": repo.created_at,
        "updated_at": repo.updated_at,
        "pushed_at": repo.pushed_at,
        "git_url": format!("git://github.com/{full_name}.git"),
        "ssh_url": format!("git@github.com:{full_name}.git"),
        "clone_url": format!("https://github.com/{full_name}.git"),
        "svn_url": format!("https://github.com/{full_name}"),
        "homepage": repo.homepage,
        "size": repo.kilobytes(),
        "language": repo.languages().first().map(|(name, _)| *name),
    });
    let more = json!({
        "stargazers_count": 0,
        "watchers_count": 0,
        "has_issues": !state.tracker.board(repo.id).disabled,
        "has_projects": true,
        "has_wiki": false,
        "has_pages": false,
        "has_downloads": true,
        "has_discussions": false,
        "forks_count": forks,
        "mirror_url": null,
        "archived": repo.archived,
        "disabled": false,
        "open_issues_count": open_issues,
        "license": null,
        "allow_forking": true,
        "is_template": false,
        "web_commit_signoff_required": false,
        "topics": repo.topics,
        "visibility": if repo.private { "private" } else { "public" },
        "forks": forks,
        "open_issues": open_issues,
        "watchers": 0,
        "default_branch": repo.default_branch,
        "permissions": permissions(repo.role(login)),
    });
    for part in [about, more] {
        if let Value::Object(part) = part {
            row.extend(part);
        }
    }
    for (name, rest) in PARTS {
        row.insert(name.to_owned(), repo.url(site, rest).into());
    }
    row
}

impl Repository {
    /// The size of all files of the default branch, in kilobytes.
    pub(super) fn kilobytes(&self) -> usize {
        let files = self.git.files_of(self.head().as_deref());
        files
            .values()
            .filter_map(|file| self.git.blob(&file.sha))
            .map(<[u8]>::len)
            .sum::<usize>()
            .div_ceil(1024)
    }

    /// Languages and how many bytes of each the default branch has, the most first. Data and prose do not count,
    /// as with GitHub's linguist.
    pub(in crate::sandbox) fn languages(&self) -> Vec<(&'static str, usize)> {
        const LANGUAGES: [(&str, &str); 10] = [
            (".rs", "Rust"),
            (".sh", "Shell"),
            (".ts", "TypeScript"),
            (".tsx", "TypeScript"),
            (".js", "JavaScript"),
            (".css", "CSS"),
            (".html", "HTML"),
            (".py", "Python"),
            (".sql", "PLpgSQL"),
            ("Dockerfile", "Dockerfile"),
        ];
        let mut found: Vec<(&'static str, usize)> = Vec::new();
        for (path, file) in self.git.files_of(self.head().as_deref()) {
            let Some((_, language)) = LANGUAGES.iter().find(|(end, _)| path.ends_with(end)) else { continue };
            let bytes = self.git.blob(&file.sha).map(<[u8]>::len).unwrap_or_default();
            match found.iter_mut().find(|(name, _)| name == language) {
                Some((_, sum)) => *sum += bytes,
                None => found.push((language, bytes)),
            }
        }
        found.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        found
    }
}
