//! Arguments as models write them, brought into the schema's form at every depth: other names, lists
//! and objects that arrive as JSON text, one value where a list is meant, whole floats, numbers as text,
//! constants in another case. A number where an id is meant whose digits it would lose is refused.
//!
//! `null`, `""` and `[]` say as much as leaving the argument out: strict clients fill in every one. What
//! is to be emptied is named in `clear`. Values of an open map, whose names only the vendor knows, stay
//! as they came: what an empty one means there is for the tool to say.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::{names::nearest, one_line};
use crate::{Error, Result};

/// The argument that names what is to be emptied.
const CLEAR: &str = "clear";

/// Renames, coerces and checks `arguments` against `schema`.
pub(super) fn normalize(
    tool: &str,
    arguments: Map<String, Value>,
    schema: &Map<String, Value>,
    aliases: &[(&str, &str)],
    verbatim: &[&str],
) -> Result<Map<String, Value>> {
    Reader { tool, aliases, verbatim }.object("", arguments, schema)
}

/// Reads the arguments of one tool. Its paths are those of errors: `issues[0].labels`, nothing for the
/// arguments themselves.
struct Reader<'a> {
    tool: &'a str,
    aliases: &'a [(&'a str, &'a str)],
    /// The arguments whose digits a number would lose.
    verbatim: &'a [&'a str],
}

impl Reader<'_> {
    fn object(
        &self,
        path: &str,
        given: Map<String, Value>,
        schema: &Map<String, Value>,
    ) -> Result<Map<String, Value>> {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        // Values that may be of any type stay as they came.
        let others = schema.get("additionalProperties").filter(|others| types(others).len() == 1);
        let mut normal = Map::with_capacity(given.len());
        for (name, value) in given {
            let name = self.own_name(name, properties);
            let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let value = match (properties.get(&name), others) {
                (Some(property), _) => {
                    let value =
                        if name == CLEAR { self.own_names(value, properties, property) } else { value };
                    match self.value(&place, value, property)? {
                        Some(value) => value,
                        None => continue,
                    }
                }
                (None, Some(others)) if !is_blank(&value) => {
                    self.value(&place, value, others)?.unwrap_or_default()
                }
                (None, None) if path.is_empty() => return Err(unknown(self.tool, &name, properties)),
                // Of an open map, or for the type of the arguments to refuse.
                _ => value,
            };
            if normal.insert(name, value).is_some() {
                return Err(Error::invalid(format!("`{place}` is given twice, once under another name")));
            }
        }
        if let Some(both) = cleared(&normal).find(|name| normal.contains_key(*name)) {
            return Err(Error::invalid(format!("`{both}` is both given and named in `clear`")));
        }
        let required =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let missing: Vec<_> =
            required.filter(|name| !normal.contains_key(*name)).map(|name| format!("`{name}`")).collect();
        if !missing.is_empty() {
            let whole = if path.is_empty() { self.tool } else { path };
            return Err(Error::invalid(format!("`{whole}` needs {}", missing.join(" and "))));
        }
        Ok(normal)
    }

    /// The name that the schema has for `given`.
    fn own_name(&self, given: String, properties: &Map<String, Value>) -> String {
        if properties.contains_key(&given) {
            return given;
        }
        let ours =
            self.aliases.iter().find(|(other, ours)| *other == given && properties.contains_key(*ours));
        ours.map_or(given, |(_, ours)| (*ours).to_owned())
    }

    /// The same for the names that `clear` has, whose schema is `clear`.
    fn own_names(&self, given: Value, properties: &Map<String, Value>, clear: &Value) -> Value {
        match given {
            Value::String(name) => Value::String(in_number(self.own_name(name, properties), clear)),
            Value::Array(names) => {
                Value::Array(names.into_iter().map(|name| self.own_names(name, properties, clear)).collect())
            }
            other => other,
        }
    }

    /// `value` in the form that `schema` wants; nothing if it says as much as leaving it out.
    fn value(&self, path: &str, value: Value, schema: &Value) -> Result<Option<Value>> {
        let wanted = types(schema);
        let wants = |kind: &str| wanted.iter().any(|wanted| wanted == kind);
        if is_blank(&value) {
            return Ok(None);
        }
        if value.is_number() && self.verbatim.contains(&path) {
            return Err(Error::invalid(format!("`{path}` must be text, and came as a number"))
                .with_hint("A number loses digits: give it in quotes, exactly as a reading tool showed it. Nothing was done"));
        }
        let value = if wanted.is_empty() || wanted.iter().any(|kind| is_of(&value, kind)) {
            value
        } else if let Some(meant) = meant(&value, &wanted) {
            meant
        } else if wants("array") {
            Value::Array(vec![value])
        } else {
            return Err(Error::invalid(format!("`{path}` must be {}", describe(&wanted))));
        };
        let value = match (value, schema) {
            (Value::Array(items), Value::Object(schema)) => {
                let item = schema.get("items").unwrap_or(&Value::Bool(true));
                let items = items.into_iter().enumerate().map(|(place, value)| match value {
                    // Of what it lacks, the entry itself is told.
                    Value::Object(fields) if fields.is_empty() => Ok(Some(Value::Object(fields))),
                    value => self.value(&format!("{path}[{place}]"), value, item),
                });
                Value::Array(items.filter_map(Result::transpose).collect::<Result<_>>()?)
            }
            (Value::Object(fields), Value::Object(schema)) => {
                Value::Object(self.object(path, fields, schema)?)
            }
            (Value::String(text), Value::Object(schema)) => Value::String(constant(text, schema)),
            (value, _) => value,
        };
        let nothing = match &value {
            Value::Object(fields) => fields.is_empty(),
            value => is_blank(value),
        };
        Ok((!nothing).then_some(value))
    }
}

