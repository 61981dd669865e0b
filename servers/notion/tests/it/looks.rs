//! What pages look like and where they are: icons and covers, the workspace's own emoji, locks, places.

use connector::Kind;
use serde_json::{Value, json};

use crate::support::{Office, RUNBOOK, RUNBOOKS, id_in, inside};

/// The one emoji of the seed's workspace.
const EMOJI: &str = "e0e00000-0000-4000-8000-000000000001";

fn update(page: Value) -> Value {
    json!({"pages": [page]})
}

/// developers.notion.com/reference/emoji-and-icon: an emoji of the workspace is named by its id.
#[tokio::test(start_paused = true)]
async fn an_icon_is_an_emoji_one_of_the_workspace_or_an_address() {
    let office = Office::open().await;
    let icon = |icon: &str| update(json!({"id": RUNBOOK, "icon": icon}));
    let stored = || office.node(RUNBOOK)["data"]["icon"].clone();
    let reply = office.call("update_pages", icon(":custom_harbor:")).await;
    assert!(reply.contains("→ :custom_harbor:"), "{reply}");
    assert_eq!(stored()["custom_emoji"]["id"], EMOJI);
    assert!(office.call("update_pages", icon("custom_harbor")).await.starts_with("Nothing changed"));
    let reply = office.call("update_pages", icon("https://harbor.example/i.png")).await;
    assert!(reply.contains("icon :custom_harbor: → https://harbor.example/i.png"), "{reply}");
    assert_eq!(stored()["external"]["url"], "https://harbor.example/i.png");
    let error = office.refusal("update_pages", icon(":custom_harbour:")).await;
    assert!(error.kind() == Kind::NotFound && error.for_agent().contains("`:custom_harbor:`"), "{error}");
    let reply = office.call("update_pages", update(json!({"id": RUNBOOK, "clear": ["icon"]}))).await;
    assert!(reply.contains("→ none") && stored().is_null(), "{reply}");
    let new = json!({"title": "Signed", "icon": ":custom_harbor:", "cover": "https://harbor.example/c.png"});
    let reply = office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [new]})).await;
    let data = office.node(&id_in(&reply))["data"].clone();
    assert_eq!(data["icon"]["custom_emoji"]["name"], "custom_harbor");
    assert_eq!(data["cover"]["external"]["url"], "https://harbor.example/c.png");
}

/// developers.notion.com/reference/patch-page: `cover`, `is_locked`; a lock holds the app's users alone.
#[tokio::test(start_paused = true)]
async fn a_page_gets_a_cover_and_a_lock_and_loses_them() {
    let office = Office::open().await;
    let page = |more: Value| {
        let mut page = json!({"id": RUNBOOK});
        page.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        update(page)
    };
    let both = page(json!({"cover": "https://harbor.example/c.png", "lock": true}));
    let reply = office.call("update_pages", both.clone()).await;
    assert!(reply.contains("cover none → https://harbor.example/c.png"), "{reply}");
    assert!(reply.contains("locked no → yes"), "{reply}");
    let data = office.node(RUNBOOK)["data"].clone();
    assert_eq!((&data["is_locked"], &data["cover"]["type"]), (&json!(true), &json!("external")));
    assert!(office.call("update_pages", both).await.starts_with("Nothing changed"));
    assert!(
        office.call("get_page", json!({"id": RUNBOOK})).await.lines().next().unwrap().contains("· locked")
    );
    office.call("update_pages", page(json!({"lock": false, "clear": ["cover"]}))).await;
    let data = office.node(RUNBOOK)["data"].clone();
    assert_eq!((&data["is_locked"], &data["cover"]), (&json!(false), &Value::Null));
    for wrong in ["http://harbor.example/c.png", "c.png"] {
        let error = office.refusal("update_pages", page(json!({"cover": wrong}))).await;
        assert!(error.message().contains("takes an https address"), "{error}");
    }
    let given = page(json!({"cover": "https://harbor.example/c.png", "clear": ["cover"]}));
    let error = office.refusal("update_pages", given).await;
    assert!(error.message().contains("both given and named in `clear`"), "{error}");
}

