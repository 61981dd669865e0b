//! The workspace: one tree of pages, databases, data sources and blocks, and what hangs on it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    markdown::Draft,
    rich_text::{plain, url_of},
};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Page,
    Database,
    DataSource,
    Block,
}

impl Kind {
    /// The word of messages: "Could not find page with ID".
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Database => "database",
            Self::DataSource => "data_source",
            Self::Block => "block",
        }
    }
}

/// One node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) kind: Kind,
    /// None for what stands in the workspace itself.
    pub(super) parent: Option<String>,
    /// What it contains, in order: blocks, data sources, rows.
    pub(super) children: Vec<String>,
    pub(super) created_time: String,
    pub(super) created_by: String,
    pub(super) last_edited_time: String,
    pub(super) last_edited_by: String,
    pub(super) in_trash: bool,
    /// What it has besides: properties of a page, `type` and its body of a block.
    pub(super) data: Map<String, Value>,
}

impl Node {
    pub(super) fn get(&self, field: &str) -> &Value {
        self.data.get(field).unwrap_or(&Value::Null)
    }

    pub(super) fn block_type(&self) -> &str {
        match self.kind {
            Kind::Page => "child_page",
            Kind::Database => "child_database",
            Kind::DataSource | Kind::Block => self.get("type").as_str().unwrap_or("unsupported"),
        }
    }

    pub(super) fn title(&self) -> String {
        match self.kind {
            Kind::Page => {
                let values = self.get("properties").as_object().into_iter().flat_map(Map::values);
                let title = values.into_iter().find(|value| value["type"] == "title");
                title
                    .and_then(|title| title["title"].as_array())
                    .map(|items| plain(items))
                    .unwrap_or_default()
            }
            Kind::Database | Kind::DataSource => {
                self.get("title").as_array().map(|items| plain(items)).unwrap_or_default()
            }
            Kind::Block => String::new(),
        }
    }
}

/// Everything there is.
#[derive(Default)]
pub(super) struct State {
    pub(super) workspace: Value,
    pub(super) users: Vec<Value>,
    pub(super) nodes: BTreeMap<String, Node>,
    /// What the internal connection was given: these and all below them.
    pub(super) shared: BTreeSet<String>,
    pub(super) comments: Vec<Value>,
    pub(super) views: Map<String, Value>,
    pub(super) view_queries: Map<String, Value>,
    pub(super) templates: Vec<Value>,
    pub(super) uploads: Map<String, Value>,
    pub(super) tasks: Map<String, Value>,
    pub(super) emojis: Vec<Value>,
    /// Templates that are still to be applied: page, template, how often the page is looked at before.
    pub(super) pending: Vec<(String, String, u32)>,
    sequence: u64,
}

impl State {
    /// A new id. Ids made in one sitting share their first characters, as Notion's do
    /// (anthropics/claude-code#50260).
    pub(super) fn new_id(&mut self) -> String {
        self.sequence += 1;
        format!("3387f080-0d17-8100-b2c4-{:012x}", self.sequence)
    }

    /// A short id of a property or an option.
    pub(super) fn short_id(&mut self) -> String {
        self.sequence += 1;
        format!("p{:03x}", self.sequence)
    }

    pub(super) fn user(&self, id: &str) -> Option<Value> {
        self.users.iter().find(|user| user["id"] == id).cloned()
    }

    pub(super) fn of_kind(&self, id: &str, kind: Kind) -> Option<&Node> {
        self.nodes.get(id).filter(|node| node.kind == kind)
    }

    /// Puts `node` under its parent, after the child `after`, or at the start or the end.
    pub(super) fn insert(&mut self, node: Node, at: &At) {
        if let Some(parent) = node.parent.as_ref().and_then(|parent| self.nodes.get_mut(parent)) {
            let place = match at {
                At::Start => 0,
                At::End => parent.children.len(),
                At::After(sibling) => parent
                    .children
                    .iter()
                    .rposition(|child| child == sibling)
                    .map_or(parent.children.len(), |at| at + 1),
            };
            parent.children.insert(place, node.id.clone());
        }
        self.nodes.insert(node.id.clone(), node);
    }

    /// Has what `parent` contains of `first` stand before all others, in that order and each once, by its last place;
    /// gives the others.
    pub(super) fn put_first(&mut self, parent: &str, first: &[String]) -> Vec<String> {
        let Some(node) = self.nodes.get_mut(parent) else { return Vec::new() };
        let places: BTreeMap<_, _> = first.iter().zip(0..).collect();
        node.children.sort_by_key(|child| places.get(child).copied().unwrap_or(usize::MAX));
        node.children.iter().filter(|child| !places.contains_key(child)).cloned().collect()
    }

