//! What the sandbox begins with: the story of `fixtures`, as HubSpot's records.

use serde_json::{Map, Value};

/// The owner whose token the sandbox hands out: Daniel Novák, account executive.
pub const VIEWER: &str = "7001";

/// The parts of the seed: members of objects of the same name are joined.
const PARTS: [&str; 7] = [
    include_str!("account.json"),
    include_str!("properties.json"),
    include_str!("companies.json"),
    include_str!("contacts.json"),
    include_str!("deals.json"),
    include_str!("service.json"),
    include_str!("activities.json"),
];

/// The account as one JSON object: its own rows, and the records by object.
///
/// Properties are named as in HubSpot. `to` of a record says what it is associated with (`201`, `201:primary`, or
/// `201:71` with a label's id). Times are offsets (see [`connector::sandbox::seed`]). Some texts, written by
/// strangers, try to mislead whoever reads them; see the ticket 404.
#[must_use]
pub fn seed() -> Value {
    let mut whole = Map::new();
    for part in PARTS {
        let Ok(Value::Object(part)) = serde_json::from_str(part) else { continue };
        for (name, value) in part {
            match (whole.get_mut(&name), value) {
                (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
                (_, value) => {
                    whole.insert(name, value);
                }
            }
        }
    }
    Value::Object(whole)
}
