//! Resources, prompts, completions, and what is not offered.

use super::*;

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
    assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(150), &json!(true)), "{completion}");
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

/// Names of branches and files are others' text.
#[tokio::test]
async fn completions_leave_out_what_would_be_shown_otherwise_than_it_is() {
    let mut client = Client::of(&notes::service());
    let asked = json!({
        "ref": {"type": "ref/prompt", "name": "summarize"}, "argument": {"name": "name", "value": "ma"},
    });
    let answer = client.ask(modern(1, "completion/complete", asked)).await;
    let completion = &answer["result"]["completion"];
    assert_eq!((&completion["values"], &completion["total"]), (&json!(["main"]), &json!(1)), "{completion}");
}

#[tokio::test]
async fn a_cursor_for_a_list_of_one_page_is_refused() {
    let mut client = Client::of(&notes::service());
    for method in ["tools/list", "prompts/list", "resources/list"] {
        let answer = client.ask(modern(1, method, json!({"cursor": "x"}))).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}
