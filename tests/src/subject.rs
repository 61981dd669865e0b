//! What the shared tests must know of a server.

use connector::{Connector, sandbox::Action, testing::Sample};
use serde_json::Value;

use crate::Marked;

/// A server, as the shared tests see it.
pub trait Subject: Connector {
    /// The most o200k tokens that the whole `tools/list` may cost at default settings.
    const LIST_BUDGET: usize;
    /// The most o200k tokens that [`Subject::twenty_rows`] may cost.
    const TWENTY_ROWS_BUDGET: usize;
    /// The credential's setting.
    const CREDENTIAL: &'static str;
    /// A credential that the fake refuses.
    const REFUSED_CREDENTIAL: &'static str;
    /// A credential that may only read, and what an error names as missing when it writes. None if the vendor has no
    /// such credentials.
    const READ_ONLY_CREDENTIAL: Option<(&'static str, &'static str)>;
    /// How many uncached calls a second, and in all on one connection, stay within the budgets that the server keeps to:
    /// what the benchmark asks for. None in all where only the pace is kept.
    const PACE: (usize, Option<usize>);
    /// What the shared tests ask for and this server does not give, each by the name of the method here that gives none,
    /// and why: `("overtaken", "no tool asks")`. A test that gets nothing fails unless it is said here.
    const LACKS: &'static [(&'static str, &'static str)] = &[];

    /// What the storm does not write, and why it cannot: a tool, `tool.argument`, or `tool.argument=value` of a switch
    /// or of a closed set of words. Everything else of that kind is in [`Subject::marked_writes`].
    const NOT_MARKED: &'static [(&'static str, &'static str)] = &[];

    /// One call, or more, of every tool that reads, fitting the sandbox's story. None may fail.
    fn reads() -> Vec<Sample>;

    /// One call, or more, of every tool that writes, fitting the sandbox's story. Each must change
    /// something when it is carried out.
    fn writes() -> Vec<Sample>;

    /// Writes of every kind, each with `marker` as the text that tells from the fake's state whether it was carried out,
    /// and how often: creates, comments, updates of a field, edits and appendices, labels, removals. What a write is
    /// done to must be its own (made by [`Step`](crate::Step)s before it), unless many may work on one thing at once. A
    /// storm of them is made while the vendor fails in every way.
    fn marked_writes(_marker: &str) -> Vec<Marked> {
        Vec::new()
    }

