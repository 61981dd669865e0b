//! The story as Notion has it. Its files are short-hand: ids are `kind/number`, people are their handles,
//! values are plain by their column's type, bodies are Markdown; what they become is the state itself.

use std::collections::BTreeMap;

use connector::sandbox::{Blob, Blobs, VirtualClock, seed};
use serde_json::{Map, Value, json};

use super::{
    auth::{BOT, PERSON},
    blocks,
    check::Place,
    errors::Outcome,
    markdown::{self, Draft},
    properties, rich_text,
    tree::{At, Kind, Node, State},
};

const FILES: [&str; 8] = [
    include_str!("seed/workspace.json"),
    include_str!("seed/pages.json"),
    include_str!("seed/databases.json"),
    include_str!("seed/projects.json"),
    include_str!("seed/tasks.json"),
    include_str!("seed/roadmap.json"),
    include_str!("seed/meetings.json"),
    include_str!("seed/comments.json"),
];

const BODIES: [(&str, &str); 11] = [
    ("engineering", include_str!("seed/pages/engineering.md")),
    ("import-api", include_str!("seed/pages/import-api.md")),
    ("post-mortem", include_str!("seed/pages/post-mortem.md")),
    ("runbooks", include_str!("seed/pages/runbooks.md")),
    ("retry", include_str!("seed/pages/retry.md")),
    ("rotate", include_str!("seed/pages/rotate.md")),
    ("customers", include_str!("seed/pages/customers.md")),
    ("northwind", include_str!("seed/pages/northwind.md")),
    ("weekly", include_str!("seed/pages/weekly.md")),
    ("salaries", include_str!("seed/pages/salaries.md")),
    ("onboarding", include_str!("seed/pages/onboarding.md")),
];

/// The first digits of the ids of each kind.
const KINDS: [(&str, &str); 13] = [
    ("user", "a11b0700"),
    ("page", "9a9e0000"),
    ("db", "db000000"),
    ("source", "50ce0000"),
    ("task", "7a5c0000"),
    ("project", "b40ec700"),
    ("feature", "fea70000"),
    ("bug", "bb600000"),
    ("meeting", "3ee70000"),
    ("template", "7e3b0000"),
    ("view", "f1e30000"),
    ("comment", "c0330000"),
    ("discussion", "d15c0000"),
];

/// `page/7` as a UUID.
fn id(short: &str) -> String {
    let (kind, number) = short.split_once('/').unwrap_or(("", short));
    let prefix = KINDS.iter().find(|(name, _)| *name == kind).map_or("00000000", |(_, prefix)| prefix);
    format!("{prefix}-0000-4000-8000-{number:0>12}")
}

/// The workspace as it is when the sandbox starts. What cannot be read is left out, which a test would see.
pub(super) fn state(clock: &VirtualClock, blobs: &Blobs) -> State {
    let mut loader = Loader { state: State::default(), handles: BTreeMap::new() };
    let mut files = FILES.iter().filter_map(|text| seed::load(text, clock.today()).ok());
    for file in files.by_ref() {
        // A failure is one of the seed, which its own test shows.
        let _ = loader.file(&file, blobs);
    }
    loader.links();
    loader.state
}

struct Loader {
    state: State,
    /// User ids by their handles.
    handles: BTreeMap<String, String>,
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

impl Loader {
    fn file(&mut self, file: &Value, blobs: &Blobs) -> Outcome<()> {
        if file["workspace"].is_object() {
            self.workspace(file, blobs);
        }
        for page in items(file, "pages") {
            self.page(page)?;
        }
        for block in items(file, "blocks") {
            let page = id(text(block, "page"));
            let kind = text(&block["block"], "type").to_owned();
            let draft = Draft::new(&kind, block["block"][kind.as_str()].clone());
            self.plant(&page, &draft)?;
        }
        for database in items(file, "databases") {
            self.database(database)?;
        }
        if file["data_sources"].is_array() {
            self.database(file)?;
        }
        for comment in items(file, "comments") {
            self.comment(comment)?;
        }
        Ok(())
    }

