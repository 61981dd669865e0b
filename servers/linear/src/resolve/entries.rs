//! What is found by its name: each kind with all that it is called by, and how a reply lists it.

use std::borrow::Cow;

use connector::catalog::one_line;

use super::Entry;
use crate::{
    api::{
        documents::DocumentRow,
        initiatives::InitiativeName,
        milestones::Milestone,
        names::{Label, Named, Person, Project, State, Status, Team, Template, View},
        projects::ProjectLabel,
    },
    render,
};

/// `TYPE: "what it is" by FIELD, FIELD as |entry| how it is listed;`
macro_rules! entries {
    ($($entry:ty: $what:literal by $($field:ident),+ as |$it:ident| $describe:expr;)+) => { $(
        impl Entry for $entry {
            const WHAT: &'static str = $what;

            fn id(&self) -> &str {
                &self.id
            }

            fn names(&self) -> Vec<Cow<'_, str>> {
                vec![$(self.$field.as_str().into()),+]
            }

            fn describe(&self) -> String {
                let $it = self;
                $describe
            }
        }
    )+ };
}

entries! {
    Team: "team" by key, name as |team| format!("{} ({})", team.key, one_line(&team.name));
    State: "state" by name as |state| format!("{} ({})", quoted(&state.name), state.team.key);
    Project: "project" by name, slug_id as |project| format!("{} ({})", quoted(&project.name), project.slug_id);
    Status: "project status" by name, kind as |status| quoted(&status.name);
    View: "view" by name, slug_id as |view| format!("{} ({})", quoted(&view.name), view.slug_id);
    Template: "template" by name as |template| quoted(&template.name);
    // Of a project that is known already.
    Named: "milestone" by name as |milestone| quoted(&milestone.name);
    Milestone: "milestone" by name as |milestone| quoted(&milestone.name);
    ProjectLabel: "project label" by name as |label| quoted(&label.name);
    InitiativeName: "initiative" by name, slug_id as |initiative| {
        format!("{} ({}, {})", quoted(&initiative.name), one_line(&initiative.status), initiative.slug_id)
    };
    DocumentRow: "document" by title, slug_id as |document| {
        format!("`{}`", render::documents::document_row(document).0)
    };
}

impl Entry for Label {
    const WHAT: &'static str = "label";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into(), self.path().into()]
    }

    fn describe(&self) -> String {
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

    fn describe(&self) -> String {
        format!("@{} ({})", one_line(&self.display_name), one_line(&self.name))
    }

    fn full_name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", one_line(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::find;

    fn label(id: &str, name: &str, group: Option<&str>) -> Label {
        Label {
            id: id.to_owned(),
            name: name.to_owned(),
            parent: group.map(|name| Named { id: String::new(), name: name.to_owned() }),
            ..Label::default()
        }
    }

    fn found(wanted: &str) -> Result<String, String> {
        let labels = [
            label("1", "Bug", None),
            label("3", "API", Some("Area")),
            label("4", "Cleanup", Some("qa")),
            label("5", "Cleanup", Some("dev")),
        ];
        find(wanted, &labels).map(Label::path).map_err(|miss| miss.into_error().for_agent())
    }

    #[test]
    fn a_grouped_label_is_found_by_its_group() {
        for wanted in ["area/api", "Area → API", "Area -> API", "area / api", "API"] {
            assert_eq!(found(wanted).unwrap(), "Area/API", "{wanted}");
        }
        assert_eq!(
            found("cleanup").unwrap_err(),
            "invalid_argument: More than one label fits `cleanup`. Say which: `qa/Cleanup`, `dev/Cleanup`."
        );
        assert_eq!(found("qa/cleanup").unwrap(), "qa/Cleanup");
    }
}
