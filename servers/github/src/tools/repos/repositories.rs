//! Repositories: those of an owner, one with what one needs to work in it, a new one.

use connector::catalog::reconcile;
use connector::{
    Effect, Error, Kind, Result,
    catalog::{
        Call, Page, Plan, Position, Reply, Tool, Written, limit, one_line,
        paging::{self, VendorPage},
        words::counted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts::{self, Include};
use crate::{
    GitHub,
    api::repos::{NewRepo, Repository, Whose},
    bounds::WITHIN,
    render::day,
    repo::Repo,
    resolve::naming,
    scopes,
    tools::FROM,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_repos",
            "List repositories",
            "Repositories of an owner, or all of yours.",
            list_repos,
        )
        .toolset("repos")
        .aliases(&[("org", "owner"), ("user", "owner"), ("visibility", "type")])
        .output_page::<Row>(),
        Tool::read(
            "get_repo",
            "Get repository",
            "A repository and your rights in it; include adds what one needs before writing.",
            get_repo,
        )
        .toolset("repos")
        .output::<Found>(),
        Tool::write(
            "create_repo",
            "Create or fork repository",
            "Creates a repository, private unless said otherwise, or forks one.",
            create_repo,
        )
        .toolset("repos")
        .scopes(scopes::REPO)
        .aliases(&[("owner", "org"), ("organization", "org")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Type {
    #[default]
    All,
    Public,
    Private,
    Forks,
    Sources,
}

impl Type {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Public => "public",
            Self::Private => "private",
            Self::Forks => "forks",
            Self::Sources => "sources",
        }
    }

    fn fits(self, repository: &Repository) -> bool {
        match self {
            Self::All => true,
            Self::Public => !repository.private,
            Self::Private => repository.private,
            Self::Forks => repository.fork,
            Self::Sources => !repository.fork,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Pushed,
    Updated,
    Created,
    Name,
}

impl Sort {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Updated => "updated",
            Self::Created => "created",
            Self::Name => "full_name",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRepos {
    owner: Option<String>,
    r#type: Option<Type>,
    sort: Option<Sort>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A repository in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    repo: String,
    private: bool,
    default_branch: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    language: String,
    stars: u64,
    pushed: String,
    /// What you may do in it.
    #[serde(skip_serializing_if = "str::is_empty")]
    role: &'static str,
    archived: bool,
    fork: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
}

impl Row {
    fn new(repository: &Repository) -> Self {
        Self {
            repo: one_line(&repository.full_name),
            private: repository.private,
            default_branch: one_line(&repository.default_branch),
            language: one_line(&repository.language),
            stars: repository.stargazers_count,
            pushed: repository.pushed_at.clone(),
            role: repository.permissions.role(),
            archived: repository.archived,
            fork: repository.fork,
            description: one_line(&repository.description),
        }
    }

    fn text(&self) -> String {
        let mut text = self.repo.clone();
        text.push_str(if self.private { " private" } else { " public" });
        for (is, word) in [(self.fork, " fork"), (self.archived, " archived")] {
            if is {
                text.push_str(word);
            }
        }
        for part in [self.language.as_str(), self.role] {
            if !part.is_empty() {
                text.push_str(&format!(", {part}"));
            }
        }
        if self.stars > 0 {
            text.push_str(&format!(", {}", counted(self.stars, ("star", "stars"))));
        }
        if !self.pushed.is_empty() {
            text.push_str(&format!(", pushed {}", day(&self.pushed)));
        }
        if !self.description.is_empty() {
            text.push_str(&format!(": {}", self.description));
        }
        text
    }
}

async fn list_repos(call: Call<GitHub>, arguments: ListRepos) -> Result<Reply> {
    let ListRepos { owner, r#type: kind, sort, limit: asked, cursor } = arguments;
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let (kind, sort) = (kind.unwrap_or_default(), sort.unwrap_or_default());
    let owner = naming::account(&call, owner.as_deref()).await?;
    let owner = owner.as_deref();
    let viewer = call.api().viewer().await;
    let whose = match (owner, &viewer) {
        (None, Err(error)) if matches!(error.kind(), Kind::Permission) => Whose::Installations,
        (None, Err(_)) => return Err(viewer.err().unwrap_or_else(|| Error::internal("no viewer"))),
        (None, Ok(_)) => Whose::Viewers,
        // Of oneself, GitHub's list by name has the public ones only.
        (Some(owner), Ok(viewer)) if viewer.login.eq_ignore_ascii_case(owner) => Whose::ViewersOwn,
        (Some(owner), _) => match call.api().is_organization(owner).await {
            Ok(true) => Whose::Organizations(owner),
            Ok(false) => Whose::Users(owner),
            Err(error) if error.kind() == Kind::NotFound => {
                return Err(Error::not_found(format!("GitHub has no account {}", one_line(owner))));
            }
            Err(error) => return Err(error),
        },
    };
    let per_page = position.first(limit(asked, 20, 100), 100);
    let after = position.after.as_deref();
    let listed = call.api().repositories(whose, kind.as_str(), sort.as_str(), per_page, after).await?;
    let of = owner.map_or_else(|| "yours".to_owned(), |owner| format!("of {}", one_line(owner)));
    let mut page = Page::new(FROM, ("repository", "repositories")).note(of);
    let rows: Vec<_> = listed.items.iter().skip(position.skip).collect();
    let mut places = Vec::new();
    for (place, repository) in rows.iter().enumerate() {
        if call.bounds().sees(&repository.full_name) && kind.fits(repository) {
            let row = Row::new(repository);
            page.push(row.text(), &row);
            places.push(place);
        }
    }
    if call.bounds().is_narrow() {
        page = page.note(WITHIN);
    }
    if kind != Type::All {
        page = page.note(format!("{} only", kind.as_str()));
    }
    let read = rows.len();
    Ok(Reply::page(paging::close(&call, page, VendorPage { position, read, places, next: listed.next })))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetRepo {
    repo: Option<String>,
    #[serde(default)]
    include: Vec<Include>,
}

/// A repository.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    #[serde(flatten)]
    repository: Row,
    head: Option<String>,
    url: String,
    /// What was included, by name: text as it was read.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    parts: serde_json::Map<String, serde_json::Value>,
    /// Parts that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<String>,
}

async fn get_repo(call: Call<GitHub>, arguments: GetRepo) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let repository = call.api().repository(&repo).await?;
    let mut wanted = arguments.include;
    wanted.sort_unstable();
    wanted.dedup();
    let branch = repository.default_branch.clone();
    let (head, parts) = futures::join!(
        call.api().commit_sha(&repo, &branch),
        futures::future::join_all(wanted.iter().map(|include| parts::read(
            &call,
            &repo,
            &repository.default_branch,
            *include
        )),),
    );
    let row = Row::new(&repository);
    let mut header = row.text();
    if !row.description.is_empty() {
        // It is shown below, as what it is.
        header.truncate(header.len() - row.description.len() - 2);
    }
    let mut reply = Reply::new(header);
    reply = match &head {
        Ok(sha) => reply.line(format!("Default branch {} at {sha}.", row.default_branch)),
        Err(error) if error.kind() == Kind::NotFound => {
            reply.line(format!("It has no commits yet; its default branch will be {}.", row.default_branch))
        }
        Err(error) => reply.line(format!(
            "Default branch {}. Its head could not be read: {}",
            row.default_branch,
            error.for_agent()
        )),
    };
    for line in facts(&repository) {
        reply = reply.line(line);
    }
    reply = reply.line(one_line(&repository.html_url));
    if !row.description.is_empty() {
        reply = reply.outside("description", None, row.description.clone());
    }
    let mut found = Found {
        head: head.ok(),
        url: one_line(&repository.html_url),
        repository: row,
        parts: serde_json::Map::new(),
        failed: Vec::new(),
    };
    for (include, part) in wanted.iter().zip(parts) {
        let name = include.as_str();
        match part {
            Ok(part) => {
                reply = part.show(reply);
                found.parts.insert(name.to_owned(), part.into_data());
            }
            Err(error) => {
                reply = reply.line(format!("Not answered ({name}): {}", error.for_agent()));
                found.failed.push(name.to_owned());
            }
        }
    }
    Ok(reply.data(&found))
}

/// What else there is to know, in lines.
fn facts(repository: &Repository) -> Vec<String> {
    let mut facts = Vec::new();
    let open = ("open issue or pull request", "open issues and pull requests");
    let mut line = counted(repository.open_issues_count, open);
    if repository.forks_count > 0 {
        line.push_str(&format!(", {}", counted(repository.forks_count, ("fork", "forks"))));
    }
    if !repository.parent.full_name.is_empty() {
        line.push_str(&format!(", fork of {}", one_line(&repository.parent.full_name)));
    }
    if repository.visibility == "internal" {
        line.push_str(", visible to everyone in the enterprise");
    }
    facts.push(line);
    let methods: Vec<_> = [
        (repository.allow_merge_commit, "merge"),
        (repository.allow_squash_merge, "squash"),
        (repository.allow_rebase_merge, "rebase"),
        (repository.allow_auto_merge, "auto-merge"),
    ]
    .into_iter()
    .filter_map(|(allowed, word)| allowed.then_some(word))
    .collect();
    // Only those who may write are told.
    if !methods.is_empty() {
        facts.push(format!("Pull requests may be merged by: {}.", methods.join(", ")));
    }
    if !repository.topics.is_empty() {
        let topics: Vec<_> = repository.topics.iter().map(|topic| one_line(topic)).collect();
        facts.push(format!("Topics: {}", topics.join(", ")));
    }
    facts
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateRepo {
    name: Option<String>,
    org: Option<String>,
    description: Option<String>,
    private: Option<bool>,
    auto_init: Option<bool>,
    fork_of: Option<String>,
}

async fn create_repo(call: Call<GitHub>, arguments: CreateRepo) -> Result<Plan> {
    let CreateRepo { name, org, description, private, auto_init, fork_of } = arguments;
    // One's own account is no organization.
    let org = org.filter(|org| !naming::is_me(org));
    let org = naming::account(&call, org.as_deref()).await?;
    let source = fork_of.as_deref().map(|source| call.bounds().repo(Some(source))).transpose()?;
    let name = match (name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()), &source) {
        (Some(name), _) => name,
        (None, Some(source)) => source.name.clone(),
        (None, None) => return Err(Error::invalid("Give `name`, or `fork_of`")),
    };
    let owner = match &org {
        Some(org) => org.clone(),
        None => call.api().viewer().await?.login,
    };
    let repo = Repo::parse(&format!("{owner}/{name}")).map_err(|error| {
        Error::invalid(format!("`org` and `name`: {}", error.message()))
            .with_hint("Both are names without slashes, such as octocat and hello-world")
    })?;
    call.bounds().permits(&repo, Effect::Write)?;
    if let Some(there) = call.api().repository_now(&repo).await? {
        return Err(Error::new(Kind::Conflict, format!("{} is there already", one_line(&there.full_name)))
            .with_hint("get_repo shows it; take another `name` for a new one"));
    }
    if let Some(source) = source {
        if description.is_some() || private.is_some() || auto_init.is_some() {
            return Err(Error::invalid("A fork has the description, visibility and files of its source")
                .with_hint("With `fork_of` give `name` and `org` only"));
        }
        return fork(call, source, repo, org).await;
    }
    let private = private.unwrap_or(true);
    let mut preview = Written::new(format!("Create the {} repository {repo}", visibility(private)));
    if auto_init.unwrap_or(false) {
        preview = preview.change("with a README as its first commit");
    }
    if let Some(description) = &description {
        preview = preview.change(format!("described as \"{}\"", one_line(description)));
    }
    Ok(Plan::new(Reply::written(preview), move || async move {
        let new = NewRepo {
            name: &repo.name,
            org: org.as_deref(),
            description: description.as_deref(),
            private,
            auto_init: auto_init.unwrap_or(false),
        };
        let (made, lost) = settle(&call, &repo, call.api().create_repository(&new).await).await?;
        let created = format!("created the {} repository {}", visibility(made.private), made.full_name);
        let mut done = Written::new(reconcile::summary("GitHub", lost, &created));
        if made.private != private {
            done = done.change(format!("NOT accepted by GitHub: {}", visibility(private)));
        }
        done = done.change(format!("default branch {}", one_line(&made.default_branch)));
        Ok(Reply::written(done.id(made.full_name).url(one_line(&made.html_url))))
    }))
}

async fn fork(call: Call<GitHub>, source: Repo, repo: Repo, org: Option<String>) -> Result<Plan> {
    let from = call.api().repository(&source).await?;
    let preview = Written::new(format!("Fork {source} ({}) as {repo}", visibility(from.private)));
    Ok(Plan::new(Reply::written(preview), move || async move {
        let sent = call.api().fork(&source, &repo.owner, org.as_deref(), &repo.name).await;
        let (made, lost) = settle(&call, &repo, sent).await?;
        let done = Written::new(reconcile::summary(
            "GitHub",
            lost,
            &format!("forked {source} as {}", made.full_name),
        ))
        .change("GitHub copies the commits in the background: they may be missing for a few minutes");
        Ok(Reply::written(done.id(made.full_name).url(one_line(&made.html_url))))
    }))
}

/// What was made; if the answer was lost, what is there now and was not there a moment ago.
async fn settle(call: &Call<GitHub>, repo: &Repo, sent: Result<Repository>) -> Result<(Repository, bool)> {
    // What was kept about it is that it is not there.
    call.api().invalidate(repo);
    reconcile::created(sent, async { call.api().repository_now(repo).await.ok().flatten() }).await
}

fn visibility(private: bool) -> &'static str {
    if private { "private" } else { "PUBLIC" }
}
