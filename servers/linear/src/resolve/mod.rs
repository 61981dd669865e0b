//! From the words people use (keys, names, e-mail addresses, URLs) to Linear's ids.
//!
//! Directories are read whole and kept for ten minutes; a name that is not found makes its directory
//! be read once more, because it may be new. A word is tried as an id, then as an exact name in any
//! case, then as the beginning of just one name. What fits nothing, or more than one thing, is an
//! error that lists the candidates: a guess could write to the wrong place.

pub(crate) mod documents;
mod entries;
pub(crate) mod initiatives;
mod mentions;
pub(crate) mod projects;
mod reference;

use std::fmt;

use connector::{
    Error, Kind, Result,
    catalog::{
        names::{Directories, Reading, listed},
        one_line,
    },
};
use serde_json::json;

use crate::{
    api::{
        Api,
        issues::Issue,
        names::{
            Cycle, Directory, Label, Named, Person, Project, State, Status, Team, TeamRef, Template, View,
        },
    },
    render,
};

pub(crate) use connector::catalog::names::{Entry, Miss, find};
pub(crate) use mentions::Mentioned;
use reference::workspace_of_url;
pub(crate) use reference::{IssueKey, is_uuid, slug_of_url};

/// Cycles that an error names, the newest first.
const CYCLES: usize = 5;

/// The directories of a workspace.
pub(crate) struct Names {
    api: Api,
    /// The team to use where none is named.
    default_team: Option<String>,
    directories: Directories,
}

impl Names {
    pub(crate) fn new(api: Api, default_team: Option<String>) -> Self {
        Self { api, default_team, directories: Directories::default() }
    }

    /// Everything in one directory.
    pub(crate) async fn all<T: Directory>(&self) -> Result<Vec<T>> {
        T::read(&self.api).await
    }

    /// The team that is meant where none is named, as it was configured.
    pub(crate) fn default_team(&self) -> Option<&str> {
        self.default_team.as_deref()
    }

