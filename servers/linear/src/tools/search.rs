//! `search`: by words or by meaning, over several kinds of things at once.

use connector::{
    Error, Result,
    catalog::{Call, Page, Reply, Tool, one_line},
};
use futures::future::{BoxFuture, FutureExt as _, join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FROM, Position, limit};
use crate::{
    Linear,
    api::search::{Found, FoundDocument, FoundInitiative, FoundIssue, FoundProject, Terms},
    render,
};

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "search",
            "Search",
            "Ranked search in titles and texts. For exact filters use list_issues.",
            search,
        )
        .toolset("issues")
        .aliases(&[("q", "query"), ("text", "query"), ("type", "types")])
        .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    /// Default: issue, project, document
    #[serde(default)]
    types: Vec<Kind>,
    mode: Option<Mode>,
    team: Option<String>,
    include_archived: Option<bool>,
    limit: Option<u32>,
    /// With one type only
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Issue,
    Project,
    Document,
    Initiative,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Project => "project",
            Self::Document => "document",
            Self::Initiative => "initiative",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Text,
    Semantic,
}

/// Something that was found.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// issue, project, document or initiative.
    kind: &'static str,
    /// What other tools take for it.
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Where the words stand in its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<String>,
    #[serde(skip)]
    line: String,
    /// Its text, of which the snippet is taken.
    #[serde(skip)]
    text: String,
}

impl Row {
    /// With the passage that has the words of `query`, where the title does not have them all.
    fn with_snippet(mut self, query: &str) -> Self {
        let title = lower(&self.title.chars().collect::<Vec<_>>());
        let words = sought(query);
        if words.iter().any(|word| !has(&title, word)) {
            self.snippet = snippet(&self.text, &words);
        }
        if let Some(snippet) = &self.snippet {
            self.line.push_str("\n  ");
            self.line.push_str(snippet);
        }
        self
    }
}

/// Characters of a snippet, and how many of them stand before the first word.
const SNIPPET: usize = 140;
const BEFORE: usize = 40;
/// Letters of a word that is passed over beside longer ones: `the` is everywhere.
const FILLER: usize = 3;

/// Each letter in lower case by itself, so that a place in it is one in the text.
fn lower(text: &[char]) -> Vec<char> {
    text.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect()
}

