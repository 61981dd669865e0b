//! What resources and prompts are made of: the answers of the reading tools themselves.

use std::sync::LazyLock;

use connector::{
    Connector as _, Result,
    catalog::{Call, Catalog, Reply},
};
use serde_json::Value;

use crate::GitHub;

/// The catalog that sections are made with, whatever a configuration offers to clients: reading a
/// resource is no call of a tool.
static CATALOG: LazyLock<Catalog<GitHub>> = LazyLock::new(GitHub::catalog);

/// What the reading tool `name` answers.
///
/// # Errors
/// Whatever the tool gives.
pub(crate) async fn tool(call: &Call<GitHub>, name: &str, arguments: Value) -> Result<Reply> {
    CATALOG.read_with(call, name, arguments).await
}

/// Whether there is a tool of this name, offered or not.
pub(crate) fn knows(name: &str) -> bool {
    CATALOG.tool(name).is_some()
}
