//! Replies: within their budget, honest about what is left out, fenced, priced.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

use std::collections::BTreeSet;

use connector::{
    Kind,
    access::{Principal, Selection},
    catalog::{Answer, Rendered},
};
use serde_json::{Value, json};
use suite::{Options, Sample, Sandboxed, Subject, tokens};

suite::every_server!(
    every_read_stays_within_the_budget_at_any_size,
    a_listing_pages_to_its_end_without_gap_or_repeat,
    a_listing_cut_by_the_budget_goes_on_where_it_was_cut,
    a_cursor_of_another_call_or_caller_is_refused,
    twenty_rows_cost_what_is_promised_and_one_request,
    text_of_people_is_fenced_and_clean,
    structured_content_fits_its_schema_and_the_text_is_a_summary,
    structured_content_says_whose_words_stand_where,
    no_reply_is_a_dump_of_json,
    a_search_that_finds_nothing_says_for_what_and_what_to_try,
    a_kept_answer_costs_the_vendor_nothing,
);

fn everything() -> Options {
    Options {
        selection: Selection { toolsets: vec!["all".to_owned()], ..Selection::default() },
        ..Options::default()
    }
}

/// The rows of a listing's reply: what is inside its fence.
fn rows(text: &str) -> Vec<&str> {
    text.lines()
        .skip_while(|line| !line.starts_with("<data "))
        .skip(1)
        .take_while(|line| !line.starts_with("</data "))
        .collect()
}

/// The cursor in a listing's header, if there is more.
fn cursor(text: &str) -> Option<String> {
    let header = text.lines().next()?;
    let (_, rest) = header.split_once("cursor \"")?;
    Some(rest.split('"').next()?.to_owned())
}

async fn every_read_stays_within_the_budget_at_any_size<S: Subject>() {
    for budget in [2_000, 32 * 1024] {
        let sandboxed = Sandboxed::<S>::start_with(Options { budget, ..everything() }).await;
        for sample in S::reads() {
            let reply = sandboxed.call(&sample).await;
            assert!(reply.text.len() <= budget, "{}: {} bytes of {budget}", sample.tool, reply.text.len());
        }
    }
}

async fn a_listing_pages_to_its_end_without_gap_or_repeat<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start().await;
    let (sample, operation) = S::listing();
    let mut seen = Vec::new();
    let mut pages = 0;
    let mut next: Option<String> = None;
    loop {
        let call = match &next {
            Some(cursor) => sample.clone().with("cursor", cursor.as_str()),
            None => sample.clone(),
        };
        let text = sandboxed.call(&call).await.text;
        seen.extend(rows(&text).into_iter().map(str::to_owned));
        pages += 1;
        assert!(pages < 100, "the listing does not end");
        next = cursor(&text);
        if next.is_none() {
            break;
        }
    }
    assert!(pages >= 3, "{pages} pages are too few for this test");
    let unique: BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "a row came twice");
    assert_eq!(sandboxed.harness().journal().count(operation), pages, "one request a page");
    let mut whole = sample;
    whole.arguments.insert("limit".to_owned(), json!(100));
    let text = sandboxed.call(&whole).await.text;
    assert_eq!(rows(&text), seen, "pages and the whole must agree");
}

async fn a_listing_cut_by_the_budget_goes_on_where_it_was_cut<S: Subject>() {
    let (mut sample, _) = S::listing();
    sample.arguments.insert("limit".to_owned(), json!(30));
    let whole = Sandboxed::<S>::start().await.call(&sample).await.text;
    let tight = Sandboxed::<S>::start_with(Options { budget: 1_500, ..Options::default() }).await;
    let mut seen: Vec<String> = Vec::new();
    let mut call = sample.clone();
    while seen.len() < rows(&whole).len() {
        let text = tight.call(&call).await.text;
        let page = rows(&text);
        assert!(!page.is_empty() && page.len() < 30, "{text}");
        seen.extend(page.into_iter().map(str::to_owned));
        match cursor(&text) {
            Some(next) => call = sample.clone().with("cursor", next),
            None => break,
        }
    }
    seen.truncate(rows(&whole).len());
    // A page leaves out the last columns where none of its rows has a value.
    let values = |row: &str| row.trim_end_matches([' ', '|']).to_owned();
    let seen: Vec<_> = seen.iter().map(|row| values(row)).collect();
    let whole: Vec<_> = rows(&whole).into_iter().map(values).collect();
    assert_eq!(seen, whole);
}