    fn workspace(&mut self, file: &Value, blobs: &Blobs) {
        self.state.workspace = file["workspace"].clone();
        self.state.emojis = file["emojis"].as_array().cloned().unwrap_or_default();
        for user in items(file, "users") {
            let id = id(text(user, "id"));
            let mut row = json!({"object": "user", "id": id, "name": user["name"], "avatar_url": null});
            if user["bot"] == true {
                row["type"] = json!("bot");
                row["bot"] = json!({});
            } else {
                row["type"] = json!("person");
                row["person"] = json!({"email": user["email"]});
                let handle = text(user, "email").split('@').next().unwrap_or_default();
                self.handles.insert(handle.to_owned(), id);
            }
            self.state.users.push(row);
        }
        for file in items(file, "files") {
            let blob = Blob {
                content_type: text(file, "type").to_owned(),
                bytes: text(file, "text").to_owned().into_bytes().into(),
            };
            blobs.insert(text(file, "key"), blob);
        }
    }

    fn user(&self, handle: &str) -> String {
        self.handles
            .get(handle)
            .cloned()
            .unwrap_or_else(|| if handle == "bot" { BOT } else { PERSON }.to_owned())
    }

    fn node(&self, kind: Kind, given: &Value, parent: Option<String>) -> Node {
        let by = self.user(text(given, "by"));
        let minute =
            |field: &str| format!("{}:00.000Z", text(given, field).get(..16).unwrap_or("2026-01-01T00:00"));
        Node {
            id: id(text(given, "id")),
            kind,
            parent,
            children: Vec::new(),
            created_time: minute("created"),
            created_by: by.clone(),
            last_edited_time: minute("edited"),
            last_edited_by: by,
            in_trash: false,
            data: Map::new(),
        }
    }

    fn words(&self, text: &str) -> Outcome<Value> {
        let items = Value::Array(markdown::inline(text));
        rich_text::expand(&self.state, &items, &Place::body()).map(Value::Array)
    }

    fn page(&mut self, given: &Value) -> Outcome<()> {
        let mut node = self.node(Kind::Page, given, given["parent"].as_str().map(id));
        let title = self.words(text(given, "title"))?;
        node.data.insert(
            "properties".to_owned(),
            json!({"title": {"id": "title", "type": "title", "title": title}}),
        );
        if let Some(icon) = given["icon"].as_str() {
            node.data.insert("icon".to_owned(), json!({"type": "emoji", "emoji": icon}));
        }
        if given["shared"] == true {
            self.state.shared.insert(node.id.clone());
        }
        let id = node.id.clone();
        self.state.insert(node, &At::End);
        let body = BODIES.iter().find(|(name, _)| *name == text(given, "body"));
        self.body(&id, body.map_or("", |(_, body)| body))
    }

    fn body(&mut self, page: &str, markdown: &str) -> Outcome<()> {
        markdown::parse(markdown).iter().try_for_each(|draft| self.plant(page, draft))
    }

    /// Stores a draft as the last child of `parent`, as old as that.
    fn plant(&mut self, parent: &str, draft: &Draft) -> Outcome<()> {
        let mut given = draft.body.clone();
        // `file:name` stands for one of Notion's own files.
        if let Some(key) = given.get("external").and_then(|file| file["url"].as_str()?.strip_prefix("file:"))
        {
            let file = json!({"key": key});
            given.remove("external");
            given.insert("type".to_owned(), json!("file"));
            given.insert("file".to_owned(), file);
        }
        let body = blocks::body(&self.state, &draft.kind, &given, &Place::body())?;
        let id = self.state.new_id();
        let Some(mut node) = self.state.nodes.get(parent).cloned() else { return Ok(()) };
        node.id.clone_from(&id);
        node.kind = Kind::Block;
        node.parent = Some(parent.to_owned());
        node.children.clear();
        node.data = Map::from_iter([("type".to_owned(), json!(draft.kind)), (draft.kind.clone(), body)]);
        self.state.insert(node, &At::End);
        draft.children.iter().try_for_each(|child| self.plant(&id, child))
    }

