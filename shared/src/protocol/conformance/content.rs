//! Resources and prompts that the suite knows, and the smallest picture and sound.

use serde_json::{Map, Value, json};

/// A PNG of one red pixel, in Base64.
pub(super) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A WAV without a sample, in Base64.
pub(super) const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

pub(super) fn resources() -> Value {
    json!([
        {
            "uri": "test://static-text",
            "name": "static-text",
            "description": "A text that stays as it is.",
            "mimeType": "text/plain",
        },
        {
            "uri": "test://static-binary",
            "name": "static-binary",
            "description": "A picture that stays as it is.",
            "mimeType": "image/png",
        },
    ])
}

pub(super) fn templates() -> Value {
    json!([{
        "uriTemplate": "test://template/{id}/data",
        "name": "template",
        "description": "Data by id.",
        "mimeType": "application/json",
    }])
}

/// The contents at `uri`, if it is one of these.
pub(super) fn read(uri: &str) -> Option<Value> {
    Some(match uri {
        "test://static-text" => json!([{
            "uri": uri,
            "mimeType": "text/plain",
            "text": "This is the content of the static text resource.",
        }]),
        "test://static-binary" => json!([{"uri": uri, "mimeType": "image/png", "blob": PNG}]),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            json!([{"uri": uri, "mimeType": "application/json", "text": data.to_string()}])
        }
    })
}

pub(super) fn prompts() -> Value {
    json!([
        {"name": "test_simple_prompt", "description": "One message."},
        {
            "name": "test_prompt_with_arguments",
            "description": "Its arguments.",
            "arguments": [
                {"name": "arg1", "description": "The first.", "required": true},
                {"name": "arg2", "description": "The second.", "required": true},
            ],
        },
        {
            "name": "test_prompt_with_embedded_resource",
            "description": "A resource and a text.",
            "arguments": [{"name": "resourceUri", "description": "The resource.", "required": true}],
        },
        {"name": "test_prompt_with_image", "description": "A picture and a text."},
        {"name": super::rounds::PROMPT, "description": "Needs an answer first."},
    ])
}

/// The messages of a prompt, if it is one of these.
pub(super) fn prompt(name: &str, arguments: &Map<String, Value>) -> Option<Value> {
    let argument = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let user = |content: Value| json!({"role": "user", "content": content});
    let text = |text: &str| user(json!({"type": "text", "text": text}));
    Some(match name {
        "test_simple_prompt" => json!([text("This is a simple prompt for testing.")]),
        "test_prompt_with_arguments" => json!([text(&format!(
            "Prompt with arguments: arg1='{}', arg2='{}'",
            argument("arg1"),
            argument("arg2")
        ))]),
        "test_prompt_with_embedded_resource" => json!([
            user(json!({
                "type": "resource",
                "resource": {
                    "uri": argument("resourceUri"),
                    "mimeType": "text/plain",
                    "text": "Embedded resource content for testing.",
                },
            })),
            text("Please process the embedded resource above."),
        ]),
        "test_prompt_with_image" => json!([
            user(json!({"type": "image", "data": PNG, "mimeType": "image/png"})),
            text("Please analyze the image above."),
        ]),
        _ => return None,
    })
}
