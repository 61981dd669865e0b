//! What took place is logged with as little as HubSpot needs of it.

use connector::Kind;
use serde_json::{Value, json};

use crate::support::{CREATE, Office};

/// What the last record was created with.
fn made(office: &Office) -> Value {
    office.last(CREATE)["inputs"][0]["properties"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_call_or_a_meeting_is_logged_without_a_word() {
    let office = Office::open().await;
    let arguments = json!({"kind": "meeting", "when": "2026-11-20T14:00", "duration_minutes": 60, "about": ["contacts:101"]});
    let text = office.call("log_activity", arguments).await;
    assert!(text.starts_with("Logged the meeting ") && text.contains("on Elena Petrova"), "{text}");
    let meeting = made(&office);
    assert_eq!(
        (&meeting["hs_meeting_start_time"], &meeting["hs_meeting_end_time"], &meeting["hs_meeting_outcome"]),
        (&json!("2026-11-20T13:00:00.000Z"), &json!("2026-11-20T14:00:00.000Z"), &json!("COMPLETED"))
    );
    assert!(meeting["hs_meeting_title"].is_null() && meeting["hs_meeting_body"].is_null(), "{meeting}");
    // Text that is made up is worse than none: a timeline shows it by its kind and outcome.
    let text = office.call("get_timeline", json!({"object": "contacts", "id": "101"})).await;
    assert!(text.contains("2026-11-20 14:00 | meeting (completed), Daniel Novák"), "{text}");
    // A body that strict clients fill in with nothing is none.
    let call =
        json!({"kind": "call", "body": "", "title": "", "outcome": "No answer", "about": ["contacts:101"]});
    let text = office.call("log_activity", call).await;
    assert!(text.contains("outcome No answer"), "{text}");
    assert!(made(&office)["hs_call_body"].is_null() && made(&office)["hs_call_title"].is_null());
    let titled = json!({"kind": "email", "title": "The contract", "about": ["contacts:101"]});
    office.call("log_activity", titled).await;
    assert_eq!(made(&office)["hs_email_subject"], "The contract");
    for (kind, says) in [("note", "A note needs `body`"), ("email", "needs `body` or `title`")] {
        let error = office.refusal("log_activity", json!({"kind": kind, "about": ["contacts:101"]})).await;
        assert_eq!(error.kind(), Kind::InvalidArgument);
        assert!(error.for_agent().contains(says), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_without_an_hour_is_no_midnight_in_silence() {
    let office = Office::open().await;
    let log = |when: &str| json!({"kind": "call", "when": when, "about": ["contacts:101"]});
    let text = office.call("log_activity", log("2026-11-20")).await;
    assert!(
        text.contains("no hour was given; it stands at the beginning of the day in Europe/Stockholm"),
        "{text}"
    );
    assert_eq!(made(&office)["hs_timestamp"], "2026-11-19T23:00:00.000Z");
    // What took place today was over by now.
    let mut meeting = log("today");
    meeting["kind"] = json!("meeting");
    office.call("log_activity", meeting).await;
    let (begin, end) =
        (made(&office)["hs_meeting_start_time"].clone(), made(&office)["hs_meeting_end_time"].clone());
    let end = end.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    // Shortly after midnight it cannot have begun before that.
    let at_midnight = begin.as_str().unwrap().ends_with(":00:00.000Z");
    assert!(end <= connector::clock::wall().as_secs() as i64 || at_midnight, "{begin} {end}");
    assert_eq!(made(&office)["hs_meeting_outcome"], "COMPLETED");
    let text = office.call("log_activity", log("today")).await;
    let at: jiff::Timestamp = made(&office)["hs_timestamp"].as_str().unwrap().parse().unwrap();
    let now = connector::clock::wall().as_secs() as i64;
    assert!((0..60).contains(&(now - at.as_second())) && !text.contains("no hour"), "{at} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_meeting_that_is_yet_to_come_has_not_taken_place() {
    let office = Office::open().await;
    let when = json!({"kind": "meeting", "title": "Contract", "when": "2031-05-02T10:00", "about": ["contacts:101"]});
    let text = office.call("log_activity", when).await;
    assert!(text.contains("outcome Scheduled"), "{text}");
    assert_eq!(made(&office)["hs_meeting_outcome"], "SCHEDULED");
}

/// developers.hubspot.com, "Tasks": `hs_task_reminders` is a time in milliseconds.
#[tokio::test(start_paused = true)]
async fn a_task_has_a_reminder_at_an_hour_to_come() {
    let office = Office::open().await;
    let task = |reminder: &str| json!({"subject": "Call", "due": "2031-12-01", "reminder": reminder, "about": ["companies:207"]});
    let text = office.call("save_task", task("2031-12-01 09:00")).await;
    assert!(text.contains("- reminders 2031-12-01 09:00"), "{text}");
    let id = text.split("Created the task ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let kept = || office.record("tasks", &id)["properties"]["hs_task_reminders"].clone();
    // Nine o'clock in Stockholm.
    assert_eq!(kept(), "1953878400000");
    let timeline = json!({"object": "companies", "id": "207", "kinds": ["task"]});
    let text = office.call("get_timeline", timeline).await;
    assert!(text.contains("(not started, reminder 2031-12-01 09:00)"), "{text}");
    let text = office.call("get_records", json!({"object": "tasks", "ids": [id]})).await;
    assert!(text.contains("2031-12-01 09:00"), "{text}");
    let text = office.call("save_task", json!({"id": id, "reminder": "2031-12-01 10:30"})).await;
    assert!(text.contains("reminders 2031-12-01 09:00 → 2031-12-01 10:30"), "{text}");
    office.call("save_task", json!({"id": id, "clear": ["reminder"]})).await;
    assert_eq!(kept(), Value::Null);
    for (reminder, says) in
        [("tomorrow", "has none"), ("2020-01-01 09:00", "is past"), ("soonish", "is no time")]
    {
        let error = office.refusal("save_task", task(reminder)).await.for_agent();
        assert!(error.contains("`reminder`") && error.contains(says), "{error}");
    }
}
