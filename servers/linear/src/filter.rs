//! Which issues are meant: arguments as an `IssueFilter` of Linear's, with names left to Linear to
//! resolve, so that a listing takes one request.

use connector::{
    Error, Result,
    catalog::{Calendar, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Linear,
    api::{
        Connection,
        issues::{IssueRef, Relation, StateRef},
        names::{Label, Named, State, Team},
    },
    resolve::{Entry as _, IssueKey, Names, elsewhere, find, is_me, is_uuid, slug_of_url},
};

/// The types of states in which an issue is not finished.
const OPEN: [&str; 4] = ["triage", "backlog", "unstarted", "started"];
/// The types of states in which it is.
pub(crate) const CLOSED: [&str; 3] = ["completed", "canceled", "duplicate"];

/// Which issues are meant. Everything given must hold; of a list of teams, states or priorities, one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IssueQuery {
    pub(crate) team: Vec<String>,
    /// Names, or types: open, closed, backlog, started, done...
    pub(crate) state: Vec<String>,
    /// Name, me or none
    pub(crate) assignee: Option<String>,
    pub(crate) creator: Option<String>,
    /// All of them
    pub(crate) labels: Vec<String>,
    pub(crate) project: Option<String>,
    pub(crate) milestone: Option<String>,
    /// current, next, previous or number
    pub(crate) cycle: Option<String>,
    /// urgent, high, medium, low, none
    pub(crate) priority: Vec<String>,
    /// All words, in title, text or comments
    pub(crate) query: Option<String>,
    pub(crate) parent: Option<String>,
    /// By open issues
    pub(crate) blocked: Option<bool>,
    pub(crate) overdue: Option<bool>,
    /// Day or none
    pub(crate) due: Option<String>,
    /// Exclusive
    pub(crate) due_before: Option<String>,
    /// Exclusive
    pub(crate) due_after: Option<String>,
    /// Date or age: 2026-11-02, 7d
    pub(crate) updated_since: Option<String>,
    pub(crate) created_since: Option<String>,
    pub(crate) completed_since: Option<String>,
    pub(crate) include_archived: Option<bool>,
    /// Whom the names of people were taken for.
    #[serde(skip)]
    taken_for: Vec<String>,
}

impl IssueQuery {
    /// Whether nothing narrows it down.
    pub(crate) fn is_everything(&self) -> bool {
        self.conditions(None, &Calendar::new(None)).is_ok_and(|conditions| conditions.is_empty())
    }

    /// Makes sure that Linear cannot misread it: an address must be of this workspace, a person one, and of
    /// several teams, states or labels each must be there, because the others would hide that one is not.
    /// Gives the calendar that its times are read by, asked for only where there are any.
    ///
    /// # Errors
    /// As [`Names::is_ours`], [`Self::settle`] and [`Linear::calendar`].
    pub(crate) async fn prepare(&mut self, server: &Linear) -> Result<Calendar> {
        let names = server.names();
        for given in self.project.iter().chain(&self.parent) {
            names.is_ours(given).await?;
        }
        self.settle_people(names).await?;
        let named_states = self.state.iter().filter(|state| state_types(state).is_none()).count();
        if self.team.len() > 1 || self.state.len() > 1 && named_states > 0 || self.labels.len() > 1 {
            self.settle(names).await?;
        }
        let times = [
            &self.updated_since,
            &self.created_since,
            &self.completed_since,
            &self.due_before,
            &self.due_after,
            &self.due,
        ];
        let has_times = self.overdue.is_some() || times.into_iter().any(Option::is_some);
        if has_times { server.calendar().await } else { Ok(Calendar::new(None)) }
    }

