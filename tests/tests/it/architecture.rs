//! The picture of the house in `docs/architecture.md` is true: its floors are the modules of the common crate, and no
//! `use` of one leads to a module on a floor above its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Modules of the common crate by their floor, from the ground (0) up, as the picture shows them: a line
/// `subgraph floorN` and below it a line for each module, `name["..."]`.
fn floors() -> BTreeMap<String, usize> {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut floor = None;
    let mut floors = BTreeMap::new();
    for line in page.lines().map(str::trim) {
        if let Some(number) = line.strip_prefix("subgraph floor") {
            floor = Some(number.split('[').next().unwrap().parse().unwrap());
        } else if line == "end" {
            floor = None;
        } else if let (Some(floor), Some((module, _))) = (floor, line.split_once("[\"")) {
            floors.insert(module.to_owned(), floor);
        }
    }
    floors
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The arrows between the modules of the common crate: from, to, and the file that says so. Tests may use what they
/// like.
fn arrows() -> BTreeSet<(String, String, PathBuf)> {
    let sources = root().join("shared/src");
    let mut arrows = BTreeSet::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let own = path.strip_prefix(&sources).unwrap().to_owned();
            let name = own.to_str().unwrap();
            if own == Path::new("lib.rs") || !name.ends_with(".rs") || name.contains("tests") {
                continue;
            }
            let from = name.split(['/', '.']).next().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for to in used(code).into_iter().filter(|to| to != from) {
                arrows.insert((from.to_owned(), to, own.clone()));
            }
        }
    }
    arrows
}

/// The modules that `use crate::...` and paths that begin with `crate::` name, and those that the names at the crate's
/// root come from.
fn used(code: &str) -> BTreeSet<String> {
    let code: String = code.lines().map(|line| line.split("//").next().unwrap().to_owned() + "\n").collect();
    let mut found = BTreeSet::new();
    for (_, rest) in code.match_indices("crate::").map(|(at, word)| code.split_at(at + word.len())) {
        let names = match rest.strip_prefix('{') {
            Some(group) => outermost(group),
            None => vec![rest],
        };
        for name in names {
            let end =
                name.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(name.len());
            let module = match &name[..end] {
                "" => continue,
                "About" | "Connector" | "Sandbox" => "connector",
                "Check" | "CheckState" | "NO_CREDENTIAL" => "check",
                "Effect" => "effect",
                "Error" | "Kind" | "Result" | "Retry" => "error",
                "Secret" => "secret",
                "Service" | "ServiceOptions" => "service",
                "tls" => "upstream",
                module => module,
            };
            found.insert(module.to_owned());
        }
    }
    found
}

/// The parts of `{a, b::{c, d}, e}` after its first brace.
fn outermost(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut parts) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(group[begin..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(group[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts
}

#[test]
fn no_arrow_between_modules_points_up() {
    let floors = floors();
    let arrows = arrows();
    let floor = |module: &String| {
        floors.get(module).unwrap_or_else(|| panic!("`{module}` has no floor in the picture"))
    };
    let up: Vec<_> = arrows.iter().filter(|(from, to, _)| floor(to) > floor(from)).collect();
    assert!(up.is_empty(), "these point up: {up:#?}");
    // Neighbours by intent: neither knows the other, nor the protocol.
    for (from, to, file) in &arrows {
        let strangers =
            matches!((from.as_str(), to.as_str()), ("upstream", "access") | ("access", "upstream"));
        assert!(!strangers, "{from} knows {to}: {}", file.display());
    }
}

#[test]
fn the_picture_shows_every_module_of_the_common_crate_and_no_other() {
    let modules: BTreeSet<_> = std::fs::read_to_string(root().join("shared/src/lib.rs"))
        .unwrap()
        .lines()
        .filter_map(|line| {
            line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
        })
        .collect();
    assert_eq!(floors().into_keys().collect::<BTreeSet<_>>(), modules);
}
