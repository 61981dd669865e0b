//! A second server of one fake, at an address of its own: the storage to which a vendor redirects, which
//! must not be shown the credential of the first.

use std::{io, net::SocketAddr};

use axum::{Router, body::Body};
use http::Request;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};
use tower::ServiceExt as _;

use super::pacing::Paced;

/// A server beside a fake's own. Dropping it closes its connections and frees the address.
#[derive(Debug)]
pub struct SecondServer {
    addr: SocketAddr,
    server: AbortHandle,
}

impl SecondServer {
    /// Serves `router` at a free port of loopback. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(router: Router) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let server = tokio::spawn(accept(TcpListener::from_std(listener)?, router)).abort_handle();
        Ok(Self { addr, server })
    }

    /// Where it answers.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether it still answers: not after the runtime it was started in has ended.
    #[must_use]
    pub fn answers(&self) -> bool {
        !self.server.is_finished()
    }
}

impl Drop for SecondServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts connections; dropping the future drops them all.
async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that broke before it was accepted is its client's loss.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(serve(stream, router.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until the client ends it.
async fn serve(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        router.clone().oneshot(request.map(Body::new))
    });
    // A connection that breaks is the client's own doing.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(Paced::new(stream)), service).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_answers_at_an_address_of_its_own_until_it_is_dropped() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let text = "x".repeat(3_000_000);
        let body = text.clone();
        let second = SecondServer::start(Router::new().route("/", get(move || async move { body }))).unwrap();
        let url = format!("http://{}/", second.addr());
        assert!(second.answers());
        assert_eq!(reqwest::get(&url).await.unwrap().text().await.unwrap(), text);
        drop(second);
        tokio::task::yield_now().await;
        assert!(reqwest::get(&url).await.is_err());
    }
}
