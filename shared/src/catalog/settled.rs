//! How a write ended whose failure leaves that open: what it may have made is looked for, and nothing is
//! ever made twice.

use crate::{Kind, Result};

/// What a write that ended as `sent` made, and whether it had to be looked for. After a failure of an `open`
/// kind it may have been carried out all the same: what `look` finds then is what it made.
///
/// # Errors
/// The failure, unless what it made was found.
pub async fn settled<T>(
    sent: Result<T>,
    open: &[Kind],
    look: impl Future<Output = Option<T>>,
) -> Result<(T, bool)> {
    match sent {
        Ok(made) => Ok((made, false)),
        Err(error) if open.contains(&error.kind()) => look.await.map(|found| (found, true)).ok_or(error),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[tokio::test]
    async fn only_a_write_that_may_have_been_carried_out_is_looked_for() {
        let failed = |kind| Err::<u8, _>(Error::new(kind, "failed"));
        let open = [Kind::UnknownOutcome];
        let never = || async { panic!("nothing is open") };
        assert_eq!(settled(Ok(1), &open, never()).await.unwrap(), (1, false));
        assert_eq!(settled(failed(Kind::Upstream), &open, never()).await.unwrap_err().kind(), Kind::Upstream);
        let lost = || failed(Kind::UnknownOutcome);
        assert_eq!(settled(lost(), &open, async { Some(2) }).await.unwrap(), (2, true));
        let error = settled(lost(), &open, async { None }).await.unwrap_err();
        assert_eq!(error.kind(), Kind::UnknownOutcome);
    }
}
