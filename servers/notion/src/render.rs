//! Words that more than one family needs.

use connector::catalog::{minute, one_line};
use serde_json::{Value, json};

use crate::{
    api::objects::{Item, plain},
    resolve::{
        linked::{Titles, ids},
        values,
    },
};

/// A page's answer shows so many entries of a list, and says that there are more.
pub(crate) const SHOWN: usize = 25;
/// What ends a text of which an answer shows no more.
pub(crate) const CUT: &str = " …+";
/// So many linked rows are shown by name.
pub(crate) const NAMED: usize = 5;

/// An id without dashes: it costs a model less, and every tool takes it. Never shortened, because ids made in
/// one sitting share their first characters.
pub(crate) fn bare(id: &str) -> String {
    id.replace('-', "")
}

/// What an item is, in the words of the tools.
pub(crate) fn kind(item: &Item) -> &'static str {
    match item.object.as_str() {
        "data_source" | "database" => "table",
        _ if item.parent_id().is_some_and(|(kind, _)| kind == "data_source_id") => "row",
        _ => "page",
    }
}

/// A title, or a word for none.
pub(crate) fn title(title: &str) -> String {
    let line = one_line(title);
    if line.is_empty() { "Untitled".to_owned() } else { line }
}

/// The state of a page, for what was made from it: when it was edited, where it is, what values it has.
pub(crate) fn state(page: &Item) -> Value {
    let values: Vec<(&String, Value)> = page
        .properties
        .iter()
        // The addresses of files are signed anew at each reading.
        .map(|(name, own)| (name, if own["type"] == "files" { value(own).into() } else { own.clone() }))
        .collect();
    let looks = [icon(&page.icon), icon(&page.cover), yes(page.is_locked).to_owned()];
    json!([page.id, page.last_edited_time, page.in_trash, page.parent, looks, values])
}

/// An icon or a cover as a line shows it; files of Notion's own have addresses that expire.
pub(crate) fn icon(icon: &Value) -> String {
    let kind = icon["type"].as_str().unwrap_or_default();
    match kind {
        "emoji" => icon["emoji"].as_str().map(one_line).unwrap_or_default(),
        "custom_emoji" => {
            let emoji = &icon["custom_emoji"];
            emoji["name"].as_str().map_or_else(
                || bare(emoji["id"].as_str().unwrap_or_default()),
                |name| format!(":{}:", one_line(name)),
            )
        }
        "external" => icon["external"]["url"].as_str().map(one_line).unwrap_or_default(),
        "icon" => icon["icon"]["name"].as_str().map(one_line).unwrap_or_default(),
        "" => "none".to_owned(),
        _ => "a file".to_owned(),
    }
}

/// A row of what was found, and where: ` in Runbooks`.
pub(crate) fn found(item: &Item, place: &str) -> String {
    let trash = if item.in_trash { ", in the trash" } else { "" };
    let name = title(&item.name());
    format!("{} | {}{place} | {name} | {}{trash}", bare(&item.id), kind(item), minute(&item.last_edited_time))
}

/// A column's name at its values, with the unit that its numbers are in.
pub(crate) fn column(name: &str, column: &Value) -> String {
    let format = column["number"]["format"].as_str();
    match format.filter(|format| !format.starts_with("number")) {
        Some(format) => format!("{} ({})", one_line(name), format.replace('_', " ")),
        None => one_line(name),
    }
}

pub(crate) fn yes(truth: bool) -> &'static str {
    if truth { "yes" } else { "no" }
}

/// Names in a list of options or people, as they are; of people whose name may not be read, the id.
pub(crate) fn names(items: &Value) -> Vec<String> {
    items.as_array().into_iter().flatten().filter_map(name).collect()
}

/// The name of an option, a file or a person; without the capability to read user information a person has none
/// (developers.notion.com/reference/capabilities).
fn name(item: &Value) -> Option<String> {
    let nameless = || item["id"].as_str().filter(|_| item["object"] == "user").map(bare);
    item["name"].as_str().map(one_line).or_else(nameless)
}

/// Linked rows by name, the first few, and how many more there are; their count where no name is known. `more` is
/// where the answer was cut.
pub(crate) fn linked(rows: &[String], more: bool, titles: &Titles) -> String {
    let named: Vec<String> = rows.iter().take(NAMED).filter_map(|id| titles.get(id).cloned()).collect();
    let cut = if more { " or more" } else { "" };
    match (rows.len(), rows.len() - named.len()) {
        (0, _) => String::new(),
        (all, left) if all == left => format!("{all}{} linked", if more { "+" } else { "" }),
        (_, 0) if !more => named.join(", "),
        (_, left) => format!("{}, +{left}{cut}", named.join(", ")),
    }
}

/// Linked rows, all of those that a value has, each with its id.
pub(crate) fn all_linked(value: &Value, titles: &Titles) -> String {
    let row = |id: &String| match titles.get(id) {
        Some(title) => format!("{title} ({})", bare(id)),
        None => bare(id),
    };
    let mut rows: Vec<String> = ids(value).iter().map(row).collect();
    if value["has_more"] == true {
        rows.push("and more".to_owned());
    }
    rows.join(", ")
}

/// Whether `named` shows less of a value than there is.
pub(crate) fn is_short(own: &Value) -> bool {
    values::is_cut(own) || own["type"] == "relation" && ids(own).len() > NAMED
}

/// A value as `value` shows it, linked rows by those names that are known.
pub(crate) fn named(own: &Value, titles: &Titles) -> String {
    if own["type"] == "relation" { linked(&ids(own), own["has_more"] == true, titles) } else { value(own) }
}