    /// What a reply says of its words: whom a name was taken for, and which days and moments its times mean.
    ///
    /// # Errors
    /// `invalid_argument` for what is no time.
    pub(crate) fn taken_for(&self, calendar: &Calendar) -> Result<Vec<String>> {
        let mut notes = self.taken_for.clone();
        if let Some(due) = self.due.as_deref().filter(|due| !is_none(due)) {
            let day = calendar.day("due", due)?.to_string();
            if day != due.trim() {
                notes.push(format!("due {day}"));
            }
        }
        for (name, word, day) in
            [("due_before", "before", &self.due_before), ("due_after", "after", &self.due_after)]
        {
            if let Some(day) = day {
                notes.push(format!("due {word} {}, not on it", calendar.day(name, day)?));
            }
        }
        for (name, word, since) in [
            ("updated_since", "changed", &self.updated_since),
            ("created_since", "created", &self.created_since),
            ("completed_since", "completed", &self.completed_since),
        ] {
            if let Some(since) = since {
                notes.push(format!("{word} since {}", calendar.past(name, since)?.describe()));
            }
        }
        Ok(notes)
    }

    /// Whether archived issues are meant as well.
    pub(crate) fn archived(&self) -> bool {
        self.include_archived.unwrap_or(false)
    }

    /// The words of its query.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.query.as_deref().unwrap_or_default().split_whitespace()
    }

    /// The filter, with names for Linear to resolve. `default_team` is for bare issue numbers, the
    /// `calendar` for days.
    ///
    /// # Errors
    /// [`connector::Kind::InvalidArgument`] for a date, priority or issue that is none.
    pub(crate) fn to_filter(&self, default_team: Option<&str>, calendar: &Calendar) -> Result<Value> {
        let conditions = self.conditions(default_team, calendar)?;
        Ok(match conditions.len() {
            0 => json!({}),
            1 => conditions.into_iter().next().unwrap_or_default(),
            _ => json!({"and": conditions}),
        })
    }

    fn conditions(&self, default_team: Option<&str>, calendar: &Calendar) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        if !self.team.is_empty() {
            all.push(json!({"team": any(self.team.iter().map(|team| named(team, &["key", "name"])))}));
        }
        if !self.state.is_empty() {
            all.push(json!({"state": any(self.state.iter().map(|state| state_filter(state)))}));
        }
        if let Some(assignee) = &self.assignee {
            all.push(json!({"assignee": person_filter(assignee)}));
        }
        if let Some(creator) = &self.creator {
            all.push(json!({"creator": person_filter(creator)}));
        }
        // All of them, and each is another label: one condition each.
        all.extend(self.labels.iter().map(|label| json!({"labels": {"some": label_filter(label)}})));
        if let Some(project) = &self.project {
            all.push(json!({"project": project_filter(project)}));
        }
        if let Some(milestone) = &self.milestone {
            all.push(json!({"projectMilestone": if is_none(milestone) {
                json!({"null": true})
            } else {
                named(milestone, &["name"])
            }}));
        }
        if let Some(which) = &self.cycle {
            all.push(json!({"cycle": cycle(which)}));
        }
        if !self.priority.is_empty() {
            let numbers = self.priority.iter().map(|word| priority(word)).collect::<Result<Vec<_>>>()?;
            all.push(json!({"priority": {"in": numbers}}));
        }
        let words = self.words().count();
        if words > MOST_WORDS {
            return Err(Error::invalid(format!(
                "`query` has {words} words; at most {MOST_WORDS} can be asked"
            ))
            .with_hint("Give the few words that matter, or use search"));
        }
        all.extend(self.words().map(has_word));
        if let Some(parent) = &self.parent {
            let parent = if is_none(parent) {
                json!({"null": true})
            } else {
                IssueKey::parse(parent, default_team)?.to_filter()
            };
            all.push(json!({"parent": parent}));
        }
        // Linear counts blockers that are finished too, so what is blocked now is known by looking at each.
        if self.blocked == Some(true) {
            all.push(json!({"hasBlockedByRelations": {"eq": true}}));
        }
        if let Some(overdue) = self.overdue {
            let today = calendar.today().to_string();
            let late = json!({"dueDate": {"lt": today}, "state": {"type": {"nin": CLOSED}}});
            all.push(if overdue {
                late
            } else {
                json!({"or": [{"dueDate": {"null": true}}, {"dueDate": {"gte": today}}, {"state": {"type": {"in": CLOSED}}}]})
            });
        }
        match &self.due {
            None => {}
            Some(due) if is_none(due) => all.push(json!({"dueDate": {"null": true}})),
            Some(due) => all.push(json!({"dueDate": {"eq": calendar.day("due", due)?.to_string()}})),
        }
        // Before and after a day, without that day; what has no due date is neither.
        for (name, comparison, day) in
            [("due_before", "lt", &self.due_before), ("due_after", "gt", &self.due_after)]
        {
            if let Some(day) = day {
                all.push(json!({"dueDate": {comparison: calendar.day(name, day)?.to_string()}}));
            }
        }
        for (field, name, since) in [
            ("updatedAt", "updated_since", &self.updated_since),
            ("createdAt", "created_since", &self.created_since),
            ("completedAt", "completed_since", &self.completed_since),
        ] {
            if let Some(since) = since {
                all.push(json!({field: {"gte": calendar.past(name, since)?.start().to_string()}}));
            }
        }
        Ok(all)
    }

    /// Looks each name up: one that is unknown, ambiguous, or of another team than those meant, is an error,
    /// because nothing can match it; one that means something under another spelling is replaced by its id.
    /// Whether any was.
    ///
    /// # Errors
    /// `not_found` and `invalid_argument` with what there is; whatever reading names gives.
    pub(crate) async fn settle(&mut self, names: &Names) -> Result<bool> {
        let mut replaced = false;
        let mut settle = |given: &mut String, id: &str, exact: bool| {
            if !exact {
                *given = id.to_owned();
                replaced = true;
            }
        };
        let mut teams: Vec<Team> = Vec::new();
        for given in &mut self.team {
            let team = names.team(given).await?;
            settle(given, &team.id, as_linear_compares(given, &[&team.key, &team.name, &team.id]));
            teams.push(team);
        }
        let among = |id: &str| teams.is_empty() || teams.iter().any(|team| team.id == id);
        if self.state.iter().any(|state| state_types(state).is_none()) {
            let states: Vec<State> = names.all().await?;
            for given in self.state.iter_mut().filter(|state| state_types(state).is_none()) {
                let here: Vec<&State> = states.iter().filter(|state| among(&state.team.id)).collect();
                if here.iter().any(|state| as_linear_compares(given, &[&state.name, &state.id])) {
                    continue;
                }
                let lower = given.trim().to_lowercase();
                let name = match here.iter().find(|state| state.is_called(given)) {
                    // Linear tells accents apart.
                    Some(state) => state.name.clone(),
                    // No state has the name, so the type is meant.
                    None if state_types(&lower).is_some() => lower,
                    None => {
                        // The same name in several teams is one name here.
                        let mut distinct: Vec<State> = here.into_iter().cloned().collect();
                        distinct.sort_by_key(|state| state.name.to_lowercase());
                        distinct.dedup_by_key(|state| state.name.to_lowercase());
                        find(given, &distinct).map_err(|miss| elsewhere(miss, given, &states))?.name.clone()
                    }
                };
                settle(given, &name, false);
            }
        }
        if !self.labels.is_empty() {
            let labels: Vec<Label> = names.all().await?;
            let usable: Vec<Label> = labels
                .iter()
                .filter(|label| label.team.as_ref().is_none_or(|owner| among(&owner.id)))
                .cloned()
                .collect();
            for given in &mut self.labels {
                let is_path = given.contains(['/', '→', '>']);
                let is = |label: &Label| {
                    as_linear_compares(given, &[&label.name, &label.id]) || is_path && label.is_called(given)
                };
                if usable.iter().any(is) {
                    continue;
                }
                let name = match usable.iter().find(|label| label.is_called(given)) {
                    // Linear tells accents apart.
                    Some(label) => label.name.clone(),
                    None => find(given, &usable).map_err(|miss| elsewhere(miss, given, &labels))?.id.clone(),
                };
                settle(given, &name, false);
            }
        }
        let mut project = None;
        if let Some(given) = self.project.as_mut().filter(|given| !is_none(given)) {
            let found = names.project(given).await?;
            let slug = slug_of_url(given, "project").unwrap_or_else(|| given.clone());
            settle(given, &found.id, as_linear_compares(&slug, &[&found.name, &found.slug_id, &found.id]));
            project = Some(Named { id: found.id, name: found.name });
        }
        if let (Some(given), Some(project)) =
            (self.milestone.as_mut().filter(|given| !is_none(given)), &project)
        {
            let milestone = names.milestone(given, project).await?;
            settle(given, &milestone.id, as_linear_compares(given, &[&milestone.name, &milestone.id]));
        }
        if let Some(which) = self.cycle.as_deref().filter(|which| !is_none(which)) {
            names.cycle_of_any(which, &teams).await?;
        }
        if let Some(given) = self.parent.as_mut().filter(|given| !is_none(given)) {
            let key = names.issue_key(given).await?;
            // An issue that moved to another team has its former identifiers too.
            let issue = names.issue(&key).await?;
            let exact = key.to_id() == issue.identifier || key.to_id() == issue.id;
            settle(given, &issue.id, exact);
        }
        Ok(replaced)
    }

    /// Replaces the names of people by the id of the one person whom each means. A name that fits two is never
    /// left to Linear, which would take one of them.
    async fn settle_people(&mut self, names: &Names) -> Result<()> {
        for (word, given) in [("of", &mut self.assignee), ("filed by", &mut self.creator)] {
            if let Some(given) = given.as_mut().filter(|given| !is_none(given) && !is_me(given)) {
                let person = names.anybody(given).await?;
                self.taken_for.push(format!("{word} {}", person.describe()));
                *given = person.id;
            }
        }
        Ok(())
    }

    /// Whether it has names that [`Self::settle`] could look up.
    pub(crate) fn has_names(&self) -> bool {
        let named =
            |word: &Option<String>| word.as_deref().is_some_and(|word| !is_none(word) && !is_me(word));
        !self.team.is_empty()
            || !self.labels.is_empty()
            || self.state.iter().any(|state| state_types(state).is_none())
            || named(&self.project)
            || named(&self.milestone)
            || named(&self.cycle)
            || named(&self.parent)
    }
}

