//! What Linear refuses of an issue's changes, and what it does besides, told before anything is sent.

use connector::{Error, Result, catalog::one_line};

use crate::{
    Linear,
    api::{
        issues::Issue,
        names::{Label, Named, State, Team},
    },
    render,
};

use super::issue_changes::{Emptied, Fields};

/// How many issues above a parent are looked at.
const ANCESTORS: usize = 10;

/// Refuses a parent that is the issue itself or stands below it, as Linear does.
pub(super) async fn stands_above(server: &Linear, issue: &Issue, parent: &Issue) -> Result<()> {
    if issue.id == parent.id {
        return Err(Error::invalid("An issue cannot be its own parent"));
    }
    let mut above = parent.parent.as_ref().map(|above| above.identifier.clone());
    for _ in 0..ANCESTORS {
        let Some(id) = above else { return Ok(()) };
        if id == issue.identifier {
            return Err(Error::invalid(format!(
                "{} stands below {id}, so it cannot be its parent",
                parent.identifier
            )));
        }
        above = server.api().issue_state(&id).await?.parent.map(|above| above.identifier);
    }
    Ok(())
}

/// Refuses two labels of one group, as Linear does: among those to `add`, or with one that the issue keeps;
/// `kept` are those with their groups.
pub(super) fn one_of_each_group(add: &[Label], kept: &[(Option<&Named>, String)]) -> Result<()> {
    let mut there: Vec<(&str, String, bool)> = kept
        .iter()
        .filter_map(|(group, name)| Some((group.as_ref()?.name.as_str(), name.clone(), true)))
        .collect();
    for label in add {
        let Some(group) = label.parent.as_ref().map(|group| group.name.as_str()) else { continue };
        let same = |(name, other, _): &&(&str, String, bool)| *name == group && *other != label.path();
        if let Some((_, other, is_there)) = there.iter().find(same) {
            let other = one_line(other);
            return Err(Error::invalid(format!(
                "An issue can have one label of the group `{}`, not both `{other}` and `{}`",
                one_line(group),
                one_line(&label.path())
            ))
            .with_hint(match is_there {
                true => format!("It has `{other}`: give that in labels.remove of the same call"),
                false => "Leave one of them out".to_owned(),
            }));
        }
        there.push((group, label.path(), false));
    }
    Ok(())
}

/// What an issue that moves to another team cannot take along, because that team does not have it, as far as `fields` do
/// not say what is to become of it.
pub(super) async fn left_behind(
    server: &Linear,
    fields: &Fields,
    team: &Team,
    issue: &Issue,
) -> Result<Vec<String>> {
    let mut goes = Vec::new();
    let stays = |field: Emptied| !fields.empties(field);
    if let Some(number) = issue.cycle.as_ref().and_then(|cycle| cycle.number)
        && fields.cycle.is_none()
        && stays(Emptied::Cycle)
    {
        goes.push(format!("cycle {}", render::number(number)));
    }
    if let Some(project) = &issue.project
        && fields.project.is_none()
        && stays(Emptied::Project)
        && !server.api().project_teams(&project.id).await?.iter().any(|other| other.id == team.id)
    {
        goes.push(format!("project {}", one_line(&project.name)));
        goes.extend(
            issue.project_milestone.as_ref().map(|found| format!("milestone {}", one_line(&found.name))),
        );
    }
    let replaced = fields.labels.as_ref().is_some_and(|labels| labels.set.is_some());
    if !issue.labels.nodes.is_empty() && !replaced && stays(Emptied::Labels) {
        let all: Vec<Label> = server.names().all().await?;
        let of = |label: &Label| label.team.as_ref().map(|owner| owner.id.clone());
        for label in issue.labels.nodes.iter().filter_map(|own| all.iter().find(|other| other.id == own.id)) {
            let there = |other: &Label| {
                of(other).as_ref() == Some(&team.id) && other.name.to_lowercase() == label.name.to_lowercase()
            };
            if of(label).is_some_and(|owner| owner != team.id) && !all.iter().any(there) {
                goes.push(format!("label {}", one_line(&label.path())));
            }
        }
    }
    let mut lines = Vec::new();
    if !goes.is_empty() {
        lines.push(format!("{} does not have, so it may go: {}", team.key, goes.join(", ")));
    }
    if let Some(state) = issue.state.as_ref().filter(|_| fields.state.is_none()) {
        let states: Vec<State> = server.names().all().await?;
        let same = |other: &State| {
            other.team.id == team.id && other.name.to_lowercase() == state.name.to_lowercase()
        };
        if !states.iter().any(same) {
            lines.push(format!("{} has no state {}: Linear chooses one", team.key, one_line(&state.name)));
        }
    }
    Ok(lines)
}
