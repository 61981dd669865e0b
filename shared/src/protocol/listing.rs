//! What lists show, and who the server is.

use std::sync::{Arc, OnceLock};

use rmcp::model::{
    Implementation, JsonObject, Prompt, PromptArgument, Resource, ResourceTemplate, ServerCapabilities,
    ServerConfig, Tool, ToolAnnotations,
};

use super::era::Signature;
use crate::{
    Connector, Effect, Service,
    access::{Principal, Rights},
    catalog,
};

/// Resources read as Markdown.
pub(super) const MARKDOWN: &str = "text/markdown";

/// Everything a client can be told without asking the vendor.
pub(super) struct Listing {
    tools: OnceLock<Vec<Tool>>,
    /// Whether tools are listed without the schemas that were written down before.
    without_written: bool,
    pub(super) server: ServerConfig,
    pub(super) signature: Signature,
}

impl Listing {
    pub(super) fn new<S: Connector>(service: &Service<S>, without_written: bool) -> Self {
        let about = service.about();
        let catalog = service.catalog();
        // What a caller's own rights deny besides is left out of lists; the features are there all the same.
        let anybody = service.rights(Principal::local());
        let resources = service.resources(&anybody).count() + service.templates(&anybody).count();
        let prompts = service.prompts(&anybody).count();

        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = (!catalog.all_tools().is_empty()).then(Default::default);
        capabilities.resources = (resources > 0).then(Default::default);
        if let Some(resources) = &mut capabilities.resources {
            resources.subscribe = catalog.is_subscribable().then_some(true);
        }
        capabilities.prompts = (prompts > 0).then(Default::default);
        capabilities.completions = completes(service, &anybody).then(Default::default);
        let mut instructions = about.instructions.to_owned();
        if service.is_sandbox() {
            instructions = format!(
                "This is a sandbox: a fake {}, nothing in it is real.\n\n{instructions}",
                about.title
            );
        }
        let off = catalog.toolsets_off();
        if !off.is_empty() {
            let toolsets = if off.len() == 1 { "toolset is" } else { "toolsets are" };
            instructions = format!(
                "{instructions} These {toolsets} switched off, which the operator can switch on by --toolsets: {}.",
                off.join(", ")
            );
        }
        let server = ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(about.program, about.version).with_title(about.title))
            .with_instructions(instructions);
        let signature = Signature::new(about.program, about.version);
        Self { tools: OnceLock::new(), without_written, server, signature }
    }

    /// Every tool that `service` offers to anybody, which this listing is of. Their schemas are the most of it, so that they
    /// are made when somebody first asks.
    pub(super) fn tools<S: Connector>(&self, service: &Service<S>) -> &[Tool] {
        self.tools.get_or_init(|| {
            let structured = service.reply_options().structured;
            let none = Arc::default();
            let tools = service.catalog().all_tools().iter();
            let tools = tools.map(|tool| {
                let is_written = self.without_written && tool.written_schema().is_some();
                let schema = if is_written { &none } else { tool.input_schema() };
                wire_tool(service.wire_name(tool), tool, Arc::clone(schema), structured)
            });
            let mut tools: Vec<_> = tools.collect();
            tools.sort_by(|one, other| one.name.cmp(&other.name));
            tools
        })
    }
}

/// Whether anything can be completed: a source of values helps only where an argument has its name.
fn completes<S: Connector>(service: &Service<S>, rights: &Rights) -> bool {
    let arguments =
        service.prompts(rights).flat_map(|prompt| prompt.arguments().iter().map(|argument| argument.name));
    let variables = service.templates(rights).flat_map(catalog::ResourceTemplate::variables);
    arguments.chain(variables).any(|name| service.catalog().completion(name).is_some())
}

/// A tool as clients get it, under its name on the wire, with the schema of its arguments.
pub(crate) fn wire_tool<S>(
    name: String,
    tool: &catalog::Tool<S>,
    schema: Arc<JsonObject>,
    structured: bool,
) -> Tool {
    let annotations = ToolAnnotations::new()
        .read_only(tool.effect() == Effect::Read)
        .destructive(tool.effect() == Effect::Destructive)
        .idempotent(tool.is_idempotent())
        // Every tool speaks with a vendor whose data others change.
        .open_world(true);
    let wire =
        Tool::new(name, tool.description(), schema).with_title(tool.title()).with_annotations(annotations);
    match structured.then(|| tool.output_schema()).flatten() {
        Some(schema) => wire.with_raw_output_schema(Arc::new(schema)),
        None => wire,
    }
}

pub(super) fn wire_resource<S>(resource: &catalog::Resource<S>) -> Resource {
    Resource::new(resource.uri(), resource.name())
        .with_title(resource.title())
        .with_description(resource.description())
        .with_mime_type(MARKDOWN)
}

pub(super) fn wire_template<S>(template: &catalog::ResourceTemplate<S>) -> ResourceTemplate {
    ResourceTemplate::new(template.template(), template.name())
        .with_title(template.title())
        .with_description(template.description())
        .with_mime_type(MARKDOWN)
}

pub(super) fn wire_prompt<S>(prompt: &catalog::Prompt<S>) -> Prompt {
    let arguments: Vec<_> = prompt
        .arguments()
        .iter()
        .map(|argument| {
            PromptArgument::new(argument.name)
                .with_description(argument.description)
                .with_required(argument.required)
        })
        .collect();
    let arguments = (!arguments.is_empty()).then_some(arguments);
    Prompt::new(prompt.name(), Some(prompt.description()), arguments).with_title(prompt.title())
}
