//! Asking a person before harm is done, by whichever way the client offers.
//!
//! A modern client gets the question as the result of its call, with a state that it sends back
//! with the answer: nothing is kept here in between but the states already used. The state is
//! bound to caller, tool and arguments, so that an answer cannot be carried over to another call.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
    time::Duration,
};

use rmcp::{
    ErrorData,
    model::{
        ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest,
        InputRequiredResult, InputResponses, RequestStateCodec, SealOptions,
    },
};

use crate::{
    catalog::confirm::{LIFETIME, Subject},
    clock,
};

/// The question's name among the inputs that a result asks for.
const QUESTION: &str = "confirm";
/// How many used states are remembered: each for as long as it could be used again.
const REMEMBERED: usize = 10_000;

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Do it.
    Yes,
    /// Do not, or closed the question.
    No,
}

/// The questions asked through the protocol.
pub(super) struct Questions {
    codec: RequestStateCodec,
    used: Mutex<HashMap<[u8; Ticket::NONCE], Duration>>,
}

impl Questions {
    /// Questions under a key of this process alone, made here and never shown.
    pub(super) fn new() -> Self {
        let key = [rand::random::<[u8; 32]>(), rand::random::<[u8; 32]>()].concat();
        Self { codec: RequestStateCodec::new_unchecked(key), used: Mutex::default() }
    }

    /// The result that asks `text` about `subject`.
    pub(super) fn ask(&self, subject: &Subject, text: &str) -> InputRequiredResult {
        let ticket = Ticket { nonce: rand::random(), expires: clock::wall() + LIFETIME };
        let state =
            self.codec.seal_with(&ticket.to_bytes(), &SealOptions::new().associated_data(subject.as_bytes()));
        let request = InputRequest::Elicitation(ElicitRequest::new(form(text)));
        InputRequiredResult::new(Some(BTreeMap::from([(QUESTION.to_owned(), request)])), Some(state))
    }

    /// What the person said about `subject`: nothing if the answer is missing or makes no sense, in
    /// which case the question is to be asked again.
    ///
    /// # Errors
    /// The state is not one of ours, was given for another call, is too old, or was used before.
    pub(super) fn hear(
        &self,
        subject: &Subject,
        state: &str,
        answers: Option<&InputResponses>,
    ) -> Result<Option<Said>, ErrorData> {
        let refused = |why: &str| {
            ErrorData::invalid_params(
                format!("requestState {why}; nothing was changed. Call again without it to be asked anew"),
                None,
            )
        };
        let opened = self.codec.open_with(state, subject.as_bytes());
        let ticket = opened
            .ok()
            .and_then(|bytes| Ticket::from_bytes(&bytes))
            .ok_or_else(|| refused("is not one that this server gave for this call"))?;
        if ticket.expires <= clock::wall() {
            return Err(refused("is older than five minutes"));
        }
        let answer = answers
            .and_then(|answers| answers.get(QUESTION))
            .and_then(|answer| serde_json::from_value::<ElicitResult>(answer.clone()).ok());
        let Some(said) = answer.map(|answer| Said::from(&answer.action)) else { return Ok(None) };
        if self.use_up(ticket) { Ok(Some(said)) } else { Err(refused("was used before")) }
    }

    /// False if the ticket was used before.
    fn use_up(&self, ticket: Ticket) -> bool {
        let now = clock::wall();
        // The map is valid after every statement, so a panic elsewhere does not spoil it.
        let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if used.len() >= REMEMBERED {
            used.retain(|_, expires| *expires > now);
        }
        // Full of tickets that could still be used: refusing is safer than forgetting one.
        used.len() < REMEMBERED && used.insert(ticket.nonce, ticket.expires).is_none()
    }
}

/// The form that puts `text` before a person. It has no fields: accepting it is the answer.
pub(super) fn form(text: &str) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!("{text}\n\nGo ahead?"),
        requested_schema: ElicitationSchema::new(BTreeMap::new()),
    }
}

impl From<&ElicitationAction> for Said {
    fn from(action: &ElicitationAction) -> Self {
        match action {
            ElicitationAction::Accept => Self::Yes,
            _ => Self::No,
        }
    }
}

/// What a state holds: enough to be used once, for a while. The codec signs it.
#[derive(Clone, Copy)]
struct Ticket {
    nonce: [u8; Self::NONCE],
    /// Wall time.
    expires: Duration,
}

impl Ticket {
    const NONCE: usize = 16;

    fn to_bytes(self) -> Vec<u8> {
        [self.nonce.as_slice(), &self.expires.as_secs().to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (nonce, expires) = bytes.split_first_chunk()?;
        let expires = Duration::from_secs(u64::from_be_bytes(expires.try_into().ok()?));
        Some(Self { nonce: *nonce, expires })
    }
}