/// Whether one of the issues that block this one is not finished yet.
pub(crate) fn is_blocked(relations: &Connection<Relation>) -> bool {
    !open_blockers(relations).is_empty()
}

/// The issues that block this one and are not finished yet.
pub(crate) fn open_blockers(relations: &Connection<Relation>) -> Vec<String> {
    let blocks = relations.nodes.iter().filter(|relation| relation.kind == "blocks");
    let open = blocks.filter_map(|relation| relation.issue.as_ref()).filter(|issue| is_open(issue));
    let mut open: Vec<String> = open.map(|issue| issue.identifier.clone()).collect();
    open.sort_unstable();
    open
}

/// Whether an issue is not finished.
pub(crate) fn is_open(issue: &IssueRef) -> bool {
    is_unfinished(issue.state.as_ref())
}

/// Whether an issue in `state` is not finished.
pub(crate) fn is_unfinished(state: Option<&StateRef>) -> bool {
    state.is_none_or(|state| !CLOSED.contains(&state.kind.as_str()))
}

/// One of several conditions on the same thing.
fn any(conditions: impl Iterator<Item = Value>) -> Value {
    let mut conditions: Vec<Value> = conditions.collect();
    match conditions.len() {
        1 => conditions.pop().unwrap_or_default(),
        _ => json!({"or": conditions}),
    }
}

