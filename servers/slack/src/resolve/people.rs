//! People by their ids, for replies: looked up a few at once, never all of a workspace.

use std::collections::{BTreeMap, BTreeSet};

use connector::{Kind, Result, catalog::one_line};
use futures::{StreamExt as _, stream};

use super::reference::is_id;
use crate::api::{
    Api,
    types::{Identity, User},
};

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
    /// How many ids Slack has no name for.
    unresolved: usize,
    /// How many names could not be asked for.
    not_had: usize,
    /// How many ids were not asked for, because they were too many.
    unasked: usize,
}

/// What somebody is called.
#[derive(Clone, Debug)]
struct Name {
    label: String,
    full: String,
    /// Whether it is an app's.
    bot: bool,
    /// The workspace of somebody who is no stranger, wherever they wrote.
    team: String,
}

impl People {
    /// The people with these ids. A name that cannot be had leaves the id: nobody is nameless.
    pub(crate) async fn of(api: &Api, ids: BTreeSet<String>, me: &Identity) -> Self {
        let asked = ids.len();
        let found: Vec<(String, Result<User>)> = stream::iter(ids.into_iter().take(MOST))
            .map(|id| {
                let api = api.clone();
                async move {
                    let user = api.user(&id).await;
                    (id, user)
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut people = Self { unasked: asked.saturating_sub(MOST), ..Self::default() };
        for (id, user) in found {
            match user {
                Ok(user) => people.add(id, &user, me),
                Err(error) if error.kind() == Kind::NotFound => people.unresolved += 1,
                Err(_) => people.not_had += 1,
            }
        }
        people
    }

    /// The people of a page that was read.
    pub(crate) fn from_users(users: Vec<User>, me: &Identity) -> Self {
        let mut people = Self::default();
        for user in users {
            people.add(user.id.clone(), &user, me);
        }
        people
    }

    fn add(&mut self, id: String, user: &User, me: &Identity) {
        let (label, full) = (label(user, me), user.full_name().to_owned());
        let team = if is_foreign(user, me) { String::new() } else { user.team_id.clone() };
        self.names.insert(id, Name { label, full, bot: user.is_bot, team });
    }

    /// Whoever has this id: a name, or the id itself.
    pub(crate) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.found(id).unwrap_or(id)
    }

    /// The name of whoever has this id, if it is known.
    pub(crate) fn found(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(|name| name.label.as_str())
    }

    /// The name of whoever has this id, if they are known to be no app.
    pub(crate) fn person(&self, id: &str) -> Option<&str> {
        self.names.get(id).filter(|name| !name.bot).map(|name| name.label.as_str())
    }

    /// Whether `team` is known as the workspace of whoever has this id, who is no stranger.
    pub(crate) fn is_colleague(&self, id: &str, team: &str) -> bool {
        self.names.get(id).is_some_and(|name| name.team == team)
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
        let people = |count: usize| {
            if count == 1 { "1 person is".to_owned() } else { format!("{count} people are") }
        };
        let mut notes = Vec::new();
        if self.unresolved > 0 {
            let names = if self.unresolved == 1 { "name" } else { "names" };
            notes.push(format!("{} shown by id: Slack gave no {names}", people(self.unresolved)));
        }
        if self.not_had > 0 {
            notes.push(format!("{} shown by id: Slack could not be asked just now", people(self.not_had)));
        }
        match (notes.is_empty(), self.unasked) {
            (_, 0) => {}
            (true, more) => notes.push(format!("{more} people beyond {MOST} are shown by id")),
            (false, more) => notes.push(format!("{more} beyond {MOST} were not looked up")),
        }
        notes.join("; ")
    }

    /// Those of these names; apps are marked `[bot]`.
    #[cfg(test)]
    pub(crate) fn known(names: &[(&str, &str)]) -> Self {
        let name = |name: &str| Name {
            label: name.to_owned(),
            full: name.to_owned(),
            bot: name.ends_with("[bot]"),
            team: String::new(),
        };
        let names = names.iter().map(|(id, label)| ((*id).to_owned(), name(label))).collect();
        Self { names, ..Self::default() }
    }
}

/// What somebody is called in replies: the handle; of another organization, the full name and its id.
pub(crate) fn label(user: &User, me: &Identity) -> String {
    if is_foreign(user, me) {
        let team = if user.team_id.is_empty() { "" } else { " " };
        return format!("{} [ext{team}{}]", user.full_name(), user.team_id);
    }
    user.handle().to_owned()
}

/// Whether somebody is of another organization: on Enterprise Grid a colleague of another workspace is not.
pub(crate) fn is_foreign(user: &User, me: &Identity) -> bool {
    let colleague = !me.enterprise_id.is_empty() && user.enterprise_user.enterprise_id == me.enterprise_id;
    !colleague && (user.is_stranger || me.is_elsewhere(&user.team_id))
}

/// Whether `id` is a user's.
pub(crate) fn is_user(id: &str) -> bool {
    is_id(id, &['U', 'W'])
}
