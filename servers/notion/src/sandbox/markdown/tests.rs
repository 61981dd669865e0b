//! Goldens made from the vendor's own page (developers.notion.com/guides/data-apis/enhanced-markdown).

use super::*;

fn writer() -> Writer<'static> {
    Writer {
        page: "https://www.notion.so/9a9e0000000040008000000000000001",
        file: &|draft| draft.body["external"]["url"].as_str().unwrap_or_default().to_owned(),
        counts: true,
        transcripts: true,
    }
}

fn again(text: &str) -> String {
    render(&parse(text), &writer())
}

fn kinds(text: &str) -> Vec<String> {
    parse(text).into_iter().map(|draft| draft.kind).collect()
}

/// Each of these is written as it was read.
const CANONICAL: &[&str] = &[
    "Rich text {color=\"blue\"}\n\tChildren",
    "# Heading 1 {color=\"blue\"}\n## Heading 2\n### Heading 3\n#### Heading 4",
    "# Heading {toggle=\"true\" color=\"red_bg\"}\n\tChildren",
    "- Bulleted list item {color=\"gray\"}\n\tChildren\n1. Numbered list item\n2. Another\n\tChildren",
    "- [ ] Unchecked item\n\tChildren\n- [x] Checked item {color=\"green\"}",
    "> Line 1<br>Line 2<br>Line 3 {color=\"orange\"}",
    "<details color=\"gray_bg\">\n<summary>Toggle title</summary>\n\tChildren\n</details>",
    "<callout icon=\"🎯\" color=\"blue_bg\">\n\tShip the MVP by **Friday**.\n\t- Children\n</callout>",
    "```python\ndef greet(name):\n    return f\"Hello, {name}!\"\n```",
    "````markdown\n```\ninner\n```\n````",
    "$$\nx^2 + y^2\n$$",
    "<table header-row=\"true\" header-column=\"true\">\n\t<tr>\n\t\t<td>Cell **content**</td>\n\t\t<td></td>\n\t</tr>\n</table>",
    "---",
    "<meeting-notes>\n\tPlanning **week**\n\t<summary>\n\t\t- Decided\n\t</summary>\n\t<notes>\n\t\tOwn words\n\t</notes>\n\t<transcript>\n\t\tWho said what\n\t</transcript>\n</meeting-notes>",
    "<empty-block/>",
    "<columns>\n\t<column>\n\t\tLeft\n\t</column>\n\t<column>\n\t\tRight\n\t</column>\n</columns>",
    "![Caption](https://example.com/a.png)",
    "<video src=\"https://example.com/a.mp4\">Caption</video>\n<pdf src=\"https://example.com/a.pdf\"></pdf>",
    "<table_of_contents color=\"gray\"/>",
    "**bold** *italic* ~~struck~~ <span underline=\"true\">under</span> `code` [text](https://example.com/?a=b)",
    "**a*b*** *a***b** ***both*** **a**<span color=\"red\">b</span>",
    "<span color=\"red_bg\">**bold in colour**</span>",
    "$`E = mc^2`$ costs \\$5",
    "<mention-date start=\"2026-11-02\" end=\"2026-11-05\"/> <mention-date start=\"2026-11-02\" startTime=\"09:30\"/>",
    "escaped: \\\\ \\* \\~ \\` \\$ \\[ \\] \\< \\> \\{ \\} \\| \\^",
    "\\# no heading\n\\- no bullet\n1\\. no number\n\\---",
];

#[test]
fn the_dialect_is_written_as_it_was_read() {
    for text in CANONICAL {
        assert_eq!(again(text), *text);
    }
}

#[test]
fn other_spellings_are_taken() {
    assert_eq!(again("###### Six"), "#### Six", "headings 5 and 6 are converted to heading 4");
    assert_eq!(again("a\n\n\nb"), "a\nb", "plain empty lines are stripped out");
    assert_eq!(again("* one\n+ two"), "- one\n- two");
    assert_eq!(again("$x + 1$ and $5 and $6"), "$`x + 1`$ and \\$5 and \\$6");
    assert_eq!(kinds("> one\n> two"), ["quote", "quote"], "multiple lines are separate quotes");
    let table = again("| Status | Owner |\n|---|---|\n| In progress | Ada |");
    assert!(
        table.starts_with("<table header-row=\"true\">") && table.contains("<td>In progress</td>"),
        "{table}"
    );
    assert_eq!(again("*a **b** c*"), "*a* ***b*** *c*", "bold within italic");
}

#[test]
fn what_reads_the_same_stays_and_one_line_changes_in_place() {
    let ids = |text: &str| -> Vec<Draft> {
        let drafts = parse(text).into_iter().enumerate();
        drafts.map(|(at, draft)| Draft { id: Some(format!("{at}")), ..draft }).collect()
    };
    let told = |old: &str, new: &str| -> Vec<String> {
        let steps = steps(&ids(old), parse(new), &writer());
        steps
            .into_iter()
            .map(|step| match step {
                Step::Keep(id) => format!("keep {id}"),
                Step::Change(id, _) => format!("change {id}"),
                Step::Add(draft) => format!("add {}", draft.kind),
            })
            .collect()
    };
    assert_eq!(told("a\nb\nc", "a\nB\nc"), ["keep 0", "change 1", "keep 2"]);
    assert_eq!(told("a\nb\nc", "a\nc"), ["keep 0", "keep 2"]);
    assert_eq!(told("a\nb", "a\n# new\nb"), ["keep 0", "add heading_1", "keep 1"]);
    assert_eq!(told("a\nb\nc", "c\na\nb"), ["keep 2", "keep 0", "keep 1"]);
}
