//! The bounds of this server: the repositories that may be read and written, by configuration, and
//! the one that is meant where a call names none. Asked by `api` for every request, below the tools.

use connector::{
    Effect, Error, Kind, Result,
    access::{Bounded, Bounds},
    catalog::one_line,
    settings::{Config, Setting, SettingKind},
    upstream::call,
};
use url::Url;

use crate::repo::{Repo, is_name};

/// The settings of the bounds.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "repo",
        env: "GITHUB_REPO",
        kind: SettingKind::Text("OWNER/NAME"),
        default: None,
        help: "The repository meant where a call names none",
    },
    Setting {
        key: "allow-repos",
        env: "GITHUB_ALLOW_REPOS",
        kind: SettingKind::Bound("OWNER/NAME"),
        default: None,
        help: "Only these repositories, `*` for any part",
    },
    Setting {
        key: "deny-repos",
        env: "GITHUB_DENY_REPOS",
        kind: SettingKind::Bound("OWNER/NAME"),
        default: None,
        help: "None of these repositories, whatever else is said",
    },
    Setting {
        key: "allow-write-repos",
        env: "GITHUB_ALLOW_WRITE_REPOS",
        kind: SettingKind::Bound("OWNER/NAME"),
        default: None,
        help: "Write only to these of them",
    },
    Setting {
        key: "deny-write-repos",
        env: "GITHUB_DENY_WRITE_REPOS",
        kind: SettingKind::Bound("OWNER/NAME"),
        default: None,
        help: "Write to none of these",
    },
];

/// The host of the pages of GitHub itself.
const DOTCOM: &str = "github.com";

/// The bounds of this server, in words and settings.
static REPOSITORIES: Bounded = Bounded {
    things: "repositories",
    allow: "allow-repos",
    deny: "deny-repos",
    allow_write: "allow-write-repos",
    deny_write: "deny-write-repos",
};

/// The repositories that may be touched.
#[derive(Clone, Debug)]
pub(crate) struct RepositoryBounds {
    bounds: Bounds,
    default: Option<Repo>,
    /// The hosts of GitHub's web pages, first the one that is told: `github.com`.
    hosts: Vec<String>,
}

impl Default for RepositoryBounds {
    fn default() -> Self {
        Self { bounds: Bounds::open(&REPOSITORIES), default: None, hosts: vec![DOTCOM.to_owned()] }
    }
}

