//! Texts and blocks edited: what was read can be written, code is code, nothing goes unsaid.

use connector::Kind;
use connector::sandbox::{Action, Change, Rule};
use serde_json::{Value, json};

use crate::support::{ONBOARDING, Office, POST_MORTEM, RUNBOOK, RUNBOOKS, TASK, id_in, inside};

/// The id of the block that says exactly `words`.
fn block(office: &Office, words: &str) -> String {
    let dump = office.dump();
    let nodes = dump["nodes"].as_object().unwrap();
    let says = |node: &Value| {
        let kind = node["data"]["type"].as_str().unwrap_or_default();
        let runs = node["data"][kind]["rich_text"].as_array().into_iter().flatten();
        runs.filter_map(|run| run["text"]["content"].as_str()).collect::<String>() == words
    };
    nodes
        .iter()
        .find(|(_, node)| says(node))
        .unwrap_or_else(|| panic!("nothing says {words}"))
        .0
        .replace('-', "")
}

async fn page(office: &Office, markdown: &str) -> String {
    let page = json!({"title": "Edited", "markdown": markdown});
    id_in(&office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await)
}

async fn read(office: &Office, id: &str) -> Vec<String> {
    inside(&office.call("get_page", json!({"id": id})).await)
}

/// A passage as get_page shows it is found, and a file that is written back is the file that it was.
#[tokio::test(start_paused = true)]
async fn what_was_read_of_files_and_linked_databases_can_be_written_back() {
    let office = Office::open().await;
    let upload = json!({"to": ONBOARDING, "filename": "plan.png", "content": "aGVsbG8="});
    let text = office.call("upload_file", upload).await;
    office.call("edit_content", json!({"id": ONBOARDING, "append": "Below the plan"})).await;
    let image = id_in(text.split("block ").nth(1).unwrap());
    let before = office.node(&image)["data"].clone();
    let lines = read(&office, ONBOARDING).await;
    let line = lines.iter().find(|line| line.starts_with("![")).unwrap();
    assert!(!line.contains("X-Amz"), "{line}");
    let edit = json!([{"old": line, "new": format!("{line}\nAfter the plan")}]);
    office.call("edit_content", json!({"id": ONBOARDING, "edits": edit})).await;
    assert_eq!(office.node(&image)["data"], before);
    let whole = format!("{}\nThe last line", read(&office, ONBOARDING).await.join("\n"));
    office.call("edit_content", json!({"id": ONBOARDING, "replace_all": whole})).await;
    assert_eq!(office.node(&image)["data"], before, "the file became another");
    let weekly = "9a9e0000000040008000000000000009";
    let lines = read(&office, weekly).await;
    let line = lines.iter().find(|line| line.contains("[linked database")).unwrap();
    let edit = json!([{"old": line, "new": format!("Before it\n{line}")}]);
    let text = office.call("edit_content", json!({"id": weekly, "edits": edit})).await;
    assert!(text.contains("+ Before it") && !text.contains("- <database"), "{text}");
}

/// N1. What is put into code is code: no tabs for blanks, no links, no mentions.
#[tokio::test(start_paused = true)]
async fn an_edit_inside_code_is_not_read_as_markdown() {
    let office = Office::open().await;
    let id = page(&office, "````yaml\nsteps:\n  - run: x\n```\n````\nAsk @Grace Mbeki").await;
    let new = "  - run: x\n    - y: [a](./b) <https://c.example>\n      - z: @Priya Raman";
    let edit = json!([{"old": "  - run: x", "new": new}]);
    let text = office.call("edit_content", json!({"id": id, "edits": edit})).await;
    assert!(!text.contains("Mentions") && !text.contains("kept as text"), "{text}");
    let now = read(&office, &id).await;
    assert_eq!(now[..6].join("\n"), format!("````yaml\nsteps:\n{new}\n```"));
    // A fence within a longer one ends nothing.
    let nested = page(&office, "````plain text\n```\nAsk @Grace Mbeki\n````").await;
    assert!(read(&office, &nested).await.contains(&"Ask @Grace Mbeki".to_owned()));
    // The same words in code and in text are edited apart.
    let id = page(&office, "```plain text\nsame words\n```\nsame words").await;
    let edit = json!({"id": id, "edits": [{"old": "same words", "new": "[a](./b)", "all": true}]});
    let error = office.refusal("edit_content", edit).await;
    assert!(error.for_agent().contains("stands in code and in text"), "{error}");
}

/// N9 for blocks: what is inside a block goes with it, and pages are more than blocks.
#[tokio::test(start_paused = true)]
async fn a_block_with_pages_in_it_is_not_deleted() {
    let office = Office::open().await;
    let nested = format!(
        "<details>\n<summary>Put away</summary>\n\t- Outer\n\t\t- Inner\n\t\t\t<page url=\"https://www.notion.so/{RUNBOOK}\"/>\n</details>"
    );
    let id = page(&office, &nested).await;
    let delete = |id: &str| json!({"edits": [{"action": "delete", "id": id}]});
    let error = office.refusal("edit_blocks", delete(&block(&office, "Put away"))).await;
    assert!(error.for_agent().contains(&format!("Retry a failed import ({RUNBOOK})")), "{error}");
    assert_eq!(office.sent("DELETE /blocks/{id}"), 0);
    office.call("move_pages", json!({"ids": [RUNBOOK], "parent": RUNBOOKS})).await;
    let text = office.call("edit_blocks", delete(&block(&office, "Put away"))).await;
    assert!(text.contains("with 2 blocks in it"), "{text}");
    assert!(office.call("get_page", json!({"id": id})).await.contains("Edited"));
}

