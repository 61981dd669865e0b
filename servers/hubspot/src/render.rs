//! Values in the words of people on the way out: stages and options by their labels, owners by their names,
//! money with its currency, times in the account's zone.

use connector::{
    Result,
    catalog::{edited, one_line, thousands},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    api::{
        account::Account,
        definitions::{Owner, Pipeline, Property, Stage},
        objects::Record,
    },
    redact::Redacted,
    resolve::{CALL_DURATION, Fields, Names, ObjectType, REMINDERS, State},
    rich::{markdown, plain, unshown},
    text::cut,
};

/// Characters of a text in a row.
const CELL: usize = 200;
/// Characters of a text that was asked for by name.
const TEXT: usize = 2_000;

/// What the values of some columns mean.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) fields: Fields,
    pub(crate) account: Account,
    owners: Vec<Owner>,
    pipelines: Vec<Pipeline>,
    zone: TimeZone,
    redacted: Redacted,
}

impl Values {
    /// Reads what is needed to tell the values of `columns`, and no more.
    pub(crate) async fn read(
        names: &Names,
        fields: Fields,
        columns: &[String],
        redacted: &Redacted,
    ) -> Result<Self> {
        let known: Vec<&Property> = columns.iter().filter_map(|name| fields.get(name)).collect();
        let timed = known.iter().any(|property| is_timed(property) || property.is_money());
        let account = if timed { names.account().await? } else { Account::default() };
        let owned = known.iter().any(|property| property.is_owner());
        let owners = if owned { names.owners().await? } else { Vec::new() };
        let staged = fields
            .object
            .stage
            .filter(|(pipeline, stage)| columns.iter().any(|name| name == pipeline || name == stage));
        let pipelines = if staged.is_some() { names.pipelines(&fields.object).await? } else { Vec::new() };
        let zone = TimeZone::get(&account.time_zone).unwrap_or(TimeZone::UTC);
        Ok(Self { fields, account, owners, pipelines, zone, redacted: redacted.clone() })
    }

    /// Reads the account's zone, where times are told that are in no column.
    pub(crate) async fn read_zone(&mut self, names: &Names) -> Result<()> {
        self.account = names.account().await?;
        self.zone = TimeZone::get(&self.account.time_zone).unwrap_or(TimeZone::UTC);
        Ok(())
    }

    /// The currency of a record's money.
    pub(crate) fn currency<'a>(&'a self, record: &'a Record) -> &'a str {
        match self.fields.currency().map_or("", |name| record.get(name)) {
            "" => &self.account.company_currency,
            code => code,
        }
    }

    /// Whether the values of a column are money of several currencies.
    pub(crate) fn mixes(&self, records: &[Record], column: &str) -> bool {
        let money = |property: &Property| property.is_money() && !property.is_at_home();
        let mut valued = records.iter().filter(|record| !record.get(column).is_empty());
        let first = valued.next().map(|record| self.currency(record));
        self.fields.get(column).is_some_and(money)
            && valued.any(|record| Some(self.currency(record)) != first)
    }

    /// A value as a row shows it; empty if there is none.
    pub(crate) fn cell(&self, record: &Record, column: &str) -> String {
        one_line(&cut(&self.shown(record, column), CELL))
    }

    /// What of a rich text its Markdown does not show, in words.
    pub(crate) fn unshown(&self, record: &Record, column: &str) -> Option<String> {
        let rich = self.fields.get(column).is_some_and(Property::is_rich) && !self.redacted.hides(column);
        let names = if rich { unshown(record.get(column)) } else { Vec::new() };
        (!names.is_empty()).then(|| format!("not shown: {}", names.join(", ")))
    }

    /// Whether a value is a text of several lines, or longer than a row has room for.
    pub(crate) fn is_text(&self, record: &Record, column: &str) -> bool {
        let shown = self.shown(record, column);
        let of = |is: fn(&Property) -> bool| self.fields.get(column).is_some_and(is);
        of(Property::is_long) && shown.contains('\n') || of(Property::is_text) && shown.chars().count() > CELL
    }

    /// How a value becomes another: `phone none → +49 40 5550101`, of a text the lines that differ.
    pub(crate) fn change(&self, old: &Record, new: &Record, column: &str) -> String {
        let head = self.fields.head(column);
        if [old, new].iter().any(|record| self.is_text(record, column))
            && !old.get(column).is_empty()
            && !new.get(column).is_empty()
        {
            return format!("{head}: {}", edited(&self.shown(old, column), &self.shown(new, column)));
        }
        let told = |record: &Record| match self.cell(record, column) {
            text if text.is_empty() => "none".to_owned(),
            text => text,
        };
        format!("{head} {} → {}", told(old), told(new))
    }

    /// A value in full, or nearly.
    pub(crate) fn text(&self, record: &Record, column: &str) -> String {
        cut(&self.shown(record, column), TEXT)
    }

