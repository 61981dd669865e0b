//! What a destructive call asks first, and what becomes of the answer.

use super::*;

fn elicits() -> Value {
    json!({"elicitation": {}})
}

fn delete(name: &str) -> Value {
    modern_with(1, "tools/call", call("delete_note", json!({"name": name})), elicits())
}

/// The second call, with the state and the answer.
fn answered(name: &str, state: &Value, answer: Value) -> Value {
    let mut request = delete(name);
    request["params"]["requestState"] = state.clone();
    request["params"]["inputResponses"] = json!({"confirm": answer});
    request
}

async fn asked(client: &mut Client) -> Value {
    let question = client.ask(delete("one")).await;
    assert_eq!(question["result"]["resultType"], "input_required", "{question}");
    let request = &question["result"]["inputRequests"]["confirm"];
    assert_eq!(request["method"], "elicitation/create");
    assert!(request["params"]["message"].as_str().unwrap().starts_with("Delete `one`: First."), "{request}");
    question["result"]["requestState"].clone()
}

#[tokio::test]
async fn a_modern_client_is_asked_and_a_yes_works_once() {
    let service = notes::service();
    let mut client = Client::of(&service);
    let state = asked(&mut client).await;
    assert!(service.server().lock().contains_key("one"));
    let done = client.ask(answered("one", &state, json!({"action": "accept", "content": {}}))).await;
    assert_eq!(text(&done), "Deleted one");
    assert!(!service.server().lock().contains_key("one"));

    service.server().lock().insert("one".to_owned(), "First.".to_owned());
    let again = client.ask(answered("one", &state, json!({"action": "accept"}))).await;
    assert_eq!(again["error"]["code"], -32602, "{again}");
    assert!(service.server().lock().contains_key("one"));
}

#[tokio::test]
async fn a_no_changes_nothing_and_says_so() {
    let service = notes::service();
    let mut client = Client::of(&service);
    for action in ["decline", "cancel"] {
        let state = asked(&mut client).await;
        let answer = client.ask(answered("one", &state, json!({"action": action}))).await;
        assert_eq!(text(&answer), "Nothing was changed: the user said no.");
    }
    assert!(service.server().lock().contains_key("one"));
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_asked_for_again() {
    let mut client = Client::of(&notes::service());
    let state = asked(&mut client).await;
    for answer in [json!({"action": "perhaps"}), json!("yes"), json!(null)] {
        let again = client.ask(answered("one", &state, answer)).await;
        assert_eq!(again["result"]["resultType"], "input_required", "{again}");
    }
    let mut bare = delete("one");
    bare["params"]["requestState"] = state;
    let again = client.ask(bare).await;
    assert_eq!(again["result"]["resultType"], "input_required", "{again}");
}

#[tokio::test(start_paused = true)]
async fn a_state_that_was_changed_or_is_for_another_call_or_too_old_is_refused() {
    let service = notes::service();
    let mut client = Client::of(&service);
    let state = asked(&mut client).await;
    let yes = json!({"action": "accept"});
    let mut forged = state.as_str().unwrap().to_owned();
    forged.replace_range(forged.len() - 2.., "xx");
    for request in [
        answered("one", &json!(forged), yes.clone()),
        answered("one", &json!("nonsense"), yes.clone()),
        answered("two", &state, yes.clone()),
    ] {
        let answer = client.ask(request).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    tokio::time::advance(Duration::from_secs(301)).await;
    let answer = client.ask(answered("one", &state, yes)).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert_eq!(service.server().lock().len(), 2);
}

#[tokio::test]
async fn a_client_that_cannot_ask_confirms_with_a_second_call() {
    let service = notes::service();
    let mut client = Client::legacy(&service, json!({})).await;
    let question = client.ask(legacy(1, "tools/call", call("delete_note", json!({"name": "one"})))).await;
    let question = text(&question);
    assert!(question.starts_with("Not done yet"), "{question}");
    let value = question.split("\"confirm\": \"").nth(1).unwrap().split('"').next().unwrap();
    let arguments = json!({"name": "one", "confirm": value});
    let done = client.ask(legacy(2, "tools/call", call("delete_note", arguments))).await;
    assert_eq!(text(&done), "Deleted one");
}

#[tokio::test]
async fn a_legacy_client_that_can_ask_is_sent_the_question() {
    let service = notes::service();
    let mut client = Client::legacy(&service, elicits()).await;
    for (id, action, expected) in
        [(1, "decline", "Nothing was changed: the user said no."), (2, "accept", "Deleted one")]
    {
        client.send(&legacy(id, "tools/call", call("delete_note", json!({"name": "one"})))).await;
        let question = client.next().await;
        assert_eq!(question["method"], "elicitation/create", "{question}");
        client.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action}})).await;
        let answer = client.next().await;
        assert_eq!(text(&answer), expected);
    }
}

