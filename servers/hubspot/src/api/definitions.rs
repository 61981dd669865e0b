//! What describes records: properties, pipelines, custom objects, owners.

use std::collections::BTreeMap;

use connector::Result;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Api, DEFINITIONS_TTL, Listed};
use crate::resolve::ObjectType;

/// A property's definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) label: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) field_type: String,
    pub(crate) description: String,
    pub(crate) options: Vec<Choice>,
    /// Its options live elsewhere: owners, pipelines, stages.
    pub(crate) external_options: bool,
    /// Where they live: `OWNER`.
    pub(crate) referenced_object_type: Option<String>,
    pub(crate) has_unique_value: bool,
    pub(crate) calculated: bool,
    pub(crate) hidden: bool,
    pub(crate) archived: bool,
    pub(crate) hubspot_defined: bool,
    pub(crate) show_currency_symbol: bool,
    pub(crate) modification_metadata: Modification,
}

/// Whether a property may be changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Modification {
    pub(crate) read_only_value: bool,
}

/// One option of an enumeration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) hidden: bool,
}

impl Property {
    pub(crate) fn is_read_only(&self) -> bool {
        self.calculated || self.modification_metadata.read_only_value
    }

    pub(crate) fn is_multiple(&self) -> bool {
        self.field_type == "checkbox"
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.referenced_object_type.as_deref() == Some("OWNER")
            || self.name.ends_with("owner_id")
            || self.name == "hs_assigned_user_id"
    }

    /// Whether its numbers are money.
    pub(crate) fn is_money(&self) -> bool {
        self.kind == "number" && (self.show_currency_symbol || self.name == "amount")
    }

    /// Whether its money is in the account's currency, whatever that of the record is.
    pub(crate) fn is_at_home(&self) -> bool {
        self.name.ends_with("_in_home_currency")
    }

    /// Whether its texts are HTML (developers.hubspot.com, "Properties", field types).
    pub(crate) fn is_rich(&self) -> bool {
        self.field_type == "html"
    }

    /// Whether its values are texts of people's own.
    pub(crate) fn is_text(&self) -> bool {
        self.kind == "string"
    }

    /// Whether its texts may be long, or are HTML.
    pub(crate) fn is_long(&self) -> bool {
        matches!(self.field_type.as_str(), "textarea" | "html")
    }
}

/// A pipeline with its stages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) display_order: f64,
    pub(crate) archived: bool,
    pub(crate) stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) display_order: f64,
    pub(crate) archived: bool,
    pub(crate) metadata: BTreeMap<String, Option<String>>,
}

impl Stage {
    fn told(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).and_then(Option::as_deref)
    }

    /// Closed by its flags, whatever it is called.
    pub(crate) fn is_closed(&self) -> bool {
        self.told("isClosed") == Some("true")
            || self.told("ticketState") == Some("CLOSED")
            || matches!(self.told("leadState"), Some("QUALIFIED" | "UNQUALIFIED"))
    }

    /// How likely a deal is won here, from 0 to 1.
    pub(crate) fn probability(&self) -> Option<f64> {
        self.told("probability")?.parse().ok()
    }
}

/// Somebody to whom records can be assigned.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Owner {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) user_id: Option<f64>,
    pub(crate) user_id_including_inactive: Option<f64>,
    pub(crate) archived: bool,
    pub(crate) teams: Vec<Team>,
}

/// A team of owners.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Team {
    pub(crate) name: String,
}

impl Owner {
    /// Their name, or their address if they have none.
    pub(crate) fn name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        let name = name.trim();
        if name.is_empty() { self.email.clone() } else { name.to_owned() }
    }

    /// The same, and whether they have left.
    pub(crate) fn shown(&self) -> String {
        if self.archived { format!("{} (deactivated)", self.name()) } else { self.name() }
    }
}

/// A custom object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Schema {
    pub(crate) object_type_id: String,
    pub(crate) name: String,
    pub(crate) fully_qualified_name: String,
    pub(crate) labels: Labels,
    pub(crate) primary_display_property: String,
    pub(crate) secondary_display_properties: Vec<String>,
    pub(crate) required_properties: Vec<String>,
}

/// What a custom object is called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Labels {
    pub(crate) singular: String,
    pub(crate) plural: String,
}

