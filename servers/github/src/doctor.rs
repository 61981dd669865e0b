//! What `doctor` asks GitHub: whether the credential works, what it may do, what is left, and whether the
//! repositories of the settings are there.

use connector::{Check, Effect, Error, Kind, catalog::one_line, clock};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    GitHub,
    api::account::{Identity, Limit},
    credential::TO_SET,
    repo::Repo,
    scopes,
    tools::context::account::{self, Who, account_holders, limits_line, missing_scopes},
};

/// Days before its end from which a token is worth a warning.
const SOON: i64 = 14;

/// Looks at everything that a call needs, in the order in which it needs it.
pub(crate) async fn diagnose(server: &GitHub) -> Vec<Check> {
    let mut checks = vec![Check::credential(server.credential(), TO_SET)];
    let who = match account::who(server).await {
        Ok(who) => who,
        Err(error) => {
            checks.push(Check::refused(&error));
            let rest = ["rights", "limits", "reach", "accounts"];
            checks.extend(rest.map(|name| Check::skipped(name, "GitHub could not be asked")));
            return checks;
        }
    };
    let host = server.api().web().host_str().unwrap_or_default().to_owned();
    checks.push(Check::good(
        "server",
        match who.enterprise() {
            Some(version) => format!("{host}, GitHub Enterprise Server {}", one_line(version)),
            None => host,
        },
    ));
    checks.push(Check::good("account", who.headline()));
    checks.extend(rights(&who));
    let (limits, repo, accounts) =
        tokio::join!(server.api().limits(), default_repo(server), account_holders(server));
    checks.push(limits.map_or_else(|error| Check::failed("limits", &error), |limits| budgets(&limits)));
    checks.push(Check::good("reach", account::reach_line(server)));
    checks.extend(repo);
    checks.extend(accounts.into_iter().map(|(owners, who)| holder(&owners, who)));
    checks
}

/// What the credential may do, and how long it lasts.
fn rights(who: &Who) -> Vec<Check> {
    let told = who.rights();
    let mut checks = Vec::new();
    match who {
        Who::Person(Identity { scopes: Some(granted), .. }) => {
            let first = told.first().cloned().unwrap_or_default();
            checks.push(match missing_scopes(granted, true) {
                Some(missing) => Check::warning(
                    "rights",
                    format!("{first} {missing}"),
                    "Add the scopes at https://github.com/settings/tokens, or leave out the tools with --exclude-tools",
                ),
                None => Check::good("rights", first),
            });
            // Toolsets that must be asked for anyway are no fault of the token.
            let more = missing_scopes(granted, false);
            if let Some(more) = more.filter(|more| Some(more) != missing_scopes(granted, true).as_ref()) {
                checks.push(Check::good("toolsets", format!("With every toolset: {more}")));
            }
            if scopes::granted(granted).has_one_of(&["delete_repo", "admin:org"]) {
                checks.push(Check::warning(
                    "rights",
                    "The token may delete repositories or manage organizations, which no tool here does",
                    "Use a token with fewer scopes",
                ));
            }
        }
        _ => checks.push(Check::good("rights", told.join(" "))),
    }
    if let Who::Person(Identity { expires: Some(expires), .. }) = who {
        checks.push(end(expires));
    }
    checks
}

/// When the token ends: `2026-12-31 09:00:00 UTC`.
fn end(expires: &str) -> Check {
    let found = format!("The token is good until {}", one_line(expires));
    let day: Option<Date> = expires.get(..10).and_then(|day| day.parse().ok());
    let now = i64::try_from(clock::wall().as_secs()).ok().and_then(|now| Timestamp::from_second(now).ok());
    let left = day.zip(now).map(|(day, now)| (day - now.to_zoned(TimeZone::UTC).date()).get_days());
    match left {
        Some(days) if i64::from(days) < SOON => Check::warning(
            "expiry",
            found,
            "Make a new one before then at https://github.com/settings/tokens",
        ),
        _ => Check::good("expiry", found),
    }
}

fn budgets(limits: &[Limit]) -> Check {
    let each = limits.iter().map(|limit| (limit.name.to_owned(), limit.remaining, limit.limit));
    Check::limits(limits_line(limits), each)
}

/// Whether the repository is there that is meant where none is named, and what may be done in it.
async fn default_repo(server: &GitHub) -> Option<Check> {
    let repo = server.bounds().default_repo()?;
    Some(match server.api().access(repo).await {
        Err(error) if error.kind() == Kind::NotFound => Check::bad(
            "repository",
            format!("{repo} is not there, or the credential may not see it"),
            "Set GITHUB_REPO to one that it sees, or give the credential access to it",
        ),
        Err(error) => Check::failed("repository", &error),
        Ok(access) => {
            let moved = Repo::parse(&access.full_name).ok().filter(|found| !found.is(repo));
            let role =
                if access.role().is_empty() { "a role that GitHub does not tell" } else { access.role() };
            let state = if access.archived { ", archived: nothing can be written" } else { "" };
            let found = format!("{repo}: {role}, default branch {}{state}", one_line(&access.default_branch));
            match moved {
                Some(now) => Check::warning(
                    "repository",
                    format!("{found}; it is called {now} now"),
                    format!("Set GITHUB_REPO to {now}"),
                ),
                None if server.bounds().permits(repo, Effect::Write).is_err() => {
                    Check::good("repository", format!("{found}; not among those that may be written to"))
                }
                None => Check::good("repository", found),
            }
        }
    })
}

fn holder(owners: &str, who: Result<Who, Error>) -> Check {
    match who {
        Ok(who) => {
            let lines = who.rights().join(" ");
            Check::good("accounts", format!("{}: {}. {lines}", one_line(owners), who.headline()))
        }
        Err(error) => Check::bad(
            "accounts",
            format!("{}: {}", one_line(owners), error.message()),
            error.hint().unwrap_or("Look at GITHUB_ACCOUNTS").to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use connector::CheckState;

    use super::*;

    #[test]
    fn a_token_that_ends_soon_is_worth_a_warning() {
        let today = Timestamp::from_second(i64::try_from(clock::wall().as_secs()).unwrap()).unwrap();
        let in_days = |days: i64| {
            let day = today.to_zoned(TimeZone::UTC).date() + jiff::Span::new().days(days);
            end(&format!("{day} 09:00:00 UTC")).state
        };
        assert_eq!((in_days(3), in_days(60)), (CheckState::Warning, CheckState::Good));
        assert_eq!(end("some day").state, CheckState::Good);
    }
}
