//! The errors of one execution: the executor carries a message only, the fakes have more to tell.

use std::sync::{Mutex, PoisonError};

use apollo_compiler::{resolvers::FieldError, response::GraphQLError};
use serde_json::{Value, json};

/// What the resolvers of one request failed with.
#[derive(Debug)]
pub struct Failures<E>(Mutex<Vec<E>>);

/// One entry of an answer's `errors`.
#[derive(Clone, Debug)]
pub struct Failure<E> {
    /// What a resolver failed with, or what the executor says is wrong with what it gave.
    pub error: Result<E, String>,
    /// Where in the document, as GraphQL writes it; null for nowhere.
    pub locations: Value,
    /// Where in the data; null for nowhere.
    pub path: Value,
}

impl<E> Default for Failures<E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E: Clone> Failures<E> {
    /// Keeps an error; what the executor gets names its place here.
    pub fn fail(&self, error: E) -> FieldError {
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        errors.push(error);
        FieldError { message: (errors.len() - 1).to_string() }
    }

    /// An error of the executor's, with the fake's in its place.
    pub fn explain(&self, error: &GraphQLError) -> Failure<E> {
        let place =
            |value: Result<Value, _>| value.ok().filter(|list| list != &json!([])).unwrap_or_default();
        let errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = error
            .message
            .strip_prefix("resolver error: ")
            .and_then(|index| errors.get(index.parse::<usize>().ok()?));
        Failure {
            error: ours.cloned().ok_or_else(|| error.message.clone()),
            locations: place(serde_json::to_value(&error.locations)),
            path: place(serde_json::to_value(&error.path)),
        }
    }
}
