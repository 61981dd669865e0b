//! Who asks: an internal connection, which sees what was shared with it, or a person's token.
//!
//! The sandbox takes any token that begins with `ntn_` or `secret_`. `ntn_pat…` is a personal access token
//! and sees all that its person sees; `ntn_readonly…` may only read, `ntn_nousers…` reads nothing of users,
//! `ntn_nocomments…` and `ntn_noinserts…` lack these capabilities; `ntn_revoked…` is refused.

use http::{HeaderMap, header};

use super::errors::{ApiError, Outcome};

/// What a connection may do (developers.notion.com/reference/capabilities).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capability {
    InsertContent,
    UpdateContent,
    ReadComments,
    InsertComments,
    Users,
}

/// The connection behind a token.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The user that edits are noted as: the bot, or the person.
    pub(super) user: String,
    /// What messages call it.
    pub(super) name: &'static str,
    /// Whether it sees everything, as a person does.
    pub(super) sees_all: bool,
    /// Whose budget is used.
    pub(super) budget: String,
    writes: bool,
    /// What it may not do besides.
    lacks: &'static [Capability],
}

/// The bot of the internal connection, and the person of personal tokens: Maya Lindqvist.
pub(super) const BOT: &str = "a11b0700-0000-4000-8000-0000000000b0";
pub(super) const PERSON: &str = "a11b0700-0000-4000-8000-000000000001";

impl Caller {
    pub(super) fn may(&self, capability: Capability) -> bool {
        let reads = matches!(capability, Capability::ReadComments | Capability::Users);
        (self.writes || reads) && !self.lacks.contains(&capability)
    }
}

/// The caller that `headers` name.
pub(super) fn authenticate(headers: &HeaderMap) -> Outcome<Caller> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(ApiError::unauthorized)?;
    let known = ["ntn_", "secret_"].iter().any(|prefix| token.starts_with(prefix));
    if !known || token.starts_with("ntn_revoked") {
        return Err(ApiError::unauthorized());
    }
    let person = token.starts_with("ntn_pat");
    let lacks: &[Capability] = match token.get(4..).unwrap_or_default() {
        rest if rest.starts_with("nousers") => &[Capability::Users],
        rest if rest.starts_with("nocomments") => &[Capability::ReadComments, Capability::InsertComments],
        rest if rest.starts_with("noinserts") => &[Capability::InsertContent],
        _ => &[],
    };
    Ok(Caller {
        user: if person { PERSON } else { BOT }.to_owned(),
        name: if person { "Maya Lindqvist" } else { "Harbor assistant" },
        sees_all: person,
        budget: token.to_owned(),
        writes: !token.starts_with("ntn_readonly"),
        lacks,
    })
}
