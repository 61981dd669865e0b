//! The sandbox tells the suite's story.

use fixtures::story;
use hubspot_mcp::sandbox;
use serde_json::Value;

fn rows<'a>(seed: &'a Value, object: &str) -> &'a Vec<Value> {
    seed["objects"][object].as_array().unwrap()
}

#[test]
fn the_customer_its_people_and_its_deal_are_those_of_the_story() {
    let (seed, story) = (sandbox::seed(), story());
    let customer = rows(&seed, "companies")
        .iter()
        .find(|row| row["properties"]["domain"] == story.customer.domain)
        .unwrap();
    assert_eq!(customer["properties"]["name"], story.customer.name);
    for person in story.customer.contacts {
        let contact =
            rows(&seed, "contacts").iter().find(|row| row["properties"]["email"] == person.email).unwrap();
        let properties = &contact["properties"];
        let name = format!(
            "{} {}",
            properties["firstname"].as_str().unwrap(),
            properties["lastname"].as_str().unwrap()
        );
        assert_eq!((name.as_str(), properties["jobtitle"].as_str().unwrap()), (person.name, person.title));
    }
    let id = story.deal.url.rsplit('/').next().unwrap();
    let deal = rows(&seed, "deals").iter().find(|row| row["id"] == id).unwrap();
    let properties = &deal["properties"];
    assert_eq!(properties["dealname"], story.deal.name);
    assert_eq!(properties["amount"], story.deal.amount_eur.to_string());
    assert!(properties["closedate"].as_str().unwrap().starts_with(story.deal.closes));
    assert!(story.deal.url.contains(&seed["account"]["portalId"].to_string()));
    let stages = seed["pipelines"]["deals"][0]["stages"].as_array().unwrap();
    let stage = stages.iter().find(|stage| stage["id"] == properties["dealstage"]).unwrap();
    assert_eq!(stage["label"], story.deal.stage);
    let owners = seed["owners"].as_array().unwrap();
    let owner = owners.iter().find(|owner| owner["id"] == properties["hubspot_owner_id"]).unwrap();
    assert_eq!(owner["email"], story.deal.owner);
}

#[test]
fn owners_are_people_of_the_story_and_the_incident_is_a_ticket() {
    let (seed, story) = (sandbox::seed(), story());
    for owner in seed["owners"].as_array().unwrap() {
        let person = story.people.iter().find(|person| owner["email"] == person.email).unwrap();
        assert_eq!(owner["archived"] == true, !person.active, "{}", person.email);
    }
    let ticket =
        rows(&seed, "tickets").iter().find(|row| row["properties"]["subject"] == story.incident.title);
    let text = ticket.unwrap()["properties"]["content"].as_str().unwrap().replace(',', "");
    assert!(
        text.contains(&story.incident.duplicate_rows.to_string()) && text.contains(story.release.version)
    );
}

/// A story that goes on during the day would be another one at another hour.
#[test]
fn everything_that_has_happened_lies_before_the_day() {
    fn look(key: &str, value: &Value) {
        match value {
            Value::String(text) if text.starts_with("D+") => {
                let due = ["closedate", "hs_timestamp", "hs_expiration_date"].contains(&key);
                assert!(!text.contains('T') || due, "{key}: {text} is not over yet");
            }
            Value::Array(values) => values.iter().for_each(|value| look(key, value)),
            Value::Object(fields) => fields.iter().for_each(|(key, value)| look(key, value)),
            _ => {}
        }
    }
    look("", &sandbox::seed());
}
