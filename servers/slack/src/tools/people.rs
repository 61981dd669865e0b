//! Who: people found, members of channels, profiles, user groups.

use std::collections::BTreeSet;

use connector::{
    Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FROM, usergroups};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Group, Identity, User},
    },
    resolve::people::{MOST, People, is_foreign},
    scopes,
    workspace::Workspace,
};

/// The most pages of the directory that one search reads.
const PAGES: usize = 10;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "list_channel_members",
            "List channel members",
            "Who is in a channel: handle, name, title.",
            list_channel_members,
        )
        .toolset("people")
        .scopes(scopes::CHANNELS)
        .aliases(&[("channel_id", "channel")])
        .output_page::<Person>(),
        Tool::read(
            "search_users",
            "Find people",
            "People by a part of handle, name, title or e-mail address.",
            search_users,
        )
        .toolset("people")
        .scopes(scopes::PEOPLE)
        .aliases(&[("email", "query"), ("name", "query")])
        .output_page::<Person>(),
        Tool::read(
            "read_user_profile",
            "Read a profile",
            "One person, you by default: name, title, contact, status, time zone, presence.",
            read_user_profile,
        )
        .toolset("people")
        .scopes(scopes::PEOPLE)
        .aliases(&[("user_id", "user")])
        .output::<Person>(),
        Tool::read(
            "list_usergroups",
            "List user groups",
            "The user groups (@handles of several people), or the members of one.",
            list_usergroups,
        )
        .toolset("people")
        .scopes(&["usergroups:read"])
        .aliases(&[("usergroup", "group")])
        .output_page::<GroupItem>(),
    ]
}

/// Somebody in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Person {
    id: String,
    handle: String,
    name: String,
    title: String,
    email: String,
    bot: bool,
    active: bool,
}

fn person_row(user: &User, me: &Identity) -> (String, Person) {
    let mut row = format!("{} @{} {}", user.id, one_line(user.handle()), one_line(user.full_name()));
    for part in [&user.profile.title, &user.profile.email] {
        if !part.trim().is_empty() {
            row.push_str(&format!(", {}", one_line(part)));
        }
    }
    for (is, word) in [
        (user.is_bot, "app"),
        (user.is_admin, "admin"),
        (user.is_restricted, "guest"),
        (user.deleted, "deactivated"),
        (is_foreign(user, me), "from another organization"),
    ] {
        if is {
            row.push_str(&format!(" ({word})"));
        }
    }
    let person = Person {
        id: user.id.clone(),
        handle: user.handle().to_owned(),
        name: user.full_name().to_owned(),
        title: user.profile.title.clone(),
        email: user.profile.email.clone(),
        bot: user.is_bot,
        active: !user.deleted,
    };
    (row, person)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListChannelMembers {
    channel: String,
    /// Default true
    include_bots: Option<bool>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

async fn list_channel_members(call: Call<Slack>, args: ListChannelMembers) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let channel = workspace.names().channel(&args.channel).await?;
    call.policy().reads(&channel)?;
    let first = position.first(limit(args.limit, 30, 40), 200);
    let found = workspace.api().members(&channel.id, first, position.after.as_deref()).await?;
    let next = found.next().map(str::to_owned);
    let ids: Vec<String> = found.rows.into_iter().skip(position.skip).collect();
    let read = ids.len();
    let me = workspace.names().me().await.unwrap_or_default();
    let users = profiles(&workspace, ids).await;
    let mut page = Page::new(FROM, ("member", "members"))
        .note(format!("of {}", workspace.names().title(&channel).await));
    if let Some(total) = channel.num_members {
        page = page.total(usize::try_from(total).unwrap_or_default());
    }
    let mut places = Vec::new();
    for (place, (id, user)) in users.iter().enumerate() {
        let (row, person) = match user {
            Ok(user) if user.is_bot && args.include_bots == Some(false) => continue,
            Ok(user) => person_row(user, &me),
            Err(error) => (
                if error.kind() == Kind::NotFound {
                    format!("{id} (Slack gave no name)")
                } else {
                    format!("{id} (no name: {})", one_line(error.message()))
                },
                Person {
                    id: id.clone(),
                    handle: String::new(),
                    name: id.clone(),
                    title: String::new(),
                    email: String::new(),
                    bot: false,
                    active: true,
                },
            ),
        };
        page.push(row, &person);
        places.push(place);
    }
    match read - places.len() {
        0 => {}
        1 => page = page.note("1 app left out"),
        apps => page = page.note(format!("{apps} apps left out")),
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage { position, read, places, next })))
}

