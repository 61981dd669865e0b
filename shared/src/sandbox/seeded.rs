//! A fake whose state is read from a seed: how it starts, goes back and is looked at, said once.

use std::{
    any::{Any, TypeId},
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{Router, response::Response};
use http::request::Parts;
use jiff::civil::Date;
use serde_json::Value;

use super::{Fake, Harness, VirtualClock, seed};

/// What every route of a fake works with: its state, budgets, tokens, files. [`seeded`] makes a [`Fake`] of it.
pub trait SeededSite: Send + Sync + Sized + 'static {
    /// The vendor's name in lower case.
    const NAME: &'static str;

    /// What a seed becomes. The default is the state of a fake whose seed cannot be read.
    type State: Clone + Default + Send + Sync;

    /// The state that a seed tells of, its offsets already times.
    ///
    /// # Errors
    /// Says what is wrong with the seed.
    fn read(seed: Value) -> Result<Self::State, String>;

    /// What begins with the fake, at the moment its clock shows, in the state of the day.
    fn begin(state: &mut Self::State, clock: &VirtualClock) {
        let _ = (state, clock);
    }

    /// Everything as it is when the fake is first served.
    fn start(harness: &Harness, state: Self::State) -> Self;

    /// Everything as at the start: the state, and whatever else callers have changed.
    fn reset(&self, state: Self::State);

    /// See [`Fake::router`].
    fn router(self: &Arc<Self>) -> Router;

    /// See [`Fake::operation`].
    fn operation(&self, parts: &Parts, body: &[u8]) -> String;

    /// See [`Fake::dump`].
    fn dump(&self) -> Value;

    /// See [`Fake::rate_limited`].
    fn rate_limited(retry_after: Option<&str>) -> Response;

    /// See [`Fake::unauthorized`].
    fn unauthorized() -> Response;

    /// See [`Fake::routes`].
    fn routes_asked(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}

/// The fake over `seed`: a JSON object whose times are offsets (see [`seed`](super::seed)).
#[must_use]
pub fn seeded<S: SeededSite>(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    Arc::new(Seeded::<S> { seed: seed.into(), site: OnceLock::new() })
}

/// A fake with its seed; the site is there from the moment it is served.
struct Seeded<S> {
    seed: Cow<'static, str>,
    site: OnceLock<Arc<S>>,
}

/// What was read last for each kind of site of a seed that is built into the program.
static READ: Mutex<BTreeMap<TypeId, Read>> = Mutex::new(BTreeMap::new());

/// A state as it was read. Whoever starts many fakes, as tests do, waits for it once.
#[derive(Clone)]
struct Read {
    seed: &'static str,
    today: Date,
    state: Arc<dyn Any + Send + Sync>,
}

fn read_before() -> MutexGuard<'static, BTreeMap<TypeId, Read>> {
    READ.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: SeededSite> Seeded<S> {
    /// The state as the seed has it now.
    fn state(&self, harness: &Harness) -> S::State {
        let clock = harness.clock();
        let mut state = self.of_today(clock).unwrap_or_else(|error| {
            tracing::error!(%error, fake = S::NAME, "the sandbox cannot read its seed");
            S::State::default()
        });
        S::begin(&mut state, clock);
        state
    }

    fn of_today(&self, clock: &VirtualClock) -> Result<S::State, String> {
        let today = clock.today();
        let read = || S::read(seed::load(&self.seed, today).map_err(|error| error.to_string())?);
        let Cow::Borrowed(seed) = self.seed else { return read() };
        let before = read_before().get(&TypeId::of::<S>()).cloned();
        let before = before.filter(|before| before.seed == seed && before.today == today);
        if let Some(state) = before.as_ref().and_then(|before| before.state.downcast_ref::<S::State>()) {
            return Ok(state.clone());
        }
        let state = read()?;
        let read = Read { seed, today, state: Arc::new(state.clone()) };
        read_before().insert(TypeId::of::<S>(), read);
        Ok(state)
    }
}

impl<S: SeededSite> Fake for Seeded<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn router(&self, harness: &Harness) -> Router {
        self.site.get_or_init(|| Arc::new(S::start(harness, self.state(harness)))).router()
    }

    fn operation(&self, parts: &Parts, body: &[u8]) -> String {
        let named = self.site.get().map(|site| site.operation(parts, body));
        named.unwrap_or_else(|| format!("{} {}", parts.method, parts.uri.path()))
    }

    fn reset(&self, harness: &Harness) {
        if let Some(site) = self.site.get() {
            site.reset(self.state(harness));
        }
    }

    fn dump(&self) -> Value {
        self.site.get().map(|site| site.dump()).unwrap_or_default()
    }

    fn rate_limited(&self, retry_after: Option<&str>) -> Response {
        S::rate_limited(retry_after)
    }

    fn unauthorized(&self) -> Response {
        S::unauthorized()
    }

    fn routes(&self) -> Vec<(String, u64)> {
        self.site.get().map(|site| site.routes_asked()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use axum::response::IntoResponse as _;
    use serde_json::json;

    use super::*;

    static TIMES_READ: AtomicUsize = AtomicUsize::new(0);

    /// A site that is nothing but its state: the seed, and when it began.
    struct Site(Mutex<Value>);

    impl SeededSite for Site {
        const NAME: &'static str = "site";
        type State = Value;

        fn read(seed: Value) -> Result<Value, String> {
            TIMES_READ.fetch_add(1, Ordering::Relaxed);
            Ok(seed)
        }

        fn begin(state: &mut Value, clock: &VirtualClock) {
            state["begun"] = json!(clock.now_iso());
        }

        fn start(_: &Harness, state: Value) -> Self {
            Self(Mutex::new(state))
        }

        fn reset(&self, state: Value) {
            *self.0.lock().unwrap() = state;
        }

        fn router(self: &Arc<Self>) -> Router {
            self.0.lock().unwrap()["changed"] = json!(true);
            Router::new()
        }

        fn operation(&self, _: &Parts, _: &[u8]) -> String {
            String::new()
        }

        fn dump(&self) -> Value {
            self.0.lock().unwrap().clone()
        }

        fn rate_limited(_: Option<&str>) -> Response {
            ().into_response()
        }

        fn unauthorized() -> Response {
            ().into_response()
        }
    }

    #[test]
    fn a_seed_is_read_once_a_day_and_each_fake_has_its_own_state() {
        let harness = || Harness::new(url::Url::parse("http://127.0.0.1/").unwrap());
        let started = |seed: &'static str, harness: &Harness| {
            let fake = seeded::<Site>(seed);
            let _ = fake.router(harness);
            fake
        };
        let told = |harness: &Harness| json!(harness.clock().today().to_string());
        let seed = r#"{ "day": "D+0" }"#;

        let (first, second) = (harness(), harness());
        second.clock().advance(Duration::from_millis(1));
        let (one, other) = (started(seed, &first), started(seed, &second));
        assert_eq!(TIMES_READ.load(Ordering::Relaxed), 1);
        assert_eq!(one.dump()["changed"], true);
        assert_ne!(one.dump()["begun"], other.dump()["begun"], "each begins when it is started");
        one.reset(&first);
        assert_eq!(
            one.dump()["changed"],
            Value::Null,
            "as the seed has it, not as another fake has changed it"
        );
        assert_eq!(other.dump()["changed"], true);

        second.clock().advance(Duration::from_hours(24));
        other.reset(&second);
        assert_eq!(other.dump()["day"], told(&second));
        assert_eq!(started(seed, &first).dump()["day"], told(&first), "a day that is no longer the latest");
        assert_eq!(started(r#"{ "day": "another" }"#, &first).dump()["day"], "another");
    }
}