#[tokio::test]
async fn a_legacy_client_that_fails_to_ask_can_still_confirm() {
    let mut client = Client::legacy(&notes::service(), elicits()).await;
    client.send(&legacy(1, "tools/call", call("delete_note", json!({"name": "one"})))).await;
    let question = client.next().await;
    let refusal = json!({"code": -32601, "message": "no"});
    client.send(&json!({"jsonrpc": "2.0", "id": question["id"], "error": refusal})).await;
    let answer = client.next().await;
    assert!(text(&answer).starts_with("Not done yet"), "{answer}");
    assert!(text(&answer).contains("First."), "{answer}");
}

#[tokio::test]
async fn a_dry_run_is_never_asked_about() {
    let mut client = Client::of(&notes::service());
    let mut request = delete("one");
    request["params"]["arguments"]["dry_run"] = json!(true);
    let answer = client.ask(request).await;
    assert!(text(&answer).starts_with("Dry run"), "{answer}");
}

/// What changed between the question and its answer is asked anew, in both eras and both ways of confirming.
#[tokio::test]
async fn what_changed_since_a_modern_client_was_asked_is_asked_anew() {
    let service = notes::service();
    let mut client = Client::of(&service);
    let state = asked(&mut client).await;
    service.server().put("one", "Other.");
    let yes = json!({"action": "accept", "content": {}});
    let anew = client.ask(answered("one", &state, yes.clone())).await;
    assert_eq!(anew["result"]["resultType"], "input_required", "{anew}");
    let message = anew["result"]["inputRequests"]["confirm"]["params"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("It has changed since it was confirmed") && message.contains("Other."),
        "{message}"
    );
    assert!(service.server().lock().contains_key("one"));
    // The first answer is spent; the new one works.
    let spent = client.ask(answered("one", &state, yes.clone())).await;
    assert_eq!(spent["error"]["code"], -32602, "{spent}");
    let done = client.ask(answered("one", &anew["result"]["requestState"], yes)).await;
    assert_eq!(text(&done), "Deleted one");
}

#[tokio::test]
async fn what_changed_while_a_legacy_client_was_asked_is_asked_anew() {
    let service = notes::service();
    let mut client = Client::legacy(&service, elicits()).await;
    client.send(&legacy(1, "tools/call", call("delete_note", json!({"name": "one"})))).await;
    let question = client.next().await;
    service.server().put("one", "Other.");
    let yes =
        |question: &Value| json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept"}});
    client.send(&yes(&question)).await;
    let anew = client.next().await;
    let message = anew["params"]["message"].as_str().unwrap_or_else(|| panic!("not asked anew: {anew}"));
    assert!(
        message.starts_with("It has changed since it was confirmed") && message.contains("Other."),
        "{message}"
    );
    assert!(service.server().lock().contains_key("one"));
    client.send(&yes(&anew)).await;
    assert_eq!(text(&client.next().await), "Deleted one");
}

#[tokio::test]
async fn what_changed_between_two_calls_is_shown_anew() {
    let service = notes::service();
    for modern_era in [true, false] {
        service.server().put("one", "First.");
        let mut client =
            if modern_era { Client::of(&service) } else { Client::legacy(&service, json!({})).await };
        let ask = |arguments: Value| match modern_era {
            true => modern_with(1, "tools/call", call("delete_note", arguments), json!({})),
            false => legacy(1, "tools/call", call("delete_note", arguments)),
        };
        let value = |shown: &str| {
            shown.split("\"confirm\": \"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let shown = client.ask(ask(json!({"name": "one"}))).await;
        service.server().put("one", "Other.");
        let anew = client.ask(ask(json!({"name": "one", "confirm": value(text(&shown))}))).await;
        let said = text(&anew);
        assert!(
            said.starts_with("It has changed since it was confirmed") && said.contains("Other."),
            "{said}"
        );
        assert!(service.server().lock().contains_key("one"));
        let done = client.ask(ask(json!({"name": "one", "confirm": value(said)}))).await;
        assert_eq!(text(&done), "Deleted one");
        client.hang_up().await.unwrap();
    }
}
