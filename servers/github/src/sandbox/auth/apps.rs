//! GitHub Apps: their own tokens, their installations, and the tokens of those.
//!
//! Source: docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App" and "REST API endpoints for
//! GitHub Apps".

use std::collections::BTreeMap;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Kind, Token, rights::ABOUT_APP};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    ids::node_id,
    iso,
    repos::{Repository, repository_json},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    route::{ANY, Route, route},
    state::State,
};

pub(super) const ROUTES: &[Route] = &[
    route("GET /app", ABOUT_APP, app),
    route("GET /app/installations", ABOUT_APP, installations),
    route("GET /app/installations/{installation_id}", ABOUT_APP, installation),
    route("POST /app/installations/{installation_id}/access_tokens", ABOUT_APP, mint),
    route("GET /orgs/{org}/installation", ABOUT_APP, of_org),
    route("GET /users/{username}/installation", ABOUT_APP, of_user),
    route("GET /repos/{owner}/{repo}/installation", ABOUT_APP, of_repository),
    route("GET /installation/repositories", ANY, repositories),
    route("GET /user/installations", ANY, installations_of_user),
];

/// How long an app's own token may live, in seconds.
const LONGEST: u64 = 600;
/// How far in the future it may have been issued: clocks differ.
const LENIENCY: u64 = 60;
/// How long an installation's token lives.
const HOUR: u64 = 3600;
/// The most repositories that a token can be narrowed to.
const MOST_REPOSITORIES: usize = 500;

/// Every app.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::sandbox) struct Apps {
    apps: Vec<App>,
}

/// A GitHub App.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct App {
    pub(super) id: u64,
    pub(super) client_id: String,
    #[serde(default)]
    pub(super) client_secret: String,
    pub(super) slug: String,
    name: String,
    owner: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    public_key: String,
    pub(super) permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
    installations: Vec<Installation>,
}

/// Where an app is installed.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Installation {
    id: u64,
    account: String,
    /// `owner/name` of each; empty for all of the account's.
    #[serde(default)]
    repositories: Vec<String>,
    #[serde(default)]
    suspended: bool,
}

/// What an app says of itself.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    iat: Value,
    #[serde(default)]
    exp: Value,
}

impl Apps {
    pub(in crate::sandbox) fn from_seed(seed: &Value) -> Result<Self, String> {
        match &seed["apps"] {
            Value::Null => Ok(Self::default()),
            apps => {
                let apps = serde_json::from_value(apps.clone()).map_err(|error| error.to_string())?;
                Ok(Self { apps })
            }
        }
    }

    /// The app that a client id is of.
    pub(super) fn client(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    /// The app whose own token this is.
    pub(in crate::sandbox) fn verify(&self, token: &str, now: u64) -> Outcome<u64> {
        let refuse = |words: &str| {
            let mut error = ApiError::unauthorized();
            words.clone_into(&mut error.message);
            error
        };
        let undecodable = || refuse("A JSON web token could not be decoded");
        let claims = unverified(token).ok_or_else(undecodable)?;
        // The app's number or its client id.
        let issuer = match &claims.iss {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(refuse("'Issuer' claim ('iss') must be an Integer")),
        };
        let app = self.apps.iter().find(|app| app.id.to_string() == issuer || app.client_id == issuer);
        let app = app.ok_or_else(|| refuse("Integration not found"))?;
        let key = DecodingKey::from_rsa_pem(app.public_key.as_bytes());
        let key = key.map_err(|_| refuse("Integration must generate a public key"))?;
        // The times are looked at below, on the fake's clock.
        let mut how = Validation::new(Algorithm::RS256);
        how.validate_exp = false;
        how.validate_aud = false;
        how.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(token, &key, &how).map_err(|_| undecodable())?;
        let expires = claims.exp.as_u64().filter(|expires| *expires > now);
        let expires = expires.ok_or_else(|| {
            refuse(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            )
        })?;
        if expires > now + LONGEST + LENIENCY {
            return Err(refuse("'Expiration time' claim ('exp') is too far in the future"));
        }
        let issued = claims.iat.as_u64().filter(|issued| *issued <= now + LENIENCY);
        let issued = issued.ok_or_else(|| {
            refuse(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            )
        })?;
        if expires.saturating_sub(issued) > LONGEST + LENIENCY {
            return Err(refuse("'Expiration time' claim ('exp') is too far in the future"));
        }
        Ok(app.id)
    }

    /// The app that asks.
    fn asking(&self, cx: &RequestContext<'_>) -> Outcome<&App> {
        let id = cx.caller.app.ok_or_else(ApiError::requires_authentication)?;
        self.apps.iter().find(|app| app.id == id).ok_or_else(ApiError::not_found)
    }
}

/// What a token says, whoever signed it.
fn unverified(token: &str) -> Option<Claims> {
    jsonwebtoken::dangerous::insecure_decode::<Claims>(token).ok().map(|data| data.claims)
}

impl App {
    fn show(&self, cx: &RequestContext<'_>, state: &State) -> Value {
        json!({
            "id": self.id,
            "slug": self.slug,
            "node_id": node_id("A", self.id),
            "client_id": self.client_id,
            "owner": state.accounts.simple(cx.site, &self.owner),
            "name": self.name,
            "description": self.description,
            "external_url": format!("https://{}.example", self.slug),
            "html_url": format!("https://github.com/apps/{}", self.slug),
            "created_at": "2023-02-01T10:00:00Z",
            "updated_at": "2023-02-01T10:00:00Z",
            "permissions": self.permissions,
            "events": self.events,
            "installations_count": self.installations.len(),
        })
    }

