//! Replies and errors on the wire. What an agent can act on is a result; what only a programmer can
//! put right is a protocol error.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, ResourceContents},
};
use serde_json::json;

use super::listing::MARKDOWN;
use crate::{
    Error, Kind,
    catalog::{Rendered, Reply, ReplyOptions, told},
};

/// A tool's result.
pub(super) fn result(rendered: Rendered) -> CallToolResult {
    let mut content = vec![ContentBlock::text(rendered.text)];
    content.extend(
        rendered
            .images
            .into_iter()
            .map(|image| ContentBlock::image(STANDARD.encode(image.bytes), image.mime_type)),
    );
    let mut result = CallToolResult::success(content);
    result.structured_content = rendered.structured;
    result
}

/// A tool's failure, for the agent to read.
pub(super) fn failure(error: &Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(told(error))])
}

/// A plain sentence as a tool's result.
pub(super) fn sentence(text: &str) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// Text for a prompt or a person: in full, whatever tools do with structured content.
pub(super) fn text(reply: Reply, options: &ReplyOptions) -> Rendered {
    reply.render(&ReplyOptions { budget: options.budget, structured: false })
}

/// A resource's contents.
pub(super) fn contents(uri: &str, reply: Reply, options: &ReplyOptions) -> Vec<ResourceContents> {
    let rendered = text(reply, options);
    let mut contents = vec![ResourceContents::text(rendered.text, uri).with_mime_type(MARKDOWN)];
    contents.extend(rendered.images.into_iter().map(|image| {
        ResourceContents::blob(STANDARD.encode(image.bytes), uri).with_mime_type(image.mime_type)
    }));
    contents
}

/// The protocol error for a failure where there is no result to put it in.
pub(super) fn protocol_error(error: &Error) -> ErrorData {
    let data = match error.retry_after() {
        Some(after) => json!({"kind": error.kind().as_str(), "retryAfterMs": after.as_millis() as u64}),
        None => json!({"kind": error.kind().as_str()}),
    };
    match error.kind() {
        Kind::InvalidArgument => ErrorData::invalid_params(told(error), Some(data)),
        _ => ErrorData::internal_error(told(error), Some(data)),
    }
}

/// The protocol error for a resource that could not be read. One that is not there has an error of
/// its own in both eras, and names the address.
pub(super) fn read_error(uri: &str, error: &Error) -> ErrorData {
    match error.kind() {
        Kind::NotFound => ErrorData::resource_not_found(told(error), Some(json!({"uri": uri}))),
        _ => protocol_error(error),
    }
}
