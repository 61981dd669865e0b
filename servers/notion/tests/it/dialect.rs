//! Markdown written and read back, over the whole of Notion's dialect
//! (developers.notion.com/guides/data-apis/enhanced-markdown).

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::support::{Office, RUNBOOK, RUNBOOKS, id_in, inside};

/// A block of a text: its lines, in which `{n}` is its place among numbered ones, what is inside it, and the line that
/// ends it.
#[derive(Clone, Debug)]
struct Block {
    lines: Vec<String>,
    inside: Vec<Block>,
    end: Option<String>,
}

impl Block {
    fn line(line: impl Into<String>) -> Self {
        Self { lines: vec![line.into()], inside: Vec::new(), end: None }
    }

    fn lines(text: &str) -> Self {
        Self { lines: text.split('\n').map(str::to_owned).collect(), ..Self::line("") }
    }

    fn with(self, inside: Vec<Self>) -> Self {
        Self { inside, ..self }
    }

    fn until(self, end: &str) -> Self {
        Self { end: Some(end.to_owned()), ..self }
    }
}

/// A text as Notion itself writes it.
fn written(blocks: &[Block], level: usize, out: &mut Vec<String>) {
    let tabs = "\t".repeat(level);
    let mut number = 0;
    for block in blocks {
        number = if block.lines[0].starts_with("{n}. ") { number + 1 } else { 0 };
        let lines =
            block.lines.iter().map(|line| format!("{tabs}{}", line.replace("{n}", &number.to_string())));
        out.extend(lines);
        written(&block.inside, level + 1, out);
        out.extend(block.end.iter().map(|end| format!("{tabs}{end}")));
    }
}

fn words() -> impl Strategy<Value = String> {
    vec("[a-z]{1,8}", 1..4).prop_map(|words| words.join(" "))
}

const COLORS: [&str; 19] = [
    "gray",
    "brown",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "red",
    "gray_bg",
    "brown_bg",
    "orange_bg",
    "yellow_bg",
    "green_bg",
    "blue_bg",
    "purple_bg",
    "pink_bg",
    "red_bg",
    "",
];

/// What a person may write without a mark being meant, as Notion escapes it.
const ESCAPED: [&str; 15] = [
    "\\\\",
    "\\*",
    "\\~",
    "\\`",
    "\\$",
    "\\[",
    "\\]",
    "\\<",
    "\\>",
    "\\{",
    "\\}",
    "\\|",
    "\\^",
    "_ - # + !",
    "@ & \" é 日",
];

/// A part of a line, with all marks that one can have.
fn part() -> impl Strategy<Value = String> {
    let mentions = [
        r#"<mention-user url="user://a11b0700-0000-4000-8000-000000000002">Tomás Herrera</mention-user>"#,
        r#"<mention-page url="https://www.notion.so/9a9e0000000040008000000000000011">Onboarding</mention-page>"#,
        r#"<mention-database url="https://www.notion.so/db000000000040008000000000000001">Tasks</mention-database>"#,
        r#"<mention-data-source url="https://www.notion.so/50ce0000000040008000000000000001">Tasks</mention-data-source>"#,
        r#"<mention-date start="2026-11-02"/>"#,
        r#"<mention-date start="2026-11-02" end="2026-11-05"/>"#,
        r#"<mention-date start="2026-11-02" startTime="09:30" timeZone="Europe/Madrid"/>"#,
    ];
    let marks = || {
        words().prop_flat_map(|words| {
            let styles = ["{}", "**{}**", "*{}*", "~~{}~~", "***{}***", "**~~{}~~**", "`{}`"];
            select(styles.to_vec()).prop_map(move |style| style.replace("{}", &words))
        })
    };
    let colored = || {
        (marks(), select(&COLORS[..18]))
            .prop_map(|(text, color)| format!("<span color=\"{color}\">{text}</span>"))
    };
    let under = || marks().prop_map(|text| format!("<span underline=\"true\">{text}</span>"));
    prop_oneof![
        6 => words(),
        4 => marks(),
        2 => colored(),
        2 => under(),
        1 => (marks(), select(&COLORS[..18])).prop_map(|(text, color)| {
            format!("<span color=\"{color}\"><span underline=\"true\">{text}</span></span>")
        }),
        1 => (prop_oneof![marks(), colored(), under()], "[a-z]{1,5}")
            .prop_map(|(text, path)| format!("[{text}](https://x.example/{path}_(a)?b=c)")),
        1 => words().prop_map(|words| format!("[{words}](mailto:a@b.example)")),
        1 => words().prop_map(|words| format!("$`{words}^2 \\frac{{a}}{{b}}`$")),
        1 => words().prop_map(|words| format!("`` {words}`b ``")),
        1 => select(&ESCAPED[..]).prop_map(str::to_owned),
        2 => select(mentions.to_vec()).prop_map(str::to_owned),
    ]
}

