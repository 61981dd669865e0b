//! The GraphQL API: `POST /graphql`.
//!
//! The schema is a part of GitHub's: `schema/base.graphql` and a file for each subject. What stands in a field
//! is known by the resolvers, one for each subject, which are asked in turn until one knows.
//!
//! # How a subject joins
//! - It writes `extend type Repository { issues(…): IssueConnection! }` and its own types into its schema file,
//!   word for word as GitHub has them (less of them, never other ones).
//! - It writes a [`Resolve`] and adds it to [`RESOLVERS`]. A match over `(node.ty.as_str(), asked.field)` that
//!   gives `None` for what is not its own.
//! - Keys of nodes: an actor's is its login ([`actor`]), a repository's its id ([`repository`]), a team's its
//!   id; commits and references are made by `repos::object_node` and `repos::ref_node` and read by
//!   `repos::keyed`; a subject chooses those of its own types.
//! - `Query.node` is asked of every resolver: it gives `Some` for node ids of its kinds (`ids::parse`).
//! - A mutation is a field of the node `Mutation`; its input is `asked.arg("input")`; it gives
//!   [`Resolved::fields`]. It asks [`may`] first. `clientMutationId` is seen to here.

mod base;
mod cost;
mod document;
mod schema;

use connector::sandbox::graphql::{
    self, Asked, Connection, Failure, GraphqlRequest, Node, Prepared, Resolved, Resolver, Unprepared, Window,
};
use http::StatusCode;
use serde_json::{Map, Value, json};

pub(super) use self::schema::Graphql;
use super::{
    errors::{ApiError, Outcome},
    limits, repos,
    request::{FakeResponse, RequestContext},
    route::{Need, read},
    social,
    state::State,
    tracker,
};

/// Knows what stands in the fields of some types; none for a field that it does not know.
pub(super) type Resolve = fn(&RequestContext<'_>, &Node, &Asked<'_>) -> Option<Outcome<Resolved>>;

/// Those who know, in the order in which they are asked.
const RESOLVERS: &[Resolve] = &[base::resolve, repos::resolve, tracker::resolve, social::resolve];

/// The most that `first` and `last` may be (docs.github.com, "Rate limits and query limits for the GraphQL
/// API").
const MOST: usize = 100;
/// The most nodes that a query may reach (the same page).
const MOST_NODES: u64 = 500_000;

/// The name of the operation in a request's body: as given, as written in the document, or its first field.
pub(super) fn operation_name(body: &[u8]) -> String {
    GraphqlRequest::parse(body)
        .map_or_else(|| "POST /graphql".to_owned(), |request| request.name().to_owned())
}