    fn database(&mut self, given: &Value) -> Outcome<()> {
        let mut node = self.node(Kind::Database, given, given["parent"].as_str().map(id));
        let title = self.words(text(given, "title"))?;
        node.data.insert("title".to_owned(), title);
        node.data.insert("is_inline".to_owned(), given["inline"].clone());
        node.data.insert("linked".to_owned(), given["linked"].clone());
        let database = node.id.clone();
        self.state.insert(node, &At::End);
        for source in items(given, "data_sources") {
            self.source(&database, given, source)?;
        }
        Ok(())
    }

    fn source(&mut self, database: &str, of: &Value, given: &Value) -> Outcome<()> {
        let mut node = self.node(Kind::DataSource, of, Some(database.to_owned()));
        node.id = id(text(given, "id"));
        let title = self.words(text(given, "title"))?;
        node.data.insert("title".to_owned(), title);
        let mut schema = Map::new();
        for (name, column) in given["properties"].as_object().into_iter().flatten() {
            schema.insert(name.clone(), self.column(name, column)?);
        }
        node.data.insert("properties".to_owned(), Value::Object(schema.clone()));
        let source = node.id.clone();
        self.state.insert(node, &At::End);
        for (number, row) in items(given, "rows").enumerate() {
            self.row(&source, &mut schema, row, number + 1)?;
        }
        if let Some(node) = self.state.nodes.get_mut(&source) {
            for column in schema.values_mut() {
                if column["type"] == "unique_id" {
                    column["unique_id"]["next"] = json!(items(given, "rows").count() + 1);
                }
            }
            node.data.insert("properties".to_owned(), Value::Object(schema));
        }
        for template in items(given, "templates") {
            let mut page = self.node(Kind::Page, of, None);
            page.id = id(text(template, "id"));
            let template_id = page.id.clone();
            self.state.nodes.insert(template_id.clone(), page);
            self.body(&template_id, &lines(template))?;
            self.state.templates.push(json!({
                "id": template_id, "name": template["name"], "data_source": source,
                "is_default": template["is_default"] == true,
            }));
        }
        for view in items(given, "views") {
            let view_id = id(text(view, "id"));
            let at = &self.state.nodes[&source].created_time;
            let row = json!({
                "object": "view", "id": view_id, "parent": {"type": "database_id", "database_id": database},
                "name": view["name"], "type": view["type"], "created_time": at, "last_edited_time": at,
                "url": format!("https://www.notion.so/{}?v={}", database.replace('-', ""), view_id.replace('-', "")),
                "data_source_id": source, "created_by": {"object": "user", "id": PERSON},
                "last_edited_by": {"object": "user", "id": PERSON}, "filter": view["filter"], "sorts": view["sorts"],
                "quick_filters": null, "configuration": {"type": view["type"]},
            });
            self.state.views.insert(view_id, row);
        }
        Ok(())
    }

    fn column(&mut self, name: &str, given: &Value) -> Outcome<Value> {
        if given["type"] != "relation" {
            let mut column = properties::column(&mut self.state, name, given, &Place::body())?;
            if column["type"] == "formula" {
                column["formula"]["expression"] = given["formula"]["expression"].clone();
            }
            return Ok(column);
        }
        let config = &given["relation"];
        let target = id(text(config, "data_source_id"));
        let column = json!({"id": self.state.short_id(), "name": name, "description": null, "type": "relation", "relation": {
            "database_id": null, "data_source_id": target, "type": "single_property", "single_property": {},
            "dual": config["dual"],
        }});
        Ok(column)
    }

