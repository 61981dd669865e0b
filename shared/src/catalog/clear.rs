//! What a write does with a field that can be emptied.

/// A field that a write sets, empties or leaves alone. `null` cannot empty one: strict clients fill in
/// every argument, so what is to be emptied is named in the argument `clear`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clear<T> {
    /// Neither given nor named: leave the field alone.
    #[default]
    Keep,
    /// Named in `clear`: empty the field.
    Empty,
    /// Given: set the field.
    Set(T),
}

impl<T> Clear<T> {
    /// Of an argument as it was `given`, and whether `clear` names it. That both are so was refused
    /// before the tool was called.
    pub fn of(given: Option<T>, named: bool) -> Self {
        match given {
            Some(value) => Self::Set(value),
            None if named => Self::Empty,
            None => Self::Keep,
        }
    }

    /// Whether the field is left alone.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The same with the value, if one is set, made into another.
    ///
    /// # Errors
    /// Whatever `make` gives.
    pub fn try_map<U, E>(&self, make: impl FnOnce(&T) -> Result<U, E>) -> Result<Clear<U>, E> {
        Ok(match self {
            Self::Keep => Clear::Keep,
            Self::Empty => Clear::Empty,
            Self::Set(value) => Clear::Set(make(value)?),
        })
    }

    /// The new value, `None` inside for an emptied field, or nothing if it is left alone.
    pub fn as_change(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Empty => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}
