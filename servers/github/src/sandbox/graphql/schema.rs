//! The schema, and what an older server lacks of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use apollo_compiler::{
    Name, Schema,
    schema::{ExtendedType, Type},
    validation::Valid,
};
use connector::sandbox::graphql::Documents;
use http::StatusCode;

use crate::sandbox::errors::{ApiError, Outcome};

/// The files of the schema: the common one, then one for each subject.
const FILES: [&str; 4] = [
    include_str!("../schema/base.graphql"),
    include_str!("../schema/repos.graphql"),
    include_str!("../schema/tracker.graphql"),
    include_str!("../schema/social.graphql"),
];

/// Parsed once, by the first request: the process's start does not pay for it.
static PARSED: LazyLock<Result<Schema, String>> = LazyLock::new(|| {
    let parsed = Schema::parse(FILES.join("\n"), "schema.graphql");
    parsed.map_err(|broken| broken.errors.to_string())
});

/// github.com's dialect, checked once for every fake of the process, and so are the documents that come to it.
static WHOLE: LazyLock<Result<Arc<Dialect>, String>> =
    LazyLock::new(|| PARSED.clone().and_then(|schema| checked(schema).map(Arc::new)));

/// The GraphQL API of one GitHub.
#[derive(Default)]
pub(in crate::sandbox) struct Graphql(Mutex<Option<Arc<Dialect>>>);

/// A schema and the documents that were checked by it.
pub(super) struct Dialect {
    pub(super) schema: Valid<Schema>,
    pub(super) documents: Documents,
}

impl Graphql {
    /// The API as it is now.
    pub(super) fn dialect(&self) -> Outcome<Arc<Dialect>> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(dialect) => Ok(Arc::clone(dialect)),
            None => Ok(Arc::clone(current.insert(without(&BTreeSet::new())?))),
        }
    }

    /// From now on the API is one that has not heard of some things: a field (`Issue.issueType`), an input's
    /// field (`CreateIssueInput.issueTypeId`), an argument (`Repository.issues.filterBy`), or a type and
    /// everything of that type (`IssueType`).
    pub(in crate::sandbox) fn hide(&self, hidden: &BTreeSet<String>) -> Outcome<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(without(hidden)?);
        Ok(())
    }
}

/// The schema without some things.
fn without(hidden: &BTreeSet<String>) -> Outcome<Arc<Dialect>> {
    let broken = |words: String| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, words);
    if hidden.is_empty() {
        return WHOLE.clone().map_err(broken);
    }
    let mut schema = PARSED.clone().map_err(broken)?;
    for thing in hidden {
        let mut parts = thing.split('.');
        let (ty, field, argument) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        match (field, argument) {
            (None, _) => {
                schema.types.shift_remove(ty);
                for other in schema.types.values_mut() {
                    prune(other, &|_, named| named.inner_named_type().as_str() == ty);
                }
            }
            (Some(field), None) => {
                if let Some(found) = schema.types.get_mut(ty) {
                    prune(found, &|name, _| name.as_str() == field);
                }
            }
            (Some(field), Some(argument)) => {
                if let Some(ExtendedType::Object(object)) = schema.types.get_mut(ty)
                    && let Some(field) = object.make_mut().fields.get_mut(field)
                {
                    field.make_mut().arguments.retain(|known| known.name.as_str() != argument);
                }
            }
        }
    }
    // A root without a field is none.
    if schema.get_object("Mutation").is_some_and(|root| root.fields.is_empty()) {
        schema.types.shift_remove("Mutation");
        schema.schema_definition.make_mut().mutation = None;
    }
    checked(schema).map(Arc::new).map_err(broken)
}

/// The dialect of a schema that is whole.
fn checked(schema: Schema) -> Result<Dialect, String> {
    let schema = schema.validate().map_err(|broken| broken.errors.to_string())?;
    Ok(Dialect { schema, documents: Documents::default() })
}

/// Takes the fields and arguments away for which `gone` is true.
fn prune(ty: &mut ExtendedType, gone: &dyn Fn(&Name, &Type) -> bool) {
    match ty {
        ExtendedType::Object(object) => {
            let fields = &mut object.make_mut().fields;
            fields.retain(|name, field| !gone(name, &field.ty));
            for field in fields.values_mut() {
                let at_arguments = |name: &Name, ty: &Type| gone(name, ty) && ty.inner_named_type() != name;
                if field.arguments.iter().any(|argument| at_arguments(&argument.name, &argument.ty)) {
                    field.make_mut().arguments.retain(|known| !at_arguments(&known.name, &known.ty));
                }
            }
        }
        ExtendedType::Interface(interface) => {
            interface.make_mut().fields.retain(|name, field| !gone(name, &field.ty));
        }
        ExtendedType::InputObject(input) => {
            input.make_mut().fields.retain(|name, field| !gone(name, &field.ty));
        }
        ExtendedType::Union(_) | ExtendedType::Enum(_) | ExtendedType::Scalar(_) => {}
    }
}
