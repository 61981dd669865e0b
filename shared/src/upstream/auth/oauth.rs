//! Tokens that expire: renewed ahead of time, by one at a time, and never lost.
//!
//! A refresh token that rotates is the one thing here that cannot be had again: between the
//! vendor's answer and the file there must be no place where the new one can be dropped. So the
//! renewal runs on a task of its own, which a caller that gives up does not take with it, and its
//! result is stored before anybody uses it. Of several processes one renews, under the store's
//! lock; the others find the new tokens in the store.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt as _};
use http::{StatusCode, header};
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{Instant, timeout},
};
use url::Url;

use super::{Credential, Store, Tokens};
use crate::{Error, Kind, Result, Secret, secret::Fingerprint, upstream::HttpClient};

/// How long the token endpoint may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The most bytes of its answer.
const MAX_ANSWER: usize = 64 * 1024;

/// How long to leave it in peace after a failure, so that a queue of callers does not try in turn.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// How the access token is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A person logged in; the store holds a refresh token.
    Refresh,
    /// The application acts for itself.
    ClientCredentials,
}

/// What the token endpoint needs to know.
#[derive(Clone, Debug)]
pub struct OAuthOptions {
    /// The vendor's name for people.
    pub title: &'static str,
    /// The token endpoint.
    pub token_url: Url,
    /// The application's public name.
    pub client_id: String,
    /// The application's secret, if it has one.
    pub client_secret: Option<Secret>,
    /// Sends the application's credentials as HTTP Basic instead of in the form.
    pub basic_auth: bool,
    /// How the access token is had.
    pub grant: Grant,
    /// The scopes for [`Grant::ClientCredentials`], in one string as the vendor wants them.
    pub scope: Option<String>,
    /// How long before its expiry a token is renewed.
    pub refresh_ahead: Duration,
    /// What a person does when the login is gone: `"Run \"linear-mcp login\""`.
    pub login_hint: Cow<'static, str>,
}

/// An OAuth login or application. Cloning shares it.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    options: OAuthOptions,
    store: Option<Store>,
    client: HttpClient,
    /// What is in use.
    held: RwLock<Option<Tokens>>,
    /// Held by the one who renews; in it, why the last renewal failed and when.
    flight: Mutex<Option<(Instant, Failure)>>,
    /// When storing the tokens in use failed, if they are not stored.
    unkept: std::sync::Mutex<Option<Instant>>,
}

/// Why a renewal failed.
#[derive(Clone, Debug)]
enum Failure {
    /// The endpoint says that the login is over.
    Refused(String),
    /// There is nobody logged in.
    NoLogin,
    /// The login has ended, and there is nothing to renew it with.
    Ended,
    /// The stored login cannot be had.
    Storage(&'static str),
    /// The endpoint is down, or answers with something else.
    Unreachable(String),
}

impl OAuth {
    /// A credential of `options`. A login is read from `store` and stored there again; without one,
    /// tokens live as long as the process.
    #[must_use]
    pub fn new(options: OAuthOptions, store: Option<Store>, client: HttpClient) -> Self {
        Self(Arc::new(Inner {
            options,
            store,
            client,
            held: RwLock::new(None),
            flight: Mutex::new(None),
            unkept: std::sync::Mutex::new(None),
        }))
    }

    /// Renews on a task of its own, so that a caller that gives up leaves the renewal to its end.
    async fn renewed(&self, refused: Option<&Secret>) -> Result<Tokens, Failure> {
        let inner = Arc::clone(&self.0);
        let refused = refused.cloned();
        let renewal = tokio::spawn(async move { inner.renew(refused.as_ref()).await });
        renewal.await.unwrap_or_else(|_| Err(Failure::Unreachable("the renewal was cut short".to_owned())))
    }
}

impl Credential for OAuth {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        async move {
            let held = self.0.held();
            if let Some(tokens) = &held
                && !tokens.expires_within(self.0.options.refresh_ahead)
            {
                self.0.keep_again(tokens).await;
                return Ok(tokens.access.clone());
            }
            match (self.renewed(None).await, self.0.held()) {
                (Ok(tokens), _) => Ok(tokens.access),
                // Renewal is ahead of time, so the old token still has some.
                (Err(failure), Some(tokens)) if !tokens.expired() => {
                    tracing::warn!(?failure, "the token could not be renewed; using it until it expires");
                    Ok(tokens.access)
                }
                (Err(failure), _) => Err(self.0.error(&failure)),
            }
        }
        .boxed()
    }

    fn refused<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        async move {
            match self.renewed(Some(token)).await {
                Ok(tokens) => Ok(Some(tokens.access)),
                Err(Failure::Unreachable(_)) => Ok(None),
                Err(failure) => Err(self.0.error(&failure)),
            }
        }
        .boxed()
    }

    fn fingerprint(&self) -> Fingerprint {
        let login = self.0.held().map(|tokens| tokens.login).unwrap_or_default();
        Secret::new(&format!("{}\n{}\n{login}", self.0.options.token_url, self.0.options.client_id))
            .fingerprint()
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("client_id", &self.0.options.client_id).finish_non_exhaustive()
    }
}

