//! The ways to a server: pipes for one person's client, HTTP for many.

pub mod http;
mod lines;
mod request_id;
pub mod shutdown;
pub mod stdio;

pub use http::{
    ClientFiles, HttpOptions, Listening, Proxies, ServeError, Tls, TlsError, TlsFiles, TlsState, http,
    http_until,
};
pub use shutdown::Stop;
pub use stdio::{StdioOptions, pipes, stdio};

use std::sync::Arc;

use rmcp::ServerHandler;

use crate::{
    Connector, Service,
    protocol::{Handler, HandlerOptions},
};

/// The server, with the conformance suite's fixtures laid over it where they are compiled in.
fn handler<S: Connector>(service: Arc<Service<S>>, options: HandlerOptions) -> impl ServerHandler + Clone {
    let handler = Handler::new(service, options);
    #[cfg(feature = "conformance")]
    let handler = crate::protocol::conformance::Overlay::new(handler);
    handler
}
