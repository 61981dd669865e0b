//! What the account holds: records by type, who is associated with whom, and the search index, which is a
//! copy that follows later.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use connector::sandbox::VirtualClock;
use serde_json::{Map, Value, json};

use super::types::{self, ObjectType};

/// The first id that the fake gives to a record.
const FIRST_ID: u64 = 30_000_000_001;

/// One record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) created: String,
    pub(super) updated: String,
    /// When it was archived, if it was.
    pub(super) archived: Option<String>,
    /// Earlier and present values, the newest first: property, value, time.
    pub(super) history: Vec<(String, String, String)>,
}

/// The records of one type by id.
pub(super) type Table = BTreeMap<u64, Record>;

/// A kind of association: its category and id.
pub(super) type Kind = (String, u32);

/// The place of a record: its type's id and its own.
pub(super) type Place = (String, u64);

/// Everything in the account.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) account: Value,
    pub(super) tokens: Vec<Value>,
    /// Public apps, with the code and the refresh token that they have of the account.
    pub(super) apps: Vec<Value>,
    pub(super) owners: Vec<Value>,
    pub(super) pipelines: BTreeMap<String, Vec<Value>>,
    pub(super) schemas: Vec<Value>,
    pub(super) labels: Vec<Value>,
    pub(super) lists: Vec<Value>,
    pub(super) threads: Vec<Value>,
    pub(super) flows: Vec<Value>,
    pub(super) properties: BTreeMap<String, Vec<Value>>,
    pub(super) tables: BTreeMap<String, Table>,
    /// Both directions of each association.
    pub(super) links: BTreeMap<Place, BTreeMap<Place, BTreeSet<Kind>>>,
    /// Merged records: the old place, and the id of what it became.
    pub(super) merged: BTreeMap<Place, u64>,
    index: BTreeMap<String, Table>,
    /// With what the index has each record associated.
    indexed_links: BTreeMap<Place, BTreeSet<Place>>,
    /// Records whose associations have changed in the request under way.
    relinked: BTreeSet<Place>,
    /// What the index has not seen yet, by the time of the change.
    pending: VecDeque<(Duration, Place)>,
    next_id: u64,
}

impl State {
    /// The account as a seed has it.
    ///
    /// # Errors
    /// What is wrong with the seed.
    pub(super) fn from_seed(seed: Value) -> Result<Self, String> {
        let Value::Object(mut seed) = seed else { return Err("the seed is no object".to_owned()) };
        let mut list = |name: &str| match seed.remove(name) {
            Some(Value::Array(rows)) => rows,
            _ => Vec::new(),
        };
        let mut state = Self {
            tokens: list("tokens"),
            apps: list("apps"),
            owners: list("owners"),
            schemas: list("schemas"),
            labels: list("labels"),
            lists: list("lists"),
            threads: list("threads"),
            flows: list("flows"),
            next_id: FIRST_ID,
            ..Self::default()
        };
        state.account = seed.remove("account").unwrap_or_default();
        for (name, rows) in members(seed.remove("pipelines")) {
            let id = state.type_of(&name).ok_or_else(|| format!("there is no type {name}"))?.id;
            state.pipelines.insert(id, rows);
        }
        for (name, rows) in members(seed.remove("properties")) {
            let id = state.type_of(&name).ok_or_else(|| format!("there is no type {name}"))?.id;
            state.properties.insert(id, rows);
        }
        let mut links = Vec::new();
        for (name, rows) in members(seed.remove("objects")) {
            let kind = state.type_of(&name).ok_or_else(|| format!("there is no type {name}"))?;
            for row in rows {
                let record = record(&row, &kind)?;
                for (to, ids) in members(row.get("to").cloned()) {
                    let to = state.type_of(&to).ok_or_else(|| format!("there is no type {to}"))?;
                    links.extend(ids.into_iter().map(|id| ((kind.id.clone(), record.id), to.id.clone(), id)));
                }
                state.tables.entry(kind.id.clone()).or_default().insert(record.id, record);
            }
        }
        for (from, to, id) in links {
            // `201`, `201:primary`, `201:71` (a label's id).
            let word = id.as_str().unwrap_or_default();
            let (id, how) = word.split_once(':').unwrap_or((word, ""));
            let id = id.parse().map_err(|_| format!("`{word}` is no id"))?;
            let to: Place = (to, id);
            state.link(&from, &to, types::default_kind(&from.0, &to.0, &state.labels));
            match (how, how.parse()) {
                ("primary", _) => state.make_primary(&from, &to),
                (_, Ok(label)) => state.link(&from, &to, Some(("USER_DEFINED".to_owned(), label))),
                _ => {}
            }
        }
        for place in state.places() {
            state.derive(&place);
        }
        state.index = state.tables.clone();
        for place in std::mem::take(&mut state.relinked) {
            state.index_links(&place);
        }
        Ok(state)
    }

