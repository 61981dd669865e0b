//! Files: shown as what they are, and fetched from nowhere but Slack.

use std::collections::BTreeMap;

use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
    testing::Sample,
};
use serde_json::{Value, json};

use crate::support::{Server, sent};

const GRAPH: &str = "F0GRAPH0001";

fn read(more: Value) -> Sample {
    let sample = Sample::new("read_file", json!({"file": GRAPH}));
    more.as_object().unwrap().iter().fold(sample, |sample, (name, value)| sample.with(name, value.clone()))
}

fn is(server: &Server, changes: Vec<Change>) {
    server.harness().faults().add(Rule::new("files.info", Action::Patch { changes }));
}

#[tokio::test(start_paused = true)]
async fn a_text_is_shown_in_parts_an_image_as_one_and_what_is_neither_not_at_all() {
    let server = Server::start().await;
    let whole = server.call(&read(json!({}))).await.text;
    assert!(whole.contains("hour,restarts") && whole.contains("Northwind import window"), "{whole}");
    let long = "row\n".repeat(200);
    let upload = json!({"channel": "#eng-imports", "filename": "long.txt", "text": long});
    let reply = server.call(&Sample::new("upload_file", upload)).await.text;
    let id = reply.split("file ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let part =
        |offset: u32| Sample::new("read_file", json!({"file": id, "max_chars": 200, "offset": offset}));
    let first = server.call(&part(0)).await.text;
    assert!(first.contains("more characters: ask with offset="), "{first}");
    let rest = server.call(&part(700)).await.text;
    assert!(!rest.contains("more characters"), "{rest}");
    is(&server, vec![Change::set("/file/mimetype", json!("image/png"))]);
    let image = server.call(&read(json!({}))).await;
    assert_eq!(image.images.len(), 1, "{}", image.text);
    is(&server, vec![Change::set("/file/mimetype", json!("application/zip"))]);
    let reply = server.call(&read(json!({}))).await.text;
    assert!(reply.contains("is not shown") && !reply.contains("hour,restarts"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn a_file_elsewhere_is_not_fetched_and_a_page_to_log_in_is_no_content() {
    let server = Server::start().await;
    for address in ["https://evil.example/files-pri/x", "http://files.slack.com/files-pri/x"] {
        is(
            &server,
            vec![
                Change::set("/file/url_private_download", json!(address)),
                Change::set("/file/url_private", json!(address)),
            ],
        );
        let error = server.refusal(&read(json!({}))).await;
        assert!(error.kind() == Kind::Upstream && error.message().contains("is not Slack's"), "{error}");
    }
    assert_eq!(server.harness().journal().count("GET /files-pri"), 0);
    let page = Action::Status {
        code: 200,
        headers: BTreeMap::from([("content-type".to_owned(), "text/html; charset=utf-8".to_owned())]),
        body: "<html>Sign in</html>".to_owned(),
        committed: false,
    };
    server.harness().faults().add(Rule::new("GET /files-pri", page));
    let error = server.refusal(&read(json!({}))).await;
    assert!(error.kind() == Kind::Permission && error.for_agent().contains("files:read"), "{error}");
    assert_eq!(sent(&server, "files.info").len(), 3);
}
