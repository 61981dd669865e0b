//! What describes records: properties, pipelines, custom objects, owners.

use serde_json::{Map, Value, json};

use super::{
    errors::{Answer, ApiError, Outcome},
    objects::{batch, inputs},
    routes::Ctx,
    types::{self, ObjectType},
};

/// Moments of definitions that the seed does not date.
const LONG_AGO: &str = "2024-01-01T09:00:00.000Z";

/// A property as the API shows it: a seed leaves out what is usual.
fn property(row: &Value) -> Value {
    let mut whole = json!({
        "name": "", "label": "", "type": "string", "fieldType": "text", "description": "",
        "groupName": "information", "options": [], "displayOrder": -1, "calculated": false,
        "externalOptions": false, "archived": false, "hasUniqueValue": false, "hidden": false,
        "hubspotDefined": true, "formField": true, "dataSensitivity": "non_sensitive",
        "createdAt": LONG_AGO, "updatedAt": LONG_AGO,
    });
    let read_only = row["readOnly"] == true;
    let own = |name: &str| !["readOnly", "allowed"].contains(&name);
    for (name, value) in row.as_object().into_iter().flatten().filter(|(name, _)| own(name)) {
        whole[name] = value.clone();
    }
    whole["modificationMetadata"] =
        json!({"archivable": !read_only, "readOnlyDefinition": read_only, "readOnlyValue": read_only});
    whole
}

fn schema_scope(kind: &ObjectType, write: bool) -> &'static str {
    match (kind.id.as_str(), write) {
        (types::COMPANIES, false) => "crm.schemas.companies.read",
        (types::COMPANIES, true) => "crm.schemas.companies.write",
        (types::DEALS, false) => "crm.schemas.deals.read",
        (types::DEALS, true) => "crm.schemas.deals.write",
        (types::TICKETS, _) => "tickets",
        _ if kind.custom => "crm.schemas.custom.read",
        (_, false) => "crm.schemas.contacts.read",
        (_, true) => "crm.schemas.contacts.write",
    }
}

fn described(ctx: &Ctx<'_>, word: &str, write: bool) -> Outcome<ObjectType> {
    let kind = ctx.kind(word)?;
    ctx.needs(schema_scope(&kind, write))?;
    Ok(kind)
}

pub(super) fn properties(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = described(ctx, path[0], false)?;
    let archived = ctx.query("archived") == Some("true");
    let rows = ctx.state.properties.get(&kind.id).into_iter().flatten();
    let rows = rows.filter(|row| (row["archived"] == true) == archived);
    Ok(Answer::ok(json!({"results": rows.map(property).collect::<Vec<_>>()})))
}

pub(super) fn one_property(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = described(ctx, path[0], false)?;
    match super::values::find(ctx.state, &kind, path[1]) {
        Some(row) => Ok(Answer::ok(property(row))),
        None => Err(ApiError::not_found(format!("Property {} does not exist", path[1]))),
    }
}

pub(super) fn create_property(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = described(ctx, path[0], true)?;
    let row = ctx.body.clone();
    let missing: Vec<&str> = ["name", "label", "type", "fieldType", "groupName"]
        .into_iter()
        .filter(|name| row[*name].is_null())
        .collect();
    if !missing.is_empty() {
        return Err(ApiError::invalid(format!(
            "Some required fields were not set: [{}]",
            missing.join(", ")
        )));
    }
    let name = row["name"].as_str().unwrap_or_default();
    if super::values::find(ctx.state, &kind, name).is_some() {
        return Err(ApiError::conflict(format!("A property named '{name}' already exists.")));
    }
    let mut row = row.clone();
    row["hubspotDefined"] = json!(false);
    ctx.state.properties.entry(kind.id).or_default().push(row.clone());
    Ok(Answer::created(property(&row)))
}