    /// A listing of at least three pages, and the upstream operation that it costs once a page.
    fn listing() -> (Sample, &'static str);

    /// The listing of 20 rows whose price is promised.
    fn twenty_rows() -> Sample;

    /// A create that the vendor makes repeatable, and the upstream operation that does it. None if it makes none so.
    fn repeatable_create() -> Option<(Sample, &'static str)>;

    /// A write that must not be repeated blindly, and the upstream operation that does it; none if
    /// every write of this server is repeatable.
    fn once_only_write() -> Option<(Sample, &'static str)>;

    /// A write whose answer may have errors beside its data, its operation, and such errors as the vendor words them,
    /// of which one says `could not be read`. Only where the vendor is asked in GraphQL.
    fn partial_write() -> Option<(Sample, &'static str, Value)> {
        None
    }

    /// A read of one thing, and the upstream operation that it costs.
    fn read_one() -> (Sample, &'static str);

    /// A read whose answer is cached, and the upstream operation that it costs when it is not. None if nothing may be
    /// cached.
    fn cached_read() -> Option<(Sample, &'static str)>;

    /// Answers that drifted from what the vendor documents: unknown values, `null`, missing fields,
    /// numbers as text. The calls must still work.
    fn drifts() -> Vec<(Sample, &'static str, Action)>;

    /// A read of several things of which one is gone: a text of one that is there, and the name of
    /// the one that is not. None if no tool reads several things.
    fn one_of_several_gone() -> Option<(Sample, &'static str, &'static str)>;

    /// A write that expects a state of its target that is past. None if the vendor tells no state.
    fn outdated_write() -> Option<Sample>;

    /// A write that asks nothing and needs what [`Subject::READ_ONLY_CREDENTIAL`] lacks: the repeatable create, or the
    /// first of [`Subject::writes`].
    ///
    /// # Panics
    /// If the server has no write.
    #[must_use]
    fn plain_write() -> Sample {
        let create = Self::repeatable_create().map(|(sample, _)| sample);
        create.or_else(|| Self::writes().into_iter().next()).expect("a server of the suite writes something")
    }

    /// For every destructive tool a call that asks, and what somebody else does to its target before it is
    /// answered. The plan of each must say from which state it was made (`Plan::state`).
    fn overtaken() -> Vec<Overtaken> {
        Vec::new()
    }

    /// Calls that name something by an address of another host, workspace or account, of which something here
    /// would be taken by its last part. None if nothing goes by its address.
    fn foreign_addresses() -> Vec<Sample> {
        Vec::new()
    }

    /// Operations that only look at a thing to judge by its name whether it is within bounds.
    #[must_use]
    fn judged_by() -> &'static [&'static str] {
        &[]
    }

    /// What the operator can put out of bounds. None if the server has no such settings.
    fn bounded() -> Option<Bounded> {
        None
    }

    /// For every argument that takes an id: where a model gets one from.
    fn ids() -> Vec<IdWalk>;

    /// The number of things in a dump of the fake's state of the kind that
    /// [`Subject::repeatable_create`] creates; never asked without one.
    fn count_created(dump: &Value) -> usize;
}

/// That a server gives nothing for `what`, the name of a method of [`Subject`].
///
/// # Panics
/// If it does not say why.
pub fn lacks<S: Subject>(what: &str) {
    assert!(lacking::<S>(what), "`{what}` gives nothing, and `LACKS` does not say why");
}

/// Whether a server says why it gives nothing for `what`, the name of a method of [`Subject`].
#[must_use]
pub fn lacking<S: Subject>(what: &str) -> bool {
    S::LACKS.iter().any(|(name, why)| *name == what && !why.is_empty())
}

/// Whether a server gives something for `what`, the name of a method of [`Subject`].
///
/// # Panics
/// If no method is called so that may give nothing.
#[must_use]
pub fn gives<S: Subject>(what: &str) -> bool {
    match what {
        "bounded" => S::bounded().is_some(),
        "cached_read" => S::cached_read().is_some(),
        "marked_writes" => !S::marked_writes("marker").is_empty(),
        "once_only_write" => S::once_only_write().is_some(),
        "one_of_several_gone" => S::one_of_several_gone().is_some(),
        "outdated_write" => S::outdated_write().is_some(),
        "overtaken" => !S::overtaken().is_empty(),
        "repeatable_create" => S::repeatable_create().is_some(),
        other => panic!("`LACKS` names `{other}`, which no server may lack"),
    }
}

/// Settings, by their keys.
pub type Settings = Vec<(&'static str, connector::settings::Value)>;

/// Something of the sandbox's story that an operator can put out of bounds.
#[derive(Clone, Debug)]
pub struct Bounded {
    /// Settings under which it may not be read.
    pub not_read: Settings,
    /// What stands in every request and reply that is about it.
    pub marker: &'static str,
    /// How many calls at least are refused under those settings.
    pub refused: usize,
    /// Settings under which it may be read, but not written.
    pub not_written: Settings,
    /// Which writes are to it.
    pub writes_there: fn(&Sample) -> bool,
    /// What the refusal of a write names: the setting.
    pub said: &'static str,
}

/// A call that asks, and is overtaken before it is confirmed.
#[derive(Clone, Debug)]
pub struct Overtaken {
    /// What must be done first.
    pub before: Vec<Sample>,
    /// The call that asks.
    pub asks: Sample,
    /// What somebody else does to its target meanwhile.
    pub meanwhile: Sample,
}

impl Overtaken {
    /// `asks`, and `meanwhile` somebody else does that.
    #[must_use]
    pub fn new(asks: Sample, meanwhile: Sample) -> Self {
        Self { before: Vec::new(), asks, meanwhile }
    }
}

/// Where a model gets an id from, and that it works where it is needed.
#[derive(Clone, Debug)]
pub struct IdWalk {
    /// The argument it is needed for: `tool.argument`.
    pub needed: (&'static str, &'static str),
    /// The call that gives it.
    pub given_by: Sample,
    /// The form it has in that call's reply.
    pub form: IdForm,
    /// The other arguments of the call that needs it.
    pub others: Value,
}

/// How an id is found in a reply.
#[derive(Clone, Copy, Debug)]
pub enum IdForm {
    /// The first word that has this prefix and goes on with digits: `ENG-`.
    Numbered(&'static str),
    /// The first UUID after this text.
    UuidAfter(&'static str),
    /// The first number that stands right after this text.
    DigitsAfter(&'static str),
    /// The first word that begins with this.
    Word(&'static str),
    /// The word after this text.
    After(&'static str),
    /// The first word that begins with this and is a number with a point: the times of Slack's messages.
    Decimal(&'static str),
    /// The first word of so many hexadecimal digits.
    Hexadecimal(usize),
}

impl IdForm {
    /// Finds the id in a reply.
    #[must_use]
    pub fn find(self, reply: &str) -> Option<String> {
        match self {
            Self::Numbered(prefix) => reply
                .split(|c: char| !(c.is_alphanumeric() || c == '-'))
                .find(|word| {
                    word.strip_prefix(prefix)
                        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
                })
                .map(str::to_owned),
            Self::UuidAfter(text) => reply[reply.find(text)? + text.len()..]
                .split(|c: char| !(c.is_ascii_hexdigit() || c == '-'))
                .find(|word| word.len() == 36 && word.matches('-').count() == 4)
                .map(str::to_owned),
            Self::DigitsAfter(text) => reply.match_indices(text).find_map(|(at, _)| {
                let rest = &reply[at + text.len()..];
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                (end > 0).then(|| rest[..end].to_owned())
            }),
            Self::Word(beginning) => reply
                .split_whitespace()
                .find(|word| word.starts_with(beginning))
                .map(|word| word.trim_matches(['.', ',', ':', ';', '[', ']']).to_owned()),
            Self::After(text) => {
                let word = reply[reply.find(text)? + text.len()..].split_whitespace().next()?;
                Some(word.trim_end_matches(['.', ',', ':', ';', ']']).to_owned())
            }
            Self::Decimal(beginning) => reply
                .split_whitespace()
                .find(|word| {
                    let mut parts = word.split('.');
                    let digits = |part: Option<&str>| {
                        part.is_some_and(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
                    };
                    word.starts_with(beginning)
                        && digits(parts.next())
                        && digits(parts.next())
                        && parts.next().is_none()
                })
                .map(str::to_owned),
            Self::Hexadecimal(length) => reply
                .split(|c: char| !c.is_ascii_alphanumeric())
                .find(|word| word.len() == length && word.chars().all(|c| c.is_ascii_hexdigit()))
                .map(str::to_owned),
        }
    }
}
