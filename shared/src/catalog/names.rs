//! Names in arguments: what people call a thing (a key, a name, an e-mail address) becomes the one
//! thing that is meant, or an error that lists what could be. A guess could write to the wrong place.
//!
//! Implement [`Entry`] for the rows of a vendor's directory, then [`find`] one among them, or
//! [`Directories::find`] to have the directory read once more for a name that is not in it: it may be
//! new.

use std::{borrow::Cow, cmp::Ordering, collections::HashMap, sync::Mutex, time::Duration};

use icu_normalizer::DecomposingNormalizerBorrowed;
use tokio::time::Instant;

use super::{one_line, words};
use crate::{Error, Kind, Result};

/// How many candidates an error lists.
const CANDIDATES: usize = 8;

/// From this likeness on a name may have been meant.
const NEAR: f64 = 0.65;

/// Longer texts are no names that somebody misspelled: their likeness to each name would cost the
/// product of both lengths.
const LONGEST: usize = 100;

/// Bytes of a text from which on it is no name of anything. Comparing it with each of many names would cost the product.
const NO_NAME: usize = 4_096;

/// Something that is found by what it is called.
pub trait Entry {
    /// What it is, in one word for people: `label`.
    const WHAT: &'static str;

    /// What an error that lists several says before them. What only a person knows is asked of a person.
    const CHOOSE: &'static str = "Say which";

    /// Its id.
    fn id(&self) -> &str;

    /// Everything it is called by.
    fn names(&self) -> Vec<Cow<'_, str>>;

    /// How a reply lists it, so that it can be told from others.
    fn describe(&self) -> String;

    /// For people: the full name, whose parts alone may mean one of them, or several.
    fn full_name(&self) -> Option<&str> {
        None
    }

    /// Whether `wanted` is one of its names, however it is spelled.
    fn is_called(&self, wanted: &str) -> bool {
        if wanted.len() >= NO_NAME {
            return false;
        }
        let wanted = fold(wanted);
        self.names().iter().any(|name| !name.is_empty() && fold(name) == wanted)
    }
}

/// The one of `entries` that `wanted` means: by its id, by a name exactly as it is written, by a name
/// in any case, accents and composition, by the beginning of only one name, or by a part of only one
/// person's name, such as the last. A person's handle counts with and without `@`; a bare first name that
/// several people have means none of them.
///
/// # Errors
/// A [`Miss`] with the nearest entries, or with all that `wanted` fits.
pub fn find<'a, T: Entry>(wanted: &str, entries: &'a [T]) -> Result<&'a T, Miss> {
    let (wanted, is_handle) = match wanted.trim().strip_prefix('@') {
        Some(handle) => (handle, true),
        None => (wanted.trim(), false),
    };
    let folded = fold(wanted);
    if folded.is_empty() {
        return Err(Miss::unknown(wanted, entries));
    }
    if let Some(entry) = entries.iter().find(|entry| entry.id().eq_ignore_ascii_case(wanted)) {
        return Ok(entry);
    }
    let called = |fits: &dyn Fn(&str) -> bool| {
        entries.iter().filter(|entry| entry.names().iter().any(|name| fits(name))).collect::<Vec<_>>()
    };
    if let [entry] = called(&|name| name.trim() == wanted)[..] {
        return Ok(entry);
    }
    let mut found = called(&|name| fold(name) == folded);
    if !is_handle && !found.is_empty() {
        let shares_first_name = |entry: &&T| {
            let first = entry.full_name().and_then(|name| name.split_whitespace().next());
            first.is_some_and(|first| fold(first) == folded)
        };
        let namesakes: Vec<_> = entries
            .iter()
            .filter(shares_first_name)
            .filter(|entry| !found.iter().any(|other| other.id() == entry.id()))
            .collect();
        found.extend(namesakes);
    }
    if found.is_empty() {
        found = called(&|name| fold(name).starts_with(&folded));
    }
    if found.is_empty() && !is_handle {
        let part = format!(" {folded} ");
        let has_part =
            |entry: &&T| entry.full_name().is_some_and(|name| format!(" {} ", fold(name)).contains(&part));
        found = entries.iter().filter(has_part).collect();
    }
    match found[..] {
        [entry] => Ok(entry),
        [] => Err(Miss::unknown(wanted, entries)),
        _ => Err(Miss::several(wanted, &found)),
    }
}

