//! The protocol over pipes, in both eras.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where what it needs is not there")]

mod notes;

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use connector::{
    Connector as _, Service,
    catalog::{Call, Catalog, Reply, Tool},
    serve::StdioOptions,
};
use notes::{Notes, Nothing, legacy, modern, modern_with, pipe::Client, text};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

fn call(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

#[tokio::test]
async fn a_modern_client_lists_and_calls_without_a_handshake() {
    let mut client = Client::of(&notes::service());
    let list = client.ask(modern(1, "tools/list", json!({}))).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["add_note", "count", "crash", "delete_note", "pause", "read_note", "wait"]);
    assert_eq!(list["result"]["cacheScope"], "public");
    assert_eq!(list["result"]["ttlMs"], 300_000);
    assert_eq!(list["result"]["resultType"], "complete");

    let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "one"})))).await;
    assert_eq!(text(&answer), "First.");
    assert_eq!(
        answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"],
        json!({"name": "notes-mcp", "version": "1.2.3"})
    );
    client.hang_up().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_credential_cannot_use_is_not_listed_and_a_slow_vendor_hides_nothing() {
    let service = notes::service();
    let mut client = Client::of(&service);
    let mut names = async || {
        let list = client.ask(modern(1, "tools/list", json!({}))).await;
        let tools = list["result"]["tools"].as_array().unwrap().clone();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    *service.server().out_of_rights.lock().unwrap() = (vec!["delete_note"], Duration::from_millis(100));
    assert_eq!(names().await, ["add_note", "count", "crash", "pause", "read_note", "wait"]);
    *service.server().out_of_rights.lock().unwrap() = (vec!["delete_note"], Duration::from_secs(60));
    let asked = tokio::time::Instant::now();
    assert!(names().await.contains(&"delete_note".to_owned()));
    assert!(asked.elapsed() < Duration::from_secs(3), "a list must not wait for the vendor");
    client.hang_up().await.unwrap();
}

#[tokio::test]
async fn a_legacy_client_gets_nothing_that_its_era_does_not_know() {
    let mut client = Client::legacy(&notes::service(), json!({})).await;
    let list = client.ask(legacy(1, "tools/list", json!({}))).await;
    assert_eq!(list["result"].as_object().unwrap().keys().collect::<Vec<_>>(), ["tools"]);
    let answer = client.ask(legacy(2, "tools/call", call("read_note", json!({"name": "one"})))).await;
    assert_eq!(answer["result"], json!({"content": [{"type": "text", "text": "First."}], "isError": false}));
    let read = client.ask(legacy(3, "resources/read", json!({"uri": "notes://all"}))).await;
    assert_eq!(read["result"].as_object().unwrap().keys().collect::<Vec<_>>(), ["contents"]);
    client.hang_up().await.unwrap();
}

#[tokio::test]
async fn every_tool_says_what_it_does_to_data() {
    let mut client = Client::of(&notes::service());
    let list = client.ask(modern(1, "tools/list", json!({}))).await;
    let tool = |name: &str| {
        list["result"]["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap().clone()
    };
    assert_eq!(
        tool("read_note")["annotations"],
        json!({"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true})
    );
    assert_eq!(
        tool("delete_note")["annotations"],
        json!({"readOnlyHint": false, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true})
    );
    assert_eq!(tool("read_note")["title"], "Read a note");
    assert!(tool("read_note").get("outputSchema").is_none());
}

#[tokio::test]
async fn structured_content_comes_only_when_it_is_wanted() {
    let mut client = Client::of(&notes::offering(Notes::catalog(), true));
    let list = client.ask(modern(1, "tools/list", json!({}))).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    let schema = &tools.iter().find(|tool| tool["name"] == "read_note").unwrap()["outputSchema"];
    assert_eq!(schema["type"], "object");
    let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "one"})))).await;
    assert_eq!(answer["result"]["structuredContent"], json!({"name": "one", "text": "First."}));
    let read = client.ask(modern(3, "resources/read", json!({"uri": "notes://note/one"}))).await;
    assert_eq!(read["result"]["contents"][0]["text"], "First.");
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_that_names_the_nearest() {
    let mut client = Client::of(&notes::service());
    let answer = client.ask(modern(1, "tools/call", call("read_notes", json!({})))).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(answer["error"]["message"], "Unknown tool: read_notes. Did you mean `read_note`?");
}

