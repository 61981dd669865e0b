//! Typed properties: the columns of a data source, and the values of a page by them.
//!
//! Source: developers.notion.com/reference/property-object and property-value-object; the limits are
//! those of /reference/request-limits.

use serde_json::{Map, Value, json};

use super::{
    blocks::COLORS,
    check::Place,
    errors::{ApiError, Outcome},
    rich_text,
    tree::{Kind, Node, State},
};

/// A page's answer shows so many entries of a list; the property's own endpoint pages through all.
pub(super) const SHOWN: usize = 25;
/// The most entries of a list in one request.
const MOST: usize = 100;

/// The types whose values nobody writes.
const COMPUTED: [&str; 8] = [
    "formula",
    "rollup",
    "created_time",
    "created_by",
    "last_edited_time",
    "last_edited_by",
    "unique_id",
    "button",
];

const TYPES: [&str; 24] = [
    "title",
    "rich_text",
    "number",
    "select",
    "multi_select",
    "status",
    "date",
    "people",
    "files",
    "checkbox",
    "url",
    "email",
    "phone_number",
    "formula",
    "relation",
    "rollup",
    "created_time",
    "created_by",
    "last_edited_time",
    "last_edited_by",
    "unique_id",
    "button",
    "place",
    "verification",
];

/// The type that a property of a request, a value or a schema, says it has.
pub(super) fn type_of(value: &Value) -> Option<&str> {
    value["type"].as_str().or_else(|| {
        let fields = value.as_object()?;
        TYPES.into_iter().find(|known| fields.contains_key(*known))
    })
}

/// The column `name` of a schema, by its name or id.
pub(super) fn find<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<(&'a String, &'a Value)> {
    schema.get_key_value(name).or_else(|| schema.iter().find(|(_, column)| column["id"] == name))
}

/// A column of a request, in the form of an answer.
pub(super) fn column(state: &mut State, name: &str, given: &Value, place: &Place) -> Outcome<Value> {
    let kind = type_of(given).ok_or_else(|| place.missing())?.to_owned();
    let config = &given[kind.as_str()];
    let id = if kind == "title" { "title".to_owned() } else { state.short_id() };
    let config = match kind.as_str() {
        "select" | "multi_select" => {
            json!({"options": options(state, &config["options"], &place.at(&kind))?})
        }
        "status" => {
            // Status columns may be created since 2026-03-19; their groups are Notion's own.
            let given = &config["options"];
            let default = json!([{"name": "Not started"}, {"name": "In progress", "color": "blue"}, {"name": "Done", "color": "green"}]);
            let given = if given.is_null() { &default } else { given };
            let options = options(state, given, &place.at(&kind))?;
            status(state, options)
        }
        "number" => json!({"format": config["format"].as_str().unwrap_or("number")}),
        "formula" => json!({"expression": config["expression"].as_str().unwrap_or_default()}),
        "unique_id" => json!({"prefix": config["prefix"], "next": 1}),
        "relation" => {
            let target = place.at("relation").at("data_source_id").id(&config["data_source_id"])?;
            let database = state.of_kind(&target, Kind::DataSource).and_then(|source| source.parent.clone());
            let database =
                database.ok_or_else(|| ApiError::not_found("data_source", &target, "connection"))?;
            json!({"database_id": database, "data_source_id": target, "type": "single_property", "single_property": {}})
        }
        "rollup" => config.clone(),
        _ => json!({}),
    };
    Ok(json!({"id": id, "name": name, "description": null, "type": kind, kind: config}))
}

fn status(state: &mut State, options: Vec<Value>) -> Value {
    let ids: Vec<Value> = options.iter().map(|option| option["id"].clone()).collect();
    // Those before "In progress" are to do, the last is done.
    let begun = options.iter().position(|option| option["name"] == "In progress").unwrap_or(1).min(ids.len());
    let done = ids.len().saturating_sub(1).max(begun);
    let groups = [
        ("To-do", "gray", 0..begun),
        ("In progress", "blue", begun..done),
        ("Complete", "green", done..ids.len()),
    ];
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(name, color, range)| json!({"id": state.short_id(), "name": name, "color": color, "option_ids": ids[range]}))
        .collect();
    json!({"options": options, "groups": groups})
}

