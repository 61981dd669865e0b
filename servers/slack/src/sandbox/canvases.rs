//! Canvases: files whose text is kept in sections, changed one change a call.

use serde_json::{Value, json};

use super::{
    dispatch::{Context, Method, Outcome, Refusal, T2, T3, method},
    state::{Row, flag, text},
};

const WRITE: &str = "canvases:write";
/// The most bytes of a canvas.
const LARGEST: usize = 1024 * 1024;

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("canvases.create", T2, WRITE, "", |cx| create(cx, None)),
    method("conversations.canvases.create", T2, WRITE, "channel_id", |cx| {
        let channel = cx.channel("channel_id")?;
        let id = text(&channel, "id").to_owned();
        if cx.state.rows("files").iter().any(|row| text(row, "_tab_of") == id) {
            return Err(Refusal::new("channel_canvas_already_exists"));
        }
        create(cx, Some(id))
    }),
    method("canvases.edit", T3, WRITE, "canvas_id changes", edit),
    method("canvases.delete", T3, WRITE, "canvas_id", |cx| {
        let id = canvas(cx)?;
        cx.state.rows_mut("files").retain(|row| text(row, "id") != id);
        Ok(Value::Null)
    }),
    method("canvases.sections.lookup", T3, "canvases:read", "canvas_id criteria", |cx| {
        let id = canvas(cx)?;
        let criteria = cx.args.json("criteria");
        let kinds: Vec<&str> =
            criteria["section_types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let wanted = criteria["contains_text"].as_str().unwrap_or_default().to_lowercase();
        let found: Vec<Value> = sections(cx.state.get("files", &id, "canvas_not_found")?)
            .iter()
            .filter(|section| {
                let text = section["markdown"].as_str().unwrap_or_default();
                let heading = text.chars().take_while(|c| *c == '#').count();
                let kind = kinds.is_empty()
                    || kinds
                        .iter()
                        .any(|kind| *kind == "any_header" && heading > 0 || *kind == format!("h{heading}"));
                kind && text.to_lowercase().contains(&wanted)
            })
            .map(|section| json!({ "id": section["id"] }))
            .collect();
        Ok(json!({ "sections": found }))
    }),
];