/// `POST /graphql`.
pub(super) fn serve(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    if cx.caller.token.is_none() {
        let mut error = ApiError::unauthorized();
        "This endpoint requires you to be authenticated.".clone_into(&mut error.message);
        return Err(error);
    }
    let Some(request) = GraphqlRequest::parse(&cx.body) else {
        let words = "A query attribute must be specified and must be a string.";
        let is_json = serde_json::from_slice::<Value>(&cx.body).is_ok();
        return Err(if is_json {
            ApiError::new(StatusCode::BAD_REQUEST, words)
        } else {
            ApiError::bad_json()
        });
    };
    let dialect = cx.site.graphql.dialect()?;
    let document = match dialect.documents.get(&dialect.schema, &request.query) {
        Ok(document) => document,
        Err(broken) => return Ok(refused(document::explain(&broken))),
    };
    let prepared = Prepared::new(
        &dialect.schema,
        &document,
        request.operation_name.as_deref().filter(|name| !name.is_empty()),
        &request.variables,
    );
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Ok(refused(vec![unprepared(&error)])),
    };
    let (cost, nodes) = cost::of(&prepared);
    let writes = prepared.operation.is_mutation();
    let points = u32::try_from(cost).unwrap_or(u32::MAX);
    if let Err(error) = cx.site.limits.take_graphql(cx.caller, points, writes) {
        // The primary limit comes as 200, the secondary ones as 403 (the same page).
        return if error.kind == "RATE_LIMITED" { Ok(refused(vec![entry(&error)])) } else { Err(error) };
    }
    if nodes > MOST_NODES {
        let words = format!(
            "This query requests up to {nodes} possible nodes which exceeds the maximum limit of {MOST_NODES}."
        );
        return Ok(refused(vec![json!({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": words})]));
    }
    let everyone = Everyone { cx, cost, nodes };
    let answer = graphql::execute(&everyone, &dialect.schema, &prepared)
        .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    let mut body = Map::new();
    body.insert("data".to_owned(), serde_json::to_value(answer.data).unwrap_or_default());
    let mut errors: Vec<Value> = answer.failures.into_iter().map(explain).collect();
    errors.dedup();
    if !errors.is_empty() {
        body.insert("errors".to_owned(), errors.into());
    }
    Ok(FakeResponse::json(body))
}

/// Whether the caller may do something to a repository. What they may not see is not there.
pub(super) fn may(cx: &RequestContext<'_>, repo: u64, need: Need) -> Outcome<()> {
    cx.site.may(cx.caller, repo, need)
}

/// The repository, if the caller may see it.
pub(super) fn repository(cx: &RequestContext<'_>, repo: u64) -> Option<Node> {
    may(cx, repo, read("metadata")).ok().map(|()| Node::new("Repository", repo))
}

/// Whoever has this login, as an `Actor`; nothing for nobody.
pub(super) fn actor(state: &State, login: &str) -> Resolved {
    match state.accounts.get(login) {
        Some(account) => Node::new(account.kind.as_str(), account.login.as_str()).into(),
        None => Resolved::NULL,
    }
}

/// The page of a list that a field's arguments ask for.
///
/// # Errors
/// GitHub's, if neither `first` nor `last` is given, or too much is asked for.
pub(super) fn connection(asked: &Asked<'_>, all: Vec<Node>) -> Outcome<Resolved> {
    let name = asked.field;
    let refuse = |kind, words: String| Err(ApiError::unprocessable(words).kind(kind));
    let window = Window::of(&asked.args);
    for bound in ["first", "last"] {
        let Some(number) = asked.arg(bound).as_i64() else { continue };
        if number < 0 {
            return refuse(
                "INVALID_PAGINATION",
                format!("`{bound}` on the `{name}` connection cannot be less than zero."),
            );
        }
        if number > i64::try_from(MOST).unwrap_or(i64::MAX) {
            return refuse(
                "EXCESSIVE_PAGINATION",
                format!(
                    "Requesting {number} records on the `{name}` connection exceeds the `{bound}` limit of {MOST} records."
                ),
            );
        }
    }
    // Only to count them needs no bounds.
    if asked.rows && window.first.is_none() && window.last.is_none() {
        return refuse(
            "MISSING_PAGINATION_BOUNDARIES",
            format!(
                "You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            ),
        );
    }
    let cursor = window.after.clone().or_else(|| window.before.clone()).unwrap_or_default();
    match Connection::page(all, &window) {
        Some(page) => Ok(Resolved::Connection(page)),
        None => {
            refuse("INVALID_CURSOR_ARGUMENTS", format!("`{cursor}` does not appear to be a valid cursor."))
        }
    }
}

/// All resolvers as one.
struct Everyone<'a, 'b> {
    cx: &'a RequestContext<'b>,
    cost: u64,
    nodes: u64,
}

impl Resolver for Everyone<'_, '_> {
    type Error = ApiError;

    fn resolve(&self, node: &Node, asked: &Asked<'_>) -> Outcome<Resolved> {
        let resolved = match (node.ty.as_str(), asked.field) {
            ("Query", "rateLimit") => Ok(self.rate_limit()),
            ("Query", "node") => self.node(asked.text("id").unwrap_or_default()).map(Resolved::from),
            ("Query", "nodes") => return self.nodes(asked.arg("ids")),
            _ => self.any(node, asked).unwrap_or(Ok(Resolved::NULL)),
        }?;
        Ok(match resolved {
            Resolved::Fields(mut fields) if node.ty == "Mutation" => {
                let id = asked.arg("input").get("clientMutationId").cloned().unwrap_or_default();
                fields.insert("clientMutationId", Resolved::Value(id));
                Resolved::Fields(fields)
            }
            other => other,
        })
    }
}

impl Everyone<'_, '_> {
    fn any(&self, node: &Node, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
        RESOLVERS.iter().find_map(|resolve| resolve(self.cx, node, asked))
    }

    /// Whatever a global id names, if the caller may see it.
    fn node(&self, id: &str) -> Outcome<Node> {
        let args = Map::from_iter([("id".to_owned(), json!(id))]);
        let asked = Asked { field: "node", args, ty: "Node", rows: false };
        let missing = || {
            let words = format!("Could not resolve to a node with the global id of '{id}'");
            ApiError::missing(words)
        };
        match self.any(&Node::new("Query", Value::Null), &asked) {
            Some(Ok(Resolved::Object(node))) => Ok(node),
            Some(Err(error)) if error.kind != "NOT_FOUND" => Err(error),
            _ => Err(missing()),
        }
    }

    /// All of them; one that is not there makes an error of the whole, as no list may have a hole that the
    /// executor could put an error to.
    fn nodes(&self, ids: &Value) -> Outcome<Resolved> {
        let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.map(|id| self.node(id)).collect::<Outcome<_>>().map(Resolved::List)
    }

    fn rate_limit(&self) -> Resolved {
        let window = self.cx.site.limits.window(self.cx.caller, "graphql");
        json!({
            "cost": self.cost,
            "limit": window.limit(),
            "nodeCount": self.nodes,
            "remaining": window.remaining(),
            "used": limits::used(&window),
            "resetAt": super::iso(limits::reset(&window)),
        })
        .into()
    }
}

/// An answer without data. It comes with 200 all the same.
fn refused(errors: Vec<Value>) -> FakeResponse {
    FakeResponse::json(json!({"errors": errors}))
}

/// What is wrong with a request whose document is in order.
fn unprepared(error: &Unprepared) -> Value {
    match error {
        Unprepared::NoObject => json!({"message": "Variables are invalid JSON."}),
        Unprepared::Operation(words) | Unprepared::Variables(words) => json!({"message": words}),
    }
}

/// A refusal as an entry of `errors`.
fn entry(error: &ApiError) -> Value {
    let mut entry = json!({"type": error.kind, "message": error.message});
    if error.saml_failure {
        entry["extensions"] = json!({"saml_failure": true});
    }
    entry
}

/// A field's failure as an entry of `errors`.
fn explain(mut failure: Failure<ApiError>) -> Value {
    // What is forbidden in a list is forbidden whole: the error's place is that of the entry, not of its fields.
    if let (Ok(error), Value::Array(path)) = (&failure.error, &mut failure.path)
        && error.kind == "FORBIDDEN"
        && let Some(entry) = path.iter().rposition(Value::is_u64)
    {
        path.truncate(entry + 1);
        failure.locations = Value::Null;
    }
    let mut entry = match &failure.error {
        Ok(error) => entry(error),
        Err(words) => {
            // A resolver gave what its type does not allow: for GitHub, a failure of its own.
            tracing::error!(%words, path = %failure.path, "a resolver of the sandbox is wrong");
            json!({"message": "Something went wrong while executing your query. Please include `0000:0000` when reporting this issue."})
        }
    };
    for (key, value) in [("path", failure.path), ("locations", failure.locations)] {
        if !value.is_null() {
            entry[key] = value;
        }
    }
    entry
}
