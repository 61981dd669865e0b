//! Enterprise Grid: a token of a whole organization, channels of several workspaces, colleagues of another.

use connector::{
    Kind, Secret,
    settings::Value as Setting,
    testing::{Options, Sample},
};
use serde_json::json;

use crate::support::{GENERAL, Server, read, send, sent, text};

const OPERATIONS: &str = "T0HARBOROPS";

async fn organization(team: Option<&str>) -> Server {
    let mut settings = vec![("user-token", Setting::Secret(Secret::new("xoxp-sandbox-org")))];
    settings.extend(team.map(|team| ("team-id", text(team))));
    Server::start_with(Options { settings, ..Options::default() }).await
}

fn own() -> Sample {
    Sample::new("list_user_channels", json!({"types": ["public"], "limit": 50}))
}

/// api.slack.com/enterprise/apps/changes-apis: methods that act on one workspace ask such a token which.
#[tokio::test(start_paused = true)]
async fn a_token_of_a_whole_organization_says_which_workspace_is_meant() {
    let server = organization(None).await;
    let error = server.refusal(&own()).await;
    assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    assert!(error.for_agent().contains("SLACK_TEAM_ID") && error.for_agent().contains("whoami"), "{error}");
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(me.contains("Harbor (T0HARBOR001), Harbor Operations (T0HARBOROPS); none is named"), "{me}");
    let error = organization(Some("T0NOWHERE01")).await.refusal(&own()).await;
    assert!(error.kind() == Kind::Permission && error.message().contains("SLACK_TEAM_ID"), "{error}");
    // Other tokens have nothing to say.
    let server = Server::start().await;
    server.call(&own()).await;
    assert!(!sent(&server, "users.conversations")[0].contains_key("team_id"));
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(!me.contains("organization, with"), "{me}");
}

#[tokio::test(start_paused = true)]
async fn names_and_lists_are_of_the_workspace_that_is_meant_and_ids_of_the_whole_organization() {
    let server = organization(Some(OPERATIONS)).await;
    let names = server.call(&own()).await.text;
    assert!(names.contains("#ops-floor") && names.contains("#org-news (of several workspaces)"), "{names}");
    assert!(!names.contains("#general"), "{names}");
    let people = server.call(&Sample::new("search_users", json!({"query": "nadia"}))).await.text;
    assert!(people.contains("W0NADIA0001") && !people.contains("another organization"), "{people}");
    server.call(&Sample::new("list_usergroups", json!({}))).await;
    for method in ["users.conversations", "users.list", "usergroups.list"] {
        assert!(sent(&server, method).iter().all(|form| form["team_id"] == OPERATIONS), "{method}");
    }
    server.call(&read(GENERAL)).await;
    assert!(!sent(&server, "conversations.history")[0].contains_key("team_id"));
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(me.contains(&format!("{OPERATIONS} is meant here")), "{me}");
}

/// docs.slack.dev/reference/objects/user-object: `enterprise_user` says of which organization somebody is.
#[tokio::test(start_paused = true)]
async fn a_colleague_of_another_workspace_is_no_stranger_and_a_stranger_stays_one() {
    let server = organization(Some("T0HARBOR001")).await;
    let reply = server.call(&read("#org-news")).await.text;
    assert!(reply.lines().next().unwrap().contains("of several workspaces"), "{reply}");
    assert!(reply.contains(" nadia: The second dock") && !reply.contains("[ext"), "{reply}");
    let general = server.call(&read(GENERAL)).await.text;
    assert!(!general.contains("[ext"), "{general}");
    let shared = server.call(&read("C0NORTHWIND")).await.text;
    assert!(shared.contains("Marcus Bell [ext T0NORTHWIND]"), "{shared}");
    // Nobody of another organization reads it, so nothing is asked or refused.
    let reply = server.call(&send("#org-news", "Noted, @nadia.")).await.text;
    assert!(reply.contains("#org-news"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn addresses_of_the_workspace_and_of_its_organization_are_ours_and_others_are_not() {
    let server = organization(Some(OPERATIONS)).await;
    for ours in ["harbor-ops.enterprise", "harbor-group.enterprise", "harbor-ops"] {
        let address = format!("https://{ours}.slack.com/archives/C0OPSFLOOR0");
        let reply = server.call(&read(&address)).await.text;
        assert!(reply.contains("#ops-floor"), "{address}: {reply}");
    }
    for other in ["harbor-example", "acme.enterprise", "acme"] {
        let address = format!("https://{other}.slack.com/archives/C0OPSFLOOR0");
        let error = server.refusal(&read(&address)).await;
        assert!(error.kind() == Kind::InvalidArgument && error.message().contains(other), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_token_serves_several_workspaces_of_its_organization() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "xoxp-sandbox-org").unwrap();
    let file = folder.path().join("workspaces.toml");
    let one =
        |name: &str, team: &str| format!("[{name}]\nuser-token-file = {token:?}\nteam-id = \"{team}\"\n");
    let tables = [one("harbor", "T0HARBOR001"), one("operations", OPERATIONS)].concat();
    std::fs::write(&file, tables).unwrap();
    let settings = vec![("workspaces", Setting::Path(file))];
    let server = Server::start_with(Options { settings, ..Options::default() }).await;
    let harbor = server.call(&own()).await.text;
    let operations = server.call(&own().with("workspace", "operations")).await.text;
    assert!(harbor.contains("#general") && !harbor.contains("#ops-floor"), "{harbor}");
    assert!(operations.contains("#ops-floor") && !operations.contains("#general"), "{operations}");
}
