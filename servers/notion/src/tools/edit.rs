//! The text of a page edited: by passages, added to, or replaced; guarded by what the caller has read.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    moves,
    templates::{self, Row},
    told,
};
use crate::{
    Notion,
    api::objects::PageMarkdown,
    dialect::{self, Accepted, Code},
    render,
};

/// Passages in one call (developers.notion.com/guides/data-apis/working-with-markdown-content).
const MOST: usize = 100;
/// The longest text that is given back when it was replaced, in bytes.
pub(super) const BEFORE: usize = 24 * 1024;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::destructive(
            "edit_content",
            "Edit a page's text",
            "Changes Markdown of a page (id, URL or exact title): `edits` of passages that occur once (or `all`), `append`, `prepend`, a `template` of \
             its table, or `replace_all`, which asks. Child pages stay unless allowed. dry_run shows the diff.",
            edit_content,
        )
        .toolset("pages")
        .aliases(&[
            ("page_id", "id"),
            ("content_updates", "edits"),
            ("new_str", "replace_all"),
            ("hash", "expected_hash"),
            ("allow_deleting_content", "allow_deleting_children"),
        ])
        .output::<Edited>(),
    ]
}

/// What was written, and the text that was replaced by it, which brings it back.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Edited {
    #[serde(flatten)]
    pub(super) written: Written,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditContent {
    id: String,
    #[serde(default)]
    edits: Vec<Edit>,
    append: Option<String>,
    prepend: Option<String>,
    replace_all: Option<String>,
    /// Goes to the end; with `clear`, in place of the text.
    template: Option<String>,
    #[serde(default)]
    clear: Vec<Emptied>,
    #[serde(default)]
    allow_deleting_children: bool,
    /// As get_page told.
    expected_hash: Option<String>,
}

impl EditContent {
    /// How many ways of changing the text are given.
    fn given(&self) -> usize {
        let texts = [&self.append, &self.prepend, &self.replace_all];
        texts.into_iter().flatten().count() + usize::from(!self.edits.is_empty())
    }
}

// What `clear` names: the whole text. No doc comment: it would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Content,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(alias = "old_str")]
    old: String,
    #[serde(default, alias = "new_str")]
    new: String,
    #[serde(default, alias = "replace_all_matches")]
    all: bool,
}

/// What is to be sent, and what the text becomes by it, as far as that is known here.
struct Work {
    body: Value,
    after: String,
    notes: Vec<String>,
    places: usize,
}

