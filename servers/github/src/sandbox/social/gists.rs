//! Gists.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    ids::node_id,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

use super::{moment, number, rows, text};

/// A gist.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Gist {
    /// Thirty-two digits.
    id: String,
    owner: String,
    public: bool,
    description: Option<String>,
    /// Names to contents.
    files: BTreeMap<String, String>,
    created: String,
    updated: String,
    comments: Vec<Comment>,
}

/// A comment on a gist.
#[derive(Clone, Debug, Serialize)]
struct Comment {
    id: u64,
    author: String,
    body: String,
    created: String,
}

impl Gist {
    pub(super) fn from_seed(row: &Value) -> Result<Self, String> {
        let created = moment(row, "at").ok_or("a gist without time")?;
        let files = row["files"].as_object().into_iter().flatten();
        let comments = rows(&row["comments"]).map(|row| {
            Ok(Comment {
                id: number(row, "id")?,
                author: text(row, "by"),
                body: text(row, "body"),
                created: moment(row, "at").unwrap_or_default(),
            })
        });
        Ok(Self {
            id: text(row, "id"),
            owner: text(row, "owner"),
            public: row["public"] == true,
            description: row["description"].as_str().map(str::to_owned),
            files: files
                .map(|(name, content)| (name.clone(), content.as_str().unwrap_or_default().to_owned()))
                .collect(),
            updated: moment(row, "updated").unwrap_or_else(|| created.clone()),
            created,
            comments: comments.collect::<Result<_, String>>()?,
        })
    }
}

/// `GET /gists`: the caller's own, with `since`; the public ones for nobody.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let login = cx.caller.login().to_owned();
    page(cx, |gist| if login.is_empty() { gist.public } else { gist.owner == login })
}

/// `GET /users/{username}/gists`: the public ones, and to their owner the secret ones.
pub(super) fn of_user(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let login = cx.variable("username");
    if cx.site.state().accounts.get(login).is_none() {
        return Err(ApiError::not_found());
    }
    page(cx, |gist| {
        gist.owner.eq_ignore_ascii_case(login) && (gist.public || gist.owner == cx.caller.login())
    })
}

fn page(cx: &RequestContext<'_>, fits: impl Fn(&Gist) -> bool) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let since = cx.query("since").unwrap_or_default();
    let mut gists: Vec<_> =
        state.social.gists.iter().filter(|gist| fits(gist) && gist.updated.as_str() >= since).collect();
    gists.sort_by(|one, other| (&other.created, &other.id).cmp(&(&one.created, &one.id)));
    Ok(cx.page(&gists, |gist| show(cx.site, &state, gist, false).into()))
}

/// `GET /gists/{gist_id}`: to everybody who knows its id.
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let gist = find(&state, cx)?;
    Ok(FakeResponse::json(show(cx.site, &state, gist, true)))
}

/// `POST /gists`.
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let login = user(cx)?;
    let mut files = BTreeMap::new();
    change(&mut files, body.get("files"))?;
    if files.is_empty() {
        return Err(ApiError::validation("Gist", "files", "missing_field"));
    }
    let now = cx.site.now();
    let mut state = cx.site.state();
    let number = state.next_id();
    let id: String =
        Sha256::digest(number.to_be_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let public = match body.get("public") {
        Some(Value::String(text)) => text == "true",
        other => other == Some(&Value::Bool(true)),
    };
    let gist = Gist {
        id,
        owner: login,
        public,
        description: body.get("description").and_then(Value::as_str).map(str::to_owned),
        files,
        created: now.clone(),
        updated: now,
        comments: Vec::new(),
    };
    state.social.gists.push(gist.clone());
    Ok(FakeResponse::created(show(cx.site, &state, &gist, true)))
}

/// `PATCH /gists/{gist_id}`: by its owner. A file that is null is removed, one with `filename` renamed.
pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let login = user(cx)?;
    let now = cx.site.now();
    let mut state = cx.site.state();
    let id = find(&state, cx)?.id.clone();
    let gist = state.social.gists.iter_mut().find(|gist| gist.id == id && gist.owner == login);
    let gist = gist.ok_or_else(ApiError::not_found)?;
    let mut files = gist.files.clone();
    change(&mut files, body.get("files"))?;
    if files.is_empty() {
        return Err(ApiError::validation("Gist", "files", "missing_field"));
    }
    gist.files = files;
    if let Some(description) = body.get("description") {
        gist.description = description.as_str().map(str::to_owned);
    }
    gist.updated = now;
    let gist = gist.clone();
    Ok(FakeResponse::json(show(cx.site, &state, &gist, true)))
}

/// `DELETE /gists/{gist_id}`: by its owner.
pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let login = user(cx)?;
    let mut state = cx.site.state();
    let id = find(&state, cx)?.id.clone();
    let before = state.social.gists.len();
    state.social.gists.retain(|gist| gist.id != id || gist.owner != login);
    if state.social.gists.len() == before {
        return Err(ApiError::not_found());
    }
    Ok(FakeResponse::none())
}

/// `GET /gists/{gist_id}/comments`.
pub(super) fn comments(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let gist = find(&state, cx)?;
    Ok(cx.page(&gist.comments, |comment| show_comment(cx.site, &state, gist, comment)))
}

