//! What Linear refuses of an issue's changes, and what it does besides, told before anything is sent.

use connector::{
    Error, Result,
    catalog::{one_line, words},
};
use serde_json::json;

use crate::{
    Linear,
    api::{
        issues::{Around, Issue, Sections},
        names::{Label, Named, State, Team},
    },
    filter::{CLOSED, is_open, is_unfinished, open_blockers},
    render,
    resolve::IssueKey,
};

use super::issue_changes::{Emptied, Fields};

/// How many issues above a parent are looked at.
const ANCESTORS: usize = 10;
/// Issues that one line names, at most.
const NAMED: usize = 20;

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

/// Issues that Linear closes along with another, as the settings of its team say (linear.app/docs/parent-and-sub-issues,
/// "Auto-close").
#[derive(Clone, Debug, Default)]
pub(super) struct Along {
    /// The open sub-issues of one that is closed.
    children: Vec<String>,
    /// The issue above one that is closed, if it closes with the last of its sub-issues.
    parent: Option<String>,
    /// The other open sub-issues of that one.
    others: Vec<String>,
    /// Whether the issue is closed at all.
    closes: bool,
    /// The open sub-issues that Linear leaves open, and whether there are more.
    stay: Vec<String>,
    more_stay: bool,
    /// The open issues that it blocks, each with what else blocks it and is open; nothing where that is not known.
    blocked: Vec<(String, Option<Vec<String>>)>,
    /// Whether what it leaves open and sets free could not be read.
    unread: bool,
}

impl Along {
    /// What goes with `issue` when it comes to `state`.
    ///
    /// # Errors
    /// Whatever reading the issues around it gives.
    pub(super) async fn of(server: &Linear, state: &State, issue: &Issue) -> Result<Self> {
        let closed = |kind: &str| CLOSED.contains(&kind);
        let was_closed = issue.state.as_ref().is_some_and(|before| closed(&before.kind));
        let mut along = Self::default();
        if !closed(&state.kind) || was_closed {
            return Ok(along);
        }
        along.closes = true;
        let children = Sections { children: true, ..Sections::default() };
        // Only what is done closes what is below it.
        if issue.team.auto_close_child_issues && state.kind == "completed" {
            let below = server.api().issue(&issue.id, children).await?.data.children.nodes;
            along.children = below.into_iter().filter(is_open).map(|child| child.identifier).collect();
            along.children.sort_unstable();
        }
        if issue.team.auto_close_parent_issues
            && let Some(parent) = &issue.parent
        {
            let above = server.api().issue(&parent.id, children).await?.data;
            let is_closed = above.state.as_ref().is_some_and(|state| closed(&state.kind));
            let is_whole = !above.children.page_info.has_next_page;
            along.parent = (is_whole && !is_closed).then(|| parent.identifier.clone());
            let open = above.children.nodes.into_iter().filter(is_open).map(|other| other.identifier);
            along.others = open.filter(|other| *other != issue.identifier).collect();
        }
        Ok(along)
    }

    /// Whether the issue is closed.
    pub(super) fn closes(&self) -> bool {
        self.closes
    }

    /// Takes into account that `closed` are closed by the same call.
    pub(super) fn beside(&mut self, closed: &[String]) {
        let open = |issue: &String| !closed.contains(issue);
        for issues in [&mut self.others, &mut self.children, &mut self.stay] {
            issues.retain(open);
        }
        self.blocked.retain(|(blocked, _)| open(blocked));
        for others in self.blocked.iter_mut().filter_map(|(_, others)| others.as_mut()) {
            others.retain(open);
        }
        self.parent = self.parent.take().filter(|parent| !closed.contains(parent));
    }

    /// Takes in what is `around` the issue with this `identifier`.
    fn look(&mut self, identifier: &str, around: &Around) {
        let open = around.children.nodes.iter().filter(|child| is_open(child));
        let open = open.map(|child| child.identifier.clone());
        self.stay = open.filter(|child| !self.children.contains(child)).collect();
        self.stay.sort_unstable();
        self.more_stay = around.children.page_info.has_next_page;
        let blocks = around.relations.nodes.iter().filter(|relation| relation.kind == "blocks");
        let blocked = blocks.filter_map(|relation| relation.related_issue.as_ref());
        for blocked in blocked.filter(|blocked| is_unfinished(blocked.state.as_ref())) {
            let is_whole = !blocked.inverse_relations.page_info.has_next_page;
            let mut others = open_blockers(&blocked.inverse_relations);
            others.retain(|other| other != identifier);
            self.blocked.push((blocked.identifier.clone(), is_whole.then_some(others)));
        }
    }

