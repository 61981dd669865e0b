//! The SDK's server handler, written by hand: its macros rebuild what is offered on every call.

use std::collections::BTreeMap;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CompleteRequestMethod,
        CompleteRequestParams, CompleteResult, CompletionInfo, ConstString, CustomRequest, CustomResult,
        DiscoverResult, ErrorCode, GetPromptRequestMethod, GetPromptRequestParams, GetPromptResponse,
        GetPromptResult, InitializeRequestParams, InitializeResult, JsonObject, ListPromptsRequestMethod,
        ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult,
        ListResourcesRequestMethod, ListResourcesResult, ListToolsRequestMethod, ListToolsResult,
        PaginatedRequestParams, PromptMessage, ReadResourceRequestMethod, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, Reference, Role, ServerConfig, SubscribeRequestMethod,
        SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestMethod, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    Handler, Inner, answer,
    calls::OVER_QUOTA,
    era::{self, publish},
    listing::{wire_prompt, wire_resource, wire_template},
    principal,
};
use crate::{
    Connector, Effect, Error, Result,
    access::Rights,
    catalog::{Prompt, ResourceTemplate, Variables, clean, nearest, one_line},
};

/// The most bytes of a value that completes an argument.
const MAX_COMPLETION: usize = 256;

impl<S: Connector> ServerHandler for Handler<S> {
    fn get_info(&self) -> ServerConfig {
        self.0.listing.server.clone()
    }

