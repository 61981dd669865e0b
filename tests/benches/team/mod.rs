//! The server as a team has it: over TLS 1.3, with callers' keys, their quotas and metrics.

use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

use connector::access::ApiKeys;
use rustls::{ClientConfig, RootCertStore, version::TLS13};
use suite::Subject;

use super::{
    Outcome, Server,
    load::{self, Target},
};

/// Callers, each of whom has twenty of the connections.
const CALLERS: usize = 50;

/// Who calls, and what a server must be told for it.
pub(crate) struct Team {
    folder: tempfile::TempDir,
    pub(crate) arguments: Vec<String>,
    pub(crate) keys: Vec<String>,
}

impl Team {
    /// Callers' keys, quotas, metrics.
    pub(crate) fn new() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let (keys, lines): (Vec<_>, Vec<_>) =
            (0..CALLERS).map(|number| ApiKeys::generate(&format!("caller-{number}"))).unzip();
        let mut team = Self { folder, arguments: Vec::new(), keys };
        team.add("--api-keys-file", &lines.join("\n"))?;
        let admin = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        // Counted, and reached by nobody.
        team.arguments
            .extend(["--admin", &admin.to_string(), "--quota-per-minute", "1000000"].map(str::to_owned));
        Ok(team)
    }

    /// One more argument, whose value is a file with this text.
    fn add(&mut self, argument: &str, text: &str) -> Outcome<()> {
        let path = self.folder.path().join(argument);
        fs::write(&path, text)?;
        self.arguments.extend([argument.to_owned(), path.display().to_string()]);
        Ok(())
    }

    /// TLS too, and what trusts it.
    fn secured(&mut self) -> Outcome<Arc<ClientConfig>> {
        connector::tls::install();
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        self.add("--tls-cert-file", &own.cert.pem())?;
        self.add("--tls-key-file", &own.signing_key.serialize_pem())?;
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone())?;
        let tls = ClientConfig::builder_with_protocol_versions(&[&TLS13]).with_root_certificates(roots);
        Ok(Arc::new(tls.with_no_client_auth()))
    }
}

/// 1,000 connections, 2,000 requests a second in all.
pub(crate) async fn under_load<S: Subject>(program: &Path, api_url: &str, cached: &str) -> Outcome<()> {
    let mut team = Team::new()?;
    let tls = Some(team.secured()?);
    let target = |port| Target { tls, keys: team.keys.clone(), ..Target::plain(port) };
    let server = Server::start_with::<S>(Command::new(program), api_url, &team.arguments, target).await?;
    for _ in 0..3 {
        load::once(&server.target, cached).await?;
    }
    let open = load::open(&server.target, cached, 1_000, 2_000, Duration::from_secs(15)).await?;
    println!(
        "| the same over TLS 1.3, with {CALLERS} callers' keys, quotas and metrics | median {:.2} ms, p99 {:.1} ms, {} errors of {}, {} | p99 < 100 ms, no error |",
        open.at(0.5),
        open.at(0.99),
        open.errors,
        open.count(),
        server.resident()?
    );
    Ok(())
}
