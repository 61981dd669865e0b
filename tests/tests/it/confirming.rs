//! What a person confirmed is what is done: in both eras of the protocol, and whether the client asks the person or calls
//! a second time.

use std::{collections::BTreeSet, sync::Arc};

use connector::{
    Effect, Kind,
    access::{KeyRing, Principal},
    catalog::{Answer, Silent},
    replicas::Replicas,
};
use serde_json::{Value, json};
use suite::{Client, Era, Options, Overtaken, Sample, Sandboxed, Subject};

suite::every_server!(
    whatever_asks_is_overtaken,
    what_was_confirmed_is_what_is_done,
    what_was_confirmed_on_one_replica_is_not_done_again_on_another,
    keys_are_replaced_while_replicas_run,
    where_it_is_strict_a_person_agrees_to_every_write,
);

/// How a client confirms: the era that it speaks, and whether it can ask a person.
const WAYS: [(Era, bool); 4] =
    [(Era::Modern, true), (Era::Modern, false), (Era::Legacy, true), (Era::Legacy, false)];

/// What a server said to a call, or to its confirmation.
#[derive(Debug)]
enum Said {
    /// It waits for a confirmation, in one of three forms; and the text for the person.
    Asks(Asks, String),
    /// It is done, or there is nothing to do.
    Done(String),
    /// It failed.
    Failed(String),
}

/// What a confirmation refers to.
#[derive(Clone, Debug)]
enum Asks {
    /// A state that the call is repeated with: the modern question.
    State(Value),
    /// A request of the server, by its id: the legacy question.
    Request(Value),
    /// A value that a second call carries.
    Value(String),
}

/// What the client hears next.
async fn heard(client: &mut Client) -> Said {
    let said = client.next().await;
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {said}")).to_owned();
    if said["method"] == "elicitation/create" {
        return Said::Asks(Asks::Request(said["id"].clone()), text(&said["params"]["message"]));
    }
    let result = &said["result"];
    if result["resultType"] == "input_required" {
        let message = text(&result["inputRequests"]["confirm"]["params"]["message"]);
        return Said::Asks(Asks::State(result["requestState"].clone()), message);
    }
    if said["error"].is_object() {
        return Said::Failed(said["error"].to_string());
    }
    let text = text(&result["content"][0]["text"]);
    let value = text.split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next());
    match value.map(str::to_owned) {
        Some(value) => Said::Asks(Asks::Value(value), text),
        None if result["isError"] == true => Said::Failed(text),
        None => Said::Done(text),
    }
}

async fn called(client: &mut Client, sample: &Sample) -> Said {
    client.send("tools/call", json!({"name": sample.tool, "arguments": sample.arguments})).await;
    heard(client).await
}

/// The person says yes, in the way that the server asked for.
async fn confirmed(client: &mut Client, sample: &Sample, asks: Asks) -> Said {
    match asks {
        Asks::State(state) => {
            let answers = json!({"confirm": {"action": "accept", "content": {}}});
            let call = json!({"name": sample.tool, "arguments": sample.arguments,
                "requestState": state, "inputResponses": answers});
            client.send("tools/call", call).await;
        }
        Asks::Request(id) => {
            client
                .say(&json!({"jsonrpc": "2.0", "id": id, "result": {"action": "accept", "content": {}}}))
                .await;
        }
        Asks::Value(value) => return called(client, &sample.clone().with("confirm", value)).await,
    }
    heard(client).await
}

async fn whatever_asks_is_overtaken<S: Subject>() {
    let cases = S::overtaken();
    if cases.is_empty() {
        return suite::lacks::<S>("overtaken");
    }
    let tools: BTreeSet<_> = cases.iter().map(|case| case.asks.tool).collect();
    for tool in S::catalog().all_tools().iter().filter(|tool| tool.effect() == Effect::Destructive) {
        assert!(tools.contains(tool.name()), "`overtaken` has no case of {}", tool.name());
    }
    let sandboxed = Sandboxed::<S>::start_with(Options::everything()).await;
    // So must be whatever else asks about what is there already.
    for sample in S::writes() {
        let sandboxed = Sandboxed::<S>::start_with(Options::everything()).await;
        if let Ok(Answer::Question(question)) = sandboxed.answer(&sample).await {
            let known = !question.knows_its_state() || tools.contains(sample.tool);
            assert!(known, "`overtaken` has no case of {}: {:?}", sample.tool, sample.arguments);
        }
    }
    for case in cases.iter().filter(|case| case.before.is_empty()) {
        let tool = case.asks.tool;
        match sandboxed.answer(&case.asks).await {
            Ok(Answer::Question(question)) => {
                assert!(question.knows_its_state(), "{tool}: its plan has no `state`");
            }
            other => panic!("{tool} must ask: {other:?}"),
        }
    }
}

