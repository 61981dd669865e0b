//! What was written here, by whom and when: for people who want to see what an assistant did to their CRM.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use connector::{
    access::Principal,
    catalog::{Call, Page, Reply, Written, one_line},
    clock,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::{HubSpot, tools::FROM};

/// How many writes are remembered, of all callers together.
const KEPT: usize = 1_000;
/// How many are shown.
const SHOWN: usize = 100;

/// The writes of this process, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<VecDeque<Line>>);

/// One write.
#[derive(Clone, Debug, Serialize)]
struct Line {
    time: String,
    #[serde(skip)]
    who: Principal,
    done: String,
    changed: Vec<String>,
}

impl Audit {
    /// Notes what `who` has written.
    pub(crate) fn note(&self, who: &Principal, written: &Written) {
        let now = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX);
        let line = Line {
            time: Timestamp::from_second(now).unwrap_or(Timestamp::MAX).to_string(),
            who: who.clone(),
            done: one_line(&written.summary),
            changed: written.changed.iter().map(|change| one_line(change)).collect(),
        };
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line);
        if lines.len() > KEPT {
            lines.pop_front();
        }
    }

    /// The writes of one caller, the latest first. Nobody sees another's.
    fn of(&self, who: &Principal) -> Vec<Line> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().filter(|line| line.who == *who).take(SHOWN).cloned().collect()
    }
}

/// The caller's own writes since this process began.
pub(crate) fn read(call: &Call<HubSpot>) -> Reply {
    let mut page = Page::new(FROM, ("write", "writes"))
        .note("yours, since this server was started; the latest first, times in UTC".to_owned());
    for line in call.audit().of(call.principal()) {
        let changed: String = line.changed.iter().map(|change| format!("\n  {change}")).collect();
        page.push(format!("{} | {}{changed}", connector::catalog::minute(&line.time), line.done), &line);
    }
    Reply::page(page)
}
