//! Texts of any length: cut in rows, with a word on how the rest is read, and whole where one record is read.

use connector::{
    catalog::Answer,
    testing::{Options, cursor},
};
use serde_json::{Value, json};

use crate::support::{CREATE, Office, add};

fn sentences(many: usize) -> String {
    (0..many).map(|n| format!("Sentence {n} of the minutes.")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_long_text_is_read_whole_where_one_record_is_read() {
    let body = sentences(400);
    assert!(body.len() > 10_000);
    let office = Office::changed(|seed| {
        let html: String = body.lines().map(|line| format!("<p>{line}</p>")).collect();
        add(seed, "notes", "1150", json!({"hs_note_body": html, "hs_timestamp": "D-4T10:00"}));
        let notes = seed["objects"]["notes"].as_array_mut().unwrap();
        notes.last_mut().unwrap()["to"] = json!({"companies": ["207"]});
    })
    .await;
    let text = office.call("get_records", json!({"object": "notes", "ids": ["1150"]})).await;
    for n in [0, 200, 399] {
        assert!(text.contains(&format!("Sentence {n} of")), "{n}: {}", text.len());
    }
    assert!(!text.contains("characters)"), "{text}");
    // A passage that only a whole reading shows can be edited.
    let edit = json!([{"id": "1150", "edits": [{"old": "Sentence 399 of the minutes.", "new": "The end."}]}]);
    office.call("update_records", json!({"object": "notes", "records": edit})).await;
    for (tool, arguments) in [
        ("get_timeline", json!({"object": "companies", "id": "207", "kinds": ["note"]})),
        ("search", json!({"object": "notes", "fields": ["body"]})),
        ("get_records", json!({"object": "notes", "ids": ["1150", "1101"]})),
        ("list_associations", json!({"object": "companies", "id": "207", "to": "notes"})),
    ] {
        let text = office.call(tool, arguments).await;
        assert!(
            text.contains("characters)") && text.contains("get_records of one record shows it whole"),
            "{tool}: {text}"
        );
    }
    let short = office.call("search", json!({"object": "companies"})).await;
    assert!(!short.contains("texts are cut"), "{short}");
}

#[tokio::test(start_paused = true)]
async fn a_text_beyond_a_reply_goes_on_by_its_cursor() {
    let content = sentences(2_000);
    assert!(content.len() > 50_000);
    let office = Office::changed(|seed| {
        seed["objects"]["tickets"][0]["properties"]["content"] = json!(content);
    })
    .await;
    let mut asked = json!({"object": "tickets", "ids": ["401"]});
    let (mut seen, mut replies) = (String::new(), 0);
    loop {
        let text = office.call("get_records", asked.clone()).await;
        assert!(text.len() <= 32 * 1024, "{}", text.len());
        seen.push_str(&text);
        replies += 1;
        match cursor(&text) {
            Some(cursor) => asked["cursor"] = json!(cursor),
            None => break,
        }
    }
    assert!((3..=4).contains(&replies), "{replies}");
    for n in 0..2_000 {
        assert!(seen.contains(&format!("Sentence {n} of the minutes.")), "{n} is lost");
    }
}

#[tokio::test(start_paused = true)]
async fn structured_values_of_one_record_are_whole_too() {
    let content = sentences(200);
    let mut seed = hubspot_mcp::sandbox::seed();
    seed["objects"]["tickets"][0]["properties"]["content"] = json!(content);
    let office = Office::with(seed, Options { structured: true, ..Options::everything() }).await;
    let asked = json!({"object": "tickets", "ids": ["401"]});
    let Answer::Reply(reply) = office.attempt("get_records", asked).await.unwrap() else { panic!() };
    let answer = office.service().render(reply);
    let data: Value = answer.structured.unwrap();
    assert_eq!(data["items"][0]["values"]["content"], content.trim(), "{data}");
}

#[tokio::test(start_paused = true)]
async fn numbers_are_told_as_they_are_kept() {
    let office = Office::changed(|seed| {
        seed["objects"]["2-987"][0]["properties"]["pallets"] = json!("52.5243");
    })
    .await;
    let text = office.call("get_records", json!({"object": "sites", "ids": ["3001"]})).await;
    assert!(text.contains("52.5243"), "{text}");
    let update = json!({"object": "sites", "records": [{"id": "3001", "fields": {"pallets": "52.5247"}}]});
    let text = office.call("update_records", update).await;
    assert!(text.contains("52.5243 → 52.5247"), "{text}");
    let text = office.call("aggregate_records", json!({"object": "sites", "of": "pallets"})).await;
    assert!(text.contains("sum 1002.5247"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn characters_that_nobody_sees_are_written_as_given_and_the_reply_says_so() {
    let office = Office::open().await;
    let hidden = "Call\u{200b} Elena";
    let said = "[2 characters that are not shown were in what was given, and kept.]";
    let written = |name: &str| office.last(CREATE)["inputs"][0]["properties"][name].clone();
    let text = office.call("save_task", json!({"subject": format!("{hidden}\ntoday"), "body": hidden})).await;
    assert!(text.contains(said) && !text.contains('\u{200b}'), "{text}");
    assert_eq!(written("hs_task_subject"), format!("{hidden} today"));
    assert!(written("hs_task_body").as_str().unwrap().contains(hidden));
    let call = json!({"kind": "call", "title": hidden, "body": hidden, "about": ["contacts:101"]});
    let text = office.call("log_activity", call).await;
    assert!(text.contains(said) && !text.contains('\u{200b}'), "{text}");
    assert_eq!(written("hs_call_title"), hidden);
    let fields = json!([{"fields": {"email": "z@new.example", "firstname": hidden, "city": hidden}}]);
    let text = office.call("create_records", json!({"object": "contacts", "records": fields})).await;
    assert!(text.contains(said) && !text.contains('\u{200b}'), "{text}");
    assert_eq!((written("firstname"), written("city")), (json!(hidden), json!(hidden)));
}
