//! What a write would do, before it is done, and the question whether it shall be.

use std::fmt;

use futures::future::BoxFuture;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    Answer, Reply, Step,
    confirm::{self, Confirmations, LIFETIME, Subject},
    tool::Again,
    writes::Write,
};
use crate::{Error, Kind, Result};

/// More records than these at once reach many, so they are asked about: one rule for every tool that takes several.
const FEW: usize = 5;

/// A write that is worked out but not done: what it would change, and how to do it.
///
/// A dry run shows the preview, so it cannot promise anything but what would be done. A question asks about
/// the preview and the state that the plan was made from: if either is another one when the answer comes, it
/// is asked anew.
pub struct Plan {
    preview: Reply,
    /// A digest of the state, if the plan says one.
    state: Option<[u8; 32]>,
    once: bool,
    asks: Asks,
    work: Option<Work>,
}

/// The part of a plan that changes something.
type Work = Box<dyn FnOnce() -> BoxFuture<'static, Result<Reply>> + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// As the tool's effect says.
    ByEffect,
    Yes,
    Never,
}

impl Plan {
    /// A plan whose effect is `preview` and whose execution is `work`.
    pub fn new<F, Fut>(preview: Reply, work: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        let work: Work = Box::new(move || Box::pin(work()));
        Self { preview, state: None, once: false, asks: Asks::ByEffect, work: Some(work) }
    }

    /// There is nothing to do; `reply` says why.
    #[must_use]
    pub fn nothing(reply: Reply) -> Self {
        Self { preview: reply, state: None, once: false, asks: Asks::Never, work: None }
    }

    /// Says from which state of its target it was made, as far as the preview does not show it: a head, a
    /// version, the moment of the last change, the ids of what is counted. A confirmation is good for this
    /// state only.
    #[must_use]
    pub fn state(mut self, state: &impl Serialize) -> Self {
        // States are plain data of ours and always serialize.
        let text = serde_json::to_vec(state).unwrap_or_default();
        self.state = Some(Sha256::digest(text).into());
        self
    }

    /// Says that it leaves no trace by which the same plan, made anew, could tell that it was carried out: a message,
    /// a run, a new thing without a name of its own. What confirms it is then good once among all replicas, or not
    /// at all.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Asks before it is carried out, whatever the tool's effect.
    #[must_use]
    pub fn ask(mut self) -> Self {
        self.asks = Asks::Yes;
        self
    }

    /// Asks where it changes more than a few `records` at once, whatever else is said of it.
    #[must_use]
    pub fn ask_of_many(self, records: usize) -> Self {
        if Self::is_many(records) { self.ask() } else { self }
    }

    /// Whether so many records at once are asked about.
    #[must_use]
    pub fn is_many(records: usize) -> bool {
        records > FEW
    }

    /// Does not ask, though the tool can do harm with other arguments.
    #[must_use]
    pub fn harmless(mut self) -> Self {
        self.asks = Asks::Never;
        self
    }

    /// Adds a line to what is shown of it, before and after it is carried out.
    pub(super) fn noting(mut self, note: String) -> Self {
        self.preview = self.preview.line(note.clone());
        self.work = self.work.map(|work| -> Work {
            Box::new(move || Box::pin(async move { work().await.map(|reply| reply.line(note)) }))
        });
        self
    }

    pub(super) fn asks_unless_harmless(mut self) -> Self {
        if self.asks == Asks::ByEffect {
            self.asks = Asks::Yes;
        }
        self
    }

    /// Asks before it changes anything, though it would not by itself. Whether such a plan leaves a trace nobody has
    /// said, so it is good once.
    pub(super) fn ask_in_any_case(mut self) -> Self {
        if self.work.is_some() && self.asks != Asks::Yes {
            (self.asks, self.once) = (Asks::Yes, true);
        }
        self
    }

    pub(super) fn asks(&self) -> bool {
        self.asks == Asks::Yes
    }

    /// Has its preview, and what is told of it once it is done, name these places.
    pub(super) fn naming(mut self, places: Vec<String>) -> Self {
        self.preview = self.preview.naming(&places);
        self.work = self.work.map(|work| -> Work {
            Box::new(move || Box::pin(async move { work().await.map(|reply| reply.naming(&places)) }))
        });
        self
    }

