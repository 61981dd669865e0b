//! Records: searched, read, written, merged.

use std::collections::BTreeMap;

use connector::{Effect, Kind, Result, upstream::Replay};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, Batch, Listed};
use crate::resolve::ObjectType;

/// The most inputs of one batch, and the most rows of one page of a search.
pub(crate) const MAX_BATCH: usize = 100;
/// The most rows of one page of a search.
pub(crate) const MAX_PAGE: u32 = 200;
/// The most inputs of a batch that reads earlier values too: "it will reduce the maximum number" is all that is
/// published.
const MAX_WITH_HISTORY: usize = 50;
/// No page of one search reaches past so many results.
pub(crate) const MAX_RESULTS: u64 = 10_000;

/// One record. All values are text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    pub(crate) properties_with_history: BTreeMap<String, Vec<Past>>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// Whether an upsert made it.
    pub(crate) new: bool,
    pub(crate) object_write_trace_id: String,
    /// Where a person would look at it.
    pub(crate) url: String,
}

/// A value that a property had.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Past {
    pub(crate) value: String,
    pub(crate) timestamp: String,
}

impl Record {
    /// The value of a property; empty if it has none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.properties.get(name).and_then(Option::as_deref).unwrap_or_default()
    }

    /// The number of its id, by which searches go on.
    pub(crate) fn number(&self) -> u64 {
        self.id.parse().unwrap_or(0)
    }
}

/// One condition of a search, as HubSpot takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    pub(crate) property_name: String,
    pub(crate) operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) high_value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<String>,
}

impl Filter {
    pub(crate) fn new(property: &str, operator: &'static str) -> Self {
        Self {
            property_name: property.to_owned(),
            operator,
            value: None,
            high_value: None,
            values: Vec::new(),
        }
    }

    pub(crate) fn value(property: &str, operator: &'static str, value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::new(property, operator) }
    }
}

/// A search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    pub(crate) query: String,
    /// Any of these groups, in each of which all hold.
    pub(crate) groups: Vec<Vec<Filter>>,
    /// The property, and whether the largest comes first.
    pub(crate) sort: Option<(String, bool)>,
    pub(crate) properties: Vec<String>,
    pub(crate) limit: u32,
    /// How many results are passed over.
    pub(crate) after: u64,
}

impl Search {
    fn body(&self) -> Value {
        let groups: Vec<Value> = self.groups.iter().map(|filters| json!({"filters": filters})).collect();
        let sorts: Vec<Value> = self
            .sort
            .iter()
            .map(|(property, descending)| {
                json!({"propertyName": property, "direction": if *descending { "DESCENDING" } else { "ASCENDING" }})
            })
            .collect();
        // The published schema requires all of these but the query.
        let mut body = json!({
            "filterGroups": groups, "sorts": sorts, "properties": self.properties,
            "limit": self.limit, "after": self.after.to_string(),
        });
        if !self.query.is_empty() {
            body["query"] = json!(self.query);
        }
        body
    }
}

/// A record that is to be written.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_property: Option<String>,
    pub(crate) properties: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) associations: Vec<Value>,
    pub(crate) object_write_trace_id: String,
}

const SEARCH: &str = "POST /crm/objects/{version}/{objectType}/search";
const READ: &str = "POST /crm/objects/{version}/{objectType}/batch/read";
const CREATE: &str = "POST /crm/objects/{version}/{objectType}/batch/create";
const UPDATE: &str = "POST /crm/objects/{version}/{objectType}/batch/update";
const UPSERT: &str = "POST /crm/objects/{version}/{objectType}/batch/upsert";
const ARCHIVE: &str = "POST /crm/objects/{version}/{objectType}/batch/archive";
const MERGE: &str = "POST /crm/objects/{version}/{objectType}/merge";
const GDPR: &str = "POST /crm/objects/{version}/{objectType}/gdpr-delete";

impl Api {
    /// A page of the records that a search finds.
    pub(crate) async fn search(&self, object: &ObjectType, search: &Search) -> Result<Listed<Record>> {
        self.read(self.query(SEARCH, &[&object.id]).json(&search.body())?).await
    }

