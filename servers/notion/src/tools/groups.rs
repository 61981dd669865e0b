//! Rows of a table counted, added up, grouped.

use std::collections::{BTreeSet, HashSet};

use connector::{
    Error, Kind, Result,
    catalog::{Call, Reply, minute, one_line, words},
};
use serde_json::{Value, json};

use super::query::Rows;
use crate::{
    Notion,
    api::objects::Item,
    render,
    resolve::{
        filter::fitted,
        tables::{Table, in_order},
        values::is_cut,
    },
};

/// What to do about rows that cannot all be read.
const NARROW: &str = "narrow them with `where`, such as by created_time";
/// Rows that one question counts at most: beyond that the answer says "at least".
const COUNTED: usize = 50_000;
/// Cut lists that a grouping reads whole in one call.
const WHOLE_LISTS: usize = 50;
/// Values without rows that are named.
const WITHOUT: usize = 12;

/// The sum of a column over every row that passes.
pub(super) async fn summed(
    call: &Call<Notion>,
    table: &Table,
    filter: Option<&Value>,
    wanted: &str,
    said: Vec<String>,
) -> Result<Reply> {
    let (name, column) = table.column(wanted)?;
    let (mut rows, cut) = every(call, table, filter).await?;
    call.count_linked(&mut rows, &[name.to_owned()]).await;
    let sum = added(&rows.iter().collect::<Vec<_>>(), table, name)?;
    let name = render::column(name, column);
    let line = format!("{}{} rows of {}: {name} {}.", least(&cut), rows.len(), table.name, sum.words());
    let notes = [cut, said].concat();
    let data = Rows { count: Some(rows.len()), sum: Some(sum.sum), notes: notes.clone(), ..Rows::default() };
    Ok(noted(Reply::new(line), notes).data(&data))
}

/// How many rows pass.
pub(super) async fn counted(
    call: &Call<Notion>,
    table: &Table,
    filter: Option<&Value>,
    said: Vec<String>,
) -> Result<Reply> {
    let (rows, cut) = every(call, table, filter).await?;
    let count = rows.len();
    let rows = if count == 1 { "row" } else { "rows" };
    let line = format!("{}{count} {rows} of {}.", least(&cut), table.name);
    let notes = [cut, said].concat();
    let data = Rows { count: Some(count), notes: notes.clone(), ..Rows::default() };
    Ok(noted(Reply::new(line), notes).data(&data))
}

fn least(cut: &[String]) -> &'static str {
    if cut.is_empty() { "" } else { "at least " }
}

fn noted(reply: Reply, notes: Vec<String>) -> Reply {
    notes.into_iter().fold(reply, Reply::line)
}

/// Every row that passes, also beyond the 10,000 that one question yields: the next question begins at the last
/// row's time (SDK 5.26.0: iterateAllDataSourceRows). With a word where there are more than could be read.
async fn every(
    call: &Call<Notion>,
    table: &Table,
    filter: Option<&Value>,
) -> Result<(Vec<Item>, Vec<String>)> {
    let mut rows: Vec<Item> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut since: Option<String> = None;
    loop {
        let window = since
            .as_ref()
            .map(|since| json!({"timestamp": "created_time", "created_time": {"on_or_after": since}}));
        let both = match (filter, window) {
            (Some(filter), Some(window)) => Some(fitted(json!({"and": [filter, window]}))),
            (filter, window) => filter.cloned().or(window),
        };
        let mut cursor: Option<String> = None;
        let mut cut = false;
        let mut last: Option<String> = None;
        loop {
            let mut body =
                json!({"page_size": 100, "sorts": [{"timestamp": "created_time", "direction": "ascending"}]});
            if let Some(filter) = &both {
                body["filter"] = filter.clone();
            }
            if let Some(cursor) = &cursor {
                body["start_cursor"] = json!(cursor);
            }
            let page = match call.api().query(&table.id, &body).await {
                // What was read is worth telling when the call's time or the budget of requests is over.
                Err(error) if !rows.is_empty() && is_over(&error) => {
                    let until = rows.last().map(|row| minute(&row.created_time)).unwrap_or_default();
                    return Ok((
                        rows,
                        vec![format!("{}: {NARROW}; these were created until {until}.", error.message())],
                    ));
                }
                page => page?,
            };
            let next = page.next(cursor.as_deref()).map(str::to_owned);
            cut |= page.is_cut();
            for row in page.results {
                last = Some(row.created_time.clone());
                if seen.insert(row.id.clone()) {
                    rows.push(row);
                }
            }
            if rows.len() >= COUNTED {
                return Ok((rows, vec![format!("No more than {COUNTED} rows are read: {NARROW}.")]));
            }
            let done = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            call.progress(done, None, "rows read").await;
            if next.is_none() {
                break;
            }
            cursor = next;
        }
        if !cut {
            return Ok((rows, Vec::new()));
        }
        if last == since {
            return Ok((
                rows,
                vec![format!("More rows were created in one minute than Notion gives: {NARROW}.")],
            ));
        }
        since = last;
    }
}

