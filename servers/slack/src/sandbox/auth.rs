//! Who calls: tokens that the sandbox gives away, and those of its OAuth endpoints, which expire and
//! rotate (docs.slack.dev/authentication/using-token-rotation).
//!
//! | token | is |
//! |---|---|
//! | `xoxp-sandbox` | the user Maya with every scope |
//! | `xoxb-sandbox` | the app's bot with every scope that a bot can have |
//! | `xoxp-sandbox-readonly` | Maya, who may only read |
//! | `xoxp-sandbox-unlisted` | Maya through an app outside the Marketplace: history one page of 15 a minute |
//! | `xoxp-sandbox-org` | Maya's token of the whole organization, Enterprise Grid: two workspaces |
//! | `xoxp-sandbox-2`, … | more tokens like the first, with tiers of their own |

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::State as Shared,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use connector::sandbox::Harness;
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::{
    Site,
    dispatch::{Args, Context, Method, Outcome, Refusal, SPECIAL, T2, T3, method},
    state::{Row, flag, text},
};

/// The organization of both workspaces: its id and its name below `enterprise.slack.com`.
pub(super) const ORGANIZATION: (&str, &str) = ("E0HARBORGRP", "harbor-group");
/// Methods that ask a token of the whole organization which workspace is meant: of those here, all whose pages say
/// "required if org token is used" of `team_id`.
pub(super) const BY_WORKSPACE: &[&str] = &[
    "chat.scheduledMessages.list",
    "conversations.create",
    "conversations.list",
    "files.list",
    "reactions.list",
    "search.files",
    "search.messages",
    "usergroups.create",
    "usergroups.list",
    "usergroups.update",
    "usergroups.users.list",
    "usergroups.users.update",
    "users.conversations",
    "users.list",
];
/// The OAuth application that the sandbox knows.
pub(super) const CLIENT_ID: &str = "1111111111.2222222222";
/// Its secret.
pub(super) const CLIENT_SECRET: &str = "sandbox-secret";
/// The application's id.
const APP: &str = "A0SANDBOX01";
/// How long a rotating access token lives.
const ACCESS: Duration = Duration::from_secs(43_200);
/// How long a used refresh token still gets the answer it got the first time.
const GRACE: Duration = Duration::from_secs(60);

/// Scopes that only read.
const READ: &[&str] = &[
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
    "channels:read",
    "groups:read",
    "im:read",
    "mpim:read",
    "users:read",
    "users:read.email",
    "users.profile:read",
    "files:read",
    "search:read",
    "search:read.public",
    "search:read.private",
    "search:read.im",
    "search:read.mpim",
    "search:read.files",
    "search:read.users",
    "reactions:read",
    "usergroups:read",
    "pins:read",
    "bookmarks:read",
    "emoji:read",
    "team:read",
    "canvases:read",
    "lists:read",
];
/// Scopes that write.
const WRITE: &[&str] = &[
    "chat:write",
    "chat:write.public",
    "channels:write",
    "groups:write",
    "im:write",
    "mpim:write",
    "channels:manage",
    "channels:join",
    "channels:write.invites",
    "groups:write.invites",
    "files:write",
    "reactions:write",
    "usergroups:write",
    "pins:write",
    "bookmarks:write",
    "canvases:write",
    "lists:write",
    "users.profile:write",
];
/// Scopes that no bot can have (docs.slack.dev/reference/scopes).
const USER_ONLY: &[&str] = &[
    "search:read",
    "search:read.private",
    "search:read.im",
    "search:read.mpim",
    "channels:write",
    "users.profile:write",
];

/// Who calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// Whose tiers are counted.
    pub(super) token: String,
    /// The user, or the bot's user.
    pub(super) user: String,
    /// The bot's id; empty for a user.
    pub(super) bot: String,
    /// What it may do.
    pub(super) scopes: Vec<String>,
    /// Whether its application is distributed outside the Marketplace.
    pub(super) unlisted: bool,
    /// Whether its application is installed for the whole organization.
    pub(super) org: bool,
}

impl Caller {
    /// Who calls a method that needs no token.
    pub(super) fn nobody() -> Self {
        Self::default()
    }

    /// Whether the token carries `scope`.
    pub(super) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }

    /// Whether it is a bot.
    pub(super) fn is_bot(&self) -> bool {
        !self.bot.is_empty()
    }
}

/// Tokens that were given out for codes and refresh tokens.
pub(super) struct Logins {
    harness: Harness,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    codes: HashMap<String, Code>,
    access: HashMap<String, (Duration, Kind)>,
    refresh: HashMap<String, Refresh>,
}

struct Code {
    kind: Kind,
    challenge: Option<String>,
    redirect: String,
}

#[derive(Clone)]
struct Refresh {
    kind: Kind,
    used: Option<(Duration, Value)>,
}

/// Whose token it is, and what it may do.
#[derive(Clone, Debug)]
struct Kind {
    bot: bool,
    scopes: Vec<String>,
}

impl Logins {
    pub(super) fn new(harness: &Harness) -> Self {
        Self { harness: harness.clone(), book: Mutex::default() }
    }

