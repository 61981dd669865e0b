//! Calling a tool: the work under guard, the question before harm, the answer, and one line in the log.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, ElicitResult},
    service::RequestContext,
};
use tokio::time::Instant;

use super::{
    Inner, answer, client, era,
    guard::Stopped,
    principal,
    progress::ToClient,
    questions::{self, Said},
};
use crate::{
    Connector, Effect, Error, Kind, Result,
    access::{Principal, Rights},
    catalog::{Answer, Confirmed, Progress, Question, Silent, Tool, confirm::LIFETIME, one_line},
};

/// The result of a call whose question was answered with no.
const DECLINED: &str = "Nothing was changed: the user said no.";
/// The result of a call whose question nobody answered.
const UNANSWERED: &str = "Nothing was changed: the user did not answer the question within five minutes.";

/// What became of a call that its caller's quota did not allow.
pub(super) const OVER_QUOTA: Outcome = "over_quota";

/// What became of a call, for the log.
type Outcome = &'static str;

impl<S: Connector> Inner<S> {
    pub(super) async fn call(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let started = Instant::now();
        let principal = principal(&context.extensions);
        let Some(tool) = self.service.tool(&request.name) else {
            let rights = self.service.rights(principal.clone());
            let denied = self.service.switched_off(&request.name, &rights);
            // The name is the client's own text, and stays out of the log.
            let outcome = denied.as_ref().map_or("unknown_tool", |denied| denied.kind().as_str());
            self.record(&principal, context, "?", None, outcome, started);
            return match denied {
                Some(denied) => {
                    let mut result = answer::failure(&denied);
                    self.listing.signature.sign(context, &mut result.meta);
                    Ok(result.into())
                }
                None => Err(self.unknown_tool(&request.name, &rights)),
            };
        };
        let (response, outcome) = match self.within_quota(&principal, "tools/call", Some(tool.name())).await {
            Ok(()) => self.run(tool, &principal, request, context).await,
            Err(over) => (failed(&over).0, OVER_QUOTA),
        };
        self.record(&principal, context, tool.name(), Some(tool.effect()), outcome, started);
        let mut response = response?;
        let meta = match &mut response {
            CallToolResponse::Complete(result) => &mut result.meta,
            CallToolResponse::InputRequired(result) => &mut result.meta,
            _ => return Ok(response),
        };
        self.listing.signature.sign(context, meta);
        Ok(response)
    }