    /// Fails if `wanted` is an address of another workspace or host: what it names is not ours, even where
    /// something of ours is called the same.
    ///
    /// # Errors
    /// `invalid_argument`, saying which workspace this server serves; as [`Api::who_am_i`].
    pub(crate) async fn is_ours(&self, wanted: &str) -> Result<()> {
        let Some(given) = workspace_of_url(wanted) else { return Ok(()) };
        let own = self.api.who_am_i().await?.organization;
        if given.eq_ignore_ascii_case(&format!("linear.app/{}", own.url_key)) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "The address is of `{}`, and this server serves the workspace {} (linear.app/{})",
            one_line(&given),
            one_line(&own.name),
            own.url_key
        ))
        .with_hint("Nothing was read or written. Give an address of this workspace, a name or an id"))
    }

    /// The issue that `wanted` names, as [`IssueKey::parse`] reads it.
    ///
    /// # Errors
    /// As [`Self::is_ours`] and [`IssueKey::parse`].
    pub(crate) async fn issue_key(&self, wanted: &str) -> Result<IssueKey> {
        self.is_ours(wanted).await?;
        IssueKey::parse(wanted, self.default_team())
    }

    /// The team `wanted`: its key, name or id.
    pub(crate) async fn team(&self, wanted: &str) -> Result<Team> {
        self.one(wanted, |_| true).await
    }

    /// The team `wanted`, or else the configured one.
    pub(crate) async fn team_or_default(&self, wanted: Option<&str>) -> Result<Team> {
        match wanted.or(self.default_team()) {
            Some(wanted) => self.team(wanted).await,
            None => {
                let teams: Vec<Team> = self.all().await?;
                match <[Team; 1]>::try_from(teams) {
                    Ok([only]) => Ok(only),
                    Err(teams) => Err(Error::invalid("`team` is missing, and no default team is configured")
                        .with_hint(format!("Teams: {}", listed(&teams)))),
                }
            }
        }
    }

    /// The state `wanted` of the team with the id `team`: its name or id, else a word for its type
    /// (`done`, `started`), which means the first state of that type.
    pub(crate) async fn state(&self, wanted: &str, team: &Team) -> Result<State> {
        let in_team = |state: &State| state.team.id == team.id;
        let error = match self.one::<State>(wanted, in_team).await {
            Ok(state) => return Ok(state),
            Err(error) => error,
        };
        let mut states: Vec<State> = self.all().await?;
        let Some(kind) = state_kind(wanted) else {
            let own: Vec<State> = states.iter().filter(|state| in_team(state)).cloned().collect();
            return Err(match find(wanted, &own) {
                Err(miss) => elsewhere(miss.place(format!("in {}", team.key)), wanted, &states),
                Ok(_) => error,
            });
        };
        states.retain(|state| in_team(state) && state.kind == kind);
        states.sort_by(|a, b| a.position.unwrap_or(f64::MAX).total_cmp(&b.position.unwrap_or(f64::MAX)));
        states.into_iter().next().ok_or(error)
    }

    /// The label `wanted` that an issue of the team with the id `team` can have: its name, or
    /// `group/name`, or its id. A team's own label comes before the workspace's of the same name.
    pub(crate) async fn label(&self, wanted: &str, team: &Team) -> Result<Label> {
        let usable = |label: &Label| {
            label.retired_at.is_none() && label.team.as_ref().is_none_or(|owner| owner.id == team.id)
        };
        let own = |label: &Label| usable(label) && label.team.is_some();
        let labels: Vec<Label> = self.all().await?;
        let owned: Vec<Label> = labels.iter().filter(|label| own(label)).cloned().collect();
        let label = match find(wanted, &owned) {
            Ok(label) if label.is_called(wanted) => label.clone(),
            _ => match self.one::<Label>(wanted, usable).await {
                Ok(label) => label,
                Err(error) => {
                    let labels: Vec<Label> = self.all().await?;
                    let usable: Vec<Label> = labels.iter().filter(|label| usable(label)).cloned().collect();
                    return Err(match find(wanted, &usable) {
                        Err(miss) => elsewhere(
                            miss.place(format!("in {}", team.key)).made_by("save_label"),
                            wanted,
                            &labels,
                        ),
                        Ok(_) => error,
                    });
                }
            },
        };
        if label.is_group {
            let members: Vec<Label> = labels
                .into_iter()
                .filter(|other| other.parent.as_ref().is_some_and(|parent| parent.id == label.id))
                .collect();
            return Err(Error::invalid(format!(
                "`{}` is a group of labels, and an issue cannot have it",
                label.name
            ))
            .with_hint(format!("Its labels: {}", listed(&members))));
        }
        Ok(label)
    }

    /// The person `wanted`: `me`, a display name (with or without `@`), name, last name, e-mail address or id.
    ///
    /// # Errors
    /// `invalid_argument` for one who is disabled; as [`Directories::find`].
    pub(crate) async fn person(&self, wanted: &str) -> Result<Person> {
        if is_me(wanted) {
            return Ok(self.api.who_am_i().await?.viewer);
        }
        let wanted = wanted.trim().trim_start_matches('@');
        match self.one(wanted, Person::is_active).await {
            Err(error) if error.kind() == Kind::NotFound => {
                Err(self.disabled(wanted).await?.unwrap_or(error))
            }
            found => found,
        }
    }

    /// What to say of `wanted`, who is nobody active, if it is somebody who is not.
    async fn disabled(&self, wanted: &str) -> Result<Option<Error>> {
        let mut people: Vec<Person> = self.all().await?;
        people.retain(|person| !person.is_active());
        Ok(find(wanted, &people).ok().map(|person| {
            Error::invalid(format!("{} is disabled, so nothing can be given to them", person.describe()))
                .with_hint("Nothing was written. Name somebody else: list_users shows the active people")
        }))
    }

    /// The person `wanted`, be it one whom no work can be given to any more.
    pub(crate) async fn anybody(&self, wanted: &str) -> Result<Person> {
        if is_me(wanted) {
            return Ok(self.api.who_am_i().await?.viewer);
        }
        self.one(wanted, |_| true).await
    }

    /// The issue of `key`, also by an identifier that it had before it moved.
    pub(crate) async fn issue(&self, key: &IssueKey) -> Result<Issue> {
        self.api.issue_state(&key.to_id()).await.map_err(|error| absent(error, key))
    }

    /// The project `wanted`: its name, the id in its address, its address or its id.
    pub(crate) async fn project(&self, wanted: &str) -> Result<Project> {
        self.is_ours(wanted).await?;
        self.one(&slug_of_url(wanted, "project").unwrap_or_else(|| wanted.to_owned()), |_| true).await
    }

    /// The state of projects `wanted`: its name, type or id.
    pub(crate) async fn status(&self, wanted: &str) -> Result<Status> {
        self.one(wanted, |_| true).await
    }

    /// The saved view `wanted`: its name, the id in its address, its address or its id.
    pub(crate) async fn view(&self, wanted: &str) -> Result<View> {
        self.is_ours(wanted).await?;
        self.one(&slug_of_url(wanted, "view").unwrap_or_else(|| wanted.to_owned()), |_| true).await
    }

    /// The template `wanted` for things of `kind` (`issue`): its name or id.
    pub(crate) async fn template(&self, wanted: &str, kind: &str, team: &Team) -> Result<Template> {
        let fits = |template: &Template| {
            template.kind == kind && template.team.as_ref().is_none_or(|owner| owner.id == team.id)
        };
        self.one(wanted, fits).await
    }

    /// The cycle `wanted` of a team: `current`, `next`, `previous`, its number, name or id.
    pub(crate) async fn cycle(&self, wanted: &str, team: &Team) -> Result<Cycle> {
        let wanted = wanted.trim();
        let mut filter = if is_uuid(wanted) {
            json!({"id": {"eq": wanted}})
        } else {
            json!({"and": [crate::filter::cycle(wanted)]})
        };
        filter["team"] = json!({"id": {"eq": team.id}});
        let mut found = self.api.find_cycles(filter, 2).await?;
        match (found.pop(), found.pop()) {
            (Some(cycle), None) => Ok(cycle),
            (Some(_), Some(_)) => {
                Err(Error::invalid(format!("More than one cycle of {} is called `{wanted}`", team.key))
                    .with_hint("Use its number"))
            }
            (None, _) if !team.cycles_enabled => {
                Err(Error::not_found(format!("The team {} does not use cycles", team.key)))
            }
            (None, _) => {
                let error = Error::not_found(format!("The team {} has no cycle `{wanted}`", team.key));
                let there = self.cycles_of(team).await?;
                Err(error.with_hint(if there.is_empty() {
                    "It has no cycles yet".to_owned()
                } else {
                    format!("Use current, next, previous or a number; it has {}", there.join(", "))
                }))
            }
        }
    }

    /// The newest cycles of a team, each with its number, name and dates.
    async fn cycles_of(&self, team: &Team) -> Result<Vec<String>> {
        let mut all = self.api.find_cycles(json!({"team": {"id": {"eq": team.id}}}), 50).await?;
        all.sort_by(|a, b| b.number.unwrap_or_default().total_cmp(&a.number.unwrap_or_default()));
        let told = all.iter().take(CYCLES).map(|cycle| {
            let name = cycle.name.as_deref().map(one_line).filter(|name| !name.is_empty());
            let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
            let zone = team.timezone.as_deref();
            let dates = render::dates(cycle.starts_at.as_deref(), cycle.ends_at.as_deref(), zone);
            format!("{}{name}{dates}", cycle.number.unwrap_or_default())
        });
        Ok(told.collect())
    }

    /// Fails unless one of `teams`, or of all teams where there are none, has the cycle `wanted`.
    pub(crate) async fn cycle_of_any(&self, wanted: &str, teams: &[Team]) -> Result<()> {
        if teams.is_empty() {
            return match self.api.find_cycles(crate::filter::cycle(wanted), 1).await?.is_empty() {
                false => Ok(()),
                true => Err(Error::not_found(format!("No team has a cycle `{}`", one_line(wanted)))
                    .with_hint("Use current, next, previous or a number; list_cycles shows those of a team")),
            };
        }
        let mut missing = None;
        for team in teams {
            match self.cycle(wanted, team).await {
                Err(error) if error.kind() == Kind::NotFound => missing = missing.or(Some(error)),
                found => return found.map(drop),
            }
        }
        missing.map_or(Ok(()), Err)
    }

    /// The milestone `wanted` of a project: its name or id.
    pub(crate) async fn milestone(&self, wanted: &str, project: &Named) -> Result<Named> {
        let milestones = self.api.milestones_of(&project.id).await?;
        Ok(find(wanted, &milestones)?.clone())
    }

    /// The one entry of a directory that is meant by `wanted`, among those that `fit`.
    async fn one<T: Directory + Entry>(&self, wanted: &str, fit: impl Fn(&T) -> bool) -> Result<T> {
        let (api, fit) = (&self.api, &fit);
        let read = |reading| async move {
            if reading == Reading::Anew {
                api.invalidate(&[T::TAG]);
            }
            Ok(T::read(api).await?.into_iter().filter(|entry| fit(entry)).collect())
        };
        self.directories.find(T::TAG, wanted, read).await
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("default_team", &self.default_team).finish_non_exhaustive()
    }
}

