//! Counts and sums over all records, however many: money per currency, what has no value told.

use std::collections::BTreeMap;

use connector::{
    Error, Result,
    catalog::{Call, Page, Reply, Tool, one_line, thousands},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    FROM,
    lag::uncounted,
    scan::walk,
    search::{Narrowed, leaves_room},
};
use crate::{
    HubSpot,
    api::{
        definitions::Property,
        objects::{Record, Search},
    },
    filter::{Where, where_as_in_search},
    render::{Values, money, plain_number, title},
    resolve::Fields,
    scopes,
};

/// The most groups of one reply.
const MAX_GROUPS: usize = 200;
/// Records without a value that are named, if there are no more.
const BARE: usize = 5;
/// Owners without a record that are named.
const IDLE_OWNERS: usize = 20;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "aggregate_records",
            "Count and sum",
            "Counts records by group and sums a number (of: amount), money per currency.",
            aggregate_records,
        )
        .scopes(scopes::READ)
        .aliases(&[
            ("object_type", "object"),
            ("groupBy", "group_by"),
            ("sum", "of"),
            ("field", "of"),
            ("filters", "where"),
        ])
        .output_page::<Group>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Aggregate {
    object: String,
    /// Fields; dates as month(closedate), quarter(…)
    #[serde(default)]
    group_by: Vec<String>,
    of: Option<String>,
    /// By probability
    #[serde(default)]
    weighted: bool,
    #[serde(default, rename = "where")]
    #[schemars(schema_with = "where_as_in_search")]
    conditions: Where,
    associated_with: Option<String>,
    owner: Option<String>,
    pipeline: Option<String>,
    stage: Option<String>,
}

/// One group of records.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Group {
    group: Vec<String>,
    currency: Option<String>,
    count: u64,
    without_value: u64,
    sum: Option<f64>,
    average: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    weighted: Option<f64>,
}

/// What was added up for one group, in millionths, so that nothing is lost to rounding.
#[derive(Debug, Default)]
struct Sum {
    count: u64,
    valued: u64,
    millionths: i128,
    weighted: f64,
    min: Option<f64>,
    max: Option<f64>,
}

impl Sum {
    fn add(&mut self, value: Option<(f64, i128)>, chance: f64) {
        self.count += 1;
        let Some((value, millionths)) = value else { return };
        self.valued += 1;
        self.millionths += millionths;
        self.weighted += value * chance;
        self.min = Some(self.min.map_or(value, |least| least.min(value)));
        self.max = Some(self.max.map_or(value, |most| most.max(value)));
    }

    fn total(&self) -> f64 {
        self.millionths as f64 / 1e6
    }
}

/// A number as HubSpot keeps it, in millionths: exactly, as it is written.
fn millionths(text: &str) -> Option<i128> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite())?;
    let exact = || {
        let (sign, digits) = text.trim().strip_prefix('-').map_or((1, text.trim()), |digits| (-1, digits));
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let rest: String = rest.chars().chain("000000".chars()).take(6).collect();
        Some(sign * (whole.parse::<i128>().ok()?.checked_mul(1_000_000)? + rest.parse::<i128>().ok()?))
    };
    exact().or(Some((number * 1e6).round() as i128))
}

/// A part of what records are counted under: its place among the groups, what it is called, and what it is, where
/// several are called the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    place: usize,
    name: String,
    id: String,
}

/// One part of what records are grouped by.
#[derive(Clone, Debug)]
struct Key {
    property: Property,
    period: Option<Period>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Day,
    Month,
    Quarter,
    Year,
}

