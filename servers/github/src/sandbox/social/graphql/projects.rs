//! Projects in GraphQL. The key of a project, a field and an item is its id, that of a value the pair of its
//! item's and its field's.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::{Map, Value, json};

use crate::sandbox::{
    auth::permits,
    errors::{ApiError, Outcome},
    graphql::{connection, may},
    ids::{self, node_id},
    request::RequestContext,
    route::{read, write},
    social::projects::{Content, Field, Item, Project},
    state::State,
};

/// The right that a project wants (docs.github.com, "Using the API to manage Projects").
const RIGHT: &str = "organization_projects";

pub(super) fn resolve(cx: &RequestContext<'_>, node: &Node, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    match node.ty.as_str() {
        "Query" if asked.field == "node" => by_id(cx, asked.text("id")?),
        "Organization" | "User" if matches!(asked.field, "projectV2" | "projectsV2") => {
            of_owner(cx, node.key.as_str()?, asked)
        }
        "ProjectV2" => project(cx, node.key.as_u64()?, asked),
        "ProjectV2Field" | "ProjectV2SingleSelectField" | "ProjectV2IterationField" => {
            field(cx, node.key.as_u64()?, asked)
        }
        "ProjectV2Item" => item(cx, node.key.as_u64()?, asked),
        "Issue" | "PullRequest" if asked.field == "projectItems" => items_of(cx, &node.key, asked),
        "DraftIssue" => draft(cx, node.key.as_u64()?, asked),
        ty if ty.starts_with("ProjectV2ItemField") => value(cx, &node.key, asked),
        "Mutation" => mutation(cx, asked),
        _ => None,
    }
}

/// Whether the caller may see a project: a public one, one of their own, one of an organization they are in.
fn sees(cx: &RequestContext<'_>, state: &State, project: &Project) -> bool {
    let login = cx.caller.login();
    project.public
        || project.owner.eq_ignore_ascii_case(login)
        || state.accounts.is_member(&project.owner, login)
        || (login.ends_with("[bot]") && cx.caller.is_for(&project.owner))
}

/// A project, a field, an item or a draft by its global id.
fn by_id(cx: &RequestContext<'_>, id: &str) -> Option<Outcome<Resolved>> {
    let (kind, number) = ids::parse(id)?;
    let found = {
        let state = cx.site.state();
        let mut visible = state.social.projects.iter().filter(|project| sees(cx, &state, project));
        match kind {
            "PVT" => visible.find(|project| project.id == number).map(|_| Node::new("ProjectV2", number)),
            "PVTI" => {
                visible.find_map(|project| project.item(number)).map(|_| Node::new("ProjectV2Item", number))
            }
            "DI" => visible.find_map(|project| project.item(number)).map(|_| Node::new("DraftIssue", number)),
            "PVTF" | "PVTSSF" | "PVTIF" => {
                visible.find_map(|project| project.field(number)).map(|field| Node::new(field.ty(), number))
            }
            _ => return None,
        }
    };
    Some(permits(cx.caller, read(RIGHT)).map(|()| found.into()))
}

