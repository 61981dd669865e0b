//! Search for code, on default branches.

use serde_json::{Value, json};

use super::{
    super::{
        super::{
            errors::{ApiError, Outcome},
            repos::{self, Repository},
            request::{FakeResponse, GitHubRequest as _, RequestContext},
        },
        guard::TrackerGuard,
    },
    Query, is_meant, matches, results, scope,
};

/// "Only files smaller than 384 KB are searchable" (docs.github.com, "Search code").
const LARGEST: usize = 384 * 1024;

/// A file that was found.
struct Hit<'s> {
    repo: &'s Repository,
    path: String,
    sha: String,
    text: String,
}

/// `GET /search/code`
pub(in super::super) fn search(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    if cx.caller.token.is_none() {
        return Err(ApiError::unauthorized());
    }
    let query = Query::parse(cx.query("q"))?;
    // "You must always include at least one search term when searching source code."
    if query.texts().is_empty() {
        return Err(ApiError::custom("Search", "q", "Must include at least one search term"));
    }
    let guard = TrackerGuard::enter(cx)?;
    let me = cx.caller.login();
    let mut hits: Vec<Hit<'_>> = Vec::new();
    for repo in scope(&guard.state, cx.caller, &query)? {
        let head = repo.head();
        for (path, file) in repo.git.files_of(head.as_deref()) {
            let Some(bytes) = repo.git.blob(&file.sha).filter(|bytes| bytes.len() < LARGEST) else {
                continue;
            };
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            let lower = text.to_lowercase();
            let fits = query.fits(&|leaf| match leaf {
                Query::Text(word) => says(&query, word, &lower, &path),
                Query::Qualifier { name, value } => match name.as_str() {
                    "repo" | "org" | "user" => is_meant(repo, &guard.state, me, name, value),
                    other => is_at(&path, other, value),
                },
                Query::And(_) | Query::Or(_) | Query::Not(_) => false,
            });
            if fits {
                hits.push(Hit { repo, path, sha: file.sha, text: text.to_owned() });
            }
        }
    }
    results(cx, &hits, |hit| {
        let repo = hit.repo;
        let path = hit.path.split('/').map(encode).collect::<Vec<_>>().join("/");
        let head = repo.head().unwrap_or_default();
        let url = cx.site.url(&format!("repos/{}/contents/{path}?ref={head}", repo.full_name()));
        let mut shown = json!({
            "name": hit.path.rsplit('/').next(),
            "path": hit.path,
            "sha": hit.sha,
            "url": url,
            "git_url": cx.site.url(&format!("repos/{}/git/blobs/{}", repo.full_name(), hit.sha)),
            "html_url": format!("https://github.com/{}/blob/{head}/{path}", repo.full_name()),
            "repository": repos::repository_json(cx.site, &guard.state, repo, me),
        });
        if cx.accepts("text-match") {
            let found = [
                matches(&query, &hit.text, &url, "FileContent", "content"),
                matches(&query, &hit.path, &url, "FileContent", "path"),
            ];
            shown["text_matches"] = found.into_iter().flatten().collect::<Vec<Value>>().into();
        }
        shown
    })
}

fn encode(part: &str) -> String {
    percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2E", ".")
        .replace("%2D", "-")
        .replace("%5F", "_")
}

/// Whether a word is in the file, or in its path, as `in:` says.
fn says(query: &Query, word: &str, text: &str, path: &str) -> bool {
    let places: Vec<&str> = query.values("in").into_iter().flat_map(|places| places.split(',')).collect();
    let in_path = places.contains(&"path") && path.to_lowercase().contains(word);
    let in_file = (places.is_empty() || places.contains(&"file")) && text.contains(word);
    in_path || in_file
}

fn is_at(path: &str, name: &str, value: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    let extension = file.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    match name {
        "path" if value == "/" => !path.contains('/'),
        "path" => path.to_lowercase().starts_with(&value.trim_start_matches('/').to_lowercase()),
        "filename" => file.to_lowercase().contains(&value.to_lowercase()),
        "extension" => extension.eq_ignore_ascii_case(value.trim_start_matches('.')),
        "language" => language(extension).eq_ignore_ascii_case(value),
        _ => true,
    }
}

fn language(extension: &str) -> &'static str {
    match extension {
        "rs" => "rust",
        "sh" => "shell",
        "sql" => "sql",
        "yml" | "yaml" => "yaml",
        "md" => "markdown",
        "toml" => "toml",
        "ts" | "tsx" => "typescript",
        "json" => "json",
        _ => "text",
    }
}
