//! A call, named before it is made.

use serde_json::{Map, Value};

/// A call.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The tool.
    pub tool: &'static str,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

impl Sample {
    /// A call of `tool`.
    ///
    /// # Panics
    /// If `arguments` is not an object.
    #[must_use]
    pub fn new(tool: &'static str, arguments: Value) -> Self {
        let Value::Object(arguments) = arguments else { panic!("the arguments of {tool} must be an object") };
        Self { tool, arguments }
    }

    /// The same call with one more argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.to_owned(), value.into());
        self
    }
}
