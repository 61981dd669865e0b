//! The workspace's state: one table of JSON rows for each type, as the schema names them.
//!
//! A row carries the type's scalar fields under their own names and its to-one relations as
//! `<field>Id`. Everything that follows from other rows is worked out when it is read (`fields`).

use std::{collections::HashMap, ops::Deref, sync::Arc};

pub(super) use connector::sandbox::rows::{Row, RowEvent, derived_id, flag, text};
use connector::sandbox::rows::{Rows, Table};
use jiff::{civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    errors::{ApiError, Outcome},
    time::Now,
};

/// Everything the fake remembers. What is only read is read of its [`Rows`].
#[derive(Clone, Debug)]
pub(super) struct State {
    rows: Rows,
    /// Upper-case issue identifiers, former ones included, to issue ids.
    identifiers: HashMap<String, String>,
    /// The highest issue number of each team.
    numbers: HashMap<String, u64>,
}

/// The seed's table names and the types they hold.
const TABLES: &[Table] = &[
    Table::new("organization").with_name("Organization"),
    Table::new("users").with_name("User"),
    Table::new("teams").with_name("Team"),
    Table::new("teamMemberships").with_name("TeamMembership"),
    Table::new("workflowStates").with_name("WorkflowState"),
    Table::new("issueLabels").with_name("IssueLabel"),
    Table::new("projectLabels").with_name("ProjectLabel"),
    Table::new("projectStatuses").with_name("ProjectStatus"),
    Table::new("initiatives").with_name("Initiative"),
    Table::new("projects").with_name("Project"),
    Table::new("initiativeToProjects").with_name("InitiativeToProject"),
    Table::new("projectMilestones").with_name("ProjectMilestone"),
    Table::new("projectUpdates").with_name("ProjectUpdate"),
    Table::new("initiativeUpdates").with_name("InitiativeUpdate"),
    Table::new("externalLinks").with_name("EntityExternalLink"),
    Table::new("cycles").with_name("Cycle"),
    Table::new("issues").with_name("Issue"),
    Table::new("issueRelations").with_name("IssueRelation"),
    Table::new("comments").with_name("Comment"),
    Table::new("attachments").with_name("Attachment"),
    Table::new("documents").with_name("Document"),
    Table::new("customViews").with_name("CustomView"),
    Table::new("notifications").with_name("Notification"),
    Table::new("templates").with_name("Template"),
    Table::new("webhooks").with_name("Webhook"),
    Table::new("uploads").with_name("Upload"),
];

impl Default for State {
    fn default() -> Self {
        Self { rows: Rows::new(TABLES), identifiers: HashMap::new(), numbers: HashMap::new() }
    }
}

impl Deref for State {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        &self.rows
    }
}

impl State {
    /// The state a seed describes, its times already true ones.
    ///
    /// # Errors
    /// Says what the seed lacks.
    pub(super) fn from_seed(seed: Value) -> Result<Self, String> {
        let Value::Object(mut seed) = seed else { return Err("the seed is no JSON object".to_owned()) };
        let mut state = Self::default();
        let created = seed.remove("createdAt").ok_or("the seed has no `createdAt`")?;
        for table in TABLES {
            let (name, ty) = (table.seed, table.name);
            let rows = match seed.remove(name) {
                None => continue,
                Some(Value::Array(rows)) => rows,
                Some(row) => vec![row],
            };
            for row in rows {
                let Value::Object(mut row) = row else {
                    return Err(format!("a row of `{name}` is no object"));
                };
                let number = state.count(ty);
                row.entry("id").or_insert_with(|| json!(derived_id(ty, &number.to_string())));
                row.entry("createdAt").or_insert_with(|| created.clone());
                let created = row["createdAt"].clone();
                row.entry("updatedAt").or_insert(created);
                state.spread_lists(ty, &mut row)?;
                if ty == "Cycle" {
                    state.at_midnight(&mut row);
                }
                state.add(ty, row)?;
            }
        }
        // A seed is not news.
        state.take_events();
        match seed.keys().next() {
            Some(unknown) => Err(format!("the seed has an unknown table `{unknown}`")),
            None => Ok(state),
        }
    }

    /// Has a cycle begin and end at midnight where its team is: a seed knows the midnight of UTC only.
    fn at_midnight(&self, cycle: &mut Row) {
        let team = text(cycle, "teamId").and_then(|team| self.get("Team", team));
        let zone = team.and_then(|team| text(team, "timezone")).and_then(|name| TimeZone::get(name).ok());
        let Some(zone) = zone else { return };
        for field in ["startsAt", "endsAt", "completedAt"] {
            let day =
                text(cycle, field).and_then(|at| at.strip_suffix("T00:00:00.000Z")?.parse::<Date>().ok());
            if let Some(midnight) = day.and_then(|day| day.to_zoned(zone.clone()).ok()) {
                let at = midnight.timestamp().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
                cycle.insert(field.to_owned(), json!(at));
            }
        }
    }

    /// Turns lists that a seed writes for brevity into the rows that hold them.
    fn spread_lists(&mut self, ty: &str, row: &mut Row) -> Result<(), String> {
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
                self.add(table, link)?;
            }
        }
        Ok(())
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

    /// The organization's row.
    pub(super) fn organization(&self) -> Option<&Arc<Row>> {
        self.all("Organization").next()
    }

    /// The next number in a team's sequence. None is given twice, even if its issue has moved away.
    pub(super) fn next_number(&self, team: &str) -> u64 {
        self.numbers.get(team).copied().unwrap_or_default() + 1
    }

    /// Adds a row, which carries its id, and tells webhooks.
    pub(super) fn create(&mut self, ty: &'static str, row: Row) -> Outcome<Arc<Row>> {
        self.add(ty, row).map_err(ApiError::internal)
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
        // What is null and what is not there is one to the API.
        if row.iter().all(|(key, value)| old.get(key).unwrap_or(&Value::Null) == value) {
            return Ok(old);
        }
        row.insert("updatedAt".to_owned(), json!(now.after(text(&old, "updatedAt"))));
        if ty == "Issue" {
            self.identify(&mut row);
        }
        self.rows.update(ty, id, |place| *place = row).ok_or_else(|| ApiError::not_found(ty))
    }

    /// Takes a row away and tells webhooks.
    pub(super) fn remove(&mut self, ty: &'static str, id: &str) -> Outcome<Arc<Row>> {
        self.rows.remove(ty, id).ok_or_else(|| ApiError::not_found(ty))
    }

    /// The changes since this was last asked.
    pub(super) fn take_events(&mut self) -> Vec<RowEvent> {
        self.rows.take_events()
    }

    fn add(&mut self, ty: &str, mut row: Row) -> Result<Arc<Row>, String> {
        if ty == "Issue" {
            self.identify(&mut row);
        }
        if ty == "Document" {
            let content = derived_id("DocumentContent", text(&row, "id").unwrap_or_default());
            row.entry("documentContentId").or_insert_with(|| json!(content));
        }
        self.rows.create(ty, row)
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
}

/// A fresh id.
pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
