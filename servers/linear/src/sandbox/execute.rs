//! Executes GraphQL documents over the state: one rule for every object, led by the schema.
//!
//! A field is, in this order: worked out (`fields`), stored under its own name, a relation stored as
//! `<field>Id`, a list that other rows make up; what is nowhere is null, or the empty value of a
//! type that may not be null.

use std::{
    sync::{Arc, LazyLock, MutexGuard},
    time::Duration,
};

use apollo_compiler::{
    ExecutableDocument, Schema,
    executable::Operation,
    resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue},
    response::JsonMap,
    schema::{ExtendedType, Type},
    validation::Valid,
};
use connector::sandbox::graphql::{self, Documents, Failure, Failures, Unprepared};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Site,
    auth::Caller,
    cost,
    errors::{ApiError, Outcome},
    fields::View,
    filter::Filter,
    mutations,
    page::{Order, Page, page},
    query,
    store::{Row, State, flag, text},
    time::Now,
    uploads,
};

/// Parsed once, by the first request: the process's start does not pay for it.
static SCHEMA: LazyLock<Result<Valid<Schema>, String>> = LazyLock::new(|| {
    let parsed = Schema::parse_and_validate(include_str!("schema.graphql"), "schema.graphql");
    parsed.map_err(|broken| broken.errors.to_string())
});

/// The documents that have come to any fake of the process, checked once.
static DOCUMENTS: LazyLock<Documents> = LazyLock::new(Documents::default);

/// The fields that hold Markdown.
const MARKDOWN: [&str; 3] = ["description", "body", "content"];

/// The part of the vendor's schema that the fake answers.
pub(super) fn schema() -> Outcome<&'static Valid<Schema>> {
    SCHEMA.as_ref().map_err(|error| ApiError::internal(error.clone()))
}

/// A document, parsed and validated.
pub(super) fn document(text: &str) -> Outcome<Arc<Valid<ExecutableDocument>>> {
    DOCUMENTS.get(schema()?, text).map_err(|broken| {
        let first = broken.iter().next().map(|error| error.to_json().message);
        ApiError::document(first.unwrap_or_else(|| "The document is not valid".to_owned()))
    })
}

/// A request whose document and variables are in order, and what it costs.
pub(super) struct Prepared<'a> {
    request: graphql::Prepared<'a>,
    pub(super) operation: &'a Operation,
    pub(super) cost: u32,
}

/// Chooses the operation, coerces the variables and counts the cost.
pub(super) fn prepare<'a>(
    document: &'a Valid<ExecutableDocument>,
    name: Option<&str>,
    variables: &Value,
) -> Outcome<Prepared<'a>> {
    let prepared = graphql::Prepared::new(schema()?, document, name, variables);
    let request = prepared.map_err(|error| match error {
        Unprepared::NoObject => ApiError::request("Variables are invalid JSON."),
        other => ApiError::request(other.to_string()),
    })?;
    let cost = cost::cost(document, request.operation, &request.variables);
    Ok(Prepared { operation: request.operation, request, cost })
}

/// What every resolver of one request has in hand.
pub(super) struct Context<'a> {
    pub(super) site: &'a Site,
    pub(super) schema: &'a Schema,
    pub(super) now: &'a Now,
    pub(super) caller: &'a Caller,
    /// For how long addresses of files in Markdown are to be signed.
    sign: Option<Duration>,
    /// The errors of this request.
    failures: Failures<ApiError>,
}

/// An answer's body.
#[derive(Debug, Serialize)]
pub(super) struct Executed {
    data: Option<JsonMap>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        site: &'a Site,
        now: &'a Now,
        caller: &'a Caller,
        sign: Option<Duration>,
    ) -> Outcome<Self> {
        Ok(Self { site, schema: schema()?, now, caller, sign, failures: Failures::default() })
    }

    /// Executes a prepared request.
    pub(super) fn execute(&self, prepared: &Prepared<'_>) -> Outcome<Executed> {
        let root = prepared.operation.object_type().as_str();
        let root = Node { cx: self, ty: root.to_owned(), row: Arc::default() };
        let response = prepared.request.execute(schema()?, &root).map_err(ApiError::request)?;
        let errors = response.errors.iter().map(|error| explain(self.failures.explain(error))).collect();
        Ok(Executed { data: response.data, errors })
    }

    /// The state, for as long as one resolver needs it.
    pub(super) fn state(&self) -> MutexGuard<'a, State> {
        self.site.state()
    }

    /// The state as the caller sees it.
    pub(super) fn view<'s>(&'s self, state: &'s State) -> View<'s> {
        View { state, now: self.now, viewer: &self.caller.user }
    }

    fn fail(&self, error: ApiError) -> FieldError {
        self.failures.fail(error)
    }

    /// An object of the type `target`, or of the type that stands for it in this row.
    pub(super) fn node(&'a self, target: &str, row: Arc<Row>) -> Node<'a> {
        let ty = match target {
            "Notification" if row.contains_key("issueId") => "IssueNotification",
            "Notification" if row.contains_key("projectId") => "ProjectNotification",
            "Notification" if row.contains_key("initiativeId") => "InitiativeNotification",
            "Notification" => "DocumentNotification",
            other => other,
        };
        Node { cx: self, ty: ty.to_owned(), row }
    }

    /// A page of `rows` as the connection type `ty` shows it.
    pub(super) fn connection(
        &'a self,
        ty: &str,
        rows: Vec<Arc<Row>>,
        args: &Row,
        order: Order,
    ) -> Outcome<Connection<'a>> {
        let target = node_type(self.schema, ty);
        let state = self.state();
        let page = page(self.view(&state), self.schema, super::fields::base(&target), rows, args, order)?;
        Ok(Connection { cx: self, ty: ty.to_owned(), target, page })
    }
}

