//! Whatever GitHub's REST API can read and no other tool does. Opt-in.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, excerpt, limit, one_line,
        paging::{self, VendorPage},
    },
};
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::FROM;
use crate::{
    GitHub,
    api::{Target, raw::Body},
    repo::Repo,
};

/// Characters of a text that is no JSON.
const EXCERPT: usize = 16_000;
/// Characters of one value in a row.
const VALUE: usize = 300;
/// Items of a list within a row.
const ITEMS: usize = 20;
/// By what an object within another is known, the best first.
const NAMES: [&str; 8] = ["login", "full_name", "name", "title", "slug", "sha", "number", "id"];

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "api_get",
            "Read the REST API",
            "Any GET of GitHub's REST API, such as /repos/o/r/contributors, as rows. fields picks values by path, \
             such as user.login. Prefer the other tools.",
            api_get,
        )
        .opt_in("raw")
        .aliases(&[("url", "path"), ("endpoint", "path"), ("params", "query"), ("per_page", "limit")])
        .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    #[serde(default)]
    query: BTreeMap<String, Option<String>>,
    #[serde(default)]
    fields: Vec<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A row: values by their path.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
struct Row(BTreeMap<String, Value>);

async fn api_get(call: Call<GitHub>, arguments: Arguments) -> Result<Reply> {
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let (path, given) = path_of(&call, &arguments.path)?;
    let query = match &position.after {
        // Only the query is GitHub's: the path is the one that is asked for, whatever a cursor says.
        Some(query) => query.clone(),
        None => query_of(&given, &arguments, position.first(limit(arguments.limit, 20, 100), 100)),
    };
    let repo = repository(&call, &path)?;
    let scope = repo.as_ref().map_or(Target::Viewer, Target::Repo);
    let got = call.api().read_any(scope, &path, &query).await?;
    match got.body {
        Body::Json(value) => Ok(shown(&call, &path, value, &arguments.fields, position, got.next)),
        Body::Text(text) => {
            let (text, note) = excerpt(&text, 0, EXCERPT);
            let reply = Reply::new(format!("GET {}", one_line(&path))).outside(one_line(&path), None, text);
            Ok(if note.is_some() {
                reply.line("[The rest is left out: this tool shows no more.]")
            } else {
                reply
            })
        }
        Body::Binary(bytes) => {
            Err(Error::invalid(format!("{} is a file of {bytes} bytes, not text", one_line(&path))))
        }
    }
}

/// The path of an address or a path, beginning with a slash, and its query.
fn path_of(server: &GitHub, text: &str) -> Result<(String, String)> {
    let text = text.trim();
    let text = text.strip_prefix("GET ").unwrap_or(text).trim_start();
    let wrong = |why: &str| {
        Err(Error::invalid(format!("`path`: {why}"))
            .with_hint("Write a path of GitHub's REST API, such as /repos/owner/name/contributors"))
    };
    let base = server.api().upstream().base_url().as_str().trim_end_matches('/').to_owned();
    let rest = match text.split_once("://") {
        Some(_) => match text.strip_prefix(base.as_str()) {
            Some(rest) if rest.starts_with('/') => rest,
            _ => return wrong("it is an address of another host than the API's"),
        },
        None => text,
    };
    let (path, query) = rest.split('#').next().unwrap_or_default().split_once('?').unwrap_or((rest, ""));
    if path.starts_with("//") {
        return wrong("it begins with two slashes");
    }
    let path = format!("/{}", path.trim_matches('/'));
    let segments = path.split('/').skip(1);
    for segment in segments {
        // Whoever stands before GitHub may decode more than once.
        let once = percent_decode_str(segment).decode_utf8_lossy();
        let plain = percent_decode_str(&once).decode_utf8_lossy();
        let dots = plain.split('/').any(|part| matches!(part, "." | ".."));
        if plain.is_empty() || dots || plain.contains('\\') || segment.contains('{') {
            return wrong("it has a part that does not belong in a path");
        }
    }
    if path == "/graphql" {
        return wrong("GraphQL is not a part of the REST API");
    }
    Ok((path, query.to_owned()))
}