impl Inner {
    fn held(&self) -> Option<Tokens> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, tokens: &Tokens) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(tokens.clone());
    }

    /// Whether `tokens` need no renewal, given that the vendor refused the token `refused`.
    fn good(&self, tokens: &Tokens, refused: Option<&Secret>) -> bool {
        let is_refused = refused.is_some_and(|refused| refused.expose() == tokens.access.expose());
        !is_refused && !tokens.expires_within(self.options.refresh_ahead)
    }

    async fn renew(&self, refused: Option<&Secret>) -> Result<Tokens, Failure> {
        let mut flight = self.flight.lock().await;
        if let Some(tokens) = self.held().filter(|tokens| self.good(tokens, refused)) {
            return Ok(tokens);
        }
        if let Some((at, failure)) = &*flight
            && at.elapsed() < PAUSE_AFTER_FAILURE
        {
            return Err(failure.clone());
        }
        let result = self.renew_alone(refused).await;
        *flight = result.as_ref().err().map(|failure| (Instant::now(), failure.clone()));
        result
    }

    async fn renew_alone(&self, refused: Option<&Secret>) -> Result<Tokens, Failure> {
        let _lock = match &self.store {
            Some(store) => store.lock().await,
            None => None,
        };
        let current = match self.stored().await? {
            Some(stored) if self.good(&stored, refused) => {
                self.hold(&stored);
                return Ok(stored);
            }
            Some(stored) => {
                self.hold(&stored);
                Some(stored)
            }
            None => self.held(),
        };
        let asked = self.ask(current.as_ref()).await;
        // Refused, though the tokens were the newest a moment ago: a process that does not see our
        // lock was faster.
        if let (Err(Failure::Refused(_)), Some(used)) = (&asked, &current)
            && let Some(stored) = self.stored().await?
            && stored.access.expose() != used.access.expose()
            && self.good(&stored, refused)
        {
            self.hold(&stored);
            return Ok(stored);
        }
        let tokens = asked?;
        self.keep(&tokens).await;
        self.hold(&tokens);
        Ok(tokens)
    }

    async fn stored(&self) -> Result<Option<Tokens>, Failure> {
        let Some(store) = self.store.clone() else { return Ok(None) };
        match spawn_blocking(move || store.load()).await {
            Ok(Ok(tokens)) => Ok(tokens),
            Ok(Err(error)) => {
                tracing::warn!(?error, "the stored login cannot be used");
                Err(Failure::Storage("the stored login cannot be read"))
            }
            Err(_) => Err(Failure::Storage("the reading of the stored login was cut short")),
        }
    }

    async fn keep(&self, tokens: &Tokens) {
        let Some(store) = self.store.clone() else { return };
        let tokens = tokens.clone();
        let kept = match spawn_blocking(move || store.save(&tokens)).await {
            Ok(Ok(())) => true,
            // The tokens stay good in this process; without them in the store the next one needs a new login.
            Ok(Err(error)) => {
                tracing::error!(%error, "the renewed login could not be stored; it is tried again");
                false
            }
            Err(_) => false,
        };
        *self.unkept.lock().unwrap_or_else(PoisonError::into_inner) = (!kept).then(Instant::now);
    }

    /// Stores `tokens` if that failed a while ago, unless another process has stored newer ones since.
    async fn keep_again(&self, tokens: &Tokens) {
        let due = {
            let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
            let due = unkept.is_some_and(|at| at.elapsed() >= PAUSE_AFTER_FAILURE);
            if due {
                // One call tries, not all that come meanwhile.
                *unkept = None;
            }
            due
        };
        let Some(store) = self.store.clone().filter(|_| due) else { return };
        let _lock = store.lock().await;
        match self.stored().await {
            Ok(Some(stored)) if stored.obtained_at > tokens.obtained_at => {}
            _ => self.keep(tokens).await,
        }
    }

    /// Asks the endpoint for new tokens in place of `current`.
    async fn ask(&self, current: Option<&Tokens>) -> Result<Tokens, Failure> {
        let client = self.client();
        let answer = match self.options.grant {
            Grant::Refresh => {
                let current = current.ok_or(Failure::NoLogin)?;
                let refresh = current.refresh.as_ref().ok_or(Failure::Ended)?;
                let refresh = RefreshToken::new(refresh.expose().to_owned());
                client.exchange_refresh_token(&refresh).request_async(self).await
            }
            Grant::ClientCredentials => {
                let mut request = client.exchange_client_credentials();
                if let Some(scope) = &self.options.scope {
                    request = request.add_scope(Scope::new(scope.clone()));
                }
                request.request_async(self).await
            }
        };
        let answer = answer.map_err(failure)?;
        let access = Secret::new(answer.access_token.secret());
        let refresh = answer.refresh_token.as_ref().map(|token| Secret::new(token.secret()));
        let mut tokens = Tokens::new(access, refresh, answer.expires_in.map(Duration::from_secs));
        tokens.scope = self.options.scope.clone();
        if let Some(current) = current {
            tokens.login.clone_from(&current.login);
            // A vendor that sends no new refresh token means the old one to be kept.
            tokens.refresh = tokens.refresh.or_else(|| current.refresh.clone());
            tokens.scope = tokens.scope.or_else(|| current.scope.clone());
        }
        Ok(tokens)
    }

    fn client(&self) -> Client {
        let options = &self.options;
        let mut client = oauth2::Client::new(ClientId::new(options.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(options.token_url.clone()))
            .set_auth_type(if options.basic_auth { AuthType::BasicAuth } else { AuthType::RequestBody });
        if let Some(secret) = &options.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        client
    }

    /// One POST to the endpoint, bounded in time and size.
    async fn post(&self, request: HttpRequest) -> Result<HttpResponse> {
        let down = |message: &'static str| Error::new(Kind::Upstream, message);
        let exchange = async {
            let (parts, body) = request.into_parts();
            let client = self.client.get().await?;
            let mut response = client
                .request(parts.method, parts.uri.to_string())
                .headers(parts.headers)
                .body(body)
                .send()
                .await
                .map_err(|error| {
                    down("the token endpoint cannot be reached").with_source(error.without_url())
                })?;
            if response.status().is_server_error() {
                return Err(down("the token endpoint failed"));
            }
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| {
                down("the token endpoint broke off its answer").with_source(error.without_url())
            })? {
                if body.len() + chunk.len() > MAX_ANSWER {
                    return Err(down("the token endpoint's answer is too long"));
                }
                body.extend_from_slice(&chunk);
            }
            let refused = refused_under_200(&body);
            let mut answer = HttpResponse::new(refused.clone().unwrap_or(body));
            *answer.status_mut() =
                if refused.is_some() { StatusCode::BAD_REQUEST } else { response.status() };
            if let Some(kind) = response.headers().get(header::CONTENT_TYPE) {
                answer.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
            }
            Ok(answer)
        };
        timeout(ANSWER_WITHIN, exchange)
            .await
            .unwrap_or_else(|_| Err(down("the token endpoint did not answer in time")))
    }

    fn error(&self, failure: &Failure) -> Error {
        let title = self.options.title;
        let error = match failure {
            Failure::Refused(code) => {
                Error::new(Kind::Auth, format!("{title} no longer accepts the login and says {code}"))
            }
            Failure::NoLogin => Error::new(Kind::Auth, format!("nobody is logged in to {title}")),
            Failure::Ended => Error::new(Kind::Auth, format!("the login to {title} has ended")),
            Failure::Storage(reason) => Error::new(Kind::Auth, *reason),
            Failure::Unreachable(reason) => {
                let message = format!("the login to {title} has expired and could not be renewed: {reason}");
                return Error::new(Kind::Auth, message).with_hint("Try again later");
            }
        };
        error.with_hint(self.options.login_hint.clone())
    }
}

