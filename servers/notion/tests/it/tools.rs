//! Blocks, files, columns and views: the tools that take more than a page's text and values.

use connector::{Kind, settings::Value as Setting};
use serde_json::{Value, json};

use crate::support::{DESIGN, Office, POST_MORTEM, RUNBOOK, RUNBOOKS, TASK, TASKS, id_in, inside};

const STEP: &str = "3387f0800d178100b2c4000000000047";

fn words(node: &Value) -> String {
    let kind = node["data"]["type"].as_str().unwrap_or_default();
    let runs = node["data"][kind]["rich_text"].as_array().into_iter().flatten();
    runs.filter_map(|run| run["text"]["content"].as_str()).collect()
}

/// N1 for the endpoint that takes no Markdown, and the order of what is added.
#[tokio::test(start_paused = true)]
async fn blocks_are_added_at_their_place_in_their_order() {
    let office = Office::open().await;
    let markdown: String = (0..120).map(|at| format!("- Line {at}\n")).collect();
    let edits = json!([
        {"action": "insert_after", "id": STEP, "markdown": markdown},
        {"action": "append", "id": RUNBOOK, "markdown": "```ts\nlet a;\n```\n- [x] **Done**\n\t- inside"},
    ]);
    let text = office.call("edit_blocks", json!({"edits": edits})).await;
    assert!(text.starts_with("Made 2 changes of blocks."), "{text}");
    let children = office.node(RUNBOOK)["children"].as_array().unwrap().clone();
    let all: Vec<String> = children.iter().map(|id| words(&office.node(id.as_str().unwrap()))).collect();
    let at = all.iter().position(|words| words == "Tell customer success").unwrap();
    let added: Vec<String> = (0..120).map(|at| format!("Line {at}")).collect();
    assert_eq!(all[at + 1..at + 121], added, "a hundred go in one request");
    let last = office.node(children.last().unwrap().as_str().unwrap());
    assert_eq!(
        (&last["data"]["to_do"]["checked"], last["children"].as_array().unwrap().len()),
        (&json!(true), 1)
    );
    let code = office.node(children[children.len() - 2].as_str().unwrap());
    assert_eq!(
        (code["data"]["code"]["language"].as_str(), words(&code)),
        (Some("typescript"), "let a;".to_owned())
    );
    assert_eq!(office.sent("PATCH /blocks/{id}/children"), 3);
}

