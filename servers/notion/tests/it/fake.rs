//! The fake behaves as Notion does, spoken to directly.

use std::net::SocketAddr;

use connector::sandbox::{self, Running};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

struct Fake {
    running: Running,
    client: Client,
}

impl Fake {
    async fn start() -> Self {
        connector::tls::install();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            running: sandbox::start(notion_mcp::sandbox::fake(), loopback).await.unwrap(),
            client: Client::new(),
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.running.url()))
    }

    /// A request with a token and the newest version.
    fn as_token(&self, token: &str, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}v1/{path}", self.running.url());
        self.client.request(method, url).bearer_auth(token).header("notion-version", "2026-03-11")
    }

    /// The answer to a request that must be done.
    async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self.as_token("ntn_sandbox", method, path);
        let request = if method == "GET" { request } else { request.json(&body) };
        let (status, answer) = answer(request).await;
        assert!(status < 300, "{method} {path}: {answer}");
        answer
    }

    /// The message of a request that must be refused as not valid.
    async fn refused(&self, method: &str, path: &str, body: &Value) -> String {
        let (status, body) = answer(self.as_token("ntn_sandbox", method, path).json(body)).await;
        assert_eq!((status, &body["code"]), (400, &json!("validation_error")), "{body}");
        body["message"].as_str().unwrap().to_owned()
    }
}

const PAGE: &str = "9a9e0000-0000-4000-8000-000000000004";
const BELOW: &str = "9a9e0000-0000-4000-8000-000000000005";
const TASK: &str = "7a5c0000-0000-4000-8000-000000000003";
const SOURCE: &str = "50ce0000-0000-4000-8000-000000000001";

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

fn words(text: &str) -> Value {
    json!([{"type": "text", "text": {"content": text}}])
}

/// A page is in one place of the tree, however often a text names it.
#[tokio::test]
async fn a_page_that_a_text_names_twice_is_there_once() {
    let fake = Fake::start().await;
    let [first, second] = [BELOW, "9a9e0000-0000-4000-8000-000000000006"];
    let line = |id: &str| format!("<page url=\"https://www.notion.so/{}\"/>", id.replace('-', ""));
    let text = [first, second, first].map(line).join("\n");
    let body = json!({"type": "replace_content", "replace_content": {"new_str": text}});
    fake.done("PATCH", &format!("pages/{PAGE}/markdown"), body).await;
    let children = fake.done("GET", &format!("blocks/{PAGE}/children"), Value::Null).await;
    let ids: Vec<_> = children["results"].as_array().unwrap().iter().map(id).collect();
    assert_eq!(ids, [second, first]);
}

