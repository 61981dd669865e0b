//! Which argument an error is about, where it only quotes a value.

use serde_json::{Map, Value};

use super::one_line;
use crate::{Error, Kind};

/// Has an error about arguments name the one that it is about: where it only quotes a value, the argument that has the
/// value is said before it.
pub(super) fn name_argument(error: Error, arguments: &Map<String, Value>) -> Error {
    let begins = |name: &String| {
        let rest = error.message().strip_prefix('`').and_then(|message| message.strip_prefix(name.as_str()));
        rest.is_some_and(|rest| rest.starts_with(['`', '.', '[']))
    };
    if error.kind() != Kind::InvalidArgument || arguments.keys().any(begins) {
        return error;
    }
    let text = format!("{} {}", error.message(), error.hint().unwrap_or_default());
    // Every second piece stands between backticks.
    let quoted: Vec<_> = text.split('`').skip(1).step_by(2).map(one_line).collect();
    let mut found = Vec::new();
    for (name, value) in arguments {
        places(value, name, &mut |place, value| {
            let line = one_line(value);
            if let Some(said) = Said::of(&line, &quoted, &text) {
                found.push(((said, line.len()), place.to_owned()));
            }
        });
    }
    let Some(best) = found.iter().map(|(rank, _)| rank).max() else { return error };
    let places: Vec<_> =
        found.iter().filter(|(rank, _)| rank == best).map(|(_, place)| place.as_str()).collect();
    if places.len() > MOST_PLACES || places.iter().any(|place| names(&text, place)) {
        return error;
    }
    error.with_argument(&places.join("` or `"))
}

/// In how many places a value may stand for an error to name them.
const MOST_PLACES: usize = 2;

/// How an error says a value.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// A part of it is quoted, or it as a part of an address or path.
    Part,
    /// Somewhere in the text.
    Plainly,
    /// It is quoted.
    Quoted,
}

impl Said {
    /// Bytes of a value that is known again where it stands without quotes.
    const LEAST: usize = 4;

    /// How `text`, in which `quoted` is quoted, says `line`.
    fn of(line: &str, quoted: &[String], text: &str) -> Option<Self> {
        let any = |fits: &dyn Fn(&str) -> bool| quoted.iter().any(|quoted| fits(quoted));
        // What is long may be cut.
        let cut =
            |quoted: &str| quoted.strip_suffix('…').is_some_and(|start| line.starts_with(start.trim_end()));
        if any(&|quoted| quoted == line || cut(quoted)) {
            Some(Self::Quoted)
        } else if line.len() >= Self::LEAST && text.contains(line) {
            Some(Self::Plainly)
        } else if any(&|quoted| is_part(quoted, line) || is_part(line, quoted)) {
            Some(Self::Part)
        } else {
            None
        }
    }
}

/// Whether `text` has a name of the path `place` as a word of its own, which a preposition is not.
fn names(text: &str, place: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    place
        .split(|c| !is_name(c))
        .filter(|part| part.starts_with(char::is_alphabetic) && !PREPOSITIONS.contains(part))
        .any(|part| text.split(|c| !is_name(c)).any(|word| word == part))
}

/// Arguments whose names say nothing where they stand in a sentence.
const PREPOSITIONS: &[&str] = &["about", "at", "by", "for", "from", "in", "on", "to"];

/// Whether `part` stands in `whole`, if it is short between slashes.
fn is_part(part: &str, whole: &str) -> bool {
    let long = part.len() >= Said::LEAST && whole.contains(part);
    part.len() < whole.len() && (long || whole.split('/').any(|one| one == part))
}

/// Every text in `value`, and every name in its maps, with the path of what has it.
fn places(value: &Value, path: &str, visit: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(path, text),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{path}[{at}]"), visit));
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                visit(path, name);
                places(field, &format!("{path}.{name}"), visit);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_that_only_quotes_a_value_names_the_argument_that_has_it() {
        let arguments = |value: Value| serde_json::from_value::<Map<_, _>>(value).unwrap();
        let told = |arguments: &Map<String, Value>, message: &'static str| {
            name_argument(Error::invalid(message), arguments).message().to_owned()
        };
        let given = arguments(json!({"from": "ENG-1", "to": ["ENG-2", " ..\n"], "changes": {"parent": "x"}}));
        assert_eq!(told(&given, "`..` is no issue"), "`to[1]`: `..` is no issue");
        assert_eq!(told(&given, "`x` is no issue"), "`changes.parent`: `x` is no issue");
        assert_eq!(told(&given, "`ENG…` is no issue"), "`from` or `to[0]`: `ENG…` is no issue", "two fit");
        assert_eq!(told(&given, "Write to `..`"), "`to[1]`: Write to `..`", "a preposition names nothing");
        let nested = "`to[1]`: no `parent`, `x` or `ENG-1`";
        assert_eq!(told(&given, nested), nested, "it is named");
        assert_eq!(
            told(&given, "No issue ENG-1 or `..`"),
            "`to[1]`: No issue ENG-1 or `..`",
            "quotes go first"
        );
        assert_eq!(told(&given, "No issue ENG-1"), "`from`: No issue ENG-1");
        let given = arguments(json!({"repo": "a/b", "branch": "%2e%2e/%2e%2e%2fx", "org": ".."}));
        assert_eq!(told(&given, "`%2e%2e` leads away"), "`branch`: `%2e%2e` leads away", "a part of it");
        assert_eq!(told(&given, "`../x` is no name"), "`org`: `../x` is no name", "it is a part");
        assert_eq!(told(&given, "`x` is no parent"), "`x` is no parent", "it is named by its word");
        let map = arguments(json!({"add": {"Found": {"type": "date"}}}));
        assert_eq!(
            told(&map, "There is a column Found"),
            "`add`: There is a column Found",
            "a name of a map"
        );
        let error = name_argument(Error::not_found("There is no `x`"), &given);
        assert_eq!(error.message(), "There is no `x`", "what is not there is no wrong argument");
    }
}
