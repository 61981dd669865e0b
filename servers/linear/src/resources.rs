//! Resources: what a person may attach to a conversation by its address. They read as the tools do.

use std::collections::BTreeMap;

use connector::{
    Result,
    catalog::{Call, PromptBuilder, Reply, Resource, ResourceTemplate},
};
use serde_json::json;

use crate::{Linear, gather};

/// Characters of a long text in a resource: attached once, so more than a tool gives at once.
const TEXT_CHARS: usize = 28_000;

/// The resources with a fixed address.
pub(crate) fn all() -> Vec<Resource<Linear>> {
    vec![
        Resource::new(
            "linear://me/issues",
            "my-issues",
            "My open issues",
            "Open issues assigned to you, the most urgent first.",
            |call| async move {
                gather::listing(
                    &call,
                    "list_issues",
                    json!({"assignee": "me", "state": ["open"], "sort": "priority", "limit": 50}),
                )
                .await
            },
        ),
        Resource::new(
            "linear://workspace",
            "workspace",
            "The workspace",
            "Who you are here, the teams, and what the credential may do.",
            |call| async move { gather::tool(&call, "whoami", json!({})).await },
        ),
    ]
}

/// The families of resources.
pub(crate) fn templates() -> Vec<ResourceTemplate<Linear>> {
    vec![
        ResourceTemplate::new(
            "linear://issue/{identifier}",
            "issue",
            "An issue",
            "One issue with its description, relations, sub-issues, links and comments.",
            |call, given| async move {
                let include = ["comments", "relations", "children", "attachments"];
                let arguments =
                    json!({"id": value(&given, "identifier"), "include": include, "max_chars": TEXT_CHARS});
                gather::tool(&call, "get_issue", arguments).await
            },
        ),
        ResourceTemplate::new(
            "linear://issue/{identifier}/comments",
            "issue-comments",
            "An issue's comments",
            "The comments of one issue, in full.",
            |call, given| async move {
                gather::listing(
                    &call,
                    "list_comments",
                    json!({"issue": value(&given, "identifier"), "limit": 50}),
                )
                .await
            },
        ),
        ResourceTemplate::new(
            "linear://project/{project}",
            "project",
            "A project",
            "One project with its overview, milestones, members, documents and last status update.",
            |call, given| async move {
                let include = ["members", "documents", "links"];
                let arguments =
                    json!({"id": value(&given, "project"), "include": include, "max_chars": TEXT_CHARS});
                gather::tool(&call, "get_project", arguments).await
            },
        ),
        ResourceTemplate::new(
            "linear://document/{document}",
            "document",
            "A document",
            "One document, by its title or the id in its address.",
            |call, given| async move {
                let arguments = json!({"id": value(&given, "document"), "max_chars": TEXT_CHARS});
                gather::tool(&call, "get_document", arguments).await
            },
        ),
        ResourceTemplate::new(
            "linear://team/{team}",
            "team",
            "A team",
            "One team: states, labels, members, cycle.",
            |call, given| async move {
                gather::tool(&call, "get_team", json!({"team": value(&given, "team")})).await
            },
        ),
        ResourceTemplate::new(
            "linear://cycle/{team}/{cycle}",
            "cycle",
            "A cycle",
            "A team's cycle (current, next, previous or a number): how far it is, and its issues.",
            cycle,
        ),
        ResourceTemplate::new(
            "linear://view/{view}",
            "view",
            "A saved view",
            "The issues of a saved view.",
            |call, given| async move {
                gather::listing(&call, "list_issues", json!({"view": value(&given, "view"), "limit": 50}))
                    .await
            },
        ),
    ]
}

async fn cycle(call: Call<Linear>, given: BTreeMap<String, String>) -> Result<Reply> {
    let (team, cycle) = (value(&given, "team"), value(&given, "cycle"));
    let team = call.names().team(team).await?;
    // An unknown cycle is an error, where a listing would only be empty.
    let cycle = call.names().cycle(cycle, &team).await?;
    let number = cycle.number.unwrap_or_default().to_string();
    let progress = gather::tool(&call, "list_cycles", json!({"team": team.key, "which": number})).await?;
    let issues = gather::tool(
        &call,
        "list_issues",
        json!({"team": [team.key], "cycle": number, "sort": "priority", "limit": 100}),
    )
    .await;
    let title = format!("Cycle {number} of {}", team.key);
    Ok(PromptBuilder::new(&[title.as_str()])
        .section("Progress", Ok(progress))
        .section("Issues", issues)
        .finish())
}

fn value<'a>(given: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    given.get(name).map(String::as_str).unwrap_or_default()
}
