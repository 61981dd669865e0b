//! Resources.

use connector::catalog::{Resource, ResourceTemplate};

use crate::HubSpot;

pub(crate) fn all() -> Vec<Resource<HubSpot>> {
    Vec::new()
}

pub(crate) fn templates() -> Vec<ResourceTemplate<HubSpot>> {
    Vec::new()
}
