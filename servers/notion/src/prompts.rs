//! Prompts, which a person starts by name.

use connector::{
    Result,
    catalog::{Call, Prompt, PromptArgument, PromptBuilder, Reply, Variables},
};
use serde_json::json;

use crate::Notion;

const PAGE: PromptArgument = PromptArgument::required("page", "The page's id or address");
const DATABASE: PromptArgument = PromptArgument::required("database", "The table's name, id or address");

/// Every prompt.
pub(crate) fn all() -> Vec<Prompt<Notion>> {
    vec![
        Prompt::new(
            "summarize_page",
            "Summarize a page",
            "A page in a few sentences, with what is open.",
            &[PAGE],
            |call: Call<Notion>, given: Variables| async move {
                let page = page(&call, &given).await;
                Ok(PromptBuilder::new(&["Summarize this page in five sentences at most: what it is for, what was decided, what is still open, and who does it."])
                .section("The page", page)
                .finish())
            },
        ),
        Prompt::new(
            "meeting_to_tasks",
            "Tasks from a meeting",
            "Rows for a table from a meeting's notes.",
            &[PAGE, DATABASE],
            |call: Call<Notion>, given: Variables| async move {
                let notes = page(&call, &given).await;
                let table = call.tool("get_database", json!({"database": given.text("database")})).await;
                Ok(PromptBuilder::new(&[
                    "Find every action in these notes. Propose one row for each, by the table's columns, with an owner and a date where the notes say so.",
                    "Show the rows first; create them with create_pages when the user agrees.",
                ])
                .section("The notes", notes)
                .section("The table", table)
                .finish())
            },
        ),
        Prompt::new(
            "weekly_review",
            "Weekly review",
            "What changed in a table this week, and what is due.",
            &[DATABASE],
            |call: Call<Notion>, given: Variables| async move {
                let database = given.text("database");
                let changed = call.tool(
                "query_database",
                json!({"database": database, "where": {"last_edited_time": "past_week"}, "sort": ["-last_edited_time"], "limit": 50}),
            )
            .await;
                let table = call.tool("get_database", json!({"database": database})).await;
                Ok(PromptBuilder::new(&["Write a review of the week from this table: what was finished, what moved, what is due next, what stands still. Name rows by their titles."])
                .section("Changed this week", changed)
                .section("The table", table)
                .finish())
            },
        ),
    ]
}

async fn page(call: &Call<Notion>, given: &Variables) -> Result<Reply> {
    call.tool("get_page", json!({"id": given.text("page")})).await
}