/// Why a name meant nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    what: &'static str,
    choose: &'static str,
    wanted: Box<str>,
    several: bool,
    candidates: Vec<String>,
    /// Whether the first candidate is so near that it may have been meant.
    near: bool,
    more: usize,
    place: Option<Box<str>>,
    made_by: Option<&'static str>,
}

impl Miss {
    fn unknown<T: Entry>(wanted: &str, entries: &[T]) -> Self {
        let folded = fold(wanted);
        let likeness =
            |entry: &T| entry.names().iter().map(|name| likeness(&folded, &fold(name))).fold(0.0, f64::max);
        let mut ranked: Vec<(f64, &T)> = entries.iter().map(|entry| (likeness(entry), entry)).collect();
        let near = ranked.iter().any(|(likeness, _)| *likeness >= NEAR);
        // Where none is near, all stand in the order of the directory.
        if near {
            ranked.retain(|(likeness, _)| *likeness >= NEAR);
            ranked.sort_by(|(a, _), (b, _)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
        }
        let ranked: Vec<&T> = ranked.into_iter().map(|(_, entry)| entry).collect();
        Self { several: false, near, ..Self::several(wanted, &ranked) }
    }

    fn several<T: Entry>(wanted: &str, fitting: &[&T]) -> Self {
        Self {
            what: T::WHAT,
            choose: T::CHOOSE,
            wanted: wanted.into(),
            several: true,
            candidates: fitting.iter().take(CANDIDATES).map(|entry| entry.describe()).collect(),
            near: false,
            more: fitting.len().saturating_sub(CANDIDATES),
            place: None,
            made_by: None,
        }
    }

    /// Says which tool makes what is missing, where nothing near it is there.
    #[must_use]
    pub fn made_by(mut self, tool: &'static str) -> Self {
        self.made_by = Some(tool);
        self
    }

    /// Says where it was looked for: `in harbor-example/docs`, `of ENG`.
    #[must_use]
    pub fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into().into_boxed_str());
        self
    }

    /// Whether the word fits nothing, rather than too much.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        !self.several
    }

    /// What the agent is told.
    #[must_use]
    pub fn into_error(self) -> Error {
        let Self { what, choose, wanted, several, candidates, near, more, place, made_by } = self;
        let wanted = words::short(&wanted, LONGEST);
        let place = place.map(|place| format!(" {}", one_line(&place))).unwrap_or_default();
        let mut listed = candidates.join(", ");
        if more > 0 {
            listed.push_str(&format!(" and {more} more"));
        }
        if several {
            return Error::invalid(format!("More than one {what}{place} fits `{wanted}`"))
                .with_hint(format!("{choose}: {listed}"));
        }
        let error = Error::new(Kind::NotFound, format!("There is no {what} `{wanted}`{place}"));
        let made = made_by.map(|tool| format!("; {tool} makes one")).unwrap_or_default();
        error.with_hint(match (candidates.as_slice(), near) {
            ([], _) => format!("There is no {what} at all{place}{made}"),
            ([only], true) => format!("Did you mean {only}?"),
            (_, true) => format!("Did you mean one of these? {listed}"),
            (_, false) => format!("There is: {listed}{made}"),
        })
    }
}

impl From<Miss> for Error {
    fn from(miss: Miss) -> Self {
        miss.into_error()
    }
}

/// Entries as an error lists them, a few and how many more there are.
#[must_use]
pub fn listed<T: Entry>(entries: &[T]) -> String {
    words::listed(&entries.iter().map(Entry::describe).collect::<Vec<_>>(), CANDIDATES)
}

/// A name as it is compared: in one case, without accents, however its characters are composed, and
/// with `Group → Child` and `group / child` alike.
#[must_use]
pub fn fold(name: &str) -> String {
    let line = one_line(name);
    let plain: String = if line.is_ascii() {
        line.to_lowercase()
    } else {
        let lower = line.to_lowercase();
        let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&lower).into_owned();
        let mut plain = String::with_capacity(decomposed.len());
        for c in decomposed.chars() {
            match c {
                '\u{300}'..='\u{36f}' => {}
                // Letters that no decomposition takes apart, as they are typed without them.
                'ß' => plain.push_str("ss"),
                'æ' => plain.push_str("ae"),
                'œ' => plain.push_str("oe"),
                'ø' => plain.push('o'),
                'ł' => plain.push('l'),
                'đ' => plain.push('d'),
                'ı' => plain.push('i'),
                c => plain.push(c),
            }
        }
        plain
    };
    plain.replace(" → ", "/").replace('→', "/").replace(" -> ", "/").replace(" / ", "/")
}