    async fn discover(&self, _context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(era::LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let listing = &self.0.listing;
        declared::<ListToolsRequestMethod>(listing.server.capabilities.tools.is_some())?;
        only_page(request)?;
        let rights = self.0.service.rights_for_listing(principal(&context.extensions)).await;
        let hidden = self.0.service.hidden(&rights);
        let tools = listing.tools(&self.0.service).iter();
        let tools = tools.filter(|tool| !hidden.iter().any(|name| *name == tool.name)).cloned().collect();
        Ok(publish!(self.0, context, ListToolsResult::with_all_items(tools)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        declared::<CallToolRequestMethod>(self.0.listing.server.capabilities.tools.is_some())?;
        self.0.call(request, &context).await
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.listing.tools(&self.0.service).iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let listing = &self.0.listing;
        declared::<ListResourcesRequestMethod>(listing.server.capabilities.resources.is_some())?;
        only_page(request)?;
        let rights = self.0.rights(&context);
        let resources = self.0.service.resources(&rights).map(wire_resource).collect();
        Ok(publish!(self.0, context, ListResourcesResult::with_all_items(resources)))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let listing = &self.0.listing;
        declared::<ListResourceTemplatesRequestMethod>(listing.server.capabilities.resources.is_some())?;
        only_page(request)?;
        let rights = self.0.rights(&context);
        let templates = self.0.service.templates(&rights).map(wire_template).collect();
        Ok(publish!(self.0, context, ListResourceTemplatesResult::with_all_items(templates)))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let inner = &self.0;
        declared::<ReadResourceRequestMethod>(inner.listing.server.capabilities.resources.is_some())?;
        let uri = request.uri;
        let work = inner.service.read(principal(&context.extensions), &uri);
        let reply = inner
            .recorded("resources/read", &context, work)
            .await
            .map_err(|error| answer::read_error(&uri, &error))?;
        let mut result =
            ReadResourceResult::new(answer::contents(&uri, reply, inner.service.reply_options()));
        (result.ttl_ms, result.cache_scope) = era::read_hints(&context);
        inner.listing.signature.sign(&context, &mut result.meta);
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let listing = &self.0.listing;
        declared::<ListPromptsRequestMethod>(listing.server.capabilities.prompts.is_some())?;
        only_page(request)?;
        let rights = self.0.rights(&context);
        let prompts = self.0.service.prompts(&rights).map(wire_prompt).collect();
        Ok(publish!(self.0, context, ListPromptsResult::with_all_items(prompts)))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let inner = &self.0;
        declared::<GetPromptRequestMethod>(inner.listing.server.capabilities.prompts.is_some())?;
        let given = strings(request.arguments.unwrap_or_default())?;
        let rights = inner.rights(&context);
        let Some(prompt) = inner.service.catalog().prompt(&request.name) else {
            return Err(unknown("prompt", &request.name, inner.service.prompts(&rights).map(Prompt::name)));
        };
        let work = async {
            match inner.service.prompt(principal(&context.extensions), prompt.name(), given).await {
                Some(written) => written,
                None => Err(Error::not_found("The prompt is gone")),
            }
        };
        let reply = inner
            .recorded("prompts/get", &context, work)
            .await
            .map_err(|error| answer::protocol_error(&error))?;
        let text = answer::text(reply, inner.service.reply_options()).text;
        let mut result = GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)])
            .with_description(prompt.description());
        inner.listing.signature.sign(&context, &mut result.meta);
        Ok(result.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let inner = &self.0;
        declared::<CompleteRequestMethod>(inner.listing.server.capabilities.completions.is_some())?;
        let argument = request.argument.name;
        inner.require_argument(&request.r#ref, &argument, &inner.rights(&context))?;
        let others: BTreeMap<_, _> =
            request.context.and_then(|context| context.arguments).into_iter().flatten().collect();
        let others = Variables::from(others);
        let typed = request.argument.value;
        let work = inner.service.complete(principal(&context.extensions), &argument, typed, others);
        let mut values = inner
            .recorded("completion/complete", &context, work)
            .await
            .map_err(|error| answer::protocol_error(&error))?;
        // Names of branches and files are others' text. One that would be shown otherwise than it is cannot
        // be typed either.
        let is_shown_as_it_is = |value: &str| clean(value) == value && !value.contains(['\n', '\t']);
        values.retain(|value| is_shown_as_it_is(value) && value.len() <= MAX_COMPLETION);
        let total = values.len();
        values.truncate(CompletionInfo::MAX_VALUES);
        let mut info = CompletionInfo::default();
        info.has_more = Some(values.len() < total);
        info.total = u32::try_from(total).ok();
        info.values = values;
        let mut result = CompleteResult::new(info);
        inner.listing.signature.sign(&context, &mut result.meta);
        Ok(result)
    }

    /// Legacy clients are told of resources to subscribe to only where they can be reached.
    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.negotiate_initialize(&request)?;
        if !self.0.reaches_legacy_clients
            && let Some(resources) = &mut result.capabilities.resources
        {
            resources.subscribe = None;
        }
        context.peer.set_peer_info(request);
        Ok(result)
    }

    /// Every subscription is accepted, with the part of it that can ever have news.
    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(self.0.accepted(requested))
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        self.0.tell_of_changes(subscription).await
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let inner = &self.0;
        declared::<SubscribeRequestMethod>(inner.takes_legacy_subscriptions())?;
        let who = principal(&context.extensions);
        inner
            .subscribe(&self.1, &who, &request.uri, context.peer)
            .map_err(|error| answer::protocol_error(&error))
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        declared::<UnsubscribeRequestMethod>(self.0.takes_legacy_subscriptions())?;
        self.1.unsubscribe(&request.uri);
        Ok(())
    }

    /// What the SDK cannot read as a request it knows: either a method that there is not, or one
    /// with parameters that are not its own.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = request.method.as_str();
        let legacy = LEGACY_METHODS.contains(&method)
            && self.0.takes_legacy_subscriptions()
            && !era::is_modern(&context);
        if legacy || KNOWN_METHODS.contains(&method) {
            return Err(ErrorData::invalid_params(
                format!("The parameters of {} are malformed", request.method),
                None,
            ));
        }
        Err(ErrorData::new(
            ErrorCode::METHOD_NOT_FOUND,
            format!("There is no method {}", one_line(&request.method)),
            None,
        ))
    }
}