/// Somebody else does what comes between. What a fake works out when it is asked (the head of a pull request after a
/// push) is worked out then.
async fn overtake<S: Subject>(sandboxed: &Sandboxed<S>, case: &Overtaken) -> String {
    let colleague = sandboxed.colleague(Options { allow_destructive: true, ..Options::everything() });
    let call = async |sample: &Sample| {
        let tool = colleague.tool(sample.tool).expect("a tool of the sample");
        let who = Principal::key("colleague");
        colleague.call(tool, who, sample.arguments.clone(), false, Arc::new(Silent)).await
    };
    let Ok(Answer::Reply(done)) = call(&case.meanwhile).await else {
        panic!("{}: nothing came between", case.asks.tool)
    };
    let _ = call(&case.asks.clone().with("dry_run", true)).await;
    colleague.render(done).text
}

/// A person confirms what they were shown. If somebody else changed it meanwhile, they are shown that instead, in
/// whatever way they were asked; and what they then confirm is done.
async fn what_was_confirmed_is_what_is_done<S: Subject>() {
    for case in S::overtaken() {
        for (era, asks) in WAYS {
            let tool = case.asks.tool;
            let sandboxed = Sandboxed::<S>::start_with(Options::everything()).await;
            for sample in &case.before {
                sandboxed.call(sample).await;
            }
            let mut client = Client::speaking(sandboxed.service(), era, asks).await;
            let question = match called(&mut client, &case.asks).await {
                Said::Asks(question, _) => question,
                other => panic!("{tool} must ask: {other:?}"),
            };
            let in_its_way = match question {
                Asks::State(_) => era == Era::Modern && asks,
                Asks::Request(_) => era == Era::Legacy && asks,
                Asks::Value(_) => !asks,
            };
            assert!(in_its_way, "{tool}, {era:?}: asked by {question:?}");
            let meanwhile = overtake(&sandboxed, &case).await;
            let before = sandboxed.dump();
            let said = confirmed(&mut client, &case.asks, question).await;
            let what = format!("{tool}, {era:?}, asks: {asks}");
            assert_eq!(sandboxed.dump(), before, "{what}: did what nobody has seen; before it: {meanwhile}");
            match said {
                Said::Asks(anew, text) => {
                    let changed = text.contains("It has changed since it was confirmed");
                    assert!(changed, "{what}: {text}");
                    let said = confirmed(&mut client, &case.asks, anew).await;
                    assert!(matches!(said, Said::Done(_)), "{what}: it was confirmed anew: {said:?}");
                    assert_ne!(sandboxed.dump(), before, "{what}: {said:?}");
                }
                Said::Done(text) => {
                    assert!(text.starts_with("Nothing") || text.starts_with("There is no"), "{what}: {text}");
                }
                Said::Failed(text) => assert!(!text.contains(Kind::Internal.as_str()), "{what}: {text}"),
            }
        }
    }
}

/// The writes of the samples that ask, whatever their effect.
async fn asking<S: Subject>() -> Vec<Sample> {
    let sandboxed = Sandboxed::<S>::start_with(Options::everything()).await;
    let mut asking = Vec::new();
    for sample in S::writes() {
        if matches!(sandboxed.answer(&sample).await, Ok(Answer::Question(_))) {
            asking.push(sample);
        }
    }
    asking
}

/// Two replicas that share their keys and nothing else. Either what is done shows that it was, or the plan says that it
/// does not (`Plan::once`), and is not done at all.
async fn what_was_confirmed_on_one_replica_is_not_done_again_on_another<S: Subject>() {
    for sample in asking::<S>().await {
        for asks in [true, false] {
            let what = format!("{} {:?}, asks: {asks}", sample.tool, sample.arguments);
            let keys = KeyRing::default();
            let options = || Options { keys: keys.clone(), ..Options::everything() };
            let sandboxed = Sandboxed::<S>::start_with(options()).await;
            let services = [Arc::clone(sandboxed.service()), sandboxed.colleague(options())];
            for service in &services {
                let two = Replicas::new(2.try_into().unwrap(), None);
                assert!(service.share(&two).is_none(), "there is no store");
            }
            let mut one = Client::speaking(&services[0], Era::Modern, asks).await;
            let mut other = Client::speaking(&services[1], Era::Modern, asks).await;
            let Said::Asks(question, _) = called(&mut one, &sample).await else {
                panic!("{what}: it must ask")
            };
            let before = sandboxed.dump();
            match confirmed(&mut one, &sample, question.clone()).await {
                Said::Done(_) => assert_ne!(sandboxed.dump(), before, "{what}: nothing was done"),
                Said::Failed(text) => {
                    assert!(text.contains("done only once"), "{what}: {text}");
                    assert_eq!(sandboxed.dump(), before, "{what}");
                }
                Said::Asks(_, text) => panic!("{what}: it asks again: {text}"),
            }
            let done = sandboxed.dump();
            let again = confirmed(&mut other, &sample, question).await;
            assert_eq!(sandboxed.dump(), done, "{what}: it was done twice; `once`? {again:?}");
        }
    }
}

