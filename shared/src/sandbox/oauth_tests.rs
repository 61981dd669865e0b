//! The OAuth endpoints, as a client meets them.

use std::time::Duration;

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

use super::{OAuth, OAuthClient, OAuthRules, Tokens, VirtualClock};

const HOUR: Duration = Duration::from_secs(3600);
const VERIFIER: &str = "a-verifier-that-is-long-enough-to-be-one-0123456789";

struct Bench {
    clock: VirtualClock,
    oauth: OAuth,
}

impl Bench {
    fn new() -> Self {
        let rules = OAuthRules {
            authorize_path: "/oauth/authorize",
            token_path: "/oauth/token",
            revoke_path: "/oauth/revoke",
            scope_separator: ',',
            scopes: &["read", "write", "admin"],
            access_prefix: "acc_",
            refresh_prefix: "ref_",
            access_ttl: 24 * HOUR,
            replay_grace: HOUR / 2,
            machine_ttl: Some(30 * 24 * HOUR),
            answer: Tokens::standard,
        };
        let client = |id: &str, secret: Option<&str>| OAuthClient {
            id: id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uris: vec![
                "https://app.example/callback".to_owned(),
                "http://127.0.0.1/callback".to_owned(),
            ],
            subject: "maya".to_owned(),
        };
        let clock = VirtualClock::new();
        let clients = vec![client("web", Some("s3cret")), client("desktop", None)];
        Self { oauth: OAuth::new(rules, &clock, clients), clock }
    }

