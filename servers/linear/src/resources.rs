//! Resources: what a person may attach to a conversation by its address. They read as the tools do.

use connector::{
    Result,
    catalog::{Call, PromptBuilder, Reply, Resource, ResourceTemplate, Variables},
};
use serde_json::json;

use crate::Linear;

/// Characters of a long text in a resource: attached once, so more than a tool gives at once.
const TEXT_CHARS: usize = 28_000;

/// The resources with a fixed address.
pub(crate) fn all() -> Vec<Resource<Linear>> {
    vec![
        Resource::of_tool(
            "linear://me/issues",
            "my-issues",
            "My open issues",
            "Open issues assigned to you, the most urgent first.",
            "list_issues",
            json!({"assignee": "me", "state": ["open"], "sort": "priority", "limit": 50}),
        )
        .lists(),
        Resource::of_tool(
            "linear://workspace",
            "workspace",
            "The workspace",
            "Who you are here, the teams, and what the credential may do.",
            "whoami",
            json!({}),
        ),
    ]
}

/// The families of resources.
pub(crate) fn templates() -> Vec<ResourceTemplate<Linear>> {
    vec![
        ResourceTemplate::of_tool(
            "linear://issue/{identifier}",
            "issue",
            "An issue",
            "One issue with its description, relations, sub-issues, links and comments.",
            "get_issue",
            |given| {
                let include = ["comments", "relations", "children", "attachments"];
                Ok(json!({"id": given.text("identifier"), "include": include, "max_chars": TEXT_CHARS}))
            },
        ),
        ResourceTemplate::of_tool(
            "linear://issue/{identifier}/comments",
            "issue-comments",
            "An issue's comments",
            "The comments of one issue, in full.",
            "list_comments",
            |given| Ok(json!({"issue": given.text("identifier"), "limit": 50})),
        )
        .lists(),
        ResourceTemplate::of_tool(
            "linear://project/{project}",
            "project",
            "A project",
            "One project with its overview, milestones, members, documents and last status update.",
            "get_project",
            |given| {
                let include = ["members", "documents", "links"];
                Ok(json!({"id": given.text("project"), "include": include, "max_chars": TEXT_CHARS}))
            },
        ),
        ResourceTemplate::of_tool(
            "linear://document/{document}",
            "document",
            "A document",
            "One document, by its title or the id in its address.",
            "get_document",
            |given| Ok(json!({"id": given.text("document"), "max_chars": TEXT_CHARS})),
        ),
        ResourceTemplate::of_tool(
            "linear://team/{team}",
            "team",
            "A team",
            "One team: states, labels, members, cycle.",
            "get_team",
            |given| Ok(json!({"team": given.text("team")})),
        ),
        ResourceTemplate::new(
            "linear://cycle/{team}/{cycle}",
            "cycle",
            "A cycle",
            "A team's cycle (current, next, previous or a number): how far it is, and its issues.",
            cycle,
        )
        .needs(&["list_cycles", "list_issues"]),
        ResourceTemplate::of_tool(
            "linear://view/{view}",
            "view",
            "A saved view",
            "The issues of a saved view.",
            "list_issues",
            |given| Ok(json!({"view": given.text("view"), "limit": 50})),
        )
        .lists(),
    ]
}

async fn cycle(call: Call<Linear>, given: Variables) -> Result<Reply> {
    let (team, cycle) = (given.text("team"), given.text("cycle"));
    let team = call.names().team(team).await?;
    // An unknown cycle is an error, where a listing would only be empty.
    let cycle = call.names().cycle(cycle, &team).await?;
    let number = cycle.number.unwrap_or_default().to_string();
    let progress = call.tool("list_cycles", json!({"team": team.key, "which": number})).await?;
    let issues = call
        .tool("list_issues", json!({"team": [team.key], "cycle": number, "sort": "priority", "limit": 100}))
        .await;
    let title = format!("Cycle {number} of {}", team.key);
    Ok(PromptBuilder::new(&[title.as_str()])
        .section("Progress", Ok(progress))
        .section("Issues", issues)
        .finish())
}
