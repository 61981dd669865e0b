//! The state of a fake as rows: tables of JSON objects, with the names and the values that the vendor gives them.
//!
//! A seed is the state: a JSON object with an array of rows for each table. What follows from other rows is worked
//! out when it is read, so that nothing is said twice. Changes are told as [`RowEvent`]s, of which a fake makes
//! webhooks. Resources that a table describes ([`Resource`]) need no code of their own; see
//! [`rest`](super::rest).
//!
//! ```
//! use connector::sandbox::rows::{Rows, Table};
//! use serde_json::json;
//!
//! const TABLES: &[Table] = &[Table::new("users"), Table::new("messages").with_key("ts")];
//! let seed = json!({ "users": [{ "id": "U1", "name": "maya" }] });
//! let mut rows = Rows::from_seed(seed, TABLES)?;
//!
//! rows.create("messages", json!({ "ts": "1.0", "user": "U1", "text": "hello" }))?;
//! rows.update("messages", "1.0", |row| row["text"] = "Hello.".into());
//! assert_eq!(rows.matching("messages", "user", "U1").len(), 1);
//! assert_eq!(rows.take_events()[1].before.as_ref().unwrap()["text"], "hello");
//! # Ok::<(), String>(())
//! ```

mod resource;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::Serialize;
use serde_json::{Map, Value};

pub use self::resource::{Broken, Field, FieldKind, Resource, Verb, Violation};

/// One entity, with the vendor's names.
pub type Row = Map<String, Value>;

/// A table, as a seed has it.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name in the seed.
    pub seed: &'static str,
    /// Its name in the fake: the vendor's type, if that differs.
    pub name: &'static str,
    /// The field that tells its rows apart.
    pub key: &'static str,
}

impl Table {
    /// A table of this name, whose rows are told apart by `id`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { seed: name, name, key: "id" }
    }

    /// The same with another field that tells rows apart.
    #[must_use]
    pub const fn with_key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// The same under another name in the fake: `Table::new("users").with_name("User")`.
    #[must_use]
    pub const fn with_name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RowAction {
    /// It was made.
    Create,
    /// It was changed.
    Update,
    /// It was taken away.
    Remove,
}

/// A change, as webhooks tell of it.
#[derive(Clone, Debug)]
pub struct RowEvent {
    /// What happened.
    pub action: RowAction,
    /// To a row of this table.
    pub table: String,
    /// The row after it; of one that was taken away, the last that there was.
    pub row: Arc<Row>,
    /// The former values of the fields that an update changed, null where there was none.
    pub before: Option<Row>,
}

/// Everything a fake remembers. A clone is a snapshot: rows are shared until they change.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    tables: BTreeMap<String, Filled>,
    revision: u64,
    events: Vec<RowEvent>,
}

/// A table's rows in the order in which they came.
#[derive(Clone, Debug)]
struct Filled {
    key: &'static str,
    places: HashMap<String, u64>,
    rows: BTreeMap<u64, Arc<Row>>,
    came: u64,
}

impl Rows {
    /// Empty tables.
    #[must_use]
    pub fn new(tables: &[Table]) -> Self {
        let mut rows = Self::default();
        tables.iter().for_each(|table| rows.add_table(table.name, table.key));
        rows
    }

    /// The state that a seed tells of: `{"TABLE": [ROW, …]}`, or a single row instead of an array. Nothing is told
    /// as an event.
    ///
    /// # Errors
    /// Says what is wrong with the seed: a table that is unknown, a row that is none or has no key, or one of a key
    /// that there is already.
    pub fn from_seed(seed: Value, tables: &[Table]) -> Result<Self, String> {
        let Value::Object(seed) = seed else { return Err("the seed is no JSON object".to_owned()) };
        let mut rows = Self::new(tables);
        for (name, filled) in seed {
            let table = tables.iter().find(|table| table.seed == name);
            let table = table.ok_or_else(|| format!("the seed has an unknown table `{name}`"))?;
            let filled = if let Value::Array(filled) = filled { filled } else { vec![filled] };
            for row in filled {
                rows.create(table.name, row)?;
            }
        }
        rows.events.clear();
        Ok(rows)
    }

    /// Adds an empty table, if there is none of this name: for a type that a caller defines.
    pub fn add_table(&mut self, name: &str, key: &'static str) {
        let empty = || Filled { key, places: HashMap::new(), rows: BTreeMap::new(), came: 0 };
        self.tables.entry(name.to_owned()).or_insert_with(empty);
    }