async fn edit_content(call: Call<Notion>, mut arguments: EditContent) -> Result<Plan> {
    let template = arguments.template.take().filter(|name| !name.trim().is_empty());
    let erase = !arguments.clear.is_empty();
    if template.is_some() && arguments.given() > 0 {
        return Err(Error::invalid(
            "A page takes `template` or a text, not both: Notion adds a template later",
        )
        .with_hint("Apply the template, read the page, then add the text"));
    }
    if template.is_none() && erase && arguments.replace_all.replace(String::new()).is_some() {
        return Err(Error::invalid("Give one of `replace_all` and `clear`"));
    }
    let id = call.page_id("id", &arguments.id).await?;
    let page = call.api().page(&id).await?;
    let title = render::title(&page.name());
    let now = call.api().markdown(&id, true).await?;
    let hash = dialect::digest(&now.markdown);
    if let Some(expected) = arguments
        .expected_hash
        .as_deref()
        .filter(|hash| !hash.is_empty() && *hash != dialect::digest(&now.markdown))
    {
        return Err(changed(&title, expected, &hash));
    }
    if let Some(name) = template {
        let EditContent { allow_deleting_children, expected_hash, .. } = arguments;
        let guarded = expected_hash.is_some();
        let row = Row { page, now, erase, allow_deleting_children, guarded };
        return templates::apply(call, row, &name).await;
    }
    let texts = [&mut arguments.append, &mut arguments.prepend, &mut arguments.replace_all];
    let passages = arguments.edits.iter_mut().flat_map(|edit| [&mut edit.old, &mut edit.new]);
    for text in texts.into_iter().flatten().chain(passages) {
        *text = dialect::as_stored(text, &now.markdown);
    }
    for edit in arguments.edits.iter_mut().filter(|edit| !now.markdown.contains(&edit.old)) {
        // Items may be numbered in another way than the page has them.
        if let [there] = dialect::renumbered(&now.markdown, &edit.old)[..] {
            edit.old = there.to_owned();
        }
    }
    let mentions = mentions(&call, &mut arguments, &now.markdown).await?;
    let mut work = work(&arguments, &now)?;
    work.notes.splice(0..0, mentions);
    let lost = lost(&now.markdown, &work.after, arguments.allow_deleting_children)?;
    let replaces = arguments.replace_all.is_some();
    let lines = render::diff(&dialect::shown(&now.markdown), &dialect::shown(&work.after));
    if lines.is_empty() || dialect::unnumbered(&now.markdown) == dialect::unnumbered(&work.after) {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing changed: {title} already has this text."
        )))));
    }
    let moved = moves::moved(&call, Some(&id), &now.markdown, &work.after).await?;
    let places = if work.places == 1 { "1 place".to_owned() } else { format!("{} places", work.places) };
    let mut preview = Written::new(if replaces {
        format!("Replace the whole text of {title}:")
    } else {
        format!("Edit {title} in {places}:")
    });
    preview.changed = lines;
    let trashed = lost.iter().map(|name| format!("Goes into the trash: {name}"));
    let taken = moved.iter().map(|name| format!("Moves here: {name}"));
    let preview = told::written(preview, trashed.chain(taken).chain(work.notes.iter().cloned()).collect());
    let harmless = !replaces && lost.is_empty() && moved.is_empty();
    // What is added overwrites nothing: it needs no guard but the one that the caller gave.
    let adds = arguments.append.is_some() || arguments.prepend.is_some();
    let guarded = !adds || arguments.expected_hash.is_some();
    let state = hash.clone();
    let plan = Plan::new(preview, move || async move {
        // It may have been changed since this was worked out: while somebody was asked, or by another edit.
        let fresh = call.api().markdown(&id, true).await?;
        if guarded && dialect::digest(&fresh.markdown) != hash {
            return Err(changed(&title, &hash, &dialect::digest(&fresh.markdown)));
        }
        let sent = call.api().update_markdown(&id, &work.body).await;
        let (text, told) = match sent {
            Ok(text) => (text, ""),
            Err(error) if error.kind() == Kind::UnknownOutcome => {
                match landed(&call, &id, &fresh.markdown, &now.markdown, &work.after).await {
                    Some(text) => (text, " Its answer was lost; the page was read back and has it."),
                    None => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        let new_hash = dialect::digest(&text.markdown);
        if new_hash == dialect::digest(&fresh.markdown) {
            return Err(Error::new(
                Kind::Upstream,
                format!("Notion accepted the edit of {title} but did not do it"),
            ));
        }
        let summary = if replaces {
            format!("Replaced the text of {title}.{told}")
        } else {
            format!("Edited {title} in {places}.{told}")
        };
        let mut written = Written::new(format!("{summary} New hash {new_hash}."))
            .id(render::bare(&id))
            .url(page.url.clone());
        written.changed = render::diff(&dialect::shown(&fresh.markdown), &dialect::shown(&text.markdown));
        let taken = moved.iter().map(|name| format!("Moved here: {name}"));
        let before = Some(fresh.markdown).filter(|text| replaces && text.len() <= BEFORE);
        Ok(told::written_as(written, taken.chain(work.notes).collect(), |written| Edited { written, before }))
    })
    .state(&state);
    Ok(if harmless { plan.harmless() } else { plan })
}

pub(super) fn changed(title: &str, expected: &str, now: &str) -> Error {
    Error::new(
        Kind::Conflict,
        format!("{title} has changed since it was read (hash {}, now {now})", one_line(expected)),
    )
    .with_hint("Nothing was written. Read it again with get_page")
}

/// The text after an edit whose answer was lost, if the edit is in it: it is not the text from before it, and it has
/// every line that the edit was to bring as often as `after` has.
async fn landed(
    call: &Call<Notion>,
    id: &str,
    before: &str,
    planned_from: &str,
    after: &str,
) -> Option<PageMarkdown> {
    let now = call.api().markdown(id, true).await.ok()?;
    if dialect::digest(&now.markdown) == dialect::digest(before) {
        return None;
    }
    // What others brought meanwhile may stand between; what this edit brings counts beside it.
    let there = lines(&now.markdown);
    let had = lines(before);
    let (from, to) = (lines(planned_from), lines(after));
    let brings = |line: &str| to.get(line).copied().unwrap_or(0) - from.get(line).copied().unwrap_or(0);
    let count = |all: &BTreeMap<String, i64>, line: &str| all.get(line).copied().unwrap_or(0);
    let all = to.keys().chain(from.keys());
    let is_there = all.into_iter().all(|line| match brings(line) {
        0 => true,
        more if more > 0 => count(&there, line) >= count(&had, line) + more,
        less => count(&there, line) <= count(&had, line) + less,
    });
    is_there.then_some(now)
}

/// How often a text has each line, whatever the way it is indented, signed or numbered.
fn lines(text: &str) -> BTreeMap<String, i64> {
    let mut lines = BTreeMap::new();
    let text = dialect::unnumbered(&dialect::shown(text));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        *lines.entry(line.to_owned()).or_default() += 1;
    }
    lines
}

/// Puts mentions into what is to be written, and says whom. What the page or the passage has already stays.
async fn mentions(call: &Call<Notion>, arguments: &mut EditContent, now: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let in_text = |edit: &&mut Edit| {
        let place = now.find(&edit.old).unwrap_or_default();
        !Code::after(&now[..place]).is_open()
    };
    let edits = arguments.edits.iter_mut().filter(in_text).map(|edit| (&mut edit.new, edit.old.as_str()));
    let whole = [&mut arguments.append, &mut arguments.prepend].into_iter().flatten().map(|text| (text, ""));
    let replaced = arguments.replace_all.iter_mut().map(|text| (text, now));
    for (text, there) in edits.chain(whole).chain(replaced) {
        let (mentioned, notes) = call.mentioned(text, there).await?;
        *text = mentioned;
        all.extend(notes.into_iter().filter(|note| !all.contains(note)).collect::<Vec<_>>());
    }
    Ok(all)
}

/// Works out the one command that Notion gets.
fn work(arguments: &EditContent, now: &PageMarkdown) -> Result<Work> {
    if arguments.given() != 1 {
        return Err(Error::invalid("Give one of `edits`, `append`, `prepend`, `replace_all` and `template`"));
    }
    let old = &now.markdown;
    let deleting = arguments.allow_deleting_children;
    if let Some(text) = &arguments.replace_all {
        whole(now)?;
        let accepted = dialect::accept(text);
        let body = json!({"type": "replace_content", "replace_content": {"new_str": accepted.text, "allow_deleting_content": deleting}});
        return Ok(Work { body, after: accepted.text.clone(), notes: accepted.notes(), places: 1 });
    }
    if let Some((text, position)) = arguments
        .append
        .as_ref()
        .map(|text| (text, "end"))
        .or(arguments.prepend.as_ref().map(|text| (text, "start")))
    {
        let accepted = dialect::accept(text.trim_matches('\n'));
        let body = json!({"type": "insert_content", "insert_content": {"content": accepted.text, "position": {"type": position}}});
        let after = match (position, old.is_empty()) {
            (_, true) => accepted.text.clone(),
            ("end", false) => format!("{old}\n{}", accepted.text),
            (_, false) => format!("{}\n{old}", accepted.text),
        };
        return Ok(Work { body, after, notes: accepted.notes(), places: 1 });
    }
    if arguments.edits.len() > MOST {
        return Err(Error::invalid(format!(
            "`edits` takes at most {MOST} passages, not {}",
            arguments.edits.len()
        )));
    }
    let mut after = old.clone();
    let mut updates = Vec::new();
    let mut notes = Vec::new();
    let mut places = 0;
    for edit in &arguments.edits {
        let wanted = one_line(&edit.old);
        let wanted =
            wanted.char_indices().nth(60).map_or(wanted.clone(), |(at, _)| format!("{}…", &wanted[..at]));
        let found = if edit.old.is_empty() { 0 } else { after.matches(&edit.old).count() };
        match found {
            0 => {
                return Err(Error::new(Kind::Conflict, format!("`edits`: the page has no \"{wanted}\""))
                    .with_hint(
                        "Nothing was written. Read it again: case and marks count, and it may have changed",
                    ));
            }
            many if many > 1 && !edit.all => {
                return Err(Error::invalid(format!("`edits`: \"{wanted}\" occurs {many} times"))
                    .with_hint("Nothing was written. Give more of the text around it, or set `all`"));
            }
            many => places += many,
        }
        let accepted = accepted(&after, edit, &wanted)?;
        notes.extend(accepted.notes());
        let new = accepted.text;
        let at = after.find(&edit.old).unwrap_or_default();
        let narrowed = if dialect::is_signed(&edit.old) && found == 1 {
            dialect::narrowed(&after, at, &edit.old, &new)
        } else {
            None
        };
        after = after.replace(&edit.old, &new);
        let (old, new) = narrowed.unwrap_or_else(|| (edit.old.clone(), new));
        updates.push(json!({"old_str": old, "new_str": new, "replace_all_matches": edit.all}));
    }
    let body = json!({"type": "update_content", "update_content": {"content_updates": updates, "allow_deleting_content": deleting}});
    Ok(Work { body, after, notes, places })
}

/// What takes the place of a passage of `text`, as Notion takes it: code stays code.
fn accepted(text: &str, edit: &Edit, wanted: &str) -> Result<Accepted> {
    // A word within a line is nobody's Markdown.
    if !edit.new.contains(['[', '<', '`', '\n']) {
        return Ok(Accepted::unchanged(&edit.new));
    }
    let places = text.match_indices(&edit.old).map(|(at, _)| Code::after(&text[..at]));
    let mut each = places.map(|code| dialect::accept_in(&edit.new, code));
    let first = each.next().unwrap_or_default();
    if each.any(|other| other.text != first.text) {
        return Err(Error::invalid(format!("`edits`: \"{wanted}\" stands in code and in text"))
            .with_hint("Nothing was written. Edit them apart, each with more of the text around it"));
    }
    Ok(first)
}

/// Refuses to replace a text that is not known whole.
pub(super) fn whole(now: &PageMarkdown) -> Result<()> {
    if !now.truncated {
        return Ok(());
    }
    Err(Error::invalid(
        "The page has parts that Notion does not give this connection; replacing all would lose them",
    )
    .with_hint("Use `edits`, `append` or `prepend`"))
}

/// Children that a text no longer holds, by their whole ids: ids made in one sitting share their first characters.
///
/// # Errors
/// `invalid_argument`, naming them, unless that is `allowed`.
pub(super) fn lost(old: &str, new: &str, allowed: bool) -> Result<Vec<String>> {
    let kept: Vec<String> = dialect::children(new).into_iter().map(|(id, _)| id).collect();
    let lost = dialect::children(old).into_iter().filter(|(id, _)| !kept.contains(id));
    let lost: Vec<String> =
        lost.map(|(id, title)| format!("{} ({})", render::title(&title), render::bare(&id))).collect();
    if lost.is_empty() || allowed {
        return Ok(lost);
    }
    Err(Error::invalid(format!("This would put child pages into the trash: {}", lost.join(", ")))
        .with_hint("Keep their <page> or <database> lines in the text, or set allow_deleting_children"))
}
