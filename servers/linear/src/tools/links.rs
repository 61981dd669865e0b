//! `link_issues`: relations between issues, made or removed in one request.

use std::collections::HashSet;

use connector::{
    Error, Result,
    catalog::{Call, Plan, Reply, Tool, Written, words},
};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::issue_relations::related;
use crate::{
    Linear,
    api::{
        issues::{Issue, Sections},
        relations::{Outcomes, alias},
    },
    render,
    resolve::absent,
};

/// Relations in one call, at most.
const MOST: usize = 20;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::write(
            "link_issues",
            "Link issues",
            "Relates one issue to others, or with remove takes such relations away. For parents use update_issue.",
            link_issues,
        )
        .toolset("issues")
        .idempotent()
        .confirmable()
        .aliases(&[("id", "from"), ("issue", "from"), ("related", "to")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    from: String,
    to: Vec<String>,
    #[serde(rename = "type")]
    kind: Kind,
    remove: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Blocks,
    BlockedBy,
    Related,
    Duplicate,
    Similar,
}

impl Kind {
    /// Linear's type of the relation.
    fn linear(self) -> &'static str {
        match self {
            Self::Blocks | Self::BlockedBy => "blocks",
            Self::Related => "related",
            Self::Duplicate => "duplicate",
            Self::Similar => "similar",
        }
    }

    /// Between "ENG-1" and "ENG-2".
    fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::BlockedBy => "is blocked by",
            Self::Related => "is related to",
            Self::Duplicate => "is a duplicate of",
            Self::Similar => "is similar to",
        }
    }

    /// Whether a relation that [`related`] tells of in `word` is of this kind.
    fn is(self, word: &str) -> bool {
        match self {
            Self::Blocks => word == "blocks",
            Self::BlockedBy => word == "blocked by",
            Self::Related => word == "related to",
            Self::Duplicate => word == "duplicate of",
            Self::Similar => word == "similar to",
        }
    }
}

