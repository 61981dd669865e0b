//! Names, ids and addresses to ids.

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
        Some(("notion" | "collection" | "view", rest)) => rest,
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

fn dashed(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
