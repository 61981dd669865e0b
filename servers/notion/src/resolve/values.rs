//! Plain values to Notion's, by the table's columns.

use std::collections::HashSet;

use connector::{
    Error, Result,
    catalog::{nearest, one_line},
};
use serde_json::{Map, Value, json};

use super::{
    dates,
    filter::truth,
    id_of, same, same_option,
    tables::{Table, options},
};
use crate::{
    Notion,
    api::objects::Item,
    draft::{inline, runs},
    render,
};

/// The most entries of a list in one request (developers.notion.com/reference/request-limits).
const MOST: usize = 100;

/// One value that is to be set.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The column.
    pub(crate) name: String,
    /// As Notion takes it: `{"status": {"name": "Done"}}`.
    pub(crate) value: Value,
    /// As replies show it.
    pub(crate) shown: String,
    /// That it makes a new option, which is asked about.
    pub(crate) note: Option<String>,
}

impl Notion {
    /// The values that `given` means for rows of `table`. `page` is the row that has them now, for entries that are
    /// added to a list or taken from it.
    ///
    /// # Errors
    /// `invalid_argument` for what a column does not take, naming what it takes.
    pub(crate) async fn values(
        &self,
        table: &Table,
        given: &Map<String, Value>,
        page: Option<&Item>,
    ) -> Result<Vec<Wanted>> {
        let mut wanted = Vec::with_capacity(given.len());
        for (name, value) in given {
            let (name, column) = table.column(name)?;
            wanted.push(self.value(name, column, value, page).await?);
        }
        Ok(wanted)
    }

    async fn value(&self, name: &str, column: &Value, given: &Value, page: Option<&Item>) -> Result<Wanted> {
        let kind = column["type"].as_str().unwrap_or_default();
        let done = |value: Value, shown: String| Wanted {
            name: name.to_owned(),
            value: json!({kind: value}),
            shown,
            note: None,
        };
        let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
        let wrong = |what: &str| Error::invalid(format!("`{name}` takes {what}, not `{}`", one_line(&text)));
        if given.is_null() || given == &json!([]) || (text.is_empty() && !matches!(kind, "checkbox")) {
            let empty = match kind {
                "title" | "rich_text" | "multi_select" | "people" | "relation" | "files" => json!([]),
                "checkbox" => json!(false),
                _ => Value::Null,
            };
            let shown = if kind == "checkbox" { render::yes(false) } else { "" };
            return writable(name, kind).map(|()| done(empty, shown.to_owned()));
        }
        // `{"name": "Done"}` for `"Done"`.
        let given = match given.get("name").filter(|_| matches!(kind, "select" | "status")) {
            Some(inner) => inner,
            None => given,
        };
        let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
        match kind {
            "title" => Ok(done(Value::Array(runs(&text)), one_line(&text))),
            "rich_text" => Ok(done(Value::Array(inline(&text, false)), one_line(&text))),
            "number" => {
                let number = number(given).ok_or_else(|| wrong("a number such as 1250.5"))?;
                let number = if number.fract() == 0.0 && number.abs() < 1e15 {
                    json!(number as i64)
                } else {
                    json!(number)
                };
                Ok(done(number.clone(), number.to_string()))
            }
            "checkbox" => {
                let truth = truth(given).ok_or_else(|| wrong("true or false"))?;
                Ok(done(json!(truth), render::yes(truth).to_owned()))
            }
            "url" | "email" | "phone_number" => Ok(done(json!(text), one_line(&text))),
            "select" | "status" => {
                let (option, note) = option(name, column, &text)?;
                Ok(Wanted { note, ..done(json!({"name": option}), option.clone()) })
            }
            "multi_select" => {
                let now = || page.map(|page| render::names(&page.value(name)["multi_select"]));
                let mut options = Vec::new();
                let mut notes = Vec::new();
                for word in list(given, now().unwrap_or_default())? {
                    let (option, note) = option(name, column, &word)?;
                    notes.extend(note);
                    options.push(option);
                }
                let value: Vec<Value> = options.iter().map(|option| json!({"name": option})).collect();
                let note = (!notes.is_empty()).then(|| notes.join(" "));
                Ok(Wanted { note, ..done(json!(value), options.join(", ")) })
            }
            "date" => {
                let date = self.dates().value(given, &text)?;
                let shown = render::date(&date);
                Ok(done(date, shown))
            }
            "people" => {
                let now = match page {
                    Some(page) => self.whole_list(page, name).await?,
                    None => Vec::new(),
                };
                let ids = list(&self.by_id(column, given).await?, now)?;
                // Ids are taken also where nobody's name may be read.
                let everybody = self.everybody().await.unwrap_or_default();
                let named = ids.iter().map(|id| {
                    let user = everybody.iter().find(|user| user.id == *id);
                    user.map_or_else(|| render::bare(id), |user| one_line(&user.name))
                });
                let shown = named.collect::<Vec<_>>().join(", ");
                Ok(done(ids.iter().map(|id| json!({"id": id})).collect(), shown))
            }
            "relation" => {
                // Adding must not cut what an answer does not show (25 entries of a list).
                let now = match page {
                    Some(page) if given.is_object() => self.whole_list(page, name).await?,
                    _ => Vec::new(),
                };
                let mut ids = list(&self.by_id(column, given).await?, now)?;
                let mut seen = HashSet::new();
                ids.retain(|id| seen.insert(id.clone()));
                if ids.len() > MOST {
                    return Err(Error::invalid(format!(
                        "`{name}`: Notion takes at most {MOST} entries at once, and here are {}",
                        ids.len()
                    )));
                }
                let titles = self.titles(ids.iter().take(render::NAMED).cloned()).await;
                let shown = render::linked(&ids, false, &titles);
                Ok(done(ids.iter().map(|id| json!({"id": id})).collect(), shown))
            }
            "files" => files(name, given, page),
            "place" => {
                let place = place(given, &text).ok_or_else(|| {
                    wrong("a place such as \"59.33, 18.07, Harbor office\", or {\"lat\", \"lon\", \"name\", \"address\"}")
                })?;
                let shown = render::value(&json!({"type": "place", "place": place}));
                Ok(done(place, shown))
            }
            "verification" => {
                let verification = self.verification(given, &text)?;
                let shown = render::value(&json!({"type": "verification", "verification": verification}));
                Ok(done(verification, shown))
            }
            _ => Err(writable(name, kind).err().unwrap_or_else(|| {
                Error::invalid(format!("`{name}` is a {kind} column, which this server does not write"))
            })),
        }
    }

