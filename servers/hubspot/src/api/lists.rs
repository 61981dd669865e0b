//! Lists, which HubSpot also calls segments.

use std::collections::BTreeMap;

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Listed};
use crate::resolve::ObjectType;

/// A list of records.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct List {
    pub(crate) list_id: String,
    pub(crate) name: String,
    pub(crate) object_type_id: String,
    /// `MANUAL`, `DYNAMIC` or `SNAPSHOT`.
    pub(crate) processing_type: String,
    pub(crate) size: Option<f64>,
    pub(crate) additional_properties: BTreeMap<String, Option<String>>,
    pub(crate) updated_at: String,
    /// The rule by which HubSpot fills it, if it was asked for.
    pub(crate) filter_branch: Value,
}

impl List {
    /// How many records are on it, as far as HubSpot tells.
    pub(crate) fn size(&self) -> Option<u64> {
        let told = self.additional_properties.get("hs_list_size").and_then(Option::as_deref);
        told.and_then(|size| size.parse().ok()).or_else(|| self.size.map(|size| size as u64))
    }
}

/// Lists by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FoundLists {
    pub(crate) lists: Vec<List>,
    pub(crate) has_more: bool,
    pub(crate) offset: u64,
    pub(crate) total: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct OneList {
    list: List,
}

/// A member of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Member {
    pub(crate) record_id: String,
}

/// A list that a record is on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Membership {
    pub(crate) list_id: String,
}

/// What a change of members came to. The first name is HubSpot's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Changed {
    #[serde(rename = "recordsIdsAdded", alias = "recordIdsAdded")]
    pub(crate) added: Vec<String>,
    #[serde(rename = "recordIdsRemoved")]
    pub(crate) removed: Vec<String>,
    #[serde(rename = "recordIdsMissing")]
    pub(crate) missing: Vec<String>,
}

const SEARCH: &str = "POST /crm/lists/{version}/search";
const GET: &str = "GET /crm/lists/{version}/{listId}";
const MEMBERS: &str = "GET /crm/lists/{version}/{listId}/memberships";
const CHANGE: &str = "PUT /crm/lists/{version}/{listId}/memberships/add-and-remove";
const OF_RECORD: &str = "GET /crm/lists/{version}/records/{objectTypeId}/{recordId}/memberships";

impl Api {
    /// Lists whose name contains `query`, or those with these ids.
    pub(crate) async fn search_lists(
        &self,
        query: &str,
        ids: &[String],
        count: u32,
        offset: u64,
    ) -> Result<FoundLists> {
        let mut body = json!({
            "query": query, "count": count, "offset": offset, "listIds": ids,
            "processingTypes": [], "additionalProperties": ["hs_list_size"],
        });
        if ids.is_empty()
            && let Some(body) = body.as_object_mut()
        {
            body.shift_remove("listIds");
        }
        self.read(self.query(SEARCH, &[]).json(&body)?).await
    }

    pub(crate) async fn list(&self, id: &str) -> Result<List> {
        let one: OneList = self.read(self.route(GET, &[id])).await?;
        Ok(one.list)
    }

    /// The rule by which HubSpot fills a list.
    pub(crate) async fn rule(&self, id: &str) -> Result<Value> {
        let one: OneList = self.read(self.route(GET, &[id]).query("includeFilters", "true")).await?;
        Ok(one.list.filter_branch)
    }

    /// A page of the members of a list.
    pub(crate) async fn members(&self, id: &str, limit: u32, after: Option<&str>) -> Result<Listed<Member>> {
        let mut request = self.route(MEMBERS, &[id]).query("limit", limit.to_string());
        if let Some(after) = after {
            request = request.query("after", after);
        }
        self.read(request).await
    }

    /// The lists that a record is on.
    pub(crate) async fn lists_of(&self, object: &ObjectType, id: &str) -> Result<Vec<Membership>> {
        let listed: Listed<Membership> = self.read(self.route(OF_RECORD, &[&object.id, id])).await?;
        Ok(listed.results)
    }

    /// Adds records to a list and takes others off it.
    pub(crate) async fn change_members(
        &self,
        id: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<Changed> {
        let body: Value = json!({"recordIdsToAdd": add, "recordIdsToRemove": remove});
        self.read(self.route(CHANGE, &[id]).json(&body)?.replay(Replay::Idempotent)).await
    }
}
