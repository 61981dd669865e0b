//! Who one is here, and who else there is.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Reply, Tool,
        names::{find, fold},
        one_line, thousands, words,
    },
    upstream,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{FROM, lag::uncounted, search::Narrowed};
use crate::{
    HubSpot,
    api::{definitions::Owner, objects::Search},
    filter::Condition,
    scopes,
};

/// The most owners whose records are counted in one call: six searches each, of which four are made a second.
const COUNTED: usize = 12;
/// Owners that are named because nothing of theirs was counted.
const NAMED: usize = 20;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "whoami",
            "Who I am",
            "Tells account, custom objects, the credential's owner and scopes, today's calls.",
            whoami,
        )
        .output::<Identity>(),
        Tool::read(
            "find_owners",
            "Find owners",
            "Finds owners by name, e-mail, team, id or me, those who left too. count_records: what each has.",
            find_owners,
        )
        .scopes(scopes::OWNERS)
        .aliases(&[("name", "query"), ("email", "query"), ("team", "query")])
        .output_page::<OwnerRow>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhoAmI {}

/// The account and the credential.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Identity {
    account: String,
    time_zone: String,
    currency: String,
    user: Option<String>,
    scopes: Vec<String>,
}

async fn whoami(call: Call<HubSpot>, _: WhoAmI) -> Result<Reply> {
    let account = call.api().account().await?;
    let more = if account.additional_currencies.is_empty() {
        String::new()
    } else {
        format!(", also {}", account.additional_currencies.join(", "))
    };
    let mut reply = Reply::new(format!(
        "HubSpot account {} ({}), time zone {}, currency {}{more}.",
        account.portal_id,
        account.account_type.to_lowercase(),
        account.time_zone,
        account.company_currency,
    ));
    let mut identity = Identity {
        account: account.portal_id.to_string(),
        time_zone: account.time_zone.clone(),
        currency: account.company_currency.clone(),
        ..Identity::default()
    };
    match call.api().token_info().await {
        Ok(token) => {
            let owner = call.names().me().await.ok();
            let user = match &owner {
                Some(owner) => format!("{} <{}>, owner {}", one_line(&owner.name()), owner.email, owner.id),
                None => format!("user {}", token.user_id),
            };
            reply = reply.line(format!("You are {user}, with {}.", call.credential));
            reply = reply.line(format!("Scopes: {}.", token.scopes.join(", ")));
            let missing = missing(&call, &token.scopes);
            if !missing.is_empty() {
                reply = reply.line(format!("Not granted: {}.", missing.join("; ")));
            }
            identity.user = Some(user);
            identity.scopes = token.scopes;
        }
        Err(error) if error.kind() == Kind::Auth => return Err(error),
        Err(_) => {
            reply = reply.line(format!(
                "The credential is {}. HubSpot does not tell the scopes of a service key; a refused call names the one that is missing.",
                call.credential
            ));
        }
    }
    if let Ok(Some(usage)) = call.api().usage().await {
        let (used, limit) = (usage.current_usage as u64, usage.usage_limit as u64);
        reply = reply.line(format!(
            "Calls used today: {} of {}; the day ends {}.",
            thousands(used),
            thousands(limit),
            call.names().told(&usage.resets_at).await?
        ));
    }
    let off: BTreeSet<&str> = super::all()
        .iter()
        .filter(|tool| !tool.on_by_default() && !call.offers(tool.name()))
        .map(Tool::toolset_name)
        .collect();
    if !off.is_empty() {
        let off: Vec<&str> = off.into_iter().collect();
        reply = reply.line(format!("Toolsets that are off: {}.", off.join(", ")));
    }
    let custom = call.names().custom().await;
    if !custom.is_empty() {
        let named = custom.iter().map(|object| format!("{} ({})", one_line(&object.plural), object.id));
        reply = reply.line(format!("Custom objects: {}.", named.collect::<Vec<_>>().join(", ")));
    }
    if call.sandbox {
        reply = reply.line("This is the built-in sandbox, not HubSpot.");
    }
    Ok(reply.line(format!("API version {}.", call.api().version())).data(&identity))
}

