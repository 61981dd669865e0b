//! Single blocks by their ids: text added at a place, changed in its block, removed.

use std::collections::VecDeque;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Tool, Written, one_line,
        reconcile::{self, Seen},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{outcome, told};
use crate::{
    Notion,
    api::objects::plain,
    draft::{self, Drafts},
    error::committed_children,
    render,
};

/// Changes in one call.
const MOST: usize = 50;
/// Characters of a block's text that a reply shows.
const SHOWN: usize = 80;
/// Readings of what is inside a block that is to be deleted.
const READINGS: usize = 40;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::destructive(
            "edit_blocks",
            "Edit blocks",
            "Changes blocks by ids of get_blocks: `append` Markdown in a block or page, `insert_after` a block, \
             `update` its text, `delete` it, which asks. edit_content finds passages by their words instead.",
            edit_blocks,
        )
        .toolset("pages")
        .aliases(&[("operations", "edits"), ("ops", "edits"), ("blocks", "edits")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditBlocks {
    edits: Vec<BlockEdit>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BlockEdit {
    action: Action,
    #[serde(alias = "block", alias = "block_id")]
    id: String,
    #[serde(alias = "text", alias = "content")]
    markdown: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Append,
    InsertAfter,
    Update,
    Delete,
}

/// One change, worked out.
enum Change {
    Add { parent: String, after: Option<String>, blocks: Vec<Value> },
    Update { body: Value, before: Value },
    Delete,
}

struct Step {
    page: String,
    id: String,
    what: String,
    lines: Vec<String>,
    notes: Vec<String>,
    change: Change,
}

async fn edit_blocks(call: Call<Notion>, arguments: EditBlocks) -> Result<Plan> {
    let edits = arguments.edits;
    if edits.is_empty() || edits.len() > MOST {
        return Err(Error::invalid(format!("`edits` takes 1 to {MOST} changes, not {}", edits.len())));
    }
    let mut steps = Vec::with_capacity(edits.len());
    let mut states = Vec::new();
    for edit in edits {
        let (step, state) = plan_one(&call, edit).await?;
        steps.push(step);
        states.push(state);
    }
    let total = steps.len();
    let mut preview =
        Written::new(format!("Make {total} {} of blocks:", if total == 1 { "change" } else { "changes" }));
    let mut notes = Vec::new();
    for step in &steps {
        told::note(&mut notes, step.notes.clone());
        preview = preview.change(step.what.clone());
        preview.changed.extend(step.lines.iter().map(|line| format!("  {line}")));
    }
    let harmless = !steps.iter().any(|step| matches!(step.change, Change::Delete));
    let plan = Plan::new(told::written(preview, notes.clone()), move || async move {
        let mut written = Written::default();
        for (done, step) in steps.iter().enumerate() {
            let told = match carry_out(&call, step).await {
                Ok(told) => told,
                Err(error) if done == 0 => return Err(outcome::of_first(error, &step.what, total)),
                Err(error) => {
                    written.summary = format!(
                        "Made {done} of {total} changes; change {} ({}) failed: {}",
                        done + 1,
                        step.what,
                        error.for_agent()
                    );
                    if done + 1 < total {
                        notes.push(outcome::untried(("change", "changes"), done + 2, total));
                    }
                    return Ok(told::written(written, notes));
                }
            };
            written = written.change(format!("{}{told}", step.what));
            written.changed.extend(step.lines.iter().map(|line| format!("  {line}")));
        }
        written.summary =
            format!("Made {total} {} of blocks.", if total == 1 { "change" } else { "changes" });
        Ok(told::written(written, notes))
    })
    .state(&states);
    Ok(if harmless { plan.harmless() } else { plan })
}

/// The page that a block is on, as far as it is known without asking for all between.
fn page_of(block: &Value) -> String {
    let parent = &block["parent"];
    parent["page_id"].as_str().or(parent["block_id"].as_str()).unwrap_or_default().to_owned()
}

/// Works out one change, and the state that it is made from.
async fn plan_one(call: &Call<Notion>, edit: BlockEdit) -> Result<(Step, Value)> {
    let BlockEdit { action, id, markdown } = edit;
    let id = call.block_id("id", &id).await?;
    let block = call.api().block(&id).await?;
    let kind = block["type"].as_str().unwrap_or_default().to_owned();
    let name = format!("{} {}", kind.replace('_', " "), render::bare(&id));
    let there = plain(&block[kind.as_str()]["rich_text"]);
    let (markdown, mentions) = match markdown.filter(|text| !text.trim().is_empty()) {
        // Code and equations are what they are.
        Some(text) if matches!(action, Action::Update) && ["code", "equation"].contains(&kind.as_str()) => {
            (Some(text), Vec::new())
        }
        Some(text) => {
            let (text, mentions) = call.mentioned(&text, &there).await?;
            // Without their ids they stay the names that they are.
            (Some(call.with_emojis(&text).await.unwrap_or(text)), mentions)
        }
        None => (None, Vec::new()),
    };
    let text = || markdown.as_deref().ok_or_else(|| Error::invalid("This change needs `markdown`"));
    let page = page_of(&block);
    let step = |what: String, lines: Vec<String>, notes: Vec<String>, change: Change| Step {
        page: page.clone(),
        id: id.clone(),
        what,
        lines,
        notes,
        change,
    };
    match action {
        Action::Append | Action::InsertAfter => {
            let Drafts { blocks, notes } = draft::blocks(text()?)?;
            let count = draft::count(&blocks);
            let lines = blocks.iter().map(|block| format!("+ {}", draft::line(block))).collect();
            let notes = [mentions, notes].concat();
            let (parent, after, place) = if matches!(action, Action::Append) {
                (id.clone(), None, format!("in {name}"))
            } else {
                let parent = page_of(&block);
                if parent.is_empty() {
                    return Err(Error::invalid("This is no block of a page").with_hint("Use `append`"));
                }
                (parent, Some(id.clone()), format!("after {name}"))
            };
            let blocks_word = if count == 1 { "block" } else { "blocks" };
            let what = format!("{count} {blocks_word} {place}");
            Ok((step(what, lines, notes, Change::Add { parent, after, blocks }), Value::Null))
        }
        Action::Update => {
            let given = text()?;
            // The box of a to-do may be given without the list's mark.
            let boxed = kind == "to_do" && given.starts_with('[') && !given.contains("](");
            let given = if boxed { format!("- {given}") } else { given.to_owned() };
            let Drafts { blocks, notes } = draft::blocks_for(&kind, &given)?;
            let [new] = blocks.as_slice() else {
                return Err(Error::invalid(format!(
                    "`update` takes the text of one block, and this makes {}",
                    blocks.len()
                ))
                .with_hint("Update the block with its own text, and add the rest by `insert_after`"));
            };
            let body = draft::update(&block, new)?;
            let before = block[kind.as_str()].clone();
            let old_text = plain(&before["rich_text"]);
            let lines = render::diff(&old_text, &plain_of(new));
            let mut all = draft::losses(&before["rich_text"], new);
            all.extend(mentions);
            all.extend(notes);
            let change = Change::Update { body, before: before.clone() };
            Ok((step(format!("text of {name}"), lines, all, change), before))
        }
        Action::Delete => {
            if kind.starts_with("child_") {
                return Err(Error::invalid(format!("{name} is a whole page or database"))
                    .with_hint("trash_pages puts it into the trash, where it can be taken out again"));
            }
            let words = one_line(&plain(&block[kind.as_str()]["rich_text"]));
            let mut lines = vec![format!("- {}", draft::short(&words, SHOWN))];
            let mut ids = Vec::new();
            if block["synced_block"]["synced_from"].is_object() {
                lines.push("only this place: the original stays with all in it".to_owned());
            } else if block["has_children"] == true {
                let inside = inside(call, &id).await?;
                if !inside.pages.is_empty() {
                    return Err(Error::invalid(format!(
                        "Deleting {name} would put pages in it into the trash: {}",
                        inside.pages.join(", ")
                    ))
                    .with_hint(
                        "Nothing was deleted. Move them by move_pages, or trash them by trash_pages, first",
                    ));
                }
                let (many, more) = (inside.ids.len(), if inside.more { "more than " } else { "" });
                lines.push(format!("with {more}{many} {} in it", if many == 1 { "block" } else { "blocks" }));
                if inside.more {
                    lines.push("not all of it was looked at: pages may be in it too".to_owned());
                }
                ids = inside.ids;
            }
            let state = json!([block[kind.as_str()]["rich_text"], ids]);
            Ok((step(format!("delete {name}"), lines, Vec::new(), Change::Delete), state))
        }
    }
}

/// What is inside a block, at every depth.
#[derive(Default)]
struct Inside {
    ids: Vec<Value>,
    /// Pages and databases: `Title (id)`.
    pages: Vec<String>,
    /// Whether there is more than was read.
    more: bool,
}

async fn inside(call: &Call<Notion>, id: &str) -> Result<Inside> {
    let mut all = Inside::default();
    let mut left = VecDeque::from([id.to_owned()]);
    let mut readings = 0;
    while let Some(parent) = left.pop_front() {
        let mut cursor: Option<String> = None;
        loop {
            if readings == READINGS {
                all.more = true;
                return Ok(all);
            }
            readings += 1;
            let list = call.api().children(&parent, 100, cursor.as_deref()).await?;
            let next = list.next(cursor.as_deref()).map(str::to_owned);
            for block in &list.results {
                let (id, kind) = (&block["id"], block["type"].as_str().unwrap_or_default());
                all.ids.push(id.clone());
                let id = id.as_str().unwrap_or_default();
                if kind.starts_with("child_") {
                    let title = render::title(block[kind]["title"].as_str().unwrap_or_default());
                    all.pages.push(format!("{title} ({})", render::bare(id)));
                } else if block["has_children"] == true && !block["synced_block"]["synced_from"].is_object() {
                    left.push_back(id.to_owned());
                }
            }
            match next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
    }
    Ok(all)
}

fn plain_of(draft: &Value) -> String {
    let kind = draft["type"].as_str().unwrap_or_default();
    let runs = draft[kind]["rich_text"].as_array().into_iter().flatten();
    runs.filter_map(|run| run["text"]["content"].as_str()).collect()
}

/// Makes one change, and tells the ids of what it made.
async fn carry_out(call: &Call<Notion>, step: &Step) -> Result<String> {
    match &step.change {
        Change::Add { parent, after, blocks } => {
            let mut after = after.clone();
            let mut made = Vec::new();
            let mut any_lost = false;
            for some in draft::batches(blocks) {
                let (ids, lost) = add(call, step, parent, some, after.as_deref())
                    .await
                    .map_err(|error| partly(error, &made))?;
                any_lost |= lost;
                after = ids.last().cloned();
                made.extend(ids);
            }
            let ids: Vec<String> = made.iter().map(|id| render::bare(id)).collect();
            Ok(format!(": {}{}", ids.join(", "), outcome::note(any_lost)))
        }
        Change::Update { body, before } => {
            let kind = body.as_object().and_then(|body| body.keys().next().cloned()).unwrap_or_default();
            let is_set = |own: &Value| {
                let wanted = &body[kind.as_str()];
                draft::same_text(&own["rich_text"], &wanted["rich_text"])
                    && ["checked", "language", "expression"]
                        .iter()
                        .all(|field| wanted.get(field).is_none_or(|wanted| own[*field] == *wanted))
            };
            let look = || async {
                let now = call.api().block(&step.id).await?;
                let own = &now[kind.as_str()];
                Ok(if own == before {
                    Seen::Untouched
                } else if is_set(own) {
                    Seen::Done(now)
                } else {
                    Seen::Changed
                })
            };
            let send = || call.api().update_block(&step.page, &step.id, body);
            let (now, lost) = reconcile::updated(send, look).await?;
            let own = &now[kind.as_str()];
            if !is_set(own) {
                let now = draft::short(&one_line(&plain(&own["rich_text"])), SHOWN);
                return Err(Error::new(
                    Kind::Upstream,
                    format!("Notion accepted the {} but did not do it: it is \"{now}\"", step.what),
                )
                .with_hint("Look at the block with get_blocks"));
            }
            Ok(outcome::note(lost).to_owned())
        }
        Change::Delete => {
            let sent = call.api().delete_block(&step.page, &step.id).await;
            let is_gone = |block: &Value| block["in_trash"] == true;
            let lost = outcome::gone(sent, call.api().block(&step.id), is_gone).await?;
            Ok(if lost { " (its answer was lost; it is gone)".to_owned() } else { String::new() })
        }
    }
}

/// Says which blocks were made before some that failed.
fn partly(error: Error, made: &[String]) -> Error {
    if made.is_empty() {
        return error;
    }
    let last = made.last().map(|id| render::bare(id)).unwrap_or_default();
    let message = format!("{} blocks were added, up to {last}; then: {}", made.len(), error.message());
    Error::new(Kind::UnknownOutcome, message)
        .with_hint("Look with get_blocks and go on after it")
        .with_source(error)
}

/// Adds blocks, and gives the ids of them and whether the answer was lost.
async fn add(
    call: &Call<Notion>,
    step: &Step,
    parent: &str,
    blocks: &[Value],
    after: Option<&str>,
) -> Result<(Vec<String>, bool)> {
    let attempt = outcome::attempt(call, "block");
    let ids = |made: &Vec<Value>| -> Vec<String> {
        made.iter().filter_map(|block| block["id"].as_str().map(str::to_owned)).collect()
    };
    let sent = call.api().append(&step.page, parent, blocks, after).await.map(|made| ids(&made));
    let saved = sent.as_ref().err().map(|error| committed_children(error).to_vec()).unwrap_or_default();
    let look = || async {
        if saved.len() == blocks.len() && saved.iter().all(|id| attempt.is_free(id)) {
            return Some(saved.clone());
        }
        run(call, parent, blocks, &attempt).await
    };
    let (made, lost) =
        attempt.made(sent, |ids: &Vec<String>| ids.first().cloned().unwrap_or_default(), look).await?;
    Ok((made, lost))
}

/// A run of new blocks in `parent` that say what `blocks` say, one after the other.
async fn run(
    call: &Call<Notion>,
    parent: &str,
    blocks: &[Value],
    attempt: &reconcile::Attempt,
) -> Option<Vec<String>> {
    let me = outcome::own_id(call).await?;
    let mut there = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = call.api().children(parent, 100, cursor.as_deref()).await.ok()?;
        let next = page.next(cursor.as_deref()).map(str::to_owned);
        there.extend(page.results);
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let is_it = |(block, draft): (&Value, &Value)| {
        outcome::is_of_block(attempt, &me, block) && draft::is_made(block, draft)
    };
    let found = there.windows(blocks.len()).rfind(|some| some.iter().zip(blocks).all(is_it))?;
    found.iter().map(|block| block["id"].as_str().map(str::to_owned)).collect()
}
