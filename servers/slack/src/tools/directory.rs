//! Who and where: channels and people found, members, profiles, user groups.

use std::collections::BTreeSet;

use connector::{
    Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::{
    Slack,
    api::{
        DIRECTORY_PAGE, Form, methods,
        types::{Channel, Group, User},
    },
    resolve::{ALL_TYPES, people::label},
};

/// The most pages of a directory that one search reads.
const PAGES: usize = 10;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "search_channels",
            "Find channels",
            "Channels by a part of name, topic or purpose: your own first, then other public ones. No messages: search finds those.",
            search_channels,
        )
        .toolset("reading")
        .aliases(&[("name", "query")])
        .output_page::<ChannelItem>(),
        Tool::read(
            "list_user_channels",
            "List my conversations",
            "The conversations that you, or another user, are in, with their kinds.",
            list_user_channels,
        )
        .toolset("reading")
        .aliases(&[("user_id", "user")])
        .output_page::<ChannelItem>(),
        Tool::read(
            "list_channel_members",
            "List channel members",
            "Who is in a channel: handle, name, title.",
            list_channel_members,
        )
        .toolset("people")
        .aliases(&[("channel_id", "channel")])
        .output_page::<Person>(),
        Tool::read(
            "search_users",
            "Find people",
            "People by a part of handle, name, title or e-mail address.",
            search_users,
        )
        .toolset("people")
        .aliases(&[("email", "query"), ("name", "query")])
        .output_page::<Person>(),
        Tool::read(
            "read_user_profile",
            "Read a profile",
            "One person, you by default: name, title, contact, status, time zone, presence.",
            read_user_profile,
        )
        .toolset("people")
        .aliases(&[("user_id", "user")])
        .output::<Person>(),
        Tool::read(
            "list_usergroups",
            "List user groups",
            "The user groups (@handles of several people), or the members of one.",
            list_usergroups,
        )
        .toolset("people")
        .aliases(&[("usergroup", "group")])
        .output_page::<GroupItem>(),
    ]
}

/// A conversation in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct ChannelItem {
    id: String,
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    archived: bool,
}

fn kind(channel: &Channel) -> &'static str {
    match (channel.is_im, channel.is_mpim, channel.is_private) {
        (true, _, _) => "dm",
        (_, true, _) => "group dm",
        (_, _, true) => "private",
        _ => "public",
    }
}

fn channel_row(channel: &Channel, other: &str) -> (String, ChannelItem) {
    let name =
        if channel.is_im { format!("@{}", one_line(other)) } else { format!("#{}", one_line(&channel.name)) };
    let about = [&channel.topic.value, &channel.purpose.value]
        .into_iter()
        .find(|text| !text.trim().is_empty())
        .map(|text| one_line(text));
    let mut row = format!("{} {name}", channel.id);
    if kind(channel) != "public" {
        row.push_str(&format!(" ({})", kind(channel)));
    }
    if channel.is_ext_shared {
        row.push_str(" (shared with another organization)");
    }
    if channel.is_archived {
        row.push_str(" (archived)");
    }
    if let Some(about) = &about {
        row.push_str(&format!(": {}", about.chars().take(100).collect::<String>()));
    }
    let item = ChannelItem {
        id: channel.id.clone(),
        name,
        kind: kind(channel),
        topic: about,
        archived: channel.is_archived,
    };
    (row, item)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchChannels {
    query: String,
    include_archived: Option<bool>,
    limit: Option<u32>,
    workspace: Option<String>,
}

async fn search_channels(call: Call<Slack>, args: SearchChannels) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let archived = args.include_archived.unwrap_or(false);
    let want = args.query.trim().trim_start_matches('#').to_lowercase();
    let words: Vec<&str> = want.split_whitespace().collect();
    let mut found: Vec<(u8, Channel)> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut partial = false;
    for own in [true, false] {
        let mut cursor: Option<String> = None;
        for page_number in 0..PAGES {
            let page = if own {
                workspace
                    .api()
                    .own_conversations(
                        "public_channel,private_channel",
                        None,
                        DIRECTORY_PAGE,
                        cursor.as_deref(),
                        false,
                    )
                    .await?
            } else {
                workspace.api().conversations("public_channel", archived, cursor.as_deref()).await?
            };
            cursor = page.next().map(str::to_owned);
            for channel in page.rows {
                let about = format!("{} {} {}", channel.name, channel.topic.value, channel.purpose.value)
                    .to_lowercase();
                let fits =
                    words.iter().all(|word| about.contains(word)) && (archived || !channel.is_archived);
                if fits && call.policy().may_read(&channel) && seen.insert(channel.id.clone()) {
                    let name = channel.name.to_lowercase();
                    let rank = if name == want {
                        0
                    } else if name.starts_with(&want) {
                        1
                    } else if name.contains(&want) {
                        2
                    } else {
                        3
                    };
                    found.push((rank * 2 + u8::from(!own), channel));
                }
            }
            if cursor.is_none() {
                break;
            }
            partial |= page_number + 1 == PAGES;
        }
    }
    found.sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.name.cmp(&right.name)));
    let total = found.len();
    let mut page =
        Page::new(FROM, ("channel", "channels")).note(format!("with \"{}\"", one_line(&args.query)));
    for (_, channel) in found.iter().take(limit(args.limit, 20, 100) as usize) {
        let (row, item) = channel_row(channel, "");
        page.push(row, &item);
    }
    if partial {
        page = page.note("the workspace has more channels than were looked through");
    }
    let empty = total == 0;
    let mut reply = Reply::page(page.total(total));
    if empty {
        reply = reply.line("Names, topics and purposes were looked through. Private channels are seen only by their members; include_archived also looks at archived ones.");
    }
    Ok(reply)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListUserChannels {
    user: Option<String>,
    types: Option<Vec<Kind>>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[serde(alias = "public_channel")]
    Public,
    #[serde(alias = "private_channel")]
    Private,
    #[serde(alias = "im")]
    Dm,
    #[serde(alias = "mpim")]
    GroupDm,
}