    pub(super) fn clear(&self) {
        *self.book() = Book::default();
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// New tokens, of which at most two are good at once.
    fn hand_out(&self, book: &mut Book, kind: &Kind) -> Value {
        let name = if kind.bot { "xoxb" } else { "xoxp" };
        let access = format!("xoxe.{name}-1-{}", Uuid::new_v4().simple());
        let refresh = format!("xoxe-1-{}", Uuid::new_v4().simple());
        let mut live: Vec<_> = book
            .access
            .iter()
            .filter(|(_, (_, other))| other.bot == kind.bot)
            .map(|(token, (expires, _))| (*expires, token.clone()))
            .collect();
        live.sort();
        while live.len() >= 2 {
            let (_, oldest) = live.remove(0);
            book.access.remove(&oldest);
        }
        book.access.insert(access.clone(), (self.harness.clock().now() + ACCESS, kind.clone()));
        book.refresh.insert(refresh.clone(), Refresh { kind: kind.clone(), used: None });
        json!({
            "access_token": access, "refresh_token": refresh, "expires_in": ACCESS.as_secs(),
            "scope": kind.scopes.join(","), "token_type": if kind.bot { "bot" } else { "user" },
        })
    }
}

/// The methods of tokens.
pub(super) const METHODS: &[Method] = &[
    method("api.test", SPECIAL, "", "", |cx| Ok(json!({ "args": { "foo": cx.args.text("foo") } }))),
    method("auth.test", SPECIAL, "", "", auth_test),
    method("auth.revoke", SPECIAL, "", "", |cx| {
        if !cx.args.switch("test") {
            cx.site.logins.book().access.remove(&cx.caller.token);
        }
        Ok(json!({ "revoked": !cx.args.switch("test") }))
    }),
    method("auth.teams.list", T2, "", "", |cx| {
        let all = cx.state.rows("team").iter().take(if cx.caller.org { usize::MAX } else { 1 });
        let all: Vec<Value> =
            all.map(|team| json!({ "id": text(team, "id"), "name": text(team, "name") })).collect();
        let (teams, metadata) = cx.page(all, 100, 1000)?;
        Ok(json!({ "teams": teams, "response_metadata": metadata }))
    }),
    method("team.info", T3, "team:read", "", |cx| {
        let mut team = match cx.args.text("team") {
            id if id.is_empty() => cx.state.team(),
            id => cx.state.get("team", &id, "team_not_found")?.clone(),
        };
        team.shift_remove("url");
        if cx.caller.org {
            let (id, domain) = ORGANIZATION;
            team.extend([
                ("enterprise_id".to_owned(), json!(id)),
                ("enterprise_domain".to_owned(), json!(domain)),
            ]);
        }
        Ok(json!({ "team": team }))
    }),
    method("oauth.v2.access", SPECIAL, "", "", token),
    method("oauth.v2.user.access", SPECIAL, "", "", token),
    method("oauth.v2.exchange", SPECIAL, "", "token", |cx| {
        let kind = kind_of(&cx.args.text("token")).ok_or_else(|| Refusal::new("invalid_auth"))?;
        let logins = &cx.site.logins;
        let mut answer = logins.hand_out(&mut logins.book(), &kind);
        answer["team_id"] = json!(cx.state.team_id());
        Ok(answer)
    }),
];

/// Whether a method is called without a token.
pub(super) fn is_open(name: &str) -> bool {
    name.starts_with("oauth.") || name == "api.test"
}

fn auth_test(cx: &mut Context<'_>) -> Outcome<Value> {
    let team = cx.state.team();
    let user = cx.state.get("users", &cx.caller.user, "invalid_auth")?;
    let mut answer = json!({
        "url": text(&team, "url"), "team": text(&team, "name"), "team_id": text(&team, "id"),
        "user": text(user, "name"), "user_id": cx.caller.user, "is_enterprise_install": false,
    });
    if cx.caller.is_bot() {
        answer["bot_id"] = json!(cx.caller.bot);
    }
    if cx.caller.org {
        let (id, domain) = ORGANIZATION;
        let url = format!("https://{domain}.enterprise.slack.com/");
        for (field, value) in [("team_id", id), ("enterprise_id", id), ("url", &url)] {
            answer[field] = json!(value);
        }
        answer["is_enterprise_install"] = json!(true);
    }
    Ok(answer)
}

/// The caller that a header, or the argument `token`, names.
pub(super) fn authenticate(site: &Site, headers: &HeaderMap, args: &Args) -> Outcome<Caller> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = match bearer.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) => token.trim().to_owned(),
        None if args.has("token") => args.text("token"),
        None => return Err(Refusal::new("not_authed")),
    };
    let given = site.logins.book().access.get(&token).cloned();
    let kind = match given {
        Some((expires, _)) if expires <= site.now() => return Err(Refusal::new("token_expired")),
        Some((_, kind)) => kind,
        None => kind_of(&token).ok_or_else(|| Refusal::new("invalid_auth"))?,
    };
    let state = site.state();
    let bot = state.rows("users").iter().find(|row| flag(row, "_app"));
    let owner = state.rows("users").iter().find(|row| flag(row, "_owner_of_token"));
    let of = |row: Option<&Row>, field: &str| row.map(|row| text(row, field).to_owned()).unwrap_or_default();
    Ok(Caller {
        user: of(if kind.bot { bot } else { owner }, "id"),
        bot: if kind.bot { of(bot, "_bot_id") } else { String::new() },
        scopes: kind.scopes,
        unlisted: token.contains("unlisted"),
        org: token.ends_with("-org"),
        token,
    })
}

