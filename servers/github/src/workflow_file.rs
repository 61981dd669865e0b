//! What a workflow's file says of starting it by hand: the inputs it takes.
//!
//! This reads as much YAML as such files are written in, block style with lists in brackets, and says so
//! where it meets more: then nothing is checked, and GitHub has the last word. Source: docs.github.com,
//! "Workflow syntax for GitHub Actions", `on.workflow_dispatch.inputs`.

use connector::{
    Error, Result,
    catalog::{nearest, one_line},
};
use serde_json::{Map, Value};

/// The most inputs that GitHub takes.
const MOST_INPUTS: usize = 25;

/// Whether a workflow can be started by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ByHand {
    /// With these inputs.
    Yes(Vec<Input>),
    /// It has no such trigger.
    No,
    /// The file is written in a way that is not understood here.
    Unclear,
}

/// An input that a workflow takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) default: Option<String>,
    /// `string`, `choice`, `boolean`, `number`, `environment`; empty where it is not said.
    pub(crate) kind: String,
    /// Of a `choice`.
    pub(crate) options: Vec<String>,
}

/// What the file of a workflow says of starting it by hand.
pub(crate) fn by_hand(text: &str) -> ByHand {
    read(text).unwrap_or(ByHand::Unclear)
}

/// Checks `given` against what the workflow takes, and writes the values as GitHub wants them: as texts.
///
/// # Errors
/// `invalid_argument` for an input that there is not, a required one that is missing, a value that is none
/// of the options.
pub(crate) fn checked(given: &Map<String, Value>, declared: Option<&[Input]>) -> Result<Map<String, Value>> {
    if given.len() > MOST_INPUTS {
        return Err(Error::invalid(format!("`inputs`: a workflow takes at most {MOST_INPUTS}")));
    }
    let mut inputs = Map::new();
    for (name, value) in given {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => {
                return Err(Error::invalid(format!(
                    "`inputs.{}` must be text, a number, or true or false",
                    one_line(name)
                )));
            }
        };
        if let Some(declared) = declared {
            let input =
                declared.iter().find(|input| input.name == *name).ok_or_else(|| unknown(name, declared))?;
            input.accepts(&text)?;
        }
        inputs.insert(name.clone(), Value::String(text));
    }
    let missing: Vec<_> = declared
        .unwrap_or_default()
        .iter()
        .filter(|input| input.required && input.default.is_none() && !given.contains_key(&input.name))
        .map(Input::described)
        .collect();
    if missing.is_empty() {
        return Ok(inputs);
    }
    Err(Error::invalid(format!("The workflow needs in `inputs`: {}", missing.join(", "))))
}

fn unknown(name: &str, declared: &[Input]) -> Error {
    let error = Error::invalid(format!("The workflow takes no input `{}`", one_line(name)));
    match nearest(name, declared.iter().map(|input| input.name.as_str())) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None if declared.is_empty() => error.with_hint("It takes none"),
        None => {
            let all: Vec<_> = declared.iter().map(Input::described).collect();
            error.with_hint(format!("It takes {}", all.join(", ")))
        }
    }
}

impl Input {
    fn accepts(&self, value: &str) -> Result<()> {
        let wrong = |what: &str| {
            Err(Error::invalid(format!(
                "`inputs.{}` must be {what}, not {}",
                one_line(&self.name),
                one_line(value)
            )))
        };
        match self.kind.as_str() {
            "boolean" if !["true", "false"].contains(&value) => wrong("true or false"),
            "number" if value.trim().parse::<f64>().is_err() => wrong("a number"),
            "choice" if !self.options.is_empty() && !self.options.iter().any(|option| option == value) => {
                wrong(&format!("one of {}", one_line(&self.options.join(", "))))
            }
            _ => Ok(()),
        }
    }

    fn described(&self) -> String {
        let name = one_line(&self.name);
        if self.options.is_empty() {
            name
        } else {
            format!("{name} ({})", one_line(&self.options.join(" | ")))
        }
    }
}

