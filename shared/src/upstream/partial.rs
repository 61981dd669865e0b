//! An answer of GraphQL, of which a part may have failed.

use crate::Error;

/// An answer of which a part may have failed.
#[derive(Debug)]
pub struct Partial<T> {
    /// What came.
    pub data: T,
    /// What did not come: the name of the part, and why.
    pub failures: Vec<(String, Error)>,
}

impl<T> Partial<T> {
    /// A line for each part that failed, for the reply.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.failures
            .iter()
            .map(|(part, error)| format!("Not answered ({part}): {}", error.for_agent()))
            .collect()
    }

    /// What came; what did not is logged for `operation`, and else taken as absent.
    pub fn or_absent(self, operation: &str) -> T {
        for (part, error) in &self.failures {
            let error = error.kind().as_str();
            tracing::warn!(operation, part, error, "a part of an answer failed");
        }
        self.data
    }
}
