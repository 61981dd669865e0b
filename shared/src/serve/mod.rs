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

use crate::{
    Connector, Service,
    protocol::{Handler, HandlerOptions},
};

/// What answers on a transport.
#[cfg(not(feature = "conformance"))]
type Answerer<S> = Handler<S>;
/// What answers on a transport: the server, with the conformance suite's fixtures laid over it.
#[cfg(feature = "conformance")]
type Answerer<S> = crate::protocol::conformance::Overlay<S>;

fn answerer<S: Connector>(service: Arc<Service<S>>, options: HandlerOptions) -> Answerer<S> {
    let handler = Handler::new(service, options);
    #[cfg(feature = "conformance")]
    let handler = crate::protocol::conformance::Overlay::new(handler);
    handler
}
