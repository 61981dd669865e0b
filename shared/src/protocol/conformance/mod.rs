//! The fixtures of the official conformance suite, laid over a real server.
//!
//! The suite cannot test a server without tools, prompts and resources that it knows. Here they
//! are: what has a name of theirs is answered here, everything else by the server itself, and all
//! of it through the server's own transport. Deprecated features that the suite still looks for
//! (logging, sampling) exist only here. This is for tests and never part of a release.
#![expect(deprecated, reason = "the suite tests features that the protocol has deprecated")]

mod content;
mod rounds;
mod tools;

use std::fmt;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CompletionInfo,
        CustomRequest, CustomResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse,
        GetPromptResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ReadResourceResult, Reference, ServerConfig, SetLevelRequestMethod, SetLevelRequestParams,
        SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Handler,
    era::{self, publish},
};
use crate::Connector;

use rounds::Rounds;

/// A server with the suite's fixtures over it.
pub struct Overlay<S> {
    server: Handler<S>,
    rounds: Rounds,
}

impl<S: Connector> Overlay<S> {
    /// Lays the fixtures over `server`.
    #[must_use]
    pub fn new(server: Handler<S>) -> Self {
        Self { server, rounds: Rounds::new() }
    }

    fn sign(&self, context: &RequestContext<RoleServer>, meta: &mut Option<rmcp::model::MetaObject>) {
        self.server.0.listing.signature.sign(context, meta);
    }
}

impl<S> Clone for Overlay<S> {
    fn clone(&self) -> Self {
        Self { server: self.server.clone(), rounds: self.rounds.clone() }
    }
}

impl<S> fmt::Debug for Overlay<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay").finish_non_exhaustive()
    }
}

/// A fixture written as JSON.
fn fixture<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|error| ErrorData::internal_error(format!("the fixture is wrong: {error}"), None))
}

impl<S: Connector> ServerHandler for Overlay<S> {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.server.get_info();
        info.capabilities.tools.get_or_insert_default();
        info.capabilities.prompts.get_or_insert_default();
        info.capabilities.completions.get_or_insert_default();
        info.capabilities.logging.get_or_insert_default();
        info.capabilities.resources.get_or_insert_default().subscribe = Some(true);
        info
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let mut discovered = self.server.discover(context).await?;
        discovered.capabilities = self.get_info().capabilities;
        Ok(discovered)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut list = self.server.list_tools(request, context).await?;
        list.tools.extend(tools::all()?);
        list.tools.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(list)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut response = if request.name.starts_with(rounds::PREFIX) {
            self.rounds.call(&request, &context)?
        } else if tools::is_one(&request.name) {
            tools::call(&request, &context).await?
        } else {
            return self.server.call_tool(request, context).await;
        };
        match &mut response {
            CallToolResponse::Complete(result) => self.sign(&context, &mut result.meta),
            CallToolResponse::InputRequired(result) => self.sign(&context, &mut result.meta),
            _ => {}
        };
        Ok(response)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let fixtures = tools::all().unwrap_or_default();
        fixtures.into_iter().find(|tool| tool.name == name).or_else(|| self.server.get_tool(name))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let own = self.server.list_resources(request, context.clone()).await.unwrap_or_default();
        let resources = [own.resources, fixture(content::resources())?].concat();
        Ok(publish!(self.server.0, context, ListResourcesResult::with_all_items(resources)))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let own = self.server.list_resource_templates(request, context.clone()).await.unwrap_or_default();
        let templates = [own.resource_templates, fixture(content::templates())?].concat();
        Ok(publish!(self.server.0, context, ListResourceTemplatesResult::with_all_items(templates)))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some(contents) = content::read(&request.uri) else {
            return self.server.read_resource(request, context).await;
        };
        let mut result = ReadResourceResult::new(fixture(contents)?);
        (result.ttl_ms, result.cache_scope) = era::read_hints(&context);
        self.sign(&context, &mut result.meta);
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let own = self.server.list_prompts(request, context.clone()).await.unwrap_or_default();
        let prompts = [own.prompts, fixture(content::prompts())?].concat();
        Ok(publish!(self.server.0, context, ListPromptsResult::with_all_items(prompts)))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name == rounds::PROMPT {
            return rounds::prompt(&request);
        }
        let Some(messages) = content::prompt(&request.name, &request.arguments.clone().unwrap_or_default())
        else {
            return self.server.get_prompt(request, context).await;
        };
        let mut result = GetPromptResult::new(fixture(messages)?);
        self.sign(&context, &mut result.meta);
        Ok(result.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let is_fixture = matches!(&request.r#ref, Reference::Prompt(prompt) if prompt.name == "test_prompt_with_arguments");
        if !is_fixture {
            return self.server.complete(request, context).await;
        }
        let values: Vec<_> = ["paris", "park", "party"]
            .into_iter()
            .filter(|value| value.starts_with(&request.argument.value))
            .map(str::to_owned)
            .collect();
        let info = CompletionInfo::with_all_values(values)
            .map_err(|error| ErrorData::internal_error(error, None))?;
        let mut result = CompleteResult::new(info);
        self.sign(&context, &mut result.meta);
        Ok(result)
    }

    /// Only legacy clients may set a level; the level itself is of no use to the fixtures.
    async fn set_level(
        &self,
        _request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if era::is_modern(&context) {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        Ok(())
    }

    async fn subscribe(
        &self,
        _request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.server.accepted_subscription_filter(requested)
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        self.server.listen(subscription).await
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        self.server.on_custom_request(request, context).await
    }
}
