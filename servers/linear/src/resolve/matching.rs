//! Finding the one thing that a word means.

use std::{borrow::Cow, cmp::Ordering};

use connector::{Error, Kind, catalog::one_line};

use super::is_uuid;
use crate::api::names::{Label, Named, Person, Project, State, Status, Team, Template, View};

/// How many candidates an error lists.
const CANDIDATES: usize = 8;

/// Something that is found by what it is called.
pub(crate) trait Entry: Clone {
    /// What it is, in one word for people.
    const WHAT: &'static str;

    /// Its id.
    fn id(&self) -> &str;

    /// Everything it is called by.
    fn names(&self) -> Vec<Cow<'_, str>>;

    /// How an error shows it, so that it can be told from others.
    fn shown(&self) -> String;

    /// Whether `wanted` is one of its names, in any case.
    fn matches_exactly(&self, wanted: &str) -> bool {
        let wanted = fold(wanted);
        self.names().iter().any(|name| !name.is_empty() && fold(name) == wanted)
    }
}

/// Why nothing was found.
#[derive(Debug)]
pub(crate) struct Miss {
    what: &'static str,
    wanted: String,
    several: bool,
    candidates: Vec<String>,
    left: usize,
}

impl Miss {
    /// Whether the word fits nothing, rather than too much.
    pub(super) fn is_unknown(&self) -> bool {
        !self.several
    }

    /// What the agent is told.
    pub(crate) fn into_error(self) -> Error {
        let wanted = one_line(&self.wanted);
        let mut listed = self.candidates.join(", ");
        if self.left > 0 {
            listed.push_str(&format!(" and {} more", self.left));
        }
        if self.several {
            return Error::invalid(format!("More than one {} fits `{wanted}`", self.what))
                .with_hint(format!("Say which: {listed}"));
        }
        let error = Error::new(Kind::NotFound, format!("There is no {} `{wanted}`", self.what));
        if listed.is_empty() {
            error.with_hint(format!("There is no {} at all here", self.what))
        } else {
            error.with_hint(format!("Nearest: {listed}"))
        }
    }
}

/// The one of `entries` that `wanted` means: by id, by exact name, by the beginning of one name.
pub(crate) fn find<T: Entry>(wanted: &str, entries: Vec<T>) -> Result<T, Miss> {
    let miss = |several, found: Vec<T>| {
        let total = found.len();
        Miss {
            what: T::WHAT,
            wanted: wanted.to_owned(),
            several,
            candidates: found.iter().take(CANDIDATES).map(T::shown).collect(),
            left: if several { total.saturating_sub(CANDIDATES) } else { 0 },
        }
    };
    if is_uuid(wanted) {
        return match entries.iter().find(|entry| entry.id().eq_ignore_ascii_case(wanted.trim())) {
            Some(entry) => Ok(entry.clone()),
            None => Err(miss(false, nearest(wanted, entries))),
        };
    }
    let folded = fold(wanted);
    let begins = |entry: &T| entry.names().iter().any(|name| fold(name).starts_with(&folded));
    for fits in [&|entry: &T| entry.matches_exactly(wanted), &begins as &dyn Fn(&T) -> bool] {
        if folded.is_empty() {
            break;
        }
        let mut found: Vec<T> = entries.iter().filter(|entry| fits(entry)).cloned().collect();
        match found.len() {
            0 => {}
            1 => return found.pop().ok_or_else(|| miss(false, Vec::new())),
            _ => return Err(miss(true, found)),
        }
    }
    Err(miss(false, nearest(wanted, entries)))
}

/// The entries whose names are most like `wanted`, the nearest first.
fn nearest<T: Entry>(wanted: &str, entries: Vec<T>) -> Vec<T> {
    let wanted = fold(wanted);
    let likeness = |entry: &T| {
        let names = entry.names();
        let near = names.iter().map(|name| {
            let name = fold(name);
            let contained = !wanted.is_empty() && name.contains(&wanted);
            if contained { 1.0 } else { strsim::jaro_winkler(&name, &wanted) }
        });
        near.fold(0.0, f64::max)
    };
    let mut scored: Vec<(f64, T)> = entries.into_iter().map(|entry| (likeness(&entry), entry)).collect();
    scored.sort_by(|(a, _), (b, _)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    scored.into_iter().map(|(_, entry)| entry).collect()
}

/// Names as an error lists them.
pub(super) fn listed<T: Entry>(entries: &[T]) -> String {
    let mut names: Vec<String> = entries.iter().take(CANDIDATES).map(T::shown).collect();
    if entries.len() > CANDIDATES {
        names.push(format!("and {} more", entries.len() - CANDIDATES));
    }
    names.join(", ")
}

/// A name as it is compared: in one case, `Group → Child` and `group / child` alike.
fn fold(name: &str) -> String {
    let name = one_line(name).to_lowercase();
    name.replace(" → ", "/").replace('→', "/").replace(" -> ", "/").replace(" / ", "/")
}

fn quoted(name: &str) -> String {
    format!("`{}`", one_line(name))
}

impl Entry for Team {
    const WHAT: &'static str = "team";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.key.as_str().into(), self.name.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("{} ({})", self.key, one_line(&self.name))
    }
}

