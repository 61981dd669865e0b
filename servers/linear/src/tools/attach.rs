//! `attach`: an address, a pull request or a file on an issue.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Changes, FieldValue, Plan, Reply, Tool, Written, one_line,
        upload::{File, UploadSource},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::outcome;
use crate::{
    Linear,
    api::{
        Api,
        attachments::{Attachment, IssueAttachments},
    },
    resolve::absent,
};

/// The most bytes of one upload: what fits the 60 seconds that Linear's signed address lives.
const MAX_BYTES: usize = 25 * 1024 * 1024;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::write(
            "attach",
            "Attach to an issue",
            "Attaches a url to an issue (again: renames it), or a file: base64 content with filename, or a path in the upload folder.",
            attach,
        )
        .toolset("issues")
        .idempotent()
        .aliases(&[("issueId", "issue"), ("id", "issue"), ("link", "url"), ("file", "path"), ("name", "filename")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attach {
    issue: String,
    url: Option<String>,
    title: Option<String>,
    subtitle: Option<String>,
    content: Option<String>,
    filename: Option<String>,
    path: Option<String>,
}

async fn attach(call: Call<Linear>, args: Attach) -> Result<Plan> {
    let key = call.names().issue_key(&args.issue).await?;
    let source = UploadSource { root: call.upload_root(), max_bytes: MAX_BYTES };
    let file = source.read(args.content.as_deref(), args.filename.as_deref(), args.path.as_deref()).await?;
    match (&args.url, file) {
        (Some(url), None) => {
            let url = address(url)?;
            let issue =
                call.api().issue_attachments(&key.to_id()).await.map_err(|error| absent(error, &key))?;
            Ok(attach_url(&call, &issue, url, args))
        }
        (None, Some(file)) => {
            let issue =
                call.api().issue_attachments(&key.to_id()).await.map_err(|error| absent(error, &key))?;
            Ok(attach_file(&call, &issue, file, args))
        }
        _ => Err(Error::invalid("Give exactly one of `url`, `content` and `path`")),
    }
}

/// A link as it is given: an address, or `[title](address)`.
pub(super) fn link_to(given: &str) -> Result<(Url, Option<String>)> {
    let titled = given.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(')'));
    match titled.and_then(|rest| rest.split_once("](")) {
        Some((title, url)) => {
            Ok((address(url)?, Some(title.trim().to_owned()).filter(|title| !title.is_empty())))
        }
        None => Ok((address(given)?, None)),
    }
}

/// An address to attach, which a browser can open.
fn address(given: &str) -> Result<Url> {
    Url::parse(given.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::invalid(format!("`{}` is not a web address", one_line(given)))
                .with_hint("It must begin with https:// or http://")
        })
}

fn attach_url(call: &Call<Linear>, issue: &IssueAttachments, url: Url, args: Attach) -> Plan {
    let there = issue.attachments.nodes.iter().find(|attachment| attachment.url == url.as_str()).cloned();
    let pull_request = there.is_none() && is_pull_request(&url);
    let on = format!("{} {}", issue.identifier, one_line(&issue.title));
    let title = args.title.clone().or_else(|| there.as_ref().map(|there| there.title.clone()));
    let title = title.unwrap_or_else(|| default_title(&url));
    let mut changes = Changes::default();
    let old = there.clone().unwrap_or_default();
    if there.is_none() {
        changes.set("url", FieldValue::Short(String::new()), FieldValue::Short(url.to_string()));
    }
    // Linear titles a pull request itself.
    if args.title.is_some() || there.is_none() && !pull_request {
        changes.set("title", FieldValue::Short(old.title.clone()), FieldValue::Short(title.clone()));
    }
    if let Some(subtitle) = &args.subtitle {
        changes.set("subtitle", FieldValue::short(old.subtitle.clone()), FieldValue::Short(subtitle.clone()));
    }
    if changes.is_empty() {
        return Plan::nothing(Reply::written(
            Written::new(format!("Nothing to change: {on} has this link already")).id(old.id),
        ));
    }
    let verb = if there.is_some() { "Change the link on" } else { "Attach a link to" };
    let what = if pull_request { "Link a pull request to" } else { verb };
    let mut preview = Written::new(format!("{what} {on}"));
    preview.changed = changes.wanted();
    let api = call.api().clone();
    let issue_id = issue.id.clone();
    Plan::new(Reply::written(preview), move || async move {
        let linked =
            if pull_request { link(&api, &issue_id, &url, args.title.as_deref()).await? } else { Err(None) };
        let (saved, note) = match linked {
            Ok(saved) => (saved, None),
            Err(note) => (put(&api, &issue_id, url.as_str(), &title, args.subtitle.as_deref()).await?, note),
        };
        let outcome = changes.outcome(|field| field_value(&saved, field));
        let summary = if there.is_some() {
            outcome.summary("Linear", &format!("the link on {on}"))
        } else {
            format!("Attached {} to {on}", one_line(&saved.title))
        };
        let mut written = Written::new(summary).id(saved.id);
        written.changed = outcome.lines();
        written.changed.extend(note);
        Ok(Reply::written(written))
    })
}

