//! What people, user groups and channels are called.

use std::borrow::Cow;

use connector::catalog::{names::Entry, one_line};

use crate::api::types::{Channel, Group, User};

impl Entry for User {
    const WHAT: &'static str = "person";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let all = [&self.profile.display_name, &self.name, &self.real_name, &self.profile.real_name];
        let mut names: Vec<Cow<'_, str>> = all.into_iter().map(|name| Cow::Borrowed(name.as_str())).collect();
        names.retain(|name| !name.is_empty());
        names
    }

    fn describe(&self) -> String {
        format!("@{} ({})", one_line(self.handle()), one_line(self.full_name()))
    }

    fn full_name(&self) -> Option<&str> {
        Some(self.full_name())
    }
}

impl User {
    /// Who it is, in a reply: `@peter (Peter Quist), deactivated`.
    pub(crate) fn told(&self) -> String {
        format!("{}{}", self.describe(), if self.deleted { ", deactivated" } else { "" })
    }
}

impl Entry for Group {
    const WHAT: &'static str = "user group";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![Cow::Borrowed(&self.handle), Cow::Borrowed(&self.name)]
    }

    fn describe(&self) -> String {
        format!("@{}", one_line(&self.handle))
    }
}

impl Entry for Channel {
    const WHAT: &'static str = "channel";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![Cow::Borrowed(&self.name)]
    }

    fn describe(&self) -> String {
        format!("#{}{}", one_line(&self.name), if self.is_archived { " (archived)" } else { "" })
    }
}