/// What a token of the table above may do.
fn kind_of(token: &str) -> Option<Kind> {
    let (bot, rest) = match token.split_once("-sandbox")? {
        ("xoxp", rest) => (false, rest),
        ("xoxb", rest) => (true, rest),
        _ => return None,
    };
    let scopes = if rest == "-readonly" { READ.to_vec() } else { [READ, WRITE].concat() };
    let scopes = scopes.into_iter().filter(|scope| !bot || !USER_ONLY.contains(scope));
    Some(Kind { bot, scopes: scopes.map(str::to_owned).collect() })
}

/// `oauth.v2.access`: a code or a refresh token for tokens.
fn token(cx: &mut Context<'_>) -> Outcome<Value> {
    let args = cx.args;
    if args.has("client_id") && args.text("client_id") != CLIENT_ID {
        return Err(Refusal::new("invalid_client_id"));
    }
    let logins = &cx.site.logins;
    let now = cx.now;
    let mut book = logins.book();
    let (kind, answer) = if args.text("grant_type") == "refresh_token" || args.has("refresh_token") {
        if args.has("client_secret") && args.text("client_secret") != CLIENT_SECRET {
            return Err(Refusal::new("bad_client_secret"));
        }
        let given = args.text("refresh_token");
        let held = book.refresh.get(&given).cloned().ok_or_else(|| Refusal::new("invalid_refresh_token"))?;
        match &held.used {
            Some((at, answer)) if now.saturating_sub(*at) <= GRACE => (held.kind, answer.clone()),
            Some(_) => return Err(Refusal::new("invalid_refresh_token")),
            None => {
                let answer = logins.hand_out(&mut book, &held.kind);
                if let Some(refresh) = book.refresh.get_mut(&given) {
                    refresh.used = Some((now, answer.clone()));
                }
                (held.kind, answer)
            }
        }
    } else {
        let code = book.codes.remove(&args.text("code")).ok_or_else(|| Refusal::new("invalid_code"))?;
        if args.text("redirect_uri") != code.redirect {
            return Err(Refusal::new("bad_redirect_uri"));
        }
        match &code.challenge {
            Some(challenge) => {
                let digest = Sha256::digest(args.text("code_verifier").as_bytes());
                if BASE64_URL_SAFE_NO_PAD.encode(digest) != *challenge {
                    return Err(Refusal::new("invalid_grant"));
                }
            }
            None if args.text("client_secret") != CLIENT_SECRET => {
                return Err(Refusal::new("bad_client_secret"));
            }
            None => {}
        }
        let answer = logins.hand_out(&mut book, &code.kind);
        (code.kind, answer)
    };
    let team = cx.state.team();
    let mut whole = json!({
        "app_id": APP, "team": { "id": text(&team, "id"), "name": text(&team, "name") },
        "enterprise": null, "is_enterprise_install": false,
    });
    if let (Some(whole), Value::Object(answer)) = (whole.as_object_mut(), answer) {
        if kind.bot {
            whole.extend(answer);
        } else {
            // A user's token stands under `authed_user` (docs.slack.dev/authentication/installing-with-oauth);
            // a rotated one also at the top.
            let mut user = answer.clone();
            user.insert("id".to_owned(), json!(super::VIEWER));
            whole.insert("authed_user".to_owned(), Value::Object(user));
            whole.extend(answer);
        }
    }
    Ok(whole)
}

/// `GET /oauth/v2/authorize`: consents at once and sends the code to the redirect address.
pub(super) async fn authorize(Shared(site): Shared<Arc<Site>>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let params: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let get = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    let redirect = Url::parse(get("redirect_uri")).ok();
    let Some(mut target) = redirect.filter(|_| get("client_id") == CLIENT_ID) else {
        return (StatusCode::BAD_REQUEST, "invalid_client_id or bad_redirect_uri").into_response();
    };
    let bot = !get("scope").is_empty() && !uri.path().contains("v2_user");
    let scopes = if bot || get("user_scope").is_empty() { get("scope") } else { get("user_scope") };
    let kind = Kind { bot, scopes: scopes.split([',', ' ']).map(str::to_owned).collect() };
    let challenge = (!get("code_challenge").is_empty()).then(|| get("code_challenge").to_owned());
    let code = BASE64_STANDARD.encode(Uuid::new_v4().as_bytes());
    let redirect = get("redirect_uri").to_owned();
    site.logins.book().codes.insert(code.clone(), Code { kind, challenge, redirect });
    target.query_pairs_mut().append_pair("code", &code).append_pair("state", get("state"));
    (StatusCode::FOUND, [(header::LOCATION, target.to_string())]).into_response()
}
