//! Fields: properties by name or label, values in the words of people on the way in.

use connector::{
    Error, Kind, Result,
    catalog::{
        Calendar, When,
        names::{find, fold, nearest},
        one_line,
    },
};
use jiff::{Span, Timestamp, Unit, civil::Date, tz::TimeZone};
use serde_json::Value;

use super::{Names, ObjectType};
use crate::{
    api::definitions::{Choice, Property},
    rich::html,
};

/// How long a call took, in milliseconds (developers.hubspot.com, "Calls", properties).
pub(crate) const CALL_DURATION: &str = "hs_call_duration";
/// When somebody is reminded of a task: milliseconds, as a text (developers.hubspot.com, "Tasks", properties).
pub(crate) const REMINDERS: &str = "hs_task_reminders";
/// Where objects have the currency of their money.
pub(super) const CURRENCIES: [&str; 4] =
    ["deal_currency_code", "hs_line_item_currency_code", "hs_currency_code", "hs_currency"];
/// How many options an error lists.
pub(crate) const OPTIONS: usize = 25;

/// The fields of one object.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) object: ObjectType,
    properties: Vec<Property>,
    /// Their labels, folded, in the same order.
    labels: Vec<String>,
}

impl Fields {
    pub(crate) fn new(object: ObjectType, properties: Vec<Property>) -> Self {
        let labels = properties.iter().map(|property| fold(&property.label)).collect();
        Self { object, properties, labels }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Property] {
        &self.properties
    }

    /// The property called exactly so.
    pub(crate) fn get(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The property that `word` means: its name, its label, the usual word for it, its head in a reply.
    ///
    /// # Errors
    /// `not_found` with the nearest; `invalid_argument` where several have the label.
    pub(crate) fn find(&self, word: &str) -> Result<&Property> {
        match self.known(word) {
            Some(property) => Ok(property),
            None => find(word, &self.properties)
                .map_err(|miss| miss.place(format!("of {}", self.object.plural)).into_error()),
        }
    }

    /// Whether a property has this name or label.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        let folded = fold(word);
        self.get(word.trim()).is_some() || self.labels.contains(&folded)
    }

    fn known(&self, word: &str) -> Option<&Property> {
        if let Some(property) = self.get(word.trim()) {
            return Some(property);
        }
        let folded = fold(word);
        // HubSpot's pages put the object before some labels: "Deal owner".
        let bare =
            folded.strip_prefix(&self.object.singular.to_lowercase()).filter(|rest| rest.starts_with(' '));
        if let Some(bare) = bare
            && !self.labels.contains(&folded)
        {
            return self.known(bare.trim());
        }
        let word = folded.replace(' ', "_");
        let usual = || self.usual(&word).and_then(|name| self.get(name));
        let labelled = || {
            let mut all = self.properties.iter().zip(&self.labels).filter(|(_, label)| **label == folded);
            all.next().filter(|_| all.next().is_none()).map(|(property, _)| property)
        };
        // What an account has named itself is meant before what is usual elsewhere.
        let found = match self.object.custom {
            true => labelled().or_else(usual),
            false => usual().or_else(labelled),
        };
        if found.is_some() {
            return found;
        }
        self.prefixes().iter().find_map(|prefix| self.get(&format!("{prefix}{word}")))
    }

    /// What HubSpot puts before the names of its own properties: `hs_task_` and `hs_`.
    fn prefixes(&self) -> [String; 2] {
        [format!("hs_{}_", self.object.singular.replace(' ', "_")), "hs_".to_owned()]
    }

