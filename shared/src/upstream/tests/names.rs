//! Names: slow to resolve, with a dead address before a good one, with an IPv6 address that swallows
//! packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{
    net::TcpSocket,
    time::{Instant, sleep},
};

use super::*;
use crate::Kind;

/// Gives the same addresses for every name, after a while.
struct Answering {
    after: Duration,
    addresses: Vec<IpAddr>,
}

impl Resolve for Answering {
    fn resolve(&self, _name: Name) -> Resolving {
        // The port is that of the address asked for.
        let addresses: Vec<_> = self.addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
        let after = self.after;
        Box::pin(async move {
            sleep(after).await;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Options for `api.acme.example`, which has `addresses`, at the port of `server`.
fn named(server: &Server, after: Duration, addresses: &[IpAddr]) -> Options {
    let port = server.url.port().unwrap();
    let mut options = once(&Url::parse(&format!("http://api.acme.example:{port}")).unwrap());
    options.resolver = Some(Arc::new(Answering { after, addresses: addresses.to_vec() }));
    options
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// On this machine too, but nobody listens there.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

#[tokio::test(start_paused = true)]
async fn a_name_that_takes_ten_seconds_ends_at_the_connect_timeout() {
    let server = Server::start(|_| async { ok("{}") }).await;
    let upstream = upstream(named(&server, Duration::from_secs(10), &[HERE]));
    let began = Instant::now();
    let error = upstream.send(read()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, crate::Retry::NotExecuted), "{error}");
    assert!(began.elapsed() <= Duration::from_secs(6), "it took {:?}", began.elapsed());
    assert_eq!(server.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_two_addresses_the_one_that_answers_is_used() {
    let server = Server::start(|_| async { ok("{}") }).await;
    let upstream = upstream(named(&server, Duration::ZERO, &[NOBODY, HERE]));
    upstream.send(read()).await.unwrap();
    assert_eq!(server.count(), 1);
}

/// A socket that takes no more connections swallows the packets of those who try.
async fn black_hole(port: u16) -> Option<(tokio::net::TcpListener, Vec<tokio::task::JoinHandle<()>>)> {
    let address = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port);
    let socket = TcpSocket::new_v6().ok()?;
    // No IPv6 on this machine: there is nothing to prove then.
    socket.bind(address).ok()?;
    let listener = socket.listen(0).ok()?;
    let crowd = (0..8).map(|_| {
        tokio::spawn(async move {
            let _crowd = TcpStream::connect(address).await;
            std::future::pending::<()>().await;
        })
    });
    let crowd = crowd.collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    Some((listener, crowd))
}

#[tokio::test]
async fn an_ipv6_address_that_swallows_packets_costs_less_than_a_second() {
    let server = Server::start(|_| async { ok("{}") }).await;
    let Some(_hole) = black_hole(server.url.port().unwrap()).await else {
        println!("skipped: this machine has no IPv6");
        return;
    };
    let addresses = [IpAddr::V6(Ipv6Addr::LOCALHOST), HERE];
    let upstream = upstream(named(&server, Duration::ZERO, &addresses));
    let began = Instant::now();
    upstream.send(read()).await.unwrap();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(200), "the address did not swallow anything: {took:?}");
    // Half the deadline of an attempt would do for a user; a slow machine gets some of it.
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    assert_eq!(server.count(), 1);
}