/// A line of the file that says something.
#[derive(Clone, Debug)]
struct Line<'a> {
    indent: usize,
    text: &'a str,
}

/// A key of a block, what stands beside it, and what stands below it.
struct Entry<'a, 'b> {
    key: &'a str,
    value: &'a str,
    below: &'b [Line<'a>],
}

fn read(text: &str) -> Option<ByHand> {
    let lines: Vec<Line<'_>> =
        text.lines().map(line).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let entries = block(&lines)?;
    let on = entries.iter().find(|entry| entry.key == "on")?;
    const NAME: &str = "workflow_dispatch";
    if !on.value.is_empty() {
        let events = list(on.value)?;
        return Some(if events.contains(&NAME.to_owned()) { ByHand::Yes(Vec::new()) } else { ByHand::No });
    }
    if on.below.first()?.text.starts_with('-') {
        let named = items(on.below).iter().any(|event| event == NAME);
        return Some(if named { ByHand::Yes(Vec::new()) } else { ByHand::No });
    }
    let events = block(on.below)?;
    let Some(event) = events.iter().find(|entry| entry.key == NAME) else { return Some(ByHand::No) };
    if !plain(event.value) {
        return None;
    }
    let parts = block(event.below)?;
    let Some(inputs) = parts.iter().find(|entry| entry.key == "inputs") else {
        return Some(ByHand::Yes(Vec::new()));
    };
    if !plain(inputs.value) {
        return None;
    }
    block(inputs.below)?.iter().map(input).collect::<Option<_>>().map(ByHand::Yes)
}

/// Whether nothing stands beside a key, or nothing that says anything.
fn plain(value: &str) -> bool {
    matches!(value, "" | "{}" | "null" | "~")
}

fn input(entry: &Entry<'_, '_>) -> Option<Input> {
    let mut input = Input { name: entry.key.to_owned(), ..Input::default() };
    if !plain(entry.value) {
        return None;
    }
    for Entry { key, value, below } in block(entry.below)? {
        match key {
            "required" => input.required = value == "true",
            "type" => input.kind = unquoted(value).to_owned(),
            "default" => input.default = Some(unquoted(value).to_owned()),
            "options" if value.is_empty() => input.options = items(below),
            "options" => input.options = list(value)?,
            _ => {}
        }
    }
    Some(input)
}

/// A line without its comment; none where it is empty, nothing at all where it is indented by tabs.
fn line(text: &str) -> Option<Option<Line<'_>>> {
    let body = text.trim_start_matches(' ');
    if body.starts_with('\t') {
        return None;
    }
    let indent = text.len() - body.len();
    let mut quote = None;
    let mut end = body.len();
    let mut before = ' ';
    for (at, c) in body.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
            (None, '#') if before == ' ' => {
                end = at;
                break;
            }
            _ => {}
        }
        before = c;
    }
    let text = body[..end].trim_end();
    let says = !text.is_empty() && text != "---";
    Some(says.then_some(Line { indent, text }))
}

/// The entries of the block that `lines` begin; nothing if it is no block of keys.
fn block<'a, 'b>(lines: &'b [Line<'a>]) -> Option<Vec<Entry<'a, 'b>>> {
    let Some(first) = lines.first() else { return Some(Vec::new()) };
    let mut entries = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let (key, value) = line.text.split_once(':')?;
        let value = value.strip_prefix(' ').map_or(value, str::trim);
        let colon_in_value =
            !line.text[key.len() + 1..].is_empty() && !line.text[key.len() + 1..].starts_with(' ');
        if line.indent != first.indent || colon_in_value || key.starts_with(['-', '{', '[', '?', '*', '&']) {
            return None;
        }
        let begin = at + 1;
        // A list may stand right below its key without being indented.
        let belongs = |next: &Line<'_>| {
            next.indent > first.indent || (next.indent == first.indent && next.text.starts_with("- "))
        };
        let length = lines[begin..].iter().take_while(|next| belongs(next)).count();
        entries.push(Entry { key: unquoted(key), value, below: &lines[begin..begin + length] });
        at = begin + length;
    }
    Some(entries)
}

