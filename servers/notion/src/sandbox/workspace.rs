//! Users, search, tasks, emoji, meeting notes: what is about the workspace and no one page.

use serde_json::{Value, json};

use super::{
    auth::Capability,
    check::Place,
    errors::{ApiError, Outcome},
    routes::{Context, Query, page_of_results},
    tree::{Kind, Node},
};

/// Looks at a task before it is done: queued, running.
const TASK_LOOKS: u64 = 2;

impl Context<'_> {
    /// `GET /users/me`.
    pub(super) fn me(&mut self) -> Outcome<Value> {
        let mut me = self.state.user(&self.caller.user).unwrap_or_default();
        if !self.caller.sees_all {
            me["bot"] = json!({
                "owner": {"type": "workspace", "workspace": true},
                "workspace_id": self.state.workspace["id"], "workspace_name": self.state.workspace["name"],
                "workspace_limits": {"max_file_upload_size_in_bytes": 5_242_880_000_u64},
            });
        }
        Ok(me)
    }

    /// `GET /users`: nobody is found by name.
    pub(super) fn list_users(&mut self, query: &Query) -> Outcome<Value> {
        self.need(Capability::Users)?;
        let users = self.state.users.clone();
        page_of_results(query, &users, "user", Value::clone)
    }

    /// `GET /users/{id}`.
    pub(super) fn get_user(&mut self, id: &str) -> Outcome<Value> {
        self.need(Capability::Users)?;
        let id = Place::path().at("user_id").id(&json!(id))?;
        self.state.user(&id).ok_or_else(|| ApiError::not_found("user", &id, self.caller.name))
    }

    /// `POST /search`: by title, of what the connection sees; what was changed just now may be missing
    /// (reference/search-optimizations-and-limitations).
    pub(super) fn search(&mut self, given: &Value) -> Outcome<Value> {
        let place = Place::body();
        place.only(place.object(given)?, &["query", "sort", "filter", "start_cursor", "page_size"])?;
        let wanted = given["query"].as_str().unwrap_or_default().to_lowercase();
        let filter = &given["filter"];
        if let Some(value) = filter["value"].as_str() {
            place
                .at("filter")
                .at("property")
                .one_of(filter["property"].as_str().unwrap_or_default(), &["object"])?;
            place.at("filter").at("value").one_of(value, &["page", "data_source"])?;
        }
        let kind = filter["value"].as_str();
        let trash = filter["in_trash"].as_bool().unwrap_or(false);
        let words: Vec<&str> = wanted.split_whitespace().collect();
        let known = |node: &&Node| matches!(node.kind, Kind::Page | Kind::DataSource);
        let lag = self.site.settings().search_lag;
        let mut found: Vec<&Node> = self
            .state
            .nodes
            .values()
            .filter(known)
            .filter(|node| kind.is_none_or(|kind| node.kind.word() == kind))
            .filter(|node| self.state.is_trashed(&node.id) == trash && self.sees(&node.id))
            .filter(|node| {
                let title = node.title().to_lowercase();
                words.iter().all(|word| title.contains(word))
            })
            .filter(|node| !self.state.templates.iter().any(|template| template["id"] == node.id.as_str()))
            .filter(|node| lag == 0 || node.created_time < self.now)
            .collect();
        found.sort_by(|a, b| b.last_edited_time.cmp(&a.last_edited_time).then_with(|| a.id.cmp(&b.id)));
        if given["sort"]["direction"] == "ascending" {
            found.reverse();
        }
        page_of_results(&Query::of(given), &found, "page_or_data_source", |node| match node.kind {
            Kind::DataSource => self.data_source(node),
            _ => self.page(node, &[]),
        })
    }

    /// A task whose work is done already and told later.
    pub(super) fn task(&mut self, name: &str, result: Value) -> Value {
        let id = format!("task_{}", self.state.new_id().replace('-', ""));
        let base = self.site.base();
        let task = json!({
            "object": "async_task", "id": id, "status": "queued", "status_url": format!("{base}v1/async_tasks/{id}"),
            "created_time": self.now, "poll_after_seconds": 2, "operation": {"surface": "rest", "name": name},
        });
        self.state.tasks.insert(id, json!({"task": task, "result": result, "looks": 0}));
        task
    }

    /// `GET /async_tasks/{id}`.
    pub(super) fn get_task(&mut self, id: &str) -> Outcome<Value> {
        let name = self.caller.name;
        let stored =
            self.state.tasks.get_mut(id).ok_or_else(|| ApiError::not_found("async_task", id, name))?;
        let looks = stored["looks"].as_u64().unwrap_or(0) + 1;
        stored["looks"] = json!(looks);
        let mut task = stored["task"].clone();
        if looks < TASK_LOOKS {
            task["status"] = json!("running");
            return Ok(task);
        }
        task["status"] = json!("succeeded");
        task["result"] = stored["result"].clone();
        if let Some(task) = task.as_object_mut() {
            task.remove("poll_after_seconds");
        }
        Ok(task)
    }

    /// `GET /custom_emojis`.
    pub(super) fn list_emojis(&mut self, query: &Query) -> Outcome<Value> {
        let wanted = query.get("name");
        let emojis =
            self.state.emojis.iter().filter(|emoji| wanted.is_none_or(|wanted| emoji["name"] == wanted));
        let emojis: Vec<&Value> = emojis.collect();
        page_of_results(query, &emojis, "custom_emoji", |emoji| (*emoji).clone())
    }

    /// `POST /blocks/meeting_notes/query`.
    pub(super) fn meeting_notes(&mut self) -> Outcome<Value> {
        let notes = self
            .state
            .nodes
            .values()
            .filter(|node| node.block_type() == "meeting_notes" && self.sees(&node.id));
        let results: Vec<Value> = notes.map(|node| self.block(node)).collect();
        Ok(json!({"object": "list", "results": results, "has_more": false, "next_cursor": null}))
    }
}
