//! Releases.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Release, Repository, Role,
    asked::{flag, needed, repository, repository_mut, text},
    show::{encoded, login_of},
};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    ids::node_id,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

fn release_json(cx: &RequestContext<'_>, state: &State, repo: &Repository, release: &Release) -> Value {
    let url = repo.url(cx.site, &format!("/releases/{}", release.id));
    let tag = encoded(&release.tag);
    let upload = format!(
        "https://uploads.github.com/repos/{}/releases/{}/assets{{?name,label}}",
        repo.full_name(),
        release.id
    );
    json!({
        "url": url,
        "assets_url": format!("{url}/assets"),
        "upload_url": upload,
        "html_url": repo.html_url(&format!("/releases/tag/{tag}")),
        "id": release.id,
        "author": state.accounts.simple(cx.site, &release.author),
        "node_id": node_id("RE", release.id),
        "tag_name": release.tag,
        "target_commitish": release.target,
        "name": release.name,
        "draft": release.draft,
        "immutable": false,
        "prerelease": release.prerelease,
        "created_at": release.created_at,
        "updated_at": release.published_at.as_ref().unwrap_or(&release.created_at),
        "published_at": release.published_at,
        "assets": [],
        "tarball_url": repo.url(cx.site, &format!("/tarball/{tag}")),
        "zipball_url": repo.url(cx.site, &format!("/zipball/{tag}")),
        "body": release.body,
    })
}

/// Whether the caller may see drafts: who may push.
fn sees_drafts(cx: &RequestContext<'_>, repo: &Repository) -> bool {
    repo.role(cx.caller.login()).is_some_and(|role| role >= Role::Write)
}

pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let drafts = sees_drafts(cx, repo);
    let mut rows: Vec<_> = repo.releases.iter().filter(|release| drafts || !release.draft).collect();
    rows.sort_by(|one, other| other.created_at.cmp(&one.created_at).then(other.id.cmp(&one.id)));
    Ok(cx.page(&rows, |release| release_json(cx, &state, repo, release)))
}

pub(super) fn latest(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let release = repo.latest_release().ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(release_json(cx, &state, repo, release)))
}

impl Repository {
    /// The newest release that is neither a draft nor a trial.
    pub(in crate::sandbox) fn latest_release(&self) -> Option<&Release> {
        let shown = self.releases.iter().filter(|release| release.latest);
        shown.max_by(|one, other| one.published_at.cmp(&other.published_at).then(one.id.cmp(&other.id)))
    }
}

pub(super) fn by_tag(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let mut published = repo.releases.iter().filter(|release| !release.draft);
    let release =
        published.find(|release| release.tag == cx.variable("tag")).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(release_json(cx, &state, repo, release)))
}

pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let tag = needed(&body, "tag_name")?;
    let mut state = cx.site.state();
    let id = state.next_id();
    let repo = repository(cx, &state)?;
    if repo.git.is_empty() {
        return Err(ApiError::unprocessable("Repository is empty."));
    }
    if tag.is_empty() || tag.contains(' ') {
        return Err(ApiError::custom("Release", "tag_name", "tag_name is not a valid tag"));
    }
    if repo.releases.iter().any(|release| release.tag == tag && !release.draft) {
        return Err(ApiError::validation("Release", "tag_name", "already_exists"));
    }
    let now = cx.site.now();
    let mut release = Release {
        id,
        tag: tag.to_owned(),
        target: text(&body, "target_commitish").unwrap_or(&repo.default_branch).to_owned(),
        name: text(&body, "name").map(str::to_owned),
        body: text(&body, "body").map(str::to_owned),
        draft: flag(&body, "draft").unwrap_or_default(),
        prerelease: flag(&body, "prerelease").unwrap_or_default(),
        author: cx.caller.login().to_owned(),
        created_at: now,
        published_at: None,
        latest: false,
    };
    if flag(&body, "generate_release_notes").unwrap_or_default() {
        let notes = notes(&state, repo, tag, &release.target, None)?;
        release.name.get_or_insert_with(|| tag.to_owned());
        release.body = Some(match release.body.take() {
            Some(before) => format!("{before}\n\n{notes}"),
            None => notes,
        });
    }
    publish(cx, &mut state, &mut release, &body)?;
    let repo = repository_mut(cx, &mut state)?;
    repo.releases.push(release.clone());
    let repo = repository(cx, &state)?;
    Ok(FakeResponse::created(release_json(cx, &state, repo, &release)))
}