/// N1. A block of code is updated by the code itself; what its text loses is named.
#[tokio::test(start_paused = true)]
async fn code_is_updated_to_the_byte_and_marks_that_go_are_named() {
    let office = Office::open().await;
    page(&office, "```rust\nlet old;\n```\nSee [the plan](https://x.example) in **bold**").await;
    let code = block(&office, "let old;");
    let new = "*a \\* <br>\n    - [x](./y) @Grace Mbeki {\n}";
    let update = |id: &str, text: &str| json!({"edits": [{"action": "update", "id": id, "markdown": text}]});
    let text = office.call("edit_blocks", update(&code, new)).await;
    assert!(!text.contains("Mentions"), "{text}");
    let now = office.node(&code)["data"]["code"].clone();
    assert_eq!((&now["rich_text"][0]["text"]["content"], &now["language"]), (&json!(new), &json!("rust")));
    let line = block(&office, "See the plan in bold");
    let text = office.call("edit_blocks", update(&line, "See the plan in bold")).await;
    assert!(text.contains("1 link of the old text is not in the new one."), "{text}");
    assert!(text.contains("1 marked passage"), "{text}");
    // What Notion accepts and does not do is no success.
    let ignored = Change::set("/paragraph/rich_text", json!([]));
    let rule = Rule::new("PATCH /blocks/{id}", Action::Patch { changes: vec![ignored] });
    office.harness().faults().add(rule);
    let error = office.refusal("edit_blocks", update(&line, "Other words")).await;
    assert_eq!(error.kind(), Kind::Upstream, "{error}");
}

/// The address that a person copies names the block, or the page that is open.
#[tokio::test(start_paused = true)]
async fn an_address_means_what_it_shows() {
    let office = Office::open().await;
    let sentence = "3387f0800d178100b2c4000000000036";
    let address = format!("https://www.notion.so/harbor/Post-mortem-{POST_MORTEM}#{sentence}");
    let text = office.call("add_comment", json!({"id": address, "text": "Here"})).await;
    assert!(text.contains("on \"Chunk writes were not idempotent"), "{text}");
    let text = office.call("list_comments", json!({"id": sentence})).await;
    assert!(
        text.contains(" on \"Chunk writes were not idempotent") && !text.contains("on the page"),
        "{text}"
    );
    let database = "db000000000040008000000000000001";
    let beside = format!(
        "https://www.notion.so/harbor/{database}?v=f1e30000000040008000000000000001&p={RUNBOOK}&pm=s"
    );
    assert!(office.call("get_page", json!({"id": beside})).await.starts_with("Retry a failed import"));
    let edits = json!([{"action": "append", "id": address, "markdown": "Inside"}]);
    let text = office.call("edit_blocks", json!({"edits": edits, "dry_run": true})).await;
    assert!(text.contains(&format!("1 block in paragraph {sentence}")), "{text}");
}

/// An edit of a comment that Notion accepts and does not do is no success.
#[tokio::test(start_paused = true)]
async fn a_comment_that_stays_as_it_was_is_not_told_as_edited() {
    let office = Office::open().await;
    let changes = vec![Change::set("/rich_text", json!([]))];
    office.harness().faults().add(Rule::new("PATCH /comments/{id}", Action::Patch { changes }));
    let edit = json!({"id": crate::support::OWN_COMMENT, "text": "Noted twice"});
    let error = office.refusal("edit_comment", edit).await;
    assert_eq!(error.kind(), Kind::Upstream, "{error}");
}

/// enhanced-markdown, "Lists", shows `1.` alone: whether Notion counts the items of a list, it does not publish.
#[tokio::test(start_paused = true)]
async fn items_of_a_list_are_found_however_they_are_numbered() {
    for unnumbered in [false, true] {
        let office = Office::open().await;
        office.steer(json!({"unnumbered": unnumbered})).await;
        let steps = "Steps:\n1. Stop\n2. Wait\n3. Start\n```plain text\n2. Wait\n```";
        let id = page(&office, steps).await;
        let edit = |edits: Value| json!({"id": id, "edits": edits});
        let read = async || inside(&office.call("get_page", json!({"id": id})).await).join("\n");
        assert_eq!(read().await.contains("\n2. Wait\n3. Start"), !unnumbered);
        for (old, new) in
            [("1. Wait\n1. Start", "1. Wait an hour\n1. Start"), ("2. Wait an hour", "2. Wait a day")]
        {
            office.call("edit_content", edit(json!([{"old": old, "new": new}]))).await;
        }
        let text = read().await;
        assert!(text.contains(". Wait a day\n") && text.contains("```plain text\n2. Wait\n```"), "{text}");
        // Numbers alone are no change, and code has none.
        let other = text.replace("1. Stop", "4. Stop");
        let reply = office.call("edit_content", json!({"id": id, "replace_all": other})).await;
        assert!(reply.starts_with("Nothing changed"), "{reply}");
        // One more item counts the others on; that is no reason not to find what was written.
        office.harness().faults().add(Rule::new("PATCH /pages/{id}/markdown", Action::CloseAfter));
        let more = json!([{"old": "Stop", "new": "Stop\n1. Look"}]);
        let reply = office.call("edit_content", edit(more)).await;
        assert!(reply.contains("the page was read back and has it"), "{reply}");
        let text = read().await;
        let items = text.lines().filter(|line| line.contains(". ") && !line.starts_with("2. Wait\n")).count();
        assert!(items >= 5 && text.contains(". Look\n"), "{text}");
    }
}

