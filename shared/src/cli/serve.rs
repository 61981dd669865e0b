//! `serve`: MCP on stdio or over HTTP, and the runtimes of the other commands.

use std::{collections::HashMap, io::IsTerminal as _, num::NonZeroU32, sync::Arc, time::Duration};

use tokio::runtime::{Builder, Runtime};

use super::{Context, failure::Failure, setup};
use crate::{
    Connector,
    access::{ApiKeys, Quotas},
    catalog::Tool,
    replicas::{Replicas, Store},
    serve::{self, ClientFiles, HttpOptions, Listening, Proxies, ServeError, StdioOptions, Tls, TlsFiles},
    settings::{Config, Loaded, SettingsError},
};

/// Calls of one caller in a minute.
const DEFAULT_QUOTA: u64 = 100;

/// What a call may take besides the time the pipeline has, so that the pipeline's own error about
/// its deadline is what the client reads.
const MARGIN: Duration = Duration::from_secs(5);

/// What a thread's stack may grow to, as that of a main thread does: a write's future is polled through all that stands
/// around it, and without optimisation that has filled tokio's 2 MiB. Only what is touched is resident.
const STACK: usize = 8 * 1024 * 1024;

pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>) -> Result<(), Failure> {
    match context.loaded.config.text("http").map(str::to_owned) {
        Some(address) => over_http::<S>(context, &address),
        None => on_stdio::<S>(context),
    }
}

#[inline(never)]
fn on_stdio<S: Connector>(context: &mut Context<'_, '_>) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        let program = context.table.about().program;
        context.io.say(format_args!(
            "note: Serving MCP on standard input, which is for a client to start; Ctrl-D ends it. `{program} --help` shows what else there is."
        ));
    }
    let runtime = current_thread()?;
    let outcome = runtime.block_on(async {
        let ready = setup::ready::<S>(context).await?;
        tell_of_sandbox(&ready);
        let mut options = StdioOptions::default();
        options.call_timeout = call_timeout(&context.loaded.config, options.call_timeout);
        serve::stdio(ready.service, options)
            .await
            .map_err(|error| Failure::other(format!("Serving on stdio failed: {error}")))
    });
    // A thread may be stuck in reading standard input; the client is gone, so nothing waits for it.
    runtime.shutdown_background();
    outcome
}

#[inline(never)]
fn over_http<S: Connector>(context: &mut Context<'_, '_>, address: &str) -> Result<(), Failure> {
    let options = http_options::<S>(&context.loaded, address)?;
    let runtime = build(&mut Builder::new_multi_thread())?;
    let outcome = runtime.block_on(async {
        let ready = setup::ready::<S>(context).await?;
        tell_of_sandbox(&ready);
        if !options.listen.ip().is_loopback() && context.loaded.config.path("state-keys-file").is_none() {
            tracing::warn!(
                "cursors and confirmations end with this process, and no other replica takes them: name a file with --state-keys-file"
            );
        }
        let path = options.path.clone();
        let program = S::ABOUT.program;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let tell = |at: Listening| tracing::info!("{program} serves MCP at {scheme}://{}{path}", at.callers);
        serve::http(ready.service, options, tell)
            .await
            .map_err(|error| not_served::<S>(&context.loaded, error))
    });
    runtime.shutdown_background();
    outcome
}

fn tell_of_sandbox<S>(ready: &setup::Ready<S>) {
    if let Some(fake) = &ready.fake {
        tracing::info!("the vendor is the built-in fake at {}: nothing real is touched", fake.url());
    }
}