/// Whether a call can go no further for now.
fn is_over(error: &Error) -> bool {
    matches!(error.kind(), Kind::RateLimited | Kind::Upstream | Kind::Unavailable)
}

/// A sum, and the rows that say nothing of it.
#[derive(Default)]
struct Sum {
    sum: f64,
    /// Rows without a number.
    without: usize,
    /// Rows whose number Notion did not compute.
    left_out: usize,
}

impl Sum {
    fn words(&self) -> String {
        let without = if self.without == 0 { String::new() } else { format!(", {} without", self.without) };
        format!("{}{without}{}", self.sum, self.not_computed())
    }

    fn not_computed(&self) -> String {
        if self.left_out == 0 { String::new() } else { format!(", {} not computed by Notion", self.left_out) }
    }
}

/// The sum of a column.
fn added(rows: &[&Item], table: &Table, name: &str) -> Result<Sum> {
    let kind = table.columns[name]["type"].as_str().unwrap_or_default();
    if !matches!(kind, "number" | "formula" | "rollup") {
        return Err(Error::invalid(format!(
            "`sum` takes a column of numbers, and {} is {kind}",
            one_line(name)
        )));
    }
    let mut sum = Sum::default();
    for row in rows {
        let own = &row.value(name)[kind];
        match own.as_f64().or_else(|| own["number"].as_f64()) {
            Some(number) => sum.sum += number,
            None if own["type"] == "incomplete" || own["type"] == "unsupported" => sum.left_out += 1,
            None => sum.without += 1,
        }
    }
    // What binary fractions add to cents is no part of a sum.
    sum.sum = (sum.sum * 1e6).round() / 1e6;
    Ok(sum)
}

/// A value of a column: how many rows have it, and their sum.
struct Group {
    name: String,
    rows: usize,
    sum: Option<Sum>,
}

/// Options in the order that a board shows them, days and numbers one after the other, others the largest first.
fn order(groups: &mut [Group], column: &Value) {
    let kind = column["type"].as_str().unwrap_or_default();
    let options: Vec<String> = in_order(column).into_iter().map(one_line).collect();
    let place = |group: &Group| options.iter().position(|option| *option == group.name).unwrap_or(usize::MAX);
    let size = |group: &Group| group.sum.as_ref().map_or(group.rows as f64, |sum| sum.sum);
    groups.sort_by(|a, b| {
        let last = a.name.is_empty().cmp(&b.name.is_empty());
        last.then_with(|| match kind {
            "select" | "status" => place(a).cmp(&place(b)),
            "date" | "created_time" | "last_edited_time" => a.name.cmp(&b.name),
            "number" => {
                let number = |group: &Group| group.name.parse().unwrap_or(f64::MAX);
                number(a).total_cmp(&number(b))
            }
            _ => size(b).total_cmp(&size(a)).then_with(|| a.name.cmp(&b.name)),
        })
    });
}

/// Puts names in the place of the ids of linked rows, and gives the names of those that nothing is linked to; none
/// where the table they are of is too long to know.
async fn name_linked(
    call: &Call<Notion>,
    target: &str,
    groups: &mut [(String, Vec<&Item>)],
) -> Option<Vec<String>> {
    let (mut titles, whole) = call.latest_titles(target).await;
    let is_group = |id: &String| groups.iter().any(|(group, _)| group == id);
    let mut without: Vec<String> =
        titles.iter().filter(|(id, _)| !is_group(id)).map(|(_, title)| title.clone()).collect();
    without.sort_unstable();
    let unknown =
        groups.iter().map(|(group, _)| group).filter(|id| !id.is_empty() && !titles.contains_key(*id));
    let unknown: Vec<String> = unknown.take(WHOLE_LISTS).cloned().collect();
    for id in unknown {
        if let Ok(page) = call.api().page(&id).await {
            titles.insert(id, render::title(&page.name()));
        }
    }
    let named: Vec<String> = groups.iter().filter_map(|(id, _)| titles.get(id).cloned()).collect();
    for (group, _) in groups {
        *group = match titles.get(group) {
            // The id tells those of one name apart.
            Some(title) if named.iter().filter(|name| *name == title).count() > 1 => {
                format!("{title} ({})", render::bare(group))
            }
            Some(title) => title.clone(),
            None => render::bare(group),
        };
    }
    whole.then_some(without)
}

