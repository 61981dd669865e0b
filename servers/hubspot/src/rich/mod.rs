//! Rich texts: HubSpot keeps the bodies of activities and properties of the field type `html` as HTML, agents read and
//! write Markdown (developers.hubspot.com, "Properties": `html` is "a string, rendered as sanitized html").
//!
//! What is shown is what is written: [`markdown`] shows a text with its bold, italic, code, links, headings, quotes and
//! lists, and names what Markdown has no word for; [`rewrite`] takes such a text back and touches only the part of the
//! HTML that differs, so that whatever cannot be shown stays where nothing was changed.

mod change;
mod read;
mod tags;
mod write;

use std::collections::BTreeMap;

pub(crate) use change::rewrite;
pub(crate) use write::html;

/// HTML as Markdown, a paragraph a line.
pub(crate) fn markdown(html: &str) -> String {
    read::Reader::read(html, true).text
}

/// HTML as plain text: tags gone, blocks on lines of their own, entities read.
pub(crate) fn plain(html: &str) -> String {
    read::Reader::read(html, false).text
}

/// What of a text its Markdown does not show, such as `colour` or `table`.
pub(crate) fn unshown(html: &str) -> Vec<&'static str> {
    read::Reader::read(html, true).unshown.into_keys().collect()
}

/// How often there is what Markdown does not show, by its name.
type Unshown = BTreeMap<&'static str, usize>;

/// Whether a tag, by its name in lower case, stands on lines of its own.
fn is_block(tag: &str) -> bool {
    matches!(
        tag,
        "p" | "div"
            | "ul"
            | "ol"
            | "li"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "blockquote"
            | "pre"
            | "table"
            | "tr"
            | "br"
            | "hr"
            | "section"
            | "article"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_read_as_the_text_that_people_see() {
        assert_eq!(
            plain("<p>Elena wants <strong>all</strong>.</p><ul><li>A &amp; B</li><li>1 &lt; 2</li></ul>"),
            "Elena wants all.\n- A & B\n- 1 < 2"
        );
        assert_eq!(plain("a < b and <br>c"), "a < b and\nc");
        assert_eq!(plain("plain"), "plain");
        assert_eq!(plain("<style>p {color: red}</style><p>Caf&eacute; &#8364;5&nbsp;</p>"), "Caf&eacute; €5");
    }

    #[test]
    fn formatting_is_shown_as_markdown() {
        for (html, shown) in [
            (
                "<p>Elena wants <strong>all eleven</strong> of <em>them</em>.</p>",
                "Elena wants **all eleven** of *them*.",
            ),
            (
                "<h2>Terms</h2><p>See <a href=\"https://x.example/a?b=1&amp;c=2\">the contract</a></p>",
                "## Terms\nSee [the contract](https://x.example/a?b=1&c=2)",
            ),
            ("<ol><li>One<ul><li>Half</li></ul></li><li>Two</li></ol>", "1. One\n  - Half\n2. Two"),
            (
                "<blockquote><p>Said so</p></blockquote><p><s>no</s> <code>a_b</code></p>",
                "> Said so\n~~no~~ `a_b`",
            ),
            ("<div><p>a<strong> b </strong>c</p></div>", "a **b** c"),
            ("<b>one</b><b> two</b>, <strong></strong>three", "**one** **two**, three"),
            ("<p><span style=\"font-weight: bold\">x</span></p>", "**x**"),
            ("<p><a href=\"https://x.example\">https://x.example</a></p>", "https://x.example"),
            ("<p>2 * 3 * 4, a_b_c and [x]</p>", "2 * 3 * 4, a_b_c and [x]"),
            ("<p>say *this* as it is</p>", "say \\*this\\* as it is"),
            ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
            ("one\ntwo", "one\ntwo"),
        ] {
            assert_eq!(markdown(html), shown, "{html}");
        }
    }

    #[test]
    fn what_cannot_be_shown_is_named() {
        let html = "<p style=\"margin:0;\">a <span style=\"color: #ff0000\">b</span> <u>c</u></p><table><tr><td>d</td><td>e</td></tr></table>\
            <p><strong data-at-mention data-user-id=\"7\">@Grace</strong></p>";
        assert_eq!(markdown(html), "a b c\nd | e\n**@Grace**");
        assert_eq!(unshown(html), ["colour", "mention", "table", "underline"]);
        assert!(unshown("<p style=\"margin:0;\">a <strong>b</strong></p>").is_empty());
    }

    #[test]
    fn markdown_is_written_as_html() {
        for (markdown, written) in [
            (
                "Hello <Elena>\n- one\n- **two**\nBye",
                "<p>Hello &lt;Elena&gt;</p><ul><li>one</li><li><strong>two</strong></li></ul><p>Bye</p>",
            ),
            (
                "# Plan\n\n1. a\n2. b\n   - c\n\n> *so*",
                "<h1>Plan</h1><ol><li>a</li><li>b<ul><li>c</li></ul></li></ol><blockquote><p><em>so</em></p></blockquote>",
            ),
            (
                "[x](https://x.example/?a=1&b=2) and [y](javascript:alert(1))",
                "<p><a href=\"https://x.example/?a=1&amp;b=2\">x</a> and [y](javascript:alert(1))</p>",
            ),
            (
                "see https://x.example/a_b_c.",
                "<p>see <a href=\"https://x.example/a_b_c\">https://x.example/a_b_c</a>.</p>",
            ),
            ("2 * 3 * 4, snake_case_name, ** alone", "<p>2 * 3 * 4, snake_case_name, ** alone</p>"),
            ("```\na < b\n```", "<pre><code>a &lt; b</code></pre>"),
            ("\\*as it is\\*", "<p>*as it is*</p>"),
            // HTML, as HubSpot's documentation has it, is taken as it is.
            ("<p>Hi <strong>Elena</strong></p>", "<p>Hi <strong>Elena</strong></p>"),
            ("Hi <b>Elena</b>\nBye", "Hi <b>Elena</b><br>Bye"),
        ] {
            assert_eq!(html(markdown), written, "{markdown}");
        }
    }

    #[test]
    fn what_is_shown_is_written_and_shown_again() {
        for text in [
            "Hello <Elena>\n- one\n- **two**\nBye",
            "# Plan\n1. a\n  - c\n2. b\n> *so* ~~no~~ `x*y`",
            "[a link](https://x.example/) in **bold with [one](https://y.example)**",
            "say \\*this\\* and 2 * 3 * 4",
            "```\na\n  b\n```\nend",
        ] {
            assert_eq!(markdown(&html(text)), text);
        }
    }

    #[test]
    fn no_text_takes_long() {
        for part in
            ["*a ", "[", "`a ``b ", "<b>", "<div>", "<a b=\"", "**a ~~b ", "<b>x</b>", "<!--", "&", "- x\n"]
        {
            let text = part.repeat(20_000 / part.len());
            let _ = (markdown(&text), html(&text), rewrite(&text, &format!("{text}x")));
        }
    }
}