/// A date: its day, or its time and offset, to its end.
pub(crate) fn date(date: &Value) -> String {
    let moment = |field: &str| {
        let text = date[field].as_str()?;
        let text = text.replace(":00.000", "");
        Some(text.strip_suffix("+00:00").map_or_else(|| text.clone(), |utc| format!("{utc}Z")))
    };
    let zone = date["time_zone"].as_str().map(|zone| format!(" {zone}")).unwrap_or_default();
    match (moment("start"), moment("end")) {
        (Some(start), Some(end)) => format!("{start}/{end}{zone}"),
        (Some(start), None) => format!("{start}{zone}"),
        _ => String::new(),
    }
}

/// A value as a cell shows it; empty for none.
pub(crate) fn value(value: &Value) -> String {
    let kind = value["type"].as_str().unwrap_or_default();
    let own = &value[kind];
    match kind {
        "title" | "rich_text" => {
            let cut = if values::is_cut(value) && value["has_more"] != false { CUT } else { "" };
            format!("{}{cut}", one_line(&plain(own)))
        }
        "number" => number(own),
        "select" | "status" => own["name"].as_str().map(one_line).unwrap_or_default(),
        "multi_select" => names(own).join(", "),
        "people" => {
            let people = names(own);
            let cut = if people.len() >= SHOWN && value["has_more"] != false { "+" } else { "" };
            format!("{}{cut}", people.join(", "))
        }
        "created_by" | "last_edited_by" => name(own).unwrap_or_default(),
        "checkbox" => yes(own == true).to_owned(),
        "date" => date(own),
        "created_time" | "last_edited_time" => own.as_str().map(minute).unwrap_or_default(),
        "relation" => linked(&ids(value), value["has_more"] == true, &Titles::new()),
        "files" => names(own).join(", "),
        "unique_id" => match (own["prefix"].as_str(), own["number"].as_u64()) {
            (Some(prefix), Some(number)) => format!("{prefix}-{number}"),
            (None, Some(number)) => number.to_string(),
            _ => String::new(),
        },
        "formula" | "rollup" => {
            let inner = own["type"].as_str().unwrap_or_default();
            match inner {
                // What Notion did not compute is not a number.
                "incomplete" | "unsupported" => "?".to_owned(),
                "date" => date(&own["date"]),
                "number" => number(&own["number"]),
                "boolean" => own["boolean"].as_bool().map(yes).unwrap_or_default().to_owned(),
                "array" => own["array"]
                    .as_array()
                    .map(|items| items.iter().map(self::value).collect::<Vec<_>>().join(", "))
                    .unwrap_or_default(),
                inner => own[inner].as_str().map(one_line).unwrap_or_default(),
            }
        }
        // Until when a page of a wiki counts as verified, and where on the map a row is.
        "verification" => {
            let until = own["date"]["end"].as_str().map(|end| format!(" until {}", minute(end)));
            let state = own["state"].as_str().map(one_line).unwrap_or_default();
            format!("{state}{}", until.unwrap_or_default())
        }
        "place" => {
            let known = ["name", "address"].iter().find_map(|field| own[*field].as_str());
            let point = || Some(format!("{}, {}", own["lat"].as_f64()?, own["lon"].as_f64()?));
            known.map(one_line).or_else(point).unwrap_or_default()
        }
        _ => own.as_str().map(one_line).unwrap_or_default(),
    }
}

fn number(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => one_line(text),
        _ => String::new(),
    }
}

/// What two lines do not share, with some words around it: long paragraphs differ in a few words.
fn around(old: &str, new: &str) -> (String, String) {
    /// Characters of what they share that are shown on each side.
    const SHARED: usize = 40;
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let left = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(left).take_while(|(old, new)| old == new).count();
    // No word is cut in two.
    let head = (start > 2 * SHARED).then(|| {
        let from = start - SHARED;
        old[from..start].iter().position(|c| c.is_whitespace()).map_or(from, |at| from + at + 1)
    });
    let tail = (end > 2 * SHARED).then(|| {
        let from = old.len() - end;
        let some = &old[from..from + SHARED];
        end - some.iter().rposition(|c| c.is_whitespace()).unwrap_or(SHARED)
    });
    let shown = |line: &[char]| {
        let (from, to) = (head.unwrap_or(0), line.len() - tail.unwrap_or(0));
        let middle: String = line[from..to].iter().collect();
        let dots = |cut: bool| if cut { "…" } else { "" };
        format!("{}{middle}{}", dots(head.is_some()), dots(tail.is_some()))
    };
    (shown(&old), shown(&new))
}

/// The lines that change, as a diff shows them.
pub(crate) fn diff(old: &str, new: &str) -> Vec<String> {
    const MOST: usize = 60;
    // A last line without an end is no other line than the same with one.
    let ended = |text: &str| {
        if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
    };
    let (old, new) = (ended(old), ended(new));
    let diff = similar::TextDiff::from_lines(&old, &new);
    let mut lines = Vec::new();
    for op in diff.ops().iter().filter(|op| op.tag() != similar::DiffTag::Equal) {
        let of = |tag: similar::ChangeTag| -> Vec<String> {
            let changes = diff.iter_changes(op).filter(|change| change.tag() == tag);
            changes.map(|change| change.value().trim_end_matches('\n').to_owned()).collect()
        };
        let (mut old, mut new) = (of(similar::ChangeTag::Delete), of(similar::ChangeTag::Insert));
        for (old, new) in old.iter_mut().zip(&mut new) {
            (*old, *new) = around(old, new);
        }
        lines.extend(old.iter().map(|line| format!("- {line}")));
        lines.extend(new.iter().map(|line| format!("+ {line}")));
    }
    if lines.len() > MOST {
        let left = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("… {left} more changed lines"));
    }
    lines
}
