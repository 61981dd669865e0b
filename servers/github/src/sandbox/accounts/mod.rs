//! Users, organizations, teams.

mod routes;
mod show;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub(super) use self::{routes::ROUTES, show::team};
use super::{ids::node_id, time};

/// When accounts began that say nothing of it.
const LONG_AGO: &str = "2019-03-04T09:00:00Z";

/// Everybody there is.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Accounts {
    accounts: Vec<Account>,
    teams: Vec<Team>,
    /// Who belongs to an organization, as `admin` or `member`.
    members: BTreeMap<String, BTreeMap<String, String>>,
}

/// A user, an organization or an app's bot.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    /// `User`, `Organization` or `Bot`.
    pub(super) kind: String,
    /// A user's words about themselves, an organization's description.
    pub(super) bio: Option<String>,
    pub(super) company: Option<String>,
    pub(super) location: Option<String>,
    pub(super) created_at: String,
}

/// A team of an organization.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Team {
    pub(super) id: u64,
    /// The organization's login.
    pub(super) org: String,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) description: Option<String>,
    /// `closed` or `secret`.
    pub(super) privacy: String,
    /// Who belongs to it, as `maintainer` or `member`.
    pub(super) members: Vec<(String, String)>,
    pub(super) created_at: String,
}

impl Accounts {
    pub(super) fn from_seed(seed: &Value) -> Result<Self, String> {
        let rows = seed["users"].as_array().into_iter().flatten();
        let accounts = rows.map(Account::from_seed).collect::<Result<_, String>>()?;
        let rows = seed["teams"].as_array().into_iter().flatten();
        let teams = rows.map(Team::from_seed).collect::<Result<_, String>>()?;
        let orgs = seed["members"].as_object().into_iter().flatten();
        let members =
            orgs.map(|(org, members)| (org.clone(), pairs(members).into_iter().collect())).collect();
        Ok(Self { accounts, teams, members })
    }

    /// The account of this login, whatever its case.
    pub(super) fn get(&self, login: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.login.eq_ignore_ascii_case(login))
    }

    /// The account with this e-mail address.
    pub(super) fn by_email(&self, email: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.email.as_deref() == Some(email))
    }

    /// The account of this number.
    pub(super) fn by_id(&self, id: u64) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Every account.
    pub(super) fn all(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    /// The organization of this login.
    pub(super) fn org(&self, login: &str) -> Option<&Account> {
        self.get(login).filter(|account| account.kind == "Organization")
    }

    /// An organization's members with their roles, `admin` or `member`.
    pub(super) fn members(&self, org: &str) -> impl Iterator<Item = (&Account, &str)> {
        let members = self.members.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(org));
        members
            .flat_map(|(_, members)| members)
            .filter_map(|(login, role)| Some((self.get(login)?, role.as_str())))
    }

    /// Whether somebody belongs to an organization.
    pub(super) fn is_member(&self, org: &str, login: &str) -> bool {
        self.org_role(org, login).is_some()
    }

    /// Somebody's role in an organization, `admin` or `member`.
    pub(super) fn org_role(&self, org: &str, login: &str) -> Option<&str> {
        self.members(org).find(|(user, _)| user.login.eq_ignore_ascii_case(login)).map(|(_, role)| role)
    }

    /// The organizations that somebody belongs to.
    pub(super) fn orgs_of(&self, login: &str) -> impl Iterator<Item = &Account> {
        let theirs = self.members.iter().filter(move |(org, _)| self.is_member(org, login));
        theirs.filter_map(|(org, _)| self.get(org))
    }

    /// Every team.
    pub(super) fn teams(&self) -> impl Iterator<Item = &Team> {
        self.teams.iter()
    }

    /// The team of this number.
    pub(super) fn team(&self, id: u64) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    /// An organization's team by its slug.
    pub(super) fn team_named(&self, org: &str, slug: &str) -> Option<&Team> {
        self.teams
            .iter()
            .find(|team| team.org.eq_ignore_ascii_case(org) && team.slug.eq_ignore_ascii_case(slug))
    }
}

impl Account {
    fn from_seed(row: &Value) -> Result<Self, String> {
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        Ok(Self {
            id: row["id"].as_u64().ok_or("a user without id")?,
            login: text("login").ok_or("a user without login")?,
            name: text("name").unwrap_or_default(),
            email: text("email"),
            kind: text("type").unwrap_or_else(|| "User".to_owned()),
            bio: text("bio"),
            company: text("company"),
            location: text("location"),
            created_at: time(&row["created_at"]).unwrap_or_else(|| LONG_AGO.to_owned()),
        })
    }

    /// The global id.
    pub(super) fn node_id(&self) -> String {
        let kind = match self.kind.as_str() {
            "Organization" => "O",
            "Bot" => "BOT",
            _ => "U",
        };
        node_id(kind, self.id)
    }

    /// Where its picture is.
    pub(super) fn avatar(&self) -> String {
        format!("https://avatars.githubusercontent.com/u/{}?v=4", self.id)
    }

    /// Its page.
    pub(super) fn html(&self) -> String {
        match self.login.strip_suffix("[bot]") {
            Some(app) => format!("https://github.com/apps/{app}"),
            None => format!("https://github.com/{}", self.login),
        }
    }
}

impl Team {
    fn from_seed(row: &Value) -> Result<Self, String> {
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let slug = text("slug").ok_or("a team without slug")?;
        Ok(Self {
            id: row["id"].as_u64().ok_or("a team without id")?,
            org: text("org").ok_or("a team without organization")?,
            name: text("name").unwrap_or_else(|| slug.clone()),
            slug,
            description: text("description"),
            privacy: text("privacy").unwrap_or_else(|| "closed".to_owned()),
            members: pairs(&row["members"]),
            created_at: time(&row["created_at"]).unwrap_or_else(|| LONG_AGO.to_owned()),
        })
    }

    /// Somebody's role in it, `maintainer` or `member`.
    pub(super) fn role_of(&self, login: &str) -> Option<&str> {
        let mut members = self.members.iter();
        members.find(|(name, _)| name.eq_ignore_ascii_case(login)).map(|(_, role)| role.as_str())
    }

    /// Its page.
    pub(super) fn html(&self) -> String {
        format!("https://github.com/orgs/{}/teams/{}", self.org, self.slug)
    }
}

/// An object of text, in order.
fn pairs(seed: &Value) -> Vec<(String, String)> {
    let rows = seed.as_object().into_iter().flatten();
    rows.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