/// How to serve at `address`, as the settings say. What they say fits together.
pub(super) fn http_options<S: Connector>(loaded: &Loaded, address: &str) -> Result<HttpOptions, Failure> {
    let config = &loaded.config;
    let listen = |key, text: &str| setup::listen(text).ok_or_else(|| no_address(loaded, key, text));
    let mut options = HttpOptions::new(listen("http", address)?);
    options.admin = config.text("admin").map(|text| listen("admin", text)).transpose()?;
    options.allowed_hosts = config.list("allowed-hosts").to_vec();
    options.allowed_origins = config.list("allowed-origins").to_vec();
    options.legacy_sessions = config.switch("legacy-sessions");
    options.api_keys = match config.path("api-keys-file") {
        Some(path) => Some(ApiKeys::load(path).map_err(|error| Failure::configuration(error.to_string()))?),
        None => None,
    };
    options.tls = tls(loaded)?;
    let count = setup::at_least(loaded, "replicas", 1)?.and_then(|count| u32::try_from(count).ok());
    options.replicas =
        Replicas::new(count.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN), store::<S>(loaded)?);
    options.quotas = Some(quotas::<S>(loaded)?.shared_by(options.replicas.clone()));
    if let Some(addresses) = config.bound("trusted-proxies") {
        let names = config.bound("tls-client-names").unwrap_or_default().to_vec();
        let proxies = Proxies::new(addresses, names).map_err(|wrong| {
            loaded
                .refuse("trusted-proxies", format!("`{wrong}` is no address"))
                .with_hint("It takes addresses and networks, such as 127.0.0.1 or 10.0.0.0/8")
        })?;
        options.proxies = Some(proxies);
    }
    if let Some(most) = setup::at_least(loaded, "max-connections", 1)? {
        options.max_connections = usize::try_from(most).unwrap_or(usize::MAX);
    }
    if let Some(rest) = config.seconds("keep-alive-seconds") {
        options.keep_alive = rest;
    }
    if let Some(lame_duck) = config.seconds("lame-duck-seconds") {
        options.lame_duck = lame_duck;
    }
    if let Some(drain) = config.seconds("drain-seconds") {
        options.drain = drain;
    }
    options.call_timeout = call_timeout(config, options.call_timeout);
    options.check().map_err(|error| not_served::<S>(loaded, error))?;
    Ok(options)
}

/// TLS for callers, if the settings name a certificate.
fn tls(loaded: &Loaded) -> Result<Option<Tls>, Failure> {
    let config = &loaded.config;
    let path = |key| config.path(key).cloned();
    let names = config.bound("tls-client-names");
    let clients = match (path("tls-client-ca-file"), path("tls-crl-file")) {
        (Some(authorities), revoked) => {
            Some(ClientFiles { authorities, revoked, names: names.unwrap_or_default().to_vec() })
        }
        (None, Some(_)) => return Err(without("tls-crl-file", "tls-client-ca-file")),
        (None, None) if names.is_some() && config.bound("trusted-proxies").is_none() => {
            return Err(without("tls-client-names", "tls-client-ca-file"));
        }
        (None, None) => None,
    };
    match (path("tls-cert-file"), path("tls-key-file")) {
        (Some(certificate), Some(key)) => Tls::load(TlsFiles { certificate, key, clients })
            .map(Some)
            .map_err(|error| Failure::configuration(format!("TLS cannot be served: {error}"))),
        (Some(_), None) => Err(without("tls-cert-file", "tls-key-file")),
        (None, Some(_)) => Err(without("tls-key-file", "tls-cert-file")),
        (None, None) if clients.is_some() => Err(without("tls-client-ca-file", "tls-cert-file")),
        (None, None) => Ok(None),
    }
}

/// What replicas share, if the settings name it.
fn store<S: Connector>(loaded: &Loaded) -> Result<Option<Arc<dyn Store>>, Failure> {
    let config = &loaded.config;
    let Some(address) = config.text("redis") else {
        let meant =
            ["redis-password-file", "redis-ca-file"].into_iter().find(|key| config.path(key).is_some());
        return meant.map_or(Ok(None), |key| Err(without(key, "redis")));
    };
    if config.path("state-keys-file").is_none() {
        return Err(without("redis", "state-keys-file"));
    }
    // Not quoted before it is known that no password stands in it.
    let refuse = |why: String| {
        let refused = loaded.refuse("redis", why);
        refused.with_hint("It takes redis://[USER@]HOST[:PORT][/DATABASE], or rediss:// for TLS")
    };
    let url = url::Url::parse(address).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss"));
    let url = url.ok_or_else(|| refuse("is no address of Redis".to_owned()))?;
    if url.password().is_some() {
        let refused = loaded.refuse("redis", "the address carries a password");
        return Err(refused.with_hint("Name its file with --redis-password-file").into());
    }
    connect(S::ABOUT.program, config, url).map_err(|why| refuse(why).into())
}

