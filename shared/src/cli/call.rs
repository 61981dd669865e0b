//! `call`: one tool, once, for people, scripts and tests.

use std::{io::Read as _, sync::Arc};

use serde_json::{Map, Value};

use super::{Context, failure::Failure, serve::current_thread, setup};
use crate::{
    Connector, Service,
    access::Principal,
    catalog::{Answer, Rendered, Silent, Tool},
};

/// The most arguments that are read from standard input.
const MAX_ARGUMENTS: u64 = 16 * 1024 * 1024;

pub(super) fn run<S: Connector>(
    context: &mut Context<'_, '_>,
    tool: &str,
    arguments: Option<&str>,
) -> Result<(), Failure> {
    let arguments = read(context, arguments)?;
    let runtime = current_thread()?;
    let outcome = runtime.block_on(call::<S>(context, tool, arguments));
    runtime.shutdown_background();
    let rendered = outcome?;
    let text = match &rendered.structured {
        Some(structured) => pretty(structured),
        None => format!("{}\n", rendered.text),
    };
    context.io.answer(&text)?;
    for image in &rendered.images {
        context.io.say(format_args!(
            "note: an image is not shown ({}, {} bytes).",
            image.mime_type,
            image.bytes.len()
        ));
    }
    Ok(())
}

async fn call<S: Connector>(
    context: &mut Context<'_, '_>,
    name: &str,
    arguments: Map<String, Value>,
) -> Result<Rendered, Failure> {
    // A slip in the name must not wait for a fake to start.
    let prefix = setup::prefix(&context.loaded)?;
    if setup::catalog::<S>(&context.loaded)?.tool(name.strip_prefix(&prefix).unwrap_or(name)).is_none() {
        return Err(no_such_tool::<S>(context, name, &prefix)?);
    }
    let ready = setup::ready::<S>(context).await?;
    let service = &ready.service;
    let bare = name.strip_prefix(&prefix).unwrap_or(name);
    let Some(tool) = service.catalog().tool(bare) else {
        return Err(Failure::usage(format!("There is no tool `{name}`")));
    };
    match ask(service, tool, arguments.clone()).await? {
        Answer::Reply(reply) => Ok(service.render(reply)),
        Answer::Question(_) => {
            // A confirmation lives as long as the process, so a second call could not carry one.
            let mut dry = arguments;
            dry.insert("dry_run".to_owned(), Value::Bool(true));
            if let Answer::Reply(preview) = ask(service, tool, dry).await? {
                context.io.answer(&format!("{}\n", service.render(preview).text))?;
            }
            Err(Failure::other(format!("`{name}` asks before it does this, so nothing was changed"))
                .hint("Repeat the call with --allow-destructive to do it"))
        }
    }
}

async fn ask<S: Connector>(
    service: &Service<S>,
    tool: &Tool<S>,
    arguments: Map<String, Value>,
) -> Result<Answer, Failure> {
    let called = service.call(tool, Principal::local(), arguments, false, Arc::new(Silent)).await;
    called.map_err(|error| Failure::other(error.for_agent()))
}

/// Why `name` cannot be called: it does not exist, or the settings leave it out.
fn no_such_tool<S: Connector>(
    context: &Context<'_, '_>,
    name: &str,
    prefix: &str,
) -> Result<Failure, Failure> {
    let program = context.table.about().program;
    let bare = name.strip_prefix(prefix).unwrap_or(name);
    let whole = S::catalog();
    if let Some(tool) = whole.tool(bare) {
        let failure = Failure::usage(format!("`{name}` is not offered with these settings"));
        let config = &context.loaded.config;
        return Ok(if config.switch("read-only") && tool.effect().writes() {
            failure.hint("It writes, and --read-only is on")
        } else if !tool.on_by_default()
            && config.list("toolsets").is_empty()
            && config.list("tools").is_empty()
        {
            failure.hint(format!("Ask for its toolset: --toolsets default,{}", tool.toolset_name()))
        } else {
            failure.hint("--toolsets, --tools or --exclude-tools leave it out")
        });
    }
    let failure = Failure::usage(format!("There is no tool `{name}`"));
    let offered = setup::catalog::<S>(&context.loaded)?;
    Ok(match crate::catalog::nearest(bare, offered.all_tools().iter().map(Tool::name)) {
        Some(near) => failure.hint(format!("Did you mean `{prefix}{near}`?")),
        None => failure.hint(format!("`{program} tools` lists them")),
    })
}

/// The arguments as an object; without any, an empty one.
fn read(context: &mut Context<'_, '_>, arguments: Option<&str>) -> Result<Map<String, Value>, Failure> {
    let mut piped = String::new();
    let text = match arguments {
        None => return Ok(Map::new()),
        Some("-") => {
            let mut limited = (&mut *context.io.input).take(MAX_ARGUMENTS);
            limited
                .read_to_string(&mut piped)
                .map_err(|error| Failure::other(format!("Standard input cannot be read: {error}")))?;
            piped.as_str()
        }
        Some(text) => text,
    };
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    let refuse = |why: String| {
        Failure::usage(format!("The arguments are no JSON object: {why}"))
            .hint("Write them like '{\"limit\": 5}', in single quotes for the shell")
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(refuse("they are another kind of value".to_owned())),
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// JSON for people, with a line's end.
pub(super) fn pretty(value: &Value) -> String {
    // A `Value` always serializes.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