    async fn run(
        &self,
        tool: &Tool<S>,
        principal: &Principal,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> (Result<CallToolResponse, ErrorData>, Outcome) {
        let progress: Arc<dyn Progress> = match context.meta.get_progress_token() {
            Some(token) => Arc::new(ToClient::new(context.peer.clone(), token)),
            None => Arc::new(Silent),
        };
        let arguments = request.arguments.unwrap_or_default();
        let answers = request.request_state.is_some();
        let work = self.service.call(tool, principal.clone(), arguments, answers, progress);
        let question = match self.guarded(tool.effect(), context, work).await {
            Ok(Answer::Reply(reply)) => return (Ok(answer::result(self.service.render(reply)).into()), "ok"),
            Ok(Answer::Question(question)) => question,
            Err(error) => return failed(&error),
        };
        if !era::can_elicit(context) {
            return self.ask_by_second_call(question, None);
        }
        if era::is_modern(context) {
            let state = request.request_state.as_deref();
            return self
                .ask_by_round_trip(tool, question, state, request.input_responses.as_ref(), context)
                .await;
        }
        if self.reaches_legacy_clients {
            return self.ask_by_request(tool, question, context).await;
        }
        self.ask_by_second_call(question, None)
    }

    /// The question is the result; the client calls again with the answer.
    async fn ask_by_round_trip(
        &self,
        tool: &Tool<S>,
        question: Question,
        state: Option<&str>,
        answers: Option<&rmcp::model::InputResponses>,
        context: &RequestContext<RoleServer>,
    ) -> (Result<CallToolResponse, ErrorData>, Outcome) {
        let said = match state {
            Some(state) => {
                match self.questions.hear(question.subject(), question.effect(), state, answers).await {
                    Ok(said) => said,
                    Err(error) => return (Err(error), Kind::InvalidArgument.as_str()),
                }
            }
            None => None,
        };
        match said {
            Some((Said::Yes, Confirmed::Same)) => {
                match self.guarded(tool.effect(), context, question.carry_out()).await {
                    Ok(reply) => (Ok(answer::result(self.service.render(reply)).into()), "ok"),
                    Err(error) => failed(&error),
                }
            }
            Some((Said::Yes, Confirmed::Changed)) => self.put(question.changed()),
            Some((Said::No, _)) => (Ok(answer::sentence(DECLINED).into()), "declined"),
            None => self.put(question),
        }
    }

    /// The question as the result.
    fn put(&self, mut question: Question) -> (Result<CallToolResponse, ErrorData>, Outcome) {
        let text = self.text_of(&mut question);
        (Ok(self.questions.ask(question.subject(), question.effect(), &text).into()), "asked")
    }

    /// The client is sent a request of ours and answers it while the call waits. What has changed meanwhile is
    /// asked anew.
    async fn ask_by_request(
        &self,
        tool: &Tool<S>,
        mut question: Question,
        context: &RequestContext<RoleServer>,
    ) -> (Result<CallToolResponse, ErrorData>, Outcome) {
        loop {
            let text = self.text_of(&mut question);
            let form = questions::form(&text);
            let answered = tokio::select! {
                biased;
                () = context.ct.cancelled() => return failed(&Stopped::Cancelled.into_error(tool.effect())),
                answered = context.peer.create_elicitation_with_timeout(form, Some(LIFETIME)) => answered,
            };
            let said = match answered {
                Ok(ElicitResult { action, .. }) => Said::from(&action),
                Err(rmcp::ServiceError::Timeout { .. }) => {
                    return (Ok(answer::sentence(UNANSWERED).into()), "declined");
                }
                // It said that it can be asked, and cannot.
                Err(_) => return self.ask_by_second_call(question, Some(text)),
            };
            if said == Said::No {
                return (Ok(answer::sentence(DECLINED).into()), "declined");
            }
            match self.guarded(tool.effect(), context, question.agreed_or_anew()).await {
                Ok(Answer::Reply(reply)) => {
                    return (Ok(answer::result(self.service.render(reply)).into()), "ok");
                }
                Ok(Answer::Question(anew)) => question = anew,
                Err(error) => return failed(&error),
            }
        }
    }

    /// The client cannot be asked: the result shows the effect, which is `told` where it was taken out before, and
    /// gives the value that confirms it. Where only a person may agree, it is refused.
    fn ask_by_second_call(
        &self,
        question: Question,
        told: Option<String>,
    ) -> (Result<CallToolResponse, ErrorData>, Outcome) {
        if self.service.rights(question.subject().who().clone()).asks_a_person() {
            return failed(&Question::without_a_person("this client cannot ask one"));
        }
        let mut reply = question.by_second_call(self.service.confirmations());
        if let Some(text) = told {
            reply = reply.line(text);
        }
        (Ok(answer::result(self.service.render(reply)).into()), "asked")
    }

    /// Does `work` under guard.
    pub(super) async fn guarded<T>(
        &self,
        effect: Effect,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match self.guard.run(&principal(&context.extensions), &context.ct, work).await {
            Ok(outcome) => outcome,
            Err(stopped) => Err(stopped.into_error(effect)),
        }
    }

    /// Counts a call against its caller's quota. Completions are asked for at every key that somebody presses.
    pub(super) async fn within_quota(
        &self,
        who: &Principal,
        method: &'static str,
        tool: Option<&'static str>,
    ) -> Result<()> {
        match &self.quotas {
            Some(quotas) if method == "completion/complete" => quotas.list(who),
            Some(quotas) => quotas.call(who, tool).await,
            None => Ok(()),
        }
    }

    /// The one line that every call leaves, never its arguments, and the count of those that failed.
    pub(super) fn record(
        &self,
        principal: &Principal,
        context: &RequestContext<RoleServer>,
        tool: &'static str,
        effect: Option<Effect>,
        outcome: Outcome,
        started: Instant,
    ) {
        if let Some(metrics) = &self.metrics {
            metrics.ended(outcome);
        }
        let effect = effect.map_or("-", Effect::as_str);
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "call",
            who = principal.label(), client = client(context), tool, effect, outcome, ms
        );
    }

    fn text_of(&self, question: &mut Question) -> String {
        answer::text(question.take_preview(), self.service.reply_options()).text
    }

    fn unknown_tool(&self, name: &str, rights: &Rights) -> ErrorData {
        let hint = match self.service.nearest_tool(name, rights) {
            Some((near, None)) => format!(" Did you mean `{near}`?"),
            Some((near, Some(off))) => {
                let how = off.hint().map(|hint| format!(" {hint}.")).unwrap_or_default();
                format!(" Did you mean `{near}`? {}.{how}", off.message())
            }
            None => " tools/list gives the tools there are.".to_owned(),
        };
        ErrorData::invalid_params(format!("Unknown tool: {}.{hint}", one_line(name)), None)
    }
}

fn failed(error: &Error) -> (Result<CallToolResponse, ErrorData>, Outcome) {
    let result: CallToolResult = answer::failure(error);
    (Ok(result.into()), error.kind().as_str())
}
