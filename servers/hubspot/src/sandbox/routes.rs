//! The routes, once for all versions: `/crm/v3/objects/contacts`, `/crm/objects/2026-03/contacts` and
//! `/crm/objects/2026-09/contacts` are one route, whose handler knows which version was asked.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use connector::sandbox::{
    Harness, Webhooks,
    rest::{FakeRequest, FakeResponse, RequestContext, RestSite, Route, Routes, route},
};
use serde_json::{Map, Value, json};

use super::{
    Site, account, associations, definitions,
    errors::{Answer, ApiError, Outcome},
    lists, oauth, objects, removals, search,
    state::State,
    types::{self, ObjectType},
    webhooks,
};

/// The work of a route; it is given what its placeholders stand for.
type Work = fn(&mut Ctx<'_>, &[&str]) -> Outcome;

/// Where a version may stand in a path.
const VERSIONS: [&str; 6] = ["v1", "v2", "v3", "v4", "2026-03", "2026-09"];

const SEARCH: &str = "POST /crm/objects/{objectType}/search";
/// Steers the fake; no route of HubSpot's, so it asks for no credential.
const CONTROL: &str = "/_hubspot/account";

/// Where tokens of public apps are given out.
const TOKENS: &str = "POST /oauth/token";

/// A route whose work is `work`.
const fn at(template: &'static str, work: Work) -> Route<Site> {
    route(template, work, handle)
}

/// Every route, without its version. The name of a route is the name of the operation.
const ROUTES: &[Route<Site>] = &[
    at("POST /_hubspot/account", control),
    at("GET /account-info/details", account::details),
    at("GET /account-info/api-usage/daily/private-apps", account::usage),
    at("POST /oauth/private-apps/get/access-token-info", account::token_info),
    at("POST /oauth/token", oauth::token),
    at("POST /oauth/token/introspect", oauth::introspect),
    at("POST /oauth/token/revoke", oauth::revoke),
    at(SEARCH, search::search),
    at("GET /crm/objects/{objectType}", objects::list),
    at("POST /crm/objects/{objectType}", objects::create),
    at("POST /crm/objects/{objectType}/batch/read", objects::batch_read),
    at("POST /crm/objects/{objectType}/batch/create", objects::batch_create),
    at("POST /crm/objects/{objectType}/batch/update", objects::batch_update),
    at("POST /crm/objects/{objectType}/batch/upsert", objects::batch_upsert),
    at("POST /crm/objects/{objectType}/batch/archive", removals::batch_archive),
    at("POST /crm/objects/{objectType}/merge", removals::merge),
    at("POST /crm/objects/{objectType}/gdpr-delete", removals::gdpr_delete),
    at("GET /crm/objects/{objectType}/{objectId}", objects::get),
    at("PATCH /crm/objects/{objectType}/{objectId}", objects::update),
    at("DELETE /crm/objects/{objectType}/{objectId}", removals::archive),
    at("GET /crm/objects/{objectType}/{objectId}/associations/{toObjectType}", associations::list),
    at(
        "PUT /crm/objects/{objectType}/{objectId}/associations/default/{toObjectType}/{toObjectId}",
        associations::put_default,
    ),
    at(
        "PUT /crm/objects/{objectType}/{objectId}/associations/{toObjectType}/{toObjectId}",
        associations::put,
    ),
    at(
        "DELETE /crm/objects/{objectType}/{objectId}/associations/{toObjectType}/{toObjectId}",
        associations::delete,
    ),
    at("POST /crm/associations/{fromObjectType}/{toObjectType}/batch/read", associations::batch_read),
    at("POST /crm/associations/{fromObjectType}/{toObjectType}/batch/create", associations::batch_create),
    at(
        "POST /crm/associations/{fromObjectType}/{toObjectType}/batch/associate/default",
        associations::batch_default,
    ),
    at("POST /crm/associations/{fromObjectType}/{toObjectType}/batch/archive", associations::batch_archive),
    at(
        "POST /crm/associations/{fromObjectType}/{toObjectType}/batch/labels/archive",
        associations::batch_labels_archive,
    ),
    at("GET /crm/associations/{fromObjectType}/{toObjectType}/labels", associations::labels),
    at("GET /crm/properties/{objectType}", definitions::properties),
    at("POST /crm/properties/{objectType}", definitions::create_property),
    at("GET /crm/properties/{objectType}/groups", definitions::groups),
    at("POST /crm/properties/{objectType}/batch/read", definitions::properties_read),
    at("GET /crm/properties/{objectType}/{propertyName}", definitions::one_property),
    at("PATCH /crm/properties/{objectType}/{propertyName}", definitions::update_property),
    at("GET /crm/pipelines/{objectType}", definitions::pipelines),
    at("GET /crm/pipelines/{objectType}/{pipelineId}", definitions::one_pipeline),
    at("GET /crm/pipelines/{objectType}/{pipelineId}/stages", definitions::stages),
    at("GET /crm/owners", definitions::owners),
    at("GET /crm/owners/{ownerId}", definitions::one_owner),
    at("GET /crm-object-schemas/schemas", definitions::schemas),
    at("GET /crm-object-schemas/schemas/{objectType}", definitions::one_schema),
    at("POST /crm/lists/search", lists::search),
    at("GET /crm/lists/{listId}", lists::get),
    at("GET /crm/lists/{listId}/memberships", lists::members),
    at("PUT /crm/lists/{listId}/memberships/add-and-remove", lists::change),
    at("GET /crm/lists/records/{objectTypeId}/{recordId}/memberships", lists::of_record),
    at("GET /conversations/conversations/threads", account::threads),
    at("GET /conversations/conversations/threads/{threadId}", account::one_thread),
    at("GET /conversations/conversations/threads/{threadId}/messages", account::messages),
    at("POST /conversations/conversations/threads/{threadId}/messages", account::send_message),
    at("GET /automation/flows", account::flows),
    at("GET /automation/flows/{flowId}", account::one_flow),
];

/// The routes, and how often each was asked for.
pub(super) fn table() -> Routes<Site> {
    Routes::new(&[ROUTES])
}

/// Whose token was sent, and what it may do.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    token: String,
    scopes: Vec<String>,
    /// By the token of a public app.
    public: bool,
}