impl RepositoryBounds {
    /// The bounds that are configured.
    ///
    /// # Errors
    /// `invalid_argument` for a pattern that matches no repository, or a default one that is out of bounds.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let bounds = Bounds::new(&REPOSITORIES, |setting| config.bound(setting), check)?;
        let default = config.text("repo").map(Repo::parse).transpose()?;
        let bounds = Self { bounds, default, hosts: vec![DOTCOM.to_owned()] };
        if let Some(repo) = &bounds.default {
            bounds.permits(repo, Effect::Read)?;
        }
        Ok(bounds)
    }

    /// The same for the GitHub whose API is at `api`: addresses of its pages alone are ours.
    pub(crate) fn of_site(mut self, api: &Url) -> Self {
        let host = api.host_str().unwrap_or_default();
        // `api.github.com`, `api.acme.ghe.com`; GitHub Enterprise Server has its API below its own host.
        let site = host.strip_prefix("api.").unwrap_or(host).to_owned();
        let is_test_double = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        self.hosts = if is_test_double { vec![DOTCOM.to_owned(), site] } else { vec![site] };
        self
    }

    /// Fails if `text` is an address of another host, whose owners and repositories may be called as ours are.
    ///
    /// # Errors
    /// `invalid_argument`, naming both hosts.
    pub(crate) fn is_ours(&self, text: &str) -> Result<()> {
        let text = text.trim();
        let authority = match (text.split_once("://"), text.split_once(':')) {
            (Some((_, rest)), _) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
            // `git@github.com:owner/name.git`
            (None, Some((authority, _))) if authority.contains('@') => authority,
            _ => return Ok(()),
        };
        let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
        // Gists have a host of their own.
        let host = ["www.", "gist."].iter().find_map(|part| host.strip_prefix(part)).unwrap_or(host);
        if self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host)) {
            return Ok(());
        }
        let ours = self.hosts.first().map_or(DOTCOM, String::as_str);
        Err(Error::invalid(format!("The address is of `{}`, and this server serves {ours}", one_line(host)))
            .with_hint("Nothing was read or written. Give owner/name, or an address of this GitHub"))
    }

    /// The repository that a call means.
    ///
    /// # Errors
    /// `invalid_argument` if it names none and none is configured; `policy` if it may not be read.
    pub(crate) fn repo(&self, given: Option<&str>) -> Result<Repo> {
        let repo = match (given.map(str::trim).filter(|text| !text.is_empty()), &self.default) {
            (Some(text), _) => {
                self.is_ours(text)?;
                Repo::parse(text)?
            }
            (None, Some(repo)) => repo.clone(),
            (None, None) => {
                return Err(Error::invalid("`repo` is missing").with_hint("Give it as owner/name"));
            }
        };
        self.permits(&repo, Effect::Read)?;
        call::concerns(&repo.to_string());
        Ok(repo)
    }

    /// The repository meant where a call names none.
    pub(crate) fn default_repo(&self) -> Option<&Repo> {
        self.default.as_ref()
    }

    /// Whether something with this effect may be done to `repo`.
    ///
    /// # Errors
    /// `policy` if not.
    pub(crate) fn permits(&self, repo: &Repo, effect: Effect) -> Result<()> {
        self.bounds.permits(&[&repo.to_string()], effect)
    }

    /// Whether a repository, by its full name, may be read: for rows of listings across repositories.
    pub(crate) fn sees(&self, full_name: &str) -> bool {
        self.bounds.sees(&[full_name])
    }

    /// Whether something of `owner` may be read: what belongs to the owner and to none of the repositories,
    /// such as a project.
    ///
    /// # Errors
    /// `policy` if not.
    pub(crate) fn permits_owner(&self, owner: &str) -> Result<()> {
        let owner = owner.to_lowercase();
        let fits = |pattern: &String| {
            pattern.split_once('/').is_some_and(|(of, _)| fast_glob::glob_match(of, &owner))
        };
        // A denial of one repository denies nothing of its owner; one of all repositories does.
        let denied = |pattern: &String| fits(pattern) && pattern.ends_with("/*");
        let allowed = self.bounds.readable().is_none_or(|patterns| patterns.iter().any(fits));
        if allowed && !self.bounds.denied().iter().any(denied) {
            return Ok(());
        }
        let what = format!("{owner} has no repository that this server may read");
        Err(Error::new(Kind::Policy, what).with_hint("The operator lists them in --allow-repos"))
    }

    /// Whether something may be done that lies in no repository, such as in a gist.
    ///
    /// # Errors
    /// `policy` where only some repositories are within reach.
    pub(crate) fn permits_outside(&self, what: &str, effect: Effect) -> Result<()> {
        self.bounds.permits_outside(what, effect)
    }

    /// Whether only some repositories are within reach for something with this effect.
    pub(crate) fn narrows(&self, effect: Effect) -> bool {
        self.bounds.narrows(effect)
    }

    /// Whether only some repositories may be read.
    pub(crate) fn is_narrow(&self) -> bool {
        self.bounds.narrows(Effect::Read)
    }

    /// The bounds, by their patterns.
    pub(crate) fn patterns(&self) -> &Bounds {
        &self.bounds
    }

    /// Search qualifiers that keep a search within reach, exactly: `repo:` and `user:` for the patterns that can
    /// be said so, and `repo:` for those of the `known` repositories that fit the others. Empty for everything.
    pub(crate) fn qualifiers(&self, known: &[String]) -> Vec<String> {
        let said = |pattern: &String| {
            let (owner, name) = pattern.split_once('/')?;
            match (is_name(owner), is_name(name), name == "*") {
                (true, true, _) => Some(format!("repo:{pattern}")),
                (true, _, true) => Some(format!("user:{owner}")),
                _ => None,
            }
        };
        let patterns = self.bounds.readable().unwrap_or_default();
        let mut qualifiers: Vec<_> = patterns.iter().filter_map(said).collect();
        if !self.is_plain() {
            // What a pattern denies cannot be said: only what is known to be within reach is looked at.
            let denies = self.bounds.denied().iter().any(|pattern| !is_plain(pattern));
            if denies {
                qualifiers.clear();
            }
            let known = known.iter().map(|name| name.to_lowercase());
            qualifiers.extend(known.filter(|name| self.sees(name)).map(|name| format!("repo:{name}")));
            let owners: Vec<_> = qualifiers
                .iter()
                .filter_map(|one| Some(format!("repo:{}/", one.strip_prefix("user:")?)))
                .collect();
            qualifiers.retain(|one| !owners.iter().any(|owner| one.starts_with(owner)));
        }
        qualifiers.sort();
        qualifiers.dedup();
        qualifiers
    }

    /// Search qualifiers that keep what is denied out of a search.
    pub(crate) fn exclusions(&self) -> Vec<String> {
        let plain = self.bounds.denied().iter().filter(|pattern| is_plain(pattern));
        plain
            .filter_map(|pattern| match pattern.split_once('/')? {
                (owner, "*") => Some(format!("-user:{owner}")),
                _ => Some(format!("-repo:{pattern}")),
            })
            .collect()
    }

    /// Whether every pattern can be said in a search.
    pub(crate) fn is_plain(&self) -> bool {
        self.bounds.readable().unwrap_or_default().iter().chain(self.bounds.denied()).all(|one| is_plain(one))
    }

    /// The names without a `*` of what may be read and belongs to `owner`; none if there is another kind
    /// of pattern that may fit it.
    pub(crate) fn names_of(&self, owner: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for pattern in self.bounds.readable()? {
            let (of, name) = pattern.split_once('/')?;
            if !fast_glob::glob_match(of, owner.to_lowercase()) {
                continue;
            }
            if !is_name(name) {
                return None;
            }
            names.push(name.to_owned());
        }
        Some(names)
    }
}

