//! `healthcheck`: asks a server of this machine whether it is alive, for container images that have
//! no shell and no curl. It asks where no caller can stand in the way, if there is such a place.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use super::{Context, failure::Failure, setup};

/// How long connecting, and then each read, may take.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn run(context: &Context<'_, '_>) -> Result<(), Failure> {
    let config = &context.loaded.config;
    let address = ["admin", "http"].into_iter().find_map(|key| Some((key, config.text(key)?)));
    let Some((key, text)) = address else {
        return Err(Failure::configuration("There is no address to ask").with_hint(format!(
            "Set --http or {}HTTP, or --admin, as for the server",
            context.table.prefix()
        )));
    };
    if key == "http" && config.path("tls-cert-file").is_some() {
        return Err(Failure::configuration("Callers speak TLS there, and may need a certificate")
            .with_hint("Set --admin, as for the server, which health is asked at"));
    }
    let listen = setup::listen(text).ok_or_else(|| super::serve::no_address(&context.loaded, key, text))?;
    let address = reachable(listen);
    match ask(address) {
        Ok(200) => Ok(()),
        Ok(status) => Err(Failure::other(format!("The server at {address} answers {status}"))),
        Err(error) => Err(Failure::other(format!("The server at {address} does not answer: {error}"))),
    }
}

/// Where a server that listens at `address` can be reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The status of `GET /healthz`.
fn ask(address: SocketAddr) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    // `HTTP/1.1 200`: the status line is all that is wanted.
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let status =
        std::str::from_utf8(&head).ok().and_then(|head| head.strip_prefix("HTTP/1.1 ")?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("that is no HTTP"))
}
