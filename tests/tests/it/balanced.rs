//! Two replicas of every server behind a balancer that gives each request to the other one: whatever asks is confirmed
//! there, in every way that there is, whatever becomes of the store that they share.
//!
//! It needs a balancer, `BALANCER_HAPROXY` or `BALANCER_ENVOY` or both, and `STORE_SERVER`; without a balancer it is left
//! out. `BALANCED_ROUNDS=20` is the long run; `-- --nocapture` shows what became of it.

#![allow(clippy::print_stdout, reason = "what was measured is worth reading")]

use std::{
    collections::BTreeSet,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use connector::{Effect, catalog::Answer};
use serde_json::{Value, json};
use suite::{Era, Options, Sample, Sandboxed, Subject};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
};

use crate::team::{self, Replica, Team, client, free_address, told, until};

suite::every_program!(what_one_replica_asks_is_confirmed_on_the_other);

/// How often each tool is confirmed in each way, if nothing is said.
const ROUNDS: usize = 1;
/// So often with the same processes: the vendors' budgets, which a server keeps to, last for so much.
const AT_ONCE: usize = 20;
/// The callers, in turn: each may confirm only so much in five minutes.
const CALLERS: usize = 4;

/// How a client confirms.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It answers a question of the protocol.
    Question,
    /// It calls again, with the value that the first call gave.
    Value(Era),
}

/// In the older protocol nobody can be asked over HTTP without sessions, which need one replica.
const WAYS: [Way; 3] = [Way::Question, Way::Value(Era::Modern), Way::Value(Era::Legacy)];

/// What becomes of the store once the replicas have found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Runs,
    Stopped,
    Frozen,
    OnlyReads,
}

const STORES: [Store; 4] = [Store::Runs, Store::Stopped, Store::Frozen, Store::OnlyReads];

/// A balancer's program, the name of its settings in `tests/balancers`, and what goes before their path.
struct Balancer {
    program: PathBuf,
    settings: &'static str,
    arguments: &'static [&'static str],
}

impl Balancer {
    /// Those that there are.
    fn all() -> Vec<Self> {
        let envoy = &["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error", "--config-path"];
        [("BALANCER_HAPROXY", "haproxy.cfg", &["-f"][..]), ("BALANCER_ENVOY", "envoy.yaml", envoy)]
            .into_iter()
            .filter_map(|(variable, settings, arguments)| {
                let program = env::var_os(variable).filter(|program| !program.is_empty())?;
                Some(Self { program: program.into(), settings, arguments })
            })
            .collect()
    }

    /// Starts it at `front`, before the replicas at `back`.
    fn start(&self, folder: &Path, front: SocketAddr, back: [SocketAddr; 2]) -> Child {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("balancers").join(self.settings);
        let mut text = fs::read_to_string(own).unwrap();
        for (place, addr) in [("@FRONT@", front), ("@ONE@", back[0]), ("@TWO@", back[1])] {
            text = text.replace(place, &addr.port().to_string());
        }
        let file = folder.join(self.settings);
        fs::write(&file, text).unwrap();
        let mut command = Command::new(&self.program);
        command
            .args(self.arguments)
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.kill_on_drop(true).spawn().unwrap()
    }
}

/// A store, two replicas that share it, and a balancer before them.
struct Installation {
    store: Child,
    at: SocketAddr,
    replicas: [Replica; 2],
    _balancer: Child,
    front: SocketAddr,
    client: reqwest::Client,
}

