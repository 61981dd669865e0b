//! Relations between issues: many made or removed in one request, each under its own alias.

use std::{collections::HashMap, fmt::Write as _};

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Api, Operation, Partial, document, issues::Relation};

/// Its document is made for as many relations as are asked for; this is the one for one.
const LINK: Operation =
    Operation::write("LinkIssues", document!("link_issues"), Replay::Idempotent).invalidates(&["issues"]);
const UNLINK: Operation =
    Operation::write("UnlinkIssues", document!("unlink_issues"), Replay::Once).invalidates(&["issues"]);

pub(super) const OPERATIONS: &[&Operation] = &[&LINK, &UNLINK];

/// What is asked of a relation that was made: a duplicate is moved to another state with it.
const SELECTION: &str = "success issueRelation { issue { identifier state { name } } }";

/// What one of several mutations answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Done {
    pub(crate) success: bool,
    /// What was made.
    pub(crate) issue_relation: Option<Relation>,
}

/// What became of each mutation, by alias.
pub(crate) type Outcomes = Partial<HashMap<String, Option<Done>>>;

/// The alias of the mutation with this index.
pub(crate) fn alias(index: usize) -> String {
    format!("r{index}")
}

/// A document that does the same to `count` things: `mutation Name($r0: Type, $r1: Type) { r0: field … }`.
fn repeated(name: &str, kind: &str, field: &str, argument: &str, selection: &str, count: usize) -> String {
    let mut document = format!("mutation {name}(");
    for index in 0..count {
        let _ = write!(document, "{}${}: {kind}", if index == 0 { "" } else { ", " }, alias(index));
    }
    document.push_str(") {");
    for index in 0..count {
        let alias = alias(index);
        let _ = write!(document, " {alias}: {field}({argument}: ${alias}) {{ {selection} }}");
    }
    document.push_str(" }");
    document
}

fn link_document(count: usize) -> String {
    repeated(LINK.name, "IssueRelationCreateInput!", "issueRelationCreate", "input", SELECTION, count)
}

fn unlink_document(count: usize) -> String {
    repeated(UNLINK.name, "String!", "issueRelationDelete", "id", "success", count)
}

fn variables(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Object(
        values.into_iter().enumerate().map(|(index, value)| (alias(index), value)).collect::<Map<_, _>>(),
    )
}

impl Api {
    /// Makes relations from `IssueRelationCreateInput`s that carry their ids.
    pub(crate) async fn link_issues(&self, inputs: Vec<Value>, check: String) -> Result<Outcomes> {
        let document = link_document(inputs.len());
        self.run_document(&LINK, &document, variables(inputs), Some(check)).await
    }

    /// Removes relations by their ids.
    pub(crate) async fn unlink_issues(&self, ids: Vec<String>, check: String) -> Result<Outcomes> {
        let document = unlink_document(ids.len());
        self.run_document(&UNLINK, &document, variables(ids.into_iter().map(Value::String)), Some(check))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_for_one_is_the_document_on_file() {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&link_document(1)), words(LINK.document));
        assert_eq!(words(&unlink_document(1)), words(UNLINK.document));
    }

    #[test]
    fn several_share_one_document() {
        assert_eq!(
            unlink_document(2),
            "mutation UnlinkIssues($r0: String!, $r1: String!) { \
             r0: issueRelationDelete(id: $r0) { success } r1: issueRelationDelete(id: $r1) { success } }"
        );
    }
}