/// Something by its id, or by one of the `fields` that hold what it is called.
fn named(word: &str, fields: &[&str]) -> Value {
    let word = word.trim();
    if is_uuid(word) {
        return json!({"id": {"eq": word.to_lowercase()}});
    }
    any(fields.iter().map(|field| json!({*field: {"eqIgnoreCase": word}})))
}

/// Whether Linear finds one of `names` by what is `given`: it compares without case, but with accents.
fn as_linear_compares(given: &str, names: &[&str]) -> bool {
    let given = given.trim().to_lowercase();
    names.iter().any(|name| name.trim().to_lowercase() == given)
}

/// Whether a word says that there is to be nothing.
pub(crate) fn is_none(word: &str) -> bool {
    matches!(word.trim().to_lowercase().as_str(), "none" | "null" | "unassigned" | "no")
}

/// The state types that a word in lower case stands for. Words with capitals are names, as rows show
/// them: `started` is a type, `Started` a state of that name.
fn state_types(word: &str) -> Option<&'static [&'static str]> {
    Some(match word.trim() {
        "open" => &OPEN,
        "closed" => &CLOSED,
        "triage" => &["triage"],
        "backlog" => &["backlog"],
        "unstarted" => &["unstarted"],
        "started" => &["started"],
        "completed" | "done" => &["completed"],
        "canceled" | "cancelled" => &["canceled"],
        "duplicate" => &["duplicate"],
        _ => return None,
    })
}

