//! Open, closed, won and lost: no property says it of everything that has stages, but the flags of stages do.

use connector::catalog::names::fold;

use crate::api::definitions::Stage;

/// What a stage makes of the records in it, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Closed,
    Won,
    Lost,
}

impl State {
    const ALL: [Self; 4] = [Self::Open, Self::Closed, Self::Won, Self::Lost];

    /// The one that a word says.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let word = fold(word);
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// Whether it is told by how likely a stage is to win, which not every object's stages say.
    pub(crate) fn is_chance(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// Whether a stage is such a one. A closed stage is won or lost for certain (developers.hubspot.com, "Pipelines",
    /// metadata of deals).
    pub(crate) fn has(self, stage: &Stage) -> bool {
        let chance = stage.probability().filter(|_| stage.is_closed());
        match self {
            Self::Open => !stage.is_closed(),
            Self::Closed => stage.is_closed(),
            Self::Won => chance.is_some_and(|chance| chance >= 1.0),
            Self::Lost => chance.is_some_and(|chance| chance <= 0.0),
        }
    }
}