/// The options of a request: those with an id stay what they are.
pub(super) fn options(state: &mut State, given: &Value, place: &Place) -> Outcome<Vec<Value>> {
    if given.is_null() {
        return Ok(Vec::new());
    }
    let given = place.at("options").list(given, MOST)?;
    let mut options: Vec<Value> = Vec::with_capacity(given.len());
    for (at, option) in given.iter().enumerate() {
        let place = place.at("options").item(at);
        let name = place.at("name").text(&option["name"])?;
        place.at("name").length(name, 100)?;
        if name.contains(',') {
            return Err(ApiError::validation(
                "Invalid select option, commas not allowed: ".to_owned() + name,
            ));
        }
        let color = option["color"].as_str().unwrap_or("default");
        place.at("color").one_of(color, &COLORS[..10])?;
        let id = option["id"].as_str().map_or_else(|| state.short_id(), str::to_owned);
        options.push(json!({"id": id, "name": name, "color": color, "description": null}));
    }
    Ok(options)
}

/// What a page has where nothing was said.
pub(super) fn empty(column: &Value) -> Value {
    let kind = column["type"].as_str().unwrap_or_default();
    let value = match kind {
        "title" | "rich_text" | "multi_select" | "people" | "files" | "relation" => json!([]),
        "checkbox" => json!(false),
        _ => Value::Null,
    };
    json!({"id": column["id"], "type": kind, kind: value})
}

/// A value of a request for `column`, in the form that is stored. Options of a select that are not there yet
/// are made, in `column`.
pub(super) fn value(
    state: &mut State,
    name: &str,
    column: &mut Value,
    given: &Value,
    place: &Place,
) -> Outcome<Value> {
    let kind = column["type"].as_str().unwrap_or_default().to_owned();
    if given.is_null() {
        return Ok(empty(column));
    }
    if COMPUTED.contains(&kind.as_str()) {
        return Err(ApiError::validation(format!("{name} is a {kind} property, which cannot be updated.")));
    }
    if let Some(other) = type_of(given).filter(|other| *other != kind) {
        let _ = other;
        return Err(ApiError::validation(format!("{name} is expected to be {kind}.")));
    }
    let place = place.at(name).at(&kind);
    let given = &given[kind.as_str()];
    let value = match kind.as_str() {
        "title" | "rich_text" => Value::Array(rich_text::expand(state, given, &place)?),
        _ if given.is_null() && !matches!(kind.as_str(), "checkbox") => empty(column)[kind.as_str()].clone(),
        "number" => {
            if !given.is_number() {
                return Err(place.should("a number", given));
            }
            given.clone()
        }
        "checkbox" => {
            if !given.is_boolean() {
                return Err(place.should("a boolean", given));
            }
            given.clone()
        }
        "select" => choose(state, column, given, &place, true)?,
        "status" => choose(state, column, given, &place, false)?,
        "multi_select" => {
            let items = place.list(given, MOST)?.to_vec();
            let mut chosen = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                chosen.push(choose(state, column, item, &place.item(at), true)?);
            }
            Value::Array(chosen)
        }
        "date" => date(given, &place)?,
        "people" => {
            let items = place.list(given, MOST)?;
            let user = |(at, item): (usize, &Value)| {
                let id = place.item(at).at("id").id(&item["id"])?;
                state
                    .user(&id)
                    .ok_or_else(|| ApiError::validation(format!("Could not find user with ID: {id}.")))
            };
            Value::Array(items.iter().enumerate().map(user).collect::<Outcome<_>>()?)
        }
        "relation" => {
            let items = place.list(given, MOST)?;
            let target = column["relation"]["data_source_id"].as_str().unwrap_or_default().to_owned();
            let page = |(at, item): (usize, &Value)| {
                let id = place.item(at).at("id").id(&item["id"])?;
                let page =
                    state.of_kind(&id, Kind::Page).filter(|page| page.parent.as_deref() == Some(&target));
                page.map(|page| json!({"id": page.id}))
                    .ok_or_else(|| ApiError::not_found("page", &id, "connection"))
            };
            Value::Array(items.iter().enumerate().map(page).collect::<Outcome<_>>()?)
        }
        "files" => super::files::values(state, given, &place)?,
        "url" => {
            place.length(place.text(given)?, 2000)?;
            given.clone()
        }
        "email" | "phone_number" => {
            place.length(place.text(given)?, 200)?;
            given.clone()
        }
        "place" | "verification" => given.clone(),
        _ => return Err(ApiError::validation(format!("{name} cannot be updated."))),
    };
    Ok(json!({"id": column["id"], "type": kind, kind: value}))
}