    /// The bot that an installation acts as.
    pub(super) fn bot(&self) -> String {
        format!("{}[bot]", self.slug)
    }

    fn show_installation(&self, cx: &RequestContext<'_>, state: &State, of: &Installation) -> Value {
        let account = state.accounts.get(&of.account);
        let kind = account.map(|account| account.kind.clone()).unwrap_or_default();
        let html = match kind.as_str() {
            "Organization" => {
                format!("https://github.com/organizations/{}/settings/installations/{}", of.account, of.id)
            }
            _ => format!("https://github.com/settings/installations/{}", of.id),
        };
        json!({
            "id": of.id,
            "client_id": self.client_id,
            "account": state.accounts.simple(cx.site, &of.account),
            "repository_selection": selection(&of.repositories),
            "access_tokens_url": cx.site.url(&format!("app/installations/{}/access_tokens", of.id)),
            "repositories_url": cx.site.url("installation/repositories"),
            "html_url": html,
            "app_id": self.id,
            "app_slug": self.slug,
            "target_id": account.map(|account| account.id).unwrap_or_default(),
            "target_type": kind,
            "permissions": self.permissions,
            "events": self.events,
            "created_at": "2023-02-01T10:05:00Z",
            "updated_at": "2023-02-01T10:05:00Z",
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": null,
            "suspended_at": of.suspended.then_some("2023-03-01T10:05:00Z"),
        })
    }
}

impl Installation {
    /// The repositories that it is for.
    fn reaches<'s>(&self, state: &'s State) -> Vec<&'s Repository> {
        let chosen = |repo: &&Repository| {
            repo.owner.eq_ignore_ascii_case(&self.account)
                && (self.repositories.is_empty()
                    || self.repositories.iter().any(|name| name.eq_ignore_ascii_case(&repo.full_name())))
        };
        state.repos.all().filter(chosen).collect()
    }
}

fn selection(repositories: &[String]) -> &'static str {
    if repositories.is_empty() { "all" } else { "selected" }
}

fn app(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    Ok(FakeResponse::json(state.apps.asking(cx)?.show(cx, &state)))
}

fn installations(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let app = state.apps.asking(cx)?;
    Ok(cx.page(&app.installations, |one| app.show_installation(cx, &state, one)))
}

/// The asking app's installation for which `fits` is true.
fn find(cx: &RequestContext<'_>, fits: impl Fn(&State, &Installation) -> bool) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let app = state.apps.asking(cx)?;
    let found = app.installations.iter().find(|one| fits(&state, one));
    Ok(FakeResponse::json(app.show_installation(cx, &state, found.ok_or_else(ApiError::not_found)?)))
}

fn installation(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let id = cx.number("installation_id")?;
    find(cx, |_, one| one.id == id)
}

fn of_org(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let org = cx.variable("org");
    find(cx, |state, one| one.account.eq_ignore_ascii_case(org) && state.accounts.org(org).is_some())
}

fn of_user(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let user = cx.variable("username");
    find(cx, |_, one| one.account.eq_ignore_ascii_case(user))
}

fn of_repository(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    find(cx, |state, one| one.reaches(state).iter().any(|repo| repo.id == cx.target))
}

/// The installations of the app through which a user asks.
fn installations_of_user(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let token = cx.caller.token.as_ref().ok_or_else(ApiError::requires_authentication)?;
    let app = state.apps.apps.first().filter(|_| token.kind == Kind::UserToServer);
    let Some(app) = app else {
        // docs.github.com, "List app installations accessible to the user access token".
        return Err(ApiError::forbidden(
            "You must authenticate with an access token authorized to a GitHub App in order to list installations",
        ));
    };
    let theirs = app
        .installations
        .iter()
        .filter(|one| one.account == token.login || state.accounts.is_member(&one.account, &token.login));
    let theirs: Vec<_> = theirs.collect();
    Ok(cx.counted("installations", &theirs, |one| app.show_installation(cx, &state, one)))
}

/// What a token is to be narrowed to.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    repositories: Vec<String>,
    repository_ids: Vec<u64>,
    permissions: Map<String, Value>,
}