    /// What it leaves open and what it sets free, a line for each.
    pub(super) fn leaves(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.stay.is_empty() {
            let more = if self.more_stay { " or more" } else { "" };
            let (noun, verb) = match self.stay.len() {
                1 if !self.more_stay => ("sub-issue", "stays"),
                _ => ("sub-issues", "stay"),
            };
            let named = words::listed(&self.stay, NAMED);
            lines.push(format!("{}{more} {noun} {verb} open: {named}", self.stay.len()));
        }
        let along: Vec<&String> = self.children.iter().chain(self.above()).collect();
        let mut free = Vec::new();
        let mut waiting = Vec::new();
        for (blocked, others) in &self.blocked {
            let Some(others) = others else {
                waiting.push(format!("no longer blocks {blocked}, which may have other blockers"));
                continue;
            };
            let others: Vec<&String> = others.iter().filter(|other| !along.contains(other)).collect();
            if others.is_empty() {
                free.push(blocked);
            } else {
                waiting.push(format!("{blocked} stays blocked by {}", words::listed(&others, NAMED)));
            }
        }
        if !free.is_empty() {
            lines.push(format!("unblocks {}", words::listed(&free, NAMED)));
        }
        lines.extend(waiting);
        if self.unread {
            lines.push("which sub-issues stay open and what it unblocks could not be read".to_owned());
        }
        lines
    }

    /// The issue above it that Linear closes.
    fn above(&self) -> Option<&String> {
        self.parent.as_ref().filter(|_| self.others.is_empty())
    }

    /// What is said of it before.
    pub(super) fn preview(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.children.is_empty() {
            lines.push(format!(
                "Linear closes its open sub-issues with it: {}",
                words::listed(&self.children, NAMED)
            ));
        }
        lines.extend(
            self.above().map(|above| format!("Linear closes {above} too, which has no other open sub-issue")),
        );
        lines.extend(self.leaves());
        lines
    }

    /// What became of them.
    pub(super) async fn seen(&self, server: &Linear) -> Vec<String> {
        let all: Vec<&String> = self.children.iter().chain(self.above()).collect();
        if all.is_empty() {
            return Vec::new();
        }
        let keys = all.iter().filter_map(|id| IssueKey::parse(id, None).ok());
        let filter = json!({"or": keys.map(|key| key.to_filter()).collect::<Vec<_>>()});
        let Ok(answer) = server.api().issues(filter, all.len(), Sections::default()).await else {
            return vec![format!("whether {} closed with it is not known", words::listed(&all, NAMED))];
        };
        let now = answer
            .data
            .iter()
            .map(|issue| format!("{} {}", issue.identifier, render::state(issue.state.as_ref())));
        let mut now: Vec<_> = now.collect();
        now.sort_unstable();
        vec![format!("with it, by the team's settings: {}", words::listed(&now, NAMED))]
    }
}

/// Reads what each of the issues that are closed leaves open and sets free.
pub(super) async fn look_around(server: &Linear, closed: Vec<(&Issue, &mut Along)>) {
    let ids: Vec<String> = closed.iter().map(|(issue, _)| issue.id.clone()).collect();
    let all = server.api().closing(&ids).await;
    for (issue, along) in closed {
        match all.as_ref().ok().and_then(|all| all.iter().find(|around| around.id == issue.id)) {
            Some(around) => along.look(&issue.identifier, around),
            None => along.unread = true,
        }
    }
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

/// What moving to another team does to an issue: its new identifier, and what it cannot take along because that team does
/// not have it, as far as `fields` do not say what is to become of it.
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
    let mut lines =
        vec![format!("it gets a new identifier in {}; {} still leads to it", team.key, issue.identifier)];
    if !goes.is_empty() {
        lines.push(format!("{} does not have these, so they may be lost: {}", team.key, goes.join(", ")));
    }
    if let Some(state) = issue.state.as_ref().filter(|_| fields.state.is_none()) {
        let states: Vec<State> = server.names().all().await?;
        let same = |other: &State| {
            other.team.id == team.id && other.name.to_lowercase() == state.name.to_lowercase()
        };
        if !states.iter().any(same) {
            let name = one_line(&state.name);
            lines.push(format!("{} has no state {name}: Linear chooses another", team.key));
        }
    }
    Ok(lines)
}
