//! How far this server reaches: the repositories that may be read and written, by configuration, and
//! the one that is meant where a call names none. Asked by `api` for every request, below the tools.

use std::fmt;

use connector::{
    Effect, Error, Kind, Result,
    access::{Bounded, Bounds},
    catalog::one_line,
    settings::{Config, Setting, SettingKind},
};

/// The settings of the reach.
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

/// A repository, by its owner and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Repo {
    pub(crate) owner: String,
    pub(crate) name: String,
}

impl Repo {
    /// Reads `owner/name`, an address of a web page (`https://github.com/owner/name/pull/12`), or one of
    /// git (`git@github.com:owner/name.git`).
    ///
    /// # Errors
    /// `invalid_argument` for anything else.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = || {
            Error::invalid(format!("`{}` names no repository", one_line(text)))
                .with_hint("Write it as owner/name, such as octocat/hello-world")
        };
        let path = if let Some((_, rest)) = text.split_once("://") {
            rest.split_once('/').map(|(_, path)| path)
        } else if let Some((host, path)) = text.split_once(':') {
            host.contains('@').then_some(path)
        } else {
            Some(text)
        };
        let is_address = text.contains(':');
        let mut parts = path.ok_or_else(wrong)?.trim_matches('/').split('/');
        let (Some(owner), Some(name)) = (parts.next(), parts.next()) else { return Err(wrong()) };
        let name = if is_address { name.strip_suffix(".git").unwrap_or(name) } else { name };
        let name = name.split(['?', '#']).next().unwrap_or_default();
        if (!is_address && parts.next().is_some()) || !is_name(owner) || !is_name(name) {
            return Err(wrong());
        }
        Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// Names of one repository differ in case only, for GitHub.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.name.eq_ignore_ascii_case(&other.name)
    }

    /// The tag under which kept answers about it are made old.
    pub(crate) fn tag(&self) -> String {
        format!("repo:{self}").to_lowercase()
    }
}

/// Whether `text` can be an owner's or a repository's name.
fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 100 && text != "." && text != ".." && text.chars().all(good)
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

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
pub(crate) struct Reach {
    bounds: Bounds,
    default: Option<Repo>,
}

impl Default for Reach {
    fn default() -> Self {
        Self { bounds: Bounds::open(&REPOSITORIES), default: None }
    }
}

impl Reach {
    /// The reach that is configured.
    ///
    /// # Errors
    /// `invalid_argument` for a pattern that matches no repository, or a default one that is out of reach.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let bounds = Bounds::new(&REPOSITORIES, |setting| config.bound(setting), check)?;
        let reach = Self { bounds, default: config.text("repo").map(Repo::parse).transpose()? };
        if let Some(repo) = &reach.default {
            reach.permits(repo, Effect::Read)?;
        }
        Ok(reach)
    }

    /// The repository that a call means.
    ///
    /// # Errors
    /// `invalid_argument` if it names none and none is configured; `policy` if it may not be read.
    pub(crate) fn repo(&self, given: Option<&str>) -> Result<Repo> {
        let repo = match (given.map(str::trim).filter(|text| !text.is_empty()), &self.default) {
            (Some(text), _) => Repo::parse(text)?,
            (None, Some(repo)) => repo.clone(),
            (None, None) => {
                return Err(Error::invalid("`repo` is missing").with_hint("Give it as owner/name"));
            }
        };
        self.permits(&repo, Effect::Read)?;
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
    pub(crate) fn bounds(&self) -> &Bounds {
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
    Err("is no pattern of repositories: write owner/name, owner/* or owner/prefix-*".to_owned())
}

#[cfg(test)]
mod tests {
    use connector::settings::Value;

    use super::*;

    fn reach(read: &[&str], write: &[&str]) -> Reach {
        let mut config = Config::default();
        let list = |items: &[&str]| Value::List(items.iter().map(ToString::to_string).collect());
        config.set("allow-repos", list(read));
        config.set("allow-write-repos", list(write));
        Reach::new(&config).unwrap()
    }

    fn repo(text: &str) -> Repo {
        Repo::parse(text).unwrap()
    }

    #[test]
    fn repositories_are_named_as_people_name_them() {
        for text in [
            "octo/cat.js",
            " octo/cat.js ",
            "https://github.com/octo/cat.js",
            "https://github.com/octo/cat.js/pull/12#discussion_r1",
            "https://github.com/octo/cat.js.git",
            "git@github.com:octo/cat.js.git",
            "ssh://git@github.com/octo/cat.js.git",
        ] {
            assert_eq!(repo(text).to_string(), "octo/cat.js", "{text}");
        }
        for text in
            ["octo", "", "octo/", "/cat", "octo/cat/tree", "octo/..", "../cat", "a b/c", "octo/c%2Fd", "x:y"]
        {
            assert!(Repo::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_allowed_is_refused_by_policy() {
        let reach = reach(&["acme/*", "octo/cat"], &["acme/site-*"]);
        assert!(reach.permits(&repo("Acme/Anything"), Effect::Read).is_ok());
        assert!(reach.permits(&repo("acme/site-blog"), Effect::Write).is_ok());
        for (name, effect) in [
            ("octo/dog", Effect::Read),
            ("octo/cat", Effect::Write),
            ("acme/api", Effect::Destructive),
            ("acmeinc/site-x", Effect::Read),
        ] {
            assert_eq!(reach.permits(&repo(name), effect).unwrap_err().kind(), Kind::Policy, "{name}");
        }
        assert_eq!(reach.qualifiers(&[]), ["repo:octo/cat", "user:acme"]);
        assert_eq!((reach.names_of("octo"), reach.names_of("acme")), (Some(vec!["cat".to_owned()]), None));
        assert!(Reach::default().permits(&repo("any/thing"), Effect::Destructive).is_ok());
    }

    #[test]
    fn a_pattern_that_can_match_nothing_is_refused() {
        for bad in ["acme", "acme/", "a/b/c", "acme/**/x", "ac me/*"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
