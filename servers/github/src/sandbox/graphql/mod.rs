//! The GraphQL API.

use super::{
    answer::Answer,
    ask::Ask,
    errors::{ApiError, Outcome},
};

/// The name of the operation in a request's body: as given, as written in the document, or its first field.
pub(super) fn operation_name(_body: &[u8]) -> String {
    "anonymous".to_owned()
}

/// `POST /graphql`.
pub(super) fn serve(_ask: &Ask<'_>) -> Outcome<Answer> {
    Err(ApiError::not_found())
}
