//! Notion's Markdown as this server writes and reads it: what Notion would refuse is put right before it is
//! sent, and said; what is signed or unreachable is made short before it is shown.

use connector::catalog::one_line;
use sha2::{Digest as _, Sha256};

/// The closed list of languages of a code block (npm @notionhq/client 5.26.0: LanguageRequest), with the names
/// that people write for them.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("abap", &[]),
    ("abc", &[]),
    ("agda", &[]),
    ("arduino", &["ino"]),
    ("ascii art", &[]),
    ("assembly", &["asm", "nasm"]),
    ("bash", &[]),
    ("basic", &[]),
    ("bnf", &[]),
    ("c", &["h"]),
    ("c#", &["cs", "csharp"]),
    ("c++", &["cpp", "cc", "hpp", "cxx"]),
    ("clojure", &["clj"]),
    ("coffeescript", &["coffee"]),
    ("coq", &[]),
    ("css", &[]),
    ("dart", &[]),
    ("dhall", &[]),
    ("diff", &["patch"]),
    ("docker", &["dockerfile"]),
    ("ebnf", &[]),
    ("elixir", &["ex", "exs"]),
    ("elm", &[]),
    ("erlang", &["erl"]),
    ("f#", &["fs", "fsharp"]),
    ("flow", &[]),
    ("fortran", &["f90"]),
    ("gherkin", &["feature"]),
    ("glsl", &[]),
    ("go", &["golang"]),
    ("graphql", &["gql"]),
    ("groovy", &["gradle"]),
    ("haskell", &["hs"]),
    ("hcl", &["terraform", "tf"]),
    ("html", &["htm"]),
    ("idris", &[]),
    ("java", &[]),
    ("javascript", &["js", "jsx", "mjs", "cjs", "node"]),
    ("json", &["jsonc", "json5", "jsonl"]),
    ("julia", &["jl"]),
    ("kotlin", &["kt", "kts"]),
    ("latex", &["tex"]),
    ("less", &[]),
    ("lisp", &["elisp"]),
    ("livescript", &[]),
    ("llvm ir", &["llvm"]),
    ("lua", &[]),
    ("makefile", &["make", "mk"]),
    ("markdown", &["md", "mdx"]),
    ("markup", &[]),
    ("matlab", &[]),
    ("mathematica", &[]),
    ("mermaid", &[]),
    ("nix", &[]),
    ("notion formula", &[]),
    ("objective-c", &["objc", "objectivec"]),
    ("ocaml", &["ml"]),
    ("pascal", &[]),
    ("perl", &["pl"]),
    ("php", &[]),
    ("plain text", &["text", "txt", "plain", "plaintext", "none"]),
    ("powershell", &["ps1", "pwsh"]),
    ("prolog", &[]),
    ("protobuf", &["proto"]),
    ("purescript", &[]),
    ("python", &["py", "python3"]),
    ("r", &[]),
    ("racket", &[]),
    ("reason", &[]),
    ("ruby", &["rb"]),
    ("rust", &["rs"]),
    ("sass", &[]),
    ("scala", &[]),
    ("scheme", &[]),
    ("scss", &[]),
    ("shell", &["sh", "zsh", "fish", "console", "shell-session"]),
    ("smalltalk", &[]),
    ("solidity", &["sol"]),
    ("sql", &["postgresql", "mysql", "sqlite"]),
    ("swift", &[]),
    ("toml", &[]),
    ("typescript", &["ts", "tsx", "mts"]),
    ("vb.net", &["vbnet"]),
    ("verilog", &[]),
    ("vhdl", &[]),
    ("visual basic", &["vb"]),
    ("webassembly", &["wasm", "wat"]),
    ("xml", &["svg"]),
    ("yaml", &["yml"]),
    ("java/c/c++/c#", &[]),
];

/// The longest address of a link (developers.notion.com/reference/request-limits).
const MAX_URL: usize = 2000;

/// Notion's name for a language; none if it has none.
fn language(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    if name.is_empty() {
        return Some("plain text");
    }
    let found = LANGUAGES.iter().find(|(known, others)| *known == name || others.contains(&name.as_str()));
    found.map(|(known, _)| *known)
}

/// Markdown that Notion takes, and what had to be changed for that.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) text: String,
    /// Languages that Notion does not know.
    languages: Vec<String>,
    /// Links kept as text.
    links: usize,
    /// Images kept as text.
    images: usize,
}

impl Accepted {
    /// What was changed, a sentence each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.languages.is_empty() {
            notes.push(format!(
                "Languages that Notion does not know became plain text: {}.",
                self.languages.join(", ")
            ));
        }
        match self.links {
            0 => {}
            1 => notes.push("1 link kept as text: Notion takes only web and mail addresses.".to_owned()),
            many => {
                notes.push(format!("{many} links kept as text: Notion takes only web and mail addresses."));
            }
        }
        match self.images {
            0 => {}
            1 => notes.push(
                "1 image kept as text: Notion takes only images at web addresses; upload_file takes files.".to_owned(),
            ),
            many => notes.push(format!(
                "{many} images kept as text: Notion takes only images at web addresses; upload_file takes files."
            )),
        }
        notes
    }
}

