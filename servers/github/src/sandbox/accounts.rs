//! Users, organizations, teams.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Site,
    answer::Answer,
    ask::Ask,
    errors::{ApiError, Outcome},
    ids::node_id,
    route::{ANY, Route, route},
};

pub(super) const ROUTES: &[Route] = &[route("GET /user", ANY, user)];

/// Everybody there is.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Accounts {
    accounts: Vec<Account>,
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
}

impl Accounts {
    pub(super) fn from_seed(seed: &Value) -> Result<Self, String> {
        let rows = seed["users"].as_array().into_iter().flatten();
        let accounts = rows.map(|row| {
            let text = |key: &str| row[key].as_str().map(str::to_owned);
            Ok(Account {
                id: row["id"].as_u64().ok_or("a user without id")?,
                login: text("login").ok_or("a user without login")?,
                name: text("name").unwrap_or_default(),
                email: text("email"),
                kind: text("type").unwrap_or_else(|| "User".to_owned()),
            })
        });
        Ok(Self { accounts: accounts.collect::<Result<_, String>>()? })
    }

    /// The account of this login, whatever its case.
    pub(super) fn get(&self, login: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.login.eq_ignore_ascii_case(login))
    }

    /// An account as GitHub shows it within other things ("simple user"); null for nobody.
    pub(super) fn simple(&self, site: &Site, login: &str) -> Value {
        let Some(account) = self.get(login) else { return Value::Null };
        let login = &account.login;
        let api = |rest: &str| site.url(&format!("users/{login}{rest}"));
        let kind = if account.kind == "Organization" { "O" } else { "U" };
        json!({
            "login": login,
            "id": account.id,
            "node_id": node_id(kind, account.id),
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", account.id),
            "gravatar_id": "",
            "url": api(""),
            "html_url": format!("https://github.com/{login}"),
            "followers_url": api("/followers"),
            "following_url": api("/following{/other_user}"),
            "gists_url": api("/gists{/gist_id}"),
            "starred_url": api("/starred{/owner}{/repo}"),
            "subscriptions_url": api("/subscriptions"),
            "organizations_url": api("/orgs"),
            "repos_url": api("/repos"),
            "events_url": api("/events{/privacy}"),
            "received_events_url": api("/received_events"),
            "type": account.kind,
            "user_view_type": "public",
            "site_admin": false,
        })
    }
}

fn user(ask: &Ask<'_>) -> Outcome<Answer> {
    if ask.caller.token.is_none() {
        return Err(ApiError::unauthorized());
    }
    Ok(Answer::json(ask.site.state().accounts.simple(ask.site, ask.caller.login())))
}
