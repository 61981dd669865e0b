//! The rule by which HubSpot fills a list, in words.

use connector::catalog::one_line;
use serde_json::Value;

use crate::{redact::Redacted, resolve::Fields};

/// Values of one condition that are told.
const VALUES: usize = 10;

/// A branch of conditions (developers.hubspot.com, "Lists", filters and branches).
pub(super) fn told(fields: &Fields, redacted: &Redacted, branch: &Value) -> String {
    let list = |member: &str| branch[member].as_array().map(Vec::as_slice).unwrap_or_default();
    let own = list("filters").iter().map(|filter| condition(fields, redacted, filter));
    let deeper = list("filterBranches").iter().map(|branch| (told(fields, redacted, branch), parts(branch)));
    let mut all: Vec<String> = own.collect();
    let deeper: Vec<(String, usize)> = deeper.filter(|(told, _)| !told.is_empty()).collect();
    let several = all.len() + deeper.len() > 1;
    all.extend(deeper.into_iter().map(
        |(told, parts)| {
            if several && parts > 1 { format!("({told})") } else { told }
        },
    ));
    if all.is_empty() {
        return String::new();
    }
    match branch["filterBranchType"].as_str().unwrap_or_default() {
        "OR" => all.join(" or "),
        "NOT_ALL" => format!("not all of: {}", all.join(", ")),
        "NOT_ANY" => format!("none of: {}", all.join(", ")),
        "AND" | "RESTRICTED" => all.join(" and "),
        // Of what is associated, of events: with whom, HubSpot says by ids.
        other => format!("{}: {}", plain(other), all.join(" and ")),
    }
}

/// Of how many conditions a branch is.
fn parts(branch: &Value) -> usize {
    let many = |member: &str| branch[member].as_array().map_or(0, Vec::len);
    let deeper = branch["filterBranches"].as_array().into_iter().flatten().map(parts).sum::<usize>();
    many("filters") + deeper
}

fn condition(fields: &Fields, redacted: &Redacted, filter: &Value) -> String {
    let kind = filter["filterType"].as_str().unwrap_or_default();
    let Some(name) = filter["property"].as_str().filter(|_| kind == "PROPERTY") else {
        let id = filter["listId"].as_str().map(|id| format!(" {}", one_line(id))).unwrap_or_default();
        return format!("{}{id}", plain(kind));
    };
    let operation = &filter["operation"];
    let property = fields.get(name);
    let label = property.map_or_else(|| name.to_owned(), |property| one_line(&property.label));
    let value = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let option = property.and_then(|property| property.options.iter().find(|one| one.value == text));
        option.map_or_else(|| one_line(&text), |option| one_line(&option.label))
    };
    let many = operation["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    let one = ["value", "lowerBound", "upperBound"].map(|member| &operation[member]);
    let values = many.iter().chain(one.into_iter().filter(|value| !value.is_null()));
    let mut values: Vec<String> = values.map(value).collect();
    if redacted.hides(name) && !values.is_empty() {
        values = vec!["(redacted)".to_owned()];
    }
    if values.len() > VALUES {
        let more = values.len() - VALUES;
        values.truncate(VALUES);
        values.push(format!("{more} more"));
    }
    let operator = plain(operation["operator"].as_str().unwrap_or_default());
    let told = format!("{label} {operator} {}", values.join(", "));
    told.trim_end().to_owned()
}

/// HubSpot's word as a person writes it: `IS_ANY_OF`.
fn plain(word: &str) -> String {
    one_line(&word.to_lowercase().replace('_', " "))
}
