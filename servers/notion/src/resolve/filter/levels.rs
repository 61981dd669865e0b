//! Conditions in as many levels as Notion takes.

use serde_json::Value;

use super::joined;

/// The most levels of `and` and `or` that Notion takes (developers.notion.com/reference/post-database-query-filter).
const LEVELS: usize = 2;
/// The most alternatives that a deeper filter is written out into.
const ALTERNATIVES: usize = 100;

/// The same conditions in as many levels as Notion takes: `and` in `and` and `or` in `or` are one, and what is deeper
/// still becomes a list of alternatives, unless there are too many.
pub(crate) fn fitted(filter: Value) -> Value {
    let flat = flattened(filter);
    if levels(&flat) <= LEVELS {
        return flat;
    }
    match alternatives(&flat) {
        Some(all) => joined("or", all.into_iter().map(|each| joined("and", each)).collect()),
        None => flat,
    }
}

/// The word that joins the parts of a filter, and its parts; none of a single condition.
fn parts(filter: &Value) -> Option<(&'static str, &Vec<Value>)> {
    ["and", "or"].into_iter().find_map(|word| Some((word, filter.get(word)?.as_array()?)))
}

fn flattened(filter: Value) -> Value {
    let Some((word, inner)) = parts(&filter) else { return filter };
    let mut all = Vec::new();
    for part in inner.iter().cloned().map(flattened) {
        match parts(&part) {
            Some((same, inner)) if same == word => all.extend(inner.iter().cloned()),
            _ => all.push(part),
        }
    }
    joined(word, all)
}

fn levels(filter: &Value) -> usize {
    parts(filter).map_or(0, |(_, inner)| 1 + inner.iter().map(levels).max().unwrap_or(0))
}

/// What of a filter may hold, each as conditions that hold together; none if they are too many.
fn alternatives(filter: &Value) -> Option<Vec<Vec<Value>>> {
    let Some((word, inner)) = parts(filter) else { return Some(vec![vec![filter.clone()]]) };
    let mut all = if word == "and" { vec![Vec::new()] } else { Vec::new() };
    for part in inner {
        let each = alternatives(part)?;
        if word == "or" {
            all.extend(each);
        } else {
            let with = |have: &Vec<Value>| {
                let have = have.clone();
                each.iter().map(move |more| [have.clone(), more.clone()].concat()).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        if all.len() > ALTERNATIVES {
            return None;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_put_into_two_levels() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| json!({"property": name}));
        for (given, wanted) in [
            (json!({"and": [{"and": [a, {"or": [b, c]}]}, d]}), json!({"and": [a, {"or": [b, c]}, d]})),
            (
                json!({"or": [{"or": [a, {"or": [b]}]}, {"and": [{"and": [c, d]}]}]}),
                json!({"or": [a, b, {"and": [c, d]}]}),
            ),
            (json!({"or": [{"and": [a, {"and": [b, c]}]}, d]}), json!({"or": [{"and": [a, b, c]}, d]})),
            // Three levels of another word each are written out.
            (
                json!({"and": [a, {"or": [{"and": [b, c]}, d]}]}),
                json!({"or": [{"and": [a, b, c]}, {"and": [a, d]}]}),
            ),
            (
                json!({"or": [{"and": [a, {"or": [b, c]}]}, d]}),
                json!({"or": [{"and": [a, b]}, {"and": [a, c]}, d]}),
            ),
            (a.clone(), a.clone()),
        ] {
            assert_eq!(fitted(given), wanted);
        }
    }

    #[test]
    fn too_many_alternatives_are_left_as_they_are() {
        let one = |name: String| json!({"or": [{"and": [{"property": name}, {"property": "x"}]}, {"property": "y"}]});
        let many = json!({"and": (0..8).map(|at| one(at.to_string())).collect::<Vec<_>>()});
        assert_eq!(fitted(many.clone()), many);
    }
}