    /// A digest of what it would do, and to what.
    pub(super) fn effect(&self) -> confirm::Effect {
        let mut hash = Sha256::new();
        self.preview.digest(&mut hash);
        hash.update(self.state.unwrap_or_default());
        let whole: [u8; 32] = hash.finalize().into();
        let mut digest = [0; confirm::Effect::LENGTH];
        digest.copy_from_slice(&whole[..confirm::Effect::LENGTH]);
        confirm::Effect { digest, once: self.once }
    }

    /// What a dry run answers.
    pub(super) fn into_preview(self) -> Reply {
        if self.work.is_some() { self.preview.dry().summed_up() } else { self.preview }
    }

    /// Does it, as `write`: once begun, it is done to its end.
    pub(super) async fn carry_out(self, write: Write) -> Result<Reply> {
        match self.work {
            Some(work) => write.run(work()).await,
            None => Ok(self.preview),
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("asks", &self.asks)
            .field("work", &self.work.is_some())
            .finish_non_exhaustive()
    }
}

/// A plan that asks before it is carried out.
pub struct Question {
    plan: Plan,
    effect: confirm::Effect,
    subject: Subject,
    write: Write,
    again: Box<dyn Again>,
}

impl Question {
    pub(super) fn new(plan: Plan, subject: Subject, write: Write, again: Box<dyn Again>) -> Self {
        Self { effect: plan.effect(), plan, subject, write, again }
    }

    /// Says that something else was confirmed before.
    #[must_use]
    pub(crate) fn changed(mut self) -> Self {
        let preview = std::mem::take(&mut self.plan.preview);
        self.plan.preview =
            preview.lead("It has changed since it was confirmed; nothing was done. Now it would do this:");
        self
    }

    /// What the answer must be bound to.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What would be done, as it was shown.
    #[must_use]
    pub fn effect(&self) -> &confirm::Effect {
        &self.effect
    }

    /// Whether the plan says from which state it was made.
    #[must_use]
    pub fn knows_its_state(&self) -> bool {
        self.plan.state.is_some()
    }

    /// Takes out what it would do, for a person.
    #[must_use]
    pub fn take_preview(&mut self) -> Reply {
        std::mem::take(&mut self.plan.preview)
    }

    /// The person agreed: does it, if it is still what was shown; else this is asked anew.
    ///
    /// # Errors
    /// Whatever planning and the work give.
    pub async fn agreed_or_anew(self) -> Result<Answer> {
        let plan = match self.again.again().await.map_err(|error| self.again.named(error))? {
            Step::Done(reply) => return Ok(Answer::Reply(reply)),
            Step::Plan(plan) => plan,
        };
        if plan.asks() && plan.effect() != self.effect {
            let question = Self { effect: plan.effect(), plan, ..self };
            return Ok(Answer::Question(question.changed()));
        }
        plan.carry_out(self.write).await.map(Answer::Reply).map_err(|error| self.again.named(error))
    }

    /// The person agreed to what was planned just now: does it.
    ///
    /// # Errors
    /// Whatever the work gives.
    pub(crate) async fn carry_out(self) -> Result<Reply> {
        self.plan.carry_out(self.write).await.map_err(|error| self.again.named(error))
    }

    /// The person agreed: does it, if it is still what was shown.
    ///
    /// # Errors
    /// `conflict` if it is not; whatever planning and the work give.
    pub async fn agreed(self) -> Result<Reply> {
        match self.agreed_or_anew().await? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Question(_) => {
                Err(Error::new(Kind::Conflict, "It has changed since it was shown; nothing was done")
                    .with_hint("Call again to see what it would do now"))
            }
        }
    }

    /// Refuses what no person has agreed to, and says `why` none can.
    pub(crate) fn without_a_person(why: &str) -> Error {
        Error::new(
            Kind::Policy,
            format!("A person has to agree to every write here, and {why}; nothing was changed"),
        )
        .with_hint("dry_run shows what it would do. The operator sets --confirm")
    }

    /// The client cannot be asked: the reply previews the effect and gives the value that a second
    /// call must carry.
    #[must_use]
    pub fn by_second_call(self, confirmations: &Confirmations) -> Reply {
        let value = confirmations.give(&self.subject, &self.effect);
        let minutes = LIFETIME.as_secs() / 60;
        self.plan.preview.lead(format!(
            "Not done yet: this needs a confirmation. If the user wants it, repeat the call within {minutes} minutes with \"confirm\": \"{value}\"."
        ))
        .summed_up()
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("plan", &self.plan).finish_non_exhaustive()
    }
}