/// What a strict client fills in for an argument that it has no value for.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The names in `clear`.
fn cleared(arguments: &Map<String, Value>) -> impl Iterator<Item = &str> {
    arguments.get(CLEAR).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The one of the names that `clear` takes which `name` is but for its number: `assignee` for `assignees`.
fn in_number(name: String, clear: &Value) -> String {
    let names = clear.pointer("/items/enum").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = names.filter_map(Value::as_str).collect();
    let one = |text: &str| text.strip_suffix('s').unwrap_or(text).to_lowercase();
    if names.contains(&name.as_str()) {
        return name;
    }
    let meant = names.into_iter().find(|own| one(own) == one(&name));
    meant.map_or(name, str::to_owned)
}

fn unknown(tool: &str, name: &str, properties: &Map<String, Value>) -> Error {
    let error = Error::invalid(format!("`{tool}` has no argument `{}`", one_line(name)));
    match nearest(name, properties.keys().map(String::as_str)) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None if properties.is_empty() => error.with_hint("It takes no arguments"),
        None => {
            let names: Vec<_> = properties.keys().map(String::as_str).collect();
            error.with_hint(format!("It takes: {}", names.join(", ")))
        }
    }
}

/// What `value` means as one of the `wanted` types, where that is plain.
fn meant(value: &Value, wanted: &[Cow<'_, str>]) -> Option<Value> {
    let wants = |kind: &str| wanted.iter().any(|wanted| wanted == kind);
    match value {
        Value::Number(number) if wants("integer") => whole(number).map(Value::Number),
        Value::Number(number) if wants("string") => {
            Some(Value::String(whole(number).unwrap_or_else(|| number.clone()).to_string()))
        }
        Value::Bool(is) if wants("string") => Some(Value::String(is.to_string())),
        Value::String(text) => {
            let text = text.trim();
            // `#471`, as people and replies write the number of something.
            let text = text.strip_prefix('#').filter(|_| wants("integer")).unwrap_or(text);
            let parsed: Value = serde_json::from_str(text)
                .or_else(|_| serde_json::from_str(&text.to_lowercase()))
                .ok()
                .filter(|parsed: &Value| !parsed.is_string())?;
            if wanted.iter().any(|kind| is_of(&parsed, kind)) {
                Some(parsed)
            } else {
                number_of(&parsed, wanted)
            }
        }
        _ => None,
    }
}

/// A number that stood in a text, as a whole one.
fn number_of(parsed: &Value, wanted: &[Cow<'_, str>]) -> Option<Value> {
    let Value::Number(number) = parsed else { return None };
    whole(number).filter(|_| wanted.iter().any(|kind| kind == "integer")).map(Value::Number)
}

/// The whole number that a float is.
fn whole(number: &Number) -> Option<Number> {
    /// Beyond this a float no longer tells neighbours apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)?;
    (float.abs() < EXACT).then(|| Number::from(float as i64))
}

/// The one of the schema's constants that `text` is but for its case and what parts its words.
fn constant(text: String, schema: &Map<String, Value>) -> String {
    let constants = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let constants: Vec<&str> = constants.filter_map(Value::as_str).collect();
    if constants.contains(&text.as_str()) {
        return text;
    }
    // Compared letter by letter, because a text of pages differs from every constant soon.
    let meant = constants.iter().find(|constant| folded(constant).eq(folded(&text)));
    meant.map_or(text, |constant| (*constant).to_owned())
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase)
}

fn types(property: &Value) -> Vec<Cow<'_, str>> {
    match property.get("type") {
        Some(Value::String(kind)) => vec![Cow::Borrowed(kind)],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).map(Cow::Borrowed).collect(),
        _ => Vec::new(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn describe(kinds: &[Cow<'_, str>]) -> String {
    let words: Vec<_> = kinds
        .iter()
        .map(|kind| match kind.as_ref() {
            "array" => "a list",
            "object" => "an object",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "null" => "null",
            _ => "text",
        })
        .collect();
    words.join(" or ")
}

/// Reads typed arguments; an error names the argument that is wrong.
pub(super) fn parse<A: DeserializeOwned>(arguments: Map<String, Value>) -> Result<A> {
    let whole = Value::Object(arguments);
    A::deserialize(&whole).map_err(|error| {
        let reason = error.to_string();
        let place =
            place_of(&whole, &reason, &|value| A::deserialize(value).err().map(|error| error.to_string()));
        let reason = one_line(&reason);
        Error::invalid(if place.is_empty() { reason } else { format!("`{place}`: {reason}") })
    })
}

/// The path of what in `whole` cannot be read for this `reason`, nothing for the whole. Reading ends at the first thing
/// that is wrong: the last entry of the shortest beginning that is refused for the same. That is searched for only after
/// an error, because to keep count while every type of arguments is read takes much code for each.
fn place_of(whole: &Value, reason: &str, refused: &dyn Fn(&Value) -> Option<String>) -> String {
    let (mut here, mut steps, mut place) = (whole, Vec::new(), String::new());
    loop {
        let fails = |entries| refused(&beginning(whole, &steps, entries)).as_deref() == Some(reason);
        let (mut good, mut bad) = (0, entries(here));
        if bad == 0 || fails(0) {
            return place;
        }
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if fails(middle) { bad = middle } else { good = middle }
        }
        let (name, value) = match here {
            Value::Object(fields) => {
                fields.iter().nth(good).map_or(("", &Value::Null), |(name, value)| (name, value))
            }
            list => ("", &list[good]),
        };
        // Something is missing in what has entries, not in one that has none.
        if reason.starts_with("missing field") && !value.is_object() && !value.is_array() {
            return place;
        }
        match here {
            Value::Array(_) => place.push_str(&format!("[{good}]")),
            _ if place.is_empty() => place.push_str(name),
            _ => place.push_str(&format!(".{name}")),
        }
        steps.push(good);
        here = value;
    }
}

fn entries(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    }
}

/// `value`, in which what stands at the entries `steps` has only its first `entries`.
fn beginning(value: &Value, steps: &[usize], entries: usize) -> Value {
    let (step, deeper) = match steps {
        [] => (None, steps),
        [step, deeper @ ..] => (Some(*step), deeper),
    };
    let most = if step.is_some() { usize::MAX } else { entries };
    let copy = |(at, value): (usize, &Value)| {
        if step == Some(at) { beginning(value, deeper, entries) } else { value.clone() }
    };
    match value {
        Value::Array(items) => items.iter().take(most).enumerate().map(copy).collect(),
        Value::Object(fields) => {
            let values = fields.values().enumerate().map(copy);
            fields.keys().take(most).cloned().zip(values).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_place_of_what_is_wrong_is_told_at_every_depth() {
        let told = |value: Value| {
            let error = parse::<Arguments>(value.as_object().cloned().unwrap()).unwrap_err();
            error.message().to_owned()
        };
        let good = json!({"title": "t"});
        let many = |bad: Value| {
            let mut issues = vec![good.clone(); 9];
            issues.insert(6, bad);
            json!({"limit": 3, "due": "", "issues": issues, "team": ["a"], "overdue": true})
        };
        for (given, place) in [
            (json!({"limit": -1}), "limit"),
            (json!({"state": "a", "share": "much", "limit": "x"}), "share"),
            (json!({"nothing": 1, "limit": -1}), "nothing"),
            (json!({"team": ["a", "b", 3, "d"]}), "team[2]"),
            (json!({"labels": {"add": ["a"], "set": ["b", {}]}}), "labels.set[1]"),
            (many(json!({"title": "t", "nobody": 1})), "issues[6].nobody"),
            (many(json!({})), "issues[6]"),
            (many(json!(5)), "issues[6]"),
        ] {
            let error = told(given.clone());
            assert!(error.starts_with(&format!("`{place}`: ")), "{given}: {error}");
        }
    }

    #[derive(Debug, Default, Deserialize, JsonSchema, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Arguments {
        team: Vec<String>,
        limit: Option<u32>,
        due: Option<String>,
        state: Option<String>,
        cycle: Option<String>,
        sort: Option<Sort>,
        overdue: Option<bool>,
        share: Option<f64>,
        labels: Option<Labels>,
        issues: Vec<New>,
        fields: Map<String, Value>,
        clear: Vec<Emptied>,
    }

    #[derive(Debug, Default, Deserialize, JsonSchema, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Labels {
        add: Vec<String>,
        set: Option<Vec<String>>,
    }

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct New {
        title: String,
        state: Option<String>,
        #[serde(default)]
        labels: Vec<String>,
        estimate: Option<u32>,
    }

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Sort {
        LastChanged,
    }

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Emptied {
        Due,
    }

    fn given(value: Value) -> Result<Arguments> {
        let schema = super::super::schema::input::<Arguments>();
        let aliases = [("status", "state"), ("dueDate", "due")];
        parse(normalize("list_issues", value.as_object().cloned().unwrap(), &schema, &aliases, &["cycle"])?)
    }

    fn refused(value: Value) -> String {
        given(value).unwrap_err().for_agent()
    }

    #[test]
    fn lists_may_come_as_json_text_or_as_one_value() {
        assert_eq!(given(json!({"team": "[\"ENG\",\"OPS\"]"})).unwrap().team, ["ENG", "OPS"]);
        assert_eq!(given(json!({"team": "ENG"})).unwrap().team, ["ENG"]);
        let one = given(json!({"issues": {"title": "a"}})).unwrap();
        assert_eq!(one.issues[0].title, "a");
        let text = given(json!({"issues": "[{\"title\": \"a\", \"labels\": \"Bug\"}]"})).unwrap();
        assert_eq!(text.issues[0].labels, ["Bug"]);
    }

    #[test]
    fn numbers_switches_and_constants_are_taken_as_models_write_them() {
        for five in [json!(5), json!(5.0), json!("5"), json!("5.0"), json!(" 5 "), json!("#5")] {
            assert_eq!(given(json!({"limit": five})).unwrap().limit, Some(5), "{five}");
        }
        assert_eq!(given(json!({"share": "0.5"})).unwrap().share, Some(0.5));
        assert_eq!(given(json!({"due": 471.0})).unwrap().due.as_deref(), Some("471"));
        assert_eq!(given(json!({"overdue": "True"})).unwrap().overdue, Some(true));
        for sort in ["LAST_CHANGED", "Last changed", "last-changed", "lastChanged"] {
            assert_eq!(given(json!({"sort": sort})).unwrap().sort, Some(Sort::LastChanged), "{sort}");
        }
        for no_number in [json!(5.5), json!("five"), json!(true)] {
            let error = refused(json!({"limit": no_number}));
            assert_eq!(error, "invalid_argument: `limit` must be a whole number.");
        }
    }

    #[test]
    fn a_number_for_what_is_told_by_its_digits_is_refused() {
        assert_eq!(given(json!({"cycle": "17.500"})).unwrap().cycle.as_deref(), Some("17.500"));
        for number in [json!(17.5), json!(17)] {
            let error = refused(json!({"cycle": number}));
            assert!(error.contains("`cycle` must be text, and came as a number"), "{error}");
        }
    }

    #[test]
    fn what_is_filled_in_with_nothing_is_not_given() {
        for nothing in [json!(null), json!(""), json!([])] {
            let filled = json!({"team": nothing, "limit": nothing, "due": nothing, "state": nothing,
                "sort": nothing, "overdue": nothing, "labels": nothing, "issues": nothing, "fields": nothing,
                "clear": nothing});
            assert_eq!(given(filled).unwrap(), Arguments::default(), "{nothing}");
            let inside = json!({"labels": {"add": ["Bug"], "set": nothing}, "team": ["ENG", nothing],
                "issues": [{"title": "a", "labels": [nothing], "estimate": nothing}]});
            let inside = given(inside).unwrap();
            assert_eq!(inside.labels, Some(Labels { add: vec!["Bug".to_owned()], set: None }));
            assert_eq!(inside.team, ["ENG"]);
            assert_eq!((inside.issues[0].labels.len(), inside.issues[0].estimate), (0, None));
        }
        assert_eq!(given(json!({"labels": {"add": [], "set": null}})).unwrap().labels, None);
        assert_eq!(
            refused(json!({"issues": [{"title": ""}]})),
            "invalid_argument: `issues[0]` needs `title`."
        );
    }

    #[test]
    fn the_values_of_an_open_map_stay_as_they_came() {
        let fields = json!({"phone": null, "name": "", "tags": [], "size": 5.0});
        assert_eq!(json!(given(json!({"fields": fields})).unwrap().fields), fields);
    }

    #[test]
    fn what_is_emptied_is_named_and_not_given_too() {
        for clear in [json!(["due"]), json!("due"), json!("Due"), json!(["dueDate"]), json!(["dues"])] {
            assert_eq!(given(json!({"clear": clear})).unwrap().clear, [Emptied::Due], "{clear}");
        }
        let both = refused(json!({"clear": "due", "due": "2026-12-01"}));
        assert_eq!(both, "invalid_argument: `due` is both given and named in `clear`.");
        assert!(given(json!({"clear": "due", "due": null})).is_ok());
    }

    #[test]
    fn an_unknown_argument_is_refused_with_the_nearest_name() {
        assert_eq!(
            refused(json!({"teams": "ENG"})),
            "invalid_argument: `list_issues` has no argument `teams`. Did you mean `team`?"
        );
        let inside = refused(json!({"issues": [{"title": "a"}, {"title": "b", "titel": "c"}]}));
        assert!(inside.contains("issues[1]") && inside.contains("titel"), "{inside}");
    }

    #[test]
    fn other_names_are_accepted_at_every_depth_but_not_twice() {
        assert_eq!(given(json!({"status": "Done"})).unwrap().state.as_deref(), Some("Done"));
        let inside = given(json!({"issues": [{"title": "a", "status": "Done"}]})).unwrap();
        assert_eq!(inside.issues[0].state.as_deref(), Some("Done"));
        assert!(refused(json!({"status": "Done", "state": "Todo"})).contains("`state` is given twice"));
    }

    #[test]
    fn a_wrong_type_names_the_path_and_what_it_must_be() {
        assert_eq!(refused(json!({"limit": "many"})), "invalid_argument: `limit` must be a whole number.");
        assert_eq!(
            refused(json!({"issues": [{"title": "a"}, {"title": "b", "estimate": "big"}]})),
            "invalid_argument: `issues[1].estimate` must be a whole number."
        );
        assert_eq!(
            refused(json!({"team": [["ENG"], {"key": "ENG"}]})),
            "invalid_argument: `team[0]` must be text."
        );
    }
}