async fn a_cursor_of_another_call_or_caller_is_refused<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start().await;
    let (sample, operation) = S::listing();
    let next = cursor(&sandboxed.call(&sample).await.text).unwrap();
    let asked = sandboxed.harness().journal().count(operation);
    let call = sample.with("cursor", next.as_str());
    let foreign = sandboxed.answer_as(Principal::key("somebody else"), &call, false).await.unwrap_err();
    assert_eq!(foreign.kind(), Kind::InvalidArgument);
    for bad in ["not a cursor", "AAAAAAAAAAAAAAAA", "%", &next[1..]] {
        let error = sandboxed.refusal(&call.clone().with("cursor", bad)).await.for_agent();
        assert!(error.contains("`cursor`") && error.contains("start from the first page"), "{error}");
    }
    assert_eq!(
        sandboxed.harness().journal().count(operation),
        asked,
        "the vendor was asked with a bad cursor"
    );
}

async fn twenty_rows_cost_what_is_promised_and_one_request<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start().await;
    // What rows are told with (the names of owners, stages, options) is read once and then cached.
    sandboxed.call(&S::twenty_rows()).await;
    sandboxed.harness().journal().clear();
    let text = sandboxed.call(&S::twenty_rows()).await.text;
    assert_eq!(rows(&text).len(), 20, "{text}");
    let cost = tokens(&text);
    println!("{}: 20 rows cost {cost} tokens of {}", S::ABOUT.key, S::TWENTY_ROWS_BUDGET);
    assert!(cost <= S::TWENTY_ROWS_BUDGET, "{cost} tokens: {text}");
    let asked = sandboxed.harness().journal().operations();
    assert!(asked.len() <= 1, "{asked:?}");
}

async fn text_of_people_is_fenced_and_clean<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    let hidden = |c: char| matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}');
    let seed = sandboxed.dump().to_string();
    assert!(seed.chars().any(hidden), "the story must hold hidden characters, or this test proves nothing");
    let mut fenced = 0;
    for sample in S::reads() {
        let text = sandboxed.call(&sample).await.text;
        assert!(!text.chars().any(hidden), "{}: hidden characters came through", sample.tool);
        let opened = text.lines().filter(|line| line.starts_with("<data ")).count();
        assert_eq!(
            opened,
            text.lines().filter(|line| line.starts_with("</data ")).count(),
            "{}: {text}",
            sample.tool
        );
        fenced += opened;
    }
    assert!(fenced >= S::reads().len() / 2, "hardly anything is fenced");
}

async fn structured_content_fits_its_schema_and_the_text_is_a_summary<S: Subject>() {
    let plain = Sandboxed::<S>::start_with(everything()).await;
    for sample in S::reads().into_iter().chain(S::writes()) {
        let structured =
            Sandboxed::<S>::start_with(Options { structured: true, allow_destructive: true, ..everything() })
                .await;
        let tool = structured.service().tool(sample.tool).unwrap();
        let schema = tool.output_schema().unwrap_or_else(|| panic!("{} declares no output", sample.tool));
        let validator = jsonschema::validator_for(&Value::Object(schema)).unwrap();
        let reply = structured.call(&sample).await;
        let content =
            reply.structured.unwrap_or_else(|| panic!("{} gives no structured content", sample.tool));
        let errors: Vec<_> = validator
            .iter_errors(&content)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?} in {content}", sample.tool);
        if !tool.effect().writes() {
            let text = plain.call(&sample).await.text;
            assert!(reply.text.len() <= text.len().max(300), "{}: both in full: {}", sample.tool, reply.text);
        }
    }
}