/// The words of a query that are looked for in a text: without quotes and what stands around them, and without the
/// shortest ones unless there are no others.
fn sought(query: &str) -> Vec<Vec<char>> {
    let mut words: Vec<Vec<char>> = Vec::new();
    for word in query.split_whitespace() {
        let word: Vec<char> = word.trim_matches(|c: char| !c.is_alphanumeric()).chars().collect();
        let word = lower(&word);
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    if words.iter().any(|word| word.len() > FILLER) {
        words.retain(|word| word.len() > FILLER);
    }
    words
}

/// Where a word begins in a text: at the beginning of one of its own.
fn places<'a>(text: &'a [char], word: &'a [char]) -> impl Iterator<Item = usize> + 'a {
    let begins = move |at: &usize| *at == 0 || !text[*at - 1].is_alphanumeric();
    (0..(text.len() + 1).saturating_sub(word.len()))
        .filter(begins)
        .filter(move |at| text[*at..].starts_with(word))
}

fn has(text: &[char], word: &[char]) -> bool {
    places(text, word).next().is_some()
}

/// The passage of `text` with the most of `words`, the first of them if there are several, on one line.
fn snippet(text: &str, words: &[Vec<char>]) -> Option<String> {
    let chars: Vec<char> = one_line(text).chars().collect();
    let text = lower(&chars);
    let mut hits: Vec<(usize, usize)> = Vec::new();
    for (word, letters) in words.iter().enumerate() {
        hits.extend(places(&text, letters).map(|at| (at, word)));
    }
    hits.sort_unstable();
    let mut best = (0, *hits.first()?);
    for (place, first) in hits.iter().enumerate() {
        let within = hits[place..]
            .iter()
            .take_while(|(at, word)| at + words[*word].len() <= first.0 + SNIPPET - BEFORE);
        let mut there: Vec<usize> = within.map(|(_, word)| *word).collect();
        there.sort_unstable();
        there.dedup();
        if there.len() > best.0 {
            best = (there.len(), *first);
        }
    }
    let at = best.1.0;
    let mut start = at.saturating_sub(BEFORE);
    while start > 0 && start < at && !chars[start - 1].is_whitespace() {
        start += 1;
    }
    let end = (start + SNIPPET).min(chars.len());
    let passage: String = chars[start..end].iter().collect();
    let (before, after) = (if start > 0 { "…" } else { "" }, if end < chars.len() { "…" } else { "" });
    Some(format!("{before}{}{after}", passage.trim()))
}

/// What one kind of things came to.
struct Part {
    kind: Kind,
    rows: Vec<Row>,
    total: Option<usize>,
    next: Option<String>,
}

async fn search(call: Call<Linear>, arguments: Arguments) -> Result<Reply> {
    let text = arguments.query.trim().to_owned();
    if text.is_empty() {
        return Err(Error::invalid("`query` is empty")
            .with_hint("Give a few words; for filters alone use list_issues"));
    }
    let mut types = arguments.types;
    types.dedup();
    if types.is_empty() {
        types = vec![Kind::Issue, Kind::Project, Kind::Document];
    }
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let team = match &arguments.team {
        Some(team) => Some(call.names().team(team).await?.id),
        None => None,
    };
    let asked = limit(arguments.limit, 10, 50);
    let terms = Terms {
        text,
        team,
        archived: arguments.include_archived.unwrap_or(false),
        first: position.first(asked, 250),
        after: position.after.clone(),
    };
    match arguments.mode.unwrap_or_default() {
        Mode::Text => by_words(&call, &terms, &types, position).await,
        Mode::Semantic => {
            let (page, notes) = by_meaning(&call, &terms, &types).await?;
            Ok(notes.into_iter().fold(Reply::page(page), Reply::lead))
        }
    }
}

/// Every kind is searched at once; one that fails is told of, and the others are shown.
async fn by_words(call: &Call<Linear>, terms: &Terms, types: &[Kind], position: Position) -> Result<Reply> {
    let searches = types.iter().map(|kind| part(call, terms, *kind));
    let mut failed = Vec::new();
    let mut parts = Vec::new();
    for (kind, result) in types.iter().zip(join_all(searches).await) {
        match result {
            Ok(part) => parts.push(part),
            Err(error) => failed.push((*kind, error)),
        }
    }
    if parts.is_empty()
        && let Some((_, error)) = failed.pop()
    {
        return Err(error);
    }
    let single = types.len() == 1;
    let begins = position.after.is_none() && position.skip == 0;
    let mut notes = Vec::new();
    for part in &parts {
        let shown = part.rows.len().saturating_sub(position.skip);
        if !single && part.next.is_some() {
            let of = part.total.map(|total| format!(" of {total}")).unwrap_or_default();
            let kind = part.kind.as_str();
            let plural = if shown == 1 && of.is_empty() { "" } else { "s" };
            notes.push(format!("{shown}{of} {kind}{plural}, more with types [\"{kind}\"]"));
        }
    }
    let mut page = Page::new(FROM, ("result", "results"));
    if !notes.is_empty() {
        page = page.note(notes.join("; "));
    }
    let mut next = None;
    for part in parts {
        for row in part.rows.into_iter().skip(position.skip) {
            page.push(row.line.clone(), &row);
        }
        if single {
            if begins && let Some(total) = part.total {
                page = page.total(total);
            }
            next = part.next;
        }
    }
    if single {
        let shown = page.len();
        let sealer = call.clone();
        page = page.cursor(next.is_some(), move |kept| {
            sealer.seal_cursor(&position.advance(kept, shown, next.as_deref()))
        });
    }
    if page.is_empty() && failed.is_empty() && begins {
        return instead(call, terms, types, page).await;
    }
    let failures = failed
        .into_iter()
        .map(|(kind, error)| format!("Not searched: {}s: {}", kind.as_str(), error.for_agent()));
    Ok(failures.fold(Reply::page(page), Reply::lead))
}

/// One kind of things, searched by words.
fn part<'a>(call: &'a Call<Linear>, terms: &'a Terms, kind: Kind) -> BoxFuture<'a, Result<Part>> {
    macro_rules! found {
        ($search:ident, $row:ident) => {
            async move {
                let found = call.api().$search(terms).await?;
                Ok(Part {
                    kind,
                    rows: found.nodes.iter().map(|found| $row(found).with_snippet(&terms.text)).collect(),
                    total: found.total_count.map(|total| total as usize),
                    next: found.next(terms.after.as_deref()).map(str::to_owned),
                })
            }
            .boxed()
        };
    }
    match kind {
        Kind::Issue => found!(search_issues, issue),
        Kind::Project => found!(search_projects, project),
        Kind::Document => found!(search_documents, document),
        Kind::Initiative => found!(search_initiatives, initiative),
    }
}

/// What is near in meaning where no text has all of the words, and the empty page `none` where nothing is.
async fn instead(call: &Call<Linear>, terms: &Terms, types: &[Kind], none: Page) -> Result<Reply> {
    Ok(match by_meaning(call, terms, types).await {
        Ok((page, _)) if page.is_empty() => Reply::page(none),
        Ok((page, notes)) => notes
            .into_iter()
            .fold(Reply::page(page), Reply::lead)
            .lead("No text has all of these words; these are near in meaning:"),
        Err(error) => Reply::page(none).lead(format!("Not searched by meaning: {}", error.for_agent())),
    })
}

/// The things nearest in meaning, and what failed beside them.
async fn by_meaning(call: &Call<Linear>, terms: &Terms, types: &[Kind]) -> Result<(Page, Vec<String>)> {
    let words: Vec<&str> = types.iter().map(|kind| kind.as_str()).collect();
    let answer = call.api().semantic_search(terms, &words).await?;
    let notes = answer.notes();
    let mut page = Page::new(FROM, ("result", "results")).note("by meaning, nearest first");
    for found in &answer.data {
        if let Some(row) = any(found).map(|row| row.with_snippet(&terms.text)) {
            page.push(row.line.clone(), &row);
        }
    }
    Ok((page, notes))
}

fn any(found: &Found) -> Option<Row> {
    let Found { issue: of_issue, project: of_project, document: of_document, initiative: of_initiative } =
        found;
    of_issue
        .as_ref()
        .map(issue)
        .or_else(|| of_project.as_ref().map(project))
        .or_else(|| of_document.as_ref().map(document))
        .or_else(|| of_initiative.as_ref().map(initiative))
}

/// A row of words: what is empty is left out.
fn line(parts: &[Option<String>]) -> String {
    parts.iter().flatten().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn issue(issue: &FoundIssue) -> Row {
    let state = issue.state.as_ref().map(|state| one_line(&state.name));
    Row {
        kind: Kind::Issue.as_str(),
        id: issue.identifier.clone(),
        title: issue.title.clone(),
        snippet: None,
        text: issue.description.clone().unwrap_or_default(),
        line: line(&[
            Some(issue.identifier.clone()),
            render::priority(issue.priority),
            state.clone(),
            issue.assignee.as_ref().map(render::person),
            Some(one_line(&issue.title)),
            issue.project.as_ref().map(|project| format!("(project \"{}\")", one_line(&project.name))),
            render::out_of_sight(issue.archived_at.as_deref(), issue.trashed),
        ]),
        state,
    }
}

fn project(project: &FoundProject) -> Row {
    let state = project.status.as_ref().map(|status| one_line(&status.name));
    Row {
        kind: Kind::Project.as_str(),
        id: project.slug_id.clone(),
        title: project.name.clone(),
        snippet: None,
        text: format!("{} {}", project.description, project.content.as_deref().unwrap_or_default()),
        line: line(&[
            Some(format!("project {}", project.slug_id)),
            state.clone(),
            project.lead.as_ref().map(render::person),
            Some(one_line(&project.name)),
        ]),
        state,
    }
}

fn document(document: &FoundDocument) -> Row {
    Row {
        kind: Kind::Document.as_str(),
        id: document.slug_id.clone(),
        title: document.title.clone(),
        snippet: None,
        text: document.content.clone().unwrap_or_default(),
        line: line(&[
            Some(format!("document {}", document.slug_id)),
            Some(render::day(&document.updated_at).to_owned()),
            Some(one_line(&document.title)),
            document.project.as_ref().map(|project| format!("(project \"{}\")", one_line(&project.name))),
        ]),
        state: None,
    }
}

fn initiative(initiative: &FoundInitiative) -> Row {
    Row {
        kind: Kind::Initiative.as_str(),
        id: initiative.slug_id.clone(),
        title: initiative.name.clone(),
        snippet: None,
        text: String::new(),
        line: line(&[
            Some(format!("initiative {}", initiative.slug_id)),
            Some(one_line(&initiative.status)),
            Some(one_line(&initiative.name)),
        ]),
        state: Some(initiative.status.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_the_passage_with_the_most_of_the_words() {
        let text = format!(
            "The clients wait. {} An important time is over when the import has reached its timeout of a minute. {}",
            "We know of nothing else here. ".repeat(20),
            "And so on. ".repeat(20)
        );
        let shown = |query: &str| snippet(&text, &sought(query)).unwrap_or_default();
        for query in ["the import timeout", "\"import\", (timeout)!", "IMPORT TIMEOUT"] {
            assert!(shown(query).contains("the import has reached its timeout"), "{query}: {}", shown(query));
        }
        assert!(shown("the").starts_with("The clients"), "{}", shown("the"));
        assert_eq!(shown("portant"), "", "no word begins so");
        assert!(shown("minutes or minute").contains("a minute"));
    }
}
