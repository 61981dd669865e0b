//! Markdown written as HTML.

use super::{is_block, tags::is_address};

/// Tags by which a text is known to be HTML already.
const KNOWN: [&str; 18] = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "blockquote",
    "pre",
    "table",
    "strong",
    "b",
    "em",
    "i",
    "a",
    "span",
    "u",
];

/// How many marks within marks are read, and how many bytes may stand between one and its end.
const DEEPEST: usize = 8;
const LONGEST: usize = 2_048;

/// Markdown as HTML: each line is a paragraph, an item, a heading, a quote. A text that is HTML already stays so.
pub(crate) fn html(text: &str) -> String {
    let text = text.trim();
    if is_html(text) {
        let lower = text.to_ascii_lowercase();
        let blocks = KNOWN.iter().filter(|tag| is_block(tag)).any(|tag| lower.contains(&format!("</{tag}>")));
        return if blocks { text.to_owned() } else { text.replace("\r\n", "\n").replace('\n', "<br>") };
    }
    let mut out = Blocks::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim();
        if bare.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            out.close(0, false);
            out.html.push_str(&format!("<pre><code>{}</code></pre>", escaped(&code.join("\n"))));
            continue;
        }
        out.line(line);
    }
    out.close(0, false);
    out.html
}

/// Whether a text is HTML: it has an element that bodies are made of, begun and ended.
pub(super) fn is_html(text: &str) -> bool {
    if !text.contains('<') {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let pair = |tag: &&str| {
        let begins = lower.contains(&format!("<{tag}>")) || lower.contains(&format!("<{tag} "));
        begins && lower.contains(&format!("</{tag}>"))
    };
    KNOWN.iter().any(pair) || ["<br>", "<br/>", "<br />"].iter().any(|tag| lower.contains(tag))
}

/// HTML as far as it is written.
#[derive(Default)]
struct Blocks {
    html: String,
    /// The lists that are open: how far their items are indented, and whether they count.
    lists: Vec<(usize, bool)>,
    quoted: bool,
}

impl Blocks {
    fn line(&mut self, line: &str) {
        let bare = line.trim();
        if bare.is_empty() {
            return;
        }
        if let Some(said) = bare.strip_prefix('>') {
            self.close(0, true);
            if !self.quoted {
                self.html.push_str("<blockquote>");
                self.quoted = true;
            }
            self.html.push_str(&format!("<p>{}</p>", inline(said.trim())));
            return;
        }
        if let Some((said, counts)) = item(bare) {
            let indent = line.len() - line.trim_start().len();
            self.item(indent, counts, said);
            return;
        }
        self.close(0, false);
        let level = bare.bytes().take_while(|byte| *byte == b'#').count();
        self.html.push_str(&match bare[level..].strip_prefix(' ') {
            Some(said) if (1..=6).contains(&level) => format!("<h{level}>{}</h{level}>", inline(said.trim())),
            _ if matches!(bare, "---" | "***" | "___") => "<hr>".to_owned(),
            _ => format!("<p>{}</p>", inline(bare)),
        });
    }

    fn item(&mut self, indent: usize, counts: bool, said: &str) {
        if self.quoted {
            self.html.push_str("</blockquote>");
            self.quoted = false;
        }
        while self.lists.last().is_some_and(|(own, _)| *own > indent) {
            self.end_list();
        }
        match self.lists.last() {
            Some((own, same)) if *own == indent || indent < *own + 2 => {
                self.html.push_str("</li>");
                if *same != counts {
                    let own = *own;
                    self.html.truncate(self.html.len() - "</li>".len());
                    self.end_list();
                    self.begin_list(own, counts);
                }
            }
            _ => self.begin_list(indent, counts),
        }
        self.html.push_str(&format!("<li>{}", inline(said)));
    }

    fn begin_list(&mut self, indent: usize, counts: bool) {
        self.html.push_str(if counts { "<ol>" } else { "<ul>" });
        self.lists.push((indent, counts));
    }

    fn end_list(&mut self) {
        if let Some((_, counts)) = self.lists.pop() {
            self.html.push_str(if counts { "</li></ol>" } else { "</li></ul>" });
        }
    }

    /// Ends the lists, all but `kept`, and a quote unless it goes on.
    fn close(&mut self, kept: usize, quotes: bool) {
        while self.lists.len() > kept {
            self.end_list();
        }
        if self.quoted && !quotes {
            self.html.push_str("</blockquote>");
            self.quoted = false;
        }
    }
}

/// What an item of a list says, and whether the list counts.
fn item(line: &str) -> Option<(&str, bool)> {
    if let Some(said) = ["- ", "* ", "+ ", "• "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some((said.trim(), false));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let said = line[digits..].strip_prefix(". ").or_else(|| line[digits..].strip_prefix(") "))?;
    (1..=3).contains(&digits).then_some((said.trim(), true))
}

/// Whether a text says the same with and without Markdown.
pub(super) fn is_plain(text: &str) -> bool {
    !text.contains(['*', '_', '~', '`', '[', '\\'])
        || Inline { links: false, depth: 0 }.html(text) == escaped(text)
}

/// A line's words as HTML.
pub(super) fn inline(text: &str) -> String {
    Inline { links: true, depth: 0 }.html(text)
}

struct Inline {
    /// Whether an address by itself becomes a link.
    links: bool,
    /// How many marks are around it.
    depth: usize,
}

impl Inline {
    fn within(&self) -> Self {
        Self { links: self.links, depth: self.depth + 1 }
    }

    fn html(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        let mut at = 0;
        let mut barren = Barren::default();
        while let Some(c) = text[at..].chars().next() {
            let before = text[..at].chars().next_back();
            let (html, length) = self
                .special(&text[at..], before, at, &mut barren)
                .unwrap_or_else(|| (escaped(&text[at..at + c.len_utf8()]), c.len_utf8()));
            out.push_str(&html);
            at += length;
        }
        out
    }

    /// What begins with a mark, as HTML, and how long it is.
    fn special(
        &self,
        rest: &str,
        before: Option<char>,
        at: usize,
        barren: &mut Barren,
    ) -> Option<(String, usize)> {
        let first = rest.chars().next().filter(|_| self.depth < DEEPEST)?;
        let rest = if first == 'h' { rest } else { start(rest, LONGEST) };
        let in_word = before.is_some_and(char::is_alphanumeric);
        match first {
            '\\' => {
                let next = rest[1..].chars().next().filter(char::is_ascii_punctuation)?;
                Some((escaped(&rest[1..2]), 1 + next.len_utf8()))
            }
            '`' => {
                let run = rest.bytes().take_while(|byte| *byte == b'`').count();
                let inside = &rest[run..];
                let find = |from: usize| inside.get(from..)?.find(&rest[..run]).map(|end| from + end);
                let end = barren.find((first, run), at + run, inside, find).filter(|end| *end > 0)?;
                Some((format!("<code>{}</code>", escaped(&inside[..end])), end + 2 * run))
            }
            '!' if rest.starts_with("![") => {
                barren.find(('[', 1), at, rest, |from| rest.get(from..)?.find("]("))?;
                let (words, address, length) = link(&rest[1..])?;
                let html = format!("<img src=\"{}\" alt=\"{}\">", escaped(address), escaped(words));
                Some((html, length + 1))
            }
            '[' => {
                barren.find(('[', 1), at, rest, |from| rest.get(from..)?.find("]("))?;
                let (words, address, length) = link(rest)?;
                let words = Self { links: false, ..self.within() }.html(words);
                Some((format!("<a href=\"{}\">{words}</a>", escaped(address)), length))
            }
            'h' if self.links && !in_word => {
                let address =
                    rest.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).next()?;
                let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '*', '_', '~']);
                let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
                let safe = escaped(address);
                (!host.is_empty()).then(|| (format!("<a href=\"{safe}\">{safe}</a>"), address.len()))
            }
            '*' | '_' | '~' => {
                let double = rest[1..].starts_with(first);
                let mark = &rest[..if double { 2 } else { 1 }];
                let tag = match (first, double) {
                    ('~', true) => "s",
                    ('~', false) => return None,
                    (_, true) => "strong",
                    (_, false) => "em",
                };
                // Within a word a mark is a character, but for `**`, which stands in few words.
                if in_word && mark != "**" && mark != "~~" {
                    return None;
                }
                let inside = &rest[mark.len()..];
                let find = |from: usize| ending(inside, mark, from);
                let end = barren.find((first, mark.len()), at + mark.len(), inside, find)?;
                let said = self.within().html(&inside[..end]);
                Some((format!("<{tag}>{said}</{tag}>"), end + 2 * mark.len()))
            }
            _ => None,
        }
    }
}