    /// Has the index follow the associations that a request has changed.
    pub(super) fn settle(&mut self, now: Duration) {
        let relinked = std::mem::take(&mut self.relinked);
        self.pending.extend(relinked.into_iter().map(|place| (now, place)));
    }

    fn index_links(&mut self, place: &Place) {
        let all = self.links.get(place).into_iter().flatten();
        let all = all.filter(|(_, kinds)| !kinds.is_empty()).map(|(other, _)| other.clone()).collect();
        self.indexed_links.insert(place.clone(), all);
    }

    /// The records of a type with which the index has `place` associated.
    pub(super) fn indexed_with(&self, place: &Place, kind: &str) -> Vec<u64> {
        let all = self.indexed_links.get(place).into_iter().flatten();
        all.filter(|(other, _)| other == kind).map(|(_, id)| *id).collect()
    }

    fn places(&self) -> Vec<Place> {
        let of = |(kind, table): (&String, &Table)| {
            let kind = kind.clone();
            table.keys().map(move |id| (kind.clone(), *id)).collect::<Vec<_>>()
        };
        self.tables.iter().flat_map(of).collect()
    }

    /// The type that `word` names in a path: its name, singular or plural, its id, or a custom object's
    /// fully qualified name. The base name of a custom object is no longer taken (changelog, 2025-06-04).
    pub(super) fn type_of(&self, word: &str) -> Option<ObjectType> {
        types::standard(word).or_else(|| {
            let schema = self.schemas.iter().find(|schema| {
                let qualified = schema["fullyQualifiedName"].as_str().unwrap_or_default();
                let short = format!("p_{}", schema["name"].as_str().unwrap_or_default());
                schema["objectTypeId"] == word || qualified.eq_ignore_ascii_case(word) || short == word
            })?;
            Some(ObjectType::custom(schema))
        })
    }

    /// A record that is not archived, under its present id or one it was merged from.
    pub(super) fn find(&self, kind: &str, id: u64) -> Option<&Record> {
        let id = self.forward(kind, id);
        self.tables.get(kind)?.get(&id).filter(|record| record.archived.is_none())
    }

    /// The id that a merged record has now.
    pub(super) fn forward(&self, kind: &str, mut id: u64) -> u64 {
        while let Some(next) = self.merged.get(&(kind.to_owned(), id)) {
            id = *next;
        }
        id
    }

    /// The record whose unique `property` is `value`.
    pub(super) fn by_unique(&self, kind: &str, property: &str, value: &str) -> Option<&Record> {
        let value = value.trim();
        self.tables.get(kind)?.values().find(|record| {
            record.archived.is_none()
                && record.properties.get(property).is_some_and(|own| own.eq_ignore_ascii_case(value))
        })
    }

    pub(super) fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Writes a record, and has the index follow.
    pub(super) fn put(&mut self, kind: &str, record: Record, clock: &VirtualClock) {
        let place = (kind.to_owned(), record.id);
        self.tables.entry(kind.to_owned()).or_default().insert(record.id, record);
        self.derive(&place);
        self.pending.push_back((clock.now(), place));
    }

