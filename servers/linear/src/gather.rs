//! What resources and prompts are made of: the answers of the tools themselves, so that nothing is
//! worded twice, and listings of issues by filters that no tool needs.

use std::sync::LazyLock;

use connector::{
    Connector as _, Result,
    catalog::{Call, Catalog, Page, Reply},
};
use serde_json::{Value, json};

use crate::{
    Linear,
    api::issues::Listing,
    render::{self, Field},
    tools::FROM,
};

/// The catalog that sections are made with, whatever a configuration offers to clients: reading a
/// resource is no call of a tool.
static CATALOG: LazyLock<Catalog<Linear>> = LazyLock::new(Linear::catalog);

/// What the reading tool `name` answers.
///
/// # Errors
/// Whatever the tool gives.
pub(crate) async fn tool(call: &Call<Linear>, name: &str, arguments: Value) -> Result<Reply> {
    CATALOG.read_with(call, name, arguments).await
}

/// What the listing tool `name` answers, with a word on which call its cursor belongs to.
///
/// # Errors
/// Whatever the tool gives.
pub(crate) async fn listing(call: &Call<Linear>, name: &str, arguments: Value) -> Result<Reply> {
    CATALOG.list_with(call, name, arguments).await
}

/// The issues that an `IssueFilter` finds, at most `first`, the one changed last first.
///
/// # Errors
/// Whatever Linear gives.
pub(crate) async fn issues(
    call: &Call<Linear>,
    filter: Value,
    first: u32,
    fields: &[Field],
) -> Result<Reply> {
    let listing = Listing {
        view: None,
        filter,
        first,
        after: None,
        order_by: Some("updatedAt"),
        sort: None,
        archived: false,
    };
    let answer = call.api().list_issues(&listing).await?;
    let failed = answer.notes();
    let mut page = Page::new(FROM, ("issue", "issues"));
    for issue in &answer.data.nodes {
        page.push(render::issue_row(issue, fields), &json!({"id": issue.identifier}));
    }
    if answer.data.page_info.has_next_page {
        page = page.note("the first of more");
    }
    Ok(failed.into_iter().fold(Reply::page(page), Reply::lead))
}
