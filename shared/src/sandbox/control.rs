//! The routes under `/_sandbox/`, by which other programs do what tests do in the process: lay down
//! faults, read the journal, move the clock, reset, and look at the state.
//!
//! | route | does |
//! |---|---|
//! | `GET /_sandbox/faults` | the rules in force, with their numbers |
//! | `POST /_sandbox/faults` | lays down one rule: `{"operation": "ListIssues", "fault": {"action": "stall"}}`, or for a part of all requests: `{"times": null, "ratio": 0.1, "seed": 7, "committed": true, "fault": {"action": "close_before"}}` |
//! | `DELETE /_sandbox/faults[/{number}]` | removes one rule, or all |
//! | `GET /_sandbox/journal[?operation=…]` | the requests so far |
//! | `DELETE /_sandbox/journal` | forgets them |
//! | `GET /_sandbox/clock` | what time it is |
//! | `POST /_sandbox/clock` | moves it: `{"advance_s": 3600}` |
//! | `POST /_sandbox/reset` | everything as at the start |
//! | `GET /_sandbox/dump` | the fake's whole state |
//! | `GET /_sandbox/routes` | the fake's routes, each with the number of requests that it answered |

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{delete, get, post},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Entry, Fake, Harness, Rule};

/// Under which all control routes lie.
pub(super) const PREFIX: &str = "/_sandbox/";

#[derive(Clone)]
struct Control {
    fake: Arc<dyn Fake>,
    harness: Harness,
}

/// The control routes of one fake.
pub(super) fn router(fake: Arc<dyn Fake>, harness: Harness) -> Router {
    Router::new()
        .route("/_sandbox/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/_sandbox/faults/{number}", delete(remove_fault))
        .route("/_sandbox/journal", get(read_journal).delete(clear_journal))
        .route("/_sandbox/clock", get(read_clock).post(move_clock))
        .route("/_sandbox/reset", post(reset))
        .route("/_sandbox/dump", get(dump))
        .route("/_sandbox/routes", get(routes))
        .with_state(Control { fake, harness })
}

async fn list_faults(State(control): State<Control>) -> Json<Value> {
    let active = control.harness.faults().active();
    let rules = active.iter().map(|(number, rule)| json!({ "number": number, "rule": rule }));
    Json(json!({ "faults": rules.collect::<Vec<_>>() }))
}

async fn add_fault(State(control): State<Control>, Json(rule): Json<Rule>) -> (StatusCode, Json<Value>) {
    let number = control.harness.faults().add(rule);
    (StatusCode::CREATED, Json(json!({ "number": number })))
}

async fn remove_fault(State(control): State<Control>, Path(number): Path<u64>) -> StatusCode {
    if control.harness.faults().remove(number) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn clear_faults(State(control): State<Control>) -> StatusCode {
    control.harness.faults().clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    operation: Option<String>,
}

async fn read_journal(State(control): State<Control>, Query(which): Query<Which>) -> Json<Vec<Entry>> {
    let journal = control.harness.journal();
    Json(which.operation.map_or_else(|| journal.entries(), |operation| journal.of(&operation)))
}

async fn clear_journal(State(control): State<Control>) -> StatusCode {
    control.harness.journal().clear();
    StatusCode::NO_CONTENT
}

async fn read_clock(State(control): State<Control>) -> Json<Value> {
    Json(json!({ "now": control.harness.clock().now_iso() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_s: u32,
}

async fn move_clock(state: State<Control>, Json(by): Json<Move>) -> Json<Value> {
    state.harness.clock().advance(Duration::from_secs(by.advance_s.into()));
    read_clock(state).await
}

async fn reset(State(Control { fake, harness }): State<Control>) -> StatusCode {
    harness.faults().clear();
    harness.journal().clear();
    harness.clock().reset();
    // Last, because a seed takes its times from the clock.
    fake.reset(&harness);
    StatusCode::NO_CONTENT
}

async fn dump(State(control): State<Control>) -> Json<Value> {
    Json(control.fake.dump())
}

async fn routes(State(control): State<Control>) -> Json<Value> {
    let routes = control.fake.routes();
    let routes = routes.iter().map(|(route, asked)| json!({ "route": route, "asked": asked }));
    Json(json!({ "routes": routes.collect::<Vec<_>>() }))
}
