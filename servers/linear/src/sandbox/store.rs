//! The workspace's state: one table of JSON rows for each type, as the schema names them.
//!
//! A row carries the type's scalar fields under their own names and its to-one relations as
//! `<field>Id`. Everything that follows from other rows is worked out when it is read (`fields`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{
    errors::{ApiError, Outcome},
    time::Now,
};

/// One entity.
pub(super) type Row = Map<String, Value>;

/// The rows of one type in the order in which they came.
#[derive(Clone, Debug, Default)]
struct Table {
    order: Vec<String>,
    rows: HashMap<String, Arc<Row>>,
}

/// A change that webhooks tell about.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) action: &'static str,
    pub(super) ty: &'static str,
    pub(super) row: Arc<Row>,
    /// The former values of the fields that changed.
    pub(super) before: Option<Row>,
}

/// Everything the fake remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    tables: BTreeMap<&'static str, Table>,
    /// Upper-case issue identifiers, former ones included, to issue ids.
    identifiers: HashMap<String, String>,
    /// The highest issue number of each team.
    numbers: HashMap<String, u64>,
    sync_id: u64,
    events: Vec<Event>,
}

/// The seed's table names and the types they hold.
const TABLES: [(&str, &str); 26] = [
    ("organization", "Organization"),
    ("users", "User"),
    ("teams", "Team"),
    ("teamMemberships", "TeamMembership"),
    ("workflowStates", "WorkflowState"),
    ("issueLabels", "IssueLabel"),
    ("projectLabels", "ProjectLabel"),
    ("projectStatuses", "ProjectStatus"),
    ("initiatives", "Initiative"),
    ("projects", "Project"),
    ("initiativeToProjects", "InitiativeToProject"),
    ("projectMilestones", "ProjectMilestone"),
    ("projectUpdates", "ProjectUpdate"),
    ("initiativeUpdates", "InitiativeUpdate"),
    ("externalLinks", "EntityExternalLink"),
    ("cycles", "Cycle"),
    ("issues", "Issue"),
    ("issueRelations", "IssueRelation"),
    ("comments", "Comment"),
    ("attachments", "Attachment"),
    ("documents", "Document"),
    ("customViews", "CustomView"),
    ("notifications", "Notification"),
    ("templates", "Template"),
    ("webhooks", "Webhook"),
    ("uploads", "Upload"),
];

impl State {
    /// The state a seed describes, its times already true ones.
    ///
    /// # Errors
    /// Says what the seed lacks.
    pub(super) fn from_seed(seed: Value, now: &Now) -> Result<Self, String> {
        let Value::Object(mut seed) = seed else { return Err("the seed is no JSON object".to_owned()) };
        let mut state = Self::default();
        for (name, ty) in TABLES {
            let rows = match seed.remove(name) {
                None => continue,
                Some(Value::Array(rows)) => rows,
                Some(row) => vec![row],
            };
            for row in rows {
                let Value::Object(mut row) = row else {
                    return Err(format!("a row of `{name}` is no object"));
                };
                let number = state.tables.get(ty).map_or(0, |table| table.order.len());
                row.entry("id").or_insert_with(|| json!(derived_id(ty, &number.to_string())));
                let created = now.days_ago(90);
                row.entry("createdAt").or_insert_with(|| json!(created));
                let created = row["createdAt"].clone();
                row.entry("updatedAt").or_insert(created);
                state.spread_lists(ty, &mut row);
                state.put(ty, row);
            }
        }
        match seed.keys().next() {
            Some(unknown) => Err(format!("the seed has an unknown table `{unknown}`")),
            None => Ok(state),
        }
    }

