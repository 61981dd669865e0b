//! Resources: what a person may attach to a conversation by its address. They read as the tools do.

use connector::{
    Error, Result,
    catalog::{Call, Resource, ResourceTemplate, Variables},
};
use serde_json::json;

use crate::{HubSpot, audit};

/// The resources with a fixed address.
pub(crate) fn all() -> Vec<Resource<HubSpot>> {
    vec![
        Resource::of_tool(
            "hubspot://account",
            "account",
            "The account",
            "The account, whose credential this is, its scopes, and what is left of the day.",
            "whoami",
            json!({}),
        ),
        Resource::of_tool(
            "hubspot://owners",
            "owners",
            "The owners",
            "The people to whom records can be assigned; those who left are marked.",
            "find_owners",
            json!({}),
        ),
        Resource::of_tool(
            "hubspot://schema",
            "schema",
            "The objects",
            "The objects there are, custom ones first.",
            "describe_object",
            json!({}),
        ),
        Resource::new(
            "hubspot://audit",
            "audit",
            "Your writes",
            "What you have written through this server since it was started, the latest first.",
            |call: Call<HubSpot>| async move { Ok(audit::read(&call)) },
        ),
    ]
}

/// The families of resources.
pub(crate) fn templates() -> Vec<ResourceTemplate<HubSpot>> {
    vec![
        ResourceTemplate::of_tool(
            "hubspot://schema/{object}",
            "object-schema",
            "An object's fields",
            "The fields of an object with their types and options.",
            "describe_object",
            |given| Ok(json!({"object": given.text("object")})),
        ),
        ResourceTemplate::of_tool(
            "hubspot://pipelines/{object}",
            "pipelines",
            "Pipelines",
            "The pipelines of an object with their stages.",
            "list_pipelines",
            |given| Ok(json!({"object": given.text("object")})),
        ),
        ResourceTemplate::of_tool(
            "hubspot://record/{object}/{id}",
            "record",
            "A record",
            "One record with its fields, its companies, contacts and deals.",
            "get_records",
            |given| Ok(json!({"object": given.text("object"), "ids": [given.text("id")], "include": ["companies", "contacts", "deals"]})),
        )
        .subscribable(|_, _| Ok(()), version),
        ResourceTemplate::of_tool(
            "hubspot://record/{object}/{id}/timeline",
            "timeline",
            "A record's timeline",
            "Notes, calls, meetings, e-mails and tasks of a record, the latest first.",
            "get_timeline",
            |given| Ok(json!({"object": given.text("object"), "id": given.text("id"), "limit": 50})),
        )
        .lists(),
        ResourceTemplate::of_tool(
            "hubspot://list/{list}",
            "list",
            "A list",
            "The members of a list.",
            "find_lists",
            |given| Ok(json!({"list": given.text("list")})),
        )
        .lists(),
    ]
}

/// When a record changed last, which is its version.
async fn version(call: Call<HubSpot>, given: Variables) -> Result<String> {
    let object = call.names().object(given.text("object")).await?;
    let id = given.text("id").to_owned();
    let modified = object.modified().to_owned();
    let batch = call.api().read_records(&object, &[id], None, &[modified], &[]).await?;
    let record = batch.results.into_iter().next();
    let record = record
        .ok_or_else(|| Error::not_found(format!("There is no {} {}", object.singular, given.text("id"))))?;
    Ok(record.get(object.modified()).to_owned())
}