/// The one of `names` that is nearest to `wanted`, if it is so near that it may have been meant.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(wanted);
    names
        .map(|name| (name, likeness(&wanted, &fold(name))))
        .filter(|(_, likeness)| *likeness >= NEAR)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(name, _)| name)
}

/// How alike two folded names are, from 0 to 1. A first word that both share (`list_…`) says nothing,
/// unless it is all there is of one.
fn likeness(wanted: &str, name: &str) -> f64 {
    if wanted.len() > LONGEST || name.is_empty() {
        return 0.0;
    }
    let [wanted, name] = [wanted, name].map(|name| name.replace(['-', ' '], "_"));
    let (wanted, name) = match (wanted.split_once('_'), name.split_once('_')) {
        (Some((verb, wanted)), Some((other, name))) if verb == other => (wanted, name),
        _ => (wanted.as_str(), name.as_str()),
    };
    let (short, long) = if wanted.len() < name.len() { (wanted, name) } else { (name, wanted) };
    let contained = short.chars().count() >= 3 && long.contains(short);
    let spelled = strsim::normalized_damerau_levenshtein(wanted, name);
    if contained { spelled.max(0.9) } else { spelled }
}

/// How long a directory that was just read again is taken as complete.
const FRESH: Duration = Duration::from_secs(15);

/// Whether a directory may come from what is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// From the cache, where it is there.
    Cached,
    /// From the vendor: what is cached has been found wanting, and must be invalidated first.
    Anew,
}

/// Directories whose names are looked up. What they hold is kept by the cache of the pipeline, under
/// the credential that read it; this remembers only which were read anew for a name that was missing,
/// so that wrong names cost the vendor one reading in 15 seconds, however many there are.
#[derive(Debug, Default)]
pub struct Directories {
    reread: Mutex<HashMap<String, Instant>>,
}

