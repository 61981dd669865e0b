//! The fake behaves as HubSpot does, spoken to directly.

use std::net::SocketAddr;

use connector::sandbox::{self, Running};
use hubspot_mcp::sandbox as hubspot;
use reqwest::{Client, Response};
use serde_json::{Value, json};

struct Fake {
    running: Running,
    client: Client,
}

impl Fake {
    async fn start() -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            running: sandbox::start(hubspot::fake(), loopback).await.unwrap(),
            client: crate::support::client(),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Response {
        let url = format!("{}{path}", self.running.url().as_str().trim_end_matches('/'));
        let request = self.client.request(method.parse().unwrap(), url).bearer_auth("pat-na1-sandbox");
        if body.is_null() { request.send().await.unwrap() } else { request.json(&body).send().await.unwrap() }
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let answer = self.ask(method, path, body).await;
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }
}

#[tokio::test]
async fn one_route_answers_every_version_of_its_path() {
    let fake = Fake::start().await;
    for path in
        ["/crm/v3/objects/contacts/101", "/crm/objects/2026-03/contacts/101", "/crm/objects/2026-09/0-1/101"]
    {
        let (status, body) = fake.json("GET", path, Value::Null).await;
        assert_eq!((status, &body["id"]), (200, &json!("101")), "{path}");
        assert_eq!(body["properties"]["firstname"], "Elena");
    }
    // With the slash at its end, as the official client asks it.
    assert_eq!(fake.json("GET", "/crm/v3/owners/?limit=5", Value::Null).await.0, 200);
    // The base name of a custom object is no longer taken (changelog, 2025-06-04).
    let (status, body) = fake.json("GET", "/crm/v3/objects/site", Value::Null).await;
    assert_eq!(status, 400, "{body}");
    // A number in v4, a text in the dated versions.
    let inputs = json!({"inputs": [{"id": "101"}]});
    let (_, body) =
        fake.json("POST", "/crm/v4/associations/contacts/companies/batch/read", inputs.clone()).await;
    assert_eq!(body["results"][0]["to"][0]["toObjectId"], 201);
    let (_, body) =
        fake.json("POST", "/crm/associations/2026-09/contacts/companies/batch/read", inputs).await;
    assert_eq!(body["results"][0]["to"][0]["toObjectId"], "201");
}

#[tokio::test]
async fn searches_have_their_own_limits_and_no_headers() {
    let fake = Fake::start().await;
    let answer = fake.ask("GET", "/crm/v3/objects/contacts/101", Value::Null).await;
    assert_eq!(answer.headers()["x-hubspot-ratelimit-max"], "190");
    let search = "/crm/v3/objects/contacts/search";
    let answer = fake.ask("POST", search, json!({"limit": 1})).await;
    assert!(!answer.headers().contains_key("x-hubspot-ratelimit-max"));
    for body in [
        json!({"limit": 201}),
        json!({"limit": 100, "after": "9950"}),
        json!({"query": "x".repeat(3_001)}),
        json!({"filterGroups": [{"filters": [{"propertyName": "phone", "operator": "NOT_HAS_PROPERTY", "value": ""}]}]}),
    ] {
        fake.running.harness().clock().advance(std::time::Duration::from_secs(2));
        assert_eq!(fake.json("POST", search, body.clone()).await.0, 400, "{body}");
    }
    fake.running.harness().clock().advance(std::time::Duration::from_secs(2));
    let mut refused = Value::Null;
    for _ in 0..20 {
        let (status, body) = fake.json("POST", search, json!({"limit": 1})).await;
        if status == 429 {
            refused = body;
            break;
        }
    }
    assert_eq!(refused["message"], "You have reached your secondly limit.");
}

#[tokio::test]
async fn refusals_have_hubspots_words() {
    let fake = Fake::start().await;
    let create = |properties: Value| json!({"properties": properties});
    let contacts = "/crm/v3/objects/contacts";
    let (status, body) =
        fake.json("POST", contacts, create(json!({"email": "elena.petrova@northwind.example"}))).await;
    assert_eq!(
        (status, body["message"].as_str().unwrap()),
        (409, "Contact already exists. Existing ID: 101")
    );
    let (status, body) = fake.json("POST", contacts, create(json!({"shoe": "44"}))).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("\"error\":\"PROPERTY_DOESNT_EXIST\""), "{body}");
    let (_, body) = fake
        .json(
            "PATCH",
            "/crm/v3/objects/contacts/101",
            create(json!({"renewal_date": "2026-11-28T22:18:55.865Z"})),
        )
        .await;
    assert!(body["message"].as_str().unwrap().contains("is at 22:18:55.865 UTC, not midnight!"), "{body}");
    let (_, body) =
        fake.json("PATCH", "/crm/v3/objects/deals/9001", create(json!({"dealstage": "nowhere"}))).await;
    assert!(body["message"].as_str().unwrap().contains("was not one of the allowed options: ["), "{body}");
    let url = format!("{}crm/v3/objects/contacts", fake.running.url());
    let answer = fake
        .client
        .post(url)
        .bearer_auth("pat-na1-readonly")
        .json(&create(json!({"email": "a@b.example"})))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["category"], &body["errors"][0]["context"]["requiredGranularScopes"][0]),
        (&json!("MISSING_SCOPES"), &json!("crm.objects.contacts.write"))
    );
}

#[tokio::test]
async fn a_batch_without_trace_ids_is_all_or_nothing() {
    let fake = Fake::start().await;
    let input = |email: &str, trace: Option<&str>| {
        let mut input = json!({"properties": {"email": email}});
        if let Some(trace) = trace {
            input["objectWriteTraceId"] = json!(trace);
        }
        input
    };
    let path = "/crm/v3/objects/contacts/batch/create";
    let taken = "elena.petrova@northwind.example";
    let (status, _) =
        fake.json("POST", path, json!({"inputs": [input("x@y.example", None), input(taken, None)]})).await;
    assert_eq!(status, 409);
    let (status, body) = fake
        .json("POST", path, json!({"inputs": [input("x@y.example", Some("1")), input(taken, Some("2"))]}))
        .await;
    assert_eq!((status, &body["numErrors"]), (207, &json!(1)));
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"][0], "2");
    let many: Vec<Value> = (0..101).map(|n| input(&format!("{n}@y.example"), None)).collect();
    assert_eq!(fake.json("POST", path, json!({"inputs": many})).await.0, 400);
}