    /// Removes a record for good.
    pub(super) fn purge(&mut self, place: &Place, clock: &VirtualClock) {
        if let Some(table) = self.tables.get_mut(&place.0) {
            table.remove(&place.1);
        }
        self.unlink_all(place);
        self.pending.push_back((clock.now(), place.clone()));
    }

    /// The index as it is `lag` after each change.
    pub(super) fn index(&mut self, kind: &str, now: Duration) -> &Table {
        let lag = Duration::from_millis(self.account["searchLagMs"].as_u64().unwrap_or(0));
        while let Some((at, _)) = self.pending.front() {
            if *at + lag > now {
                break;
            }
            let Some((_, (kind, id))) = self.pending.pop_front() else { break };
            self.index_links(&(kind.clone(), id));
            let table = self.index.entry(kind.clone()).or_default();
            match self.tables.get(&kind).and_then(|table| table.get(&id)) {
                Some(record) if record.archived.is_none() => table.insert(id, record.clone()),
                _ => table.remove(&id),
            };
        }
        self.index.entry(kind.to_owned()).or_default()
    }

    /// Sets what follows from other properties.
    fn derive(&mut self, place: &Place) {
        let stage = |record: &Record, pipelines: Option<&Vec<Value>>| {
            let stage = record.properties.get("dealstage")?;
            let stages = pipelines?.iter().filter_map(|pipeline| pipeline["stages"].as_array());
            let stage = stages.flatten().find(|one| one["id"] == stage.as_str())?;
            let metadata = &stage["metadata"];
            Some((metadata["isClosed"] == "true", metadata["probability"].as_str()?.to_owned()))
        };
        let rate = self.account["usdRate"].as_f64().unwrap_or(0.9);
        let home = self.account["companyCurrency"].as_str().unwrap_or("EUR").to_owned();
        let pipelines = self.pipelines.get(&place.0);
        let Some(record) = self.tables.get_mut(&place.0).and_then(|table| table.get_mut(&place.1)) else {
            return;
        };
        let kind = ObjectType::by_id(&place.0);
        let own = [
            ("hs_object_id", record.id.to_string()),
            (kind.created_property(), record.created.clone()),
            (kind.modified_property(), record.updated.clone()),
        ];
        record.properties.extend(own.map(|(name, value)| (name.to_owned(), value)));
        if place.0 != types::DEALS {
            return;
        }
        if let Some((closed, probability)) = stage(record, pipelines) {
            let won = closed && probability.starts_with('1');
            let derived = [
                ("hs_is_closed", closed.to_string()),
                ("hs_is_closed_won", won.to_string()),
                ("hs_deal_stage_probability", probability),
            ];
            record.properties.extend(derived.map(|(name, value)| (name.to_owned(), value)));
        }
        let amount = record.properties.get("amount").and_then(|amount| amount.parse::<f64>().ok());
        match amount {
            Some(amount) => {
                let foreign = record.properties.get("deal_currency_code").is_some_and(|code| *code != home);
                let converted = if foreign { amount * rate } else { amount };
                record.properties.insert("amount_in_home_currency".to_owned(), converted.to_string());
            }
            None => {
                record.properties.remove("amount_in_home_currency");
            }
        }
    }

    /// Associates two records as `kind` says, in both directions.
    pub(super) fn link(&mut self, from: &Place, to: &Place, kind: Option<Kind>) {
        let Some(kind) = kind else { return };
        let inverse = types::inverse(&kind, &self.labels);
        self.relinked.extend([from.clone(), to.clone()]);
        let mut add = |from: &Place, to: &Place, kind: Kind| {
            self.links.entry(from.clone()).or_default().entry(to.clone()).or_default().insert(kind);
        };
        add(from, to, kind);
        add(to, from, inverse);
    }

