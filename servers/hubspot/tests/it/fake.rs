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

/// Public apps (developers.hubspot.com, "Working with OAuth"): forms, half an hour, the same refresh token.
#[tokio::test]
async fn tokens_of_public_apps_end_are_renewed_and_told_of() {
    let fake = Fake::start().await;
    let form = async |path: &str, more: &[(&str, &str)]| {
        let fields: Vec<(&str, &str)> =
            [("client_id", "sandbox-client"), ("client_secret", "sandbox-secret")]
                .into_iter()
                .chain(more.iter().copied())
                .collect();
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let url = format!("{}{path}", fake.running.url());
        let request = fake.client.post(url).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let read = async |token: &str| {
        let url = format!("{}crm/objects/2026-09/contacts/101", fake.running.url());
        fake.client.get(url).bearer_auth(token).send().await.unwrap()
    };
    let code = [
        ("grant_type", "authorization_code"),
        ("code", "sandbox-code"),
        ("redirect_uri", "http://localhost:3000/oauth-callback"),
    ];
    let (status, given) = form("oauth/2026-09/token", &code).await;
    assert_eq!((status, &given["expires_in"], &given["hub_id"]), (200, &json!(1_800), &json!(4_815_162)));
    let token = given["access_token"].as_str().unwrap().to_owned();
    let answer = read(&token).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-hubspot-ratelimit-max"]),
        (200, &"110".parse().unwrap())
    );
    // Of the day nothing is told to public apps.
    assert!(!answer.headers().contains_key("x-hubspot-ratelimit-daily"));
    let (_, told) = form("oauth/2026-09/token/introspect", &[("token", token.as_str())]).await;
    assert_eq!((&told["active"], &told["user_id"]), (&json!(true), &json!(501)));
    fake.running.harness().clock().advance(std::time::Duration::from_secs(1_801));
    let answer = read(&token).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["category"], "EXPIRED_AUTHENTICATION");
    // What is over or unknown is not active, and no failure (usertour PR#490, 2026-09-10).
    for unknown in [token.as_str(), "never-given"] {
        let (status, told) = form("oauth/2026-09/token/introspect", &[("token", unknown)]).await;
        assert_eq!((status, told), (200, json!({"active": false})));
    }
    // Renewed by the older path, without a redirect_uri.
    let renew = [("grant_type", "refresh_token"), ("refresh_token", "sandbox-refresh")];
    let (status, renewed) = form("oauth/v1/token", &renew).await;
    assert_eq!((status, &renewed["refresh_token"]), (200, &given["refresh_token"]));
    assert_eq!(read(renewed["access_token"].as_str().unwrap()).await.status(), 200);
    assert_eq!(form("oauth/2026-09/token/revoke", &[("token", "sandbox-refresh")]).await.0, 204);
    assert_eq!(read(renewed["access_token"].as_str().unwrap()).await.status(), 401);
    let (status, refused) = form("oauth/2026-09/token", &renew).await;
    assert_eq!(
        (status, &refused["error"], &refused["status"]),
        (400, &json!("invalid_grant"), &json!("BAD_REFRESH_TOKEN"))
    );
}

/// A new contact joins the company of its address's domain (HubSpot/hubspot-api-python#88), unless the account's
/// settings say otherwise; a primary company is one at most.
#[tokio::test]
async fn a_contact_joins_the_company_of_its_domain_where_the_account_says_so() {
    let fake = Fake::start().await;
    let create = |email: &str| json!({"properties": {"email": email}});
    let companies = async |id: &Value| {
        let path = format!("/crm/v4/objects/contacts/{}/associations/companies", id.as_str().unwrap());
        fake.json("GET", &path, Value::Null).await.1["results"].clone()
    };
    let (_, made) = fake.json("POST", "/crm/v3/objects/contacts", create("ana@northwind.example")).await;
    let joined = companies(&made["id"]).await;
    assert_eq!((joined.as_array().unwrap().len(), &joined[0]["toObjectId"]), (1, &json!(201)));
    let label = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
    let other =
        format!("/crm/v4/objects/contacts/{}/associations/companies/203", made["id"].as_str().unwrap());
    assert_eq!(fake.json("PUT", &other, label).await.0, 201);
    let joined = companies(&made["id"]).await;
    let is_primary =
        |row: &&Value| row["associationTypes"].as_array().unwrap().iter().any(|kind| kind["typeId"] == 1);
    let primary: Vec<&Value> = joined.as_array().unwrap().iter().filter(is_primary).collect();
    assert!(primary.len() == 1 && primary[0]["toObjectId"] == 203, "{joined}");
    fake.json("POST", "/_hubspot/account", json!({"autoAssociate": false})).await;
    let (_, made) = fake.json("POST", "/crm/v3/objects/contacts", create("bo@northwind.example")).await;
    assert_eq!(companies(&made["id"]).await, json!([]));
}
