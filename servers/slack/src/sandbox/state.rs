//! The workspace: tables of rows named as Slack names their fields. A field that begins with `_` is
//! the fake's own and never shown.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use super::dispatch::{Outcome, Refusal};

/// A row of a table.
pub(super) type Row = Map<String, Value>;

/// Every table, and what numbers are given out next.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    tables: BTreeMap<String, Vec<Row>>,
    /// The last timestamp given to a message, in microseconds.
    last_ts: u64,
    /// How many ids were made.
    made: u64,
}

impl State {
    /// The rows of a seed. Messages get their timestamps from `at`, and threads are named by `id`.
    pub(super) fn from_seed(seed: &Value) -> Self {
        let mut state = Self::default();
        for (table, rows) in seed.as_object().into_iter().flatten() {
            let rows = rows.as_array().into_iter().flatten().filter_map(|row| row.as_object().cloned());
            state.tables.insert(table.clone(), rows.collect());
        }
        let mut stamps = BTreeMap::new();
        for table in
            ["messages", "files", "lists", "scheduled", "channels", "users", "usergroups", "bookmarks"]
        {
            for (place, row) in state.rows_mut(table).iter_mut().enumerate() {
                let Some(at) = row.shift_remove("at").as_ref().and_then(Value::as_str).and_then(micros)
                else {
                    continue;
                };
                match table {
                    "messages" => {
                        let ts = stamp(at + 100 * (place as u64 + 1));
                        if let Some(id) = row.shift_remove("id").as_ref().and_then(Value::as_str) {
                            stamps.insert(id.to_owned(), ts.clone());
                        }
                        row.insert("ts".to_owned(), json!(ts));
                    }
                    "usergroups" => _ = row.insert("date_create".to_owned(), json!(at / 1_000_000)),
                    "scheduled" => _ = row.insert("post_at".to_owned(), json!(at / 1_000_000)),
                    _ => _ = row.insert("created".to_owned(), json!(at / 1_000_000)),
                }
            }
        }
        for row in state.rows_mut("messages") {
            for (field, name) in [("thread", "thread_ts")] {
                if let Some(ts) =
                    row.shift_remove(field).as_ref().and_then(Value::as_str).and_then(|id| stamps.get(id))
                {
                    row.insert(name.to_owned(), json!(ts));
                }
            }
        }
        // What the seed says of a message by its name, in other tables and in quotations.
        for row in state.tables.values_mut().flatten() {
            for value in row.values_mut() {
                name_stamps(value, &stamps);
            }
        }
        let newest = state.rows("messages").iter().filter_map(|row| number(text(row, "ts"))).max();
        state.last_ts = newest.unwrap_or_default();
        state.rows_mut("messages").sort_by_key(|row| number(text(row, "ts")));
        state
    }

    /// Everything, for tests that compare.
    pub(super) fn dump(&self) -> Value {
        json!(self.tables)
    }

    /// The rows of a table.
    pub(super) fn rows(&self, table: &str) -> &[Row] {
        self.tables.get(table).map_or(&[], Vec::as_slice)
    }

    /// The rows of a table, to change.
    pub(super) fn rows_mut(&mut self, table: &str) -> &mut Vec<Row> {
        self.tables.entry(table.to_owned()).or_default()
    }

    /// The row with this id.
    pub(super) fn find(&self, table: &str, id: &str) -> Option<&Row> {
        self.rows(table).iter().find(|row| text(row, "id") == id)
    }

    /// The row with this id, to change.
    pub(super) fn find_mut(&mut self, table: &str, id: &str) -> Option<&mut Row> {
        self.rows_mut(table).iter_mut().find(|row| text(row, "id") == id)
    }

    /// The row with this id, or Slack's refusal `error`.
    pub(super) fn get(&self, table: &str, id: &str, error: &'static str) -> Outcome<&Row> {
        self.find(table, id).ok_or_else(|| Refusal::new(error))
    }

    /// The message at `ts` in `channel`.
    pub(super) fn message(&self, channel: &str, ts: &str) -> Option<&Row> {
        self.rows("messages").iter().find(|row| text(row, "_channel") == channel && text(row, "ts") == ts)
    }

    /// The same, to change.
    pub(super) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Row> {
        self.rows_mut("messages")
            .iter_mut()
            .find(|row| text(row, "_channel") == channel && text(row, "ts") == ts)
    }

    /// Adds a row made from an object.
    pub(super) fn add(&mut self, table: &str, row: &Value) {
        if let Some(row) = row.as_object() {
            self.rows_mut(table).push(row.clone());
        }
    }

    /// A new id of a kind: `F`, `C`.
    pub(super) fn new_id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}0NEW{:06}", self.made)
    }

    /// A new timestamp, unique in the workspace and later than any before.
    pub(super) fn new_ts(&mut self, now: Duration) -> String {
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        self.last_ts = now.max(self.last_ts + 1);
        stamp(self.last_ts)
    }

    /// The one workspace.
    pub(super) fn team(&self) -> Row {
        self.rows("team").first().cloned().unwrap_or_default()
    }

    /// The workspace's id.
    pub(super) fn team_id(&self) -> String {
        text(&self.team(), "id").to_owned()
    }
}

/// The timestamp of a seed's message by its name.
pub(super) fn timestamp(seed: &Value, name: &str) -> Option<String> {
    let rows = seed["messages"].as_array()?;
    let place = rows.iter().position(|row| row["id"] == json!(name))?;
    Some(stamp(micros(rows[place]["at"].as_str()?)? + 100 * (place as u64 + 1)))
}

/// Puts timestamps where the seed names a message: `$ts:name`, and `$p:name` for addresses.
fn name_stamps(value: &mut Value, stamps: &BTreeMap<String, String>) {
    match value {
        Value::String(text) if text.contains('$') => {
            for (name, ts) in stamps {
                *text = text.replace(&format!("$ts:{name};"), ts);
                *text = text.replace(&format!("$p:{name};"), &ts.replace('.', ""));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| name_stamps(item, stamps)),
        Value::Object(map) => map.values_mut().for_each(|value| name_stamps(value, stamps)),
        _ => {}
    }
}

/// A text of a row; empty if it has none.
pub(super) fn text<'a>(row: &'a Row, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a row says so.
pub(super) fn flag(row: &Row, field: &str) -> bool {
    row.get(field).and_then(Value::as_bool).unwrap_or_default()
}

/// A list of texts of a row.
pub(super) fn texts(row: &Row, field: &str) -> Vec<String> {
    let items = row.get(field).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A timestamp in microseconds.
pub(super) fn number(ts: &str) -> Option<u64> {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    let micros = format!("{micros:0<6}");
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + micros.get(..6)?.parse::<u64>().ok()?)
}

/// Microseconds as a timestamp.
pub(super) fn stamp(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A moment of a seed in microseconds.
fn micros(moment: &str) -> Option<u64> {
    let moment: jiff::Timestamp = moment.parse().ok()?;
    u64::try_from(moment.as_microsecond()).ok()
}
