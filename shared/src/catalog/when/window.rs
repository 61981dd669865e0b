//! From one time to another.

use jiff::Timestamp;

use super::When;

/// From when until when something is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub(super) since: Option<When>,
    pub(super) until: Option<When>,
}

impl Window {
    /// Its first moment, if it has one.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.since.as_ref().map(When::start)
    }

    /// Its last moment, if it has one: what happened then is in it.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.until.as_ref().map(When::end)
    }

    /// Whether it leaves nothing out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// How a reply tells it: `since 2026-11-22 10:15Z`, `on 2026-11-28 (UTC)`; empty for all time.
    #[must_use]
    pub fn describe(&self) -> String {
        match (&self.since, &self.until) {
            (None, None) => String::new(),
            (Some(since), None) => format!("since {}", since.begin()),
            (None, Some(until)) => format!("until {}", until.finish()),
            (Some(since), Some(until)) if since == until && since.days.is_some_and(|(a, b)| a == b) => {
                format!("on {}", since.describe())
            }
            (Some(since), Some(until)) => match (since.days, until.days) {
                (Some((first, _)), Some((_, last))) => format!("{first} to {last} ({})", since.zone),
                _ => format!("{} to {}", since.begin(), until.finish()),
            },
        }
    }
}

impl When {
    fn begin(&self) -> String {
        match self.days {
            Some((first, _)) => format!("{first} ({})", self.zone),
            None => self.describe(),
        }
    }

    fn finish(&self) -> String {
        match self.days {
            Some((_, last)) => format!("{last} ({})", self.zone),
            None => self.describe(),
        }
    }
}