fn state_filter(word: &str) -> Value {
    match state_types(word) {
        Some(types) => json!({"type": {"in": types}}),
        None => named(word, &["name"]),
    }
}

/// The words of a query that are asked at once: each is a condition of its own, with three places to look.
const MOST_WORDS: usize = 30;

/// An issue with this word in its title, its description or a comment, in capitals or not. Linear's own
/// `searchableContent` is marked internal, and nothing says how it compares.
fn has_word(word: &str) -> Value {
    let has = json!({"containsIgnoreCase": word});
    json!({"or": [{"title": has}, {"description": has}, {"comments": {"some": {"body": has}}}]})
}

/// A person that an issue is assigned to, by the id that [`IssueQuery::prepare`] put in place of a name.
fn person_filter(word: &str) -> Value {
    let word = word.trim();
    if is_none(word) {
        json!({"null": true})
    } else if is_me(word) {
        json!({"isMe": {"eq": true}})
    } else {
        json!({"id": {"eq": word}})
    }
}

/// A label by its name, by its group's name and its own, or any label of a group, by the group's name.
fn label_filter(word: &str) -> Value {
    let itself = named(word, &["name"]);
    let plain = json!({"or": [itself, {"parent": itself}]});
    let separator = ["→", "->", "/"].into_iter().find(|separator| word.contains(separator));
    match separator.and_then(|separator| word.split_once(separator)) {
        Some((group, name)) if !group.trim().is_empty() && !name.trim().is_empty() => json!({"or": [
            plain,
            {"name": {"eqIgnoreCase": name.trim()}, "parent": {"name": {"eqIgnoreCase": group.trim()}}},
        ]}),
        _ => plain,
    }
}

/// A project by its name, the id in its address, or its address.
pub(crate) fn project_filter(word: &str) -> Value {
    if is_none(word) {
        return json!({"null": true});
    }
    let word = slug_of_url(word, "project").unwrap_or_else(|| word.trim().to_owned());
    if is_uuid(&word) {
        return json!({"id": {"eq": word}});
    }
    json!({"or": [{"name": {"eqIgnoreCase": word}}, {"slugId": {"eq": word}}]})
}

