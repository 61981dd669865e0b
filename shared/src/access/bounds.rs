//! What may be touched of a vendor's things, by configuration: repositories, channels, pages, types of
//! records, each kind by patterns of their names.

use crate::{Effect, Error, Kind, Result};

/// What bounds are about: the things, in words, and the settings that an operator writes them in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded {
    /// Many of the things: `repositories`.
    pub things: &'static str,
    /// The setting that lists what may be read, and nothing else: `allow-repos`.
    pub allow: &'static str,
    /// The setting that lists what may not be read, whatever else is said: `deny-repos`.
    pub deny: &'static str,
    /// The setting that lists what may be written, of that which may be read: `allow-write-repos`.
    pub allow_write: &'static str,
    /// The setting that lists what may not be written, whatever else is said: `deny-write-repos`.
    pub deny_write: &'static str,
}

/// Which of the vendor's things of one kind may be read and written, and which one is meant where a call
/// names none.
///
/// Patterns are globs without case: `*` stands for any part of a name up to a slash, `**` for any part.
/// Without a list everything is within bounds; a list that is named and empty is an error, because it
/// would mean everything where an operator meant little.
#[derive(Clone, Debug)]
pub struct Bounds {
    about: &'static Bounded,
    read: Lists,
    /// Besides `read`.
    write: Lists,
    default: Option<String>,
}

/// Patterns in lower case.
#[derive(Clone, Debug, Default)]
struct Lists {
    /// None for everything.
    allow: Option<Vec<String>>,
    deny: Vec<String>,
}

impl Lists {
    fn admit(&self, names: &[String]) -> bool {
        let fits = |patterns: &[String]| {
            patterns.iter().any(|pattern| names.iter().any(|name| fast_glob::glob_match(pattern, name)))
        };
        self.allow.as_deref().is_none_or(fits) && !fits(&self.deny)
    }

    fn is_narrow(&self) -> bool {
        self.allow.is_some() || !self.deny.is_empty()
    }
}

impl Bounds {
    /// Bounds as the settings that `about` names say: `lists` gives the patterns of one, nothing if it is
    /// not set. `check` refuses a pattern that can fit no name, with what is wrong about it.
    ///
    /// # Errors
    /// `invalid_argument` for a list that is named and empty, and for what `check` refuses.
    pub fn new<'a>(
        about: &'static Bounded,
        lists: impl Fn(&'static str) -> Option<&'a [String]>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Self> {
        let patterns = |setting: &'static str| -> Result<Option<Vec<String>>> {
            let Some(list) = lists(setting) else { return Ok(None) };
            let list = list.iter().map(|pattern| pattern.trim().to_lowercase());
            let list: Vec<_> = list.filter(|pattern| !pattern.is_empty()).collect();
            if list.is_empty() {
                return Err(empty(setting));
            }
            for pattern in &list {
                check(pattern).map_err(|why| {
                    Error::invalid(format!("--{setting}: `{pattern}` {why}"))
                        .with_hint(format!("It takes names of {}, with `*` for any part", about.things))
                })?;
            }
            Ok(Some(list))
        };
        let lists = |allow, deny| -> Result<Lists> {
            Ok(Lists { allow: patterns(allow)?, deny: patterns(deny)?.unwrap_or_default() })
        };
        Ok(Self {
            about,
            read: lists(about.allow, about.deny)?,
            write: lists(about.allow_write, about.deny_write)?,
            default: None,
        })
    }

    /// Bounds that leave everything open.
    #[must_use]
    pub fn open(about: &'static Bounded) -> Self {
        Self { about, read: Lists::default(), write: Lists::default(), default: None }
    }

    /// The same, with the thing that is meant where a call names none.
    ///
    /// # Errors
    /// `policy` if it may not be read.
    pub fn with_default(mut self, name: &str) -> Result<Self> {
        self.permits(&[name], Effect::Read)?;
        self.default = Some(name.to_owned());
        Ok(self)
    }

