//! Files found by name, content, channel and person: canvases and lists are files too.

use std::collections::BTreeSet;

use connector::{
    Effect, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FROM, files::list_note, places::readable};
use crate::{
    Slack,
    api::{
        files::Files,
        types::{Channel, File, User},
    },
    render::message,
    resolve::time::day_of,
    workspace::Workspace,
};

/// The newest files whose names are looked through where searching finds nothing.
const NEWEST: u32 = 200;
/// The most conversations that are named on one page.
const NAMED: usize = 10;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "search_files",
            "Find files",
            "Files, canvases and lists by words, or all of a channel or person. read_file reads them.",
            search_files,
        )
        .toolset("files")
        .scopes(&["files:read", "search:read"])
        .aliases(&[("channel", "in"), ("user", "from")])
        .output_page::<FileRow>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchFiles {
    query: Option<String>,
    r#in: Option<String>,
    from: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

/// A file in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct FileRow {
    id: String,
    title: String,
    by: String,
    places: Vec<String>,
}

/// What is looked for, with names resolved.
struct Wanted {
    words: String,
    channel: Option<Channel>,
    person: Option<User>,
}

async fn search_files(call: Call<Slack>, args: SearchFiles) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let given = |word: &Option<String>| {
        word.as_deref().map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)
    };
    let names = workspace.names();
    let wanted = Wanted {
        words: given(&args.query).unwrap_or_default(),
        channel: match given(&args.r#in) {
            Some(word) => Some(names.channel(&word).await?),
            None => None,
        },
        person: match given(&args.from) {
            Some(word) => Some(names.anybody(call.policy(), &word).await?),
            None => None,
        },
    };
    if let Some(channel) = &wanted.channel {
        call.policy().reads(channel)?;
    }
    let count = limit(args.limit, 15, 50);
    let (how, found) = find(&workspace, &wanted, count, &position).await?;
    let next = found.paging.next().map(|page| page.to_string());
    let total = found.paging.total;
    let files: Vec<File> = found.files.into_iter().skip(position.skip).collect();
    let read = files.len();
    let mut shown: Vec<(usize, File)> = Vec::new();
    for (place, file) in files.into_iter().enumerate() {
        if readable(&call, &workspace, &file).await.is_ok() {
            shown.push((place, file));
        }
    }
    let people = names.people(shown.iter().map(|(_, file)| file.user.clone()).collect()).await;
    let places = Places::of(&call, &workspace, shown.iter().map(|(_, file)| file)).await;
    let mut page = Page::new(FROM, ("file", "files"));
    if !wanted.words.is_empty() {
        page = page.note(format!("with \"{}\"", one_line(&wanted.words)));
    }
    if let Some(channel) = &wanted.channel {
        page = page.note(format!("in {}", names.title(channel).await));
    }
    if let Some(person) = &wanted.person {
        page = page.note(format!("by {}", person.told()));
    }
    page = page.note(how).note(people.note());
    // Slack counts what may not be read, too; and how many of the files that is, is nobody's business.
    if shown.len() == read && total > 0 && !call.policy().narrows(Effect::Read) {
        page = page.total(total);
    }
    let zone = names.zone().await;
    for (_, file) in &shown {
        let by = one_line(people.name(&file.user));
        let at = day_of(&format!("{}.000000", file.created), &zone);
        let at = at.filter(|_| file.created > 0).map(|day| format!(", {day}")).unwrap_or_default();
        let places = places.names(file);
        let place =
            if places.is_empty() { "shared nowhere".to_owned() } else { format!("in {}", places.join(", ")) };
        let row = FileRow { id: file.id.clone(), title: one_line(&file.title), by: by.clone(), places };
        page.push(format!("{}, by @{by}{at}, {place}", message::file(file)), &row);
    }
    let has_list = shown.iter().any(|(_, file)| file.is_list());
    let empty = read == 0;
    let numbers = shown.iter().map(|(place, _)| *place).collect();
    let mut reply =
        Reply::page(paging::close(&call, page, VendorPage { position, read, places: numbers, next }));
    if has_list {
        reply = reply.line(list_note(&call));
    }
    if empty {
        reply =
            reply.line("Try other words, or only `in` or `from`. Only files of conversations that you can read are found.");
    }
    Ok(reply)
}

/// The files, and how they were found.
async fn find(
    workspace: &Workspace,
    wanted: &Wanted,
    count: u32,
    position: &Position,
) -> Result<(&'static str, Files)> {
    let api = workspace.search_api();
    let channel = wanted.channel.as_ref().map(|channel| channel.id.as_str());
    let person = wanted.person.as_ref().map(|user| user.id.as_str());
    let page = position.after.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1);
    if wanted.words.is_empty() {
        return Ok(("newest first", api.files(channel, person, count, page).await?));
    }
    let mut query = vec![wanted.words.clone()];
    query.extend(channel.map(|id| format!("in:<#{id}>")));
    query.extend(person.map(|id| format!("from:<@{id}>")));
    match api.found_files(&query.join(" "), count, page).await {
        Ok(found) if !found.files.is_empty() || position.after.is_some() => {
            return Ok(("by name and content", found));
        }
        Ok(_) => {}
        // A bot may not search.
        Err(error) if error.kind() == Kind::Permission => {}
        Err(error) => return Err(error),
    }
    let words: Vec<String> = wanted.words.split_whitespace().map(str::to_lowercase).collect();
    let newest = api.files(channel, person, NEWEST, 1).await?;
    // One and many are found alike; of an `s` alone nothing would be left.
    let stem = |word: &str| Some(word.trim_end_matches('s').to_owned()).filter(|stem| !stem.is_empty());
    let words: Vec<String> = words.iter().filter_map(|word| stem(word)).collect();
    let named = |file: &File| {
        let name = format!("{} {}", file.name, file.title).to_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    let files = newest.files.into_iter().filter(named).take(count as usize).collect();
    Ok(("any of the words in the names of the newest 200", Files { files, ..Files::default() }))
}

/// What conversations are called; none of those that may not be read.
struct Places(Vec<(String, Option<String>)>);

impl Places {
    /// The conversations that files are shared in, as many as are worth it.
    async fn of(call: &Call<Slack>, workspace: &Workspace, files: impl Iterator<Item = &File>) -> Self {
        let ids: BTreeSet<&String> = files.flat_map(places).collect();
        let mut known = Vec::new();
        for id in ids.into_iter().take(NAMED) {
            if let Ok(channel) = workspace.api().conversation(id).await {
                let title = match call.policy().may_read(&channel) {
                    true => Some(workspace.names().title(&channel).await),
                    false => None,
                };
                known.push((id.clone(), title));
            }
        }
        Self(known)
    }

    fn names(&self, file: &File) -> Vec<String> {
        let name = |id: &String| {
            let known = self.0.iter().find(|(known, _)| known == id);
            known.map_or_else(|| Some(id.clone()), |(_, title)| title.clone())
        };
        places(file).filter_map(name).collect()
    }
}

fn places(file: &File) -> impl Iterator<Item = &String> {
    file.channels.iter().chain(&file.groups).chain(&file.ims).take(3)
}