/// Whether a pattern can be said in a search: one repository, or all of an owner.
fn is_plain(pattern: &str) -> bool {
    pattern.split_once('/').is_some_and(|(owner, name)| is_name(owner) && (name == "*" || is_name(name)))
}

/// What listings across repositories say where only some of them may be read: the same whether anything was
/// left out or not.
pub(crate) const WITHIN: &str = "only what this server may read";

/// Refuses a pattern that can match no repository.
fn check(pattern: &str) -> Result<(), String> {
    let parts: Vec<_> = pattern.split('/').collect();
    let good = |part: &&str| !part.is_empty() && (is_name(&part.replace('*', "x")));
    if parts.len() == 2 && parts.iter().all(good) {
        return Ok(());
    }
    Err("is not a pattern of repositories: write owner/name, owner/* or owner/prefix-*".to_owned())
}

#[cfg(test)]
mod tests {
    use connector::settings::Value;

    use super::*;

    fn bounds(read: &[&str], write: &[&str]) -> RepositoryBounds {
        let mut config = Config::default();
        let list = |items: &[&str]| Value::List(items.iter().map(ToString::to_string).collect());
        config.set("allow-repos", list(read));
        config.set("allow-write-repos", list(write));
        RepositoryBounds::new(&config).unwrap()
    }

    fn repo(text: &str) -> Repo {
        Repo::parse(text).unwrap()
    }

    #[test]
    fn only_addresses_of_this_github_are_ours() {
        let at = |api: &str| RepositoryBounds::default().of_site(&Url::parse(api).unwrap());
        for (api, text, ours) in [
            ("https://api.github.com", "https://github.com/acme/shop", true),
            ("https://api.github.com", "https://www.GitHub.com/acme/shop/pull/1", true),
            ("https://api.github.com", "https://gist.github.com/acme/0123abcd", true),
            ("https://api.github.com", "https://gist.example.com/acme/0123abcd", false),
            ("https://api.github.com", "git@github.com:acme/shop.git", true),
            ("https://api.github.com", "git@gitlab.com:acme/shop.git", false),
            ("https://api.github.com", "https://github.com.evil.example/acme/shop", false),
            ("https://git.acme.example/api/v3/", "https://github.com/acme/shop", false),
            ("https://git.acme.example/api/v3/", "https://git.acme.example/acme/shop", true),
            ("https://api.acme.ghe.com", "https://acme.ghe.com/acme/shop", true),
            ("http://127.0.0.1:4010", "https://github.com/acme/shop", true),
            ("https://api.github.com", "acme/shop", true),
        ] {
            assert_eq!(at(api).is_ours(text).is_ok(), ours, "{api} {text}");
        }
    }

    #[test]
    fn what_is_not_allowed_is_refused_by_policy() {
        let bounds = bounds(&["acme/*", "octo/cat"], &["acme/site-*"]);
        assert!(bounds.permits(&repo("Acme/Anything"), Effect::Read).is_ok());
        assert!(bounds.permits(&repo("acme/site-blog"), Effect::Write).is_ok());
        for (name, effect) in [
            ("octo/dog", Effect::Read),
            ("octo/cat", Effect::Write),
            ("acme/api", Effect::Destructive),
            ("acmeinc/site-x", Effect::Read),
        ] {
            assert_eq!(bounds.permits(&repo(name), effect).unwrap_err().kind(), Kind::Policy, "{name}");
        }
        assert_eq!(bounds.qualifiers(&[]), ["repo:octo/cat", "user:acme"]);
        assert_eq!((bounds.names_of("octo"), bounds.names_of("acme")), (Some(vec!["cat".to_owned()]), None));
        assert!(RepositoryBounds::default().permits(&repo("any/thing"), Effect::Destructive).is_ok());
    }

    #[test]
    fn a_pattern_that_can_match_nothing_is_refused() {
        for bad in ["acme", "acme/", "a/b/c", "acme/**/x", "ac me/*"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