/// Methods with parameters of their own, which a request can get wrong.
const KNOWN_METHODS: [&str; 5] = [
    CallToolRequestMethod::VALUE,
    GetPromptRequestMethod::VALUE,
    ReadResourceRequestMethod::VALUE,
    CompleteRequestMethod::VALUE,
    "subscriptions/listen",
];

/// The same, of legacy clients where they can subscribe.
const LEGACY_METHODS: [&str; 2] = [SubscribeRequestMethod::VALUE, UnsubscribeRequestMethod::VALUE];

impl<S: Connector> Inner<S> {
    /// The rights of who sent a request.
    fn rights(&self, context: &RequestContext<RoleServer>) -> Rights {
        self.service.rights(principal(&context.extensions))
    }

    /// Does work that only reads, under guard, with one line in the log.
    async fn recorded<T>(
        &self,
        method: &'static str,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let started = Instant::now();
        let who = principal(&context.extensions);
        if let Err(over) = self.within_quota(&who, method, None).await {
            self.record(&who, context, method, Some(Effect::Read), OVER_QUOTA, started);
            return Err(over);
        }
        let outcome = self.guarded(Effect::Read, context, work).await;
        let word = outcome.as_ref().map_or_else(|error| error.kind().as_str(), |_| "ok");
        self.record(&who, context, method, Some(Effect::Read), word, started);
        outcome
    }

    /// Fails unless `reference` names a prompt or template of ours that has this argument.
    fn require_argument(
        &self,
        reference: &Reference,
        argument: &str,
        rights: &Rights,
    ) -> Result<(), ErrorData> {
        let service = &self.service;
        let arguments: Vec<&str> = match reference {
            Reference::Prompt(reference) => {
                match service.prompts(rights).find(|prompt| prompt.name() == reference.name) {
                    Some(prompt) => prompt.arguments().iter().map(|argument| argument.name).collect(),
                    None => {
                        return Err(unknown(
                            "prompt",
                            &reference.name,
                            service.prompts(rights).map(Prompt::name),
                        ));
                    }
                }
            }
            Reference::Resource(reference) => {
                match service.templates(rights).find(|template| template.template() == reference.uri) {
                    Some(template) => template.variables().collect(),
                    None => {
                        let templates = service.templates(rights).map(ResourceTemplate::template);
                        return Err(unknown("resource template", &reference.uri, templates));
                    }
                }
            }
            _ => {
                return Err(ErrorData::invalid_params(
                    "Only prompts and resource templates are completed",
                    None,
                ));
            }
        };
        if arguments.contains(&argument) {
            Ok(())
        } else {
            Err(unknown("argument", argument, arguments.into_iter()))
        }
    }
}

/// Fails unless the feature that the method belongs to is declared.
fn declared<M: ConstString>(declared: bool) -> Result<(), ErrorData> {
    if declared { Ok(()) } else { Err(ErrorData::method_not_found::<M>()) }
}

/// Fails for a cursor: lists have one page, so none was ever given out.
fn only_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|request| request.cursor) {
        Some(_) => Err(ErrorData::invalid_params("The list has one page; leave `cursor` out", None)),
        None => Ok(()),
    }
}

/// The error for a name that is not there, with the one that was probably meant.
fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str>) -> ErrorData {
    let hint = nearest(name, names).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    ErrorData::invalid_params(format!("Unknown {what}: {}.{hint}", one_line(name)), None)
}

/// A prompt's arguments, which the protocol wants to be strings.
fn strings(given: JsonObject) -> Result<Variables, ErrorData> {
    let strings: Result<BTreeMap<_, _>, _> = given
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            _ => Err(ErrorData::invalid_params(
                format!("The argument `{}` must be a string", one_line(&name)),
                None,
            )),
        })
        .collect();
    strings.map(Variables::from)
}
