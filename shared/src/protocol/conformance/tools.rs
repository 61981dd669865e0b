//! Tools that the suite knows and that answer at once, or by a request of their own.

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities,
        CreateMessageRequestParams, ElicitResult, LoggingLevel, LoggingMessageNotificationParam,
        ProgressNotificationParam, SamplingMessage, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{
    content::{PNG, WAV},
    fixture, rounds,
};

/// The pause between two notifications, which the suite wants to see apart.
const PAUSE: Duration = Duration::from_millis(50);

/// The tools with no arguments, which is most of them.
const PLAIN: [&str; 14] = [
    "test_audio_content",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_embedded_resource",
    "test_error_handling",
    "test_image_content",
    "test_logging_tool",
    "test_missing_capability",
    "test_multiple_content_types",
    "test_reconnection",
    "test_simple_text",
    "test_streaming_elicitation",
    "test_tool_with_logging",
    "test_tool_with_progress",
];
const SAMPLING: &str = "test_sampling";
const ELICITATION: &str = "test_elicitation";
const SCHEMA: &str = "json_schema_2020_12_tool";
const HEADER: &str = "test_custom_header";

/// Whether a tool of this name is among these.
pub(super) fn is_one(name: &str) -> bool {
    PLAIN.contains(&name) || [SAMPLING, ELICITATION, SCHEMA, HEADER].contains(&name)
}

/// Every fixture tool, those of several rounds included.
pub(super) fn all() -> Result<Vec<Tool>, ErrorData> {
    let nothing = || json!({"type": "object", "additionalProperties": false});
    let text = |name: &str| {
        let mut schema = json!({"type": "object", "properties": {}, "required": [name]});
        schema["properties"][name] = json!({"type": "string"});
        schema
    };
    let mut region = text("region");
    region["properties"]["region"]["x-mcp-header"] = json!("Region");
    PLAIN
        .into_iter()
        .chain(rounds::TOOLS)
        .map(|name| (name, nothing()))
        .chain([(SAMPLING, text("prompt")), (ELICITATION, text("message")), (HEADER, region), (SCHEMA, full_schema())])
        .map(|(name, schema)| {
            fixture(json!({"name": name, "description": "A fixture of the conformance suite.", "inputSchema": schema}))
        })
        .collect()
}

/// A schema with all that JSON Schema 2020-12 allows, to be listed as it is.
fn full_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}

pub(super) async fn call(
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let argument = |name: &str| {
        request
            .arguments
            .as_ref()
            .and_then(|arguments| arguments.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let content = match request.name.as_ref() {
        "test_simple_text" => json!([text("This is a simple text response for testing.")]),
        "test_image_content" => json!([{"type": "image", "data": PNG, "mimeType": "image/png"}]),
        "test_audio_content" => json!([{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]),
        "test_embedded_resource" => json!([resource(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content."
        )]),
        "test_multiple_content_types" => json!([
            text("Multiple content types test:"),
            {"type": "image", "data": PNG, "mimeType": "image/png"},
            resource("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#),
        ]),
        "test_error_handling" => {
            let content = fixture(json!([text("This tool intentionally returns an error for testing")]))?;
            return Ok(CallToolResult::error(content).into());
        }
        "test_tool_with_logging" => {
            log(context).await;
            json!([text("Logged.")])
        }
        "test_tool_with_progress" => {
            progress(context).await;
            json!([text("Progressed.")])
        }
        "test_reconnection" => {
            tokio::time::sleep(PAUSE * 2).await;
            json!([text("Reconnected.")])
        }
        "test_missing_capability" => {
            let sampling = context.client_capabilities().and_then(|capabilities| capabilities.sampling);
            if sampling.is_none() {
                let needed = ClientCapabilities::builder().enable_sampling().build();
                return Err(ErrorData::missing_required_client_capability(needed));
            }
            json!([text("Sampling is there.")])
        }
        "test_streaming_elicitation" => return rounds::ask_for_a_name(),
        SAMPLING => json!([text(&sample(argument("prompt"), context).await?)]),
        ELICITATION => {
            let properties = json!({
                "username": {"type": "string", "description": "User's response"},
                "email": {"type": "string", "description": "User's email address"},
            });
            let schema =
                json!({"type": "object", "properties": properties, "required": ["username", "email"]});
            elicit("User response", argument("message"), schema, context).await?
        }
        "test_elicitation_sep1034_defaults" => {
            elicit("Elicitation completed", "Keep what is there.", defaults(), context).await?
        }
        "test_elicitation_sep1330_enums" => {
            elicit("Elicitation completed", "Choose.", enums(), context).await?
        }
        _ => json!([text("Done.")]),
    };
    Ok(CallToolResult::success(fixture(content)?).into())
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn resource(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}})
}

async fn log(context: &RequestContext<RoleServer>) {
    for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(message));
        // A client that has gone away is the suite's affair.
        let _ = context.peer.notify_logging_message(message).await;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn progress(context: &RequestContext<RoleServer>) {
    for done in [0.0, 50.0, 100.0] {
        if let Some(token) = context.meta.get_progress_token() {
            // A client that has gone away is the suite's affair.
            let _ = context
                .peer
                .notify_progress(ProgressNotificationParam::new(token, done).with_total(100.0))
                .await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn sample(prompt: &str, context: &RequestContext<RoleServer>) -> Result<String, ErrorData> {
    let request = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 100);
    let sampled = context.peer.create_message(request).await.map_err(unreached)?;
    let said =
        sampled.message.content.first().and_then(|content| content.as_text()).map(|text| text.text.clone());
    Ok(format!("LLM response: {}", said.unwrap_or_default()))
}

/// Asks through a request of the server's own, and tells what the answer was.
async fn elicit(
    lead: &str,
    message: &str,
    schema: Value,
    context: &RequestContext<RoleServer>,
) -> Result<Value, ErrorData> {
    let form = fixture(json!({"mode": "form", "message": message, "requestedSchema": schema}))?;
    let ElicitResult { action, content, .. } =
        context.peer.create_elicitation(form).await.map_err(unreached)?;
    let (action, content) = (json!(action), content.unwrap_or_default());
    Ok(json!([text(&format!("{lead}: action={}, content={content}", action.as_str().unwrap_or_default()))]))
}

fn unreached(error: rmcp::ServiceError) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

/// A default for every kind of field.
fn defaults() -> Value {
    let properties = json!({
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true},
    });
    json!({"type": "object", "properties": properties})
}

/// Every way to write a choice.
fn enums() -> Value {
    let titled = |word: &str| {
        json!([
            {"const": "value1", "title": format!("First {word}")},
            {"const": "value2", "title": format!("Second {word}")},
            {"const": "value3", "title": format!("Third {word}")},
        ])
    };
    let options = ["option1", "option2", "option3"];
    let properties = json!({
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled("Option")},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
    });
    json!({"type": "object", "properties": properties})
}