/// What the tools on offer need that a credential does not have, and for what.
fn missing(call: &Call<HubSpot>, scopes: &[String]) -> Vec<String> {
    // A scope, what it is for, and the tool that needs it.
    const NEEDED: [(&str, &str, &str); 22] = [
        ("crm.objects.contacts.read", "contacts, notes, tasks, calls", "search"),
        ("crm.objects.contacts.write", "writing those", "update_records"),
        ("sales-email-read", "e-mails", "get_timeline"),
        ("crm.objects.companies.read", "companies", "search"),
        ("crm.objects.companies.write", "writing companies", "update_records"),
        ("crm.objects.deals.read", "deals", "search"),
        ("crm.objects.deals.write", "writing deals", "update_records"),
        ("tickets", "tickets", "search"),
        ("crm.objects.leads.read", "leads", "search"),
        ("crm.objects.leads.write", "writing leads", "update_records"),
        ("crm.objects.products.read", "products", "search"),
        ("crm.objects.line_items.read", "line items", "search"),
        ("crm.objects.quotes.read", "quotes", "search"),
        ("crm.objects.custom.read", "custom objects", "search"),
        ("crm.objects.custom.write", "writing custom objects", "update_records"),
        ("crm.schemas.custom.read", "which custom objects there are", "search"),
        ("crm.objects.owners.read", "names of owners", "search"),
        ("crm.lists.read", "lists", "find_lists"),
        ("crm.lists.write", "changing lists", "update_list"),
        ("conversations.read", "conversations", "read_conversations"),
        ("conversations.write", "comments", "reply_conversation"),
        ("automation", "workflows", "list_workflows"),
    ];
    let lacks = NEEDED.iter().filter(|(scope, _, tool)| {
        let can =
            call.offers(tool) || super::all().iter().any(|one| one.name() == *tool && one.on_by_default());
        can && !scopes.iter().any(|own| own == scope)
    });
    lacks.map(|(scope, what, _)| format!("{scope} ({what})")).collect()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindOwners {
    query: Option<String>,
    #[serde(default)]
    count_records: bool,
}

/// The objects whose records are counted, of those with an end the open ones.
const HELD: [(&str, bool); 6] = [
    ("contacts", false),
    ("companies", false),
    ("deals", true),
    ("tickets", true),
    ("leads", false),
    ("tasks", true),
];

/// What an owner has, in words and by object.
async fn held(call: &Call<HubSpot>, owner: &Owner) -> Result<(String, BTreeMap<String, u64>)> {
    let open = [Condition::Field {
        field: "open".to_owned(),
        op: "=".to_owned(),
        value: json!(true),
        high: json!(null),
    }];
    let (mut has, mut none, mut unseen) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = BTreeMap::new();
    for (name, ends) in HELD {
        let Some(object) = call.names().standard(name) else { continue };
        let word = if ends { "open " } else { "" };
        let narrowed = Narrowed {
            conditions: if ends { &open } else { &[] },
            owner: Some(&owner.id),
            ..Narrowed::default()
        };
        let found = async {
            let fields = call.names().fields(&object).await?;
            let groups = narrowed.understand(call, &fields).await?.groups;
            call.api().search(&object, &Search { groups, limit: 1, ..Search::default() }).await
        };
        match found.await {
            Ok(found) => {
                let noun = if found.total == 1 { &object.singular } else { &object.plural };
                match found.total {
                    0 => none.push(format!("{word}{}", object.plural)),
                    some => has.push(format!("{} {word}{noun}", thousands(some))),
                }
                counts.insert(name.to_owned(), found.total);
            }
            Err(error) if error.kind() == Kind::Permission => unseen.push(object.plural.clone()),
            Err(error) => return Err(error),
        }
    }
    let told = [("has ", has), ("no ", none), ("this credential cannot see ", unseen)];
    let told = told.into_iter().filter(|(_, what)| !what.is_empty());
    let told: Vec<String> = told.map(|(word, what)| format!("{word}{}", what.join(", "))).collect();
    Ok((told.join("; "), counts))
}

/// An owner.
#[derive(Debug, Serialize, JsonSchema)]
struct OwnerRow {
    id: String,
    name: String,
    email: String,
    active: bool,
    teams: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    records: BTreeMap<String, u64>,
}

async fn find_owners(call: Call<HubSpot>, args: FindOwners) -> Result<Reply> {
    let query = args.query.unwrap_or_default();
    let mut near = None;
    let owners = if matches!(query.trim().to_lowercase().as_str(), "me" | "@me") {
        vec![call.names().me().await?]
    } else {
        let wanted = fold(&query);
        let fits = |owner: &Owner| {
            let teams = owner.teams.iter().map(|team| team.name.as_str());
            let mut words = [owner.name(), owner.email.clone(), owner.id.clone()].into_iter();
            wanted.is_empty()
                || words.any(|word| fold(&word).contains(&wanted))
                || teams.into_iter().any(|team| fold(team) == wanted)
        };
        let mut owners = call.api().owners().await?;
        if !owners.iter().any(fits) {
            let miss = find(&query, &owners).err().map(Error::from);
            near = miss.and_then(|miss| miss.hint().map(str::to_owned));
            near = near.filter(|hint| hint.starts_with("Did you mean"));
        }
        owners.retain(fits);
        owners
    };
    let mut page = Page::new(FROM, ("owner", "owners"));
    if args.count_records {
        let others: Vec<String> = owners.iter().skip(COUNTED).map(Owner::shown).collect();
        if !others.is_empty() {
            page = page.note(format!(
                "a call counts what {COUNTED} owners have; not counted: {}. Ask for them by name, e-mail or team",
                words::listed(&others, NAMED)
            ));
        }
        let objects = HELD.iter().filter_map(|(name, _)| call.names().standard(name));
        let lag: Vec<String> = objects.filter_map(|object| uncounted(&call, &object)).collect();
        page = page.notes(lag);
    }
    let most = owners.len().min(COUNTED) as u32;
    for (done, owner) in (0..).zip(&owners) {
        let teams: Vec<String> = owner.teams.iter().map(|team| one_line(&team.name)).collect();
        let mut row = format!("{} | {} | {}", owner.id, one_line(&owner.shown()), owner.email);
        if !teams.is_empty() {
            row.push_str(&format!(" | {}", teams.join(", ")));
        }
        let mut records = BTreeMap::new();
        if args.count_records && done < most {
            let told = held(&call, owner).await?;
            row.push_str(&format!("\n  {}", told.0));
            records = told.1;
            // The pace of searches makes it long; each owner that is counted is a reason to wait for the next.
            upstream::call::restart();
            call.progress(done + 1, Some(most), "owners counted").await;
        }
        let data = OwnerRow {
            id: owner.id.clone(),
            name: owner.name(),
            email: owner.email.clone(),
            active: !owner.archived,
            teams,
            records,
        };
        page.push(row, &data);
    }
    if page.is_empty() && !query.is_empty() {
        return Ok(Reply::page(
            page.note(format!(
                "no name, address, team or id contains `{}`; without a query all are listed",
                one_line(&query)
            ))
            .notes(near),
        ));
    }
    Ok(Reply::page(page))
}
