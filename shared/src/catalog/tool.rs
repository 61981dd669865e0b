//! A tool: its description for the client, its arguments, and the work.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Answer, Call, Reply, arguments,
    confirm::{self, Confirmations, LIFETIME, Subject},
    schema, structured,
    writes::Write,
};
use crate::{Effect, Error, Kind, Result, access::Capability, upstream::fresh};

/// The work of a tool, its arguments not yet typed.
type Run<S> = Arc<dyn Fn(Call<S>, Map<String, Value>) -> BoxFuture<'static, Result<Step>> + Send + Sync>;

/// One tool of a server whose state is `S`.
pub struct Tool<S> {
    name: &'static str,
    toolset: &'static str,
    on_by_default: bool,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    idempotent: bool,
    scopes: &'static [&'static str],
    input: Input,
    output: Option<fn() -> Map<String, Value>>,
    aliases: &'static [(&'static str, &'static str)],
    run: Run<S>,
}

/// The schema of a tool's arguments: of their type, and of those that every tool of its kind has.
struct Input {
    typed: fn() -> Map<String, Value>,
    dry_run: bool,
    confirm: bool,
    /// What [`Self::make`] makes, as it was written down before.
    prebuilt: Option<&'static str>,
    /// Read from the prebuilt one, or made, when it is first asked for.
    schema: OnceLock<Arc<Map<String, Value>>>,
}

impl Input {
    fn schema(&self) -> &Arc<Map<String, Value>> {
        self.schema.get_or_init(|| {
            let prebuilt = self.prebuilt.and_then(|text| serde_json::from_str(text).ok());
            Arc::new(prebuilt.unwrap_or_else(|| self.make()))
        })
    }

    fn make(&self) -> Map<String, Value> {
        let mut schema = (self.typed)();
        if self.dry_run {
            schema::add_property(&mut schema, "dry_run", json!({"type": "boolean"}));
        }
        if self.confirm {
            schema::add_property(&mut schema, "confirm", json!({"type": "string"}));
        }
        schema
    }
}

/// What the work of a tool comes to.
#[derive(Debug)]
pub enum Step {
    /// It only read.
    Done(Reply),
    /// It would write: the effect is known and nothing is changed yet.
    Plan(Plan),
}