impl Entry for State {
    const WHAT: &'static str = "state";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("{} ({})", quoted(&self.name), self.team.key)
    }
}

impl Entry for Label {
    const WHAT: &'static str = "label";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into(), self.path().into()]
    }

    fn shown(&self) -> String {
        match &self.team {
            Some(team) => format!("{} ({})", quoted(&self.path()), team.key),
            None => quoted(&self.path()),
        }
    }
}

impl Entry for Person {
    const WHAT: &'static str = "person";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.display_name.as_str().into(), self.name.as_str().into(), self.email.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("@{} ({})", one_line(&self.display_name), one_line(&self.name))
    }
}

impl Entry for Project {
    const WHAT: &'static str = "project";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into(), self.slug_id.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("{} ({})", quoted(&self.name), self.slug_id)
    }
}

impl Entry for Status {
    const WHAT: &'static str = "project status";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into(), self.kind.as_str().into()]
    }

    fn shown(&self) -> String {
        quoted(&self.name)
    }
}

impl Entry for View {
    const WHAT: &'static str = "view";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into(), self.slug_id.as_str().into()]
    }

    fn shown(&self) -> String {
        format!("{} ({})", quoted(&self.name), self.slug_id)
    }
}

impl Entry for Template {
    const WHAT: &'static str = "template";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn shown(&self) -> String {
        quoted(&self.name)
    }
}

/// A milestone of a project that is already known.
#[derive(Clone)]
pub(super) struct Milestone(pub(super) Named);

impl Entry for Milestone {
    const WHAT: &'static str = "milestone";

    fn id(&self) -> &str {
        &self.0.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.0.name.as_str().into()]
    }

    fn shown(&self) -> String {
        quoted(&self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::names::TeamRef;

    fn label(id: &str, name: &str, group: Option<&str>) -> Label {
        Label {
            id: id.to_owned(),
            name: name.to_owned(),
            parent: group.map(|name| Named { id: String::new(), name: name.to_owned() }),
            ..Label::default()
        }
    }

    fn labels() -> Vec<Label> {
        vec![
            label("11111111-1111-4111-8111-111111111111", "Bug", None),
            label("2", "Bugfix", None),
            label("3", "API", Some("Area")),
            label("4", "Cleanup", Some("qa")),
            label("5", "Cleanup", Some("dev")),
        ]
    }

    fn found(wanted: &str) -> Result<String, String> {
        find(wanted, labels()).map(|label| label.path()).map_err(|miss| miss.into_error().for_agent())
    }

    #[test]
    fn an_id_then_an_exact_name_then_the_beginning_of_one_name() {
        assert_eq!(found("11111111-1111-4111-8111-111111111111").unwrap(), "Bug");
        assert_eq!(found("bug").unwrap(), "Bug");
        assert_eq!(found("bugf").unwrap(), "Bugfix");
        assert_eq!(found("a").unwrap(), "Area/API");
    }

    #[test]
    fn a_grouped_label_is_found_by_its_group() {
        for wanted in ["area/api", "Area → API", "Area -> API", "area / api", "API"] {
            assert_eq!(found(wanted).unwrap(), "Area/API", "{wanted}");
        }
    }

    #[test]
    fn what_fits_several_things_is_refused_with_the_candidates() {
        assert_eq!(
            found("cleanup").unwrap_err(),
            "invalid_argument: More than one label fits `cleanup`. Say which: `qa/Cleanup`, `dev/Cleanup`."
        );
        assert_eq!(found("qa/cleanup").unwrap(), "qa/Cleanup");
    }

    #[test]
    fn what_fits_nothing_is_refused_with_the_nearest() {
        let error = found("Bugz").unwrap_err();
        assert!(error.starts_with("not_found: There is no label `Bugz`. Nearest: `Bug`"), "{error}");
        assert!(found("").is_err());
    }

    #[test]
    fn an_error_lists_no_more_than_a_few() {
        let states: Vec<State> = (0..30)
            .map(|n| State {
                id: n.to_string(),
                name: format!("State {n}"),
                team: TeamRef { id: String::new(), key: "ENG".to_owned() },
                ..State::default()
            })
            .collect();
        let error = find("state", states).unwrap_err().into_error().for_agent();
        assert_eq!(error.matches("(ENG)").count(), 8);
        assert!(error.contains("and 22 more"), "{error}");
    }
}
