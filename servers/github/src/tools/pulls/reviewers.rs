//! Reviewers as arguments name them: logins, teams as `org/team`, and Copilot.

use connector::{
    Error, Result,
    catalog::{Call, one_line},
};

use crate::{GitHub, repo::Repo, resolve::naming};

/// Teams of an organization that are looked through.
const TEAMS: u32 = 100;

/// Copilot's login as the REST API takes it in a request for a review.
const COPILOT: &str = "copilot-pull-request-reviewer[bot]";

/// People and teams who are to review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reviewers {
    /// Logins.
    pub(super) people: Vec<String>,
    /// Slugs of teams of the repository's organization.
    pub(super) teams: Vec<String>,
}

impl Reviewers {
    /// The reviewers that names mean; `@me` is whoever calls.
    ///
    /// # Errors
    /// As [`Self::parse`], and as [`crate::api::Api::viewer`].
    pub(super) async fn named(call: &Call<GitHub>, repo: &Repo, names: &[String]) -> Result<Self> {
        let mut logins = names.to_vec();
        for name in logins.iter_mut().filter(|name| naming::is_me(name)) {
            *name = call.api().viewer().await?.login;
        }
        Self::parse(repo, &logins)
    }

    /// Reads names as people write them.
    ///
    /// # Errors
    /// `invalid_argument` for an empty name, or a team of another organization.
    fn parse(repo: &Repo, names: &[String]) -> Result<Self> {
        let mut reviewers = Self::default();
        for name in names {
            let name = name.trim().trim_start_matches('@');
            if name.is_empty() {
                return Err(Error::invalid("A reviewer's name is empty"));
            }
            let (list, name) = match name.split_once('/') {
                Some((organization, team)) if organization.eq_ignore_ascii_case(&repo.owner) => {
                    (&mut reviewers.teams, team.to_lowercase())
                }
                Some(_) => {
                    return Err(Error::invalid(format!(
                        "The team {} is not of {}, which owns the repository",
                        one_line(name),
                        repo.owner
                    ))
                    .with_hint("list_members gives its teams"));
                }
                None if name.eq_ignore_ascii_case("copilot") => (&mut reviewers.people, COPILOT.to_owned()),
                None => (&mut reviewers.people, name.to_owned()),
            };
            if !list.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
                list.push(name);
            }
        }
        Ok(reviewers)
    }

    /// Refuses those of whom GitHub lets nobody ask a review: the author, and who does not collaborate. What this
    /// token may not look up is left to GitHub.
    ///
    /// # Errors
    /// `invalid_argument` naming them all.
    pub(super) async fn check(&self, call: &Call<GitHub>, repo: &Repo, author: &str) -> Result<()> {
        let api = call.api();
        let people = self.people.iter().filter(|login| !login.ends_with("[bot]")).map(|login| async move {
            if login.eq_ignore_ascii_case(author) {
                return Some(format!("@{login} is the author"));
            }
            let collaborates = api.collaborates(repo, login).await.unwrap_or(true);
            (!collaborates).then(|| format!("@{} does not collaborate on {repo}", one_line(login)))
        });
        let mut wrong: Vec<String> = futures::future::join_all(people).await.into_iter().flatten().collect();
        if !self.teams.is_empty()
            && let Ok(listed) = api.teams(&repo.owner, TEAMS, None).await
            && listed.next.is_none()
        {
            let known = |slug: &String| listed.items.iter().any(|team| team.slug == *slug);
            let unknown = self.teams.iter().filter(|slug| !known(slug));
            wrong.extend(
                unknown.map(|slug| format!("{} has no team {} that you may see", repo.owner, one_line(slug))),
            );
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::invalid(format!("A review cannot be requested: {}", wrong.join("; "))).with_hint(
            "Nothing was sent. get_repo with include collaborators lists people, list_members teams",
        ))
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.teams.is_empty()
    }

    /// Every name as listings show it: a login, or `org/team`.
    pub(super) fn names(&self, repo: &Repo) -> Vec<String> {
        let teams = self.teams.iter().map(|team| format!("{}/{team}", repo.owner));
        self.people.iter().cloned().chain(teams).collect()
    }

    /// Keeps those whose name, as listings show it, is among `names` (or is not).
    pub(super) fn keep(&mut self, repo: &Repo, names: &[String], among: bool) {
        let is = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name)) == among;
        self.people.retain(|person| is(person));
        self.teams.retain(|team| is(&format!("{}/{team}", repo.owner)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(names: &[&str]) -> Result<Reviewers> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        Reviewers::parse(&Repo::parse("Acme/api").unwrap(), &names)
    }

    #[test]
    fn people_teams_and_copilot_are_told_apart() {
        let reviewers = parse(&["@maya", "acme/Imports", "Copilot", "MAYA"]).unwrap();
        assert_eq!(reviewers.people, ["maya", COPILOT]);
        assert_eq!(reviewers.teams, ["imports"]);
        assert!(parse(&["other/team"]).is_err() && parse(&[" "]).is_err());
    }
}
