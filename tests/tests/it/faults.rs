//! Every fault that one vendor can show, on paused time against the sandbox. The numbers are those of
//! docs/faults.md, which says what is expected and why.

use std::{collections::BTreeMap, time::Duration};

use connector::{
    Effect, Error, Kind,
    sandbox::{Action, Rule},
};
use futures::future::join_all;
use suite::{Options, Sample, Sandboxed, Subject};
use tokio::time::Instant;

suite::every_server!(
    f01_a_rate_limit_is_waited_out_within_the_deadline_and_told_beyond_it,
    f03_the_vendors_own_budgets_are_kept_and_told,
    f06_a_server_error_is_retried_for_reads_only,
    f07_a_vendor_that_keeps_failing_is_left_alone_for_a_while,
    f08_a_hundred_callers_make_one_probe,
    f09_refused_credentials_and_limits_do_not_open_the_breaker,
    f13_a_write_that_times_out_is_not_called_done_or_failed,
    f14_a_connection_reset_after_the_commit_makes_no_second_record,
    f15_an_answer_that_drips_ends_at_the_deadline,
    f16_headers_that_never_come_end_at_the_deadline,
    f18_a_kept_connection_that_the_vendor_closed_is_not_noticed,
    f19_one_timeout_does_not_empty_the_pool,
    f20_a_page_of_html_is_a_clean_error,
    f21_a_broken_body_is_a_clean_error,
    f22_drift_in_an_answer_is_survived_and_counted,
    f24_one_thing_that_is_gone_does_not_spoil_the_rest,
    f31_an_answer_that_cannot_be_read_is_no_failure_of_a_write,
    f28_a_mutation_with_data_and_errors_is_done_and_says_both,
    f27_a_conflict_is_told_and_nothing_is_overwritten,
    no_token_appears_in_any_error,
);

async fn with_fault<S: Subject>(operation: &str, action: Action) -> Sandboxed<S> {
    let sandboxed =
        Sandboxed::<S>::start_with(Options { allow_destructive: true, ..Options::default() }).await;
    sandboxed.harness().faults().add(Rule::new(operation, action));
    sandboxed
}

/// Calls, and tells how long it took on the paused clock.
async fn timed<S: Subject>(sandboxed: &Sandboxed<S>, sample: &Sample) -> (Result<String, Error>, Duration) {
    let start = Instant::now();
    let outcome = sandboxed.try_call(sample).await.map(|reply| reply.text);
    (outcome, start.elapsed())
}

async fn f01_a_rate_limit_is_waited_out_within_the_deadline_and_told_beyond_it<S: Subject>() {
    let (sample, operation) = S::read_one();
    // The sandbox takes a while to start, in which the clock on the wall goes on.
    let in_six_seconds = {
        let at = connector::clock::wall() + Duration::from_secs(6);
        let at = std::time::UNIX_EPOCH + at;
        httpdate::fmt_http_date(at)
    };
    for (retry_after, at_least) in [("2", 2), ("0", 0), (in_six_seconds.as_str(), 2)] {
        let sandboxed = with_fault::<S>(operation, Action::rate_limit(Some(retry_after))).await;
        let (outcome, took) = timed(&sandboxed, &sample).await;
        assert!(outcome.is_ok(), "Retry-After {retry_after}: {outcome:?}");
        assert!(took >= Duration::from_secs(at_least), "Retry-After {retry_after}: retried after {took:?}");
        assert!(took <= Duration::from_secs(10), "Retry-After {retry_after}: took {took:?}");
    }
    // Told to wait for a day, it says so at once.
    let sandboxed = with_fault::<S>(operation, Action::rate_limit(Some("86400"))).await;
    let (outcome, took) = timed(&sandboxed, &sample).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    let told = error.retry_after().unwrap_or_default();
    assert!((86_390..=86_400).contains(&told.as_secs()), "{error}");
    assert!(took < Duration::from_secs(2), "it waited {took:?}");
    // Never a hot loop, however often it is told 0.
    let sandboxed = Sandboxed::<S>::start().await;
    sandboxed.harness().faults().add(Rule::new(operation, Action::rate_limit(Some("0"))).always());
    let (outcome, _) = timed(&sandboxed, &sample).await;
    assert_eq!(outcome.unwrap_err().kind(), Kind::RateLimited);
    let asked = sandboxed.harness().journal().count(operation);
    assert!(asked <= 10, "asked {asked} times");
}

