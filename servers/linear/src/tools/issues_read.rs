//! `get_issue`: one issue or a few, with as much around them as is asked for.

use std::fmt::Write as _;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Image, Page, Reply, Tool, excerpt, one_line},
};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::{
    FROM,
    issue_relations::{Blockers, blockers_of, related, relations},
};
use crate::{
    Linear,
    api::{
        Partial,
        comments::Comment,
        issues::{Issue, Sections},
    },
    render,
    resolve::{IssueKey, absent},
};

/// Issues in one call, at most.
const MOST: usize = 20;
/// Comments shown with an issue; list_comments has the rest.
const COMMENTS: u32 = 20;
/// Images shown in one call, at most.
const IMAGES: usize = 4;
/// Characters of a description, unless asked otherwise.
const EXCERPT: usize = 8_000;
/// Characters that several issues share.
const SHARED: usize = 20_000;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "get_issue",
            "Get issues",
            "One issue by id (ENG-12, URL), several by ids, or the one of a git branch, with description. \
             history is the time spent in each state; images are those in the description.",
            get_issue,
        )
        .toolset("issues")
        .aliases(&[("issue", "id"), ("issueId", "id"), ("identifier", "id"), ("issues", "ids")])
        .output::<Found>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    id: Option<String>,
    #[serde(default)]
    ids: Vec<String>,
    branch: Option<String>,
    #[serde(default)]
    include: Vec<Include>,
    /// Of the description
    max_chars: Option<u32>,
    offset: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Include {
    Comments,
    Relations,
    Children,
    Attachments,
    History,
    Images,
}

/// The answer of `get_issue`.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    issues: Vec<Detail>,
    /// What was asked for and is not there, or cannot be seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<String>,
}

/// One issue.
#[derive(Debug, Serialize, JsonSchema)]
struct Detail {
    id: String,
    title: String,
    state: String,
    priority: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// For `expected_updated_at`.
    updated_at: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    comments: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<String>,
}

/// How an issue's description is cut.
#[derive(Clone, Copy)]
struct Cut {
    offset: usize,
    chars: usize,
}

async fn get_issue(call: Call<Linear>, arguments: Arguments) -> Result<Reply> {
    let has = |include| arguments.include.contains(&include);
    let sections = Sections {
        comments: has(Include::Comments).then_some(COMMENTS),
        relations: has(Include::Relations),
        children: has(Include::Children),
        attachments: has(Include::Attachments),
        history: has(Include::History),
    };
    let given = [arguments.id.is_some(), !arguments.ids.is_empty(), arguments.branch.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        return Err(Error::invalid("Give one of `id`, `ids` and `branch`"));
    }
    let several = arguments.ids.len() > 1;
    let default = EXCERPT.min(SHARED / arguments.ids.len().max(1));
    let cut = Cut {
        offset: arguments.offset.unwrap_or(0) as usize,
        chars: arguments.max_chars.map_or(default, |chars| chars as usize),
    };
    let mut gone = Vec::new();
    let found = if let Some(branch) = &arguments.branch {
        let found = call.api().issue_by_branch(branch.trim(), sections).await?;
        vec![found.ok_or_else(|| {
            Error::not_found(format!("No issue belongs to the branch `{}`", one_line(branch)))
                .with_hint("Linear knows branches by the name it suggests, such as ada/eng-12-title")
        })?]
    } else if let Some(id) = &arguments.id {
        let key = call.names().issue_key(id).await?;
        vec![call.api().issue(&key.to_id(), sections).await.map_err(|error| absent(error, &key))?]
    } else {
        let (found, missing) = many(&call, &arguments.ids, MOST, sections).await?;
        gone = missing;
        found
    };
    let mut reply = Reply::default();
    if several {
        reply = reply.line(format!("{} of {} issues.", found.len(), found.len() + gone.len()));
    }
    if !gone.is_empty() {
        reply = reply.line(format!("Not there, or not visible to this credential: {}", gone.join(", ")));
    }
    let mut blockers = Blockers::new();
    if has(Include::Relations) {
        match blockers_of(&call, found.iter().map(|found| &found.data)).await {
            Ok(found) => blockers = found,
            Err(error) => reply = reply.line(format!("Not answered (other blockers): {}", error.for_agent())),
        }
    }
    let mut details = Vec::new();
    for Partial { data: issue, failures } in &found {
        for (part, error) in failures {
            reply = reply.line(format!("Not answered ({part}): {}", error.for_agent()));
        }
        reply = show(reply, issue, &arguments.include, cut, several, &blockers);
        if has(Include::Images) {
            reply = images(&call, reply, issue).await;
        }
        details.push(detail(issue, cut));
    }
    Ok(reply.data(&Found { issues: details, gone }))
}