    /// Makes `to` the primary company of `from`: there is one at most.
    pub(super) fn make_primary(&mut self, from: &Place, to: &Place) {
        let Some(primary) = types::primary_kind(&from.0, &to.0) else { return };
        let inverse = types::inverse(&primary, &self.labels);
        let others: Vec<Place> =
            self.links.get(from).map(|all| all.keys().cloned().collect()).unwrap_or_default();
        for other in others.iter().filter(|other| other.0 == to.0 && *other != to) {
            for (a, b, kind) in [(from, other, &primary), (other, from, &inverse)] {
                if let Some(kinds) = self.links.get_mut(a).and_then(|all| all.get_mut(b)) {
                    kinds.remove(kind);
                }
            }
        }
        self.link(from, to, types::default_kind(&from.0, &to.0, &self.labels));
        self.link(from, to, Some(primary));
    }

    /// Ends every association of two records, or only those of `kinds`.
    pub(super) fn unlink(&mut self, from: &Place, to: &Place, kinds: Option<&[Kind]>) {
        self.relinked.extend([from.clone(), to.clone()]);
        let inverse: Option<Vec<Kind>> =
            kinds.map(|kinds| kinds.iter().map(|kind| types::inverse(kind, &self.labels)).collect());
        for (a, b, kinds) in [(from, to, kinds), (to, from, inverse.as_deref())] {
            let Some(all) = self.links.get_mut(a) else { continue };
            match kinds {
                Some(gone) => {
                    if let Some(kinds) = all.get_mut(b) {
                        kinds.retain(|kind| !gone.contains(kind));
                    }
                }
                None => {
                    all.remove(b);
                }
            }
        }
    }

    /// Ends every association of a record.
    pub(super) fn unlink_all(&mut self, place: &Place) {
        let others: Vec<Place> =
            self.links.get(place).map(|all| all.keys().cloned().collect()).unwrap_or_default();
        for other in others {
            self.unlink(place, &other, None);
        }
    }

    /// The records of a type with which `place` is associated, with how.
    pub(super) fn linked(&self, place: &Place, to: &str) -> Vec<(u64, &BTreeSet<Kind>)> {
        let all = self.links.get(place).into_iter().flatten();
        all.filter(|((kind, _), kinds)| kind == to && !kinds.is_empty())
            .filter(|((kind, id), _)| self.find(kind, *id).is_some())
            .map(|((_, id), kinds)| (*id, kinds))
            .collect()
    }

    /// The whole state, for tests that compare before and after.
    pub(super) fn dump(&self) -> Value {
        let mut objects = Map::new();
        for (kind, table) in &self.tables {
            let rows = table.values().map(|record| {
                json!({
                    "id": record.id.to_string(), "properties": record.properties,
                    "createdAt": record.created, "updatedAt": record.updated, "archivedAt": record.archived,
                })
            });
            objects.insert(ObjectType::by_id(kind).name, rows.collect());
        }
        let links = self.links.iter().flat_map(|(from, all)| {
            all.iter().filter(|(_, kinds)| !kinds.is_empty()).map(move |(to, kinds)| json!([from, to, kinds]))
        });
        json!({
            "objects": objects,
            "associations": links.collect::<Vec<_>>(),
            "lists": self.lists,
            "threads": self.threads,
            "properties": self.properties,
        })
    }
}

fn members(value: Option<Value>) -> Vec<(String, Vec<Value>)> {
    let Some(Value::Object(members)) = value else { return Vec::new() };
    members
        .into_iter()
        .filter_map(|(name, rows)| match rows {
            Value::Array(rows) => Some((name, rows)),
            _ => None,
        })
        .collect()
}

fn record(row: &Value, kind: &ObjectType) -> Result<Record, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let id = text(&row["id"]).parse().map_err(|_| format!("a row of {} has no id", kind.name))?;
    let properties = row["properties"].as_object().into_iter().flatten();
    let updated = text(&row["updatedAt"]);
    let properties: BTreeMap<String, String> = properties
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let history = properties.iter().map(|(name, value)| (name.clone(), value.clone(), updated.clone()));
    Ok(Record {
        id,
        history: history.collect(),
        properties,
        created: text(&row["createdAt"]),
        updated,
        archived: None,
    })
}
