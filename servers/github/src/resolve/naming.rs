//! Names that a write uses, checked before it is sent: GitHub makes unknown labels, and drops without a
//! word whom it does not know.

use std::borrow::Cow;

use connector::{
    Error, Kind, Result,
    catalog::{
        names::{Entry, Miss, find},
        one_line,
    },
};

use crate::{
    GitHub,
    api::{
        issues::{Named, Person},
        planning::{Label, Milestone},
    },
    repo::Repo,
};

/// How GitHub's coding agent is written as an assignee (docs.github.com, "Using Copilot to work on an issue").
const AGENT: &str = "copilot-swe-agent[bot]";

impl Entry for Label {
    const WHAT: &'static str = "label";

    fn id(&self) -> &str {
        ""
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn describe(&self) -> String {
        one_line(&self.name)
    }
}

impl Entry for Milestone {
    const WHAT: &'static str = "milestone";

    fn id(&self) -> &str {
        ""
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.title.as_str().into()]
    }

    fn describe(&self) -> String {
        one_line(&self.title)
    }
}

impl Entry for Person {
    const WHAT: &'static str = "assignee";

    fn id(&self) -> &str {
        &self.login
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.login.as_str().into()]
    }

    fn describe(&self) -> String {
        format!("@{}", one_line(&self.login))
    }
}

/// A type of issue.
struct Type(Named);

impl Entry for Type {
    const WHAT: &'static str = "type of issue";

    fn id(&self) -> &str {
        ""
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.0.name.as_str().into()]
    }

    fn describe(&self) -> String {
        one_line(&self.0.name)
    }
}

/// The labels that `names` mean, as `repo` spells them.
///
/// # Errors
/// `not_found` for one that it does not have, `invalid_argument` for the beginning of several.
pub(crate) async fn labels(server: &GitHub, repo: &Repo, names: &[String]) -> Result<Vec<String>> {
    find_labels(server, repo, names, |miss| miss).await
}

/// The same for labels that are to be set: a miss says how one is made.
///
/// # Errors
/// As [`labels`].
pub(crate) async fn labels_to_set(server: &GitHub, repo: &Repo, names: &[String]) -> Result<Vec<String>> {
    find_labels(server, repo, names, |miss| miss.made_by("manage_label")).await
}

async fn find_labels(
    server: &GitHub,
    repo: &Repo,
    names: &[String],
    told: impl Fn(Miss) -> Miss,
) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let listed = server.api().labels(repo).await?;
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let name = name.trim();
        let called = |label: &&Label| label.is_called(name);
        let spelled = match listed.items.iter().find(called) {
            Some(label) => label.name.clone(),
            // There are more than the list shows, so one of just this name comes before the beginning of another.
            None => match beyond(listed.next.is_some() && !name.is_empty(), server.api().label(repo, name))
                .await?
            {
                Some(label) => label.name,
                None => {
                    let found = find(name, &listed.items);
                    found.map_err(|miss| told(miss.place(format!("in {repo}"))))?.name.clone()
                }
            },
        };
        if !found.contains(&spelled) {
            found.push(spelled);
        }
    }
    Ok(found)
}

/// What is asked for one by one, where a list does not show all there are.
async fn beyond<T>(more: bool, one: impl Future<Output = Result<Option<T>>>) -> Result<Option<T>> {
    if more { one.await } else { Ok(None) }
}

/// The logins that `names` mean, of people to whom something in `repo` may be assigned. A login is no name: its
/// beginning may be the login of somebody else.
///
/// # Errors
/// `not_found` for somebody to whom it may not.
pub(crate) async fn assignees(server: &GitHub, repo: &Repo, names: &[String]) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let listed = server.api().assignable(repo).await?;
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let login = login(server, name).await?;
        let same = |person: &&Person| person.login.eq_ignore_ascii_case(&login);
        let spelled = match listed.items.iter().find(same) {
            Some(person) => person.login.clone(),
            // Whether the agent is there shows when it is assigned.
            None if login == AGENT => login,
            None if listed.next.is_some() && server.api().is_assignable(repo, &login).await? => login,
            None => return Err(not_assignable(&login, &listed.items, repo)),
        };
        if !found.contains(&spelled) {
            found.push(spelled);
        }
    }
    Ok(found)
}

/// The error for a login to which nothing may be assigned.
fn not_assignable(login: &str, known: &[Person], repo: &Repo) -> Error {
    match find(login, known) {
        Ok(near) => Error::not_found(format!("There is no assignee `{}` in {repo}", one_line(login)))
            .with_hint(format!("Did you mean {}?", near.describe())),
        Err(miss) => miss.place(format!("in {repo}")).into_error(),
    }
}