impl Key {
    /// `stage`, `month(closedate)`, `closedate:month`.
    fn read(fields: &Fields, word: &str) -> Result<Self> {
        let word = word.trim();
        let parted = word
            .strip_suffix(')')
            .and_then(|word| word.split_once('('))
            .map(|(period, field)| (field, period));
        let parted = parted.or_else(|| word.split_once(':'));
        let (field, period) = parted.map_or((word, None), |(field, period)| (field, Some(period)));
        let property = fields.find(field)?.clone();
        let dated = matches!(property.kind.as_str(), "date" | "datetime");
        let period = match period.map(|period| period.trim().to_lowercase()).as_deref() {
            None if dated => Some(Period::Month),
            None => None,
            Some(_) if !dated => return Err(Error::invalid(format!("`{}` is not a date", property.name))),
            Some("day") => Some(Period::Day),
            Some("month") => Some(Period::Month),
            Some("quarter") => Some(Period::Quarter),
            Some("year") => Some(Period::Year),
            Some(other) => {
                return Err(Error::invalid(format!("There is no period `{}`", one_line(other)))
                    .with_hint("There are day, month, quarter and year"));
            }
        };
        Ok(Self { property, period })
    }

    /// What a record is counted under, with its place among the groups.
    fn value(&self, values: &Values, record: &Record) -> Part {
        let value = record.get(&self.property.name);
        if value.is_empty() {
            return Part { place: usize::MAX, name: "(none)".to_owned(), id: String::new() };
        }
        let Some(period) = self.period else {
            let name = one_line(&values.value(&self.property, value));
            let id = if self.property.is_owner() { value.to_owned() } else { String::new() };
            return Part { place: values.place(&self.property, value), name, id };
        };
        let day =
            if self.property.kind == "date" { value.to_owned() } else { values.local(value, "%Y-%m-%d") };
        let (year, month) =
            (day.get(..4).unwrap_or_default(), day.get(5..7).and_then(|month| month.parse::<u32>().ok()));
        let told = match period {
            Period::Day => day,
            Period::Month => day.get(..7).unwrap_or_default().to_owned(),
            Period::Quarter => format!("{year}-Q{}", month.unwrap_or(1).saturating_sub(1) / 3 + 1),
            Period::Year => year.to_owned(),
        };
        Part { name: told, ..Part::default() }
    }
}