    /// Whether a page of a wiki is verified, and until when: `verified`, `verified until 2027-01-31`, `unverified`. It is
    /// written since 2026-03-25 (developers.notion.com/page/changelog).
    fn verification(&self, given: &Value, text: &str) -> Result<Value> {
        let low = given["state"].as_str().unwrap_or(text).trim().to_lowercase();
        let (state, until) =
            low.split_once(" until ").map_or((&*low, None), |(state, day)| (state, Some(day)));
        let until = until.or(given["date"]["end"].as_str());
        let wrong = || {
            Error::invalid(format!("`{}` is not a verification", one_line(text)))
                .with_hint("Use \"verified\", \"verified until 2027-01-31\" or \"unverified\"")
        };
        let today = self.dates().calendar().today().to_string();
        match (state, until) {
            ("unverified", None) => Ok(json!({"state": "unverified"})),
            ("verified", until) => {
                let end = until.map(|day| self.dates().date(day)).transpose()?;
                let end = end.map(|day| day["start"].clone());
                Ok(json!({"state": "verified", "date": {"start": today, "end": end}}))
            }
            _ => Err(wrong()),
        }
    }

    /// `given` with ids in place of names of people or rows, so that entries are taken away by name too.
    async fn by_id(&self, column: &Value, given: &Value) -> Result<Value> {
        let Value::Object(change) = given else { return self.ids_of(column, given).await };
        let mut ids = Map::new();
        for (key, value) in change {
            ids.insert(key.clone(), self.ids_of(column, value).await?);
        }
        Ok(Value::Object(ids))
    }

    async fn ids_of(&self, column: &Value, given: &Value) -> Result<Value> {
        let target = column["relation"]["data_source_id"].as_str().unwrap_or_default();
        let mut ids = Vec::new();
        for word in words(given) {
            ids.push(match id_of(&word) {
                Some(id) => id,
                None if column["type"] == "people" => self.person(&word).await?.id,
                None => self.row_by_title(target, &word).await?,
            });
        }
        Ok(json!(ids))
    }