fn attach_file(call: &Call<Linear>, issue: &IssueAttachments, file: File, args: Attach) -> Plan {
    let on = format!("{} {}", issue.identifier, one_line(&issue.title));
    let size = size(file.bytes.len());
    let title = args.title.unwrap_or_else(|| file.name.clone());
    let preview =
        Written::new(format!("Upload {} ({}, {size}) and attach it to {on}", file.name, file.content_type));
    let api = call.api().clone();
    let issue_id = issue.id.clone();
    Plan::new(Reply::written(preview), move || async move {
        let asset = api.upload(&file.name, file.content_type, file.bytes).await?;
        let saved =
            put(&api, &issue_id, &asset, &title, args.subtitle.as_deref()).await.map_err(|error| {
                let hint = format!("The file itself is uploaded: attach it with url {asset}");
                error.with_hint(hint)
            })?;
        let mut written =
            Written::new(format!("Uploaded {} ({size}) and attached it to {on}", file.name)).id(saved.id);
        written.changed.push(format!("title: {}", one_line(&saved.title)));
        let image = if file.content_type.starts_with("image/") { "!" } else { "" };
        written.changed.push(format!("in Markdown: {image}[{}]({asset})", file.name));
        Ok(Reply::written(written))
    })
}

/// Puts a link on an issue that has none of this address yet; how it is told.
pub(super) async fn attach_link(api: &Api, issue: &str, url: &Url, title: Option<&str>) -> Result<String> {
    let linked = if is_pull_request(url) { link(api, issue, url, title).await? } else { Err(None) };
    let (saved, note) = match linked {
        Ok(saved) => (saved, None),
        Err(note) => {
            let title = title.map_or_else(|| default_title(url), str::to_owned);
            (put(api, issue, url.as_str(), &title, None).await?, note)
        }
    };
    let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
    Ok(format!("link {} {}{note}", one_line(&saved.title), one_line(&saved.url)))
}

/// Links a pull request, or says why Linear did not: without its integration with GitHub a pull request is
/// still an address.
async fn link(
    api: &Api,
    issue: &str,
    url: &Url,
    title: Option<&str>,
) -> Result<std::result::Result<Attachment, Option<String>>> {
    let id = Uuid::new_v4().to_string();
    let sent = api.attach_pull_request(&id, issue, url.as_str(), title).await.and_then(|payload| {
        outcome::done(payload.attachment.filter(|_| payload.success), "link the pull request")
    });
    match sent {
        Ok(attachment) => Ok(Ok(attachment)),
        Err(error) if matches!(error.kind(), Kind::InvalidArgument | Kind::Permission | Kind::NotFound) => {
            Ok(Err(Some(format!(
                "as a plain link, because Linear did not link the pull request: {}",
                error.message()
            ))))
        }
        Err(error) => Err(error),
    }
}

async fn put(api: &Api, issue: &str, url: &str, title: &str, subtitle: Option<&str>) -> Result<Attachment> {
    let mut input = json!({"issueId": issue, "url": url, "title": title});
    if let Some(subtitle) = subtitle {
        input["subtitle"] = json!(subtitle);
    }
    let payload = api.attach(input).await?;
    outcome::done(payload.attachment.filter(|_| payload.success), "attach it")
}

fn field_value(attachment: &Attachment, field: &str) -> FieldValue {
    match field {
        "url" => FieldValue::Short(attachment.url.clone()),
        "title" => FieldValue::Short(attachment.title.clone()),
        _ => FieldValue::short(attachment.subtitle.clone()),
    }
}

/// Whether it is the address of a pull request of GitHub: `https://github.com/acme/shop/pull/12`.
fn is_pull_request(url: &Url) -> bool {
    let parts: Vec<_> = url.path_segments().into_iter().flatten().collect();
    url.host_str() == Some("github.com")
        && matches!(parts.as_slice(), [_, _, "pull", number, ..] if number.parse::<u64>().is_ok())
}

/// A title for an address that got none: `example.com/page`.
fn default_title(url: &Url) -> String {
    let path = url.path().trim_end_matches('/');
    format!("{}{path}", url.host_str().unwrap_or_default())
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} kB", bytes.div_ceil(1_024)),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_requests_are_known_by_their_address() {
        let is = |url: &str| is_pull_request(&Url::parse(url).unwrap());
        assert!(is("https://github.com/acme/shop/pull/12"));
        assert!(is("https://github.com/acme/shop/pull/12/files"));
        assert!(!is("https://github.com/acme/shop/issues/12"));
        assert!(!is("https://example.com/acme/shop/pull/12"));
    }

    #[test]
    fn only_web_addresses_are_attached() {
        assert!(address("https://example.com/a").is_ok());
        for bad in ["example.com", "javascript:alert(1)", "file:///etc/passwd", ""] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert_eq!(default_title(&address("https://example.com/a/b/?q=1").unwrap()), "example.com/a/b");
    }
}
