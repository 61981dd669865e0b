//! Writes that can be trusted: previewed, confirmed, never doubled, always told truly.

use connector::{
    Effect, Kind, Service,
    access::{KeyRing, Principal, Selection},
    catalog::{Answer, Silent},
    sandbox::{Action, Rule},
};

use suite::{Options, Sandboxed, Subject};

suite::every_server!(
    a_dry_run_changes_nothing_and_says_what_would_change,
    every_write_changes_something_and_says_what,
    destructive_work_asks_once_and_a_second_call_confirms,
    a_confirmation_is_bound_to_caller_tool_and_arguments,
    what_one_replica_asks_is_confirmed_on_another,
    what_is_asked_or_only_shown_has_structured_content_too,
    nobody_is_asked_where_the_operator_said_so,
    a_create_whose_answer_was_lost_is_not_doubled,
    a_write_with_an_unknown_outcome_says_so_and_is_not_repeated,
    a_credential_that_may_only_read_is_told_what_it_lacks,
);

fn everything() -> Options {
    Options {
        selection: Selection { toolsets: vec!["all".to_owned()], ..Selection::default() },
        ..Options::default()
    }
}

async fn a_dry_run_changes_nothing_and_says_what_would_change<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    let before = sandboxed.dump();
    for sample in S::writes() {
        let Answer::Reply(reply) = sandboxed
            .answer(&sample.clone().with("dry_run", true))
            .await
            .unwrap_or_else(|error| panic!("{} {:?}: {error}", sample.tool, sample.arguments))
        else {
            panic!("{}: a dry run must not ask", sample.tool)
        };
        let text = sandboxed.service().render(reply).text;
        assert!(text.starts_with("Dry run, nothing was changed."), "{}: {text}", sample.tool);
        assert!(text.lines().count() >= 2, "{}: says nothing of the effect: {text}", sample.tool);
    }
    assert_eq!(sandboxed.dump(), before, "a dry run changed something");
}

async fn every_write_changes_something_and_says_what<S: Subject>() {
    for sample in S::writes() {
        let sandboxed = Sandboxed::<S>::start_with(Options { allow_destructive: true, ..everything() }).await;
        let before = sandboxed.dump();
        let text = sandboxed.call(&sample).await.text;
        assert_ne!(sandboxed.dump(), before, "{} changed nothing, but said: {text}", sample.tool);
        assert!(!text.starts_with("Dry run") && !text.is_empty(), "{}: {text}", sample.tool);
    }
}

/// The samples that ask before they do harm.
async fn asking<S: Subject>(sandboxed: &Sandboxed<S>) -> Vec<suite::Sample> {
    let mut asking = Vec::new();
    for sample in S::writes() {
        if sandboxed.service().tool(sample.tool).unwrap().effect() == Effect::Destructive
            && matches!(sandboxed.answer(&sample).await, Ok(Answer::Question(_)))
        {
            asking.push(sample);
        }
    }
    let destroys = S::catalog().all_tools().iter().any(|tool| tool.effect() == Effect::Destructive);
    assert_eq!(destroys, !asking.is_empty(), "no sample is destructive");
    asking
}

async fn destructive_work_asks_once_and_a_second_call_confirms<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    for sample in asking(&sandboxed).await {
        let sandboxed = Sandboxed::<S>::start_with(everything()).await;
        let before = sandboxed.dump();
        let Ok(Answer::Question(question)) = sandboxed.answer(&sample).await else {
            panic!("{} must ask", sample.tool)
        };
        let reply = question.by_second_call(sandboxed.service().confirmations());
        let text = sandboxed.service().render(reply).text;
        assert_eq!(sandboxed.dump(), before, "{} did it before it asked", sample.tool);
        let (_, rest) =
            text.split_once("\"confirm\": \"").unwrap_or_else(|| panic!("{}: {text}", sample.tool));
        let value = rest.split('"').next().unwrap();
        let confirmed = sample.clone().with("confirm", value);
        let answer = sandboxed.answer(&confirmed).await.unwrap();
        assert!(matches!(answer, Answer::Reply(_)), "{} asks twice", sample.tool);
        assert_ne!(sandboxed.dump(), before, "{} did nothing", sample.tool);
        let done = sandboxed.dump();
        let again = sandboxed.answer(&confirmed).await;
        assert!(!matches!(again, Ok(Answer::Question(_))), "{}: {again:?}", sample.tool);
        assert_eq!(sandboxed.dump(), done, "{}: one confirmation did it twice", sample.tool);
    }
}