#[tokio::test]
async fn what_an_agent_can_put_right_is_a_result() {
    let mut client = Client::of(&notes::service());
    let answer = client.ask(modern(1, "tools/call", call("read_note", json!({"nane": "one"})))).await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(text(&answer).starts_with("invalid_argument: "), "{answer}");
    assert!(text(&answer).contains("`name`"), "{answer}");
    let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "ten"})))).await;
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(text(&answer), "not_found: There is no note ten. Look at notes://all.");
}

#[tokio::test]
async fn a_panic_is_answered_and_the_server_lives_on() {
    let mut client = Client::of(&notes::service());
    let answer = client.ask(modern(1, "tools/call", call("crash", json!({})))).await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(text(&answer).starts_with("internal: "), "{answer}");
    assert!(!text(&answer).contains("a bug in a tool"), "{answer}");
    let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "two"})))).await;
    assert_eq!(text(&answer), "Second.");
}

#[tokio::test(start_paused = true)]
async fn a_call_over_the_deadline_is_stopped_and_answered() {
    let service = notes::service();
    let options = StdioOptions { call_timeout: Duration::from_secs(3), ..StdioOptions::default() };
    let mut client = Client::with(&service, options);
    let answer = client.ask(modern(1, "tools/call", call("wait", json!({})))).await;
    assert_eq!(
        text(&answer),
        "upstream: The call took longer than 3 s and was stopped. Ask for less at once, or try again later."
    );
    assert_eq!(service.server().slow_dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_cancelled_call_stops_its_work_and_is_not_answered() {
    let service = notes::service();
    let mut client = Client::of(&service);
    client.send(&modern(1, "tools/call", call("wait", json!({})))).await;
    while service.server().slow_begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    client
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}))
        .await;
    while service.server().slow_dropped.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "one"})))).await;
    assert_eq!(text(&answer), "First.");
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_those_that_may_wait_are_refused() {
    let service = notes::service();
    let options = StdioOptions { max_in_flight: 1, ..StdioOptions::default() };
    let mut client = Client::with(&service, options);
    for id in 1..=6 {
        client.send(&modern(id, "tools/call", call("pause", json!({})))).await;
    }
    let mut answers = Vec::new();
    for _ in 1..=6 {
        let answer = client.next().await;
        answers.push(text(&answer).to_owned());
    }
    assert!(answers[0].starts_with("rate_limited: "), "{answers:?}");
    assert_eq!(answers[1..], ["paused"; 5]);
}

#[tokio::test(start_paused = true)]
async fn progress_rises_and_comes_only_when_it_is_wanted() {
    let mut client = Client::of(&notes::service());
    let mut request = modern(1, "tools/call", call("count", json!({})));
    request["params"]["_meta"]["progressToken"] = json!("p");
    client.send(&request).await;
    let mut told = Vec::new();
    let answer = loop {
        let message = client.next().await;
        if message["method"] != "notifications/progress" {
            break message;
        }
        assert_eq!(message["params"]["progressToken"], "p");
        told.push(message["params"]["progress"].as_f64().unwrap());
    };
    assert_eq!(text(&answer), "three");
    assert_eq!(told, [1.0, 2.0, 3.0]);
    let answer = client.ask(modern(2, "tools/call", call("count", json!({})))).await;
    assert_eq!(text(&answer), "three");
}

