//! Whose token it is, and what is left of its budget.

use connector::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Template;

pub(super) fn tools() -> Vec<Tool<Template>> {
    let about = "Tells whether the token works and what its budget of requests is.";
    vec![Tool::read("whoami", "Who am I", about, whoami).output::<Account>()]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhoAmI {}

#[derive(Debug, Serialize, JsonSchema)]
struct Account {
    requests_a_minute: u32,
}

async fn whoami(call: Call<Template>, _: WhoAmI) -> Result<Reply> {
    call.api().list_notes("", 1, None).await?;
    let status = call.api().upstream().status();
    let requests_a_minute = status.buckets.first().map_or(0, |budget| budget.limit);
    let mut reply = Reply::new("The token may read notes; the vendor does not tell whose it is.");
    if call.is_sandbox() {
        reply = reply.line("This is the built-in sandbox, not Template itself.");
    }
    let reply = reply.line(format!("Budget: {requests_a_minute} requests a minute."));
    Ok(reply.data(&Account { requests_a_minute }))
}
