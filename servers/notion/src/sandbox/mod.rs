//! Notion's API, faked: one tree of pages, databases, data sources and blocks, with Notion's limits and
//! manners. It shares no code with the server.
//!
//! Facts are from developers.notion.com (reference and guides) and from the types of the official SDK,
//! npm @notionhq/client 5.26.0; each stands with its source where it is used.

mod auth;
mod blocks;
mod check;
mod comments;
mod errors;
mod files;
mod limits;
mod markdown;
mod page_markdown;
mod pages;
mod properties;
mod query;
mod rich_text;
mod routes;
mod seed;
mod tables;
mod tree;
mod views;
mod workspace;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, response::Response};
use connector::sandbox::{Blobs, Fake, Harness, VirtualClock};
use http::{HeaderValue, header, request::Parts};
use serde_json::Value;

use errors::ApiError;
use limits::Windows;
use tree::State;

/// The fake with the story of its seed.
#[must_use]
pub fn fake() -> Arc<dyn Fake> {
    Arc::new(FakeNotion::default())
}

/// What it can be asked: each method and path.
#[must_use]
pub fn operations() -> Vec<String> {
    routes::ROUTES.iter().map(|(method, path)| format!("{method} {path}")).collect()
}

/// Limits that a test may make smaller.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Rows that one question yields (SDK 5.26.0: iterateAllDataSourceRows).
    query_rows: usize,
    /// Blocks in one page's Markdown (working-with-markdown-content: "approximately 20,000 blocks").
    markdown_records: usize,
    /// How often a page is looked at before its template is applied.
    template_looks: u32,
    requests_a_minute: u32,
    /// The reason of refusals for the budget, if another than the connection's own.
    limit_reason: Option<String>,
    /// Minutes that search lags behind.
    search_lag: usize,
    /// The route whose writes are saved and answered with 503.
    saved_with_503: Option<String>,
    /// Whether items of a list are written as `1.`, each of them: which it is, Notion does not publish.
    unnumbered: bool,
    /// Rows that a table takes (status-codes: `row_limit_exceeded`); its number is not published.
    row_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            query_rows: 10_000,
            markdown_records: 20_000,
            template_looks: pages::TEMPLATE_LOOKS,
            requests_a_minute: 600,
            limit_reason: None,
            search_lag: 0,
            saved_with_503: None,
            unnumbered: false,
            row_limit: usize::MAX,
        }
    }
}

/// What the routes share.
pub(crate) struct Site {
    harness: Harness,
    state: Mutex<State>,
    settings: Mutex<Settings>,
    windows: Mutex<Windows>,
    blobs: Blobs,
    requests: AtomicU64,
}

impl Site {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self) -> Settings {
        self.settings_mut().clone()
    }

    fn settings_mut(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &VirtualClock {
        self.harness.clock()
    }

    fn base(&self) -> &str {
        self.harness.url().as_str()
    }

    /// Now, cut to the minute as Notion's times are.
    fn minute(&self) -> String {
        let now = self.clock().now_iso();
        format!("{}:00.000Z", now.get(..16).unwrap_or_default())
    }

    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("5ee0d000-0000-4000-8000-{number:012x}")
    }
}

#[derive(Default)]
struct FakeNotion {
    site: OnceLock<Arc<Site>>,
}

impl fmt::Debug for FakeNotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeNotion")
    }
}

impl Fake for FakeNotion {
    fn name(&self) -> &'static str {
        "notion"
    }

    fn router(&self, harness: &Harness) -> Router {
        let site = self.site.get_or_init(|| {
            let blobs = Blobs::new(harness.clock());
            let state = Mutex::new(seed::state(harness.clock(), &blobs));
            Arc::new(Site {
                harness: harness.clone(),
                state,
                settings: Mutex::default(),
                windows: Mutex::default(),
                blobs,
                requests: AtomicU64::new(1),
            })
        });
        routes::router(site)
    }

    fn operation(&self, parts: &Parts, _body: &[u8]) -> String {
        routes::operation(parts)
    }

    fn reset(&self, harness: &Harness) {
        let Some(site) = self.site.get() else { return };
        site.blobs.clear();
        *site.state() = seed::state(harness.clock(), &site.blobs);
        *site.settings_mut() = Settings::default();
        site.windows().clear();
    }

    fn dump(&self) -> Value {
        self.site.get().map(|site| site.state().dump()).unwrap_or_default()
    }

    fn rate_limited(&self, retry_after: Option<&str>) -> Response {
        // The body says what the header says; without a header it alone tells when.
        let seconds = retry_after.map_or(Some(1), |value| value.parse().ok());
        let mut response = ApiError::rate_limited("public_api_request_rate_limit", seconds).respond("fault");
        response.headers_mut().remove(header::RETRY_AFTER);
        if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }

    fn unauthorized(&self) -> Response {
        ApiError::unauthorized().respond("fault")
    }
}
