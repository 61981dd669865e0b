//! Gists listed, read and saved. Opt-in.

use std::collections::BTreeMap;

use connector::catalog::reconcile::{self, Attempt};
use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Plan, Position, Reply, Tool, Written, excerpt, limit, one_line,
        paging::{self, VendorPage},
        words::counted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::FROM;
use crate::{
    GitHub,
    api::gists::Gist,
    render::day,
    resolve::{line_ends, naming},
};

/// Characters of one file in a reply.
const EXCERPT: usize = 10_000;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_gists",
            "List gists",
            "Your gists or those of a user, newest first; with id one gist and its files.",
            list_gists,
        )
        .opt_in("gists")
        .aliases(&[("gist_id", "id"), ("username", "user")])
        .output_page::<Row>(),
        Tool::destructive(
            "save_gist",
            "Save gist",
            "Makes a gist, secret unless public, or with id changes its files or description.",
            save_gist,
        )
        .opt_in("gists")
        .scopes(&["gist"])
        .aliases(&[("gist_id", "id")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListGists {
    user: Option<String>,
    id: Option<String>,
    /// One file of it
    file: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A gist in a listing; or a file of one.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    public: bool,
    files: Vec<String>,
    description: String,
    updated: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    content: String,
}

impl Row {
    fn of(gist: &Gist) -> Self {
        Self {
            id: one_line(&gist.id),
            public: gist.public,
            files: gist.files().map(|(name, _)| one_line(name)).collect(),
            description: one_line(&gist.description),
            updated: day(&gist.updated_at).to_owned(),
            content: String::new(),
        }
    }

    fn text(&self) -> String {
        let seen = visibility(self.public);
        let description = if self.description.is_empty() { "no description" } else { &self.description };
        format!("{} {seen}, {}, {}: {description}", self.id, self.files.join(" "), self.updated)
    }
}

fn visibility(public: bool) -> &'static str {
    if public { "public" } else { "secret" }
}

async fn list_gists(call: Call<GitHub>, arguments: ListGists) -> Result<Reply> {
    if let Some(id) = &arguments.id {
        if arguments.user.is_some() || arguments.cursor.is_some() {
            return Err(Error::invalid("`id` goes with `file` and `offset` only"));
        }
        return read(&call, id, arguments.file.as_deref(), arguments.offset).await;
    }
    if arguments.file.is_some() || arguments.offset.is_some() {
        return Err(Error::invalid("`file` and `offset` go with `id`"));
    }
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    // Of oneself, GitHub's list by name has the public ones only.
    let user = arguments.user.filter(|user| !naming::is_me(user));
    let user = naming::account(&call, user.as_deref()).await?;
    let user = user.as_deref();
    let count = position.first(limit(arguments.limit, 20, 100), 100);
    let after = position.after.clone();
    let listed = call.api().gists(user, None, count, after.as_deref()).await?;
    let of = user.map_or_else(|| "yours".to_owned(), |user| format!("of @{}", one_line(user)));
    let mut page = Page::new(FROM, ("gist", "gists")).note(of);
    let rows: Vec<_> = listed.items.iter().skip(position.skip).collect();
    for gist in &rows {
        let row = Row::of(gist);
        page.push(row.text(), &row);
    }
    let given = VendorPage::whole(position, rows.len(), listed.next);
    Ok(Reply::page(paging::close(&call, page, given)))
}

/// The id in an id or an address of a gist.
fn id_of(text: &str) -> Result<String> {
    let text = text.trim();
    let id = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let id = id.rsplit('/').next().unwrap_or_default();
    if !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(id.to_owned());
    }
    Err(Error::invalid(format!("`id`: `{}` names no gist", one_line(text)))
        .with_hint("list_gists gives the ids"))
}

async fn find(call: &Call<GitHub>, id: &str) -> Result<Gist> {
    call.bounds().is_ours(id)?;
    let id = id_of(id)?;
    call.api().gist(&id).await.map_err(|error| match error.kind() {
        Kind::NotFound => {
            Error::not_found(format!("There is no gist {id}")).with_hint("list_gists gives the ids")
        }
        _ => error,
    })
}