/// Makes `text` one that Notion takes: languages by its names, links that it would refuse as text, lists that
/// are indented by blanks with tabs. Code stays as it is, to the byte.
pub(crate) fn accept(text: &str) -> Accepted {
    let mut accepted = Accepted::default();
    let mut fence: Option<String> = None;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let bare = line.trim_start_matches(['\t', ' ']);
        let ticks = bare.len() - bare.trim_start_matches('`').len();
        if let Some(open) = &fence {
            if bare.trim_end() == open.as_str() {
                fence = None;
            }
            lines.push(line.to_owned());
            continue;
        }
        let line = tabs(line);
        if ticks >= 3 && !bare[ticks..].contains('`') {
            let mark = "`".repeat(ticks);
            let name = &bare[ticks..];
            let known = language(name).unwrap_or_else(|| {
                accepted.languages.push(one_line(name));
                "plain text"
            });
            let indent = &line[..line.len() - line.trim_start_matches('\t').len()];
            lines.push(format!("{indent}{mark}{known}"));
            fence = Some(mark);
            continue;
        }
        lines.push(links(&line, &mut accepted));
    }
    accepted.text = lines.join("\n");
    accepted
}

/// Blanks before a list's mark become tabs: two or four of them are one level.
fn tabs(line: &str) -> String {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let rest = &line[blanks..];
    let numbered = rest.split_once(". ").is_some_and(|(digits, _)| {
        !digits.is_empty() && digits.len() < 4 && digits.chars().all(|c| c.is_ascii_digit())
    });
    let listed = rest.starts_with("- ") || rest.starts_with("* ") || numbered;
    if blanks < 2 || !listed {
        return line.to_owned();
    }
    let step = if blanks.is_multiple_of(4) && !blanks.is_multiple_of(8) && blanks > 4 { 4 } else { 2 };
    let step = if numbered && blanks.is_multiple_of(3) { 3 } else { step };
    format!("{}{rest}", "\t".repeat(blanks / step))
}

/// The links and images of a line: `<address>` becomes a link, what Notion would refuse keeps its words.
fn links(line: &str, accepted: &mut Accepted) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['\\', '`', '[', '<']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let image = out.ends_with('!') && !out.ends_with("\\!");
        let taken = if rest.starts_with('\\') {
            rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at)
        } else if ticks > 0 {
            let mark = &rest[..ticks];
            rest[ticks..].find(mark).map_or(ticks, |end| ticks * 2 + end)
        } else if let Some((address, length)) = autolink(rest) {
            out.push_str(&format!("[{address}]({address})"));
            rest = &rest[length..];
            continue;
        } else if let Some((words, address, length)) = link(rest)
            && !(if image { is_image(address) } else { is_accepted(address) })
        {
            if image {
                out.pop();
                accepted.images += 1;
            } else {
                accepted.links += 1;
            }
            let unsafe_scheme = address.to_ascii_lowercase().trim_start().starts_with("javascript:");
            if unsafe_scheme || address.chars().count() > MAX_URL {
                out.push_str(words);
            } else {
                out.push_str(format!("{words} ({address})").trim_start());
            }
            rest = &rest[length..];
            continue;
        } else {
            1
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

/// `<https://…>`.
fn autolink(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find('>')?;
    let address = &inside[..end];
    let web =
        address.starts_with("https://") || address.starts_with("http://") || address.starts_with("mailto:");
    (web && !address.contains(char::is_whitespace)).then_some((address, end + 2))
}

/// `[words](address)`.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let mut depth = 0_usize;
    let mut escaped = false;
    let close = text.char_indices().find_map(|(at, c)| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        None
    })?;
    let inside = text[close + 1..].strip_prefix('(')?;
    let mut depth = 0_usize;
    let end = inside.char_indices().find_map(|(at, c)| match c {
        '(' => {
            depth += 1;
            None
        }
        ')' if depth == 0 => Some(at),
        ')' => {
            depth -= 1;
            None
        }
        _ => None,
    })?;
    Some((&text[1..close], &inside[..end], close + end + 3))
}

/// Whether Notion takes an address as a link's: absolute and of a known scheme.
pub(crate) fn is_accepted(address: &str) -> bool {
    let scheme =
        ["https://", "http://", "mailto:", "tel:"].iter().find(|scheme| address.starts_with(**scheme));
    scheme.is_some_and(|scheme| address.len() > scheme.len())
        && address.chars().count() <= MAX_URL
        && !address.contains(char::is_whitespace)
}

/// Whether Notion takes an address as an image's; what it refuses fails the whole write ("Invalid URL for external
/// file"). How long it is, is not looked at: signed addresses are long.
fn is_image(address: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme) && address.len() > scheme.len())
}

/// A page's text as it is shown: addresses of files without their signature, which expires and says nothing;
/// linked databases said to be such.
pub(crate) fn shown(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for (at, line) in markdown.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let line = unsigned(line);
        if line.trim_start().starts_with("<database ") && line.ends_with("></database>") {
            let open = line.strip_suffix("</database>").unwrap_or(&line);
            out.push_str(&format!(
                "{open}[linked database, source not reachable with this token]</database>"
            ));
        } else {
            out.push_str(&line);
        }
    }
    out
}

