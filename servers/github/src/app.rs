//! A GitHub App as a credential: its key signs a short token of its own, with which it asks GitHub for an
//! installation's token, narrowed to what this server may touch, and renews that before it expires.
//!
//! Source: docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App" and "Generating an installation
//! access token".

use std::{fmt, sync::Arc, sync::atomic::Ordering, time::Duration};

use connector::{
    Error, Kind, Result, Secret, clock,
    secret::Fingerprint,
    settings::SecretSource,
    upstream::{Credential, Options, Upstream},
};
use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::{api::route, bounds::RepositoryBounds, vendor::GitHubVendor};

/// How long before its end an installation's token is renewed. It lives for an hour.
const RENEW_AHEAD: Duration = Duration::from_secs(300);
/// How long a token of the app's own is good: GitHub takes at most ten minutes.
const OWN_LIFETIME: i64 = 9 * 60;
/// How far back its beginning is put, for clocks that differ.
const OWN_BACKDATE: i64 = 60;
/// How long a fresh token may be refused, until all of GitHub knows it (octokit's auth-app waits as long).
const SETTLING: Duration = Duration::from_secs(5);
/// The pause before a fresh token is tried again.
const SETTLING_PAUSE: Duration = Duration::from_secs(1);
/// Permissions that are there for writing only: GitHub refuses to narrow them to reading (docs.github.com,
/// "Create an installation access token for an app").
const ONLY_WRITTEN: [&str; 3] = ["workflows", "profile", "organization_copilot_seat_management"];
/// The most repositories that a token can be narrowed to.
const MOST_REPOSITORIES: usize = 500;

/// An app: its id and its key.
#[derive(Clone)]
pub(crate) struct App {
    id: String,
    key: SecretSource,
}

impl App {
    pub(crate) fn new(id: &str, key: SecretSource) -> Self {
        Self { id: id.to_owned(), key }
    }

    /// The app as one installation, or as its only one, narrowed to `reach` and to reading if that is all
    /// that may be done.
    pub(crate) fn install(
        &self,
        installation: Option<&str>,
        options: &Options,
        bounds: &RepositoryBounds,
        vendor: &GitHubVendor,
    ) -> Installation {
        let own = Own { app: self.clone(), vendor: vendor.clone(), offset: std::sync::Mutex::default() };
        // Minting a token writes nothing that the policy is about.
        let read_only = options.read_only;
        let options = Options { read_only: false, ..options.clone() };
        Installation {
            upstream: Upstream::new(Arc::new(vendor.clone()), Arc::new(own), options),
            app: self.clone(),
            vendor: vendor.clone(),
            installation: installation.map(str::to_owned),
            bounds: bounds.clone(),
            read_only,
            minted: Mutex::default(),
        }
    }

    fn key(&self) -> Result<EncodingKey> {
        let wrong = || {
            Error::new(Kind::Auth, "The private key of the GitHub App cannot be used")
                .with_hint("GITHUB_APP_PRIVATE_KEY_FILE must be the path of the PEM file that GitHub gave")
        };
        let pem = match &self.key {
            SecretSource::Value(secret) => secret.clone(),
            SecretSource::File(path) => {
                Secret::new(&std::fs::read_to_string(path).map_err(|error| wrong().with_source(error))?)
            }
        };
        // In a variable line breaks are often written out.
        let pem = pem.expose().replace("\\n", "\n");
        EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| wrong())
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The app's own token, as a credential for the few requests that take it.
struct Own {
    app: App,
    vendor: GitHubVendor,
    /// How far GitHub's clock was before ours when the last token was signed, in seconds.
    offset: std::sync::Mutex<i64>,
}

impl Own {
    fn sign(&self, ahead: i64) -> Result<Secret> {
        #[derive(Serialize)]
        struct Claims<'a> {
            iat: i64,
            exp: i64,
            iss: &'a str,
        }
        let now = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX).saturating_add(ahead);
        let claims = Claims { iat: now - OWN_BACKDATE, exp: now + OWN_LIFETIME, iss: &self.app.id };
        *self.offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = ahead;
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.app.key()?)
            .map_err(|_| Error::new(Kind::Auth, "The token of the GitHub App could not be signed"))?;
        Ok(Secret::new(&token))
    }
}

impl Credential for Own {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        let ahead = *self.offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::future::ready(self.sign(ahead)).boxed()
    }

    /// The commonest reason is a clock that is wrong: GitHub's is in the answer that refused.
    fn refused<'a>(&'a self, _token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        let ahead = self.vendor.ahead.load(Ordering::Relaxed);
        let before = *self.offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let newer = if (ahead - before).abs() < 10 { Ok(None) } else { self.sign(ahead).map(Some) };
        std::future::ready(newer).boxed()
    }

    fn fingerprint(&self) -> Fingerprint {
        Secret::new(&self.app.id).fingerprint()
    }
}

/// An installation of an app, as a credential.
pub(crate) struct Installation {
    /// The way to GitHub as the app itself.
    upstream: Upstream,
    app: App,
    vendor: GitHubVendor,
    installation: Option<String>,
    bounds: RepositoryBounds,
    /// Whether the tokens are to be good for reading only.
    read_only: bool,
    /// One renews at a time, the others wait for it.
    minted: Mutex<Option<Minted>>,
}

