//! Characters that a vendor hides in what it tells: in names and titles, and in the fields of its errors. No question
//! that a person answers has them, no reply and no error.

#![allow(clippy::print_stdout, reason = "what was measured is worth reading")]

use connector::{
    catalog::{Answer, Rendered, told},
    sandbox::{Action, Rule},
};
use serde_json::{Value, json};
use suite::{MARK, Options, Sample, Sandboxed, Subject};

use crate::{attack::unseen, replies::texts};

suite::every_server!(
    what_is_hidden_in_names_is_not_told,
    what_is_hidden_in_errors_is_not_told,
    what_nobody_sees_is_kept_where_that_is_told,
);

/// An escape, a text that runs backwards, nothing that has a width, an empty pattern, a tag.
const HIDDEN: &str = "\u{1b}[31m\u{202e}\u{200b}\u{2060}\u{2800}\u{e0041}\u{feff}x";

/// Where vendors put what people wrote: all of it, what is only shown, and by what things are found.
const KEYS: [&[&str]; 3] = [
    &[
        "name",
        "title",
        "text",
        "body",
        "description",
        "message",
        "displayName",
        "display_name",
        "real_name",
        "label",
        "content",
        "plain_text",
        "summary",
        "subject",
        "topic",
        "purpose",
        "login",
        "code",
        "error",
        "email",
        "emoji",
    ],
    &[
        "title",
        "text",
        "body",
        "description",
        "displayName",
        "real_name",
        "content",
        "plain_text",
        "topic",
        "purpose",
    ],
    &["name", "login", "display_name", "label", "email"],
];

fn everything() -> Options {
    Options { structured: true, ..Options::everything() }
}

/// Calls of all tools, and those that ask.
fn calls<S: Subject>() -> Vec<(Vec<Sample>, Sample)> {
    let all = S::reads().into_iter().chain(S::writes()).map(|sample| (Vec::new(), sample));
    all.chain(S::overtaken().into_iter().map(|overtaken| (overtaken.before, overtaken.asks))).collect()
}

/// Checks what is told by an answer; whether it asks, and whether it is an error.
fn checked<S: Subject>(
    sandboxed: &Sandboxed<S>,
    call: &Sample,
    answer: Result<Answer, connector::Error>,
) -> (bool, bool) {
    let clean = |text: &str, what: &str| {
        assert!(!text.contains(unseen), "{} {:?}: {what} {text:?}", call.tool, call.arguments);
    };
    let reply = |rendered: &Rendered, what| {
        clean(&rendered.text, what);
        let mut said = Vec::new();
        texts(rendered.structured.as_ref().unwrap_or(&Value::Null), "", &mut said);
        said.iter().for_each(|(_, text)| clean(text, what));
    };
    let service = sandboxed.service();
    match answer {
        Ok(Answer::Reply(shown)) => {
            reply(&service.render(shown), "the reply");
            (false, false)
        }
        Ok(Answer::Question(mut question)) => {
            let shown = question.take_preview();
            reply(&service.render(shown), "the question");
            (true, false)
        }
        Err(error) => {
            clean(&told(&error), "the error");
            (false, true)
        }
    }
}

async fn what_is_hidden_in_names_is_not_told<S: Subject>() {
    let (mut questions, mut errors, mut made) = (0, 0, 0);
    for keys in KEYS {
        let sandboxed = Sandboxed::<S>::start_with(everything()).await;
        for (before, call) in calls::<S>() {
            sandboxed.harness().faults().clear();
            for call in &before {
                // What a call before it made may stand in its way, which is of no matter here.
                let _ = sandboxed.try_call(call).await;
            }
            let to = keys.iter().map(|key| (*key).to_owned()).collect();
            let rule = Rule::new("*", Action::Append { text: HIDDEN.to_owned(), to });
            sandboxed.harness().faults().add(rule.always());
            let (asks, fails) = checked(&sandboxed, &call, sandboxed.answer(&call).await);
            questions += usize::from(asks);
            errors += usize::from(fails);
            made += 1;
        }
    }
    println!("{}: {made} calls, {questions} questions, {errors} errors", S::ABOUT.key);
    assert!(errors * 2 < made, "hardly anything is answered: {errors} of {made}");
    assert!(questions > 0 || suite::lacking::<S>("overtaken"), "nothing asked");
}

async fn what_is_hidden_in_errors_is_not_told<S: Subject>() {
    let text = format!("said{HIDDEN}");
    let one = json!({"message": text, "code": text, "field": text, "resource": text, "type": text,
        "extensions": {"code": text, "type": text, "userPresentableMessage": text}});
    let body = json!({"ok": false, "error": text, "message": text, "code": text, "status": text, "category": text,
        "subCategory": text, "correlationId": text, "request_id": text, "documentation_url": text, "needed": text,
        "provided": text, "response_metadata": {"messages": [text]}, "errors": [one], "context": {"missingScopes": [text]}});
    let mut errors = 0;
    for code in [200, 403, 422] {
        let sandboxed = Sandboxed::<S>::start_with(everything()).await;
        for (_, call) in calls::<S>() {
            sandboxed.harness().faults().clear();
            let refused = Action::Status {
                code,
                headers: [("retry-after".to_owned(), "1".to_owned())].into(),
                body: body.to_string(),
                committed: false,
            };
            sandboxed.harness().faults().add(Rule::new("*", refused).always());
            let (_, fails) = checked(&sandboxed, &call, sandboxed.answer(&call).await);
            errors += usize::from(fails);
        }
    }
    println!("{}: {errors} errors", S::ABOUT.key);
    assert!(errors > 0, "nothing failed");
}

/// A text with a character that nobody sees is written as it is given where the reply says so, if need be as an address
/// has it; what is written without the character is not said to have it.
async fn what_nobody_sees_is_kept_where_that_is_told<S: Subject>() {
    let mark = format!("{MARK}\u{200b}000001");
    let mut kept = 0;
    for marked in S::marked_writes(&mark).into_iter().filter(|marked| marked.steps.is_empty()) {
        let options = Options { allow_destructive: true, ..Options::everything() };
        let sandboxed = Sandboxed::<S>::start_with(options).await;
        let what = format!("{} {:?}", marked.write.tool, marked.write.arguments);
        if let Ok(Answer::Reply(reply)) = sandboxed.answer(&marked.write).await {
            let text = sandboxed.service().render(reply).text;
            let dump = sandboxed.dump().to_string();
            let is_kept =
                [&mark, &mark.replace('\u{200b}', "%E2%80%8B")].iter().any(|mark| dump.contains(*mark));
            assert_eq!(text.contains("in what was given, and kept.]"), is_kept, "{what}: {text}");
            assert!(
                is_kept || dump.contains(&mark.replace('\u{200b}', "")),
                "{what}: it is not there: {text}"
            );
            kept += usize::from(is_kept);
        }
    }
    println!("{}: {kept} kept", S::ABOUT.key);
    assert!(kept > 0, "nothing was written");
}
