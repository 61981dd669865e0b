//! Notion, as the shared tests see it. The rows named here are those of the sandbox's seed.

mod marked;

use connector::sandbox::{Action, Change};
use notion_mcp::Notion;
use serde_json::{Value, json};

use crate::{IdForm, IdWalk, Marked, Overtaken, Sample, Subject};

/// The server that this is about.
pub type Server = Notion;

/// The table of tasks, a task, a page with comments, a runbook, a page with a comment of the connection's own.
const TASKS: &str = "50ce0000-0000-4000-8000-000000000001";
const TASK: &str = "7a5c0000-0000-4000-8000-000000000003";
const POST_MORTEM: &str = "9a9e0000-0000-4000-8000-000000000003";
const RUNBOOK: &str = "9a9e0000-0000-4000-8000-000000000005";
const ONBOARDING: &str = "9a9e0000-0000-4000-8000-000000000011";
const OWN_COMMENT: &str = "c0330000-0000-4000-8000-000000000005";
/// Blocks of the seed: a paragraph and a file of the post-mortem, a step and a call-out of the runbook.
const CAUSE: &str = "3387f080-0d17-8100-b2c4-000000000036";
const TIMELINE: &str = "3387f080-0d17-8100-b2c4-000000000039";
const STEP: &str = "3387f080-0d17-8100-b2c4-000000000047";
const WARNING: &str = "3387f080-0d17-8100-b2c4-000000000048";
const VIEW: &str = "f1e30000-0000-4000-8000-000000000002";
/// `a,b` in base64.
const BYTES: &str = "YSxi";
const QUERY: &str = "POST /data_sources/{id}/query";

fn tasks(limit: u32) -> Sample {
    let fields = ["Status", "Due", "Owner", "Estimate", "Priority"];
    Sample::new("query_database", json!({"database": TASKS, "fields": fields, "limit": limit}))
}

