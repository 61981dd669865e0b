//! The table of a server's settings: its own, and those that every server of the suite has.

use std::borrow::Cow;

use super::{Setting, SettingKind};
use crate::{About, catalog::nearest};

/// What a setting is about: the heading it stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The vendor's account: what only this server has.
    Vendor,
    /// Which tools are offered, and how they answer.
    Tools,
    /// How the vendor is reached.
    Upstream,
    /// Serving over HTTP.
    Http,
    /// The process: its file and its logs.
    Process,
}

impl Group {
    /// Every group, in the order of the help.
    pub const ALL: [Self; 5] = [Self::Vendor, Self::Tools, Self::Upstream, Self::Http, Self::Process];

    /// The heading.
    #[must_use]
    pub fn heading(self, title: &str) -> String {
        match self {
            Self::Vendor => format!("{title} account"),
            Self::Tools => "Tools and replies".to_owned(),
            Self::Upstream => format!("Way to {title}"),
            Self::Http => "Serving over HTTP".to_owned(),
            Self::Process => "This process".to_owned(),
        }
    }
}

/// A setting in its place in the table, with its variable's full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `kebab-case`: the flag `--key` and the key in the file.
    pub key: &'static str,
    /// The environment variable.
    pub env: Cow<'static, str>,
    /// What values it takes.
    pub kind: SettingKind,
    /// The value when nothing is set, as it would be written.
    pub default: Option<&'static str>,
    /// One sentence: what it does.
    pub help: &'static str,
    /// The heading it stands under.
    pub group: Group,
}

impl Row {
    /// Whether it holds a credential.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == SettingKind::Secret
    }

    /// Whether it bounds what may be used: a value that would count as unset is refused, because it would
    /// bound nothing where an operator meant something.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        matches!(self.kind, SettingKind::Bound(_)) || [READ_ONLY, CONFIRM].contains(&self.key)
    }

    /// The flag without its dashes: the key, or for a credential the name of its file.
    #[must_use]
    pub fn flag(&self) -> Cow<'static, str> {
        if self.is_secret() { Cow::Owned(format!("{}-file", self.key)) } else { Cow::Borrowed(self.key) }
    }

    /// The variable that names a credential's file.
    #[must_use]
    pub fn file_env(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}_FILE", self.env))
    }

    /// Whether it may stand in the settings file; the file's own address may not.
    #[must_use]
    pub fn in_file(&self) -> bool {
        self.key != CONFIG
    }

    /// The word for its value in the help; none for a switch.
    #[must_use]
    pub fn placeholder(&self) -> Option<Cow<'static, str>> {
        Some(match self.kind {
            SettingKind::Switch => return None,
            SettingKind::Text(word) => Cow::Borrowed(word),
            SettingKind::Number => Cow::Borrowed("N"),
            SettingKind::Seconds => Cow::Borrowed("SECONDS"),
            SettingKind::Choice(words) => Cow::Owned(words.join("|")),
            SettingKind::List(word) | SettingKind::Bound(word) => Cow::Owned(format!("{word},…")),
            SettingKind::Path => Cow::Borrowed("PATH"),
            SettingKind::Secret => Cow::Borrowed("FILE"),
        })
    }
}

/// The key of the switch that refuses every write.
const READ_ONLY: &str = "read-only";
/// The key of how writes are confirmed.
const CONFIRM: &str = "confirm";
/// The key of the settings file's own address.
pub(super) const CONFIG: &str = "config";

/// All settings of one server.
#[derive(Clone, Debug)]
pub struct Table {
    about: About,
    rows: Vec<Row>,
}

