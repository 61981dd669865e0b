//! Writing where people talk. A post that may have been done is looked for by the mark it carries and never
//! sent twice.

use std::{collections::BTreeSet, time::Duration};

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, excerpt, minute_in, one_line, reconcile::Attempt},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    Readers, audience,
    compose::{Composed, compose},
    read::{explain, heading, in_thread, permalink},
};
use crate::{
    Slack,
    api::{
        Form, Window,
        types::{Channel, Identity, Message, User},
    },
    render::message::{author, said},
    resolve::{
        Destination, Names, reference,
        time::{self, bound, now, zone_name},
    },
    scopes,
    workspace::Workspace,
};

/// The kind of metadata that marks a post of this server's.
const MARK: &str = "mcp_message";
/// How long after a lost answer the post is looked for, and again.
const LOOKS: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(2), Duration::from_secs(5)];
/// Characters of the message that is answered.
const QUOTED: usize = 300;
/// The most people that one message goes to.
const RECIPIENTS: usize = 8;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::write(
            "send_message",
            "Send a message",
            "Posts Markdown to a channel, a person (@handle) or several `users` in a group DM; `ts` replies in that message's thread. @handle, @group and #channel become mentions.",
            send_message,
        )
        .toolset("messages")
        .scopes(scopes::POST)
        .confirmable()
        .aliases(&[("channel_id", "channel"), ("text", "message"), ("thread_ts", "ts"), ("message_ts", "ts"), ("user", "users")])
        .verbatim(&["ts"])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendMessage {
    channel: Option<String>,
    #[serde(default)]
    users: Vec<String>,
    message: String,
    /// Reply in the thread of this message
    ts: Option<String>,
    /// Show the reply in the channel too
    reply_broadcast: Option<bool>,
    /// Show previews of links
    unfurl: Option<bool>,
    workspace: Option<String>,
}

/// A post that is worked out.
pub(super) struct Post {
    pub(super) destination: Destination,
    pub(super) answered: Option<Answered>,
    pub(super) composed: Composed,
    /// Where it goes, in words.
    pub(super) title: String,
    /// Why it asks before it goes out.
    pub(super) asks: Vec<String>,
}

/// The message that a post answers, and the thread that is.
pub(super) struct Answered {
    /// The parent of the thread.
    thread: String,
    ts: String,
    author: String,
    said: String,
    /// How many replies the thread had before this one, and when the last came.
    before: String,
}

impl Post {
    /// The parent of the thread that it goes into.
    pub(super) fn thread(&self) -> Option<&str> {
        self.answered.as_ref().map(|answered| answered.thread.as_str())
    }

    /// What is shown before it goes out: whose words it answers, whom it reaches, and why it asks.
    pub(super) fn preview(&self, summary: String) -> Reply {
        let mut written = self.done(summary);
        if let Destination::Known(Channel { num_members: Some(members), is_im: false, .. }) =
            &self.destination
        {
            written = written.change(format!(
                "{members} {} in it",
                if *members == 1 { "person is" } else { "people are" }
            ));
        }
        for reason in &self.asks {
            written = written.change(format!("asks, because {reason}"));
        }
        let reply = Reply::written(written);
        match &self.answered {
            Some(Answered { ts, author, said, .. }) => {
                reply.outside(format!("message {ts}"), Some(author), said.as_str())
            }
            None => reply,
        }
    }

    /// What is told when it is out.
    pub(super) fn done(&self, summary: String) -> Written {
        let mut written = Written::new(summary);
        if let Some(Answered { author, before, .. }) = &self.answered {
            written = written.change(format!("answers {author}; {before}"));
        }
        for line in self.composed.lines() {
            written = written.change(line);
        }
        written
    }

    /// What a confirmation of it is good for: this place and these words, as they are sent.
    pub(super) fn state(&self) -> (Vec<String>, Option<String>, Vec<String>) {
        let place = match &self.destination {
            Destination::Known(channel) => vec![channel.id.clone()],
            Destination::New(users) => users.iter().map(|user| user.id.clone()).collect(),
        };
        (place, self.thread().map(str::to_owned), self.composed.posts.clone())
    }
}