impl Kind {
    fn wire(self) -> &'static str {
        match self {
            Self::Public => "public_channel",
            Self::Private => "private_channel",
            Self::Dm => "im",
            Self::GroupDm => "mpim",
        }
    }
}

async fn list_user_channels(call: Call<Slack>, args: ListUserChannels) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let user = match args.user.as_deref().filter(|user| !user.trim().is_empty()) {
        Some(user) => Some(workspace.names().person(user).await?),
        None => None,
    };
    let types = match args.types.filter(|types| !types.is_empty()) {
        Some(types) => types.into_iter().map(Kind::wire).collect::<Vec<_>>().join(","),
        None if user.is_some() => "public_channel,private_channel".to_owned(),
        None => ALL_TYPES.to_owned(),
    };
    let first = position.first(limit(args.limit, 50, 200), DIRECTORY_PAGE);
    let found = workspace
        .api()
        .own_conversations(
            &types,
            user.as_ref().map(|user| user.id.as_str()),
            first,
            position.after.as_deref(),
            false,
        )
        .await?;
    let next = found.next().map(str::to_owned);
    let read = found.rows.len().saturating_sub(position.skip);
    let channels: Vec<Channel> = found.rows.into_iter().skip(position.skip).collect();
    let others: BTreeSet<String> =
        channels.iter().filter(|channel| channel.is_im).map(|channel| channel.user.clone()).collect();
    let people = workspace.names().people(others).await;
    let whose =
        user.as_ref().map_or_else(|| "yours".to_owned(), |user| format!("of @{}", one_line(user.handle())));
    let mut page = Page::new(FROM, ("conversation", "conversations")).note(whose);
    let mut places = Vec::new();
    for (place, channel) in channels.iter().enumerate().filter(|(_, channel)| call.policy().may_read(channel))
    {
        let (row, item) = channel_row(channel, people.name(&channel.user));
        page.push(row, &item);
        places.push(place);
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage { position, read, places, next })))
}

/// Somebody in a listing.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Person {
    id: String,
    handle: String,
    name: String,
    title: String,
    email: String,
    bot: bool,
    active: bool,
}

