//! What a reply leaves open costs a second call, or misleads: what it did not look at, which of two is meant, how much
//! there is, what goes along.

use connector::{
    sandbox::{Action, Rule},
    settings::Value as Setting,
    testing::Options,
};
use serde_json::{Value, json};

use crate::support::{Office, READ, SEARCH, add, rows};

/// An office as it is by default, without the toolsets that must be asked for.
async fn plain() -> Office {
    Office::with(hubspot_mcp::sandbox::seed(), Options::default()).await
}

#[tokio::test(start_paused = true)]
async fn a_companys_timeline_names_only_what_is_not_in_it() {
    let northwind = json!({"object": "companies", "id": "Northwind"});
    let office = Office::open().await;
    let text = office.call("get_timeline", northwind.clone()).await;
    assert!(text.contains("with all that is on its 3 deals, 1 ticket"), "{text}");
    let text = office.call("get_timeline", json!({"object": "deals", "id": "9001"})).await;
    assert!(!text.contains("with all") && !text.contains("not in this"), "{text}");
    let office = Office::changed(|seed| {
        let note = json!({"hs_note_body": "Only here.", "hs_timestamp": "D-4T10:00"});
        add(seed, "notes", "1150", note);
        let notes = seed["objects"]["notes"].as_array_mut().unwrap();
        notes.last_mut().unwrap()["to"] = json!({"deals": ["9007"]});
    })
    .await;
    let text = office.call("get_timeline", northwind.clone()).await;
    assert!(
        text.contains("not in this, on timelines of their own: Northwind renewal (deal 9007): 1"),
        "{text}"
    );
    assert!(!text.contains("9008") && !text.contains("Only here"), "{text}");
    // What is outside the time that was asked for, or of another kind, is not missing.
    for narrowed in [json!({"since": "yesterday"}), json!({"kinds": ["call"]})] {
        let mut asked = northwind.clone();
        asked.as_object_mut().unwrap().extend(narrowed.as_object().unwrap().clone());
        let text = office.call("get_timeline", asked).await;
        assert!(text.contains("with all that is on its"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeline_says_who_took_part_in_calls_and_meetings() {
    let office = Office::changed(|seed| {
        seed["objects"]["calls"][0]["to"]["contacts"] = json!(["101", "102"]);
    })
    .await;
    let text = office.call("get_timeline", json!({"object": "companies", "id": "201"})).await;
    let both = "Grace Mbeki, with Elena Petrova (contact 101), Marcus Bell (contact 102) | 1201";
    assert!(text.contains(both), "{text}");
    assert!(text.contains("Daniel Novák, with Elena Petrova (contact 101) | 1301"), "{text}");
    // On somebody's own timeline they are not named again.
    let read = "POST /crm/associations/{fromObjectType}/{toObjectType}/batch/read";
    let own = json!({"object": "contacts", "id": "101"});
    let before = office.sent(read).len();
    let text = office.call("get_timeline", own.clone()).await;
    let reads = office.sent(read).len() - before;
    assert!(text.contains("Grace Mbeki, with Marcus Bell (contact 102) | 1201"), "{text}");
    assert!(text.contains("Daniel Novák | 1301"), "{text}");
    // One request for the calls and one for the meetings, each time.
    let of = |kind: &str| office.sent(read).iter().filter(|entry| entry.path.contains(kind)).count();
    assert_eq!((of("/0-48/0-1/"), of("/0-47/0-1/")), (2, 2));
    // What is not read is told.
    office
        .harness()
        .faults()
        .add(Rule::new(read, Action::status(403)).skip(u32::try_from(reads).unwrap() - 1));
    let text = office.call("get_timeline", own).await;
    assert!(text.contains("who took part in meetings could not be read"), "{text}");
    assert!(text.contains("Grace Mbeki, with Marcus Bell (contact 102) | 1201"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn conversations_that_are_not_read_are_told_of() {
    let office = plain().await;
    let ticket = json!({"object": "tickets", "ids": ["401"], "include": ["contacts", "notes", "emails"]});
    let text = office.call("get_records", ticket.clone()).await;
    assert!(text.contains("the toolset `conversations` is off"), "{text}");
    let timeline = json!({"object": "tickets", "id": "401"});
    let text = office.call("get_timeline", timeline.clone()).await;
    assert!(text.contains("the toolset `conversations` is off"), "{text}");
    let error =
        office.refusal("get_records", json!({"object": "conversations", "ids": ["8801"]})).await.for_agent();
    assert!(error.contains("read_conversations") && error.contains("`conversations`"), "{error}");
    let text = office.call("whoami", json!({})).await;
    assert!(text.contains("Toolsets that are off: automation, conversations, gdpr, schema"), "{text}");
    let office = Office::open().await;
    for (tool, arguments) in [("get_records", ticket), ("get_timeline", timeline)] {
        let text = office.call(tool, arguments).await;
        assert!(text.contains("not included: read_conversations") && !text.contains("is off"), "{text}");
    }
    assert!(!office.call("whoami", json!({})).await.contains("that are off"));
}

#[tokio::test(start_paused = true)]
async fn people_of_one_name_are_told_apart_and_asked_about() {
    let office = Office::open().await;
    let records = json!([{"id": "Marcus Bell", "fields": {"jobtitle": "Head of integration"}}]);
    let error =
        office.refusal("update_records", json!({"object": "contacts", "records": records})).await.for_agent();
    let first =
        "Ask the person which, and give its id: Marcus Bell (contact 102, Integration engineer, Northwind, ";
    assert!(
        error.contains(first)
            && error.contains(
                "Marcus Bell (contact 110, Consultant, marcus.bell@example.net, owner Sofia Rossi, since 20"
            ),
        "{error}"
    );
    // As it stands in the list.
    let records = json!([{"id": "contact 102", "fields": {"jobtitle": "Head of integration"}}]);
    let one = json!({"object": "contacts", "records": records, "dry_run": true});
    let text = office.call("update_records", one).await;
    assert!(text.contains("102") && text.contains("Head of integration"), "{text}");
    let records = json!([{"id": "9010", "fields": {"owner": "Jonas"}}]);
    let error =
        office.refusal("update_records", json!({"object": "deals", "records": records})).await.for_agent();
    assert!(error.contains("Ask the person which: Jonas Weber <jonas@harbor.example>"), "{error}");
    let error =
        office.refusal("get_timeline", json!({"object": "companies", "id": "Castor"})).await.for_agent();
    assert!(error.contains("(company 204, castor.example, Lyon, owner Daniel Novák, since 20"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_accounts_own_objects_come_first_and_in_one_order() {
    let office = Office::open().await;
    let listed = async |word: &str| {
        let error = office.refusal("search", json!({"object": word})).await.for_agent();
        error.split_once("There is: ").unwrap_or_else(|| panic!("{error}")).1.to_owned()
    };
    let first = listed("warehouses").await;
    assert!(first.starts_with("sites (custom object, 2-987), contacts, companies, deals, "), "{first}");
    assert_eq!(listed("xylophones").await, first);
}

#[tokio::test(start_paused = true)]
async fn records_that_share_most_words_are_offered() {
    let office = Office::open().await;
    let asked = json!({"object": "deals", "ids": ["Northwind eleven warehouses"]});
    let error = office.refusal("get_records", asked).await.for_agent();
    assert!(
        error
            .contains("Did you mean Northwind – 11 warehouses (deal 9001, Contract sent, 84,000 EUR, owner ")
            && error.ends_with(")?"),
        "{error}"
    );
    let asked = json!({"object": "deals", "query": "Northwind eleven warehouses"});
    let text = office.call("search", asked).await;
    assert!(text.contains("with most of these words: Northwind – 11 warehouses (deal 9001"), "{text}");
    let error = office
        .refusal("get_timeline", json!({"object": "contacts", "id": "Helena Petrova"}))
        .await
        .for_agent();
    assert!(
        error.contains("Did you mean Elena Petrova (contact 101, Head of operations, Northwind, "),
        "{error}"
    );
    let error = office
        .refusal("get_timeline", json!({"object": "contacts", "id": "Nobody Ofthisname"}))
        .await
        .for_agent();
    assert!(error.contains("Search the contacts for one word") && !error.contains("Did you mean"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_quote_beside_a_deal_says_how_long_it_holds() {
    let office = Office::open().await;
    let deal = json!({"object": "deals", "ids": ["9001"], "include": ["quotes"]});
    let text = office.call("get_records", deal).await;
    let quote = text.split("(681, 84,000").nth(1).unwrap_or_else(|| panic!("{text}"));
    assert!(quote.contains("APPROVAL_NOT_NEEDED, expires 20"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_an_owner_has_is_counted_in_one_call() {
    let office = Office::open().await;
    let peter = json!({"query": "peter", "count_records": true});
    let text = office.call("find_owners", peter).await;
    assert!(
        text.contains("has 1 contact, 1 company, 1 open deal; no open tickets, leads, open tasks"),
        "{text}"
    );
    assert!(!office.call("find_owners", json!({"query": "peter"})).await.contains("has 1"));
    // Of all who are listed, within the pace of searches; what is beyond is named.
    let all = json!({"count_records": true});
    let text = office.call("find_owners", all.clone()).await;
    assert!(text.matches("open task").count() == 8 && !text.contains("not counted"), "{text}");
    let office = Office::changed(|seed| {
        let owners = seed["owners"].as_array_mut().unwrap();
        owners.extend((0..6).map(|n| json!({"id": format!("703{n}"), "email": format!("o{n}@harbor.example"), "firstName": "Extra", "lastName": n.to_string(), "userId": 600 + n, "type": "PERSON", "archived": false, "createdAt": "D-700T09:00", "updatedAt": "D-40T09:00"})));
    })
    .await;
    let text = office.call("find_owners", all).await;
    assert!(text.matches("open task").count() == 12, "{text}");
    let said =
        "not counted: Extra 5, peter@harbor.example (deactivated). Ask for them by name, e-mail or team";
    assert!(text.contains(said), "{text}");
    assert_eq!(
        office.sent(SEARCH).len(),
        12 * 6,
        "of each contacts, companies, deals, tickets, leads and tasks"
    );
}

#[tokio::test(start_paused = true)]
async fn a_changed_list_says_who() {
    let office = Office::open().await;
    let add = json!({"list": "Import API beta", "add": ["Omar Haddad", "Elena Petrova"], "remove": ["109"]});
    let text = office.call("update_list", add).await;
    for line in [
        "added: Omar Haddad (contact 106)",
        "removed: Acme Pedro Lopes (contact 109)",
        "on it already: Elena Petrova (contact 101)",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_a_merge_says_which_is_older_and_what_goes_over() {
    let office = Office::open().await;
    let merge = json!({"object": "companies", "keep": "209", "absorb": "204"});
    let (text, _) = office.question("merge_records", merge).await;
    let made = text.split("created: ").nth(1).unwrap_or_else(|| panic!("{text}"));
    let days: Vec<&str> = made.split(' ').filter(|word| word.starts_with("20")).take(2).collect();
    assert!(days[0] > days[1], "{text}");
    assert!(text.contains("goes over: 1 deal, Castor trial (9004)"), "{text}");
    let merge = json!({"object": "companies", "keep": "204", "absorb": "209"});
    let (text, _) = office.question("merge_records", merge.clone()).await;
    assert!(!text.contains("Castor trial"), "{text}");
    assert!(
        text.contains("domain: castor.example stays, www.castor.example becomes a further domain"),
        "{text}"
    );
    let text = office.call("merge_records", merge).await;
    let id = text.split("the new id ").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default();
    let domains = office.record("companies", id)["properties"]["hs_additional_domains"].clone();
    assert_eq!(domains, "www.castor.example", "{text}");
}

#[tokio::test(start_paused = true)]
async fn whoever_names_a_deal_is_not_told_of_others() {
    let office = Office::open().await;
    let about = json!(["deals:9001", "contacts:101", "companies:201"]);
    let note = json!({"kind": "note", "body": "Marcus signed off.", "about": about});
    let text = office.call("log_activity", note).await;
    assert!(!text.contains("not on"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn sums_stand_in_the_order_of_stages_with_amounts_in_one_form() {
    let office = Office::open().await;
    let open = json!({"object": "deals", "group_by": ["stage"], "of": "amount", "where": {"open": true}});
    let mut sales = open.clone();
    sales["pipeline"] = json!("Sales");
    let text = office.call("aggregate_records", sales).await;
    let stages: Vec<&str> = rows(&text).iter().map(|row| row.split(" |").next().unwrap()).collect();
    assert_eq!(stages.first(), Some(&"Appointment scheduled"), "{text}");
    let place = |stage: &str| stages.iter().position(|one| *one == stage).unwrap();
    assert!(place("Qualified to buy") < place("Contract sent"), "{text}");
    assert!(text.contains("1,200 USD"), "{text}");
    // A stage that two pipelines have is two groups, told with the pipeline where both are there.
    assert!(stages.contains(&"Contract sent"), "{text}");
    let moved = json!({"id": "9007", "stage": "Contract sent"});
    office.call("move_stage", moved).await;
    let text = office.call("aggregate_records", open).await;
    assert!(text.contains("Contract sent in Renewals | count 1 | sum 61,000 EUR"), "{text}");
    assert!(text.contains("Contract sent in Sales | count 1 | sum 84,000 EUR"), "{text}");
    let text = office.call("search", json!({"object": "deals", "pipeline": "Renewals"})).await;
    assert!(text.contains("| 9,000 EUR |"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_an_archive_says_whether_any_is_yours() {
    let office = Office::open().await;
    let preview = async |ids: Value| {
        office.question("archive_records", json!({"object": "contacts", "ids": ids})).await.0
    };
    let text = preview(json!(["103", "104"])).await;
    assert!(text.contains("none is yours") && text.contains("owner Grace Mbeki"), "{text}");
    assert!(preview(json!(["101", "103"])).await.contains("1 of 2 yours"));
    let text = preview(json!(["101"])).await;
    assert!(text.contains("owner Daniel Novák") && !text.contains("yours"), "{text}");
}

/// What nobody may see stands in no name either, nor is anybody found by it.
#[tokio::test(start_paused = true)]
async fn what_is_redacted_makes_no_name() {
    let hide = [
        "firstname",
        "lastname",
        "email",
        "dealname",
        "hs_note_body",
        "hs_task_*",
        "hs_email_*",
        "hs_meeting_*",
    ]
    .map(str::to_owned)
    .to_vec();
    let office = Office::over(hubspot_mcp::sandbox::seed(), &[("redact", Setting::List(hide))]).await;
    let secrets = ["Elena", "Petrova", "elena.petrova", "11 warehouses", "Told Marcus"];
    let contact = |fields: Value| json!({"object": "contacts", "records": [{"id": "101", "fields": fields}], "dry_run": true});
    for (tool, arguments) in [
        ("search", json!({"object": "contacts"})),
        ("search", json!({"object": "notes"})),
        ("get_records", json!({"object": "contacts", "ids": ["101"], "include": ["deals", "companies"]})),
        (
            "get_records",
            json!({"object": "companies", "ids": ["201"], "include": ["contacts", "deals", "notes"]}),
        ),
        ("list_associations", json!({"object": "companies", "id": "201", "to": "contacts"})),
        ("list_associations", json!({"object": "contacts", "id": "101", "to": "companies"})),
        ("get_timeline", json!({"object": "contacts", "id": "101"})),
        ("get_timeline", json!({"object": "tickets", "id": "401"})),
        ("find_lists", json!({"list": "Import API beta"})),
        ("find_lists", json!({"record": "contacts:101"})),
        ("find_duplicates", json!({"object": "contacts"})),
        ("update_records", contact(json!({"city": "Kiel", "firstname": "Helena"}))),
        ("move_stage", json!({"id": "9001", "stage": "Qualified to buy", "dry_run": true})),
        (
            "log_activity",
            json!({"kind": "note", "body": "x", "about": ["contacts:101", "companies:201"], "dry_run": true}),
        ),
        ("save_task", json!({"subject": "x", "about": ["contacts:101", "deals:9001"], "dry_run": true})),
        ("associate_records", json!({"from": ["contacts:101"], "to": ["deals:9002"], "dry_run": true})),
        ("dissociate_records", json!({"from": ["contacts:101"], "to": ["deals:9001"], "dry_run": true})),
        ("archive_records", json!({"object": "companies", "ids": ["201"], "dry_run": true})),
        ("archive_records", json!({"object": "contacts", "ids": ["101"], "dry_run": true})),
        ("merge_records", json!({"object": "contacts", "keep": "101", "absorb": "102", "dry_run": true})),
        ("gdpr_delete_contact", json!({"id": "101", "dry_run": true})),
        ("update_list", json!({"list": "Import API beta", "remove": ["101"], "dry_run": true})),
        (
            "create_records",
            json!({"object": "tasks", "records": [{"fields": {"subject": "x", "due": "today"}, "link": ["contacts:101"]}], "dry_run": true}),
        ),
        ("read_conversations", json!({})),
        ("read_conversations", json!({"contact": "101"})),
        ("aggregate_records", json!({"object": "deals", "group_by": ["stage"]})),
    ] {
        let text = office.call(tool, arguments.clone()).await;
        for secret in secrets {
            assert!(!text.contains(secret), "{tool} {arguments}: {secret}: {text}");
        }
    }
    let before = office.sent(READ).len();
    let text = office.call("read_conversations", json!({})).await;
    assert!(text.contains("| contact 102") && !text.contains("Marcus Bell"), "{text}");
    assert_eq!(office.sent(READ).len(), before, "names that may not be seen are not read");
    // Nor is it told by an error, and nobody is found by it.
    for (tool, arguments) in [
        ("get_timeline", json!({"object": "contacts", "id": "Elena Petrova"})),
        ("get_timeline", json!({"object": "contacts", "id": "elena.petrova@northwind.example"})),
        ("get_records", json!({"object": "contacts", "ids": ["elena.petrova@northwind.example"]})),
        ("associate_records", json!({"from": ["contacts:Elena Petrova"], "to": ["deals:9002"]})),
    ] {
        let error = office.refusal(tool, arguments.clone()).await;
        assert_eq!(error.kind(), connector::Kind::Policy, "{tool} {arguments}: {error}");
    }
    let found = office.complete("record", "elena", &[("object", "contacts")]).await;
    assert!(found.iter().all(|name| !name.contains("Elena")), "{found:?}");
    let text = office.read("hubspot://record/contacts/101").await;
    assert!(!text.contains("Elena"), "{text}");
    // What is left of a name is shown.
    let hide = vec!["lastname".to_owned(), "email".to_owned()];
    let office = Office::over(hubspot_mcp::sandbox::seed(), &[("redact", Setting::List(hide))]).await;
    let text = office.call("get_timeline", json!({"object": "contacts", "id": "101"})).await;
    assert!(text.contains("of Elena (contact 101)"), "{text}");
}