/// Works out where a text, or a file without one, goes, and whom it reaches.
pub(super) async fn prepare(
    call: &Call<Slack>,
    workspace: &Workspace,
    channel: Option<&str>,
    users: &[String],
    ts: Option<&str>,
    text: Option<&str>,
) -> Result<Post> {
    let given = |word: Option<&str>| word.map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
    let (channel, ts) = (given(channel), given(ts));
    let stamp = ts.as_deref().map(reference::ts).transpose()?;
    let names = workspace.names();
    let destination = match (&channel, users) {
        (Some(_), [_, ..]) => return Err(Error::invalid("Give `channel` or `users`, not both")),
        (Some(channel), []) => names.destination(channel).await?,
        (None, []) => match &ts {
            Some(address) if reference::address(address).is_some() => {
                Destination::Known(names.channel(address).await?)
            }
            _ => {
                return Err(
                    Error::invalid("`channel` is missing").with_hint("Give #channel, @handle, or `users`")
                );
            }
        },
        (None, [one]) => names.destination(&format!("@{}", one.trim().trim_start_matches('@'))).await?,
        (None, many) if many.len() > RECIPIENTS => {
            return Err(Error::invalid(format!(
                "A group conversation has at most {RECIPIENTS} people besides you"
            ))
            .with_hint("Use a channel"));
        }
        (None, many) if many.len() as u64 > call.policy().max_recipients => {
            let most = call.policy().max_recipients;
            return Err(Error::new(
                Kind::Policy,
                format!("One message goes to at most {most} people here; nothing was sent"),
            )
            .with_hint("The operator sets SLACK_MAX_RECIPIENTS"));
        }
        (None, many) => {
            let mut people: Vec<User> = Vec::new();
            for one in many {
                people.push(names.present(one).await?);
            }
            Destination::New(people)
        }
    };
    let policy = call.policy();
    let mut asks = Vec::new();
    let title = match &destination {
        Destination::Known(channel) => {
            policy.writes(channel)?;
            if channel.is_archived {
                return Err(Error::new(
                    Kind::Permission,
                    format!("{} is archived", names.title(channel).await),
                )
                .with_hint("Nothing was sent. Choose another channel"));
            }
            asks.extend(audience::asks(call, workspace, channel, &[]).await);
            heading(&names.title(channel).await, channel)
        }
        Destination::New(users) => {
            let to_be = names.to_begin(users).await?;
            policy.writes(&to_be)?;
            asks.extend(audience::asks(call, workspace, &to_be, users).await);
            let people: Vec<String> = users
                .iter()
                .map(|user| format!("@{} ({})", one_line(user.handle()), one_line(user.full_name())))
                .collect();
            format!("the direct messages with {}", people.join(", "))
        }
    };
    if policy.confirm_posts {
        asks.push("this server asks before every message".to_owned());
    }
    let answered = match (&destination, stamp) {
        (Destination::Known(channel), Some(ts)) => {
            let answered = answered(workspace, channel, &ts).await?;
            policy.note_read(call.principal(), channel);
            Some(answered)
        }
        (Destination::New(_), Some(_)) => {
            return Err(Error::invalid("`ts` names a message, and a new conversation has none"));
        }
        (_, None) => None,
    };
    let mut composed = match text {
        Some(text) => compose(workspace, policy, text, None).await?,
        None => Composed::default(),
    };
    audience::told(workspace, &destination, &mut composed).await;
    if let Some(others) = namesakes(names, channel.as_deref(), users, &destination).await {
        composed.told.push(format!("not to {others}, who is called that too"));
        asks.push(format!("{others} may be meant as well"));
    }
    asks.extend(composed.asks.iter().cloned());
    Ok(Post { destination, answered, composed, title, asks })
}

/// Who else is called as the one person is whom a text goes to.
async fn namesakes(
    names: &Names,
    channel: Option<&str>,
    users: &[String],
    destination: &Destination,
) -> Option<String> {
    let one = if let [one] = users { Some(one.as_str()) } else { None };
    let word = channel.filter(|word| word.starts_with('@')).or(one)?;
    let user = match destination {
        Destination::Known(channel) if channel.is_im => names.person(&channel.user).await.ok()?,
        Destination::New(users) => users.first()?.clone(),
        Destination::Known(_) => return None,
    };
    let others = names.namesakes(word, &user).await;
    let others: Vec<String> = others.iter().map(User::told).collect();
    (!others.is_empty()).then(|| others.join(" or "))
}