async fn f03_the_vendors_own_budgets_are_kept_and_told<S: Subject>() {
    // Without Retry-After, in the vendor's own shape, a limit is a limit and no failure.
    let (sample, operation) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    sandboxed.harness().faults().add(Rule::new(operation, Action::rate_limit(None)).always());
    let (outcome, _) = timed(&sandboxed, &sample).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    assert!(error.retry_after().is_some(), "says not when: {error}");
}

async fn f06_a_server_error_is_retried_for_reads_only<S: Subject>() {
    let (sample, operation) = S::read_one();
    for code in [500, 502, 503, 504] {
        let sandboxed = with_fault::<S>(operation, Action::status(code)).await;
        let (outcome, _) = timed(&sandboxed, &sample).await;
        assert!(outcome.is_ok(), "{code}: {outcome:?}");
        assert_eq!(sandboxed.harness().journal().count(operation), 2, "{code}");
    }
    if let Some((sample, operation)) = S::once_only_write() {
        let sandboxed = with_fault::<S>(operation, Action::status(500)).await;
        let error = sandboxed.refusal(&sample).await;
        assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}");
        assert_eq!(sandboxed.harness().journal().count(operation), 1);
    }
}

/// Fails `sandboxed` until its breaker is open.
async fn open_the_breaker<S: Subject>(sandboxed: &Sandboxed<S>, sample: &Sample) {
    sandboxed.harness().faults().add(Rule::new("*", Action::status(503)).always());
    for _ in 0..20 {
        if sandboxed.refusal(sample).await.kind() == Kind::Unavailable {
            return;
        }
    }
    panic!("the breaker does not open");
}

async fn f07_a_vendor_that_keeps_failing_is_left_alone_for_a_while<S: Subject>() {
    let (sample, _) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    open_the_breaker(&sandboxed, &sample).await;
    let asked = sandboxed.harness().journal().entries().len();
    let (outcome, took) = timed(&sandboxed, &sample).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(error.retry_after().is_some(), "{error}");
    assert!(took < Duration::from_millis(5), "a fast failure took {took:?}");
    assert_eq!(sandboxed.harness().journal().entries().len(), asked, "the vendor was asked");
    // It recovers by itself.
    sandboxed.harness().faults().clear();
    tokio::time::sleep(error.retry_after().unwrap() + Duration::from_millis(50)).await;
    assert!(sandboxed.try_call(&sample).await.is_ok());
}

async fn f08_a_hundred_callers_make_one_probe<S: Subject>() {
    let (sample, _) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    open_the_breaker(&sandboxed, &sample).await;
    let wait = sandboxed.refusal(&sample).await.retry_after().unwrap();
    tokio::time::sleep(wait + Duration::from_millis(50)).await;
    let asked = sandboxed.harness().journal().entries().len();
    let outcomes = join_all((0..100).map(|_| sandboxed.try_call(&sample))).await;
    assert!(outcomes.iter().all(Result::is_err));
    let probes = sandboxed.harness().journal().entries().len() - asked;
    assert_eq!(probes, 1, "a vendor on its knees was asked {probes} times");
}

async fn f09_refused_credentials_and_limits_do_not_open_the_breaker<S: Subject>() {
    let (sample, operation) = S::read_one();
    for action in [Action::Unauthorized, Action::rate_limit(Some("0"))] {
        let sandboxed = Sandboxed::<S>::start().await;
        sandboxed.harness().faults().add(Rule::new(operation, action.clone()).times(60));
        for _ in 0..12 {
            let kind = sandboxed.refusal(&sample).await.kind();
            assert!(matches!(kind, Kind::Auth | Kind::RateLimited), "{action:?}: {kind}");
        }
        sandboxed.harness().faults().clear();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(sandboxed.try_call(&sample).await.is_ok(), "{action:?}");
    }
}

async fn f13_a_write_that_times_out_is_not_called_done_or_failed<S: Subject>() {
    let Some((sample, operation)) = S::once_only_write() else { return suite::lacks::<S>("once_only_write") };
    let late = Duration::from_secs(120);
    let sandboxed = with_fault::<S>(operation, Action::Delay { by: late }).await;
    let (outcome, took) = timed(&sandboxed, &sample).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}");
    assert!(took < late, "it waited {took:?}");
    assert_eq!(sandboxed.harness().journal().count(operation), 1, "it was repeated");
}