impl Table {
    /// The settings that the server `about` declares as its `own`, and the suite's.
    #[must_use]
    pub fn new(about: About, own: Vec<Setting>) -> Self {
        let own = own.into_iter().map(|setting| Row {
            key: setting.key,
            env: Cow::Borrowed(setting.env),
            kind: setting.kind,
            default: setting.default,
            help: setting.help,
            group: Group::Vendor,
        });
        let common = COMMON.iter().map(|common| Row {
            key: common.key,
            env: variable(&about, common.key),
            kind: common.kind,
            default: if common.key == "api-url" { Some(about.api_url) } else { common.default },
            help: common.help,
            group: common.group,
        });
        Self { about, rows: own.chain(common).collect() }
    }

    /// Whose settings they are.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The settings, group after group.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The settings of one group.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.group == group)
    }

    /// The credentials, the customary one first.
    pub fn secrets(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_secret())
    }

    /// The setting of this key.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// What the suite's own variables of this server begin with: `LINEAR_MCP_`.
    #[must_use]
    pub fn prefix(&self) -> String {
        prefix(&self.about)
    }

    /// The key in the file that was probably meant by `wanted`.
    #[must_use]
    pub fn nearest_key(&self, wanted: &str) -> Option<String> {
        let names: Vec<_> = self.rows.iter().filter(|row| row.in_file()).flat_map(file_keys).collect();
        nearest_of(wanted, &names)
    }

    /// The variable that was probably meant by `wanted`.
    #[must_use]
    pub fn nearest_variable(&self, wanted: &str) -> Option<String> {
        let names: Vec<_> = self.rows.iter().map(|row| row.env.clone().into_owned()).collect();
        nearest_of(wanted, &names)
    }
}

/// The keys under which a setting can stand in the file.
pub(super) fn file_keys(row: &Row) -> Vec<String> {
    if row.is_secret() { vec![row.key.to_owned(), row.flag().into_owned()] } else { vec![row.key.to_owned()] }
}

/// The nearest of `names`, which may be written with dashes.
fn nearest_of(wanted: &str, names: &[String]) -> Option<String> {
    // `nearest` takes dashes of what is wanted for underscores, and spells names with underscores.
    let spelled: Vec<_> = names.iter().map(|name| name.replace('-', "_")).collect();
    let near = nearest(wanted, spelled.iter().map(String::as_str))?;
    let at = spelled.iter().position(|name| name == near)?;
    names.get(at).cloned()
}

fn prefix(about: &About) -> String {
    format!("{}_MCP_", about.key.to_uppercase())
}

/// The variable of a common setting. The address of the API has the vendor's customary name.
fn variable(about: &About, key: &str) -> Cow<'static, str> {
    if key == "api-url" {
        return Cow::Borrowed(about.api_url_env);
    }
    Cow::Owned(format!("{}{}", prefix(about), key.to_uppercase().replace('-', "_")))
}

/// A setting that every server has.
struct Common {
    key: &'static str,
    kind: SettingKind,
    default: Option<&'static str>,
    group: Group,
    help: &'static str,
}

const fn common(
    group: Group,
    key: &'static str,
    kind: SettingKind,
    default: Option<&'static str>,
    help: &'static str,
) -> Common {
    Common { key, kind, default, group, help }
}