/// What an association can be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AssociationType {
    pub(crate) category: String,
    pub(crate) type_id: u32,
    pub(crate) label: Option<String>,
}

const PROPERTIES: &str = "GET /crm/properties/{version}/{objectType}";
const CREATE_PROPERTY: &str = "POST /crm/properties/{version}/{objectType}";
const UPDATE_PROPERTY: &str = "PATCH /crm/properties/{version}/{objectType}/{propertyName}";
const PIPELINES: &str = "GET /crm/pipelines/{version}/{objectType}";
const OWNERS: &str = "GET /crm/owners/{version}";
const SCHEMAS: &str = "GET /crm-object-schemas/{version}/schemas";
const LABELS: &str = "GET /crm/associations/{version}/{fromObjectType}/{toObjectType}/labels";

impl Api {
    /// The properties of an object, archived ones left out.
    pub(crate) async fn properties(&self, object: &ObjectType) -> Result<Vec<Property>> {
        let tag = format!("properties:{}", object.id);
        let request = self.route(PROPERTIES, &[&object.id]).cache(DEFINITIONS_TTL, [tag]);
        let listed: Listed<Property> = self.read(request).await?;
        Ok(listed
            .results
            .into_iter()
            .filter(|property| !property.archived && !property.name.is_empty())
            .collect())
    }

    /// The pipelines of an object, with their stages, in their order.
    pub(crate) async fn pipelines(&self, object: &ObjectType) -> Result<Vec<Pipeline>> {
        let request = self.route(PIPELINES, &[&object.id]).cache(DEFINITIONS_TTL, ["pipelines"]);
        let listed: Listed<Pipeline> = self.read(request).await?;
        let mut pipelines: Vec<_> =
            listed.results.into_iter().filter(|pipeline| !pipeline.archived).collect();
        pipelines.sort_by(|a, b| a.display_order.total_cmp(&b.display_order));
        for pipeline in &mut pipelines {
            pipeline.stages.retain(|stage| !stage.archived);
            pipeline.stages.sort_by(|a, b| a.display_order.total_cmp(&b.display_order));
        }
        Ok(pipelines)
    }

    /// Everybody who owns records, those who left included.
    pub(crate) async fn owners(&self) -> Result<Vec<Owner>> {
        let mut owners = Vec::new();
        for archived in ["false", "true"] {
            let mut after: Option<String> = None;
            loop {
                let mut request = self.route(OWNERS, &[]).query("limit", "100").query("archived", archived);
                if let Some(after) = &after {
                    request = request.query("after", after.as_str());
                }
                let page: Listed<Owner> = self.read(request.cache(DEFINITIONS_TTL, ["owners"])).await?;
                let next = page.next().map(str::to_owned).filter(|next| after.as_ref() != Some(next));
                owners.extend(page.results);
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(owners)
    }

    /// The account's custom objects.
    pub(crate) async fn schemas(&self) -> Result<Vec<Schema>> {
        let listed: Listed<Schema> =
            self.read(self.route(SCHEMAS, &[]).cache(DEFINITIONS_TTL, ["schemas"])).await?;
        Ok(listed.results)
    }

    /// What an association from one object to another can be.
    pub(crate) async fn association_types(
        &self,
        from: &ObjectType,
        to: &ObjectType,
    ) -> Result<Vec<AssociationType>> {
        let request = self.route(LABELS, &[&from.id, &to.id]).cache(DEFINITIONS_TTL, ["labels"]);
        let listed: Listed<AssociationType> = self.read(request).await?;
        Ok(listed.results)
    }

    /// Adds a property to an object.
    pub(crate) async fn create_property(
        &self,
        object: &ObjectType,
        body: &Map<String, Value>,
    ) -> Result<Property> {
        let tag = format!("properties:{}", object.id);
        let request = self.route(CREATE_PROPERTY, &[&object.id]).json(body)?.invalidates([tag]);
        self.read(request.check("See whether describe_object has the property")).await
    }

    /// Changes the definition of a property.
    pub(crate) async fn update_property(
        &self,
        object: &ObjectType,
        name: &str,
        body: &Map<String, Value>,
    ) -> Result<Property> {
        let tag = format!("properties:{}", object.id);
        let request = self.route(UPDATE_PROPERTY, &[&object.id, name]).json(body)?.invalidates([tag]);
        self.read(request).await
    }
}
