//! The workspace itself: who we are, its people, one team in full.

use connector::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Connection, Operation, Partial, document, first,
    names::{Named, Person, State},
};

const WHO_AM_I: Operation =
    Operation::read("WhoAmI", document!("who_am_i"), |_| 4).cached(300, &["users", "organization"]);
const LIST_USERS: Operation = Operation::read("ListUsers", document!("list_users"), |v| 2 + first(v) * 2);
const LIST_MEMBERS: Operation =
    Operation::read("ListTeamMembers", document!("list_team_members"), |v| 3 + first(v) * 2);
const GET_TEAM: Operation =
    Operation::read("GetTeam", document!("get_team"), |_| 700).cached(60, &["teams", "states"]);

pub(super) const OPERATIONS: &[&Operation] = &[&WHO_AM_I, &LIST_USERS, &LIST_MEMBERS, &GET_TEAM];

/// Who the credential belongs to, and where.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Identity {
    pub(crate) viewer: Person,
    pub(crate) organization: Organization,
}

/// The workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) url_key: String,
}

/// A team with what belongs to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TeamDetails {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) cycles_enabled: bool,
    pub(crate) triage_enabled: bool,
    pub(crate) issue_estimation_type: String,
    pub(crate) issue_estimation_allow_zero: bool,
    pub(crate) parent: Option<super::names::TeamRef>,
    pub(crate) default_issue_state: Option<Named>,
    pub(crate) triage_issue_state: Option<Named>,
    pub(crate) active_cycle: Option<ActiveCycle>,
    pub(crate) states: Connection<State>,
    pub(crate) members: Connection<Person>,
    pub(crate) templates: Connection<super::names::Template>,
}

/// The cycle a team is in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ActiveCycle {
    pub(crate) number: Option<f64>,
    pub(crate) starts_at: Option<String>,
    pub(crate) ends_at: Option<String>,
    /// From 0 to 1.
    pub(crate) progress: Option<f64>,
}

impl Api {
    /// Who the credential belongs to. Kept for five minutes.
    pub(crate) async fn who_am_i(&self) -> Result<Identity> {
        self.run(&WHO_AM_I, json!({})).await
    }

    /// The people that `filter` finds, of the team with the id `team` or of the workspace: a page after
    /// the cursor `after`.
    pub(crate) async fn users(
        &self,
        team: Option<&str>,
        filter: Value,
        first: u32,
        after: Option<&str>,
        disabled: bool,
    ) -> Result<Connection<Person>> {
        #[derive(Default, Deserialize)]
        struct People {
            #[serde(default, alias = "members")]
            users: Connection<Person>,
        }
        #[derive(Deserialize)]
        struct OfTeam {
            #[serde(default)]
            team: People,
        }
        let mut variables = json!({"filter": filter, "first": first, "after": after, "disabled": disabled});
        match team {
            Some(team) => {
                variables["id"] = json!(team);
                Ok(self.run::<OfTeam>(&LIST_MEMBERS, variables).await?.team.users)
            }
            None => Ok(self.run::<People>(&LIST_USERS, variables).await?.users),
        }
    }

    /// The team with the id `id`.
    pub(crate) async fn team(&self, id: &str) -> Result<Partial<TeamDetails>> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default)]
            team: TeamDetails,
        }
        let Partial { data, failures } = self.run_partial::<Data>(&GET_TEAM, json!({"id": id})).await?;
        Ok(Partial { data: data.team, failures })
    }
}