/// An error as Linear shows it.
fn explain(failure: Failure<ApiError>) -> Value {
    failure.error.unwrap_or_else(ApiError::internal).to_json(failure.locations, failure.path)
}

/// The type that a connection or search payload lists.
fn node_type(schema: &Schema, connection: &str) -> String {
    let nodes = schema.get_object(connection).and_then(|object| object.fields.get("nodes"));
    nodes.map(|field| field.ty.inner_named_type().to_string()).unwrap_or_default()
}

/// A field's arguments as plain JSON.
fn arguments(info: &ResolveInfo<'_>) -> Row {
    match serde_json::to_value(info.arguments()) {
        Ok(Value::Object(arguments)) => arguments,
        _ => Row::new(),
    }
}

/// One object: a row seen as a type.
pub(super) struct Node<'a> {
    cx: &'a Context<'a>,
    ty: String,
    row: Arc<Row>,
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        &self.ty
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let resolved = match self.ty.as_str() {
            "Query" => query::resolve(self.cx, info.field_name(), info.field_definition(), &arguments(info)),
            "Mutation" => mutations::run(self.cx, info.field_name(), &arguments(info)).map(|payload| {
                let ty = info.field_definition().ty.inner_named_type();
                ResolvedValue::object(self.cx.node(ty, Arc::new(payload)))
            }),
            _ => self.field(info),
        };
        resolved.map_err(|error| self.cx.fail(error))
    }
}

impl Node<'_> {
    fn field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Outcome<ResolvedValue<'a>> {
        let (cx, name, ty) = (self.cx, info.field_name(), &info.field_definition().ty);
        let target = ty.inner_named_type().as_str();
        match cx.schema.types.get(target) {
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)) => {
                let state = cx.state();
                let value = match (self.ty.as_str(), name) {
                    // A webhook that failed too often is switched off.
                    ("Webhook", "enabled") => Some(json!(self.is_served())),
                    _ => cx.view(&state).value(&self.ty, &self.row, name),
                };
                let value = match (value, cx.sign) {
                    (Some(Value::String(text)), Some(ttl)) if MARKDOWN.contains(&name) => {
                        Some(Value::String(uploads::sign(cx.site, &text, ttl)))
                    }
                    (value, _) => value,
                };
                Ok(leaf(cx.schema, ty, value))
            }
            _ if target.ends_with("Connection") => self.list(name, target, &arguments(info)),
            _ => Ok(self.object(name, ty, target)),
        }
    }

    fn is_served(&self) -> bool {
        let target = text(&self.row, "target").and_then(|id| uuid::Uuid::try_parse(id).ok());
        flag(&self.row, "enabled") && target.is_some_and(|target| self.cx.site.webhooks.enabled(target))
    }

    /// A connection below this object.
    fn list<'a>(&'a self, name: &str, ty: &str, args: &Row) -> Outcome<ResolvedValue<'a>> {
        let order = match (self.ty.as_str(), name) {
            ("Team", "states") if !args.contains_key("orderBy") => Order::AsStored,
            (_, "stateHistory") => Order::AsStored,
            _ => Order::Asked,
        };
        let rows = {
            let state = self.cx.state();
            let view = self.cx.view(&state);
            let mut rows = view.many(&self.ty, &self.row, name).unwrap_or_default();
            if self.ty == "CustomView" {
                rows = self.matching(view, name, rows)?;
            }
            rows
        };
        Ok(ResolvedValue::object(self.cx.connection(ty, rows, args, order)?))
    }

    /// What a saved view's own filter and team leave.
    fn matching(&self, view: View<'_>, name: &str, rows: Vec<Arc<Row>>) -> Outcome<Vec<Arc<Row>>> {
        let (ty, key) =
            if name == "projects" { ("Project", "projectFilterData") } else { ("Issue", "filterData") };
        let empty = Row::new();
        let filter = self.row.get(key).and_then(Value::as_object).unwrap_or(&empty);
        let engine = Filter { view, schema: self.cx.schema };
        let mut kept = Vec::new();
        for row in rows {
            let team = text(&self.row, "teamId");
            let in_team = team.is_none() || ty != "Issue" || team == text(&row, "teamId");
            if in_team && engine.passes(ty, &row, filter)? {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// A relation to one object or to a plain list of them.
    fn object<'a>(&'a self, name: &str, ty: &Type, target: &str) -> ResolvedValue<'a> {
        let cx = self.cx;
        let state = cx.state();
        if matches!(ty, Type::List(_) | Type::NonNullList(_)) {
            let rows = match (self.ty.as_str(), name, self.row.get(name)) {
                ("Organization", "projectStatuses", _) => state.all("ProjectStatus").cloned().collect(),
                (_, _, Some(Value::Array(list))) => {
                    list.iter().filter_map(Value::as_object).cloned().map(Arc::new).collect()
                }
                _ => state.listed(target, self.row.get(&format!("{name}Ids"))),
            };
            return if rows.is_empty() && !ty.is_non_null() {
                ResolvedValue::null()
            } else {
                let target = target.to_owned();
                ResolvedValue::list(
                    rows.into_iter().map(move |row| ResolvedValue::object(cx.node(&target, row))),
                )
            };
        }
        let row = match self.row.get(name) {
            Some(Value::Object(row)) => Some(Arc::new(row.clone())),
            _ => cx.view(&state).one(&self.ty, &self.row, name, target),
        };
        match row {
            Some(row) => ResolvedValue::object(cx.node(target, row)),
            None if ty.is_non_null() => ResolvedValue::object(cx.node(target, Arc::default())),
            None => ResolvedValue::null(),
        }
    }
}

