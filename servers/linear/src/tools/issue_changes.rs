//! Changes to issues: fields as they are asked for, turned into Linear's input, and compared with
//! what came back.

use connector::{
    Error, Result,
    catalog::{one_line, words},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    issue_fields::{Field, NONE, description_line, difference, label_line},
    issue_rules::{Along, left_behind, one_of_each_group, stands_above},
};
use crate::{
    Linear,
    api::{
        issues::Issue,
        names::{Label, Named, Team},
    },
    filter, render,
    resolve::{Mentioned, Names, is_me},
};

/// The longest title of an issue or a document: "title must be shorter than or equal to 512 characters."
pub(super) const TITLE: usize = 512;

// The fields of issues that can be set or emptied, as arguments give them. No doc comment: it would go into
// the schema.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fields {
    #[serde(alias = "status")]
    pub(super) state: Option<String>,
    /// Name, e-mail or me
    pub(super) assignee: Option<String>,
    pub(super) labels: Option<Labels>,
    /// urgent, high, medium, low, none
    pub(super) priority: Option<String>,
    pub(super) project: Option<String>,
    pub(super) milestone: Option<String>,
    /// current, next or number
    pub(super) cycle: Option<String>,
    pub(super) due: Option<String>,
    pub(super) estimate: Option<u32>,
    pub(super) parent: Option<String>,
    pub(super) team: Option<String>,
    pub(super) clear: Vec<Emptied>,
}

impl Fields {
    /// Whether `field` is to be emptied.
    pub(super) fn empties(&self, field: Emptied) -> bool {
        self.clear.contains(&field)
    }

    /// What becomes of a field: nothing where it is left alone, `None` inside where it is emptied.
    fn change<'a, T>(&self, field: Emptied, given: &'a Option<T>) -> Option<Option<&'a T>> {
        match given {
            Some(value) => Some(Some(value)),
            None => self.empties(field).then_some(None),
        }
    }
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Emptied {
    Description,
    Assignee,
    Labels,
    Priority,
    Project,
    Milestone,
    Cycle,
    Due,
    Estimate,
    Parent,
}

// Labels to add, to take away, or to have instead of all others. No doc comment: it would go into the
// schema.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Labels {
    pub(super) add: Vec<String>,
    pub(super) remove: Vec<String>,
    pub(super) set: Option<Vec<String>>,
}

/// A field that is to have a value, and what it takes to see whether it has.
#[derive(Clone, Debug)]
struct Wanted {
    field: Field,
    /// The text that [`Field::show`] is to give.
    text: String,
    /// What is told with it: whose the handle is, when the cycle runs.
    beside: String,
}

/// What is to become of an issue: Linear's input, and what to compare its answer with.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// An `IssueUpdateInput` or `IssueCreateInput`, as far as it is known.
    pub(super) input: Map<String, Value>,
    wanted: Vec<Wanted>,
    /// What is asked for and is so before: a line for each field.
    already: Vec<String>,
    labels_added: Vec<String>,
    labels_removed: Vec<String>,
    /// The new description.
    description: Option<String>,
    /// Whom it notifies.
    mentions: Vec<String>,
    /// What comes of it besides, by Linear's own doing.
    entails: Vec<String>,
    /// What Linear closes along with it.
    along: Along,
}

impl Changes {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Whom the description notifies.
    pub(super) fn mentions(&self) -> &[String] {
        &self.mentions
    }

    /// What is asked for and was so before, a line for each field: it would be missed in what changed.
    pub(super) fn already(&self) -> &[String] {
        &self.already
    }

    /// Whether the description is among the changes.
    pub(super) fn has_description(&self) -> bool {
        self.description.is_some()
    }

    fn want(&mut self, field: Field, key: &str, value: Value, text: impl Into<String>) {
        self.input.insert(key.to_owned(), value);
        self.wanted.push(Wanted { field, text: text.into(), beside: String::new() });
    }

    /// Has something told with the value that was wanted last.
    fn beside(&mut self, beside: String) {
        if let Some(wanted) = self.wanted.last_mut() {
            wanted.beside = beside;
        }
    }

    /// Sets the title.
    pub(super) fn title(&mut self, title: &str) -> Result<()> {
        if title.trim().is_empty() {
            return Err(Error::invalid("`title` is empty"));
        }
        words::at_most("Linear", "title", title.trim(), TITLE)?;
        self.want(Field::Title, "title", json!(title.trim()), one_line(title));
        Ok(())
    }

