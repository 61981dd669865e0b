//! Scopes of classic tokens and OAuth apps: which contain which. What is public can be read without any, so
//! most tools that read need none.
//!
//! Source: docs.github.com, "Scopes for OAuth apps", and the notes on scopes of the REST API's pages. Other
//! tokens have permissions instead, which GitHub does not tell beforehand.

use connector::access::{Granted, scopes::Contains};

/// Scopes that contain others, each with those right below it.
const CONTAINS: &[Contains] = &[
    ("repo", &["repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"]),
    ("admin:repo_hook", &["write:repo_hook"]),
    ("write:repo_hook", &["read:repo_hook"]),
    ("admin:org", &["write:org", "manage_runners:org"]),
    ("write:org", &["read:org"]),
    ("admin:public_key", &["write:public_key"]),
    ("write:public_key", &["read:public_key"]),
    ("admin:gpg_key", &["write:gpg_key"]),
    ("write:gpg_key", &["read:gpg_key"]),
    ("user", &["read:user", "user:email", "user:follow"]),
    ("project", &["read:project"]),
    ("write:discussion", &["read:discussion"]),
    ("write:packages", &["read:packages"]),
    ("admin:enterprise", &["manage_runners:enterprise", "manage_billing:enterprise", "read:enterprise"]),
    ("audit_log", &["read:audit_log"]),
    ("codespace", &["codespace:secrets"]),
];

/// The scopes that a token was granted.
pub(crate) fn granted(scopes: &[String]) -> Granted {
    Granted::new(scopes.iter().cloned(), CONTAINS)
}

/// Any of these lets a tool change a repository; the second only a public one.
pub(crate) const REPO: &[&str] = &["repo", "public_repo"];

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(scopes: &[&str]) -> Granted {
        super::granted(&scopes.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn needed(name: &str) -> &'static [&'static str] {
        crate::tools::all().iter().find(|tool| tool.name() == name).unwrap().needed_scopes()
    }

    #[test]
    fn a_scope_contains_those_below_it_and_none_above() {
        assert!(granted(&["admin:org"]).has_one_of(needed("list_members")));
        assert!(granted(&["repo"]).has_one_of(&["public_repo"]));
        assert!(granted(&["repo"]).has_one_of(&["security_events"]));
        assert!(granted(&["project"]).has_one_of(&["read:project"]));
        assert!(!granted(&["read:org"]).has_one_of(&["write:org"]));
        assert!(!granted(&["public_repo"]).has_one_of(&["repo"]));
        assert!(!granted(&["repo"]).has_one_of(needed("list_members")));
    }

    #[test]
    fn reading_what_is_public_needs_no_scope_and_writing_does() {
        let none = granted(&[]);
        assert!(["get_issue", "search", "whoami"].iter().all(|tool| none.has_one_of(needed(tool))));
        for tool in ["create_issue", "commit_files", "merge_pr", "run_workflow", "list_notifications"] {
            assert!(!none.has_one_of(needed(tool)), "{tool}");
        }
        assert!(granted(&["public_repo"]).has_one_of(needed("create_issue")));
        assert!(granted(&["workflow"]).has_one_of(needed("run_workflow")));
        assert!(!granted(&["read:project"]).has_one_of(needed("update_project_items")));
    }

    #[test]
    fn every_tool_that_writes_needs_a_scope() {
        for tool in crate::tools::all().iter().filter(|tool| tool.effect().writes()) {
            assert!(!tool.needed_scopes().is_empty(), "{}", tool.name());
        }
    }
}
