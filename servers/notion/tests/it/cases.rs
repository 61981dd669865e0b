//! What only Notion can get wrong: the cases that its users have met, each with its right answer.

use std::time::Duration;

use connector::testing::{Options, Sample, Sandboxed};
use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
};
use notion_mcp::Notion;
use serde_json::{Value, json};

type Server = Sandboxed<Notion>;

const TASKS: &str = "50ce0000000040008000000000000001";
const RUNBOOK: &str = "9a9e0000000040008000000000000005";
const RUNBOOKS: &str = "9a9e0000000040008000000000000004";
const DESIGN: &str = "9a9e0000000040008000000000000002";

async fn server() -> Server {
    Server::start_with(Options { allow_destructive: true, ..Options::default() }).await
}

fn call(tool: &'static str, arguments: Value) -> Sample {
    Sample::new(tool, arguments)
}

async fn text(server: &Server, tool: &'static str, arguments: Value) -> String {
    server.call(&call(tool, arguments)).await.text
}

/// Makes the fake's limits smaller, so that their ends can be met.
async fn set(server: &Server, settings: Value) {
    connector::tls::install();
    let url = format!("{}_notion/settings", server.harness().url());
    let answer = reqwest::Client::new().post(url).json(&settings).send().await;
    assert!(answer.unwrap().status().is_success());
}

/// The id of the page that a reply tells of.
fn id_in(text: &str) -> String {
    let hex = |word: &&str| word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(hex)
        .unwrap_or_else(|| panic!("no id: {text}"))
        .to_owned()
}

