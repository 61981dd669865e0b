//! Logins whose tokens rotate (docs.slack.dev/authentication/using-token-rotation), alone and beside others.

use std::{fs, time::Duration};

use connector::{
    Connector as _, Error, Secret, Service, ServiceOptions,
    access::{Principal, Selection},
    catalog::{Answer, Silent},
    settings::{Config, Value as Setting},
    upstream::Options,
};
use futures::future::join_all;
use serde_json::{Value, json};
use slack_mcp::Slack;

use crate::support::{GENERAL, Server, sent, text};

const APP: &str = "1111111111.2222222222";
const SCOPES: &str =
    "users:read,users:read.email,channels:read,groups:read,im:read,mpim:read,channels:history";

/// The refresh token of a login of the fake's, made as a browser would, as a person (`user_scope`) or as a bot
/// (`scope`).
async fn login(server: &Server, whose: &str) -> String {
    let base = server.harness().url().clone();
    let http =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let asked = format!(
        "oauth/v2/authorize?client_id={APP}&{whose}={SCOPES}&redirect_uri=http://localhost:1/x&state=s"
    );
    let answer = http.get(base.join(&asked).unwrap()).send().await.unwrap();
    let target = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code = target.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", APP),
            ("client_secret", "sandbox-secret"),
            ("code", &code),
            ("redirect_uri", "http://localhost:1/x"),
        ])
        .finish();
    let exchange = http
        .post(base.join("api/oauth.v2.access").unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let tokens: Value =
        serde_json::from_slice(&exchange.send().await.unwrap().bytes().await.unwrap()).unwrap();
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

/// A server over the fake with these settings alone.
fn connect(server: &Server, settings: Vec<(&'static str, Setting)>) -> Result<Service<Slack>, Error> {
    let upstream = Options::new(server.harness().url().join("api").unwrap());
    let mut config = Config::default();
    for (key, value) in settings {
        config.set(key, value);
    }
    let slack = Slack::connect(&config, upstream)?;
    let catalog = Slack::catalog().select(&Selection::default()).unwrap();
    Ok(Service::new(slack, catalog, ServiceOptions::default()))
}

/// Twenty calls at once, each of which must be answered.
async fn twenty(service: &Service<Slack>, workspace: &str) {
    let one = || async {
        let tool = service.tool("read_channel").unwrap();
        let arguments = json!({"channel": GENERAL, "workspace": workspace}).as_object().cloned().unwrap();
        service.call(tool, Principal::local(), arguments, false, std::sync::Arc::new(Silent)).await
    };
    let answers: Vec<Result<Answer, Error>> = join_all((0..20).map(|_| one())).await;
    for answer in answers {
        assert!(answer.is_ok(), "{workspace}: {:?}", answer.err());
    }
}

/// The refresh tokens that were given in exchange so far; of tokens the journal keeps digests.
fn exchanged(server: &Server) -> Vec<String> {
    let all = sent(server, "oauth.v2.access").into_iter();
    all.filter_map(|form| form.get("refresh_token").cloned()).collect()
}

#[tokio::test(start_paused = true)]
async fn twenty_parallel_calls_with_an_expired_token_refresh_once() {
    let server = Server::start().await;
    let refresh = login(&server, "user_scope").await;
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![
        ("client-id", text(APP)),
        ("client-secret", Setting::Secret(Secret::new("sandbox-secret"))),
        ("refresh-token", Setting::Secret(Secret::new(&refresh))),
        ("token-store", Setting::Path(folder.path().join("login"))),
    ];
    let service = connect(&server, settings).unwrap();
    twenty(&service, "").await;
    assert_eq!(exchanged(&server).len(), 1, "the login was renewed once, to begin with");
    server.harness().clock().advance(Duration::from_secs(43_300));
    twenty(&service, "").await;
    assert_eq!(exchanged(&server).len(), 2, "twenty calls with an expired token renewed it once");
}

/// An app with PKCE has none (docs.slack.dev/authentication/using-pkce).
#[tokio::test(start_paused = true)]
async fn a_login_is_renewed_without_a_secret() {
    let server = Server::start().await;
    let refresh = login(&server, "user_scope").await;
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![
        ("client-id", text(APP)),
        ("refresh-token", Setting::Secret(Secret::new(&refresh))),
        ("token-store", Setting::Path(folder.path().join("login"))),
    ];
    twenty(&connect(&server, settings).unwrap(), "").await;
    let renewed = sent(&server, "oauth.v2.access").pop().unwrap();
    assert!(renewed.contains_key("refresh_token") && !renewed.contains_key("client_secret"), "{renewed:?}");
}

/// Each workspace's login is its own: renewed once, by its own token, and no other is touched by that.
#[tokio::test(start_paused = true)]
async fn several_workspaces_rotate_their_tokens_each_by_itself() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, contents: &str| {
        let path = folder.path().join(name);
        fs::write(&path, contents).unwrap();
        path
    };
    let store = |name: &str| folder.path().join(format!("{name}.store"));
    let secret = file("secret", "sandbox-secret");
    let table = |name: &str, refresh: &str, kept: &str| {
        let refresh = file(name, refresh);
        let kept = store(kept);
        format!(
            "[{name}]\nrefresh-token-file = {refresh:?}\nclient-id = \"{APP}\"\nclient-secret-file = {secret:?}\ntoken-store = {kept:?}\n"
        )
    };
    let refresh = [login(&server, "user_scope").await, login(&server, "scope").await];
    let tables = [table("acme", &refresh[0], "acme"), table("beta", &refresh[1], "beta")].concat();
    let workspaces = |tables: &str| vec![("workspaces", Setting::Path(file("workspaces.toml", tables)))];
    let service = connect(&server, workspaces(&tables)).unwrap();
    futures::join!(twenty(&service, "acme"), twenty(&service, "beta"));
    let first = exchanged(&server);
    assert!(first.len() == 2 && first[0] != first[1], "each was renewed once, to begin with: {first:?}");
    let credentials = server.harness().journal().of("conversations.history");
    let tokens: std::collections::BTreeSet<_> = credentials.iter().map(|entry| &entry.credential).collect();
    assert_eq!(tokens.len(), 2, "each workspace is asked with its own token");

    let kept = |name: &str| fs::read(store(name)).unwrap();
    let (acme, beta) = (kept("acme"), kept("beta"));
    server.harness().clock().advance(Duration::from_secs(43_300));
    twenty(&service, "acme").await;
    assert_eq!(exchanged(&server).len(), 3, "twenty calls with an expired token renewed it once");
    assert!(kept("acme") != acme && kept("beta") == beta, "the other login stays as it is");
    let acme = kept("acme");
    twenty(&service, "beta").await;
    assert_eq!(exchanged(&server).len(), 4, "and the other once");
    assert!(kept("beta") != beta && kept("acme") == acme);

    // What could not work is told at the start.
    let shared = [table("acme", &refresh[0], "acme"), table("beta", &refresh[1], "acme")].concat();
    for (tables, why) in [
        (shared, "token-store of beta is that of another"),
        (tables.replace(&format!("client-id = \"{APP}\"\n"), ""), "client-id"),
        (format!("{tables}user-token-file = {secret:?}\n"), "a refresh token and another"),
        (format!("{tables}team-id = \"harbor\"\n"), "beta: `team-id`: `harbor` is not the id of a workspace"),
    ] {
        let error = connect(&server, workspaces(&tables)).map(drop).unwrap_err();
        assert!(error.for_agent().contains(why), "{why}: {error}");
    }
    // Beside the login that the settings name, too.
    let mut beside = workspaces(&tables);
    beside.push(("client-id", text(APP)));
    beside.push(("refresh-token", Setting::Secret(Secret::new(&refresh[0]))));
    beside.push(("token-store", Setting::Path(store("acme"))));
    let error = connect(&server, beside).map(drop).unwrap_err();
    assert!(error.for_agent().contains("token-store of acme is that of another"), "{error}");
    let named = vec![("team-id", text("harbor"))];
    let error = connect(&server, named).map(drop).unwrap_err();
    assert!(error.for_agent().contains("`harbor` is not the id of a workspace"), "{error}");
}