    /// Records by their ids, or by the unique property `by`; those that do not exist are among the errors.
    /// At most [`MAX_BATCH`].
    pub(crate) async fn read_records(
        &self,
        object: &ObjectType,
        ids: &[String],
        by: Option<&str>,
        properties: &[String],
        history: &[String],
    ) -> Result<Batch<Record>> {
        let read = async |some: &[String]| -> Result<Batch<Record>> {
            let inputs: Vec<Value> = some.iter().map(|id| json!({"id": id})).collect();
            let mut body =
                json!({"inputs": inputs, "properties": properties, "propertiesWithHistory": history});
            if let Some(by) = by {
                body["idProperty"] = json!(by);
            }
            self.read(self.query(READ, &[&object.id]).json(&body)?).await
        };
        if history.is_empty() {
            return read(ids).await;
        }
        let mut whole = Batch::done(Vec::new());
        let mut rest = ids;
        let mut most = MAX_WITH_HISTORY;
        while !rest.is_empty() {
            let (some, others) = rest.split_at(most.min(rest.len()));
            match read(some).await {
                Ok(batch) => {
                    whole.results.extend(batch.results);
                    whole.errors.extend(batch.errors);
                    rest = others;
                }
                // Fewer may be taken than is known.
                Err(error) if error.kind() == Kind::InvalidArgument && some.len() > MAX_WITH_HISTORY / 2 => {
                    most = MAX_WITH_HISTORY / 2;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(whole)
    }

    /// Creates records. Sent once: HubSpot has nothing by which a repetition would be known for one.
    pub(crate) async fn create_records(
        &self,
        object: &ObjectType,
        inputs: &[Input],
    ) -> Result<Batch<Record>> {
        let request = self.route(CREATE, &[&object.id]).json(&json!({"inputs": inputs}))?;
        self.read(request.check(format!("Search for the new {}", object.plural))).await
    }

    /// Changes records. Sent once: a repetition would overwrite what somebody else writes meanwhile.
    pub(crate) async fn update_records(
        &self,
        object: &ObjectType,
        inputs: &[Input],
    ) -> Result<Batch<Record>> {
        let request = self.route(UPDATE, &[&object.id]).json(&json!({"inputs": inputs}))?;
        self.read(request.check(format!("Read the {} and see whether they changed", object.plural))).await
    }

    /// Creates or changes records by a unique property. That makes it repeatable where all of them are new; what
    /// was there before somebody else may change in between.
    pub(crate) async fn upsert_records(
        &self,
        object: &ObjectType,
        inputs: &[Input],
        are_new: bool,
    ) -> Result<Batch<Record>> {
        let request = self.route(UPSERT, &[&object.id]).json(&json!({"inputs": inputs}))?;
        self.read(request.replay(if are_new { Replay::Idempotent } else { Replay::Once })).await
    }

    /// Moves records to the recycle bin.
    pub(crate) async fn archive_records(&self, object: &ObjectType, ids: &[String]) -> Result<()> {
        let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        let request = self.route(ARCHIVE, &[&object.id]).json(&json!({"inputs": inputs}))?;
        let request = request.effect(Effect::Destructive).replay(Replay::Idempotent);
        self.send(request).await.map(drop)
    }

    /// Merges `absorb` into `keep`. The survivor may have an id of its own.
    pub(crate) async fn merge(&self, object: &ObjectType, keep: &str, absorb: &str) -> Result<Record> {
        let body = json!({"primaryObjectId": keep, "objectIdToMerge": absorb});
        let request = self.route(MERGE, &[&object.id]).json(&body)?.effect(Effect::Destructive);
        self.read(request.check(format!("Read {keep} and {absorb} and see whether they are one record")))
            .await
    }

    /// Deletes a contact for good.
    pub(crate) async fn gdpr_delete(&self, id: &str) -> Result<()> {
        let request = self.route(GDPR, &["contacts"]).json(&json!({"objectId": id}))?;
        let request = request.effect(Effect::Destructive);
        self.send(request.check(format!("Read the contact {id} and see whether it is gone"))).await.map(drop)
    }
}
