//! Objects by reference, and what stands in their fields.

use std::collections::BTreeMap;

use apollo_compiler::{
    Schema,
    executable::Selection,
    resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue},
    response::JsonMap,
    schema::{ExtendedType, Type},
    validation::Valid,
};
use serde_json::{Map, Value, json};

use super::{Connection, Failure, Failures, Prepared, values::scalar};

/// An object: its type, and by what the fake finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The name of an object type of the schema.
    pub ty: String,
    /// Whatever the fake knows it by.
    pub key: Value,
}

impl Node {
    /// The object of this type and key.
    pub fn new(ty: impl Into<String>, key: impl Into<Value>) -> Self {
        Self { ty: ty.into(), key: key.into() }
    }
}

/// A field that is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Its name.
    pub field: &'a str,
    /// Its arguments, defaults included.
    pub args: Map<String, Value>,
    /// The name of its type, without lists and exclamation marks.
    pub ty: &'a str,
    /// Whether the rows of a connection are asked for, and not its length alone.
    pub rows: bool,
}

impl Asked<'_> {
    /// An argument; null if it was not given.
    #[must_use]
    pub fn arg(&self, name: &str) -> &Value {
        self.args.get(name).unwrap_or(&Value::Null)
    }

    /// A text argument.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.arg(name).as_str()
    }
}

/// What stands in a field.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A scalar, an enum's value, or a list of them; for a field that is an object: its fields as they are,
    /// with `__typename` where the schema leaves open which type it is.
    Value(Value),
    /// An object.
    Object(Node),
    /// Several.
    List(Vec<Node>),
    /// A page of several.
    Connection(Connection),
    /// An object of which only these fields are there: a mutation's payload.
    Fields(BTreeMap<&'static str, Resolved>),
}

impl Resolved {
    /// Nothing.
    pub const NULL: Self = Self::Value(Value::Null);

    /// An object with these fields.
    #[must_use]
    pub fn fields(fields: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Fields(fields.into_iter().collect())
    }
}

/// What is JSON is a value.
macro_rules! value {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Resolved {
            fn from(value: $ty) -> Self {
                Self::Value(value.into())
            }
        }
    )*};
}
value!(Value, &str, String, bool, i32, u32, i64, u64, usize, f64, Vec<Value>, Map<String, Value>);
value!(Option<&str>, Option<String>, Option<u64>);

impl From<Node> for Resolved {
    fn from(node: Node) -> Self {
        Self::Object(node)
    }
}

impl From<Option<Node>> for Resolved {
    fn from(node: Option<Node>) -> Self {
        node.map_or(Self::NULL, Self::Object)
    }
}

/// Knows what stands in every field. The root is the object of the operation's root type, `Query` or
/// `Mutation`, with the key null. What a connection has beyond Relay's fields is in the [`Connection`]; what an
/// edge has and is not there is asked of the edge's type, with the key of its node.
pub trait Resolver {
    /// What a field fails with.
    type Error: Clone;

    /// What stands in a field of an object.
    ///
    /// # Errors
    /// The field is null then, or what is around it, and the error is told in the answer.
    fn resolve(&self, node: &Node, asked: &Asked<'_>) -> Result<Resolved, Self::Error>;
}

/// What a request comes to.
#[derive(Debug)]
pub struct Executed<E> {
    /// The data.
    pub data: Option<JsonMap>,
    /// What failed.
    pub failures: Vec<Failure<E>>,
}

/// Executes a request with what `resolver` knows.
///
/// # Errors
/// What is wrong with the request as a whole.
pub fn execute<R: Resolver>(
    resolver: &R,
    schema: &Valid<Schema>,
    prepared: &Prepared<'_>,
) -> Result<Executed<R::Error>, String> {
    let cx = Context { resolver, schema, failures: Failures::default() };
    let ty = prepared.operation.object_type().to_string();
    let root = Thing { cx: &cx, of: Of::Node(Node::new(ty.clone(), Value::Null)), ty };
    let response = prepared.execute(schema, &root)?;
    let failures = response.errors.iter().map(|error| cx.failures.explain(error)).collect();
    Ok(Executed { data: response.data, failures })
}

struct Context<'r, R: Resolver> {
    resolver: &'r R,
    schema: &'r Schema,
    failures: Failures<R::Error>,
}

/// One object, as the executor sees it.
struct Thing<'c, R: Resolver> {
    cx: &'c Context<'c, R>,
    ty: String,
    of: Of,
}