/// One page as an object: `nodes`, `edges`, `pageInfo`, and what search payloads add.
pub(super) struct Connection<'a> {
    cx: &'a Context<'a>,
    ty: String,
    target: String,
    page: Page,
}

impl ObjectValue for Connection<'_> {
    fn type_name(&self) -> &str {
        &self.ty
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let cursor = |row: Option<&Arc<Row>>| row.and_then(|row| row.get("id").cloned()).unwrap_or_default();
        let rows = &self.page.rows;
        Ok(match info.field_name() {
            "nodes" => ResolvedValue::list(
                rows.iter().map(|row| ResolvedValue::object(self.cx.node(&self.target, Arc::clone(row)))),
            ),
            "edges" => {
                let ty = info.field_definition().ty.inner_named_type().as_str();
                let edge = move |row: &Arc<Row>| Edge { connection: self, ty, row: Arc::clone(row) };
                ResolvedValue::list(rows.iter().map(move |row| ResolvedValue::object(edge(row))))
            }
            "pageInfo" => {
                let mut info = Row::new();
                info.insert("hasNextPage".to_owned(), json!(self.page.has_next));
                info.insert("hasPreviousPage".to_owned(), json!(self.page.has_previous));
                info.insert("startCursor".to_owned(), cursor(rows.first()));
                info.insert("endCursor".to_owned(), cursor(rows.last()));
                ResolvedValue::object(self.cx.node("PageInfo", Arc::new(info)))
            }
            "totalCount" => ResolvedValue::leaf(self.page.total as f64),
            _ => ResolvedValue::object(
                self.cx.node(info.field_definition().ty.inner_named_type(), Arc::default()),
            ),
        })
    }
}

struct Edge<'a> {
    connection: &'a Connection<'a>,
    ty: &'a str,
    row: Arc<Row>,
}

impl ObjectValue for Edge<'_> {
    fn type_name(&self) -> &str {
        self.ty
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "cursor" => ResolvedValue::leaf(text(&self.row, "id").unwrap_or_default()),
            _ => {
                ResolvedValue::object(self.connection.cx.node(&self.connection.target, Arc::clone(&self.row)))
            }
        })
    }
}

/// A scalar or enum, or a list of them, in the form the executor demands of the type.
fn leaf<'a>(schema: &Schema, ty: &Type, value: Option<Value>) -> ResolvedValue<'a> {
    graphql::leaf(ty, value, |name| empty(schema, name))
}

/// The value of a field that may not be null and that nobody has set.
fn empty(schema: &Schema, ty: &str) -> Value {
    match (ty, schema.types.get(ty)) {
        ("Int", _) => json!(0),
        ("Float", _) => json!(0.0),
        ("Boolean", _) => json!(false),
        ("JSON" | "JSONObject", _) => json!({}),
        ("DateTime", _) => json!("1970-01-01T00:00:00.000Z"),
        (_, Some(ExtendedType::Enum(definition))) => {
            definition.values.keys().next().map_or(Value::Null, |first| json!(first.as_str()))
        }
        _ => json!(""),
    }
}
