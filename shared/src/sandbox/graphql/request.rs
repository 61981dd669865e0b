//! The body of a request.

use serde::Deserialize;
use serde_json::Value;

/// The body of a GraphQL request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphqlRequest {
    /// The document.
    pub query: String,
    /// Which of its operations is asked for.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// The operation's variables.
    #[serde(default)]
    pub variables: Value,
}

impl GraphqlRequest {
    /// The request in a body; none if it is not one.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The operation's name, for the journal and for faults: as given, as written in the document, or the
    /// document's first field.
    #[must_use]
    pub fn name(&self) -> &str {
        if let Some(name) = self.operation_name.as_deref().filter(|name| !name.is_empty()) {
            return name;
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut words = self.query.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        let name = match words.next() {
            Some("query" | "mutation") => words.next(),
            first => first,
        };
        name.unwrap_or("anonymous")
    }
}
