//! Associations between records, with their labels.

use serde_json::{Value, json};

use super::{
    errors::{Answer, ApiError, Outcome},
    objects::{batch, inputs, texts},
    routes::Ctx,
    state::{Kind, Place, State},
    types::{self, ObjectType},
    webhooks,
};

const MAX_READ: usize = 1_000;
const MAX_CREATE: usize = 2_000;
const MAX_ARCHIVE: usize = 100;
/// Associations of one record on one page.
const PAGE: usize = 500;

/// The associations that a new record is to have.
pub(super) fn parse(state: &State, kind: &ObjectType, input: &Value) -> Outcome<Vec<(Place, Vec<Kind>)>> {
    let list = input["associations"].as_array().into_iter().flatten();
    list.map(|one| {
        let types = kinds(&one["types"])?;
        let id = number(&one["to"]["id"])?;
        let to = types.first().and_then(|first| target(state, kind, first));
        let to = to.ok_or_else(|| {
            ApiError::invalid(format!("One or more association types are not valid for {}", kind.name))
        })?;
        if state.find(&to, id).is_none() {
            return Err(gone(&to, id));
        }
        Ok(((to, id), types))
    })
    .collect()
}

fn gone(kind: &str, id: u64) -> ApiError {
    let message = format!("{} id {id} does not exist", ObjectType::by_id(kind).shouted());
    ApiError::invalid(message)
}

/// The type to which an association of `wanted` leads from `kind`.
fn target(state: &State, kind: &ObjectType, wanted: &Kind) -> Option<String> {
    let customs =
        state.schemas.iter().filter_map(|schema| schema["objectTypeId"].as_str().map(str::to_owned));
    let all = state.tables.keys().cloned().chain(customs);
    let mut all = all.filter(|to| {
        types::kinds_between(&kind.id, to, &state.labels).iter().any(|(kind, _)| kind == wanted)
    });
    all.next()
}

fn kinds(value: &Value) -> Outcome<Vec<Kind>> {
    let list = value.as_array().into_iter().flatten();
    list.map(|kind| {
        let category = kind["associationCategory"].as_str().or_else(|| kind["category"].as_str());
        let id = kind["associationTypeId"].as_u64().or_else(|| kind["typeId"].as_u64());
        match (category, id.and_then(|id| u32::try_from(id).ok())) {
            (Some(category), Some(id)) => Ok((category.to_owned(), id)),
            _ => {
                Err(ApiError::invalid("An association type needs associationCategory and associationTypeId"))
            }
        }
    })
    .collect()
}

fn number(value: &Value) -> Outcome<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().map_err(|_| ApiError::invalid(format!("{text} is no id")))
}

/// Makes `kinds` the labels of a pair: those it had are replaced.
pub(super) fn set(state: &mut State, from: &Place, to: &Place, kinds: &[Kind]) {
    if kinds.is_empty() {
        return; // Accepted, and nothing is linked.
    }
    let labels: Vec<Kind> = types::kinds_between(&from.0, &to.0, &state.labels)
        .into_iter()
        .filter(|(_, label)| label.as_deref().is_some_and(|label| label != "Primary"))
        .map(|(kind, _)| kind)
        .collect();
    state.unlink(from, to, Some(&labels));
    state.link(from, to, types::default_kind(&from.0, &to.0, &state.labels));
    for kind in kinds {
        if types::primary_kind(&from.0, &to.0).as_ref() == Some(kind) {
            state.make_primary(from, to);
        } else if types::primary_kind(&to.0, &from.0).as_ref() == Some(kind) {
            state.make_primary(to, from);
        } else {
            state.link(from, to, Some(kind.clone()));
        }
    }
}

fn pair(ctx: &Ctx<'_>, path: &[&str], write: bool) -> Outcome<(ObjectType, ObjectType)> {
    let to = if write { ctx.writable(path[1]) } else { ctx.readable(path[1]) }?;
    let from = if write { ctx.writable(path[0]) } else { ctx.readable(path[0]) }?;
    Ok((from, to))
}

fn shown(ctx: &Ctx<'_>, id: u64, kinds: &std::collections::BTreeSet<Kind>) -> Value {
    let types: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({"category": kind.0, "typeId": kind.1, "label": types::label_of(kind, &ctx.state.labels)}))
        .collect();
    // A number in v4, a text in the dated versions.
    let id = if ctx.version.starts_with("20") { json!(id.to_string()) } else { json!(id) };
    json!({"toObjectId": id, "associationTypes": types})
}

