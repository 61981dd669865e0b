//! A tool: its description for the client, its arguments, and the work.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Call, Plan, Reply, argument_errors, arguments, schema, structured,
    text::{not_shown, unseen},
};
use crate::{
    Effect, Error, Result,
    access::Capability,
    upstream::{call, fresh},
};

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
    verbatim: &'static [&'static str],
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
            verbatim: &[],
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

    /// Says which texts are ids whose digits a number would lose, such as `1764400000.100100`: one that comes as a
    /// number is refused, where other texts are made of it.
    #[must_use]
    pub fn verbatim(mut self, arguments: &'static [&'static str]) -> Self {
        self.verbatim = arguments;
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

    /// The schema of its arguments as it was written down before, if it was.
    pub(crate) fn written_schema(&self) -> Option<&'static str> {
        self.input.prebuilt
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

    /// The name that its schema has for an argument that is called `given`.
    pub(super) fn own_name<'a>(&self, given: &'a str) -> &'a str {
        let ours = self.aliases.iter().find(|(other, _)| *other == given && !self.takes(given));
        ours.map_or(given, |(_, ours)| *ours)
    }

    /// Whether it takes the argument `name`.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    /// Whether the argument `name` is a whole number, or a list of them.
    pub(super) fn takes_numbers(&self, name: &str) -> bool {
        let is_number = |schema: &Value| schema["type"] == "integer";
        self.property(name).is_some_and(|schema| is_number(schema) || is_number(&schema["items"]))
    }

    fn property(&self, name: &str) -> Option<&Value> {
        self.input_schema().get("properties")?.get(name)
    }

    /// Brings arguments into the schema's form and takes out those that are the suite's own.
    pub(super) fn prepare(&self, arguments: Map<String, Value>) -> Result<Prepared> {
        let mut arguments =
            arguments::normalize(self.name, arguments, self.input_schema(), self.aliases, self.verbatim)?;
        let dry_run =
            self.effect.writes() && take(&mut arguments, "dry_run", Value::as_bool)?.unwrap_or(false);
        let confirm = take(&mut arguments, "confirm", |value| value.as_str().map(str::to_owned))?;
        Ok(Prepared {
            arguments: Arc::new(arguments),
            dry_run,
            confirm: confirm.filter(|value| !value.is_empty()),
        })
    }

    /// The work of `call`, to be worked out as often as needed.
    pub(super) fn planning(&self, call: Call<S>, arguments: Arc<Map<String, Value>>) -> Planning<S> {
        Planning { run: Arc::clone(&self.run), schema: Arc::clone(self.input_schema()), call, arguments }
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
    schema: Arc<Map<String, Value>>,
    call: Call<S>,
    arguments: Arc<Map<String, Value>>,
}

impl<S> Planning<S> {
    pub(super) fn make(&self) -> BoxFuture<'static, Result<Step>> {
        let step = (self.run)(self.call.clone(), Map::clone(&self.arguments));
        // A text that is written may have in it what nobody sees, if it was copied.
        let note = not_shown(hidden_in(&self.arguments), "in what was given, and kept");
        let (arguments, schema) = (Arc::clone(&self.arguments), Arc::clone(&self.schema));
        let asks = self.call.rights().asks_a_person();
        Box::pin(async move {
            let (step, places) = call::placing(step).await;
            Ok(match step? {
                Step::Plan(plan) => {
                    let plan = plan.naming(places);
                    let plan = if asks { plan.ask_in_any_case() } else { plan };
                    Step::Plan(if let Some(note) = note { plan.noting(note) } else { plan })
                }
                Step::Done(reply) => Step::Done(reply.asked_for(&arguments, &schema).naming(&places)),
            })
        })
    }
}

/// How many characters that nobody sees are in the texts of `arguments` that are written as they are given. The name of
/// a file is not: there they would hide what it is.
fn hidden_in(arguments: &Map<String, Value>) -> usize {
    fn hidden(value: &Value) -> usize {
        match value {
            Value::String(text) => unseen(text),
            Value::Array(items) => items.iter().map(hidden).sum(),
            Value::Object(fields) => hidden_in(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }
    arguments.iter().filter(|(name, _)| *name != "filename").map(|(_, value)| hidden(value)).sum()
}

/// A way to work out a plan once more.
pub(super) trait Again: Send + Sync {
    /// Works it out from what there is now.
    fn again(&self) -> BoxFuture<'static, Result<Step>>;

    /// The same error, naming the argument that it is about.
    fn named(&self, error: Error) -> Error;
}

impl<S: Send + Sync + 'static> Again for Planning<S> {
    fn again(&self) -> BoxFuture<'static, Result<Step>> {
        Box::pin(fresh(self.make()))
    }

    fn named(&self, error: Error) -> Error {
        argument_errors::name_argument(error, &self.arguments)
    }
}

/// Arguments in the schema's form, without the suite's own.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) arguments: Arc<Map<String, Value>>,
    pub(super) dry_run: bool,
    pub(super) confirm: Option<String>,
}
