//! Records, single and in batches of a hundred.

use std::collections::{BTreeMap, BTreeSet};

use connector::sandbox::VirtualClock;
use serde_json::{Map, Value, json};

use super::{
    associations,
    errors::{Answer, ApiError, Outcome},
    routes::Ctx,
    state::{Place, Record, State},
    types::{self, ObjectType},
    values::{self, shown},
    webhooks,
};

/// The most inputs of one batch (developers.hubspot.com, CRM objects API).
pub(super) const MAX_BATCH: usize = 100;

/// Texts of a list in the body.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

pub(super) fn list(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.readable(path[0])?;
    let limit = ctx.number("limit").unwrap_or(10);
    if limit == 0 || limit > 100 {
        return Err(ApiError::invalid("limit must be between 1 and 100"));
    }
    let after: u64 = ctx.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let archived = ctx.query("archived") == Some("true");
    let asked = ctx.names("properties");
    let history = ctx.names("propertiesWithHistory");
    let state = &ctx.state;
    let rows = state.tables.get(&kind.id).into_iter().flat_map(|table| table.range(after..));
    let mut rows = rows.map(|(_, record)| record).filter(|record| record.archived.is_some() == archived);
    let page: Vec<&Record> = rows.by_ref().take(limit).collect();
    let next = rows.next().map(|record| record.id);
    let results: Vec<Value> = page
        .iter()
        .map(|record| {
            let mut row = shown(state, &kind, record, &asked, &history);
            with_associations(ctx, &kind, record, &mut row);
            row
        })
        .collect();
    let mut body = json!({"results": results});
    if let Some(next) = next {
        body["paging"] = json!({"next": {"after": next.to_string()}});
    }
    Ok(Answer::ok(body))
}

/// Adds the ids of associated records that the query asks for.
fn with_associations(ctx: &Ctx<'_>, kind: &ObjectType, record: &Record, row: &mut Value) {
    for to in ctx.names("associations") {
        let Some(to) = ctx.state.type_of(&to) else { continue };
        let place = (kind.id.clone(), record.id);
        let results: Vec<Value> = ctx
            .state
            .linked(&place, &to.id)
            .iter()
            .map(|(id, _)| json!({"id": id.to_string(), "type": format!("{}_to_{}", kind.name, to.name)}))
            .collect();
        if !results.is_empty() {
            row["associations"][&to.name] = json!({"results": results});
        }
    }
}

pub(super) fn get(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.readable(path[0])?;
    let id = locate(ctx.state, &kind, path[1], ctx.query("idProperty"))?;
    let record = ctx.state.find(&kind.id, id).cloned().ok_or_else(|| missing(path[1]))?;
    let (asked, history) = (ctx.names("properties"), ctx.names("propertiesWithHistory"));
    let mut row = shown(ctx.state, &kind, &record, &asked, &history);
    with_associations(ctx, &kind, &record, &mut row);
    Ok(Answer::ok(row))
}

pub(super) fn missing(_: &str) -> ApiError {
    ApiError::not_found("resource not found")
}

/// The id of the record that `word` names by `property`, or by its id.
pub(super) fn locate(state: &State, kind: &ObjectType, word: &str, property: Option<&str>) -> Outcome<u64> {
    match property.filter(|property| *property != "hs_object_id") {
        Some(property) => {
            let unique = property == "domain" && kind.id == types::COMPANIES
                || values::find(state, kind, property).is_some_and(|found| found["hasUniqueValue"] == true);
            if !unique {
                return Err(ApiError::invalid(format!(
                    "{property} is not a unique property of {}",
                    kind.name
                )));
            }
            state.by_unique(&kind.id, property, word).map(|record| record.id).ok_or_else(|| missing(word))
        }
        None => {
            let id = word.parse().map_err(|_| missing(word))?;
            state.find(&kind.id, id).map(|record| record.id).ok_or_else(|| missing(word))
        }
    }
}

pub(super) fn create(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    let input = ctx.body.clone();
    let row = add(ctx, &kind, &input)?;
    Ok(Answer::created(row))
}

