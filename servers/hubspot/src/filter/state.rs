//! Conditions on what records are by their stages: open, closed, won, lost.

use connector::{
    Error, Result,
    catalog::names::{Entry as _, fold},
};
use serde_json::Value;

use super::{Alternatives, Filters, condition::operator};
use crate::{
    api::{definitions::Pipeline, objects::Filter},
    resolve::{self, State},
};

/// The properties of deals that say it (developers.hubspot.com, "Deals", properties). They are set on every deal.
const CLOSED: &str = "hs_is_closed";
const WON: &str = "hs_is_closed_won";

impl Filters<'_> {
    /// The state that a field's name means, unless a field of the object is called so.
    pub(super) fn state_field(&self, field: &str) -> Option<State> {
        State::named(field).filter(|_| !self.fields.is_called(field))
    }

    /// A condition on such a field: it is so or not, or the state itself is its value.
    pub(super) async fn state_is(
        &self,
        state: State,
        op: &str,
        value: &Value,
    ) -> Result<(Alternatives, String)> {
        // A field without a value is that it is so.
        let text =
            if value.is_null() { "true".to_owned() } else { resolve::values(state.word(), value)?.join("") };
        let (state, wanted) = match State::named(&text) {
            Some(other) => (other, true),
            None => (state, resolve::switch(state.word(), &text)?),
        };
        let is = wanted != matches!(operator(op)?, "!=" | "not_in");
        self.state(state, is).await
    }

    /// The state that a word in place of a stage means, unless a stage is called so.
    pub(super) async fn state_meant(&self, word: &str, pipeline: Option<&str>) -> Result<Option<State>> {
        let Some(state) = State::named(word) else { return Ok(None) };
        let is_its = |one: &Pipeline| pipeline.is_none_or(|wanted| one.id == wanted || one.is_called(wanted));
        let pipelines = self.names.pipelines(&self.fields.object).await?;
        let mut stages = pipelines.iter().filter(|one| is_its(one)).flat_map(|pipeline| &pipeline.stages);
        let wanted = fold(word);
        Ok((!stages.any(|stage| stage.id == word || fold(&stage.label) == wanted)).then_some(state))
    }

    /// By the flags of stages, never by their names or by dates.
    pub(super) async fn state(&self, state: State, is: bool) -> Result<(Alternatives, String)> {
        let not = if is { "" } else { "not " };
        let word = match (state, is) {
            (State::Open, false) => "closed".to_owned(),
            (State::Closed, false) => "open".to_owned(),
            (state, _) => format!("{not}{}", state.word()),
        };
        let told = format!("{word} (by the stage's flag)");
        let flag = |name: &str, value: bool| Filter::value(name, "EQ", value.to_string());
        if self.fields.get(CLOSED).is_some() && (self.fields.get(WON).is_some() || !state.is_chance()) {
            let groups = match (state, is) {
                (State::Open, is) => vec![vec![flag(CLOSED, !is)]],
                (State::Closed, is) => vec![vec![flag(CLOSED, is)]],
                (State::Won, is) => vec![vec![flag(WON, is)]],
                (State::Lost, true) => vec![vec![flag(CLOSED, true), flag(WON, false)]],
                (State::Lost, false) => vec![vec![flag(CLOSED, false)], vec![flag(WON, true)]],
            };
            return Ok((groups, told));
        }
        let object = &self.fields.object;
        let Some((_, stages)) = object.stage else {
            if object.name == "tasks" && !state.is_chance() {
                let open = (state == State::Open) == is;
                let operator = if open { "NEQ" } else { "EQ" };
                return Ok((vec![vec![Filter::value("hs_task_status", operator, "COMPLETED")]], word));
            }
            return Err(self.neither(state));
        };
        let pipelines = self.names.pipelines(object).await?;
        let all = || pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        if state.is_chance() && !all().any(|stage| State::Won.has(stage) || State::Lost.has(stage)) {
            return Err(self.neither(state));
        }
        let fitting = all().filter(|stage| state.has(stage) == is);
        let values: Vec<String> = fitting.map(|stage| stage.id.clone()).collect();
        if values.is_empty() {
            return Err(Error::invalid(format!("No stage of {} is {word}", object.plural)));
        }
        Ok((vec![vec![Filter { values, ..Filter::new(stages, "IN") }]], told))
    }

    /// The ids of the stages that are such.
    pub(super) async fn stages_of(&self, state: State) -> Result<Vec<String>> {
        let pipelines = self.names.pipelines(&self.fields.object).await?;
        let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        Ok(stages.filter(|stage| state.has(stage)).map(|stage| stage.id.clone()).collect())
    }

    fn neither(&self, state: State) -> Error {
        let pair = if state.is_chance() { "won nor lost" } else { "open nor closed" };
        Error::invalid(format!("{} are neither {pair}", self.fields.object.plural))
    }
}