impl RestSite for Site {
    type Caller = Caller;
    type Needs = Work;
    type Target = ();
    type Error = ApiError;

    const REQUEST_ID: &'static str = "x-hubspot-correlation-id";

    fn routes(&self) -> &Routes<Self> {
        &self.routes
    }

    fn harness(&self) -> &Harness {
        &self.harness
    }

    fn locate<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let parts = || path.split('/');
        match parts().take(4).position(|part| VERSIONS.contains(&part)) {
            Some(at) => Cow::Owned(
                parts()
                    .enumerate()
                    .filter(|(place, _)| *place != at)
                    .map(|(_, part)| part)
                    .collect::<Vec<_>>()
                    .join("/")
                    .trim_end_matches('/')
                    .to_owned(),
            ),
            // The owners' v3 path ends in a slash.
            None => Cow::Borrowed(path.trim_end_matches('/')),
        }
    }

    fn authenticate(&self, request: &FakeRequest, route: Option<&Route<Self>>) -> Outcome<Caller> {
        // Whoever asks for a token has none yet.
        if request.path == CONTROL || route.is_some_and(|route| route.template().starts_with(TOKENS)) {
            return Ok(Caller::default());
        }
        let token = request.bearer().unwrap_or_default().to_owned();
        let state = self.state();
        let found = state.tokens.iter().find(|one| one["token"] == token.as_str());
        let found = found.ok_or_else(|| ApiError::unauthenticated(token.contains("expired")))?;
        let now = self.harness.clock().now().as_secs();
        if found["until"].as_u64().is_some_and(|until| until <= now) {
            return Err(ApiError::unauthenticated(true));
        }
        Ok(Caller { scopes: objects::texts(&found["scopes"]), public: found["kind"] == "oauth", token })
    }

    fn limit(&self, _: &FakeRequest, caller: &Caller, route: Option<&Route<Self>>) -> Outcome<()> {
        if caller.token.is_empty() {
            return Ok(());
        }
        self.limits.take(&caller.token, caller.public, route.is_some_and(|route| route.template() == SEARCH))
    }

    fn not_found(&self, _: &FakeRequest) -> ApiError {
        ApiError::not_found("resource not found")
    }

    fn guard(&self, _: &FakeRequest, _: &Caller, _: &Route<Self>) -> Outcome<()> {
        Ok(())
    }

    fn finish(
        &self,
        _: &FakeRequest,
        caller: Option<&Caller>,
        route: Option<&Route<Self>>,
        response: FakeResponse,
    ) -> FakeResponse {
        let searching = route.is_some_and(|route| route.template() == SEARCH);
        match caller.filter(|caller| !searching && !caller.token.is_empty()) {
            Some(caller) => self.limits.dress(&caller.token, caller.public, response),
            None => response,
        }
    }
}

