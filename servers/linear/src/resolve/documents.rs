//! Documents by their titles. There may be thousands, so Linear looks for them.

use connector::{Error, Kind, Result, catalog::one_line};
use serde_json::json;

use super::{Names, find, is_uuid, slug_of_url};
use crate::api::documents::Document;

/// The document `wanted`, whole: its id, the id in its address, its address, or its title.
///
/// # Errors
/// `not_found` with the titles that are near; `invalid_argument` listing documents of the same title.
pub(crate) async fn document(names: &Names, wanted: &str) -> Result<Document> {
    names.is_ours(wanted).await?;
    let api = &names.api;
    let wanted = wanted.trim();
    if wanted.is_empty() {
        return Err(Error::invalid("`id` is empty").with_hint("list_documents gives ids and titles"));
    }
    let slug = slug_of_url(wanted, "document");
    let id = slug.as_deref().unwrap_or(wanted);
    if slug.is_some() || is_uuid(id) || is_slug(id) {
        match api.get_document(id).await {
            // A title can look like an id.
            Err(error) if error.kind() == Kind::NotFound && !is_uuid(id) && slug.is_none() => {}
            found => return found,
        }
    }
    let near = api.find_documents(json!({"title": {"containsIgnoreCase": wanted}})).await?;
    let exact = api.find_documents(json!({"title": {"eqIgnoreCase": wanted}})).await?;
    let candidates = if exact.is_empty() { near } else { exact };
    if candidates.is_empty() {
        return Err(Error::not_found(format!("There is no document `{}`", one_line(wanted)))
            .with_hint("list_documents gives ids and titles; search finds words inside them"));
    }
    let found = find(wanted, &candidates)?;
    api.get_document(&found.id).await
}

/// What Linear takes for the document `wanted`, which only a title makes be read.
///
/// # Errors
/// As [`document`].
pub(crate) async fn document_id(names: &Names, wanted: &str) -> Result<String> {
    names.is_ours(wanted).await?;
    match slug_of_url(wanted, "document") {
        Some(slug) => Ok(slug),
        None if is_uuid(wanted) || is_slug(wanted.trim()) => Ok(wanted.trim().to_owned()),
        None => Ok(document(names, wanted).await?.id),
    }
}

/// Whether `text` is written like the id at the end of an address.
fn is_slug(text: &str) -> bool {
    (8..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
