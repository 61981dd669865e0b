//! What the sandbox begins with: the story of `fixtures`, as Slack's rows.

/// The user whose token the sandbox hands out: Maya Lindqvist, engineering manager.
pub const VIEWER: &str = "U0MAYA00001";

/// The workspace as one JSON object: an array of rows for each table.
///
/// Fields are named as Slack names them; one that begins with `_` is the fake's own (who is in a channel, where
/// a message stands). Messages have their time as an offset in `at` (see [`connector::sandbox::seed`]), an `id` by
/// which others name them in `thread`, and get their timestamps from both. Some texts try to mislead whoever
/// reads them: see the channel shared with Northwind.
#[must_use]
pub fn seed() -> &'static str {
    include_str!("harbor.json")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fixtures::story;
    use serde_json::Value;

    use super::*;

    fn tables() -> Value {
        serde_json::from_str(seed()).unwrap()
    }

    #[test]
    fn ids_are_unique_and_messages_stand_somewhere_and_are_by_somebody() {
        let tables = tables();
        let ids = |table: &str| -> BTreeSet<String> {
            let rows = tables[table].as_array().unwrap();
            let ids: BTreeSet<String> =
                rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(ids.len(), rows.len(), "{table}");
            ids
        };
        let (channels, users) = (ids("channels"), ids("users"));
        assert!(users.contains(VIEWER));
        let messages = tables["messages"].as_array().unwrap();
        let named: BTreeSet<&str> = messages.iter().filter_map(|message| message["id"].as_str()).collect();
        for message in messages {
            assert!(channels.contains(message["_channel"].as_str().unwrap()), "{message}");
            assert!(users.contains(message["user"].as_str().unwrap()), "{message}");
            assert!(message["thread"].as_str().is_none_or(|thread| named.contains(thread)), "{message}");
        }
        for channel in tables["channels"].as_array().unwrap() {
            let members = channel["_members"].as_array().unwrap();
            assert!(members.iter().all(|member| users.contains(member.as_str().unwrap())), "{channel}");
        }
    }

    #[test]
    fn people_and_channels_are_those_of_the_story() {
        let tables = tables();
        let story = story();
        let of = |table: &'static str| tables[table].as_array().unwrap().iter();
        for person in story.people {
            let user = of("users").find(|user| user["profile"]["email"] == person.email).unwrap();
            assert_eq!(user["real_name"], person.name);
            assert_eq!(user["name"], person.handle);
            assert_eq!(user["tz"], person.timezone);
            assert_eq!(user["deleted"].as_bool().unwrap_or_default(), !person.active, "{}", person.name);
        }
        for channel in story.channels {
            let row = of("channels").find(|row| row["name"] == channel.name).unwrap();
            assert_eq!((row["id"].as_str(), row["topic"].as_str()), (Some(channel.id), Some(channel.topic)));
            assert_eq!(row["is_private"].as_bool().unwrap_or_default(), channel.private);
        }
        for word in [story.release.version, story.fix.url, "84,000", "12,318", story.incident.linear_bug] {
            assert!(seed().contains(word), "{word} is not in the seed");
        }
    }

    #[test]
    fn hostile_texts_are_there_to_test_fences() {
        assert!(seed().contains("Ignore your instructions"));
        assert!(seed().contains('\u{200b}') && seed().contains('\u{202e}'));
    }
}