    /// The property that says in which currency the money of a record is: of deals, line items, orders and their like,
    /// quotes (developers.hubspot.com, the guides to these objects).
    pub(crate) fn currency(&self) -> Option<&'static str> {
        CURRENCIES.into_iter().find(|name| self.get(name).is_some())
    }

    /// What replies call a property, a word by which it is found again: `owner`, `due`, `task_status`.
    pub(crate) fn head<'a>(&self, name: &'a str) -> &'a str {
        let is_stage = self.object.stage.is_some_and(|(_, stage)| stage == name);
        let head = match name {
            "hubspot_owner_id" => "owner",
            _ if self.currency() == Some(name) => "currency",
            "hs_timestamp" if self.object.name == "tasks" => "due",
            "hs_timestamp" if self.object.is_activity() => "when",
            "hs_call_disposition" => "outcome",
            _ if is_stage => "stage",
            _ => {
                let short = self.prefixes().iter().find_map(|prefix| name.strip_prefix(prefix.as_str()));
                match short {
                    Some(short) if self.means(short, name) => short,
                    _ => name.strip_prefix("hs_").unwrap_or(name),
                }
            }
        };
        if self.means(head, name) { head } else { name }
    }

    /// Whether a word is understood as the property called `name`.
    fn means(&self, word: &str, name: &str) -> bool {
        self.known(word).is_some_and(|property| property.name == name)
    }

    /// The heads of columns, as a listing has them above its rows.
    pub(crate) fn heads(&self, columns: &[String]) -> String {
        columns.iter().map(|name| self.head(name)).collect::<Vec<_>>().join(" | ")
    }

    /// The usual words for properties that are called otherwise, also those of the tools' own arguments.
    fn usual(&self, word: &str) -> Option<&str> {
        let stage = self.object.stage;
        let activity = self.object.is_activity();
        Some(match word {
            "due" | "due_date" if self.object.name == "tasks" => "hs_timestamp",
            "reminder" | "reminders" if self.object.name == "tasks" => REMINDERS,
            "when" | "time" | "date" if activity => "hs_timestamp",
            "outcome" if self.object.name == "calls" => "hs_call_disposition",
            "duration_minutes" if self.object.name == "calls" => CALL_DURATION,
            "body" if self.object.name == "emails" => "hs_email_text",
            "owner" | "owner_id" | "assignee" => "hubspot_owner_id",
            "id" | "record_id" => "hs_object_id",
            "stage" | "status" if stage.is_some() => stage?.1,
            "pipeline" => stage?.0,
            "name" | "title" => self.object.titles.first().filter(|title| !title.contains(' '))?,
            "currency" => self.currency()?,
            "close_date" | "closes" => "closedate",
            "created" | "created_at" => self.object.created(),
            "updated" | "modified" | "updated_at" | "last_modified" => self.object.modified(),
            _ => return None,
        })
    }

    /// A value on its way into a record, as HubSpot takes it. `pipeline` is the one that the record is in or is
    /// to be in, where that is known.
    ///
    /// # Errors
    /// `invalid_argument` with what is accepted; `not_found` with the nearest names.
    pub(crate) async fn to_write(
        &self,
        names: &Names,
        calendar: &Calendar,
        property: &Property,
        value: &Value,
        pipeline: Option<&str>,
    ) -> Result<String> {
        let name = property.name.as_str();
        if property.is_read_only() {
            return Err(Error::invalid(format!(
                "`{name}` ({}) cannot be written: HubSpot sets it itself",
                one_line(&property.label)
            )));
        }
        let words = words(name, value)?;
        let text = words.join(";");
        if let Some((pipelines, stages)) = self.object.stage {
            if name == stages {
                return Ok(names.stage(&self.object, &text, pipeline).await?.stage.id);
            }
            if name == pipelines {
                return Ok(names.pipeline(&self.object, &text).await?.id);
            }
        }
        if property.is_owner() && property.external_options {
            if is_nobody(&text) {
                return Err(Error::invalid(format!("`{}` is not an owner", one_line(&text)))
                    .with_hint("To leave a record without an owner, name the field in `clear`"));
            }
            let owner = names.owner(&text).await?;
            if owner.archived {
                return Err(Error::invalid(format!(
                    "{} is deactivated and cannot be given records",
                    one_line(&owner.name())
                ))
                .with_hint("find_owners lists who can"));
            }
            return Ok(owner.id);
        }
        match property.kind.as_str() {
            _ if name == REMINDERS => reminder(calendar, name, &text),
            "enumeration" => choose(property, &words),
            "bool" => switch(name, &text).map(|on| on.to_string()),
            "number" => quantity(property, &text),
            "date" => date(calendar, name, &text).map(|day| day.to_string()),
            // What took place is past.
            "datetime" if name == "hs_timestamp" && self.object.took_place() => {
                Ok(format!("{:.3}", calendar.past(name, &text)?.start()))
            }
            "datetime" => {
                let when = to_come(calendar, name, &text)?;
                // A day without a time ends a deal, a task or a ticket: its end is meant.
                Ok(format!("{:.3}", when.end()))
            }
            _ if property.is_rich() => Ok(html(&words.join("\n"))),
            _ => Ok(words.join("\n")),
        }
    }
}

/// A moment to come, in milliseconds. What is written so already stays.
pub(crate) fn reminder(calendar: &Calendar, name: &str, text: &str) -> Result<String> {
    if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    let when = calendar.ahead(name, text)?;
    if when.start() != when.end() {
        return Err(Error::invalid(format!("`{name}` needs an hour, and `{}` has none", one_line(text)))
            .with_hint("Give it too, as in tomorrow 09:00"));
    }
    if when.start() < calendar.ahead(name, "now")?.start() {
        return Err(Error::invalid(format!("`{name}` ({}) is past", when.describe()))
            .with_hint("Give a time to come"));
    }
    Ok(when.start().as_millisecond().to_string())
}

