//! What stands before a handler where many callers share a server: every request is measured, and what is no call has
//! a quota of its own, so that somebody whose calls are used up can still list.
//!
//! Over pipes there is none of this: the one person at the other end pays nothing for it.

#![allow(deprecated, reason = "older clients still set levels and subscribe so")]

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CustomRequest,
        CustomResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse, InitializeRequestParams,
        InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
        ReadResourceResponse, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
        SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};

use super::{answer, principal};
use crate::{
    Connector, Service,
    access::Quotas,
    telemetry::{ErrorType, Metrics, OTHER, TOOL_ERROR},
};

/// A handler, and what is measured of its requests.
#[derive(Clone)]
pub(crate) struct Gate<H> {
    handler: H,
    metrics: Option<Arc<Metrics>>,
    quotas: Option<Quotas>,
    /// The tools there are, as clients name them.
    tools: Arc<HashMap<String, &'static str>>,
}

impl<H: ServerHandler> Gate<H> {
    /// Stands before `handler`, which answers for `service`.
    pub(crate) fn new<S: Connector>(
        handler: H,
        service: &Service<S>,
        metrics: Option<Arc<Metrics>>,
        quotas: Option<Quotas>,
    ) -> Self {
        let tools = service.catalog().all_tools().iter();
        let tools = tools.map(|tool| (service.wire_name(tool), tool.name())).collect();
        Self { handler, metrics, quotas, tools: Arc::new(tools) }
    }

    /// Counts a request that is no call.
    fn admit(&self, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let Some(quotas) = &self.quotas else { return Ok(()) };
        quotas.list(&principal(&context.extensions)).map_err(|over| answer::protocol_error(&over))
    }

    /// Does the `work` of one request.
    async fn pass<T>(
        &self,
        method: &'static str,
        work: impl Future<Output = Result<T, ErrorData>>,
    ) -> Result<T, ErrorData> {
        let Some(metrics) = &self.metrics else { return work.await };
        let running = metrics.begin(method, "");
        let outcome = work.await;
        running.finish(error_type(&outcome));
        outcome
    }
}

fn error_type<T>(outcome: &Result<T, ErrorData>) -> ErrorType {
    match outcome {
        Ok(_) => ErrorType::None,
        Err(error) => ErrorType::Code(error.code.0),
    }
}

impl<H: ServerHandler> ServerHandler for Gate<H> {
    fn get_info(&self) -> ServerConfig {
        self.handler.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.handler.supported_protocol_versions()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.admit(&context)?;
        self.pass("initialize", self.handler.initialize(request, context)).await
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        self.admit(&context)?;
        self.pass("server/discover", self.handler.discover(context)).await
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.admit(&context)?;
        self.pass("tools/list", self.handler.list_tools(request, context)).await
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(metrics) = &self.metrics else { return self.handler.call_tool(request, context).await };
        let tool = self.tools.get(request.name.as_ref()).copied().unwrap_or(OTHER);
        let running = metrics.begin("tools/call", tool);
        let outcome = self.handler.call_tool(request, context).await;
        running.finish(match &outcome {
            Ok(CallToolResponse::Complete(result)) if result.is_error == Some(true) => {
                ErrorType::Word(TOOL_ERROR)
            }
            outcome => error_type(outcome),
        });
        outcome
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.handler.get_tool(name)
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.admit(&context)?;
        self.pass("resources/list", self.handler.list_resources(request, context)).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.admit(&context)?;
        self.pass("resources/templates/list", self.handler.list_resource_templates(request, context)).await
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.pass("resources/read", self.handler.read_resource(request, context)).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.admit(&context)?;
        self.pass("prompts/list", self.handler.list_prompts(request, context)).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.pass("prompts/get", self.handler.get_prompt(request, context)).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.pass("completion/complete", self.handler.complete(request, context)).await
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.admit(&context)?;
        self.pass("logging/setLevel", self.handler.set_level(request, context)).await
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.handler.accepted_subscription_filter(requested)
    }

    /// A stream that lasts, which is no operation.
    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        self.handler.listen(subscription).await
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.admit(&context)?;
        self.pass("resources/subscribe", self.handler.subscribe(request, context)).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.admit(&context)?;
        self.pass("resources/unsubscribe", self.handler.unsubscribe(request, context)).await
    }

    /// The name of a method that there is not is the client's own text, and labels nothing.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        self.admit(&context)?;
        self.pass(OTHER, self.handler.on_custom_request(request, context)).await
    }
}

impl<H> fmt::Debug for Gate<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}