/// enhanced-markdown, "Custom emoji": `:emoji_name:`. What no emoji is called, and code, stays text.
#[tokio::test(start_paused = true)]
async fn emoji_of_the_workspace_are_mentions_in_markdown_and_in_single_blocks() {
    let office = Office::open().await;
    let line = "Signed :custom_harbor: at 12:30:45 :smile: `:custom_harbor:`";
    let callout = "<callout icon=\":custom_harbor:\">\n\tInside\n</callout>";
    let new = json!({"title": "Emoji", "markdown": format!("{line}\n{callout}")});
    let id = id_in(&office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [new]})).await);
    let read = async || inside(&office.call("get_page", json!({"id": id})).await).join("\n");
    assert_eq!(read().await, format!("{line}\n{callout}"));
    let edits = json!([{"action": "append", "id": id, "markdown": line}]);
    office.call("edit_blocks", json!({"edits": edits})).await;
    assert_eq!(read().await, format!("{line}\n{callout}\n{line}"));
    let children = office.node(&id)["children"].as_array().unwrap().clone();
    let emoji = |at: usize| {
        let runs = office.node(children[at].as_str().unwrap())["data"]["paragraph"]["rich_text"].clone();
        let mentions = runs.as_array().unwrap().iter().filter(|run| run["type"] == "mention");
        mentions.map(|run| run["mention"]["custom_emoji"]["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((emoji(0), emoji(2)), (vec![json!(EMOJI)], vec![json!(EMOJI)]));
}

/// developers.notion.com/reference/page-property-values (place); verification is written since 2026-03-25
/// (developers.notion.com/page/changelog).
#[tokio::test(start_paused = true)]
async fn places_and_verifications_are_written_as_people_say_them() {
    let office = Office::open().await;
    let title = json!([{"type": "text", "text": {"content": "Docks"}}]);
    let columns = json!({"properties": {"Name": {"title": {}}, "Where": {"place": {}}, "Checked": {"verification": {}}}});
    let new = json!({"parent": {"page_id": RUNBOOKS}, "title": title, "initial_data_source": columns});
    let database = office.ask("POST", "databases", new).await["id"].as_str().unwrap().to_owned();
    let row = json!({"title": "South", "properties": {"Where": "59.33, 18.07, Harbor office", "Checked": "verified until 2027-01-31"}});
    let reply = office.call("create_pages", json!({"parent": database, "pages": [row]})).await;
    assert!(!reply.contains("not accepted"), "{reply}");
    let id = id_in(&reply);
    let value = |name: &str| office.node(&id)["data"]["properties"][name].clone();
    assert_eq!(value("Where")["place"], json!({"lat": 59.33, "lon": 18.07, "name": "Harbor office"}));
    assert_eq!(value("Checked")["verification"]["date"]["end"], "2027-01-31");
    let shown = office.call("get_page", json!({"id": id})).await;
    assert!(
        shown.contains("Where: Harbor office") && shown.contains("Checked: verified until 2027-01-31"),
        "{shown}"
    );
    let set = |properties: Value| update(json!({"id": id, "properties": properties}));
    let same = set(json!({"Where": {"lat": "59.33", "lng": 18.07}, "Checked": "verified until 2027-01-31"}));
    assert!(office.call("update_pages", same).await.starts_with("Nothing changed"));
    office
        .call(
            "update_pages",
            set(json!({"Where": {"lat": 1, "lon": 2, "address": "Quay 1"}, "Checked": "unverified"})),
        )
        .await;
    assert_eq!(value("Where")["place"], json!({"lat": 1.0, "lon": 2.0, "address": "Quay 1"}));
    office.call("update_pages", update(json!({"id": id, "clear": ["Where"]}))).await;
    assert!(value("Where")["place"].is_null());
    for (wrong, why) in [
        (json!({"Where": "Harbor office"}), "takes a place such as"),
        (json!({"Where": {"lat": 91, "lon": 0}}), "takes a place such as"),
        (json!({"Checked": "maybe"}), "is not a verification"),
    ] {
        let error = office.refusal("update_pages", set(wrong)).await;
        assert!(error.kind() == Kind::InvalidArgument && error.message().contains(why), "{error}");
    }
}