/// What belongs to a team, so that another team's is not there for an issue.
pub(crate) trait OfTeam: Entry {
    /// Its team; none for what belongs to the workspace.
    fn team(&self) -> Option<&TeamRef>;

    /// Whether it can be used no more.
    fn is_retired(&self) -> bool {
        false
    }
}

impl OfTeam for State {
    fn team(&self) -> Option<&TeamRef> {
        Some(&self.team)
    }
}

impl OfTeam for Label {
    fn team(&self) -> Option<&TeamRef> {
        self.team.as_ref()
    }

    fn is_retired(&self) -> bool {
        self.retired_at.is_some()
    }
}

/// The error for `wanted`, which a `miss` did not find where it was looked for: if it is among `all`, of
/// other teams or retired, it says so.
pub(crate) fn elsewhere<T: OfTeam>(miss: Miss, wanted: &str, all: &[T]) -> Error {
    let is_unknown = miss.is_unknown();
    let error = miss.into_error();
    let called: Vec<&T> = all.iter().filter(|entry| is_unknown && entry.is_called(wanted)).collect();
    let mut teams: Vec<&str> = called
        .iter()
        .filter(|entry| !entry.is_retired())
        .filter_map(|entry| entry.team())
        .map(|team| team.key.as_str())
        .collect();
    teams.sort_unstable();
    teams.dedup();
    if !teams.is_empty() {
        let what = T::WHAT;
        let (teams, has) = (teams.join(", "), if teams.len() == 1 { "has" } else { "have" });
        return error.with_hint(format!("{teams} {has} a {what} of this name, good only for issues there"));
    }
    match called.iter().any(|entry| entry.is_retired()) {
        true => error.with_hint(
            "There is one of this name, but it is retired; a person can restore it in Linear's settings",
        ),
        false => error,
    }
}

/// "Not found" in words that name what was asked for.
pub(crate) fn absent(error: Error, key: &IssueKey) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("Linear has no issue {key}"))
        .with_hint("It does not exist, or this credential cannot see it; search finds issues by words")
}

/// Whether `wanted` means the person whose credential it is.
pub(crate) fn is_me(wanted: &str) -> bool {
    matches!(wanted.trim().to_lowercase().as_str(), "me" | "@me" | "myself")
}

/// The state type that a word stands for.
pub(crate) fn state_kind(word: &str) -> Option<&'static str> {
    Some(match word.trim().to_lowercase().replace([' ', '_', '-'], "").as_str() {
        "triage" => "triage",
        "backlog" => "backlog",
        "unstarted" | "todo" => "unstarted",
        "started" | "inprogress" => "started",
        "completed" | "done" => "completed",
        "canceled" | "cancelled" => "canceled",
        "duplicate" => "duplicate",
        _ => return None,
    })
}