/// The sections of a canvas.
fn sections(row: &Row) -> Vec<Value> {
    row.get("_sections").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn canvas(cx: &Context<'_>) -> Outcome<String> {
    let id = cx.args.text("canvas_id");
    let row = cx.state.get("files", &id, "canvas_not_found")?;
    if text(row, "filetype") != "quip" {
        return Err(Refusal::new("canvas_not_found"));
    }
    Ok(id)
}

/// The text of an argument of the form `{"type": "markdown", "markdown": "…"}`.
fn markdown(content: &Value) -> Outcome<String> {
    if content.is_null() {
        return Ok(String::new());
    }
    match content["type"].as_str() {
        Some("markdown") => Ok(content["markdown"].as_str().unwrap_or_default().to_owned()),
        _ => Err(Refusal::new("canvas_creation_failed")),
    }
}

/// New sections, one for each paragraph.
fn parted(cx: &mut Context<'_>, text: &str) -> Vec<Value> {
    let mut parts = Vec::new();
    for part in text.split("\n\n").map(str::trim).filter(|part| !part.is_empty()) {
        let id = cx.state.new_id("temp:C:");
        parts.push(json!({ "id": id, "markdown": part }));
    }
    parts
}

fn create(cx: &mut Context<'_>, tab_of: Option<String>) -> Outcome<Value> {
    if tab_of.is_none() && cx.state.team().get("_plan").and_then(Value::as_str) == Some("free") {
        return Err(Refusal::new("free_teams_cannot_create_standalone_canvases"));
    }
    let text = markdown(&cx.args.json("document_content"))?;
    let sections = parted(cx, &text);
    let id = cx.state.new_id("F");
    let title = cx.args.text_or("title", "Untitled");
    let row = json!({
        "id": id, "name": title, "title": title, "filetype": "quip", "user": cx.caller.user, "created": cx.now.as_secs(), "size": text.len(),
        "_sections": sections, "_shared": tab_of.clone().or_else(|| cx.args.has("channel_id").then(|| cx.args.text("channel_id"))).into_iter().collect::<Vec<_>>(),
        "_tab_of": tab_of.unwrap_or_default(),
    });
    cx.state.add("files", &row);
    Ok(json!({ "canvas_id": id }))
}

fn edit(cx: &mut Context<'_>) -> Outcome<Value> {
    let id = canvas(cx)?;
    let Value::Array(changes) = cx.args.json("changes") else {
        return Err(Refusal::arguments("[ERROR] must be an array [json-pointer:/changes]"));
    };
    // Exactly one (docs.slack.dev/reference/methods/canvases.edit: minItems 1, maxItems 1).
    let [change] = changes.as_slice() else {
        return Err(Refusal::arguments("[ERROR] no more than 1 items allowed [json-pointer:/changes]"));
    };
    let row = cx.state.get("files", &id, "canvas_not_found")?.clone();
    if flag(&row, "_locked") {
        return Err(Refusal::new("canvas_editing_locked"));
    }
    let mut all = sections(&row);
    let operation = change["operation"].as_str().unwrap_or_default();
    if operation == "rename" {
        let title = markdown(&change["title_content"])?;
        if let Some(row) = cx.state.find_mut("files", &id) {
            row.insert("title".to_owned(), json!(title));
        }
        return Ok(Value::Null);
    }
    let text = markdown(&change["document_content"])?;
    if text.len() > LARGEST {
        return Err(Refusal::new("canvas_too_large"));
    }
    let wanted = change["section_id"].as_str();
    let place = wanted
        .map(|wanted| {
            all.iter()
                .position(|section| section["id"] == json!(wanted))
                .ok_or_else(|| Refusal::new("section_not_found"))
        })
        .transpose()?;
    let new = parted(cx, &text);
    match (operation, place) {
        ("insert_at_start", _) => _ = all.splice(0..0, new),
        ("insert_at_end", _) => all.extend(new),
        ("insert_before", Some(place)) => _ = all.splice(place..place, new),
        ("insert_after", Some(place)) => _ = all.splice(place + 1..place + 1, new),
        ("replace", Some(place)) => _ = all.splice(place..=place, new),
        ("replace", None) => all = new,
        ("delete", Some(place)) => _ = all.remove(place),
        _ => return Err(Refusal::new("canvas_editing_failed")),
    }
    if let Some(row) = cx.state.find_mut("files", &id) {
        row.insert("_sections".to_owned(), json!(all));
    }
    Ok(Value::Null)
}

/// A canvas as it is downloaded: HTML in which every section has its id.
pub(super) fn html(row: &Row) -> String {
    let mut html = format!("<h1 id=\"temp:C:title\">{}</h1>\n", escape(text(row, "title")));
    for section in sections(row) {
        let (id, source) =
            (section["id"].as_str().unwrap_or_default(), section["markdown"].as_str().unwrap_or_default());
        let level = source.chars().take_while(|c| *c == '#').count().min(3);
        if level > 0 {
            html.push_str(&format!(
                "<h{level} id='{id}'>{}</h{level}>\n",
                escape(source.trim_start_matches('#').trim())
            ));
        } else if source.lines().all(|line| line.starts_with("- ")) {
            let items: String =
                source.lines().map(|line| format!("<li>{}</li>", escape(&line[2..]))).collect();
            html.push_str(&format!("<ul id='{id}'>{items}</ul>\n"));
        } else {
            html.push_str(&format!(
                "<p id='{id}' class='line'>{}</p>\n",
                escape(source).replace('\n', "<br/>")
            ));
        }
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
