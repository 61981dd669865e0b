//! What `doctor` asks GitHub: whether the credential works, what it may do, and what is left.

use connector::Check;

use crate::GitHub;

/// Looks at everything that a call needs, in the order in which it needs it.
pub(crate) async fn diagnose(server: &GitHub) -> Vec<Check> {
    match server.api().viewer().await {
        Ok(viewer) => vec![Check::good("account", viewer.login)],
        Err(error) => vec![Check::bad(
            "account",
            error.message().to_owned(),
            error.hint_text().unwrap_or("Try again later").to_owned(),
        )],
    }
}