/// The issues `wanted`, at most `most`, in their order, and those that are not there.
pub(super) async fn many(
    call: &Call<Linear>,
    wanted: &[String],
    most: usize,
    sections: Sections,
) -> Result<(Vec<Partial<Issue>>, Vec<String>)> {
    if wanted.len() > most {
        return Err(Error::invalid(format!(
            "`ids` has {} issues; at most {most} go in one call",
            wanted.len()
        )));
    }
    let mut keys: Vec<IssueKey> = Vec::new();
    for id in wanted {
        let key = call.names().issue_key(id).await?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut issues: Vec<Issue> = Vec::new();
    let mut failures = Vec::new();
    for keys in keys.chunks(sections.per_request()) {
        let filter = json!({"or": keys.iter().map(IssueKey::to_filter).collect::<Vec<_>>()});
        let answer = call.api().issues(filter, keys.len(), sections).await?;
        issues.extend(answer.data);
        failures.extend(answer.failures);
    }
    // An issue that moved to another team is found by its old identifier only when asked for alone.
    let unseen: Vec<&IssueKey> =
        keys.iter().filter(|key| !issues.iter().any(|issue| is(issue, key))).collect();
    let asked = join_all(unseen.iter().map(|key| async move {
        let id = key.to_id();
        call.api().issue(&id, sections).await
    }))
    .await;
    let mut gone = Vec::new();
    for (key, answer) in unseen.into_iter().zip(asked) {
        match answer {
            Ok(answer) => issues.push(answer.data),
            Err(error) if error.kind() == Kind::NotFound => gone.push(key.to_string()),
            Err(error) => return Err(error),
        }
    }
    let place = |issue: &Issue| keys.iter().position(|key| is(issue, key)).unwrap_or(usize::MAX);
    issues.sort_by_key(place);
    let mut found: Vec<Partial<Issue>> =
        issues.into_iter().map(|data| Partial { data, failures: Vec::new() }).collect();
    if let Some(first) = found.first_mut() {
        first.failures = failures;
    }
    Ok((found, gone))
}

/// Whether `issue` is the one that `key` names, now or before it moved.
fn is(issue: &Issue, key: &IssueKey) -> bool {
    let id = key.to_id();
    issue.id.eq_ignore_ascii_case(&id)
        || issue.identifier.eq_ignore_ascii_case(&id)
        || issue.previous_identifiers.iter().any(|before| before.eq_ignore_ascii_case(&id))
}

/// Adds an issue to a reply: what is set, then its text, then the sections.
fn show(
    mut reply: Reply,
    issue: &Issue,
    include: &[Include],
    cut: Cut,
    several: bool,
    blockers: &Blockers,
) -> Reply {
    for line in head(issue) {
        reply = reply.line(line);
    }
    let creator = issue.creator.as_ref().map(|person| one_line(&person.display_name));
    let whole = issue.description.as_deref().unwrap_or_default();
    let (part, note) = excerpt(whole, cut.offset, cut.chars);
    // A whole text is cleaned where it is fenced, which tells what that left out.
    let text = if note.is_none() && cut.offset == 0 { whole } else { part.as_str() };
    let mut body = format!("# {}", one_line(&issue.title));
    if !several {
        // Its name is made of the title.
        let _ = write!(body, "\nbranch {}", one_line(&issue.branch_name));
    }
    if cut.offset > 0 {
        let _ = write!(body, "\n\n[from character {}]", cut.offset);
    }
    if !text.trim().is_empty() {
        let _ = write!(body, "\n\n{text}");
    }
    reply = reply.outside(issue.identifier.clone(), creator.as_deref(), body);
    if let Some(note) = note {
        // An offset is one issue's.
        let alone = format!("ask with id={} and ", issue.identifier);
        reply = reply.line(if several { note.replace("ask with ", &alone) } else { note });
    }
    for section in include {
        reply = match section {
            Include::Comments => reply.rows(comments(issue)),
            Include::Relations => reply.rows(relations(issue, blockers)),
            Include::Children => reply.rows(children(issue)),
            Include::Attachments => reply.rows(attachments(issue)),
            Include::History => reply.rows(history(issue)),
            Include::Images => reply,
        };
    }
    reply
}

/// The lines above an issue's text.
fn head(issue: &Issue) -> Vec<String> {
    let mut first = format!("{}: {}", issue.identifier, render::state(issue.state.as_ref()));
    let _ = write!(first, ", priority {}", render::priority_word(issue.priority));
    match &issue.assignee {
        Some(assignee) => {
            let _ = write!(first, ", {}", render::person_in_full(assignee));
        }
        None => first.push_str(", unassigned"),
    }
    if let Some(delegate) = &issue.delegate {
        let _ = write!(first, ", delegated to {}", render::person(delegate));
    }
    if issue.trashed {
        first.push_str(", in the trash");
    } else if issue.archived_at.is_some() {
        first.push_str(", archived");
    }
    let mut lines = vec![first];
    let mut facts = Vec::new();
    if let Some(due) = &issue.due_date {
        facts.push(format!("due {due}"));
    }
    if let Some(estimate) = issue.estimate {
        facts.push(format!("estimate {estimate}"));
    }
    if !issue.labels.nodes.is_empty() {
        let labels: Vec<String> = issue.labels.nodes.iter().map(render::label).collect();
        facts.push(format!("labels {}", labels.join(", ")));
    }
    if let Some(project) = &issue.project {
        let milestone = issue.project_milestone.as_ref();
        let milestone = milestone
            .map(|milestone| format!(", milestone \"{}\"", one_line(&milestone.name)))
            .unwrap_or_default();
        facts.push(format!("project \"{}\"{milestone}", one_line(&project.name)));
    }
    if let Some(cycle) = &issue.cycle
        && let Some(number) = cycle.number
    {
        let zone = issue.team.timezone.as_deref();
        let dates = render::dates(cycle.starts_at.as_deref(), cycle.ends_at.as_deref(), zone);
        facts.push(format!("cycle {number}{dates}"));
    }
    if let Some(parent) = &issue.parent {
        facts.push(format!("under {}", parent.identifier));
    }
    if !facts.is_empty() {
        lines.push(facts.join("; "));
    }
    let by =
        issue.creator.as_ref().map(|person| format!(" by {}", render::person(person))).unwrap_or_default();
    let mut times = vec![format!("created {}{by}", render::minute(&issue.created_at))];
    for (word, moment) in [
        ("started", &issue.started_at),
        ("completed", &issue.completed_at),
        ("canceled", &issue.canceled_at),
        ("SLA breaches", &issue.sla_breaches_at),
    ] {
        if let Some(moment) = moment {
            times.push(format!("{word} {}", render::minute(moment)));
        }
    }
    // In full, because it is what `expected_updated_at` takes.
    times.push(format!("updated {}", issue.updated_at));
    lines.push(times.join(", "));
    if !issue.previous_identifiers.is_empty() {
        lines.push(format!("formerly {}", issue.previous_identifiers.join(", ")));
    }
    lines.push(render::issue_url(&issue.url));
    lines
}

/// The last comments, by thread: a reply stands below what it replies to.
fn comments(issue: &Issue) -> Page {
    let mut all: Vec<&Comment> = issue.comments.nodes.iter().collect();
    all.sort_by(|a, b| a.created_at.cmp(&b.created_at));
    let mut page = Page::new(FROM, ("comment", "comments"));
    if issue.comments.page_info.has_next_page {
        page = page.note("the last ones; list_comments has the rest");
    }
    let parent_of = |comment: &Comment| {
        let parent = comment.parent_id.as_deref()?;
        all.iter().find(|other| other.id == parent).map(|other| other.id.clone())
    };
    for root in all.iter().filter(|comment| parent_of(comment).is_none()) {
        push_comment(&mut page, render::comment_head(root), root);
        for reply in all.iter().filter(|comment| parent_of(comment).as_deref() == Some(root.id.as_str())) {
            push_comment(&mut page, render::reply_head(reply), reply);
        }
    }
    page
}

fn push_comment(page: &mut Page, head: String, comment: &Comment) {
    page.push(
        format!("{head}\n{}", render::comment_body(comment, &comment.body)),
        &json!({"id": comment.id}),
    );
}

fn children(issue: &Issue) -> Page {
    let mut page = Page::new(FROM, ("sub-issue", "sub-issues"));
    if issue.children.page_info.has_next_page {
        page =
            page.note(format!("the first ones; list_issues with parent {} has the rest", issue.identifier));
    }
    for child in &issue.children.nodes {
        page.push(render::issue_ref(child), &json!({"id": child.identifier}));
    }
    page
}

fn attachments(issue: &Issue) -> Page {
    let mut page = Page::new(FROM, ("attachment", "attachments"));
    if issue.attachments.page_info.has_next_page {
        page = page.note("the first ones");
    }
    for attachment in &issue.attachments.nodes {
        let mut row = one_line(&attachment.title);
        if let Some(subtitle) = attachment.subtitle.as_deref().filter(|subtitle| !subtitle.trim().is_empty())
        {
            let _ = write!(row, " ({})", one_line(subtitle));
        }
        if let Some(source) = attachment.source_type.as_deref().filter(|source| *source != "unknown") {
            let _ = write!(row, " [{}]", one_line(source));
        }
        let _ = write!(row, " {}", one_line(&attachment.url));
        page.push(row, &json!({"url": attachment.url}));
    }
    page
}

fn history(issue: &Issue) -> Page {
    let mut spans: Vec<_> = issue.state_history.nodes.iter().collect();
    spans.sort_by(|a, b| a.started_at.cmp(&b.started_at));
    let mut page = Page::new(FROM, ("state", "states")).note("in order");
    for span in spans {
        page.push(render::span(span), &json!({"state": render::state(span.state.as_ref())}));
    }
    page
}

fn detail(issue: &Issue, cut: Cut) -> Detail {
    let (description, _) = excerpt(issue.description.as_deref().unwrap_or_default(), cut.offset, cut.chars);
    Detail {
        id: issue.identifier.clone(),
        title: issue.title.clone(),
        state: render::state(issue.state.as_ref()),
        priority: render::priority_word(issue.priority),
        assignee: issue.assignee.as_ref().map(|person| person.display_name.clone()),
        labels: issue.labels.nodes.iter().map(render::label).collect(),
        project: issue.project.as_ref().map(|project| project.name.clone()),
        due: issue.due_date.clone(),
        updated_at: issue.updated_at.clone(),
        url: render::issue_url(&issue.url),
        description: (!description.trim().is_empty()).then_some(description),
        comments: issue
            .comments
            .nodes
            .iter()
            .map(|comment| {
                format!("{}\n{}", render::comment_head(comment), render::comment_body(comment, &comment.body))
            })
            .collect(),
        related: related(issue)
            .into_iter()
            .map(|(word, _, other)| format!("{word} {}", other.identifier))
            .collect(),
    }
}

/// Adds the images of an issue's text and comments that Linear keeps.
async fn images(call: &Call<Linear>, mut reply: Reply, issue: &Issue) -> Reply {
    let texts = issue.description.iter().map(String::as_str);
    let texts = texts.chain(issue.comments.nodes.iter().map(|comment| comment.body.as_str()));
    let mut urls: Vec<Url> = Vec::new();
    for url in texts.flat_map(image_urls).filter_map(|url| Url::parse(url).ok()) {
        if call.api().keeps(&url) && !urls.contains(&url) {
            urls.push(url);
        }
    }
    if urls.is_empty() {
        return reply.line(format!("{} has no images that Linear keeps.", issue.identifier));
    }
    if urls.len() > IMAGES {
        reply = reply.line(format!("{} of {} images are shown.", IMAGES, urls.len()));
        urls.truncate(IMAGES);
    }
    let files = join_all(urls.iter().map(|url| call.api().read_file(url))).await;
    for (place, file) in files.into_iter().enumerate() {
        let number = place + 1;
        reply = match file {
            Ok(file) if file.media_type.starts_with("image/") && file.media_type != "image/svg+xml" => {
                reply.image(Image { mime_type: file.media_type, bytes: file.bytes.to_vec() })
            }
            Ok(file) => {
                reply.line(format!("Image {number} is {}, which is not shown.", one_line(&file.media_type)))
            }
            Err(error) => reply.line(format!("Image {number} could not be read: {}", error.for_agent())),
        };
    }
    reply
}

/// The addresses of images in Markdown: `![alt](address "title")`.
fn image_urls(text: &str) -> impl Iterator<Item = &str> {
    text.split("![").skip(1).filter_map(|rest| {
        let (_, target) = rest.split_once("](")?;
        let end = target.find([')', ' ', '\n'])?;
        Some(target[..end].trim_matches(['<', '>']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found_in_markdown() {
        let text = "a ![x](https://uploads.linear.app/1.png) b ![](<https://e.x/2> \"t\") [no](https://e.x/3) ![broken](";
        assert_eq!(
            image_urls(text).collect::<Vec<_>>(),
            ["https://uploads.linear.app/1.png", "https://e.x/2"]
        );
    }
}