fn of_owner(cx: &RequestContext<'_>, login: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    if let Err(error) = permits(cx.caller, read(RIGHT)) {
        return Some(Err(error));
    }
    let state = cx.site.state();
    let theirs = |project: &&Project| project.owner.eq_ignore_ascii_case(login) && sees(cx, &state, project);
    let mut found: Vec<_> = state.social.projects.iter().filter(theirs).collect();
    if asked.field == "projectV2" {
        let number = asked.arg("number").as_u64().unwrap_or_default();
        let found = found.iter().find(|project| project.number == number);
        let missing =
            || ApiError::missing(format!("Could not resolve to a ProjectV2 with the number {number}."));
        return Some(found.map(|project| Node::new("ProjectV2", project.id).into()).ok_or_else(missing));
    }
    if let Some(query) = asked.text("query") {
        let words: Vec<_> = query.split_whitespace().collect();
        found.retain(|project| {
            words.iter().all(|word| match *word {
                "is:open" => !project.closed,
                "is:closed" => project.closed,
                word => project.title.to_lowercase().contains(&word.to_lowercase()),
            })
        });
    }
    let order = asked.arg("orderBy");
    match order["field"].as_str() {
        Some("TITLE") => found.sort_by(|one, other| one.title.cmp(&other.title)),
        Some("UPDATED_AT") => found.sort_by(|one, other| one.updated.cmp(&other.updated)),
        Some("CREATED_AT") => found.sort_by(|one, other| one.created.cmp(&other.created)),
        _ => found.sort_by_key(|project| project.number),
    }
    if order["direction"] != "ASC" {
        found.reverse();
    }
    Some(connection(asked, found.into_iter().map(|project| Node::new("ProjectV2", project.id)).collect()))
}

fn project(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let project = state.social.projects.iter().find(|project| project.id == id)?;
    let organization = state.accounts.get(&project.owner).is_some_and(|owner| owner.kind == "Organization");
    let place = if organization { "orgs" } else { "users" };
    let path = format!("/{place}/{}/projects/{}", project.owner, project.number);
    let of_field = |field: &Field| Node::new(field.ty(), field.id);
    Some(Ok(match asked.field {
        "id" => node_id("PVT", id).into(),
        "number" => project.number.into(),
        "title" => project.title.as_str().into(),
        "shortDescription" => project.description.clone().into(),
        "public" => project.public.into(),
        "closed" => project.closed.into(),
        "updatedAt" => project.updated.as_str().into(),
        "url" => format!("https://github.com{path}").into(),
        "fields" => return Some(connection(asked, project.fields.iter().map(of_field).collect())),
        "items" => {
            let kept = project.items.iter().filter(|item| !item.archived);
            return Some(connection(asked, kept.map(|item| Node::new("ProjectV2Item", item.id)).collect()));
        }
        _ => Resolved::NULL,
    }))
}

fn field(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let project = state.social.projects.iter().find(|project| project.field(id).is_some())?;
    let field = project.field(id)?;
    Some(Ok(match asked.field {
        "id" => node_id(field.prefix(), id).into(),
        "name" => field.name.as_str().into(),
        "dataType" => field.kind.as_str().into(),
        "options" => {
            let names = asked.arg("names").as_array().cloned();
            let wanted = |name: &str| names.as_ref().is_none_or(|names| names.iter().any(|one| one == name));
            let options = field.options.iter().filter(|choice| wanted(&choice.name)).map(|choice| {
                json!({"id": choice.id, "name": choice.name, "color": choice.color, "description": choice.description})
            });
            Value::Array(options.collect()).into()
        }
        "configuration" => {
            let today = cx.site.harness.clock().today();
            let (done, open): (Vec<_>, Vec<_>) = field.options.iter().partition(|choice| {
                let start = choice.start.parse::<jiff::civil::Date>().unwrap_or(today);
                let span = jiff::Span::new().days(i64::try_from(choice.days).unwrap_or_default());
                start.checked_add(span).is_ok_and(|end| end <= today)
            });
            let show = |choices: Vec<&crate::sandbox::social::projects::Choice>| -> Vec<Value> {
                let shown = choices.into_iter().map(|choice| {
                    json!({"id": choice.id, "title": choice.name, "startDate": choice.start, "duration": choice.days})
                });
                shown.collect()
            };
            json!({"duration": 14, "startDay": 1, "iterations": show(open), "completedIterations": show(done)}).into()
        }
        _ => Resolved::NULL,
    }))
}

