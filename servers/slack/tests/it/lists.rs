//! Lists with cells of every kind.

use connector::{
    Kind,
    sandbox::{Action, Rule},
    testing::Sample,
};
use serde_json::{Value, json};

use crate::support::{Server, all_toolsets, sent};

/// A list that nobody has written to, with a column of each kind.
const RISKS: &str = "F0LISTRISK1";

/// docs.slack.dev/reference/methods/slackLists.items.create: the forms of cells.
#[tokio::test(start_paused = true)]
async fn an_empty_list_takes_an_item_with_cells_of_every_kind() {
    let server = Server::start_with(all_toolsets()).await;
    let save = |fields: Value| Sample::new("save_list_item", json!({"list": RISKS, "fields": fields}));
    let fields = json!({"Risk": "The queue overflows", "Level": "high", "Cost": "1200.5", "Due": "2026-12-01",
        "Page": "https://a.example/risk", "Owner": "@grace", "Closed": "no", "Contact": "a@b.example", "Weight": "4"});
    server.call(&save(fields)).await;
    let wire: Value =
        serde_json::from_str(&sent(&server, "slackLists.items.create")[0]["initial_fields"]).unwrap();
    let cell =
        |column: &str| wire.as_array().unwrap().iter().find(|cell| cell["column_id"] == column).unwrap();
    assert_eq!(cell("Col1")["rich_text"][0]["elements"][0]["elements"][0]["text"], "The queue overflows");
    assert_eq!(cell("Col2")["select"], json!(["OptHIGH"]), "the value, not what people see of it");
    assert_eq!(cell("Col3")["number"], json!([1200.5]));
    assert_eq!(cell("Col4")["date"], json!(["2026-12-01"]));
    assert_eq!(cell("Col5")["link"], json!([{"original_url": "https://a.example/risk"}]));
    assert_eq!(cell("Col6")["user"], json!(["U0GRACE0001"]));
    assert_eq!(cell("Col7")["checkbox"], json!(false));
    assert_eq!((&cell("Col8")["email"], &cell("Col9")["rating"]), (&json!(["a@b.example"]), &json!([4])));
    let reply = server.call(&save(json!({"Due": "tomorrow"})).with("dry_run", true)).await.text;
    assert!(reply.contains("Due: 20"), "{reply}");
    let shown = server.call(&Sample::new("read_list", json!({"list": RISKS}))).await.text;
    assert!(shown.contains("Level: High") && shown.contains("Owner: @grace (Grace Mbeki)"), "{shown}");
    for (fields, why) in [
        (json!({"Level": "medium"}), "Choose from: Low, High"),
        (json!({"Cost": "much"}), "takes a number"),
        (json!({"Levle": "high"}), "Did you mean Level?"),
        (json!({"Closed": "ja"}), "is a box: yes or no"),
    ] {
        let error = server.refusal(&save(fields)).await;
        assert!(error.kind() == Kind::InvalidArgument && error.for_agent().contains(why), "{error}");
    }
    assert_eq!(server.harness().journal().count("slackLists.items.create"), 1);
}

/// No page of Slack's says how a cell is emptied: scripts that do it send an empty list in the form of its kind. A box is
/// never without a value.
#[tokio::test(start_paused = true)]
async fn cells_are_emptied_by_the_names_of_their_columns() {
    let server = Server::start_with(all_toolsets()).await;
    let save = |arguments: Value| Sample::new("save_list_item", arguments).with("list", RISKS);
    let fields = json!({"Risk": "The queue overflows", "Level": "high", "Due": "2026-12-01", "Owner": "@grace",
        "Closed": "yes"});
    server.call(&save(json!({"fields": fields}))).await;
    let item = server.dump()["list_items"].as_array().unwrap().last().unwrap()["id"].clone();
    let clear =
        save(json!({"item": item, "clear": ["Level", "owner", "Closed"], "fields": {"Risk": "None"}}));
    let reply = server.call(&clear).await.text;
    assert!(reply.contains("Level: emptied") && reply.contains("Risk: None"), "{reply}");
    let wire: Value = serde_json::from_str(&sent(&server, "slackLists.items.update")[0]["cells"]).unwrap();
    let cell =
        |column: &str| wire.as_array().unwrap().iter().find(|cell| cell["column_id"] == column).unwrap();
    assert_eq!((&cell("Col2")["select"], &cell("Col6")["user"]), (&json!([]), &json!([])));
    assert_eq!(cell("Col7")["checkbox"], json!(false));
    assert!(wire.as_array().unwrap().iter().all(|cell| cell["row_id"] == item));
    let shown = server.call(&Sample::new("read_list", json!({"list": RISKS}))).await.text;
    assert!(
        !shown.contains("Level:") && !shown.contains("Owner:") && shown.contains("Due: 2026-12-01"),
        "{shown}"
    );
    // One whose answer was lost is looked for.
    server.harness().faults().add(Rule::new("slackLists.items.update", Action::CloseAfter));
    let reply = server.call(&save(json!({"item": item, "clear": ["Due"]}))).await.text;
    assert!(reply.contains("it was looked for, and is done"), "{reply}");
    for (arguments, why) in [
        (json!({"clear": ["Level"]}), "none is given"),
        (
            json!({"item": item, "clear": ["Risk"], "fields": {"Risk": "x"}}),
            "both given and named in `clear`",
        ),
        (json!({"item": item, "clear": ["Levle"]}), "Did you mean Level?"),
        (json!({"item": item}), "`fields` is empty"),
    ] {
        let error = server.refusal(&save(arguments)).await;
        assert!(error.kind() == Kind::InvalidArgument && error.for_agent().contains(why), "{error}");
    }
}