/// `POST /gists/{gist_id}/comments`.
pub(super) fn comment(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let Some(text) = body.get("body").and_then(Value::as_str).filter(|text| !text.trim().is_empty()) else {
        return Err(ApiError::validation("GistComment", "body", "missing_field"));
    };
    let author = user(cx)?;
    let created = cx.site.now();
    let mut state = cx.site.state();
    let id = find(&state, cx)?.id.clone();
    let comment = Comment { id: state.next_id(), author, body: text.to_owned(), created };
    let gist = state.social.gists.iter_mut().find(|gist| gist.id == id).ok_or_else(ApiError::not_found)?;
    gist.comments.push(comment.clone());
    let gist = gist.clone();
    Ok(FakeResponse::created(show_comment(cx.site, &state, &gist, &comment)))
}

/// Who writes; an installation of an app has no gists.
fn user(cx: &RequestContext<'_>) -> Outcome<String> {
    let state = cx.site.state();
    match state.accounts.get(cx.caller.login()) {
        Some(account) if account.kind == "User" => Ok(account.login.clone()),
        _ => Err(ApiError::forbidden("Resource not accessible by integration")),
    }
}

fn find<'s>(state: &'s State, cx: &RequestContext<'_>) -> Outcome<&'s Gist> {
    let id = cx.variable("gist_id");
    state.social.gists.iter().find(|gist| gist.id == id).ok_or_else(ApiError::not_found)
}

/// Does to files what a request says.
fn change(files: &mut BTreeMap<String, String>, given: Option<&Value>) -> Outcome<()> {
    for (name, file) in given.and_then(Value::as_object).into_iter().flatten() {
        let known = files.remove(name);
        let Some(file) = file.as_object() else { continue };
        let content = file.get("content").and_then(Value::as_str).map(str::to_owned).or(known);
        let Some(content) = content.filter(|content| !content.is_empty()) else {
            return Err(ApiError::validation("Gist", "files", "missing_field"));
        };
        let renamed = file.get("filename").and_then(Value::as_str).unwrap_or(name);
        files.insert(renamed.to_owned(), content);
    }
    Ok(())
}

/// The media type and the language of a file, by its name.
fn kind(name: &str) -> (&'static str, Option<&'static str>) {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("md") => ("text/markdown", Some("Markdown")),
        Some("rs") => ("text/rust", Some("Rust")),
        Some("sh") => ("application/x-sh", Some("Shell")),
        Some("sql") => ("application/sql", Some("SQL")),
        Some("json") => ("application/json", Some("JSON")),
        Some("csv") => ("text/csv", Some("CSV")),
        _ => ("text/plain", Some("Text")),
    }
}

/// A gist; with its contents and history, if it is shown alone.
fn show(site: &Site, state: &State, gist: &Gist, whole: bool) -> Map<String, Value> {
    let url = site.url(&format!("gists/{}", gist.id));
    let html = format!("https://gist.github.com/{}/{}", gist.owner, gist.id);
    let owner = state.accounts.simple(site, &gist.owner);
    let version: String = Sha256::digest(format!("{}{}", gist.id, gist.updated))
        .iter()
        .take(20)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let files: Map<_, _> = gist
        .files
        .iter()
        .map(|(name, content)| {
            let (media, language) = kind(name);
            let mut file = json!({
                "filename": name,
                "type": media,
                "language": language,
                "raw_url": format!("https://gist.githubusercontent.com/{}/{}/raw/{version}/{name}", gist.owner, gist.id),
                "size": content.len(),
            });
            if whole {
                file["truncated"] = false.into();
                file["content"] = content.as_str().into();
                file["encoding"] = "utf-8".into();
            }
            (name.clone(), file)
        })
        .collect();
    let about = json!({
        "url": url,
        "forks_url": format!("{url}/forks"),
        "commits_url": format!("{url}/commits"),
        "id": gist.id,
        "node_id": node_id("G", u64::from_str_radix(gist.id.get(..15).unwrap_or_default(), 16).unwrap_or_default()),
        "git_pull_url": format!("https://gist.github.com/{}.git", gist.id),
        "git_push_url": format!("https://gist.github.com/{}.git", gist.id),
        "html_url": html,
        "files": files,
        "public": gist.public,
        "created_at": gist.created,
        "updated_at": gist.updated,
        "description": gist.description,
        "comments": gist.comments.len(),
        "comments_enabled": true,
        "user": null,
        "comments_url": format!("{url}/comments"),
        "owner": owner,
        "truncated": false,
    });
    let mut shown = about.as_object().cloned().unwrap_or_default();
    if whole {
        shown.insert("forks".to_owned(), json!([]));
        let change = json!({
            "user": owner,
            "version": version,
            "committed_at": gist.updated,
            "change_status": {"total": 1, "additions": 1, "deletions": 0},
            "url": format!("{url}/{version}"),
        });
        shown.insert("history".to_owned(), json!([change]));
    }
    shown
}

fn show_comment(site: &Site, state: &State, gist: &Gist, comment: &Comment) -> Value {
    json!({
        "id": comment.id,
        "node_id": node_id("GC", comment.id),
        "url": site.url(&format!("gists/{}/comments/{}", gist.id, comment.id)),
        "body": comment.body,
        "user": state.accounts.simple(site, &comment.author),
        "created_at": comment.created,
        "updated_at": comment.created,
        "author_association": if comment.author == gist.owner { "OWNER" } else { "NONE" },
    })
}
