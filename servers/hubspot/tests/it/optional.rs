//! Toolsets that must be asked for.

use connector::Kind;
use serde_json::json;

use crate::support::Office;

const SEND: &str = "POST /conversations/conversations/threads/{threadId}/messages";

#[tokio::test(start_paused = true)]
async fn a_comment_is_for_colleagues_and_nothing_goes_to_the_customer() {
    let office = Office::open().await;
    let text = office.call("read_conversations", json!({"contact": "contacts:102"})).await;
    assert!(text.contains("8801") && !text.contains("8802"), "{text}");
    let text = office.call("reply_conversation", json!({"id": "8801", "body": "Grace calls him."})).await;
    assert!(text.contains("the customer sees nothing of it"), "{text}");
    assert_eq!(office.last(SEND), json!({"type": "COMMENT", "text": "Grace calls him."}));
    let text = office.call("read_conversations", json!({"id": "8801"})).await;
    assert!(text.contains("(comment)") && text.contains("Grace calls him."), "{text}");
    assert_eq!(
        office.refusal("reply_conversation", json!({"id": "77", "body": "x"})).await.kind(),
        Kind::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn a_property_is_made_once_and_can_be_used_at_once() {
    let office = Office::open().await;
    let arguments = json!({"object": "contacts", "label": "Shoe size", "type": "choice", "options": ["Small", "Large=L"]});
    office.call("create_property", arguments.clone()).await;
    assert_eq!(office.refusal("create_property", arguments).await.kind(), Kind::Conflict);
    let rows = json!([{"id": "108", "fields": {"Shoe size": "large"}}]);
    office.call("update_records", json!({"object": "contacts", "records": rows})).await;
    assert_eq!(office.record("contacts", "108")["properties"]["shoe_size"], "L");
    let text = office
        .call(
            "update_property",
            json!({"object": "contacts", "property": "Shoe size", "add_options": ["Huge"]}),
        )
        .await;
    assert!(text.contains("new options Huge"), "{text}");
    let text = office.call("describe_object", json!({"object": "contacts", "query": "shoe"})).await;
    assert!(text.contains("Small") && text.contains("Large (L)") && text.contains("Huge"), "{text}");
    let error = office
        .refusal("create_property", json!({"object": "contacts", "label": "Colour", "type": "choice"}))
        .await;
    assert!(error.for_agent().contains("options"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn workflows_are_listed_with_their_steps() {
    let office = Office::open().await;
    let text = office.call("list_workflows", json!({})).await;
    assert!(text.contains("1901 | Welcome new contacts | on") && text.contains("| off"), "{text}");
    let text = office.call("get_workflow", json!({"id": "1901"})).await;
    assert!(text.contains("for contacts") && text.contains("0-4"), "{text}");
    assert_eq!(office.refusal("get_workflow", json!({"id": "7"})).await.kind(), Kind::NotFound);
}

/// An address that nobody has would be blocked for ever, so only a contact that exists is deleted, by its id.
#[tokio::test(start_paused = true)]
async fn nobody_is_deleted_for_good_by_a_guess() {
    let office = Office::open().await;
    let operation = "POST /crm/objects/{objectType}/gdpr-delete";
    let error = office.refusal("gdpr_delete_contact", json!({"id": "nobody@nowhere.example"})).await;
    assert_eq!((error.kind(), office.sent(operation).len()), (Kind::NotFound, 0));
    let arguments = json!({"id": "nora.berg@fjord.example"});
    let (preview, confirm) = office.question("gdpr_delete_contact", arguments.clone()).await;
    assert!(preview.contains("Nora Berg") && preview.contains("for good"), "{preview}");
    let mut confirmed = arguments;
    confirmed["confirm"] = json!(confirm);
    office.call("gdpr_delete_contact", confirmed).await;
    assert_eq!(office.last(operation), json!({"objectId": "108"}));
    assert!(office.record("contacts", "108").is_null());
}
