//! What Linear saved of a write, by its answer or by what is there.

use connector::{Error, Kind, Result, catalog::reconcile};

/// What was `saved`, if Linear says that it did as asked: `create the label`.
///
/// # Errors
/// `upstream` if it says that it did not.
pub(super) fn done<T>(saved: Option<T>, asked: &str) -> Result<T> {
    saved.ok_or_else(|| Error::new(Kind::Upstream, format!("Linear reported that it did not {asked}")))
}

/// What a create made that ended as `sent`. Its id is ours: after a lost answer `look` tells whether an
/// attempt arrived after all.
///
/// # Errors
/// As [`done`]; the failure, unless it was found.
pub(super) async fn created<T>(
    sent: Result<Option<T>>,
    asked: &str,
    look: impl Future<Output = Result<T>>,
) -> Result<T> {
    let sent = sent.and_then(|saved| done(saved, asked));
    let (made, _) = reconcile::created(sent, async { look.await.ok() }).await?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_create_is_done_if_its_id_is_there() {
        let lost = || Err(Error::new(Kind::UnknownOutcome, "lost"));
        assert_eq!(created(lost(), "do it", async { Ok(1) }).await.unwrap(), 1);
        let error = created(lost(), "do it", async { Err::<u8, _>(Error::not_found("gone")) }).await;
        assert_eq!(error.unwrap_err().kind(), Kind::UnknownOutcome);
        let error = created(Ok(None), "create the label", async { Ok(1) }).await.unwrap_err();
        assert_eq!(error.message(), "Linear reported that it did not create the label");
    }
}
