//! The ways to a server: pipes for one person's client, HTTP for many.

pub mod http;
mod lines;
pub mod shutdown;
pub mod stdio;

pub use http::{HttpOptions, ServeError, http, http_until};
pub use stdio::{StdioOptions, pipes, stdio};

use std::sync::Arc;

use crate::{
    Connector, Service,
    protocol::{Handler, HandlerOptions},
};

/// What answers on a transport.
type Answerer<S> = Handler<S>;

fn answerer<S: Connector>(service: Arc<Service<S>>, options: HandlerOptions) -> Answerer<S> {
    Handler::new(service, options)
}
