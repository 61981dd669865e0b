//! Writes of every kind that there is in Slack, each with a marker: what a storm is made of.

use serde_json::{Value, json};

use super::{ENGINEERS, INCIDENT, ts};
use crate::{FIRST_ID, IdForm, Marked, Sample, THE_ID, texts_of};

/// What no storm can write, and why.
pub(super) const NOT_MARKED: &[(&str, &str)] = &[];

/// What things are before they are written to.
const BEFORE: &str = "Before the storm.";
const LINK: &str = "https://status.harbor.example";
const LIST: &str = "F0LISTACTN1";

/// The writes.
pub(super) fn writes(marker: &str) -> Vec<Marked> {
    let mut all = messages(marker);
    all.extend(on_messages(marker));
    all.extend(later(marker));
    all.extend(channels(marker));
    all.extend(members(marker));
    all.extend(groups(marker));
    all.extend(canvases(marker));
    all.extend(lists(marker));
    all
}

fn makes(tool: &'static str, arguments: Value) -> Marked {
    Marked::makes(Sample::new(tool, arguments))
}

fn send(text: &str) -> Sample {
    Sample::new("send_message", json!({"channel": ENGINEERS, "message": text}))
}

/// A write to a message of its own.
fn to(text: &str, tool: &'static str, arguments: Value) -> Marked {
    let write = Sample::new(tool, arguments).with("channel", ENGINEERS);
    Marked::to(send(text), IdForm::Decimal("17"), "ts", write)
}

/// What is said.
fn messages(marker: &str) -> Vec<Marked> {
    let upload = |more: Value| {
        let mut file = json!({"channel": ENGINEERS, "filename": "a.csv", "comment": marker});
        file.as_object_mut()
            .into_iter()
            .for_each(|file| file.extend(more.as_object().cloned().unwrap_or_default()));
        makes("upload_file", file)
    };
    vec![
        Marked::makes(send(marker)),
        makes("send_message", json!({"users": ["@tomas"], "message": marker, "unfurl": false})),
        makes("send_message", json!({"channel": INCIDENT, "ts": ts("ask"), "message": marker})),
        makes(
            "send_message",
            json!({"channel": INCIDENT, "ts": ts("ask"), "message": marker, "reply_broadcast": true}),
        ),
        makes("send_ephemeral", json!({"channel": ENGINEERS, "user": "@tomas", "message": marker})),
        upload(json!({"text": "warehouse,rows\n"})),
        upload(json!({"content": "YSxi", "title": "Rows", "alt_txt": "Rows"})),
        to(BEFORE, "update_message", json!({"message": marker})).guarded("expected_text", |state, ts| {
            let messages = state["messages"].as_array()?;
            let message = messages.iter().find(|message| message["ts"] == ts)?;
            message["text"].as_str().map(str::to_owned)
        }),
        to(marker, "delete_message", json!({})).removes(),
    ]
}

/// What is put on messages, and taken off.
fn on_messages(marker: &str) -> Vec<Marked> {
    let on = |tool, more: Value| Sample::new(tool, more).with("channel", ENGINEERS).with("ts", THE_ID);
    let eyes = || json!({"emoji": "eyes"});
    let pinned = |state: &Value| messages_with(state, "pinned_to");
    let reacted = |state: &Value| messages_with(state, "reactions");
    vec![
        to(marker, "pin_message", json!({})).in_texts(pinned),
        to(marker, "pin_message", json!({"pinned": false}))
            .step(on("pin_message", json!({})), None)
            .in_texts(pinned)
            .removes(),
        to(marker, "add_reaction", eyes()).in_texts(reacted),
        to(marker, "remove_reaction", eyes())
            .step(on("add_reaction", eyes()), None)
            .in_texts(reacted)
            .removes(),
    ]
}

/// What is sent later.
fn later(marker: &str) -> Vec<Marked> {
    let later = |text: &str| {
        Sample::new("schedule_message", json!({"channel": ENGINEERS, "message": text, "post_at": "in 100d"}))
    };
    let to =
        |text: &str, argument, write: Sample| Marked::to(later(text), IdForm::Word("Q0"), argument, write);
    vec![
        Marked::makes(later(marker)),
        to(BEFORE, "replaces", later(marker)),
        to(marker, "id", Sample::new("cancel_scheduled_message", json!({}))).removes(),
    ]
}

