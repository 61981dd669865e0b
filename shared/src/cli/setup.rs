//! From settings to a server ready to answer.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use url::{Host, Url};

use super::{Context, failure::Failure};
use crate::{
    Connector, Service, ServiceOptions,
    access::{KeyRing, Policy, Selection},
    catalog::{Catalog, ReplyOptions},
    sandbox,
    secret::Secret,
    settings::{Config, Loaded, Place, SettingsError, Value},
    upstream,
};

/// The least a reply may be given: room for its header, fences and cursor, and a few rows.
const SMALLEST_REPLY: u64 = 2_000;

/// A server ready to answer, and the fake that stands for its vendor, if any.
pub(super) struct Ready<S> {
    pub(super) service: Arc<Service<S>>,
    /// Answers until it is dropped.
    pub(super) fake: Option<sandbox::Running>,
}

/// Makes the server from the settings, with the fake in front if it is wanted. Talks to no vendor.
pub(super) async fn ready<S: Connector>(context: &mut Context<'_, '_>) -> Result<Ready<S>, Failure> {
    let fake =
        if context.loaded.config.switch("sandbox") { Some(start_fake::<S>(context).await?) } else { None };
    let service = service::<S>(context, fake.is_some())?;
    Ok(Ready { service, fake })
}

/// Makes the server from the settings as they are; `sandbox` says that its vendor is a fake.
pub(super) fn service<S: Connector>(
    context: &mut Context<'_, '_>,
    sandbox: bool,
) -> Result<Arc<Service<S>>, Failure> {
    let catalog = catalog::<S>(&context.loaded)?;
    if catalog.all_tools().is_empty() {
        context.io.say("warning: The settings leave no tool to offer.");
    }
    let config = &context.loaded.config;
    let server = S::connect(config, options::<S>(&context.loaded)?)
        .map_err(|error| Failure::unusable_settings(&error))?;
    let options = ServiceOptions {
        policy: Policy::new(config.switch("read-only"), config.switch("allow-destructive"))
            .strictly(is_strict(config)),
        reply: reply_options(&context.loaded)?,
        prefix: prefix(&context.loaded)?,
        sandbox,
        keys: keys(&context.loaded)?,
    };
    Ok(Arc::new(Service::new(server, catalog, options)))
}

/// Whether a person has to agree to every write.
pub(super) fn is_strict(config: &Config) -> bool {
    config.text("confirm") == Some("strict")
}

/// What is offered: the catalog, narrowed as the settings say.
pub(super) fn catalog<S: Connector>(loaded: &Loaded) -> Result<Catalog<S>, Failure> {
    let selection = selection(&loaded.config);
    S::catalog().select(&selection).map_err(|error| {
        // Which of the lists is wrong: the first that fails by itself.
        let alone = [
            ("toolsets", Selection { toolsets: selection.toolsets.clone(), ..Selection::default() }),
            ("tools", Selection { tools: selection.tools.clone(), ..Selection::default() }),
        ];
        let wrong = alone.iter().find(|(_, alone)| S::catalog().select(alone).is_err());
        let key = wrong.map_or("exclude-tools", |(key, _)| key);
        let refused = loaded.refuse(key, lower_first(error.message()));
        match error.hint() {
            Some(hint) => refused.with_hint(hint).into(),
            None => refused.into(),
        }
    })
}

/// What the settings say is offered.
pub(super) fn selection(config: &Config) -> Selection {
    Selection {
        read_only: config.switch("read-only"),
        toolsets: config.list("toolsets").to_vec(),
        tools: config.list("tools").to_vec(),
        exclude_tools: config.list("exclude-tools").to_vec(),
    }
}