/// The query of the first page: what stands in the path, what is given besides, and how many rows.
fn query_of(in_path: &str, arguments: &Arguments, count: u32) -> String {
    let mut parameters: BTreeMap<String, String> =
        form_urlencoded::parse(in_path.as_bytes()).into_owned().collect();
    let given = arguments.query.iter();
    parameters.extend(given.filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
    parameters.entry("per_page".to_owned()).or_insert_with(|| count.to_string());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The repository that a path is about. What is about none is out of reach where there is an allow-list:
/// nobody could say what it would show.
fn repository(server: &GitHub, path: &str) -> Result<Option<Repo>> {
    let mut segments = path.split('/').skip(1);
    if let (Some("repos"), Some(owner), Some(name)) = (segments.next(), segments.next(), segments.next()) {
        let name = format!("{owner}/{name}");
        let repo = Repo::parse(&name)?;
        // What is checked must be what is sent.
        if repo.to_string() != name {
            return Err(Error::invalid(format!("`path`: `{}` names no repository", one_line(&name))));
        }
        return Ok(Some(repo));
    }
    if server.bounds().is_narrow() {
        return Err(Error::new(
            Kind::Policy,
            "This server may read some repositories only, so api_get reads paths below /repos/{owner}/{repo}",
        )
        .with_hint("The operator lists them in --allow-repos"));
    }
    Ok(None)
}

/// JSON as rows.
fn shown(
    call: &Call<GitHub>,
    path: &str,
    value: Value,
    fields: &[String],
    position: Position,
    next: Option<String>,
) -> Reply {
    let (items, total) = match value {
        Value::Array(items) => (items, None),
        Value::Object(mut object) => match rows_of(&object) {
            Some(key) => {
                let total = object.get("total_count").and_then(Value::as_u64);
                match object.remove(&key) {
                    Some(Value::Array(items)) => (items, total),
                    _ => (Vec::new(), total),
                }
            }
            None => (vec![Value::Object(object)], None),
        },
        other => (vec![other], None),
    };
    let rows: Vec<_> = items.into_iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, ("row", "rows")).note(format!("GET {}", one_line(path)));
    if let Some(total) = total.and_then(|total| usize::try_from(total).ok()) {
        page = page.total(total);
    }
    for item in &rows {
        let values = if fields.is_empty() { chosen(item) } else { picked(item, fields) };
        let words: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let row = Row(values.into_iter().map(|(name, value)| (name, Value::String(value))).collect());
        page.push(words.join("; "), &row);
    }
    let given = VendorPage::whole(position, rows.len(), next);
    Reply::page(paging::close(call, page, given))
}

/// The key of the list in an answer such as `{total_count, workflow_runs: [...]}`: the only list in it, beside
/// plain values.
fn rows_of(object: &Map<String, Value>) -> Option<String> {
    let counted = object.contains_key("total_count");
    let mut lists = object.iter().filter(|(_, value)| value.is_array());
    let (key, _) = lists.next()?;
    (counted && lists.next().is_none()).then(|| key.clone())
}

/// The values that `fields` name: `user.login`; through lists: `labels.name`.
fn picked(item: &Value, fields: &[String]) -> Vec<(String, String)> {
    let values = fields.iter().map(|field| {
        let mut found = vec![item];
        for part in field.split('.') {
            found = found.into_iter().flat_map(|value| step(value, part)).collect();
        }
        let words: Vec<_> = found.into_iter().filter_map(short).collect();
        (one_line(field), if words.is_empty() { "-".to_owned() } else { words.join(",") })
    });
    values.collect()
}

fn step<'v>(value: &'v Value, part: &str) -> Vec<&'v Value> {
    match value {
        Value::Object(object) => object.get(part).into_iter().collect(),
        Value::Array(items) => match part.parse::<usize>() {
            Ok(place) => items.get(place).into_iter().collect(),
            Err(_) => items.iter().flat_map(|item| step(item, part)).collect(),
        },
        _ => Vec::new(),
    }
}

/// What a row has if nothing is said: no nulls, no addresses, of other objects their names only.
fn chosen(item: &Value) -> Vec<(String, String)> {
    let Value::Object(object) = item else {
        return short(item).map(|value| vec![("value".to_owned(), value)]).unwrap_or_default();
    };
    let address =
        |name: &str| name == "url" || name.ends_with("_url") || name == "node_id" || name == "gravatar_id";
    let told = object.iter().filter(|(name, _)| !address(name));
    told.filter_map(|(name, value)| Some((one_line(name), short(value)?))).collect()
}

/// A value in a few words; none for what says nothing.
fn short(value: &Value) -> Option<String> {
    let words = match value {
        Value::Null => return None,
        Value::Bool(on) => on.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let text = one_line(text);
            let end = text.char_indices().nth(VALUE).map_or(text.len(), |(at, _)| at);
            let cut = if end < text.len() {
                format!("… [{} more]", text[end..].chars().count())
            } else {
                String::new()
            };
            format!("{}{cut}", &text[..end])
        }
        Value::Array(items) => {
            let mut words: Vec<_> = items.iter().take(ITEMS).filter_map(short).collect();
            if items.len() > ITEMS {
                words.push(format!("… [{} more]", items.len() - ITEMS));
            }
            if words.is_empty() {
                return None;
            }
            format!("[{}]", words.join(", "))
        }
        Value::Object(object) => NAMES.iter().find_map(|name| object.get(*name).and_then(short))?,
    };
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_found_and_values_are_picked_through_lists() {
        let counted = json!({"total_count": 2, "workflow_runs": []});
        assert_eq!(rows_of(counted.as_object().unwrap()).as_deref(), Some("workflow_runs"));
        assert_eq!(rows_of(json!({"files": []}).as_object().unwrap()), None, "a commit is one thing");
        let item =
            json!({"user": {"login": "maya"}, "labels": [{"name": "bug"}, {"name": "P1"}], "body": null});
        let fields = ["user.login", "labels.name", "labels.1.name", "body"].map(str::to_owned);
        let picked: Vec<_> = picked(&item, &fields).into_iter().map(|(_, value)| value).collect();
        assert_eq!(picked, ["maya", "bug,P1", "P1", "-"]);
    }

    #[test]
    fn a_row_has_no_addresses_and_other_objects_by_name() {
        let item = json!({"id": 7, "url": "u", "html_url": "h", "node_id": "n", "body": null, "tags": [], "user": {"id": 1, "login": "maya"}, "text": "x".repeat(400)});
        let row = chosen(&item);
        let names: Vec<_> = row.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["id", "user", "text"]);
        assert_eq!(row[1].1, "maya");
        assert!(row[2].1.ends_with("… [100 more]"), "{}", row[2].1);
    }
}