#[cfg(feature = "redis")]
fn connect(prefix: &'static str, config: &Config, url: url::Url) -> Result<Option<Arc<dyn Store>>, String> {
    let file = |key| config.path(key).cloned();
    let (password, authorities) = (file("redis-password-file"), file("redis-ca-file"));
    let options = crate::replicas::RedisOptions { url, password, authorities, prefix };
    let store = crate::replicas::Redis::new(options).map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(store)))
}

#[cfg(not(feature = "redis"))]
fn connect(_: &'static str, _: &Config, _: url::Url) -> Result<Option<Arc<dyn Store>>, String> {
    Err("cannot be used: this build has no Redis".to_owned())
}

/// What to say of an option that needs another.
fn without(key: &str, other: &str) -> Failure {
    Failure::configuration(format!("--{key} has no meaning without --{other}"))
}

/// How often callers may call, as the settings say.
fn quotas<S: Connector>(loaded: &Loaded) -> Result<Quotas, Failure> {
    let calls = loaded.config.number("quota-per-minute").unwrap_or(DEFAULT_QUOTA);
    let listed = loaded.config.list("quota-tools");
    let catalog = (!listed.is_empty()).then(S::catalog);
    let prefix = setup::prefix(loaded)?;
    let mut tools = HashMap::new();
    for entry in listed {
        let (name, rate) = entry.split_once('=').unwrap_or((entry, ""));
        let bare = name.trim().strip_prefix(prefix.as_str()).unwrap_or(name.trim());
        let tool = catalog.as_ref().and_then(|catalog| catalog.known(bare)).map(Tool::name);
        let rate = rate.trim().parse::<u32>().ok().filter(|rate| *rate > 0);
        let (Some(tool), Some(rate)) = (tool, rate) else {
            let refused = loaded.refuse("quota-tools", format!("`{entry}` is no tool with a number"));
            return Err(refused
                .with_hint("It takes a tool's name and calls a minute, such as search=20")
                .into());
        };
        tools.insert(tool, rate);
    }
    Ok(Quotas::new(u32::try_from(calls).unwrap_or(u32::MAX), tools))
}

/// The time for a whole call: the usual, or more where the pipeline was given more.
pub(super) fn call_timeout(config: &Config, usual: Duration) -> Duration {
    config.seconds("deadline").map_or(usual, |deadline| usual.max(deadline.saturating_add(MARGIN)))
}

fn not_served<S: Connector>(loaded: &Loaded, error: ServeError) -> Failure {
    match error {
        ServeError::NeedsKeys(address) => Failure::configuration(format!(
            "{address} can be reached from other machines, and there are no keys to tell callers by"
        ))
        .with_hint(format!(
            "Make keys with `{} keys new NAME` and name their file with --api-keys-file, name the authority of callers' certificates with --tls-client-ca-file, or listen at 127.0.0.1",
            S::ABOUT.program
        )),
        ServeError::TwoIdentities => Failure::configuration(
            "Callers are known by API keys, by their certificates, or by a proxy, in one way only",
        )
        .with_hint("Keep one of --api-keys-file, --tls-client-ca-file and --trusted-proxies"),
        ServeError::Origin(_) => loaded.refuse("allowed-origins", error).into(),
        ServeError::Listen { addr, source } => Failure::other(format!("{addr} cannot be listened at: {source}"))
            .with_hint("Choose another address with --http or --admin, or end what uses this one"),
        _ => Failure::other(format!("HTTP is not served: {error}")),
    }
}

/// A runtime of one thread: for what one person does.
pub(super) fn current_thread() -> Result<Runtime, Failure> {
    build(&mut Builder::new_current_thread())
}

fn build(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| Failure::other(format!("The runtime could not be started: {error}")))
}

/// What to say about an `--http` or `--admin` that is no address.
pub(super) fn no_address(loaded: &Loaded, key: &str, text: &str) -> SettingsError {
    loaded
        .refuse(key, format!("`{text}` is no address"))
        .with_hint("It takes an address and a port, such as 127.0.0.1:8080")
}
