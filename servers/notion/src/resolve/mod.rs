//! Names, ids and addresses to ids.

pub(crate) mod columns;
pub(crate) mod dates;
pub(crate) mod filter;
pub(crate) mod icons;
pub(crate) mod linked;
pub(crate) mod mentions;
pub(crate) mod pages;
pub(crate) mod people;
pub(crate) mod tables;
pub(crate) mod values;
pub(crate) mod views;

use connector::{
    Error, Result,
    catalog::{names, one_line},
};

/// The id in a text: with or without dashes, or in an address of Notion, whose `?v=` and title are no part of it.
/// An address of another host has none.
pub(crate) fn id_of(text: &str) -> Option<String> {
    let text = text.trim();
    let path = match text.split_once("://") {
        Some(("https" | "http", rest)) => {
            let (host, path) = rest.split_once('/')?;
            let host = host.to_ascii_lowercase();
            let ours = ["notion.so", "notion.com", "notion.site"];
            if !ours.iter().any(|ours| host == *ours || host.ends_with(&format!(".{ours}"))) {
                return None;
            }
            path
        }
        Some(("notion" | "collection" | "view" | "user", rest)) => rest,
        Some(_) => return None,
        None => text,
    };
    let path = path.split(['?', '#']).next()?.trim_end_matches('/');
    let last = path.rsplit('/').next()?;
    let hex: String = last.chars().filter(|c| *c != '-').collect();
    let tail = hex.get(hex.len().checked_sub(32)?..)?;
    // A bare id is nothing else; in an address the title stands before it.
    let whole = text.contains("://") || hex.len() == 32;
    (whole && tail.chars().all(|c| c.is_ascii_hexdigit())).then(|| dashed(&tail.to_ascii_lowercase()))
}

/// The view that an address names: `?v=…`.
pub(crate) fn view_of(text: &str) -> Option<String> {
    parameter(text, "v=")
}

/// The page that is open in an address, beside its table too: `…/Table?v=…&p=…`.
pub(crate) fn page_of(text: &str) -> Option<String> {
    id_of(text).map(|id| parameter(text, "p=").unwrap_or(id))
}

/// The block that an address leads to: `…/Page#…`.
pub(crate) fn block_of(text: &str) -> Option<String> {
    id_of(text)?;
    text.rsplit_once('#').and_then(|(_, block)| id_of(block))
}

fn parameter(text: &str, name: &str) -> Option<String> {
    let (_, query) = text.split_once('?')?;
    id_of(query.split(['&', '#']).find_map(|pair| pair.strip_prefix(name))?)
}

fn dashed(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The id that an argument is, of what has no name.
///
/// # Errors
/// `invalid_argument` if it is none.
pub(crate) fn id(argument: &str, text: &str) -> Result<String> {
    id_of(text).ok_or_else(|| {
        Error::invalid(format!("`{argument}`: {} is neither an id nor an address of Notion", one_line(text)))
            .with_hint("search finds ids by title")
    })
}

/// Whether two names are the same but for case, accents and composition.
pub(crate) fn same(a: &str, b: &str) -> bool {
    names::fold(a) == names::fold(b)
}

/// Whether a word may mean an option: the same letters and digits, however they are divided.
pub(crate) fn same_option(a: &str, b: &str) -> bool {
    let letters = |text: &str| names::fold(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    same(a, b) || !letters(a).is_empty() && letters(a) == letters(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_every_form_and_in_no_other_host() {
        let id = Some("9a9e0000-0000-4000-8000-000000000002".to_owned());
        for text in [
            "9a9e0000-0000-4000-8000-000000000002",
            "9a9e0000000040008000000000000002",
            "https://www.notion.so/harbor/Import-API-v2-9a9e0000000040008000000000000002?v=1#abc",
            "https://app.notion.com/p/9a9e0000000040008000000000000002",
            "collection://9a9e0000-0000-4000-8000-000000000002",
        ] {
            assert_eq!(id_of(text), id, "{text}");
        }
        for text in ["https://evil.example/9a9e0000000040008000000000000002", "Tasks", "9a9e0000", ""] {
            assert_eq!(id_of(text), None, "{text}");
        }
        let view = view_of(
            "https://www.notion.so/db000000000040008000000000000001?v=f1e30000000040008000000000000002",
        );
        assert_eq!(view.as_deref(), Some("f1e30000-0000-4000-8000-000000000002"));
        let beside = "https://www.notion.so/harbor/db000000000040008000000000000001?v=f1e30000000040008000000000000002&p=9a9e0000000040008000000000000002&pm=s";
        assert_eq!((page_of(beside), page_of("Tasks")), (id.clone(), None));
        let line =
            "https://www.notion.so/Page-db000000000040008000000000000001#9a9e0000000040008000000000000002";
        assert_eq!((block_of(line), block_of(beside)), (id, None));
        let evil =
            "https://evil.example/x?p=9a9e0000000040008000000000000002#9a9e0000000040008000000000000002";
        assert_eq!((page_of(evil), block_of(evil)), (None, None));
    }
}