    /// Turns lists that a seed writes for brevity into the rows that hold them.
    fn spread_lists(&mut self, ty: &str, row: &mut Row) {
        let links: &[(&str, &str, &str, &str)] = match ty {
            "Team" => &[("memberIds", "TeamMembership", "teamId", "userId")],
            "User" => &[("teamIds", "TeamMembership", "userId", "teamId")],
            "Initiative" => &[("projectIds", "InitiativeToProject", "initiativeId", "projectId")],
            "Project" => &[("initiativeIds", "InitiativeToProject", "projectId", "initiativeId")],
            _ => &[],
        };
        for (list, table, own, other) in links {
            let Some(Value::Array(ids)) = row.remove(*list) else { continue };
            for id in ids {
                let (own_id, created) = (row["id"].clone(), row["createdAt"].clone());
                let mut link = Row::new();
                link.insert("id".to_owned(), json!(derived_id(table, &format!("{own_id}{id}"))));
                link.insert((*own).to_owned(), own_id);
                link.insert((*other).to_owned(), id);
                link.insert("createdAt".to_owned(), created.clone());
                link.insert("updatedAt".to_owned(), created);
                let Some((_, table)) = TABLES.iter().find(|(_, ty)| ty == table) else { continue };
                self.put(table, link);
            }
        }
    }

    /// The row of `ty` with this id.
    pub(super) fn get(&self, ty: &str, id: &str) -> Option<&Arc<Row>> {
        self.tables.get(ty)?.rows.get(id)
    }

    /// The row, or Linear's "not found".
    pub(super) fn expect(&self, ty: &str, id: &str) -> Outcome<&Arc<Row>> {
        self.get(ty, id).ok_or_else(|| ApiError::not_found(ty))
    }

    /// An issue by its id or by a present or former identifier (`ENG-12`, in any case).
    pub(super) fn issue(&self, reference: &str) -> Outcome<&Arc<Row>> {
        self.get("Issue", reference)
            .or_else(|| self.get("Issue", self.identifiers.get(&reference.to_uppercase())?))
            .ok_or_else(|| ApiError::not_found("Issue"))
    }

    /// A row by its id or by the `slugId` that its address ends in.
    pub(super) fn by_slug(&self, ty: &str, reference: &str) -> Outcome<&Arc<Row>> {
        let slug = reference.rsplit('-').next().unwrap_or(reference);
        self.get(ty, reference)
            .or_else(|| self.all(ty).find(|row| text(row, "slugId") == Some(slug)))
            .ok_or_else(|| ApiError::not_found(ty))
    }