impl<S: Send + Sync + 'static> Tool<S> {
    /// The tools of several families, in their order.
    #[must_use]
    pub fn gather(families: &[fn() -> Vec<Self>]) -> Vec<Self> {
        let mut all = Vec::new();
        for family in families {
            all.append(&mut family());
        }
        all
    }

    /// A tool that only reads.
    pub fn read<A, F, Fut>(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        work: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        F: Fn(Call<S>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        Self::new(
            name,
            title,
            description,
            Effect::Read,
            schema::input::<A>,
            Arc::new(move |call, raw| {
                let work = arguments::parse::<A>(raw).map(|args| work(call, args));
                Box::pin(async move { work?.await.map(Step::Done) })
            }),
        )
    }

    /// A tool that writes what another call can put right. `dry_run` is added to its arguments.
    pub fn write<A, F, Fut>(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        work: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        F: Fn(Call<S>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Plan>> + Send + 'static,
    {
        Self::planned::<A, F, Fut>(name, title, description, Effect::Write, work)
    }

    /// A tool that removes things or cannot be undone: its plans ask first, unless they say they are
    /// harmless. `dry_run` and `confirm` are added to its arguments.
    pub fn destructive<A, F, Fut>(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        work: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        F: Fn(Call<S>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Plan>> + Send + 'static,
    {
        Self::planned::<A, F, Fut>(name, title, description, Effect::Destructive, work).confirmable()
    }

    fn planned<A, F, Fut>(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        effect: Effect,
        work: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        F: Fn(Call<S>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Plan>> + Send + 'static,
    {
        let mut tool = Self::new(
            name,
            title,
            description,
            effect,
            schema::input::<A>,
            Arc::new(move |call, raw| {
                let work = arguments::parse::<A>(raw).map(|args| work(call, args));
                Box::pin(async move {
                    let plan = work?.await?;
                    Ok(Step::Plan(if effect == Effect::Destructive {
                        plan.asks_unless_harmless()
                    } else {
                        plan
                    }))
                })
            }),
        );
        tool.input.dry_run = true;
        tool
    }

    /// Not inlined: fifty tools are made at every start.
    #[inline(never)]
    fn new(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        effect: Effect,
        typed: fn() -> Map<String, Value>,
        run: Run<S>,
    ) -> Self {
        Self {
            name,
            toolset: "default",
            on_by_default: true,
            title,
            description,
            effect,
            idempotent: effect == Effect::Read,
            scopes: &[],
            input: Input { typed, dry_run: false, confirm: false, prebuilt: None, schema: OnceLock::new() },
            output: None,
            aliases: &[],
            run,
        }
    }

    /// Puts the tool into a toolset that is on by default.
    #[must_use]
    pub fn toolset(mut self, toolset: &'static str) -> Self
    where
        Self: Sized,
    {
        self.toolset = toolset;
        self
    }

    /// Puts the tool into a toolset that must be asked for.
    #[must_use]
    pub fn opt_in(mut self, toolset: &'static str) -> Self {
        self.toolset = toolset;
        self.on_by_default = false;
        self
    }

    /// Says that calling it twice with the same arguments does no more than calling it once.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Says which scopes a credential needs for it: one of these, or one that contains it. Without them it
    /// is not offered, where the vendor tells a credential's scopes at all.
    #[must_use]
    pub fn scopes(mut self, one_of: &'static [&'static str]) -> Self {
        self.scopes = one_of;
        self
    }

    /// Lets a write that only sometimes needs asking take `confirm` too.
    #[must_use]
    pub fn confirmable(mut self) -> Self {
        self.input.confirm = true;
        self
    }

    /// Accepts other names for arguments: `(other, ours)`.
    #[must_use]
    pub fn aliases(mut self, aliases: &'static [(&'static str, &'static str)]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Declares the shape of its structured content, offered with `--structured`.
    #[must_use]
    pub fn output<T: JsonSchema>(mut self) -> Self {
        self.output = Some(schema::output::<T>);
        self
    }

    /// Declares that its structured content is a page of `T` under `items`, with `next_cursor`.
    #[must_use]
    pub fn output_page<T: JsonSchema>(mut self) -> Self {
        self.output = Some(schema::page::<T>);
        self
    }
}

impl<S> Tool<S> {
    /// `verb_noun`, without a vendor's prefix.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The toolset it belongs to.
    #[must_use]
    pub fn toolset_name(&self) -> &'static str {
        self.toolset
    }

    /// Whether it is offered without being asked for.
    #[must_use]
    pub fn on_by_default(&self) -> bool {
        self.on_by_default
    }

    /// A few words for people.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// One to three sentences for the model.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// What it does to the vendor's data.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The scopes of which a credential needs one; none if it can do without.
    #[must_use]
    pub fn needed_scopes(&self) -> &'static [&'static str] {
        self.scopes
    }

    /// It, as far as rights are concerned.
    #[must_use]
    pub fn capability(&self) -> Capability<'static> {
        Capability {
            tool: self.name,
            toolset: self.toolset,
            on_by_default: self.on_by_default,
            effect: self.effect,
            scopes: self.scopes,
        }
    }

    /// Whether calling it twice does no more than calling it once.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// JSON Schema of its arguments.
    #[must_use]
    pub fn input_schema(&self) -> &Arc<Map<String, Value>> {
        self.input.schema()
    }

    /// The same, made from the arguments' type whatever is prebuilt.
    #[must_use]
    pub fn typed_input_schema(&self) -> Map<String, Value> {
        self.input.make()
    }

    /// Has the schema of its arguments read from a text instead of made.
    pub(super) fn prebuilt(&mut self, schema: Option<&'static str>) {
        self.input.prebuilt = schema;
    }

    /// JSON Schema of its structured content. Made when it is asked for: most servers never show it.
    #[must_use]
    pub fn output_schema(&self) -> Option<Map<String, Value>> {
        let mut schema = self.output?();
        schema::add_property(&mut schema, structured::WORDS_OF, structured::schema());
        if self.effect.writes() {
            // What is only shown, or asked about, has a summary and nothing else for certain.
            schema::add_property(&mut schema, "summary", json!({"type": "string"}));
            schema.insert("required".to_owned(), json!(["summary"]));
        }
        Some(schema)
    }

    /// Brings arguments into the schema's form and takes out those that are the suite's own.
    pub(super) fn prepare(&self, arguments: Map<String, Value>) -> Result<Prepared> {
        let mut arguments = arguments::normalize(self.name, arguments, self.input_schema(), self.aliases)?;
        let dry_run =
            self.effect.writes() && take(&mut arguments, "dry_run", Value::as_bool)?.unwrap_or(false);
        let confirm = take(&mut arguments, "confirm", |value| value.as_str().map(str::to_owned))?;
        Ok(Prepared { arguments, dry_run, confirm: confirm.filter(|value| !value.is_empty()) })
    }

    /// The work of `call`, to be worked out as often as needed.
    pub(super) fn planning(&self, call: Call<S>, arguments: Map<String, Value>) -> Planning<S> {
        Planning { run: Arc::clone(&self.run), call, arguments }
    }
}

impl<S> fmt::Debug for Tool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).field("effect", &self.effect).finish_non_exhaustive()
    }
}

/// Takes an argument of the suite's own out of `arguments`.
fn take<T>(
    arguments: &mut Map<String, Value>,
    name: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>> {
    match arguments.shift_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match read(&value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::invalid(format!("`{name}` has the wrong type"))),
        },
    }
}

