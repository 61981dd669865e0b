//! People by name, e-mail address, handle or id.

use connector::{
    Error, Result,
    catalog::{nearest, one_line},
};

use super::{id_of, same};
use crate::{Notion, api::objects::User};

impl Notion {
    /// Everybody whom the connection may know, read once in five minutes.
    pub(crate) async fn everybody(&self) -> Result<Vec<User>> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.api().users(cursor.as_deref()).await?;
            let next = page.next(cursor.as_deref()).map(str::to_owned);
            all.extend(page.results);
            if next.is_none() {
                return Ok(all);
            }
            cursor = next;
        }
    }

    /// The one person that `word` means.
    ///
    /// # Errors
    /// `not_found` with the nearest name, `invalid_argument` listing those whom it may mean.
    pub(crate) async fn person(&self, word: &str) -> Result<User> {
        let word = word.trim().trim_start_matches('@');
        if same(word, "me") {
            return self.api().me().await;
        }
        let everybody = self.everybody().await?;
        if let Some(id) = id_of(word) {
            return Ok(everybody
                .into_iter()
                .find(|user| user.id == id)
                .unwrap_or(User { id, ..User::default() }));
        }
        let handle = |user: &User| user.email().split('@').next().unwrap_or_default().to_owned();
        let exact =
            |user: &&User| same(user.email(), word) || same(&user.name, word) || same(&handle(user), word);
        if let Some(user) = everybody.iter().find(exact) {
            return Ok(user.clone());
        }
        let first = |user: &&User| user.name.split(' ').any(|part| same(part, word));
        let found: Vec<&User> = everybody.iter().filter(first).collect();
        match found.as_slice() {
            [user] => Ok((*user).clone()),
            [] => {
                let error = Error::not_found(format!("Nobody is called {}", one_line(word)));
                let names: Vec<&str> = everybody.iter().map(|user| user.name.as_str()).collect();
                Err(match nearest(word, names.iter().copied()) {
                    Some(near) => error.with_hint(format!("Did you mean {}?", one_line(near))),
                    None => error.with_hint("list_users gives who is there"),
                })
            }
            many => {
                let names: Vec<String> =
                    many.iter().map(|user| format!("{} ({})", one_line(&user.name), user.email())).collect();
                Err(Error::invalid(format!("`{}` may be {}", one_line(word), names.join(" or ")))
                    .with_hint("Give the e-mail address"))
            }
        }
    }
}