async fn aggregate_records(call: Call<HubSpot>, args: Aggregate) -> Result<Reply> {
    let object = call.names().object(&args.object).await?;
    let fields = call.names().fields(&object).await?;
    let keys: Vec<Key> = args.group_by.iter().map(|word| Key::read(&fields, word)).collect::<Result<_>>()?;
    let of = match args.of.as_deref().map(str::trim).filter(|of| !of.is_empty()) {
        Some(of) => {
            let property = fields.find(of)?.clone();
            if property.kind != "number" {
                return Err(Error::invalid(format!(
                    "`{}` is not a number, so it cannot be summed",
                    property.name
                )));
            }
            Some(property)
        }
        None if args.weighted => fields.get("amount").cloned(),
        None => None,
    };
    for property in keys.iter().map(|key| &key.property).chain(&of) {
        call.redacted().admits(&property.name)?;
    }
    let narrowed = Narrowed {
        conditions: &args.conditions.0,
        associated_with: args.associated_with.as_deref(),
        owner: args.owner.as_deref(),
        pipeline: args.pipeline.as_deref(),
        stage: args.stage.as_deref(),
    };
    let understood = narrowed.understand(&call, &fields).await?;
    if !leaves_room(&understood.groups) {
        return Err(Error::invalid(
            "These conditions leave no room to walk through more than 10,000 records",
        )
        .with_hint("Use one condition fewer"));
    }
    // Amounts in different currencies are never added up.
    let foreign =
        fields.currency().filter(|_| of.as_ref().is_some_and(|of| of.is_money() && !of.is_at_home()));
    let mut properties: Vec<String> = keys.iter().map(|key| key.property.name.clone()).collect();
    properties.extend(of.iter().map(|of| of.name.clone()));
    properties.extend(foreign.map(str::to_owned));
    if args.weighted {
        properties.push("hs_deal_stage_probability".to_owned());
    }
    properties.extend(of.iter().flat_map(|_| object.title_properties()));
    properties.sort_unstable();
    properties.dedup();
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let search = Search { groups: understood.groups.clone(), properties, ..Search::default() };
    let money = of.as_ref().is_some_and(Property::is_money);
    let mut sums = Sums::new();
    let mut bare: Vec<String> = Vec::new();
    let walked = walk(&call, &object, &search, call.max_rows, |record| {
        let group = keys.iter().map(|key| key.value(&values, record)).collect();
        let value = of.as_ref().map(|of| record.get(&of.name));
        let value = value.and_then(|text| Some((text.parse::<f64>().ok()?, millionths(text)?)));
        let currency = match (money, foreign.is_some(), value) {
            (true, true, Some(_)) => values.currency(record).to_owned(),
            // Without an amount the currency says nothing.
            (true, true, None) => String::new(),
            (true, false, _) => values.account.company_currency.clone(),
            (false, ..) => String::new(),
        };
        if of.is_some() && value.is_none() && bare.len() < BARE {
            bare.push(format!("{} ({})", title(&object, record), record.id));
        }
        let chance = record.get("hs_deal_stage_probability").parse().unwrap_or(0.0);
        sums.entry((group, currency)).or_default().add(value, chance);
    })
    .await?;

    one_currency(&mut sums);
    let noun = if keys.is_empty() { ("total", "totals") } else { ("group", "groups") };
    let mut page = Page::new(FROM, noun);
    let total = thousands(walked.seen as u64);
    page = page.note(format!("{total} {} counted", object.plural));
    page = page.note(if understood.words.is_empty() {
        "no condition".to_owned()
    } else {
        understood.words.join("; ")
    });
    for note in &understood.notes {
        page = page.note(note.clone());
    }
    page = page.notes(uncounted(&call, &object));
    if walked.is_partial(call.max_rows) {
        page = page.note(format!(
            "PARTIAL: the first {total} of {}; HUBSPOT_MAX_ROWS sets the limit",
            thousands(walked.total)
        ));
    }
    if let Some(of) = &of {
        page = page.note(format!("sums of {}", one_line(&of.label)));
    }
    let shown = sums.len();
    for ((group, currency), sum) in sums.iter().take(MAX_GROUPS) {
        let group: Vec<String> = group
            .iter()
            .enumerate()
            .map(|(at, part)| named(&values, &keys[at], sums.keys(), at, part))
            .collect();
        page.push(
            line(&group, currency, sum, of.as_ref(), args.weighted),
            &data(&group, currency, sum, args.weighted),
        );
    }
    if shown > MAX_GROUPS {
        page = page.note(format!("the first {MAX_GROUPS} of {shown} groups; group by something coarser"));
    }
    if let [key] = &keys[..]
        && key.property.is_owner()
        && understood.groups.iter().flatten().all(|filter| filter.property_name != key.property.name)
    {
        let owners = call.names().owners().await?;
        let named: Vec<String> = owners
            .iter()
            .filter(|owner| !owner.archived)
            .filter(|owner| sums.keys().all(|(group, _)| group.first().is_none_or(|one| one.id != owner.id)))
            .map(|owner| one_line(&owner.shown()))
            .collect();
        if (1..=IDLE_OWNERS).contains(&named.len()) {
            page = page.note(format!("none for {}", named.join(", ")));
        } else if !named.is_empty() {
            page = page.note(format!("none for {} other owners", named.len()));
        }
    }
    let without: u64 = sums.values().map(|sum| sum.count - sum.valued).sum();
    let reply = Reply::page(page);
    Ok(match &of {
        Some(of) if without > 0 => {
            let names = if without <= BARE as u64 { format!(": {}", bare.join(", ")) } else { String::new() };
            let is = if without == 1 { "is" } else { "are" };
            reply.line(format!(
                "{} without {} {is} counted and not summed{names}.",
                object.counted(usize::try_from(without).unwrap_or(usize::MAX)),
                of.name
            ))
        }
        _ => reply,
    })
}

/// The sums of each group and currency.
type Sums = BTreeMap<(Vec<Part>, String), Sum>;

