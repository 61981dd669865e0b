//! What `doctor` asks Notion: whether the token works, what it sees, and its budget.

use connector::Check;

use crate::{
    Notion,
    credential::TO_SET,
    tools::whoami::{identity, limits},
};

/// Looks at everything that a call needs, in the order in which it needs it.
pub(crate) async fn diagnose(server: &Notion) -> Vec<Check> {
    let mut checks = vec![Check::credential(server.credential(), TO_SET)];
    match server.api().me().await {
        Ok(me) => checks.push(Check::good("account", identity(&me))),
        Err(error) => {
            checks.push(Check::refused(&error));
            checks.extend(["pages", "limits"].map(|name| Check::skipped(name, "Notion could not be asked")));
            return checks;
        }
    }
    checks.push(match server.api().search("", None, 1, None).await {
        Ok(found) if found.results.is_empty() => Check::warning(
            "pages",
            "The connection sees no page",
            "Share pages with it: in Notion, the ••• menu of a page → Connections",
        ),
        Ok(_) => Check::good("pages", "The connection sees pages"),
        Err(error) => Check::failed("pages", &error),
    });
    checks.push(Check::good("limits", limits(server)));
    checks
}
