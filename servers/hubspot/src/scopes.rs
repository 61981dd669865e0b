//! Scopes of a private app's token, of which each tool needs one. HubSpot does not tell those of a service key.
//!
//! Source: the security blocks of the published descriptions of the API, 2026-09; for activities
//! developers.hubspot.com, "Notes" and its neighbours, which need those of contacts.

use connector::access::Granted;

/// Stands for the scope to read the records of any object.
pub(crate) const READ: &[&str] = &["crm.objects.*.read"];
/// Stands for the scope to write the records of any object.
pub(crate) const WRITE: &[&str] = &["crm.objects.*.write"];
/// Stands for the scope to change the properties of any object.
pub(crate) const SCHEMAS: &[&str] = &["crm.schemas.*.write"];
/// Activities are read and written with contacts.
pub(crate) const READ_ACTIVITIES: &[&str] = &["crm.objects.contacts.read", "contacts"];
pub(crate) const WRITE_CONTACTS: &[&str] = &["crm.objects.contacts.write", "contacts"];
/// Records that have stages.
pub(crate) const STAGES: &[&str] = &[
    "crm.objects.deals.write",
    "tickets",
    "crm.objects.leads.write",
    "crm.objects.services.write",
    "crm.objects.projects.write",
];
/// Records that can be merged.
pub(crate) const MERGE: &[&str] = &[
    "crm.objects.contacts.write",
    "crm.objects.companies.write",
    "crm.objects.deals.write",
    "tickets",
    "crm.objects.custom.write",
    "contacts",
];
pub(crate) const OWNERS: &[&str] = &["crm.objects.owners.read", "contacts"];

/// Scopes for all of some records, from before there was one for each object.
const WHOLE: [&str; 3] = ["tickets", "contacts", "e-commerce"];

/// The scopes that a token was granted, with those that stand for any object.
pub(crate) fn granted(scopes: &[String]) -> Granted {
    let stands_for = |any: &[&str]| {
        let (start, end) = any[0].split_once('*').unwrap_or_default();
        let fits = |scope: &String| {
            WHOLE.contains(&scope.as_str()) || scope.starts_with(start) && scope.contains(end)
        };
        scopes.iter().any(fits).then(|| any[0].to_owned())
    };
    let any = [READ, WRITE, SCHEMAS].into_iter().filter_map(stands_for);
    Granted::new(scopes.iter().cloned().chain(any.collect::<Vec<_>>()), &[])
}

#[cfg(test)]
mod tests {
    use connector::catalog::Tool;

    use super::*;

    fn allowed(scopes: &[&str]) -> Vec<&'static str> {
        let granted = granted(&scopes.iter().map(ToString::to_string).collect::<Vec<_>>());
        let tools = crate::tools::all();
        tools.iter().filter(|tool| granted.has_one_of(tool.needed_scopes())).map(Tool::name).collect()
    }

    #[test]
    fn every_tool_but_whoami_needs_a_scope() {
        assert_eq!(allowed(&[]), ["whoami"]);
    }

    #[test]
    fn what_one_object_may_be_read_by_reads_and_writes_nothing() {
        let tools = allowed(&["crm.objects.deals.read"]);
        assert!(["search", "get_records", "aggregate_records"].iter().all(|tool| tools.contains(tool)));
        let others = ["create_records", "merge_records", "get_timeline", "find_owners", "find_lists"];
        assert!(others.iter().all(|tool| !tools.contains(tool)), "{tools:?}");
        // An object that this server knows nothing of may be written all the same.
        let tools = allowed(&["crm.objects.appointments.write"]);
        assert!(tools.contains(&"update_records") && !tools.contains(&"move_stage"), "{tools:?}");
        let tools = allowed(&["tickets"]);
        let both = ["search", "create_records", "move_stage", "merge_records"];
        assert!(both.iter().all(|tool| tools.contains(tool)), "{tools:?}");
    }
}
