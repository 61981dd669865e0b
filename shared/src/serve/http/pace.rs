//! Floods: more of one caller than anybody needs is refused before it is read. What is only too fast is refused by
//! the protocol, in words that an agent can act on; clients take HTTP 429 for a broken server.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::access::{Principal, Quotas};

/// Refuses what is part of a flood.
pub(super) async fn check(State(quotas): State<Quotas>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Principal>().cloned().unwrap_or_else(Principal::local);
    match quotas.request(&caller) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_many("You send far more requests than one caller may. Slow down.", wait),
    }
}

/// Tells somebody to come back after `wait`: in whole seconds, of which there is at least one, even if there was room
/// again while that was worked out.
pub(super) fn too_many(text: &'static str, wait: Duration) -> Response {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, HeaderValue::from(seconds))], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_whole_seconds_and_never_none() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2")] {
            assert_eq!(too_many("", Duration::from_millis(millis)).headers()["retry-after"], seconds);
        }
    }
}
