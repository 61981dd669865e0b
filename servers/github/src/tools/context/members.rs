//! Teams of an organization and their members.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Position, Reply, Tool, limit, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GitHub, api::Listed, tools::FROM};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read("list_members", "List members", "Teams of an org, or members of one.", list_members)
            .toolset("context")
            .scopes(&["read:org"])
            .aliases(&[("organization", "org"), ("team_slug", "team")])
            .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListMembers {
    org: String,
    team: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A team, or a member of one.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

async fn list_members(call: Call<GitHub>, arguments: ListMembers) -> Result<Reply> {
    let ListMembers { org, team, limit: asked, cursor } = arguments;
    let org = org.trim().trim_start_matches('@');
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let (per_page, after) = (limit(asked, 20, 100), position.after.clone());
    let Some(team) = team.as_deref().map(slug).filter(|team| !team.is_empty()) else {
        let teams = call.api().teams(org, per_page, after.as_deref()).await.map_err(|error| {
            absent(error, format!("No organization {} whose teams can be read", one_line(org)))
        })?;
        let page = Page::new(FROM, ("team", "teams")).note(format!("of {}", one_line(org)));
        return Ok(listing(&call, page, position, &teams, |team| {
            let mut row = team.slug.clone();
            if slug(&team.name) != team.slug {
                row.push_str(&format!(" \"{}\"", one_line(&team.name)));
            }
            if !team.parent.slug.is_empty() {
                row.push_str(&format!(", in {}", one_line(&team.parent.slug)));
            }
            if team.privacy == "secret" {
                row.push_str(", secret");
            }
            if !team.description.trim().is_empty() {
                row.push_str(&format!(": {}", one_line(&team.description)));
            }
            (row, Row { team: Some(team.slug.clone()), name: Some(team.name.clone()), ..Row::default() })
        }));
    };
    let members = call.api().team_members(org, &team, per_page, after.as_deref()).await.map_err(|error| {
        absent(error, format!("{} has no team {} that can be read", one_line(org), one_line(&team)))
            .with_hint(
                "list_members without `team` lists the teams; a classic token needs the scope read:org",
            )
    })?;
    let page =
        Page::new(FROM, ("member", "members")).note(format!("of {}/{}", one_line(org), one_line(&team)));
    Ok(listing(&call, page, position, &members, |member| {
        let role = Some(member.role.clone()).filter(|role| !role.is_empty());
        let mut row = format!("@{}", one_line(&member.login));
        if let Some(role) = role.as_deref().filter(|role| *role != "member") {
            row.push_str(&format!(", {}", one_line(role)));
        }
        (row, Row { login: Some(member.login.clone()), role, ..Row::default() })
    }))
}

/// The page of what `row` makes of each item, with the cursor that goes on.
fn listing<T>(
    call: &Call<GitHub>,
    mut page: Page,
    position: Position,
    listed: &Listed<T>,
    row: impl Fn(&T) -> (String, Row),
) -> Reply {
    for item in listed.items.iter().skip(position.skip) {
        let (line, data) = row(item);
        page.push(line, &data);
    }
    let (call, shown, next) = (call.clone(), page.len(), listed.next.clone());
    let more = next.is_some();
    Reply::page(
        page.cursor(more, move |kept| call.seal_cursor(&position.advance(kept, shown, next.as_deref()))),
    )
}

/// A team's name as its slug: `Platform team` is `platform-team`.
fn slug(name: &str) -> String {
    name.trim()
        .trim_start_matches('@')
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_lowercase()
        .replace(' ', "-")
}

fn absent(error: Error, what: String) -> Error {
    if error.kind() == Kind::NotFound {
        return Error::not_found(what).with_hint("Check the name; a classic token needs the scope read:org");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_is_found_by_its_name_and_by_its_mention_too() {
        assert_eq!(slug("@harbor-example/imports"), "imports");
        assert_eq!(slug(" Platform team "), "platform-team");
    }
}
