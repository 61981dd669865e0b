//! One note: read and made.

use connector::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::Template;

pub(super) fn tools() -> Vec<Tool<Template>> {
    vec![
        Tool::read("get_note", "Read a note", "Reads a note's text by its id, which search gives.", get_note)
            .output::<NoteDetail>(),
        Tool::write("create_note", "Create a note", "Creates a note and gives its id.", create_note)
            .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetNote {
    id: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NoteDetail {
    id: String,
    title: String,
    author: String,
    edited: String,
}

async fn get_note(call: Call<Template>, GetNote { id }: GetNote) -> Result<Reply> {
    let note = call.api().get_note(id.trim()).await?;
    let (title, author) = (one_line(&note.title), one_line(&note.author));
    let reply = Reply::new(format!("{} {title}, edited {}", note.id, note.edited));
    let reply = reply.outside(FROM, Some(&author), note.text);
    Ok(reply.data(&NoteDetail { id: note.id, title, author, edited: note.edited }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateNote {
    title: String,
    text: String,
}

async fn create_note(call: Call<Template>, CreateNote { title, text }: CreateNote) -> Result<Plan> {
    if title.trim().is_empty() {
        return Err(Error::invalid("`title` is empty"));
    }
    let preview = Reply::new(format!("Create the note \"{}\".", one_line(&title))).outside(
        "this call",
        None,
        text.clone(),
    );
    Ok(Plan::new(preview, move || async move {
        let note = call.api().create_note(&title, &text).await?;
        let said = format!("Created the note {} \"{}\".", note.id, one_line(&note.title));
        Ok(Reply::written(Written::new(said).id(note.id)))
    }))
}
