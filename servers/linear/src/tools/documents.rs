//! Documents: listed, read whole or by section, created and changed.

use connector::catalog::reconcile::{self, Seen};
use connector::{
    Error, Kind, Result,
    catalog::{Call, Changes, FieldValue, Page, Plan, Reply, Tool, Written, markdown, one_line, words},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    FROM, Position, dates,
    edits::{self, Edit},
    issue_changes::TITLE,
    limit, outcome, paging,
};
use crate::{
    Linear,
    api::documents::Document,
    render,
    resolve::{self, Mentioned},
};

/// Characters of a document's text, unless asked otherwise.
const TEXT_CHARS: usize = 12_000;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_documents",
            "List documents",
            "Documents, last changed first. To find words inside them, use search.",
            list_documents,
        )
        .toolset("docs")
        .aliases(&[("title", "query"), ("updated_since", "since")])
        .output_page::<render::documents::DocumentItem>(),
        Tool::read(
            "get_document",
            "Read a document",
            "A document's facts and text: all, the part under one heading (section), or from offset.",
            get_document,
        )
        .toolset("docs")
        .aliases(&[("document", "id"), ("slug", "id"), ("heading", "section")])
        .output::<render::documents::DocumentText>(),
        Tool::write(
            "save_document",
            "Save a document",
            "Creates a document in a project, issue, initiative or team; with id, changes one. Prefer edits to replacing content; each old must occur exactly once.",
            save_document,
        )
        .toolset("docs")
        .confirmable()
        .aliases(&[("document", "id"), ("body", "content")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListDocuments {
    /// In the title
    query: Option<String>,
    project: Option<String>,
    issue: Option<String>,
    initiative: Option<String>,
    team: Option<String>,
    since: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list_documents(call: Call<Linear>, args: ListDocuments) -> Result<Reply> {
    let mut filter = json!({});
    if let Some(query) = args.query.as_deref().map(str::trim).filter(|query| !query.is_empty()) {
        filter["title"] = json!({"containsIgnoreCase": query});
    }
    if let Some(project) = &args.project {
        filter["project"] = json!({"id": {"eq": call.names().project(project).await?.id}});
    }
    if let Some(issue) = &args.issue {
        filter["issue"] = json!({"id": {"eq": self::issue(&call, issue).await?.0}});
    }
    if let Some(initiative) = &args.initiative {
        let id = resolve::initiatives::initiative(call.names(), initiative).await?.id;
        filter["initiative"] = json!({"id": {"eq": id}});
    }
    if let Some(team) = &args.team {
        filter["team"] = json!({"id": {"eq": call.names().team(team).await?.id}});
    }
    let mut window = String::new();
    if let Some(since) = &args.since {
        (filter["updatedAt"], window) = dates::since(&call, "changed", since).await?;
    }
    let first = limit(args.limit, 25, 100);
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let found =
        call.api().list_documents(filter, position.first(first, 250), position.after.as_deref()).await?;
    let mut page = Page::new(FROM, ("document", "documents")).note(window);
    for document in found.nodes.iter().skip(position.skip) {
        let (row, item) = render::documents::document_row(document);
        page.push(row, &item);
    }
    Ok(Reply::page(paging::close(&call, page, position, &found)))
}

/// The id of the issue `wanted`, and its identifier.
async fn issue(call: &Call<Linear>, wanted: &str) -> Result<(String, String)> {
    let key = call.names().issue_key(wanted).await?;
    let issue = call.names().issue(&key).await?;
    Ok((issue.id, issue.identifier))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDocument {
    /// Id, title or URL
    id: String,
    section: Option<String>,
    max_chars: Option<usize>,
    offset: Option<usize>,
}

async fn get_document(call: Call<Linear>, args: GetDocument) -> Result<Reply> {
    let document = resolve::documents::document(call.names(), &args.id).await?;
    let text = match &args.section {
        Some(wanted) => markdown::section(document.text(), wanted)?,
        None => document.text(),
    };
    Ok(render::documents::document(
        &document,
        args.section.as_deref(),
        text,
        args.offset.unwrap_or_default(),
        args.max_chars.unwrap_or(TEXT_CHARS),
        &markdown::contents(text),
    ))
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveDocument {
    id: Option<String>,
    title: Option<String>,
    content: Option<String>,
    #[serde(default)]
    edits: Vec<Edit>,
    project: Option<String>,
    issue: Option<String>,
    initiative: Option<String>,
    team: Option<String>,
    #[serde(default)]
    clear: Vec<Emptied>,
    expected_updated_at: Option<String>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Content,
}

/// Where a document belongs: the key of Linear's input, the id, and how it is told.
#[derive(Clone, Debug)]
struct Place {
    key: &'static str,
    id: String,
    told: String,
}

async fn save_document(call: Call<Linear>, mut args: SaveDocument) -> Result<Plan> {
    if args.clear.contains(&Emptied::Content) {
        args.content = Some(String::new());
    }
    if args.title.as_deref().is_some_and(|title| title.trim().is_empty()) {
        return Err(Error::invalid("`title` is empty"));
    }
    words::at_most("Linear", "title", args.title.as_deref().unwrap_or_default().trim(), TITLE)?;
    if args.content.is_some() && !args.edits.is_empty() {
        return Err(Error::invalid("Give `content` to replace the whole text, or `edits`; not both"));
    }
    let place = place(&call, &args).await?;
    match args.id.clone() {
        Some(id) => change(&call, &id, args, place).await,
        None => create(&call, args, place).await,
    }
}

async fn place(call: &Call<Linear>, args: &SaveDocument) -> Result<Option<Place>> {
    let given = [&args.project, &args.issue, &args.initiative, &args.team];
    if given.iter().filter(|given| given.is_some()).count() > 1 {
        return Err(Error::invalid(
            "A document belongs to one of `project`, `issue`, `initiative` and `team`",
        ));
    }
    Ok(if let Some(project) = &args.project {
        let project = call.names().project(project).await?;
        Some(Place { key: "projectId", id: project.id, told: format!("project {}", one_line(&project.name)) })
    } else if let Some(issue) = &args.issue {
        let (id, identifier) = self::issue(call, issue).await?;
        Some(Place { key: "issueId", id, told: format!("issue {identifier}") })
    } else if let Some(initiative) = &args.initiative {
        let initiative = resolve::initiatives::initiative(call.names(), initiative).await?;
        let told = format!("initiative {}", one_line(&initiative.name));
        Some(Place { key: "initiativeId", id: initiative.id, told })
    } else if let Some(team) = &args.team {
        let team = call.names().team(team).await?;
        Some(Place { key: "teamId", id: team.id, told: format!("team {}", team.key) })
    } else {
        None
    })
}

async fn create(call: &Call<Linear>, args: SaveDocument, place: Option<Place>) -> Result<Plan> {
    let Some(title) = args.title.as_deref().map(str::trim) else {
        return Err(
            Error::invalid("A new document needs `title`").with_hint("To change a document, give its `id`")
        );
    };
    let Some(place) = place else {
        return Err(Error::invalid(
            "A new document needs one of `project`, `issue`, `initiative` and `team`",
        ));
    };
    if !args.edits.is_empty() || args.expected_updated_at.is_some() {
        return Err(Error::invalid(
            "`edits` and `expected_updated_at` are for a document that exists: give its `id`",
        ));
    }
    let id = Uuid::new_v4().to_string();
    let mut changes = Changes::default();
    changes.set("title", FieldValue::Short(String::new()), FieldValue::Short(title.to_owned()));
    changes.set("belongs to", FieldValue::Short(String::new()), FieldValue::Short(place.told.clone()));
    let mut input = json!({"id": id, "title": title});
    input[place.key] = json!(place.id);
    let mut mentions = Vec::new();
    if let Some(content) = &args.content {
        let Mentioned { text, lines } = call.names().mentions(content, "").await?;
        changes.set("content", FieldValue::Long(String::new()), FieldValue::Long(text.clone()));
        input["content"] = json!(text);
        mentions = lines;
    }
    let mut preview = Written::new(format!("Create the document {} in {}", one_line(title), place.told));
    preview.changed = changes.wanted();
    preview.changed.extend(mentions.iter().cloned());
    let api = call.api().clone();
    Ok(Plan::new(Reply::written(preview), move || async move {
        let sent = api.create_document(input).await;
        let sent = sent.map(|payload| payload.document.filter(|_| payload.success));
        let document = outcome::created(sent, "create the document", api.get_document(&id)).await?;
        let outcome = changes.outcome(|field| field_value(&document, field));
        let thing = format!("the document {} ({})", one_line(&document.title), document.slug_id);
        let summary = if outcome.refused.is_empty() {
            format!("Created {thing}")
        } else {
            outcome.summary("Linear", &thing)
        };
        let mut written = Written::new(summary).id(document.slug_id).url(document.url);
        written.changed = outcome.lines();
        written.changed.extend(mentions);
        Ok(Reply::written(written))
    }))
}

async fn change(call: &Call<Linear>, id: &str, args: SaveDocument, place: Option<Place>) -> Result<Plan> {
    // Read now, right before writing: a document has no version that Linear would compare.
    let document = resolve::documents::document(call.names(), id).await?;
    if let Some(expected) = &args.expected_updated_at
        && !dates::same(expected, &document.updated_at)
    {
        let by = document.updated_by.as_ref().map(|by| format!(" by {}", render::person(by)));
        return Err(Error::new(
            Kind::Conflict,
            format!(
                "The document {} was changed at {}{}, after you read it",
                one_line(&document.title),
                document.updated_at,
                by.unwrap_or_default()
            ),
        )
        .with_hint("Nothing was written. Read it again with get_document"));
    }
    let mut changes = Changes::default();
    let mut input = Map::new();
    let mut ask = |field: &'static str, new: FieldValue, key: &str, value: Value| {
        if changes.set(field, field_value(&document, field), new) {
            input.insert(key.to_owned(), value);
        }
    };
    if let Some(title) = args.title.as_deref().map(str::trim) {
        ask("title", FieldValue::Short(title.to_owned()), "title", json!(title));
    }
    let content = if args.edits.is_empty() {
        args.content.clone()
    } else {
        Some(edits::apply(document.text(), &args.edits)?)
    };
    let mut mentions = Vec::new();
    if let Some(content) = content {
        let Mentioned { text: content, lines } = call.names().mentions(&content, document.text()).await?;
        mentions = lines;
        ask("content", FieldValue::Long(content.clone()), "content", json!(content));
    }
    if let Some(place) = &place {
        ask("belongs to", FieldValue::Short(place.told.clone()), place.key, json!(place.id));
    }
    let thing = format!("the document {}", one_line(&document.title));
    if changes.is_empty() {
        let written = Written::new(format!("Nothing to change: {thing} is already like that"));
        return Ok(Plan::nothing(Reply::written(written.id(document.slug_id).url(document.url))));
    }
    let mut preview = Written::new(format!("Change {thing}")).id(document.slug_id.clone());
    preview.changed = changes.wanted();
    preview.changed.extend(mentions.iter().cloned());
    let api = call.api().clone();
    let id = document.id.clone();
    let mut reply = Reply::written(preview);
    for edit in &args.edits {
        reply = reply.outside("edit", None, format!("- {}\n+ {}", edit.old, edit.new));
    }
    let asks = args.edits.is_empty() && input.contains_key("content") && !document.text().trim().is_empty();
    let seen = document.updated_at.clone();
    let plan = Plan::new(reply, move || async move {
        let send = || async {
            let payload = api.update_document(&id, Value::Object(input.clone())).await?;
            outcome::done(payload.document.filter(|_| payload.success), &format!("change {thing}"))
        };
        let look = || async {
            let now = api.get_document(&id).await?;
            let is = |key: &str, text: &str| {
                let wanted = input.get(key).and_then(Value::as_str);
                wanted.is_none_or(|wanted| reconcile::same_text(wanted, text))
            };
            Ok(if now.updated_at == document.updated_at {
                Seen::Untouched
            } else if is("title", &now.title) && is("content", now.text()) {
                Seen::Done(now)
            } else {
                Seen::Changed
            })
        };
        let (now, _) = reconcile::updated(send, look).await?;
        let outcome = changes.outcome(|field| field_value(&now, field));
        let mut written = Written::new(outcome.summary("Linear", &thing)).id(now.slug_id).url(now.url);
        written.changed = outcome.lines();
        written.changed.extend(mentions);
        written.changed.push(format!("updated: {}", now.updated_at));
        Ok(Reply::written(written))
    });
    Ok(if asks { plan.state(&seen).ask() } else { plan })
}

/// What a field of a document is now.
fn field_value(document: &Document, field: &str) -> FieldValue {
    match field {
        "title" => FieldValue::Short(document.title.clone()),
        "content" => FieldValue::Long(document.text().to_owned()),
        _ => FieldValue::short(render::documents::place(document)),
    }
}