/// The items that an issue or a pull request has in projects that the caller may see.
fn items_of(cx: &RequestContext<'_>, key: &Value, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let (of, number) = (key[0].as_u64()?, key[1].as_u64()?);
    if permits(cx.caller, read(RIGHT)).is_err() {
        return Some(connection(asked, Vec::new()));
    }
    let state = cx.site.state();
    let archived = asked.arg("includeArchived") != &Value::Bool(false);
    let is = |item: &&Item| {
        let same = matches!(&item.content, Content::Issue { repo, number: has, .. } if *repo == of && *has == number);
        same && (archived || !item.archived)
    };
    let visible = state.social.projects.iter().filter(|project| sees(cx, &state, project));
    let items = visible.flat_map(|project| project.items.iter().filter(is));
    Some(connection(asked, items.map(|item| Node::new("ProjectV2Item", item.id)).collect()))
}

/// The project that has an item, and the item.
fn find(state: &State, id: u64) -> Option<(&Project, &Item)> {
    state.social.projects.iter().find_map(|project| Some((project, project.item(id)?)))
}

fn item(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    // What the caller may not see is there, but not told.
    let hidden = {
        let content = find(&cx.site.state(), id)?.1.content.clone();
        matches!(content, Content::Issue { repo, .. } if may(cx, repo, read("metadata")).is_err())
    };
    let state = cx.site.state();
    let (project, item) = find(&state, id)?;
    Some(Ok(match asked.field {
        "id" => node_id("PVTI", id).into(),
        "isArchived" => item.archived.into(),
        "project" => Node::new("ProjectV2", project.id).into(),
        "type" => match &item.content {
            _ if hidden => "REDACTED".into(),
            Content::Draft { .. } => "DRAFT_ISSUE".into(),
            Content::Issue { pull: true, .. } => "PULL_REQUEST".into(),
            Content::Issue { .. } => "ISSUE".into(),
        },
        "content" => match &item.content {
            _ if hidden => Resolved::NULL,
            Content::Draft { .. } => Node::new("DraftIssue", id).into(),
            Content::Issue { .. } => content(&state, &item.content).into(),
        },
        "fieldValueByName" => {
            let wanted = asked.text("name").unwrap_or_default();
            let field = project.fields.iter().find(|field| field.name.eq_ignore_ascii_case(wanted));
            field.filter(|field| !hidden && has(item, field)).and_then(|field| value_node(item, field)).into()
        }
        "fieldValues" => {
            let fields = project.fields.iter().filter(|field| !hidden && has(item, field));
            return Some(connection(asked, fields.filter_map(|field| value_node(item, field)).collect()));
        }
        _ => Resolved::NULL,
    }))
}

fn has(item: &Item, field: &Field) -> bool {
    field.kind == "TITLE" || item.values.contains_key(&field.id)
}

fn value_node(item: &Item, field: &Field) -> Option<Node> {
    Some(Node::new(field.value_ty()?, json!([item.id, field.id])))
}

/// The issue or pull request of an item, as its own subject knows it; none if it is gone.
fn content(state: &State, content: &Content) -> Option<Node> {
    let Content::Issue { repo, number, .. } = content else { return None };
    let issue = state.tracker.board(*repo).issues.get(number)?;
    let ty = if issue.pull.is_some() { "PullRequest" } else { "Issue" };
    Some(Node::new(ty, json!([repo, number])))
}

/// The title of what an item is about.
fn title(state: &State, item: &Item) -> String {
    match &item.content {
        Content::Draft { title, .. } => title.clone(),
        Content::Issue { repo, number, .. } => {
            let issue = state.tracker.board(*repo).issues.get(number);
            issue.map(|issue| issue.title.clone()).unwrap_or_default()
        }
    }
}

fn draft(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let (_, item) = find(&state, id)?;
    let Content::Draft { title, .. } = &item.content else { return None };
    Some(Ok(match asked.field {
        "id" => node_id("DI", id).into(),
        "title" => title.as_str().into(),
        _ => Resolved::NULL,
    }))
}

