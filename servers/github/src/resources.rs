//! Resources: GitHub's things under addresses of their own.

use connector::catalog::{Resource, ResourceTemplate};
use serde_json::json;

use crate::{GitHub, gather};

/// The resources with a fixed address.
pub(crate) fn all() -> Vec<Resource<GitHub>> {
    vec![Resource::new(
        "github://me",
        "me",
        "You on GitHub",
        "Whose credential this is, and what is left of its limits.",
        |call| async move { gather::tool(&call, "whoami", json!({})).await },
    )]
}

/// The families of resources.
pub(crate) fn templates() -> Vec<ResourceTemplate<GitHub>> {
    Vec::new()
}