/// What becomes of channels and of what is kept in them.
fn channels(marker: &str) -> Vec<Marked> {
    let room = format!("room-{marker}");
    let make = |more: Value| {
        let mut room = json!({"name": room});
        room.as_object_mut()
            .into_iter()
            .for_each(|room| room.extend(more.as_object().cloned().unwrap_or_default()));
        Sample::new("create_conversation", room)
    };
    let on = |tool, more: Value| Sample::new(tool, more).with("channel", room.as_str());
    let change = |more: Value| on("update_channel", more);
    let archive = |archived: bool| on("archive_channel", json!({"archived": archived}));
    let bookmark = |title: &str| json!({"channel": INCIDENT, "title": title, "link": LINK});
    let marked = |title: &str, tool, more: Value| {
        let write = Sample::new(tool, more).with("channel", INCIDENT);
        Marked::to(Sample::new("save_bookmark", bookmark(title)), IdForm::Word("Bk0"), "id", write)
    };
    let said = json!({"message": "Calm."});
    vec![
        makes("create_conversation", json!({"name": marker})),
        makes(
            "create_conversation",
            json!({"name": marker, "is_private": true, "users": ["@tomas"], "topic": "Calm"}),
        ),
        Marked::after(make(json!({})), change(json!({"topic": marker})))
            .in_texts(|state| texts_of(&state["channels"], "topic")),
        Marked::after(make(json!({})), change(json!({"purpose": marker})))
            .in_texts(|state| texts_of(&state["channels"], "purpose")),
        Marked::after(make(json!({})), change(json!({"name": format!("new-{marker}")}))).in_texts(|state| {
            texts_of(&state["channels"], "name").into_iter().filter(|name| name.starts_with("new-")).collect()
        }),
        Marked::after(make(json!({"topic": marker})), change(json!({"clear": ["topic", "purpose"]})))
            .in_texts(|state| texts_of(&state["channels"], "topic"))
            .removes(),
        Marked::after(make(json!({})), archive(true)).in_texts(kept).removes(),
        Marked::after(make(json!({})), archive(false)).step(archive(true), None).in_texts(kept),
        Marked::after(make(json!({})), Sample::new("mark_read", json!({"channels": [room]})))
            .step(on("send_message", said), None)
            .in_texts(|state| rooms(state, |room| room["last_read"] != "0000000000.000000")),
        makes("save_bookmark", bookmark(marker)),
        marked(BEFORE, "save_bookmark", json!({"title": marker})),
        marked(marker, "remove_bookmark", json!({})).removes(),
    ]
}

/// Who is in a channel.
fn members(marker: &str) -> Vec<Marked> {
    let room = format!("room-{marker}");
    let make = |users: Value| Sample::new("create_conversation", json!({"name": room, "users": users}));
    let on = |tool, more: Value| Sample::new(tool, more).with("channel", room.as_str());
    let tomas = |state: &Value| rooms_of(state, "U0TOMAS0001");
    let own = |state: &Value| rooms_of(state, "U0MAYA00001");
    vec![
        Marked::after(make(json!([])), on("invite_users", json!({"users": ["@tomas"]}))).in_texts(tomas),
        Marked::after(make(json!(["@tomas"])), on("remove_user", json!({"user": "@tomas"})))
            .in_texts(tomas)
            .removes(),
        Marked::after(make(json!(["@tomas"])), on("leave_channel", json!({}))).in_texts(own).removes(),
        Marked::after(make(json!(["@tomas"])), on("join_channel", json!({})))
            .step(on("leave_channel", json!({})), None)
            .in_texts(own),
    ]
}