/// What no tool of the server needs is there too, and answers.
#[tokio::test]
async fn every_route_answers() {
    let fake = Fake::start().await;
    let ask = async |method: &str, path: String, body: Value| fake.done(method, &path, body).await;
    let get = async |path: String| fake.done("GET", &path, Value::Null).await;
    let me = get("users/me".to_owned()).await;
    get("users".to_owned()).await;
    get(format!("users/{}", id(&me))).await;
    ask("POST", "search".to_owned(), json!({"query": "import"})).await;
    // Pages and their text.
    let new = json!({"parent": {"page_id": PAGE}, "properties": {"title": {"title": words("New")}}});
    let page = id(&ask("POST", "pages".to_owned(), new).await);
    get(format!("pages/{page}")).await;
    ask("PATCH", format!("pages/{page}"), json!({"icon": {"type": "emoji", "emoji": "⚓"}})).await;
    ask("POST", format!("pages/{page}/move"), json!({"parent": {"page_id": BELOW}})).await;
    get(format!("pages/{page}/properties/title")).await;
    let insert = json!({"type": "insert_content", "insert_content": {"content": "One\nTwo"}});
    ask("PATCH", format!("pages/{page}/markdown"), insert).await;
    assert_eq!(get(format!("pages/{page}/markdown")).await["markdown"], "One\nTwo");
    // Blocks.
    let blocks = get(format!("blocks/{page}/children")).await;
    let block = id(&blocks["results"][0]);
    get(format!("blocks/{block}")).await;
    ask("PATCH", format!("blocks/{block}"), json!({"paragraph": {"rich_text": words("1")}})).await;
    let more = json!({"children": [{"paragraph": {"rich_text": words("3")}}]});
    ask("PATCH", format!("blocks/{page}/children"), more).await;
    ask("DELETE", format!("blocks/{block}"), json!({})).await;
    let notes = ask("POST", "blocks/meeting_notes/query".to_owned(), json!({})).await;
    assert_eq!(notes["object"], "list");
    // Databases, tables, views.
    let columns = json!({"properties": {"Name": {"title": {}}}});
    let new = json!({"parent": {"page_id": PAGE}, "title": words("Runs"), "initial_data_source": columns});
    let database = id(&ask("POST", "databases".to_owned(), new).await);
    let named = ask("PATCH", format!("databases/{database}"), json!({"title": words("Nights")})).await;
    assert_eq!(named["title"][0]["plain_text"], "Nights");
    get(format!("databases/{database}")).await;
    let second = json!({"parent": {"database_id": database}, "title": words("Days"), "properties": columns["properties"]});
    let source = id(&ask("POST", "data_sources".to_owned(), second).await);
    let both = get(format!("databases/{database}")).await;
    assert_eq!(both["data_sources"].as_array().unwrap().len(), 2);
    let column = json!({"properties": {"When": {"date": {}}}});
    ask("PATCH", format!("data_sources/{source}"), column).await;
    get(format!("data_sources/{source}")).await;
    ask("POST", format!("data_sources/{source}/query"), json!({"page_size": 1})).await;
    get(format!("data_sources/{SOURCE}/templates")).await;
    let view = json!({"data_source_id": SOURCE, "name": "All", "type": "table"});
    let view = id(&ask("POST", "views".to_owned(), view).await);
    get(format!("views?data_source_id={SOURCE}")).await;
    ask("PATCH", format!("views/{view}"), json!({"name": "Every"})).await;
    assert_eq!(get(format!("views/{view}")).await["name"], "Every");
    let query = ask("POST", format!("views/{view}/queries"), json!({"page_size": 3})).await;
    assert_eq!(query["results"].as_array().unwrap().len(), 3);
    let cursor = query["next_cursor"].as_str().unwrap();
    get(format!("views/{view}/queries/{}?start_cursor={cursor}", id(&query))).await;
    ask("DELETE", format!("views/{view}/queries/{}", id(&query)), json!({})).await;
    ask("DELETE", format!("views/{view}"), json!({})).await;
    // Comments.
    let said = json!({"parent": {"page_id": PAGE}, "markdown": "Seen"});
    let comment = id(&ask("POST", "comments".to_owned(), said).await);
    get(format!("comments?block_id={PAGE}")).await;
    get(format!("comments/{comment}")).await;
    ask("PATCH", format!("comments/{comment}"), json!({"markdown": "Read"})).await;
    ask("DELETE", format!("comments/{comment}"), json!({})).await;
    // Files, in parts.
    let parts = json!({"mode": "multi_part", "number_of_parts": 1, "filename": "a.txt", "content_type": "text/plain"});
    let upload = id(&ask("POST", "file_uploads".to_owned(), parts).await);
    let form = "--x\r\nContent-Disposition: form-data; name=\"part_number\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n";
    let send = fake.as_token("ntn_sandbox", "POST", &format!("file_uploads/{upload}/send"));
    let send = send.header("content-type", "multipart/form-data; boundary=x").body(form);
    assert_eq!(answer(send).await.0, 200);
    let whole = ask("POST", format!("file_uploads/{upload}/complete"), json!({})).await;
    assert_eq!((&whole["status"], &whole["content_length"]), (&json!("uploaded"), &json!(5)));
    get("file_uploads".to_owned()).await;
    get(format!("file_uploads/{upload}")).await;
    // Tasks and emoji.
    let later = json!({"parent": {"page_id": PAGE}, "markdown": "# Later", "allow_async": true});
    let task = id(&ask("POST", "pages".to_owned(), later).await);
    assert_eq!(get(format!("async_tasks/{task}")).await["object"], "async_task");
    get("custom_emojis".to_owned()).await;
    let asked = fake.running.harness().journal().operations();
    for operation in notion_mcp::sandbox::operations() {
        assert!(asked.contains(&operation), "{operation} was not asked");
    }
}

/// The limits of developers.notion.com/reference/request-limits, each one beyond.
#[tokio::test]
async fn what_is_larger_than_a_request_may_be_is_refused() {
    let fake = Fake::start().await;
    let text = |count: usize| "a".repeat(count);
    let blocks = |block: Value, count: usize| json!({"children": vec![block; count]});
    let paragraph = |runs: Value| json!({"paragraph": {"rich_text": runs}});
    let append = format!("blocks/{PAGE}/children");
    let nested = |inner: Value| json!({"paragraph": {"rich_text": [], "children": [inner]}});
    let deep = nested(nested(nested(paragraph(json!([])))));
    let wide = json!({"paragraph": {"rich_text": [], "children": vec![paragraph(json!([])); 100]}});
    let link =
        json!([{"text": {"content": "a", "link": {"url": format!("https://x.example/{}", text(2000))}}}]);
    for (body, told) in [
        (blocks(paragraph(words("a")), 101), "body.children.length should be ≤ `100`, instead was `101`"),
        (
            blocks(paragraph(words(&text(2001))), 1),
            "text.content.length should be ≤ `2000`, instead was `2001`",
        ),
        (blocks(paragraph(json!(vec![words("a")[0].clone(); 101])), 1), "rich_text.length should be ≤ `100`"),
        (blocks(paragraph(link), 1), "link.url.length should be ≤ `2000`"),
        (blocks(json!({"equation": {"expression": text(1001)}}), 1), "expression.length should be ≤ `1000`"),
        (blocks(json!({"bookmark": {"url": text(2001)}}), 1), "url.length should be ≤ `2000`"),
        (blocks(wide, 10), "number of blocks should be ≤ `1000`, instead was `1010`"),
        (blocks(deep, 1), "children should be not present"),
        (
            blocks(paragraph(json!(vec![words(&text(2000))[0].clone(); 90])), 3),
            "the payload should be ≤ `512000` bytes",
        ),
    ] {
        let message = fake.refused("PATCH", &append, &body).await;
        assert!(message.contains(told), "{told}: {message}");
    }
    let columns = json!({"properties": {"Mail": {"email": {}}, "Phone": {"phone_number": {}}}});
    fake.done("PATCH", &format!("data_sources/{SOURCE}"), columns).await;
    let many = |item: Value| json!(vec![item; 101]);
    let person = json!({"id": "a11b0700-0000-4000-8000-000000000002"});
    for (name, value, told) in [
        ("Mail", json!({"email": text(201)}), "length should be ≤ `200`"),
        ("Phone", json!({"phone_number": text(201)}), "length should be ≤ `200`"),
        ("Link", json!({"url": text(2001)}), "length should be ≤ `2000`"),
        ("Tags", json!({"multi_select": many(json!({"name": "bug"}))}), "length should be ≤ `100`"),
        ("Tags", json!({"multi_select": [{"name": text(101)}]}), "name.length should be ≤ `100`"),
        ("Owner", json!({"people": many(person)}), "length should be ≤ `100`"),
        ("Blocked by", json!({"relation": many(json!({"id": TASK}))}), "length should be ≤ `100`"),
        (
            "Files",
            json!({"files": many(json!({"external": {"url": "https://x.example"}}))}),
            "length should be ≤ `100`",
        ),
    ] {
        let body = json!({"properties": {name: value}});
        let message = fake.refused("PATCH", &format!("pages/{TASK}"), &body).await;
        assert!(message.contains(told), "{name}: {message}");
    }
    fake.refused("GET", "users?page_size=101", &json!({})).await;
}

