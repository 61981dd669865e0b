//! Where: channels found, and the conversations that somebody is in.

use std::collections::BTreeSet;

use connector::{
    Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit,
        names::fold,
        one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::{
    Slack,
    api::{DIRECTORY_PAGE, types::Channel},
    resolve::ALL_TYPES,
    scopes,
};

/// The most pages of a directory that one search reads.
const PAGES: usize = 10;
/// The rank of what Slack's search found alone: after all that has the words.
const OTHERS: u8 = u8::MAX;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "search_channels",
            "Find channels",
            "Channels by a part of name, topic or purpose: your own first, then other public ones. No messages: search finds those.",
            search_channels,
        )
        .toolset("reading")
        .scopes(scopes::CHANNELS)
        .aliases(&[("name", "query")])
        .output_page::<ChannelItem>(),
        Tool::read(
            "list_user_channels",
            "List my conversations",
            "The conversations that you, or another user, are in, with their kinds.",
            list_user_channels,
        )
        .toolset("reading")
        .scopes(scopes::CHANNELS)
        .aliases(&[("user_id", "user")])
        .output_page::<ChannelItem>(),
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
    if channel.is_org_shared {
        row.push_str(" (of several workspaces)");
    }
    if channel.is_archived {
        row.push_str(" (archived)");
    }
    if let Some(canvas) = channel.canvas() {
        row.push_str(&format!(" (canvas 📎{canvas})"));
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
    types: Option<Vec<Seen>>,
    /// Only those that you are in
    member_only: Option<bool>,
    include_archived: Option<bool>,
    limit: Option<u32>,
    workspace: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Seen {
    #[serde(alias = "public_channel")]
    Public,
    #[serde(alias = "private_channel")]
    Private,
}

async fn search_channels(call: Call<Slack>, args: SearchChannels) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let types =
        args.types.filter(|types| !types.is_empty()).unwrap_or_else(|| vec![Seen::Public, Seen::Private]);
    let wire =
        types.iter().map(|seen| if *seen == Seen::Public { "public_channel" } else { "private_channel" });
    let own_types = wire.collect::<Vec<_>>().join(",");
    // Private channels are seen by their members alone.
    let others = types.contains(&Seen::Public) && args.member_only != Some(true);
    let archived = args.include_archived.unwrap_or(false);
    let want = args.query.trim().trim_start_matches('#').to_lowercase();
    let words: Vec<&str> = want.split_whitespace().collect();
    let mut found: Vec<(u8, Channel)> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut partial = false;
    let mut failure = None;
    let whose: &[bool] = if others { &[true, false] } else { &[true] };
    for &own in whose {
        let mut cursor: Option<String> = None;
        for page_number in 0..PAGES {
            let (api, after) = (workspace.api(), cursor.as_deref());
            let page = if own {
                api.own_conversations(&own_types, None, DIRECTORY_PAGE, after, false).await
            } else {
                api.conversations("public_channel", archived, after).await
            };
            let page = match page {
                // What was found before is worth having.
                Err(error) if !found.is_empty() => {
                    failure = Some(error.for_agent());
                    break;
                }
                page => page?,
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
    if partial && others {
        // Slack's own search knows those that were not looked through.
        for channel in workspace.search_api().channels(&want).await.unwrap_or_default() {
            let fits = (archived || !channel.is_archived) && call.policy().may_read(&channel);
            if fits && seen.insert(channel.id.clone()) {
                found.push((OTHERS, channel));
            }
        }
    }
    found.sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.name.cmp(&right.name)));
    let total = found.len();
    let mut page =
        Page::new(FROM, ("channel", "channels")).note(format!("with \"{}\"", one_line(&args.query)));
    for (_, channel) in found.iter().take(limit(args.limit, 20, 100) as usize) {
        let (mut row, item) = channel_row(channel, "");
        // What was found by its purpose shows it.
        let purpose = one_line(&channel.purpose.value);
        let shown = row.to_lowercase();
        if words.iter().any(|word| !shown.contains(word)) && !purpose.is_empty() {
            row.push_str(&format!("; purpose: {}", purpose.chars().take(100).collect::<String>()));
        }
        page.push(row, &item);
    }
    if partial {
        page = page.note(if others {
            "the workspace has more channels than were searched: of those, what Slack's search finds"
        } else {
            "you are in more channels than were searched"
        });
    }
    if !others {
        page = page.note("of those that you are in");
    }
    let empty = total == 0;
    let whole = failure.is_none() && !partial;
    let mut reply = Reply::page(if whole { page.total(total) } else { page.note(format!("{total} found")) });
    if let Some(why) = failure {
        reply = reply.line(format!("Not all channels were searched: {why}"));
    }
    if empty {
        reply = reply.line(if others {
            "Names, topics and purposes were searched. Private channels are seen only by their members; include_archived also looks at archived ones."
        } else {
            "Names, topics and purposes of the channels that you are in were searched; include_archived also looks at archived ones."
        });
    }
    Ok(reply)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListUserChannels {
    user: Option<String>,
    types: Option<Vec<Kind>>,
    name_prefix: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
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
    /// The types that Slack lists, of these kinds.
    pub(super) fn types(kinds: Vec<Self>) -> String {
        kinds.into_iter().map(Self::wire).collect::<Vec<_>>().join(",")
    }

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
        Some(types) => Kind::types(types),
        None if user.is_some() => "public_channel,private_channel".to_owned(),
        None => ALL_TYPES.to_owned(),
    };
    let prefix = args.name_prefix.as_deref().map(|prefix| fold(prefix.trim().trim_start_matches('#')));
    let prefix = prefix.filter(|prefix| !prefix.is_empty());
    let most = if prefix.is_some() { DIRECTORY_PAGE } else { 200 };
    // What is chosen by name is chosen from a page as large as there is.
    let asked = if prefix.is_some() { Some(DIRECTORY_PAGE) } else { args.limit };
    let first = position.first(limit(asked, 50, most), DIRECTORY_PAGE);
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
    let whose = user.as_ref().map_or_else(
        || "yours".to_owned(),
        |user| format!("of @{}, as far as you see them", one_line(user.handle())),
    );
    let mut page = Page::new(FROM, ("conversation", "conversations")).note(whose);
    page = page
        .note(prefix.as_ref().map(|prefix| format!("of names that begin with {prefix}")).unwrap_or_default());
    let named =
        |channel: &Channel| prefix.as_ref().is_none_or(|prefix| fold(&channel.name).starts_with(prefix));
    let mut places = Vec::new();
    for (place, channel) in
        channels.iter().enumerate().filter(|(_, channel)| call.policy().may_read(channel) && named(channel))
    {
        let (row, item) = channel_row(channel, people.name(&channel.user));
        page.push(row, &item);
        places.push(place);
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage { position, read, places, next })))
}