/// The texts of `content`, each with its place as a JSON pointer.
pub(crate) fn texts(content: &Value, place: &str, texts: &mut Vec<(String, String)>) {
    match content {
        Value::String(text) => texts.push((place.to_owned(), text.clone())),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| self::texts(item, &format!("{place}/{index}"), texts)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            self::texts(field, &format!("{place}/{key}"), texts);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a fence marks in the text is marked in structured content too, by `words_of`: in what is read, in previews, in
/// questions and in what was done.
async fn structured_content_says_whose_words_stand_where<S: Subject>() {
    let mut marked = [0, 0];
    let options = |structured| Options { structured, ..everything() };
    let [plain, structured] =
        [Sandboxed::<S>::start_with(options(false)).await, Sandboxed::<S>::start_with(options(true)).await];
    for sample in S::reads() {
        let text = plain.call(&sample).await.text;
        marked[0] += told_whose(&sample, &text, structured.call(&sample).await);
    }
    for sample in S::writes().into_iter().chain(S::overtaken().into_iter().map(|overtaken| overtaken.asks)) {
        let dry = sample.clone().with("dry_run", true);
        if let Ok(preview) = plain.try_call(&dry).await {
            marked[1] += told_whose(&dry, &preview.text, structured.call(&dry).await);
        }
        let mut shown = Vec::new();
        for structured in [false, true] {
            let sandboxed = Sandboxed::<S>::start_with(options(structured)).await;
            let Ok(answer) = sandboxed.answer(&sample).await else { break };
            let service = sandboxed.service();
            let (asked, reply) = match answer {
                Answer::Reply(reply) => (None, reply),
                Answer::Question(question) => {
                    let confirmed = sandboxed.try_call(&sample).await;
                    (Some(confirmed), question.by_second_call(service.confirmations()))
                }
            };
            shown.push((service.render(reply), asked));
        }
        let Some(((structured, confirmed), (plain, agreed))) = shown.pop().zip(shown.pop()) else { continue };
        marked[1] += told_whose(&sample, &plain.text, structured);
        if let (Some(Ok(confirmed)), Some(Ok(agreed))) = (confirmed, agreed) {
            marked[1] += told_whose(&sample, &agreed.text, confirmed);
        }
    }
    assert!(marked[0] > 0, "hardly anything is marked: {marked:?}");
    println!("{}: {marked:?} texts are marked in reads and writes", S::ABOUT.key);
}

/// Checks that a reply says of all texts that `text` has in fences whose they are; how many it says it of.
fn told_whose(sample: &Sample, text: &str, reply: Rendered) -> usize {
    let mut inside = false;
    let fenced: Vec<_> = text
        .lines()
        .filter(|line| {
            let edge = line.starts_with("<data ") || line.starts_with("</data ");
            inside ^= edge;
            inside && !edge
        })
        .collect();
    let what = format!("{} {:?}", sample.tool, sample.arguments);
    let mut content = reply.structured.unwrap_or_default();
    let words_of = content.as_object_mut().and_then(|content| content.shift_remove("words_of"));
    let words_of = words_of.unwrap_or_default();
    let words_of = words_of.as_object().cloned().unwrap_or_default();
    assert_eq!(fenced.is_empty(), words_of.is_empty(), "{what}: {words_of:?} for {text} and {content}");
    for (place, whose) in &words_of {
        assert!(content.pointer(place).is_some(), "{what}: nothing is at {place:?}");
        assert!(whose.as_str().is_some_and(|whose| !whose.is_empty()), "{what}: {words_of:?}");
    }
    let mut all = Vec::new();
    texts(&content, "", &mut all);
    // What is too short may stand in a fence by chance.
    let prose = |text: &String| text.len() >= 24 && text.contains(' ') && !text.contains('\n');
    let mut marked = 0;
    for (place, text) in all.iter().filter(|(_, text)| prose(text)) {
        let known = words_of.keys().any(|mark| {
            place.strip_prefix(mark.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let fenced = fenced.iter().any(|line| line.contains(text.as_str()));
        assert!(known || !fenced, "{what}: nobody's words are {place} `{text}`");
        marked += usize::from(known);
    }
    marked
}

async fn no_reply_is_a_dump_of_json<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    for sample in S::reads() {
        let text = sandboxed.call(&sample).await.text;
        for line in text.lines() {
            let dump = line.starts_with('{') && serde_json::from_str::<Value>(line).is_ok();
            assert!(!dump && !line.contains("\":null") && !line.contains("null,"), "{}: {line}", sample.tool);
        }
    }
}

async fn a_search_that_finds_nothing_says_for_what_and_what_to_try<S: Subject>() {
    let mut search = S::reads().into_iter().find(|sample| sample.tool == "search").unwrap();
    search.arguments.insert("query".to_owned(), json!("zyxwvutsrq"));
    let text = Sandboxed::<S>::start().await.call(&search).await.text;
    let header = text.lines().next().unwrap();
    assert!(
        header.starts_with("No ") && header.contains("Asked for: ") && header.contains("zyxwvutsrq"),
        "{text}"
    );
    assert!(header.contains("try it "), "{text}");
}

async fn a_kept_answer_costs_the_vendor_nothing<S: Subject>() {
    let Some((sample, operation)) = S::cached_read() else { return suite::lacks::<S>("cached_read") };
    let sandboxed = Sandboxed::<S>::start().await;
    sandboxed.call(&sample).await;
    let asked = sandboxed.harness().journal().entries().len();
    assert_eq!(sandboxed.harness().journal().count(operation), 1);
    sandboxed.call(&sample).await;
    assert_eq!(sandboxed.harness().journal().entries().len(), asked, "it was asked again");
}
