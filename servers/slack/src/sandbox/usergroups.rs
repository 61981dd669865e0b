//! User groups, whose members are always replaced as a whole.

use serde_json::{Value, json};

use super::{
    dispatch::{Context, Method, Outcome, Refusal, T2, method},
    objects::public,
    state::{Row, flag, text, texts},
};

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("usergroups.list", T2, "usergroups:read", "", |cx| {
        let all: Vec<Value> = cx
            .state
            .rows("usergroups")
            .iter()
            .filter(|row| cx.args.switch("include_disabled") || !flag(row, "_disabled"))
            .map(|row| {
                let mut shown = show(row);
                if !cx.args.switch("include_users")
                    && let Some(shown) = shown.as_object_mut()
                {
                    shown.shift_remove("users");
                }
                shown
            })
            .collect();
        Ok(json!({ "usergroups": all }))
    }),
    method("usergroups.users.list", T2, "usergroups:read", "usergroup", |cx| {
        let row = cx.state.get("usergroups", &cx.args.text("usergroup"), "no_such_subteam")?;
        Ok(json!({ "users": texts(row, "users") }))
    }),
    method("usergroups.create", T2, "usergroups:write", "name", |cx| {
        let (name, handle) = (cx.args.text("name"), cx.args.text("handle"));
        unique(cx, "", &name, &handle)?;
        let id = cx.state.new_id("S");
        let row = json!({ "id": id, "team_id": cx.state.team_id(), "is_usergroup": true, "name": name, "handle": handle,
            "description": cx.args.text("description"), "date_create": cx.now.as_secs(), "users": [],
            "created_by": cx.caller.user });
        cx.state.add("usergroups", &row);
        shown(cx, &id)
    }),
    method("usergroups.update", T2, "usergroups:write", "usergroup", |cx| {
        let id = cx.args.text("usergroup");
        cx.state.get("usergroups", &id, "no_such_subteam")?;
        unique(cx, &id, &cx.args.text("name"), &cx.args.text("handle"))?;
        let changes: Vec<(&str, String)> = ["name", "handle", "description"]
            .into_iter()
            .filter(|field| cx.args.has(field))
            .map(|field| (field, cx.args.text(field)))
            .collect();
        if let Some(row) = cx.state.find_mut("usergroups", &id) {
            for (field, value) in changes {
                row.insert(field.to_owned(), json!(value));
            }
        }
        shown(cx, &id)
    }),
    method("usergroups.users.update", T2, "usergroups:write", "usergroup users", |cx| {
        let (id, users) = (cx.args.text("usergroup"), cx.args.list("users"));
        cx.state.get("usergroups", &id, "no_such_subteam")?;
        for user in &users {
            cx.state.get("users", user, "invalid_users")?;
        }
        if users.is_empty() {
            return Err(Refusal::new("no_users_provided"));
        }
        if let Some(row) = cx.state.find_mut("usergroups", &id) {
            row.insert("users".to_owned(), json!(users));
        }
        shown(cx, &id)
    }),
];

fn unique(cx: &Context<'_>, id: &str, name: &str, handle: &str) -> Outcome<()> {
    let others = || cx.state.rows("usergroups").iter().filter(|row| text(row, "id") != id);
    if !name.is_empty() && others().any(|row| text(row, "name") == name) {
        return Err(Refusal::new("name_already_exists"));
    }
    let taken = |row: &Row| text(row, "handle") == handle;
    if !handle.is_empty()
        && (others().any(taken) || cx.state.rows("users").iter().any(|row| text(row, "name") == handle))
    {
        return Err(Refusal::new("handle_already_exists"));
    }
    Ok(())
}

fn show(row: &Row) -> Value {
    let mut shown = public(row);
    let users = texts(row, "users");
    shown.insert("user_count".to_owned(), json!(users.len()));
    for (field, value) in [
        ("is_usergroup", json!(true)),
        ("is_external", json!(false)),
        ("date_create", json!(1_700_000_000)),
        ("date_delete", json!(0)),
        ("auto_type", Value::Null),
        ("prefs", json!({ "channels": [], "groups": [] })),
    ] {
        shown.entry(field).or_insert(value);
    }
    json!(shown)
}

fn shown(cx: &Context<'_>, id: &str) -> Outcome<Value> {
    let mut shown = show(cx.state.get("usergroups", id, "no_such_subteam")?);
    // The answer to a change does not count the members.
    if let Some(shown) = shown.as_object_mut() {
        shown.shift_remove("user_count");
    }
    Ok(json!({ "usergroup": shown }))
}
