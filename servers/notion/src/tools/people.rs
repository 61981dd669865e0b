//! Who is in the workspace.

use connector::{
    Result,
    catalog::{Call, Page, Reply, Tool, limit, names, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::{Notion, render, resolve};

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "list_users",
            "List people",
            "Lists people and bots of the workspace, by part of a name or e-mail address.",
            list_users,
        )
        .aliases(&[("name", "query"), ("email", "query")])
        .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListUsers {
    query: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    name: String,
    email: String,
    kind: String,
}

async fn list_users(call: Call<Notion>, arguments: ListUsers) -> Result<Reply> {
    let ListUsers { query, limit: asked, cursor } = arguments;
    let from: usize = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let query = query.unwrap_or_default();
    let wanted = names::fold(query.trim());
    let id = resolve::id_of(&query);
    let mut page = Page::new(FROM, ("user", "users")).note("id | name | e-mail");
    let mut all = call.everybody().await?;
    all.retain(|user| {
        [user.name.as_str(), user.email()].iter().any(|name| names::fold(name).contains(&wanted))
            || id.as_ref() == Some(&user.id)
    });
    let most = limit(asked, 100, 100) as usize;
    let more = all.len() > from + most;
    for user in all.iter().skip(from).take(most) {
        let row = Row {
            id: render::bare(&user.id),
            name: one_line(&user.name),
            email: user.email().to_owned(),
            kind: user.kind.clone(),
        };
        let email = if row.email.is_empty() { row.kind.as_str() } else { row.email.as_str() };
        page.push(format!("{} | {} | {email}", row.id, row.name), &row);
    }
    let seal = call.clone();
    Ok(Reply::page(page.cursor(more, move |kept| seal.seal_cursor(&(from + kept)))))
}
