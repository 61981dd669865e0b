//! The OAuth 2 endpoints of a fake: authorization code with PKCE, refresh tokens that rotate, client
//! credentials, revocation. Nobody is asked for consent; everything else is checked.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::VirtualClock;

/// How long an authorization code can be exchanged.
const CODE_TTL: Duration = Duration::from_secs(600);

/// How a vendor does OAuth.
#[derive(Clone, Debug)]
pub struct OAuthRules {
    /// Path of the authorization endpoint.
    pub authorize_path: &'static str,
    /// Path of the token endpoint.
    pub token_path: &'static str,
    /// Path of the revocation endpoint.
    pub revoke_path: &'static str,
    /// Between scopes in the authorization request: a space by the standard, a comma for some.
    pub scope_separator: char,
    /// Scopes there are.
    pub scopes: &'static [&'static str],
    /// Put in front of access tokens, so that they look like the vendor's.
    pub access_prefix: &'static str,
    /// Put in front of refresh tokens.
    pub refresh_prefix: &'static str,
    /// How long an access token lives.
    pub access_ttl: Duration,
    /// How long a used refresh token still gets the answer it got the first time.
    pub replay_grace: Duration,
    /// How long a token for client credentials lives; none if the vendor has no such grant.
    pub machine_ttl: Option<Duration>,
    /// The token endpoint's answer.
    pub answer: fn(&Tokens) -> Value,
}

/// A program that may ask for tokens.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// `client_id`.
    pub id: String,
    /// `client_secret`; a client without one must use PKCE.
    pub secret: Option<String>,
    /// Where codes may be sent. On loopback any port will do (RFC 8252).
    pub redirect_uris: Vec<String>,
    /// Whose account it gets access to: the vendor's id of the user who would consent.
    pub subject: String,
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The client it was given to.
    pub client: String,
    /// The user it acts for; none if the client acts for itself.
    pub subject: Option<String>,
    /// What it may do.
    pub scopes: BTreeSet<String>,
    /// When it ends, as a duration since the Unix epoch.
    pub expires: Duration,
}

/// What the token endpoint hands out.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token; none for client credentials.
    pub refresh: Option<String>,
    /// How long the access token lives.
    pub expires_in: Duration,
    /// What it may do.
    pub scopes: BTreeSet<String>,
}

impl Tokens {
    /// The answer of RFC 6749, section 5.1.
    #[must_use]
    pub fn standard(&self) -> Value {
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let mut answer = json!({
            "access_token": self.access,
            "token_type": "Bearer",
            "expires_in": self.expires_in.as_secs(),
            "scope": scopes.join(" "),
        });
        if let Some(refresh) = &self.refresh {
            answer["refresh_token"] = json!(refresh);
        }
        answer
    }
}

/// The authorization server of a fake. Clones share its state.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    rules: OAuthRules,
    clock: VirtualClock,
    clients: Vec<OAuthClient>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
}

struct Code {
    grant: Grant,
    redirect_uri: String,
    challenge: Option<String>,
    /// The family of tokens it was exchanged for.
    used: Option<Uuid>,
}

struct Access {
    grant: Grant,
    /// Tokens that descend from one consent, and are revoked together.
    family: Uuid,
}

struct Refresh {
    grant: Grant,
    family: Uuid,
    /// When it was used, and what it got.
    used: Option<(Duration, Tokens)>,
}

/// A refusal of RFC 6749, section 5.2.
struct Refusal(StatusCode, &'static str, &'static str);

impl Refusal {
    fn grant(why: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, "invalid_grant", why)
    }
    fn request(why: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, "invalid_request", why)
    }
}

type Params = HashMap<String, String>;

impl OAuth {
    /// An authorization server that knows these clients.
    #[must_use]
    pub fn new(rules: OAuthRules, clock: &VirtualClock, clients: Vec<OAuthClient>) -> Self {
        Self(Arc::new(Inner { rules, clock: clock.clone(), clients, state: Mutex::default() }))
    }