pub(super) fn batch_read(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, path, false)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs(&ctx.body, MAX_READ)? {
        let id = number(&input["id"])?;
        let after: usize = input["after"].as_str().and_then(|after| after.parse().ok()).unwrap_or(0);
        let linked = ctx.state.linked(&(from.id.clone(), id), &to.id);
        if linked.is_empty() {
            let message = format!("No {} is associated with {} {id}.", to.name, from.name);
            let context = json!({"fromObjectId": [id.to_string()], "fromObjectType": [from.name], "toObjectType": [to.name]});
            let error = ApiError::not_found(message).with_context(context);
            errors.push(error.with_sub_category("crm.associations.NO_ASSOCIATIONS_FOUND").in_batch(None));
            continue;
        }
        let page: Vec<Value> =
            linked.iter().skip(after).take(PAGE).map(|(id, kinds)| shown(ctx, *id, kinds)).collect();
        let mut row = json!({"from": {"id": id.to_string()}, "to": page});
        if after + PAGE < linked.len() {
            row["paging"] = json!({"next": {"after": (after + PAGE).to_string()}});
        }
        results.push(row);
    }
    Ok(batch(ctx.harness.clock(), 200, results, errors))
}

/// The associations of one record, as v4 and 2026-03 have it; 2026-09 does not publish the route.
pub(super) fn list(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, &[path[0], path[2]], false)?;
    let id = number(&json!(path[1]))?;
    let linked = ctx.state.linked(&(from.id, id), &to.id);
    let limit = ctx.number("limit").unwrap_or(PAGE);
    let after: usize = ctx.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let results: Vec<Value> =
        linked.iter().skip(after).take(limit).map(|(id, kinds)| shown(ctx, *id, kinds)).collect();
    let mut body = json!({"results": results});
    if after + limit < linked.len() {
        body["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(Answer::ok(body))
}

fn between(ctx: &Ctx<'_>, from: &ObjectType, to: &ObjectType, input: &Value) -> Outcome<(Place, Place)> {
    let place = |kind: &ObjectType, id: u64| {
        if ctx.state.find(&kind.id, id).is_none() {
            return Err(gone(&kind.id, id));
        }
        Ok((kind.id.clone(), id))
    };
    Ok((place(from, number(&input["from"]["id"])?)?, place(to, number(&input["to"]["id"])?)?))
}

/// Tells that two records are associated otherwise than before (developers.hubspot.com, "Webhooks API",
/// associationChange).
fn tell(ctx: &Ctx<'_>, from: &Place, to: &Place) {
    let kind = ObjectType::by_id(&from.0);
    let named = format!("{}_TO_{}", kind.shouted(), ObjectType::by_id(&to.0).shouted());
    let primary = types::primary_kind(&from.0, &to.0);
    let linked = ctx.state.linked(from, &to.0).into_iter().find(|(id, _)| *id == to.1);
    let is_primary = linked.is_some_and(|(_, kinds)| primary.is_some_and(|primary| kinds.contains(&primary)));
    let change = json!({
        "associationType": named, "fromObjectId": from.1, "toObjectId": to.1, "associationRemoved": linked.is_none(),
        "isPrimaryAssociation": is_primary,
    });
    webhooks::tell(ctx, &kind, from.1, "associationChange", &change);
}

pub(super) fn batch_create(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, path, true)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs(&ctx.body, MAX_CREATE)? {
        let kinds = kinds(&input["types"])?;
        let known = types::kinds_between(&from.id, &to.id, &ctx.state.labels);
        if let Some(wrong) = kinds.iter().find(|kind| known.iter().all(|(known, _)| known != *kind)) {
            let message = format!("Type id {} is not valid for {} to {}", wrong.1, from.name, to.name);
            errors.push(ApiError::invalid(message).in_batch(None));
            continue;
        }
        match between(ctx, &from, &to, &input) {
            Ok((a, b)) if !kinds.is_empty() => {
                set(ctx.state, &a, &b, &kinds);
                tell(ctx, &a, &b);
                let labels: Vec<String> =
                    kinds.iter().filter_map(|kind| types::label_of(kind, &ctx.state.labels)).collect();
                results.push(pair_row(&a, &b, labels));
            }
            Ok(_) => {}
            Err(error) => errors.push(error.in_batch(None)),
        }
    }
    // 201 in v4, as its client reads it; 200 in the published description of 2026-09.
    let good = if ctx.version == "v4" { 201 } else { 200 };
    Ok(batch(ctx.harness.clock(), good, results, errors))
}