    /// The row of a table that is called so.
    ///
    /// # Errors
    /// `not_found`, or `invalid_argument` if several are.
    pub(crate) async fn row_by_title(&self, source: &str, title: &str) -> Result<String> {
        let table = self.api().data_source(source).await?;
        let column = table
            .properties
            .iter()
            .find(|(_, column)| column["type"] == "title")
            .map(|(name, _)| name.clone());
        let filter = json!({"property": column, "title": {"equals": title.trim()}});
        let found = self.api().query(source, &json!({"filter": filter, "page_size": 10})).await?;
        match found.results.as_slice() {
            [row] => Ok(row.id.clone()),
            [] => Err(Error::not_found(format!(
                "The table {} has no row called {}",
                render::title(&table.name()),
                one_line(title)
            ))
            .with_hint("query_database finds rows; an id or address works too")),
            many => {
                let ids: Vec<String> = many.iter().map(|row| render::bare(&row.id)).collect();
                Err(Error::invalid(format!(
                    "{} rows are called {}: {}",
                    many.len(),
                    one_line(title),
                    ids.join(", ")
                ))
                .with_hint("Give the id of one of them"))
            }
        }
    }

    /// Ids of all entries of a page's list, also those that its answer cut.
    pub(crate) async fn whole_list(&self, page: &Item, name: &str) -> Result<Vec<String>> {
        let items = self.whole(page, name, usize::MAX).await?.0;
        Ok(items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect())
    }

    /// The entries of a list, or the runs of a text, also those that a page's answer cut, up to some hundred more than
    /// `most`; and whether these are all.
    pub(crate) async fn whole(&self, page: &Item, name: &str, most: usize) -> Result<(Vec<Value>, bool)> {
        let value = page.value(name);
        let kind = value["type"].as_str().unwrap_or_default();
        if !is_cut(value) {
            return Ok((value[kind].as_array().cloned().unwrap_or_default(), true));
        }
        let property = value["id"].as_str().unwrap_or_default();
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let list = self.api().property(&page.id, property, cursor.as_deref()).await?;
            let next = list.next(cursor.as_deref()).map(str::to_owned);
            items.extend(list.results.into_iter().map(|mut item| item[kind].take()));
            if next.is_none() || items.len() >= most {
                return Ok((items, next.is_none()));
            }
            cursor = next;
        }
    }
}

/// Whether an answer may show less of a list or a text than there is (changelog, 2022-09-26: 25 entries).
pub(crate) fn is_cut(value: &Value) -> bool {
    let kind = value["type"].as_str().unwrap_or_default();
    let listed = matches!(kind, "title" | "rich_text" | "people" | "relation");
    value["has_more"] == true
        || listed && value[kind].as_array().is_some_and(|items| items.len() >= render::SHOWN)
}

