//! GraphQL for the fakes whose vendors speak it: a request's body, documents kept parsed, the operation and
//! its variables, execution led by the vendor's schema.
//!
//! A fake brings the part of its vendor's schema that it answers, and a [`Resolver`]: a function from an
//! object, named by a type and a key, and a field of it to what stands there. Or it brings apollo's own
//! [`ObjectValue`], if one rule of its own serves all its objects. How an error looks is the fake's affair in
//! both cases: what its resolvers fail with comes back whole, with its place ([`Failure`]).

mod connection;
mod failures;
mod objects;
mod request;
mod selections;
#[cfg(test)]
mod tests;
mod values;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use apollo_compiler::{
    ExecutableDocument, Schema,
    executable::Operation,
    request::coerce_variable_values,
    resolvers::{Execution, ObjectValue},
    response::{ExecutionResponse, JsonMap, JsonValue, serde_json_bytes},
    validation::{DiagnosticList, Valid},
};
use serde_json::Value;

pub use self::{
    connection::{Connection, Window},
    failures::{Failure, Failures},
    objects::{Asked, Executed, Node, Resolved, Resolver, execute},
    request::GraphqlRequest,
    selections::Selections,
    values::{leaf, scalar},
};

/// Documents kept parsed and validated; clients send few different ones.
const KEPT_DOCUMENTS: usize = 500;

/// Documents by their text, all for one schema.
#[derive(Debug, Default)]
pub struct Documents(Mutex<HashMap<String, Arc<Valid<ExecutableDocument>>>>);

impl Documents {
    /// The document, parsed and validated.
    ///
    /// # Errors
    /// What does not parse or does not fit the schema.
    pub fn get(
        &self,
        schema: &Valid<Schema>,
        text: &str,
    ) -> Result<Arc<Valid<ExecutableDocument>>, DiagnosticList> {
        if let Some(document) = self.lock().get(text) {
            return Ok(Arc::clone(document));
        }
        let parsed = ExecutableDocument::parse_and_validate(schema, text, "request.graphql");
        let document = Arc::new(parsed.map_err(|broken| broken.errors)?);
        let mut kept = self.lock();
        if kept.len() >= KEPT_DOCUMENTS {
            kept.clear();
        }
        kept.insert(text.to_owned(), Arc::clone(&document));
        Ok(document)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Valid<ExecutableDocument>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose document and variables are in order.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// The document.
    pub document: &'a Valid<ExecutableDocument>,
    /// The operation of it that is asked for.
    pub operation: &'a Operation,
    /// The variables, as the operation declares them.
    pub variables: Valid<JsonMap>,
}

/// Why a request was not executed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unprepared {
    /// The document has no such operation, or several, and none is named.
    #[error("{0}")]
    Operation(String),
    /// The variables are no object.
    #[error("variables are not an object")]
    NoObject,
    /// The variables do not fit the operation.
    #[error("{0}")]
    Variables(String),
}

impl<'a> Prepared<'a> {
    /// Chooses the operation and coerces the variables.
    ///
    /// # Errors
    /// If either does not fit.
    pub fn new(
        schema: &Valid<Schema>,
        document: &'a Valid<ExecutableDocument>,
        name: Option<&str>,
        variables: &Value,
    ) -> Result<Self, Unprepared> {
        let operation = document.operations.get(name);
        let operation = operation.map_err(|error| Unprepared::Operation(error.message().to_string()))?;
        let variables = match serde_json_bytes::to_value(variables) {
            Ok(JsonValue::Object(variables)) => variables,
            Ok(JsonValue::Null) => JsonMap::new(),
            _ => return Err(Unprepared::NoObject),
        };
        let variables = coerce_variable_values(schema, operation, &variables)
            .map_err(|error| Unprepared::Variables(error.message().to_string()))?;
        Ok(Self { document, operation, variables })
    }

    /// Executes the request from `root`, an object of the operation's root type.
    ///
    /// # Errors
    /// What is wrong with the request as a whole.
    pub fn execute(
        &self,
        schema: &Valid<Schema>,
        root: &dyn ObjectValue,
    ) -> Result<ExecutionResponse, String> {
        Execution::new(schema, self.document)
            .operation(self.operation)
            .coerced_variable_values(&self.variables)
            .enable_schema_introspection(true)
            .execute_sync(root)
            .map_err(|error| error.message().to_string())
    }
}
