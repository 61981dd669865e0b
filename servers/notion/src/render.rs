//! Words that more than one family needs.

use connector::catalog::one_line;

use crate::api::objects::Item;

/// An id without dashes: it costs a model less, and every tool takes it. Never shortened, because ids made in
/// one sitting share their first characters.
pub(crate) fn bare(id: &str) -> String {
    id.replace('-', "")
}

/// What an item is, in the words of the tools.
pub(crate) fn kind(item: &Item) -> &'static str {
    match item.object.as_str() {
        "data_source" => "table",
        "database" => "database",
        _ if item.parent_id().is_some_and(|(kind, _)| kind == "data_source_id") => "row",
        _ => "page",
    }
}

/// A time as rows show it: Notion's times have no seconds.
pub(crate) fn minute(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time}Z"),
        _ => time.to_owned(),
    }
}

/// A title, or a word for none.
pub(crate) fn title(title: &str) -> String {
    let line = one_line(title);
    if line.is_empty() { "Untitled".to_owned() } else { line }
}

/// A row of what was found.
pub(crate) fn found(item: &Item) -> String {
    let trash = if item.in_trash { ", in the trash" } else { "" };
    format!(
        "{} | {} | {} | {}{trash}",
        bare(&item.id),
        kind(item),
        title(&item.name()),
        minute(&item.last_edited_time)
    )
}