/// developers.notion.com/reference/capabilities: 403, whatever else the connection may do.
#[tokio::test]
async fn a_connection_may_do_what_it_has_the_capability_for() {
    let fake = Fake::start().await;
    let new = json!({"parent": {"page_id": PAGE}, "properties": {"title": {"title": words("New")}}});
    let comments = format!("comments?block_id={PAGE}");
    let page = format!("pages/{PAGE}");
    for (token, method, path, status) in [
        ("ntn_nousers", "GET", "users", 403),
        ("ntn_nousers", "POST", "pages", 200),
        ("ntn_nocomments", "GET", comments.as_str(), 403),
        ("ntn_nocomments", "GET", "users", 200),
        ("ntn_noinserts", "POST", "pages", 403),
        ("ntn_noinserts", "PATCH", page.as_str(), 200),
        ("ntn_readonly", "PATCH", page.as_str(), 403),
        ("ntn_readonly", "GET", comments.as_str(), 200),
    ] {
        let body = if path == "pages" { new.clone() } else { json!({}) };
        let (is, body) = answer(fake.as_token(token, method, path).json(&body)).await;
        assert_eq!(is, status, "{token} {method} {path}: {body}");
        assert!(status == 200 || body["code"] == "restricted_resource", "{body}");
    }
}

/// A condition that a column does not take is refused, not answered with nothing.
#[tokio::test]
async fn a_condition_that_does_not_fit_is_refused() {
    let fake = Fake::start().await;
    for filter in [
        json!({"property": "Points", "formula": {"string": {"contains": "1"}}}),
        json!({"property": "Points", "formula": {"text": {"contains": "1"}}}),
        json!({"property": "Customer facing", "checkbox": {"is_empty": true}}),
        json!({"property": "ID", "unique_id": {"is_empty": true}}),
        json!({"property": "Status", "status": {"contains": "Do"}}),
        json!({"property": "Due", "date": {"does_not_equal": "2026-12-01"}}),
        json!({"property": "Files", "files": {"contains": "x"}}),
    ] {
        fake.refused("POST", &format!("data_sources/{SOURCE}/query"), &json!({"filter": filter})).await;
    }
    let projects = "data_sources/50ce0000-0000-4000-8000-000000000002/query";
    for rollup in [json!({"string": {"contains": "1"}}), json!({"any": {"number": {"equals": 1}}})] {
        let filter = json!({"property": "Task count", "rollup": rollup});
        fake.refused("POST", projects, &json!({"filter": filter})).await;
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The statuses and codes of developers.notion.com/reference/status-codes.
#[tokio::test]
async fn a_request_needs_a_token_and_a_version_in_this_order() {
    let fake = Fake::start().await;
    let token = |request: RequestBuilder| request.bearer_auth("ntn_sandbox");
    let version = |request: RequestBuilder| request.header("notion-version", "2026-03-11");

    let (status, body) = answer(version(fake.get("v1/users/me"))).await;
    assert_eq!((status, &body["object"], &body["code"]), (401, &json!("error"), &json!("unauthorized")));
    let (status, body) = answer(token(fake.get("v1/users/me"))).await;
    assert_eq!((status, &body["code"]), (400, &json!("missing_version")));
    let (status, body) = answer(version(token(fake.get("v1/users/me")))).await;
    assert_eq!((status, &body["object"], &body["type"]), (200, &json!("user"), &json!("bot")), "{body}");
}