    fn row(
        &mut self,
        source: &str,
        schema: &mut Map<String, Value>,
        given: &Value,
        number: usize,
    ) -> Outcome<()> {
        let mut node = self.node(Kind::Page, given, Some(source.to_owned()));
        let mut values = Map::new();
        for (name, column) in schema.iter_mut() {
            let plain = &given["values"][name.as_str()];
            let kind = text(column, "type").to_owned();
            let value = match kind.as_str() {
                "unique_id" => json!({"number": number}),
                "formula" => {
                    json!({"type": "number", "number": given["values"]["Estimate"].as_f64().map(|estimate| estimate * 2.0)})
                }
                _ if plain.is_null() => continue,
                "title" | "rich_text" => self.words(plain.as_str().unwrap_or_default())?,
                "people" => plain
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|handle| self.state.user(&self.user(handle.as_str()?)))
                    .collect(),
                "relation" => plain
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|short| Some(json!({"id": id(short.as_str()?)})))
                    .collect(),
                "files" => plain.clone(),
                "date" if plain.is_string() => json!({"start": plain, "end": null, "time_zone": null}),
                "date" => json!({"start": plain["start"], "end": plain["end"], "time_zone": null}),
                kind => {
                    let named = |name: &Value| json!({"name": name});
                    let request = match kind {
                        "select" | "status" => named(plain),
                        "multi_select" => plain.as_array().into_iter().flatten().map(named).collect(),
                        _ => plain.clone(),
                    };
                    let request = json!({kind: request});
                    properties::value(&mut self.state, name, column, &request, &Place::body())?[kind].clone()
                }
            };
            values.insert(name.clone(), json!({"id": column["id"], "type": kind, kind: value}));
        }
        node.data.insert("properties".to_owned(), Value::Object(values));
        let page = node.id.clone();
        self.state.insert(node, &At::End);
        self.body(&page, &lines(given))
    }

    fn comment(&mut self, given: &Value) -> Outcome<()> {
        let on = match given["on"].as_str() {
            Some(page) => json!({"type": "page_id", "page_id": id(page)}),
            None => {
                let page = self.state.nodes.get(&id(text(&given["on"], "page")));
                let at = given["on"]["block"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
                json!({"type": "block_id", "block_id": page.and_then(|page| page.children.get(at))})
            }
        };
        let minute = format!("{}:00.000Z", text(given, "at").get(..16).unwrap_or_default());
        let comment = json!({
            "object": "comment", "id": id(text(given, "id")), "parent": on,
            "discussion_id": id(text(given, "discussion")), "created_time": minute, "last_edited_time": minute,
            "created_by": {"object": "user", "id": self.user(text(given, "by"))},
            "rich_text": self.words(text(given, "text"))?,
            "display_name": {"type": "user", "resolved_name": null}, "attachments": [],
        });
        self.state.comments.push(comment);
        Ok(())
    }

    /// Relations of two sides: the columns know each other, and both ends of a link know of it.
    fn links(&mut self) {
        let sources: Vec<String> = self
            .state
            .nodes
            .values()
            .filter(|node| node.kind == Kind::DataSource)
            .map(|node| node.id.clone())
            .collect();
        for source in &sources {
            let mut schema =
                self.state.nodes[source].get("properties").as_object().cloned().unwrap_or_default();
            for column in schema.values_mut().filter(|column| column["type"] == "relation") {
                let target = text(&column["relation"], "data_source_id").to_owned();
                let other = self.state.nodes.get(&target);
                column["relation"]["database_id"] = json!(other.and_then(|other| other.parent.clone()));
                let dual = column["relation"]["dual"].as_str().map(str::to_owned);
                if let Some(config) = column["relation"].as_object_mut() {
                    config.remove("dual");
                    if let Some(dual) = dual {
                        let synced = other.map(|other| other.get("properties")[dual.as_str()]["id"].clone());
                        config.remove("single_property");
                        config.insert("type".to_owned(), json!("dual_property"));
                        config.insert(
                            "dual_property".to_owned(),
                            json!({"synced_property_id": synced, "synced_property_name": dual}),
                        );
                    }
                }
            }
            if let Some(node) = self.state.nodes.get_mut(source) {
                node.data.insert("properties".to_owned(), Value::Object(schema.clone()));
            }
            for row in self.state.nodes[source].children.clone() {
                for (name, column) in schema.iter().filter(|(_, column)| column["type"] == "relation") {
                    let after = self.state.nodes[&row].get("properties")[name.as_str()].clone();
                    properties::sync(&mut self.state, &row, column, &Value::Null, &after);
                }
            }
        }
        self.mentions();
    }

    /// A mention shows the title that its page has, also where the page came later.
    fn mentions(&mut self) {
        let titles: BTreeMap<String, String> =
            self.state.nodes.values().map(|node| (node.id.clone(), node.title())).collect();
        for body in self.state.nodes.values_mut().flat_map(|node| node.data.values_mut()) {
            let runs = body.get_mut("rich_text").and_then(Value::as_array_mut);
            for run in runs.into_iter().flatten() {
                let page = run["mention"]["page"]["id"].as_str();
                if let Some(title) = page.and_then(|id| titles.get(id)) {
                    run["plain_text"] = json!(title);
                }
            }
        }
    }
}

