//! TLS: who comes in, who does not, and files that change.

mod certificates;

use std::{io, sync::Arc, time::Duration};

use connector::{
    access::ApiKeys,
    serve::{Proxies, ServeError, Stop, Tls, TlsFiles, http_until},
};
use rcgen::{ExtendedKeyUsagePurpose, SerialNumber, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::notes::{
    self, modern, modern_with,
    site::{Site, options},
    text,
};
use certificates::{Authority, Certified, Files};

const AGENT: &str = "spiffe://example.org/agents/ada";

async fn site(files: TlsFiles) -> (Site, Tls) {
    let tls = Tls::load(files).unwrap();
    let mut options = options();
    options.tls = Some(tls.clone());
    (Site::with(options).await, tls)
}

/// A client that trusts the server's authority.
struct Client {
    config: ClientConfig,
}

impl Client {
    fn new(files: &Files, own: Option<Certified>) -> Self {
        Self::speaking(files, own, &TLS13)
    }

    fn speaking(
        files: &Files,
        own: Option<Certified>,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(files.own.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            Some(own) => builder.with_client_auth_cert(vec![own.certificate], own.key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        Self { config }
    }

    async fn connect(&self, site: &Site) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(site.addr).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(self.config.clone())).connect(name, stream).await
    }

    /// The answer to a message, on a connection of its own.
    async fn ask(&self, site: &Site, message: &Value) -> io::Result<String> {
        ask(&mut self.connect(site).await?, message, "close").await
    }

    /// What became of a request: the status of its answer, or that there was none.
    async fn outcome(&self, site: &Site) -> Option<String> {
        let answer = self.ask(site, &modern(1, "tools/list", json!({}))).await.ok()?;
        Some(answer.split(' ').nth(1)?.to_owned())
    }
}

async fn ask(stream: &mut TlsStream<TcpStream>, message: &Value, connection: &str) -> io::Result<String> {
    let (method, body) = (message["method"].as_str().unwrap(), message.to_string());
    let name =
        message["params"]["name"].as_str().map(|name| format!("mcp-name: {name}\r\n")).unwrap_or_default();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: {connection}\r\n\
         mcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n{name}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        let whole = String::from_utf8_lossy(&answer).into_owned();
        if whole.split_once("\r\n\r\n").is_some_and(|(_, body)| body.ends_with('}') || body.ends_with('.')) {
            return Ok(whole);
        }
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, whole));
        }
    }
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn both_versions_of_http_are_offered_and_no_certificate_is_asked_for() {
    let files = Files::new();
    let (site, _) = site(files.plain()).await;
    for (offered, taken) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1")] {
        let mut client = Client::new(&files, None);
        client.config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = client.connect(&site).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(taken.as_bytes()));
    }
    assert_eq!(Client::new(&files, None).outcome(&site).await.as_deref(), Some("200"));

    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(files.own.pem.as_bytes()).unwrap()])
        .build()
        .unwrap();
    let response =
        client.get(format!("https://localhost:{}/healthz", site.addr.port())).send().await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (reqwest::Version::HTTP_2, 200));
}