    /// Sets the description, which was `before`, with the people that it mentions.
    ///
    /// # Errors
    /// As [`Names::mentions`].
    pub(super) async fn description(&mut self, names: &Names, text: &str, before: &str) -> Result<()> {
        let Mentioned { text, lines } = names.mentions(text, before).await?;
        self.input.insert("description".to_owned(), json!(text));
        self.description = Some(text);
        self.mentions = lines;
        Ok(())
    }

    /// Moves to a team.
    pub(super) fn team(&mut self, team: &Team) {
        self.want(Field::Team, "teamId", json!(team.id), team.key.clone());
    }

    /// Works out what `fields` mean for an issue of `team`; `before` is the issue if there is one.
    pub(super) async fn fields(
        &mut self,
        server: &Linear,
        fields: &Fields,
        team: &Team,
        before: Option<&Issue>,
    ) -> Result<()> {
        let names = server.names();
        if let Some(issue) = before.filter(|issue| issue.team.id != team.id) {
            self.entails = left_behind(server, fields, team, issue).await?;
        }
        if let Some(state) = &fields.state {
            let state = names.state(state, team).await?;
            self.want(Field::State, "stateId", json!(state.id), one_line(&state.name));
            if let Some(issue) = before {
                self.along = Along::of(server, &state, issue).await?;
            }
        }
        match fields.change(Emptied::Assignee, &fields.assignee) {
            None => {}
            Some(Some(person)) if !filter::is_none(person) || is_me(person) => {
                let person = names.person(person).await?;
                let shown = format!("@{}", one_line(&person.display_name));
                self.want(Field::Assignee, "assigneeId", json!(person.id), shown);
                self.beside(render::full_name(&person.display_name, &person.name));
            }
            Some(_) => self.want(Field::Assignee, "assigneeId", Value::Null, NONE),
        }
        if let Some(word) = fields.change(Emptied::Priority, &fields.priority) {
            let priority = word.map_or(Ok(0), |word| filter::priority(word))?;
            self.want(
                Field::Priority,
                "priority",
                json!(priority),
                render::priority_word(Some(f64::from(priority))),
            );
        }
        let project = self.project(server, fields, team, before).await?;
        self.milestone(server, fields, project).await?;
        match fields.change(Emptied::Cycle, &fields.cycle) {
            None => {}
            Some(Some(which)) if !filter::is_none(which) => {
                let cycle = names.cycle(which, team).await?;
                let shown = cycle.number.map(render::number).unwrap_or_default();
                self.want(Field::Cycle, "cycleId", json!(cycle.id), shown);
                let zone = team.timezone.as_deref();
                self.beside(render::dates(cycle.starts_at.as_deref(), cycle.ends_at.as_deref(), zone));
            }
            Some(_) => self.want(Field::Cycle, "cycleId", Value::Null, NONE),
        }
        match fields.change(Emptied::Due, &fields.due) {
            None => {}
            Some(Some(due)) if !filter::is_none(due) => {
                let due = server.calendar().await?.day("due", due)?.to_string();
                self.want(Field::Due, "dueDate", json!(due), due);
            }
            Some(_) => self.want(Field::Due, "dueDate", Value::Null, NONE),
        }
        match fields.change(Emptied::Estimate, &fields.estimate) {
            None => {}
            Some(Some(estimate)) => {
                self.want(Field::Estimate, "estimate", json!(estimate), estimate.to_string());
            }
            Some(None) => self.want(Field::Estimate, "estimate", Value::Null, NONE),
        }
        match fields.change(Emptied::Parent, &fields.parent) {
            None => {}
            Some(Some(parent)) if !filter::is_none(parent) => {
                let key = names.issue_key(parent).await?;
                let parent = names.issue(&key).await?;
                if let Some(issue) = before {
                    stands_above(server, issue, &parent).await?;
                }
                self.want(Field::Parent, "parentId", json!(parent.id), parent.identifier);
            }
            Some(_) => self.want(Field::Parent, "parentId", Value::Null, NONE),
        }
        let none = Labels { set: Some(Vec::new()), ..Labels::default() };
        if let Some(labels) = fields.change(Emptied::Labels, &fields.labels) {
            self.labels(server, labels.unwrap_or(&none), team, before).await?;
        }
        Ok(())
    }