/// A line of text: its parts with words between them, so that none runs into the other.
fn text() -> impl Strategy<Value = String> {
    let more = (part(), prop_oneof![4 => Just(" and "), 1 => Just("<br>then ")]);
    (words(), vec(more, 0..4)).prop_map(|(first, more)| {
        more.into_iter().fold(first, |line, (part, joint)| format!("{line}{joint}{part} end"))
    })
}

fn tail() -> impl Strategy<Value = String> {
    select(&COLORS[..])
        .prop_map(|color| if color.is_empty() { String::new() } else { format!(" {{color=\"{color}\"}}") })
}

fn attribute() -> impl Strategy<Value = String> {
    select(&COLORS[..])
        .prop_map(|color| if color.is_empty() { String::new() } else { format!(" color=\"{color}\"") })
}

/// A block that has nothing inside.
fn leaf() -> impl Strategy<Value = Block> {
    let languages = ["rust", "plain text", "c++", "java/c/c++/c#", "markdown"];
    let file = |kind: &'static str| {
        words().prop_map(move |caption| {
            Block::line(format!("<{kind} src=\"https://x.example/a.{kind}?b=c\">{caption}</{kind}>"))
        })
    };
    let cells = (vec(text(), 4), any::<bool>(), any::<bool>());
    prop_oneof![
        4 => (text(), tail()).prop_map(|(text, tail)| Block::line(format!("{text}{tail}"))),
        3 => (1_usize..5, text(), tail())
            .prop_map(|(level, text, tail)| Block::line(format!("{} {text}{tail}", "#".repeat(level)))),
        1 => (words(), select(languages.to_vec())).prop_map(|(words, language)| {
            Block::lines(&format!(
                "```{language}\nlet a = \"{words}\"; // *b* [c](d) <https://e.example> @me\n\n\t  - $$\n```"
            ))
        }),
        1 => words().prop_map(|words| Block::lines(&format!("````markdown\n```js\n{words}\n```\n````"))),
        1 => words().prop_map(|words| Block::lines(&format!("$$\n{words} [i](x)\n  - \\{{y\\}}\n$$"))),
        1 => Just(Block::line("---")),
        1 => attribute().prop_map(|color| Block::line(format!("<empty-block{color}/>"))),
        1 => attribute().prop_map(|color| Block::line(format!("<table_of_contents{color}/>"))),
        1 => words().prop_map(|caption| Block::line(format!("![**{caption}**](https://x.example/a_(1).png)"))),
        1 => file("video"),
        1 => file("audio"),
        1 => file("file"),
        1 => file("pdf"),
        1 => cells.prop_map(|(cells, row, column)| {
            let is = |name: &str, is: bool| if is { format!(" {name}=\"true\"") } else { String::new() };
            let rows = cells.chunks(2).map(|cells| {
                let cells = cells.iter().map(|cell| Block::line(format!("<td>{cell}</td>"))).collect();
                Block::line("<tr>").with(cells).until("</tr>")
            });
            Block::line(format!("<table{}{}>", is("header-row", row), is("header-column", column)))
                .with(rows.collect())
                .until("</table>")
        }),
    ]
}

