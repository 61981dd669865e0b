//! Records archived, merged, and deleted for good.

use serde_json::{Value, json};

use super::{
    errors::{Answer, ApiError, Outcome},
    objects::{MAX_BATCH, backward, inputs, locate, missing, word},
    routes::Ctx,
    state::Record,
    types::{self, ObjectType},
    values::shown,
    webhooks,
};

/// The most identities that a merge takes.
const MAX_MERGED: usize = 250;

pub(super) fn archive(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    if let Ok(id) = locate(ctx.state, &kind, path[1], None) {
        drop_record(ctx, &kind, id);
    }
    Ok(Answer::nothing())
}

fn drop_record(ctx: &mut Ctx<'_>, kind: &ObjectType, id: u64) {
    let now = ctx.now();
    if let Some(mut record) = ctx.state.find(&kind.id, id).cloned() {
        record.archived = Some(now);
        ctx.state.put(&kind.id, record, ctx.harness.clock());
        webhooks::tell(ctx, kind, id, "deletion", &Value::Null);
    }
}

pub(super) fn batch_archive(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    for input in inputs(&ctx.body, MAX_BATCH)? {
        if let Ok(id) = locate(ctx.state, &kind, &word(&input["id"]), None) {
            drop_record(ctx, &kind, id);
        }
    }
    Ok(Answer::nothing())
}

/// Merges one record into another. The survivor of companies, deals, tickets and custom objects has a new id.
pub(super) fn merge(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    let mergeable = kind.custom
        || [types::CONTACTS, types::COMPANIES, types::DEALS, types::TICKETS].contains(&kind.id.as_str());
    if !mergeable {
        return Err(ApiError::not_found("resource not found"));
    }
    let (keep, absorb) = (word(&ctx.body["primaryObjectId"]), word(&ctx.body["objectIdToMerge"]));
    let keep = locate(ctx.state, &kind, &keep, None)?;
    let absorb = locate(ctx.state, &kind, &absorb, None)?;
    if keep == absorb {
        return Err(ApiError::invalid("The two records to merge are the same"));
    }
    let (Some(kept), Some(absorbed)) =
        (ctx.state.find(&kind.id, keep).cloned(), ctx.state.find(&kind.id, absorb).cloned())
    else {
        return Err(missing(""));
    };
    let ids = |record: &Record| {
        let before = record.properties.get("hs_merged_object_ids").cloned().unwrap_or_default();
        let own = record.id.to_string();
        before.split(';').filter(|id| !id.is_empty()).map(str::to_owned).chain([own]).collect::<Vec<_>>()
    };
    let mut merged: Vec<String> = ids(&kept).into_iter().chain(ids(&absorbed)).collect();
    if merged.len() > MAX_MERGED {
        return Err(ApiError::new(
            414,
            "VALIDATION_ERROR",
            "The merged record would have more than 250 identities",
        ));
    }
    let id = if kind.id == types::CONTACTS { keep } else { ctx.state.new_id() };
    merged.retain(|one| *one != id.to_string());
    let mut survivor = Record { id, updated: ctx.now(), ..kept.clone() };
    for (name, value) in &absorbed.properties {
        survivor.properties.entry(name.clone()).or_insert_with(|| value.clone());
    }
    // Of two contacts the later stage of life stays (knowledge.hubspot.com, "Merge records").
    if kind.id == types::CONTACTS
        && let (Some(own), Some(other)) =
            (kept.properties.get("lifecyclestage"), absorbed.properties.get("lifecyclestage"))
        && !backward(ctx.state, &kind, own, other)
    {
        survivor.properties.insert("lifecyclestage".to_owned(), other.clone());
    }
    survivor.properties.insert("hs_merged_object_ids".to_owned(), merged.join(";"));
    // A person keeps all addresses, a company all domains (blog.hubspot.com, "How to Add Multiple Domains").
    let kept = match kind.id.as_str() {
        types::CONTACTS => Some(("email", "hs_additional_emails")),
        types::COMPANIES => Some(("domain", "hs_additional_domains")),
        _ => None,
    };
    if let Some((one, others)) = kept
        && let Some(value) = absorbed.properties.get(one)
    {
        let more = survivor.properties.entry(others.to_owned()).or_default();
        *more = if more.is_empty() { value.clone() } else { format!("{more};{value}") };
    }
    let place = (kind.id.clone(), id);
    for old in [keep, absorb] {
        let old = (kind.id.clone(), old);
        let links = ctx.state.links.get(&old).cloned().unwrap_or_default();
        if old == place {
            continue;
        }
        ctx.state.merged.insert(old.clone(), id);
        ctx.state.purge(&old, ctx.harness.clock());
        for (to, kinds) in links.into_iter().filter(|(to, _)| *to != place) {
            for kind in kinds {
                ctx.state.link(&place, &to, Some(kind));
            }
        }
    }
    ctx.state.put(&kind.id, survivor, ctx.harness.clock());
    let merged = json!({"primaryObjectId": keep, "mergedObjectIds": [absorb], "newObjectId": id});
    webhooks::tell(ctx, &kind, id, "merge", &merged);
    let record = ctx.state.find(&kind.id, id).cloned().unwrap_or_default();
    Ok(Answer::ok(shown(ctx.state, &kind, &record, &[], &[])))
}

/// Deletes a contact for good. An address that nobody has is blocked from then on.
pub(super) fn gdpr_delete(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.writable(path[0])?;
    if kind.id != types::CONTACTS {
        return Err(ApiError::not_found("resource not found"));
    }
    let word = word(&ctx.body["objectId"]);
    let property = ctx.body["idProperty"].as_str().map(str::to_owned);
    match locate(ctx.state, &kind, &word, property.as_deref()) {
        Ok(id) => {
            let clock = ctx.harness.clock().clone();
            ctx.state.purge(&(kind.id.clone(), id), &clock);
            webhooks::tell(ctx, &kind, id, "privacyDeletion", &Value::Null);
        }
        Err(error) if property.as_deref() != Some("email") => return Err(error),
        Err(_) => {
            let blocked = ctx.state.account["blocked"].as_array().cloned().unwrap_or_default();
            let blocked: Vec<Value> = blocked.into_iter().chain([json!(word)]).collect();
            ctx.state.account["blocked"] = Value::Array(blocked);
        }
    }
    Ok(Answer::nothing())
}
