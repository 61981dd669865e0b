//! People of other organizations. No directory has them: they are the members of shared channels whom the
//! workspace does not know.

use std::collections::BTreeSet;

use connector::{Kind, Result, catalog::names::find};
use futures::{StreamExt as _, stream};

use super::{CHANNELS, Names, people::is_foreign};
use crate::{
    api::{DIRECTORY_PAGE, types::User},
    policy::Policy,
};

/// The most shared channels whose members are read.
const SHARED: usize = 5;
/// The most members whose profiles are read.
const GUESTS: usize = 40;
/// Requests under way at once.
const AT_ONCE: usize = 8;

impl Names {
    /// Somebody whose messages or profile are read: as [`Self::person`], and people of other organizations by
    /// the names that readings print. What is written goes to them by their id alone.
    pub(crate) async fn anybody(&self, policy: &Policy, wanted: &str) -> Result<User> {
        let printed = wanted.split(" [ext").next().unwrap_or_default().trim();
        match self.person(printed).await {
            Err(error) if error.kind() == Kind::NotFound => match find(printed, &self.guests(policy).await) {
                Ok(guest) => Ok(guest.clone()),
                Err(miss) if miss.is_unknown() => Err(error),
                Err(miss) => Err(miss.into_error()),
            },
            found => found,
        }
    }

    /// The people of other organizations in shared channels that may be read, as far as a few requests tell.
    pub(crate) async fn guests(&self, policy: &Policy) -> Vec<User> {
        let Ok(own) = self.api.own_conversations(CHANNELS, None, DIRECTORY_PAGE, None, false).await else {
            return Vec::new();
        };
        let shared = own.rows.into_iter().filter(|channel| channel.is_ext_shared && policy.may_read(channel));
        let mut ids = BTreeSet::new();
        for channel in shared.take(SHARED) {
            if let Ok(members) = self.api.members(&channel.id, DIRECTORY_PAGE, None).await {
                ids.extend(members.rows);
            }
        }
        let me = self.me().await.unwrap_or_default();
        let colleagues = self.api.users(None).await.map(|page| page.rows).unwrap_or_default();
        for colleague in colleagues.iter().filter(|user| !is_foreign(user, &me)) {
            ids.remove(&colleague.id);
        }
        let members: Vec<Result<User>> = stream::iter(ids.into_iter().take(GUESTS))
            .map(|id| {
                let api = self.api.clone();
                async move { api.user(&id).await }
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        members.into_iter().flatten().filter(|user| is_foreign(user, &me)).collect()
    }
}
