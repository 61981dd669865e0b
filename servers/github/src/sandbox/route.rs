//! Routes, and the right that each needs.

use connector::sandbox::rest;
pub(super) use connector::sandbox::rest::route;

use super::Site;

/// One route, as GitHub documents it: `GET /repos/{owner}/{repo}/labels`.
pub(super) type Route = rest::Route<Site>;

/// The right that a route needs: a permission of fine-grained tokens and apps, which a classic token has by
/// a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// `issues`, `contents`; empty if any token will do.
    pub(super) permission: &'static str,
    pub(super) write: bool,
}

/// Any token will do.
pub(super) const ANY: Need = Need { permission: "", write: false };

/// Reading, with a permission: `issues`, `contents`, `pull_requests`, `actions`, `checks`, `metadata`.
pub(super) const fn read(permission: &'static str) -> Need {
    Need { permission, write: false }
}

/// Writing, with a permission.
pub(super) const fn write(permission: &'static str) -> Need {
    Need { permission, write: true }
}
