//! Canvases written by section: one change a call, in their order, then read back.

use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    audience,
    files::file_id,
    places::{readable, writable},
    settled,
};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Channel, File},
    },
    render::canvas::{self, Section},
    workspace::Workspace,
};

/// The most changes of one call.
const MOST: usize = 20;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::destructive(
            "write_canvas",
            "Write a canvas",
            "Changes sections of a canvas (read_file gives their ids), or makes a new one from `markdown`, of its own or as the tab of `channel`.",
            write_canvas,
        )
        .toolset("files")
        .scopes(&["canvases:write"])
        .aliases(&[("canvas_id", "canvas"), ("channel_id", "channel"), ("content", "markdown"), ("changes", "operations")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WriteCanvas {
    canvas: Option<String>,
    channel: Option<String>,
    title: Option<String>,
    /// For a new canvas
    markdown: Option<String>,
    #[serde(default)]
    operations: Vec<Operation>,
    workspace: Option<String>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: Op,
    section: Option<String>,
    markdown: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Op {
    Append,
    Prepend,
    InsertAfter,
    InsertBefore,
    Replace,
    Delete,
}

impl Op {
    fn wire(self) -> &'static str {
        match self {
            Self::Append => "insert_at_end",
            Self::Prepend => "insert_at_start",
            Self::InsertAfter => "insert_after",
            Self::InsertBefore => "insert_before",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }

    fn needs_section(self) -> bool {
        matches!(self, Self::InsertAfter | Self::InsertBefore | Self::Replace | Self::Delete)
    }
}

async fn write_canvas(call: Call<Slack>, args: WriteCanvas) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let given = |word: &Option<String>| word.clone().filter(|word| !word.trim().is_empty());
    let channel = match given(&args.channel) {
        Some(channel) => Some(workspace.names().channel(&channel).await?),
        None => None,
    };
    if let Some(canvas) = given(&args.canvas) {
        return edit(&call, &workspace, &canvas, &args).await;
    }
    let Some((place, tab)) = channel.as_ref().and_then(|channel| Some((channel, channel.canvas()?))) else {
        return create(&call, &workspace, &args, channel).await;
    };
    if args.markdown.is_none() && !args.operations.is_empty() {
        return edit(&call, &workspace, tab, &args).await;
    }
    let title = workspace.names().title(place).await;
    Err(Error::new(Kind::Conflict, format!("{title} has a canvas already: {tab}")).with_hint(
        "Change it with `operations` (read_file gives its sections), or leave `channel` out for a canvas of its own",
    ))
}

/// The canvas and its sections as they are.
async fn read(workspace: &Workspace, id: &str) -> Result<(File, Vec<Section>)> {
    let file = workspace.api().file(id).await?;
    if !file.is_canvas() {
        return Err(Error::invalid(format!("{} is a file, not a canvas", one_line(id)))
            .with_hint("Only canvases can be written"));
    }
    let (_, bytes) = workspace.api().download(&file, 4 * 1024 * 1024).await?;
    let sections = canvas::sections(&String::from_utf8_lossy(&bytes));
    Ok((file, sections))
}

async fn edit(
    call: &Call<Slack>,
    workspace: &std::sync::Arc<Workspace>,
    canvas: &str,
    args: &WriteCanvas,
) -> Result<Plan> {
    let id = file_id(canvas)?;
    let (file, sections) = read(workspace, &id).await?;
    // Its sections are shown, before the change and after.
    readable(call, workspace, &file).await?;
    let asks = writable(call, workspace, &file).await?;
    let title = args.title.clone().filter(|title| !title.trim().is_empty() && *title != file.title);
    let mut changes: Vec<Change> = Vec::new();
    if args.operations.len() > MOST {
        return Err(Error::invalid(format!("`operations` takes up to {MOST} changes")));
    }
    if args.markdown.is_some() {
        return Err(Error::invalid("`markdown` is for a new canvas")
            .with_hint("Use `operations` to change one that is there"));
    }
    if let Some(title) = &title {
        changes.push(Change {
            words: format!("rename to {}", one_line(title)),
            wire: json!({ "operation": "rename", "title_content": { "type": "markdown", "markdown": title } }),
            title: Some(title.clone()),
            text: String::new(),
            removes: None,
        });
    }
    for operation in &args.operations {
        changes.push(change(operation, &sections)?);
    }
    if changes.is_empty() {
        return Err(Error::invalid("There is nothing to change").with_hint("Give `operations` or `title`"));
    }
    let harmless = args.operations.iter().all(|operation| !matches!(operation.op, Op::Replace | Op::Delete));
    let name = one_line(if file.title.is_empty() { &file.name } else { &file.title });
    let mut preview = Written::new(format!("Change the canvas {name} ({id})")).id(&id);
    preview.changed.extend(changes.iter().map(|change| change.words.clone()));
    preview.changed.extend(asks.iter().map(|reason| format!("asks, because {reason}")));
    let state: Vec<(String, String)> =
        sections.iter().map(|section| (section.id.clone(), section.markdown.clone())).collect();
    let workspace = std::sync::Arc::clone(workspace);
    let plan = Plan::new(Reply::written(preview), move || async move {
        let all = changes.len();
        let mut written = Written::new(format!("Changed the canvas {name} ({id})")).id(&id);
        // What is known to stand there, to tell by it a change whose answer was lost.
        let mut known = letters(&sections);
        for (number, change) in changes.into_iter().enumerate() {
            // Slack takes exactly one change a call (docs.slack.dev/reference/methods/canvases.edit).
            let form = Form::new().set("canvas_id", &id).json("changes", &json!([change.wire]));
            let sent: Result<Value> = workspace
                .api()
                .write(methods::CANVASES_EDIT, form, format!("Read the canvas {id}"), &[])
                .await;
            let is_so = async {
                let (file, now) = read(&workspace, &id).await?;
                Ok(change.is_made(&file, &now, &known))
            };
            match settled(sent, &change.words, is_so).await {
                Ok(words) => written = written.change(words),
                Err(error) if number == 0 => return Err(error),
                Err(error) => {
                    return Err(Error::new(
                        error.kind(),
                        format!(
                            "{number} of {all} changes were made, then \"{}\" failed: {}",
                            change.words,
                            error.message()
                        ),
                    )
                    .with_hint("Read the canvas again before going on: its sections have changed"));
                }
            }
            known.push_str(&only_letters(&change.text));
        }
        Ok(with_canvas(written, read(&workspace, &id).await))
    })
    .state(&state);
    Ok(match (asks.is_empty(), harmless) {
        (false, _) => plan.ask(),
        (true, true) => plan.harmless(),
        (true, false) => plan,
    })
}

/// What was written, with the canvas as it is `now`. That it cannot be read takes nothing from what is done.
fn with_canvas(written: Written, now: Result<(File, Vec<Section>)>) -> Reply {
    match now {
        Ok((_, sections)) => {
            Reply::written(written).outside("canvas as it is now", None, canvas::with_ids(&sections))
        }
        Err(error) => {
            Reply::written(written.change(format!("it could not be read back: {}", error.for_agent())))
        }
    }
}

/// One change of a canvas.
struct Change {
    /// In words.
    words: String,
    /// As Slack takes it.
    wire: Value,
    /// The new title.
    title: Option<String>,
    /// The text that is there afterwards; empty if none is new.
    text: String,
    /// The section that is not there afterwards.
    removes: Option<String>,
}

impl Change {
    /// Whether a canvas shows it, of which `known` stood there before.
    fn is_made(&self, file: &File, now: &[Section], known: &str) -> bool {
        if let Some(title) = &self.title {
            return file.title == *title;
        }
        let text = only_letters(&self.text);
        if text.is_empty() {
            return self.removes.as_ref().is_some_and(|id| now.iter().all(|section| section.id != *id));
        }
        letters(now).matches(&text).count() > known.matches(&text).count()
    }
}

/// The letters and digits of sections: what Markdown and its rendering have in common.
fn letters(sections: &[Section]) -> String {
    sections.iter().map(|section| only_letters(&section.markdown)).collect()
}

fn only_letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A change as Slack takes it, and in words.
fn change(operation: &Operation, sections: &[Section]) -> Result<Change> {
    let text = operation.markdown.clone().unwrap_or_default();
    if operation.op != Op::Delete && text.trim().is_empty() {
        return Err(Error::invalid("Every operation but delete needs `markdown`"));
    }
    let mut wire = json!({ "operation": operation.op.wire() });
    if operation.op != Op::Delete {
        wire["document_content"] = json!({ "type": "markdown", "markdown": text });
    }
    let mut words = operation.op.wire().replace('_', " ");
    let mut removes = None;
    if operation.op.needs_section() {
        let wanted =
            operation.section.as_deref().map(str::trim).filter(|section| !section.is_empty()).ok_or_else(
                || {
                    Error::invalid(format!("`{}` needs `section`", operation.op.wire())).with_hint(
                        "read_file gives the id of each section; without one the whole canvas would go",
                    )
                },
            )?;
        let section = section(wanted, sections)?;
        wire["section_id"] = json!(section.id);
        removes = (operation.op == Op::Delete).then(|| section.id.clone());
        words = format!(
            "{words} {}: \"{}\"",
            section.id,
            one_line(&section.markdown).chars().take(60).collect::<String>()
        );
    }
    if operation.op != Op::Delete {
        words = format!("{words} → \"{}\"", one_line(&text).chars().take(80).collect::<String>());
    }
    let text = if operation.op == Op::Delete { String::new() } else { text };
    Ok(Change { words, wire, title: None, text, removes })
}

/// The section of this id, or the only one with this text.
fn section<'a>(wanted: &str, sections: &'a [Section]) -> Result<&'a Section> {
    let bare = wanted.trim_start_matches('[').trim_end_matches(']');
    if let Some(found) = sections.iter().find(|section| section.id == bare) {
        return Ok(found);
    }
    let low = wanted.to_lowercase();
    let with_text: Vec<&Section> = sections
        .iter()
        .filter(|section| !section.id.is_empty() && section.markdown.to_lowercase().contains(&low))
        .collect();
    match with_text.as_slice() {
        [only] => Ok(only),
        found => {
            let listed: Vec<String> = sections
                .iter()
                .filter(|section| !section.id.is_empty())
                .take(12)
                .map(|section| {
                    format!(
                        "{} \"{}\"",
                        section.id,
                        one_line(&section.markdown).chars().take(30).collect::<String>()
                    )
                })
                .collect();
            let what = if found.is_empty() { "No section" } else { "More than one section" };
            Err(Error::new(
                if found.is_empty() { Kind::NotFound } else { Kind::InvalidArgument },
                format!("{what} is meant by `{}`", one_line(wanted)),
            )
            .with_hint(format!("Sections: {}", listed.join(", "))))
        }
    }
}