/// An option by its id or name; a new name makes an option, where that is allowed.
fn choose(
    state: &mut State,
    column: &mut Value,
    given: &Value,
    place: &Place,
    makes: bool,
) -> Outcome<Value> {
    let kind = column["type"].as_str().unwrap_or_default().to_owned();
    place.object(given)?;
    let options = column[kind.as_str()]["options"].as_array().cloned().unwrap_or_default();
    let by_id = given["id"].as_str().and_then(|id| options.iter().find(|option| option["id"] == id));
    let name = given["name"].as_str();
    let by_name = name.and_then(|name| options.iter().find(|option| option["name"] == name));
    if let Some(option) = by_id.or(by_name) {
        return Ok(json!({"id": option["id"], "name": option["name"], "color": option["color"]}));
    }
    let name = name.ok_or_else(|| place.at("name").missing())?.to_owned();
    if !makes {
        return Err(ApiError::validation(format!(
            "Invalid status option. Status option \"{name}\" does not exist."
        )));
    }
    if name.contains(',') {
        return Err(ApiError::validation(format!("Invalid select option, commas not allowed: {name}")));
    }
    place.at("name").length(&name, 100)?;
    let option = json!({"id": state.short_id(), "name": name, "color": "default", "description": null});
    if let Some(options) = column[kind.as_str()]["options"].as_array_mut() {
        options.push(option.clone());
    }
    Ok(json!({"id": option["id"], "name": name, "color": "default"}))
}

/// A named zone goes neither with an offset nor with a bare date (changelog "time-zone-support"), and an answer
/// shows none.
fn date(given: &Value, place: &Place) -> Outcome<Value> {
    let start = place.at("start").text(&given["start"])?;
    let end = given["end"].as_str();
    let zone = given["time_zone"].as_str();
    for (name, moment) in [("start", Some(start)), ("end", end)] {
        let Some(moment) = moment else { continue };
        let Some(parsed) = Moment::read(moment) else {
            return Err(place.at(name).should("a valid ISO 8601 date string", &Value::from(moment)));
        };
        if zone.is_some() && !matches!(parsed, Moment::Local(_)) {
            return Err(ApiError::validation(
                "Cannot set time_zone for a date without a time, or with a UTC offset.",
            ));
        }
    }
    let day = |moment: &str| moment.get(..10).map(str::to_owned);
    if let Some(end) = end
        && (day(end) < day(start) || start.contains('T') != end.contains('T'))
    {
        return Err(ApiError::validation(
            "The start date must be before the end date, and both of one kind.",
        ));
    }
    let zoned = |moment: &str| match (Moment::read(moment), zone) {
        (Some(Moment::Local(local)), zone) => {
            let zone = zone.unwrap_or("UTC");
            let zoned = local
                .in_tz(zone)
                .map_err(|_| place.at("time_zone").should("a valid time zone", &json!(zone)))?;
            Ok(zoned.strftime("%Y-%m-%dT%H:%M:%S.000%:z").to_string())
        }
        _ => Ok(moment.to_owned()),
    };
    let start = zoned(start)?;
    let end = end.map(zoned).transpose()?;
    Ok(json!({"start": start, "end": end, "time_zone": null}))
}

/// A date as a request gives it.
enum Moment {
    Day,
    Local(jiff::civil::DateTime),
    Exact,
}

impl Moment {
    fn read(text: &str) -> Option<Self> {
        if text.len() == 10 {
            return text.parse::<jiff::civil::Date>().ok().map(|_| Self::Day);
        }
        if text.parse::<jiff::Timestamp>().is_ok() {
            return Some(Self::Exact);
        }
        text.parse().ok().map(Self::Local)
    }
}

/// The schema by which a page's values are: its data source's, or that of a page without one.
pub(super) fn schema_of(state: &State, page: &Node) -> Map<String, Value> {
    let parent = page.parent.as_ref().and_then(|parent| state.of_kind(parent, Kind::DataSource));
    let schema = parent.and_then(|source| source.get("properties").as_object().cloned());
    schema.unwrap_or_else(plain_schema)
}

/// A page outside any table has a title and nothing else.
pub(super) fn plain_schema() -> Map<String, Value> {
    let title = json!({"id": "title", "name": "title", "type": "title", "title": {}});
    Map::from_iter([("title".to_owned(), title)])
}

/// The values of a page, each whole, computed ones too, by the names of its columns.
pub(super) fn values(state: &State, page: &Node) -> Map<String, Value> {
    let stored = page.get("properties").as_object();
    let by_id = |id: &Value| stored.and_then(|stored| stored.values().find(|value| value["id"] == *id));
    schema_of(state, page)
        .iter()
        .map(|(name, column)| {
            let kind = column["type"].as_str().unwrap_or_default();
            let own = by_id(&column["id"]).filter(|value| value["type"] == kind);
            let value = match kind {
                "created_time" => json!(page.created_time),
                "last_edited_time" => json!(page.last_edited_time),
                "created_by" => state.user(&page.created_by).unwrap_or_default(),
                "last_edited_by" => state.user(&page.last_edited_by).unwrap_or_default(),
                "rollup" => rollup(state, page, column),
                "button" => json!({}),
                "unique_id" => match own {
                    Some(own) => {
                        json!({"prefix": column["unique_id"]["prefix"], "number": own["unique_id"]["number"]})
                    }
                    None => Value::Null,
                },
                "formula" => {
                    own.map_or_else(|| uncomputed(state, page, &column["id"]), |own| own["formula"].clone())
                }
                _ => return (name.clone(), own.cloned().unwrap_or_else(|| empty(column))),
            };
            (name.clone(), json!({"id": column["id"], "type": kind, kind: value}))
        })
        .collect()
}

