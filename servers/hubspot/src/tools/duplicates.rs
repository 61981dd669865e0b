//! Records that are probably the same, by address, domain, phone or name.

use std::collections::BTreeMap;

use connector::{
    Error, Result,
    catalog::{Call, Page, Reply, Tool, names::fold, one_line, thousands},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FROM, lag::uncounted, scan::walk};
use crate::{
    HubSpot,
    api::objects::{Record, Search},
    filter::ADDITIONAL_DOMAINS,
    render::title,
    resolve::{ObjectType, bare_domain},
    scopes,
};

/// The most groups of one reply.
const MAX_GROUPS: usize = 100;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "find_duplicates",
            "Find duplicates",
            "Finds probable duplicates, by e-mail, domain, phone or name.",
            find_duplicates,
        )
        .scopes(scopes::READ)
        .aliases(&[("object_type", "object")])
        .output_page::<Group>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindDuplicates {
    object: String,
    #[serde(default)]
    by: Option<By>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum By {
    Email,
    Domain,
    Phone,
    Name,
}

/// Records that are probably the same.
#[derive(Debug, Serialize, JsonSchema)]
struct Group {
    by: String,
    value: String,
    ids: Vec<String>,
}

async fn find_duplicates(call: Call<HubSpot>, args: FindDuplicates) -> Result<Reply> {
    let object = call.names().object(&args.object).await?;
    let all: &[By] = match object.name.as_str() {
        "contacts" => &[By::Email, By::Phone, By::Name],
        "companies" => &[By::Domain, By::Phone, By::Name],
        _ => &[By::Name],
    };
    let kinds: Vec<By> = match args.by {
        Some(by) if all.contains(&by) => vec![by],
        Some(_) => return Err(Error::invalid(format!("{} have no such field", object.plural))),
        None => all.to_vec(),
    };
    let mut properties = object.title_properties();
    properties.extend(
        [
            "email",
            "hs_additional_emails",
            "domain",
            ADDITIONAL_DOMAINS,
            "phone",
            "mobilephone",
            object.created(),
            "name",
        ]
        .map(str::to_owned),
    );
    let fields = call.names().fields(&object).await?;
    properties.retain(|name| fields.get(name).is_some() && !call.redacted().hides(name));
    properties.sort_unstable();
    properties.dedup();
    let search = Search { properties, ..Search::default() };
    let mut groups: BTreeMap<(usize, String), Vec<(String, String)>> = BTreeMap::new();
    let walked = walk(&call, &object, &search, call.max_rows, |record| {
        for (at, by) in kinds.iter().enumerate() {
            for key in keys(*by, &object, record) {
                let made = record.get(object.created()).get(..10).unwrap_or_default().to_owned();
                let shown = format!("{} ({}, since {made})", title(&object, record), record.id);
                let group = groups.entry((at, key)).or_default();
                if group.iter().all(|(id, _)| *id != record.id) {
                    group.push((record.id.clone(), shown));
                }
            }
        }
    })
    .await?;
    groups.retain(|_, group| group.len() > 1);
    // Two who share an address often share a name too: told once, by what is surest.
    let mut told: Vec<Vec<String>> = Vec::new();
    let mut page = Page::new(FROM, ("group", "groups")).note(format!(
        "{} {} compared",
        thousands(walked.seen as u64),
        object.plural
    ));
    page = page.notes(uncounted(&call, &object));
    if walked.is_partial(call.max_rows) {
        page = page.note(format!("PARTIAL: of {}", thousands(walked.total)));
    }
    for ((at, value), group) in &groups {
        let ids: Vec<String> = group.iter().map(|(id, _)| id.clone()).collect();
        if told.iter().any(|known| ids.iter().all(|id| known.contains(id))) || page.len() >= MAX_GROUPS {
            continue;
        }
        let by = word(kinds[*at]);
        let names: Vec<&str> = group.iter().map(|(_, shown)| shown.as_str()).collect();
        page.push(
            format!("same {by} {}: {}", one_line(value), names.join("; ")),
            &Group { by: by.to_owned(), value: value.clone(), ids: ids.clone() },
        );
        told.push(ids);
    }
    Ok(Reply::page(page))
}

fn word(by: By) -> &'static str {
    match by {
        By::Email => "e-mail",
        By::Domain => "domain",
        By::Phone => "phone",
        By::Name => "name",
    }
}

/// What a record is compared by, in one form however it is written.
fn keys(by: By, object: &ObjectType, record: &Record) -> Vec<String> {
    let keys: Vec<String> = match by {
        By::Email => {
            let more = record.get("hs_additional_emails").split(';').map(str::to_owned);
            more.chain([record.get("email").to_owned()]).map(|email| email.trim().to_lowercase()).collect()
        }
        By::Domain => {
            let more = record.get(ADDITIONAL_DOMAINS).split(';');
            more.chain([record.get("domain")]).map(bare_domain).collect()
        }
        By::Phone => ["phone", "mobilephone"].map(|name| digits(record.get(name))).into_iter().collect(),
        By::Name if object.name == "contacts" => {
            let (first, last) = (record.get("firstname"), record.get("lastname"));
            if first.is_empty() || last.is_empty() {
                Vec::new()
            } else {
                vec![fold(&format!("{first} {last}"))]
            }
        }
        By::Name if object.name == "companies" => vec![company_name(record.get("name"))],
        By::Name => vec![fold(object.titles.first().map_or("", |title| record.get(title)))],
    };
    keys.into_iter().filter(|key| !key.is_empty()).collect()
}

/// The last nine digits: what is before them is written in many ways.
fn digits(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 { String::new() } else { digits[digits.len().saturating_sub(9)..].iter().collect() }
}

/// A company's name without its legal form.
fn company_name(name: &str) -> String {
    const FORMS: [&str; 14] =
        ["inc", "llc", "ltd", "gmbh", "ag", "sa", "sas", "bv", "ab", "oy", "plc", "corp", "co", "spa"];
    let folded = fold(name);
    let words =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && !FORMS.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_one_form_however_it_is_written() {
        assert_eq!(digits("+49 40 555-0102"), digits("040 5550102"));
        assert_eq!(digits("12"), "");
        assert_eq!(company_name("Castor Machinery SA"), company_name("CASTOR Machinery"));
    }
}
