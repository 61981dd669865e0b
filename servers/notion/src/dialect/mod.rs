//! Notion's Markdown as this server writes and reads it: what Notion would refuse is put right before it is
//! sent, and said; what is signed or unreachable is made short before it is shown.

mod files;
mod languages;
mod lines;
mod links;
mod numbers;

use connector::catalog::one_line;
use sha2::{Digest as _, Sha256};

use files::unsigned;
pub(crate) use files::{is_signed, narrowed};
use languages::language;
use lines::Lists;
pub(crate) use lines::{Code, Part};
use links::links;
pub(crate) use links::{is_accepted, link};
pub(crate) use numbers::{renumbered, unnumbered};

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
    /// A text that is taken as it is.
    pub(crate) fn unchanged(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

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
/// are indented by blanks with tabs. Code and block equations stay as they are, to the byte.
pub(crate) fn accept(text: &str) -> Accepted {
    accept_in(text, Code::default())
}

/// The same of a text that is put where `code` says that code is, or is not.
pub(crate) fn accept_in(text: &str, mut code: Code) -> Accepted {
    let mut accepted = Accepted::default();
    let mut lists = Lists::default();
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        lines.push(match code.line(line) {
            Part::Inside => line.to_owned(),
            Part::Fence { ticks, name } => {
                let known = language(name).unwrap_or_else(|| {
                    accepted.languages.push(one_line(name));
                    "plain text"
                });
                let indent = &line[..line.len() - line.trim_start_matches('\t').len()];
                format!("{indent}{}{known}", "`".repeat(ticks))
            }
            Part::Prose => links(&lists.tabs(line), &mut accepted),
        });
    }
    accepted.text = lines.join("\n");
    accepted
}

/// What is said in the place of the title of a database whose table cannot be read.
const LINKED: &str = "[linked database, source not reachable with this token]";

/// A page's text as it is shown: addresses of files without their signature, which expires and says nothing.
pub(crate) fn shown(markdown: &str) -> String {
    markdown.split('\n').map(unsigned).collect::<Vec<_>>().join("\n")
}

/// The databases without a title in a text, by their ids: linked ones are such.
pub(crate) fn untitled(markdown: &str) -> Vec<String> {
    let none = |line: &&str| line.trim_start().starts_with("<database ") && line.ends_with("></database>");
    let lines = markdown.lines().filter(none);
    lines.flat_map(|line| children(line).into_iter().map(|(id, _)| id)).collect()
}

/// A text in which the databases `linked` are said to be such.
pub(crate) fn with_linked(markdown: &str, linked: &[String]) -> String {
    let line = |line: &str| match line.strip_suffix("</database>").filter(|open| open.ends_with('>')) {
        Some(open) if children(line).iter().any(|(id, _)| linked.contains(id)) => {
            format!("{open}{LINKED}</database>")
        }
        _ => line.to_owned(),
    };
    markdown.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A text that was copied from what was shown of `page`, as the page has it: files with their signatures, databases
/// without a word about them.
pub(crate) fn as_stored(text: &str, page: &str) -> String {
    files::signed(&text.replace(LINKED, ""), page)
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

    /// N2 inside the tags of the dialect, and beside a sign that is none.
    #[test]
    fn a_refused_link_takes_no_tag_with_it() {
        for (given, wanted) in [
            ("\t\t<td>[Building](./building.md)</td>", "\t\t<td>Building (./building.md)</td>"),
            ("<summary>[top](#intro)</summary>", "<summary>top (#intro)</summary>"),
            ("<span color=\"red\">![x](./a.png)</span>", "<span color=\"red\">x (./a.png)</span>"),
            ("if a < b then [doc](./x)", "if a < b then doc (./x)"),
            ("<td>x] y</td>", "<td>x] y</td>"),
            ("x] (y)", "x] (y)"),
        ] {
            assert_eq!(accept(given).text, wanted);
        }
    }

    #[test]
    fn a_block_equation_and_code_with_ticks_in_it_stay_as_they_are() {
        for text in ["$$\nf[i](x)\n$$", "$$f[i](x)$$", "````plain text\n```\n[a](b)\n```\n  - c\n````"] {
            assert_eq!(accept(text), Accepted { text: text.to_owned(), ..Accepted::default() });
        }
        assert_eq!(accept("$$\nx\n$$\n[a](./b)").text, "$$\nx\n$$\na (./b)");
        // What is put into code is code.
        let code = Code::after("Text\n```yaml\nsteps:\n  - run");
        assert!(code.is_open());
        let yaml = "run: x\n    - y: [a](./b)\n```\n[c](./d)";
        assert_eq!(accept_in(yaml, code).text, "run: x\n    - y: [a](./b)\n```\nc (./d)");
        assert!(!Code::after("```\na\n```\nb").is_open() && !Code::after("a").is_open());
    }

    #[test]
    fn what_was_shown_is_what_the_page_has() {
        let page = "![c](https://f.example/a.png?X-Amz-Signature=1) b\n<pdf src=\"https://f.example/a.png.pdf?X-Amz-Signature=2\"></pdf>\n<database url=\"https://www.notion.so/9a9e0000000040008000000000000002\" inline=\"true\"></database>";
        let id = untitled(page);
        assert_eq!(id, ["9a9e0000-0000-4000-8000-000000000002"]);
        let read = with_linked(&shown(page), &id);
        assert!(read.contains(LINKED) && !read.contains("X-Amz"), "{read}");
        assert_eq!(as_stored(&read, page), page);
        assert_eq!(as_stored("https://f.example/a.png2", page), "https://f.example/a.png2");
    }

    #[test]
    fn lists_indented_by_blanks_nest() {
        assert_eq!(accept("- a\n  - b\n    - c").text, "- a\n\t- b\n\t\t- c");
        let deep = "- a\n    - b\n        - c\n            - d\n                - e\n    - f\n- g";
        assert_eq!(accept(deep).text, "- a\n\t- b\n\t\t- c\n\t\t\t- d\n\t\t\t\t- e\n\t- f\n- g");
        assert_eq!(accept("\t- a\n\t  - b").text, "\t- a\n\t\t- b");
        assert_eq!(accept("1. a\n   - b\n     - c\n\n   - d").text, "1. a\n\t- b\n\t\t- c\n\n\t- d");
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
