//! Who one is, teams and their members, and `doctor`, over the sandbox.

use crate::support::{
    CLASSIC, REPO, SCOPELESS, TOMAS,
    reply::cursor,
    server::{Setup, site},
};
use connector::{
    CheckState,
    sandbox::{Action, Rule},
    settings::Value as Set,
};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn whoami_tells_the_person_the_reach_and_the_limits() {
    let site = Setup::new()
        .list("allow-repos", &["harbor-example/*"])
        .list("allow-write-repos", &[REPO])
        .set("repo", Set::Text(REPO.to_owned()))
        .set("sandbox", Set::Switch(true))
        .start()
        .await;
    let text = site.reply("whoami", json!({})).await;
    assert!(text.starts_with("@maya (Maya Lindqvist)."), "{text}");
    assert!(text.contains("a fake GitHub. Nothing in it is real."), "{text}");
    assert!(text.contains("GitHub does not tell those of this kind of token"), "{text}");
    assert!(text.contains("Limits left: core 4,9") && text.contains("search 30 of 30"), "{text}");
    let bounds = "Reach: only harbor-example/*; writes only to harbor-example/import-api. \
        Where none is named: harbor-example/import-api.";
    assert!(text.contains(bounds), "{text}");
    assert!(!text.contains("Organizations"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn organizations_and_teams_come_when_asked_for() {
    let site = site().await;
    let text = site.reply("whoami", json!({"include": ["orgs", "teams"]})).await;
    assert!(text.contains("Organizations: harbor-example."), "{text}");
    assert!(text.contains("harbor-example/engineering"), "{text}");
    site.fault("GET /user/teams", Action::status(403));
    // What was kept is old after a minute.
    tokio::time::advance(std::time::Duration::from_secs(61)).await;
    let text = site.reply("whoami", json!({"include": ["orgs", "teams"]})).await;
    assert!(
        text.contains("Organizations: harbor-example.") && text.contains("Teams: could not be read."),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_classic_token_tells_its_scopes_and_what_they_lack() {
    let site = Setup::new().token(CLASSIC).start().await;
    let text = site.reply("whoami", json!({})).await;
    assert!(text.contains("Credential: a classic personal access token"), "{text}");
    assert!(text.contains("Scopes: ") && text.contains("read:org") && !text.contains("Missing"), "{text}");
    let site = Setup::new().token(SCOPELESS).start().await;
    let text = site.reply("whoami", json!({})).await;
    assert!(text.contains("Scopes: read:user."), "{text}");
    assert!(
        text.contains("read:org (for list_members)") && text.contains("workflow or repo (for run_workflow)"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_said_so() {
    let site = Setup::new().token("ghp_revoked").start().await;
    let text = site.reply("whoami", json!({})).await;
    assert!(text.starts_with("ERROR auth"), "{text}");
    let checks = site.diagnose().await;
    let account = checks.iter().find(|check| check.name == "account").unwrap();
    assert_eq!(account.state, CheckState::Bad);
    assert!(account.fix.as_deref().unwrap().contains("GITHUB_TOKEN"));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_token_and_an_own_server_are_told() {
    let site = site().await;
    let headers = [
        ("github-authentication-token-expiration", "2031-01-02 09:00:00 UTC"),
        ("x-github-enterprise-version", "3.21.0"),
        ("content-type", "application/json"),
    ];
    let answer = Action::Status {
        code: 200,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: r#"{"login": "maya", "name": null}"#.to_owned(),
        committed: false,
    };
    site.fault("GET /user", answer);
    let text = site.reply("whoami", json!({})).await;
    assert!(text.contains("good until 2031-01-02 09:00:00 UTC"), "{text}");
    let checks = site.diagnose().await;
    let found = |name: &str| checks.iter().find(|check| check.name == name).unwrap().found.clone();
    assert!(found("server").contains("GitHub Enterprise Server 3.21.0"), "{checks:?}");
    assert!(found("expiry").contains("2031-01-02"), "{checks:?}");
}

#[tokio::test(start_paused = true)]
async fn an_installation_is_no_person_and_tells_what_it_sees() {
    let site = site().await;
    // docs.github.com, "Get the authenticated user": not for installations.
    let refused = Action::Status {
        code: 403,
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: r#"{"message": "Resource not accessible by integration"}"#.to_owned(),
        committed: false,
    };
    site.rule(Rule::new("GET /user", refused).always());
    let seen = Action::Status {
        code: 200,
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: r#"{"total_count": 5, "repository_selection": "selected",
            "repositories": [{"full_name": "harbor-example/web", "owner": {"login": "harbor-example"}}]}"#
            .to_owned(),
        committed: false,
    };
    site.rule(Rule::new("GET /installation/repositories", seen).always());
    let text = site.reply("whoami", json!({})).await;
    let head = "An installation of a GitHub App on harbor-example, with 5 selected repositories.";
    assert!(text.starts_with(head), "{text}");
    assert!(text.contains("Permissions: not told for this token"), "{text}");
    let day = site.prompt("my_day", &[]).await;
    assert!(day.starts_with("ERROR invalid_argument") && day.contains("an app's"), "{day}");
}

#[tokio::test(start_paused = true)]
async fn teams_and_their_members_are_listed() {
    let site = site().await;
    let teams = site.reply("list_members", json!({"org": "harbor-example"})).await;
    assert!(
        teams.contains("engineering") && teams.contains("imports") && teams.contains("platform"),
        "{teams}"
    );
    let members = site.reply("list_members", json!({"org": "harbor-example", "team": "Imports"})).await;
    assert!(
        members.contains("@tomas") && members.contains("@priya") && !members.contains("@jonas"),
        "{members}"
    );
    let first =
        site.reply("list_members", json!({"org": "harbor-example", "team": "engineering", "limit": 2})).await;
    let second = json!({"org": "harbor-example", "team": "engineering", "limit": 2, "cursor": cursor(&first).unwrap()});
    let second = site.reply("list_members", second).await;
    assert!(second.starts_with("2 members"), "{second}");
    let absent = site.reply("list_members", json!({"org": "harbor-example", "team": "nobody"})).await;
    assert!(absent.starts_with("ERROR not_found: harbor-example has no team nobody"), "{absent}");
}

#[tokio::test(start_paused = true)]
async fn doctor_looks_at_everything_a_call_needs() {
    let site = Setup::new().set("repo", Set::Text("harbor-example/importer".to_owned())).start().await;
    let checks = site.diagnose().await;
    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        ["credential", "server", "account", "rights", "limits", "reach", "repository"],
        "{checks:?}"
    );
    let repository = checks.last().unwrap();
    assert_eq!(repository.state, CheckState::Warning, "it has another name now: {repository:?}");
    assert!(repository.found.contains("admin, default branch main"), "{repository:?}");
    assert!(repository.fix.as_deref().unwrap().contains("harbor-example/import-api"));
    let site = Setup::new().set("repo", Set::Text("harbor-example/nothing".to_owned())).start().await;
    let checks = site.diagnose().await;
    assert_eq!(checks.last().unwrap().state, CheckState::Bad);
}

#[tokio::test(start_paused = true)]
async fn an_account_for_an_owner_is_asked_who_it_is() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOMAS).unwrap();
    let site =
        Setup::new().list("accounts", &[&format!("harbor-*=file:{}", file.path().display())]).start().await;
    let text = site.reply("whoami", json!({})).await;
    assert!(text.starts_with("@maya") && text.contains("For harbor-*: @tomas"), "{text}");
    let checks = site.diagnose().await;
    assert!(
        checks.iter().any(|check| check.name == "accounts" && check.found.contains("@tomas")),
        "{checks:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_app_tells_its_name_its_account_and_its_permissions() {
    let key = include_str!("app_key.pem");
    let site = Setup::new()
        .set("app-id", Set::Text("4100".to_owned()))
        .set("app-private-key", Set::Secret(connector::Secret::new(key)))
        .set("app-installation", Set::Text("5100".to_owned()))
        .start()
        .await;
    let text = site.reply("whoami", json!({})).await;
    assert!(text.starts_with("The GitHub App harbor-bot on harbor-example, with "), "{text}");
    assert!(text.contains("Credential: a GitHub App."), "{text}");
    assert!(text.contains("Permissions: ") && text.contains("issues write"), "{text}");
    assert_eq!(site.sent("GET /user"), 0, "an installation may not ask who it is");
    let checks = site.diagnose().await;
    assert!(checks.iter().all(|check| check.state == CheckState::Good), "{checks:?}");
}
