//! Logins that expire, rotate and are shared.

use std::sync::atomic::AtomicBool;

use futures::future::join_all;
use tempfile::TempDir;
use tokio::time::{advance, sleep, timeout};

use super::*;
use crate::{
    Kind,
    upstream::{
        HttpClient,
        auth::{Grant, OAuth, OAuthOptions, Store, Tokens},
    },
};

const HOUR: Duration = Duration::from_secs(3600);

/// A vendor's token endpoint that rotates refresh tokens, and an API that takes any token.
struct Login {
    server: Server,
    down: Arc<AtomicBool>,
    folder: TempDir,
}

impl Login {
    /// Of a person who logged in just now: access-0 and refresh-0, good for an hour.
    async fn new() -> Self {
        let down = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&down);
        let issued = Arc::new(AtomicUsize::new(0));
        let server = Server::start(move |seen| {
            let (down, issued) = (flag.load(Ordering::Relaxed), Arc::clone(&issued));
            async move {
                if seen.path != "/oauth/token" {
                    return ok("{}");
                }
                sleep(Duration::from_millis(100)).await;
                let current = issued.load(Ordering::Relaxed);
                if down {
                    status(503)
                } else if seen.body.contains("grant_type=client_credentials")
                    || seen.body.contains(&format!("refresh_token=refresh-{current}"))
                {
                    let next = issued.fetch_add(1, Ordering::Relaxed) + 1;
                    axum::Json(serde_json::json!({
                        "access_token": format!("access-{next}"),
                        "refresh_token": format!("refresh-{next}"),
                        "expires_in": 3600, "token_type": "Bearer", "scope": ["read", "write"],
                    }))
                    .into_response()
                } else {
                    (StatusCode::BAD_REQUEST, axum::Json(serde_json::json!({"error": "invalid_grant"})))
                        .into_response()
                }
            }
        })
        .await;
        let login = Self { server, down, folder: tempfile::tempdir().unwrap() };
        let tokens = Tokens::new(Secret::new("access-0"), Some(Secret::new("refresh-0")), Some(HOUR));
        login.store().save(&tokens).unwrap();
        login
    }

    fn store(&self) -> Store {
        Store::new(self.folder.path().join("acme.json"))
    }

    fn options(&self, grant: Grant) -> OAuthOptions {
        OAuthOptions {
            title: "Acme",
            token_url: self.server.url.join("/oauth/token").unwrap(),
            client_id: "client".to_owned(),
            client_secret: Some(Secret::new("client-secret")),
            basic_auth: false,
            grant,
            scope: Some("read,write".to_owned()),
            refresh_ahead: Duration::from_secs(300),
            login_hint: "Run \"acme-mcp login\"".into(),
        }
    }

    /// The credential as another process has it.
    fn process(&self) -> OAuth {
        let connection = HttpClient::new(options(&self.server.url));
        OAuth::new(self.options(Grant::Refresh), Some(self.store()), connection)
    }

    fn renewals(&self) -> usize {
        self.server.seen().iter().filter(|seen| seen.path == "/oauth/token").count()
    }
}

async fn access(credential: &OAuth) -> String {
    credential.token().await.unwrap().expose().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_ahead_of_its_expiry_by_one_of_many() {
    let login = Login::new().await;
    let credential = login.process();
    assert_eq!(access(&credential).await, "access-0");
    advance(HOUR - Duration::from_secs(299)).await;
    let tokens = join_all((0..50).map(|_| access(&credential))).await;
    assert!(tokens.iter().all(|token| token == "access-1"), "{tokens:?}");
    assert_eq!(login.renewals(), 1);
    let stored = login.store().load().unwrap().unwrap();
    assert_eq!(stored.refresh.unwrap().expose(), "refresh-1");
}

#[tokio::test(start_paused = true)]
async fn while_the_endpoint_is_down_the_token_is_used_until_it_expires() {
    let login = Login::new().await;
    let credential = login.process();
    assert_eq!(access(&credential).await, "access-0");
    login.down.store(true, Ordering::Relaxed);
    advance(HOUR - Duration::from_secs(200)).await;
    assert_eq!(access(&credential).await, "access-0");
    assert_eq!(access(&credential).await, "access-0");
    assert_eq!(login.renewals(), 1, "a failure is not repeated at every call");
    advance(Duration::from_secs(201)).await;
    let error = credential.token().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.message().contains("could not be renewed"), "{error}");
    // And when it is back, so are we.
    login.down.store(false, Ordering::Relaxed);
    advance(Duration::from_secs(11)).await;
    assert_eq!(access(&credential).await, "access-1");
}

#[tokio::test(start_paused = true)]
async fn a_token_rotated_by_another_process_is_taken_from_the_store() {
    let login = Login::new().await;
    let (one, other) = (login.process(), login.process());
    assert_eq!(access(&one).await, "access-0");
    assert_eq!(access(&other).await, "access-0");
    advance(HOUR - Duration::from_secs(200)).await;
    assert_eq!(access(&one).await, "access-1");
    assert_eq!(access(&other).await, "access-1");
    assert_eq!(login.renewals(), 1);
    assert_eq!(one.fingerprint(), other.fingerprint());
}

