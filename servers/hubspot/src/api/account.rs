//! The account, its token, and what was used today.

use std::time::Duration;

use connector::{Effect, Result};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::json;

use super::{Api, DEFINITIONS_TTL, Listed};

/// How long the account is taken as it was read.
const ACCOUNT_TTL: Duration = Duration::from_secs(3_600);

/// The account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Account {
    pub(crate) portal_id: u64,
    pub(crate) account_type: String,
    pub(crate) time_zone: String,
    pub(crate) company_currency: String,
    pub(crate) additional_currencies: Vec<String>,
    pub(crate) ui_domain: String,
}

/// What a private app's token may do.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TokenInfo {
    pub(crate) user_id: f64,
    pub(crate) scopes: Vec<String>,
}

/// The calls of today.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Usage {
    pub(crate) usage_limit: f64,
    pub(crate) current_usage: f64,
    pub(crate) resets_at: String,
}

const DETAILS: &str = "GET /account-info/{version}/details";
const USAGE: &str = "GET /account-info/{version}/api-usage/daily/private-apps";
const TOKEN: &str = "POST /oauth/v2/private-apps/get/access-token-info";

impl Api {
    pub(crate) async fn account(&self) -> Result<Account> {
        let request = self.route(DETAILS, &[]).cache(ACCOUNT_TTL, ["account"]);
        let account: Account = self.read(request).await?;
        if let Ok(zone) = TimeZone::get(&account.time_zone) {
            // The first answer stays: an account does not move.
            let _ = self.vendor.zone.set(zone);
        }
        Ok(account)
    }

    /// Whose the token is, and its scopes; only for the token of a private app.
    pub(crate) async fn token_info(&self) -> Result<TokenInfo> {
        let token = self.credential.token().await?;
        let request =
            Self::plain(TOKEN, &[]).effect(Effect::Read).json(&json!({"tokenKey": token.expose()}))?;
        self.read(request).await
    }

    /// The same as it was told a while ago: whose a token is hardly changes.
    pub(crate) async fn token_known(&self) -> Result<TokenInfo> {
        let token = self.credential.token().await?;
        let request =
            Self::plain(TOKEN, &[]).effect(Effect::Read).json(&json!({"tokenKey": token.expose()}))?;
        self.read(request.cache(DEFINITIONS_TTL, ["token"])).await
    }

    /// The calls of today, of all private apps.
    pub(crate) async fn usage(&self) -> Result<Option<Usage>> {
        let listed: Listed<Usage> = self.read(self.route(USAGE, &[])).await?;
        Ok(listed.results.into_iter().next())
    }
}
