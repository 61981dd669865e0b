//! What `doctor` asks Linear: whether the credential works, what it can see, and what is left.

use connector::{
    Check, Error, Kind,
    catalog::{one_line, thousands},
};

use crate::{Linear, api::names::Team, tools::workspace::limits};

/// A budget of which less than this part is left is worth a warning.
const LOW: u32 = 10;

/// Looks at everything that a call needs, in the order in which it needs it.
pub(crate) async fn diagnose(server: &Linear) -> Vec<Check> {
    let mut checks = vec![credential(server)];
    let identity = match server.api().who_am_i().await {
        Ok(identity) => identity,
        Err(error) => {
            checks.push(refused(&error));
            checks.extend(["teams", "limits"].map(|name| Check::skipped(name, "Linear could not be asked")));
            return checks;
        }
    };
    let viewer = &identity.viewer;
    checks.push(Check::good(
        "account",
        format!(
            "{} ({}) in the workspace {}",
            one_line(&viewer.name),
            one_line(&viewer.email),
            one_line(&identity.organization.name)
        ),
    ));
    checks.push(if viewer.is_active() {
        Check::good(
            "rights",
            format!(
                "{}; Linear does not tell a credential's scopes, a refused call names the one that is missing",
                if viewer.admin { "an admin" } else if viewer.guest { "a guest" } else { "a member" }
            ),
        )
    } else {
        Check::bad("rights", "The account is disabled", "Use a credential of an account that is active")
    });
    checks.push(teams(server).await);
    checks.push(budgets(server));
    checks
}

fn credential(server: &Linear) -> Check {
    match server.credential() {
        "no credential" => Check::bad(
            "credential",
            "None is configured",
            "Set LINEAR_API_KEY to a key from https://linear.app/settings/account/security",
        ),
        what => Check::good("credential", format!("{what} is configured")),
    }
}

/// The account could not be read: why, and what would help.
fn refused(error: &Error) -> Check {
    let fix = error.hint_text().unwrap_or("Try again later").to_owned();
    let name = if error.kind() == Kind::Auth { "account" } else { "reachability" };
    Check::bad(name, error.message().to_owned(), fix)
}

async fn teams(server: &Linear) -> Check {
    let teams: Vec<Team> = match server.names().all().await {
        Ok(teams) => teams,
        Err(error) => {
            return Check::bad(
                "teams",
                error.message().to_owned(),
                error.hint_text().unwrap_or("Try again later").to_owned(),
            );
        }
    };
    let keys: Vec<&str> = teams.iter().map(|team| team.key.as_str()).collect();
    if keys.is_empty() {
        return Check::warning("teams", "The credential sees no team", "Give the key access to teams");
    }
    let seen = format!("{} visible: {}", keys.len(), keys.join(", "));
    match server.names().default_team() {
        Some(team) => match server.names().team(team).await {
            Ok(team) => Check::good("teams", format!("{seen}; {} where none is named", team.key)),
            Err(error) => Check::bad(
                "teams",
                format!("LINEAR_TEAM: {}", error.message()),
                format!("Set it to one of {}", keys.join(", ")),
            ),
        },
        None => Check::good("teams", seen),
    }
}

fn budgets(server: &Linear) -> Check {
    let found = limits(server);
    let status = server.api().upstream().status();
    let low = status
        .buckets
        .iter()
        .find(|bucket| bucket.remaining.is_some_and(|remaining| remaining < bucket.limit / LOW));
    match low {
        Some(bucket) => Check::warning(
            "limits",
            found,
            format!(
                "Less than a tenth of the {} ({} per period) is left: wait, or let fewer programs share the account",
                bucket.bucket,
                thousands(bucket.limit)
            ),
        ),
        None => Check::good("limits", found),
    }
}
