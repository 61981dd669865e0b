//! What resources and prompts are made of: the answers of the tools themselves, so that nothing is
//! worded twice, and listings of issues by filters that no tool needs.

use std::sync::{Arc, LazyLock};

use connector::{
    Connector as _, Error, Result,
    access::Policy,
    catalog::{Answer, Call, Caller, Catalog, Confirmations, Page, Reply, ReplyOptions, Silent},
};
use serde_json::{Value, json};

use crate::{
    Linear,
    api::issues::Listing,
    render::{self, Field},
    tools::FROM,
};

/// Bytes of one section of a prompt.
const SECTION_BYTES: usize = 7 * 1024;

/// The catalog that sections are made with, whatever a configuration offers to clients: reading a
/// resource is no call of a tool.
static CATALOG: LazyLock<Catalog<Linear>> = LazyLock::new(Linear::catalog);

/// What the reading tool `name` answers.
///
/// # Errors
/// Whatever the tool gives.
pub(crate) async fn tool(call: &Call<Linear>, name: &str, arguments: Value) -> Result<Reply> {
    let tool = CATALOG
        .tool(name)
        .filter(|tool| !tool.effect().writes())
        .ok_or_else(|| Error::internal(format!("there is no reading tool {name}")))?;
    let Value::Object(arguments) = arguments else {
        return Err(Error::internal(format!("the arguments of {name} are no object")));
    };
    let caller = Caller {
        principal: call.principal().clone(),
        policy: &Policy::new(true, false),
        confirmations: &Confirmations::default(),
        confirmed: false,
        progress: Arc::new(Silent),
    };
    match CATALOG.call(tool, call.server(), caller, arguments).await? {
        Answer::Reply(reply) => Ok(reply),
        Answer::Question(_) => Err(Error::internal(format!("{name} asked instead of reading"))),
    }
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

/// A prompt in the making: what to do, then what there is to do it with.
#[derive(Debug)]
pub(crate) struct Briefing {
    reply: Reply,
}

impl Briefing {
    /// Begins with what to do, a line each.
    pub(crate) fn new(task: &[&str]) -> Self {
        let mut lines = task.iter();
        let mut reply = Reply::new(lines.next().copied().unwrap_or_default());
        for line in lines {
            reply = reply.line(*line);
        }
        Self { reply }
    }

    /// Adds a section. One that could not be read says so, and does not take the others with it.
    #[must_use]
    pub(crate) fn section(mut self, title: &str, content: Result<Reply>) -> Self {
        self.reply = self.reply.line(format!("\n## {title}"));
        let options = ReplyOptions { budget: SECTION_BYTES, structured: false };
        self.reply = match content {
            Ok(content) => self.reply.line(content.render(&options).text),
            Err(error) => self.reply.line(format!("Could not be read: {}", error.for_agent())),
        };
        self
    }

    /// The prompt's text.
    pub(crate) fn finish(self) -> Reply {
        self.reply
    }
}
