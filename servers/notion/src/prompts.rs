//! Prompts, which a person starts by name.

use connector::{
    Result,
    catalog::{Call, Prompt, PromptArgument, PromptBuilder, Reply, Variables, one_line},
};
use serde_json::json;

use crate::Notion;

const PAGE: PromptArgument = PromptArgument::required("page", "The page's id or address");
const TEMPLATE: PromptArgument = PromptArgument::required("template", "The template's name");
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
        Prompt::new(
            "draft_page_from_template",
            "Page from a template",
            "A new row of a table by one of its templates.",
            &[DATABASE, TEMPLATE],
            |call: Call<Notion>, given: Variables| async move {
                let table = call.tool("get_database", json!({"database": given.text("database")})).await;
                let first = format!(
                    "Draft a new row of this table by its template `{}`: ask the user for the title and for the values that its columns need.",
                    one_line(given.text("template"))
                );
                Ok(PromptBuilder::new(&[
                    first.as_str(),
                    "Show the row first; create it with create_pages and `template` when the user agrees. Notion fills the page in by itself, so read it with get_page before adding text with edit_content.",
                ])
                .section("The table", table)
                .finish())
            },
        ),
        Prompt::new(
            "clean_up_database",
            "Clean up a table",
            "Rows without values, twins and options that nobody uses.",
            &[DATABASE],
            |call: Call<Notion>, given: Variables| async move {
                let database = given.text("database");
                let table = call.tool("get_database", json!({"database": database})).await;
                let old = call
                    .tool(
                        "query_database",
                        json!({"database": database, "sort": ["last_edited_time"], "limit": 100}),
                    )
                    .await;
                Ok(PromptBuilder::new(&[
                    "Look for what is wrong in this table: rows without the values that the others have, rows that are there twice, values that mean the same and are written in two ways, options and columns that nothing uses, rows that nobody has touched for long.",
                    "Show what you would change, by title, before you change anything. Change values with update_pages, options and columns with update_schema; put rows into the trash with trash_pages only for those that the user names.",
                ])
                .section("The table", table)
                .section("Its rows, the longest untouched first", old)
                .finish())
            },
        ),
    ]
}

async fn page(call: &Call<Notion>, given: &Variables) -> Result<Reply> {
    call.tool("get_page", json!({"id": given.text("page")})).await
}
