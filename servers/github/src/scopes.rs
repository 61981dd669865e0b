//! Scopes of classic tokens and OAuth apps: which of them a tool can do with, and which contain which.
//!
//! Source: docs.github.com, "Scopes for OAuth apps", and the notes on scopes of the REST API's pages. Other
//! tokens have permissions instead, which GitHub does not tell beforehand.

/// Scopes that contain others, each with those right below it.
const CONTAINS: &[(&str, &[&str])] = &[
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

/// Any of these lets a tool change a repository; the second only a public one.
const REPO: &[&str] = &["repo", "public_repo"];

/// The scopes of which any one lets a classic token use `tool`; none where it can do something without: what
/// is public can be read without any scope.
pub(crate) fn needed(tool: &str) -> &'static [&'static str] {
    let reads =
        ["list_", "get_", "read_", "search", "whoami", "api_get"].iter().any(|verb| tool.starts_with(verb));
    match tool {
        "list_members" => &["read:org"],
        "run_workflow" => &["workflow", "repo"],
        // These are private by nature, reading or not.
        _ if tool.contains("notification") => &["notifications", "repo"],
        _ if tool.contains("alert") => &["security_events", "repo", "public_repo"],
        _ if tool.contains("project") && reads => &["read:project"],
        _ if tool.contains("project") => &["project"],
        _ if reads => &[],
        _ if tool.contains("gist") => &["gist"],
        _ => REPO,
    }
}

/// Whether a token with the scopes `granted` has one of `needed`, or nothing is needed.
pub(crate) fn has(granted: &[String], needed: &[&str]) -> bool {
    needed.is_empty() || granted.iter().any(|scope| needed.iter().any(|wanted| contains(scope, wanted)))
}

/// Whether the scope `one` is `other`, or contains it.
fn contains(one: &str, other: &str) -> bool {
    one == other
        || CONTAINS
            .iter()
            .filter(|(scope, _)| *scope == one)
            .any(|(_, parts)| parts.iter().any(|part| contains(part, other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_scope_contains_those_below_it_and_none_above() {
        assert!(has(&granted(&["admin:org"]), needed("list_members")));
        assert!(has(&granted(&["repo"]), &["public_repo"]));
        assert!(has(&granted(&["repo"]), &["security_events"]));
        assert!(has(&granted(&["project"]), &["read:project"]));
        assert!(!has(&granted(&["read:org"]), &["write:org"]));
        assert!(!has(&granted(&["public_repo"]), &["repo"]));
        assert!(!has(&granted(&["repo"]), needed("list_members")));
    }

    #[test]
    fn reading_what_is_public_needs_no_scope_and_writing_does() {
        assert!(has(&[], needed("get_issue")) && has(&[], needed("search")) && has(&[], needed("whoami")));
        for tool in ["create_issue", "commit_files", "merge_pr", "run_workflow", "list_notifications"] {
            assert!(!has(&[], needed(tool)), "{tool}");
        }
        assert!(has(&granted(&["public_repo"]), needed("create_issue")));
        assert!(has(&granted(&["workflow"]), needed("run_workflow")));
        assert!(!has(&granted(&["read:project"]), needed("update_project_items")));
    }

    #[test]
    fn every_tool_that_writes_needs_a_scope() {
        for tool in crate::tools::all().iter().filter(|tool| tool.effect().writes()) {
            assert!(!needed(tool.name()).is_empty(), "{}", tool.name());
        }
    }
}
