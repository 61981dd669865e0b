//! Asking a person before harm is done, by whichever way the client offers.
//!
//! A modern client gets the question as the result of its call, with a state that it sends back
//! with the answer: nothing is kept here in between but the states already used. The state is
//! bound to caller, tool, arguments and the effect that was shown, so that an answer cannot be carried over to
//! another call, nor to what has changed since.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rmcp::{
    ErrorData,
    model::{
        ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest,
        InputRequiredResult, InputResponses, RequestStateCodec, SealOptions,
    },
};

use crate::{
    access::KeyRing,
    catalog::confirm::{Confirmed, Effect, LIFETIME, Spent, Subject, UNSURE, Used},
    clock,
};

/// The question's name among the inputs that a result asks for.
const QUESTION: &str = "confirm";

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
    keys: KeyRing,
    used: Arc<Used>,
}

impl Questions {
    /// Questions sealed under `keys`, whose states are remembered in `used`.
    pub(super) fn new(keys: KeyRing, used: Arc<Used>) -> Self {
        Self { keys, used }
    }

    /// What seals and opens states under the keys of now. None only for keys that no ring has: none at all.
    fn codec(&self) -> Option<RequestStateCodec> {
        let keys = self.keys.derived("question");
        RequestStateCodec::new_with_keyring(keys.first()?.0.clone(), keys).ok()
    }

    /// The result that asks `text` about `subject`, which would have this `effect`.
    pub(super) fn ask(&self, subject: &Subject, effect: &Effect, text: &str) -> InputRequiredResult {
        let ticket =
            Ticket { nonce: rand::random(), expires: clock::wall() + LIFETIME, effect: *effect.as_bytes() };
        let options = SealOptions::new().associated_data(subject.as_bytes());
        let state = self.codec().map(|codec| codec.seal_with(&ticket.to_bytes(), &options));
        let request = InputRequest::Elicitation(ElicitRequest::new(form(text)));
        InputRequiredResult::new(Some(BTreeMap::from([(QUESTION.to_owned(), request)])), state)
    }

    /// What the person said about `subject`, and whether they were shown another `effect`: nothing if the
    /// answer is missing or makes no sense, in which case the question is to be asked again.
    ///
    /// # Errors
    /// The state is not one of ours, was given for another call, is too old, or was used before.
    pub(super) async fn hear(
        &self,
        subject: &Subject,
        effect: &Effect,
        state: &str,
        answers: Option<&InputResponses>,
    ) -> Result<Option<(Said, Confirmed)>, ErrorData> {
        let refused = |why: &str| {
            ErrorData::invalid_params(
                format!("requestState {why}; nothing was changed. Call again without it to be asked anew"),
                None,
            )
        };
        let opened = self.codec().and_then(|codec| codec.open_with(state, subject.as_bytes()).ok());
        let ticket = opened
            .and_then(|bytes| Ticket::from_bytes(&bytes))
            .ok_or_else(|| refused("is not one that this server gave for this call"))?;
        if ticket.expires <= clock::wall() {
            return Err(refused("is older than five minutes"));
        }
        let answer = answers
            .and_then(|answers| answers.get(QUESTION))
            .and_then(|answer| serde_json::from_value::<ElicitResult>(answer.clone()).ok());
        let Some(said) = answer.map(|answer| Said::from(&answer.action)) else { return Ok(None) };
        let confirmed =
            if ticket.effect == *effect.as_bytes() { Confirmed::Same } else { Confirmed::Changed };
        // What is not done need not be done only once.
        let once = effect.is_once() && (said, confirmed) == (Said::Yes, Confirmed::Same);
        match self.used.spend(subject.who(), &ticket.nonce, ticket.expires, once).await {
            Spent::Now => Ok(Some((said, confirmed))),
            Spent::Before => Err(refused("was used before")),
            Spent::TooMany => Err(refused("came after too many others within five minutes")),
            Spent::Unknown => Err(ErrorData::invalid_params(
                format!("{UNSURE}; nothing was changed. Wait, then call again without requestState"),
                None,
            )),
        }
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

/// What a state holds: enough to be used once, for a while, for what was shown. The codec signs it.
#[derive(Clone, Copy)]
struct Ticket {
    nonce: [u8; Self::NONCE],
    /// Wall time.
    expires: Duration,
    effect: [u8; Effect::LENGTH],
}

impl Ticket {
    const NONCE: usize = 16;

    fn to_bytes(self) -> Vec<u8> {
        [self.nonce.as_slice(), &self.effect, &self.expires.as_secs().to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (nonce, rest) = bytes.split_first_chunk()?;
        let (effect, expires) = rest.split_first_chunk()?;
        let expires = Duration::from_secs(u64::from_be_bytes(expires.try_into().ok()?));
        Some(Self { nonce: *nonce, effect: *effect, expires })
    }
}