    /// Whether a row has no room for the whole of a value in one of `columns`.
    pub(crate) fn cuts(&self, records: &[Record], columns: &[String]) -> bool {
        let long = columns.iter().filter(|name| self.fields.get(name).is_some_and(Property::is_text));
        let mut cells = long.flat_map(|column| records.iter().map(move |record| (record, column)));
        cells.any(|(record, column)| {
            record.get(column).len() > CELL && self.shown(record, column).chars().count() > CELL
        })
    }

    /// A value in full.
    pub(crate) fn shown(&self, record: &Record, column: &str) -> String {
        let value = record.get(column);
        let Some(property) = self.fields.get(column) else { return value.to_owned() };
        if !value.is_empty() && self.redacted.hides(column) {
            return "(redacted)".to_owned();
        }
        if property.is_money() {
            let home = &self.account.company_currency;
            return money(value, if property.is_at_home() { home } else { self.currency(record) });
        }
        self.value(property, value)
    }

    /// A value by itself.
    pub(crate) fn value(&self, property: &Property, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        if property.is_owner() && property.external_options {
            return self.owner(value);
        }
        if let Some((pipeline, stage)) = self.fields.object.stage {
            if property.name == stage {
                return self.stage(value);
            }
            if property.name == pipeline {
                let found = self.pipelines.iter().find(|one| one.id == value);
                return found.map_or_else(|| value.to_owned(), |one| one.label.clone());
            }
        }
        match property.kind.as_str() {
            "bool" => if value == "true" { "yes" } else { "no" }.to_owned(),
            "enumeration" => {
                let labels = value.split(';').filter(|one| !one.is_empty()).map(|one| {
                    let found = property.options.iter().find(|choice| choice.value == one);
                    found.map_or(one, |choice| choice.label.as_str())
                });
                labels.collect::<Vec<_>>().join(", ")
            }
            "number" if property.name == CALL_DURATION => length(value),
            "number" => plain_number(value),
            "datetime" if property.name == "closedate" => self.local(value, "%Y-%m-%d"),
            // To the millisecond: it guards a later write.
            "datetime" if property.name == self.fields.object.modified() => {
                self.local(value, "%Y-%m-%d %H:%M:%S%.3f")
            }
            "datetime" => self.local(value, "%Y-%m-%d %H:%M"),
            _ if property.name == REMINDERS => {
                let moments = value.split(';').map(|at| self.local(at, "%Y-%m-%d %H:%M"));
                moments.collect::<Vec<_>>().join(", ")
            }
            _ if property.is_rich() => markdown(value),
            _ if property.is_long() => plain(value),
            _ => value.to_owned(),
        }
    }

    /// A moment in the account's zone.
    pub(crate) fn local(&self, moment: &str, form: &str) -> String {
        let parsed = moment
            .parse::<Timestamp>()
            .ok()
            .or_else(|| Timestamp::from_millisecond(moment.parse().ok()?).ok());
        match parsed {
            Some(at) => at.to_zoned(self.zone.clone()).strftime(form).to_string(),
            None => moment.to_owned(),
        }
    }

    /// An owner's name; their id if they are not known.
    pub(crate) fn owner(&self, id: &str) -> String {
        let found = self.owners.iter().find(|owner| owner.id == id);
        found.map_or_else(|| id.to_owned(), Owner::shown)
    }

    /// A stage's label, and whether it is closed.
    pub(crate) fn stage(&self, id: &str) -> String {
        match self.stages().map(|(_, stage)| stage).find(|stage| stage.id == id) {
            Some(stage) if stage.is_closed() => {
                let how = [State::Won, State::Lost].into_iter().find(|state| state.has(stage));
                let how = how.unwrap_or(State::Closed).word();
                let label = stage.label.to_lowercase();
                let said = label.contains(how) || (how != State::Closed.word() && label.contains("closed"));
                if said { stage.label.clone() } else { format!("{} ({how})", stage.label) }
            }
            Some(stage) => stage.label.clone(),
            None => id.to_owned(),
        }
    }

    /// Where a stage, a pipeline or an option stands among those there are; by anything else nothing is ordered.
    pub(crate) fn place(&self, property: &Property, value: &str) -> usize {
        let of = |name: Option<&str>| name == Some(property.name.as_str());
        let staged = self.fields.object.stage;
        let place = if of(staged.map(|(_, stage)| stage)) {
            self.stages().position(|(_, stage)| stage.id == value)
        } else if of(staged.map(|(pipeline, _)| pipeline)) {
            self.pipelines.iter().position(|pipeline| pipeline.id == value)
        } else if property.options.is_empty() {
            Some(0)
        } else {
            property.options.iter().position(|option| option.value == value)
        };
        place.unwrap_or(usize::MAX)
    }

    /// The pipeline of the stage at a place.
    pub(crate) fn pipeline_at(&self, place: usize) -> Option<&Pipeline> {
        self.stages().nth(place).map(|(pipeline, _)| pipeline)
    }

    /// All stages, with the pipeline of each, in order.
    fn stages(&self) -> impl Iterator<Item = (&Pipeline, &Stage)> {
        self.pipelines.iter().flat_map(|pipeline| pipeline.stages.iter().map(move |stage| (pipeline, stage)))
    }