impl<'c> AsyncHttpClient<'c> for Inner {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.post(request).boxed()
    }
}

/// A refusal in the standard's form, for a vendor that refuses with status 200, `ok: false` and codes of its
/// own (docs.slack.dev/reference/methods/oauth.v2.access). What is not about the grant stays an error of the
/// endpoint.
fn refused_under_200(body: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Refusal {
        ok: bool,
        error: String,
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let about_the_grant =
        ["invalid_refresh_token", "token_revoked", "token_expired", "invalid_grant", "account_inactive"];
    let about_the_client = ["invalid_client_id", "bad_client_secret"];
    let code = match refusal.error.as_str() {
        code if about_the_grant.contains(&code) => "invalid_grant",
        code if about_the_client.contains(&code) => "invalid_client",
        _ => "server_error",
    };
    (!refusal.ok).then(|| serde_json::json!({ "error": code }).to_string().into_bytes())
}

/// Sorts an endpoint's failure. What it answered is not quoted: it can hold a token.
fn failure(error: RequestTokenError<Error, BasicErrorResponse>) -> Failure {
    match error {
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            BasicErrorResponseType::Extension(_) | BasicErrorResponseType::InvalidRequest => {
                Failure::Unreachable("the token endpoint answered with an error".to_owned())
            }
            code => Failure::Refused(code.as_ref().to_owned()),
        },
        RequestTokenError::Request(error) => Failure::Unreachable(error.message().to_owned()),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Failure::Unreachable("the token endpoint's answer has an unexpected shape".to_owned())
        }
    }
}

type Client = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The endpoint's answer, read more tolerantly than the standard one: vendors leave out the token's
/// type, write the lifetime as text, and the scopes as a list.
#[derive(Debug, Serialize, Deserialize)]
struct TokenAnswer {
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(skip, default = "bearer")]
    token_type: BasicTokenType,
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(match &value {
        serde_json::Value::String(text) => text.parse().ok(),
        // Whole or not, seconds; a negative lifetime is over already.
        other => other.as_u64().or_else(|| other.as_f64().map(|seconds| seconds.max(0.0) as u64)),
    })
}

impl TokenResponse for TokenAnswer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}