/// A line without the signatures of Notion's own files.
fn unsigned(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("X-Amz-") {
        let query = rest[..at].rfind('?').unwrap_or(at);
        let end = rest[at..].find([')', '"', ' ']).map_or(rest.len(), |end| at + end);
        out.push_str(&rest[..query]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// A short digest of a page's text, to tell whether it changed: Notion's times are cut to the minute, so they
/// cannot tell two edits in one.
pub(crate) fn digest(markdown: &str) -> String {
    let text: Vec<String> = markdown.split('\n').map(unsigned).collect();
    let mut hash = digest_of(text.join("\n").as_bytes());
    hash.truncate(12);
    hash
}

/// A digest of bytes, in hexadecimal.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Ids of the pages and databases that a text holds as children, with their titles.
pub(crate) fn children(markdown: &str) -> Vec<(String, String)> {
    let tag = |line: &str| {
        let line = line.trim_start();
        let inside = line.strip_prefix("<page url=\"").or_else(|| line.strip_prefix("<database url=\""))?;
        let (url, rest) = inside.split_once('"')?;
        let title =
            rest.split_once('>').and_then(|(_, rest)| rest.split_once("</")).map_or("", |(title, _)| title);
        Some((crate::resolve::id_of(url)?, title.to_owned()))
    };
    markdown.lines().filter_map(tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// N1. Languages are a closed list; what is not on it fails the whole write (4ier/notion-cli#22).
    #[test]
    fn any_code_fence_is_accepted_and_code_stays_as_it_is() {
        for (given, wanted) in [
            ("ts", "typescript"),
            ("Python ", "python"),
            ("zsh", "shell"),
            ("jsonc", "json"),
            ("", "plain text"),
            ("Dockerfile", "docker"),
        ] {
            let code = "  let x = `[a](b)`;\n\t<https://x.example>  ";
            let accepted = accept(&format!("```{given}\n{code}\n```"));
            assert_eq!(accepted.text, format!("```{wanted}\n{code}\n```"));
            assert!(accepted.notes().is_empty(), "{given}");
        }
        let accepted = accept("````brainfuck\n```\n````");
        assert_eq!(accepted.text, "````plain text\n```\n````");
        assert_eq!(accepted.notes(), ["Languages that Notion does not know became plain text: brainfuck."]);
    }

    /// N2. "Invalid URL for link" fails the whole page (brittonhayes/notionmd#12).
    #[test]
    fn a_link_that_notion_refuses_keeps_its_words() {
        let long = format!("[long](https://x.example/{})", "a".repeat(2001));
        let text = format!(
            "- [Building](./building.md)\n[top](#intro)\n[mail](mailto:a@b.example)\n[x](javascript:alert(1))\n<https://ok.example/?a=b>\n{long}"
        );
        let accepted = accept(&text);
        assert_eq!(
            accepted.text,
            "- Building (./building.md)\ntop (#intro)\n[mail](mailto:a@b.example)\nx\n[https://ok.example/?a=b](https://ok.example/?a=b)\nlong"
        );
        assert_eq!(accepted.notes(), ["4 links kept as text: Notion takes only web and mail addresses."]);
        assert_eq!(accept("`[a](b)` \\[c](d)").text, "`[a](b)` \\[c](d)");
    }

    /// Neighbour of N2: "Invalid URL for external file" fails the whole page too.
    #[test]
    fn an_image_that_notion_refuses_keeps_its_words() {
        let accepted = accept("![x](./a.png)\n\t- ![](b.png)\n\\![c](d)");
        assert_eq!(accepted.text, "x (./a.png)\n\t- (b.png)\n\\!c (d)");
        assert_eq!(
            accepted.notes(),
            [
                "1 link kept as text: Notion takes only web and mail addresses.",
                "2 images kept as text: Notion takes only images at web addresses; upload_file takes files.",
            ]
        );
        let signed = format!("![x](https://files.example/a.png?X-Amz-Signature={})", "a".repeat(2_500));
        for kept in [
            "![x](https://ok.example/a.png)",
            "`![x](./a.png)`",
            "```plain text\n![x](./a.png)\n```",
            &signed,
        ] {
            assert_eq!(accept(kept), Accepted { text: kept.to_owned(), ..Accepted::default() });
        }
    }

    #[test]
    fn lists_indented_by_blanks_nest() {
        assert_eq!(accept("- a\n  - b\n    - c").text, "- a\n\t- b\n\t\t- c");
        assert_eq!(accept("1. a\n   1. b").text, "1. a\n\t1. b");
        assert_eq!(accept("    no list").text, "    no list");
    }

    #[test]
    fn signatures_are_neither_shown_nor_part_of_the_digest() {
        let a = "![c](https://f.example/a.png?X-Amz-Expires=3600&X-Amz-Signature=1) b";
        assert_eq!(shown(a), "![c](https://f.example/a.png) b");
        assert_eq!(digest(a), digest(&a.replace("Signature=1", "Signature=2")));
        assert_ne!(digest("a"), digest("b"));
    }
}