/// A key is added to the file as its last, moved to the front, and the old one taken out: replicas that are a step apart
/// take each other's values and questions.
async fn keys_are_replaced_while_replicas_run<S: Subject>() {
    let Some(sample) = asking::<S>().await.into_iter().next() else { return };
    let folder = tempfile::tempdir().unwrap();
    let lines =
        ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="];
    let steps: Vec<_> = [&[0][..], &[0, 1], &[1, 0], &[1]]
        .iter()
        .enumerate()
        .map(|(step, order)| {
            let path = folder.path().join(step.to_string());
            let text: Vec<_> = order.iter().map(|line: &usize| lines[*line]).collect();
            std::fs::write(&path, text.join("\n")).unwrap();
            KeyRing::load(&path).unwrap()
        })
        .collect();
    for pair in steps.windows(2) {
        for (asker, doer) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            for asks in [true, false] {
                let options = |keys: &KeyRing| Options { keys: keys.clone(), ..Options::everything() };
                let sandboxed = Sandboxed::<S>::start_with(options(asker)).await;
                let mut one = Client::speaking(sandboxed.service(), Era::Modern, asks).await;
                let doer = sandboxed.colleague(options(doer));
                let mut other = Client::speaking(&doer, Era::Modern, asks).await;
                let Said::Asks(question, _) = called(&mut one, &sample).await else {
                    panic!("{} must ask", sample.tool)
                };
                let said = confirmed(&mut other, &sample, question).await;
                assert!(matches!(said, Said::Done(_)), "{}, asks: {asks}: {said:?}", sample.tool);
            }
        }
    }
}

/// `--confirm strict`: every write asks, though it would not by itself and whatever else is said. It is done when a person
/// has agreed, and never by a second call.
async fn where_it_is_strict_a_person_agrees_to_every_write<S: Subject>() {
    let options = || Options { strict: true, allow_destructive: true, ..Options::everything() };
    for sample in S::writes() {
        let what = format!("{} {:?}", sample.tool, sample.arguments);
        let sandboxed = Sandboxed::<S>::start_with(options()).await;
        let before = sandboxed.dump();
        let shown = sandboxed.answer(&sample.clone().with("dry_run", true)).await;
        assert!(matches!(shown, Ok(Answer::Reply(_))), "{what}: a dry run asks nobody: {shown:?}");
        let mut cannot = Client::speaking(sandboxed.service(), Era::Modern, false).await;
        let mut asks = Client::speaking(sandboxed.service(), Era::Modern, true).await;
        match called(&mut asks, &sample).await {
            Said::Asks(question @ Asks::State(_), _) => {
                let Said::Failed(said) = called(&mut cannot, &sample).await else {
                    panic!("{what}: nobody could agree")
                };
                assert!(said.starts_with("policy: "), "{what}: {said}");
                let schema = Arc::clone(sandboxed.service().tool(sample.tool).unwrap().input_schema());
                if schema["properties"]["confirm"].is_object() {
                    let second = sample.clone().with("confirm", "AAAAAAAAAAAAAAAAAAAAAAAA");
                    let Said::Failed(said) = called(&mut asks, &second).await else {
                        panic!("{what}: a second call did it")
                    };
                    assert!(said.contains("`confirm` does not say that one did"), "{what}: {said}");
                }
                assert_eq!(sandboxed.dump(), before, "{what}: done before a person agreed");
                let mut said = confirmed(&mut asks, &sample, question).await;
                // What is to be in two hours is at another time a moment later.
                if let Said::Asks(anew, _) = said {
                    said = confirmed(&mut asks, &sample, anew).await;
                }
                assert!(matches!(said, Said::Done(_)), "{what}: {said:?}");
            }
            Said::Done(text) => assert_eq!(sandboxed.dump(), before, "{what}: nobody was asked: {text}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}