    /// Takes a node from its parent's children, without removing it.
    pub(super) fn detach(&mut self, id: &str) {
        let parent = self.nodes.get(id).and_then(|node| node.parent.clone());
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(&parent)) {
            parent.children.retain(|child| child != id);
        }
    }

    /// Puts a node somewhere else.
    pub(super) fn relocate(&mut self, id: &str, parent: Option<&str>, at: &At) {
        self.detach(id);
        if let Some(mut node) = self.nodes.remove(id) {
            node.parent = parent.map(str::to_owned);
            self.insert(node, at);
        }
    }

    /// Removes a node and everything below it.
    pub(super) fn remove(&mut self, id: &str) {
        self.detach(id);
        let mut left = vec![id.to_owned()];
        while let Some(id) = left.pop() {
            if let Some(node) = self.nodes.remove(&id) {
                left.extend(node.children);
            }
        }
    }

    /// From `id` itself up to the workspace.
    pub(super) fn ancestors<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Node> {
        std::iter::successors(self.nodes.get(id), |node| self.nodes.get(node.parent.as_ref()?))
    }

    /// Whether it, or anything above it, is in the trash.
    pub(super) fn is_trashed(&self, id: &str) -> bool {
        self.ancestors(id).any(|node| node.in_trash)
    }

    /// Notes an edit: of the node, and of the page it is on.
    pub(super) fn touch(&mut self, id: &str, by: &str, now: &str) {
        let page = self.ancestors(id).find(|node| node.kind != Kind::Block).map(|node| node.id.clone());
        for id in [Some(id.to_owned()), page].into_iter().flatten() {
            if let Some(node) = self.nodes.get_mut(&id) {
                now.clone_into(&mut node.last_edited_time);
                by.clone_into(&mut node.last_edited_by);
            }
        }
    }

    /// What `id` contains, as drafts; `seen` says which of them may be shown, and may end the reading.
    pub(super) fn drafts(&self, id: &str, seen: &mut dyn FnMut(&Node) -> bool) -> Vec<Draft> {
        let Some(node) = self.nodes.get(id) else { return Vec::new() };
        // What a reference shows is its original's.
        let from = node.get("synced_block")["synced_from"]["block_id"].as_str();
        let node = from.and_then(|from| self.nodes.get(from)).unwrap_or(node);
        let children = node.children.iter().filter_map(|child| self.nodes.get(child));
        children.filter(|child| !child.in_trash).map(|child| self.draft(child, seen)).collect()
    }

    fn draft(&self, node: &Node, seen: &mut dyn FnMut(&Node) -> bool) -> Draft {
        let kind = node.block_type();
        let draft = |kind: &str, body: Value| Draft { id: Some(node.id.clone()), ..Draft::new(kind, body) };
        if !seen(node) {
            return draft("unsupported", json!({"alt": kind}));
        }
        match node.kind {
            Kind::Page | Kind::Database => draft(kind, json!({"title": node.title()})),
            Kind::DataSource | Kind::Block => {
                draft(kind, node.get(kind).clone()).with(self.drafts(&node.id, seen))
            }
        }
    }

    pub(super) fn dump(&self) -> Value {
        let nodes: Map<String, Value> = self
            .nodes
            .values()
            .map(|node| {
                let value = json!({
                    "kind": node.kind.word(), "parent": node.parent, "children": node.children,
                    "created_time": node.created_time, "last_edited_time": node.last_edited_time,
                    "created_by": node.created_by, "last_edited_by": node.last_edited_by,
                    "in_trash": node.in_trash, "data": node.data,
                });
                (node.id.clone(), value)
            })
            .collect();
        let mut dump = json!({
            "workspace": self.workspace, "users": self.users, "nodes": nodes, "comments": self.comments,
            "views": self.views, "templates": self.templates, "uploads": self.uploads,
        });
        said_once(&mut dump);
        dump
    }
}

/// Rich text says its words twice in an answer; whoever counts them in a dump meets them once.
fn said_once(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(said_once),
        Value::Object(fields) => {
            if fields.get("text").is_some_and(|text| text["content"].is_string()) {
                fields.remove("plain_text");
            }
            fields.values_mut().for_each(said_once);
        }
        _ => {}
    }
}

/// Where among its siblings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum At {
    Start,
    End,
    After(String),
}

/// A partial user, as most answers have it.
pub(super) fn partial_user(id: &str) -> Value {
    json!({"object": "user", "id": id})
}

impl State {
    /// The `parent` of an answer.
    pub(super) fn parent_of(&self, node: &Node) -> Value {
        let Some(parent) = node.parent.as_ref().and_then(|parent| self.nodes.get(parent)) else {
            return json!({"type": "workspace", "workspace": true});
        };
        match parent.kind {
            Kind::Page => json!({"type": "page_id", "page_id": parent.id}),
            Kind::Database => json!({"type": "database_id", "database_id": parent.id}),
            Kind::DataSource => {
                json!({"type": "data_source_id", "data_source_id": parent.id, "database_id": parent.parent})
            }
            Kind::Block => json!({"type": "block_id", "block_id": parent.id}),
        }
    }

    /// The address of a node; a block's is on its page.
    pub(super) fn url(&self, node: &Node) -> String {
        if node.kind != Kind::Block {
            let title: String = node
                .title()
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
                .collect::<String>()
                .split('-')
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join("-");
            let bare = node.id.replace('-', "");
            return if title.is_empty() || node.kind == Kind::DataSource {
                url_of(&node.id)
            } else {
                format!("https://www.notion.so/{title}-{bare}")
            };
        }
        let page = self.ancestors(&node.id).find(|node| node.kind == Kind::Page);
        let page = page.map(|page| url_of(&page.id)).unwrap_or_default();
        format!("{page}#{}", node.id.replace('-', ""))
    }
}