pub(super) fn update_property(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = described(ctx, path[0], true)?;
    let changes: Map<String, Value> = ctx.body.as_object().cloned().unwrap_or_default();
    let rows = ctx.state.properties.entry(kind.id).or_default();
    let row = rows.iter_mut().find(|row| row["name"] == path[1]);
    let row = row.ok_or_else(|| ApiError::not_found(format!("Property {} does not exist", path[1])))?;
    for (name, value) in changes {
        row[name] = value;
    }
    Ok(Answer::ok(property(row)))
}

pub(super) fn properties_read(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = described(ctx, path[0], false)?;
    let wanted = inputs(&ctx.body, 100)?;
    let rows = wanted.iter().filter_map(|input| {
        super::values::find(ctx.state, &kind, input["name"].as_str().unwrap_or_default()).map(property)
    });
    let rows = rows.collect();
    Ok(batch(ctx.harness.clock(), 200, rows, Vec::new()))
}

pub(super) fn groups(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    described(ctx, path[0], false)?;
    let group = json!({"name": "information", "label": "Information", "displayOrder": 0, "archived": false});
    Ok(Answer::ok(json!({"results": [group]})))
}

pub(super) fn pipelines(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.readable(path[0])?;
    Ok(Answer::ok(json!({"results": ctx.state.pipelines.get(&kind.id).cloned().unwrap_or_default()})))
}

pub(super) fn one_pipeline(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.readable(path[0])?;
    let mut all = ctx.state.pipelines.get(&kind.id).into_iter().flatten();
    let found = all.find(|pipeline| pipeline["id"] == path[1]);
    found.cloned().map(Answer::ok).ok_or_else(|| ApiError::not_found("resource not found"))
}

pub(super) fn stages(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let pipeline = one_pipeline(ctx, path)?;
    let stages = pipeline.body.map(|mut body| body["stages"].take()).unwrap_or_default();
    Ok(Answer::ok(json!({"results": stages})))
}

fn schema(ctx: &Ctx<'_>, row: &Value) -> Value {
    let mut whole = row.clone();
    let id = row["objectTypeId"].as_str().unwrap_or_default();
    let properties = ctx.state.properties.get(id).into_iter().flatten();
    whole["properties"] = properties.map(property).collect();
    whole["associations"] = json!([]);
    whole
}

pub(super) fn schemas(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    ctx.needs("crm.schemas.custom.read")?;
    let rows: Vec<Value> = ctx.state.schemas.iter().map(|row| schema(ctx, row)).collect();
    Ok(Answer::ok(json!({"results": rows})))
}

pub(super) fn one_schema(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    ctx.needs("crm.schemas.custom.read")?;
    let kind = ctx.kind(path[0])?;
    let row = ctx.state.schemas.iter().find(|row| row["objectTypeId"] == kind.id.as_str());
    row.map(|row| Answer::ok(schema(ctx, row))).ok_or_else(|| ApiError::not_found("resource not found"))
}

pub(super) fn owners(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    ctx.needs("crm.objects.owners.read")?;
    let archived = ctx.query("archived") == Some("true");
    let email = ctx.query("email").map(str::to_lowercase);
    let limit = ctx.number("limit").unwrap_or(100);
    let after: usize = ctx.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let rows: Vec<&Value> = ctx
        .state
        .owners
        .iter()
        .filter(|owner| (owner["archived"] == true) == archived)
        .filter(|owner| email.as_deref().is_none_or(|email| owner["email"] == email))
        .collect();
    let mut body = json!({"results": rows.iter().skip(after).take(limit).collect::<Vec<_>>()});
    if after + limit < rows.len() {
        body["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(Answer::ok(body))
}

pub(super) fn one_owner(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    ctx.needs("crm.objects.owners.read")?;
    let member = if ctx.query("idProperty") == Some("userId") { "userId" } else { "id" };
    let archived = ctx.query("archived") == Some("true");
    let fits = |owner: &&Value| {
        let id = owner[member].as_str().map_or_else(|| owner[member].to_string(), str::to_owned);
        id == path[0] && (owner["archived"] == true) == archived
    };
    let found = ctx.state.owners.iter().find(fits).cloned();
    found.map(Answer::ok).ok_or_else(|| ApiError::not_found("resource not found"))
}