    /// The three endpoints.
    pub fn router(&self) -> Router {
        let rules = &self.0.rules;
        let (authorize, token, revoke) = (self.clone(), self.clone(), self.clone());
        Router::new()
            .route(rules.authorize_path, get(move |uri: Uri| async move { authorize.authorize(&uri) }))
            .route(
                rules.token_path,
                post(move |headers: HeaderMap, body: Bytes| async move {
                    match token.token(&headers, &body) {
                        Ok(tokens) => {
                            let fresh = [(header::CACHE_CONTROL, "no-store")];
                            (fresh, Json((token.0.rules.answer)(&tokens))).into_response()
                        }
                        Err(Refusal(status, error, why)) => {
                            (status, Json(json!({ "error": error, "error_description": why })))
                                .into_response()
                        }
                    }
                }),
            )
            .route(
                rules.revoke_path,
                post(move |headers: HeaderMap, body: Bytes| async move { revoke.revoke(&headers, &body) }),
            )
    }

    /// What an access token is good for now; none if it is unknown, expired or revoked.
    #[must_use]
    pub fn check(&self, access: &str) -> Option<Grant> {
        let now = self.0.clock.now();
        let state = self.state();
        state
            .access
            .get(access)
            .filter(|access| access.grant.expires > now)
            .map(|access| access.grant.clone())
    }

    /// Tokens for a known client without the detour through a browser; none if it is not known.
    #[must_use]
    pub fn issue(&self, client: &str, scopes: &[&str]) -> Option<Tokens> {
        let client = self.0.clients.iter().find(|known| known.id == client)?;
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let grant = self.grant(client, Some(client.subject.clone()), scopes, self.0.rules.access_ttl);
        Some(self.hand_out(&mut self.state(), grant, Uuid::new_v4(), true))
    }

