//! Records that are known by something: an id, a name, an address, the value of a unique field.

use connector::{Kind, Result, catalog::Call};

use crate::{
    HubSpot,
    api::objects::Record,
    resolve::{Fields, SHARED_DOMAIN, has_domain},
};

/// The ids from which a record was merged, and under which it still answers.
const MERGED: &str = "hs_merged_object_ids";

/// A record that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) record: Record,
    /// How it was found, where that may surprise.
    pub(super) note: &'static str,
    /// The words that it was asked for by.
    pub(super) asked: Vec<String>,
}

/// Adds a record to those found, once.
fn add(found: &mut Vec<Found>, record: &Record, note: &'static str, asked: &str) {
    match found.iter_mut().find(|one| one.record.id == record.id) {
        Some(known) => known.asked.push(asked.to_owned()),
        None => found.push(Found { record: record.clone(), note, asked: vec![asked.to_owned()] }),
    }
}

/// The records that `ids` name, in their order, and those there are not.
pub(super) async fn find(
    call: &Call<HubSpot>,
    fields: &Fields,
    ids: &[String],
    by: Option<&str>,
    properties: &[String],
    history: &[String],
) -> Result<(Vec<Found>, Vec<String>)> {
    let object = &fields.object;
    let by = match by.map(str::trim).filter(|by| !by.is_empty()) {
        Some(by) => {
            let name = fields.find(by)?.name.clone();
            call.redacted().admits(&name)?;
            Some(name).filter(|name| name != "hs_object_id")
        }
        // An address is known for what it is.
        None if object.name == "contacts" && ids.iter().all(|id| id.contains('@')) => {
            Some("email".to_owned())
        }
        None => None,
    };
    let mut found: Vec<Found> = Vec::new();
    let mut missing = Vec::new();
    if object.name == "contacts" && by.as_deref() == Some("email") {
        for (asked, one) in call.names().by_emails(ids, properties).await? {
            match one {
                Some(one) => add(&mut found, &one.record, one.note, &asked),
                None => missing.push(asked),
            }
        }
        return Ok((found, missing));
    }
    if object.name == "companies" && by.as_deref() == Some("domain") {
        let records = call.names().by_domains(object, ids, properties).await?;
        for asked in ids {
            let own: Vec<&Record> = records.iter().filter(|record| has_domain(record, asked)).collect();
            let note = if own.len() > 1 { SHARED_DOMAIN } else { "" };
            own.iter().for_each(|record| add(&mut found, record, note, asked));
            if own.is_empty() {
                missing.push(asked.clone());
            }
        }
        return Ok((found, missing));
    }
    let mut properties = properties.to_vec();
    properties.extend(by.clone());
    if by.is_none() && fields.get(MERGED).is_some() {
        properties.push(MERGED.to_owned());
    }
    // What was asked for, as what it is read, and how that was found.
    let mut wanted: Vec<(&String, String, &'static str)> = Vec::new();
    for id in ids {
        // Anything but a plain id (a name, an address in HubSpot) is looked up.
        if by.is_some() || id.bytes().all(|byte| byte.is_ascii_digit()) {
            wanted.push((id, id.clone(), ""));
            continue;
        }
        match call.names().record(object, id).await {
            Ok(one) => wanted.push((id, one.id().to_owned(), one.note)),
            Err(error) if error.kind() == Kind::NotFound && ids.len() > 1 => {
                let near = error.hint().filter(|hint| hint.starts_with("Did you mean"));
                let near = near.map(|hint| format!(" ({hint})")).unwrap_or_default();
                missing.push(format!("{id}{near}"));
            }
            Err(error) => return Err(error),
        }
    }
    let mut read: Vec<String> = wanted.iter().map(|(_, id, _)| id.clone()).collect();
    read.sort_unstable();
    read.dedup();
    let records = if read.is_empty() {
        Vec::new()
    } else {
        call.api().read_records(object, &read, by.as_deref(), &properties, history).await?.results
    };
    for (asked, id, note) in wanted {
        let fits = |record: &&Record| match &by {
            Some(by) => record.get(by).eq_ignore_ascii_case(&id),
            // A merged record answers under the id that it has now.
            None => record.id == id || record.get(MERGED).split(';').any(|old| old == id),
        };
        match records.iter().find(fits) {
            Some(record) => add(&mut found, record, note, asked),
            None => missing.push(asked.clone()),
        }
    }
    Ok((found, missing))
}