/// The message `ts` that is answered, and the parent of its thread. A reply's own timestamp would make a thread
/// that nobody sees (docs.slack.dev/reference/methods/chat.postMessage: use its parent instead).
async fn answered(workspace: &Workspace, channel: &Channel, ts: &str) -> Result<Answered> {
    let missing = |error: Error| match error.kind() {
        Kind::NotFound => {
            Error::not_found(format!("There is no message {ts} in this conversation to reply to"))
                .with_hint("Nothing was sent. Take the ts exactly as a reading tool gave it, as text")
        }
        _ => error,
    };
    let message = in_thread(workspace, channel, ts).await.map_err(missing)?;
    let parent = match message.parent() {
        Some(parent) => in_thread(workspace, channel, parent).await?,
        None => message.clone(),
    };
    let readers = Readers::of(workspace, [&message], BTreeSet::new()).await;
    let last = parent.latest_reply.as_deref().and_then(time::parse_ts);
    let last =
        last.map(|at| format!(", the last {} {}", minute_in(at, &readers.zone), zone_name(&readers.zone)));
    let before = match parent.reply_count.unwrap_or_default() {
        0 => "the first reply there".to_owned(),
        count => {
            let replies = if count == 1 { "reply" } else { "replies" };
            format!("the thread has {count} {replies} already{}", last.unwrap_or_default())
        }
    };
    let (said, more) = excerpt(&said(&message, &readers.people), 0, QUOTED);
    Ok(Answered {
        thread: parent.ts,
        author: author(&message, &readers.people, &readers.me),
        said: format!("{said}{}", if more.is_some() { "…" } else { "" }),
        ts: message.ts,
        before,
    })
}

async fn send_message(call: Call<Slack>, args: SendMessage) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let post = prepare(
        &call,
        &workspace,
        args.channel.as_deref(),
        &args.users,
        args.ts.as_deref(),
        Some(&args.message),
    )
    .await?;
    if args.reply_broadcast == Some(true) && post.answered.is_none() {
        return Err(Error::invalid(
            "`reply_broadcast` shows a reply in the channel too, and this is no reply",
        )
        .with_hint("Give `ts`, or leave it out"));
    }
    if args.unfurl == Some(true) {
        call.policy().unfurls(&args.message, "", "Leave `unfurl` out")?;
    }
    let too = if args.reply_broadcast == Some(true) { ", shown in the channel too" } else { "" };
    let place = match post.thread() {
        Some(thread) => format!("in the thread {thread} of {}{too}", post.title),
        None => format!("to {}", post.title),
    };
    let preview = post.preview(format!("Post {place}")).outside("message", None, args.message.trim());
    let asks = !post.asks.is_empty();
    let (broadcast, unfurl) = (args.reply_broadcast == Some(true), args.unfurl == Some(true));
    let state = post.state();
    let plan = Plan::new(preview, move || async move {
        let channel = match &post.destination {
            Destination::Known(channel) => channel.clone(),
            Destination::New(users) => workspace.names().open(users).await?,
        };
        let me = workspace.names().me().await?;
        let mut thread = post.thread().map(str::to_owned);
        let mut first: Option<(String, bool)> = None;
        for (number, text) in post.composed.posts.iter().enumerate() {
            let sent =
                send(&workspace, &channel, &me, text, thread.as_deref(), broadcast && number == 0, unfurl)
                    .await;
            match (sent, &first) {
                (Ok(sent), None) => {
                    thread.get_or_insert_with(|| sent.0.clone());
                    first = Some(sent);
                }
                (Ok(_), Some(_)) => {}
                (Err(error), None) => return Err(explain(error, &channel)),
                (Err(error), Some((ts, _))) => {
                    let next = if error.kind() == Kind::UnknownOutcome {
                        let next = number + 1;
                        format!("Read the thread {ts}: post {next} may be there. Send there what is not")
                    } else {
                        "Send the rest as replies in that thread".to_owned()
                    };
                    return Err(Error::new(
                        error.kind(),
                        format!(
                            "{number} of {} posts were sent, the first at ts {ts}; then: {}",
                            post.composed.posts.len(),
                            error.message()
                        ),
                    )
                    .with_hint(next));
                }
            }
        }
        let (ts, looked_for) = first.unwrap_or_default();
        let mut written = post.done(format!("Posted {place}: ts {ts}")).id(&ts);
        if looked_for {
            written = written.change("Slack's answer was lost; the message was looked for and is there once");
        }
        written = written.url(permalink(&me.url, &channel.id, &ts, post.thread()));
        Ok(Reply::written(written))
    })
    .state(&state)
    .once();
    Ok(if asks { plan.ask() } else { plan })
}