/// A body given as lines.
fn lines(given: &Value) -> String {
    items(given, "body").filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use connector::sandbox::Harness;
    use fixtures::story;
    use url::Url;

    use super::*;

    fn seeded() -> State {
        let harness = Harness::new(Url::parse("http://127.0.0.1:1/").unwrap());
        state(harness.clock(), &Blobs::new(harness.clock()))
    }

    #[test]
    fn the_seed_is_read_to_its_end() {
        let harness = Harness::new(Url::parse("http://127.0.0.1:1/").unwrap());
        let blobs = Blobs::new(harness.clock());
        let mut loader = Loader { state: State::default(), handles: BTreeMap::new() };
        for text in FILES {
            let file = seed::load(text, harness.clock().today()).unwrap();
            loader.file(&file, &blobs).unwrap();
        }
        let kinds = |kind| loader.state.nodes.values().filter(|node| node.kind == kind).count();
        assert_eq!((kinds(Kind::Database), kinds(Kind::DataSource)), (5, 5));
        assert_eq!(loader.state.comments.len(), 5);
        assert_eq!(loader.state.templates.len(), 2);
    }

    #[test]
    fn people_are_the_storys_people() {
        let state = seeded();
        for user in state.users.iter().filter(|user| user["type"] == "person") {
            let email = user["person"]["email"].as_str().unwrap();
            let person = story().people.iter().find(|person| person.email == email).unwrap();
            assert_eq!(user["name"], person.name);
            assert!(person.active && !person.bot);
        }
        assert_eq!(state.user(PERSON).unwrap()["name"], "Maya Lindqvist");
        assert_eq!(state.user(BOT).unwrap()["type"], "bot");
        assert_eq!(state.workspace["name"], story().company.name);
    }

    #[test]
    fn the_story_can_be_joined() {
        let text = seeded().dump().to_string();
        let story = story();
        for word in [
            story.release.version,
            story.incident.title,
            story.incident.channel,
            story.incident.linear_bug,
            story.customer.contacts[0].name,
            story.customer.contacts[1].email,
            story.deal.url,
            story.deal.name,
            story.fix.url,
            story.fix.title,
            "84,000",
            "12,318",
        ] {
            assert!(text.contains(word), "{word} is not in the seed");
        }
    }

    #[test]
    fn a_relation_of_forty_is_known_at_both_ends() {
        let state = seeded();
        let project = &state.nodes[&id("project/1")];
        assert_eq!(project.get("properties")["Tasks"]["relation"].as_array().unwrap().len(), 40);
        let task = &state.nodes[&id("task/3")];
        assert_eq!(task.get("properties")["Project"]["relation"], json!([{"id": id("project/1")}]));
    }
}