    /// The names of the tables, sorted.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// The row of this key.
    #[must_use]
    pub fn get(&self, table: &str, key: &str) -> Option<&Arc<Row>> {
        let table = self.tables.get(table)?;
        table.rows.get(table.places.get(key)?)
    }

    /// The rows of a table, oldest first.
    pub fn all<'a>(&'a self, table: &str) -> impl DoubleEndedIterator<Item = &'a Arc<Row>> + use<'a> {
        self.tables.get(table).into_iter().flat_map(|table| table.rows.values())
    }

    /// How many rows a table has.
    #[must_use]
    pub fn count(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, |table| table.rows.len())
    }

    /// The rows whose `field` is `value`, oldest first.
    #[must_use]
    pub fn matching(&self, table: &str, field: &str, value: &str) -> Vec<Arc<Row>> {
        self.all(table).filter(|row| text(row, field) == Some(value)).cloned().collect()
    }

    /// The rows that a list of keys names, in its order; what is gone is left out.
    #[must_use]
    pub fn listed(&self, table: &str, keys: Option<&Value>) -> Vec<Arc<Row>> {
        let keys = keys.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        keys.iter().filter_map(|key| self.get(table, key.as_str()?)).cloned().collect()
    }

    /// Adds a row, which carries its key, and tells of it.
    ///
    /// # Errors
    /// Says which table there is not, that the row is no object or has no key, or that there is one of this key. A
    /// fake checks all of that before, so it means a mistake in the fake or in its seed.
    pub fn create(&mut self, table: &str, row: impl Into<Value>) -> Result<Arc<Row>, String> {
        let Value::Object(row) = row.into() else { return Err(format!("a row of `{table}` is no object")) };
        let filled = self.tables.get_mut(table).ok_or_else(|| format!("there is no table `{table}`"))?;
        let key = text(&row, filled.key);
        let key = key.ok_or_else(|| format!("a row of `{table}` has no `{}`", filled.key))?.to_owned();
        if filled.places.contains_key(&key) {
            return Err(format!("there is a row `{key}` in `{table}` already"));
        }
        let row = Arc::new(row);
        filled.came += 1;
        filled.places.insert(key, filled.came);
        filled.rows.insert(filled.came, Arc::clone(&row));
        self.tell(RowAction::Create, table, &row, None);
        Ok(row)
    }

    /// Changes a row in place and tells of it; none if there is no such row. A change that changes nothing is not
    /// told. The key must stay.
    pub fn update(&mut self, table: &str, key: &str, change: impl FnOnce(&mut Row)) -> Option<Arc<Row>> {
        self.update_stamped(table, key, change, |_, _| {})
    }

    /// The same with a mark of who changed it and when, which `stamp` makes from the row and its former state, and
    /// only if `change` changed something.
    pub fn update_stamped(
        &mut self,
        table: &str,
        key: &str,
        change: impl FnOnce(&mut Row),
        stamp: impl FnOnce(&mut Row, &Row),
    ) -> Option<Arc<Row>> {
        let filled = self.tables.get_mut(table)?;
        let place = filled.rows.get_mut(filled.places.get(key)?)?;
        let former = Arc::clone(place);
        let mut row = Row::clone(&former);
        change(&mut row);
        if row == *former {
            return Some(former);
        }
        stamp(&mut row, &former);
        let row = Arc::new(row);
        *place = Arc::clone(&row);
        let before = changed(&former, &row);
        self.tell(RowAction::Update, table, &row, Some(before));
        Some(row)
    }

    /// Takes a row away for good and tells of it; none if there is no such row.
    pub fn remove(&mut self, table: &str, key: &str) -> Option<Arc<Row>> {
        let filled = self.tables.get_mut(table)?;
        let row = filled.rows.remove(&filled.places.remove(key)?)?;
        self.tell(RowAction::Remove, table, &row, None);
        Some(row)
    }

    /// How many changes there were; the number of the last one.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The changes since this was last asked.
    pub fn take_events(&mut self) -> Vec<RowEvent> {
        std::mem::take(&mut self.events)
    }

    /// Everything as JSON by table, in the form of a seed but for the names of tables: for tests that compare
    /// before and after.
    #[must_use]
    pub fn dump(&self) -> Value {
        let rows = |table: &String| self.all(table).map(|row| Value::Object(Row::clone(row))).collect();
        Value::Object(self.tables.keys().map(|table| (table.clone(), rows(table))).collect())
    }

    fn tell(&mut self, action: RowAction, table: &str, row: &Arc<Row>, before: Option<Row>) {
        self.revision += 1;
        self.events.push(RowEvent { action, table: table.to_owned(), row: Arc::clone(row), before });
    }
}

