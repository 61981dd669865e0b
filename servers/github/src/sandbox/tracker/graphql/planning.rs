//! Labels, milestones and types.

use connector::sandbox::graphql::{Asked, Node};

use super::{
    super::{
        super::{ids::node_id, request::RequestContext},
        show::Show,
    },
    Field,
};

pub(super) fn label(show: Show<'_>, id: u64, asked: &Asked<'_>) -> Field {
    let label = show.board.labels.iter().find(|label| label.id == id)?;
    Some(Ok(match asked.field {
        "id" => node_id("LA", id).into(),
        "name" => label.name.clone().into(),
        _ => return None,
    }))
}

pub(super) fn milestone(show: Show<'_>, number: u64, asked: &Asked<'_>) -> Field {
    let milestone = show.board.milestone(number)?;
    Some(Ok(match asked.field {
        "id" => node_id("MI", milestone.id).into(),
        "title" => milestone.title.clone().into(),
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
        _ => return None,
    }))
}
