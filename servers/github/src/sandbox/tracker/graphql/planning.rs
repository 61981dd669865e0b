//! Labels, milestones and types.

use connector::sandbox::graphql::{Asked, Node};

use super::{
    super::{
        super::{graphql::actor, ids::node_id, request::RequestContext},
        show::Show,
    },
    Field, lists, path_of, shout,
};

pub(super) fn label(show: Show<'_>, id: u64, asked: &Asked<'_>) -> Field {
    let label = show.board.labels.iter().find(|label| label.id == id)?;
    let url = show.html(&format!(
        "labels/{}",
        percent_encoding::utf8_percent_encode(&label.name, percent_encoding::NON_ALPHANUMERIC)
    ));
    let mine = || show.board.issues.values().filter(|issue| issue.labels.contains(&id));
    Some(Ok(match asked.field {
        "id" => node_id("LA", id).into(),
        "name" => label.name.clone().into(),
        "color" => label.color.clone().into(),
        "description" => label.description.clone().into(),
        "createdAt" | "updatedAt" => label.created_at.clone().into(),
        "isDefault" => show.label(label)["default"].clone().into(),
        "repository" => Node::new("Repository", show.repo.id).into(),
        "url" => url.into(),
        "resourcePath" => path_of(&url).into(),
        "issues" => return Some(lists::issues(show, mine(), asked)),
        "pullRequests" => return Some(lists::pulls(show, mine(), asked)),
        _ => return None,
    }))
}

pub(super) fn milestone(show: Show<'_>, number: u64, asked: &Asked<'_>) -> Field {
    let milestone = show.board.milestone(number)?;
    let url = show.html(&format!("milestone/{number}"));
    let mine = || show.board.issues.values().filter(|issue| issue.milestone == Some(number));
    Some(Ok(match asked.field {
        "id" => node_id("MI", milestone.id).into(),
        "number" => number.into(),
        "title" => milestone.title.clone().into(),
        "description" => milestone.description.clone().into(),
        "state" => if milestone.open { "OPEN" } else { "CLOSED" }.into(),
        "closed" => (!milestone.open).into(),
        "closedAt" => milestone.closed_at.clone().into(),
        "dueOn" => milestone.due_on.clone().into(),
        "createdAt" => milestone.created_at.clone().into(),
        "updatedAt" => milestone.updated_at.clone().into(),
        "creator" => actor(show.state, &milestone.creator),
        "progressPercentage" => {
            let (done, all) = mine().fold((0.0, 0.0), |(done, all), issue| {
                (done + if issue.open { 0.0 } else { 1.0 }, all + 1.0)
            });
            if all > 0.0 { 100.0 * done / all } else { 0.0 }.into()
        }
        "repository" => Node::new("Repository", show.repo.id).into(),
        "url" => url.into(),
        "resourcePath" => path_of(&url).into(),
        "issues" => return Some(lists::issues(show, mine(), asked)),
        "pullRequests" => return Some(lists::pulls(show, mine(), asked)),
        _ => return None,
    }))
}

pub(super) fn issue_type(cx: &RequestContext<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let (org, id) = (node.key[0].as_str()?, node.key[1].as_u64()?);
    let state = cx.site.state();
    let one = state.tracker.types(org).iter().find(|one| one.id == id)?;
    Some(Ok(match asked.field {
        "id" => node_id("IT", id).into(),
        "name" => one.name.clone().into(),
        "description" => one.description.clone().into(),
        "color" => shout(&one.color).into(),
        "isEnabled" => true.into(),
        _ => return None,
    }))
}