/// N6. To a row that is there a template is added; in place of its text it asks, and child pages stay
/// (SDK 5.26.0, update page: `template`, `erase_content`).
#[tokio::test(start_paused = true)]
async fn a_template_is_added_to_a_row_or_put_in_place_of_its_text() {
    let office = Office::asking().await;
    let sprint = "## Goal\n<empty-block/>\n## Tasks of the sprint\n- [ ] Plan\n- [ ] Review";
    let sent = || office.harness().journal().of("PATCH /pages/{id}").pop().unwrap().json();
    office.call("edit_content", json!({"id": TASK, "append": "Kept"})).await;
    let before = read(&office, TASK).await.join("\n");
    let add = json!({"id": TASK, "template": "sprint"});
    assert_eq!(office.question("edit_content", add).await, None, "what is added asks nobody");
    assert_eq!(read(&office, TASK).await.join("\n"), format!("{before}\n{sprint}"));
    assert_eq!(sent()["template"]["timezone"], "UTC");
    assert!(sent()["erase_content"].is_null());
    let replace = json!({"id": TASK, "template": "Sprint", "clear": ["content"]});
    let asked = office.question("edit_content", replace.clone()).await.unwrap();
    assert!(asked.contains("Replace the whole text of ") && asked.contains("\n- Kept\n"), "{asked}");
    let text = office.call("edit_content", replace.clone()).await;
    assert!(text.contains("Applied the template Sprint to ") && text.contains("New hash "), "{text}");
    assert_eq!(read(&office, TASK).await.join("\n"), sprint);
    // What was lost on the way back is there, and is not done twice.
    office.harness().faults().add(Rule::new("PATCH /pages/{id}", Action::CloseAfter));
    let times = office.sent("PATCH /pages/{id}");
    let text = office.call("edit_content", json!({"id": TASK, "template": "Bug report"})).await;
    assert!(text.contains("Its answer was lost") && text.contains("+ ## What happened"), "{text}");
    assert_eq!(office.sent("PATCH /pages/{id}"), times + 1);
    // Two of one name are told apart by nobody.
    let twins = vec![Change::set("/templates/*/name", json!("Sprint"))];
    let office = Office::open().await;
    office
        .harness()
        .faults()
        .add(Rule::new("GET /data_sources/{id}/templates", Action::Patch { changes: twins }));
    let error = office.refusal("edit_content", json!({"id": TASK, "template": "Sprint"})).await;
    assert!(error.for_agent().contains("2 templates of Tasks are called `Sprint`"), "{error}");
    let office = Office::asking().await;
    // Pages in the text would go with it.
    let line = format!("<page url=\"https://www.notion.so/{RUNBOOK}\"/>");
    office.call("edit_content", json!({"id": TASK, "append": line})).await;
    let error = office.refusal("edit_content", replace).await;
    assert!(error.for_agent().contains("into the trash: Retry a failed import"), "{error}");
    let mut allowed = json!({"id": TASK, "template": "Sprint", "clear": ["content"]});
    allowed["allow_deleting_children"] = json!(true);
    let asked = office.question("edit_content", allowed.clone()).await.unwrap();
    assert!(asked.contains("Goes into the trash: Retry a failed import"), "{asked}");
    office.call("edit_content", allowed).await;
    assert_eq!(office.node(RUNBOOK)["in_trash"], true);
    // It is applied in the background, whenever that is.
    office.steer(json!({"template_looks": 1000})).await;
    let text = office.call("edit_content", json!({"id": TASK, "template": "Bug report"})).await;
    assert!(text.contains("is still being applied"), "{text}");
    let asked = office.harness().journal().entries().len();
    let both = office.refusal("edit_content", json!({"id": TASK, "template": "Sprint", "append": "x"})).await;
    assert_eq!(both.kind(), Kind::InvalidArgument, "{both}");
    assert_eq!(office.harness().journal().entries().len(), asked, "refused before any call");
    let outside = office.refusal("edit_content", json!({"id": RUNBOOKS, "template": "Sprint"})).await;
    assert!(outside.for_agent().contains("only tables have templates"), "{outside}");
}
