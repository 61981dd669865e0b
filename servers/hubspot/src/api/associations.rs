//! Who is associated with whom.

use connector::{Effect, Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Batch, definitions::AssociationType};
use crate::resolve::ObjectType;

/// The records with which one is associated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Associated {
    pub(crate) from: Id,
    pub(crate) to: Vec<Target>,
    paging: super::Paging,
}

impl Associated {
    fn next(&self) -> Option<String> {
        self.paging.next.as_ref().map(|next| next.after.clone()).filter(|after| !after.is_empty())
    }
}

/// A record's id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Id {
    pub(crate) id: String,
}

/// A record at the other end, and how it is associated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Target {
    pub(crate) to_object_id: String,
    pub(crate) association_types: Vec<AssociationType>,
}

impl Target {
    /// Its labels, but for the one that says nothing.
    pub(crate) fn labels(&self) -> Vec<&str> {
        self.association_types
            .iter()
            .filter_map(|kind| kind.label.as_deref())
            .filter(|label| !label.is_empty())
            .collect()
    }
}

/// A pair that a write has linked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Linked {
    #[serde(rename = "fromObjectId")]
    pub(crate) from: String,
    #[serde(rename = "toObjectId")]
    pub(crate) to: String,
}

const READ: &str = "POST /crm/associations/{version}/{fromObjectType}/{toObjectType}/batch/read";
const CREATE: &str = "POST /crm/associations/{version}/{fromObjectType}/{toObjectType}/batch/create";
const DEFAULT: &str =
    "POST /crm/associations/{version}/{fromObjectType}/{toObjectType}/batch/associate/default";
const ARCHIVE: &str = "POST /crm/associations/{version}/{fromObjectType}/{toObjectType}/batch/archive";
const LABELS: &str = "POST /crm/associations/{version}/{fromObjectType}/{toObjectType}/batch/labels/archive";

impl Api {
    /// What the records `ids` are associated with, those without anything left out. All pages.
    pub(crate) async fn associated(
        &self,
        from: &ObjectType,
        ids: &[String],
        to: &ObjectType,
    ) -> Result<Vec<Associated>> {
        let mut all: Vec<Associated> = Vec::new();
        let mut inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        while !inputs.is_empty() {
            let request = self.query(READ, &[&from.id, &to.id]).json(&json!({"inputs": inputs}))?;
            let batch: Batch<Associated> = self.read(request).await?;
            inputs = Vec::new();
            for mut row in batch.results {
                if let Some(after) = row.next() {
                    inputs.push(json!({"id": row.from.id, "after": after}));
                }
                // An association without an id at its other end says nothing.
                row.to.retain(|target| !target.to_object_id.is_empty());
                match all.iter_mut().find(|known| known.from.id == row.from.id) {
                    Some(known) => known.to.extend(row.to),
                    None => all.push(row),
                }
            }
        }
        Ok(all)
    }

    /// Links pairs of records as `types` say; what a pair was linked as before is replaced.
    pub(crate) async fn associate(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        pairs: &[(String, String, Vec<AssociationType>)],
    ) -> Result<Batch<Linked>> {
        let inputs: Vec<Value> = pairs
            .iter()
            .map(|(from, to, types)| json!({"from": {"id": from}, "to": {"id": to}, "types": specs(types)}))
            .collect();
        let request = self.route(CREATE, &[&from.id, &to.id]).json(&json!({"inputs": inputs}))?;
        self.read(request.replay(Replay::Idempotent)).await
    }

    /// Links pairs of records without a label. The answer has both directions of each.
    pub(crate) async fn associate_default(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        pairs: &[(String, String)],
    ) -> Result<Batch<Value>> {
        let inputs: Vec<Value> =
            pairs.iter().map(|(from, to)| json!({"from": {"id": from}, "to": {"id": to}})).collect();
        let request = self.route(DEFAULT, &[&from.id, &to.id]).json(&json!({"inputs": inputs}))?;
        self.read(request.replay(Replay::Idempotent)).await
    }

    /// Ends every association of pairs of records.
    pub(crate) async fn dissociate(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        pairs: &[(String, Vec<String>)],
    ) -> Result<()> {
        let inputs: Vec<Value> = pairs
            .iter()
            .map(|(from, to)| {
                let to: Vec<Value> = to.iter().map(|id| json!({"id": id})).collect();
                json!({"from": {"id": from}, "to": to})
            })
            .collect();
        let request = self.route(ARCHIVE, &[&from.id, &to.id]).json(&json!({"inputs": inputs}))?;
        self.send(request.effect(Effect::Destructive).replay(Replay::Idempotent)).await.map(drop)
    }

    /// Takes labels off pairs of records, which stay associated.
    pub(crate) async fn remove_labels(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        pairs: &[(String, String)],
        types: &[AssociationType],
    ) -> Result<()> {
        let inputs: Vec<Value> = pairs
            .iter()
            .map(|(from, to)| json!({"from": {"id": from}, "to": {"id": to}, "types": specs(types)}))
            .collect();
        let request = self.route(LABELS, &[&from.id, &to.id]).json(&json!({"inputs": inputs}))?;
        self.send(request.effect(Effect::Destructive).replay(Replay::Idempotent)).await.map(drop)
    }
}

/// Types of associations as HubSpot takes them.
pub(crate) fn specs(types: &[AssociationType]) -> Vec<Value> {
    types
        .iter()
        .map(|kind| json!({"associationCategory": kind.category, "associationTypeId": kind.type_id}))
        .collect()
}
