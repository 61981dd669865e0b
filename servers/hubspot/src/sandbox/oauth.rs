//! Tokens of public apps: given out for a code or a refresh token, looked into, taken back (developers.hubspot.com,
//! "Working with OAuth"; the members of the answers are those of the published OpenAPI). They last half an hour.

use serde_json::{Value, json};

use super::{
    errors::{Answer, Outcome},
    routes::Ctx,
};

/// Seconds for which an access token is good.
const LIFE: u64 = 1_800;

/// A refusal as the token's endpoints say it, beside HubSpot's own words.
fn refused(error: &str, status: &str, message: &str) -> Outcome {
    Ok(Answer {
        status: 400,
        body: Some(
            json!({"error": error, "error_description": message, "status": status, "message": message}),
        ),
    })
}

/// What a form has in a field.
fn given<'a>(ctx: &'a Ctx<'_>, name: &str) -> &'a str {
    ctx.body[name].as_str().unwrap_or_default()
}

/// The app that a form names with its secret.
fn app(ctx: &Ctx<'_>) -> Option<Value> {
    let is_its = |app: &&Value| {
        app["clientId"] == given(ctx, "client_id") && app["clientSecret"] == given(ctx, "client_secret")
    };
    ctx.state.apps.iter().find(is_its).cloned()
}

/// `POST /oauth/{version}/token`: a form, answered with a token for half an hour.
pub(super) fn token(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    let Some(app) = app(ctx) else {
        return refused("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id");
    };
    let fits = match given(ctx, "grant_type") {
        "authorization_code" => {
            app["code"] == given(ctx, "code") && app["redirectUri"] == given(ctx, "redirect_uri")
        }
        // It sends no redirect_uri, and the refresh token stays the same.
        "refresh_token" => app["refreshToken"] == given(ctx, "refresh_token"),
        _ => return refused("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type"),
    };
    if !fits {
        let (status, message) = match given(ctx, "grant_type") {
            "refresh_token" => ("BAD_REFRESH_TOKEN", "missing or invalid refresh token"),
            _ => ("BAD_AUTH_CODE", "missing or unknown auth code"),
        };
        return refused("invalid_grant", status, message);
    }
    let access = format!("CJ-sandbox-{}", ctx.state.new_id());
    let until = ctx.now_exact().as_secs() + LIFE;
    ctx.state.tokens.push(json!({
        "token": access, "kind": "oauth", "userId": 501, "appId": app["appId"], "clientId": app["clientId"],
        "scopes": app["scopes"], "until": until,
    }));
    Ok(Answer::ok(json!({
        "token_type": "bearer", "access_token": access, "refresh_token": app["refreshToken"], "expires_in": LIFE,
        "hub_id": ctx.state.account["portalId"], "user_id": 501, "scopes": app["scopes"],
    })))
}

/// What a token is: of one that is unknown or over it is said that it is not active, and nothing is refused.
pub(super) fn introspect(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    let now = ctx.now_exact().as_secs();
    let wanted = given(ctx, "token");
    let found = ctx.state.tokens.iter().find(|one| one["kind"] == "oauth" && one["token"] == wanted);
    let left = found.and_then(|one| one["until"].as_u64()).and_then(|until| until.checked_sub(now));
    let (Some(found), Some(left)) = (found, left.filter(|left| *left > 0)) else {
        return Ok(Answer::ok(json!({"active": false})));
    };
    Ok(Answer::ok(json!({
        "active": true, "token_type": "access_token", "token": wanted, "hub_id": ctx.state.account["portalId"],
        "user_id": found["userId"], "app_id": found["appId"], "client_id": found["clientId"],
        "scopes": found["scopes"], "expires_in": left,
    })))
}

/// Takes a refresh token back, and the access tokens that came of it.
pub(super) fn revoke(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    let wanted = given(ctx, "token").to_owned();
    let gone = ctx.state.apps.iter_mut().find(|app| app["refreshToken"] == wanted.as_str());
    let client = gone.map(|app| {
        app["refreshToken"] = Value::Null;
        app["clientId"].clone()
    });
    ctx.state
        .tokens
        .retain(|one| one["token"] != wanted.as_str() && client.as_ref() != Some(&one["clientId"]));
    Ok(Answer::nothing())
}
