//! People by their ids, for replies: looked up a few at once, never all of a workspace.

use std::collections::{BTreeMap, BTreeSet};

use connector::catalog::one_line;
use futures::{StreamExt as _, stream};

use super::reference::is_id;
use crate::api::{Api, types::User};

/// Requests under way at once.
const AT_ONCE: usize = 8;
/// The most people that one reply looks up; others stay ids, and the reply says so.
pub(crate) const MOST: usize = 40;

/// Names for the ids of people, and of the channels and user groups that texts name, as far as they could be found.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    names: BTreeMap<String, Name>,
    /// What channels and user groups are called, without a mark.
    others: BTreeMap<String, String>,
    /// How many ids Slack gave no name for.
    unresolved: usize,
    /// How many ids were not asked for, because they were too many.
    unasked: usize,
}

/// What somebody is called.
#[derive(Clone, Debug)]
struct Name {
    label: String,
    full: String,
}

impl People {
    /// The people with these ids. A name that cannot be had leaves the id: nobody is nameless.
    pub(crate) async fn of(api: &Api, ids: BTreeSet<String>, own_team: &str) -> Self {
        let asked = ids.len();
        let found: Vec<(String, Option<User>)> = stream::iter(ids.into_iter().take(MOST))
            .map(|id| {
                let api = api.clone();
                async move {
                    let user = api.user(&id).await.ok();
                    (id, user)
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut people = Self::default();
        for (id, user) in found {
            if let Some(user) = user {
                let full = user.full_name().to_owned();
                people.names.insert(id, Name { label: label(&user, own_team), full });
            }
        }
        people.unasked = asked.saturating_sub(MOST);
        people.unresolved = asked - people.unasked - people.names.len();
        people
    }

    /// Whoever has this id: a name, or the id itself.
    pub(crate) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.found(id).unwrap_or(id)
    }

    /// The name of whoever has this id, if it is known.
    pub(crate) fn found(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(|name| name.label.as_str())
    }

    /// Adds what channels and user groups are called, each with its id.
    pub(crate) fn know(&mut self, others: impl IntoIterator<Item = (String, String)>) {
        self.others.extend(others);
    }

    /// What the channel or user group of this id is called, or the id itself.
    pub(crate) fn thing(&self, id: &str) -> String {
        self.others.get(id).map_or_else(|| one_line(id), |name| one_line(name))
    }

    /// Whoever has this id, with the name that tells them from others: `@tomas (Tomás Herrera)`.
    pub(crate) fn described(&self, id: &str) -> String {
        let label = one_line(self.name(id));
        match self.names.get(id).map(|name| one_line(&name.full)) {
            Some(full) if full != label && !label.contains("[ext") => format!("@{label} ({full})"),
            _ => format!("@{label}"),
        }
    }

    /// These, and `others` whose names are good to have: of those who have none nothing is said.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.names.extend(others.names);
        self.others.extend(others.others);
        self
    }

    /// A word on those without a name.
    pub(crate) fn note(&self) -> String {
        let unresolved = match self.unresolved {
            0 => String::new(),
            1 => "1 person is shown by id: Slack gave no name".to_owned(),
            many => format!("{many} people are shown by id: Slack gave no names"),
        };
        match (unresolved.is_empty(), self.unasked) {
            (_, 0) => unresolved,
            (true, more) => format!("{more} people beyond {MOST} are shown by id"),
            (false, more) => format!("{unresolved}; {more} beyond {MOST} were not looked up"),
        }
    }

    #[cfg(test)]
    pub(crate) fn known(names: &[(&str, &str)]) -> Self {
        let name = |name: &str| Name { label: name.to_owned(), full: name.to_owned() };
        let names = names.iter().map(|(id, label)| ((*id).to_owned(), name(label))).collect();
        Self { names, ..Self::default() }
    }
}

/// What somebody is called in replies: the handle; of another organization, the full name and its id.
pub(crate) fn label(user: &User, own_team: &str) -> String {
    if is_foreign(user, own_team) {
        let team = if user.team_id.is_empty() { "" } else { " " };
        return format!("{} [ext{team}{}]", user.full_name(), user.team_id);
    }
    user.handle().to_owned()
}

/// Whether somebody is of another organization.
pub(crate) fn is_foreign(user: &User, own_team: &str) -> bool {
    user.is_stranger || (!user.team_id.is_empty() && !own_team.is_empty() && user.team_id != own_team)
}

/// Whether `id` is a user's.
pub(crate) fn is_user(id: &str) -> bool {
    is_id(id, &['U', 'W'])
}
