//! What is wrong with a document, in the words of GitHub's GraphQL server (graphql-ruby's static validation,
//! github.com/rmosolgo/graphql-ruby, `lib/graphql/static_validation/rules`).

use apollo_compiler::validation::DiagnosticList;
use serde_json::{Value, json};

/// The entries of `errors`.
pub(super) fn explain(broken: &DiagnosticList) -> Vec<Value> {
    let entries = broken.iter().map(|diagnostic| {
        let words = diagnostic.error.unstable_compat_message();
        let words = words.unwrap_or_else(|| diagnostic.error.to_string());
        let mut entry = say(&words);
        if let Ok(locations) = serde_json::to_value(diagnostic.to_json().locations) {
            entry["locations"] = locations;
        }
        entry
    });
    let mut entries: Vec<Value> = entries.collect();
    // The executor takes a field that it does not know out of the document first, and then misses what only
    // that field made whole.
    let unknown = |entry: &Value| entry["extensions"]["code"] == "undefinedField";
    if entries.iter().any(unknown) {
        entries.retain(|entry| {
            let code = &entry["extensions"]["code"];
            code != "selectionMismatch" && code != "variableNotUsed" && code != "useAndDefineFragment"
        });
    }
    entries
}

/// One entry, from the words of graphql-js.
fn say(words: &str) -> Value {
    let quoted: Vec<&str> = words.split('"').skip(1).step_by(2).collect();
    let entry = |message: String, extensions: Value| json!({"message": message, "extensions": extensions});
    match quoted.as_slice() {
        [field, ty] if words.starts_with("Cannot query field") => entry(
            format!("Field '{field}' doesn't exist on type '{ty}'"),
            json!({"code": "undefinedField", "typeName": ty, "fieldName": field}),
        ),
        [argument, field] if words.starts_with("Unknown argument") => {
            let field = field.rsplit('.').next().unwrap_or(field);
            entry(
                format!("Field '{field}' doesn't accept argument '{argument}'"),
                json!({"code": "argumentNotAccepted", "name": field, "typeName": "Field", "argumentName": argument}),
            )
        }
        [field, ty] if words.contains("is not defined by type") => entry(
            format!("InputObject '{ty}' doesn't accept argument '{field}'"),
            json!({"code": "argumentNotAccepted", "name": ty, "typeName": "InputObject", "argumentName": field}),
        ),
        [ty] if words.starts_with("Unknown type") => entry(
            format!("{ty} isn't a defined input type"),
            json!({"code": "variableRequiresValidType", "typeName": ty}),
        ),
        [field, argument, ..] if words.contains("is required, but it was not provided") => entry(
            format!("Field '{field}' is missing required arguments: {argument}"),
            json!({"code": "missingRequiredArguments", "className": "Field", "name": field, "arguments": argument}),
        ),
        [field, ty, ..] if words.contains("must have a selection of subfields") => entry(
            format!(
                "Field must have selections (field '{field}' returns {ty} but has no selections. Did you mean '{field} {{ ... }}'?)"
            ),
            json!({"code": "selectionMismatch", "nodeName": format!("field '{field}'"), "typeName": ty}),
        ),
        [fragment] if words.starts_with("Fragment") && words.contains("is never used") => entry(
            format!("Fragment {fragment} was defined, but not used"),
            json!({"code": "useAndDefineFragment", "fragmentName": fragment}),
        ),
        [variable, ..] if words.contains("is never used") => {
            let name = variable.trim_start_matches('$');
            entry(
                format!("Variable ${name} is declared but not used"),
                json!({"code": "variableNotUsed", "variableName": name}),
            )
        }
        _ => json!({"message": words}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_schema_lacks_is_said_in_githubs_words() {
        let said = say("Cannot query field \"issueType\" on type \"Issue\".");
        assert_eq!(said["message"], "Field 'issueType' doesn't exist on type 'Issue'");
        assert_eq!(said["extensions"]["code"], "undefinedField");
        assert_eq!(said["extensions"]["fieldName"], "issueType");
        let said = say("Unknown argument \"x\" on field \"Repository.issues\".");
        assert_eq!(said["message"], "Field 'issues' doesn't accept argument 'x'");
        assert_eq!(say("else"), json!({"message": "else"}));
    }
}
