//! What `doctor` asks Slack: whether the token works, what it may do, and whether it searches.

use connector::{Check, catalog::one_line};

use crate::{Slack, credential::TO_SET, scopes};

/// Looks at everything that a call needs, in the order in which it needs it.
pub(crate) async fn diagnose(server: &Slack) -> Vec<Check> {
    let mut checks = Vec::new();
    for workspace in server.workspaces() {
        checks.push(Check::credential(workspace.credential, TO_SET));
        let me = match workspace.names().me().await {
            Ok(me) => me,
            Err(error) => {
                checks.push(Check::refused(&error));
                checks.extend(
                    ["rights", "search"].map(|name| Check::skipped(name, "Slack could not be asked")),
                );
                continue;
            }
        };
        checks.push(Check::good(
            "account",
            format!(
                "@{} in the workspace {} ({})",
                one_line(&me.user),
                one_line(&me.team),
                one_line(&me.url)
            ),
        ));
        checks.push(match scopes::missing(&me) {
            None => Check::warning("rights", "Slack did not say which scopes the token has", "A refused call names the one that is missing"),
            Some(missing) if missing.is_empty() => Check::good("rights", "every scope that the default tools use"),
            Some(missing) => Check::warning(
                "rights",
                format!("missing: {}", missing.join(", ")),
                "Add them under OAuth & Permissions of the app and install it again, if their tools are wanted",
            ),
        });
        let searches = workspace.search_api().identity().await.is_ok_and(|me| me.bot_id.is_empty());
        checks.push(if searches {
            Check::good("search", "with a user's token")
        } else {
            Check::warning("search", "A bot may not search by itself", "Set SLACK_USER_TOKEN too")
        });
    }
    checks
}
