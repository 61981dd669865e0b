//! What tools are listed and what calling one gives, in both eras.

use super::*;

#[tokio::test]
async fn a_modern_client_lists_and_calls_without_a_handshake() {
    let mut client = Client::of(&notes::service());
    let list = client.ask(modern(1, "tools/list", json!({}))).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["add_note", "count", "crash", "delete_note", "pause", "post_note", "read_note", "wait"]
    );
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
    let granted = Some(Granted::new(["notes:read".to_owned()], &[]));
    *service.server().granted.lock().unwrap() = (granted.clone(), Duration::from_millis(100));
    assert_eq!(names().await, ["add_note", "count", "crash", "pause", "post_note", "read_note", "wait"]);
    *service.server().granted.lock().unwrap() = (granted, Duration::from_secs(60));
    // What was told is taken into account for a while, then it is asked again.
    tokio::time::advance(Duration::from_secs(60)).await;
    let asked = tokio::time::Instant::now();
    assert!(names().await.contains(&"delete_note".to_owned()));
    assert!(asked.elapsed() < Duration::from_secs(3), "a list must not wait for the vendor");
    client.hang_up().await.unwrap();
}

#[tokio::test]
async fn a_tool_whose_toolset_is_off_says_so_and_nothing_of_it_comes_another_way() {
    let mut client = Client::of(&notes::service());
    let answer = client.ask(modern(1, "tools/call", call("list_secrets", json!({})))).await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(
        text(&answer),
        "policy: `list_secrets` belongs to the toolset `drawer`, which is switched off. The operator switches it on with --toolsets default,drawer."
    );
    let discovered = client.ask(modern(2, "server/discover", json!({}))).await;
    let instructions = discovered["result"]["instructions"].as_str().unwrap();
    assert!(
        instructions.ends_with("switched off, which the operator can switch on by --toolsets: drawer."),
        "{instructions}"
    );
    let list = client.ask(modern(3, "resources/list", json!({}))).await;
    assert!(!list.to_string().contains("notes://secrets"), "{list}");
    let read = client.ask(modern(4, "resources/read", json!({"uri": "notes://secrets"}))).await;
    assert!(read["error"]["message"].as_str().unwrap().starts_with("policy: "), "{read}");
    // Far from every tool there is.
    let answer = client.ask(modern(5, "tools/call", call("list_notebooks", json!({})))).await;
    assert_eq!(
        answer["error"]["message"],
        "Unknown tool: list_notebooks. tools/list gives the tools there are."
    );
    let answer = client.ask(modern(6, "tools/call", call("list_secret", json!({})))).await;
    assert_eq!(
        answer["error"]["message"],
        "Unknown tool: list_secret. Did you mean `list_secrets`? `list_secrets` belongs to the toolset `drawer`, which is switched off. The operator switches it on with --toolsets default,drawer."
    );

    let none = Selection { exclude_tools: vec!["read_note".to_owned()], ..Selection::default() };
    let mut client = Client::of(&notes::selected(&none));
    let uri = json!({"uri": "notes://note/one"});
    for (id, method, params) in [
        (1, "tools/call", call("read_note", json!({"name": "one"}))),
        (2, "resources/read", uri.clone()),
        (3, "prompts/get", json!({"name": "summarize", "arguments": {"name": "one"}})),
        (
            4,
            "completion/complete",
            json!({
                "ref": {"type": "ref/resource", "uri": "notes://note/{name}"}, "argument": {"name": "name", "value": "n"},
            }),
        ),
        (5, "prompts/list", json!({})),
        (6, "resources/templates/list", json!({})),
        (7, "tools/call", call("read_notes", json!({"name": "one"}))),
    ] {
        let answer = client.ask(modern(id, method, params)).await.to_string();
        let tells = ["First.", "note-001", "summarize\"", "notes://note/", "Did you mean"];
        assert!(!tells.iter().any(|tell| answer.contains(tell)), "{method}: {answer}");
    }
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
