//! What `doctor` asks HubSpot: whether the credential works, what it may do, and what is left of the day.

use connector::{Check, catalog::thousands};

use crate::{HubSpot, credential::TO_SET};

/// Looks at everything that a call needs, in the order in which it needs it.
pub(crate) async fn diagnose(server: &HubSpot) -> Vec<Check> {
    let mut checks = vec![Check::credential(server.credential, TO_SET)];
    let account = match server.api().account().await {
        Ok(account) => account,
        Err(error) => {
            checks.push(Check::refused(&error));
            checks
                .extend(["rights", "limits"].map(|name| Check::skipped(name, "HubSpot could not be asked")));
            return checks;
        }
    };
    checks.push(Check::good(
        "account",
        format!("{} in {}, currency {}", account.portal_id, account.time_zone, account.company_currency),
    ));
    checks.push(match server.api().token_info().await {
        Ok(token) => {
            Check::good("rights", format!("{} scopes: {}", token.scopes.len(), token.scopes.join(", ")))
        }
        Err(_) => Check::good(
            "rights",
            "HubSpot does not tell the scopes of a service key; a refused call names the one that is missing",
        ),
    });
    checks.push(match server.api().usage().await {
        Ok(Some(usage)) => {
            let (used, limit) = (usage.current_usage as u64, usage.usage_limit as u64);
            let found = format!("{} of {} calls of today are used", thousands(used), thousands(limit));
            Check::limits(found, [("the calls of a day".to_owned(), limit.saturating_sub(used), limit)])
        }
        _ => Check::skipped("limits", "HubSpot does not tell what is left to this credential"),
    });
    checks
}