impl Directories {
    /// The one entry that is meant by `wanted` in the directory `key` (what it lists, and of which
    /// repository, team or credential). `read` reads it, narrowed to what may be meant.
    ///
    /// # Errors
    /// Whatever reading it gives; `not_found` or `invalid_argument` with candidates, from [`Miss`].
    pub async fn find<T: Entry, Fut>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(Reading) -> Fut,
    ) -> Result<T>
    where
        Fut: Future<Output = Result<Vec<T>>>,
    {
        let mut reading = Reading::Cached;
        loop {
            let mut entries = read(reading).await?;
            let miss = match find(wanted, &entries) {
                Ok(found) => {
                    let place = entries.iter().position(|entry| std::ptr::eq(entry, found)).unwrap_or(0);
                    return Ok(entries.swap_remove(place));
                }
                Err(miss) => miss,
            };
            if reading == Reading::Anew || !miss.is_unknown() || !self.may_reread(key) {
                return Err(miss.into_error());
            }
            reading = Reading::Anew;
        }
    }

    /// Whether a directory may be read anew for a name that is not in it; and notes that it is.
    pub fn may_reread(&self, key: &str) -> bool {
        let now = Instant::now();
        let mut reread = self.reread.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Only what was read within the last seconds is remembered, so the map stays small.
        reread.retain(|_, last| now.duration_since(*last) < FRESH);
        let may = !reread.contains_key(key);
        if may {
            reread.insert(key.to_owned(), now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Person(&'static str, &'static str, &'static str);

    impl Entry for Person {
        const WHAT: &'static str = "person";

        fn id(&self) -> &str {
            self.0
        }

        fn names(&self) -> Vec<Cow<'_, str>> {
            vec![self.1.into(), self.2.into()]
        }

        fn describe(&self) -> String {
            format!("@{} ({})", self.1, self.2)
        }

        fn full_name(&self) -> Option<&str> {
            Some(self.2)
        }
    }

    const PEOPLE: [Person; 5] = [
        Person("U1", "jonas", "Jonas Weber"),
        Person("U2", "jonas.lind", "Jonas Lind"),
        Person("U3", "aiko", "Aiko Tanaka"),
        Person("U4", "zoe", "Zoë Müller"),
        Person("U5", "soren", "Søren Groß"),
    ];

    fn found(wanted: &str) -> Result<&'static str, String> {
        find(wanted, &PEOPLE).map(|person| person.0).map_err(|miss| miss.into_error().for_agent())
    }

    #[test]
    fn a_name_is_one_in_any_spelling_and_pages_of_text_are_none() {
        assert!(PEOPLE[0].is_called(" JONAS  Weber "));
        assert!(!PEOPLE[0].is_called(&format!("jonas weber{}", " ".repeat(NO_NAME))));
    }

    #[test]
    fn an_id_then_a_name_as_written_then_in_any_spelling_then_the_beginning_of_one() {
        for (wanted, id) in [
            ("u3", "U3"),
            ("jonas", "U1"),
            ("@jonas", "U1"),
            ("@JONAS", "U1"),
            ("jonas weber", "U1"),
            ("Aiko", "U3"),
            ("aik", "U3"),
            ("zoe muller", "U4"),
            ("Zoe\u{308} MU\u{308}LLER", "U4"),
            ("soren gross", "U5"),
            ("Tanaka", "U3"),
            ("muller", "U4"),
            ("  aiko\u{200b} ", "U3"),
        ] {
            assert_eq!(found(wanted).as_deref(), Ok(id), "{wanted}");
        }
    }

    #[test]
    fn a_bare_first_name_that_fits_several_is_asked_back() {
        assert_eq!(
            found("Jonas").unwrap_err(),
            "invalid_argument: More than one person fits `Jonas`. Say which: @jonas (Jonas Weber), @jonas.lind (Jonas Lind)."
        );
        assert!(found("jo").is_err());
        let namesakes = [Person("U1", "jonas", "Jonas Weber"), Person("U2", "ada", "Ada Weber")];
        assert!(find("weber", &namesakes).is_err_and(|miss| !miss.is_unknown()));
        assert!(find("web", &namesakes).is_err(), "a part of a name is a whole word");
        assert!(find("@tanaka", &PEOPLE).is_err(), "with @ it is a handle");
    }

    #[test]
    fn an_unknown_name_lists_what_is_near_or_what_there_is() {
        assert_eq!(
            found("aiku").unwrap_err(),
            "not_found: There is no person `aiku`. Did you mean @aiko (Aiko Tanaka)?"
        );
        let error = found("nobody of the sort").unwrap_err();
        assert!(error.contains("There is: @jonas (Jonas Weber), @jonas.lind (Jonas Lind), @aiko"), "{error}");
        let error = find::<Person>("x", &[]).unwrap_err().place("in acme/shop").into_error().for_agent();
        assert_eq!(
            error,
            "not_found: There is no person `x` in acme/shop. There is no person at all in acme/shop."
        );
        assert!(found("").is_err());
    }

    #[test]
    fn an_error_lists_no_more_than_a_few() {
        let many: Vec<Person> = (0..30).map(|_| Person("", "state", "")).collect();
        let error = find("sta", &many).unwrap_err().into_error().for_agent();
        assert!(error.matches("@state").count() == 8 && error.ends_with("and 22 more."), "{error}");
        assert!(found(&"x".repeat(5_000)).unwrap_err().len() < 400);
    }

    #[test]
    fn only_what_is_truly_near_is_offered() {
        let tools = ["list_initiatives", "list_issues", "get_issue", "search", "update_issue"];
        let near = |wanted| nearest(wanted, tools.into_iter());
        assert_eq!(near("list_notifications"), None);
        assert_eq!(near("list_issue"), Some("list_issues"));
        assert_eq!(near("search_issues"), Some("search"));
        assert_eq!(near("updateissue"), Some("update_issue"));
        assert_eq!(nearest("statu", ["state", "team"].into_iter()), Some("state"));
        assert_eq!(nearest("teams", ["state", "team"].into_iter()), Some("team"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_is_read_anew_once_for_a_name_that_is_not_in_it() {
        let directories = Directories::default();
        let readings = AtomicUsize::new(0);
        let read = |reading| {
            if reading == Reading::Anew {
                readings.fetch_add(1, Relaxed);
            }
            let known = if readings.load(Relaxed) == 0 { 1 } else { PEOPLE.len() };
            async move { Ok(PEOPLE[..known].to_vec()) }
        };
        assert_eq!(directories.find("users", "aiko", read).await.unwrap().0, "U3");
        assert_eq!(readings.load(Relaxed), 1);
        assert!(directories.find("users", "nobody", read).await.is_err());
        assert_eq!(readings.load(Relaxed), 1, "it was read a moment ago");
        tokio::time::advance(FRESH).await;
        assert!(directories.find("users", "nobody", read).await.is_err());
        assert_eq!(readings.load(Relaxed), 2);
    }
}