/// Puts what has no value, and so no currency, to the rest of its group if that has one currency.
fn one_currency(sums: &mut Sums) {
    let bare: Vec<Vec<Part>> =
        sums.keys().filter(|(_, currency)| currency.is_empty()).map(|(group, _)| group.clone()).collect();
    for group in bare {
        let others: Vec<String> = sums
            .keys()
            .filter(|(other, currency)| *other == group && !currency.is_empty())
            .map(|(_, currency)| currency.clone())
            .collect();
        if let [currency] = &others[..]
            && let Some(without) = sums.remove(&(group.clone(), String::new()))
            && let Some(sum) = sums.get_mut(&(group, currency.clone()))
        {
            sum.count += without.count;
        }
    }
}

/// The name of a part of a group, the part at `at`. A stage that is called like another one is told with its pipeline,
/// an owner with their id.
fn named<'a>(
    values: &Values,
    key: &Key,
    mut groups: impl Iterator<Item = &'a (Vec<Part>, String)>,
    at: usize,
    Part { place, name, id }: &Part,
) -> String {
    let is_namesake = |other: &Part| (other.place, &other.id) != (*place, id) && other.name == *name;
    let namesake = groups.any(|(group, _)| group.get(at).is_some_and(is_namesake));
    let staged = values.fields.object.stage.is_some_and(|(_, stage)| stage == key.property.name);
    match values.pipeline_at(*place).filter(|_| namesake && staged) {
        Some(pipeline) => format!("{name} in {}", one_line(&pipeline.label)),
        None if namesake && !id.is_empty() => format!("{name} ({id})"),
        None => name.clone(),
    }
}

fn line(group: &[String], currency: &str, sum: &Sum, of: Option<&Property>, weighted: bool) -> String {
    let name = if group.is_empty() { "all".to_owned() } else { group.join(" / ") };
    let mut line = format!("{name} | count {}", sum.count);
    let Some(of) = of else { return line };
    if sum.valued == 0 {
        return format!("{line} | no value");
    }
    let unit = if currency.is_empty() { String::new() } else { format!(" {currency}") };
    let shown = |number: f64| {
        if of.is_money() { money(&number.to_string(), "") } else { plain_number(&format!("{number:.6}")) }
    };
    line.push_str(&format!(" | sum {}{unit}", shown(sum.total())));
    // Of a single value nothing more can be said.
    if let (Some(least), Some(most), true) = (sum.min, sum.max, sum.valued > 1) {
        let average = shown(sum.total() / sum.valued as f64);
        line.push_str(&format!(" | avg {average} | {} to {}", shown(least), shown(most)));
    }
    if weighted {
        line.push_str(&format!(" | weighted {}{unit}", shown(sum.weighted)));
    }
    if sum.valued < sum.count {
        line.push_str(&format!(" | {} without", sum.count - sum.valued));
    }
    line
}

fn data(group: &[String], currency: &str, sum: &Sum, weighted: bool) -> Group {
    let valued = sum.valued > 0;
    Group {
        group: group.to_vec(),
        currency: (!currency.is_empty()).then(|| currency.to_owned()),
        count: sum.count,
        without_value: sum.count - sum.valued,
        sum: valued.then(|| sum.total()),
        average: valued.then(|| sum.total() / sum.valued as f64),
        min: sum.min,
        max: sum.max,
        weighted: (valued && weighted).then_some(sum.weighted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_added_as_they_are_written() {
        let sum = |texts: &[&str]| {
            let mut sum = Sum::default();
            for text in texts {
                sum.add(Some((text.parse().unwrap(), millionths(text).unwrap())), 0.0);
            }
            sum.total()
        };
        assert_eq!(sum(&["0.125", "0.125"]), 0.25);
        assert_eq!(sum(&["0.1", "0.2", "-0.05"]), 0.25);
        assert_eq!(sum(&["1.2E3", "1"]), 1201.0);
        assert_eq!(sum(&["-0.5"]), -0.5);
        assert_eq!(millionths("none"), None);
    }
}
