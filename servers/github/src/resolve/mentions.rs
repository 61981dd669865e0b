//! Who a text mentions, and so who would be told of it.

use connector::{
    Kind,
    catalog::{markdown, words::people},
};
use futures::future::join_all;

use crate::{GitHub, repo::Repo};

/// Names that are looked up one by one: each costs a request.
const LOOKED_UP: usize = 5;
/// Teams of an organization that are looked through.
const TEAMS: u32 = 100;

/// The people (`tomas`) and teams (`acme/imports`) that `text` mentions as GitHub reads it and that
/// `before` did not. Whether they exist and may see it, only GitHub knows. A login ends where no letter,
/// digit or hyphen follows; where an underscore follows, or a dot and more, nobody is mentioned
/// (github.com/gjtorikian/html-pipeline, `MentionFilter`).
pub(crate) fn mentions<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let is_login = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let mut found = markdown::mentioned(text, before, |c| c.is_ascii_alphanumeric() || "-/._".contains(c));
    found.retain(|name| name.split('/').count() <= 2 && name.split('/').all(is_login));
    found
}

/// Whom a text tells, and who is `assigned`, in words; none for nobody. Who was mentioned `before` is not told again.
/// Names are looked up: GitHub says nothing of a name that is nobody's.
pub(crate) async fn notified(
    server: &GitHub,
    repo: &Repo,
    assigned: &[String],
    text: &str,
    before: &str,
) -> Option<String> {
    let is_assigned = |name: &&str| assigned.iter().any(|login| login.eq_ignore_ascii_case(name));
    let named: Vec<&str> = mentions(text, before).into_iter().filter(|name| !is_assigned(name)).collect();
    let mut told: Vec<&str> = assigned.iter().map(String::as_str).collect();
    let (mut nobody, mut unsure) = (Vec::new(), Vec::new());
    let answers = exist(server, repo, &named).await;
    for (name, is_there) in named.into_iter().zip(answers) {
        match is_there {
            Some(true) => told.push(name),
            Some(false) => nobody.push(name),
            None => unsure.push(name),
        }
    }
    let parts = [("notifies", told), ("notifies, if they exist:", unsure), ("nobody is called", nobody)];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(words, names)| format!("{words} {}", people(&names)))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether there is somebody, or a team, of each name; none where that could not be learned.
async fn exist(server: &GitHub, repo: &Repo, names: &[&str]) -> Vec<Option<bool>> {
    if names.is_empty() {
        return Vec::new();
    }
    let api = server.api();
    let known = api.assignable(repo).await.map(|listed| listed.items).unwrap_or_default();
    let is_known = |name: &str| known.iter().any(|person| person.login.eq_ignore_ascii_case(name));
    let strangers = names.iter().filter(|name| !is_known(name)).take(LOOKED_UP).copied().collect::<Vec<_>>();
    let looked_up = join_all(strangers.iter().map(|name| async move {
        match name.split_once('/') {
            Some((organization, team)) => {
                let listed = api.teams(organization, TEAMS, None).await.ok()?;
                let is_there = listed.items.iter().any(|other| other.slug.eq_ignore_ascii_case(team));
                // What a list does not show, or not all of it, may be there.
                (is_there || listed.next.is_none()).then_some(is_there)
            }
            None => match api.is_organization(name).await {
                // An organization is nobody who is told.
                Ok(is_organization) => Some(!is_organization),
                Err(error) => (error.kind() == Kind::NotFound).then_some(false),
            },
        }
    }))
    .await;
    let answer = |name: &&str| {
        let place = strangers.iter().position(|other| other == name);
        if is_known(name) { Some(true) } else { looked_up.get(place?).copied().flatten() }
    };
    names.iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_teams_are_mentioned_but_not_in_code_or_addresses() {
        let body = "@tomas, see (@harbor-example/imports) and @Tomas.\nMail ops@harbor.example or `@decorator`.\n\
            ```rust\n@not_this\n```\n@priya- @a/b/c @-x";
        assert_eq!(mentions(body, ""), ["tomas", "harbor-example/imports", "priya"]);
        assert!(mentions("nobody@, @ and @@", "").is_empty());
    }

    #[test]
    fn a_name_with_a_dot_or_an_underscore_is_not_the_login_before_it() {
        assert!(mentions("@jonas.weber and @jonas_w", "").is_empty());
        assert_eq!(mentions("ask @jonas.", ""), ["jonas"]);
    }
}
