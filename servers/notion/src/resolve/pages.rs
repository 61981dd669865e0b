//! Pages by their exact title, where an id is asked for.

use connector::{
    Error, Kind, Result,
    catalog::{one_line, words::short},
};

use super::{block_of, id_of, page_of, same, tables::Table, view_of};
use crate::{Notion, api::objects::Item, render};

/// What to do about what is not found.
pub(crate) const NOT_SHARED: &str = "What is not shared with this connection is not found: in Notion, the ••• menu of a page → Connections shares it";
/// Pages of a title that an error lists.
const LISTED: usize = 10;
/// The longest text that may be a title.
const TITLE: usize = 300;

/// What pages are put under.
#[derive(Debug)]
pub(crate) enum Place {
    Page(Box<Item>),
    Table(Box<Table>),
}

impl Place {
    /// Where that is: `under Runbooks`, `in Tasks`.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Page(page) => format!("under {}", render::title(&page.name())),
            Self::Table(table) => format!("in {}", table.name),
        }
    }
}

impl Notion {
    /// The id of the page or block that an argument names: an id, an address, or the exact title of one page.
    ///
    /// # Errors
    /// `invalid_argument` for an address that is not Notion's, and listing the pages of one title; `not_found` with
    /// the nearest.
    pub(crate) async fn page_id(&self, argument: &str, text: &str) -> Result<String> {
        match page_of(text) {
            Some(id) => Ok(id),
            None => {
                let found = self.titled(argument, text, Some("page")).await?;
                self.one_of(text, &found, "page").await.map(|page| page.id.clone())
            }
        }
    }

    /// The id of the block or page that an argument names: of the block that an address leads to, else what
    /// [`Self::page_id`] takes.
    ///
    /// # Errors
    /// As [`Self::page_id`].
    pub(crate) async fn block_id(&self, argument: &str, text: &str) -> Result<String> {
        match block_of(text) {
            Some(id) => Ok(id),
            None => self.page_id(argument, text).await,
        }
    }

    /// The page or table that pages are to be put under: a page by what [`Self::page_id`] takes, a table by what
    /// [`Self::table`] takes.
    ///
    /// # Errors
    /// As both; `invalid_argument` where a name is that of a page and of a table.
    pub(crate) async fn parent(&self, text: &str) -> Result<Place> {
        let open = page_of(text).filter(|page| Some(page) != id_of(text).as_ref());
        if view_of(text).is_some() && open.is_none() {
            return Ok(Place::Table(Box::new(self.table(text).await?)));
        }
        if let Some(id) = page_of(text) {
            match self.api().page(&id).await {
                Ok(page) => return Ok(Place::Page(Box::new(page))),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
            return Ok(Place::Table(Box::new(self.table(text).await?)));
        }
        let near = self.titled("parent", text, None).await?;
        let mut found = near.clone();
        found.retain(|item| same(&item.name(), text));
        // Rows are seldom meant where something else has the name.
        if found.iter().any(|item| render::kind(item) != "row") {
            found.retain(|item| render::kind(item) != "row");
        }
        if found.is_empty() {
            // The one table of a database by the database's title.
            return match self.table(text).await {
                Ok(table) => Ok(Place::Table(Box::new(table))),
                Err(error) if error.kind() == Kind::NotFound => {
                    Err(none_called(text, &near, "page or table"))
                }
                Err(error) => Err(error),
            };
        }
        let one = self.one_of(text, &found, "page or table").await?;
        if one.object == "page" {
            Ok(Place::Page(Box::new(one.clone())))
        } else {
            Ok(Place::Table(Box::new(self.table(&one.id).await?)))
        }
    }

    /// What a call names as the parent of something new, else what the settings name, with a note that says so.
    ///
    /// # Errors
    /// `invalid_argument` where neither names one.
    pub(crate) fn parent_or_default(&self, given: Option<String>) -> Result<(String, Option<String>)> {
        match (given.filter(|text| !text.trim().is_empty()), self.default_parent()) {
            (Some(given), _) => Ok((given, None)),
            (None, Some(parent)) => Ok((
                parent.to_owned(),
                Some("No `parent` was given: NOTION_DEFAULT_PARENT names it.".to_owned()),
            )),
            (None, None) => Err(Error::invalid("`parent` is missing")
                .with_hint("Give the page or table it goes into, or set NOTION_DEFAULT_PARENT")),
        }
    }

    /// What has the words of `text` in its title.
    async fn titled(&self, argument: &str, text: &str, kind: Option<&str>) -> Result<Vec<Item>> {
        let title = text.trim();
        if title.is_empty() || title.contains("://") || title.chars().count() > TITLE {
            return Err(Error::invalid(format!(
                "`{argument}`: {} is not an id, an address of Notion or a title",
                short(text, 80)
            ))
            .with_hint("search finds ids by title"));
        }
        Ok(self.api().search(title, kind, 100, None).await?.results)
    }

    /// The one of `found` that is called `text`.
    async fn one_of<'a>(&self, text: &str, found: &'a [Item], what: &str) -> Result<&'a Item> {
        let exact: Vec<&Item> = found.iter().filter(|item| same(&item.name(), text)).collect();
        match exact.as_slice() {
            [one] => Ok(one),
            [] => Err(none_called(text, found, what)),
            many => {
                let shown: Vec<&Item> = many.iter().copied().take(LISTED).collect();
                let places = self.places(&shown).await;
                let listed: Vec<String> = shown
                    .iter()
                    .map(|item| {
                        let place = super::linked::place(item, &places);
                        format!("{}{place} ({})", render::kind(item), render::bare(&item.id))
                    })
                    .collect();
                Err(Error::invalid(format!(
                    "{} are called {}: {}",
                    many.len(),
                    one_line(text),
                    listed.join(", ")
                ))
                .with_hint("Give the id of one of them"))
            }
        }
    }
}

/// The error of a title that nothing has, with the nearest of `found`.
fn none_called(text: &str, found: &[Item], what: &str) -> Error {
    let text = short(text, 80);
    let near = found.iter().take(LISTED);
    let near: Vec<String> =
        near.map(|item| format!("{} ({})", render::title(&item.name()), render::bare(&item.id))).collect();
    if near.is_empty() {
        Error::not_found(format!("No {what} has \"{text}\" in its title, as far as search knows"))
            .with_hint(NOT_SHARED)
    } else {
        Error::not_found(format!("No {what} is called exactly {text}"))
            .with_hint(format!("There are: {}", near.join(", ")))
    }
}