/// Creates one record, with its associations.
fn add(ctx: &mut Ctx<'_>, kind: &ObjectType, input: &Value) -> Outcome<Value> {
    let given = input["properties"].as_object().cloned().unwrap_or_default();
    let mut properties = values::checked(ctx.state, kind, &given, true)?;
    properties.retain(|_, value| !value.is_empty());
    complete(ctx.state, kind, &mut properties)?;
    let links = associations::parse(ctx.state, kind, input)?;
    if kind.id == types::LEADS && !links.iter().any(|(to, _)| to.0 == types::CONTACTS) {
        return Err(ApiError::invalid("A lead must be associated with a contact"));
    }
    unique(ctx.state, kind, &properties, None)?;
    rules(ctx, kind, &properties)?;
    let now = ctx.now();
    let id = ctx.state.new_id();
    let history = properties.iter().map(|(name, value)| (name.clone(), value.clone(), now.clone())).collect();
    let record = Record { id, properties, created: now.clone(), updated: now, archived: None, history };
    let place = (kind.id.clone(), id);
    ctx.state.put(&kind.id, record, ctx.harness.clock());
    for (to, kinds) in links {
        associations::set(ctx.state, &place, &to, &kinds);
    }
    auto_associate(ctx.state, &place);
    webhooks::tell(ctx, kind, id, "creation", &Value::Null);
    let record = ctx.state.find(&kind.id, id).cloned().unwrap_or_default();
    let asked: Vec<String> = record.properties.keys().cloned().collect();
    Ok(shown(ctx.state, kind, &record, &asked, &[]))
}

/// Puts in what HubSpot itself adds, and refuses what lacks a property that it needs.
fn complete(state: &State, kind: &ObjectType, properties: &mut BTreeMap<String, String>) -> Outcome<()> {
    let missing: Vec<&str> = kind
        .required
        .iter()
        .filter(|names| !names.split('|').any(|name| properties.contains_key(name)))
        .map(|names| names.split('|').next().unwrap_or_default())
        .collect();
    if !missing.is_empty() {
        return Err(ApiError::required(&kind.shouted(), &missing));
    }
    if kind.id == types::CONTACTS {
        properties.entry("lifecyclestage".to_owned()).or_insert_with(|| "lead".to_owned());
    }
    let staged = kind.stage_properties().filter(|_| !kind.custom || state.pipelines.contains_key(&kind.id));
    if let Some((pipeline, stage)) = staged {
        let first = state.pipelines.get(&kind.id).and_then(|all| all.first());
        let id = first.and_then(|first| first["id"].as_str()).unwrap_or("default");
        properties.entry(pipeline.to_owned()).or_insert_with(|| id.to_owned());
        stage_fits(state, kind, &properties[pipeline], properties.get(stage).map_or("", String::as_str))?;
    }
    Ok(())
}

/// A stage belongs to its pipeline.
fn stage_fits(state: &State, kind: &ObjectType, pipeline: &str, stage: &str) -> Outcome<()> {
    let Some((_, property)) = kind.stage_properties() else { return Ok(()) };
    let found = state.pipelines.get(&kind.id).into_iter().flatten().find(|one| one["id"] == pipeline);
    let stages = found.and_then(|one| one["stages"].as_array()).into_iter().flatten();
    let ids: Vec<&str> = stages.filter_map(|stage| stage["id"].as_str()).collect();
    if stage.is_empty() || ids.contains(&stage) {
        return Ok(());
    }
    let message = format!("{stage} was not one of the allowed options: [{}]", ids.join(", "));
    Err(ApiError::values(&[json!({
        "isValid": false, "message": message, "error": "INVALID_OPTION", "name": property,
    })]))
}

/// The rules that an admin made, which writes through the API must keep since 2026-09 (changelog,
/// "CRM API write validation enforcement").
fn rules(ctx: &Ctx<'_>, kind: &ObjectType, properties: &BTreeMap<String, String>) -> Outcome<()> {
    if ctx.version != "2026-09" {
        return Ok(());
    }
    let rules = ctx.state.account["rules"].as_array().into_iter().flatten();
    for rule in rules.filter(|rule| rule["object"] == kind.id.as_str()) {
        let text = |member: &str| rule[member].as_str().unwrap_or_default();
        let applies = properties.get(text("property")).is_some_and(|value| value == text("value"));
        let kept = properties.get(text("requires")).is_some_and(|value| !value.is_empty());
        if applies && !kept {
            let (property, value, needed) = (text("property"), text("value"), text("requires"));
            return Err(ApiError::values(&[json!({
                "isValid": false,
                "message": format!("{needed} is required when {property} is {value}"),
                "error": "CONDITIONAL_REQUIRED_PROPERTY_MISSING",
                "name": needed,
            })]));
        }
    }
    Ok(())
}