    /// The thing that is meant where a call names none.
    #[must_use]
    pub fn default_name(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Whether something with this effect may be done to a thing, given by every name that an operator may
    /// have written for it: a channel's name and its id, a page's id and those of the pages it lies in. A
    /// list that allows one of them allows it; one that denies one of them denies it.
    ///
    /// # Errors
    /// `policy` if not. It shows the first of the names, which is to be clean.
    pub fn permits(&self, names: &[&str], effect: Effect) -> Result<()> {
        let lower: Vec<_> = names.iter().map(|name| name.to_lowercase()).collect();
        let (about, name) = (self.about, names.first().copied().unwrap_or_default());
        if !self.read.admit(&lower) {
            return Err(refused(about, name, "read", about.allow, about.deny));
        }
        if effect.writes() && !self.write.admit(&lower) {
            return Err(refused(about, name, "write to", about.allow_write, about.deny_write));
        }
        Ok(())
    }

    /// Whether a thing may be read: for rows of listings across things.
    #[must_use]
    pub fn sees(&self, names: &[&str]) -> bool {
        let lower: Vec<_> = names.iter().map(|name| name.to_lowercase()).collect();
        self.read.admit(&lower)
    }

    /// Whether something with this effect may be done that lies in none of the things, such as in a gist.
    ///
    /// # Errors
    /// `policy` where only some of the things may be touched so.
    pub fn permits_outside(&self, what: &str, effect: Effect) -> Result<()> {
        if !self.narrows(effect) {
            return Ok(());
        }
        let (verb, things) = (if effect.writes() { "write to" } else { "read" }, self.about.things);
        Err(Error::new(
            Kind::Policy,
            format!("This server may {verb} some {things} only, and {what} lies in none"),
        )
        .with_hint(format!(
            "The operator lists them in --{} and --{}",
            self.about.allow, self.about.allow_write
        )))
    }

    /// Whether only some of the things are within bounds for something with this effect.
    #[must_use]
    pub fn narrows(&self, effect: Effect) -> bool {
        self.read.is_narrow() || (effect.writes() && self.write.is_narrow())
    }

    /// The patterns, in lower case, of what may be read; none for everything. What is denied is not taken
    /// out of them.
    #[must_use]
    pub fn readable(&self) -> Option<&[String]> {
        self.read.allow.as_deref()
    }

    /// The patterns, in lower case, of what may not be read.
    #[must_use]
    pub fn denied(&self) -> &[String] {
        &self.read.deny
    }

    /// The patterns, in lower case, of what may be written, of that which may be read; none for all of it.
    #[must_use]
    pub fn writable(&self) -> Option<&[String]> {
        self.write.allow.as_deref()
    }

    /// The patterns, in lower case, of what may not be written.
    #[must_use]
    pub fn denied_writes(&self) -> &[String] {
        &self.write.deny
    }
}

/// The error for a bound that is named and empty.
#[must_use]
pub fn empty(setting: &str) -> Error {
    Error::invalid(format!("--{setting} is named and empty, which would bound nothing"))
        .with_hint("List what may be touched, or leave the setting out altogether")
}

fn refused(about: &Bounded, name: &str, verb: &str, allow: &str, deny: &str) -> Error {
    let things = about.things;
    Error::new(Kind::Policy, format!("{name} is not among the {things} that this server may {verb}"))
        .with_hint(format!("The operator lists them in --{allow} and --{deny}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const CHANNELS: Bounded = Bounded {
        things: "channels",
        allow: "allow-channels",
        deny: "deny-channels",
        allow_write: "allow-write-channels",
        deny_write: "deny-write-channels",
    };

    fn bounds(lists: &[(&'static str, &[&str])]) -> Result<Bounds> {
        let lists: BTreeMap<&str, Vec<String>> = lists
            .iter()
            .map(|(setting, list)| (*setting, list.iter().map(ToString::to_string).collect()))
            .collect();
        let check = |pattern: &str| {
            if pattern.contains(' ') { Err("is no channel".to_owned()) } else { Ok(()) }
        };
        Bounds::new(&CHANNELS, |setting| lists.get(setting).map(Vec::as_slice), check)
    }

    #[test]
    fn what_is_not_allowed_or_is_denied_is_refused() {
        let bounds = bounds(&[
            ("allow-channels", &["team-*", "C0GENERAL"]),
            ("deny-channels", &["*-private"]),
            ("deny-write-channels", &["c0general"]),
        ])
        .unwrap();
        for (names, effect, good) in [
            (&["Team-Import"][..], Effect::Write, true),
            (&["general", "C0GENERAL"], Effect::Read, true),
            (&["general", "C0GENERAL"], Effect::Write, false),
            (&["general"], Effect::Read, false),
            (&["team-private"], Effect::Read, false),
            (&["team-private", "C0GENERAL"], Effect::Read, false),
        ] {
            let permitted = bounds.permits(names, effect);
            assert_eq!(permitted.is_ok(), good, "{names:?} {effect}");
            assert!(permitted.err().is_none_or(|error| error.kind() == Kind::Policy), "{names:?}");
            assert_eq!(bounds.sees(names), bounds.permits(names, Effect::Read).is_ok(), "{names:?}");
        }
        let error = bounds.permits(&["general", "C0GENERAL"], Effect::Write).unwrap_err().for_agent();
        assert!(error.contains("general is not among the channels that this server may write to"), "{error}");
        assert!(error.contains("--deny-write-channels"), "{error}");
    }

    #[test]
    fn without_a_list_everything_is_within_bounds() {
        let open = Bounds::open(&CHANNELS);
        assert!(open.permits(&["any"], Effect::Destructive).is_ok() && !open.narrows(Effect::Destructive));
        assert!(open.permits_outside("a canvas", Effect::Write).is_ok());
        let narrow = bounds(&[("deny-write-channels", &["x"])]).unwrap();
        assert!(!narrow.narrows(Effect::Read) && narrow.narrows(Effect::Write));
        assert_eq!(narrow.permits_outside("a canvas", Effect::Write).unwrap_err().kind(), Kind::Policy);
    }

    #[test]
    fn a_list_that_is_named_and_empty_is_refused_and_so_is_a_pattern_that_fits_nothing() {
        for list in [&[][..], &[""], &[" ", ""]] {
            let error = bounds(&[("allow-channels", list)]).unwrap_err().for_agent();
            assert!(error.contains("--allow-channels is named and empty"), "{error}");
        }
        let error = bounds(&[("deny-write-channels", &["a b"])]).unwrap_err().for_agent();
        assert!(error.contains("--deny-write-channels: `a b` is no channel"), "{error}");
    }

    #[test]
    fn what_a_call_means_by_default_must_be_within_bounds() {
        let bounds = bounds(&[("allow-channels", &["team-*"])]).unwrap();
        assert_eq!(bounds.clone().with_default("team-x").unwrap().default_name(), Some("team-x"));
        assert!(bounds.with_default("general").is_err());
    }
}