/// A cycle by its place (`current`, `next`, `previous`), number or name.
pub(crate) fn cycle(word: &str) -> Value {
    let word = word.trim();
    match word.to_lowercase().as_str() {
        "none" | "null" => json!({"null": true}),
        "current" | "active" | "this" => json!({"isActive": {"eq": true}}),
        "next" => json!({"isNext": {"eq": true}}),
        "previous" | "last" => json!({"isPrevious": {"eq": true}}),
        lower => {
            let number = lower.strip_prefix("cycle").unwrap_or(lower).trim().trim_start_matches('#');
            match number.parse::<u32>() {
                Ok(number) if number.to_string() == word => json!({"number": {"eq": number}}),
                // Linear shows a cycle without a name as `Cycle 24`.
                Ok(number) => json!({"or": [{"number": {"eq": number}}, {"name": {"eqIgnoreCase": word}}]}),
                Err(_) => named(word, &["name"]),
            }
        }
    }
}

/// A priority as Linear numbers it.
///
/// # Errors
/// [`connector::Kind::InvalidArgument`] for a word that is none.
pub(crate) fn priority(word: &str) -> Result<u8> {
    Ok(match word.trim().to_lowercase().trim_start_matches('p') {
        "0" | "none" | "no priority" | "no" => 0,
        "1" | "urgent" => 1,
        "2" | "high" => 2,
        "3" | "medium" | "normal" => 3,
        "4" | "low" => 4,
        _ => {
            return Err(Error::invalid(format!("`{}` is not a priority", one_line(word)))
                .with_hint("Use urgent, high, medium, low or none"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: Value) -> Value {
        let query = serde_json::from_value::<IssueQuery>(query).unwrap();
        query.to_filter(None, &Calendar::new(None)).unwrap()
    }

    #[test]
    fn names_are_left_to_linear() {
        assert_eq!(
            filter(json!({"team": ["ENG"], "state": ["open"], "assignee": "me"})),
            json!({"and": [
                {"team": {"or": [{"key": {"eqIgnoreCase": "ENG"}}, {"name": {"eqIgnoreCase": "ENG"}}]}},
                {"state": {"type": {"in": ["triage", "backlog", "unstarted", "started"]}}},
                {"assignee": {"isMe": {"eq": true}}},
            ]})
        );
        assert_eq!(filter(json!({})), json!({}));
    }

    #[test]
    fn a_query_of_many_words_is_refused() {
        let asked = |words| IssueQuery { query: Some("word ".repeat(words)), ..IssueQuery::default() };
        assert!(asked(MOST_WORDS).to_filter(None, &Calendar::new(None)).is_ok());
        let refused = asked(MOST_WORDS + 1).to_filter(None, &Calendar::new(None)).unwrap_err();
        assert!(refused.to_string().contains("at most 30"), "{refused}");
    }

    #[test]
    fn a_word_in_lower_case_is_a_type_and_any_other_a_name() {
        assert_eq!(filter(json!({"state": ["done"]})), json!({"state": {"type": {"in": ["completed"]}}}));
        assert_eq!(filter(json!({"state": ["Done"]})), json!({"state": {"name": {"eqIgnoreCase": "Done"}}}));
    }

    #[test]
    fn every_label_must_be_there() {
        assert_eq!(
            filter(json!({"labels": ["Bug", "Area/API"]})),
            json!({"and": [
                {"labels": {"some": {"or": [
                    {"name": {"eqIgnoreCase": "Bug"}},
                    {"parent": {"name": {"eqIgnoreCase": "Bug"}}},
                ]}}},
                {"labels": {"some": {"or": [
                    {"or": [{"name": {"eqIgnoreCase": "Area/API"}}, {"parent": {"name": {"eqIgnoreCase": "Area/API"}}}]},
                    {"name": {"eqIgnoreCase": "API"}, "parent": {"name": {"eqIgnoreCase": "Area"}}},
                ]}}},
            ]})
        );
    }

    #[test]
    fn priorities_are_words_or_numbers() {
        assert_eq!(priority("Urgent").unwrap(), 1);
        assert_eq!(priority("P2").unwrap(), 2);
        assert!(priority("5").is_err());
    }
}