async fn create(
    call: &Call<Slack>,
    workspace: &std::sync::Arc<Workspace>,
    args: &WriteCanvas,
    channel: Option<Channel>,
) -> Result<Plan> {
    let text = args.markdown.clone().unwrap_or_default();
    let title = args.title.clone().filter(|title| !title.trim().is_empty());
    if title.is_none() && text.trim().is_empty() {
        return Err(Error::invalid(
            "Give `canvas` to change one (search_files finds it), or `title` and `markdown` for a new one",
        ));
    }
    // The title stands above the text already: repeated as its first heading it would be there twice.
    let body = title.as_deref().and_then(|title| {
        let (first, rest) = text.trim_start().split_once('\n').unwrap_or((text.trim_start(), ""));
        (first.strip_prefix("# ").map(str::trim) == Some(title.trim())).then(|| rest.trim_start().to_owned())
    });
    let text = body.unwrap_or(text);
    if let Some(channel) = &channel {
        call.policy().writes(channel)?;
    }
    let place = match &channel {
        Some(channel) => format!(" as the tab of {}", workspace.names().title(channel).await),
        None => String::new(),
    };
    let name = title.clone().unwrap_or_else(|| "Untitled".to_owned());
    let asks = match &channel {
        Some(channel) => audience::asks(call, workspace, channel, &[]).await,
        None => {
            call.policy().outside("a canvas of its own", Effect::Write)?;
            Vec::new()
        }
    };
    let mut preview = Written::new(format!("Create the canvas {}{place}", one_line(&name)))
        .change(format!("{} characters of Markdown", text.chars().count()));
    preview.changed.extend(asks.iter().map(|reason| format!("asks, because {reason}")));
    let state = (channel.as_ref().map(|channel| channel.id.clone()), title.clone(), text.clone());
    let workspace = std::sync::Arc::clone(workspace);
    let plan = Plan::new(Reply::written(preview), move || async move {
        #[derive(Deserialize)]
        struct Answer {
            canvas_id: String,
        }
        let content = json!({ "type": "markdown", "markdown": text });
        let mut form = Form::new().maybe("title", title.as_deref());
        if !text.trim().is_empty() {
            form = form.json("document_content", &content);
        }
        let (method, form) = match &channel {
            Some(channel) => (methods::CONVERSATIONS_CANVASES_CREATE, form.set("channel_id", &channel.id)),
            None => (methods::CANVASES_CREATE, form),
        };
        let answer: Answer =
            workspace.api().write(method, form, "Look among your canvases".to_owned(), &["channels"]).await?;
        let written =
            Written::new(format!("Created the canvas {}{place}: {}", one_line(&name), answer.canvas_id))
                .id(&answer.canvas_id);
        let now = read(&workspace, &answer.canvas_id).await;
        let written = match &now {
            Ok((file, _)) => written.url(file.permalink.clone()),
            Err(_) => written,
        };
        Ok(with_canvas(written, now))
    })
    .state(&state);
    Ok(if asks.is_empty() { plan.harmless() } else { plan.ask() })
}
