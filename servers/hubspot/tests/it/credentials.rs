//! Tokens that end, and tokens that may do little.

use connector::{Kind, access::Principal, settings::Value as Setting};
use futures::future::join_all;
use serde_json::json;

use crate::support::{Office, READ};

/// A token in a file that was replaced: whoever runs the server changes nothing else.
#[tokio::test(start_paused = true)]
async fn an_expired_token_is_renewed_under_twenty_calls_and_none_fails() {
    let path = std::env::temp_dir().join(format!("hubspot-token-{}", std::process::id()));
    std::fs::write(&path, "pat-na1-expired").unwrap();
    let settings = [("access-token", Setting::SecretFile(path.clone()))];
    let office = Office::over(hubspot_mcp::sandbox::seed(), &settings).await;
    let read =
        |id: u32| office.try_call("get_records", json!({"object": "companies", "ids": [id.to_string()]}));
    assert_eq!(read(201).await.unwrap_err().kind(), Kind::Auth);
    office.harness().journal().clear();
    std::fs::write(&path, "pat-na1-sandbox").unwrap();
    let outcomes = join_all((0..20).map(|n| read(201 + n % 9))).await;
    let again = join_all((0..20).map(|n| read(201 + n % 9))).await;
    std::fs::remove_file(&path).unwrap();
    assert!(again.iter().all(Result::is_ok), "{again:?}");
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let sent = office.sent(READ);
    let refused = sent.iter().filter(|entry| entry.status == Some(401)).count();
    assert!(refused <= 20, "a refused token was used again: {refused}");
    assert_eq!(sent.iter().filter(|entry| entry.status == Some(200)).count(), 40);
    // A token that stays refused is not asked with for ever.
    assert!(sent.len() <= 60, "{}", sent.len());
}

/// The tools that are not offered with a token of `scopes`, of a private app or of a service key.
async fn hidden(kind: &str, scopes: &[&str]) -> (Vec<String>, Office) {
    let office = Office::changed(|seed| {
        seed["tokens"][0]["kind"] = json!(kind);
        seed["tokens"][0]["scopes"] = json!(scopes);
    })
    .await;
    let rights = office.service().rights_for_listing(Principal::local()).await;
    (office.service().hidden(&rights), office)
}

#[tokio::test(start_paused = true)]
async fn tools_that_a_tokens_scopes_are_not_good_for_are_not_offered() {
    let read = ["crm.objects.contacts.read", "crm.schemas.contacts.read", "crm.objects.owners.read"];
    let (names, office) = hidden("private_app", &read).await;
    for name in ["create_records", "update_list", "find_lists", "merge_records", "read_conversations"] {
        assert!(names.iter().any(|hidden| hidden == name), "{name} is offered");
    }
    for name in ["whoami", "search", "get_records", "get_timeline", "find_owners", "find_duplicates"] {
        assert!(names.iter().all(|hidden| hidden != name), "{name} is not offered");
    }
    office.call("search", json!({"object": "contacts"})).await;
    // HubSpot does not tell the scopes of a service key: it is offered everything, and asked about once.
    let (names, office) = hidden("service_key", &read).await;
    assert!(names.is_empty(), "{names:?}");
    const TOLD: &str = "POST /oauth/private-apps/get/access-token-info";
    office.service().rights_for_listing(Principal::local()).await;
    assert_eq!(office.sent(TOLD).len(), 1);
}
