//! What misled somebody who had nothing but the list of tools: whose a record is, which names go round, what a
//! reply leaves out.

use connector::{
    sandbox::{Action, Rule},
    testing::cursor,
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::support::{CREATE, Office, rows};

/// The owner of the last record that was created.
fn owner(office: &Office) -> Value {
    office.last(CREATE)["inputs"][0]["properties"]["hubspot_owner_id"].clone()
}

#[tokio::test(start_paused = true)]
async fn what_i_make_is_mine_unless_an_owner_is_given() {
    let office = Office::open().await;
    let note = json!({"kind": "note", "body": "Wants a call.", "about": ["companies:Northwind"]});
    let text = office.call("log_activity", note.clone()).await;
    assert!(text.contains("owner Daniel Novák"), "{text}");
    assert_eq!(owner(&office), "7001");
    let text = office.call("save_task", json!({"subject": "Call Elena", "due": "tomorrow"})).await;
    assert!(text.contains("owner Daniel Novák"), "{text}");
    assert_eq!(owner(&office), "7001");
    let deal = json!([{"fields": {"dealname": "Pilot", "stage": "Contract sent", "pipeline": "Sales"}}]);
    let text = office.call("create_records", json!({"object": "deals", "records": deal})).await;
    assert!(text.contains("owner Daniel Novák"), "{text}");
    assert_eq!(owner(&office), "7001");
    // Whoever is named has it; what nobody owns has no owner.
    let mut hers = note.clone();
    hers["owner"] = json!("Grace Mbeki");
    office.call("log_activity", hers).await;
    assert_eq!(owner(&office), "7002");
    let mut nobodys = note;
    nobodys["owner"] = json!("none");
    let text = office.call("log_activity", nobodys).await;
    assert!(text.contains("owner none") && owner(&office).is_null(), "{text}");
    let product = json!([{"fields": {"name": "Training", "price": 900}}]);
    office.call("create_records", json!({"object": "products", "records": product})).await;
    assert_eq!(owner(&office), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_service_key_has_no_user_and_the_reply_says_so() {
    let office = Office::changed(|seed| seed["tokens"][0]["kind"] = json!("service_key")).await;
    let note = json!({"kind": "note", "body": "Wants a call.", "about": ["companies:Northwind"]});
    let text = office.call("log_activity", note).await;
    assert!(text.contains("owner none; name one in `owner`") && owner(&office).is_null(), "{text}");
    let new = json!([{"fields": {"email": "ana@new.example"}}]);
    let text = office.call("create_records", json!({"object": "contacts", "records": new})).await;
    assert!(text.contains("owner none; name one in `owner`") && owner(&office).is_null(), "{text}");
    let new = json!([{"fields": {"email": "bo@new.example", "owner": "Grace Mbeki"}}]);
    let text = office.call("create_records", json!({"object": "contacts", "records": new})).await;
    assert!(text.contains("owner Grace Mbeki") && !text.contains("owner none"), "{text}");
}

/// knowledge.hubspot.com: "What is the default lifecycle stage for newly created contacts", "Sync ownership between
/// contacts and companies".
#[tokio::test(start_paused = true)]
async fn what_hubspot_sets_in_a_new_record_by_itself_is_told() {
    let office = Office::changed(|seed| seed["tokens"][0]["kind"] = json!("service_key")).await;
    let new = |rows: Value| json!({"object": "contacts", "records": rows});
    let text = office.call("create_records", new(json!([{"fields": {"email": "a@new.example"}}]))).await;
    assert!(
        text.contains("note: HubSpot itself set lifecyclestage Lead") && text.contains("owner none"),
        "{text}"
    );
    let asked = json!([{"fields": {"email": "b@new.example", "lifecyclestage": "Customer"}}]);
    assert!(!office.call("create_records", new(asked)).await.contains("itself"));
    let rows = json!([{"fields": {"email": "c@new.example", "lifecyclestage": "Customer"}}, {"fields": {"email": "d@new.example"}}]);
    let text = office.call("create_records", new(rows)).await;
    assert!(text.contains("note: HubSpot itself set lifecyclestage Lead in row 2"), "{text}");
    // An account may give a contact the owner of the company.
    let owned = Action::patch("/results/0/properties/hubspot_owner_id", json!("7002"));
    office.harness().faults().add(Rule::new(CREATE, owned));
    let text = office.call("create_records", new(json!([{"fields": {"email": "e@new.example"}}]))).await;
    assert!(text.contains("HubSpot itself set owner ") && !text.contains("owner none"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_move_tells_what_it_ignored_and_empties_what_it_is_told_to() {
    let office = Office::open().await;
    let reason = |office: &Office| office.record("deals", "9012")["properties"]["closed_lost_reason"].clone();
    assert_eq!(reason(&office), "No budget");
    let wrong = json!({"id": "9012", "stage": "Qualified to buy", "fields": {"closed_lost_reason": ""}});
    let text = office.call("move_stage", wrong).await;
    assert!(
        text.contains("stage Closed lost → Qualified to buy")
            && text.contains("note: closed_lost_reason: an empty value was ignored; `clear` empties a field"),
        "{text}"
    );
    assert_eq!(reason(&office), "No budget");
    let right = json!({"id": "9012", "stage": "Contract sent", "clear": ["closed_lost_reason"]});
    let text = office.call("move_stage", right).await;
    assert!(text.contains("closed_lost_reason No budget → none"), "{text}");
    assert_eq!(reason(&office), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn an_ignored_value_is_not_called_the_one_that_is_there() {
    let office = Office::open().await;
    let update = |fields: Value| json!({"object": "deals", "records": [{"id": "9002", "fields": fields}]});
    let text = office.call("update_records", update(json!({"amount": ""}))).await;
    assert!(
        text.starts_with("Nothing to change: no value was given") && text.contains("amount: an empty"),
        "{text}"
    );
    let text = office.call("update_records", update(json!({"amount": 12500}))).await;
    assert!(text.starts_with("Nothing to change: it is like that already"), "{text}");
    // A link is for new records, and never dropped without a word.
    let linked = json!({"object": "deals", "records": [{"id": "9002", "fields": {"amount": 1}, "link": ["contacts:101"]}]});
    let error = office.refusal("update_records", linked).await.for_agent();
    assert!(error.contains("associate_records"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_change_of_several_records_is_written_once() {
    let office = Office::open().await;
    let ids = ["103", "104", "110"];
    let records = json!([{"ids": ids, "fields": {"owner": "Maya Lindqvist"}}]);
    let text = office.call("update_records", json!({"object": "contacts", "records": records})).await;
    assert!(text.starts_with("Updated 3 contacts"), "{text}");
    for id in ids {
        assert_eq!(office.record("contacts", id)["properties"]["hubspot_owner_id"], "7003");
    }
}

#[tokio::test(start_paused = true)]
async fn a_column_that_was_asked_for_and_is_empty_everywhere_is_named() {
    let office = Office::open().await;
    let fields = json!(["subject", "owner", "closed_date"]);
    let text =
        office.call("get_records", json!({"object": "tickets", "ids": ["404"], "fields": fields})).await;
    assert!(
        text.contains("id | subject") && text.contains("empty in every row: owner, closed_date"),
        "{text}"
    );
    let text = office
        .call(
            "list_associations",
            json!({"object": "companies", "id": "201", "to": "tickets", "fields": fields}),
        )
        .await;
    assert!(
        text.contains("id | subject | owner") && text.contains("empty in every row: closed_date"),
        "{text}"
    );
    let text =
        office.call("search", json!({"object": "tickets", "fields": ["closed_date", "source_type"]})).await;
    assert!(text.contains("empty in every row: source_type"), "{text}");
    // What was not asked for is left out silently.
    let text = office.call("search", json!({"object": "tickets"})).await;
    assert!(!text.contains("empty in every row"), "{text}");
}

/// The heads of a reply's columns.
fn heads(text: &str) -> Vec<String> {
    let after = text.split("id | ").nth(1).unwrap_or_else(|| panic!("no heads: {text}"));
    let all = after.split([';', '\n']).next().unwrap();
    all.trim_end_matches([')', '.', ':']).split(" | ").map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn the_heads_of_a_reply_are_taken_as_fields() {
    let office = Office::open().await;
    for object in [
        "contacts",
        "companies",
        "deals",
        "tickets",
        "tasks",
        "notes",
        "calls",
        "meetings",
        "emails",
        "quotes",
        "line_items",
        "leads",
        "products",
    ] {
        let first = heads(&office.call("search", json!({"object": object})).await);
        let text = office.call("search", json!({"object": object, "fields": first})).await;
        assert_eq!(heads(&text), first, "{object}: {text}");
        for field in &first {
            office
                .call(
                    "search",
                    json!({"object": object, "sort": field, "where": [{"field": field, "op": "has"}]}),
                )
                .await;
        }
    }
    let heads = heads(&office.call("search", json!({"object": "tasks"})).await);
    assert_eq!(heads, ["subject", "due", "status", "priority", "owner"]);
}

#[tokio::test(start_paused = true)]
async fn the_words_of_the_tools_that_write_are_fields_too() {
    let office = Office::open().await;
    for (object, words, cells) in [
        ("tasks", vec!["subject", "due", "status", "priority", "type", "owner", "body"], "1501 | Ask Elena"),
        (
            "calls",
            vec!["title", "when", "duration", "outcome", "direction", "body"],
            "1201 | Timeouts at Northwind",
        ),
        ("meetings", vec!["title", "when", "outcome", "body"], "1301 | Contract walk-through"),
        ("emails", vec!["subject", "when", "direction", "body"], "1402 | Re: Contract"),
        ("quotes", vec!["title", "amount", "status", "expiration"], "681 | Northwind, 11 warehouses"),
    ] {
        let text = office.call("search", json!({"object": object, "fields": words})).await;
        assert!(rows(&text).iter().any(|row| row.starts_with(cells)), "{object}: {text}");
        assert!(!text.contains("There is no field"), "{object}: {text}");
    }
    // The story's tomorrow is that of UTC: late in its evening the account's is a day later.
    let tomorrow = Timestamp::now().to_zoned(TimeZone::UTC).date().tomorrow().unwrap().to_string();
    let due = json!({"object": "tasks", "where": {"due": tomorrow, "status": "not started"}});
    let text = office.call("search", due).await;
    assert_eq!(rows(&text).len(), 1, "{text}");
    assert!(rows(&text)[0].starts_with("1501 |"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_field_does_not_refuse_the_right_ones() {
    let office = Office::open().await;
    let fields = json!(["price", "discount", "quantity", "tax_zone"]);
    let text =
        office.call("get_records", json!({"object": "line_items", "ids": ["651"], "fields": fields})).await;
    assert!(rows(&text)[0].starts_with("651 | Import API, per warehouse | 7,600 EUR | 11"), "{text}");
    assert!(text.contains("no field `discount`") && text.contains("no field `tax_zone`"), "{text}");
    let wrong = json!({"object": "line_items", "ids": ["651"], "fields": ["discount", "tax_zone"]});
    let error = office.refusal("get_records", wrong).await.for_agent();
    assert!(error.contains("`discount`") && error.contains("`tax_zone`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_due_at_an_hour_in_words() {
    let office = Office::open().await;
    for due in ["in three days at 10:00", "tomorrow 10:00"] {
        let text = office.call("save_task", json!({"subject": "Call Ines", "due": due})).await;
        let told = text.split("due ").nth(1).and_then(|rest| rest.split_whitespace().nth(1));
        assert_eq!(told, Some("10:00"), "{due}: {text}");
    }
    let error =
        office.refusal("save_task", json!({"subject": "Call Ines", "due": "soonish"})).await.for_agent();
    assert!(error.contains("tomorrow 09:00 (in Europe/"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_due_in_so_many_days_is_due_as_on_the_day_itself() {
    let office = Office::open().await;
    let due = |due: &str| json!({"subject": "Call Ines", "due": due});
    let sent = || office.last(CREATE)["inputs"][0]["properties"]["hs_timestamp"].clone();
    for span in ["in 3 days", "2w", "in one week"] {
        let text = office.call("save_task", due(span)).await;
        let mut told = text.split("due ").nth(1).unwrap().split_whitespace();
        let (day, hour) = (told.next().unwrap(), told.next());
        assert_eq!(hour, Some("23:59"), "{span}: {text}");
        let of_span = sent();
        office.call("save_task", due(day)).await;
        assert_eq!(of_span, sent(), "{span}: {text}");
        let task = json!({"object": "tasks", "records": [{"fields": due(span)}]});
        let text = office.call("create_records", task).await;
        assert_eq!(of_span, sent(), "{span}: {text}");
        assert!(text.contains("is the end of the day in Europe/"), "{span}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_an_archive_says_whose_they_are_and_what_is_open() {
    let office = Office::open().await;
    let (text, _) = office.question("archive_records", json!({"object": "companies", "ids": ["203"]})).await;
    assert!(text.contains("Brightline Retail (203), owner Grace Mbeki"), "{text}");
    assert!(text.contains("open deal: Brightline expansion (9003), 47,000 USD, Contract sent, "), "{text}");
    assert!(!text.contains("Brightline renewal"), "what is closed is no open deal: {text}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_has_is_looked_for_elsewhere_and_no_vain_advice_given() {
    let office = Office::open().await;
    let text = office.call("search", json!({"object": "companies", "query": "Bluebird"})).await;
    assert!(text.contains("elsewhere: no contact, no deal"), "{text}");
    assert!(!text.contains("try one word"), "{text}");
    let text = office.call("search", json!({"object": "companies", "query": "Elena Petrova"})).await;
    assert!(text.contains("elsewhere: 1 contact") && text.contains("try one word"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_an_owner_in_a_condition() {
    let office = Office::open().await;
    let missing =
        json!({"object": "contacts", "where": [{"field": "owner", "op": "missing"}], "count_only": true});
    let wanted = office.call("search", missing).await;
    for owner in ["none", "unassigned"] {
        let text =
            office.call("search", json!({"object": "contacts", "owner": owner, "count_only": true})).await;
        assert_eq!(text, wanted);
    }
    let records = json!([{"id": "101", "fields": {"owner": "none"}}]);
    let error =
        office.refusal("update_records", json!({"object": "contacts", "records": records})).await.for_agent();
    assert!(error.contains("`clear`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_calls_length_is_told_and_taken_in_minutes() {
    let office = Office::open().await;
    let call = json!({"kind": "call", "body": "Talked.", "about": ["contacts:101"], "duration_minutes": 10});
    let text = office.call("log_activity", call).await;
    assert!(text.contains("duration 10 min"), "{text}");
    let update = |length: Value| json!({"object": "calls", "records": [{"id": "1201", "fields": {"duration": length}}]});
    let text = office.call("update_records", update(json!("12 min"))).await;
    assert!(text.contains("duration 14 min → 12 min"), "{text}");
    assert_eq!(office.record("calls", "1201")["properties"]["hs_call_duration"], "720000");
    let error = office.refusal("update_records", update(json!(10))).await.for_agent();
    assert!(error.contains("milliseconds") && error.contains("10 min"), "{error}");
    let longer = json!({"object": "calls", "where": [{"field": "duration", "op": ">=", "value": "10 min"}], "count_only": true});
    assert!(office.call("search", longer).await.starts_with("2 calls"));
}

#[tokio::test(start_paused = true)]
async fn who_has_none_is_told_beside_the_counts_by_owner() {
    let office = Office::open().await;
    let text = office.call("aggregate_records", json!({"object": "contacts", "group_by": ["owner"]})).await;
    assert!(text.contains("none for Maya Lindqvist, Jonas Weber, Jonas Lindgren, Help Desk"), "{text}");
    let one = json!({"object": "contacts", "group_by": ["owner"], "owner": "Grace Mbeki"});
    let text = office.call("aggregate_records", one).await;
    assert!(!text.contains("none for"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_by_itself_shows_its_text() {
    let office = Office::open().await;
    let text = office.call("get_records", json!({"object": "tickets", "ids": ["401"]})).await;
    assert!(text.contains("12,318 rows were written twice"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_logged_activity_says_what_it_is_not_on() {
    let office = Office::open().await;
    let call =
        json!({"kind": "call", "body": "Has the budget in January.", "about": ["contacts:Ines Duarte"]});
    let text = office.call("log_activity", call).await;
    assert!(text.contains("on Ines Duarte (contact 105, Alder Foods)"), "{text}");
    assert!(
        text.contains("not on Alder Foods (company 202), Alder pilot (deal 9002); associate_records"),
        "{text}"
    );
    assert!(!text.contains("9012"), "a closed deal is not told of: {text}");
    // A title made of the body is told once.
    assert_eq!(text.matches("Has the budget").count(), 1, "{text}");
    let about = json!(["contacts:105", "companies:202", "deals:9002"]);
    let text = office.call("log_activity", json!({"kind": "note", "body": "Budget.", "about": about})).await;
    assert!(text.contains("Ines Duarte (contact 105, Alder Foods)") && !text.contains("not on"), "{text}");
    let task = json!({"subject": "Call Ines", "due": "tomorrow", "about": ["deals:9002"]});
    let text = office.call("save_task", task).await;
    assert!(text.contains("not on Alder Foods (company 202);"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_closes_on_the_evening_of_the_last_day_is_in_so_many_days() {
    // In the account's zone the evening of the tenth day, later than the hour of now.
    let office = Office::changed(|seed| {
        let deals = seed["objects"]["deals"].as_array_mut().unwrap();
        let deal = deals.iter_mut().find(|deal| deal["id"] == "9013").unwrap();
        deal["properties"]["closedate"] = json!("D+10T22:30");
    })
    .await;
    let by_date =
        json!({"object": "deals", "where": [{"field": "closedate", "op": "<=", "value": "in 10 days"}]});
    let text = office.call("search", by_date).await;
    assert!(rows(&text).iter().any(|row| row.starts_with("9013 |")), "{text}");
    let until = json!([{"field": "closedate", "op": "between", "value": ["now", "10d"]}]);
    let text = office.call("search", json!({"object": "deals", "where": until})).await;
    assert!(rows(&text).iter().any(|row| row.starts_with("9013 |")) && text.contains("23:59"), "{text}");
    let before = json!([{"field": "closedate", "op": "<=", "value": "in 8 days"}]);
    let text = office.call("search", json!({"object": "deals", "where": before})).await;
    assert!(!rows(&text).iter().any(|row| row.starts_with("9013 |")), "{text}");
}

#[tokio::test(start_paused = true)]
async fn deals_of_one_name_are_told_apart_by_stage_and_amount() {
    let office = Office::open().await;
    let note = json!({"kind": "note", "body": "Read it.", "about": ["deals:Northwind"]});
    let error = office.refusal("log_activity", note.clone()).await.for_agent();
    assert!(
        error.contains(
            "Northwind – 11 warehouses (deal 9001, Contract sent, 84,000 EUR, owner Daniel Novák, since 20"
        ),
        "{error}"
    );
    assert!(error.contains("Northwind churned add-on (deal 9008, ") && error.contains("(lost)"), "{error}");
    let redact = [("redact", connector::settings::Value::List(vec!["amount".to_owned()]))];
    let office = Office::over(hubspot_mcp::sandbox::seed(), &redact).await;
    let error = office.refusal("log_activity", note).await.for_agent();
    assert!(!error.contains("84,000"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn people_of_a_company_are_shown_with_what_they_do_there() {
    let office = Office::open().await;
    let people = json!({"object": "contacts", "associated_with": "companies:Brightline Retail"});
    let text = office.call("search", people).await;
    let liam = rows(&text).into_iter().find(|row| row.starts_with("104 |")).unwrap();
    assert!(liam.contains("| CFO |") && liam.ends_with("| Primary, Billing contact"), "{text}");
    assert!(heads(&text).contains(&"labels".to_owned()), "{text}");
    assert!(!heads(&text).contains(&"company".to_owned()), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_included_comes_with_its_worth() {
    let office = Office::open().await;
    let include = json!({"object": "deals", "ids": ["9001"], "include": ["quotes", "line_items"]});
    let text = office.call("get_records", include).await;
    assert!(text.contains("quotes: Northwind, 11 warehouses (681, 84,000"), "{text}");
    assert!(text.contains("Import API, per warehouse (651, 11 × 7,600 EUR = 83,600 EUR)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_an_archive_can_undo_is_told_before() {
    let office = Office::open().await;
    let (text, _) = office.question("archive_records", json!({"object": "contacts", "ids": ["103"]})).await;
    assert!(text.contains("a person can restore them in HubSpot for 90 days"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_deal_that_is_reopened_with_a_past_close_date_is_told_of() {
    let office = Office::open().await;
    let text = office.call("move_stage", json!({"id": "9012", "stage": "Qualified to buy"})).await;
    assert!(
        text.contains("note: the close date 20") && text.contains("of Alder second site is past"),
        "{text}"
    );
    let text = office.call("move_stage", json!({"id": "9002", "stage": "Contract sent"})).await;
    assert!(!text.contains("is past"), "{text}");
    let dated = json!({"id": "9012", "stage": "Contract sent", "fields": {"closedate": "in 30 days"}});
    let text = office.call("move_stage", dated).await;
    assert!(!text.contains("is past"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_the_index_lags_behind_on_stands_in_its_place() {
    let office = Office::open().await;
    office.steer(json!({"searchLagMs": 20_000})).await;
    let listed =
        |limit: u32| json!({"object": "deals", "sort": "-amount", "limit": limit, "fields": ["amount"]});
    let before = office.call("search", listed(3)).await;
    let first: Vec<String> =
        rows(&before).into_iter().map(|row| row.split(" | ").next().unwrap().to_owned()).collect();
    let deal = json!([{"fields": {"dealname": "Small", "stage": "Contract sent", "pipeline": "Sales", "amount": 1}}]);
    office.call("create_records", json!({"object": "deals", "records": deal})).await;
    let text = office.call("search", listed(3)).await;
    let now: Vec<String> =
        rows(&text).into_iter().map(|row| row.split(" | ").next().unwrap().to_owned()).collect();
    assert_eq!(now, first, "{text}");
    assert!(text.contains("further down"), "{text}");
    let deal = json!([{"fields": {"dealname": "Great", "stage": "Contract sent", "pipeline": "Sales", "amount": 100_000}}]);
    office.call("create_records", json!({"object": "deals", "records": deal})).await;
    let text = office.call("search", listed(3)).await;
    let now = rows(&text);
    assert_eq!(now.len(), 3, "{text}");
    assert!(
        now[0].starts_with(&first[0]) && now[1].starts_with('*') && now[2].starts_with(&first[1]),
        "{text}"
    );
    // The next page begins with the row that had to give way.
    let mut next = listed(3);
    next["cursor"] = json!(cursor(&text).unwrap_or_else(|| panic!("no cursor: {text}")));
    let text = office.call("search", next).await;
    assert!(rows(&text)[0].starts_with(&first[2]), "{text}");
}
