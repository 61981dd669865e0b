//! Replies that tell what one would have to ask next.

use std::collections::BTreeSet;

use connector::settings::Value as Setting;
use notion_mcp::Notion;
use serde_json::{Value, json};

use crate::Subject as _;
use crate::support::{DESIGN, ONBOARDING, OWN_COMMENT, Office, POST_MORTEM, RUNBOOK, RUNBOOKS, TASK, id_in};

/// What stands between the marks of a reply, and what stands outside of them.
fn parts(reply: &str) -> (String, String) {
    let (mut inside, mut outside, mut marked) = (String::new(), String::new(), false);
    for line in reply.lines() {
        if line.starts_with("<data ") || line.starts_with("</data ") {
            marked = line.starts_with("<data ");
            continue;
        }
        let part = if marked { &mut inside } else { &mut outside };
        part.push_str(line);
        part.push('\n');
    }
    (inside, outside)
}

#[tokio::test(start_paused = true)]
async fn a_title_that_nothing_has_may_be_of_a_page_that_is_not_shared() {
    let office = Office::open().await;
    for (tool, arguments) in [
        ("get_page", json!({"id": "Salaries"})),
        ("edit_content", json!({"id": "Salaries", "append": "x"})),
        ("list_comments", json!({"id": "Salaries"})),
        ("move_pages", json!({"ids": ["Salaries"], "parent": RUNBOOKS})),
        ("move_pages", json!({"ids": [RUNBOOK], "parent": "Salaries"})),
        ("create_pages", json!({"parent": "Salaries", "pages": [{"title": "A"}]})),
    ] {
        let error = office.refusal(tool, arguments).await.for_agent();
        assert!(error.contains("has \"Salaries\" in its title"), "{tool}: {error}");
        assert!(error.contains("••• menu of a page → Connections shares it"), "{tool}: {error}");
        assert!(!error.contains("search finds"), "{tool}: {error}");
    }
    let near = json!({"parent": "Task", "pages": [{"title": "A"}]});
    let error = office.refusal("create_pages", near).await.for_agent();
    assert!(
        error.contains("No page or table is called exactly Task. There are: ") && error.contains("Tasks (")
    );
    let text = office.call("search", json!({"query": "salar"})).await;
    assert!(text.starts_with("No results. Asked for: query salar."), "{text}");
    assert!(text.contains("••• menu of a page → Connections shares it"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_count_that_notion_leaves_out_is_made_up() {
    let office = Office::open().await;
    let text = office.call("get_database", json!({"database": "Projects"})).await;
    assert!(text.contains("Task count: rollup (read only: count of Tasks)\n"), "{text}");
    let counts = json!({"database": "Projects", "fields": ["Task count"]});
    let text = office.call("query_database", counts).await;
    assert!(text.contains("| Import API v2 | 40\n") && text.contains("| Signup | 4\n"), "{text}");
    assert!(!text.contains('?'), "{text}");
    // By the table's own id no column is known before the rows.
    let project = id_in(text.lines().find(|line| line.contains("| Import API v2 |")).unwrap());
    let text = office.call("query_database", json!({"database": "50ce0000000040008000000000000002"})).await;
    assert!(text.contains("| 40 |"), "{text}");
    let text = office.call("get_page", json!({"id": project})).await;
    assert!(text.contains("Task count: 40\n"), "{text}");
    let text = office.call("query_database", json!({"database": "Projects", "sum": "Task count"})).await;
    assert!(text.contains("Task count 44."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_table_names_the_tables_that_it_links_to() {
    let office = Office::open().await;
    let text = office.call("get_database", json!({"database": "Tasks"})).await;
    assert!(text.starts_with("Table Tasks · 50ce0000000040008000000000000001\n"), "{text}");
    assert!(text.contains("Project: relation (to Projects)\n"), "{text}");
    assert!(text.contains("Blocked by: relation (to Tasks)\n"), "{text}");
    let columns = json!({"Task": "relation(Tasks)"});
    let made = json!({"parent": RUNBOOKS, "title": "Runs", "columns": columns});
    let text = office.call("create_database", made).await;
    assert!(text.contains("Task: relation (to Tasks)\n"), "{text}");
    let add = json!({"database": "Bugs", "add": {"Project": "relation(Projects)"}});
    let text = office.call("update_schema", add).await;
    assert!(text.contains("+ Project: relation (to Projects)\n"), "{text}");
}

/// The names in the last column of a grouping.
fn groups(reply: &str) -> Vec<String> {
    let rows = parts(reply).0;
    rows.lines().skip(1).filter_map(|line| line.rsplit_once(" | ")).map(|(_, name)| name.to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn groups_stand_in_the_order_that_one_reads_them_in() {
    let office = Office::open().await;
    let ask = async |more: Value| {
        let mut asked = json!({"database": "Tasks"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        office.call("query_database", asked).await
    };
    let open = json!({"Status": {"not": "Done"}});
    let text = ask(json!({"where": open, "group_by": "Owner", "sum": "Estimate"})).await;
    let first = ["Aiko Tanaka", "Tomás Herrera", "Priya Raman", "Sofia Rossi", "Jonas Weber"];
    assert_eq!(groups(&text)[..5], first, "{text}");
    let text = ask(json!({"group_by": "Status"})).await;
    assert_eq!(groups(&text), ["Backlog", "To do", "In progress", "In review", "Done"], "{text}");
    let text = ask(json!({"where": open, "group_by": "Status"})).await;
    assert!(text.contains("\nno rows: Done\n"), "{text}");
    let text = ask(json!({"group_by": "Priority"})).await;
    assert_eq!(groups(&text)[..3], ["High", "Medium", "Low"], "{text}");
    let text = ask(json!({"group_by": "Due"})).await;
    let days = groups(&text);
    assert!(days.len() > 5 && days[..days.len() - 1].is_sorted(), "{text}");
    assert_eq!(days.last().map(String::as_str), Some("(empty)"), "{text}");
    // Linked rows by name alone, and those that nothing is linked to.
    let text = ask(json!({"group_by": "Project"})).await;
    assert_eq!(groups(&text), ["Import API v2", "Signup"], "{text}");
    assert!(text.contains("\nno rows: Second region\n"), "{text}");
    let twin = json!([{"title": "Signup"}]);
    let made = office.call("create_pages", json!({"parent": "Projects", "pages": twin})).await;
    let link = json!({"pages": [{"id": TASK, "properties": {"Project": id_in(&made)}}]});
    office.call("update_pages", link).await;
    let text = ask(json!({"group_by": "Project"})).await;
    assert!(text.contains("| Signup (") && text.contains("| Import API v2\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn comments_quote_what_they_are_on_and_a_reply_what_it_answers() {
    let office = Office::open().await;
    let text = office.call("list_comments", json!({"id": POST_MORTEM})).await;
    let sentence =
        "\"Chunk writes were not idempotent: a chunk whose answer was lost was written again (ENG-27).\"";
    assert!(text.contains(&format!(" 16:40Z on {sentence}\n")), "{text}");
    assert!(text.contains("| same discussion | Grace Mbeki "), "{text}");
    let discussion = "d15c0000000040008000000000000002";
    let reply = json!({"discussion": discussion, "text": "Yes, small files too."});
    let text = office.call("add_comment", reply).await;
    let told = "Replied to Jonas Weber on Post-mortem: Imports time out, duplicates at Northwind; comment ";
    assert!(text.starts_with(told), "{text}");
    let (inside, outside) = parts(&text);
    let answered = "16:40Z: Is this also true for small files?\n";
    assert!(
        inside.starts_with(&format!("on {sentence}\nJonas Weber ")) && inside.ends_with(answered),
        "{inside}"
    );
    assert!(outside.trim_end().ends_with(POST_MORTEM) && outside.contains("https://"), "{outside}");
    let block = "3387f0800d178100b2c4000000000036";
    let text = office.call("add_comment", json!({"id": block, "text": "Noted"})).await;
    assert!(text.starts_with("Commented on Post-mortem"), "{text}");
    assert_eq!(parts(&text).0, format!("on {sentence}\n"));
    let text = office.call("edit_comment", json!({"id": OWN_COMMENT, "text": "Noted"})).await;
    assert!(text.starts_with(&format!("Edited comment {OWN_COMMENT} on Onboarding.")), "{text}");
    let text = office.call("delete_comment", json!({"id": OWN_COMMENT})).await;
    assert!(text.starts_with(&format!("Deleted comment {OWN_COMMENT} on Onboarding.")), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_shows_the_words_that_change() {
    let office = Office::open().await;
    let edit = json!({"id": DESIGN, "edits": [{"old": "**three times**", "new": "**five times**"}]});
    let text = office.call("edit_content", edit).await;
    let (inside, _) = parts(&text);
    let tail = "times**, then the import stops and…";
    assert_eq!(inside, format!("- A chunk is retried **three {tail}\n+ A chunk is retried **five {tail}\n"));
    let boxes = json!([
        {"old": "- [ ] Laptop", "new": "- [x] Laptop"}, {"old": "- [ ] Accounts", "new": "- [x] Accounts"}]);
    let text = office.call("edit_content", json!({"id": ONBOARDING, "edits": boxes})).await;
    let lines = "- - [ ] Laptop\n- - [ ] Accounts\n+ - [x] Laptop\n+ - [x] Accounts\n";
    assert_eq!(parts(&text).0, lines);
    // In the middle of a long line, the beginning goes too.
    let long = format!("{} middle {}", "word ".repeat(40).trim_end(), "tail ".repeat(40).trim_end());
    office.call("edit_content", json!({"id": ONBOARDING, "append": long})).await;
    let edit = json!({"id": ONBOARDING, "edits": [{"old": "middle", "new": "centre"}]});
    let (inside, _) = parts(&office.call("edit_content", edit).await);
    for line in inside.lines() {
        assert!(
            line.chars().count() < 110 && line[2..].starts_with("…word") && line.ends_with("tail…"),
            "{line}"
        );
    }
    assert!(inside.contains(" middle ") && inside.contains(" centre "), "{inside}");
}

/// What people wrote stands between marks in the replies of writes as in those of reads; what the server says does not.
#[tokio::test(start_paused = true)]
async fn writes_mark_what_others_wrote_and_not_what_the_server_says() {
    let office = Office::open().await;
    let update = |dry_run: bool| {
        let values = json!({"Lead": "Aiko Tanaka", "Budget": 15000, "Contact": ""});
        json!({"pages": [{"id": "Signup", "properties": values}], "dry_run": dry_run})
    };
    for dry_run in [true, false] {
        let (inside, outside) = parts(&office.call("update_pages", update(dry_run)).await);
        assert!(inside.starts_with("Signup · ") && !inside.contains("- "), "{inside}");
        assert!(inside.contains("\n  Budget (euro) 12000 → 15000\n"), "{inside}");
        assert!(inside.contains("\n  Lead Sofia Rossi → Aiko Tanaka\n"), "{inside}");
        assert!(outside.contains("Contact: an empty value was ignored"), "{outside}");
    }
    let bug = json!({"title": "Stuck at 99 percent", "template": "Bug report", "properties": {"Priority": "High", "Owner": "Aiko"}});
    let text = office.call("create_pages", json!({"parent": "Tasks", "pages": [bug]})).await;
    let (inside, outside) = parts(&text);
    assert!(
        inside.starts_with("Stuck at 99 percent · ") && inside.contains("\n  Priority: High\n"),
        "{inside}"
    );
    assert_eq!(inside.matches("template").count(), 1, "{inside}");
    assert!(inside.contains("\n  template Bug report applied\n"), "{inside}");
    assert!(inside.contains("\n  blocks: heading 2 × 3; headings: "), "{inside}");
    assert!(outside.contains("\nLeft empty: Status, Due, Tags"), "{outside}");
    let budget = json!({"title": "Third region", "properties": {"Budget": 500}});
    let text = office.call("create_pages", json!({"parent": "Projects", "pages": [budget]})).await;
    assert!(text.contains("\n  Budget (euro): 500\n"), "{text}");
    let append = json!([{"action": "append", "id": RUNBOOK, "markdown": "Ask @Grace Mbeki"}]);
    let (inside, outside) = parts(&office.call("edit_blocks", json!({"edits": append})).await);
    assert!(
        inside.contains("\n  + paragraph: Ask") && outside.contains("Mentions Grace Mbeki."),
        "{inside} {outside}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_move_tells_from_where_to_where() {
    let office = Office::open().await;
    let page = "9a9e0000000040008000000000000006";
    let move_to = |parent: &str, dry_run: bool| json!({"ids": [page], "parent": parent, "dry_run": dry_run});
    let line = format!("Rotate the import credentials · {page} · Runbooks → Engineering\n");
    for dry_run in [true, false] {
        let text = office.call("move_pages", move_to("Engineering", dry_run)).await;
        assert_eq!(parts(&text).0, line);
        assert_eq!(text.contains("https://"), !dry_run, "{text}");
    }
    let top = json!({"ids": [ONBOARDING], "parent": "Runbooks"});
    let text = office.call("move_pages", top).await;
    assert!(text.contains(" · the top of the workspace → Runbooks\n"), "{text}");
    let text = office.call("trash_pages", json!({"ids": [page]})).await;
    assert!(text.starts_with("Put 1 page into the trash; `restore` takes it out again.\n"), "{text}");
    assert!(text.contains("https://"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn tables_that_are_found_by_their_database_say_so() {
    let office = Office::open().await;
    let text = office.call("search", json!({"query": "roadmap"})).await;
    assert!(text.starts_with("2 results (tables of a database with \"roadmap\" in its title)"), "{text}");
    assert!(text.contains("| table of the database Roadmap | Features |"), "{text}");
    for kind in ["database", "table"] {
        let text = office.call("search", json!({"query": "Tasks", "type": kind})).await;
        assert!(text.contains("| table | Tasks |"), "{text}");
    }
}

/// A page is told with what was asked for, and without what was not.
#[tokio::test(start_paused = true)]
async fn a_page_includes_what_is_asked_for() {
    let office = Office::open().await;
    let ask =
        async |id: &str, include: Value| office.call("get_page", json!({"id": id, "include": include})).await;
    let text = ask(POST_MORTEM, json!(["comments"])).await;
    let comments = office.call("list_comments", json!({"id": POST_MORTEM})).await;
    assert!(text.contains(parts(&comments).0.trim_end()) && text.matches("<data ").count() == 2, "{text}");
    let text = ask(RUNBOOKS, json!(["properties", "children", "comments"])).await;
    assert!(parts(&text).0.contains(&format!("Retry a failed import · {RUNBOOK}\n")), "{text}");
    assert!(text.contains("\nNo comments.\n") && !text.contains("<page "), "{text}");
    let text = ask(TASK, json!(["properties"])).await;
    assert!(text.contains("Status: To do\n") && text.matches("<data ").count() == 1, "{text}");
    let text = ask(TASK, json!(["markdown"])).await;
    assert!(!text.contains("Status: ") && text.contains("hash "), "{text}");
}

/// Pages without a parent go where the settings say, which is told before and after.
#[tokio::test(start_paused = true)]
async fn new_pages_go_to_the_default_parent_and_that_is_told() {
    let page = json!({"pages": [{"title": "Found"}]});
    let office = Office::open().await;
    let error = office.refusal("create_pages", page.clone()).await;
    assert!(error.for_agent().contains("`parent` is missing"), "{error}");
    assert!(!office.call("whoami", json!({})).await.contains("NOTION_DEFAULT_PARENT"));
    let parent = |text: &str| ("default-parent", Setting::Text(text.to_owned()));
    let office = Office::with(&[parent("Runbooks")]).await;
    let text = office.call("whoami", json!({})).await;
    assert!(text.contains("\nNew pages go under Runbooks unless `parent` says otherwise"), "{text}");
    for dry_run in [true, false] {
        let mut page = page.clone();
        page["dry_run"] = json!(dry_run);
        let text = office.call("create_pages", page).await;
        assert!(text.contains(" 1 page under Runbooks"), "{text}");
        assert!(text.contains("No `parent` was given: NOTION_DEFAULT_PARENT names it."), "{text}");
    }
    let text = office.call("create_database", json!({"title": "Runs"})).await;
    assert!(text.starts_with("Created the database Runs under Runbooks;"), "{text}");
    let named = json!({"parent": ONBOARDING, "pages": [{"title": "Named"}]});
    let text = office.call("create_pages", named).await;
    assert!(text.contains("under Onboarding") && !text.contains("NOTION_DEFAULT_PARENT"), "{text}");
    let office = Office::with(&[parent("Salaries")]).await;
    let text = office.call("whoami", json!({})).await;
    assert!(
        text.contains("NOTION_DEFAULT_PARENT cannot be used: ") && text.contains("No page or table has"),
        "{text}"
    );
}

/// N9. Ids made in one sitting share their first characters: nothing is called by those alone.
#[tokio::test(start_paused = true)]
async fn no_reply_shortens_an_id() {
    for sample in Notion::reads() {
        let office = Office::open().await;
        let dump = office.dump();
        let ids = dump["nodes"].as_object().unwrap().keys();
        let starts: BTreeSet<&str> = ids.map(|id| &id[..8]).collect();
        let reply = office.call(sample.tool, Value::Object(sample.arguments)).await;
        let mut words = reply.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        assert!(words.all(|word| !starts.contains(word)), "{}: {reply}", sample.tool);
    }
}