async fn a_confirmation_is_bound_to_caller_tool_and_arguments<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    let Some(sample) = asking(&sandboxed).await.into_iter().next() else { return };
    let before = sandboxed.dump();
    let Ok(Answer::Question(question)) = sandboxed.answer(&sample).await else { panic!("it must ask") };
    let text = sandboxed.service().render(question.by_second_call(sandboxed.service().confirmations())).text;
    let value = text.split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let confirmed = sample.clone().with("confirm", value);
    let stranger = sandboxed.answer_as(Principal::key("somebody else"), &confirmed, false).await.unwrap_err();
    assert!(stranger.for_agent().contains("other arguments"), "{stranger}");
    for bad in ["", "x", "AAAAAAAAAAAA"] {
        match sandboxed.answer(&sample.clone().with("confirm", bad)).await {
            Ok(Answer::Question(_)) if bad.is_empty() => {}
            Err(error) => assert!(error.for_agent().contains("Nothing was changed"), "{error}"),
            other => panic!("`{bad}` confirmed it: {other:?}"),
        }
    }
    tokio::time::advance(connector::catalog::confirm::LIFETIME).await;
    let late = sandboxed.answer(&confirmed).await.unwrap_err();
    assert!(late.for_agent().contains("five minutes"), "{late}");
    assert_eq!(sandboxed.dump(), before);
}

async fn what_one_replica_asks_is_confirmed_on_another<S: Subject>() {
    let samples = asking(&Sandboxed::<S>::start_with(everything()).await).await;
    for sample in samples {
        let keys = KeyRing::default();
        let sandboxed = Sandboxed::<S>::start_with(Options { keys: keys.clone(), ..everything() }).await;
        let [replica, stranger] =
            [keys, KeyRing::default()].map(|keys| sandboxed.colleague(Options { keys, ..everything() }));
        let Ok(Answer::Question(question)) = sandboxed.answer(&sample).await else {
            panic!("{} must ask", sample.tool)
        };
        let service = sandboxed.service();
        let value = confirmation(&service.render(question.by_second_call(service.confirmations())).text);
        let before = sandboxed.dump();
        let confirm = async |service: &Service<S>| {
            let arguments = sample.clone().with("confirm", value.as_str()).arguments;
            let tool = service.tool(sample.tool).unwrap();
            service.call(tool, Principal::local(), arguments, false, std::sync::Arc::new(Silent)).await
        };
        assert!(confirm(&stranger).await.is_err(), "{}: another server took it", sample.tool);
        assert_eq!(sandboxed.dump(), before, "{}: another server did it", sample.tool);
        let answer = confirm(&replica).await;
        assert!(matches!(answer, Ok(Answer::Reply(_))), "{}: {answer:?}", sample.tool);
        assert_ne!(sandboxed.dump(), before, "{} did nothing", sample.tool);
    }
}

/// The value that the reply to a call that asked gives for the second call.
fn confirmation(text: &str) -> String {
    let value = text.split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("it gives no value: {text}")).to_owned()
}