    /// Sets the project, and gives the one that the issue will be in.
    async fn project(
        &mut self,
        server: &Linear,
        fields: &Fields,
        team: &Team,
        before: Option<&Issue>,
    ) -> Result<Option<Named>> {
        Ok(match fields.change(Emptied::Project, &fields.project) {
            None => before.and_then(|issue| issue.project.clone()),
            Some(Some(project)) if !filter::is_none(project) => {
                let project = server.names().project(project).await?;
                let teams = server.api().project_teams(&project.id).await?;
                if !teams.iter().any(|other| other.id == team.id) {
                    let keys: Vec<&str> = teams.iter().map(|team| team.key.as_str()).collect();
                    return Err(Error::invalid(format!(
                        "The project {} is not one of {}: it belongs to {}",
                        one_line(&project.name),
                        team.key,
                        words::listed(&keys, 10)
                    ))
                    .with_hint("Add the team to it with save_project, or choose another project"));
                }
                self.want(Field::Project, "projectId", json!(project.id), one_line(&project.name));
                Some(Named { id: project.id, name: project.name })
            }
            Some(_) => {
                self.want(Field::Project, "projectId", Value::Null, NONE);
                None
            }
        })
    }

    async fn milestone(&mut self, server: &Linear, fields: &Fields, project: Option<Named>) -> Result<()> {
        match fields.change(Emptied::Milestone, &fields.milestone) {
            None => {}
            Some(Some(milestone)) if !filter::is_none(milestone) => {
                let Some(project) = project else {
                    return Err(Error::invalid("A milestone belongs to a project, and the issue is in none")
                        .with_hint("Give `project` as well"));
                };
                let milestone = server.names().milestone(milestone, &project).await?;
                let shown = one_line(&milestone.name);
                self.want(Field::Milestone, "projectMilestoneId", json!(milestone.id), shown);
            }
            Some(_) => self.want(Field::Milestone, "projectMilestoneId", Value::Null, NONE),
        }
        Ok(())
    }

    async fn labels(
        &mut self,
        server: &Linear,
        labels: &Labels,
        team: &Team,
        before: Option<&Issue>,
    ) -> Result<()> {
        let mut add = Vec::new();
        let mut remove = Vec::new();
        for name in labels.add.iter().chain(labels.set.iter().flatten()) {
            add.push(server.names().label(name, team).await?);
        }
        for name in &labels.remove {
            remove.push(server.names().label(name, team).await?);
        }
        if let Some(both) = add.iter().find(|label| remove.iter().any(|other| other.id == label.id)) {
            return Err(Error::invalid(format!(
                "`labels` both adds and removes `{}`",
                one_line(&both.path())
            )));
        }
        let ids = |labels: &[Label]| labels.iter().map(|label| label.id.clone()).collect::<Vec<_>>();
        let had: Vec<(String, String)> = before
            .map(|issue| {
                issue.labels.nodes.iter().map(|label| (label.id.clone(), render::label(label))).collect()
            })
            .unwrap_or_default();
        let has = |label: &Label| had.iter().any(|(id, _)| *id == label.id);
        let kept = before.into_iter().flat_map(|issue| &issue.labels.nodes).filter(|label| {
            labels.set.is_none() && !add.iter().chain(&remove).any(|other| other.id == label.id)
        });
        let kept: Vec<_> = kept.map(|label| (label.parent.as_ref(), render::label(label))).collect();
        one_of_each_group(&add, &kept)?;
        if labels.set.is_some() {
            let kept = ids(&add);
            self.labels_removed =
                had.iter().filter(|(id, _)| !kept.contains(id)).map(|(_, name)| name.clone()).collect();
            self.labels_added = add.iter().filter(|label| !has(label)).map(Label::path).collect();
            self.already.extend(labels_already(&add, &has, "already"));
            if before.is_none() || !self.labels_added.is_empty() || !self.labels_removed.is_empty() {
                self.input.insert("labelIds".to_owned(), json!(kept));
            }
            return Ok(());
        }
        if before.is_none() {
            self.labels_added = add.iter().map(Label::path).collect();
            if !add.is_empty() {
                self.input.insert("labelIds".to_owned(), json!(ids(&add)));
            }
            return Ok(());
        }
        self.already.extend(labels_already(&add, &has, "already"));
        self.already.extend(labels_already(&remove, &|label| !has(label), "not there"));
        add.retain(|label| !has(label));
        remove.retain(has);
        self.labels_added = add.iter().map(Label::path).collect();
        self.labels_removed = remove.iter().map(Label::path).collect();
        for (key, labels) in [("addedLabelIds", add), ("removedLabelIds", remove)] {
            if !labels.is_empty() {
                self.input.insert(key.to_owned(), json!(ids(&labels)));
            }
        }
        Ok(())
    }