/// A formula without a value: of the type that it has in other rows.
fn uncomputed(state: &State, page: &Node, id: &Value) -> Value {
    let table = page.parent.as_ref().and_then(|parent| state.nodes.get(parent));
    let rows = table.into_iter().flat_map(|table| &table.children).filter_map(|row| state.nodes.get(row));
    let mut values = rows.flat_map(|row| row.get("properties").as_object().into_iter().flat_map(Map::values));
    let known = values.find(|value| value["id"] == *id && value["formula"]["type"].is_string());
    let kind = known.and_then(|value| value["formula"]["type"].as_str()).unwrap_or("string");
    json!({"type": kind, kind: null})
}

/// A rollup over a list that an answer cuts is not computed (historical changelog, 2022-10-10).
fn rollup(state: &State, page: &Node, column: &Value) -> Value {
    let config = &column["rollup"];
    let function = config["function"].as_str().unwrap_or("count");
    let relation = config["relation_property_name"].as_str().unwrap_or_default();
    let linked = page.get("properties")[relation]["relation"].as_array().cloned().unwrap_or_default();
    if linked.len() > SHOWN {
        return json!({"type": "incomplete", "incomplete": {}, "function": function});
    }
    let target = config["rollup_property_name"].as_str().unwrap_or_default();
    let rows = linked.iter().filter_map(|entry| state.nodes.get(entry["id"].as_str()?));
    if function == "show_original" {
        let shown: Vec<Value> = rows.map(|row| values(state, row)[target].clone()).collect();
        return json!({"type": "array", "array": shown, "function": function});
    }
    let numbers: Vec<f64> = rows.filter_map(|row| row.get("properties")[target]["number"].as_f64()).collect();
    let number = match function {
        "sum" => json!(numbers.iter().sum::<f64>()),
        _ => json!(linked.len()),
    };
    json!({"type": "number", "number": number, "function": function})
}

/// The values as a page's answer shows them: long lists cut, with a word that there is more.
pub(super) fn shown(state: &State, page: &Node, only: &[String]) -> Map<String, Value> {
    let mut values = values(state, page);
    values.retain(|name, value| {
        only.is_empty() || only.iter().any(|wanted| wanted == name || value["id"] == wanted.as_str())
    });
    for value in values.values_mut() {
        let kind = value["type"].as_str().unwrap_or_default().to_owned();
        if let Some(items) = value[kind.as_str()].as_array_mut()
            && matches!(kind.as_str(), "relation" | "people" | "title" | "rich_text")
        {
            let more = items.len() > SHOWN;
            items.truncate(SHOWN);
            if kind == "relation" {
                value["has_more"] = json!(more);
            }
        }
    }
    values
}

/// Mirrors a change of a relation of two sides on the pages at its other end.
pub(super) fn sync(state: &mut State, page: &str, column: &Value, before: &Value, after: &Value) {
    let Some(synced) =
        column["relation"]["dual_property"]["synced_property_name"].as_str().map(str::to_owned)
    else {
        return;
    };
    let ids = |value: &Value| -> Vec<String> {
        let items = value["relation"].as_array().into_iter().flatten();
        items.filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
    };
    let (before, after) = (ids(before), ids(after));
    let mut change = |other: &String, add: bool| {
        let Some(node) = state.nodes.get_mut(other) else { return };
        let id = column["relation"]["dual_property"]["synced_property_id"].clone();
        let properties = node.data.entry("properties").or_insert_with(|| json!({}));
        if properties[synced.as_str()].is_null() {
            properties[synced.as_str()] = json!({"id": id, "type": "relation", "relation": []});
        }
        if let Some(list) = properties[synced.as_str()]["relation"].as_array_mut() {
            list.retain(|entry| entry["id"] != page);
            if add {
                list.push(json!({"id": page}));
            }
        }
    };
    before.iter().filter(|id| !after.contains(id)).for_each(|id| change(id, false));
    after.iter().filter(|id| !before.contains(id)).for_each(|id| change(id, true));
}
