//! The server that authors copy, as the shared tests see it. The notes named here are those of the sandbox's seed.

use connector::sandbox::{Action, Change};
use serde_json::{Value, json};
use template_mcp::Template;

use crate::{IdForm, IdWalk, Marked, Sample, Subject};

/// The server that this is about.
pub type Server = Template;

const LIST: &str = "GET /notes";
const GET: &str = "GET /notes/{id}";

fn search(limit: u32) -> Sample {
    Sample::new("search", json!({"limit": limit}))
}

fn get_note() -> Sample {
    Sample::new("get_note", json!({"id": "note_003"}))
}

fn create_note() -> Sample {
    Sample::new("create_note", json!({"title": "Runbook", "text": "What to do at night."}))
}

impl Subject for Template {
    const LIST_BUDGET: usize = 400;
    const TWENTY_ROWS_BUDGET: usize = 800;
    const CREDENTIAL: &'static str = "token";
    const REFUSED_CREDENTIAL: &'static str = "template_revoked_9f3k2m1x7c5v";
    const READ_ONLY_CREDENTIAL: Option<(&'static str, &'static str)> = None;
    const PACE: (usize, Option<usize>) = (1, None);
    const LACKS: &'static [(&'static str, &'static str)] = &[
        ("repeatable_create", "the vendor has no keys that make a repeat harmless"),
        ("cached_read", "notes change at any time"),
        ("one_of_several_gone", "no tool reads several things"),
        ("outdated_write", "nothing is changed, only made"),
        ("overtaken", "no tool asks"),
        ("bounded", "an operator can put nothing out of bounds"),
    ];

    fn reads() -> Vec<Sample> {
        vec![
            Sample::new("whoami", json!({})),
            search(40),
            Sample::new("search", json!({"query": "Northwind release"})),
            get_note(),
        ]
    }

    fn writes() -> Vec<Sample> {
        vec![create_note()]
    }

    fn marked_writes(marker: &str) -> Vec<Marked> {
        vec![Marked::makes(Sample::new("create_note", json!({"title": marker, "text": "Agreed."})))]
    }

    fn listing() -> (Sample, &'static str) {
        (search(7), LIST)
    }

    fn twenty_rows() -> Sample {
        search(20)
    }

    fn repeatable_create() -> Option<(Sample, &'static str)> {
        None
    }

    fn once_only_write() -> Option<(Sample, &'static str)> {
        Some((create_note(), "POST /notes"))
    }

    fn read_one() -> (Sample, &'static str) {
        (get_note(), GET)
    }

    fn cached_read() -> Option<(Sample, &'static str)> {
        None
    }

    fn drifts() -> Vec<(Sample, &'static str, Action)> {
        let list = |change| (search(5), LIST, Action::Patch { changes: vec![change] });
        let get = |change| (get_note(), GET, Action::Patch { changes: vec![change] });
        vec![
            list(Change::set("/notes/0/id", json!(7))),
            list(Change::set("/notes/0/title", Value::Null)),
            get(Change::set("/author", json!(["maya"]))),
            get(Change::remove("/edited")),
        ]
    }

    fn one_of_several_gone() -> Option<(Sample, &'static str, &'static str)> {
        None
    }

    fn outdated_write() -> Option<Sample> {
        None
    }

    fn ids() -> Vec<IdWalk> {
        vec![IdWalk {
            needed: ("get_note", "id"),
            given_by: search(5),
            form: IdForm::Word("note_"),
            others: json!({}),
        }]
    }

    fn count_created(dump: &Value) -> usize {
        dump["notes"].as_array().map_or(0, Vec::len)
    }
}