async fn link_issues(call: Call<Linear>, arguments: Arguments) -> Result<Plan> {
    let Arguments { from, to, kind, remove } = arguments;
    let remove = remove.unwrap_or(false);
    if to.is_empty() {
        return Err(Error::invalid("`to` is empty"));
    }
    if to.len() > MOST {
        return Err(Error::invalid(format!("`to` has {} issues; at most {MOST} go in one call", to.len())));
    }
    let from = call.names().issue_key(&from).await?;
    let mut keys = Vec::new();
    for id in &to {
        keys.push(call.names().issue_key(id).await?);
    }
    let sections = Sections { relations: true, ..Sections::default() };
    let origin = call.api().issue(&from.to_id(), sections).await.map_err(|error| absent(error, &from))?.data;
    let mut others = try_join_all(keys.iter().map(|key| call.names().issue(key))).await?;
    // Named twice, be it by a former identifier.
    let mut seen = HashSet::new();
    others.retain(|other| seen.insert(other.id.clone()));
    if others.iter().any(|other| other.id == origin.id) {
        return Err(Error::invalid(format!("{} cannot be related to itself", origin.identifier)));
    }
    let existing: Vec<(String, String)> = related(&origin)
        .into_iter()
        .filter(|(word, _, _)| kind.is(word))
        .map(|(_, id, other)| (other.identifier.clone(), id))
        .collect();
    let relation_with =
        |other: &Issue| existing.iter().find(|(identifier, _)| *identifier == other.identifier);
    let (todo, already): (Vec<Issue>, Vec<Issue>) =
        others.into_iter().partition(|other| relation_with(other).is_some() == remove);
    let line = |other: &Issue| format!("{} {} {}", origin.identifier, kind.as_str(), other.identifier);
    let no_longer = |other: &Issue| match kind.as_str().strip_prefix("is ") {
        Some(rest) => format!("{} is no longer {rest} {}", origin.identifier, other.identifier),
        None => format!("{} no longer {} {}", origin.identifier, kind.as_str(), other.identifier),
    };
    let idle: Vec<String> = already
        .iter()
        .map(|other| format!("{}: {}", line(other), if remove { "was not linked" } else { "already so" }))
        .collect();
    if todo.is_empty() {
        let mut written = Written::new("Nothing to change.");
        written.changed = idle;
        return Ok(Plan::nothing(Reply::written(written)));
    }
    let lines: Vec<String> =
        todo.iter().map(|other| if remove { no_longer(other) } else { line(other) }).collect();
    let relations: Vec<String> = todo.iter().filter_map(relation_with).map(|(_, id)| id.clone()).collect();
    let inputs: Vec<serde_json::Value> = todo
        .iter()
        .map(|other| {
            let (issue, related) =
                if kind == Kind::BlockedBy { (&other.id, &origin.id) } else { (&origin.id, &other.id) };
            json!({"id": Uuid::new_v4(), "issueId": issue, "relatedIssueId": related, "type": kind.linear()})
        })
        .collect();
    let mut preview = Written::new(if remove { "Remove relations" } else { "Relate issues" });
    preview.changed = lines.iter().chain(&idle).cloned().collect();
    let state = render::state(origin.state.as_ref());
    if kind == Kind::Duplicate && !remove {
        preview.changed.push(format!("Linear closes {}, now {state}, as a duplicate", origin.identifier));
    }
    // A duplicate of what is done is done as well, and what is done blocks nothing.
    let stand = |other: &Issue| format!("{} is {}", other.identifier, render::state(other.state.as_ref()));
    let tells = !remove && matches!(kind, Kind::Duplicate | Kind::Blocks | Kind::BlockedBy);
    let others: Option<String> = tells.then(|| todo.iter().map(stand).collect::<Vec<_>>().join(", "));
    preview.changed.extend(others.clone());
    let many = todo.len();
    let seen: Vec<_> = todo.iter().map(|other| other.id.clone()).collect();
    let name = origin.identifier;
    let url = origin.url;
    let plan = Plan::new(Reply::written(preview), move || async move {
        let check = format!("Read {name} with get_issue and include relations");
        let outcomes = if remove {
            call.api().unlink_issues(relations, check).await?
        } else {
            call.api().link_issues(inputs, check).await?
        };
        let mut written = told(&outcomes, &lines, remove);
        // The state is moved by Linear, by what the team has chosen for duplicates.
        let relations = outcomes.data.values().flatten().filter_map(|done| done.issue_relation.as_ref());
        let now =
            relations.filter_map(|relation| relation.issue.as_ref()).find(|issue| issue.identifier == name);
        let now = now.map(|issue| render::state(issue.state.as_ref())).filter(|now| *now != state);
        written.changed.extend(now.map(|now| format!("{name}: state {state} → {now}")));
        written.changed.extend(others);
        written.changed.extend(idle);
        Ok(Reply::written(written.id(name).url(render::issue_url(&url))))
    });
    Ok(plan.state(&seen).ask_of_many(many))
}

/// What became of each relation.
fn told(outcomes: &Outcomes, lines: &[String], remove: bool) -> Written {
    let mut done = 0;
    let mut changed = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let name = alias(index);
        let outcome = outcomes.data.get(&name).and_then(Option::as_ref);
        if outcome.is_some_and(|outcome| outcome.success) {
            done += 1;
            changed.push(line.clone());
            continue;
        }
        let why = outcomes.failures.iter().find(|(part, _)| *part == name);
        let why = why.map_or_else(|| "Linear did not accept it".to_owned(), |(_, error)| error.for_agent());
        changed.push(format!("NOT done: {line}: {why}"));
    }
    let verb = if remove { "Removed" } else { "Made" };
    let mut written = Written::new(match (done, lines.len()) {
        (done, all) if done == all => format!("{verb} {}.", words::counted(done, ("relation", "relations"))),
        (done, all) => format!("{verb} {done} of {}.", words::counted(all, ("relation", "relations"))),
    });
    written.changed = changed;
    written
}