impl Installation {
    async fn start<S: Subject>(team: &Team<S>, balancer: &Balancer) -> Self {
        let at = free_address();
        let mut command = Command::new(env::var_os("STORE_SERVER").expect("`STORE_SERVER` names a program"));
        command.args([
            "--port",
            &at.port().to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.current_dir(team.folder()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let store = command.spawn().unwrap();
        // It remembers for long.
        let remembers = format!("SET {{{}}}:since:1 0", S::ABOUT.program);
        until("the store remembers", async || say(at, &remembers).await.is_some()).await;
        let url = format!("redis://{at}");
        // A quota that is counted, and that nobody reaches.
        let more = ["--redis", &url, "--replicas", "2", "--quota-per-minute", "60000"];
        let replicas = [team.replica(&more).await, team.replica(&more).await];
        let front = free_address();
        let balancer = balancer.start(team.folder(), front, [replicas[0].addr, replicas[1].addr]);
        let own = Self { store, at, replicas, _balancer: balancer, front, client: client() };
        own.until_all_is_there().await;
        own
    }

    /// The store is found by both, and the balancer gives requests to the one and the other.
    async fn until_all_is_there(&self) {
        for replica in &self.replicas {
            let found =
                async || replica.asked("readyz").await.is_some_and(|told| told.contains("\"store\":\"up\""));
            until("the replica finds the store", found).await;
        }
        let answered = async || {
            let answer = self.client.get(format!("http://{}/readyz", self.front)).send().await.ok()?;
            answer.status().is_success().then(|| by(&answer))
        };
        until("the balancer knows both", async || {
            let [one, two, three] = [answered().await, answered().await, answered().await];
            one.is_some() && two.is_some() && one != two && one == three
        })
        .await;
    }

    /// Lets `store` become of the store.
    async fn befall(&mut self, store: Store) {
        match store {
            Store::Runs => {}
            Store::Stopped => self.store.kill().await.unwrap(),
            Store::Frozen => {
                let id = self.store.id().unwrap().to_string();
                assert!(std::process::Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
            }
            Store::OnlyReads => assert!(say(self.at, "REPLICAOF 127.0.0.1 1").await.is_some()),
        }
    }

    /// Which replica answers a call, and what.
    async fn ask(&self, key: &str, way: Way, what: (&str, Value)) -> Result<(String, Value), String> {
        let (era, capabilities) = match way {
            Way::Question => (Era::Modern, json!({"elicitation": {"form": {}}})),
            Way::Value(era) => (era, json!({})),
        };
        let request = team::request(&self.client, self.front, era, what, &capabilities).bearer_auth(key);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let (by, text) = (by(&answer), answer.text().await.map_err(|error| error.to_string())?);
        serde_json::from_str(&text).map(|answer| (by, answer)).map_err(|_| format!("no answer: {text}"))
    }

    /// Does `sample`, whether it asks or not.
    async fn done(&self, key: &str, sample: &Sample) {
        let way = Way::Value(Era::Modern);
        let mut answer = self.ask(key, way, team::call(sample)).await.unwrap().1;
        if let Some(value) = value(&answer) {
            let confirmed = sample.clone().with("confirm", value);
            answer = self.ask(key, way, team::call(&confirmed)).await.unwrap().1;
        }
        assert!(!told(&answer).1, "{}: {answer}", sample.tool);
    }

    /// What the second replica says once `sample` is confirmed, of which the first has asked.
    async fn confirmed(&self, key: &str, way: Way, sample: &Sample) -> Result<Value, String> {
        let (one, asked) = self.ask(key, way, team::call(sample)).await?;
        let (method, mut params) = team::call(sample);
        match way {
            Way::Question => {
                let state = &asked["result"]["requestState"];
                if !state.is_string() {
                    return Err(format!("no question: {asked}"));
                }
                params["requestState"] = state.clone();
                params["inputResponses"] = json!({"confirm": {"action": "accept", "content": {}}});
            }
            Way::Value(_) => {
                params["arguments"]["confirm"] =
                    value(&asked).ok_or_else(|| format!("no value: {asked}"))?.into();
            }
        }
        let (other, answer) = self.ask(key, way, (method, params)).await?;
        if one == other { Err(format!("both requests went to {one}")) } else { Ok(answer) }
    }
}

/// The value that an answer gives for a second call.
fn value(answer: &Value) -> Option<&str> {
    told(answer).0.split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next())
}

/// By whom the balancer says that it was answered.
fn by(answer: &reqwest::Response) -> String {
    let named = answer.headers().get("x-replica").and_then(|name| name.to_str().ok());
    named.unwrap_or("nobody").to_owned()
}

/// What the store at `at` answers to a command. None if it does not.
async fn say(at: SocketAddr, command: &str) -> Option<String> {
    let mut stream = TcpStream::connect(at).await.ok()?;
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.starts_with("+OK").then_some(answer)
}

/// A call of a destructive tool that asks.
struct Asking {
    /// What must be done first.
    before: Vec<Sample>,
    asks: Sample,
    /// Whether what it does leaves no trace.
    once: bool,
}

/// One of every destructive tool.
async fn asking<S: Subject>() -> Vec<Asking> {
    let catalog = S::catalog();
    let tools = catalog.all_tools().iter().filter(|tool| tool.effect() == Effect::Destructive);
    let mut missing: BTreeSet<_> = tools.map(connector::catalog::Tool::name).collect();
    let overtaken = S::overtaken().into_iter().map(|case| (case.before, case.asks));
    let writes = S::writes().into_iter().map(|write| (Vec::new(), write));
    let mut asking = Vec::new();
    for (before, asks) in overtaken.chain(writes) {
        if !missing.contains(asks.tool) {
            continue;
        }
        let sandboxed = Sandboxed::<S>::start_with(Options::everything()).await;
        for sample in &before {
            sandboxed.call(sample).await;
        }
        if let Ok(Answer::Question(question)) = sandboxed.answer(&asks).await {
            missing.remove(asks.tool);
            asking.push(Asking { before, asks, once: question.effect().is_once() });
        }
    }
    assert!(missing.is_empty(), "no call of these asks: {missing:?}");
    asking
}

/// What became of the confirmations of one server behind one balancer with one store.
#[derive(Default)]
struct Tally {
    done: usize,
    /// Not done, because nobody could tell whether it was done before, and nothing would show it.
    refused: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Counts what was `said`, and whether anything was `changed`.
    fn count(&mut self, case: &Asking, way: Way, store: Store, said: Result<Value, String>, changed: bool) {
        let unsure = case.once && store != Store::Runs;
        match said {
            Ok(said) if unsure && !changed && is_unsure(&said) => self.refused += 1,
            Ok(said) if !unsure && changed && !told(&said).1 => self.done += 1,
            said => self.wrong.push(format!("{} by {way:?}, changed: {changed}: {said:?}", case.asks.tool)),
        }
    }
}

async fn what_one_replica_asks_is_confirmed_on_the_other<S: Subject>() {
    let samples = asking::<S>().await;
    if samples.is_empty() {
        return suite::lacks::<S>("overtaken");
    }
    let rounds = env::var("BALANCED_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let tries: Vec<_> = samples
        .iter()
        .flat_map(|sample| WAYS.map(|way| (sample, way)))
        .flat_map(|one| (0..rounds).map(move |_| one))
        .collect();
    for balancer in Balancer::all() {
        for store in STORES {
            let mut tally = Tally::default();
            for tries in tries.chunks(AT_ONCE) {
                let team = Team::<S>::of(CALLERS).await;
                let mut installation = Installation::start(&team, &balancer).await;
                installation.befall(store).await;
                for (number, (case, way)) in tries.iter().enumerate() {
                    let key = &team.keys[number % CALLERS];
                    team.reset();
                    for sample in &case.before {
                        installation.done(key, sample).await;
                    }
                    let before = team.dump();
                    let said = installation.confirmed(key, *way, &case.asks).await;
                    tally.count(case, *way, store, said, team.dump() != before);
                }
                if !tally.wrong.is_empty() {
                    println!("{}", team.logs());
                }
            }
            let Tally { done, refused, wrong } = tally;
            let (program, balancer, tools) = (S::ABOUT.program, balancer.settings, samples.len());
            println!(
                "{program}, {balancer}, store {store:?}: {tools} tools, {done} done, {refused} refused, {} wrong",
                wrong.len()
            );
            assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), tries.len(), wrong.join("\n"));
        }
    }
}

/// Whether it was not done because nobody can tell whether it was done before.
fn is_unsure(said: &Value) -> bool {
    let (text, failed) = told(said);
    failed && text.contains("done only once") && text.contains("Nothing was changed")
}