/// What an object consists of.
enum Of {
    Node(Node),
    Connection(Connection),
    Edge { node: Node, cursor: String, extra: Map<String, Value> },
    Plain(Map<String, Value>),
    Fields(BTreeMap<&'static str, Resolved>),
}

impl<R: Resolver> ObjectValue for Thing<'_, R> {
    fn type_name(&self) -> &str {
        &self.ty
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let (name, ty) = (info.field_name(), &info.field_definition().ty);
        let resolved = match &self.of {
            Of::Node(node) => self.ask(node, info)?,
            Of::Plain(fields) => Resolved::Value(fields.get(name).cloned().unwrap_or_default()),
            Of::Fields(fields) => fields.get(name).cloned().unwrap_or(Resolved::NULL),
            Of::Edge { cursor, .. } if name == "cursor" => cursor.as_str().into(),
            Of::Edge { node, .. } if name == "node" => node.clone().into(),
            Of::Edge { extra, .. } if extra.contains_key(name) => {
                Resolved::Value(extra.get(name).cloned().unwrap_or_default())
            }
            Of::Edge { node, .. } => self.ask(&Node::new(self.ty.clone(), node.key.clone()), info)?,
            Of::Connection(page) => match name {
                "nodes" => Resolved::List(page.nodes.clone()),
                "edges" => return Ok(self.edges(page, ty)),
                "totalCount" => page.total.into(),
                "pageInfo" => Resolved::Value(json!({
                    "hasNextPage": page.has_next,
                    "hasPreviousPage": page.has_previous,
                    "startCursor": page.start_cursor(),
                    "endCursor": page.end_cursor(),
                })),
                other => Resolved::Value(page.extra.get(other).cloned().unwrap_or_default()),
            },
        };
        Ok(self.show(ty, resolved))
    }
}

impl<'c, R: Resolver> Thing<'c, R> {
    fn ask(&self, node: &Node, info: &ResolveInfo<'_>) -> Result<Resolved, FieldError> {
        let args = match serde_json::to_value(info.arguments()) {
            Ok(Value::Object(args)) => args,
            _ => Map::new(),
        };
        let ty = info.field_definition().ty.inner_named_type().as_str();
        let mut selected = info.field_selections().iter().flat_map(|field| &field.selection_set.selections);
        let rows = selected.any(|selection| match selection {
            Selection::Field(field) => matches!(field.name.as_str(), "nodes" | "edges"),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => true,
        });
        let asked = Asked { field: info.field_name(), args, ty, rows };
        self.cx.resolver.resolve(node, &asked).map_err(|error| self.cx.failures.fail(error))
    }

    fn thing<'a>(&self, ty: &str, of: Of) -> ResolvedValue<'a>
    where
        'c: 'a,
    {
        ResolvedValue::object(Thing { cx: self.cx, ty: ty.to_owned(), of })
    }

    fn edges<'a>(&self, page: &Connection, ty: &Type) -> ResolvedValue<'a>
    where
        'c: 'a,
    {
        let ty = ty.inner_named_type();
        let edges = page.nodes.iter().zip(&page.cursors);
        let edges = edges.enumerate().map(|(at, (node, cursor))| Of::Edge {
            node: node.clone(),
            cursor: cursor.clone(),
            extra: page.edges.get(at).cloned().unwrap_or_default(),
        });
        let edges: Vec<_> = edges.map(|edge| self.thing(ty, edge)).collect();
        ResolvedValue::list(edges)
    }

    /// What a resolver gave, in the form that the executor demands of the type.
    fn show<'a>(&self, ty: &Type, resolved: Resolved) -> ResolvedValue<'a>
    where
        'c: 'a,
    {
        let name = ty.inner_named_type().as_str();
        let node = |node: Node| self.thing(&node.ty.clone(), Of::Node(node));
        match resolved {
            Resolved::Object(one) => node(one),
            Resolved::List(list) => ResolvedValue::list(list.into_iter().map(node).collect::<Vec<_>>()),
            Resolved::Connection(page) => self.thing(name, Of::Connection(page)),
            Resolved::Fields(fields) => self.thing(name, Of::Fields(fields)),
            Resolved::Value(value) => self.plain(ty, value),
        }
    }

    fn plain<'a>(&self, ty: &Type, value: Value) -> ResolvedValue<'a>
    where
        'c: 'a,
    {
        let name = ty.inner_named_type().as_str();
        let scalar_or_enum =
            matches!(self.cx.schema.types.get(name), Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)));
        match (ty, value) {
            (_, Value::Null) => ResolvedValue::null(),
            (Type::List(inner) | Type::NonNullList(inner), Value::Array(list)) => {
                ResolvedValue::list(list.into_iter().map(|one| self.plain(inner, one)).collect::<Vec<_>>())
            }
            (_, Value::Object(fields)) if !scalar_or_enum => {
                let ty = fields.get("__typename").and_then(Value::as_str).unwrap_or(name).to_owned();
                self.thing(&ty, Of::Plain(fields))
            }
            (_, value) => ResolvedValue::Leaf(scalar(name, &value)),
        }
    }
}