fn value(cx: &RequestContext<'_>, key: &Value, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let (id, of) = (key[0].as_u64()?, key[1].as_u64()?);
    let state = cx.site.state();
    let (project, item) = find(&state, id)?;
    let field = project.field(of)?;
    let set = item.values.get(&of).cloned().unwrap_or_default();
    let choice = set.as_str().and_then(|id| field.choice(id));
    let of_choice = |what: fn(&crate::sandbox::social::projects::Choice) -> Value| -> Resolved {
        choice.map(what).unwrap_or_default().into()
    };
    Some(Ok(match asked.field {
        "id" => node_id("PVTFV", id * 10_000 + of).into(),
        "field" => Node::new(field.ty(), of).into(),
        "text" if field.kind == "TITLE" => title(&state, item).into(),
        "text" | "number" | "date" => set.into(),
        "name" | "title" => of_choice(|choice| choice.name.clone().into()),
        "optionId" => set.into(),
        _ => Resolved::NULL,
    }))
}

fn mutation(cx: &RequestContext<'_>, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let input = asked.arg("input");
    let as_item =
        |name: &'static str| move |id: u64| Resolved::fields([(name, Node::new("ProjectV2Item", id).into())]);
    Some(match asked.field {
        "addProjectV2ItemById" => add(cx, input).map(as_item("item")),
        "addProjectV2DraftIssue" => add_draft(cx, input).map(as_item("projectItem")),
        "updateProjectV2ItemFieldValue" => set(cx, input).map(as_item("projectV2Item")),
        "clearProjectV2ItemFieldValue" => clear(cx, input).map(as_item("projectV2Item")),
        "deleteProjectV2Item" => delete(cx, input),
        _ => return None,
    })
}

fn missing(id: &str) -> ApiError {
    ApiError::missing(format!("Could not resolve to a node with the global id of '{id}'"))
}

/// The number in a global id of the input, if it is of one of these kinds.
fn known(input: &Value, key: &str, kinds: &[&str]) -> Outcome<u64> {
    let id = input[key].as_str().unwrap_or_default();
    let found = ids::parse(id).filter(|(kind, _)| kinds.contains(kind)).map(|(_, number)| number);
    found.ok_or_else(|| missing(id))
}

/// The project of the input, if the caller may write to it.
fn writable<'s>(cx: &RequestContext<'_>, state: &'s mut State, input: &Value) -> Outcome<&'s mut Project> {
    permits(cx.caller, write(RIGHT))?;
    let id = known(input, "projectId", &["PVT"])?;
    let login = cx.caller.login();
    let found = state.social.projects.iter().find(|project| project.id == id && sees(cx, state, project));
    let owner = found.map(|project| project.owner.clone());
    let gone = || missing(input["projectId"].as_str().unwrap_or_default());
    let owner = owner.ok_or_else(gone)?;
    let app = login.ends_with("[bot]") && cx.caller.is_for(&owner);
    if !app && owner != login && !state.accounts.is_member(&owner, login) {
        let words = format!("{login} does not have permission to update this project");
        return Err(ApiError::forbidden(words));
    }
    state.social.projects.iter_mut().find(|project| project.id == id).ok_or_else(gone)
}

/// Adds an issue or a pull request. One that is there already stays as it is: "If you try to add an item that
/// already exists, the existing item ID is returned instead" (docs.github.com, the same page).
fn add(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    let id = input["contentId"].as_str().unwrap_or_default();
    let content = named(&cx.site.state(), id).ok_or_else(|| missing(id))?;
    if let Content::Issue { repo, .. } = content {
        may(cx, repo, read("issues")).map_err(|_| missing(id))?;
    }
    insert(cx, input, content)
}

/// The issue or pull request of a global id.
fn named(state: &State, id: &str) -> Option<Content> {
    let (kind, id) = ids::parse(id)?;
    state.tracker.all().find_map(|(repo, issue)| match (kind, &issue.pull) {
        ("I", None) if issue.id == id => Some(Content::Issue { repo, number: issue.number, pull: false }),
        ("PR", Some(pull)) if pull.id == id => {
            Some(Content::Issue { repo, number: issue.number, pull: true })
        }
        _ => None,
    })
}

