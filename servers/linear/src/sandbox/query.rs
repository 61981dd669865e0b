//! The fields of `Query`: single entities by id, lists, searches, and what belongs to the caller.

use std::sync::Arc;

use apollo_compiler::{resolvers::ResolvedValue, schema::FieldDefinition};
use serde_json::{Value, json};

use super::{
    errors::{ApiError, Outcome},
    execute::Context,
    fields::PRIORITIES,
    page::Order,
    search,
    store::{Row, State, text},
};

/// Resolves one field of `Query`.
pub(super) fn resolve<'a>(
    cx: &'a Context<'a>,
    name: &str,
    definition: &'a FieldDefinition,
    args: &Row,
) -> Outcome<ResolvedValue<'a>> {
    let ty = definition.ty.inner_named_type().as_str();
    let one = |row: Arc<Row>| Ok(ResolvedValue::object(cx.node(ty, row)));
    match name {
        "viewer" => {
            let viewer = Arc::clone(cx.state().expect("User", &cx.caller.user)?);
            one(viewer)
        }
        "organization" => {
            let organization = cx.state().organization().cloned();
            one(organization.unwrap_or_default())
        }
        "issueVcsBranchSearch" => {
            let issue = by_branch(cx, text(args, "branchName").unwrap_or_default());
            Ok(ResolvedValue::nullable_object(issue.map(|row| cx.node(ty, row))))
        }
        "issuePriorityValues" => {
            Ok(ResolvedValue::list(PRIORITIES.iter().enumerate().map(|(priority, label)| {
                let mut row = Row::new();
                row.insert("priority".to_owned(), json!(priority));
                row.insert("label".to_owned(), json!(label));
                ResolvedValue::object(cx.node("IssuePriorityValue", Arc::new(row)))
            })))
        }
        "rateLimitStatus" => one(Arc::new(cx.site.limits.status(cx.caller))),
        "notificationsUnreadCount" => {
            let state = cx.state();
            let unread =
                own_notifications(cx, &state).into_iter().filter(|row| text(row, "readAt").is_none()).count();
            Ok(ResolvedValue::leaf(unread as i64))
        }
        "templates" => {
            let rows: Vec<_> = cx.state().all("Template").cloned().collect();
            Ok(ResolvedValue::list(rows.into_iter().map(|row| ResolvedValue::object(cx.node(ty, row)))))
        }
        "searchIssues" | "searchProjects" | "searchDocuments" => {
            let rows = search::search(cx, name, args)?;
            Ok(ResolvedValue::object(cx.connection(ty, rows, args, Order::AsStored)?))
        }
        "semanticSearch" => {
            let mut payload = Row::new();
            payload.insert("enabled".to_owned(), json!(true));
            payload.insert("results".to_owned(), Value::Array(search::semantic(cx, args)?));
            one(Arc::new(payload))
        }
        _ => match ty.strip_suffix("Connection") {
            Some(target) => {
                let rows = rows(cx, name, target, args);
                Ok(ResolvedValue::object(cx.connection(ty, rows, args, Order::Asked)?))
            }
            None => {
                let row = Arc::clone(single(&cx.state(), ty, args)?);
                one(row)
            }
        },
    }
}

/// One entity by the references Linear takes for its type.
fn single<'s>(state: &'s State, ty: &str, args: &Row) -> Outcome<&'s Arc<Row>> {
    let id = text(args, "id").unwrap_or_default();
    match ty {
        "Issue" => state.issue(id),
        "Project" | "Document" | "Initiative" | "CustomView" => state.by_slug(ty, id),
        "Team" => state
            .get("Team", id)
            .or_else(|| {
                state
                    .all("Team")
                    .find(|team| text(team, "key").is_some_and(|key| key.eq_ignore_ascii_case(id)))
            })
            .ok_or_else(|| ApiError::not_found("Team")),
        _ => state.expect(ty, id),
    }
}

/// The rows of a root list, before its arguments.
fn rows(cx: &Context<'_>, name: &str, target: &str, args: &Row) -> Vec<Arc<Row>> {
    let state = cx.state();
    match name {
        "notifications" => own_notifications(cx, &state),
        "attachmentsForURL" => state.matching("Attachment", "url", text(args, "url").unwrap_or_default()),
        _ => state.all(target).cloned().collect(),
    }
}

/// Nobody sees another's inbox.
fn own_notifications(cx: &Context<'_>, state: &State) -> Vec<Arc<Row>> {
    let own = |row: &&Arc<Row>| text(row, "userId").is_none_or(|user| user == cx.caller.user);
    state.all("Notification").filter(own).cloned().collect()
}

/// The issue whose identifier stands in a branch's name, at the edge of a word.
fn by_branch(cx: &Context<'_>, branch: &str) -> Option<Arc<Row>> {
    let words: Vec<&str> = branch.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let state = cx.state();
    words.windows(2).find_map(|pair| {
        let is_number = !pair[1].is_empty() && pair[1].bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| state.issue(&pair.join("-")).ok().cloned()).flatten()
    })
}