/// Sends one post; its timestamp, and whether it had to be looked for.
async fn send(
    workspace: &Workspace,
    channel: &Channel,
    me: &Identity,
    text: &str,
    thread: Option<&str>,
    broadcast: bool,
    unfurl: bool,
) -> Result<(String, bool)> {
    #[derive(Deserialize)]
    struct Answer {
        ts: String,
    }
    let mark = Uuid::new_v4().to_string();
    let form = Form::new()
        .set("markdown_text", text)
        .set("unfurl_links", unfurl)
        .set("unfurl_media", unfurl)
        .maybe("thread_ts", thread)
        .maybe("reply_broadcast", broadcast.then_some("true"))
        .json("metadata", &json!({ "event_type": MARK, "event_payload": { "id": mark } }));
    let check =
        format!("Read {} for the message", if channel.name.is_empty() { &channel.id } else { &channel.name });
    let attempt = Attempt::begin(workspace.api().upstream(), "message");
    let sent: Result<Answer> = workspace.api().post(&channel.id, form, check).await;
    let sought = Sought { channel, thread, mark: &mark, author: &me.user_id, text, attempt: &attempt };
    let look = || async {
        for pause in LOOKS {
            sleep(pause).await;
            if let Ok(Some(found)) = sought.look(workspace).await {
                return Some(found);
            }
        }
        None
    };
    attempt.made(sent.map(|answer| answer.ts), Clone::clone, look).await
}

/// A post that may be there, and how it would be known.
struct Sought<'a> {
    channel: &'a Channel,
    thread: Option<&'a str>,
    mark: &'a str,
    author: &'a str,
    text: &'a str,
    attempt: &'a Attempt,
}

impl Sought<'_> {
    /// Looks for it by its mark, or where Slack shows no marks by its author and text, made since, that is
    /// no other call's.
    async fn look(&self, workspace: &Workspace) -> Result<Option<String>> {
        let mut window = Window {
            limit: 200,
            oldest: Some(bound(self.attempt.earliest())),
            latest: Some(bound(now() + jiff::SignedDuration::from_secs(300))),
            metadata: true,
            ..Window::default()
        };
        for _ in 0..5 {
            let page = match self.thread {
                Some(thread) => workspace.api().replies(&self.channel.id, thread, &window).await?,
                None => workspace.api().history(&self.channel.id, &window).await?,
            };
            let marked = page.rows.iter().any(|message| message.metadata.is_some());
            let found: Vec<&Message> =
                page.rows.iter().filter(|message| self.is_it(message, marked)).collect();
            if let [only] = found.as_slice() {
                return Ok(Some(only.ts.clone()));
            }
            window.cursor = page.next().map(str::to_owned);
            if window.cursor.is_none() {
                break;
            }
        }
        Ok(None)
    }

    fn is_it(&self, message: &Message, marked: bool) -> bool {
        if marked {
            let mark = message.metadata.as_ref().map(|metadata| &metadata["event_payload"]["id"]);
            return mark.and_then(Value::as_str) == Some(self.mark);
        }
        let since = time::parse_ts(&message.ts).is_some_and(|at| at >= self.attempt.earliest());
        message.user.as_deref() == Some(self.author)
            && since
            && squeezed(&message.text) == squeezed(self.text)
            && self.attempt.is_free(&message.ts)
    }
}

/// A text without its white space, which is no difference.
pub(super) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