async fn read(call: &Call<GitHub>, id: &str, file: Option<&str>, offset: Option<u32>) -> Result<Reply> {
    let gist = find(call, id).await?;
    let row = Row::of(&gist);
    let by = one_line(gist.owner.login());
    let mut header = format!("Gist {} by @{by}, {}, {}", row.id, visibility(gist.public), row.updated);
    if gist.comments() > 0 {
        header.push_str(&format!(", {}", counted(gist.comments(), ("comment", "comments"))));
    }
    let mut reply = Reply::new(format!("{header}."));
    if !gist.description.is_empty() {
        reply = reply.outside("description", Some(&by), row.description.clone());
    }
    let offset = offset.unwrap_or_default() as usize;
    let mut items = Vec::new();
    for (name, part) in gist.files().filter(|(name, _)| file.is_none_or(|wanted| wanted == *name)) {
        let name = one_line(name);
        let (text, note) = excerpt(&part.content, offset, EXCERPT);
        reply = reply.outside(format!("file {name}, {} bytes", part.size()), Some(&by), text.clone());
        match note {
            Some(note) if file.is_none() => reply = reply.line(format!("{note} and file=\"{name}\"")),
            Some(note) => reply = reply.line(note),
            None if part.truncated => reply = reply.line("[GitHub shows only the first megabyte.]"),
            None => {}
        }
        items.push(Row { files: vec![name], content: text, ..Row::of(&gist) });
    }
    if items.is_empty() {
        let names = row.files.join(", ");
        return Err(Error::not_found(format!("The gist has no such file; it has {names}")));
    }
    if gist.truncated {
        reply = reply.line("[It has more files than GitHub shows.]");
    }
    Ok(reply.line(gist.html_url.clone()).data(&json!({"items": items})))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveGist {
    id: Option<String>,
    description: Option<String>,
    /// New gists only
    public: Option<bool>,
    #[serde(default)]
    files: Vec<Change>,
    #[serde(default)]
    clear: Vec<Emptied>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Description,
}

// What becomes of a file. No doc comment: it would go into the schema.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    name: String,
    content: Option<String>,
    new_name: Option<String>,
    #[serde(default)]
    delete: bool,
}

async fn save_gist(call: Call<GitHub>, mut arguments: SaveGist) -> Result<Plan> {
    if arguments.clear.contains(&Emptied::Description) {
        arguments.description = Some(String::new());
    }
    for change in &arguments.files {
        let name = one_line(&change.name);
        if change.name.trim().is_empty() || change.name.contains('/') {
            return Err(Error::invalid(format!(
                "`{name}` cannot be a file of a gist: gists have no directories"
            )));
        }
        if change.delete && (change.content.is_some() || change.new_name.is_some()) {
            return Err(Error::invalid(format!("`{name}`: `delete` goes with no other change")));
        }
        if change.content.as_ref().is_some_and(|content| content.trim().is_empty()) {
            return Err(Error::invalid(format!("`{name}` is empty: GitHub keeps no empty files in gists")));
        }
    }
    match &arguments.id {
        Some(id) => change(&call, find(&call, id).await?, arguments),
        None => create(call, arguments),
    }
}

fn create(call: Call<GitHub>, arguments: SaveGist) -> Result<Plan> {
    let SaveGist { description, public, files, .. } = arguments;
    let public = public.unwrap_or_default();
    let mut contents: BTreeMap<String, String> = BTreeMap::new();
    for change in files {
        let (None, false, Some(content)) = (change.new_name, change.delete, change.content) else {
            return Err(Error::invalid(format!("`{}`: a new file needs content", one_line(&change.name))));
        };
        contents.insert(change.name, content);
    }
    if contents.is_empty() {
        return Err(Error::invalid("`files` is empty").with_hint("Give each file's name and content"));
    }
    let description = description.unwrap_or_default();
    let mut preview = Written::new(format!("Make a {} gist", visibility(public)));
    preview = preview.change(if public {
        "everybody can find and read it, and it cannot be made secret again"
    } else {
        "whoever has its address can read it"
    });
    for (name, content) in &contents {
        preview = preview.change(format!("{}, {} bytes", one_line(name), content.len()));
    }
    let files: Map<String, Value> =
        contents.iter().map(|(name, content)| (name.clone(), json!({"content": content}))).collect();
    let fields = json!({"description": description, "public": public, "files": files});
    let plan = Plan::new(Reply::written(preview), move || async move {
        let attempt = Attempt::begin(call.api().upstream(), "gist");
        let sent = call.api().create_gist(&fields).await;
        let look = || made(&call, &description, public, &contents, &attempt);
        let (gist, lost) = attempt.made(sent, |gist| gist.id.clone(), look).await?;
        let id = one_line(&gist.id);
        let summary =
            reconcile::summary("GitHub", lost, &format!("made the {} gist {id}", visibility(gist.public)));
        Ok(Reply::written(Written::new(summary).id(id).url(gist.html_url)))
    });
    // There is nothing yet that could change.
    let plan = plan.state(&()).once();
    Ok(if public { plan.ask() } else { plan.harmless() })
}