async fn f14_a_connection_reset_after_the_commit_makes_no_second_record<S: Subject>() {
    let Some((sample, operation)) = S::repeatable_create() else {
        return suite::lacks::<S>("repeatable_create");
    };
    for action in [Action::CloseAfter, Action::Truncate { bytes: 20 }, Action::InvalidUtf8] {
        let sandboxed = with_fault::<S>(operation, action.clone()).await;
        let before = S::count_created(&sandboxed.dump());
        let outcome = sandboxed.try_call(&sample).await;
        assert!(outcome.is_ok(), "{action:?}: {outcome:?}");
        assert_eq!(S::count_created(&sandboxed.dump()), before + 1, "{action:?}");
    }
}

async fn f15_an_answer_that_drips_ends_at_the_deadline<S: Subject>() {
    let (sample, operation) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    sandboxed.harness().faults().add(Rule::new(operation, Action::Drip { bytes_per_second: 1 }).always());
    let (outcome, took) = timed(&sandboxed, &sample).await;
    assert_eq!(outcome.unwrap_err().kind(), Kind::Upstream);
    assert!(took <= Duration::from_secs(35), "it took {took:?}");
    let status = sandboxed.service().server().upstream().status();
    assert_eq!(status.in_use, 0, "a permit leaked");
}

async fn f16_headers_that_never_come_end_at_the_deadline<S: Subject>() {
    let (sample, operation) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    sandboxed.harness().faults().add(Rule::new(operation, Action::Stall).always());
    let (outcome, took) = timed(&sandboxed, &sample).await;
    assert_eq!(outcome.unwrap_err().kind(), Kind::Upstream);
    assert!(took <= Duration::from_secs(35), "it took {took:?}");
}

