//! What a server offers: tools, resources, prompts and completions, declared once and narrowed by
//! configuration. Knows nothing of the wire: [`crate::protocol`] speaks MCP for it.

mod addresses;
mod argument_errors;
mod arguments;
mod call;
mod changes;
mod clear;
pub mod confirm;
pub mod cursor;
pub mod edits;
mod listing;
pub mod markdown;
pub mod names;
pub mod paging;
mod plan;
mod prompt;
mod prompt_builder;
pub mod reconcile;
mod reply;
mod resource;
mod schema;
mod structured;
mod text;
mod told;
mod tool;
pub mod upload;
mod variables;
pub mod when;
pub mod words;
mod writer;
mod writes;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, value::RawValue};

use crate::{
    Error, Result,
    access::{KeyRing, Rights, Selection},
    upstream::fresh,
};

pub use addresses::ReadAddress;
pub use call::{Call, Progress, Silent};
pub use changes::{Changes, FieldValue, Outcome, edited};
pub use clear::Clear;
pub use confirm::{Confirmations, Confirmed};
pub use listing::Page;
pub use names::nearest;
pub use paging::{Position, limit};
pub use plan::{Plan, Question};
pub use prompt::{Completions, Prompt, PromptArgument};
pub use prompt_builder::PromptBuilder;
pub use reply::{DEFAULT_BUDGET, Image, Rendered, Reply, ReplyOptions, Written};
pub use resource::{Resource, ResourceTemplate};
pub use schema::values_by_name;
pub use text::{clean, one_line, thousands, unbroken};
pub use told::told;
pub use tool::{Step, Tool};
pub use variables::Variables;
pub use when::{Calendar, When, Window, day, minute, minute_in, today};
pub use writer::excerpt;
pub(crate) use writes::Writes;

/// Everything a server can offer, in the order it was declared.
#[derive(Debug)]
pub struct Catalog<S> {
    /// Those that are offered.
    tools: Vec<Tool<S>>,
    /// Those that the configuration has switched off.
    off: Vec<Tool<S>>,
    selection: Option<Selection>,
    resources: Vec<Resource<S>>,
    templates: Vec<ResourceTemplate<S>>,
    prompts: Vec<Prompt<S>>,
    completions: Vec<Completions<S>>,
    /// A JSON object of the tools' argument schemas, or nothing.
    prebuilt: &'static str,
    /// How addresses are read, and the arguments besides numbers that may be one.
    addresses: Option<(ReadAddress<S>, &'static [&'static str])>,
    writes: Writes,
    keys: KeyRing,
}

impl<S> Default for Catalog<S> {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            off: Vec::new(),
            selection: None,
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            completions: Vec::new(),
            prebuilt: "",
            addresses: None,
            writes: Writes::default(),
            keys: KeyRing::default(),
        }
    }
}

