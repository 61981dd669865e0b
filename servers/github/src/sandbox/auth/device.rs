//! The device flow of the site, and its refresh tokens, which are good once.
//!
//! Sources: docs.github.com, "Generating a user access token for a GitHub App" and "Refreshing user access
//! tokens". Errors come with status 200. An answer is form-encoded unless JSON is asked for.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{Kind, Token};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    request::{FakeResponse, RequestContext},
    route::{ANY, Route, route},
    state::State,
};

pub(super) const ROUTES: &[Route] = &[
    route("POST /login/device/code", ANY, begin),
    route("POST /login/oauth/access_token", ANY, exchange),
    route("POST /_github/device", ANY, enter),
];

/// How long a code is good, in seconds.
const CODE_LIFE: u64 = 900;
/// How long one must wait between two tries at first; who comes too early must wait so much longer.
const INTERVAL: u64 = 5;
/// How long a user's token lives: eight hours.
const TOKEN_LIFE: u64 = 28_800;
/// How long its refresh token lives: six months.
const REFRESH_LIFE: u64 = 15_897_600;

/// Codes and refresh tokens.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Grants {
    devices: BTreeMap<String, Device>,
    refresh: BTreeMap<String, Refresh>,
}

/// A device that waits for somebody to enter its code.
#[derive(Clone, Debug)]
struct Device {
    client_id: String,
    user_code: String,
    expires: u64,
    interval: u64,
    tried: Option<u64>,
    entered: Entered,
}

#[derive(Clone, Debug)]
enum Entered {
    NotYet,
    Denied,
    By(String),
}

#[derive(Clone, Debug)]
struct Refresh {
    client_id: String,
    login: String,
    expires: u64,
    /// The token that ends with it.
    access: String,
}

/// What is said in a form or in JSON.
fn said(cx: &RequestContext<'_>) -> BTreeMap<String, String> {
    if let Ok(Value::Object(object)) = serde_json::from_slice(&cx.body) {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        return object.into_iter().map(|(name, value)| (name, text(value))).collect();
    }
    let form = form_urlencoded::parse(&cx.body).into_owned();
    form.chain(cx.query.iter().cloned()).collect()
}

/// The answer in the form that was asked for.
fn answer(cx: &RequestContext<'_>, body: Value) -> FakeResponse {
    let json = cx.headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
    if json.is_some_and(|accepted| accepted.contains("json")) {
        return FakeResponse::json(body);
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => form.append_pair(name, text),
            other => form.append_pair(name, &other.to_string()),
        };
    }
    FakeResponse::bytes("application/x-www-form-urlencoded; charset=utf-8", form.finish())
}

/// A refusal; it comes with status 200.
fn refuse(cx: &RequestContext<'_>, error: &str, description: &str, more: Value) -> FakeResponse {
    let page = "https://docs.github.com/developers/apps/authorizing-oauth-apps";
    let mut body = Map::new();
    body.insert("error".to_owned(), json!(error));
    body.insert("error_description".to_owned(), json!(description));
    body.insert("error_uri".to_owned(), json!(format!("{page}#error-codes-for-the-device-flow")));
    if let Value::Object(more) = more {
        body.extend(more);
    }
    answer(cx, Value::Object(body))
}

/// `POST /login/device/code`.
fn begin(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let said = said(cx);
    let client_id = said.get("client_id").cloned().unwrap_or_default();
    let mut state = cx.site.state();
    if state.apps.client(&client_id).is_none() {
        return Ok(answer(cx, json!({"error": "Not Found"})).with_status(StatusCode::NOT_FOUND));
    }
    let code = uuid::Uuid::new_v4().simple().to_string();
    let letters = code.to_uppercase();
    let user_code = format!("{}-{}", &letters[..4], &letters[4..8]);
    let expires = cx.site.harness.clock().now().as_secs() + CODE_LIFE;
    let device = Device {
        client_id,
        user_code: user_code.clone(),
        expires,
        interval: INTERVAL,
        tried: None,
        entered: Entered::NotYet,
    };
    state.grants.devices.insert(code.clone(), device);
    let body = json!({
        "device_code": code,
        "user_code": user_code,
        "verification_uri": cx.site.url("login/device"),
        "expires_in": CODE_LIFE,
        "interval": INTERVAL,
    });
    Ok(answer(cx, body))
}

