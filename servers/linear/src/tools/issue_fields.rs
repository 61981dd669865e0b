//! The fields of an issue, what each is shown as, and how two readings differ.

use connector::catalog::{edited, one_line};

use crate::{
    api::{issues::Issue, names::Named},
    render,
};

/// A field of an issue, as changes name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Team,
    Title,
    State,
    Assignee,
    Priority,
    Project,
    Milestone,
    Cycle,
    Due,
    Estimate,
    Parent,
}

impl Field {
    /// Every field, in the order in which changes are told.
    const ALL: [Self; 11] = [
        Self::Team,
        Self::Title,
        Self::State,
        Self::Assignee,
        Self::Priority,
        Self::Project,
        Self::Milestone,
        Self::Cycle,
        Self::Due,
        Self::Estimate,
        Self::Parent,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Title => "title",
            Self::State => "state",
            Self::Assignee => "assignee",
            Self::Priority => "priority",
            Self::Project => "project",
            Self::Milestone => "milestone",
            Self::Cycle => "cycle",
            Self::Due => "due",
            Self::Estimate => "estimate",
            Self::Parent => "parent",
        }
    }

    /// Its key in Linear's input.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Team => "teamId",
            Self::Title => "title",
            Self::State => "stateId",
            Self::Assignee => "assigneeId",
            Self::Priority => "priority",
            Self::Project => "projectId",
            Self::Milestone => "projectMilestoneId",
            Self::Cycle => "cycleId",
            Self::Due => "dueDate",
            Self::Estimate => "estimate",
            Self::Parent => "parentId",
        }
    }

    /// The field's value on an issue, in words; `none` for nothing.
    pub(super) fn show(self, issue: &Issue) -> String {
        let named = |name: Option<&Named>| name.map(|named| one_line(&named.name));
        let text = match self {
            Self::Team => Some(issue.team.key.clone()),
            Self::Title => Some(one_line(&issue.title)),
            Self::State => Some(render::state(issue.state.as_ref())),
            Self::Assignee => issue.assignee.as_ref().map(render::person),
            Self::Priority => Some(render::priority_word(issue.priority)),
            Self::Project => named(issue.project.as_ref()),
            Self::Milestone => named(issue.project_milestone.as_ref()),
            Self::Cycle => issue.cycle.as_ref().and_then(|cycle| cycle.number).map(render::number),
            Self::Due => issue.due_date.clone(),
            Self::Estimate => issue.estimate.map(render::number),
            Self::Parent => issue.parent.as_ref().map(|parent| parent.identifier.clone()),
        };
        text.unwrap_or_else(|| NONE.to_owned())
    }
}

impl Field {
    /// What is told with its value on an issue: whose a handle is, when a cycle runs.
    fn beside(self, issue: &Issue) -> String {
        match (self, &issue.assignee, &issue.cycle) {
            (Self::Assignee, Some(person), _) => render::full_name(&person.display_name, &person.name),
            (Self::Cycle, _, Some(cycle)) => render::dates(
                cycle.starts_at.as_deref(),
                cycle.ends_at.as_deref(),
                issue.team.timezone.as_deref(),
            ),
            _ => String::new(),
        }
    }
}

/// What an empty field is shown as.
pub(super) const NONE: &str = "none";

/// Every visible difference between two readings of an issue, a line for each field.
pub(super) fn difference(before: &Issue, after: &Issue) -> Vec<String> {
    let mut lines = Vec::new();
    for field in Field::ALL {
        let (was, is) = (field.show(before), field.show(after));
        if was != is {
            lines.push(format!("{} {was} → {is}{}", field.as_str(), field.beside(after)));
        }
    }
    let labels = |issue: &Issue| {
        issue.labels.nodes.iter().map(|label| (label.id.clone(), render::label(label))).collect::<Vec<_>>()
    };
    let (was, is) = (labels(before), labels(after));
    let missing = |from: &[(String, String)], other: &[(String, String)]| -> Vec<String> {
        from.iter()
            .filter(|(id, _)| !other.iter().any(|(other, _)| other == id))
            .map(|(_, name)| name.clone())
            .collect()
    };
    lines.extend(label_line(&missing(&is, &was), &missing(&was, &is)));
    if before.description.as_deref().unwrap_or_default() != after.description.as_deref().unwrap_or_default() {
        lines.push(description_line(before.description.as_deref(), after.description.as_deref()));
    }
    if before.identifier != after.identifier {
        lines.push(format!("identifier {} → {}", before.identifier, after.identifier));
    }
    lines
}

pub(super) fn label_line(added: &[String], removed: &[String]) -> Option<String> {
    if added.is_empty() && removed.is_empty() {
        return None;
    }
    let added = added.iter().map(|label| format!("+{}", one_line(label)));
    let removed = removed.iter().map(|label| format!("−{}", one_line(label)));
    Some(format!("labels {}", added.chain(removed).collect::<Vec<_>>().join(" ")))
}

pub(super) fn description_line(before: Option<&str>, after: Option<&str>) -> String {
    match after.filter(|text| !text.trim().is_empty()) {
        Some(after) => format!("description: {}", edited(before.unwrap_or_default(), after)),
        None => "description → none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before: Issue = connector::tolerant::from_value(json!({
            "identifier": "ENG-1", "title": "A", "priority": 0, "state": {"name": "Todo"}, "team": {"key": "ENG"},
            "labels": {"nodes": [{"id": "1", "name": "Bug"}]},
        }))
        .unwrap();
        let after: Issue = connector::tolerant::from_value(json!({
            "identifier": "ENG-1", "title": "A", "priority": 1, "state": {"name": "Done"}, "team": {"key": "ENG"},
            "labels": {"nodes": [{"id": "2", "name": "API", "parent": {"name": "Area"}}]}, "description": "x",
        }))
        .unwrap();
        assert_eq!(
            difference(&before, &after),
            ["state Todo → Done", "priority none → urgent", "labels +Area/API −Bug", "description: +\"x\""]
        );
        assert!(difference(&before, &before).is_empty());
    }
}
