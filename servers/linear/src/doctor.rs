//! What `doctor` asks Linear: whether the credential works, what it can see, and what is left.

use connector::{
    Check,
    catalog::{one_line, thousands},
};

use crate::{Linear, api::names::Team, credential::TO_SET, tools::workspace::limits};

/// Looks at everything that a call needs, in the order in which it needs it.
pub(crate) async fn diagnose(server: &Linear) -> Vec<Check> {
    let mut checks = vec![Check::credential(server.credential(), TO_SET)];
    let identity = match server.api().who_am_i().await {
        Ok(identity) => identity,
        Err(error) => {
            checks.push(Check::refused(&error));
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
                "{}; Linear does not tell a credential's scopes: a refused call names the missing one",
                if viewer.admin {
                    "an admin"
                } else if viewer.guest {
                    "a guest"
                } else {
                    "a member"
                }
            ),
        )
    } else {
        Check::bad("rights", "The account is disabled", "Use a credential of an account that is active")
    });
    checks.push(teams(server).await);
    checks.push(budgets(server));
    checks
}

async fn teams(server: &Linear) -> Check {
    let teams: Vec<Team> = match server.names().all().await {
        Ok(teams) => teams,
        Err(error) => return Check::failed("teams", &error),
    };
    let keys: Vec<&str> = teams.iter().map(|team| team.key.as_str()).collect();
    if keys.is_empty() {
        return Check::warning("teams", "The credential sees no team", "Give the key access to teams");
    }
    let seen = format!("{} visible: {}", keys.len(), keys.join(", "));
    match server.names().default_team() {
        Some(team) => match server.names().team(team).await {
            Ok(team) => Check::good("teams", format!("{seen}; default team: {}", team.key)),
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
    let buckets = server.api().upstream().status().buckets.into_iter();
    Check::limits(
        limits(server),
        buckets.filter_map(|bucket| {
            let name = format!("the {} ({} per period)", bucket.bucket, thousands(bucket.limit));
            Some((name, bucket.remaining?.into(), bucket.limit.into()))
        }),
    )
}
