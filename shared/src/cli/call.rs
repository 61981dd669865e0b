//! `call`: one tool, once, for people, scripts and tests.

use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{
    Context,
    failure::Failure,
    own_client::{self, Called, Content, Outcome},
    serve::{call_timeout, current_thread},
    setup,
};
use crate::{
    Connector,
    access::Principal,
    catalog::{Tool, nearest},
    serve::StdioOptions,
};

/// The most arguments that are read from standard input.
const MAX_ARGUMENTS: u64 = 16 * 1024 * 1024;

#[inline(never)]
pub(super) fn run<S: Connector>(
    context: &mut Context<'_, '_>,
    tool: &str,
    arguments: Option<&str>,
) -> Result<(), Failure> {
    let arguments = read(context, arguments)?;
    let runtime = current_thread()?;
    let outcome = runtime.block_on(call::<S>(context, tool, arguments));
    runtime.shutdown_background();
    outcome
}

async fn call<S: Connector>(
    context: &mut Context<'_, '_>,
    name: &str,
    mut arguments: Map<String, Value>,
) -> Result<(), Failure> {
    // A slip in the name must not wait for a fake to start.
    let prefix = setup::prefix(&context.loaded)?;
    let bare = name.strip_prefix(&prefix).unwrap_or(name);
    if setup::catalog::<S>(&context.loaded)?.tool(bare).is_none() {
        return Err(no_such_tool::<S>(context, name, &prefix)?);
    }
    let wire_name = format!("{prefix}{bare}");
    let ready = setup::ready::<S>(context).await?;
    let mut options = StdioOptions::default();
    options.call_timeout = call_timeout(&context.loaded.config, options.call_timeout);
    // The arguments were limited where they were read.
    options.max_line = usize::MAX;
    own_client::with(&ready.service, options, async |mut client| {
        match client.call_tool(&wire_name, &arguments).await? {
            Called::Complete(outcome) => show(context, outcome),
            Called::InputRequired {} => {
                // Nobody is asked here: scripts use this too. What it would do is shown all the same.
                arguments.insert("dry_run".to_owned(), Value::Bool(true));
                if let Called::Complete(preview) = client.call_tool(&wire_name, &arguments).await? {
                    show(context, Outcome { structured_content: None, ..preview })?;
                }
                let hint = if setup::is_strict(&context.loaded.config) {
                    "--confirm has a person agree to writes, and nobody is asked here"
                } else {
                    "Repeat the call with --allow-destructive to do it"
                };
                Err(Failure::other(format!("`{name}` asks before it does this, so nothing was changed"))
                    .with_hint(hint))
            }
        }
    })
    .await
}

/// Prints a result: the structured content where there is some, the text otherwise.
fn show(context: &mut Context<'_, '_>, outcome: Outcome) -> Result<(), Failure> {
    let texts = outcome.content.iter().filter_map(|content| match content {
        Content::Text { text } => Some(text.as_str()),
        Content::Image { .. } | Content::Other => None,
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    if outcome.is_error {
        return Err(Failure::other(text));
    }
    match &outcome.structured_content {
        Some(structured) => context.io.answer(&pretty(structured))?,
        None => context.io.answer(&format!("{text}\n"))?,
    }
    for content in &outcome.content {
        if let Content::Image { data, mime_type } = content {
            let bytes = STANDARD.decode(data).map_or(0, |bytes| bytes.len());
            context.io.say(format_args!("note: an image is not shown ({mime_type}, {bytes} bytes)."));
        }
    }
    Ok(())
}

/// Why `name` cannot be called: it does not exist, or the settings leave it out.
fn no_such_tool<S: Connector>(
    context: &Context<'_, '_>,
    name: &str,
    prefix: &str,
) -> Result<Failure, Failure> {
    let program = context.table.about().program;
    let bare = name.strip_prefix(prefix).unwrap_or(name);
    let offered = setup::catalog::<S>(&context.loaded)?;
    let selection = setup::selection(&context.loaded.config);
    if let Some(denial) = offered.known(bare).and_then(|tool| selection.decide(&tool.capability()).err()) {
        let error = denial.into_error(name, &Principal::local());
        let failure = Failure::usage(error.message().to_owned());
        return Ok(match error.hint() {
            Some(hint) => failure.with_hint(hint.to_owned()),
            None => failure,
        });
    }
    let failure = Failure::usage(format!("There is no tool `{name}`"));
    Ok(match nearest(bare, offered.all_tools().iter().map(Tool::name)) {
        Some(near) => failure.with_hint(format!("Did you mean `{prefix}{near}`?")),
        None => failure.with_hint(format!("`{program} tools` lists them")),
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
            .with_hint("Write them like '{\"limit\": 5}', in single quotes for the shell")
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