    /// Whether a stage, by its id, is an open one.
    pub(crate) fn is_open(&self, id: &str) -> bool {
        self.stages().any(|(_, stage)| stage.id == id && !stage.is_closed())
    }

    /// What people know a record by.
    pub(crate) fn title(&self, record: &Record) -> String {
        title(&self.fields.object, record)
    }

    /// The row of a record: its id, and its columns between bars.
    pub(crate) fn row(&self, record: &Record, columns: &[String]) -> String {
        let cells = columns.iter().map(|column| self.cell(record, column));
        let cells: Vec<String> = [record.id.clone()].into_iter().chain(cells).collect();
        cells.join(" | ")
    }

    /// Whether times in `columns` are told to the minute, so that their zone matters.
    pub(crate) fn tells_times(&self, columns: &[String]) -> bool {
        columns
            .iter()
            .filter_map(|column| self.fields.get(column))
            .any(|property| is_timed(property) && property.name != "closedate")
    }
}

/// Whether the values of a property are moments.
fn is_timed(property: &Property) -> bool {
    property.kind == "datetime" || property.name == REMINDERS
}

/// What people know a record by.
pub(crate) fn title(object: &ObjectType, record: &Record) -> String {
    for title in &object.known_by {
        let parts: Vec<&str> =
            title.split(' ').map(|name| record.get(name)).filter(|value| !value.is_empty()).collect();
        if !parts.is_empty() {
            return one_line(&cut(&plain(&parts.join(" ")), 80));
        }
    }
    format!("{} {}", object.singular, record.id)
}

/// The columns that at least one of `records` has a value in.
pub(crate) fn filled(columns: &[String], records: &[Record]) -> Vec<String> {
    columns
        .iter()
        .filter(|column| records.iter().any(|record| !record.get(column).is_empty()))
        .cloned()
        .collect()
}

/// The columns that were asked for and have no value in any of `records`, as a note says it.
pub(crate) fn unfilled(fields: &Fields, asked: &[String], records: &[Record]) -> Option<String> {
    let empty = asked.iter().filter(|column| records.iter().all(|record| record.get(column).is_empty()));
    let heads: Vec<&str> = empty.map(|column| fields.head(column)).collect();
    (!heads.is_empty() && !records.is_empty()).then(|| format!("empty in every row: {}", heads.join(", ")))
}

/// How long a call took, which HubSpot keeps in milliseconds: `10 min`, `45 s`.
pub(crate) fn length(milliseconds: &str) -> String {
    match milliseconds.parse::<f64>() {
        Ok(length) if length >= 60_000.0 => format!("{} min", (length / 60_000.0).round()),
        Ok(length) if length >= 0.0 => format!("{} s", (length / 1_000.0).round()),
        _ => milliseconds.to_owned(),
    }
}

/// An amount with its currency, with commas between its thousands however few they are.
pub(crate) fn money(value: &str, currency: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    let shown = amount(value);
    if currency.is_empty() { shown } else { format!("{shown} {currency}") }
}

/// A number as it is kept, with commas between its thousands if it has five digits.
pub(crate) fn plain_number(value: &str) -> String {
    let Some(number) = value.trim().parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return value.to_owned();
    };
    let text = if value.contains(['e', 'E']) { number.to_string() } else { value.trim().to_owned() };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = match whole.parse::<u64>() {
        Ok(many) if many >= 10_000 => thousands(many),
        _ => whole.to_owned(),
    };
    match rest.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{rest}"),
    }
}

/// An amount with commas between its thousands and two decimals where it has any; the price of a piece may be less.
fn amount(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if number.abs() < 1.0 && (number * 100.0).fract().abs() > 1e-6 => {
            plain_number(&format!("{number:.6}"))
        }
        Ok(number) if number.abs() < 1e15 => {
            let cents = (number.abs() * 100.0).round() as u64;
            let sign = if number < 0.0 { "-" } else { "" };
            let whole = thousands(cents / 100);
            match cents % 100 {
                0 => format!("{sign}{whole}"),
                rest => format!("{sign}{whole}.{rest:02}"),
            }
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_they_are_kept_and_amounts_in_hundredths() {
        for (kept, told) in [
            ("1.0834", "1.0834"),
            ("52.5243", "52.5243"),
            ("0.125", "0.125"),
            ("11.0", "11"),
            ("1850", "1850"),
            ("12000.5", "12,000.5"),
            ("-12000", "-12,000"),
            ("1.2E7", "12,000,000"),
            ("none", "none"),
        ] {
            assert_eq!(plain_number(kept), told, "{kept}");
        }
        for (kept, told) in [
            ("84000", "84,000"),
            ("43215.3846", "43,215.38"),
            ("0.0125", "0.0125"),
            ("0.5", "0.50"),
            ("-0.004", "-0.004"),
            ("0", "0"),
            ("-9.999", "-10"),
        ] {
            assert_eq!(money(kept, ""), told, "{kept}");
        }
    }
}