    /// The rows of `ty`, oldest first.
    pub(super) fn all<'a>(&'a self, ty: &str) -> impl DoubleEndedIterator<Item = &'a Arc<Row>> + use<'a> {
        self.tables
            .get(ty)
            .into_iter()
            .flat_map(|table| table.order.iter().filter_map(|id| table.rows.get(id)))
    }

    /// The rows of `ty` whose `key` is `id`, oldest first.
    pub(super) fn with(&self, ty: &str, key: &str, id: &str) -> Vec<Arc<Row>> {
        self.all(ty).filter(|row| text(row, key) == Some(id)).cloned().collect()
    }

    /// The rows of `ty` that a list of ids names, in its order; what is gone is left out.
    pub(super) fn listed(&self, ty: &str, ids: Option<&Value>) -> Vec<Arc<Row>> {
        let ids = ids.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.get(ty, id.as_str()?)).cloned().collect()
    }

    /// The organization's row.
    pub(super) fn organization(&self) -> Option<&Arc<Row>> {
        self.all("Organization").next()
    }

    /// The number of the last change.
    pub(super) fn sync_id(&self) -> u64 {
        self.sync_id
    }

    /// The next number in a team's sequence. None is given twice, even if its issue has moved away.
    pub(super) fn next_number(&self, team: &str) -> u64 {
        self.numbers.get(team).copied().unwrap_or_default() + 1
    }

    /// Adds a row, which carries its id, and tells webhooks.
    pub(super) fn create(&mut self, ty: &'static str, row: Row) -> Arc<Row> {
        let row = self.put(ty, row);
        self.events.push(Event { action: "create", ty, row: Arc::clone(&row), before: None });
        row
    }

    /// Changes a row in place and tells webhooks. Null values stay, as the API shows them.
    pub(super) fn update(
        &mut self,
        ty: &'static str,
        id: &str,
        now: &Now,
        change: impl FnOnce(&mut Row),
    ) -> Outcome<Arc<Row>> {
        let old = Arc::clone(self.expect(ty, id)?);
        let mut row = Row::clone(&old);
        change(&mut row);
        let mut before = Row::new();
        for (key, value) in &row {
            let former = old.get(key).unwrap_or(&Value::Null);
            if former != value {
                before.insert(key.clone(), former.clone());
            }
        }
        if before.is_empty() {
            return Ok(old);
        }
        before.insert("updatedAt".to_owned(), old.get("updatedAt").cloned().unwrap_or_default());
        row.insert("updatedAt".to_owned(), json!(now.after(text(&old, "updatedAt"))));
        let row = self.put(ty, row);
        self.events.push(Event { action: "update", ty, row: Arc::clone(&row), before: Some(before) });
        Ok(row)
    }

    /// Takes a row away and tells webhooks.
    pub(super) fn remove(&mut self, ty: &'static str, id: &str) -> Outcome<Arc<Row>> {
        let table = self.tables.entry(ty).or_default();
        let row = table.rows.remove(id).ok_or_else(|| ApiError::not_found(ty))?;
        table.order.retain(|other| other != id);
        self.sync_id += 1;
        self.events.push(Event { action: "remove", ty, row: Arc::clone(&row), before: None });
        Ok(row)
    }

    /// The changes since this was last asked.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn put(&mut self, ty: &'static str, mut row: Row) -> Arc<Row> {
        if ty == "Issue" {
            self.identify(&mut row);
        }
        let id = text(&row, "id").unwrap_or_default().to_owned();
        if ty == "Document" {
            row.entry("documentContentId").or_insert_with(|| json!(derived_id("DocumentContent", &id)));
        }
        let row = Arc::new(row);
        let table = self.tables.entry(ty).or_default();
        if table.rows.insert(id.clone(), Arc::clone(&row)).is_none() {
            table.order.push(id);
        }
        self.sync_id += 1;
        row
    }

    /// Keeps an issue's identifier, and the way back from it, in step with its team and number.
    fn identify(&mut self, row: &mut Row) {
        let team = text(row, "teamId").and_then(|team| self.get("Team", team));
        let key = team.and_then(|team| text(team, "key")).unwrap_or("ISSUE").to_owned();
        let number = row.get("number").and_then(Value::as_f64).unwrap_or_default();
        let identifier = format!("{key}-{number}");
        if let Some(team) = text(row, "teamId") {
            let highest = self.numbers.entry(team.to_owned()).or_default();
            *highest = (*highest).max(number as u64);
        }
        let id = text(row, "id").unwrap_or_default().to_owned();
        self.identifiers.insert(identifier.to_uppercase(), id.clone());
        row.insert("identifier".to_owned(), json!(identifier));
        for former in row.get("previousIdentifiers").and_then(Value::as_array).into_iter().flatten() {
            self.identifiers
                .entry(former.as_str().unwrap_or_default().to_uppercase())
                .or_insert_with(|| id.clone());
        }
    }

    /// The whole state as JSON by type, for tests.
    pub(super) fn dump(&self) -> Value {
        let tables = self.tables.keys().map(|ty| {
            let rows = self.all(ty).map(|row| Value::Object(Row::clone(row)));
            ((*ty).to_owned(), rows.collect())
        });
        Value::Object(tables.collect())
    }
}

/// A row's string, if it has one under `key`.
pub(super) fn text<'a>(row: &'a Row, key: &str) -> Option<&'a str> {
    row.get(key)?.as_str()
}

/// Whether a row's flag is set.
pub(super) fn flag(row: &Row, key: &str) -> bool {
    row.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// A fresh id.
pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// An id that follows from a name, so that a reset gives the same one.
pub(super) fn derived_id(kind: &str, name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{kind}/{name}").as_bytes()).to_string()
}
