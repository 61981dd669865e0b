use serde_json::{Value, json};

use super::*;

const SCHEMA: &str = r"
    scalar Day
    interface Named { name: String! }
    type Query { shelf(id: ID!): Shelf, ghost: String, found: [Named!]! }
    type Mutation { add(name: String!): AddPayload }
    type AddPayload { book: Book, warnings: [String!]! }
    type Shelf { name: String!, books(first: Int, after: String, last: Int, before: String): BookConnection! }
    type Book implements Named { name: String!, pages: Int!, day: Day, weight: Float }
    type Person implements Named { name: String! }
    type BookConnection { nodes: [Book], edges: [BookEdge], pageInfo: PageInfo!, totalCount: Int!, heaviest: Float }
    type BookEdge { node: Book, cursor: String!, note: String }
    type PageInfo { hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String, endCursor: String }
";

struct Library;

impl Resolver for Library {
    type Error = &'static str;

    fn resolve(&self, node: &Node, asked: &Asked<'_>) -> Result<Resolved, Self::Error> {
        Ok(match (node.ty.as_str(), asked.field) {
            ("Query", "shelf") if asked.text("id") == Some("9") => return Err("no such shelf"),
            ("Query", "shelf") => Node::new("Shelf", asked.arg("id").clone()).into(),
            ("Query", "found") => json!([{"__typename": "Person", "name": "Ada"},
                {"__typename": "Book", "name": "b", "pages": 1}])
            .into(),
            ("Mutation", "add") => Resolved::fields([
                ("book", Node::new("Book", 7).into()),
                ("warnings", json!(["long"]).into()),
            ]),
            ("Shelf", "name") => "first".into(),
            ("Shelf", "books") => {
                let all = (1..=5).map(|number| Node::new("Book", number)).collect();
                let page = Connection::page(all, &Window::of(&asked.args)).ok_or("a strange cursor")?;
                Resolved::Connection(page.with("heaviest", 2))
            }
            ("Book", "name") => format!("book {}", node.key).into(),
            ("Book", "pages") => node.key.clone().into(),
            ("Book", "day") => json!({"any": "json"}).into(),
            ("Book", "weight") => 2.into(),
            ("BookEdge", "note") => format!("about {}", node.key).into(),
            _ => Resolved::NULL,
        })
    }
}

fn ask(text: &str, variables: &Value) -> (Value, Vec<Failure<&'static str>>) {
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    let document = Documents::default().get(&schema, text).unwrap();
    let prepared = Prepared::new(&schema, &document, None, variables).unwrap();
    let answer = execute(&Library, &schema, &prepared).unwrap();
    (serde_json::to_value(answer.data).unwrap(), answer.failures)
}

#[test]
fn objects_values_and_payloads_come_as_the_schema_has_them() {
    let (data, failures) =
        ask("mutation { add(name: \"x\") { book { name pages day weight } warnings } }", &Value::Null);
    let book = json!({"name": "book 7", "pages": 7, "day": {"any": "json"}, "weight": 2.0});
    assert_eq!(data, json!({"add": {"book": book, "warnings": ["long"]}}));
    assert!(failures.is_empty());
    let (data, _) = ask("{ found { __typename name ... on Book { pages } } ghost }", &Value::Null);
    let found =
        json!([{"__typename": "Person", "name": "Ada"}, {"__typename": "Book", "name": "b", "pages": 1}]);
    assert_eq!(data, json!({"found": found, "ghost": null}));
}

#[test]
fn pages_lead_on_in_both_directions() {
    let text = "query($first: Int, $after: String, $last: Int, $before: String) { shelf(id: 1) {
        books(first: $first, after: $after, last: $last, before: $before) {
            nodes { pages } edges { cursor note } totalCount heaviest
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
    let page = |variables: Value| ask(text, &variables).0["shelf"]["books"].clone();
    let first = page(json!({"first": 2}));
    assert_eq!(first["nodes"], json!([{"pages": 1}, {"pages": 2}]));
    assert_eq!(first["edges"][1]["note"], "about 2");
    assert_eq!((&first["totalCount"], &first["heaviest"]), (&json!(5), &json!(2.0)));
    assert_eq!(first["pageInfo"]["hasPreviousPage"], false);
    let end = &first["pageInfo"]["endCursor"];
    assert_eq!(end, &first["edges"][1]["cursor"]);
    let rest = page(json!({"first": 9, "after": end}));
    assert_eq!(rest["nodes"], json!([{"pages": 3}, {"pages": 4}, {"pages": 5}]));
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    let before = page(json!({"last": 1, "before": rest["pageInfo"]["startCursor"]}));
    assert_eq!(before["nodes"], json!([{"pages": 2}]));
    assert_eq!(before["pageInfo"]["hasPreviousPage"], true);
    let (data, failures) = ask(text, &json!({"first": 1, "after": "strange"}));
    assert_eq!(data, json!({"shelf": null}), "what may not be null takes with it what is around it");
    assert_eq!(failures[0].error, Ok("a strange cursor"));
}

#[test]
fn a_page_goes_on_after_its_last_row_has_gone() {
    let all = |numbers: &[i32]| numbers.iter().map(|number| Node::new("Book", *number)).collect::<Vec<_>>();
    let first =
        Connection::page(all(&[1, 2, 3, 4]), &Window { first: Some(2), ..Window::default() }).unwrap();
    let after = Window { after: first.cursors.last().cloned(), ..Window::default() };
    for (now, rest) in [(&[1, 3, 4][..], &[3, 4][..]), (&[0, 1, 2, 3, 4], &[3, 4])] {
        assert_eq!(Connection::page(all(now), &after).unwrap().nodes, all(rest), "{now:?}");
    }
}

#[test]
fn failures_keep_what_the_fake_said_and_where() {
    let (data, failures) = ask("{ a: shelf(id: \"9\") { name } b: shelf(id: 1) { name } }", &Value::Null);
    assert_eq!(data, json!({"a": null, "b": {"name": "first"}}));
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].error, Ok("no such shelf"));
    assert_eq!(failures[0].path, json!(["a"]));
    assert_eq!(failures[0].locations, json!([{"line": 1, "column": 6}]));
}

#[test]
fn a_request_is_named_by_its_operation_or_its_first_field() {
    let name = |query: &str, operation: Option<&str>| {
        let body = json!({"query": query, "operationName": operation});
        GraphqlRequest::parse(body.to_string().as_bytes()).unwrap().name().to_owned()
    };
    assert_eq!(name("query A { b }", Some("C")), "C");
    assert_eq!(name("query A { b }", None), "A");
    assert_eq!(name("{ b }", Some("")), "b");
    assert!(GraphqlRequest::parse(b"{}").is_none());
}