impl Subject for Notion {
    const LIST_BUDGET: usize = 4_200;
    const TWENTY_ROWS_BUDGET: usize = 1_000;
    const CREDENTIAL: &'static str = "token";
    const REFUSED_CREDENTIAL: &'static str = "ntn_revoked_9f3k2m1x7c5v";
    const READ_ONLY_CREDENTIAL: Option<(&'static str, &'static str)> = Some(("ntn_readonly", "capability"));
    const PACE: (usize, Option<usize>) = (2, None);
    const LACKS: &'static [(&'static str, &'static str)] = &[
        ("bounded", "what a connection sees is shared with it in Notion"),
        (
            "repeatable_create",
            "Notion has no keys for repeated writes: a create whose answer is lost is looked for",
        ),
        ("one_of_several_gone", "no tool reads several things by name"),
    ];

    const NOT_MARKED: &'static [(&'static str, &'static str)] = marked::NOT_MARKED;

    fn reads() -> Vec<Sample> {
        let open = json!({"Status": ["To do", "In progress"], "Due": {"before": "one_month_from_now"}});
        vec![
            Sample::new("whoami", json!({})),
            Sample::new("search", json!({"query": "import"})),
            Sample::new("search", json!({"type": "database"})),
            Sample::new("get_page", json!({"id": "9a9e0000000040008000000000000002"})),
            Sample::new("get_page", json!({"id": "9a9e0000000040008000000000000008"})),
            Sample::new("get_page", json!({"id": TASK, "max_chars": 200})),
            Sample::new("get_blocks", json!({"id": POST_MORTEM})),
            Sample::new("get_database", json!({"database": "Tasks"})),
            Sample::new("query_database", json!({"database": "Tasks", "where": open, "sort": ["-Due"]})),
            tasks(100),
            Sample::new("query_database", json!({"database": "Tasks", "group_by": "Status"})),
            Sample::new("list_comments", json!({"id": POST_MORTEM})),
            Sample::new("list_users", json!({})),
            Sample::new("get_file", json!({"id": TIMELINE})),
        ]
    }

    fn writes() -> Vec<Sample> {
        let row =
            json!({"title": "Write the runbook", "properties": {"Status": "To do", "Due": "next friday"}});
        vec![
            Sample::new("create_pages", json!({"parent": "Tasks", "pages": [row]})),
            Sample::new("update_pages", json!({"pages": [{"id": TASK, "properties": {"Status": "Done"}}]})),
            Sample::new(
                "edit_content",
                json!({"id": RUNBOOK, "edits": [{"old": "retry the import", "new": "retry the import **once**"}]}),
            ),
            Sample::new("edit_content", json!({"id": RUNBOOK, "replace_all": "# Nothing to do"})),
            Sample::new("move_pages", json!({"ids": [RUNBOOK], "parent": ONBOARDING})),
            Sample::new("trash_pages", json!({"ids": [RUNBOOK]})),
            Sample::new("add_comment", json!({"id": POST_MORTEM, "text": "The fix is in **v2.14.0**."})),
            Sample::new("delete_comment", json!({"id": OWN_COMMENT})),
            Sample::new("edit_comment", json!({"id": OWN_COMMENT, "text": "Noted in **ENG-28**."})),
            Sample::new(
                "edit_blocks",
                json!({"edits": [
                    {"action": "append", "id": RUNBOOK, "markdown": "- [ ] Tell **Elena**"},
                    {"action": "insert_after", "id": STEP, "markdown": "Then wait"},
                    {"action": "update", "id": STEP, "markdown": "Tell customer success at once"}]}),
            ),
            Sample::new("edit_blocks", json!({"edits": [{"action": "delete", "id": WARNING}]})),
            Sample::new("upload_file", json!({"to": RUNBOOK, "filename": "a.csv", "content": BYTES})),
            Sample::new(
                "create_database",
                json!({"parent": RUNBOOK, "title": "Runs", "columns": {"Outcome": "select(Good, Bad)", "Task": "relation(Tasks)"}}),
            ),
            Sample::new(
                "update_schema",
                json!({"database": "Bugs", "add": {"Found": "date"}, "rename": {"Severity": "Level"}}),
            ),
            Sample::new("update_schema", json!({"database": "Bugs", "remove": ["Severity"]})),
            Sample::new(
                "save_view",
                json!({"database": "Tasks", "name": "Mine", "type": "board", "group_by": "Status", "where": {"Owner": "me"}}),
            ),
            Sample::new("save_view", json!({"view": VIEW, "sort": ["-Due"]})),
            Sample::new("delete_view", json!({"view": VIEW})),
        ]
    }

    fn marked_writes(marker: &str) -> Vec<Marked> {
        marked::writes(marker)
    }

    fn overtaken() -> Vec<Overtaken> {
        let six = ["1", "2", "3", "4", "5", "6"].map(|title| json!({"title": title}));
        let edit = |id: &str, text: &str| {
            Sample::new("edit_blocks", json!({"edits": [{"action": "update", "id": id, "markdown": text}]}))
        };
        vec![
            Overtaken::new(
                Sample::new("edit_content", json!({"id": RUNBOOK, "replace_all": "# Nothing to do"})),
                edit(STEP, "Meanwhile"),
            ),
            // The title names another page meanwhile.
            Overtaken::new(
                Sample::new("create_pages", json!({"parent": "Onboarding", "pages": six})),
                Sample::new(
                    "update_pages",
                    json!({"pages": [
                        {"id": ONBOARDING, "properties": {"title": "First days"}},
                        {"id": RUNBOOK, "properties": {"title": "Onboarding"}}]}),
                ),
            ),
            Overtaken::new(
                Sample::new("trash_pages", json!({"ids": [TASK]})),
                Sample::new("update_pages", json!({"pages": [{"id": TASK, "properties": {"Estimate": 21}}]})),
            ),
            Overtaken::new(
                Sample::new("edit_blocks", json!({"edits": [{"action": "delete", "id": CAUSE}]})),
                edit(CAUSE, "Meanwhile"),
            ),
            Overtaken::new(
                Sample::new("delete_comment", json!({"id": OWN_COMMENT})),
                Sample::new("edit_comment", json!({"id": OWN_COMMENT, "text": "Meanwhile"})),
            ),
            Overtaken::new(
                Sample::new("update_schema", json!({"database": "Bugs", "remove": ["Severity"]})),
                Sample::new(
                    "update_schema",
                    json!({"database": "Bugs", "change": {"Severity": "select(+S3)"}}),
                ),
            ),
            Overtaken::new(
                Sample::new("delete_view", json!({"view": VIEW})),
                Sample::new("save_view", json!({"view": VIEW, "sort": ["Task"]})),
            ),
        ]
    }

    fn listing() -> (Sample, &'static str) {
        (tasks(7), QUERY)
    }

    fn twenty_rows() -> Sample {
        tasks(20)
    }

    /// Notion has no keys for repeated writes: a create whose answer is lost is looked for.
    fn repeatable_create() -> Option<(Sample, &'static str)> {
        None
    }

    fn once_only_write() -> Option<(Sample, &'static str)> {
        Some((Sample::new("delete_comment", json!({"id": OWN_COMMENT})), "DELETE /comments/{id}"))
    }

    fn read_one() -> (Sample, &'static str) {
        // At the top of the workspace: no page above it is read for its name.
        (Sample::new("get_page", json!({"id": ONBOARDING})), "GET /pages/{id}")
    }

    fn cached_read() -> Option<(Sample, &'static str)> {
        // It links to no other table, whose name would be read too.
        let features = "50ce0000-0000-4000-8000-000000000003";
        Some((Sample::new("get_database", json!({"database": features})), "GET /data_sources/{id}"))
    }

    fn drifts() -> Vec<(Sample, &'static str, Action)> {
        let rows = |change| (tasks(5), QUERY, Action::Patch { changes: vec![change] });
        let page = |change| {
            let sample = Sample::new("get_page", json!({"id": TASK}));
            (sample, "GET /pages/{id}", Action::Patch { changes: vec![change] })
        };
        vec![
            rows(Change::set("/results/*/properties/Status/status", Value::Null)),
            rows(Change::set("/results/*/properties/Estimate/number", json!("3"))),
            rows(Change::set("/results/0/properties/Owner", Value::Null)),
            rows(Change::remove("/results/0/properties/Due")),
            rows(Change::set("/results/*/properties/Priority/type", json!("rating"))),
            page(Change::set("/properties/Status/status/name", json!(7))),
            page(Change::remove("/url")),
            page(Change::set("/parent", Value::Null)),
            rows(Change::set("/results/*/in_trash", json!("false"))),
            page(Change::set("/last_edited_time", json!(1_764_547_200))),
            page(Change::set("/in_trash", json!("false"))),
        ]
    }

    fn one_of_several_gone() -> Option<(Sample, &'static str, &'static str)> {
        None
    }

    fn foreign_addresses() -> Vec<Sample> {
        let page = format!("https://example.com/harbor/Runbook-{RUNBOOK}");
        vec![
            Sample::new("get_page", json!({"id": page})),
            Sample::new("edit_content", json!({"id": page, "append": "x"})),
            Sample::new("list_comments", json!({"id": page})),
        ]
    }

    fn outdated_write() -> Option<Sample> {
        Some(Sample::new(
            "edit_content",
            json!({"id": RUNBOOK, "append": "More", "expected_hash": "000000000000"}),
        ))
    }

    fn ids() -> Vec<IdWalk> {
        let walk = |needed, given_by: Sample, others| IdWalk {
            needed,
            given_by,
            form: IdForm::Hexadecimal(32),
            others,
        };
        let pages = || Sample::new("search", json!({"query": "Retry a failed import", "type": "page"}));
        let tables = || Sample::new("search", json!({"query": "Tasks", "type": "database"}));
        let blocks = || Sample::new("get_blocks", json!({"id": POST_MORTEM, "limit": 2}));
        let files = || Sample::new("search", json!({"query": "Runbooks"}));
        let comments = || Sample::new("list_comments", json!({"id": ONBOARDING}));
        vec![
            walk(("get_page", "id"), pages(), json!({})),
            walk(("get_blocks", "id"), pages(), json!({})),
            walk(("list_comments", "id"), pages(), json!({})),
            walk(("edit_content", "id"), pages(), json!({"append": "Seen."})),
            walk(("move_pages", "ids"), pages(), json!({"parent": ONBOARDING})),
            walk(("move_pages", "parent"), tables(), json!({"ids": [RUNBOOK]})),
            walk(("trash_pages", "ids"), pages(), json!({})),
            walk(("add_comment", "id"), pages(), json!({"text": "Seen."})),
            walk(("get_database", "database"), tables(), json!({})),
            walk(("query_database", "database"), tables(), json!({})),
            walk(("create_pages", "parent"), tables(), json!({"pages": [{"title": "New"}]})),
            walk(("delete_comment", "id"), comments(), json!({})),
            walk(("edit_comment", "id"), comments(), json!({"text": "Seen."})),
            walk(("get_blocks", "id"), blocks(), json!({})),
            walk(("upload_file", "to"), files(), json!({"filename": "a.csv", "content": BYTES})),
            walk(("create_database", "parent"), files(), json!({"title": "Runs"})),
            walk(("update_schema", "database"), tables(), json!({"add": {"Found": "date"}})),
            walk(("save_view", "database"), tables(), json!({"name": "New"})),
            IdWalk {
                needed: ("delete_view", "view"),
                given_by: Sample::new("get_database", json!({"database": "Tasks"})),
                form: IdForm::Word("f1e3"),
                others: json!({}),
            },
            IdWalk {
                needed: ("add_comment", "discussion"),
                given_by: comments(),
                form: IdForm::Word("d15c"),
                others: json!({"text": "Yes."}),
            },
        ]
    }

    fn count_created(dump: &Value) -> usize {
        dump["nodes"].as_object().map_or(0, serde_json::Map::len)
    }
}