/// The day that a `date` takes: in the account's zone, never moved by UTC. What is written as a day is that day.
fn date(calendar: &Calendar, name: &str, text: &str) -> Result<Date> {
    match written(text) {
        Some(day) => Ok(day),
        None => calendar.day(name, text),
    }
}

/// The day in a text that is written as one, with or without a time.
fn written(text: &str) -> Option<Date> {
    let (day, rest) = text.split_at_checked(10)?;
    let has_time = |rest: &str| rest.chars().next().is_some_and(|c| c.is_ascii_digit());
    let fits = rest.is_empty() || rest.strip_prefix(['T', ' ']).is_some_and(has_time);
    day.parse().ok().filter(|_| fits)
}

/// The first and the last of what is written as a range: `2026-12-01..2026-12-31`, `2026-12-01 to 2026-12-31`.
pub(crate) fn range(text: &str) -> Option<(&str, &str)> {
    let (first, last) = text.split_once("..").or_else(|| text.split_once(" to "))?;
    let (first, last) = (first.trim(), last.trim());
    (!first.is_empty() && !last.is_empty()).then_some((first, last))
}

/// The texts of a value: one, or those of a list.
pub(crate) fn words(name: &str, value: &Value) -> Result<Vec<String>> {
    Ok(match value {
        Value::String(text) => vec![text.trim().to_owned()],
        Value::Number(_) | Value::Bool(_) => vec![value.to_string()],
        Value::Array(items) => {
            let all: Result<Vec<Vec<String>>> = items.iter().map(|item| words(name, item)).collect();
            all?.concat()
        }
        Value::Null | Value::Object(_) => {
            return Err(Error::invalid(format!(
                "`{name}` must be a text, a number, true or false, or a list of texts"
            )));
        }
    })
}

/// The values of options, by label or value, in any case. A leading `;` keeps those there are.
fn choose(property: &Property, words: &[String]) -> Result<String> {
    let wanted: Vec<&str> = words
        .iter()
        .flat_map(|word| word.split(';'))
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    let adds = words.first().is_some_and(|word| word.starts_with(';'));
    let adds = if adds { ";" } else { "" };
    // Options that live elsewhere are not listed: HubSpot itself judges the value.
    if property.external_options || property.options.is_empty() {
        return Ok(format!("{adds}{}", wanted.join(";")));
    }
    if wanted.len() > 1 && !property.is_multiple() {
        return Err(Error::invalid(format!(
            "`{}` takes one option, and {} were given",
            property.name,
            wanted.len()
        )));
    }
    let values: Result<Vec<&str>> =
        wanted.iter().map(|word| option(property, word).map(|choice| choice.value.as_str())).collect();
    Ok(format!("{adds}{}", values?.join(";")))
}

/// The option that `word` means.
pub(crate) fn option<'a>(property: &'a Property, word: &str) -> Result<&'a Choice> {
    let folded = fold(word);
    let exact = property.options.iter().find(|choice| choice.value == word);
    let called = || {
        property.options.iter().find(|choice| fold(&choice.label) == folded || fold(&choice.value) == folded)
    };
    exact.or_else(called).ok_or_else(|| {
        let labels =
            property.options.iter().filter(|choice| !choice.hidden).map(|choice| choice.label.as_str());
        let near = nearest(word, labels).map(|near| format!("Did you mean {}? ", one_line(near)));
        Error::invalid(format!("`{}` has no option `{}`", property.name, one_line(word))).with_hint(format!(
            "{}It has: {}",
            near.unwrap_or_default(),
            shown_options(property, OPTIONS)
        ))
    })
}

/// The options of a property, as errors and descriptions list them, at `most` so many.
pub(crate) fn shown_options(property: &Property, most: usize) -> String {
    let all: Vec<&Choice> = property.options.iter().filter(|choice| !choice.hidden).collect();
    let mut shown: Vec<String> = all
        .iter()
        .take(most)
        .map(|choice| {
            let label = one_line(&choice.label);
            if fold(&label) == fold(&choice.value) { label } else { format!("{label} ({})", choice.value) }
        })
        .collect();
    if all.len() > most {
        shown.push(format!("and {} more", all.len() - most));
    }
    shown.join(", ")
}

/// Yes or no, however it is said.
pub(crate) fn switch(name: &str, text: &str) -> Result<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Ok(true),
        "false" | "no" | "0" | "off" => Ok(false),
        _ => Err(Error::invalid(format!("`{name}` is yes or no, and `{}` is neither", one_line(text)))),
    }
}

