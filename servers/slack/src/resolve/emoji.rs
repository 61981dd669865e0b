//! Emoji by Slack's names: a character, a CLDR name, a skin tone or a name between colons is brought
//! into the form that reactions.add takes (docs.slack.dev/reference/methods/reactions.add).

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use connector::{Error, Result, catalog::one_line};

/// A standard emoji.
struct Standard {
    character: &'static str,
    /// Slack's names of it, the first of which it keeps.
    names: Vec<&'static str>,
    /// What else it is called, by Unicode.
    other: Option<&'static str>,
}

/// Every standard emoji; the file says where its names are from.
static STANDARD: LazyLock<Vec<Standard>> = LazyLock::new(|| {
    let rows = include_str!("emoji.tsv").lines().filter(|line| !line.starts_with(';'));
    rows.filter_map(|row| {
        let mut columns = row.split('\t');
        let (character, names) = (columns.next()?, columns.next()?);
        Some(Standard { character, names: names.split(' ').collect(), other: columns.next() })
    })
    .collect()
});

/// Slack's name of each character.
static BY_CHARACTER: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| STANDARD.iter().map(|emoji| (emoji.character, emoji.names[0])).collect());

/// Slack's name for each name that an emoji goes by. Slack's own go before others.
static BY_NAME: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let mut names: HashMap<&str, &str> = EVERYDAY.iter().copied().collect();
    names.extend(STANDARD.iter().filter_map(|emoji| Some((emoji.other?, emoji.names[0]))));
    names.extend(STANDARD.iter().flat_map(|emoji| emoji.names.iter().map(|name| (*name, emoji.names[0]))));
    names
});

/// What people call some of them besides.
const EVERYDAY: &[(&str, &str)] = &[
    ("like", "+1"),
    ("thanks", "pray"),
    ("please", "pray"),
    ("check", "white_check_mark"),
    ("done", "white_check_mark"),
    ("tick", "white_check_mark"),
    ("thinking", "thinking_face"),
    ("robot", "robot_face"),
    ("facepalm", "face_palm"),
    ("party", "tada"),
];

/// Skin tones, from light to dark, by Slack's numbers.
const TONES: [(char, u8); 5] =
    [('\u{1f3fb}', 2), ('\u{1f3fc}', 3), ('\u{1f3fd}', 4), ('\u{1f3fe}', 5), ('\u{1f3ff}', 6)];

/// How often an alias of the workspace's may stand for another.
const ALIASES: usize = 5;

/// Slack's name of the emoji that `text` means. `own` are the workspace's, with aliases as `alias:name`, which are
/// followed: a reaction is kept under the name that an alias stands for. A name that nobody knows here is for
/// Slack to refuse, which may know more.
///
/// # Errors
/// `invalid_argument` for nothing, or a character that is no emoji.
pub(crate) fn name(text: &str, own: &BTreeMap<String, String>) -> Result<String> {
    let word = text.trim().trim_matches(':');
    if word.is_empty() {
        return Err(Error::invalid("`emoji` is empty")
            .with_hint("Give a name such as white_check_mark, or the character"));
    }
    if !word.is_ascii() {
        let tone =
            word.chars().find_map(|c| TONES.iter().find(|(tone, _)| *tone == c)).map(|(_, number)| *number);
        let bare: String =
            word.chars().filter(|c| *c != '\u{fe0f}' && !TONES.iter().any(|(tone, _)| tone == c)).collect();
        // What goes on with a joiner and a sign that is not known is at least what it begins with.
        let first = bare.split('\u{200d}').next().unwrap_or_default();
        // A tone alone is an emoji too.
        if let Some(name) = BY_CHARACTER.get(word) {
            return Ok((*name).to_owned());
        }
        let name = BY_CHARACTER.get(bare.as_str()).or_else(|| BY_CHARACTER.get(first)).ok_or_else(|| {
            Error::invalid(format!("{} is not an emoji", one_line(word)))
                .with_hint("Give one character, or Slack's name for it without colons")
        })?;
        return Ok(tone.map_or_else(|| (*name).to_owned(), |tone| format!("{name}::skin-tone-{tone}")));
    }
    let (base, tone) = word.split_once("::").map_or((word, ""), |(base, tone)| (base, tone));
    let mut base = base.trim_matches(':').to_lowercase().replace(' ', "_");
    let tone =
        if tone.is_empty() { String::new() } else { format!("::{}", tone.to_lowercase().replace('_', "-")) };
    for _ in 0..ALIASES {
        match own.get(&base).and_then(|address| address.strip_prefix("alias:")) {
            Some(stands_for) => base = stands_for.to_owned(),
            None => break,
        }
    }
    if own.contains_key(&base) {
        return Ok(base);
    }
    Ok(format!("{}{tone}", BY_NAME.get(base.as_str()).copied().unwrap_or(&base)))
}