/// The items of a list in brackets, or the one thing that stands there.
fn list(value: &str) -> Option<Vec<String>> {
    if value.starts_with(['{', '&', '*']) {
        return None;
    }
    match value.strip_prefix('[') {
        Some(rest) => {
            let inside = rest.strip_suffix(']')?;
            Some(
                inside
                    .split(',')
                    .map(|item| unquoted(item.trim()).to_owned())
                    .filter(|item| !item.is_empty())
                    .collect(),
            )
        }
        None => Some(vec![unquoted(value).to_owned()]),
    }
}

/// The items of a list with a dash for each.
fn items(lines: &[Line<'_>]) -> Vec<String> {
    lines
        .iter()
        .filter_map(|line| line.text.strip_prefix("- "))
        .map(|item| unquoted(item.trim()).trim_end_matches(':').to_owned())
        .collect()
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inside) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inside;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DEPLOY: &str = r#"
name: Deploy  # by hand
on:
  push:
    tags: ["v*"]
  workflow_dispatch:
    inputs:
      environment:
        description: >
          Where to deploy: type: none of your business
        required: true
        type: choice
        options:
          - staging
          - production
      version:
        description: 'Such as v2.14.0 # not a comment'
        required: true
      dry_run:
        type: boolean
        default: false
jobs:
  deploy:
    runs-on: ubuntu-latest
"#;

    fn inputs() -> Vec<Input> {
        match by_hand(DEPLOY) {
            ByHand::Yes(inputs) => inputs,
            other => panic!("{other:?}"),
        }
    }

    fn check(given: Value) -> Result<Map<String, Value>, String> {
        checked(given.as_object().unwrap(), Some(&inputs())).map_err(|error| error.for_agent())
    }

    #[test]
    fn the_inputs_of_a_workflow_are_read_from_its_file() {
        let inputs = inputs();
        assert_eq!(
            inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(),
            ["environment", "version", "dry_run"]
        );
        assert_eq!(
            (inputs[0].options.join(" "), inputs[0].required),
            ("staging production".to_owned(), true)
        );
        assert_eq!((inputs[2].kind.as_str(), inputs[2].default.as_deref()), ("boolean", Some("false")));
    }

    #[test]
    fn every_way_to_write_the_trigger_is_understood_or_left_to_github() {
        for yes in [
            "on: workflow_dispatch\n",
            "on: [push, workflow_dispatch]\n",
            "'on':\n- push\n- workflow_dispatch\n",
            "on:\n  workflow_dispatch:\n  push:\n",
            "on:\n  workflow_dispatch: {}\n",
        ] {
            assert_eq!(by_hand(yes), ByHand::Yes(Vec::new()), "{yes}");
        }
        assert_eq!(by_hand("on:\n  push:\n    branches: [main]\n"), ByHand::No);
        assert_eq!(by_hand("on: push\n"), ByHand::No);
        for unclear in
            ["on: {workflow_dispatch: {inputs: {a: {}}}}\n", "on: *events\n", "on:\n\tpush:\n", "", "[]"]
        {
            assert_eq!(by_hand(unclear), ByHand::Unclear, "{unclear}");
        }
    }

    #[test]
    fn inputs_that_the_workflow_does_not_take_are_refused_before_anything_is_sent() {
        let good = check(json!({"environment": "staging", "version": "v1", "dry_run": true})).unwrap();
        assert_eq!(good["dry_run"], "true");
        for (given, says) in [
            (json!({"environment": "moon", "version": "v1"}), "one of staging, production"),
            (json!({"environment": "staging"}), "needs in `inputs`: version"),
            (json!({"enviroment": "staging", "version": "v1"}), "Did you mean `environment`?"),
            (json!({"environment": "staging", "version": ["v1"]}), "must be text"),
            (json!({"environment": "staging", "version": "v1", "dry_run": "maybe"}), "true or false"),
        ] {
            let error = check(given).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        assert!(checked(json!({"any": 1}).as_object().unwrap(), None).is_ok());
    }
}