    /// Forgets every code and token.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    fn authorize(&self, uri: &Uri) -> Response {
        let params = pairs(uri.query().unwrap_or_default().as_bytes());
        let get = |name: &str| params.get(name).map(String::as_str);
        let Some(client) = self.0.clients.iter().find(|client| get("client_id") == Some(&client.id)) else {
            return (StatusCode::BAD_REQUEST, "unknown client_id").into_response();
        };
        let target =
            get("redirect_uri").filter(|uri| client.redirect_uris.iter().any(|known| same(known, uri)));
        // Without a trustworthy address nothing may be sent there, not even an error.
        let Some((redirect_uri, mut target)) = target.and_then(|uri| Some((uri, Url::parse(uri).ok()?)))
        else {
            return (StatusCode::BAD_REQUEST, "redirect_uri is not registered").into_response();
        };
        match self.code(client, redirect_uri, &params) {
            Ok(code) => _ = target.query_pairs_mut().append_pair("code", &code),
            Err((error, why)) => {
                target.query_pairs_mut().append_pair("error", error).append_pair("error_description", why);
            }
        }
        if let Some(state) = get("state") {
            target.query_pairs_mut().append_pair("state", state);
        }
        (StatusCode::FOUND, [(header::LOCATION, target.to_string())]).into_response()
    }

    fn code(
        &self,
        client: &OAuthClient,
        redirect_uri: &str,
        params: &Params,
    ) -> Result<String, (&'static str, &'static str)> {
        let get = |name: &str| params.get(name).map(String::as_str).filter(|value| !value.is_empty());
        if get("response_type") != Some("code") {
            return Err(("unsupported_response_type", "response_type must be code"));
        }
        let challenge = get("code_challenge");
        if challenge.is_some() && get("code_challenge_method") != Some("S256") {
            return Err(("invalid_request", "code_challenge_method must be S256"));
        }
        if challenge.is_none() && client.secret.is_none() {
            return Err(("invalid_request", "a public client must send code_challenge"));
        }
        let scopes =
            self.scopes(get("scope").unwrap_or_default()).ok_or(("invalid_scope", "unknown scope"))?;
        let code = Uuid::new_v4().simple().to_string();
        let grant = self.grant(client, Some(client.subject.clone()), scopes, CODE_TTL);
        let (redirect_uri, challenge) = (redirect_uri.to_owned(), challenge.map(str::to_owned));
        self.state().codes.insert(code.clone(), Code { grant, redirect_uri, challenge, used: None });
        Ok(code)
    }

    fn token(&self, headers: &HeaderMap, body: &[u8]) -> Result<Tokens, Refusal> {
        let params = pairs(body);
        let client = self.client(headers, &params)?;
        match params.get("grant_type").map(String::as_str) {
            Some("authorization_code") => self.exchange(client, &params),
            Some("refresh_token") => self.refresh(client, &params),
            Some("client_credentials") if self.0.rules.machine_ttl.is_some() => self.machine(client, &params),
            Some(_) => Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", "unknown grant_type")),
            None => Err(Refusal::request("grant_type is missing")),
        }
    }

    /// The client that asks, by Basic authentication or in the form.
    fn client(&self, headers: &HeaderMap, params: &Params) -> Result<&OAuthClient, Refusal> {
        let refusal = Refusal(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client or wrong secret");
        let basic = basic(headers);
        let (id, secret) = match &basic {
            Some((id, secret)) => (Some(id), Some(secret)),
            None => (params.get("client_id"), params.get("client_secret")),
        };
        let known = self.0.clients.iter().find(|client| Some(&client.id) == id);
        known.filter(|client| client.secret.is_none() || client.secret.as_ref() == secret).ok_or(refusal)
    }

    fn exchange(&self, client: &OAuthClient, params: &Params) -> Result<Tokens, Refusal> {
        let get = |name: &str| params.get(name).map(String::as_str);
        let code = get("code").ok_or(Refusal::request("code is missing"))?;
        let mut state = self.state();
        let State { codes, access, refresh } = &mut *state;
        let held = codes.get_mut(code).filter(|held| held.grant.client == client.id);
        let held = held.ok_or(Refusal::grant("unknown code"))?;
        if let Some(family) = held.used {
            // A code that comes twice has been stolen once (RFC 6749, section 4.1.2).
            access.retain(|_, access| access.family != family);
            refresh.retain(|_, refresh| refresh.family != family);
            return Err(Refusal::grant("the code was used before"));
        }
        if held.grant.expires <= self.0.clock.now() {
            return Err(Refusal::grant("the code has expired"));
        }
        if get("redirect_uri") != Some(&held.redirect_uri) {
            return Err(Refusal::grant("redirect_uri differs"));
        }
        if let Some(challenge) = &held.challenge {
            let verifier = get("code_verifier").ok_or(Refusal::grant("code_verifier is missing"))?;
            if BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != *challenge {
                return Err(Refusal::grant("code_verifier does not match"));
            }
        }
        let family = Uuid::new_v4();
        held.used = Some(family);
        let grant = held.grant.clone();
        Ok(self.hand_out(&mut state, grant, family, true))
    }

    fn refresh(&self, client: &OAuthClient, params: &Params) -> Result<Tokens, Refusal> {
        let sent = params.get("refresh_token").ok_or(Refusal::request("refresh_token is missing"))?;
        let now = self.0.clock.now();
        let mut state = self.state();
        let held = state.refresh.get(sent).filter(|held| held.grant.client == client.id);
        let held = held.ok_or(Refusal::grant("unknown refresh_token"))?;
        match &held.used {
            Some((when, tokens)) if now <= *when + self.0.rules.replay_grace => return Ok(tokens.clone()),
            Some(_) => return Err(Refusal::grant("the refresh_token was used before")),
            None => {}
        }
        let (grant, family) = (held.grant.clone(), held.family);
        let tokens = self.hand_out(&mut state, grant, family, true);
        if let Some(held) = state.refresh.get_mut(sent) {
            held.used = Some((now, tokens.clone()));
        }
        Ok(tokens)
    }

    fn machine(&self, client: &OAuthClient, params: &Params) -> Result<Tokens, Refusal> {
        if client.secret.is_none() {
            return Err(Refusal(StatusCode::BAD_REQUEST, "unauthorized_client", "a public client cannot"));
        }
        let scope = params.get("scope").map(String::as_str).unwrap_or_default();
        let unknown = Refusal(StatusCode::BAD_REQUEST, "invalid_scope", "unknown scope");
        let scopes = self.scopes(scope).ok_or(unknown)?;
        let ttl = self.0.rules.machine_ttl.unwrap_or(self.0.rules.access_ttl);
        let mut state = self.state();
        // One set of scopes at a time: asking for another ends the tokens of the last.
        state.access.retain(|_, access| {
            let own = access.grant.client == client.id && access.grant.subject.is_none();
            !own || access.grant.scopes == scopes
        });
        let grant = self.grant(client, None, scopes, ttl);
        Ok(self.hand_out(&mut state, grant, Uuid::new_v4(), false))
    }

    fn revoke(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let params = pairs(body);
        let named =
            ["token", "access_token", "refresh_token"].iter().find_map(|name| params.get(*name).cloned());
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        let Some(token) = named.or(bearer) else {
            return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request" }))).into_response();
        };
        let mut state = self.state();
        let family = state.access.get(&token).map(|access| access.family);
        // An unknown token is as good as revoked (RFC 7009, section 2.2).
        if let Some(family) = family.or_else(|| state.refresh.get(&token).map(|refresh| refresh.family)) {
            state.access.retain(|_, access| access.family != family);
            state.refresh.retain(|_, refresh| refresh.family != family);
        }
        Json(json!({ "success": true })).into_response()
    }

    fn hand_out(&self, state: &mut State, mut grant: Grant, family: Uuid, refreshable: bool) -> Tokens {
        let rules = &self.0.rules;
        let now = self.0.clock.now();
        if refreshable {
            grant.expires = now + rules.access_ttl;
        }
        let access = format!("{}{}", rules.access_prefix, Uuid::new_v4().simple());
        let refresh = refreshable.then(|| format!("{}{}", rules.refresh_prefix, Uuid::new_v4().simple()));
        if let Some(refresh) = &refresh {
            let held = Refresh { grant: grant.clone(), family, used: None };
            state.refresh.insert(refresh.clone(), held);
        }
        let (expires_in, scopes) = (grant.expires.saturating_sub(now), grant.scopes.clone());
        state.access.insert(access.clone(), Access { grant, family });
        Tokens { access, refresh, expires_in, scopes }
    }

    fn grant(
        &self,
        client: &OAuthClient,
        subject: Option<String>,
        scopes: BTreeSet<String>,
        ttl: Duration,
    ) -> Grant {
        Grant { client: client.id.clone(), subject, scopes, expires: self.0.clock.now() + ttl }
    }

    /// The scopes in `text`; none if one is unknown.
    fn scopes(&self, text: &str) -> Option<BTreeSet<String>> {
        let parts = text.split([self.0.rules.scope_separator, ' ']).filter(|part| !part.is_empty());
        parts.map(|part| self.0.rules.scopes.contains(&part).then(|| part.to_owned())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "OAuth({} access tokens, {} refresh tokens)", state.access.len(), state.refresh.len())
    }
}

fn pairs(form: &[u8]) -> Params {
    form_urlencoded::parse(form).into_owned().collect()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    // RFC 6749, section 2.3.1: both are form-encoded first.
    let plain = |text: &str| pairs(format!("v={text}").as_bytes()).remove("v").unwrap_or_default();
    Some((plain(id), plain(secret)))
}

/// Whether two redirect addresses are the same; on loopback the port does not count.
fn same(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(mut registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    let loopback = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    if !(loopback(&registered) && loopback(&asked)) {
        return false;
    }
    let portless = registered.set_port(None).is_ok() && asked.set_port(None).is_ok();
    portless && registered == asked
}
