//! `tools`: what is offered, and what it costs in tokens.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use serde_json::{Value, json};

use super::{Context, call::pretty, failure::Failure, setup};
use crate::{
    Connector,
    catalog::{Catalog, Tool},
    protocol::wire_tool,
    settings::Loaded,
};

/// How the list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    Markdown,
}

pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>, format: Format) -> Result<(), Failure> {
    let catalog = setup::catalog::<S>(&context.loaded)?;
    let list = List::new(&catalog, &context.loaded)?;
    let text = match format {
        Format::Json => pretty(&json!({ "tools": list.wire })),
        Format::Markdown => list.markdown(),
        Format::Text => list.text(&left_out::<S>(&catalog)),
    };
    context.io.answer(&text)
}

/// The offered tools, each as it goes to clients.
pub(super) struct List<'a, S> {
    tools: Vec<&'a Tool<S>>,
    prefix: String,
    wire: Vec<Value>,
}

impl<'a, S: Connector> List<'a, S> {
    pub(super) fn new(catalog: &'a Catalog<S>, loaded: &Loaded) -> Result<Self, Failure> {
        let prefix = setup::prefix(loaded)?;
        let structured = loaded.config.switch("structured");
        let tools: Vec<_> = catalog.all_tools().iter().collect();
        let wire = tools.iter().map(|tool| {
            let tool = wire_tool(
                format!("{prefix}{}", tool.name()),
                tool,
                Arc::clone(tool.input_schema()),
                structured,
            );
            // A tool is plain data and always serializes.
            serde_json::to_value(tool).unwrap_or_default()
        });
        let wire = wire.collect();
        Ok(Self { tools, prefix, wire })
    }

    pub(super) fn len(&self) -> usize {
        self.tools.len()
    }

    /// What the whole list costs in tokens, about.
    pub(super) fn tokens(&self) -> usize {
        estimate(self.total())
    }

    /// Bytes of the whole list as JSON.
    fn total(&self) -> usize {
        (0..self.tools.len()).map(|at| self.bytes(at) + 1).sum()
    }

    /// Bytes of one tool as JSON.
    fn bytes(&self, at: usize) -> usize {
        self.wire.get(at).map(|tool| tool.to_string().len()).unwrap_or_default()
    }

    fn text(&self, left_out: &str) -> String {
        let mut text = format!(
            "{} tools, {} bytes as JSON: about {} tokens (an estimate, bytes / 4)\n",
            self.tools.len(),
            self.total(),
            self.tokens()
        );
        let width =
            self.tools.iter().map(|tool| tool.name().len()).max().unwrap_or_default() + self.prefix.len();
        for (toolset, members) in self.by_toolset() {
            let _ = writeln!(text, "\n{toolset}");
            for (at, tool) in members {
                let name = format!("{}{}", self.prefix, tool.name());
                let (effect, tokens) = (tool.effect().as_str(), estimate(self.bytes(at)));
                let _ = writeln!(text, "  {name:<width$}  {effect:<11}  ~{tokens:<4}  {}", tool.title());
            }
        }
        text.push_str(left_out);
        text
    }

    pub(super) fn markdown(&self) -> String {
        let mut text =
            String::from("| Tool | Toolset | Effect | What it does |\n| --- | --- | --- | --- |\n");
        for tool in &self.tools {
            let name = format!("{}{}", self.prefix, tool.name());
            let toolset = if tool.on_by_default() {
                tool.toolset_name().to_owned()
            } else {
                format!("{} (opt-in)", tool.toolset_name())
            };
            let description = tool.description().replace('|', "\\|").replace('\n', " ");
            let _ = writeln!(text, "| `{name}` | {toolset} | {} | {description} |", tool.effect());
        }
        text
    }

    fn by_toolset(&self) -> BTreeMap<&'static str, Vec<(usize, &'a Tool<S>)>> {
        let mut toolsets = BTreeMap::<_, Vec<_>>::new();
        for (at, tool) in self.tools.iter().enumerate() {
            toolsets.entry(tool.toolset_name()).or_default().push((at, *tool));
        }
        toolsets
    }
}

/// A word about the tools that exist and are not offered.
fn left_out<S: Connector>(offered: &Catalog<S>) -> String {
    let whole = S::catalog();
    let missing: Vec<_> =
        whole.all_tools().iter().filter(|tool| offered.tool(tool.name()).is_none()).collect();
    if missing.is_empty() {
        return String::new();
    }
    let mut names: Vec<_> = missing
        .iter()
        .map(|tool| match tool.on_by_default() {
            true => tool.name().to_owned(),
            false => format!("{} (toolset {}, opt-in)", tool.name(), tool.toolset_name()),
        })
        .collect();
    names.sort_unstable();
    format!("\nNot offered with these settings: {}\n", names.join(", "))
}

fn estimate(bytes: usize) -> usize {
    bytes.div_ceil(4)
}