/// Refuses a value that another record has and only one may have.
fn unique(
    state: &State,
    kind: &ObjectType,
    properties: &BTreeMap<String, String>,
    own: Option<u64>,
) -> Outcome<()> {
    for (name, value) in properties.iter().filter(|(_, value)| !value.is_empty()) {
        if values::find(state, kind, name).is_none_or(|property| property["hasUniqueValue"] != true) {
            continue;
        }
        let mut other = state.by_unique(&kind.id, name, value).map(|record| record.id);
        if name == "email" && other.is_none() {
            let table = state.tables.get(&kind.id).into_iter().flat_map(BTreeMap::values);
            let mut holders = table.filter(|record| {
                let more = record.properties.get("hs_additional_emails").map_or("", String::as_str);
                record.archived.is_none() && more.split(';').any(|one| one.eq_ignore_ascii_case(value))
            });
            other = holders.next().map(|record| record.id);
        }
        let Some(other) = other.filter(|other| Some(*other) != own) else { continue };
        if name == "email" {
            return Err(ApiError::conflict(format!("Contact already exists. Existing ID: {other}")));
        }
        return Err(ApiError::values(&[json!({
            "isValid": false,
            "message": format!("{other} already has that value."),
            "error": "CONFLICTING_UNIQUE_VALUE",
            "name": name,
        })]));
    }
    Ok(())
}

/// A contact joins the company of its address's domain, as the account's settings say.
fn auto_associate(state: &mut State, place: &Place) {
    if place.0 != types::CONTACTS || state.account["autoAssociate"] == false {
        return;
    }
    if !state.linked(place, types::COMPANIES).is_empty() {
        return;
    }
    let email = state.find(&place.0, place.1).and_then(|record| record.properties.get("email").cloned());
    let Some((_, domain)) = email.as_deref().and_then(|email| email.split_once('@')) else { return };
    let company = state.by_unique(types::COMPANIES, "domain", domain).map(|record| record.id);
    if let Some(id) = company {
        state.make_primary(place, &(types::COMPANIES.to_owned(), id));
    }
}

pub(super) fn update(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    let id = locate(ctx.state, &kind, path[1], ctx.query("idProperty"))?;
    let given = ctx.body["properties"].as_object().cloned().unwrap_or_default();
    change(ctx, &kind, id, &given).map(Answer::ok)
}

/// Changes one record.
fn change(ctx: &mut Ctx<'_>, kind: &ObjectType, id: u64, given: &Map<String, Value>) -> Outcome<Value> {
    let values = values::checked(ctx.state, kind, given, false)?;
    unique(ctx.state, kind, &values, Some(id))?;
    let mut record = ctx.state.find(&kind.id, id).cloned().ok_or_else(|| missing(""))?;
    let now = ctx.now();
    for (name, value) in &values {
        let old = record.properties.get(name).cloned().unwrap_or_default();
        let value = match value.strip_prefix(';') {
            Some(more) if !old.is_empty() => {
                let all: BTreeSet<&str> = old.split(';').chain(more.split(';')).collect();
                all.into_iter().collect::<Vec<_>>().join(";")
            }
            Some(more) => more.to_owned(),
            None => value.clone(),
        };
        if name == "lifecyclestage" && backward(ctx.state, kind, &old, &value) {
            continue; // It moves only forward, unless it is emptied first.
        }
        record.history.insert(0, (name.clone(), value.clone(), now.clone()));
        if value.is_empty() {
            record.properties.remove(name);
        } else {
            record.properties.insert(name.clone(), value);
        }
    }
    if let Some((pipeline, stage)) = kind.stage_properties() {
        let of = |name: &str| record.properties.get(name).cloned().unwrap_or_default();
        stage_fits(ctx.state, kind, &of(pipeline), &of(stage))?;
    }
    rules(ctx, kind, &record.properties)?;
    record.updated = now;
    let id = record.id;
    ctx.state.put(&kind.id, record, ctx.harness.clock());
    let record = ctx.state.find(&kind.id, id).cloned().unwrap_or_default();
    for name in values.keys() {
        let value = record.properties.get(name).map_or("", String::as_str);
        let change = json!({"propertyName": name, "propertyValue": value});
        webhooks::tell(ctx, kind, id, "propertyChange", &change);
    }
    let own = ["hs_object_id".to_owned()];
    let asked: Vec<String> = values.keys().cloned().chain(own).collect();
    Ok(shown(ctx.state, kind, &record, &asked, &[]))
}

