//! Whose credential it is.

use connector::{
    Result,
    catalog::{Call, Reply, Tool, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "whoami",
            "Who am I",
            "Whose token or app this is, what it may do, the rate limits left and the repositories within reach.",
            whoami,
        )
        .toolset("context")
        .output::<Identity>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whoami {}

#[derive(Debug, Serialize, JsonSchema)]
struct Identity {
    login: String,
}

async fn whoami(call: Call<GitHub>, _arguments: Whoami) -> Result<Reply> {
    let viewer = call.api().viewer().await?;
    let login = one_line(&viewer.login);
    let sandbox =
        if call.is_sandbox() { " in the sandbox: a fake GitHub, nothing in it is real" } else { "" };
    Ok(Reply::new(format!("@{login}{sandbox}.")).data(&Identity { login: viewer.login }))
}