/// The suite's settings. Help fits one line of a terminal of 100 columns.
const COMMON: &[Common] = {
    use Group::{Http, Process, Tools, Upstream};
    use SettingKind::{Bound, Choice, List, Number, Path, Seconds, Switch, Text};
    &[
        common(Tools, READ_ONLY, Switch, None, "Offer nothing that writes, and refuse every write"),
        common(Tools, "toolsets", Bound("NAME"), None, "Only these toolsets; `default`, `all`"),
        common(Tools, "tools", Bound("NAME"), None, "Only these tools, from any toolset"),
        common(Tools, "exclude-tools", Bound("NAME"), None, "None of these tools"),
        common(Tools, "tool-prefix", Text("PREFIX"), None, "Put before every tool's name"),
        common(Tools, "allow-destructive", Switch, None, "Do not ask before what cannot be undone"),
        common(
            Tools,
            CONFIRM,
            Choice(&["normal", "strict"]),
            Some("normal"),
            "Where strict, a person agrees to every write",
        ),
        common(Tools, "structured", Switch, None, "Structured content, with output schemas"),
        common(Tools, "reply-budget", Number, Some("32768"), "Most bytes of one reply"),
        common(Tools, "upload-root", Path, None, "Folder that files may be uploaded from"),
        common(Upstream, "sandbox", Switch, None, "Use the built-in fake: no account, nothing real"),
        common(Upstream, "api-url", Text("URL"), None, "Another address of the API"),
        common(
            Upstream,
            "ca-file",
            Path,
            None,
            "Certificate authorities to trust besides the system's (PEM)",
        ),
        common(Upstream, "proxy", Text("URL"), None, "Proxy to go through; else the system's"),
        common(Upstream, "deadline", Seconds, Some("30"), "Most time for a call, retries included"),
        common(Upstream, "max-in-flight", Number, Some("32"), "Most requests under way at once"),
        common(Upstream, "no-cache", Switch, None, "Ask anew every time"),
        common(Http, "http", Text("ADDR"), None, "Serve over HTTP at this address, such as 127.0.0.1:8080"),
        common(Http, "admin", Text("ADDR"), None, "Health and metrics at an address apart from callers"),
        common(Http, "api-keys-file", Path, None, "Callers' keys; needed beyond loopback (see `keys`)"),
        common(Http, "tls-cert-file", Path, None, "Serve over TLS with this certificate and its chain (PEM)"),
        common(Http, "tls-key-file", Path, None, "The certificate's key (PEM)"),
        common(
            Http,
            "tls-client-ca-file",
            Path,
            None,
            "Know callers by certificates of these authorities (PEM)",
        ),
        common(Http, "tls-crl-file", Path, None, "What those authorities have revoked (PEM)"),
        common(
            Http,
            "trusted-proxies",
            Bound("IP"),
            None,
            "Know callers by what proxies at these addresses say",
        ),
        common(Http, "tls-client-names", Bound("GLOB"), None, "Only these names of callers' certificates"),
        common(Http, "quota-per-minute", Number, Some("100"), "Most calls of a caller with a key; 0: any"),
        common(Http, "quota-tools", List("TOOL=N"), None, "The same for single tools, each counted apart"),
        common(Http, "state-keys-file", Path, None, "Keys shared by replicas, for cursors and confirmations"),
        common(Http, "replicas", Number, Some("1"), "How many replicas serve these callers"),
        common(Http, "redis", Text("URL"), None, "Redis or Valkey that replicas share, if it is there"),
        common(Http, "redis-password-file", Path, None, "Its password"),
        common(Http, "redis-ca-file", Path, None, "Authorities of its certificate (PEM), for `rediss://`"),
        common(
            Http,
            "allowed-hosts",
            List("HOST"),
            None,
            "Host names that callers may use, besides loopback's",
        ),
        common(Http, "allowed-origins", List("URL"), None, "Web pages' origins that may call"),
        common(Http, "legacy-sessions", Switch, None, "Sessions, for clients of before 2026-07-28"),
        common(Http, "max-connections", Number, Some("4096"), "Most connections at once"),
        common(Http, "keep-alive-seconds", Seconds, Some("75"), "Time that a connection may rest"),
        common(
            Http,
            "lame-duck-seconds",
            Seconds,
            Some("5"),
            "Time to be not ready and still answer when stopping",
        ),
        common(Http, "drain-seconds", Seconds, Some("10"), "Most time for calls to end when stopping"),
        common(Process, CONFIG, Path, None, "Settings file (TOML)"),
        common(
            Process,
            "log",
            Text("FILTER"),
            None,
            "What to log to stderr, such as `info` or `connector=debug`",
        ),
        common(Process, "log-format", Choice(&["text", "json"]), Some("text"), "How to log"),
    ]
};
