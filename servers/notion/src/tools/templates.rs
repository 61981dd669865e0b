//! Templates of tables: found by name, put into rows that are there, waited for.

use std::time::Duration;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Written, nearest, one_line},
};
use serde_json::{Value, json};

use super::{
    edit::{BEFORE, Edited, changed, lost, whole},
    told,
};
use crate::{
    Notion,
    api::objects::{Item, Named, PageMarkdown},
    dialect, render,
    resolve::{self, tables::Table},
};

/// How often a page is looked at whose template is being applied, and how long apart at most.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(2);

/// The template of `table` that is called `name`.
pub(super) async fn find(call: &Call<Notion>, table: &Table, name: &str) -> Result<Named> {
    let templates = call.api().templates(&table.id).await?;
    let found: Vec<&Named> =
        templates.iter().filter(|template| resolve::same(&template.name, name)).collect();
    if let [found] = found.as_slice() {
        return Ok((*found).clone());
    }
    let error = Error::invalid(if found.is_empty() {
        format!("{} has no template `{}`", table.name, one_line(name))
    } else {
        format!("{} templates of {} are called `{}`", found.len(), table.name, one_line(name))
    });
    let names: Vec<&str> = templates.iter().map(|template| template.name.as_str()).collect();
    Err(match nearest(name, names.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("There are: {}", names.join(", "))),
    })
}

/// A template in a request. Its @today is of the zone of the settings.
pub(super) fn asked(call: &Call<Notion>, template: &Named) -> Value {
    json!({"type": "template_id", "template_id": template.id, "timezone": call.dates().zone_name()})
}

/// The text of a page once a template has made it another than `before`; none where that takes longer than a call waits.
pub(super) async fn applied(call: &Call<Notion>, id: &str, before: &str) -> Option<PageMarkdown> {
    let before = dialect::digest(before);
    let is_other = |text: &str| !text.trim().is_empty() && dialect::digest(text) != before;
    let mut pause = PAUSE / 8;
    for _ in 0..LOOKS {
        match call.api().markdown(id, true).await {
            Ok(text) if is_other(&text.markdown) => return Some(text),
            _ => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(PAUSE);
    }
    None
}

/// A row that gets a template, as it is.
pub(super) struct Row {
    pub(super) page: Item,
    pub(super) now: PageMarkdown,
    /// Whether its text goes first.
    pub(super) erase: bool,
    pub(super) allow_deleting_children: bool,
    /// Whether it must be as the caller read it.
    pub(super) guarded: bool,
}

/// Puts the template that is called `name` after the text of a row, or in its place.
pub(super) async fn apply(call: Call<Notion>, row: Row, name: &str) -> Result<Plan> {
    let Row { page, now, erase, allow_deleting_children, guarded } = row;
    let title = render::title(&page.name());
    let Some(("data_source_id", source)) = page.parent_id() else {
        return Err(Error::invalid(format!("{title} is not in a table, and only tables have templates")));
    };
    let table = call.table(source).await?;
    let template = find(&call, &table, name).await?;
    let name = one_line(&template.name);
    let mut preview = Written::new(if erase {
        format!("Replace the whole text of {title} with the template {name}:")
    } else {
        format!("Add the template {name} to the end of {title}.")
    });
    let mut notes = Vec::new();
    if erase {
        whole(&now)?;
        let lost = lost(&now.markdown, "", allow_deleting_children)?;
        notes.extend(lost.iter().map(|name| format!("Goes into the trash: {name}")));
        preview.changed = render::diff(&dialect::shown(&now.markdown), "");
    }
    let hash = dialect::digest(&now.markdown);
    let state = hash.clone();
    let plan = Plan::new(told::written(preview, notes), move || async move {
        let fresh = call.api().markdown(&page.id, true).await?;
        let found = dialect::digest(&fresh.markdown);
        if (guarded || erase) && found != hash {
            return Err(changed(&title, &hash, &found));
        }
        let mut body = json!({"template": asked(&call, &template)});
        if erase {
            body["erase_content"] = json!(true);
        }
        let unknown = match call.api().update_page(&page.id, &body).await {
            Ok(_) => None,
            Err(error) if error.kind() == Kind::UnknownOutcome => Some(error),
            Err(error) => return Err(error),
        };
        let after = applied(&call, &page.id, &fresh.markdown).await;
        let (summary, changed) = match (after, unknown) {
            (Some(after), unknown) => {
                let told = match unknown {
                    Some(_) => " Its answer was lost; the text has changed since.",
                    None => "",
                };
                let hash = dialect::digest(&after.markdown);
                let diff = render::diff(&dialect::shown(&fresh.markdown), &dialect::shown(&after.markdown));
                (format!("Applied the template {name} to {title}.{told} New hash {hash}."), diff)
            }
            (None, Some(error)) => return Err(error),
            (None, None) => {
                let still = "is still being applied, or changed no text: read the page again.";
                (format!("The template {name} of {title} {still}"), Vec::new())
            }
        };
        let mut written = Written::new(summary).id(render::bare(&page.id)).url(page.url.clone());
        written.changed = changed;
        let before = Some(fresh.markdown).filter(|text| erase && text.len() <= BEFORE);
        Ok(told::written_as(written, Vec::new(), |written| Edited { written, before }))
    })
    .state(&state);
    Ok(if erase { plan } else { plan.harmless() })
}