/// `POST /app/installations/{installation_id}/access_tokens`.
fn mint(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let wish: Wish = match serde_json::from_value(Value::Object(cx.object()?)) {
        Ok(wish) => wish,
        Err(_) => return Err(ApiError::bad_json()),
    };
    let id = cx.number("installation_id")?;
    let mut state = cx.site.state();
    let app = state.apps.asking(cx)?.clone();
    let found = app.installations.iter().find(|one| one.id == id).ok_or_else(ApiError::not_found)?;
    if found.suspended {
        return Err(ApiError::forbidden("This installation has been suspended"));
    }
    let (chosen, repositories) = narrowed(&state, found, &wish)?;
    let permissions = lessened(&app.permissions, &wish.permissions)?;
    let expires = cx.site.harness.clock().now().as_secs() + HOUR;
    let text = format!("ghs_{}sand", uuid::Uuid::new_v4().simple());
    let bot = app.bot();
    let token = Token {
        kind: Kind::Installation,
        user: state.accounts.get(&bot).map(|account| account.id).unwrap_or_default(),
        login: bot,
        scopes: Vec::new(),
        permissions: permissions.clone(),
        repositories: chosen.clone(),
        owner: Some(found.account.clone()),
        installation: Some(id),
        expires: Some(expires),
        sso: Vec::new(),
    };
    let mut body = json!({
        "token": text,
        "expires_at": iso(expires),
        "permissions": permissions,
        "repository_selection": selection(&chosen),
    });
    if !chosen.is_empty() {
        let repos = repositories.iter().filter_map(|id| state.repos.get(*id));
        let shown = repos.map(|repo| repository(cx, &state, repo, ""));
        body["repositories"] = shown.collect();
    }
    state.tokens.insert(text, token);
    Ok(FakeResponse::created(body))
}

/// The repositories that a token is narrowed to: their names, none for all, and their numbers.
fn narrowed(state: &State, of: &Installation, wish: &Wish) -> Outcome<(Vec<String>, Vec<u64>)> {
    let reached = of.reaches(state);
    let asked = wish.repositories.len() + wish.repository_ids.len();
    if asked == 0 {
        return Ok((of.repositories.clone(), reached.iter().map(|repo| repo.id).collect()));
    }
    let chosen: Vec<&&Repository> = reached
        .iter()
        .filter(|repo| {
            wish.repository_ids.contains(&repo.id)
                || wish.repositories.iter().any(|name| name.eq_ignore_ascii_case(&repo.name))
        })
        .collect();
    if chosen.len() < asked {
        return Err(ApiError::unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        ));
    }
    if asked > MOST_REPOSITORIES {
        return Err(ApiError::unprocessable("Too many repositories for installation"));
    }
    Ok((chosen.iter().map(|repo| repo.full_name()).collect(), chosen.iter().map(|repo| repo.id).collect()))
}

/// Permissions that are for writing or not had at all (docs.github.com, "Create an installation access token
/// for an app", the properties of `permissions`).
const ONLY_WRITTEN: [&str; 2] = ["workflows", "profile"];

/// The permissions that a token is narrowed to.
fn lessened(has: &BTreeMap<String, String>, wish: &Map<String, Value>) -> Outcome<BTreeMap<String, String>> {
    if wish.is_empty() {
        return Ok(has.clone());
    }
    let strength = |level: &str| match level {
        "admin" => 3,
        "write" => 2,
        "read" => 1,
        _ => 0,
    };
    let mut lessened = BTreeMap::new();
    for (name, level) in wish {
        let level = level.as_str().unwrap_or_default();
        let held = has.get(name).map_or(0, |held| strength(held));
        let unknown = ONLY_WRITTEN.contains(&name.as_str()) && level != "write";
        if unknown || strength(level) == 0 || strength(level) > held {
            return Err(ApiError::unprocessable(
                "The permissions requested are not granted to this installation.",
            ));
        }
        lessened.insert(name.clone(), level.to_owned());
    }
    Ok(lessened)
}

/// A repository as it is listed here; only the older version tells of downloads (docs.github.com, "Breaking
/// changes", 2026-03-10).
fn repository(cx: &RequestContext<'_>, state: &State, repo: &Repository, login: &str) -> Value {
    let mut row = repository_json(cx.site, state, repo, login);
    if cx.version() == "2022-11-28" {
        row.insert("has_downloads".to_owned(), json!(true));
    }
    Value::Object(row)
}

/// `GET /installation/repositories`.
fn repositories(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let token = cx.caller.token.as_ref().filter(|token| token.kind == Kind::Installation);
    let Some(token) = token else {
        return Err(ApiError::forbidden(
            "You must authenticate with an installation access token in order to list repositories for an installation.",
        ));
    };
    let state = cx.site.state();
    let repos = state.repos.all().filter(|repo| token.is_for(&repo.owner, &repo.full_name()));
    let repos: Vec<_> = repos.collect();
    let answer = cx.counted("repositories", &repos, |repo| repository(cx, &state, repo, &token.login));
    Ok(answer)
}