fn pair_row(from: &Place, to: &Place, labels: Vec<String>) -> Value {
    json!({
        "fromObjectTypeId": from.0, "fromObjectId": from.1.to_string(),
        "toObjectTypeId": to.0, "toObjectId": to.1.to_string(), "labels": labels,
    })
}

fn default_row(ctx: &mut Ctx<'_>, a: &Place, b: &Place) -> Outcome<Vec<Value>> {
    let labels = ctx.state.labels.clone();
    let kind = types::default_kind(&a.0, &b.0, &labels)
        .ok_or_else(|| ApiError::invalid("These objects cannot be associated"))?;
    ctx.state.link(a, b, Some(kind.clone()));
    tell(ctx, a, b);
    let row = |a: &Place, b: &Place, kind: &Kind| {
        json!({
            "from": {"id": a.1.to_string()}, "to": {"id": b.1.to_string()},
            "associationSpec": {"associationCategory": kind.0, "associationTypeId": kind.1},
        })
    };
    Ok(vec![row(a, b, &kind), row(b, a, &types::inverse(&kind, &labels))])
}

pub(super) fn batch_default(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, path, true)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs(&ctx.body, MAX_CREATE)? {
        match between(ctx, &from, &to, &input).and_then(|(a, b)| default_row(ctx, &a, &b)) {
            Ok(rows) => results.extend(rows),
            Err(error) => errors.push(error.in_batch(None)),
        }
    }
    Ok(batch(ctx.harness.clock(), 200, results, errors))
}

pub(super) fn put_default(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, &[path[0], path[2]], true)?;
    let input = json!({"from": {"id": path[1]}, "to": {"id": path[3]}});
    let (a, b) = between(ctx, &from, &to, &input)?;
    let rows = default_row(ctx, &a, &b)?;
    Ok(batch(ctx.harness.clock(), 200, rows, Vec::new()))
}

pub(super) fn put(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, &[path[0], path[2]], true)?;
    let input = json!({"from": {"id": path[1]}, "to": {"id": path[3]}});
    let (a, b) = between(ctx, &from, &to, &input)?;
    let kinds = kinds(&ctx.body)?;
    set(ctx.state, &a, &b, &kinds);
    tell(ctx, &a, &b);
    let labels = kinds.iter().filter_map(|kind| types::label_of(kind, &ctx.state.labels)).collect();
    Ok(Answer::created(pair_row(&a, &b, labels)))
}

pub(super) fn delete(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, &[path[0], path[2]], true)?;
    let (a, b) = ((from.id, number(&json!(path[1]))?), (to.id, number(&json!(path[3]))?));
    ctx.state.unlink(&a, &b, None);
    tell(ctx, &a, &b);
    Ok(Answer::nothing())
}

pub(super) fn batch_archive(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, path, true)?;
    for input in inputs(&ctx.body, MAX_ARCHIVE)? {
        let a = (from.id.clone(), number(&input["from"]["id"])?);
        for other in input["to"].as_array().cloned().unwrap_or_default() {
            let b = (to.id.clone(), number(&other["id"])?);
            ctx.state.unlink(&a, &b, None);
            tell(ctx, &a, &b);
        }
    }
    Ok(Answer::nothing())
}

pub(super) fn batch_labels_archive(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, path, true)?;
    for input in inputs(&ctx.body, MAX_CREATE)? {
        let (a, b) = between(ctx, &from, &to, &input)?;
        let kinds = kinds(&input["types"])?;
        ctx.state.unlink(&a, &b, Some(&kinds));
        tell(ctx, &a, &b);
    }
    Ok(Answer::nothing())
}

pub(super) fn labels(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let (from, to) = pair(ctx, path, false)?;
    let kinds = types::kinds_between(&from.id, &to.id, &ctx.state.labels);
    let results: Vec<Value> = kinds
        .into_iter()
        .map(|((category, id), label)| json!({"category": category, "typeId": id, "label": label}))
        .collect();
    Ok(Answer::ok(json!({"results": results})))
}

/// Lists of which records are members, for the lists routes.
pub(super) fn ids(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    let numbers = list.clone().filter_map(|id| id.as_u64().map(|id| id.to_string()));
    texts(value).into_iter().chain(numbers).collect()
}