fn reply_options(loaded: &Loaded) -> Result<ReplyOptions, SettingsError> {
    let budget = at_least(loaded, "reply-budget", SMALLEST_REPLY)?;
    let budget =
        budget.map_or(crate::catalog::DEFAULT_BUDGET, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    Ok(ReplyOptions { budget, structured: loaded.config.switch("structured") })
}

/// The keys under which what clients carry is sealed: those of the file, or new ones.
fn keys(loaded: &Loaded) -> Result<KeyRing, SettingsError> {
    let Some(path) = loaded.config.path("state-keys-file") else { return Ok(KeyRing::default()) };
    KeyRing::load(path)
        .map_err(|error| loaded.refuse("state-keys-file", format!("{}: {error}", path.display())))
}

/// The prefix of tools' names; clients take letters, digits, `_` and `-` only.
pub(super) fn prefix(loaded: &Loaded) -> Result<String, SettingsError> {
    let prefix = loaded.config.text("tool-prefix").unwrap_or_default();
    let fits =
        prefix.len() <= 32 && prefix.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if fits {
        return Ok(prefix.to_owned());
    }
    let refused = loaded.refuse("tool-prefix", format!("`{prefix}` cannot begin a tool's name"));
    Err(refused.with_hint("It takes up to 32 letters, digits, `_` and `-`"))
}

/// The settings of the pipeline to the vendor.
pub(super) fn options<S: Connector>(loaded: &Loaded) -> Result<upstream::Options, SettingsError> {
    let config = &loaded.config;
    let mut options = upstream::Options::new(api_url(loaded, S::ABOUT.api_url)?);
    if let Some(seconds) = at_least(loaded, "deadline", 1)? {
        options.total_deadline = Duration::from_secs(seconds);
        options.attempt_timeout = options.attempt_timeout.min(options.total_deadline);
        options.connect_timeout = options.connect_timeout.min(options.total_deadline);
    }
    if let Some(most) = at_least(loaded, "max-in-flight", 1)? {
        options.max_in_flight = usize::try_from(most).unwrap_or(usize::MAX);
    }
    if config.switch("no-cache") {
        options.cache_capacity = 0;
    }
    options.read_only = config.switch("read-only");
    options.ca_file = config.path("ca-file").cloned();
    options.proxy = config.text("proxy").map(|text| proxy(loaded, text)).transpose()?;
    options.user_agent = format!("{}/{}", S::ABOUT.program, S::ABOUT.version);
    Ok(options)
}

/// The address of the API. A credential must not cross a network in the clear, so plain HTTP is for
/// loopback only.
fn api_url(loaded: &Loaded, default: &str) -> Result<Url, SettingsError> {
    let text = loaded.config.text("api-url").unwrap_or(default);
    let refuse = |why: String| {
        loaded.refuse("api-url", why).with_hint("It takes an https address; plain http on loopback only")
    };
    // Not quoted before it is known that no password stands in it.
    let url = Url::parse(text).map_err(|error| refuse(format!("it is no address: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("the address carries a user name or password".to_owned()));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse(format!("`{text}` would send the credential in the clear"))),
        _ => Err(refuse(format!("`{text}` is no https address"))),
    }
}

fn proxy(loaded: &Loaded, text: &str) -> Result<Url, SettingsError> {
    // Not quoted: a proxy's address may carry a password.
    let refuse = || {
        loaded
            .refuse("proxy", "is no proxy's address")
            .with_hint("It takes http://host:port or https://host:port")
    };
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(refuse()),
    }
}

/// Whether a text is an address with a user name or password in it.
pub(super) fn carries_password(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    authority.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// Whether an address stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Starts the fake in this process and turns the settings to it: its address, its credential, and
/// none of the real ones.
async fn start_fake<S: Connector>(context: &mut Context<'_, '_>) -> Result<sandbox::Running, Failure> {
    let from_flag = |key| context.loaded.place(key).is_some_and(Place::is_flag);
    if from_flag("api-url") {
        let failure = if from_flag("sandbox") { Failure::usage } else { Failure::configuration };
        return Err(failure(
            "--api-url cannot be used with the sandbox, which brings its own API".to_owned(),
        )
        .with_hint("Leave --api-url out, or add --sandbox=false"));
    }
    let sandbox = S::sandbox().ok_or_else(no_sandbox)?;
    let running = sandbox::start(sandbox.fake, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .map_err(|error| Failure::other(format!("The sandbox could not be started: {error}")))?;
    let config = &mut context.loaded.config;
    for row in context.table.secrets() {
        config.unset(row.key);
    }
    let (key, value) = sandbox.credential;
    config.set(key, Value::Secret(Secret::new(value)));
    config.set("api-url", Value::Text(join(&running.url(), sandbox.api_path)));
    Ok(running)
}

/// What to say where a server was built without its fake.
pub(super) fn no_sandbox() -> Failure {
    Failure::usage("This build has no sandbox")
        .with_hint("Build it with the feature `sandbox`, which is on by default")
}

/// `path` below `base`.
pub(super) fn join(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

/// A number that must not be smaller than `least`.
pub(super) fn at_least(loaded: &Loaded, key: &str, least: u64) -> Result<Option<u64>, SettingsError> {
    match loaded.config.number(key) {
        Some(number) if number < least => Err(loaded
            .refuse(key, format!("{number} is too small"))
            .with_hint(format!("It takes {least} or more"))),
        number => Ok(number),
    }
}

/// The address of `--http`: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or a port of loopback.
pub(super) fn listen(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let port = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text);
    port.parse().ok().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
}

/// For a sentence that goes on after a place and a colon.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