/// Clients of the protocol refuse a result without structured content where the tool has an output schema.
async fn what_is_asked_or_only_shown_has_structured_content_too<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(Options { structured: true, ..everything() }).await;
    let service = sandboxed.service();
    for sample in S::writes() {
        let schema = service.tool(sample.tool).unwrap().output_schema();
        let checked = |rendered: connector::catalog::Rendered| {
            let structured = rendered.structured.unwrap_or_else(|| panic!("{}: only text", sample.tool));
            assert!(structured["summary"].is_string(), "{}: {structured}", sample.tool);
            for name in schema.iter().filter_map(|schema| schema["required"].as_array()).flatten() {
                assert!(structured.get(name.as_str().unwrap()).is_some(), "{}: {structured}", sample.tool);
            }
            structured["summary"].as_str().unwrap().to_owned()
        };
        if let Ok(Answer::Question(question)) = sandboxed.answer(&sample).await {
            let summary = checked(service.render(question.by_second_call(service.confirmations())));
            assert!(!confirmation(&summary).is_empty(), "{}: {summary}", sample.tool);
        }
        let sandboxed = Sandboxed::<S>::start_with(Options { structured: true, ..everything() }).await;
        let Ok(Answer::Reply(shown)) = sandboxed.answer(&sample.clone().with("dry_run", true)).await else {
            panic!("{}: a dry run must not ask", sample.tool)
        };
        checked(sandboxed.service().render(shown));
    }
}

async fn nobody_is_asked_where_the_operator_said_so<S: Subject>() {
    let asking_server = Sandboxed::<S>::start_with(everything()).await;
    for sample in asking(&asking_server).await {
        let sandboxed = Sandboxed::<S>::start_with(Options { allow_destructive: true, ..everything() }).await;
        assert!(matches!(sandboxed.answer(&sample).await, Ok(Answer::Reply(_))), "{}", sample.tool);
    }
}

async fn a_create_whose_answer_was_lost_is_not_doubled<S: Subject>() {
    let Some((sample, operation)) = S::repeatable_create() else {
        return suite::lacks::<S>("repeatable_create");
    };
    let sandboxed = Sandboxed::<S>::start().await;
    let before = S::count_created(&sandboxed.dump());
    sandboxed.harness().faults().add(Rule::new(operation, Action::CloseAfter));
    let text = sandboxed.call(&sample).await.text;
    assert_eq!(S::count_created(&sandboxed.dump()), before + 1, "{text}");
    assert!(sandboxed.harness().journal().count(operation) >= 2, "it was not retried");
}

async fn a_write_with_an_unknown_outcome_says_so_and_is_not_repeated<S: Subject>() {
    let Some((sample, operation)) = S::once_only_write() else { return suite::lacks::<S>("once_only_write") };
    for fault in [Action::CloseAfter, Action::status(502), Action::Html { code: 200 }] {
        let sandboxed = Sandboxed::<S>::start_with(Options { allow_destructive: true, ..everything() }).await;
        sandboxed.harness().faults().add(Rule::new(operation, fault.clone()));
        match sandboxed.try_call(&sample).await {
            Err(error) => {
                assert_eq!(error.kind(), Kind::UnknownOutcome, "{fault:?}: {error}");
                assert!(error.hint().is_some(), "{error}");
            }
            // It was looked for, and it is done.
            Ok(reply) => assert!(matches!(fault, Action::CloseAfter), "{fault:?}: {}", reply.text),
        }
        assert_eq!(sandboxed.harness().journal().count(operation), 1, "{fault:?}: it was repeated");
    }
}

async fn a_credential_that_may_only_read_is_told_what_it_lacks<S: Subject>() {
    let Some((credential, missing)) = S::READ_ONLY_CREDENTIAL else { return };
    let options = Options { credential: Some(credential), ..everything() };
    let sandboxed = Sandboxed::<S>::start_with(options).await;
    let before = sandboxed.dump();
    sandboxed.call(&S::read_one().0).await;
    let error = sandboxed.refusal(&S::plain_write()).await;
    assert_eq!(error.kind(), Kind::Permission, "{error}");
    assert!(error.for_agent().contains(missing), "{error}");
    assert_eq!(sandboxed.dump(), before);
}