pub(super) fn person_row(user: &User, own_team: &str) -> (String, Person) {
    let mut row = format!("{} @{} {}", user.id, one_line(user.handle()), one_line(user.full_name()));
    for part in [&user.profile.title, &user.profile.email] {
        if !part.trim().is_empty() {
            row.push_str(&format!(", {}", one_line(part)));
        }
    }
    let foreign = label(user, own_team).contains("[ext");
    for (is, word) in [
        (user.is_bot, "app"),
        (user.is_admin, "admin"),
        (user.is_restricted, "guest"),
        (user.deleted, "deactivated"),
        (foreign, "of another organization"),
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
    let team = workspace.names().me().await.map(|me| me.team_id).unwrap_or_default();
    let users: Vec<(String, Option<User>)> = stream::iter(ids)
        .map(|id| {
            let api = workspace.api().clone();
            async move {
                let user = api.user(&id).await.ok();
                (id, user)
            }
        })
        .buffered(8)
        .collect()
        .await;
    let mut page = Page::new(FROM, ("member", "members"))
        .note(format!("of {}", workspace.names().title(&channel).await));
    if let Some(total) = channel.num_members {
        page = page.total(usize::try_from(total).unwrap_or_default());
    }
    for (id, user) in &users {
        let (row, person) = match user {
            Some(user) => person_row(user, &team),
            None => (
                format!("{id} (Slack gave no name)"),
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
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, read, next))))
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
    let team = workspace.names().me().await.map(|me| me.team_id).unwrap_or_default();
    let mut page = Page::new(FROM, ("person", "people")).note(format!("with \"{}\"", one_line(&args.query)));
    if want.contains('@')
        && let Ok(user) = workspace.api().user_by_email(&want).await
    {
        let (row, person) = person_row(&user, &team);
        page.push(row, &person);
        return Ok(Reply::page(page));
    }
    let words: Vec<&str> = want.split_whitespace().collect();
    let mut found: Vec<User> = Vec::new();
    let mut cursor: Option<String> = None;
    let mut looked = 0;
    for _ in 0..PAGES {
        let users = workspace.api().users(cursor.as_deref()).await?;
        cursor = users.next().map(str::to_owned);
        looked += users.rows.len();
        found.extend(users.rows.into_iter().filter(|user| {
            let about = [
                &user.name,
                &user.profile.display_name,
                user.full_name(),
                &user.profile.title,
                &user.profile.email,
            ]
            .map(str::to_lowercase)
            .join(" ");
            (args.include_deactivated.unwrap_or(false) || !user.deleted)
                && words.iter().all(|word| about.contains(word))
        }));
        if cursor.is_none() {
            break;
        }
    }
    found.sort_by_key(|user| {
        (user.is_bot, !user.handle().to_lowercase().starts_with(&want), user.handle().to_lowercase())
    });
    let total = found.len();
    for user in found.iter().take(limit(args.limit, 20, 100) as usize) {
        let (row, person) = person_row(user, &team);
        page.push(row, &person);
    }
    if cursor.is_some() {
        page =
            page.note(format!("among the first {looked} of the workspace; an e-mail address finds anybody"));
    }
    Ok(Reply::page(page.total(total)))
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
    let user = workspace.names().person(wanted).await?;
    let team = workspace.names().me().await.map(|me| me.team_id).unwrap_or_default();
    let presence: Presence = workspace
        .api()
        .call(methods::USERS_PRESENCE, Form::new().set("user", &user.id))
        .await
        .unwrap_or_default();
    let (row, person) = person_row(&user, &team);
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

async fn list_usergroups(call: Call<Slack>, args: ListUsergroups) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let groups: Vec<Group> = match args.group.as_deref().filter(|group| !group.trim().is_empty()) {
        Some(group) => vec![workspace.names().group(group).await?],
        None => workspace.api().groups().await?,
    };
    let one = args.group.is_some();
    let ids: BTreeSet<String> =
        groups.iter().flat_map(|group| group.users.iter().take(if one { 40 } else { 8 }).cloned()).collect();
    let people = workspace.names().people(ids).await;
    let mut page = Page::new(FROM, ("user group", "user groups"));
    for group in &groups {
        let shown = if one { 200 } else { 8 };
        let members: Vec<String> =
            group.users.iter().take(shown).map(|id| format!("@{}", one_line(people.name(id)))).collect();
        let count = group.user_count.unwrap_or(group.users.len() as u64);
        let more = if group.users.len() > shown { ", …" } else { "" };
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
    Ok(Reply::page(page.note(people.note())))
}
