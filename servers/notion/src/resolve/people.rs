//! People by name, e-mail address or id.

use std::borrow::Cow;

use connector::{
    Result,
    catalog::{names, one_line},
};

use super::{id_of, same};
use crate::{Notion, api::objects::User};

impl names::Entry for User {
    const WHAT: &'static str = "person";

    fn id(&self) -> &str {
        &self.id
    }

    /// Not what stands before the `@` of the address: that may be somebody else's first name.
    fn names(&self) -> Vec<Cow<'_, str>> {
        let parts = self.name.split_whitespace().filter(|part| *part != self.name);
        let names = [self.name.as_str(), self.email()].into_iter().chain(parts);
        names.filter(|name| !name.is_empty()).map(Cow::from).collect()
    }

    fn full_name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn describe(&self) -> String {
        let what = if self.email().is_empty() { self.kind.as_str() } else { self.email() };
        format!("{} ({})", one_line(&self.name), one_line(what))
    }
}

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
        let everybody = self.everybody().await;
        if let Some(id) = id_of(word) {
            let known = everybody.unwrap_or_default().into_iter().find(|user| user.id == id);
            return Ok(known.unwrap_or(User { id, ..User::default() }));
        }
        Ok(names::find(word, &everybody?)?.clone())
    }
}