/// The gist that a create made whose answer was lost, if that is certain: contents and all.
async fn made(
    call: &Call<GitHub>,
    description: &str,
    public: bool,
    contents: &BTreeMap<String, String>,
    attempt: &Attempt,
) -> Option<Gist> {
    let listed = call.api().gists(None, Some(&attempt.since()), 30, None).await.ok()?;
    let may_be = |gist: &&Gist| {
        gist.public == public
            && gist.description.trim() == description.trim()
            && attempt.may_have_made(&gist.id, &gist.created_at)
            && gist.files().map(|(name, _)| name).eq(contents.keys().map(String::as_str))
    };
    for found in listed.items.iter().filter(may_be) {
        let gist = call.api().gist(&found.id).await.ok()?;
        let same = |(name, file): (&str, &crate::api::gists::File)| {
            contents.get(name).is_some_and(|content| reconcile::same_text(content, &file.content))
        };
        if gist.files().all(same) {
            return Some(gist);
        }
    }
    None
}

fn change(call: &Call<GitHub>, gist: Gist, arguments: SaveGist) -> Result<Plan> {
    let SaveGist { description, public, files, .. } = arguments;
    if public.is_some_and(|public| public != gist.public) {
        return Err(Error::invalid("GitHub's API does not change whether a gist is public")
            .with_hint("Make a new one, or change it on the site"));
    }
    let id = one_line(&gist.id);
    let mut preview = Written::new(format!("Change the {} gist {id}", visibility(gist.public)));
    let mut fields = Map::new();
    let mut changes = Map::new();
    // What is replaced or removed is kept in the gist's history only.
    let mut harmless = true;
    if let Some(description) = description.filter(|description| *description != gist.description) {
        preview = preview.change(format!("description \"{}\"", one_line(&description)));
        fields.insert("description".to_owned(), json!(description));
    }
    for change in files {
        let name = one_line(&change.name);
        let known = gist.files().find(|(name, _)| *name == change.name).map(|(_, file)| file);
        let Some(file) = known else {
            let (Some(content), None) = (&change.content, &change.new_name) else {
                return Err(Error::not_found(format!("The gist {id} has no file `{name}`")));
            };
            preview = preview.change(format!("new file {name}, {} bytes", content.len()));
            changes.insert(change.name, json!({"content": content}));
            continue;
        };
        if change.delete {
            preview = preview.change(format!("file {name} is deleted"));
            changes.insert(change.name, Value::Null);
            harmless = false;
            continue;
        }
        let mut entry = Map::new();
        let kept = change.content.map(|content| line_ends::as_before(&file.content, content));
        if let Some((content, note)) = kept.filter(|(content, _)| *content != file.content) {
            let note = note.map(|note| format!("; {note}")).unwrap_or_default();
            preview =
                preview.change(format!("{name}: {} bytes instead of {}{note}", content.len(), file.size()));
            entry.insert("content".to_owned(), json!(content));
            harmless = false;
        }
        if let Some(new_name) = change.new_name.filter(|new_name| *new_name != change.name) {
            preview = preview.change(format!("{name} is renamed to {}", one_line(&new_name)));
            entry.insert("filename".to_owned(), json!(new_name));
        }
        if !entry.is_empty() {
            changes.insert(change.name, Value::Object(entry));
        }
    }
    if !changes.is_empty() {
        fields.insert("files".to_owned(), Value::Object(changes));
    }
    if fields.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to change: the gist {id} is already like that."
        )))));
    }
    let lines = preview.changed.clone();
    let call = call.clone();
    let seen: Vec<_> = gist.files().map(|(name, file)| (name.to_owned(), file.content.clone())).collect();
    let plan = Plan::new(Reply::written(preview), move || async move {
        let after = call.api().change_gist(&gist.id, &Value::Object(fields)).await?;
        let names: Vec<_> = after.files().map(|(name, _)| one_line(name)).collect();
        let mut written = Written::new(format!("Changed the gist {id}; it has {}.", names.join(", ")));
        written.changed = lines;
        Ok(Reply::written(written.id(id).url(after.html_url)))
    });
    let plan = plan.state(&seen);
    Ok(if harmless { plan.harmless() } else { plan })
}