/// Blocks with others inside.
fn block() -> impl Strategy<Value = Block> {
    leaf().prop_recursive(3, 16, 3, |inner| {
        let inside = || vec(inner.clone(), 0..3);
        let some = || vec(inner.clone(), 1..3);
        let marked = |mark: &'static str| {
            (text(), tail(), inside())
                .prop_map(move |(text, tail, inside)| Block::line(format!("{mark}{text}{tail}")).with(inside))
        };
        prop_oneof![
            2 => marked(""),
            2 => marked("- "),
            2 => marked("{n}. "),
            1 => marked("- [ ] "),
            1 => marked("- [x] "),
            1 => marked("> "),
            1 => (1_usize..5, text(), attribute(), inside()).prop_map(|(level, text, color, inside)| {
                Block::line(format!("{} {text} {{toggle=\"true\"{color}}}", "#".repeat(level))).with(inside)
            }),
            1 => (text(), attribute(), inside()).prop_map(|(text, color, inside)| {
                Block::lines(&format!("<details{color}>\n<summary>{text}</summary>"))
                    .with(inside)
                    .until("</details>")
            }),
            1 => (text(), attribute(), inside()).prop_map(|(text, color, inside)| {
                let inside = std::iter::once(Block::line(text)).chain(inside).collect();
                Block::line(format!("<callout icon=\"💡\"{color}>")).with(inside).until("</callout>")
            }),
            1 => (some(), some()).prop_map(|(left, right)| {
                let column = |inside| Block::line("<column>").with(inside).until("</column>");
                Block::line("<columns>").with(vec![column(left), column(right)]).until("</columns>")
            }),
            1 => (text(), some()).prop_map(|(title, inside)| {
                let notes = Block::line("<notes>").with(inside).until("</notes>");
                let inside = vec![Block::line(title), notes];
                Block::line("<meeting-notes>").with(inside).until("</meeting-notes>")
            }),
            1 => some().prop_map(|inside| {
                Block::line("<synced_block>").with(inside).until("</synced_block>")
            }),
        ]
    })
}

/// A synced block gets its address from Notion.
fn without_addresses(line: &str) -> String {
    match line.split_once("<synced_block url=\"") {
        Some((before, _)) => format!("{before}<synced_block>"),
        None => line.to_owned(),
    }
}

/// Issue 13: Markdown written and read back is the same, over the dialect; written over itself, it is so already.
#[test]
fn markdown_that_is_written_is_read_back_the_same() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let office = runtime.block_on(Office::open());
    let config = ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(blocks in vec(block(), 1..6), page in any::<bool>())| {
        let mut lines = Vec::new();
        written(&blocks, 0, &mut lines);
        if page {
            lines.push(format!("<page url=\"https://www.notion.so/{RUNBOOK}\">Retry a failed import</page>"));
        }
        let (read, stored) = runtime.block_on(async {
            // Budgets refill.
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            let new = json!({"title": "Written", "markdown": lines.join("\n")});
            let reply = office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [new]})).await;
            let id = id_in(reply.split(" · ").nth(1).unwrap());
            let read = inside(&office.call("get_page", json!({"id": id, "max_chars": 60_000})).await);
            let again = json!({"id": id, "replace_all": read.join("\n")});
            let stored = office.call("edit_content", again).await;
            office.call("move_pages", json!({"ids": [RUNBOOK], "parent": RUNBOOKS})).await;
            office.call("trash_pages", json!({"ids": [id]})).await;
            (read, stored)
        });
        let read: Vec<String> = read.iter().map(|line| without_addresses(line)).collect();
        prop_assert_eq!(read.join("\n"), lines.join("\n"));
        prop_assert!(stored.starts_with("Nothing changed"), "{}", stored);
    });
}
