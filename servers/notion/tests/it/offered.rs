//! What is offered besides tools: resources, prompts, completions.

use connector::testing::Sandboxed;
use notion_mcp::Notion;

use crate::support::{POST_MORTEM, TASKS};

type Server = Sandboxed<Notion>;

const VIEW: &str = "f1e30000000040008000000000000002";

#[tokio::test(start_paused = true)]
async fn every_resource_shows_what_its_name_says() {
    let server = Server::start().await;
    for (address, said) in [
        ("notion://recent".to_owned(), "edited last"),
        ("notion://docs/markdown".to_owned(), "<callout icon=\"💡\" color=\"blue_bg\">"),
        (format!("notion://page/{POST_MORTEM}"), "hash "),
        (format!("notion://page/{POST_MORTEM}/outline"), "id | type | text"),
        (format!("notion://view/{VIEW}"), "The view's own: "),
        (format!("notion://database/{TASKS}/schema"), "Status"),
        (format!("notion://comments/{POST_MORTEM}"), "blocks looked at"),
    ] {
        let text = server.read(&address).await;
        assert!(text.contains(said), "{address}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_prompt_brings_along_what_its_task_needs() {
    let server = Server::start().await;
    for (name, arguments, asked, brought) in [
        ("summarize_page", vec![("page", POST_MORTEM)], "five sentences at most", "hash "),
        (
            "meeting_to_tasks",
            vec![("page", POST_MORTEM), ("database", "Tasks")],
            "Find every action",
            "Status",
        ),
        ("weekly_review", vec![("database", "Tasks")], "Write a review of the week", "Changed this week"),
        (
            "draft_page_from_template",
            vec![("database", "Tasks"), ("template", "Sprint")],
            "by its template `Sprint`",
            "Sprint",
        ),
        (
            "clean_up_database",
            vec![("database", "Tasks")],
            "Look for what is wrong",
            "the longest untouched first",
        ),
    ] {
        let text = server.prompt(name, &arguments).await;
        assert!(text.contains(asked) && text.contains(brought), "{name}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn tables_and_templates_are_completed_by_name() {
    let server = Server::start().await;
    assert!(server.complete("database", "Ta", &[]).await.contains(&"Tasks".to_owned()));
    assert!(
        server.complete("template", "Spr", &[("database", "Tasks")]).await.contains(&"Sprint".to_owned())
    );
    assert!(server.complete("template", "Spr", &[]).await.is_empty(), "of no table");
}