/// Does the work of a route.
fn handle(cx: &RequestContext<'_, Site>) -> Outcome<FakeResponse> {
    let body = if cx.body.is_empty() {
        Value::Object(Map::new())
    } else if cx.is("application/x-www-form-urlencoded") {
        Value::Object(cx.form())
    } else {
        cx.json().map_err(|error| ApiError::invalid(format!("Invalid input JSON: {error}")))?
    };
    let version =
        cx.uri.path().split('/').find(|part| VERSIONS.contains(part)).unwrap_or_default().to_owned();
    let mut state = cx.site.state();
    let mut ctx = Ctx {
        site: cx.site,
        harness: &cx.site.harness,
        state: &mut state,
        body,
        version,
        daily: cx.site.limits.daily(),
        query: cx.request.query.clone(),
        scopes: cx.caller.scopes.clone(),
    };
    let path: Vec<&str> = cx.request.variables.iter().map(|(_, value)| value.as_str()).collect();
    let answer = (cx.route.needs)(&mut ctx, &path).map(Answer::into_response);
    let now = ctx.now_exact();
    ctx.state.settle(now);
    answer
}

/// What a handler works with.
pub(super) struct Ctx<'a> {
    site: &'a Site,
    pub(super) harness: &'a Harness,
    pub(super) state: &'a mut State,
    pub(super) body: Value,
    pub(super) version: String,
    /// Calls of today, how many there may be, and when the day ends.
    pub(super) daily: (u32, u32, Duration),
    query: Vec<(String, String)>,
    scopes: Vec<String>,
}

impl Ctx<'_> {
    pub(super) fn webhooks(&self) -> &Webhooks {
        &self.site.webhooks
    }

    pub(super) fn now(&self) -> String {
        self.harness.clock().now_iso()
    }

    pub(super) fn now_exact(&self) -> Duration {
        self.harness.clock().now()
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.query(name)?.parse().ok()
    }

    /// Names between commas, or in a parameter that comes several times.
    pub(super) fn names(&self, name: &str) -> Vec<String> {
        let values = self.query.iter().filter(|(key, _)| key == name);
        let names = values.flat_map(|(_, value)| value.split(','));
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The type of a path.
    pub(super) fn kind(&self, word: &str) -> Outcome<ObjectType> {
        let unknown = || ApiError::invalid(format!("Unable to infer object type from: {word}"));
        self.state.type_of(word).ok_or_else(unknown)
    }

    pub(super) fn needs(&self, scope: &str) -> Outcome<()> {
        if self.scopes.iter().any(|own| own == scope) {
            Ok(())
        } else {
            Err(ApiError::missing_scopes(&[scope]))
        }
    }

    pub(super) fn readable(&self, word: &str) -> Outcome<ObjectType> {
        let kind = self.kind(word)?;
        self.needs(kind.scopes.0)?;
        // What an e-mail says needs a scope of its own (developers.hubspot.com, changelog, "sales-email-read").
        if kind.id == types::EMAILS {
            self.needs("sales-email-read")?;
        }
        Ok(kind)
    }

    pub(super) fn writable(&self, word: &str) -> Outcome<ObjectType> {
        let kind = self.kind(word)?;
        self.needs(kind.scopes.1)?;
        Ok(kind)
    }
}

/// Steers the fake: `{"searchLagMs": 3000, "rules": [...], "dailyRemaining": 0}`; answers with the sizes of the
/// search index.
fn control(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    for (name, value) in ctx.body.as_object().cloned().unwrap_or_default() {
        match (name.as_str(), value.as_u64()) {
            ("dailyRemaining", Some(left)) => {
                ctx.site.limits.set_daily_remaining(u32::try_from(left).unwrap_or(0));
            }
            ("webhook", _) => webhooks::register(&ctx.site.webhooks, &value)?,
            _ => ctx.state.account[name] = value,
        }
    }
    let sizes: BTreeMap<String, usize> = search::sizes(ctx.state, ctx.harness);
    Ok(Answer::ok(json!({"indexed": sizes})))
}