/// developers.notion.com/reference/request-limits: 1,000 blocks in one request, those inside others counted too, and
/// 100 in one list.
#[tokio::test(start_paused = true)]
async fn blocks_with_many_inside_go_in_as_many_requests_as_it_takes() {
    let office = Office::open().await;
    let markdown: String = (0..60).map(|at| format!("- Item {at}\n{}", "\t- inside\n".repeat(20))).collect();
    let edits = json!([{"action": "append", "id": RUNBOOK, "markdown": markdown}]);
    let text = office.call("edit_blocks", json!({"edits": edits})).await;
    assert!(text.contains("1260 blocks"), "{text}");
    assert_eq!(office.sent("PATCH /blocks/{id}/children"), 2);
    let children = office.node(RUNBOOK)["children"].as_array().unwrap().clone();
    let all: Vec<Value> = children.iter().map(|id| office.node(id.as_str().unwrap())).collect();
    let added: Vec<String> = all.iter().map(words).filter(|words| words.starts_with("Item ")).collect();
    assert_eq!(added, (0..60).map(|at| format!("Item {at}")).collect::<Vec<_>>());
    let inside =
        |node: &&Value| words(node).starts_with("Item ") && node["children"].as_array().unwrap().len() == 20;
    assert_eq!(all.iter().filter(inside).count(), 60);
    // What no request takes is refused before any is sent.
    let edits = json!([{"action": "append", "id": RUNBOOK, "markdown": format!("- Item\n{}", "\t- inside\n".repeat(101))}]);
    let error = office.refusal("edit_blocks", json!({"edits": edits})).await;
    assert!(error.for_agent().contains("has 101 blocks in it, and Notion takes 100 at once"), "{error}");
    assert_eq!(office.sent("PATCH /blocks/{id}/children"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_the_words_of_a_block_and_nothing_else() {
    let office = Office::open().await;
    let dump = office.dump();
    let nodes = dump["nodes"].as_object().unwrap();
    let colored = |node: &Value| node["data"]["to_do"]["color"] == "green";
    let (id, before) = nodes.iter().find(|(_, node)| colored(node)).unwrap();
    let edit =
        |id: &str, markdown: &str| json!({"edits": [{"action": "update", "id": id, "markdown": markdown}]});
    office.call("edit_blocks", edit(id, "Yes, they *do*")).await;
    let after = office.node(id);
    assert_eq!(words(&after), "Yes, they do");
    assert_eq!(after["data"]["to_do"]["color"], "green");
    assert_eq!(after["data"]["to_do"]["checked"], before["data"]["to_do"]["checked"]);
    let error = office.refusal("edit_blocks", edit(id, "# A heading")).await;
    assert!(
        error.for_agent().contains("A block keeps its type: this is a to do, not a heading 1"),
        "{error}"
    );
    let error = office.refusal("edit_blocks", edit(id, "One\nTwo")).await;
    assert!(error.for_agent().contains("the text of one block"), "{error}");
    // Mentions are named when they go.
    let mention = |node: &Value| node["data"]["paragraph"]["rich_text"].to_string().contains("\"mention\"");
    let (id, _) = nodes.iter().find(|(_, node)| mention(node)).unwrap();
    let text = office.call("edit_blocks", edit(id, "Nobody is named")).await;
    assert!(text.contains("of the old text are not in the new one"), "{text}");
    // A child page is no block to delete.
    let page = json!({"edits": [{"action": "delete", "id": RUNBOOK}]});
    assert!(office.refusal("edit_blocks", page).await.for_agent().contains("trash_pages"));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_as_what_it_is() {
    let office = Office::open().await;
    let text = office.call("get_file", json!({"id": "3387f0800d178100b2c4000000000039"})).await;
    assert!(text.contains("text/csv") && text.contains("06:40"), "{text}");
    let error = office.refusal("get_file", json!({"id": STEP})).await;
    assert!(error.for_agent().contains("numbered list item"), "{error}");
    assert!(office.refusal("get_file", json!({"id": DESIGN})).await.for_agent().contains("get_blocks"));
    // A file at another place is named and not fetched.
    let set = json!({"pages": [{"id": TASK, "properties": {"Files": "https://elsewhere.example/a.png"}}]});
    office.call("update_pages", set).await;
    let text = office.call("get_file", json!({"id": TASK, "property": "files"})).await;
    assert!(text.contains("not fetched") && text.contains("https://elsewhere.example/a.png"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_shown_where_it_was_put_and_keeps_what_is_there() {
    let office = Office::open().await;
    let upload =
        json!({"to": RUNBOOK, "filename": "plan.png", "content": "aGVsbG8=", "caption": "The **plan**"});
    let text = office.call("upload_file", upload).await;
    let block = id_in(text.split("block ").nth(1).unwrap());
    assert_eq!(office.node(&block)["data"]["type"], "image");
    assert_eq!(
        office.node(RUNBOOK)["children"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .as_str()
            .unwrap()
            .replace('-', ""),
        block
    );
    // Two in one column, one after the other.
    for name in ["a.csv", "b.csv"] {
        let upload = json!({"to": TASK, "property": "Files", "filename": name, "content": "YSxi"});
        office.call("upload_file", upload).await;
    }
    let text = office.call("get_file", json!({"id": TASK, "property": "Files", "name": "a.csv"})).await;
    assert!(text.contains("a,b"), "{text}");
    let error = office.refusal("get_file", json!({"id": TASK, "property": "Files"})).await;
    assert!(error.for_agent().contains("a.csv, b.csv"), "{error}");
    // One is taken away by its name, the other stays.
    let change = json!({"pages": [{"id": TASK, "properties": {"Files": {"remove": ["a.csv"]}}}]});
    office.call("update_pages", change).await;
    let files = office.node(TASK)["data"]["properties"]["Files"]["files"].clone();
    assert_eq!((files.as_array().unwrap().len(), files[0]["name"].as_str()), (1, Some("b.csv")));
    // Alone, it is for a comment.
    let text = office.call("upload_file", json!({"filename": "c.txt", "content": "aGVsbG8="})).await;
    let upload = id_in(&text);
    office.call("add_comment", json!({"id": POST_MORTEM, "text": "See", "uploads": [upload]})).await;
    let comment = office.dump()["comments"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(comment["attachments"][0]["file_upload_id"].as_str().unwrap().replace('-', ""), upload);
}

#[tokio::test(start_paused = true)]
async fn a_file_comes_from_the_upload_root_in_parts_or_from_an_address_that_notion_fetches() {
    let folder = tempfile::tempdir().unwrap();
    let large: Vec<u8> = (0..21 * 1024 * 1024_u32).map(|at| (at % 251) as u8).collect();
    std::fs::write(folder.path().join("large.bin"), &large).unwrap();
    let office = Office::with(&[("upload-root", Setting::Path(folder.path().to_owned()))]).await;
    office.call("upload_file", json!({"to": RUNBOOK, "path": "large.bin"})).await;
    assert_eq!(
        (office.sent("POST /file_uploads/{id}/send"), office.sent("POST /file_uploads/{id}/complete")),
        (3, 1)
    );
    let uploads = office.dump()["uploads"].clone();
    let upload =
        uploads.as_object().unwrap().values().find(|upload| upload["filename"] == "large.bin").unwrap();
    assert_eq!(upload["content_length"], large.len());
    let fetched = json!({"to": RUNBOOK, "url": "https://files.example/a/report.pdf?x=1"});
    let text = office.call("upload_file", fetched).await;
    assert!(text.contains("report.pdf (fetched by Notion"), "{text}");
    for (arguments, kind) in [
        (json!({"url": "http://files.example/a.pdf"}), Kind::InvalidArgument),
        (json!({"path": "../secret"}), Kind::Policy),
        (json!({"path": "https://files.example/a.pdf"}), Kind::InvalidArgument),
        (json!({"content": "YQ==", "filename": "a", "property": "Files"}), Kind::InvalidArgument),
        (json!({}), Kind::InvalidArgument),
    ] {
        let error = office.refusal("upload_file", arguments).await;
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_is_made_of_words_and_its_rows_can_be_written_at_once() {
    let office = Office::open().await;
    let columns = json!({"Outcome": "select(Good, Bad)", "Cost": "number(euro)", "Task": "relation(Tasks)", "When": "date"});
    let text = office
        .call("create_database", json!({"parent": RUNBOOKS, "title": "Runs", "columns": columns}))
        .await;
    assert!(text.contains("Name: title") && text.contains("Outcome: select (Good, Bad)"), "{text}");
    let table = id_in(&text);
    let row = json!({"title": "Night one", "properties": {"Outcome": "good", "Cost": 12, "Task": TASK, "When": "2026-12-01"}});
    office.call("create_pages", json!({"parent": table, "pages": [row]})).await;
    let rows = office.call("query_database", json!({"database": "Runs"})).await;
    assert!(
        rows.contains("Night one")
            && rows.contains("Good")
            && rows.contains("| Alert when one file is imported twice |"),
        "{rows}"
    );
    let error = office
        .refusal("create_database", json!({"parent": RUNBOOKS, "title": "X", "columns": {"A": "selct"}}))
        .await;
    assert!(error.for_agent().contains("Did you mean `select`?"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn columns_change_by_name_and_what_is_lost_is_told_first() {
    let office = Office::open().await;
    let change = json!({
        "database": "Tasks", "add": {"Risk": "select(Low, High)"}, "rename": {"Estimate": "Days"},
        "change": {"Tags": "multi_select(+new, -ui)"}, "remove": ["Link"], "dry_run": true});
    let text = office.call("update_schema", change.clone()).await;
    for told in
        ["+ Risk: select (Low, High)", "Estimate → Days", "rows lose: ui", "- Link: url, with its values in"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(office.sent("PATCH /data_sources/{id}"), 0);
    let mut change = change;
    change["dry_run"] = json!(false);
    office.call("update_schema", change).await;
    let columns = office.node(TASKS)["data"]["properties"].clone();
    assert!(columns["Risk"].is_object() && columns["Days"].is_object());
    assert!(columns["Estimate"].is_null() && columns["Link"].is_null());
    let tags = columns["Tags"]["multi_select"]["options"].to_string();
    assert!(tags.contains("\"new\"") && !tags.contains("\"ui\""), "{tags}");
    // The values go along with the name, and are read at once by it.
    let rows = office
        .call("query_database", json!({"database": "Tasks", "fields": ["Days"], "where": {"Days": {">": 0}}}))
        .await;
    assert!(!rows.starts_with("0 rows"), "{rows}");
    let same = json!({"database": "Tasks", "change": {"Risk": "select(Low, High)"}});
    assert!(office.call("update_schema", same).await.starts_with("Nothing changed"));
    let title = json!({"database": "Tasks", "remove": ["Task"]});
    assert!(office.refusal("update_schema", title).await.for_agent().contains("every table keeps"));
}

#[tokio::test(start_paused = true)]
async fn a_view_is_saved_by_the_words_of_a_query_and_answers_as_one() {
    let office = Office::open().await;
    let view = json!({"database": "Tasks", "name": "High", "where": {"Priority": "High"}, "sort": ["-Due"]});
    let text = office.call("save_view", view).await;
    let id = id_in(&text);
    let by_view = office.call("query_database", json!({"database": id, "limit": 50})).await;
    let by_where = office
        .call(
            "query_database",
            json!({"database": "Tasks", "where": {"Priority": "High"}, "sort": ["-Due"], "limit": 50}),
        )
        .await;
    let rows = |text: &str| {
        text.lines().filter(|line| line.starts_with("7a5c")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!rows(&by_view).is_empty());
    assert_eq!(rows(&by_view), rows(&by_where));
    office.call("save_view", json!({"view": id, "name": "All", "clear": ["where"]})).await;
    let all = office.call("query_database", json!({"database": id, "limit": 50})).await;
    assert!(rows(&all).len() > rows(&by_view).len(), "{all}");
    let board = json!({"database": "Tasks", "name": "Board", "type": "board"});
    assert!(office.refusal("save_view", board).await.for_agent().contains("group_by"));
    office
        .call("save_view", json!({"database": "Tasks", "name": "Days", "type": "calendar", "date": "Due"}))
        .await;
    let dump = office.dump();
    let days = dump["views"].as_object().unwrap().values().find(|view| view["name"] == "Days").unwrap();
    assert!(days["configuration"]["date_property_id"].is_string(), "{days}");
    office.call("delete_view", json!({"view": id})).await;
    assert!(office.dump()["views"].as_object().unwrap().values().all(|view| view["name"] != "All"));
}

#[tokio::test(start_paused = true)]
async fn a_comment_of_ones_own_says_something_else() {
    let office = Office::open().await;
    let own = "c0330000000040008000000000000005";
    let text = office.call("edit_comment", json!({"id": own, "text": "Noted in **ENG-28**"})).await;
    assert!(
        text.contains("- Noted, the page is linked in ENG-28.") && text.contains("+ Noted in **ENG-28**"),
        "{text}"
    );
    let others = json!({"id": "c0330000000040008000000000000001", "text": "Mine now"});
    assert_eq!(office.refusal("edit_comment", others).await.kind(), Kind::Permission);
    // What Notion would refuse, the preview does.
    let theirs = json!({"id": "c0330000000040008000000000000001", "text": "Mine now", "dry_run": true});
    assert_eq!(office.refusal("edit_comment", theirs).await.kind(), Kind::Permission);
}

/// A person writes as it comes; what cannot be meant is said.
#[tokio::test(start_paused = true)]
async fn values_are_taken_as_people_write_them() {
    let office = Office::open().await;
    let page = json!({"title": "Call Elena", "properties": {"Status": "todo", "Owner": "tomas herrera", "Due": "tomorrow 09:00"}});
    let text = office.call("create_pages", json!({"parent": "tasks", "pages": [page]})).await;
    let values = office.node(&id_in(text.split(" · ").nth(1).unwrap()))["data"]["properties"].clone();
    assert_eq!(values["Status"]["status"]["name"], "To do");
    assert_eq!(values["Owner"]["people"][0]["name"], "Tomás Herrera");
    assert!(values["Due"]["date"]["start"].as_str().unwrap().contains("T09:00:00"), "{values}");
    let text = office.call("query_database", json!({"database": "Tasks", "where": {"Owner": "me"}})).await;
    assert!(text.contains("Give a person's name"), "{text}");
    let text = office.call("edit_content", json!({"id": RUNBOOK, "append": "The end"})).await;
    assert!(text.contains("+ The end") && !text.contains("</callout>"), "only what changed is shown: {text}");
}

/// A page is watched by its text and values, also within one minute of Notion's times.
#[tokio::test(start_paused = true)]
async fn a_page_that_is_watched_tells_of_every_edit() {
    let office = Office::open().await;
    let page = format!("notion://page/{RUNBOOK}");
    let mut client = office.client();
    assert_eq!(
        client.subscribe(&[&page, "notion://comments/9a9e0000000040008000000000000005"]).await,
        [page.as_str()]
    );
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    office.call("edit_content", json!({"id": RUNBOOK, "append": "One"})).await;
    assert_eq!(client.news().await, page);
    office.call("edit_content", json!({"id": RUNBOOK, "append": "Two"})).await;
    assert_eq!(client.news().await, page);
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    client.nothing_new().await;
}

/// A refusal names whose budget is used up (request-limits, `rate_limit_reason`): only that one is waited for.
#[tokio::test(start_paused = true)]
async fn a_budget_of_one_part_of_the_api_stops_no_other() {
    let office = Office::open().await;
    let refuse = async |reason: &str| {
        office.steer(json!({"requests_a_minute": 0, "limit_reason": reason})).await;
        let error = office.refusal("search", json!({"query": "import"})).await;
        assert_eq!(error.kind(), Kind::RateLimited, "{error}");
        office.steer(json!({"requests_a_minute": 600})).await;
    };
    refuse("public_api_endpoint_rate_limit").await;
    office.call("get_page", json!({"id": RUNBOOK})).await;
    let text = office.call("whoami", json!({})).await;
    assert!(text.contains("requests for search"), "{text}");
    assert_eq!(office.refusal("search", json!({})).await.kind(), Kind::RateLimited);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    office.call("search", json!({})).await;
    refuse("public_api_space_request_rate_limit").await;
    assert_eq!(office.refusal("get_page", json!({"id": RUNBOOK})).await.kind(), Kind::RateLimited);
}

/// What is inside blocks is listed with them, indented, as deep as it was asked for.
#[tokio::test(start_paused = true)]
async fn blocks_are_listed_with_those_inside_them() {
    let office = Office::open().await;
    let markdown = format!("- One\n\t- Two\n\t\t- Three\n- Many\n{}", "\t- inside\n".repeat(60));
    let page = json!({"title": "Nested", "markdown": markdown});
    let id = id_in(&office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await);
    let list = async |depth: u32| {
        let text = office.call("get_blocks", json!({"id": id, "depth": depth})).await;
        let rows = inside(&text).into_iter();
        rows.map(|row| row.replacen(&id_in(&row), "id", 1)).collect::<Vec<_>>()
    };
    let (item, more) = ("id | bulleted_list_item |", "id | bulleted_list_item + |");
    assert_eq!(list(1).await, [format!("{more} One"), format!("{more} Many")]);
    let two = list(2).await;
    assert_eq!(two[..2], [format!("{item} One"), format!("  {more} Two")]);
    // As much as a row has room for, and the mark of more.
    assert_eq!((two[2].clone(), two.len()), (format!("{more} Many"), 3 + 40));
    let three = list(3).await;
    assert_eq!(three[..3], [format!("{item} One"), format!("  {item} Two"), format!("    {item} Three")]);
    assert_eq!(list(9).await, three);
}

/// SDK 5.26.0, `meeting_notes`; retrieve-page-markdown: transcripts are left out unless `include_transcript` asks.
#[tokio::test(start_paused = true)]
async fn meeting_notes_are_read_and_their_transcripts_where_they_are_asked_for() {
    let office = Office::open().await;
    let meeting = "3ee70000000040008000000000000002";
    let text = office.call("get_page", json!({"id": meeting})).await;
    assert!(text.contains("\n<meeting-notes>\n\tPlanning\n\t<summary>\n\t\t- Writes first"), "{text}");
    assert!(text.contains("\t<transcript url=") && !text.contains("What is first?"), "{text}");
    let hash = |text: &str| text.split("hash ").nth(1).unwrap()[..12].to_owned();
    let whole = office.call("get_page", json!({"id": meeting, "include": ["transcripts"]})).await;
    assert!(whole.contains("\t<transcript>\n\t\tMaya: What is first?\n"), "{whole}");
    assert_eq!(hash(&whole), hash(&text), "the hash is that of the text that is edited");
    let blocks = office.call("get_blocks", json!({"id": meeting, "depth": 3})).await;
    assert!(blocks.contains("| meeting_notes | Planning\n"), "{blocks}");
    assert!(blocks.contains("| paragraph | Tomás: The writes."), "{blocks}");
    // An edit beside it leaves what was said as it was.
    let transcript = office.count("What is first?");
    let edit = json!([{"old": "Ask Northwind for a date", "new": "Northwind wants a date"}]);
    office.call("edit_content", json!({"id": meeting, "edits": edit, "expected_hash": hash(&text)})).await;
    assert_eq!((office.count("What is first?"), transcript), (1, 1));
}