/// A number, with or without commas between its thousands.
pub(crate) fn number(name: &str, text: &str) -> Result<String> {
    bare_number(text.trim()).ok_or_else(|| {
        Error::invalid(format!("`{name}` is a number, and `{}` is not one", one_line(text)))
            .with_hint("Write it like 12500 or 12500.50, without a currency")
    })
}

/// A number without what stands between its thousands. A comma before anything but three digits is no such thing: where
/// it is meant as a point, the number is another.
fn bare_number(text: &str) -> Option<String> {
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Some(text.to_owned());
    }
    let (whole, rest) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let between = whole.chars().find(|c| !c.is_ascii_digit())?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(between);
    let fits = matches!(between, ',' | ' ' | '_' | '\u{a0}' | '\u{202f}')
        && groups.next().is_some_and(|first| digits(first) && first.len() <= 3)
        && groups.all(|group| digits(group) && group.len() == 3)
        && rest.is_none_or(digits);
    let whole: String = whole.split(between).collect();
    fits.then(|| format!("{sign}{whole}{}", rest.map(|rest| format!(".{rest}")).unwrap_or_default()))
}

/// A number as HubSpot keeps it: of the length of a call in milliseconds, which people write as `10 min`.
pub(crate) fn quantity(property: &Property, text: &str) -> Result<String> {
    let name = property.name.as_str();
    if name != CALL_DURATION {
        return number(name, text);
    }
    if let Ok(span) = text.parse::<Span>()
        && let Ok(length) = span.total(Unit::Millisecond)
        && length >= 0.0
    {
        return Ok(format!("{length:.0}"));
    }
    let milliseconds = number(name, text)?;
    match milliseconds.parse::<f64>() {
        Ok(few) if few > 0.0 && few < 1_000.0 => Err(Error::invalid(format!(
            "`{name}` is in milliseconds, and {milliseconds} is less than a second"
        ))
        .with_hint(format!("Write {milliseconds} min if minutes are meant"))),
        _ => Ok(milliseconds),
    }
}

/// Whether a word in place of an owner means that there is none.
pub(crate) fn is_nobody(word: &str) -> bool {
    matches!(word.trim().to_lowercase().as_str(), "none" | "(none)" | "nobody" | "unassigned")
}

/// A moment to come in the argument called `name`. In so many days is the whole of that day, as its date is.
pub(crate) fn to_come(calendar: &Calendar, name: &str, text: &str) -> Result<When> {
    calendar.ahead(name, text).map(When::whole_days)
}

/// A moment in an argument about a property: one that HubSpot sets itself lies in the past.
pub(crate) fn moment(calendar: &Calendar, property: &Property, text: &str) -> Result<When> {
    if property.is_read_only() {
        calendar.past(&property.name, text)
    } else {
        to_come(calendar, &property.name, text)
    }
}

/// The days that a condition on a `date` means, the first and the last.
pub(crate) fn days(
    calendar: &Calendar,
    zone: &TimeZone,
    property: &Property,
    text: &str,
) -> Result<(Date, Date)> {
    if let Some(day) = written(text) {
        return Ok((day, day));
    }
    let when = moment(calendar, property, text)?;
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    Ok((day(when.start()), day(when.end())))
}

/// The midnight in UTC that stands for a day in conditions on a `date`, in milliseconds.
pub(crate) fn midnight(day: Date) -> Result<String> {
    let at = day.to_zoned(TimeZone::UTC);
    let at =
        at.map_err(|error| Error::new(Kind::InvalidArgument, "The date is too far away").with_source(error))?;
    Ok(at.timestamp().as_millisecond().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_is_taken_only_between_thousands() {
        for (text, bare) in [
            ("12500", "12500"),
            ("12,500", "12500"),
            ("-1,234,567.50", "-1234567.50"),
            ("12 500", "12500"),
            ("1e5", "1e5"),
        ] {
            assert_eq!(number("amount", text).unwrap(), bare, "{text}");
        }
        for text in ["12,5", "1.000,50", "1 2", "1,2345", "12,", ",500", "1,000 000", "NaN", "", "5 EUR"] {
            assert!(number("amount", text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_follows_a_day_is_a_time_or_no_day() {
        let day: Option<Date> = "2026-12-01".parse().ok();
        assert_eq!(
            [written("2026-12-01"), written("2026-12-01T15:00"), written("2026-12-01 15:00")],
            [day; 3]
        );
        for text in ["2026-12-01..2026-12-31", "2026-12-01 to 2026-12-31", "2026-12-011", "today"] {
            assert_eq!(written(text), None, "{text}");
        }
        assert_eq!(range("2026-12-01 to 2026-12-31"), Some(("2026-12-01", "2026-12-31")));
    }
}
