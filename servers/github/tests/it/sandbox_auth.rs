//! Who is let in, and how far: tokens of every kind, apps, the device flow.

use crate::support::{
    CLASSIC, IMPORT_API, MAYA, READONLY, REPO_PATH, SCOPELESS, TOMAS,
    fake::{Sandbox, answer, signed},
};
use reqwest::Method;
use serde_json::{Value, json};

const PUBLIC: &str = "repos/harbor-example/docs";

/// A write that any collaborator with the role may do.
fn label() -> Value {
    json!({"name": "from a test", "color": "ff0000"})
}

#[tokio::test(start_paused = true)]
async fn an_unknown_or_expired_token_is_a_bad_credential() {
    let sandbox = Sandbox::start().await;
    for token in ["ghp_revoked", "nonsense"] {
        let refused = sandbox.get_as(token, "user").await;
        assert_eq!(refused.refusal(), (401, "Bad credentials"), "{token}");
        assert_eq!(refused.body["status"], "401");
    }
    // docs.github.com, "Authenticating to the REST API": `token` does as well as `Bearer`.
    for scheme in ["token", "bearer", "Bearer"] {
        let request = sandbox.request_as("", Method::GET, "user");
        let told = answer(request.header("authorization", format!("{scheme} {MAYA}"))).await;
        assert_eq!(told.body["login"], "maya", "{scheme}");
    }
    let row =
        json!({"token": "github_pat_short", "kind": "fine_grained", "login": "maya", "expires_in_s": 60});
    sandbox.control("", "tokens", row).await;
    let good = sandbox.get_as("github_pat_short", "user").await;
    assert_eq!(good.status, 200);
    assert!(good.header("github-authentication-token-expiration").ends_with(" UTC"));
    sandbox.pass(61);
    assert_eq!(sandbox.get_as("github_pat_short", "user").await.refusal(), (401, "Bad credentials"));
    sandbox.control("", "tokens", json!({"token": MAYA, "revoked": true})).await;
    assert_eq!(sandbox.get_as(MAYA, "user").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_what_is_public_and_sees_nothing_else() {
    let sandbox = Sandbox::start().await;
    assert_eq!(sandbox.get_as("", PUBLIC).await.status, 200);
    assert_eq!(sandbox.get_as("", REPO_PATH).await.refusal(), (404, "Not Found"));
    assert_eq!(sandbox.get_as("", "user").await.refusal(), (401, "Requires authentication"));
    let write = sandbox.post_as("", &format!("{PUBLIC}/labels"), label()).await;
    assert_eq!(write.refusal(), (401, "Requires authentication"));
}

#[tokio::test(start_paused = true)]
async fn a_classic_token_is_told_its_scopes_and_what_would_do() {
    let sandbox = Sandbox::start().await;
    let told = sandbox.get_as(CLASSIC, REPO_PATH).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("x-oauth-scopes"), "repo, workflow, read:org, gist, notifications");
    assert_eq!(told.header("x-accepted-oauth-scopes"), "repo");
    let hidden = sandbox.get_as(SCOPELESS, REPO_PATH).await;
    assert_eq!(hidden.refusal(), (404, "Not Found"));
    assert_eq!(hidden.header("x-oauth-scopes"), "read:user");
    assert_eq!(hidden.header("x-accepted-oauth-scopes"), "repo");
    assert_eq!(sandbox.get_as(SCOPELESS, PUBLIC).await.status, 200);
    let write = sandbox.post_as(SCOPELESS, &format!("{PUBLIC}/labels"), label()).await;
    assert_eq!((write.status, write.header("x-accepted-oauth-scopes")), (404, "public_repo, repo"));
    let orgs = sandbox.get_as(SCOPELESS, "user/orgs").await;
    assert_eq!(orgs.status, 403);
    assert!(orgs.body["message"].as_str().unwrap().contains("read:org scope"));
    assert_eq!(sandbox.get_as(SCOPELESS, "orgs/harbor-example/teams").await.status, 403);
    assert_eq!(sandbox.get_as(CLASSIC, "orgs/harbor-example/teams").await.body[0]["slug"], "engineering");
    assert_eq!(sandbox.get_as(MAYA, REPO_PATH).await.header("x-oauth-scopes"), "");
}

#[tokio::test(start_paused = true)]
async fn a_fine_grained_token_is_told_which_permission_it_lacks() {
    let sandbox = Sandbox::start().await;
    assert_eq!(sandbox.get_as(READONLY, &format!("{REPO_PATH}/labels")).await.status, 200);
    let refused = sandbox.post_as(READONLY, &format!("{REPO_PATH}/labels"), label()).await;
    assert_eq!(refused.refusal(), (403, "Resource not accessible by personal access token"));
    assert_eq!(refused.header("x-accepted-github-permissions"), "issues=write");
    assert_eq!(sandbox.get_as(IMPORT_API, REPO_PATH).await.status, 200);
    assert_eq!(sandbox.get_as(IMPORT_API, "repos/harbor-example/web").await.refusal(), (404, "Not Found"));
    assert_eq!(sandbox.get_as(IMPORT_API, PUBLIC).await.status, 200, "what is public is for everybody");
    let refused = sandbox.post_as(IMPORT_API, &format!("{PUBLIC}/labels"), label()).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_token_can_do_no_more_than_its_owner() {
    let sandbox = Sandbox::start().await;
    let row = |token: &str, kind: &str, login: &str| json!({"token": token, "kind": kind, "login": login, "scopes": ["repo"]});
    for (token, kind, login) in [
        ("aiko_classic", "classic", "aiko"),
        ("aiko_fine", "fine_grained", "aiko"),
        ("stranger", "classic", "quickfix-9000"),
    ] {
        sandbox.control("", "tokens", row(token, kind, login)).await;
    }
    let status = json!({"state": "success"});
    let head = sandbox.get_as(MAYA, &format!("{REPO_PATH}/commits?per_page=1")).await.body[0]["sha"].clone();
    let path = format!("{REPO_PATH}/statuses/{}", head.as_str().unwrap());
    assert_eq!(sandbox.get_as("aiko_classic", REPO_PATH).await.status, 200, "she may read");
    assert_eq!(sandbox.post_as("aiko_classic", &path, status.clone()).await.refusal(), (404, "Not Found"));
    let refused = sandbox.post_as("aiko_fine", &path, status.clone()).await;
    assert_eq!(refused.refusal(), (403, "Resource not accessible by personal access token"));
    assert_eq!(sandbox.post_as(TOMAS, &path, status).await.status, 201, "he may write");
    assert_eq!(sandbox.get_as("stranger", REPO_PATH).await.status, 404);
    assert_eq!(sandbox.get_as("stranger", PUBLIC).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_organization_may_want_a_single_sign_on() {
    let sandbox = Sandbox::start().await;
    let row = json!({"token": "ghp_sso", "kind": "classic", "login": "maya", "scopes": ["repo", "read:org"],
        "sso": ["harbor-example"]});
    sandbox.control("", "tokens", row).await;
    // docs.github.com, "Troubleshooting the REST API": the header has the address to go to.
    let refused = sandbox.get_as("ghp_sso", REPO_PATH).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .header("x-github-sso")
            .starts_with("required; url=https://github.com/orgs/harbor-example/sso")
    );
    let query = "query { repository(owner: \"harbor-example\", name: \"import-api\") { id } }";
    let refused = sandbox.graphql_as("ghp_sso", query, Value::Null).await;
    assert_eq!(refused.body["errors"][0]["type"], "FORBIDDEN");
    assert_eq!(refused.body["errors"][0]["extensions"]["saml_failure"], true);
    assert_eq!(sandbox.get_as("ghp_sso", "repos/maya/dotfiles").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_app_asks_as_itself_and_as_its_installations() {
    let sandbox = Sandbox::start().await;
    let app = sandbox.app_token();
    assert_eq!(sandbox.get_as(&app, "app").await.body["slug"], "harbor-bot");
    let installations = sandbox.get_as(&app, "app/installations").await;
    assert_eq!(installations.body[0]["id"], 5100);
    assert_eq!(installations.body[1]["account"]["login"], "maya");
    for path in ["orgs/harbor-example/installation", "repos/harbor-example/import-api/installation"] {
        assert_eq!(sandbox.get_as(&app, path).await.body["id"], 5100, "{path}");
    }
    assert_eq!(sandbox.get_as(&app, "users/maya/installation").await.body["id"], 5101);
    assert_eq!(sandbox.get_as(&app, "users/tomas/installation").await.status, 404);

    let tokens = "app/installations/5100/access_tokens";
    let minted = sandbox.post_as(&app, tokens, json!({})).await;
    assert_eq!((minted.status, &minted.body["repository_selection"]), (201, &json!("all")));
    let token = minted.body["token"].as_str().unwrap();
    assert_eq!(sandbox.get_as(token, REPO_PATH).await.status, 200);
    let repositories = sandbox.get_as(token, "installation/repositories").await.body;
    assert_eq!(repositories["repository_selection"], Value::Null);
    assert!(repositories["total_count"].as_u64().unwrap() >= 4);
    assert_eq!(
        sandbox.get_as(token, "user").await.refusal(),
        (403, "Resource not accessible by integration")
    );
    let outside = sandbox.post_as(token, "repos/maya/dotfiles/labels", label()).await;
    assert_eq!(outside.refusal(), (403, "Resource not accessible by integration"));
    assert_eq!(sandbox.get_as(MAYA, "installation/repositories").await.status, 403);
    sandbox.pass(3601);
    assert_eq!(sandbox.get_as(token, REPO_PATH).await.status, 401, "it lives for an hour");
}

#[tokio::test(start_paused = true)]
async fn an_installations_token_can_be_narrowed_and_not_widened() {
    let sandbox = Sandbox::start().await;
    let app = sandbox.app_token();
    let tokens = "app/installations/5100/access_tokens";
    let wish = json!({"repositories": ["import-api"], "permissions": {"issues": "read"}});
    let minted = sandbox.post_as(&app, tokens, wish).await;
    assert_eq!(minted.body["repository_selection"], "selected");
    assert_eq!(minted.body["repositories"][0]["full_name"], "harbor-example/import-api");
    assert_eq!(minted.body["permissions"], json!({"issues": "read"}));
    let token = minted.body["token"].as_str().unwrap();
    assert_eq!(sandbox.get_as(token, &format!("{REPO_PATH}/labels")).await.status, 200);
    assert_eq!(sandbox.get_as(token, "repos/harbor-example/web").await.status, 404);
    let refused = sandbox.post_as(token, &format!("{REPO_PATH}/labels"), label()).await;
    assert_eq!(refused.header("x-accepted-github-permissions"), "issues=write");
    for wish in [
        json!({"repositories": ["dotfiles"]}),
        json!({"permissions": {"administration": "read"}}),
        json!({"permissions": {"members": "write"}}),
        json!({"permissions": {"workflows": "read"}}),
    ] {
        assert_eq!(sandbox.post_as(&app, tokens, wish.clone()).await.status, 422, "{wish}");
    }
    assert_eq!(sandbox.post_as(&app, "app/installations/7/access_tokens", json!({})).await.status, 404);
    assert_eq!(
        sandbox.post_as(MAYA, tokens, json!({})).await.refusal(),
        (401, "A JSON web token could not be decoded")
    );
}

#[tokio::test(start_paused = true)]
async fn an_apps_own_token_must_be_signed_and_short_lived() {
    let sandbox = Sandbox::start().await;
    let now = sandbox.now();
    let says = |claims: Value| {
        let sandbox = &sandbox;
        async move {
            sandbox.get_as(&signed(&claims), "app").await.body["message"].as_str().unwrap_or("").to_owned()
        }
    };
    // The words of api.github.com; octokit's auth-app looks for them.
    let expired = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
    let early =
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
    assert_eq!(says(json!({"iss": "4100", "iat": now, "exp": now - 1})).await, expired);
    assert_eq!(says(json!({"iss": "4100", "iat": now})).await, expired);
    assert_eq!(says(json!({"iss": "4100", "iat": now + 300, "exp": now + 400})).await, early);
    assert!(
        says(json!({"iss": "4100", "iat": now, "exp": now + 900})).await.ends_with("too far in the future")
    );
    assert_eq!(says(json!({"iss": "9", "iat": now, "exp": now + 60})).await, "Integration not found");
    let by_client_id = signed(&json!({"iss": "Iv1.sandbox0app", "iat": now, "exp": now + 60}));
    assert_eq!(sandbox.get_as(&by_client_id, "app").await.status, 200);
    // Another claim under the same signature.
    let parts: Vec<&str> = by_client_id.split('.').collect();
    let forged = signed(&json!({"iss": "4100", "iat": now, "exp": now + 70}));
    let forged = format!("{}.{}.{}", parts[0], forged.split('.').nth(1).unwrap(), parts[2]);
    assert_eq!(
        sandbox.get_as(&forged, "app").await.refusal(),
        (401, "A JSON web token could not be decoded")
    );
    assert_eq!(sandbox.get_as(&by_client_id, REPO_PATH).await.status, 404, "as itself an app sees no code");
}

#[tokio::test(start_paused = true)]
async fn a_device_gets_a_token_when_somebody_enters_its_code() {
    let sandbox = Sandbox::start().await;
    let send = |path: &'static str, body: Value| {
        let request = sandbox.request_as("", Method::POST, path).header("accept", "application/json");
        async move { answer(request.json(&body)).await }
    };
    let code = send("login/device/code", json!({"client_id": "Iv1.sandbox0app"})).await.body;
    assert_eq!((&code["interval"], &code["expires_in"]), (&json!(5), &json!(900)));
    let poll = json!({
        "client_id": "Iv1.sandbox0app", "device_code": code["device_code"],
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
    });
    let again = || send("login/oauth/access_token", poll.clone());
    let pending = again().await;
    assert_eq!((pending.status, &pending.body["error"]), (200, &json!("authorization_pending")));
    let slower = again().await;
    assert_eq!((&slower.body["error"], &slower.body["interval"]), (&json!("slow_down"), &json!(10)));
    sandbox.pass(10);
    sandbox.control("", "device", json!({"user_code": code["user_code"], "login": "tomas"})).await;
    let given = again().await.body;
    let token = given["access_token"].as_str().unwrap();
    assert!(token.starts_with("ghu_"));
    assert_eq!(sandbox.get_as(token, "user").await.body["login"], "tomas");
    assert_eq!(sandbox.get_as(token, REPO_PATH).await.status, 200);
    assert_eq!(sandbox.get_as(token, "user/installations").await.body["installations"][0]["id"], 5100);
    sandbox.pass(10);
    assert_eq!(again().await.body["error"], "incorrect_device_code", "a code is good once");

    let refresh = json!({
        "client_id": "Iv1.sandbox0app", "grant_type": "refresh_token", "refresh_token": given["refresh_token"],
    });
    let renewed = send("login/oauth/access_token", refresh.clone()).await.body;
    assert_eq!(sandbox.get_as(token, "user").await.status, 401, "the old one ends");
    assert_eq!(sandbox.get_as(renewed["access_token"].as_str().unwrap(), "user").await.status, 200);
    let spent = send("login/oauth/access_token", refresh).await;
    assert_eq!((spent.status, &spent.body["error"]), (200, &json!("bad_refresh_token")));
}

#[tokio::test(start_paused = true)]
async fn a_device_is_told_no_and_too_late() {
    let sandbox = Sandbox::start().await;
    let send = |path: &'static str, body: Value| {
        let request = sandbox.request_as("", Method::POST, path).header("accept", "application/json");
        async move { answer(request.json(&body)).await.body }
    };
    let unknown = send("login/device/code", json!({"client_id": "Iv1.nobody"})).await;
    assert_eq!(unknown["error"], "Not Found");
    let poll = |code: &Value| {
        json!({
            "client_id": "Iv1.sandbox0app", "device_code": code["device_code"],
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        })
    };
    let code = send("login/device/code", json!({"client_id": "Iv1.sandbox0app"})).await;
    sandbox.control("", "device", json!({"user_code": code["user_code"], "deny": true})).await;
    assert_eq!(send("login/oauth/access_token", poll(&code)).await["error"], "access_denied");
    let code = send("login/device/code", json!({"client_id": "Iv1.sandbox0app"})).await;
    sandbox.pass(901);
    assert_eq!(send("login/oauth/access_token", poll(&code)).await["error"], "expired_token");
    let form = sandbox.request_as("", Method::POST, "login/oauth/access_token").form(&[("client_id", "x")]);
    let text = form.send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with("error=incorrect_client_credentials&"), "without asking, no JSON: {text}");
}

#[tokio::test(start_paused = true)]
async fn people_see_themselves_and_their_organizations() {
    let sandbox = Sandbox::start().await;
    let me = sandbox.get_as(MAYA, "user").await.body;
    assert_eq!((&me["login"], &me["two_factor_authentication"]), (&json!("maya"), &json!(true)));
    let public = sandbox.get_as(MAYA, "users/tomas").await.body;
    assert_eq!((&public["name"], public.get("plan")), (&json!("Tomás Herrera"), None));
    assert_eq!(sandbox.get_as(MAYA, "user/orgs").await.body[0]["login"], "harbor-example");
    assert_eq!(sandbox.get_as(MAYA, "user/teams").await.body[0]["slug"], "engineering");
    let team = "orgs/harbor-example/teams/imports";
    let members = sandbox.get_as(MAYA, &format!("{team}/members")).await.body;
    assert_eq!((&members[0]["login"], &members[1]["login"]), (&json!("tomas"), &json!("priya")));
    let maintainers =
        sandbox.get_as(MAYA, "orgs/harbor-example/teams/engineering/members?role=maintainer").await;
    assert_eq!(maintainers.body[0]["login"], "maya");
    let row = json!({"token": "outsider", "kind": "classic", "login": "mbell-northwind", "scopes": ["repo"]});
    sandbox.control("", "tokens", row).await;
    assert_eq!(sandbox.get_as("outsider", "orgs/harbor-example").await.status, 200);
    assert_eq!(sandbox.get_as("outsider", team).await.status, 404, "teams are for members");
    assert_eq!(sandbox.get_as(MAYA, "users/nobody-here").await.status, 404);
    assert_eq!(sandbox.get_as("", "versions").await.body, json!(["2026-03-10", "2022-11-28"]));
}
