//! What a server tells the pipeline about its vendor.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use super::{Request, Response};
use crate::{Error, Kind, Result, Secret};

/// The vendor's knowledge: its budgets, its way of authorizing, and the one table that reads its
/// failures. Implemented once per server.
pub trait Vendor: Send + Sync + 'static {
    /// The word for metrics and logs: `"linear"`.
    fn name(&self) -> &'static str;

    /// The word for people: `"Linear"`.
    fn title(&self) -> &'static str;

    /// The published budgets. What the vendor says in its answers corrects them.
    fn budgets(&self) -> Vec<Budget>;

    /// Whether the vendor counts a budget in windows: at most its limit in any one period, however early in it,
    /// and nothing back before the period is over. Budgets refill evenly otherwise.
    fn counts_in_windows(&self, bucket: &str) -> bool {
        let _ = bucket;
        false
    }

    /// The budget that a refusal is about, where its answer says that. Only that one is then waited for; else
    /// all that the request takes from.
    fn refused_budget(&self, request: &Request, response: &Response) -> Option<&'static str> {
        let _ = (request, response);
        None
    }

    /// Puts the credential into the request: as a bearer token (RFC 6750), unless the vendor has another way.
    ///
    /// # Errors
    /// `auth` if the credential cannot be a header's value.
    fn authorize(&self, headers: &mut HeaderMap, token: &Secret) -> Result<()> {
        authorization(self.title(), headers, &format!("Bearer {}", token.expose()))
    }

    /// Reads an answer's status, code and body: `Ok` for an answer to give to the caller, otherwise
    /// its kind and whether it was executed. What the vendor's own table does not know goes to
    /// [`classify::status`](super::classify::status).
    ///
    /// A `Retry-After` header and an exhausted [reading](Self::readings) are added by the pipeline
    /// where the error says nothing of when to retry; a vendor that knows better (a bucket that
    /// refills long before its stated reset) says so with [`Error::with_retry_after`](crate::Error::with_retry_after).
    ///
    /// `rate_limited` always means refused before execution: the pipeline repeats it, writes too.
    ///
    /// # Errors
    /// The failure that the answer tells of.
    fn classify(&self, request: &Request, response: &Response) -> Result<()>;

    /// What an answer's headers tell about the budgets: nothing, unless the vendor tells.
    fn readings(&self, headers: &HeaderMap) -> Vec<Reading> {
        let _ = headers;
        Vec::new()
    }

    /// Whether the credential may go to `url`, which is outside the base URL's origin: the vendor's
    /// host for files, say. Only `https` addresses are asked about. None are trusted by default.
    fn trusts(&self, url: &Url) -> bool {
        let _ = url;
        false
    }
}

/// Puts `value` into the header `Authorization`, so that whoever prints the headers does not print it. `title` names
/// the vendor in the message.
///
/// # Errors
/// `auth` if the value cannot be a header's.
pub fn authorization(title: &str, headers: &mut HeaderMap, value: &str) -> Result<()> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Error::new(Kind::Auth, format!("The {title} credential has characters that no credential has"))
            .with_hint("Copy it again, without quotes or line breaks")
    })?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

/// A published budget: `limit` units per `per`, refilled evenly, of which `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its name, as requests' costs and readings use it.
    pub bucket: &'static str,
    /// Units per period. 0 where the vendor publishes none: nothing is counted, only a refusal waited out.
    pub limit: u32,
    /// The period.
    pub per: Duration,
    /// The most units at once; also the most one request can cost.
    pub burst: u32,
}

/// What the vendor said about one of its budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The budget's name.
    pub bucket: &'static str,
    /// Units per period.
    pub limit: Option<u32>,
    /// Units left.
    pub remaining: Option<u32>,
    /// When it is full again, since the Unix epoch.
    pub reset: Option<Duration>,
}