/// What `former` has otherwise than `row`; what is null and what is not there are one.
fn changed(former: &Row, row: &Row) -> Row {
    let value = |row: &Row, name: &String| row.get(name).cloned().unwrap_or_default();
    let names = row.keys().chain(former.keys().filter(|name| !row.contains_key(*name)));
    let differing = names.filter(|name| value(former, name) != value(row, name));
    differing.map(|name| (name.clone(), value(former, name))).collect()
}

/// A row's string, if it has one under `field`.
#[must_use]
pub fn text<'a>(row: &'a Row, field: &str) -> Option<&'a str> {
    row.get(field)?.as_str()
}

/// Whether a row's flag is set.
#[must_use]
pub fn flag(row: &Row, field: &str) -> bool {
    row.get(field).and_then(Value::as_bool).unwrap_or_default()
}

/// An id that follows from a name, so that it is the same after a reset.
#[must_use]
pub fn derived_id(table: &str, name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{table}/{name}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLES: &[Table] = &[Table::new("users").with_name("User"), Table::new("messages").with_key("ts")];

    fn rows() -> Rows {
        let seed = json!({
            "users": [{ "id": "U2", "name": "ines" }, { "id": "U1", "name": "maya" }],
            "messages": { "ts": "1.0", "user": "U1", "text": "hello" },
        });
        Rows::from_seed(seed, TABLES).unwrap()
    }

    #[test]
    fn a_seed_is_the_state_in_its_order() {
        let mut rows = rows();
        let names: Vec<_> = rows.all("User").map(|row| text(row, "name").unwrap().to_owned()).collect();
        assert_eq!(names, ["ines", "maya"]);
        assert_eq!(rows.dump()["messages"][0]["text"], "hello");
        assert!(rows.take_events().is_empty(), "a seed is not news");
    }

    #[test]
    fn a_seed_that_is_wrong_says_where() {
        let wrong = |seed| Rows::from_seed(seed, TABLES).unwrap_err();
        assert_eq!(wrong(json!([])), "the seed is no JSON object");
        assert_eq!(wrong(json!({ "teams": [] })), "the seed has an unknown table `teams`");
        assert_eq!(wrong(json!({ "users": [1] })), "a row of `User` is no object");
        assert_eq!(wrong(json!({ "messages": [{ "id": 1 }] })), "a row of `messages` has no `ts`");
        let twice = json!({ "users": [{ "id": "U1" }, { "id": "U1" }] });
        assert_eq!(wrong(twice), "there is a row `U1` in `User` already");
    }

    #[test]
    fn changes_are_told_with_what_was_before() {
        let mut rows = rows();
        let at = rows.revision();
        let stamped = rows.update_stamped(
            "messages",
            "1.0",
            |row| {
                row.insert("text".to_owned(), json!("bye"));
                row.insert("edited".to_owned(), json!(true));
                row.shift_remove("user");
            },
            |row, former| {
                row.insert("was".to_owned(), former["text"].clone());
            },
        );
        assert_eq!(stamped.unwrap()["was"], "hello");
        rows.remove("messages", "1.0").unwrap();
        let events = rows.take_events();
        let before = json!({ "text": "hello", "edited": null, "was": null, "user": "U1" });
        assert_eq!(events[0].before.clone().map(Value::Object), Some(before));
        assert_eq!((events[1].action, &events[1].row["text"]), (RowAction::Remove, &json!("bye")));
        assert_eq!(rows.revision(), at + 2);
        assert!(rows.get("messages", "1.0").is_none());
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        let mut rows = rows();
        let stamp = |_: &mut Row, _: &Row| panic!("nothing changed");
        assert!(rows.update_stamped("User", "U1", |row| row["name"] = json!("maya"), stamp).is_some());
        assert!(rows.update("User", "U9", |_| {}).is_none() && rows.remove("User", "U9").is_none());
        assert!(rows.take_events().is_empty());
    }

    #[test]
    fn a_clone_is_a_snapshot() {
        let mut rows = rows();
        let before = rows.clone();
        rows.update("User", "U1", |row| row["name"] = json!("Maya"));
        assert_eq!(text(before.get("User", "U1").unwrap(), "name"), Some("maya"));
        assert_eq!(text(rows.get("User", "U1").unwrap(), "name"), Some("Maya"));
    }
}
