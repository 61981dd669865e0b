//! People: listed, looked up, their profiles and presence; the workspace's emoji.

use serde_json::{Map, Value, json};

use super::{
    auth::ORGANIZATION,
    dispatch::{Context, Method, Refusal, T2, T3, T4, method},
    objects,
    state::{Row, flag, text},
};

const READ: &str = "users:read";

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("users.list", T2, READ, "", |cx| {
        let home = cx.state.team_id();
        let wanted = if cx.caller.org { cx.args.text("team_id") } else { home.clone() };
        let of = |row: &Row| if flag(row, "_organization") { text(row, "team_id") } else { &*home } == wanted;
        let all = cx.state.rows("users").iter().filter(|row| !flag(row, "is_stranger") && of(row));
        let all: Vec<&Row> = all.collect();
        let (page, metadata) = cx.page(all, 1000, 1000)?;
        let members: Vec<Value> =
            page.into_iter().map(|row| without_email(cx, objects::user(cx.state, row))).collect();
        Ok(json!({ "members": members, "cache_ts": cx.now.as_secs(), "response_metadata": metadata }))
    }),
    method("users.info", T4, READ, "user", |cx| {
        let row = cx.state.get("users", &cx.args.text("user"), "user_not_found")?;
        if flag(row, "_hidden") {
            return Err(Refusal::new("user_not_found"));
        }
        Ok(json!({ "user": without_email(cx, objects::user(cx.state, row)) }))
    }),
    method("users.lookupByEmail", T3, "users:read.email", "email", |cx| {
        let email = cx.args.text("email").to_lowercase();
        let row = cx.state.rows("users").iter().find(|row| {
            row.get("profile").and_then(|profile| profile["email"].as_str()).is_some_and(|one| one == email)
                && !flag(row, "deleted")
        });
        let row = row.ok_or_else(|| Refusal::new("users_not_found"))?;
        Ok(json!({ "user": without_email(cx, objects::user(cx.state, row)) }))
    }),
    method("users.profile.get", T4, "users.profile:read", "", |cx| {
        let id = cx.args.text_or("user", &cx.caller.user);
        let row = cx.state.get("users", &id, "user_not_found")?;
        let user = without_email(cx, objects::user(cx.state, row));
        Ok(json!({ "profile": user["profile"] }))
    }),
    method("users.getPresence", T3, READ, "", |cx| {
        let id = cx.args.text_or("user", &cx.caller.user);
        let row = cx.state.get("users", &id, "user_not_found")?;
        let presence = if flag(row, "_active") { "active" } else { "away" };
        Ok(json!({ "presence": presence, "online": presence == "active" }))
    }),
    method("emoji.list", T2, "emoji:read", "", |cx| {
        let emoji: Map<String, Value> = cx
            .state
            .rows("emoji")
            .iter()
            .map(|row| (text(row, "name").to_owned(), json!(text(row, "url"))))
            .collect();
        Ok(json!({ "emoji": emoji, "cache_ts": cx.now.as_secs().to_string() }))
    }),
];

/// A user as who lacks `users:read.email` sees them, and with a token of the organization who is of it.
fn without_email(cx: &Context<'_>, mut user: Value) -> Value {
    if cx.caller.org && user["is_stranger"] != true {
        let (id, _) = ORGANIZATION;
        user["enterprise_user"] =
            json!({ "id": user["id"], "enterprise_id": id, "teams": [user["team_id"]] });
    }
    if !cx.caller.has("users:read.email")
        && let Some(profile) = user.get_mut("profile").and_then(Value::as_object_mut)
    {
        profile.shift_remove("email");
    }
    user
}

/// The name by which a user is found in a search: `name`, display name or real name.
pub(super) fn answers_to(row: &Row, word: &str) -> bool {
    let profile = |field: &str| {
        row.get("profile").and_then(|profile| profile[field].as_str()).unwrap_or_default().to_lowercase()
    };
    let word = word.to_lowercase();
    [
        text(row, "name").to_lowercase(),
        text(row, "id").to_lowercase(),
        profile("display_name"),
        profile("real_name"),
        profile("email"),
    ]
    .iter()
    .any(|known| *known == word || (word.len() > 2 && known.contains(&word)))
}