/// The people of these ids, or why they were not had.
async fn profiles(workspace: &Workspace, ids: Vec<String>) -> Vec<(String, Result<User>)> {
    let looks = ids.into_iter().map(|id| {
        let api = workspace.api().clone();
        async move {
            let user = api.user(&id).await;
            (id, user)
        }
    });
    stream::iter(looks).buffered(8).collect().await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchUsers {
    query: String,
    include_deactivated: Option<bool>,
    limit: Option<u32>,
    workspace: Option<String>,
}

async fn search_users(call: Call<Slack>, args: SearchUsers) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let want = args.query.trim().trim_start_matches('@').to_lowercase();
    let me = workspace.names().me().await.unwrap_or_default();
    let mut page = Page::new(FROM, ("person", "people")).note(format!("with \"{}\"", one_line(&args.query)));
    if want.contains('@')
        && let Ok(user) = workspace.api().user_by_email(&want).await
    {
        let (row, person) = person_row(&user, &me);
        page.push(row, &person);
        return Ok(Reply::page(page));
    }
    let words: Vec<&str> = want.split_whitespace().collect();
    let mut found: Vec<User> = Vec::new();
    let mut cursor: Option<String> = None;
    let mut looked = 0;
    let (mut failure, mut searched) = (None, false);
    for number in 0..PAGES {
        let users = match workspace.api().users(cursor.as_deref()).await {
            // Who was found before is worth having.
            Err(error) if !found.is_empty() => {
                failure = Some(error.for_agent());
                break;
            }
            users => users?,
        };
        cursor = users.next().map(str::to_owned);
        looked += users.rows.len();
        found.extend(users.rows.into_iter().filter(|user| has_words(user, &words)));
        if cursor.is_none() {
            break;
        }
        // Of a directory that no page holds, Slack's own search knows all.
        if number == 0 {
            let others = by_search(&workspace, &want).await;
            searched = !others.is_empty();
            for user in others {
                if found.iter().all(|known| known.id != user.id) {
                    found.push(user);
                }
            }
        }
        if searched {
            break;
        }
    }
    if found.is_empty() {
        let guests = workspace.names().guests(call.policy()).await;
        found.extend(guests.into_iter().filter(|user| has_words(user, &words)));
    }
    let fitting = found.len();
    found.retain(|user| args.include_deactivated.unwrap_or(false) || !user.deleted);
    let gone = fitting - found.len();
    found.sort_by_key(|user| {
        (user.is_bot, !user.handle().to_lowercase().starts_with(&want), user.handle().to_lowercase())
    });
    let total = found.len();
    for user in found.iter().take(limit(args.limit, 20, 100) as usize) {
        let (row, person) = person_row(user, &me);
        page.push(row, &person);
    }
    if searched {
        page = page.note("by Slack's search, the nearest only; an e-mail address finds anybody");
    } else if cursor.is_some() {
        page =
            page.note(format!("among the first {looked} of the workspace; an e-mail address finds anybody"));
    }
    if gone > 0 {
        page = page.note(format!("{gone} deactivated left out: include_deactivated shows them"));
    }
    // A part of the directory tells no total.
    let whole = cursor.is_none() && failure.is_none();
    let mut reply = Reply::page(if whole { page.total(total) } else { page.note(format!("{total} found")) });
    if let Some(why) = failure {
        reply = reply.line(format!("Not everybody was searched: {why}"));
    }
    if total == 0 {
        reply = reply.line(
            "People of other organizations are looked for in the channels shared with them that you are in: list_channel_members lists a channel's.",
        );
    }
    Ok(reply)
}

/// The people whom Slack's own search finds, with their profiles; none where it may not be asked.
async fn by_search(workspace: &Workspace, want: &str) -> Vec<User> {
    let ids = workspace.search_api().people(want).await.unwrap_or_default();
    profiles(workspace, ids).await.into_iter().filter_map(|(_, user)| user.ok()).collect()
}

