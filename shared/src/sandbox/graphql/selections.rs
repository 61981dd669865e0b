//! What a request selects, for vendors that say what it costs before it is executed.

use apollo_compiler::{
    ExecutableDocument,
    ast::Value as Literal,
    executable::{DirectiveList, Field, Selection, SelectionSet},
    response::JsonMap,
};

/// The selections of a document with the variables of a request, coerced.
#[derive(Clone, Copy, Debug)]
pub struct Selections<'a> {
    document: &'a ExecutableDocument,
    variables: &'a JsonMap,
}

impl<'a> Selections<'a> {
    /// Those of a document with these variables.
    #[must_use]
    pub fn new(document: &'a ExecutableDocument, variables: &'a JsonMap) -> Self {
        Self { document, variables }
    }

    /// The fields of `set`, of its fragments too, but for what `@skip` and `@include` leave out.
    #[must_use]
    pub fn fields(self, set: &'a SelectionSet) -> Vec<&'a Field> {
        let of = |selection: &'a Selection| match selection {
            Selection::Field(field) if self.included(&field.directives) => vec![&**field],
            Selection::InlineFragment(part) if self.included(&part.directives) => {
                self.fields(&part.selection_set)
            }
            Selection::FragmentSpread(spread) if self.included(&spread.directives) => {
                let fragment = self.document.fragments.get(&spread.fragment_name);
                fragment.map_or_else(Vec::new, |fragment| self.fields(&fragment.selection_set))
            }
            _ => Vec::new(),
        };
        set.selections.iter().flat_map(of).collect()
    }

    /// The rows that a connection is asked for, by `first` or else by `last`.
    #[must_use]
    pub fn rows(self, field: &Field) -> Option<u64> {
        let bounds = ["first", "last"].into_iter();
        bounds.filter_map(|name| field.specified_argument_by_name(name)).find_map(|value| match &**value {
            Literal::Int(number) => u64::try_from(number.try_to_i32().ok()?).ok(),
            Literal::Variable(name) => self.variables.get(name.as_str())?.as_u64(),
            _ => None,
        })
    }

    fn included(self, directives: &DirectiveList) -> bool {
        let is = |name: &str| {
            let argument = directives.get(name)?.specified_argument_by_name("if")?;
            match &**argument {
                Literal::Boolean(value) => Some(*value),
                Literal::Variable(name) => self.variables.get(name.as_str())?.as_bool(),
                _ => None,
            }
        };
        is("skip") != Some(true) && is("include") != Some(false)
    }
}
