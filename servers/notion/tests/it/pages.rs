//! Pages read whole and edited in one place: nothing is lost, repeated or touched besides.

use serde_json::{Value, json};

use crate::support::{DESIGN, ONBOARDING, Office, RUNBOOK, RUNBOOKS, TASK, id_in, inside};

/// The offset at which a reply says to go on.
fn next(reply: &str) -> Option<u64> {
    let (_, rest) = reply.rsplit_once("offset=")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Issue 13: a page of 20,000 blocks is read in slices within the reply's budget, no line lost or repeated.
#[tokio::test(start_paused = true)]
async fn a_page_of_twenty_thousand_blocks_is_read_whole_in_slices() {
    let office = Office::open().await;
    let page = json!({"title": "Log", "markdown": "Line 00000 of a long log"});
    let id = id_in(&office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await);
    // Each write fits Notion's largest request.
    for part in 0..4_u32 {
        let from = part * 5_000 + u32::from(part == 0);
        let lines: Vec<String> =
            (from..(part + 1) * 5_000).map(|at| format!("Line {at:05} of a long log")).collect();
        office.call("edit_content", json!({"id": id, "append": lines.join("\n")})).await;
    }
    let mut seen = Vec::new();
    let (mut offset, mut slices) = (0, 0);
    loop {
        let reply = office.call("get_page", json!({"id": id, "offset": offset})).await;
        assert!(reply.len() <= 32 * 1024, "{} bytes", reply.len());
        seen.extend(inside(&reply).into_iter().filter(|line| !line.is_empty()));
        slices += 1;
        match next(&reply) {
            Some(next) => {
                assert!(next > offset, "it does not go on");
                offset = next;
            }
            None => break,
        }
    }
    let all: Vec<String> = (0..20_000).map(|at| format!("Line {at:05} of a long log")).collect();
    assert_eq!(seen.len(), all.len());
    assert_eq!(seen, all);
    // One reading serves all the slices.
    let read = office.sent("GET /pages/{id}/markdown");
    assert!(slices > 20 && read <= 12, "{slices} slices, {read} readings");
}

/// A reply is bounded in bytes, a slice is asked for in characters: text of several bytes a character and slices larger
/// than a reply end where the offset says, beside values that take room too.
#[tokio::test(start_paused = true)]
async fn slices_end_where_their_offset_says_whatever_a_character_weighs() {
    let office = Office::open().await;
    let words = "長いページの一行です";
    for (line, most) in [(words, None), (words, Some(60_000)), ("a line of a long page", Some(60_000))] {
        let all: Vec<String> = (0..2_500).map(|at| format!("{at:05} {line}")).collect();
        let notes = "値".repeat(1_900);
        let row = json!({"title": line.repeat(8), "properties": {"Notes": notes}});
        let reply = office.call("create_pages", json!({"parent": "Tasks", "pages": [row]})).await;
        let id = id_in(&reply);
        for part in all.chunks(1_000) {
            office.call("edit_content", json!({"id": id, "append": part.join("\n")})).await;
        }
        let (mut seen, mut offset) = (Vec::new(), 0);
        loop {
            let mut asked = json!({"id": id, "offset": offset});
            if let Some(most) = most {
                asked["max_chars"] = json!(most);
            }
            let reply = office.call("get_page", asked).await;
            assert!(reply.len() <= 32 * 1024, "{} bytes", reply.len());
            assert!(!reply.contains("cut here") && !reply.contains("[Cut at"), "{line}");
            seen.extend(inside(&reply).into_iter().filter(|line| !line.is_empty()));
            match next(&reply) {
                Some(next) if next > offset => offset = next,
                _ => break,
            }
        }
        assert_eq!(seen.len(), all.len(), "{line} {most:?}");
        assert_eq!(seen, all);
    }
}

/// The same of a file.
#[tokio::test(start_paused = true)]
async fn a_file_of_heavy_characters_is_read_whole_in_slices() {
    let office = Office::open().await;
    // "あ", three bytes, is "44GC" in Base64.
    let upload =
        json!({"to": TASK, "property": "Files", "filename": "a.txt", "content": "44GC".repeat(20_000)});
    office.call("upload_file", upload).await;
    let (mut seen, mut offset) = (0, 0);
    loop {
        let asked = json!({"id": TASK, "property": "Files", "offset": offset, "max_chars": 30_000});
        let reply = office.call("get_file", asked).await;
        assert!(reply.len() <= 32 * 1024 && !reply.contains("cut here"), "{} bytes", reply.len());
        seen += inside(&reply).concat().chars().filter(|c| *c == 'あ').count();
        match next(&reply) {
            Some(next) if next > offset => offset = next,
            _ => break,
        }
    }
    assert_eq!(seen, 20_000);
}

/// Every place of a page that has everything: colours, mentions, equations, synced blocks, columns, tables, files,
/// unknown blocks. After an edit only the block that was meant is another one.
#[tokio::test(start_paused = true)]
async fn an_edit_leaves_every_other_block_untouched_wherever_it_is() {
    let rich = [
        DESIGN,
        "9a9e0000000040008000000000000001",
        "9a9e0000000040008000000000000003",
        "9a9e0000000040008000000000000009",
    ];
    let mut edited = 0;
    for page in rich {
        let office = Office::open().await;
        let text = inside(&office.call("get_page", json!({"id": page, "max_chars": 60_000})).await);
        let words = |line: &String| {
            let plain = line.trim_start_matches(|c: char| "\t#->*[]x 0123456789.".contains(c));
            let word = plain.split(|c: char| !c.is_alphanumeric()).find(|word| word.len() > 5)?;
            (!line.trim_start().starts_with('<')).then(|| word.to_owned())
        };
        let places: Vec<String> = text.iter().filter_map(words).collect();
        for word in places {
            if text.iter().map(|line| line.matches(&word).count()).sum::<usize>() != 1 {
                continue;
            }
            let office = Office::open().await;
            let before = office.dump()["nodes"].clone();
            let edit = json!([{"old": word, "new": format!("{word}zz")}]);
            office.call("edit_content", json!({"id": page, "edits": edit})).await;
            let after = office.dump()["nodes"].clone();
            let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
            assert_eq!(before.len(), after.len(), "{word}: a block was made or removed");
            let changed: Vec<&String> =
                before.keys().filter(|id| before[*id]["data"] != after[*id]["data"]).collect();
            assert_eq!(changed.len(), 1, "{word}: {changed:?}");
            assert!(
                before.keys().all(|id| before[id]["children"] == after[id]["children"]),
                "{word}: blocks moved"
            );
            let (old, new) = (before[changed[0]]["data"].to_string(), after[changed[0]]["data"].to_string());
            assert_eq!(new.replace(&format!("{word}zz"), &word), old, "{word}: more than the word changed");
            edited += 1;
        }
    }
    assert!(edited >= 30, "only {edited} places");
}

/// Notion moves a page that a text names by `<page url>`: that is told and asked first.
#[tokio::test(start_paused = true)]
async fn a_text_that_moves_another_page_says_so_and_asks() {
    let office = Office::asking().await;
    let line = format!("<page url=\"https://www.notion.so/{RUNBOOK}\"/>");
    let append = json!({"id": ONBOARDING, "append": line});
    let asked = office.question("edit_content", append.clone()).await.unwrap();
    assert!(asked.contains("Moves here: Retry a failed import in Runbooks"), "{asked}");
    let page = json!({"parent": RUNBOOKS, "pages": [{"title": "New", "markdown": line}]});
    let asked = office.question("create_pages", page).await.unwrap();
    assert!(asked.contains("moves into it: Retry a failed import in Runbooks"), "{asked}");
    let plain = json!({"id": ONBOARDING, "append": "Words"});
    assert_eq!(office.question("edit_content", plain).await, None);
    let done = office.call("edit_content", append).await;
    assert!(done.contains("Moved here: Retry a failed import in Runbooks"), "{done}");
    // It is there now: nothing moves any more.
    let edit = json!({"id": ONBOARDING, "append": format!("More\n{line}")});
    assert_eq!(office.question("edit_content", edit).await, None);
}

/// What the server's own reader makes of blocks is what Notion's own reader makes of the same Markdown.
#[tokio::test(start_paused = true)]
async fn blocks_added_as_blocks_and_as_markdown_are_the_same() {
    let office = Office::open().await;
    let text = "# A **b**\n- [x] c ~~d~~\n\t- e `f`\n1. g [h](https://x.example)\n> i\n```rust\nlet j;\n```\n$$\nk\n$$\n---\nl \\* $`m`$ {color=\"blue_bg\"}\n## n ***o*** {toggle=\"true\"}\n\tp [**q** r](https://x.example/a_(b)) `` s`t ``\n<empty-block/>\n<mention-date start=\"2026-11-02\" startTime=\"09:30\" timeZone=\"Europe/Madrid\"/> <mention-data-source url=\"https://www.notion.so/50ce0000000040008000000000000001\">Tasks</mention-data-source>";
    let whole = json!([{"title": "Whole", "markdown": text}, {"title": "Blocks"}]);
    let reply = office.call("create_pages", json!({"parent": RUNBOOKS, "pages": whole})).await;
    let ids: Vec<String> = reply.lines().filter(|line| line.contains(" · ")).map(id_in).collect();
    let append = json!({"edits": [{"action": "append", "id": ids[1], "markdown": text}]});
    office.call("edit_blocks", append).await;
    let mut read = Vec::new();
    for id in &ids {
        read.push(inside(&office.call("get_page", json!({"id": id})).await));
    }
    assert_eq!(read[0], read[1]);
    assert_eq!(read[0].join("\n"), text);
    let kinds: Value = office.node(&ids[0])["children"].clone();
    assert_eq!(kinds.as_array().unwrap().len(), 11);
}