/// Whether every one of `words` is in what somebody is called, does, or is written to by.
fn has_words(user: &User, words: &[&str]) -> bool {
    let profile = &user.profile;
    let about = [&user.name, &profile.display_name, user.full_name(), &profile.title, &profile.email];
    let about = about.map(str::to_lowercase).join(" ");
    words.iter().all(|word| about.contains(word))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadUserProfile {
    user: Option<String>,
    workspace: Option<String>,
}

async fn read_user_profile(call: Call<Slack>, args: ReadUserProfile) -> Result<Reply> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Presence {
        presence: String,
    }
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let wanted = args.user.as_deref().filter(|user| !user.trim().is_empty()).unwrap_or("me");
    let user = workspace.names().anybody(call.policy(), wanted).await?;
    let me = workspace.names().me().await.unwrap_or_default();
    let presence: Presence = workspace
        .api()
        .call(methods::USERS_PRESENCE, Form::new().set("user", &user.id))
        .await
        .unwrap_or_default();
    let (row, person) = person_row(&user, &me);
    let mut lines = vec![row];
    if !user.profile.status_text.is_empty() {
        lines.push(format!("Status: {} {}", user.profile.status_emoji, user.profile.status_text));
    }
    if !user.profile.phone.is_empty() {
        lines.push(format!("Phone: {}", user.profile.phone));
    }
    if let Some(zone) = &user.tz {
        let now = crate::resolve::time::now();
        let local = jiff::tz::TimeZone::get(zone)
            .ok()
            .map(|zone| format!(", where it is {}", now.to_zoned(zone).strftime("%H:%M")));
        lines.push(format!("Time zone: {zone}{}", local.unwrap_or_default()));
    }
    if !presence.presence.is_empty() {
        lines.push(format!("Presence: {}", presence.presence));
    }
    Ok(Reply::new(format!("@{}", one_line(user.handle())))
        .outside("profile", None, lines.join("\n"))
        .data(&person))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListUsergroups {
    /// @handle of one: its members
    group: Option<String>,
    workspace: Option<String>,
}

/// A user group, or a member of one.
#[derive(Debug, Serialize, JsonSchema)]
struct GroupItem {
    id: String,
    handle: String,
    name: String,
    members: Vec<String>,
}

/// The most members of one group that are shown.
const MEMBERS: usize = 500;

/// The names of these people: one page of the directory has most of more than are looked up one by one.
async fn members(workspace: &Workspace, mut ids: BTreeSet<String>) -> People {
    let names = workspace.names();
    if ids.len() <= MOST {
        return names.people(ids).await;
    }
    let me = names.me().await.unwrap_or_default();
    let known = workspace.api().users(None).await.map(|page| page.rows).unwrap_or_default();
    let known: Vec<User> = known.into_iter().filter(|user| ids.remove(&user.id)).collect();
    names.people(ids).await.and(People::from_users(known, &me))
}

async fn list_usergroups(call: Call<Slack>, args: ListUsergroups) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let groups: Vec<Group> = match args.group.as_deref().filter(|group| !group.trim().is_empty()) {
        Some(group) => vec![workspace.names().group(group).await?],
        None => workspace.api().groups().await?,
    };
    let one = args.group.is_some();
    let shown = if one { MEMBERS } else { 8 };
    let ids: BTreeSet<String> =
        groups.iter().flat_map(|group| group.users.iter().take(shown).cloned()).collect();
    let people = members(&workspace, ids).await;
    let mut page = Page::new(FROM, ("user group", "user groups"));
    for group in &groups {
        let members: Vec<String> = group.users.iter().take(shown).map(|id| people.described(id)).collect();
        let count = group.user_count.unwrap_or(group.users.len() as u64);
        let more = match (group.users.len().saturating_sub(shown), one) {
            (0, _) => String::new(),
            (more, true) => format!(" and {more} more"),
            (more, false) => format!(" and {more} more: give `group`"),
        };
        let about = if group.description.trim().is_empty() {
            String::new()
        } else {
            format!(" – {}", one_line(&group.description))
        };
        let row = format!(
            "{} @{} {}{about}; {count} {}: {}{more}",
            group.id,
            one_line(&group.handle),
            one_line(&group.name),
            if count == 1 { "member" } else { "members" },
            members.join(", ")
        );
        page.push(
            row,
            &GroupItem {
                id: group.id.clone(),
                handle: group.handle.clone(),
                name: group.name.clone(),
                members,
            },
        );
    }
    let reply = Reply::page(page.note(people.note()));
    Ok(match super::changed_by(&call, "User groups", usergroups::TOOLSET) {
        Some(note) => reply.line(note),
        None => reply,
    })
}