/// The longest text that is compared with names.
const LONGEST: usize = 200;
/// How many near names are told.
const NEAR: usize = 3;

/// The names nearest to one that Slack does not know.
pub(crate) fn nearest(name: &str, own: &BTreeMap<String, String>) -> Vec<String> {
    // What is longer than any emoji's name is near to none.
    if name.len() > LONGEST {
        return Vec::new();
    }
    let name = name.split("::").next().unwrap_or_default();
    let words: Vec<&str> = name.split(['_', '-']).collect();
    let mut scored: BTreeMap<&str, f64> = BTreeMap::new();
    let own = own.keys().map(|other| (other.as_str(), other.as_str()));
    for (other, meant) in BY_NAME.iter().map(|(other, meant)| (*other, *meant)).chain(own) {
        let shared = other.split(['_', '-']).filter(|part| words.contains(part)).count();
        let mut score = strsim::jaro_winkler(name, other) + shared as f64 * 0.2;
        // A word that is itself a name of an emoji.
        if words.contains(&other) {
            score += 0.5;
        }
        let best = scored.entry(meant).or_default();
        *best = best.max(score);
    }
    let mut scored: Vec<(&str, f64)> = scored.into_iter().collect();
    scored.sort_by(|(left, a), (right, b)| b.total_cmp(a).then_with(|| left.cmp(right)));
    scored.into_iter().take(NEAR).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_a_colon_name_a_cldr_name_and_a_skin_tone_are_slacks_name() {
        // https://github.com/gammons/slk/issues/65
        let own = [
            ("party-parrot", "https://x"),
            ("shipit", "alias:ship"),
            ("go", "alias:shipit"),
            ("round", "alias:round"),
        ];
        let own = own.map(|(name, address)| (name.to_owned(), address.to_owned()));
        let own = BTreeMap::from(own);
        for (given, expected) in [
            ("👍", "+1"),
            (":white_check_mark:", "white_check_mark"),
            ("thumbs_up", "+1"),
            ("thumbsup", "+1"),
            ("👋🏽", "wave::skin-tone-4"),
            ("party-parrot", "party-parrot"),
            ("shipit", "ship"),
            (":go:", "ship"),
            ("round", "round"),
            ("❤️", "heart"),
            ("🤷🏿‍♂️", "man-shrugging::skin-tone-6"),
            ("🦊", "fox_face"),
            ("🪿", "goose"),
            ("🇸🇪", "flag-se"),
            ("calendar", "calendar"),
            ("wave::skin-tone-2", "wave::skin-tone-2"),
            ("Thumbs Up", "+1"),
            ("white_tick", "white_tick"),
        ] {
            assert_eq!(name(given, &own).unwrap(), expected, "{given}");
        }
        assert!(name("é", &own).is_err() && name("::", &own).is_err());
    }

    #[test]
    fn three_names_are_near_to_one_that_nobody_knows() {
        let own = BTreeMap::from([("party-parrot".to_owned(), "https://x".to_owned())]);
        for (wrong, meant) in
            [("white_tick", "white_check_mark"), ("partyparot", "party-parrot"), ("rockett", "rocket")]
        {
            let near = nearest(wrong, &own);
            assert!(near.len() == 3 && near.contains(&meant.to_owned()), "{wrong}: {near:?}");
        }
        assert!(nearest(&"x".repeat(1_000), &own).is_empty());
    }

    #[test]
    fn every_standard_emoji_is_there_once_with_a_name() {
        assert!(STANDARD.len() > 1_890 && BY_CHARACTER.len() == STANDARD.len());
        for emoji in STANDARD.iter() {
            assert_eq!(name(emoji.character, &BTreeMap::new()).unwrap(), emoji.names[0]);
        }
        for (_, meant) in EVERYDAY {
            assert!(STANDARD.iter().any(|emoji| emoji.names[0] == *meant), "{meant}");
        }
    }
}
