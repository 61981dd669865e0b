//! What the process counts for whoever runs it, as Prometheus reads it.
//!
//! The operations have the names of OpenTelemetry's conventions for MCP, in the form that Prometheus gives them:
//! `mcp.server.operation.duration` with `mcp.method.name`, `gen_ai.tool.name` and `error.type`
//! (open-telemetry/semantic-conventions-genai, v0.1.0). What they have no name for begins with `connector_`.
//!
//! The series are bounded by construction: every label is a word of this program. No text of a client or of a vendor
//! is ever one: a method or tool that there is not counts as [`OTHER`].

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, prometheus_text},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

use super::upstream::Pipelines;
use crate::{
    Effect,
    upstream::{Observer, Upstream},
};

/// The label of a method or tool that there is not.
pub const OTHER: &str = "_other";

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Upper bounds of durations in seconds: those of the convention, and two below them, because what this program itself
/// takes is less than 10 ms.
const SECONDS: [f64; 16] =
    [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// The error type of a tool's result that says that it failed.
pub const TOOL_ERROR: &str = "tool_error";
/// The error type of what nobody waited for any more.
const CANCELLED: &str = "cancelled";

/// Everything that is counted.
pub struct Metrics {
    registry: Mutex<Registry>,
    operations: Durations<Operation>,
    in_flight: Gauge,
    errors: Family<Failure, Counter>,
    authentication_failures: Family<Reason, Counter>,
    exchanges: Durations<Exchange>,
    requests: Family<Sent, Counter>,
    waits: Histogram,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    mcp_method_name: &'static str,
    gen_ai_tool_name: &'static str,
    error_type: ErrorType,
}

/// What an operation ended with: nothing wrong, a word, or the code of a JSON-RPC error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// It did what it was to do.
    None,
    /// One of the words.
    Word(&'static str),
    /// The code of a JSON-RPC error.
    Code(i32),
}

impl prometheus_client::encoding::EncodeLabelValue for ErrorType {
    fn encode(&self, encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::None => "".encode(encoder),
            Self::Word(word) => word.encode(encoder),
            Self::Code(code) => code.encode(encoder),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    class: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Exchange {
    effect: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sent {
    operation: &'static str,
    outcome: &'static str,
}

fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

/// Whose the failure is that a call ended with: `user`, `policy`, `upstream` or `server`. None for what is no failure.
fn class(outcome: &str) -> Option<&'static str> {
    Some(match outcome {
        "ok" | "asked" | "declined" => return None,
        "invalid_argument" | "not_found" | "conflict" | "cancelled" | "unknown_tool" | "over_quota" => "user",
        "permission" | "policy" => "policy",
        "auth" | "rate_limited" | "upstream" | "unavailable" | "unknown_outcome" => "upstream",
        _ => "server",
    })
}

impl Metrics {
    /// The metrics of `program`, with the state of all pipelines to the vendor of `upstream`.
    #[must_use]
    pub fn new(program: &'static str, version: &'static str, upstream: Upstream) -> Self {
        let mut registry = Registry::default();
        let build = Family::<Build, Gauge>::default();
        build.get_or_create(&Build { program, version }).set(1);
        registry.register("connector_build_info", "The program and its version", build);

        let operations = Durations::new_with_constructor(durations as fn() -> Histogram);
        registry.register_with_unit(
            "mcp_server_operation_duration",
            "How long requests of clients took, by method, tool and what went wrong",
            Unit::Seconds,
            operations.clone(),
        );
        let in_flight = Gauge::default();
        registry.register(
            "connector_operations_in_flight",
            "Requests of clients under way, those that wait included",
            in_flight.clone(),
        );
        let errors = Family::default();
        registry.register(
            "connector_errors",
            "Calls that failed, by whose failure it is and its kind",
            errors.clone(),
        );
        let authentication_failures = Family::default();
        registry.register(
            "connector_authentication_failures",
            "Requests that were refused because nobody knows who sent them",
            authentication_failures.clone(),
        );
        let exchanges = Durations::new_with_constructor(durations as fn() -> Histogram);
        registry.register_with_unit(
            "connector_upstream_request_duration",
            "How long the vendor took to answer, repetitions counted each",
            Unit::Seconds,
            exchanges.clone(),
        );
        let requests = Family::default();
        registry.register(
            "connector_upstream_requests",
            "Requests to the vendor, repetitions included",
            requests.clone(),
        );
        let waits = durations();
        registry.register_with_unit(
            "connector_upstream_limiter_wait",
            "How long requests waited for the vendor's budget",
            Unit::Seconds,
            waits.clone(),
        );
        registry.register_collector(Box::new(Pipelines(upstream)));
        Self {
            registry: Mutex::new(registry),
            operations,
            in_flight,
            errors,
            authentication_failures,
            exchanges,
            requests,
            waits,
        }
    }

    /// Adds a value that is read whenever somebody asks.
    pub fn gauge(&self, name: &str, help: &str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.registry().register(name, help, Read { read, counts: false });
    }

    /// Adds a count that is read whenever somebody asks; `_total` is put after its name.
    pub fn counter(&self, name: &str, help: &str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.registry().register(name, help, Read { read, counts: true });
    }

    /// Measures an operation from now on until what is returned is finished or dropped.
    pub(crate) fn begin(&self, method: &'static str, tool: &'static str) -> Running<'_> {
        self.in_flight.inc();
        Running { metrics: self, method, tool, began: Instant::now(), error: ErrorType::Word(CANCELLED) }
    }

    /// Counts a call that ended, if it failed.
    pub(crate) fn ended(&self, outcome: &'static str) {
        if let Some(class) = class(outcome) {
            self.errors.get_or_create(&Failure { class, kind: outcome }).inc();
        }
    }

    /// Counts a request of somebody whom nobody knows.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.authentication_failures.get_or_create(&Reason { reason }).inc();
    }

    /// Everything as text, in Prometheus's format 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // A string takes whatever is written.
        let _ = prometheus_text::encode(&mut text, &self.registry());
        text
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Metrics {
    fn exchanged(&self, operation: &'static str, effect: Effect, outcome: &'static str, took: Duration) {
        let labels = Exchange { effect: effect.as_str(), outcome };
        self.exchanges.get_or_create(&labels).observe(took.as_secs_f64());
        self.requests.get_or_create(&Sent { operation, outcome }).inc();
    }

    fn waited(&self, wait: Duration) {
        self.waits.observe(wait.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    program: &'static str,
    version: &'static str,
}

/// An operation under way. Dropped before it is finished, it was cancelled.
pub(crate) struct Running<'a> {
    metrics: &'a Metrics,
    method: &'static str,
    tool: &'static str,
    began: Instant,
    error: ErrorType,
}

impl Running<'_> {
    /// It has ended, so.
    pub(crate) fn finish(mut self, error: ErrorType) {
        self.error = error;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Self { metrics, method, tool, error, .. } = *self;
        metrics.in_flight.dec();
        let labels = Operation { mcp_method_name: method, gen_ai_tool_name: tool, error_type: error };
        metrics.operations.get_or_create(&labels).observe(self.began.elapsed().as_secs_f64());
    }
}

/// A value that is read when it is asked for.
struct Read<F> {
    read: F,
    counts: bool,
}

impl<F: Fn() -> f64> EncodeMetric for Read<F> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let value = (self.read)();
        if self.counts {
            encoder.encode_counter::<prometheus_client::encoding::NoLabelSet, _, f64>(&value, None)
        } else {
            encoder.encode_gauge(&value)
        }
    }

    fn metric_type(&self) -> MetricType {
        if self.counts { MetricType::Counter } else { MetricType::Gauge }
    }
}

impl<F> fmt::Debug for Read<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read").finish_non_exhaustive()
    }
}