    /// Takes out what the issue has already.
    pub(super) fn without_what_is(&mut self, before: &Issue) {
        let moves = |field: Field| {
            self.wanted.iter().any(|wanted| wanted.field == field && field.show(before) != wanted.text)
        };
        let (team, project) = (moves(Field::Team), moves(Field::Project));
        let (input, already) = (&mut self.input, &mut self.already);
        self.wanted.retain(|wanted| {
            // In another team or project the same name is something else.
            let elsewhere = match wanted.field {
                Field::State | Field::Cycle => team,
                Field::Milestone => project,
                _ => false,
            };
            let changes = elsewhere || wanted.field.show(before) != wanted.text;
            if !changes {
                input.remove(wanted.field.key());
                already.push(format!("{} {} already", wanted.field.as_str(), wanted.text));
            }
            changes
        });
        if self.description.as_deref().map(str::trim)
            == Some(before.description.as_deref().unwrap_or_default().trim())
        {
            self.already.extend(self.description.take().map(|_| "description: this text already".to_owned()));
            self.mentions.clear();
            self.input.remove("description");
        }
    }

    /// What would change on `before`, a line for each field.
    pub(super) fn preview(&self, before: &Issue) -> Vec<String> {
        let mut lines: Vec<String> = self
            .wanted
            .iter()
            .map(|wanted| match wanted.field.show(before) {
                same if same == wanted.text => format!("{} stays {same}", wanted.field.as_str()),
                old => format!("{} {old} → {}{}", wanted.field.as_str(), wanted.text, wanted.beside),
            })
            .collect();
        lines.extend(label_line(&self.labels_added, &self.labels_removed));
        if let Some(description) = &self.description {
            lines.push(description_line(before.description.as_deref(), Some(description)));
        }
        lines.extend(self.entails.iter().cloned());
        lines.extend(self.along.preview());
        lines.extend(self.mentions.iter().cloned());
        lines.extend(self.already.iter().cloned());
        lines
    }

    /// What Linear closes along with the issue.
    pub(super) fn along(&mut self) -> &mut Along {
        &mut self.along
    }

    /// What Linear did besides, as it can be seen now.
    pub(super) async fn seen_along(&self, server: &Linear) -> Vec<String> {
        self.along.seen(server).await
    }

    /// What a new issue would have, a line for each field.
    pub(super) fn preview_new(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .wanted
            .iter()
            .filter(|wanted| wanted.text != NONE)
            .map(|wanted| format!("{} {}{}", wanted.field.as_str(), wanted.text, wanted.beside))
            .collect();
        lines.extend(label_line(&self.labels_added, &[]));
        if let Some(description) = &self.description {
            let length = words::counted(description.chars().count(), ("character", "characters"));
            lines.push(format!("description of {length}"));
        }
        lines.extend(self.mentions.iter().cloned());
        lines
    }

    /// What changed between `before` and `after`, and what was asked for and did not happen.
    pub(super) fn outcome(&self, before: &Issue, after: &Issue) -> Vec<String> {
        let mut lines = difference(before, after);
        let refused = self.refused(after);
        if refused.is_empty() {
            lines.extend(self.along.leaves());
        }
        lines.extend(self.mentions.iter().cloned());
        lines.extend(refused);
        lines
    }

    /// What was asked for and is not so on `after`.
    pub(super) fn refused(&self, after: &Issue) -> Vec<String> {
        let mut lines = Vec::new();
        for wanted in &self.wanted {
            let got = wanted.field.show(after);
            if got != wanted.text {
                lines.push(format!(
                    "NOT accepted by Linear: {} {} (it is {got})",
                    wanted.field.as_str(),
                    wanted.text
                ));
            }
        }
        let has: Vec<String> =
            after.labels.nodes.iter().map(|label| render::label(label).to_lowercase()).collect();
        for label in &self.labels_added {
            if !has.contains(&one_line(label).to_lowercase()) {
                lines.push(format!("NOT accepted by Linear: label +{}", one_line(label)));
            }
        }
        for label in &self.labels_removed {
            if has.contains(&one_line(label).to_lowercase()) {
                lines.push(format!("NOT accepted by Linear: label −{}", one_line(label)));
            }
        }
        lines
    }
}

/// Those of `labels` that are `so`, in one line: `labels Bug, area/api already`.
fn labels_already(labels: &[Label], so: &dyn Fn(&Label) -> bool, word: &str) -> Option<String> {
    let names: Vec<String> =
        labels.iter().filter(|label| so(label)).map(|label| one_line(&label.path())).collect();
    let noun = if names.len() == 1 { "label" } else { "labels" };
    (!names.is_empty()).then(|| format!("{noun} {} {word}", names.join(", ")))
}
