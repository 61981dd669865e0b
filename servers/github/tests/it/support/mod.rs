//! What the test binaries share: the fake GitHub by itself, the server over it, and reading replies.

pub(crate) mod fake;
pub(crate) mod reply;
pub(crate) mod schema;
pub(crate) mod server;

/// The repository of the story.
pub(crate) const REPO: &str = "harbor-example/import-api";
/// Where REST has it.
pub(crate) const REPO_PATH: &str = "repos/harbor-example/import-api";
/// One without commits.
pub(crate) const EMPTY: &str = "harbor-example/empty";

/// The token of Maya, an administrator, with every permission.
pub(crate) const MAYA: &str = github_mcp::sandbox::TOKEN;
/// Another of hers: a classic one.
pub(crate) const CLASSIC: &str = "ghp_sandbox0maya0classic";
/// Another of hers: a classic one, with a scope for nothing here.
pub(crate) const SCOPELESS: &str = "ghp_sandbox0maya0scopeless";
/// Another of hers: it may only read.
pub(crate) const READONLY: &str = "github_pat_sandbox0maya0readonly";
/// Another of hers: for the repository of the story only.
pub(crate) const IMPORT_API: &str = "github_pat_sandbox0maya0importapi";
/// The token of Tomás, who may write: a classic one.
pub(crate) const TOMAS: &str = "ghp_sandbox0tomas";
