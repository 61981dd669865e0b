//! The rules by which HubSpot fills lists, as a person would say them. Their forms are those of the published OpenAPI
//! of lists (HubSpot/HubSpot-public-api-spec-collection, 2026-09).

use serde_json::{Value, json};

use crate::support::Office;

/// Checks that a list of `object` is told to be filled by a rule, and by no more.
async fn told(object: &str, branch: Value, says: &str) {
    let office = Office::changed(|seed| {
        seed["lists"][1]["objectTypeId"] = json!(object);
        seed["lists"][1]["members"] = json!([]);
        seed["lists"][1]["filterBranch"] = branch;
    })
    .await;
    let text = office.call("find_lists", json!({"list": "62"})).await;
    let rule = text.split_once("filled by the rule: ").unwrap_or_else(|| panic!("{text}")).1;
    let rest = rule.strip_prefix(says).unwrap_or_else(|| panic!("{says}: {rule}"));
    assert!(rest.starts_with([';', ')', '.']), "{says}: {rule}");
}

fn branch(kind: &str, filters: Value, branches: Value) -> Value {
    json!({"filterBranchType": kind, "filterBranchOperator": kind, "filters": filters, "filterBranches": branches})
}

fn on(property: &str, operation: Value) -> Value {
    let mut operation = operation;
    if operation["includeObjectsWithNoValueSet"].is_null() {
        operation["includeObjectsWithNoValueSet"] = json!(false);
    }
    json!({"filterType": "PROPERTY", "property": property, "operation": operation})
}

#[tokio::test(start_paused = true)]
async fn stages_owners_and_times_of_a_rule_are_told_in_words() {
    for (filter, says) in [
        (
            on(
                "hubspot_owner_id",
                json!({"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["7001", "7010"]}),
            ),
            "Owner is any of Daniel Novák, peter@harbor.example (deactivated)",
        ),
        (
            on(
                "dealstage",
                json!({"operationType": "ENUMERATION", "operator": "IS_NONE_OF", "values": ["771004"]}),
            ),
            "Deal stage is not Churned (lost)",
        ),
        (
            on(
                "amount",
                json!({"operationType": "NUMBER_RANGED", "operator": "IS_BETWEEN", "lowerBound": 1000, "upperBound": 50000}),
            ),
            "Amount is between 1000 and 50,000",
        ),
        (
            on(
                "closedate",
                json!({"operationType": "ROLLING_DATE_RANGE", "operator": "IS_LESS_THAN_X_DAYS_AGO", "numberOfDays": 30, "requiresTimeZoneConversion": true}),
            ),
            "Close date is less than 30 days ago",
        ),
        (
            on(
                "closedate",
                json!({"operationType": "CALENDAR_DATE", "operator": "IN_LAST_TIME_UNIT", "timeUnit": "QUARTER", "timeUnitCount": 2}),
            ),
            "Close date in last 2 quarters",
        ),
        (
            on(
                "closedate",
                json!({"operationType": "TIME_POINT", "type": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "DATE", "year": 2026, "month": 3, "day": 1, "zoneId": "Europe/Stockholm"}}),
            ),
            "Close date is after 2026-03-01",
        ),
        (
            on(
                "closedate",
                json!({"operationType": "TIME_POINT", "type": "TIME_POINT", "operator": "IS_BEFORE", "timePoint": {"timeType": "INDEXED", "indexReference": {"referenceType": "TODAY"}, "offset": {"days": -14}}}),
            ),
            "Close date is before 14 days before today",
        ),
        (
            // 2026-12-01T11:00Z is noon in Stockholm.
            on(
                "closedate",
                json!({"operationType": "DATETIME", "operator": "IS_AFTER", "timestamp": 1_796_122_800_000_u64, "includeObjectsWithNoValueSet": true}),
            ),
            "Close date is after 2026-12-01 12:00 (or has none)",
        ),
    ] {
        let all = branch("AND", json!([filter]), json!([]));
        told("0-3", branch("OR", json!([]), json!([all])), says).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_asks_of_associated_records_and_other_lists_is_told_by_their_names() {
    let open =
        on("hs_is_closed", json!({"operationType": "BOOL", "operator": "IS_EQUAL_TO", "value": false}));
    let mut deals = branch("ASSOCIATION", json!([open]), json!([]));
    deals["objectTypeId"] = json!("0-3");
    deals["operator"] = json!("IN_LIST");
    deals["associationTypeId"] = json!(4);
    deals["associationCategory"] = json!("HUBSPOT_DEFINED");
    let mut sites = branch("ASSOCIATION", json!([]), json!([]));
    sites["objectTypeId"] = json!("2-987");
    sites["operator"] = json!("NOT_IN_LIST");
    let beta = json!({"filterType": "IN_LIST", "listId": "61", "operator": "NOT_IN_LIST"});
    let form = json!({"filterType": "FORM_SUBMISSION", "formId": "f-1", "operator": "FILLED_OUT"});
    let not = branch("NOT_ANY", json!([form]), json!([]));
    let all = branch("AND", json!([beta]), json!([deals, sites, not]));
    told(
        "0-1",
        all,
        "not on the list Import API beta (61) and associated with a deal with (Is deal closed? is no) and not associated with a site and not (form submission filled out f-1)",
    )
    .await;
}