/// `POST /login/oauth/access_token`.
fn exchange(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let said = said(cx);
    let text = |name: &str| said.get(name).map(String::as_str).unwrap_or_default();
    let mut state = cx.site.state();
    let secret = said.get("client_secret");
    let client = state.apps.client(text("client_id"));
    if client.is_none_or(|app| secret.is_some_and(|secret| *secret != app.client_secret)) {
        let words = "The client_id and/or client_secret passed are incorrect.";
        return Ok(refuse(cx, "incorrect_client_credentials", words, Value::Null));
    }
    match text("grant_type") {
        "urn:ietf:params:oauth:grant-type:device_code" => {
            Ok(device(cx, &mut state, text("client_id"), text("device_code")))
        }
        "refresh_token" => Ok(refresh(cx, &mut state, text("client_id"), text("refresh_token"))),
        _ => {
            let words = "The authorization grant type is not supported by the authorization server.";
            Ok(refuse(cx, "unsupported_grant_type", words, Value::Null))
        }
    }
}

fn device(cx: &RequestContext<'_>, state: &mut State, client_id: &str, code: &str) -> FakeResponse {
    let now = cx.site.harness.clock().now().as_secs();
    let known = state.grants.devices.get_mut(code).filter(|device| device.client_id == client_id);
    let Some(device) = known else {
        let words = "The device_code provided is not valid.";
        return refuse(cx, "incorrect_device_code", words, Value::Null);
    };
    if now >= device.expires {
        let words = "This 'device_code' has expired.";
        return refuse(cx, "expired_token", words, Value::Null);
    }
    // Who comes too early must wait five seconds longer from then on.
    let early = device.tried.is_some_and(|tried| now < tried + device.interval);
    device.tried = Some(now);
    if early {
        device.interval += INTERVAL;
        let words = "Too many requests have been made in the same timeframe.";
        return refuse(cx, "slow_down", words, json!({"interval": device.interval}));
    }
    match device.entered.clone() {
        Entered::NotYet => {
            let words = "The authorization request is still pending.";
            refuse(cx, "authorization_pending", words, Value::Null)
        }
        Entered::Denied => {
            let words = "The authorization request was denied.";
            refuse(cx, "access_denied", words, Value::Null)
        }
        Entered::By(login) => {
            state.grants.devices.remove(code);
            hand_out(cx, state, client_id, &login)
        }
    }
}

fn refresh(cx: &RequestContext<'_>, state: &mut State, client_id: &str, token: &str) -> FakeResponse {
    let now = cx.site.harness.clock().now().as_secs();
    let good = |held: &Refresh| held.client_id == client_id && now < held.expires;
    if !state.grants.refresh.get(token).is_some_and(good) {
        let words = "The refresh token passed is incorrect or expired.";
        return refuse(cx, "bad_refresh_token", words, Value::Null);
    }
    // It is good once, and the token it came with ends.
    let Some(held) = state.grants.refresh.remove(token) else { return FakeResponse::none() };
    state.tokens.remove(&held.access);
    hand_out(cx, state, client_id, &held.login)
}

/// A token for what both the user and the app may, and another to renew it with.
fn hand_out(cx: &RequestContext<'_>, state: &mut State, client_id: &str, login: &str) -> FakeResponse {
    let now = cx.site.harness.clock().now().as_secs();
    let random = || uuid::Uuid::new_v4().simple().to_string();
    let (access, refresh) = (format!("ghu_{}sand", random()), format!("ghr_{}{}", random(), random()));
    let permissions = state.apps.client(client_id).map(|app| app.permissions.clone()).unwrap_or_default();
    let token = Token {
        kind: Kind::UserToServer,
        login: login.to_owned(),
        user: state.accounts.get(login).map(|account| account.id).unwrap_or_default(),
        scopes: Vec::new(),
        permissions,
        repositories: Vec::new(),
        owner: None,
        installation: None,
        expires: Some(now + TOKEN_LIFE),
        sso: Vec::new(),
    };
    state.tokens.insert(access.clone(), token);
    let held = Refresh {
        client_id: client_id.to_owned(),
        login: login.to_owned(),
        expires: now + REFRESH_LIFE,
        access: access.clone(),
    };
    state.grants.refresh.insert(refresh.clone(), held);
    let body = json!({
        "access_token": access,
        "expires_in": TOKEN_LIFE,
        "refresh_token": refresh,
        "refresh_token_expires_in": REFRESH_LIFE,
        "scope": "",
        "token_type": "bearer",
    });
    answer(cx, body)
}

/// `POST /_github/device`: somebody enters a code in the browser.
fn enter(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Code {
        user_code: String,
        login: Option<String>,
        #[serde(default)]
        deny: bool,
    }
    let code: Code =
        serde_json::from_slice(&cx.body).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    let mut state = cx.site.state();
    let mut devices = state.grants.devices.values_mut();
    let device = devices.find(|device| device.user_code == code.user_code).ok_or_else(ApiError::not_found)?;
    device.entered = match code.login {
        _ if code.deny => Entered::Denied,
        Some(login) => Entered::By(login),
        None => return Err(ApiError::unprocessable("who enters the code?")),
    };
    Ok(FakeResponse::none())
}
