//! Names that a write uses, checked before it is sent: GitHub makes unknown labels, and drops without a
//! word whom it does not know.

use connector::{
    Error, Kind, Result,
    catalog::{nearest, one_line},
};

use crate::{GitHub, api::planning::Milestone, repo::Repo};

/// Names that an error lists, at most.
const LISTED: usize = 30;
/// How GitHub's coding agent is written as an assignee (docs.github.com, "Using Copilot to work on an issue").
const AGENT: &str = "copilot-swe-agent[bot]";

/// The labels that `names` mean, as `repo` spells them.
///
/// # Errors
/// `invalid_argument` for one that it does not have.
pub(crate) async fn labels(server: &GitHub, repo: &Repo, names: &[String]) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let listed = server.api().labels(repo).await?;
    let known: Vec<&str> = listed.items.iter().map(|label| label.name.as_str()).collect();
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let name = name.trim();
        let spelled = match known.iter().find(|known| known.to_lowercase() == name.to_lowercase()) {
            Some(known) => (*known).to_owned(),
            // There are more than the list shows.
            None if listed.next.is_some() && !name.is_empty() => {
                match server.api().label(repo, name).await? {
                    Some(label) => label.name,
                    None => return Err(unknown("label", name, repo, &known)),
                }
            }
            None => return Err(unknown("label", name, repo, &known)),
        };
        if !found.contains(&spelled) {
            found.push(spelled);
        }
    }
    Ok(found)
}

/// The logins that `names` mean, of people to whom something in `repo` may be assigned.
///
/// # Errors
/// `invalid_argument` for somebody to whom it may not.
pub(crate) async fn assignees(server: &GitHub, repo: &Repo, names: &[String]) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let listed = server.api().assignable(repo).await?;
    let known: Vec<&str> = listed.items.iter().map(|person| person.login.as_str()).collect();
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let login = login(server, name).await?;
        let spelled = match known.iter().find(|known| known.eq_ignore_ascii_case(&login)) {
            Some(known) => (*known).to_owned(),
            // Whether the agent is there shows when it is assigned.
            None if login == AGENT => login,
            None if listed.next.is_some() && server.api().is_assignable(repo, &login).await? => login,
            None => {
                return Err(unknown("assignee", &login, repo, &known));
            }
        };
        if !found.contains(&spelled) {
            found.push(spelled);
        }
    }
    Ok(found)
}

/// A login as people write it: `@me` is whoever calls, `copilot` GitHub's coding agent.
///
/// # Errors
/// As [`crate::api::Api::viewer`], for `@me`.
pub(crate) async fn login(server: &GitHub, name: &str) -> Result<String> {
    let name = name.trim();
    match name.trim_start_matches('@') {
        "me" => Ok(server.api().viewer().await?.login),
        login if login.eq_ignore_ascii_case("copilot") => Ok(AGENT.to_owned()),
        login => Ok(login.to_owned()),
    }
}

/// The milestone that `name` means: its title, or else its number.
///
/// # Errors
/// `invalid_argument` if `repo` has none of this name.
pub(crate) async fn milestone(server: &GitHub, repo: &Repo, name: &str) -> Result<Milestone> {
    let name = name.trim();
    let listed = server.api().milestones(repo).await?;
    let number = name.strip_prefix('#').unwrap_or(name);
    let is = |found: &&Milestone| found.title.trim().to_lowercase() == name.to_lowercase();
    let found =
        listed.items.iter().find(is).or_else(|| listed.items.iter().find(|found| found.number == number));
    if let Some(found) = found {
        return Ok(found.clone());
    }
    if listed.next.is_some()
        && let Ok(number) = number.parse()
        && let Some(found) = server.api().milestone(repo, number).await?
    {
        return Ok(found);
    }
    let known: Vec<&str> = listed.items.iter().map(|milestone| milestone.title.as_str()).collect();
    Err(unknown("milestone", name, repo, &known))
}

/// The type of issue that `name` means, as GitHub spells it.
///
/// # Errors
/// `invalid_argument` if `repo` has none of this name, or no types at all.
pub(crate) async fn issue_type(server: &GitHub, repo: &Repo, name: &str) -> Result<String> {
    let name = name.trim();
    let types = server.api().issue_types(repo).await?.unwrap_or_default();
    if types.is_empty() {
        return Err(
            Error::invalid(format!("The issues of {repo} have no types")).with_hint("Leave `type` out")
        );
    }
    let known: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
    known
        .iter()
        .find(|known| known.to_lowercase() == name.to_lowercase())
        .map(|known| (*known).to_owned())
        .ok_or_else(|| unknown("type", name, repo, &known))
}

/// The error for a name that `repo` does not know: it lists the nearest, or what there is.
fn unknown(what: &str, name: &str, repo: &Repo, known: &[&str]) -> Error {
    let name = one_line(name);
    let error = Error::new(
        Kind::InvalidArgument,
        match what {
            "assignee" => format!("Nothing in {repo} can be assigned to `{name}`"),
            "type" => format!("The issues of {repo} have no type `{name}`"),
            _ => format!("{repo} has no {what} `{name}`"),
        },
    );
    if let Some(near) = nearest(&name, known.iter().copied()) {
        return error.with_hint(format!("Did you mean `{}`?", one_line(near)));
    }
    if known.is_empty() {
        return error.with_hint("There is none");
    }
    let mut names: Vec<String> = known.iter().take(LISTED).map(|name| one_line(name)).collect();
    if known.len() > LISTED {
        names.push(format!("and {} more", known.len() - LISTED));
    }
    error.with_hint(format!("There is: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_nearest_or_what_there_is() {
        let repo = Repo::parse("octo/cat").unwrap();
        let says = |what, name, known: &[&str]| unknown(what, name, &repo, known).for_agent();
        assert_eq!(
            says("label", "docs", &["bug", "documentation"]),
            "invalid_argument: octo/cat has no label `docs`. There is: bug, documentation."
        );
        assert_eq!(
            says("assignee", "tomass", &["maya", "tomas"]),
            "invalid_argument: Nothing in octo/cat can be assigned to `tomass`. Did you mean `tomas`?"
        );
        let many: Vec<String> = (0..40).map(|number| format!("{number}{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(says("milestone", "zz", &many).ends_with("2929, and 10 more."));
        assert!(says("type", "Bug", &[]).ends_with("There is none."));
    }
}
