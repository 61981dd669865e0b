//! Messages that one person alone sees. Opt-in.

use connector::{
    Error, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::messages::prepare;
use crate::{
    Slack,
    api::{Form, methods},
    resolve::Destination,
    scopes,
};

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::write(
            "send_ephemeral",
            "Show to one person",
            "Shows a message in a channel to one person alone, until they reload.",
            send,
        )
        .opt_in("ephemeral")
        .scopes(scopes::POST)
        .confirmable()
        .aliases(&[("channel_id", "channel"), ("text", "message")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Send {
    channel: String,
    user: String,
    message: String,
    workspace: Option<String>,
}

async fn send(call: Call<Slack>, args: Send) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let user = workspace.names().present(&args.user).await?;
    let post = prepare(&call, &workspace, Some(&args.channel), &[], None, Some(&args.message)).await?;
    let (Destination::Known(channel), [text]) = (post.destination.clone(), post.composed.posts.as_slice())
    else {
        return Err(Error::invalid(
            "This takes a conversation that exists, and a text that fits one message",
        ));
    };
    let text = text.clone();
    let words =
        format!("to @{} ({}) alone, in {}", one_line(user.handle()), one_line(user.full_name()), post.title);
    let preview =
        post.preview(format!("Show a message {words}")).outside("message", None, args.message.trim());
    let (asks, state) = (!post.asks.is_empty(), post.state());
    let plan = Plan::new(preview, move || async move {
        let form = Form::new().set("channel", &channel.id).set("user", &user.id).set("markdown_text", &text);
        let _: Value = workspace
            .api()
            .write(methods::POST_EPHEMERAL, form, "Only that person can tell".to_owned(), &[])
            .await?;
        Ok(Reply::written(post.done(format!("Shown {words}"))))
    });
    let plan = plan.state(&state).once();
    Ok(if asks { plan.ask() } else { plan })
}
