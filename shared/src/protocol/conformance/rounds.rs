//! Tools and a prompt that the suite knows and that answer in several rounds: the result asks, the
//! client calls again with the answers.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, GetPromptRequestParams,
        GetPromptResponse, GetPromptResult, InputRequests, InputRequiredResult, InputResponses,
        PromptMessage, RequestStateCodec, Role, SealOptions,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::fixture;

/// What the names of these tools begin with.
pub(super) const PREFIX: &str = "test_input_required_result_";
/// The prompt that asks first.
pub(super) const PROMPT: &str = "test_input_required_result_prompt";
/// The tools.
pub(super) const TOOLS: [&str; 8] = [
    "test_input_required_result_capabilities",
    "test_input_required_result_elicitation",
    "test_input_required_result_list_roots",
    "test_input_required_result_multi_round",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_request_state",
    "test_input_required_result_sampling",
    "test_input_required_result_tampered_state",
];

/// Seals the states between rounds.
#[derive(Clone)]
pub(super) struct Rounds(Arc<RequestStateCodec>);

impl Rounds {
    pub(super) fn new() -> Self {
        Self(Arc::new(RequestStateCodec::new_unchecked(rand::random::<[u8; 32]>())))
    }

    pub(super) fn call(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let answers = request.input_responses.as_ref();
        let step = self.open(request)?;
        let name = &request.name[PREFIX.len()..];
        match name {
            "elicitation" => match content(answers, "user_name", "name") {
                Some(name) => Ok(done(&format!("Hello, {name}!"))),
                None => ask_for_a_name(),
            },
            "sampling" => match answer(answers, "capital_question") {
                Some(sampled) => Ok(done(&format!("The model said: {}", sampled["content"]["text"]))),
                None => {
                    ask(json!({"capital_question": sampling("What is the capital of France?", 100)}), None)
                }
            },
            "list_roots" => match answer(answers, "client_roots") {
                Some(roots) => Ok(done(&format!("The roots are: {}", roots["roots"]))),
                None => ask(json!({"client_roots": roots()}), None),
            },
            "request_state" | "tampered_state" => match (step.as_deref(), answer(answers, "confirm")) {
                (Some("confirm"), Some(_)) => Ok(done("state-ok")),
                _ => ask(
                    json!({"confirm": form("Please confirm", "ok", "boolean")}),
                    Some(self.seal(request, "confirm")),
                ),
            },
            "multiple_inputs" => {
                let keys = ["user_name", "greeting", "client_roots"];
                if step.is_some() && keys.iter().all(|key| answer(answers, key).is_some()) {
                    return Ok(done("All three are there."));
                }
                let requests = json!({
                    "user_name": form("What is your name?", "name", "string"),
                    "greeting": sampling("Generate a greeting", 50),
                    "client_roots": roots(),
                });
                ask(requests, Some(self.seal(request, "all")))
            }
            "multi_round" => match step.as_deref() {
                Some("step2") if answer(answers, "step2").is_some() => Ok(done("Both steps are done.")),
                Some("step1") if answer(answers, "step1").is_some() => ask(
                    json!({"step2": form("Step 2: What is your favorite color?", "color", "string")}),
                    Some(self.seal(request, "step2")),
                ),
                _ => ask(
                    json!({"step1": form("Step 1: What is your name?", "name", "string")}),
                    Some(self.seal(request, "step1")),
                ),
            },
            "capabilities" => {
                let can = context.client_capabilities().unwrap_or_default();
                let mut requests = json!({});
                if can.elicitation.is_some() {
                    requests["user_name"] = form("What is your name?", "name", "string");
                }
                if can.sampling.is_some() {
                    requests["greeting"] = sampling("Generate a greeting", 50);
                }
                ask(requests, None)
            }
            _ => Err(ErrorData::invalid_params(format!("Unknown tool: {}", request.name), None)),
        }
    }

    fn seal(&self, request: &CallToolRequestParams, step: &str) -> String {
        self.0.seal_with(step.as_bytes(), &SealOptions::new().associated_data(request.name.as_bytes()))
    }

    /// The step that the client comes back from.
    fn open(&self, request: &CallToolRequestParams) -> Result<Option<String>, ErrorData> {
        let Some(state) = &request.request_state else { return Ok(None) };
        let opened = self
            .0
            .open_with(state, request.name.as_bytes())
            .ok()
            .and_then(|step| String::from_utf8(step).ok());
        opened
            .map(Some)
            .ok_or_else(|| ErrorData::invalid_params("requestState is not one of this server's", None))
    }
}

/// Asks for a name, and keeps nothing in between.
pub(super) fn ask_for_a_name() -> Result<CallToolResponse, ErrorData> {
    ask(json!({"user_name": form("What is your name?", "name", "string")}), None)
}

pub(super) fn prompt(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    match content(request.input_responses.as_ref(), "user_context", "context") {
        Some(context) => {
            let message = PromptMessage::new_text(Role::User, format!("The context is: {context}"));
            Ok(GetPromptResult::new(vec![message]).into())
        }
        None => {
            let requests =
                json!({"user_context": form("What context should the prompt use?", "context", "string")});
            Ok(InputRequiredResult::new(Some(fixture(requests)?), None).into())
        }
    }
}

fn ask(requests: Value, state: Option<String>) -> Result<CallToolResponse, ErrorData> {
    Ok(InputRequiredResult::new(Some(fixture::<InputRequests>(requests)?), state).into())
}

fn done(text: &str) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

/// What the client answered to one request, if it is an object.
fn answer<'a>(answers: Option<&'a InputResponses>, key: &str) -> Option<&'a Value> {
    answers?.get(key).filter(|answer| answer.is_object())
}

/// One field of an accepted form.
fn content<'a>(answers: Option<&'a InputResponses>, key: &str, field: &str) -> Option<&'a str> {
    let answer = answer(answers, key)?;
    (answer["action"] == "accept").then(|| answer["content"][field].as_str())?
}

fn form(message: &str, field: &str, kind: &str) -> Value {
    let mut properties = json!({});
    properties[field] = json!({"type": kind});
    let schema = json!({"type": "object", "properties": properties, "required": [field]});
    json!({"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}})
}

fn sampling(prompt: &str, max_tokens: u32) -> Value {
    let message = json!({"role": "user", "content": {"type": "text", "text": prompt}});
    json!({"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": max_tokens}})
}

fn roots() -> Value {
    json!({"method": "roots/list", "params": {}})
}