impl<S: Send + Sync + 'static> Catalog<S> {
    /// A catalog without anything in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds tools.
    #[must_use]
    pub fn tools(mut self, tools: impl IntoIterator<Item = Tool<S>>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Adds resources with a fixed address.
    #[must_use]
    pub fn resources(mut self, resources: impl IntoIterator<Item = Resource<S>>) -> Self {
        self.resources.extend(resources);
        self
    }

    /// Adds families of resources.
    #[must_use]
    pub fn templates(mut self, templates: impl IntoIterator<Item = ResourceTemplate<S>>) -> Self {
        self.templates.extend(templates);
        self
    }

    /// Adds prompts.
    #[must_use]
    pub fn prompts(mut self, prompts: impl IntoIterator<Item = Prompt<S>>) -> Self {
        self.prompts.extend(prompts);
        self
    }

    /// Adds sources of completions, each for every prompt argument and template variable of its name.
    #[must_use]
    pub fn completions(mut self, completions: impl IntoIterator<Item = Completions<S>>) -> Self {
        self.completions.extend(completions);
        self
    }

    /// Says what the schemas of the tools' arguments are: a JSON object of them by the tools' names, as
    /// [`Self::schemas`] writes it. They are used by release builds, which then need not make them from
    /// types at every start; other builds make them, so that a changed argument is seen at once.
    #[must_use]
    pub fn prebuilt(mut self, schemas: &'static str) -> Self {
        self.prebuilt = schemas;
        self
    }

    /// Takes the address of a page wherever a tool takes a whole number, or one of the arguments `texts`: `read` says
    /// what it names.
    #[must_use]
    pub fn addresses(mut self, read: ReadAddress<S>, texts: &'static [&'static str]) -> Self {
        self.addresses = Some((read, texts));
        self
    }

    /// With the schemas that release builds read, so that tests can run what ships.
    #[must_use]
    pub fn as_shipped(mut self) -> Self {
        self.take_prebuilt();
        self
    }

    /// The schemas of the tools' arguments as their types say, for [`Self::prebuilt`]: a line for each.
    #[must_use]
    pub fn schemas(&self) -> String {
        let mut tools: Vec<_> = self.tools.iter().collect();
        tools.sort_by_key(|tool| tool.name());
        let lines: Vec<_> = tools
            .iter()
            .map(|tool| format!("\"{}\": {}", tool.name(), Value::Object(tool.typed_input_schema())))
            .collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// The names of the toolsets, sorted, each with whether it is on by default.
    #[must_use]
    pub fn toolsets(&self) -> Vec<(&'static str, bool)> {
        let mut toolsets: Vec<_> =
            self.tools.iter().map(|tool| (tool.toolset_name(), tool.on_by_default())).collect();
        toolsets.sort_unstable();
        toolsets.dedup();
        toolsets
    }

    /// Narrows the catalog to `selection` and sorts the tools by name. A name that the catalog does
    /// not have is an error, because a typing slip must not silently offer less, or more.
    ///
    /// # Errors
    /// [`crate::Kind::InvalidArgument`] naming the unknown toolset or tool and the nearest right one.
    pub fn select(mut self, selection: &Selection) -> Result<Self> {
        let toolsets = self.toolsets();
        for wanted in &selection.toolsets {
            let names = toolsets.iter().map(|(name, _)| *name).chain(["all", "default"]);
            require("toolset", wanted, names)?;
        }
        for wanted in selection.tools.iter().chain(&selection.exclude_tools) {
            require("tool", wanted, self.tools.iter().map(Tool::name))?;
        }
        let (mut on, off) = std::mem::take(&mut self.tools)
            .into_iter()
            .partition::<Vec<_>, _>(|tool| selection.decide(&tool.capability()).is_ok());
        on.sort_by_key(Tool::name);
        (self.tools, self.off) = (on, off);
        self.selection = Some(selection.clone());
        if cfg!(not(debug_assertions)) {
            self.take_prebuilt();
        }
        Ok(self)
    }

    /// Gives the tools their prebuilt schemas, which they parse when asked for them. A tool without one
    /// makes its own.
    fn take_prebuilt(&mut self) {
        let prebuilt: BTreeMap<&str, &RawValue> = serde_json::from_str(self.prebuilt).unwrap_or_default();
        for tool in self.tools.iter_mut().chain(&mut self.off) {
            tool.prebuilt(prebuilt.get(tool.name()).map(|schema| schema.get()));
        }
    }

    /// How it was narrowed, if it was.
    #[must_use]
    pub fn selection(&self) -> Option<&Selection> {
        self.selection.as_ref()
    }

    /// The toolsets that are switched off altogether, sorted.
    #[must_use]
    pub fn toolsets_off(&self) -> Vec<&'static str> {
        let mut off: Vec<_> = self.off.iter().map(Tool::toolset_name).collect();
        off.sort_unstable();
        off.dedup();
        off.retain(|toolset| !self.tools.iter().any(|tool| tool.toolset_name() == *toolset));
        off
    }

    /// The tools that the configuration offers.
    #[must_use]
    pub fn all_tools(&self) -> &[Tool<S>] {
        &self.tools
    }

    /// The tools that there are, switched off or not.
    pub fn known_tools(&self) -> impl Iterator<Item = &Tool<S>> {
        self.tools.iter().chain(&self.off)
    }

    /// The resources with a fixed address.
    #[must_use]
    pub fn all_resources(&self) -> &[Resource<S>] {
        &self.resources
    }

    /// The families of resources.
    #[must_use]
    pub fn all_templates(&self) -> &[ResourceTemplate<S>] {
        &self.templates
    }

    /// The prompts.
    #[must_use]
    pub fn all_prompts(&self) -> &[Prompt<S>] {
        &self.prompts
    }

    /// The tool of this name, switched off or not.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<&Tool<S>> {
        self.tool(name).or_else(|| self.off.iter().find(|tool| tool.name() == name))
    }

    /// Whether somebody with these `rights` may use every one of the tools `needed`: whether they are offered
    /// what is made of these tools' answers.
    ///
    /// # Errors
    /// Why not.
    pub fn permits(&self, rights: &Rights, needed: &[&'static str]) -> Result<()> {
        needed.iter().try_for_each(|name| match self.known(name) {
            Some(tool) => rights.permits(&tool.capability()),
            None => Err(Error::internal(format!("there is no tool {name}"))),
        })
    }

    /// The tool of this name, if it is offered.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool<S>> {
        self.tools.iter().find(|tool| tool.name() == name)
    }

    /// The prompt of this name.
    #[must_use]
    pub fn prompt(&self, name: &str) -> Option<&Prompt<S>> {
        self.prompts.iter().find(|prompt| prompt.name() == name)
    }

    /// The source of completions for an argument or variable of this name.
    #[must_use]
    pub fn completion(&self, argument: &str) -> Option<&Completions<S>> {
        self.completions.iter().find(|completions| completions.argument() == argument)
    }

    /// Has what clients carry sealed under `keys`, instead of keys that nobody else has.
    #[must_use]
    pub fn sealed_by(mut self, keys: KeyRing) -> Self {
        self.keys = keys;
        self
    }

    /// The keys under which what clients carry is sealed.
    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The writes that are under way.
    pub(crate) fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Reads the resource at `uri`.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] if no resource or template answers to `uri`; what the caller's rights deny;
    /// whatever reading it gives.
    pub async fn read(&self, call: Call<S>, uri: &str) -> Result<Reply> {
        if let Some(resource) = self.resources.iter().find(|resource| resource.uri() == uri) {
            self.permits(call.rights(), resource.needed_tools())?;
            return resource.read(call).await;
        }
        for template in &self.templates {
            if let Some(variables) = template.matches(uri) {
                self.permits(call.rights(), template.needed_tools())?;
                return template.read(call, variables).await;
            }
        }
        Err(Error::not_found(format!("No resource has the address {}", one_line(uri)))
            .with_hint("resources/list and resources/templates/list give the addresses there are"))
    }

    /// Whether clients may watch anything of it.
    #[must_use]
    pub fn is_subscribable(&self) -> bool {
        self.templates.iter().any(ResourceTemplate::is_subscribable)
    }

    /// Whether the resource at `uri` can be watched, as far as that is known without asking the vendor.
    ///
    /// # Errors
    /// [`crate::Kind::InvalidArgument`] if nothing that is watched has this address; what the caller's rights
    /// deny; whatever its family says of it.
    pub fn admits_subscription(&self, server: &S, rights: &Rights, uri: &str) -> Result<()> {
        let admitted = self.templates.iter().find_map(|template| {
            let admitted = template.admits_subscription(server, &template.matches(uri)?)?;
            Some(self.permits(rights, template.needed_tools()).and(admitted))
        });
        admitted.unwrap_or_else(|| Err(self.not_subscribable(uri)))
    }

    /// The version of the resource at `uri`: another text whenever it has changed.
    ///
    /// # Errors
    /// As [`Self::admits_subscription`]; whatever looking gives.
    pub async fn version(&self, call: Call<S>, uri: &str) -> Result<String> {
        self.admits_subscription(call.server(), call.rights(), uri)?;
        let version = self.templates.iter().find_map(|template| {
            let variables = template.matches(uri)?;
            template.version(call.clone(), variables)
        });
        match version {
            Some(version) => version.await,
            None => Err(self.not_subscribable(uri)),
        }
    }

    fn not_subscribable(&self, uri: &str) -> Error {
        let families = self.templates.iter().filter(|template| template.is_subscribable());
        let families = families.map(ResourceTemplate::template).collect::<Vec<_>>().join(", ");
        Error::invalid(format!("{} cannot be watched", one_line(uri)))
            .with_hint(format!("These can: {families}"))
    }

    /// Calls `tool`: arguments checked, the step run, and a write planned, previewed,
    /// asked about or carried out.
    ///
    /// # Errors
    /// Whatever is wrong with the arguments, policy, or the step itself.
    pub async fn call(
        self: &Arc<Self>,
        tool: &Tool<S>,
        server: &Arc<S>,
        caller: Caller<'_>,
        arguments: Map<String, Value>,
    ) -> Result<Answer> {
        caller.rights.permits(&tool.capability())?;
        let who = caller.rights.who();
        let arguments = match self.addresses {
            Some(addresses) => addresses::settle(tool, server, addresses, arguments)?,
            None => arguments,
        };
        let prepared = tool.prepare(arguments)?;
        let binding = cursor::Binding::new(&self.keys, who, tool.name(), &prepared.arguments);
        let rights = caller.rights.clone();
        let call = Call::new(Arc::clone(server), Arc::clone(self), rights, caller.progress, binding);
        let planning = tool.planning(call, Arc::clone(&prepared.arguments));
        let named = |error| argument_errors::name_argument(error, &prepared.arguments);
        // What is confirmed must be what there is now, not what there was a while ago.
        let step = if caller.answers || prepared.confirm.is_some() {
            fresh(planning.make()).await
        } else {
            planning.make().await
        };
        let plan = match step.map_err(named)? {
            Step::Done(reply) => return Ok(Answer::Reply(reply)),
            Step::Plan(plan) => plan,
        };
        if prepared.dry_run {
            return Ok(Answer::Reply(plan.into_preview()));
        }
        let write = self.writes.write(who, tool.name(), tool.effect());
        if !plan.asks() || caller.rights.skips_confirmation() {
            return plan.carry_out(write).await.map(Answer::Reply).map_err(named);
        }
        let subject = confirm::Subject::new(who, tool.name(), &prepared.arguments);
        let changed = match prepared.confirm {
            Some(_) if caller.rights.asks_a_person() => {
                return Err(Question::without_a_person("`confirm` does not say that one did"));
            }
            Some(value) => match caller.confirmations.redeem(&subject, &plan.effect(), &value).await? {
                Confirmed::Same => return plan.carry_out(write).await.map(Answer::Reply).map_err(named),
                Confirmed::Changed => true,
            },
            None => false,
        };
        let question = Question::new(plan, subject, write, Box::new(planning));
        Ok(Answer::Question(if changed { question.changed() } else { question }))
    }
}