    /// Asks for a code; the parameters of the address that the browser is sent to.
    async fn authorize(&self, change: &[(&str, &str)]) -> Result<Vec<(String, String)>, StatusCode> {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut params = vec![
            ("client_id", "desktop"),
            ("redirect_uri", "http://127.0.0.1:49152/callback"),
            ("response_type", "code"),
            ("scope", "read,write"),
            ("state", "st&te"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        params.retain(|(name, _)| change.iter().all(|(changed, _)| changed != name));
        params.extend(change.iter().filter(|(_, value)| !value.is_empty()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let request = Request::get(format!("/oauth/authorize?{query}")).body(Body::empty()).unwrap();
        let answer = self.oauth.router().oneshot(request).await.unwrap();
        if answer.status() != StatusCode::FOUND {
            return Err(answer.status());
        }
        let target = Url::parse(answer.headers()[header::LOCATION].to_str().unwrap()).unwrap();
        Ok(target.query_pairs().into_owned().collect())
    }

    async fn code(&self) -> String {
        self.authorize(&[]).await.unwrap().remove(0).1
    }

    async fn post(&self, path: &str, params: &[(&str, &str)]) -> (StatusCode, Value) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let request = Request::post(path).body(Body::from(body)).unwrap();
        let answer = self.oauth.router().oneshot(request).await.unwrap();
        let status = answer.status();
        (status, serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap())
    }

    async fn exchange(&self, code: &str, verifier: &str) -> (StatusCode, Value) {
        let params = [
            ("grant_type", "authorization_code"),
            ("client_id", "desktop"),
            ("code", code),
            ("redirect_uri", "http://127.0.0.1:49152/callback"),
            ("code_verifier", verifier),
        ];
        self.post("/oauth/token", &params).await
    }

    async fn refresh(&self, token: &Value) -> (StatusCode, Value) {
        let token = token.as_str().unwrap();
        let params = [("grant_type", "refresh_token"), ("client_id", "desktop"), ("refresh_token", token)];
        self.post("/oauth/token", &params).await
    }

    fn good(&self, token: &Value) -> bool {
        self.oauth.check(token.as_str().unwrap()).is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_with_its_verifier_becomes_tokens() {
    let bench = Bench::new();
    let params = bench.authorize(&[]).await.unwrap();
    assert_eq!(params[0].0, "code");
    assert_eq!(params[1], ("state".to_owned(), "st&te".to_owned()));
    let (status, tokens) = bench.exchange(&params[0].1, VERIFIER).await;
    assert_eq!(status, 200);
    assert_eq!(tokens["expires_in"], 86_400);
    assert_eq!(tokens["scope"], "read write");
    let grant = bench.oauth.check(tokens["access_token"].as_str().unwrap()).unwrap();
    assert_eq!((grant.client.as_str(), grant.subject.as_deref()), ("desktop", Some("maya")));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_wrong_gets_no_code() {
    let bench = Bench::new();
    let error =
        async |change: &[(&str, &str)]| bench.authorize(change).await.map(|params| params[0].1.clone());
    assert_eq!(error(&[("client_id", "nobody")]).await, Err(StatusCode::BAD_REQUEST));
    assert_eq!(
        error(&[("redirect_uri", "https://evil.example/callback")]).await,
        Err(StatusCode::BAD_REQUEST)
    );
    assert_eq!(error(&[("redirect_uri", "http://127.0.0.1:1/other")]).await, Err(StatusCode::BAD_REQUEST));
    assert_eq!(error(&[("response_type", "token")]).await.unwrap(), "unsupported_response_type");
    assert_eq!(error(&[("code_challenge", "")]).await.unwrap(), "invalid_request");
    assert_eq!(error(&[("code_challenge_method", "plain")]).await.unwrap(), "invalid_request");
    assert_eq!(error(&[("scope", "read,root")]).await.unwrap(), "invalid_scope");
}

#[tokio::test(start_paused = true)]
async fn a_code_is_good_once_with_its_own_verifier_for_ten_minutes() {
    let bench = Bench::new();
    assert_eq!(bench.exchange(&bench.code().await, "another-verifier").await.1["error"], "invalid_grant");
    let late = bench.code().await;
    bench.clock.advance(Duration::from_secs(601));
    assert_eq!(bench.exchange(&late, VERIFIER).await.1["error"], "invalid_grant");

    let code = bench.code().await;
    let (_, tokens) = bench.exchange(&code, VERIFIER).await;
    assert!(bench.good(&tokens["access_token"]));
    assert_eq!(bench.exchange(&code, VERIFIER).await.0, 400);
    assert!(!bench.good(&tokens["access_token"]), "a code that comes twice ends what it was exchanged for");
    assert_eq!(bench.refresh(&tokens["refresh_token"]).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn tokens_expire_and_refresh_tokens_rotate_with_a_grace() {
    let bench = Bench::new();
    let (_, first) = bench.exchange(&bench.code().await, VERIFIER).await;
    bench.clock.advance(24 * HOUR);
    assert!(!bench.good(&first["access_token"]));

    let (status, second) = bench.refresh(&first["refresh_token"]).await;
    assert_eq!(status, 200);
    assert!(bench.good(&second["access_token"]));
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    bench.clock.advance(HOUR / 2);
    assert_eq!(bench.refresh(&first["refresh_token"]).await.1["access_token"], second["access_token"]);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.refresh(&first["refresh_token"]).await.1["error"], "invalid_grant");
    assert_eq!(bench.refresh(&second["refresh_token"]).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn machines_get_tokens_of_their_own_for_one_set_of_scopes() {
    let bench = Bench::new();
    let ask = async |secret: &str, scope: &str| {
        let params = [
            ("grant_type", "client_credentials"),
            ("client_id", "web"),
            ("client_secret", secret),
            ("scope", scope),
        ];
        bench.post("/oauth/token", &params).await
    };
    assert_eq!(ask("wrong", "read").await.0, 401);
    let (_, first) = ask("s3cret", "read").await;
    assert_eq!(first.get("refresh_token"), None);
    assert_eq!(first["expires_in"], 30 * 86_400);
    let grant = bench.oauth.check(first["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(grant.subject, None);
    let (_, again) = ask("s3cret", "read").await;
    assert!(bench.good(&first["access_token"]) && bench.good(&again["access_token"]));
    ask("s3cret", "read,write").await;
    assert!(!bench.good(&first["access_token"]) && !bench.good(&again["access_token"]));
    assert!(
        bench.post("/oauth/token", &[("grant_type", "client_credentials"), ("client_id", "desktop")]).await.0
            == 400
    );
}

#[tokio::test(start_paused = true)]
async fn revoking_one_token_ends_its_family() {
    let bench = Bench::new();
    let tokens = bench.oauth.issue("web", &["read"]).unwrap();
    let other = bench.oauth.issue("web", &["read"]).unwrap();
    assert_eq!(bench.post("/oauth/revoke", &[("token", &tokens.access)]).await.0, 200);
    assert!(bench.oauth.check(&tokens.access).is_none());
    assert!(bench.oauth.check(&other.access).is_some());
    let refresh = tokens.refresh.unwrap();
    let params = [
        ("grant_type", "refresh_token"),
        ("client_id", "web"),
        ("client_secret", "s3cret"),
        ("refresh_token", &refresh),
    ];
    assert_eq!(bench.post("/oauth/token", &params).await.1["error"], "invalid_grant");
    assert_eq!(bench.post("/oauth/revoke", &[("token", "unknown")]).await.0, 200);
    assert_eq!(bench.post("/oauth/revoke", &[]).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_show_its_secret_by_basic_authentication() {
    let bench = Bench::new();
    let request = Request::post("/oauth/token")
        .header(header::AUTHORIZATION, "Basic d2ViOnMzY3JldA==")
        .body(Body::from("grant_type=client_credentials&scope=read"))
        .unwrap();
    assert_eq!(bench.oauth.router().oneshot(request).await.unwrap().status(), 200);
}
