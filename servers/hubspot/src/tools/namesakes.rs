//! Records of one name on a page, told apart: whoever takes the first of them writes to somebody else.

use std::collections::BTreeMap;

use connector::{Result, catalog::Call};

use crate::{
    HubSpot,
    api::objects::Record,
    render::Values,
    resolve::{Fields, ObjectType, telling, told_by},
};

/// How many names that several have are told, and how many records of each.
const NAMES: usize = 3;
const EACH: usize = 5;

/// The properties by which records of one name are told apart; none of activities and positions, which are not known by
/// their names.
fn asked(fields: &Fields) -> Vec<String> {
    if fields.object.is_activity() || fields.object.name == "line_items" {
        return Vec::new();
    }
    telling(&fields.object).into_iter().filter(|name| fields.get(name).is_some()).collect()
}

/// Properties to ask for, with those by which records of one name are told apart.
pub(super) fn wider(fields: &Fields, properties: &[String]) -> Vec<String> {
    let mut all = [properties, &asked(fields)].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// What tells those apart that are called the same, beyond the columns that are `shown`; a line for each name.
pub(super) async fn told(
    call: &Call<HubSpot>,
    object: &ObjectType,
    records: &[Record],
    values: &Values,
    shown: &[String],
) -> Result<Vec<String>> {
    let columns = asked(&values.fields);
    let mut called: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    if !columns.is_empty() {
        for record in records {
            called.entry(values.title(record)).or_default().push(record);
        }
        called.retain(|_, some| some.len() > 1);
    }
    if called.is_empty() {
        return Ok(Vec::new());
    }
    let more: Vec<String> = columns.into_iter().filter(|column| !shown.contains(column)).collect();
    let values = Values::read(call.names(), values.fields.clone(), &more, call.redacted()).await?;
    let lines = called.iter().take(NAMES).map(|(name, some)| {
        let each = some.iter().take(EACH).map(|record| {
            let told = told_by(&values, record, &more);
            if told.is_empty() { record.id.clone() } else { format!("{} ({})", record.id, told.join(", ")) }
        });
        let each = each.collect::<Vec<_>>().join(", ");
        let rest = some.len().saturating_sub(EACH);
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        format!("{} are called {name}: {each}{rest}", object.counted(some.len()))
    });
    Ok(lines.collect())
}
