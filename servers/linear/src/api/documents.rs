//! Documents: listing, reading, creating and changing.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Connection, Operation, document, first,
    issues::PersonRef,
    names::{Named, TeamRef},
};

const LIST: Operation =
    Operation::read("ListDocuments", document!("list_documents"), |variables| 2 + first(variables) * 7);
const FIND: Operation = Operation::read("FindDocuments", document!("find_documents"), |_| 60);
const GET: Operation = Operation::read("GetDocument", document!("get_document", "document_fragment"), |_| 12);
const CREATE: Operation =
    Operation::write("CreateDocument", document!("create_document", "document_fragment"), Replay::Idempotent);
const UPDATE: Operation =
    Operation::write("UpdateDocument", document!("update_document", "document_fragment"), Replay::Once);

pub(super) const OPERATIONS: &[&Operation] = &[&LIST, &FIND, &GET, &CREATE, &UPDATE];

/// An issue, by its identifier.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IssueKey {
    pub(crate) id: String,
    pub(crate) identifier: String,
}

/// A row of a listing of documents.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DocumentRow {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) title: String,
    pub(crate) updated_at: String,
    pub(crate) creator: Option<PersonRef>,
    pub(crate) project: Option<Named>,
    pub(crate) issue: Option<IssueKey>,
    pub(crate) initiative: Option<Named>,
    pub(crate) team: Option<TeamRef>,
}

/// A whole document.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) title: String,
    pub(crate) content: Option<String>,
    pub(crate) url: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) archived_at: Option<String>,
    pub(crate) trashed: bool,
    pub(crate) creator: Option<PersonRef>,
    pub(crate) updated_by: Option<PersonRef>,
    pub(crate) project: Option<Named>,
    pub(crate) issue: Option<IssueKey>,
    pub(crate) initiative: Option<Named>,
    pub(crate) team: Option<TeamRef>,
}

impl Document {
    /// Its text; empty if it has none.
    pub(crate) fn text(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }
}

/// The answer to a mutation of a document.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DocumentPayload {
    pub(crate) success: bool,
    pub(crate) document: Option<Document>,
}

#[derive(Deserialize)]
struct DocumentsAnswer {
    #[serde(default)]
    documents: Connection<DocumentRow>,
}

impl Api {
    /// A page of documents, the one changed last first.
    pub(crate) async fn list_documents(
        &self,
        filter: Value,
        first: u32,
        after: Option<&str>,
    ) -> Result<Connection<DocumentRow>> {
        let variables = json!({"filter": filter, "first": first, "after": after});
        Ok(self.run::<DocumentsAnswer>(&LIST, variables).await?.documents)
    }

    /// Up to nine documents.
    pub(crate) async fn find_documents(&self, filter: Value) -> Result<Vec<DocumentRow>> {
        Ok(self.run::<DocumentsAnswer>(&FIND, json!({"filter": filter})).await?.documents.nodes)
    }

    /// A document, by its id or slug id.
    pub(crate) async fn get_document(&self, id: &str) -> Result<Document> {
        #[derive(Deserialize)]
        struct Data {
            document: Document,
        }
        Ok(self.run::<Data>(&GET, json!({"id": id})).await?.document)
    }

    /// Creates a document; `input` carries an id made here.
    pub(crate) async fn create_document(&self, input: Value) -> Result<DocumentPayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "documentCreate")]
            payload: DocumentPayload,
        }
        Ok(self
            .write::<Data>(
                &CREATE,
                json!({"input": input}),
                "Check with list_documents whether the document is there",
            )
            .await?
            .payload)
    }

    /// Changes a document.
    pub(crate) async fn update_document(&self, id: &str, input: Value) -> Result<DocumentPayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "documentUpdate")]
            payload: DocumentPayload,
        }
        Ok(self
            .write::<Data>(
                &UPDATE,
                json!({"id": id, "input": input}),
                "Look at the document with get_document",
            )
            .await?
            .payload)
    }
}