/// N1 and N2, to the end: what Notion would refuse is put right, and said (4ier/notion-cli#22,
/// brittonhayes/notionmd#12).
#[tokio::test(start_paused = true)]
async fn a_page_with_any_fence_and_any_link_is_created_and_the_losses_are_named() {
    let server = server().await;
    let markdown = "```ts\nlet a = `[b](c)`;\n```\n```cobol\nMOVE A\n```\n- [Building](./building.md)\n[ok](https://ok.example)\n![Plan](./plan.png)";
    let page = json!({"title": "Fences", "markdown": markdown});
    let reply = text(&server, "create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await;
    assert!(reply.contains("became plain text: cobol") && reply.contains("1 link kept as text"), "{reply}");
    assert!(reply.contains("1 image kept as text"), "{reply}");
    let read = text(&server, "get_page", json!({"id": id_in(&reply)})).await;
    assert!(read.contains("```typescript\nlet a = `[b](c)`;\n```\n```plain text\nMOVE A\n```"), "{read}");
    assert!(
        read.contains("- Building (./building.md)\n[ok](https://ok.example)\nPlan (./plan.png)"),
        "{read}"
    );
}

/// N3. The ids of three layers mean one table (Grey-Iris/easy-notion-mcp#15).
#[tokio::test(start_paused = true)]
async fn every_id_of_a_table_works_and_an_unknown_one_says_what_may_be() {
    let server = server().await;
    let database = "db000000000040008000000000000001";
    let view = "f1e30000000040008000000000000001";
    let address = format!("https://www.notion.so/harbor/{database}?v={view}");
    for id in [TASKS, database, view, address.as_str(), "tasks"] {
        let reply = text(&server, "query_database", json!({"database": id, "limit": 1})).await;
        assert!(reply.contains("Make chunk writes idempotent"), "{id}: {reply}");
        assert!(text(&server, "get_database", json!({"database": id})).await.contains("Table Tasks"), "{id}");
    }
    let probes = server.harness().journal().count("GET /databases/{id}");
    text(&server, "query_database", json!({"database": database, "limit": 1})).await;
    assert_eq!(server.harness().journal().count("GET /databases/{id}"), probes, "what an id means is kept");
    let two = server
        .refusal(&call("query_database", json!({"database": "db000000000040008000000000000003"})))
        .await;
    assert!(two.for_agent().contains("Features") && two.for_agent().contains("Bugs"), "{two}");
    let nothing = "11111111111141118111111111111111";
    let error = server.refusal(&call("query_database", json!({"database": nothing}))).await;
    assert!(error.for_agent().contains("not found, or not shared with this connection"), "{error}");
}

/// N4. A linked database has no source that a token reaches (ultimate-notion/ultimate-notion#113).
#[tokio::test(start_paused = true)]
async fn a_linked_database_is_named_as_such() {
    let server = server().await;
    let page = text(&server, "get_page", json!({"id": "9a9e0000000040008000000000000009"})).await;
    assert!(page.contains("[linked database, source not reachable with this token]"), "{page}");
    let error = server
        .refusal(&call("query_database", json!({"database": "db000000000040008000000000000009"})))
        .await;
    assert!(error.for_agent().contains("linked database") && error.for_agent().contains("view"), "{error}");
}

/// N5. Comments are listed by the very block they stand on (makenotion/notion-mcp-server#175).
#[tokio::test(start_paused = true)]
async fn comments_on_blocks_belong_to_the_page_too() {
    let server = server().await;
    let reply = text(&server, "list_comments", json!({"id": "9a9e0000000040008000000000000003"})).await;
    assert!(reply.starts_with("3 comments") && reply.contains("blocks looked at"), "{reply}");
    assert!(reply.contains("Chunk writes were not idempotent"), "the quoted text is missing: {reply}");
}

/// N5. So are those on blocks inside lists, toggles and columns; what is beyond the bound is said.
#[tokio::test(start_paused = true)]
async fn comments_inside_lists_toggles_and_columns_are_found() {
    let server = server().await;
    let markdown = "- Outer\n\t- Inner\n\t\t- Innermost\n<columns>\n\t<column>\n\t\tLeft\n\t</column>\n\t<column>\n\t\tRight\n\t</column>\n</columns>";
    let page = json!({"title": "Nested", "markdown": markdown});
    let reply = text(&server, "create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await;
    let id = id_in(&reply);
    let block_of = |words: &str| {
        let dump = server.dump();
        let nodes = dump["nodes"].as_object().unwrap();
        let holds = |node: &Value| {
            let data = node["data"].to_string();
            data.contains("rich_text") && data.contains(&format!("\"{words}\""))
        };
        nodes.iter().find(|(_, node)| holds(node)).unwrap().0.replace('-', "")
    };
    for words in ["Innermost", "Right"] {
        let comment = json!({"id": block_of(words), "text": format!("About {words}")});
        text(&server, "add_comment", comment).await;
    }
    let reply = text(&server, "list_comments", json!({"id": id})).await;
    assert!(reply.starts_with("2 comments (8 blocks looked at)"), "{reply}");
    assert!(reply.contains("About Innermost") && reply.contains("on \"Right\""), "{reply}");
    assert!(!reply.contains("not looked for"), "{reply}");
    let lines: Vec<String> = (0..39).map(|at| format!("Line {at}")).collect();
    text(&server, "edit_content", json!({"id": id, "append": lines[..38].join("\n")})).await;
    let reply = text(&server, "list_comments", json!({"id": id})).await;
    assert!(reply.contains("40 blocks looked at"), "{reply}");
    assert!(reply.contains("Comments on some blocks inside others were not looked for"), "{reply}");
    text(&server, "edit_content", json!({"id": id, "append": lines[38]})).await;
    let reply = text(&server, "list_comments", json!({"id": id})).await;
    assert!(reply.contains("Comments on later blocks and blocks inside others were not"), "{reply}");
}

/// N6. A template fills in later (awkoy/notion-mcp-server#24).
#[tokio::test(start_paused = true)]
async fn a_template_is_found_by_name_and_waited_for() {
    let server = server().await;
    let plan = json!({"title": "Plan", "template": "sprint"});
    let reply = text(&server, "create_pages", json!({"parent": "Tasks", "pages": [plan]})).await;
    assert!(reply.contains("  template Sprint applied\n"), "{reply}");
    assert!(text(&server, "get_page", json!({"id": id_in(&reply)})).await.contains("## Goal"));
    set(&server, json!({"template_looks": 1000})).await;
    let plan = json!({"title": "Later", "template": "Sprint"});
    let reply = text(&server, "create_pages", json!({"parent": "Tasks", "pages": [plan]})).await;
    assert!(reply.contains("still being applied"), "{reply}");
    let asked = server.harness().journal().entries().len();
    let both = json!({"title": "Both", "template": "Sprint", "markdown": "Text"});
    let error = server.refusal(&call("create_pages", json!({"parent": TASKS, "pages": [both]}))).await;
    assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    let posts = server
        .harness()
        .journal()
        .entries()
        .into_iter()
        .skip(asked)
        .filter(|entry| entry.operation == "POST /pages");
    assert_eq!(posts.count(), 0);
}

/// N7. A date is written whole or refused (makenotion/notion-mcp-server#121).
#[tokio::test(start_paused = true)]
async fn a_date_is_written_whole_and_read_back() {
    let server = server().await;
    let task = "7a5c0000000040008000000000000003";
    for (given, shown) in [
        ("2026-12-01/2026-12-03", "2026-12-01/2026-12-03"),
        ("2026-12-01T09:00 Europe/Madrid", "2026-12-01T09:00+01:00"),
        ("2026-12-05", "2026-12-05"),
    ] {
        let page = json!({"id": task, "properties": {"Due": given}});
        text(&server, "update_pages", json!({"pages": [page]})).await;
        let read = text(&server, "get_page", json!({"id": task})).await;
        assert!(read.contains(&format!("Due: {shown}\n")), "{given}: {read}");
    }
    let backwards = json!({"id": task, "properties": {"Due": "2026-12-03/2026-12-01"}});
    let error = server.refusal(&call("update_pages", json!({"pages": [backwards]}))).await;
    assert!(error.for_agent().contains("ends before it starts"), "{error}");
    let cleared = json!({"id": task, "clear": ["Due"]});
    text(&server, "update_pages", json!({"pages": [cleared]})).await;
    assert!(!text(&server, "get_page", json!({"id": task})).await.contains("Due:"));
}

/// N7. What came back is compared with what was asked, of new rows and of each row of a batch.
#[tokio::test(start_paused = true)]
async fn a_date_that_was_lost_is_not_told_as_written() {
    let server = server().await;
    let lose = |operation: &str| {
        let changes = vec![Change::set("/properties/Due/date", Value::Null)];
        Rule::new(operation, Action::Patch { changes })
    };
    server.harness().faults().add(lose("POST /pages"));
    let row = json!({"title": "Dated", "properties": {"Due": "2026-12-01"}});
    let reply = text(&server, "create_pages", json!({"parent": "Tasks", "pages": [row]})).await;
    let first = reply.lines().next().unwrap();
    assert!(first.starts_with("Created 1 page") && first.contains("did not accept every value"), "{reply}");
    assert!(reply.contains("  not accepted: Due is none"), "{reply}");
    server.harness().faults().add(lose("PATCH /pages/{id}").skip(1));
    let rows = ["7a5c0000000040008000000000000003", "7a5c0000000040008000000000000004"]
        .map(|id| json!({"id": id, "properties": {"Due": "2026-12-11"}}));
    let reply = text(&server, "update_pages", json!({"pages": rows})).await;
    assert!(
        reply.starts_with("Updated 1 of 2 pages; of 1 page Notion did not accept every value."),
        "{reply}"
    );
    assert!(reply.contains("  not accepted: Due is none"), "{reply}");
    // What is kept as it was given is told as before.
    let row = json!({"title": "Kept", "properties": {"Due": "2026-12-01", "Status": "To do"}});
    let reply = text(&server, "create_pages", json!({"parent": "Tasks", "pages": [row]})).await;
    assert!(reply.starts_with("Created 1 page in") && !reply.contains("accept"), "{reply}");
}

/// N8. Trashing was accepted and ignored (makenotion/notion-mcp-server#258).
#[tokio::test(start_paused = true)]
async fn success_is_not_told_where_nothing_changed() {
    let server = server().await;
    let rule = Rule::new(
        "PATCH /pages/{id}",
        Action::Patch { changes: vec![Change::set("/in_trash", json!(false))] },
    );
    server.harness().faults().add(rule);
    let error = server.refusal(&call("trash_pages", json!({"ids": [RUNBOOK]}))).await;
    assert_eq!(error.kind(), Kind::Upstream, "{error}");
    assert!(error.for_agent().contains("accepted it but did not do it"), "{error}");
    let sent = server.harness().journal().of("PATCH /pages/{id}").pop().unwrap().json();
    assert_eq!(sent, json!({"in_trash": true}));
    let same = json!({"id": "7a5c0000000040008000000000000003", "properties": {"Status": "To do"}});
    let reply = text(&server, "update_pages", json!({"pages": [same]})).await;
    assert!(reply.starts_with("Nothing changed"), "{reply}");
}

/// N9. Ids made in one sitting share their first characters (anthropics/claude-code#50260).
#[tokio::test(start_paused = true)]
async fn children_are_told_apart_by_their_whole_ids() {
    let server = server().await;
    let url = |id: &str| format!("<page url=\"https://www.notion.so/{id}\"/>");
    let (first, second) = (RUNBOOK, "9a9e0000000040008000000000000006");
    assert_eq!(first[..8], second[..8]);
    let one = json!({"id": RUNBOOKS, "replace_all": url(first)});
    let error = server.refusal(&call("edit_content", one.clone())).await;
    assert!(error.for_agent().contains("Rotate the import credentials"), "{error}");
    assert!(!error.for_agent().contains("Retry a failed import"), "{error}");
    let both = json!({"id": RUNBOOKS, "replace_all": format!("{}\n{}", url(first), url(second))});
    text(&server, "edit_content", both).await;
    let children = |dump: &Value| {
        dump["nodes"]["9a9e0000-0000-4000-8000-000000000004"]["children"].as_array().unwrap().len()
    };
    assert_eq!(children(&server.dump()), 2);
    let mut allowed = one;
    allowed["allow_deleting_children"] = json!(true);
    text(&server, "edit_content", allowed).await;
    assert_eq!(server.dump()["nodes"]["9a9e0000-0000-4000-8000-000000000006"]["in_trash"], true);
}

/// N10. Lists are cut at 25, and what is rolled up over them is no number of Notion's (activepieces/activepieces#15392).
#[tokio::test(start_paused = true)]
async fn lists_beyond_25_are_whole_where_it_counts() {
    let server = server().await;
    let rows =
        text(&server, "query_database", json!({"database": "Projects", "fields": ["Tasks", "Task count"]}))
            .await;
    assert!(rows.contains("Show the progress of an import, +20 or more | 40\n"), "{rows}");
    let groups = text(&server, "query_database", json!({"database": "Projects", "group_by": "Tasks"})).await;
    assert!(groups.contains("Index chunks by key") || groups.lines().count() > 40, "{groups}");
    let add = json!({"id": "b40ec700000040008000000000000001", "properties": {"Tasks": {"add": ["New signup form"]}}});
    text(&server, "update_pages", json!({"pages": [add]})).await;
    let project = &server.dump()["nodes"]["b40ec700-0000-4000-8000-000000000001"]["data"]["properties"]["Tasks"]
        ["relation"];
    assert_eq!(project.as_array().unwrap().len(), 41, "adding one entry cut the others");
}

/// SDK 5.26.0, iterateAllDataSourceRows: one question yields 10,000 rows at most; here 20.
#[tokio::test(start_paused = true)]
async fn rows_beyond_what_one_question_yields_are_counted_all_the_same() {
    let server = server().await;
    set(&server, json!({"query_rows": 20})).await;
    let reply = text(&server, "query_database", json!({"database": "Tasks", "count": true})).await;
    assert!(reply.starts_with("44 rows"), "{reply}");
}

/// Notion's times are cut to the minute, so only the text tells of an edit in between.
#[tokio::test(start_paused = true)]
async fn a_page_that_changed_since_it_was_read_is_not_overwritten() {
    let server = server().await;
    let read = text(&server, "get_page", json!({"id": RUNBOOK})).await;
    let hash = read.split("hash ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    text(
        &server,
        "edit_content",
        json!({"id": RUNBOOK, "append": "Somebody was faster", "expected_hash": hash}),
    )
    .await;
    let late = json!({"id": RUNBOOK, "append": "Mine", "expected_hash": hash});
    let error = server.refusal(&call("edit_content", late)).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert!(!text(&server, "get_page", json!({"id": RUNBOOK})).await.contains("Mine"));
}

/// An edit in one place leaves every other block as it was, with what Markdown does not say of it.
#[tokio::test(start_paused = true)]
async fn an_edit_in_one_place_leaves_every_other_block_untouched() {
    let server = server().await;
    let before = server.dump();
    let edits = json!([{"old": "retried **three times**", "new": "retried **twice**"}]);
    text(&server, "edit_content", json!({"id": DESIGN, "edits": edits})).await;
    let after = server.dump();
    let (before, after) = (before["nodes"].as_object().unwrap(), after["nodes"].as_object().unwrap());
    assert_eq!(before.len(), after.len(), "a block was made or removed");
    let changed: Vec<&String> =
        before.keys().filter(|id| before[*id]["data"] != after[*id]["data"]).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    let moved: Vec<&String> =
        before.keys().filter(|id| before[*id]["children"] != after[*id]["children"]).collect();
    assert!(moved.is_empty(), "{moved:?}");
}

/// 503 after the commit (request-limits): Notion has no keys for repeated writes, so what was made is looked for.
#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_found_and_made_once() {
    for fault in [Action::CloseAfter, Action::Truncate { bytes: 20 }] {
        let server = server().await;
        server.harness().faults().add(Rule::new("POST /pages", fault.clone()));
        let row = json!({"title": "Only once"});
        let reply = text(&server, "create_pages", json!({"parent": "Tasks", "pages": [row]})).await;
        assert!(reply.contains("its answer was lost; it is there"), "{fault:?}: {reply}");
        let found = text(
            &server,
            "query_database",
            json!({"database": "Tasks", "where": {"Task": "Only once"}, "count": true}),
        )
        .await;
        assert!(found.starts_with("1 row"), "{fault:?}: {found}");
    }
}

/// Notion takes conditions two levels deep (developers.notion.com/reference/post-database-query-filter): those of a
/// view, of `where` and of windows over many rows are put together so.
#[tokio::test(start_paused = true)]
async fn conditions_of_several_levels_are_asked_in_two() {
    let server = server().await;
    let filters = json!({"Status": ["To do", "In progress"], "or": [
        {"Due": "2020-01-01/2099-12-31", "Priority": ["High", "Medium"]},
        {"Task": {"contains": "import"}},
    ]});
    let rows = json!({"database": "Tasks", "where": filters, "count": true});
    let counted = text(&server, "query_database", rows.clone()).await;
    assert!(counted.contains(" row"), "{counted}");
    set(&server, json!({"query_rows": 5})).await;
    let windows = text(&server, "query_database", rows).await;
    assert_eq!(counted.lines().next(), windows.lines().next());
    let view = json!({"view": "f1e30000000040008000000000000001", "where": filters, "limit": 5});
    text(&server, "query_database", view).await;
}

/// An interrupted batch says what is done, what failed and what was not tried.
#[tokio::test(start_paused = true)]
async fn an_interrupted_batch_says_which_rows_were_written() {
    let server = server().await;
    let rule = Rule::new("POST /pages", Action::status(403)).skip(1);
    server.harness().faults().add(rule);
    let rows: Vec<Value> = ["One", "Two", "Three"].iter().map(|title| json!({"title": title})).collect();
    let reply = text(&server, "create_pages", json!({"parent": "Tasks", "pages": rows})).await;
    assert!(
        reply.contains("Created 1 of 3 pages")
            && reply.contains("page 2 (Two) failed")
            && reply.contains("Not tried: page 3."),
        "{reply}"
    );
}

/// The reasons of a refusal for a budget (request-limits): a block is not waited for.
#[tokio::test(start_paused = true)]
async fn a_blocked_connection_is_told_at_once_and_a_used_up_budget_is_waited_for() {
    let server = server().await;
    set(&server, json!({"requests_a_minute": 0, "limit_reason": "public_api_request_blocked"})).await;
    let error = server.refusal(&call("whoami", json!({}))).await;
    assert_eq!(error.kind(), Kind::Permission, "{error}");
    assert_eq!(server.harness().journal().count("GET /users/me"), 1);
    set(&server, json!({"limit_reason": "public_api_space_request_rate_limit"})).await;
    let error = server.refusal(&call("whoami", json!({}))).await;
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    assert!(error.for_agent().contains("whole workspace"), "{error}");
    assert!(error.retry_after().is_some_and(|wait| wait <= Duration::from_secs(60)), "{error}");
}

/// A long page is read in slices without losing or repeating a line.
#[tokio::test(start_paused = true)]
async fn a_long_page_is_read_in_slices_without_gap_or_repeat() {
    let server = server().await;
    let lines: Vec<String> = (0..4_000).map(|at| format!("Line {at} of a long page")).collect();
    let page = json!({"title": "Long", "markdown": lines.join("\n")});
    let reply = text(&server, "create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await;
    let id = id_in(&reply);
    let mut seen = Vec::new();
    let mut offset = 0_u64;
    loop {
        let reply = text(&server, "get_page", json!({"id": id, "offset": offset})).await;
        assert!(reply.len() <= 32 * 1024);
        seen.extend(reply.lines().filter(|line| line.starts_with("Line ")).map(str::to_owned));
        let next = reply.split("offset").nth(1).and_then(|rest| {
            rest.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty())?.parse::<u64>().ok()
        });
        match next {
            Some(next) if next > offset => offset = next,
            _ => break,
        }
    }
    assert_eq!(seen, lines);
}