/// A login as people write it: `@me` is whoever calls, `copilot` GitHub's coding agent.
///
/// # Errors
/// As [`crate::api::Api::viewer`], for `@me`.
pub(crate) async fn login(server: &GitHub, name: &str) -> Result<String> {
    match account(server, Some(name)).await? {
        Some(login) if login.eq_ignore_ascii_case("copilot") => Ok(AGENT.to_owned()),
        login => Ok(login.unwrap_or_default()),
    }
}

/// The login of a person or an organization as people write it, if one is given: `@me` is whoever calls.
///
/// # Errors
/// As [`crate::api::Api::viewer`], for `@me`.
pub(crate) async fn account(server: &GitHub, name: Option<&str>) -> Result<Option<String>> {
    let name = name.map(|name| name.trim().trim_start_matches('@')).filter(|name| !name.is_empty());
    match name {
        Some(name) if is_me(name) => Ok(Some(server.api().viewer().await?.login)),
        name => Ok(name.map(str::to_owned)),
    }
}

/// Whether a name means whoever calls.
pub(crate) fn is_me(name: &str) -> bool {
    name.trim().trim_start_matches('@').eq_ignore_ascii_case("me")
}

/// Refuses a login that is nobody's, where an empty list would hide it. What cannot be looked up passes.
///
/// # Errors
/// `not_found`.
pub(crate) async fn exists(server: &GitHub, argument: &str, login: &str) -> Result<()> {
    // An app is found by another name than its login.
    if login.ends_with("[bot]") || login.starts_with("app/") {
        return Ok(());
    }
    match server.api().is_organization(login).await {
        Err(error) if error.kind() == Kind::NotFound => {
            Err(Error::not_found(format!("`{argument}`: GitHub has no account {}", one_line(login))))
        }
        _ => Ok(()),
    }
}

/// Refuses a branch that is not there, where an empty list would hide it. What cannot be looked up passes.
///
/// # Errors
/// `not_found`.
pub(crate) async fn branch(server: &GitHub, repo: &Repo, argument: &str, name: &str) -> Result<()> {
    if !matches!(server.api().branch(repo, name).await, Ok(None)) {
        return Ok(());
    }
    Err(Error::not_found(format!("`{argument}`: {repo} has no branch {}", one_line(name)))
        .with_hint("list_refs gives the branches"))
}

/// The milestone that `name` means: its title, or else its number, or else the beginning of only one title.
///
/// # Errors
/// `not_found` if `repo` has none of this name, `invalid_argument` for the beginning of several.
pub(crate) async fn milestone(server: &GitHub, repo: &Repo, name: &str) -> Result<Milestone> {
    let name = name.trim();
    let listed = server.api().milestones(repo).await?;
    let number = name.strip_prefix('#').unwrap_or(name);
    let called = listed.items.iter().find(|found| found.is_called(name));
    if let Some(found) = called.or_else(|| listed.items.iter().find(|found| found.number == number)) {
        return Ok(found.clone());
    }
    if listed.next.is_some()
        && let Ok(number) = number.parse()
        && let Some(found) = server.api().milestone(repo, number).await?
    {
        return Ok(found);
    }
    Ok(find(name, &listed.items).map_err(|miss| miss.place(format!("in {repo}")))?.clone())
}

/// The type of issue that `name` means, as GitHub spells it.
///
/// # Errors
/// `not_found` if `repo` has none of this name, `invalid_argument` if it has no types at all.
pub(crate) async fn issue_type(server: &GitHub, repo: &Repo, name: &str) -> Result<String> {
    let types = server.api().issue_types(repo).await?.unwrap_or_default();
    if types.is_empty() {
        return Err(
            Error::invalid(format!("The issues of {repo} have no types")).with_hint("Leave `type` out")
        );
    }
    let types: Vec<Type> = types.into_iter().map(Type).collect();
    let found = find(name, &types).map_err(|miss| miss.place(format!("in {repo}")))?;
    Ok(found.0.name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobody_is_assigned_for_the_beginning_of_a_login() {
        let repo = Repo::parse("octo/cat").unwrap();
        let known: Vec<Person> =
            connector::tolerant::from_value(json!([{"login": "maya"}, {"login": "tomas"}])).unwrap();
        let says = |login| not_assignable(login, &known, &repo).for_agent();
        assert_eq!(
            says("tomass"),
            "not_found: There is no assignee `tomass` in octo/cat. Did you mean @tomas?"
        );
        assert_eq!(says("tom"), "not_found: There is no assignee `tom` in octo/cat. Did you mean @tomas?");
        assert_eq!(says("zz"), "not_found: There is no assignee `zz` in octo/cat. There is: @maya, @tomas.");
    }
}