/// What follows from a release that is no draft: it is published, has its tag, and may be the latest.
fn publish(
    cx: &RequestContext<'_>,
    state: &mut State,
    release: &mut Release,
    body: &Map<String, Value>,
) -> Outcome<()> {
    let repo = repository_mut(cx, state)?;
    let reference = format!("refs/tags/{}", release.tag);
    if repo.git.reference(&reference).is_none() {
        let target = repo.resolve(&release.target);
        let target = target.ok_or_else(|| ApiError::validation("Release", "target_commitish", "invalid"))?;
        if !release.draft {
            repo.git.point(&reference, &target);
        }
    }
    if release.draft {
        release.published_at = None;
        release.latest = false;
        return Ok(());
    }
    release.published_at.get_or_insert_with(|| cx.site.now());
    release.latest = !release.prerelease && text(body, "make_latest") != Some("false");
    Ok(())
}

pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let id = cx.number("release_id")?;
    let mut state = cx.site.state();
    let repo = repository(cx, &state)?;
    let at = repo.releases.iter().position(|release| release.id == id).ok_or_else(ApiError::not_found)?;
    let mut release = repo.releases[at].clone();
    if let Some(tag) = text(&body, "tag_name") {
        let taken = |other: &Release| other.id != id && other.tag == tag && !other.draft;
        if repo.releases.iter().any(taken) {
            return Err(ApiError::validation("Release", "tag_name", "already_exists"));
        }
        tag.clone_into(&mut release.tag);
    }
    if let Some(target) = text(&body, "target_commitish") {
        target.clone_into(&mut release.target);
    }
    if let Some(name) = text(&body, "name") {
        release.name = Some(name.to_owned());
    }
    if let Some(words) = text(&body, "body") {
        release.body = Some(words.to_owned());
    }
    release.draft = flag(&body, "draft").unwrap_or(release.draft);
    release.prerelease = flag(&body, "prerelease").unwrap_or(release.prerelease);
    publish(cx, &mut state, &mut release, &body)?;
    let repo = repository_mut(cx, &mut state)?;
    repo.releases[at] = release.clone();
    let repo = repository(cx, &state)?;
    Ok(FakeResponse::json(release_json(cx, &state, repo, &release)))
}

pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let id = cx.number("release_id")?;
    let mut state = cx.site.state();
    let releases = &mut repository_mut(cx, &mut state)?.releases;
    let at = releases.iter().position(|release| release.id == id).ok_or_else(ApiError::not_found)?;
    releases.remove(at);
    Ok(FakeResponse::none())
}

pub(super) fn generate(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let tag = needed(&body, "tag_name")?;
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let target = text(&body, "target_commitish").unwrap_or(&repo.default_branch);
    let notes = notes(&state, repo, tag, target, text(&body, "previous_tag_name"))?;
    Ok(FakeResponse::json(json!({ "name": tag, "body": notes })))
}

/// Notes from the pull requests that were merged since the last release: from the subjects of their commits.
fn notes(
    state: &State,
    repo: &Repository,
    tag: &str,
    target: &str,
    previous: Option<&str>,
) -> Outcome<String> {
    let missing = |name: &str| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("Could not resolve {name} to a commit"))
    };
    let head = repo.resolve(tag).or_else(|| repo.resolve(target)).ok_or_else(|| missing(target))?;
    let previous = match previous {
        Some(previous) => Some(previous.to_owned()),
        None => {
            let others = repo.releases.iter().filter(|release| !release.draft && release.tag != tag);
            let mut others: Vec<_> = others.collect();
            others.sort_by(|one, other| other.published_at.cmp(&one.published_at));
            let before = |release: &&Release| {
                repo.resolve(&release.tag).is_some_and(|sha| repo.git.leads_to(&sha, &head))
            };
            others.into_iter().find(before).map(|release| release.tag.clone())
        }
    };
    let commits = match &previous {
        Some(previous) => {
            let base = repo.resolve(previous).ok_or_else(|| missing(previous))?;
            repo.git.between(&base, &head)
        }
        None => repo.git.log(&head),
    };
    let mut lines = Vec::new();
    for sha in commits.iter().rev() {
        let Some(commit) = repo.git.commit(sha) else { continue };
        let Some((title, number)) =
            commit.subject().strip_suffix(')').and_then(|text| text.rsplit_once(" (#"))
        else {
            continue;
        };
        let author = login_of(state, &commit.author).unwrap_or_else(|| commit.author.name.clone());
        let url = repo.html_url(&format!("/pull/{number}"));
        lines.push(format!("* {title} by @{author} in {url}"));
    }
    let mut notes = String::new();
    if !lines.is_empty() {
        notes = format!("## What's Changed\n{}\n\n\n", lines.join("\n"));
    }
    let changelog = match previous {
        Some(previous) => repo.html_url(&format!("/compare/{previous}...{tag}")),
        None => repo.html_url(&format!("/commits/{tag}")),
    };
    Ok(format!("{notes}**Full Changelog**: {changelog}"))
}