/// Up to where a text is known to have no end of what a mark begins, so that none is looked for twice.
#[derive(Default)]
struct Barren(Vec<((char, usize), usize)>);

impl Barren {
    /// What `find` finds in `inside`, which begins at `at` of the text, from where it was not looked for yet.
    fn find(
        &mut self,
        mark: (char, usize),
        at: usize,
        inside: &str,
        find: impl Fn(usize) -> Option<usize>,
    ) -> Option<usize> {
        let known = self.0.iter().find(|(own, _)| *own == mark).map_or(0, |(_, end)| *end);
        // Its last bytes may be the first ones of an end.
        let from = known.saturating_sub(at + mark.1);
        let from = if inside.is_char_boundary(from) { from } else { 0 };
        let found = find(from);
        if found.is_none() {
            self.0.retain(|(own, _)| *own != mark);
            self.0.push((mark, at + inside.len()));
        }
        found
    }
}

/// Where in `inside` the mark stands that ends what it began, looked for from `from` on.
fn ending(inside: &str, mark: &str, from: usize) -> Option<usize> {
    if inside.starts_with(char::is_whitespace) || inside.starts_with(mark) {
        return None;
    }
    let mut at = from;
    while let Some(c) = inside.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &inside[at..];
        if c == '\\' {
            at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            continue;
        }
        if c == '`'
            && let Some(end) = rest[1..].find('`')
        {
            at += end + 2;
            continue;
        }
        if rest.starts_with(mark) && at > 0 {
            let after = rest[mark.len()..].chars().next();
            let spaced = inside[..at].ends_with(char::is_whitespace);
            let run = rest.chars().take_while(|own| *own == c).count();
            // `**` within what a `*` began is another mark.
            let other = mark.len() == 1 && run == 2;
            let in_word = after.is_some_and(char::is_alphanumeric);
            let in_word = in_word && mark != "**" && mark != "~~";
            if !spaced && !other && !in_word {
                // Of three the last two end the bold.
                return Some(if mark.len() == 2 && run == 3 { at + 1 } else { at });
            }
            at += if other { 2 } else { mark.len() };
            continue;
        }
        at += c.len_utf8();
    }
    None
}

/// The words, the address and the length of a link at the beginning of `text`.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let inside = text.strip_prefix('[')?;
    let mut at = 0;
    let mut depth = 0_usize;
    let end = loop {
        let c = inside[at..].chars().next()?;
        match c {
            '\\' => at += inside[at + 1..].chars().next()?.len_utf8(),
            '[' => depth += 1,
            ']' if depth == 0 => break at,
            ']' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
    };
    let address = inside[end + 1..].strip_prefix('(')?;
    let length = address.find(')')?;
    let address = &address[..length];
    (is_address(address) && !address.contains(char::is_whitespace)).then_some((
        &inside[..end],
        address,
        1 + end + 2 + length + 1,
    ))
}

/// How `text` begins, at most so many bytes of it.
fn start(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A text in which no character is a mark of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
