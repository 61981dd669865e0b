//! Values of properties: all are text, and each type takes only its own form.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    errors::{ApiError, Outcome},
    state::{Record, State},
    types::ObjectType,
};

/// The most characters of a text (developers.hubspot.com, CRM properties).
const MAX_TEXT: usize = 65_536;

/// Checks `given` and brings every value into the form in which it is kept; empty stays empty.
pub(super) fn checked(
    state: &State,
    kind: &ObjectType,
    given: &Map<String, Value>,
    creating: bool,
) -> Outcome<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, value) in given {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        match one(state, kind, name, &text, creating) {
            Ok(value) => {
                values.insert(name.clone(), value);
            }
            Err((code, message)) => problems.push(json!({
                "isValid": false,
                "message": message,
                "error": code,
                "name": name,
                "localizedErrorMessage": message,
            })),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(ApiError::values(&problems)) }
}

fn one(
    state: &State,
    kind: &ObjectType,
    name: &str,
    text: &str,
    creating: bool,
) -> Result<String, (&'static str, String)> {
    let Some(property) = find(state, kind, name) else {
        return Err(("PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist")));
    };
    if property["readOnly"] == true && !(creating && name == kind.created_property()) {
        return Err((
            "READ_ONLY_VALUE",
            format!("\"{name}\" is a read only property; its value cannot be set."),
        ));
    }
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    match property["type"].as_str().unwrap_or("string") {
        "enumeration" => choice(state, kind, property, text),
        "bool" => match text.to_lowercase().as_str() {
            word @ ("true" | "false") => Ok(word.to_owned()),
            _ => Err(("INVALID_OPTION", format!("{text} was not one of the allowed options: [true, false]"))),
        },
        "number" => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(text.to_owned()),
            _ => Err(("INVALID_LONG", format!("{text} was not a valid number."))),
        },
        "date" => day(text).map(|day| day.to_string()).map_err(|message| ("INVALID_DATE", message)),
        "datetime" => match moment(text) {
            Some(moment) => Ok(format!("{moment:.3}")),
            None => Err(("INVALID_DATE", format!("{text} was not a valid date."))),
        },
        _ if name == "email" => {
            let good =
                text.split_once('@').is_some_and(|(_, host)| host.contains('.')) && !text.contains(' ');
            let told = || ("INVALID_EMAIL", format!("Email address {text} is invalid"));
            good.then(|| text.to_lowercase()).ok_or_else(told)
        }
        _ if text.chars().count() > MAX_TEXT => {
            Err(("VALUE_TOO_LONG", format!("The value is longer than {MAX_TEXT} characters")))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Options, those of owners and stages included, which live elsewhere. A leading `;` appends, which the caller
/// sees to.
fn choice(
    state: &State,
    kind: &ObjectType,
    property: &Value,
    text: &str,
) -> Result<String, (&'static str, String)> {
    let name = property["name"].as_str().unwrap_or_default();
    let ids = |rows: &mut dyn Iterator<Item = &Value>| -> Vec<String> {
        rows.filter_map(|row| row["id"].as_str().map(str::to_owned)).collect()
    };
    let pipelines = || state.pipelines.get(&kind.id).into_iter().flatten();
    let (pipeline, stage) = kind.stage_properties().unwrap_or_default();
    let allowed = if property["referencedObjectType"] == "OWNER" {
        ids(&mut state.owners.iter().filter(|owner| owner["archived"] != true))
    } else if name == pipeline {
        ids(&mut pipelines())
    } else if name == stage {
        ids(&mut pipelines().flat_map(|pipeline| pipeline["stages"].as_array().into_iter().flatten()))
    } else {
        let options = property["options"].as_array().into_iter().flatten();
        let options = options.filter_map(|option| option["value"].as_str());
        // What lives elsewhere is told by the refusal alone.
        let elsewhere = property["allowed"].as_array().into_iter().flatten().filter_map(Value::as_str);
        options.chain(elsewhere).map(str::to_owned).collect()
    };
    let wanted = text.trim_start_matches(';').split(';').map(str::trim);
    for value in wanted.clone() {
        if !allowed.iter().any(|one| one == value) {
            let listed = allowed.join(", ");
            return Err((
                "INVALID_OPTION",
                format!("{value} was not one of the allowed options: [{listed}]"),
            ));
        }
    }
    if wanted.count() > 1 && property["fieldType"] != "checkbox" {
        return Err((
            "INVALID_OPTION",
            format!("{text} was not one of the allowed options: [{}]", allowed.join(", ")),
        ));
    }
    Ok(text.to_owned())
}

/// A day: in ISO 8601, or as the milliseconds of a midnight in UTC.
fn day(text: &str) -> Result<Date, String> {
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        return Ok(day);
    }
    let moment = moment(text).ok_or_else(|| format!("{text} was not a valid date."))?;
    let at = moment.to_zoned(TimeZone::UTC);
    if at.time() != jiff::civil::Time::midnight() {
        let time = at.strftime("%H:%M:%S%.3f");
        return Err(format!("{text} is at {time} UTC, not midnight!"));
    }
    Ok(at.date())
}

/// A moment: in ISO 8601, or in milliseconds since 1970. A date alone is its midnight in UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(millis) = text.parse::<i64>() {
        return Timestamp::from_millisecond(millis).ok();
    }
    text.parse::<Timestamp>().ok().or_else(|| {
        let day = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// The definition of a property.
pub(super) fn find<'a>(state: &'a State, kind: &ObjectType, name: &str) -> Option<&'a Value> {
    state
        .properties
        .get(&kind.id)?
        .iter()
        .find(|property| property["name"] == name && property["archived"] != true)
}

/// A record as the API shows it, with the properties asked for, or a few.
pub(super) fn shown(
    state: &State,
    kind: &ObjectType,
    record: &Record,
    asked: &[String],
    history: &[String],
) -> Value {
    let own = ["hs_object_id", kind.created_property(), kind.modified_property()].map(str::to_owned);
    let asked = if asked.is_empty() { kind.defaults.as_slice() } else { asked };
    let mut properties = Map::new();
    for name in asked.iter().chain(&own) {
        // A property that does not exist is left out, one without a value is null.
        let value = record.properties.get(name).filter(|value| !value.is_empty());
        if value.is_some() || find(state, kind, name).is_some() {
            properties.insert(name.clone(), json!(value));
        }
    }
    let portal = &state.account["portalId"];
    let host = state.account["uiDomain"].as_str().unwrap_or("app.hubspot.com");
    let mut shown = json!({
        "id": record.id.to_string(),
        "properties": properties,
        "createdAt": record.created,
        "updatedAt": record.updated,
        "archived": record.archived.is_some(),
        "url": format!("https://{host}/contacts/{portal}/record/{}/{}", kind.id, record.id),
    });
    if let Some(at) = &record.archived {
        shown["archivedAt"] = json!(at);
    }
    if !history.is_empty() {
        let of = |wanted: &String| {
            let values = record.history.iter().filter(|(name, ..)| name == wanted);
            let values = values.map(|(_, value, at)| {
                json!({"value": value, "timestamp": at, "sourceType": "INTEGRATION", "sourceId": "33001"})
            });
            (wanted.clone(), Value::Array(values.collect()))
        };
        shown["propertiesWithHistory"] = Value::Object(history.iter().map(of).collect());
    }
    shown
}