async fn f18_a_kept_connection_that_the_vendor_closed_is_not_noticed<S: Subject>() {
    let (sample, operation) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    let (listing, _) = S::listing();
    assert!(sandboxed.try_call(&listing).await.is_ok());
    sandboxed.harness().faults().add(Rule::new(operation, Action::CloseIdle));
    let (outcome, _) = timed(&sandboxed, &sample).await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

async fn f19_one_timeout_does_not_empty_the_pool<S: Subject>() {
    let (sample, operation) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    sandboxed.harness().faults().add(Rule::new(operation, Action::Stall));
    assert!(sandboxed.try_call(&sample).await.is_ok(), "one stalled attempt is retried");
    let status = sandboxed.service().server().upstream().status();
    assert_eq!(status.in_use, 0);
}

async fn f20_a_page_of_html_is_a_clean_error<S: Subject>() {
    let (sample, operation) = S::read_one();
    let sandboxed = Sandboxed::<S>::start().await;
    for code in [200, 502] {
        sandboxed.harness().faults().clear();
        sandboxed.harness().faults().add(Rule::new(operation, Action::Html { code }).always());
        let error = sandboxed.refusal(&sample).await;
        assert_eq!(error.kind(), Kind::Upstream, "{code}: {error}");
        assert!(!error.for_agent().contains('<'), "the page is shown: {error}");
    }
}

async fn f21_a_broken_body_is_a_clean_error<S: Subject>() {
    let (sample, operation) = S::read_one();
    for action in
        [Action::Truncate { bytes: 30 }, Action::InvalidUtf8, Action::Oversized { bytes: 200 << 20 }]
    {
        let sandboxed = Sandboxed::<S>::start().await;
        sandboxed.harness().faults().add(Rule::new(operation, action.clone()).always());
        let error = sandboxed.refusal(&sample).await;
        assert_eq!(error.kind(), Kind::Upstream, "{action:?}: {error}");
        assert!(error.for_agent().len() < 400, "{action:?}: {error}");
    }
}

async fn f22_drift_in_an_answer_is_survived_and_counted<S: Subject>() {
    let drift = |sandboxed: &Sandboxed<S>| sandboxed.service().server().upstream().status().counts.drift;
    let mut counted = 0;
    for (sample, operation, action) in S::drifts() {
        let sandboxed = Sandboxed::<S>::start().await;
        sandboxed.call(&sample).await;
        assert_eq!(drift(&sandboxed), 0, "an answer as documented has no drift: {sample:?}");
        let sandboxed = with_fault::<S>(operation, action.clone()).await;
        let outcome = sandboxed.try_call(&sample).await;
        assert!(outcome.is_ok(), "{action:?}: {outcome:?}");
        counted += drift(&sandboxed);
    }
    assert!(counted > 0, "what came as another type is counted");
}

/// An answer of 2xx with nothing in it, or with a document that ends early though the transport says that it is
/// whole, says nothing of what was done.
async fn f31_an_answer_that_cannot_be_read_is_no_failure_of_a_write<S: Subject>() {
    for body in ["", "{\"data\": {\"x\": {\"y\": 1}"] {
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        let broken = Action::Status { code: 200, headers, body: body.to_owned(), committed: true };
        if let Some((sample, operation)) = S::repeatable_create() {
            let sandboxed = with_fault::<S>(operation, broken.clone()).await;
            let before = S::count_created(&sandboxed.dump());
            let outcome = sandboxed.try_call(&sample).await;
            assert!(outcome.is_ok(), "{body:?}: what was made is found: {outcome:?}");
            assert_eq!(S::count_created(&sandboxed.dump()), before + 1, "{body:?}");
        }
        if let Some((sample, operation)) = S::once_only_write() {
            let sandboxed = with_fault::<S>(operation, broken.clone()).await;
            if let Err(error) = sandboxed.try_call(&sample).await {
                assert_eq!(error.kind(), Kind::UnknownOutcome, "{body:?}: {error}");
            }
            assert_eq!(sandboxed.harness().journal().count(operation), 1, "{body:?}: it was repeated");
        }
        let (sample, operation) = S::read_one();
        let sandboxed = with_fault::<S>(operation, broken).await;
        let outcome = sandboxed.try_call(&sample).await;
        assert!(outcome.is_ok(), "{body:?}: a read is repeated: {outcome:?}");
    }
}

async fn f24_one_thing_that_is_gone_does_not_spoil_the_rest<S: Subject>() {
    let Some((sample, shown, gone)) = S::one_of_several_gone() else {
        return suite::lacks::<S>("one_of_several_gone");
    };
    let sandboxed = Sandboxed::<S>::start().await;
    let text = sandboxed.call(&sample).await.text;
    assert!(text.contains(shown) && text.contains(gone), "{text}");
}

async fn f27_a_conflict_is_told_and_nothing_is_overwritten<S: Subject>() {
    let Some(sample) = S::outdated_write() else { return suite::lacks::<S>("outdated_write") };
    let sandboxed = Sandboxed::<S>::start().await;
    let before = sandboxed.dump();
    let error = sandboxed.refusal(&sample).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(sandboxed.dump(), before);
}

async fn no_token_appears_in_any_error<S: Subject>() {
    let canary = S::REFUSED_CREDENTIAL;
    let options = Options { credential: Some(canary), allow_destructive: true, ..Options::default() };
    let sandboxed = Sandboxed::<S>::start_with(options).await;
    for sample in S::reads().into_iter().chain(S::writes()) {
        let Some(tool) = sandboxed.service().tool(sample.tool) else { continue };
        let error = match sandboxed.try_call(&sample).await {
            Err(error) => error,
            Ok(reply) if tool.effect() == Effect::Read => {
                // A reply that tells of the failure in parts.
                assert!(!reply.text.contains(canary));
                continue;
            }
            Ok(reply) => panic!("{} worked with a refused credential: {}", sample.tool, reply.text),
        };
        assert_eq!(error.kind(), Kind::Auth, "{}: {error}", sample.tool);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(canary), "{}: the token is in its error", sample.tool);
    }
    assert!(!format!("{:?}", sandboxed.service()).contains(canary));
}

/// A write that was carried out is never told as failed, and what failed beside its data is told with it.
async fn f28_a_mutation_with_data_and_errors_is_done_and_says_both<S: Subject>() {
    let Some((sample, operation, errors)) = S::partial_write() else { return };
    let options = Options { allow_destructive: true, ..Options::everything() };
    let sandboxed = Sandboxed::<S>::start_with(options).await;
    sandboxed.harness().faults().add(Rule::new(operation, Action::patch("/errors", errors)));
    let told = sandboxed.try_call(&sample).await.expect("it was carried out").text;
    assert!(told.contains("could not be read") && !told.contains("NOT"), "{told}");
    assert_eq!(sandboxed.harness().journal().count(operation), 1, "{told}");
}