pub(super) fn backward(state: &State, kind: &ObjectType, old: &str, new: &str) -> bool {
    let options = values::find(state, kind, "lifecyclestage").map(|property| &property["options"]);
    let place = |value: &str| options?.as_array()?.iter().position(|option| option["value"] == value);
    matches!((place(old), place(new)), (Some(old), Some(new)) if new < old)
}

/// The inputs of a batch.
pub(super) fn inputs(body: &Value, most: usize) -> Outcome<Vec<Value>> {
    let inputs = body["inputs"].as_array().cloned().unwrap_or_default();
    if inputs.is_empty() {
        return Err(ApiError::invalid("Invalid input JSON: inputs must not be empty"));
    }
    if inputs.len() > most {
        return Err(ApiError::invalid(format!(
            "The maximum number of inputs is {most}, and {} were given",
            inputs.len()
        )));
    }
    Ok(inputs)
}

/// What a batch comes to: 207 where a part failed.
pub(super) fn batch(clock: &VirtualClock, good: u16, results: Vec<Value>, errors: Vec<Value>) -> Answer {
    let now = clock.now_iso();
    let mut body = json!({
        "status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now,
    });
    if errors.is_empty() {
        return Answer { status: good, body: Some(body) };
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = Value::Array(errors);
    Answer { status: 207, body: Some(body) }
}

pub(super) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn batch_read(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.readable(path[0])?;
    let history = texts(&ctx.body["propertiesWithHistory"]);
    // "It will reduce the maximum number": how far is not documented, half is taken here.
    let most = if history.is_empty() { MAX_BATCH } else { MAX_BATCH / 2 };
    let inputs = inputs(&ctx.body, most)?;
    let asked = texts(&ctx.body["properties"]);
    let property = ctx.body["idProperty"].as_str().map(str::to_owned);
    let mut results: Vec<Value> = Vec::new();
    let mut gone = Vec::new();
    for input in &inputs {
        let id = word(&input["id"]);
        match locate(ctx.state, &kind, &id, property.as_deref()) {
            Ok(found) => {
                let id_text = found.to_string();
                if results.iter().all(|row| row["id"].as_str() != Some(id_text.as_str()))
                    && let Some(record) = ctx.state.find(&kind.id, found)
                {
                    results.push(shown(ctx.state, &kind, record, &asked, &history));
                }
            }
            Err(error) if error.status == 404 => gone.push(id),
            Err(error) => return Err(error),
        }
    }
    // The order of the answer is not that of the request.
    results.sort_by_key(|row| word(&row["id"]).parse::<u64>().unwrap_or(0));
    let errors = if gone.is_empty() {
        Vec::new()
    } else {
        let message = format!(
            "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
            kind.shouted()
        );
        vec![ApiError::not_found(message).with_context(json!({"ids": gone})).in_batch(None)]
    };
    Ok(batch(ctx.harness.clock(), 200, results, errors))
}

pub(super) fn batch_create(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    let inputs = inputs(&ctx.body, MAX_BATCH)?;
    let traces: BTreeSet<String> =
        inputs.iter().filter_map(|input| input["objectWriteTraceId"].as_str().map(str::to_owned)).collect();
    // Without a trace id for each, it is all or nothing (developers.hubspot.com, "Multi-status errors").
    if traces.len() < inputs.len() {
        for (at, input) in inputs.iter().enumerate() {
            let given = input["properties"].as_object().cloned().unwrap_or_default();
            let mut properties = values::checked(ctx.state, &kind, &given, true)?;
            complete(ctx.state, &kind, &mut properties)?;
            unique(ctx.state, &kind, &properties, None)?;
            let again =
                |other: &Value| !given["email"].is_null() && other["properties"]["email"] == given["email"];
            if given.contains_key("email") && inputs[..at].iter().any(again) {
                return Err(ApiError::conflict("Duplicate email in batch"));
            }
        }
    }
    each(ctx, &inputs, 201, |ctx, input| add(ctx, &kind, input))
}

/// Does each input by itself; what fails is told beside what did not.
fn each(
    ctx: &mut Ctx<'_>,
    inputs: &[Value],
    good: u16,
    mut work: impl FnMut(&mut Ctx<'_>, &Value) -> Outcome<Value>,
) -> Outcome {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let trace = input["objectWriteTraceId"].as_str();
        match work(ctx, input) {
            Ok(mut row) => {
                if let Some(trace) = trace {
                    row["objectWriteTraceId"] = json!(trace);
                }
                results.push(row);
            }
            Err(error) => errors.push(error.in_batch(trace)),
        }
    }
    Ok(batch(ctx.harness.clock(), good, results, errors))
}

/// Refuses a batch in which one record comes twice.
fn once_each(state: &State, kind: &ObjectType, inputs: &[Value]) -> Outcome<()> {
    let mut seen = BTreeSet::new();
    for input in inputs {
        let id = word(&input["id"]);
        if let Ok(found) = locate(state, kind, &id, input["idProperty"].as_str())
            && !seen.insert(found)
        {
            return Err(ApiError::invalid(format!(
                "Duplicate IDs found in batch input: [{id}]. IDs must be unique"
            )));
        }
    }
    Ok(())
}

pub(super) fn batch_update(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    let inputs = inputs(&ctx.body, MAX_BATCH)?;
    once_each(ctx.state, &kind, &inputs)?;
    each(ctx, &inputs, 200, |ctx, input| {
        let id = word(&input["id"]);
        let gone = || {
            let ids = json!({"ids": [id.clone()]});
            ApiError::not_found(format!("Could not get some {} objects", kind.shouted())).with_context(ids)
        };
        // An id that a record was merged from is not taken here, only in a single PATCH.
        let old = id.parse().is_ok_and(|id: u64| ctx.state.merged.contains_key(&(kind.id.clone(), id)));
        let found = locate(ctx.state, &kind, &id, input["idProperty"].as_str()).map_err(|_| gone())?;
        if old {
            return Err(gone());
        }
        let given = input["properties"].as_object().cloned().unwrap_or_default();
        change(ctx, &kind, found, &given)
    })
}

pub(super) fn batch_upsert(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    let inputs = inputs(&ctx.body, MAX_BATCH)?;
    once_each(ctx.state, &kind, &inputs)?;
    let property = inputs[0]["idProperty"].as_str().unwrap_or("email").to_owned();
    if values::find(ctx.state, &kind, &property).is_none_or(|found| found["hasUniqueValue"] != true) {
        return Err(ApiError::invalid(format!("{property} is not a unique property of {}", kind.name)));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) =
        inputs.iter().map(|input| word(&input["id"]).to_lowercase()).find(|id| !seen.insert(id.clone()))
    {
        return Err(ApiError::invalid(format!(
            "Duplicate IDs found in batch input: [{twice}]. IDs must be unique"
        )));
    }
    each(ctx, &inputs, 200, |ctx, input| {
        let id = word(&input["id"]);
        let mut given = input["properties"].as_object().cloned().unwrap_or_default();
        let (mut row, new) = match locate(ctx.state, &kind, &id, Some(&property)) {
            Ok(found) => (change(ctx, &kind, found, &given)?, false),
            Err(_) => {
                given.insert(property.clone(), json!(id));
                (add(ctx, &kind, &json!({"properties": given}))?, true)
            }
        };
        row["new"] = json!(new);
        Ok(row)
    })
}