#[tokio::test(start_paused = true)]
async fn processes_that_renew_at_the_same_time_do_it_once() {
    let login = Login::new().await;
    let processes: Vec<_> = (0..4).map(|_| login.process()).collect();
    advance(HOUR).await;
    let tokens = join_all(processes.iter().map(access)).await;
    assert!(tokens.iter().all(|token| token == "access-1"), "{tokens:?}");
    assert_eq!(login.renewals(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_lose_the_rotated_token() {
    let login = Login::new().await;
    let credential = login.process();
    advance(HOUR).await;
    assert!(timeout(Duration::from_millis(50), credential.token()).await.is_err());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(login.store().load().unwrap().unwrap().refresh.unwrap().expose(), "refresh-1");
    assert_eq!(access(&credential).await, "access-1");
    assert_eq!(login.renewals(), 1);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_login_that_could_not_be_stored_is_stored_later() {
    let login = Login::new().await;
    let credential = login.process();
    assert_eq!(access(&credential).await, "access-0");
    // The folder is away for a while, and nothing can be written in its place.
    let (folder, away) = (login.folder.path().to_owned(), login.folder.path().with_extension("away"));
    std::fs::rename(&folder, &away).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", &folder).unwrap();
    advance(HOUR - Duration::from_secs(200)).await;
    assert_eq!(access(&credential).await, "access-1", "it is good all the same");
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    let stored = || login.store().load().unwrap().unwrap().access.expose().to_owned();
    assert_eq!(stored(), "access-0");
    advance(Duration::from_secs(11)).await;
    assert_eq!(access(&credential).await, "access-1");
    assert_eq!((stored().as_str(), login.renewals()), ("access-1", 1));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_over_says_to_log_in_again_and_shows_no_token() {
    let login = Login::new().await;
    let tokens = Tokens::new(Secret::new("access-x"), Some(Secret::new("refresh-x")), Some(Duration::ZERO));
    login.store().save(&tokens).unwrap();
    let error = login.process().token().await.unwrap_err();
    assert_eq!(
        error.for_agent(),
        "auth: Acme no longer accepts the login and says invalid_grant. Run \"acme-mcp login\"."
    );
    let shown = format!("{error:?} {:?} {tokens:?}", login.process());
    assert!(!shown.contains("refresh-x") && !shown.contains("access-x"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_because_another_process_was_faster_is_no_end() {
    let login = Login::new().await;
    let tokens = Tokens::new(Secret::new("old"), Some(Secret::new("used-up")), Some(Duration::ZERO));
    login.store().save(&tokens).unwrap();
    let credential = login.process();
    // One that knows nothing of our lock stores its renewal while we are being refused.
    let faster = async {
        sleep(Duration::from_millis(50)).await;
        let tokens = Tokens::new(Secret::new("newer"), Some(Secret::new("newest")), Some(HOUR));
        login.store().save(&tokens).unwrap();
    };
    let (token, ()) = tokio::join!(access(&credential), faster);
    assert_eq!(token, "newer");
    assert_eq!(login.renewals(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_without_a_refresh_token_ends_with_its_token() {
    let login = Login::new().await;
    login.store().save(&Tokens::new(Secret::new("short"), None, Some(HOUR))).unwrap();
    let credential = login.process();
    advance(HOUR - Duration::from_secs(1)).await;
    assert_eq!(access(&credential).await, "short");
    advance(Duration::from_secs(20)).await;
    let error = credential.token().await.unwrap_err();
    assert_eq!(error.for_agent(), "auth: the login to Acme has ended. Run \"acme-mcp login\".");
    std::fs::write(login.store().path(), "{ damaged").unwrap();
    let error = login.process().token().await.unwrap_err();
    assert_eq!(error.for_agent(), "auth: the stored login cannot be read. Run \"acme-mcp login\".");
}

#[tokio::test(start_paused = true)]
async fn nobody_logged_in_says_to_log_in() {
    let login = Login::new().await;
    login.store().clear().unwrap();
    let error = login.process().token().await.unwrap_err();
    assert_eq!(error.for_agent(), "auth: nobody is logged in to Acme. Run \"acme-mcp login\".");
    assert_eq!(login.renewals(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_refused_before_its_time_is_renewed_once_for_all_who_used_it() {
    let login = Login::new().await;
    let api = Server::start(|seen| async move {
        if seen.authorization.as_deref() == Some("Bearer access-1") { ok("{}") } else { status(401) }
    })
    .await;
    let upstream = with_credential(options(&api.url), Arc::new(login.process()));
    let calls = join_all((0..10).map(|_| upstream.send(read()))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(login.renewals(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_application_gets_its_own_token() {
    let login = Login::new().await;
    let connection = HttpClient::new(options(&login.server.url));
    let credential = OAuth::new(login.options(Grant::ClientCredentials), None, connection);
    assert_eq!(access(&credential).await, "access-1");
    assert_eq!(access(&credential).await, "access-1");
    advance(HOUR).await;
    assert_eq!(access(&credential).await, "access-2");
    let form = &login.server.seen()[0].body;
    for part in [
        "grant_type=client_credentials",
        "client_id=client",
        "client_secret=client-secret",
        "scope=read%2Cwrite",
    ] {
        assert!(form.contains(part), "{form}");
    }
}