#[tokio::test]
async fn whoever_speaks_an_older_version_or_none_is_refused() {
    let files = Files::new();
    let (site, tls) = site(files.plain()).await;
    assert_eq!(Client::speaking(&files, None, &TLS12).outcome(&site).await, None);
    let mut plain = TcpStream::connect(site.addr).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(tls.state().refused, [("tls", 2)]);
    assert_eq!(Client::new(&files, None).outcome(&site).await.as_deref(), Some("200"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_shake_hands_is_hung_up_on() {
    let files = Files::new();
    let (site, _) = site(files.plain()).await;
    let began = tokio::time::Instant::now();
    assert_eq!(site.raw(b"\x16\x03\x01").await, "");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_caller_is_whom_the_certificate_names() {
    let log = notes::Log::capture();
    let files = Files::new();
    let (site, _) = site(files.mutual()).await;
    let call = modern(1, "tools/call", json!({"name": "read_note", "arguments": {"name": "one"}}));
    for names in [&["agent.example", AGENT][..], &["Agent.Example"]] {
        let client = Client::new(&files, Some(files.clients.certify(names, |_| ())));
        assert_eq!(text(&body(&client.ask(&site, &call).await.unwrap())), "First.");
    }
    let who: Vec<_> = log.calls().iter().map(|call| call["who"].clone()).collect();
    assert_eq!(who, [AGENT, "agent.example"]);
}

#[tokio::test]
async fn one_callers_question_cannot_be_answered_by_another() {
    let files = Files::new();
    let (site, _) = site(files.mutual()).await;
    let ada = Client::new(&files, Some(files.clients.caller(AGENT)));
    let ben = Client::new(&files, Some(files.clients.caller("spiffe://example.org/agents/ben")));
    let mut request = modern_with(
        1,
        "tools/call",
        json!({"name": "delete_note", "arguments": {"name": "one"}}),
        json!({"elicitation": {}}),
    );
    let question = body(&ada.ask(&site, &request).await.unwrap());
    request["params"]["requestState"] = question["result"]["requestState"].clone();
    request["params"]["inputResponses"] = json!({"confirm": {"action": "accept"}});
    assert_eq!(body(&ben.ask(&site, &request).await.unwrap())["error"]["code"], -32602);
    assert_eq!(text(&body(&ada.ask(&site, &request).await.unwrap())), "Deleted one");
}

#[tokio::test]
async fn nobody_comes_in_without_a_good_certificate() {
    let files = Files::new();
    files.write("revoked.pem", &files.clients.revoke(&[7]));
    let mut options = files.mutual();
    let clients = options.clients.as_mut().unwrap();
    clients.revoked = Some(files.path("revoked.pem"));
    clients.names = vec!["spiffe://example.org/agents/*".to_owned(), "agent.example".to_owned()];
    let (site, tls) = site(options).await;

    let of = |name: &str| files.clients.caller(name);
    let shaped = |shape: fn(&mut rcgen::CertificateParams)| files.clients.certify(&[AGENT], shape);
    let refused = [
        ("no_certificate", None, None),
        ("unknown_authority", Some(Certified::by_itself(AGENT)), None),
        ("unknown_authority", Some(Authority::new("others").caller(AGENT)), None),
        ("unknown_authority", Some(Authority::new("callers").caller(AGENT)), None),
        ("unknown_authority", Some(files.own.caller(AGENT)), None),
        ("expired", Some(shaped(|params| params.not_after = date_time_ymd(2020, 1, 1))), None),
        ("expired", Some(shaped(|params| params.not_before = date_time_ymd(2090, 1, 1))), None),
        ("revoked", Some(shaped(|params| params.serial_number = Some(SerialNumber::from(7)))), None),
        (
            "purpose",
            Some(shaped(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])),
            None,
        ),
        ("name", Some(of("spiffe://example.org/people/ada")), Some("403")),
        ("name", Some(of("spiffe://example.org/agents/ada/more")), Some("403")),
        ("name", Some(of("other.example")), Some("403")),
        ("name", Some(of("*.example")), Some("403")),
        (
            "name",
            Some(files.clients.certify(&["agent.example", "spiffe://evil.example/x"], |_| ())),
            Some("403"),
        ),
        ("name", Some(files.clients.certify(&[], |_| ())), Some("403")),
    ];
    let mut counted = 0;
    for (index, (reason, own, expected)) in refused.into_iter().enumerate() {
        let count =
            || tls.state().refused.iter().find(|(word, _)| *word == reason).map_or(0, |(_, count)| *count);
        let before = count();
        assert_eq!(Client::new(&files, own).outcome(&site).await.as_deref(), expected, "{index}: {reason}");
        assert_eq!(count(), before + 1, "{index}: {reason}");
        counted += 1;
    }
    assert_eq!(tls.state().refused.iter().map(|(_, count)| count).sum::<u64>(), counted);
    for name in [AGENT, "agent.example"] {
        assert_eq!(
            Client::new(&files, Some(of(name))).outcome(&site).await.as_deref(),
            Some("200"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_new_certificate_is_used_and_a_broken_one_is_not() {
    let log = notes::Log::capture();
    let files = Files::new();
    let first = files.renew("localhost");
    let (site, tls) = site(files.plain()).await;
    let shown = async || {
        let stream = Client::new(&files, None).connect(&site).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    };
    assert_eq!(shown().await, first.certificate);
    let second = files.renew("localhost");
    tls.refresh();
    assert_eq!((shown().await, tls.state().good), (second.certificate.clone(), true));

    let other = files.own.certify(&["localhost"], |_| ());
    let broken: [&dyn Fn(); 4] = [
        &|| files.write("server.key", &other.key_pem),
        &|| files.write("server.pem", "half a cert"),
        &|| files.write("server.key", ""),
        &|| std::fs::remove_file(files.path("server.pem")).unwrap(),
    ];
    for (index, broken) in broken.into_iter().enumerate() {
        broken();
        for _ in 0..3 {
            tls.refresh();
        }
        assert_eq!((shown().await, tls.state().good), (second.certificate.clone(), false), "{index}");
        let told = log.text().matches("those read last stay in force").count();
        assert_eq!(told, index + 1, "told once of each: {}", log.text());
    }
    assert!(!log.text().contains("PRIVATE"));
    let third = files.own.certify(&["localhost"], |params| params.not_after = date_time_ymd(2020, 1, 1));
    files.write("server.pem", &third.pem);
    files.write("server.key", &third.key_pem);
    tls.refresh();
    assert!(tls.state().good && log.text().contains("the TLS certificate has expired"), "{}", log.text());
    assert_eq!(tls.state().ends.to_string(), "2020-01-01T00:00:00Z");
}

/// As Kubernetes replaces mounted files: all of them at once, by a link to another folder.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn files_behind_a_link_that_is_swapped_are_seen_within_seconds() {
    use std::os::unix::fs::symlink;
    let files = Files::new();
    let folder = files.folder.path();
    let lay = |name: &str| {
        let server = files.renew("localhost");
        std::fs::create_dir(folder.join(name)).unwrap();
        for file in ["server.pem", "server.key"] {
            std::fs::rename(folder.join(file), folder.join(name).join(file)).unwrap();
        }
        symlink(name, folder.join("..data_tmp")).unwrap();
        std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
        server
    };
    lay("..1");
    let at = |file: &str| folder.join("..data").join(file);
    let (site, _) =
        site(TlsFiles { certificate: at("server.pem"), key: at("server.key"), clients: None }).await;
    let second = lay("..2");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let stream = Client::new(&files, None).connect(&site).await.unwrap();
    assert_eq!(stream.get_ref().1.peer_certificates().unwrap()[0], second.certificate);
}

#[tokio::test]
async fn whoever_is_revoked_is_out_even_on_a_connection_that_is_kept() {
    let files = Files::new();
    files.write("revoked.pem", &files.clients.revoke(&[]));
    let mut options = files.mutual();
    options.clients.as_mut().unwrap().revoked = Some(files.path("revoked.pem"));
    let (site, tls) = site(options).await;
    let serial = |serial: u64| {
        files.clients.certify(&[AGENT], move |params| params.serial_number = Some(SerialNumber::from(serial)))
    };
    let (good, bad) = (Client::new(&files, Some(serial(1))), Client::new(&files, Some(serial(2))));
    let list = modern(1, "tools/list", json!({}));
    let mut kept = bad.connect(&site).await.unwrap();
    assert!(ask(&mut kept, &list, "keep-alive").await.unwrap().starts_with("HTTP/1.1 200 "));

    files.write("revoked.pem", &files.clients.revoke(&[2]));
    tls.refresh();
    let mut rest = Vec::new();
    let _ = kept.read_to_end(&mut rest).await;
    assert!(ask(&mut kept, &list, "keep-alive").await.is_err());
    assert_eq!((bad.outcome(&site).await, good.outcome(&site).await.as_deref()), (None, Some("200")));

    // A list that is broken revokes no less than before.
    files.write("revoked.pem", "");
    tls.refresh();
    assert_eq!((bad.outcome(&site).await, good.outcome(&site).await.as_deref()), (None, Some("200")));
}

#[tokio::test]
async fn an_address_that_others_can_reach_needs_certificates_or_keys_and_not_both() {
    let files = Files::new();
    let serve = async |tls: TlsFiles, keys: Option<ApiKeys>| {
        let mut options = options();
        options.listen = ([0, 0, 0, 0], 0).into();
        (options.tls, options.api_keys) = (Some(Tls::load(tls).unwrap()), keys);
        let stop = Stop::default();
        stop.asked.cancel();
        http_until(notes::service(), options, |_| {}, stop).await
    };
    assert!(matches!(serve(files.plain(), None).await, Err(ServeError::NeedsKeys(_))));
    assert!(serve(files.mutual(), None).await.is_ok());
    files.write("keys", &ApiKeys::generate("ada").1);
    let keys = ApiKeys::load(&files.path("keys")).unwrap();
    assert!(serve(files.plain(), Some(keys.clone())).await.is_ok());
    assert!(matches!(serve(files.mutual(), Some(keys)).await, Err(ServeError::TwoIdentities)));
}

#[tokio::test]
async fn a_proxys_word_for_a_caller_is_taken_from_its_address_alone() {
    let log = notes::Log::capture();
    let names = vec!["spiffe://example.org/agents/*".to_owned()];
    let behind = async |addresses: &str| {
        let mut options = options();
        options.proxies = Some(Proxies::new(&[addresses.to_owned()], names.clone()).unwrap());
        let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        options.admin = Some(admin);
        (Site::with(options).await, admin)
    };
    let call = modern(1, "tools/call", json!({"name": "read_note", "arguments": {"name": "one"}}));
    let said = |site: &Site, values: &[&str]| {
        let add = |request: reqwest::RequestBuilder, value| request.header("x-forwarded-client-cert", value);
        values.iter().copied().fold(site.modern(&call), add).send()
    };
    let refused = async |site: &Site, admin, reason: &str| {
        let metrics =
            site.client.get(format!("http://{admin}/metrics")).send().await.unwrap().text().await.unwrap();
        let series = format!("connector_authentication_failures_total{{reason=\"{reason}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&series)).map(str::to_owned)
    };
    let (site, admin) = behind("127.0.0.0/8").await;
    let ada =
        format!("By=spiffe://example.org/mcp;Hash=ab;Subject=\"CN=x,O=y\";URI={AGENT};DNS=agent.example");
    for (values, expected) in [
        (&[ada.as_str()][..], 200),
        (&[], 403),
        (&["URI=spiffe://example.org/people/ada"], 403),
        (&["Hash=ab"], 403),
        (&[&ada, &ada], 403),
        (&[&format!("{ada},{ada}")], 403),
    ] {
        assert_eq!(said(&site, values).await.unwrap().status().as_u16(), expected, "{values:?}");
    }
    assert_eq!(log.calls()[0]["who"], AGENT);
    assert_eq!(site.get("/readyz").send().await.unwrap().status().as_u16(), 200);

    for (reason, times) in [("name", "3"), ("no_certificate", "2")] {
        assert_eq!(refused(&site, admin, reason).await.as_deref(), Some(times), "{reason}");
    }

    let (site, admin) = behind("10.0.0.0/8").await;
    assert_eq!(said(&site, &[&ada]).await.unwrap().status().as_u16(), 403);
    assert_eq!(refused(&site, admin, "proxy").await.as_deref(), Some("1"));
    // Where no proxy is configured, nobody is who a header says.
    let open = Site::open().await;
    assert_eq!(said(&open, &[&ada]).await.unwrap().status().as_u16(), 200);
    assert_eq!(log.calls().last().unwrap()["who"], "local");
}