#[derive(Clone)]
struct Minted {
    token: Secret,
    at: Instant,
    renew: Instant,
    ends: Instant,
}

/// An installation, as GitHub tells of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    pub(crate) id: u64,
    /// The app's name in addresses.
    #[serde(default)]
    pub(crate) app_slug: String,
    #[serde(default)]
    pub(crate) account: Owner,
    /// `issues` to `read` or `write`.
    #[serde(default)]
    pub(crate) permissions: Map<String, Value>,
}

/// Where an app is installed.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Owner {
    #[serde(default)]
    pub(crate) login: String,
}

impl Installation {
    /// What GitHub tells of it: the app, the account, the permissions.
    ///
    /// # Errors
    /// `auth` if the app's own token is refused, or it is not clear which installation is meant.
    pub(crate) async fn describe(&self) -> Result<Found> {
        self.find().await
    }

    async fn mint(&self) -> Result<Minted> {
        #[derive(Deserialize)]
        struct Body {
            token: String,
            #[serde(default)]
            expires_at: Option<String>,
        }
        let found = self.find().await?;
        let mut body = Map::new();
        if let Some(names) = self.bounds.names_of(&found.account.login)
            && !names.is_empty()
            && names.len() <= MOST_REPOSITORIES
        {
            body.insert("repositories".to_owned(), json!(names));
        }
        if self.read_only {
            let names = found.permissions.keys().filter(|name| !ONLY_WRITTEN.contains(&name.as_str()));
            let read: Map<_, _> = names.map(|name| (name.clone(), json!("read"))).collect();
            body.insert("permissions".to_owned(), Value::Object(read));
        }
        let id = found.id.to_string();
        let request = route("POST /app/installations/{installation_id}/access_tokens", &[&id])
            // A second token harms nobody.
            .replay(connector::upstream::Replay::Idempotent)
            .json(&body)?;
        let answer: Body = self.upstream.send(request).await?.json()?;
        let ends = answer.expires_at.and_then(|text| text.parse::<Timestamp>().ok());
        let left = ends.map_or(Duration::from_secs(3600), |end| {
            // Measured on GitHub's clock, which said when it ends.
            let ahead = self.vendor.ahead.load(Ordering::Relaxed);
            let now = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX).saturating_add(ahead);
            Duration::from_secs(u64::try_from(end.as_second().saturating_sub(now)).unwrap_or_default())
        });
        let at = Instant::now();
        let renew = at + left.saturating_sub(RENEW_AHEAD).max(Duration::from_secs(30));
        Ok(Minted { token: Secret::new(&answer.token), at, renew, ends: at + left })
    }

    /// The installation that is configured, or the only one.
    async fn find(&self) -> Result<Found> {
        if let Some(id) = &self.installation {
            let request = route("GET /app/installations/{installation_id}", &[id]);
            return self.upstream.send(request).await?.json();
        }
        let all: Vec<Found> = self.upstream.send(route("GET /app/installations", &[])).await?.json()?;
        let owners: Vec<_> =
            all.iter().map(|found| format!("{} ({})", found.id, found.account.login)).collect();
        let mut all = all.into_iter();
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Error::new(Kind::Auth, "The GitHub App is installed nowhere")
                .with_hint("Install it for the organization or the account it is to work in")),
            (Some(_), Some(_)) => Err(Error::new(
                Kind::Auth,
                format!("The GitHub App has several installations: {}", owners.join(", ")),
            )
            .with_hint("Set GITHUB_APP_INSTALLATION_ID, or GITHUB_ACCOUNTS to one for each owner")),
        }
    }
}

impl Credential for Installation {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        async move {
            let mut minted = self.minted.lock().await;
            let current = minted.clone();
            let now = Instant::now();
            if let Some(current) = current.as_ref().filter(|current| now < current.renew) {
                return Ok(current.token.clone());
            }
            match (self.mint().await, current) {
                (Ok(new), _) => Ok(minted.insert(new).token.clone()),
                // What is still good is used while no newer one is to be had.
                (Err(_), Some(current)) if now < current.ends => Ok(current.token),
                (Err(error), _) => Err(error),
            }
        }
        .boxed()
    }

    fn refused<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        async move {
            let mut minted = self.minted.lock().await;
            if let Some(current) = minted.as_ref() {
                if current.token.fingerprint() != token.fingerprint() {
                    return Ok(Some(current.token.clone()));
                }
                if current.at.elapsed() < SETTLING {
                    sleep(SETTLING_PAUSE).await;
                    return Ok(Some(current.token.clone()));
                }
            }
            let new = self.mint().await?;
            Ok(Some(minted.insert(new).token.clone()))
        }
        .boxed()
    }

    fn fingerprint(&self) -> Fingerprint {
        Secret::new(&format!("{}/{}", self.app.id, self.installation.as_deref().unwrap_or_default()))
            .fingerprint()
    }
}

impl fmt::Debug for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installation").field("app", &self.app).finish_non_exhaustive()
    }
}
