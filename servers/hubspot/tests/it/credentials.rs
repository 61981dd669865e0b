//! Tokens that end.

use connector::{Kind, settings::Value as Setting};
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
    std::fs::remove_file(&path).unwrap();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let sent = office.sent(READ);
    let refused = sent.iter().filter(|entry| entry.status == Some(401)).count();
    assert!(refused <= 20, "a refused token was used again: {refused}");
    assert_eq!(sent.iter().filter(|entry| entry.status == Some(200)).count(), 20);
    // A token that stays refused is not asked with for ever.
    assert!(sent.len() <= 40, "{}", sent.len());
}