fn add_draft(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    let title = input["title"].as_str().unwrap_or_default().trim().to_owned();
    if title.is_empty() {
        return Err(ApiError::unprocessable("Title can't be blank"));
    }
    insert(cx, input, Content::Draft { title, body: input["body"].as_str().unwrap_or_default().to_owned() })
}

fn insert(cx: &RequestContext<'_>, input: &Value, content: Content) -> Outcome<u64> {
    let now = cx.site.now();
    let creator = cx.caller.login().to_owned();
    let mut state = cx.site.state();
    let id = state.next_id();
    let project = writable(cx, &mut state, input)?;
    let known = project
        .items
        .iter_mut()
        .find(|item| item.content == content && matches!(content, Content::Issue { .. }));
    if let Some(known) = known {
        known.archived = false;
        return Ok(known.id);
    }
    project.updated.clone_from(&now);
    project.items.push(Item {
        id,
        content,
        creator,
        created: now.clone(),
        updated: now,
        archived: false,
        values: std::collections::BTreeMap::new(),
    });
    Ok(id)
}

/// Does something to an item.
fn change(
    cx: &RequestContext<'_>,
    input: &Value,
    how: impl FnOnce(&[Field], &mut Item) -> Outcome<()>,
) -> Outcome<u64> {
    let now = cx.site.now();
    let mut state = cx.site.state();
    let project = writable(cx, &mut state, input)?;
    let id = known(input, "itemId", &["PVTI"])?;
    let fields = project.fields.clone();
    let item = project.item_mut(id).ok_or_else(|| missing(input["itemId"].as_str().unwrap_or_default()))?;
    how(&fields, item)?;
    item.updated.clone_from(&now);
    project.updated = now;
    Ok(id)
}

/// The field of the input.
fn field_of<'f>(fields: &'f [Field], input: &Value) -> Outcome<&'f Field> {
    let id = known(input, "fieldId", &["PVTF", "PVTSSF", "PVTIF"])?;
    let field = fields.iter().find(|field| field.id == id);
    field.ok_or_else(|| missing(input["fieldId"].as_str().unwrap_or_default()))
}

fn set(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    change(cx, input, |fields, item| {
        let field = field_of(fields, input)?;
        let given: Map<_, _> = input["value"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let wanted = match field.kind.as_str() {
            "TEXT" => "text",
            "NUMBER" => "number",
            "DATE" => "date",
            "SINGLE_SELECT" => "singleSelectOptionId",
            "ITERATION" => "iterationId",
            _ => {
                let words =
                    format!("The field of type {} is currently not supported.", field.kind.to_lowercase());
                return Err(ApiError::unprocessable(words));
            }
        };
        let (1, Some(value)) = (given.len(), given.get(wanted)) else {
            let words = "Did not receive a value of the type that the field has to be updated with";
            return Err(ApiError::unprocessable(format!("{words}: {wanted}")));
        };
        if !field.options.is_empty() && value.as_str().and_then(|id| field.choice(id)).is_none() {
            let what = if field.kind == "ITERATION" { "iteration" } else { "single select option" };
            let words = format!("The {what} Id does not belong to the field");
            return Err(ApiError::unprocessable(words));
        }
        item.values.insert(field.id, value.clone());
        Ok(())
    })
}

fn clear(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    change(cx, input, |fields, item| {
        item.values.remove(&field_of(fields, input)?.id);
        Ok(())
    })
}

fn delete(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let id = change(cx, input, |_, _| Ok(()))?;
    let mut state = cx.site.state();
    writable(cx, &mut state, input)?.items.retain(|item| item.id != id);
    Ok(Resolved::fields([("deletedItemId", node_id("PVTI", id).into())]))
}