/// Who calls, and how they may be reached during the call.
#[derive(Debug)]
pub struct Caller<'a> {
    /// Who, and their rights.
    pub rights: Rights,
    /// The confirmations given out and not yet used.
    pub confirmations: &'a Confirmations,
    /// Whether the call brings the answer to a question: what it would do is then read afresh.
    pub answers: bool,
    /// Where progress goes.
    pub progress: Arc<dyn Progress>,
}

/// How a tool answers.
#[derive(Debug)]
pub enum Answer {
    /// It is done, or was only shown.
    Reply(Reply),
    /// It would do harm, and asks first.
    Question(Question),
}

/// Fails unless `wanted` is one of `names`.
fn require<'a>(what: &str, wanted: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let names: Vec<_> = names.collect();
    if names.contains(&wanted) {
        return Ok(());
    }
    let hint = match nearest(wanted, names.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("There are: {}", names.join(", ")),
    };
    Err(Error::invalid(format!("There is no {what} `{}`", one_line(wanted))).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(serde::Deserialize, schemars::JsonSchema)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Arguments {
        text: String,
    }

    fn catalog() -> Catalog<()> {
        let note = |name| {
            Tool::destructive(name, "Note", "Note it.", |_, _: Arguments| async {
                Ok(Plan::nothing(Reply::default()))
            })
        };
        Catalog::new().tools([note("write_note"), note("drop_note")])
    }

    #[test]
    fn prebuilt_schemas_are_those_of_the_types_and_stand_in_for_them() {
        let written: Map<String, Value> = serde_json::from_str(&catalog().schemas()).unwrap();
        let made = |name| Value::Object(catalog().tool(name).unwrap().typed_input_schema());
        assert_eq!(made("drop_note")["properties"]["confirm"], json!({"type": "string"}));
        assert_eq!(written["drop_note"], made("drop_note"));
        assert_eq!(written.keys().collect::<Vec<_>>(), ["drop_note", "write_note"]);

        let mut catalog = catalog().prebuilt(r#"{"drop_note": {"type": "object"}}"#);
        catalog.take_prebuilt();
        let served = |name| Value::Object((**catalog.tool(name).unwrap().input_schema()).clone());
        assert_eq!(served("drop_note"), json!({"type": "object"}));
        assert_eq!(served("write_note"), made("write_note"));
    }

    #[tokio::test]
    async fn an_answer_names_its_place_once_whether_or_not_the_tool_does() {
        let read = |name, words: &'static str| {
            Tool::read(name, "Look", "Look.", move |_, _: Arguments| async move {
                crate::upstream::call::concerns("acme/notes");
                Ok(Reply::new(words))
            })
        };
        let write = Tool::write("write", "Write", "Write.", |_, _: Arguments| async {
            crate::upstream::call::concerns("acme/notes");
            Ok(Plan::new(Reply::new("Add a note"), || async { Ok(Reply::new("Added a note")) }))
        });
        let catalog = Arc::new(Catalog::new().tools([
            read("bare", "2 notes"),
            read("named", "2 notes of Acme/Notes"),
            write,
        ]));
        let answer = async |name: &str, arguments: Value| {
            let caller = Caller {
                rights: Rights::unlimited(),
                confirmations: &Confirmations::default(),
                answers: false,
                progress: Arc::new(Silent),
            };
            let arguments = arguments.as_object().cloned().unwrap_or_default();
            let tool = catalog.tool(name).unwrap();
            match catalog.call(tool, &Arc::new(()), caller, arguments).await.unwrap() {
                Answer::Reply(reply) => reply.render(&ReplyOptions::default()).text,
                Answer::Question(_) => panic!("nothing was to be asked"),
            }
        };
        let plain = json!({"text": "x"});
        assert_eq!(answer("bare", plain.clone()).await, "In acme/notes:\n2 notes");
        assert_eq!(answer("named", plain.clone()).await, "2 notes of Acme/Notes");
        assert_eq!(answer("write", plain).await, "In acme/notes:\nAdded a note");
        let dry = answer("write", json!({"text": "x", "dry_run": true})).await;
        assert!(dry.contains("In acme/notes:") && dry.contains("Add a note"), "{dry}");
    }
}