/// One call of a tool, its arguments in the schema's form.
pub(super) struct Planning<S> {
    run: Run<S>,
    call: Call<S>,
    arguments: Map<String, Value>,
}

impl<S> Planning<S> {
    pub(super) fn make(&self) -> BoxFuture<'static, Result<Step>> {
        (self.run)(self.call.clone(), self.arguments.clone())
    }
}

/// A way to work out a plan once more.
pub(super) trait Again: Send + Sync {
    /// Works it out from what there is now.
    fn again(&self) -> BoxFuture<'static, Result<Step>>;
}

impl<S: Send + Sync + 'static> Again for Planning<S> {
    fn again(&self) -> BoxFuture<'static, Result<Step>> {
        Box::pin(fresh(self.make()))
    }
}

/// Arguments in the schema's form, without the suite's own.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) arguments: Map<String, Value>,
    pub(super) dry_run: bool,
    pub(super) confirm: Option<String>,
}

/// A write that is worked out but not done: what it would change, and how to do it.
///
/// A dry run shows the preview, so it cannot promise anything but what would be done. A question asks about
/// the preview and the state that the plan was made from: if either is another one when the answer comes, it
/// is asked anew.
pub struct Plan {
    preview: Reply,
    /// A digest of the state, if the plan says one.
    state: Option<[u8; 32]>,
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
        Self { preview, state: None, asks: Asks::ByEffect, work: Some(work) }
    }

    /// There is nothing to do; `reply` says why.
    #[must_use]
    pub fn nothing(reply: Reply) -> Self {
        Self { preview: reply, state: None, asks: Asks::Never, work: None }
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

    /// Asks before it is carried out, whatever the tool's effect.
    #[must_use]
    pub fn ask(mut self) -> Self {
        self.asks = Asks::Yes;
        self
    }

    /// Does not ask, though the tool can do harm with other arguments.
    #[must_use]
    pub fn harmless(mut self) -> Self {
        self.asks = Asks::Never;
        self
    }

    fn asks_unless_harmless(mut self) -> Self {
        if self.asks == Asks::ByEffect {
            self.asks = Asks::Yes;
        }
        self
    }

    pub(super) fn asks(&self) -> bool {
        self.asks == Asks::Yes
    }

    /// A digest of what it would do, and to what.
    pub(super) fn effect(&self) -> confirm::Effect {
        let mut hash = Sha256::new();
        self.preview.digest(&mut hash);
        hash.update(self.state.unwrap_or_default());
        let whole: [u8; 32] = hash.finalize().into();
        let mut effect = [0; confirm::Effect::LENGTH];
        effect.copy_from_slice(&whole[..confirm::Effect::LENGTH]);
        confirm::Effect(effect)
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
        let plan = match self.again.again().await? {
            Step::Done(reply) => return Ok(Answer::Reply(reply)),
            Step::Plan(plan) => plan,
        };
        if plan.asks() && plan.effect() != self.effect {
            let question = Self { effect: plan.effect(), plan, ..self };
            return Ok(Answer::Question(question.changed()));
        }
        plan.carry_out(self.write).await.map(Answer::Reply)
    }

    /// The person agreed to what was planned just now: does it.
    ///
    /// # Errors
    /// Whatever the work gives.
    pub(crate) async fn carry_out(self) -> Result<Reply> {
        self.plan.carry_out(self.write).await
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
