//! Lists: a table of items, each with cells by column.

use serde_json::{Value, json};

use super::{
    dispatch::{Context, Method, Outcome, Refusal, T2, T3, method},
    objects::public,
    state::{Row, text},
};

/// The methods. Slack takes them as forms only.
pub(super) const METHODS: &[Method] = &[
    method("slackLists.items.list", T2, "lists:read", "list_id", |cx| {
        let id = list(cx)?;
        let all: Vec<Row> =
            cx.state.rows("list_items").iter().filter(|row| text(row, "list_id") == id).map(public).collect();
        let (items, metadata) = cx.page(all, 100, 1000)?;
        Ok(json!({ "items": items, "response_metadata": metadata }))
    }),
    method("slackLists.items.info", T2, "lists:read", "list_id id", |cx| {
        let id = list(cx)?;
        let list = cx.state.get("lists", &id, "list_not_found")?.clone();
        let item = cx.state.get("list_items", &cx.args.text("id"), "item_not_found")?;
        Ok(
            json!({ "list": { "id": id, "title": text(&list, "title"), "list_metadata": { "schema": list.get("schema") } }, "record": public(item) }),
        )
    }),
    method("slackLists.items.create", T3, "lists:write", "list_id", |cx| {
        let id = list(cx)?;
        let item = cx.state.new_id("Rec");
        let fields = cells(cx, &id, &cx.args.json("initial_fields"), "invalid_input")?;
        let row = json!({ "id": item, "list_id": id, "date_created": cx.now.as_secs(), "created_by": cx.caller.user, "updated_by": cx.caller.user, "fields": fields });
        cx.state.add("list_items", &row);
        Ok(json!({ "item": row }))
    }),
    method("slackLists.items.update", T3, "lists:write", "list_id cells", |cx| {
        let id = list(cx)?;
        let changes = cx.args.json("cells");
        let fields = cells(cx, &id, &changes, "invalid_input")?;
        for (field, cell) in fields.iter().zip(changes.as_array().into_iter().flatten()) {
            let row_id = cell["row_id"].as_str().unwrap_or_default();
            let row = cx.state.find_mut("list_items", row_id).ok_or_else(|| Refusal::new("row_not_found"))?;
            let known = row.entry("fields").or_insert_with(|| json!([]));
            if let Some(known) = known.as_array_mut() {
                known.retain(|other| other["column_id"] != field["column_id"]);
                // A cell with nothing in it is none.
                let empty = |(name, value): (&String, &Value)| name != "text" && value == &json!([]);
                if !field.as_object().is_some_and(|field| field.iter().any(empty)) {
                    known.push(field.clone());
                }
            }
        }
        Ok(Value::Null)
    }),
];

fn list(cx: &Context<'_>) -> Outcome<String> {
    let id = cx.args.text("list_id");
    cx.state.get("lists", &id, "list_not_found")?;
    Ok(id)
}

/// Cells with the text of each, if their columns are the list's.
fn cells(cx: &Context<'_>, list: &str, given: &Value, error: &'static str) -> Outcome<Vec<Value>> {
    let row = cx.state.get("lists", list, "list_not_found")?;
    let columns: Vec<Value> = row.get("schema").and_then(Value::as_array).cloned().unwrap_or_default();
    given
        .as_array()
        .into_iter()
        .flatten()
        .map(|cell| {
            let column = columns
                .iter()
                .find(|column| column["id"] == cell["column_id"])
                .ok_or_else(|| Refusal::new(error))?;
            let mut field = cell.clone();
            field["key"] = column["key"].clone();
            // Only a text has its words beside it
            // (docs.slack.dev/reference/methods/slackLists.items.list, the answer).
            if cell.get("rich_text").is_some() {
                let mut all = Vec::new();
                texts(&cell["rich_text"], &mut all);
                field["text"] = json!(all.concat());
            }
            if let Some(ticked) = cell.get("checkbox") {
                field["value"] = ticked.clone();
            }
            if let Some(field) = field.as_object_mut() {
                field.shift_remove("row_id");
            }
            Ok(field)
        })
        .collect()
}

/// The texts in a value, in order.
fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(text) = map.get("text").and_then(Value::as_str) {
                all.push(text.to_owned());
            }
            map.values().for_each(|value| texts(value, all));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        _ => {}
    }
}