/// What becomes of groups of people.
fn groups(marker: &str) -> Vec<Marked> {
    let make = || Sample::new("save_usergroup", json!({"name": marker, "handle": marker}));
    let people =
        |change: Value| Sample::new("update_usergroup_members", change).with("group", format!("@{marker}"));
    let add = || people(json!({"add": ["@priya", "@tomas"]}));
    let change = json!({"group": format!("@{marker}"), "description": marker});
    vec![
        Marked::makes(make()),
        Marked::after(make(), Sample::new("save_usergroup", change))
            .in_texts(|state| texts_of(&state["usergroups"], "description")),
        Marked::after(make(), add()).in_texts(groups_of_priya),
        Marked::after(make(), people(json!({"remove": ["@priya"]})))
            .step(add(), None)
            .in_texts(groups_of_priya)
            .removes(),
    ]
}

/// What becomes of canvases.
fn canvases(marker: &str) -> Vec<Marked> {
    let of = |text: &str| Sample::new("write_canvas", json!({"title": "Storm", "markdown": text}));
    let read = || Sample::new("read_file", json!({"file": FIRST_ID}));
    let change = |op: &str, more: Value| {
        let mut operation = json!({"op": op});
        operation
            .as_object_mut()
            .into_iter()
            .for_each(|all| all.extend(more.as_object().cloned().unwrap_or_default()));
        Sample::new("write_canvas", json!({"canvas": FIRST_ID, "operations": [operation]}))
    };
    let own = |text: &str, write: Sample| {
        Marked::makes(write)
            .step(of(text), Some(IdForm::Word("F0")))
            .step(read(), Some(IdForm::Word("[temp:C:0")))
            .in_texts(|state| vec![state["files"].to_string()])
    };
    let here = |op: &str| change(op, json!({"section": THE_ID, "markdown": marker}));
    let room = format!("room-{marker}");
    vec![
        makes("write_canvas", json!({"title": marker, "markdown": "Nothing yet."})),
        Marked::after(
            Sample::new("create_conversation", json!({"name": room})),
            Sample::new("write_canvas", json!({"channel": room, "title": "Storm", "markdown": marker})),
        )
        .in_texts(|state| vec![state["files"].to_string()]),
        own(BEFORE, change("append", json!({"markdown": marker}))),
        own(BEFORE, change("prepend", json!({"markdown": marker}))),
        own(BEFORE, here("insert_after")),
        own(BEFORE, here("insert_before")),
        own(BEFORE, here("replace")),
        own(marker, change("delete", json!({"section": THE_ID}))).removes(),
    ]
}

/// What becomes of the rows of a list.
fn lists(marker: &str) -> Vec<Marked> {
    let save = |text: &str| Sample::new("save_list_item", json!({"list": LIST, "fields": {"Action": text}}));
    vec![
        Marked::makes(save(marker)).in_texts(rows),
        Marked::to(save(BEFORE), IdForm::Word("Rec0"), "item", save(marker)).in_texts(rows),
    ]
}

/// The texts of the rows of lists.
fn rows(state: &Value) -> Vec<String> {
    let rows = state["list_items"].as_array().into_iter().flatten();
    rows.flat_map(|row| texts_of(&row["fields"], "text")).collect()
}

/// The texts of the messages that have something in a field.
fn messages_with(state: &Value, field: &str) -> Vec<String> {
    let messages = state["messages"].as_array().into_iter().flatten();
    let with = messages.filter(|message| message[field].as_array().is_some_and(|all| !all.is_empty()));
    with.filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
}

/// The names of the conversations of which something holds.
fn rooms(state: &Value, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let rooms = state["channels"].as_array().into_iter().flatten().filter(|room| holds(room));
    rooms.filter_map(|room| room["name"].as_str().map(str::to_owned)).collect()
}

/// The names of the channels that are not archived.
fn kept(state: &Value) -> Vec<String> {
    rooms(state, |room| room["is_archived"] != true)
}

/// The names of the channels that somebody is in.
fn rooms_of(state: &Value, user: &str) -> Vec<String> {
    rooms(state, |room| room["_members"].as_array().is_some_and(|members| members.contains(&json!(user))))
}

/// The handles of the groups that Priya is in.
fn groups_of_priya(state: &Value) -> Vec<String> {
    let groups = state["usergroups"].as_array().into_iter().flatten();
    let hers = groups.filter(|group| group["users"].to_string().contains("U0PRIYA0001"));
    hers.filter_map(|group| group["handle"].as_str().map(str::to_owned)).collect()
}