#[tokio::test]
async fn every_call_leaves_one_line_without_its_arguments() {
    let log = notes::Log::capture();
    let mut client = Client::of(&notes::service());
    for (id, name, arguments) in [
        (1, "read_note", json!({"name": "one"})),
        (2, "read_note", json!({"name": "canary"})),
        (3, "canary\n", json!({})),
        (4, "crash", json!({})),
        (5, "delete_note", json!({"name": "one"})),
    ] {
        client.ask(modern(id, "tools/call", call(name, arguments))).await;
    }
    client.ask(modern(6, "resources/read", json!({"uri": "notes://note/canary"}))).await;
    client.hang_up().await.unwrap();
    let calls: Vec<_> = log
        .calls()
        .iter()
        .map(|line| {
            ["who", "tool", "effect", "outcome"].map(|field| line[field].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(
        calls,
        [
            ["local", "read_note", "read", "ok"],
            ["local", "read_note", "read", "not_found"],
            ["local", "?", "-", "unknown_tool"],
            ["local", "crash", "read", "internal"],
            ["local", "delete_note", "destructive", "asked"],
            ["local", "resources/read", "read", "not_found"],
        ]
    );
    assert!(!log.text().contains("canary"), "{}", log.text());
}

#[tokio::test]
async fn what_is_not_offered_is_not_there() {
    let tool = Tool::read("nothing", "Nothing", "Does nothing.", |_: Call<Notes>, _: Nothing| async {
        Ok(Reply::new("nothing"))
    });
    let mut client = Client::of(&notes::offering(Catalog::new().tools([tool]), false));
    let discovered = client.ask(modern(1, "server/discover", json!({}))).await;
    assert_eq!(discovered["result"]["capabilities"], json!({"tools": {}}));
    for method in
        ["prompts/list", "resources/list", "resources/templates/list", "logging/setLevel", "nonsense"]
    {
        let answer = client.ask(modern(2, method, json!({"level": "info"}))).await;
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
    let answer = client.ask(modern(3, "tools/call", json!({"name": 7}))).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[tokio::test]
async fn resources_are_read_and_one_that_is_missing_is_an_error_with_its_address() {
    let service = notes::service();
    let mut client = Client::of(&service);
    let list = client.ask(modern(1, "resources/templates/list", json!({}))).await;
    assert_eq!(list["result"]["resourceTemplates"][0]["uriTemplate"], "notes://note/{name}");
    let read = client.ask(modern(2, "resources/read", json!({"uri": "notes://note/two"}))).await;
    assert_eq!(
        read["result"]["contents"],
        json!([{"uri": "notes://note/two", "mimeType": "text/markdown", "text": "Second."}])
    );
    assert_eq!((&read["result"]["cacheScope"], &read["result"]["ttlMs"]), (&json!("private"), &json!(0)));
    for uri in ["notes://note/ten", "other://x", ""] {
        let answer = client.ask(modern(3, "resources/read", json!({"uri": uri}))).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert_eq!(answer["error"]["data"]["uri"], uri);
    }
    let mut client = Client::legacy(&service, json!({})).await;
    let answer = client.ask(legacy(1, "resources/read", json!({"uri": "notes://note/ten"}))).await;
    assert_eq!(answer["error"]["code"], -32002, "{answer}");
}

#[tokio::test]
async fn prompts_are_written_and_their_arguments_checked() {
    let mut client = Client::of(&notes::service());
    let get = |name: &str, arguments: Value| modern(1, "prompts/get", call(name, arguments));
    let answer = client.ask(get("summarize", json!({"name": "one"}))).await;
    assert_eq!(
        answer["result"]["messages"],
        json!([{"role": "user", "content": {"type": "text", "text": "Summarize: First."}}])
    );
    for (name, arguments) in
        [("summarise", json!({"name": "one"})), ("summarize", json!({})), ("summarize", json!({"name": 1}))]
    {
        let answer = client.ask(get(name, arguments)).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[tokio::test]
async fn completions_give_a_hundred_and_tell_of_the_rest() {
    let mut client = Client::of(&notes::service());
    let complete = |reference: Value, argument: &str| {
        modern(
            1,
            "completion/complete",
            json!({"ref": reference, "argument": {"name": argument, "value": "note"}}),
        )
    };
    let prompt = json!({"type": "ref/prompt", "name": "summarize"});
    let answer = client.ask(complete(prompt.clone(), "name")).await;
    let completion = &answer["result"]["completion"];
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(150), &json!(true)));
    let template = json!({"type": "ref/resource", "uri": "notes://note/{name}"});
    assert_eq!(client.ask(complete(template, "name")).await["result"]["completion"]["total"], 150);
    for (reference, argument) in [
        (prompt, "nane"),
        (json!({"type": "ref/prompt", "name": "other"}), "name"),
        (json!({"type": "ref/resource", "uri": "notes://note/one"}), "name"),
    ] {
        let answer = client.ask(complete(reference, argument)).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[tokio::test]
async fn a_cursor_for_a_list_of_one_page_is_refused() {
    let mut client = Client::of(&notes::service());
    for method in ["tools/list", "prompts/list", "resources/list"] {
        let answer = client.ask(modern(1, method, json!({"cursor": "x"}))).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

mod questions {
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
        assert!(
            request["params"]["message"].as_str().unwrap().starts_with("Delete `one`: First."),
            "{request}"
        );
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
}

mod ends {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_server_ends_with_its_input_even_with_an_open_subscription() {
        let mut client = Client::of(&notes::service());
        client
            .send(&modern(1, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}})))
            .await;
        let acknowledged = client.next().await;
        assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
        assert_eq!(acknowledged["params"]["notifications"], json!({}));
        let began = tokio::time::Instant::now();
        client.hang_up().await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_under_way_are_answered_after_the_input_has_ended() {
        let mut client = Client::of(&notes::service());
        client.send(&modern(1, "tools/call", call("pause", json!({})))).await;
        client.write.take().unwrap().shutdown().await.unwrap();
        assert_eq!(text(&client.next().await), "paused");
        client.server.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_told_to_end_finishes_what_is_under_way() {
        let service = notes::service();
        let mut client = Client::of(&service);
        client.send(&modern(1, "tools/call", call("pause", json!({})))).await;
        while service.server().slow_begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        client.stop.cancel();
        assert_eq!(text(&client.next().await), "paused");
        client.server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_client_that_only_probes_is_no_failure() {
        Client::of(&notes::service()).hang_up().await.unwrap();
        let mut client = Client::of(&notes::service());
        client.ask(modern(1, "server/discover", json!({}))).await;
        client.hang_up().await.unwrap();
    }
}

mod writes {
    use super::*;

    fn add() -> Value {
        modern(1, "tools/call", call("add_note", json!({"name": "late"})))
    }

    fn cancel() -> Value {
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    }

    /// A client whose write is under way.
    async fn writing(service: &Arc<Service<Notes>>, options: StdioOptions) -> Client {
        let mut client = Client::with(service, options);
        client.send(&add()).await;
        while service.server().slow_begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        client
    }

    fn outcomes(expected: &[&str]) -> Vec<(String, String)> {
        expected.iter().map(|outcome| ("add_note".to_owned(), (*outcome).to_owned())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_calls_write_is_finished_and_recorded() {
        let (log, service) = (notes::Log::capture(), notes::service());
        let mut client = writing(&service, StdioOptions::default()).await;
        client.send(&cancel()).await;
        tokio::time::sleep(Duration::from_secs(8)).await;
        let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "late"})))).await;
        assert_eq!(text(&answer), "Late.");
        assert_eq!(log.outcomes()[..2], outcomes(&["cancelled", "ok"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_over_the_deadline_is_finished_and_recorded() {
        let (log, service) = (notes::Log::capture(), notes::service());
        let options = StdioOptions { call_timeout: Duration::from_secs(3), ..StdioOptions::default() };
        let mut client = writing(&service, options).await;
        let answer = client.next().await;
        assert!(text(&answer).starts_with("unknown_outcome: "), "{answer}");
        client.hang_up().await.unwrap();
        assert_eq!(log.outcomes(), outcomes(&["unknown_outcome", "ok"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_is_answered_is_recorded_once() {
        let (log, service) = (notes::Log::capture(), notes::service());
        let mut client = writing(&service, StdioOptions::default()).await;
        assert_eq!(text(&client.next().await), "Added late");
        client.hang_up().await.unwrap();
        assert_eq!(log.outcomes(), outcomes(&["ok"]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_ends_after_the_write_that_was_under_way_when_its_input_ended() {
        let service = notes::service();
        let client = writing(&service, StdioOptions::default()).await;
        client.hang_up().await.unwrap();
        assert!(service.server().lock().contains_key("late"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_ends_after_the_write_that_was_under_way_when_it_was_told_to_end() {
        let service = notes::service();
        let mut client = writing(&service, StdioOptions::default()).await;
        client.send(&cancel()).await;
        client.stop.cancel();
        client.server.await.unwrap().unwrap();
        assert!(service.server().lock().contains_key("late"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_takes_too_long_does_not_keep_the_server_and_is_named() {
        let (log, service) = (notes::Log::capture(), notes::service());
        let options = StdioOptions { drain: Duration::from_secs(6), ..StdioOptions::default() };
        let client = writing(&service, options).await;
        let began = tokio::time::Instant::now();
        client.hang_up().await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 6);
        assert!(!service.server().lock().contains_key("late"));
        let lines = log.text();
        let warning = lines.lines().find(|line| line.contains("\"WARN\"")).unwrap_or_default();
        assert!(warning.contains("\"tools\":\"add_note\""), "{lines}");
    }
}

mod lines {
    use super::*;

    #[tokio::test]
    async fn what_is_no_message_is_answered_and_the_next_one_still_heard() {
        let mut client = Client::of(&notes::service());
        for (line, code) in [
            (&b"hello"[..], -32700),
            (b"\xff\xfe\x00", -32700),
            (br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
            (br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, -32600),
            (br#"{"id":5,"method":7}"#, -32600),
        ] {
            client.write(line).await;
            let answer = client.next().await;
            assert_eq!(answer["error"]["code"], code, "{answer}");
        }
        client.write(b"").await;
        client.write(br#"{"jsonrpc":"2.0","method":"window/didChange","params":{}}"#).await;
        assert!(client.ask(modern(2, "tools/list", json!({}))).await["result"]["tools"].is_array());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_refused_without_being_kept() {
        let options = StdioOptions { max_line: 1024, ..StdioOptions::default() };
        let mut client = Client::with(&notes::service(), options);
        client.write(&vec![b'x'; 1_000_000]).await;
        assert_eq!(client.next().await["error"]["code"], -32600);
        assert!(client.ask(modern(2, "tools/list", json!({}))).await["result"]["tools"].is_array());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_not_read_from() {
        let mut client = Client::of(&notes::service());
        let mut write = client.write.take().unwrap();
        let asking = tokio::spawn(async move {
            for id in 0..5_000 {
                let line = modern(id, "tools/list", json!({})).to_string() + "\n";
                write.write_all(line.as_bytes()).await.unwrap();
            }
            write
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!asking.is_finished());
        let mut ids: Vec<_> = Vec::new();
        while ids.len() < 5_000 {
            ids.push(client.next().await["id"].as_u64().unwrap());
        }
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..5_000));
        client.write = Some(asking.await.unwrap());
        client.hang_up().await.unwrap();
    }

    #[tokio::test]
    async fn notifications_before_the_era_is_known_do_not_end_the_server() {
        let mut client = Client::of(&notes::service());
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client.ask(modern(1, "server/discover", json!({}))).await;
        client
            .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}))
            .await;
        let incomplete = client.ask(legacy(2, "tools/list", json!({}))).await;
        assert_eq!(incomplete["error"]["code"], -32602, "{incomplete}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        assert!(client.ask(modern(3, "tools/list", json!({}))).await["result"]["tools"].is_array());
    }
}