/// Rows counted, and added up, by the values of a column.
pub(super) async fn grouped(
    call: &Call<Notion>,
    table: &Table,
    filter: Option<&Value>,
    wanted: &str,
    sum: Option<&str>,
    said: Vec<String>,
) -> Result<Reply> {
    let (name, column) = table.column(wanted)?;
    let kind = column["type"].as_str().unwrap_or_default();
    let sum = sum.map(|sum| Ok::<_, Error>(table.column(sum)?.0)).transpose()?;
    let (mut rows, mut notes) = every(call, table, filter).await?;
    let whole = notes.is_empty();
    let least = least(&notes);
    let computed: Vec<String> = sum.into_iter().chain([name]).map(str::to_owned).collect();
    call.count_linked(&mut rows, &computed).await;
    let mut groups: Vec<(String, Vec<&Item>)> = Vec::new();
    let mut cut = 0;
    for row in &rows {
        let value = row.value(name);
        let members: Vec<String> = match kind {
            "multi_select" => render::names(&value[kind]),
            "relation" | "people" => {
                cut += usize::from(is_cut(value));
                if cut > WHOLE_LISTS {
                    return Err(Error::invalid(format!(
                        "More than {WHOLE_LISTS} rows have lists of {name} that Notion cuts"
                    ))
                    .with_hint("Narrow the rows with `where`"));
                }
                if kind == "people" {
                    render::names(&Value::Array(call.whole(row, name, usize::MAX).await?.0))
                } else {
                    call.whole_list(row, name).await?
                }
            }
            _ => vec![render::value(value)],
        };
        let members: BTreeSet<String> = members.into_iter().collect();
        let none = members.is_empty().then(String::new);
        for group in members.into_iter().chain(none) {
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((group, vec![row])),
            }
        }
    }
    let without = match column["relation"]["data_source_id"].as_str() {
        Some(target) => name_linked(call, target, &mut groups).await,
        None => {
            let known = in_order(column).into_iter().map(one_line);
            Some(known.filter(|option| groups.iter().all(|(group, _)| group != option)).collect())
        }
    };
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(name, rows)| {
            let sum = sum.map(|sum| added(&rows, table, sum)).transpose()?;
            Ok(Group { name, rows: rows.len(), sum })
        })
        .collect::<Result<_>>()?;
    order(&mut groups, column);
    let unit = sum.map(|sum| render::column(sum, &table.columns[sum]));
    let head = [Some("rows".to_owned()), unit.clone(), Some(one_line(name))];
    let mut lines = vec![head.into_iter().flatten().collect::<Vec<_>>().join(" | ")];
    for group in &groups {
        let name = if group.name.is_empty() { "(empty)" } else { &group.name };
        match &group.sum {
            Some(sum) => lines.push(format!("{} | {}{} | {name}", group.rows, sum.sum, sum.not_computed())),
            None => lines.push(format!("{} | {name}", group.rows)),
        }
    }
    if let Some(without) = without.as_ref().filter(|without| whole && !without.is_empty()) {
        lines.push(format!("no rows: {}", words::listed(without, WITHOUT)));
    }
    // A row in several groups counts once here.
    let total = rows.len();
    let summed = match sum {
        Some(sum) => format!(
            ", {} added up: {}",
            unit.unwrap_or_default(),
            added(&rows.iter().collect::<Vec<_>>(), table, sum)?.words()
        ),
        None => String::new(),
    };
    let word = if total == 1 { "row" } else { "rows" };
    let mut reply = Reply::new(format!(
        "{least}{total} {word} of {} by {}{summed}",
        table.name,
        one_line(name)
    ))
    .outside(table.name.clone(), None, lines.join("\n"));
    if without.is_none() {
        notes.push("What no row is linked to is not listed.".to_owned());
    }
    notes.extend(said);
    reply = noted(reply, notes.clone());
    let sums = sum.map(|_| groups.iter().filter_map(|group| group.sum.as_ref().map(|sum| sum.sum)).collect());
    let groups = groups.into_iter().map(|group| (group.name, group.rows)).collect();
    Ok(reply.data(&Rows { count: Some(total), groups: Some(groups), sums, notes, ..Rows::default() }))
}
