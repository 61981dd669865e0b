//! What stands before a handler where many callers share a server: every request is measured, and what is no call has
//! a quota of its own, so that somebody whose calls are used up can still list.
//!
//! Over pipes there is none of this: the one person at the other end pays nothing for it.

#![allow(deprecated, reason = "older clients still set levels and subscribe so")]

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use futures::future::BoxFuture;
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

macro_rules! any_handler {
    ($(fn $method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        /// A handler, whichever server it is of: what lies between it and a socket is compiled once, with this crate, and
        /// not with each server.
        trait AnyHandler: Send + Sync {
            /// Another, for another session.
            fn again(&self) -> Box<dyn AnyHandler>;
            fn get_info(&self) -> ServerConfig;
            fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]>;
            fn get_tool(&self, name: &str) -> Option<Tool>;
            fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter>;
            $(fn $method(&self, $($argument: $type),+) -> BoxFuture<'_, Result<$answer, ErrorData>>;)+
        }

        impl<H: ServerHandler + Clone> AnyHandler for H {
            fn again(&self) -> Box<dyn AnyHandler> {
                Box::new(self.clone())
            }

            fn get_info(&self) -> ServerConfig {
                ServerHandler::get_info(self)
            }

            fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
                ServerHandler::supported_protocol_versions(self)
            }

            fn get_tool(&self, name: &str) -> Option<Tool> {
                ServerHandler::get_tool(self, name)
            }

            fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
                ServerHandler::accepted_subscription_filter(self, requested)
            }

            $(fn $method(&self, $($argument: $type),+) -> BoxFuture<'_, Result<$answer, ErrorData>> {
                Box::pin(ServerHandler::$method(self, $($argument),+))
            })+
        }
    };
}

type Context = RequestContext<RoleServer>;

any_handler! {
    fn initialize(request: InitializeRequestParams, context: Context) -> InitializeResult;
    fn discover(context: Context) -> DiscoverResult;
    fn list_tools(request: Option<PaginatedRequestParams>, context: Context) -> ListToolsResult;
    fn call_tool(request: CallToolRequestParams, context: Context) -> CallToolResponse;
    fn list_resources(request: Option<PaginatedRequestParams>, context: Context) -> ListResourcesResult;
    fn list_resource_templates(request: Option<PaginatedRequestParams>, context: Context)
        -> ListResourceTemplatesResult;
    fn read_resource(request: ReadResourceRequestParams, context: Context) -> ReadResourceResponse;
    fn list_prompts(request: Option<PaginatedRequestParams>, context: Context) -> ListPromptsResult;
    fn get_prompt(request: GetPromptRequestParams, context: Context) -> GetPromptResponse;
    fn complete(request: CompleteRequestParams, context: Context) -> CompleteResult;
    fn set_level(request: SetLevelRequestParams, context: Context) -> ();
    fn listen(subscription: SubscriptionContext) -> ();
    fn subscribe(request: SubscribeRequestParams, context: Context) -> ();
    fn unsubscribe(request: UnsubscribeRequestParams, context: Context) -> ();
    fn on_custom_request(request: CustomRequest, context: Context) -> CustomResult;
}

/// A handler, and what is measured of its requests.
pub(crate) struct Gate {
    handler: Box<dyn AnyHandler>,
    metrics: Option<Arc<Metrics>>,
    quotas: Option<Quotas>,
    /// The tools there are, as clients name them.
    tools: Arc<HashMap<String, &'static str>>,
}

impl Gate {
    /// Stands before `handler`, which answers for `service`.
    pub(crate) fn new<S: Connector>(
        handler: impl ServerHandler + Clone,
        service: &Service<S>,
        metrics: Option<Arc<Metrics>>,
        quotas: Option<Quotas>,
    ) -> Self {
        let tools = service.catalog().all_tools().iter();
        let tools = tools.map(|tool| (service.wire_name(tool), tool.name())).collect();
        Self { handler: Box::new(handler), metrics, quotas, tools: Arc::new(tools) }
    }

    /// Counts a request that is no call.
    fn admit(&self, context: &Context) -> Result<(), ErrorData> {
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

impl ServerHandler for Gate {
    fn get_info(&self) -> ServerConfig {
        self.handler.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.handler.supported_protocol_versions()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: Context,
    ) -> Result<InitializeResult, ErrorData> {
        self.admit(&context)?;
        self.pass("initialize", self.handler.initialize(request, context)).await
    }

    async fn discover(&self, context: Context) -> Result<DiscoverResult, ErrorData> {
        self.admit(&context)?;
        self.pass("server/discover", self.handler.discover(context)).await
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        self.admit(&context)?;
        self.pass("tools/list", self.handler.list_tools(request, context)).await
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
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
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.admit(&context)?;
        self.pass("resources/list", self.handler.list_resources(request, context)).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.admit(&context)?;
        self.pass("resources/templates/list", self.handler.list_resource_templates(request, context)).await
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.pass("resources/read", self.handler.read_resource(request, context)).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.admit(&context)?;
        self.pass("prompts/list", self.handler.list_prompts(request, context)).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.pass("prompts/get", self.handler.get_prompt(request, context)).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: Context,
    ) -> Result<CompleteResult, ErrorData> {
        self.pass("completion/complete", self.handler.complete(request, context)).await
    }

    async fn set_level(&self, request: SetLevelRequestParams, context: Context) -> Result<(), ErrorData> {
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

    async fn subscribe(&self, request: SubscribeRequestParams, context: Context) -> Result<(), ErrorData> {
        self.admit(&context)?;
        self.pass("resources/subscribe", self.handler.subscribe(request, context)).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: Context,
    ) -> Result<(), ErrorData> {
        self.admit(&context)?;
        self.pass("resources/unsubscribe", self.handler.unsubscribe(request, context)).await
    }

    /// The name of a method that there is not is the client's own text, and labels nothing.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: Context,
    ) -> Result<CustomResult, ErrorData> {
        self.admit(&context)?;
        self.pass(OTHER, self.handler.on_custom_request(request, context)).await
    }
}

/// For another session: what a handler keeps for one is not the other's.
impl Clone for Gate {
    fn clone(&self) -> Self {
        Self {
            handler: self.handler.again(),
            metrics: self.metrics.clone(),
            quotas: self.quotas.clone(),
            tools: Arc::clone(&self.tools),
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}
