//! The fake has no route that nobody asks for.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::fake::Sandbox;

/// Path-like words in all sources below `folder`, each as its last segment and the one before.
fn named_below(folder: &Path, named: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            if !entry.ends_with("sandbox") {
                named_below(&entry, named);
            }
            continue;
        }
        let text = fs::read_to_string(&entry).unwrap_or_default();
        for word in text.split(|c: char| c.is_whitespace() || "\"'`?(),;".contains(c)) {
            let mut segments = word.trim_matches('/').rsplit('/').map(str::to_owned);
            let last = segments.next().unwrap_or_default();
            named.insert((segments.next().unwrap_or_default(), last));
        }
    }
}

/// By the end of its path, each of GitHub's routes is named in the server or in its tests.
#[tokio::test]
async fn every_route_is_asked_by_somebody() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeSet::new();
    for folder in ["src", "tests"] {
        named_below(&server.join(folder), &mut named);
    }
    let fits = |template: &str, word: &str| template.starts_with('{') || template == word;
    let is_asked = |route: &str| {
        let mut segments = route.rsplit('/');
        let (last, before) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        named
            .iter()
            .any(|(first, second)| fits(last, second) && (before.ends_with(' ') || fits(before, first)))
    };
    let routes = Sandbox::start().await.get("_github/routes").await;
    let routes = routes.as_array().unwrap().iter().map(|route| route.as_str().unwrap());
    let routes = routes.filter(|route| !route.contains(" /_github/"));
    assert_eq!(routes.filter(|route| !is_asked(route)).collect::<Vec<_>>(), [""; 0]);
}