/// A number as people write it: `1,250.5` has its thousands apart. What could be another number is none.
pub(crate) fn number(given: &Value) -> Option<f64> {
    let Some(text) = given.as_str() else { return given.as_f64() };
    let text = text.trim();
    let plain = if text.contains(',') {
        let (whole, rest) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        let mut groups = whole.trim_start_matches(['-', '+']).split(',');
        let first = groups.next().filter(|first| digits(first) && first.len() <= 3)?;
        let apart = !first.starts_with('0') && groups.all(|group| digits(group) && group.len() == 3);
        (apart && rest.is_none_or(digits)).then(|| text.replace(',', ""))?
    } else {
        text.to_owned()
    };
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A place by its latitude and longitude, with its name and address (developers.notion.com/reference/page-property-values):
/// an object, or `59.33, 18.07, Harbor office`.
fn place(given: &Value, text: &str) -> Option<Value> {
    let within = |degrees: f64, most: f64| (degrees.abs() <= most).then_some(degrees);
    if let Value::Object(fields) = given {
        let known = ["lat", "latitude", "lon", "lng", "longitude", "name", "address"];
        if fields.keys().any(|key| !known.contains(&key.as_str())) {
            return None;
        }
        let degrees = |names: &[&str]| names.iter().find_map(|name| number(fields.get(*name)?));
        let mut place = json!({
            "lat": within(degrees(&["lat", "latitude"])?, 90.0)?,
            "lon": within(degrees(&["lon", "lng", "longitude"])?, 180.0)?,
        });
        for name in ["name", "address"] {
            if let Some(word) = fields.get(name).and_then(Value::as_str).filter(|word| !word.is_empty()) {
                place[name] = json!(word);
            }
        }
        return Some(place);
    }
    let mut parts = text.splitn(3, ',').map(str::trim);
    let (lat, lon) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let mut place = json!({"lat": within(lat, 90.0)?, "lon": within(lon, 180.0)?});
    if let Some(name) = parts.next().filter(|name| !name.is_empty()) {
        place["name"] = json!(name);
    }
    Some(place)
}

/// Files of a row: uploads and addresses; entries that stay are given back as they were shown
/// (developers.notion.com/reference/page-property-values: files that are left out are removed).
fn files(name: &str, given: &Value, page: Option<&Item>) -> Result<Wanted> {
    let there = page.map(|page| page.value(name)["files"].clone()).unwrap_or_default();
    let there: Vec<Value> = there.as_array().cloned().unwrap_or_default();
    let called = |file: &Value, word: &str| file["name"].as_str().is_some_and(|name| same(name, word));
    // Several may have one name, so entries stay by their place.
    let (mut files, added) = match change(given)? {
        Some(Change { add, remove }) => {
            let mut stay = there.clone();
            stay.retain(|file| !remove.iter().any(|word| called(file, word)));
            (stay, add)
        }
        None => (Vec::new(), words(given)),
    };
    for word in added {
        if let Some(id) = word.strip_prefix("upload:").and_then(id_of) {
            files.push(json!({"type": "file_upload", "file_upload": {"id": id}}));
        } else if word.starts_with("https://") {
            let name = word.rsplit('/').next().unwrap_or_default();
            files.push(json!({"type": "external", "name": name, "external": {"url": word}}));
        } else if !(given.is_object() && there.iter().any(|file| called(file, &word))) {
            return Err(Error::invalid(format!(
                "`{name}` takes https addresses, or `upload:` and the id of an upload, not `{}`",
                one_line(&word)
            ))
            .with_hint("upload_file makes uploads"));
        }
    }
    let shown = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
    Ok(Wanted { name: name.to_owned(), value: json!({"files": files}), shown, note: None })
}

/// Whether a page's value is the one that was wanted. Of a list that an answer cuts, what it shows is compared.
pub(crate) fn is_held(now: &Value, wanted: &Wanted) -> bool {
    let kind = now["type"].as_str().unwrap_or_default();
    let (now, wanted) = (&now[kind], &wanted.value[kind]);
    let each = |list: &Value, read: &dyn Fn(&Value) -> Option<String>| -> Vec<String> {
        let mut words: Vec<String> = list.as_array().into_iter().flatten().filter_map(read).collect();
        words.sort_unstable();
        words
    };
    let field = |name: &'static str| move |item: &Value| item[name].as_str().map(str::to_owned);
    match kind {
        "title" | "rich_text" => {
            let words = |items: &Value| -> String {
                let items = items.as_array().into_iter().flatten();
                items
                    .filter_map(|item| item["plain_text"].as_str().or(item["text"]["content"].as_str()))
                    .collect()
            };
            let cut = now.as_array().is_some_and(|items| items.len() >= render::SHOWN);
            let (now, wanted) = (words(now), words(wanted));
            now == wanted || cut && wanted.starts_with(&now)
        }
        "number" => now.as_f64() == wanted.as_f64(),
        "checkbox" => now.as_bool().unwrap_or_default() == wanted.as_bool().unwrap_or_default(),
        "select" | "status" => now["name"] == wanted["name"],
        "multi_select" => each(now, &field("name")) == each(wanted, &field("name")),
        "people" | "relation" => {
            let (now, wanted) = (each(now, &field("id")), each(wanted, &field("id")));
            now == wanted || now.len() >= render::SHOWN && now.iter().all(|id| wanted.contains(id))
        }
        "date" => dates::same(now, wanted),
        // An upload gets its name and its address from Notion.
        "files" => {
            let (now, wanted) = (now.as_array(), wanted.as_array());
            let names = |items: Option<&Vec<Value>>, name: &Value| {
                items.into_iter().flatten().filter(|item| item["name"] == *name).count()
            };
            let mut given =
                wanted.into_iter().flatten().map(|item| &item["name"]).filter(|name| name.is_string());
            now.map_or(0, Vec::len) == wanted.map_or(0, Vec::len)
                && given.all(|name| names(now, name) >= names(wanted, name))
        }
        "url" | "email" | "phone_number" => now.as_str() == wanted.as_str(),
        "place" => {
            let same = |field: &str| wanted[field].is_null() || now[field] == wanted[field];
            now.is_null() == wanted.is_null()
                && ["lat", "lon"].iter().all(|field| now[*field].as_f64() == wanted[*field].as_f64())
                && same("name")
                && same("address")
        }
        "verification" => {
            let day = |value: &Value| {
                value["date"]["end"].as_str().and_then(|end| end.get(..10)).map(str::to_owned)
            };
            let state = |value: &Value| value["state"].as_str().unwrap_or("unverified").to_owned();
            state(now) == state(wanted) && (day(wanted) == day(now) || state(wanted) == "unverified")
        }
        _ => true,
    }
}

/// Whether a column takes values, and Notion does not compute them.
pub(crate) fn is_writable(kind: &str) -> bool {
    !matches!(
        kind,
        "formula"
            | "rollup"
            | "created_time"
            | "created_by"
            | "last_edited_time"
            | "last_edited_by"
            | "unique_id"
            | "button"
    )
}

/// Refuses columns that nobody writes.
fn writable(name: &str, kind: &str) -> Result<()> {
    if is_writable(kind) {
        return Ok(());
    }
    Err(Error::invalid(format!("`{name}` is a {kind} column, which Notion computes"))
        .with_hint("Leave it out"))
}

/// An option by its name. A select makes new ones; a status does not.
fn option(name: &str, column: &Value, word: &str) -> Result<(String, Option<String>)> {
    let known = options(column);
    let exact = known.iter().find(|option| same(option, word));
    if let Some(option) = exact.or_else(|| known.iter().find(|option| same_option(option, word))) {
        return Ok(((*option).to_owned(), None));
    }
    let near = nearest(word, known.iter().copied());
    if column["type"] == "status" {
        let error = Error::invalid(format!("`{name}` has no option `{}`", one_line(word)));
        let list = known.join(", ");
        return Err(match near {
            Some(near) => error.with_hint(format!("Did you mean `{near}`? It has: {list}")),
            None => error.with_hint(format!("It has: {list}")),
        });
    }
    if word.contains(',') {
        return Err(Error::invalid(format!("`{name}`: an option's name has no comma: `{}`", one_line(word)))
            .with_hint("Give several options as a list"));
    }
    let note = match near {
        Some(near) => format!("`{}` is a new option of {name}; there is also `{near}`.", one_line(word)),
        None => format!("`{}` is a new option of {name}.", one_line(word)),
    };
    Ok((word.trim().to_owned(), Some(note)))
}

/// The entries of a list as words; one alone is a list of one.
fn words(given: &Value) -> Vec<String> {
    let word = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    match given {
        Value::Array(items) => items.iter().map(word).collect(),
        Value::Null => Vec::new(),
        one => vec![word(one)],
    }
}

/// What a list gains and loses.
#[derive(Default)]
struct Change {
    add: Vec<String>,
    remove: Vec<String>,
}

/// The change that `{"add": [..], "remove": [..]}` says; none for the entries themselves.
fn change(given: &Value) -> Result<Option<Change>> {
    let Value::Object(change) = given else { return Ok(None) };
    if let Some(unknown) = change.keys().find(|key| !["add", "remove"].contains(&key.as_str())) {
        return Err(Error::invalid(format!("A list takes `add` and `remove`, not `{}`", one_line(unknown))));
    }
    let all = |field: &str| change.get(field).map(words).unwrap_or_default();
    Ok(Some(Change { add: all("add"), remove: all("remove") }))
}

/// The entries that are to be: those given, or those there are with some added and some taken away.
fn list(given: &Value, now: Vec<String>) -> Result<Vec<String>> {
    let Some(Change { add, remove }) = change(given)? else { return Ok(words(given)) };
    let gone = |entry: &String| {
        remove.iter().any(|word| same(word, entry) || id_of(word).is_some_and(|id| id == *entry))
    };
    let mut all: Vec<String> = now.into_iter().filter(|entry| !gone(entry)).collect();
    for word in add {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_as_it_is_written_or_not_at_all() {
        for (given, wanted) in [
            ("15", Some(15.0)),
            ("1,250.5", Some(1250.5)),
            ("-12,345,678", Some(-12_345_678.0)),
            ("1,5", None),
            ("0,125", None),
            ("1,2500", None),
            ("1.250,5", None),
            ("inf", None),
            ("nan", None),
            ("1e400", None),
        ] {
            assert_eq!(number(&json!(given)), wanted, "{given}");
        }
        assert_eq!(number(&json!(1.5)), Some(1.5));
    }
}
