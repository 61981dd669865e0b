//! Issues linked: as parts of one another, and as blocking one another.
//!
//! A link that is added does not ask, unless it takes the part away from another issue. One that is removed
//! asks: the opposite call does not put a part back into its place.

use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{read::moved, write::absent};
use crate::{GitHub, api::rest_issues::RestIssue, repo::Repo, resolve::reference, scopes, tools::FROM};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::destructive(
            "link_issues",
            "Link issues",
            "Makes target the issue's parent, sub-issue, blocker or blocked issue, or undoes that.",
            link_issues,
        )
        .toolset("issues")
        .scopes(scopes::REPO)
        .idempotent()
        .aliases(&[("issue_number", "number")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    repo: Option<String>,
    number: u64,
    relation: Relation,
    /// #N or owner/name#N
    target: String,
    #[serde(default)]
    remove: bool,
    /// Place it after this
    after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Relation {
    Parent,
    SubIssue,
    BlockedBy,
    Blocks,
}

/// An issue with its place.
struct End {
    repo: Repo,
    number: u64,
    id: u64,
    ticket: RestIssue,
}

impl End {
    async fn find(call: &Call<GitHub>, repo: Repo, number: u64) -> Result<Self> {
        // A link changes both of its ends.
        call.bounds().permits(&repo, Effect::Write)?;
        let ticket =
            call.api().rest_issue(&repo, number).await.map_err(|error| absent(error, &repo, number))?;
        if let Some(error) = moved(call, &repo, number, &ticket) {
            return Err(error);
        }
        if ticket.is_pull() {
            return Err(Error::invalid(format!("{repo}#{number} is a pull request; only issues are linked"))
                .with_hint("Fixes #N in the pull request's body links it to an issue"));
        }
        let id = ticket.id.parse().map_err(|_| Error::new(Kind::Upstream, "GitHub's answer has no id"))?;
        Ok(Self { repo, number, id, ticket })
    }

    fn name(&self) -> String {
        format!("{}#{}", self.repo, self.number)
    }

    fn is(&self, repo: &str, number: &str) -> bool {
        self.repo.to_string().eq_ignore_ascii_case(repo) && self.number.to_string() == number
    }
}

async fn link_issues(call: Call<GitHub>, arguments: Arguments) -> Result<Plan> {
    let Arguments { repo, number, relation, target, remove, after } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    for text in [Some(&target), after.as_ref()].into_iter().flatten() {
        call.bounds().is_ours(text)?;
    }
    let (place, other) = reference::parse("target", &target, &repo)?;
    if place.is(&repo) && other == number {
        return Err(Error::invalid("An issue cannot be linked to itself"));
    }
    let parts = matches!(relation, Relation::Parent | Relation::SubIssue);
    if after.is_some() && (!parts || remove) {
        return Err(Error::invalid("`after` places a sub-issue: it goes with relation parent or sub_issue"));
    }
    let after = after.map(|text| reference::parse("after", &text, &repo)).transpose()?;
    let (this, other) = futures::try_join!(End::find(&call, repo, number), End::find(&call, place, other))?;
    match relation {
        Relation::Parent => part(call, other, this, remove, after).await,
        Relation::SubIssue => part(call, this, other, remove, after).await,
        Relation::BlockedBy => block(call, this, other, remove).await,
        Relation::Blocks => block(call, other, this, remove).await,
    }
}

/// `child` as a part of `parent`, or no more.
async fn part(
    call: Call<GitHub>,
    parent: End,
    child: End,
    remove: bool,
    after: Option<(Repo, u64)>,
) -> Result<Plan> {
    let now = child.ticket.parent().map(|(repo, number)| (repo.to_owned(), number.to_owned()));
    let linked = now.as_ref().is_some_and(|(repo, number)| parent.is(repo, number));
    let (over, under) = (parent.name(), child.name());
    if remove {
        if !linked {
            return Ok(nothing(format!("{under} is not a part of {over}")));
        }
        let preview = Written::new(format!("Take {under} out of {over}"));
        let seen = (parent.id, child.id);
        return Ok(Plan::new(titled(preview, &parent, &child), move || async move {
            call.api().remove_sub_issue(&parent.repo, parent.number, child.id).await?;
            Ok(done(format!("{under} is no longer a part of {over}."), &parent))
        })
        .state(&seen)
        .ask());
    }
    let behind = match &after {
        Some((repo, number)) => Some(sibling(&call, &parent, repo, *number).await?),
        None => None,
    };
    if behind == Some(child.id) {
        return Err(Error::invalid("A sub-issue cannot be placed after itself"));
    }
    if linked && behind.is_none() {
        return Ok(nothing(format!("{under} is a part of {over} already")));
    }
    let elsewhere = now.filter(|_| !linked).map(|(repo, number)| format!("{}#{number}", one_line(&repo)));
    let mut preview = Written::new(format!("Make {under} a part of {over}")).change(format!(
        "\"{}\" under \"{}\"",
        one_line(&child.ticket.title),
        one_line(&parent.ticket.title)
    ));
    if let Some(old) = &elsewhere {
        preview = preview.change(format!("it is then no longer a part of {old}"));
    }
    if let Some((repo, number)) = &after {
        preview = preview.change(format!("placed after {repo}#{number}"));
    }
    let moves = elsewhere.is_some();
    let seen = (parent.id, child.id);
    let plan = Plan::new(titled(preview, &parent, &child), move || async move {
        let api = call.api();
        if !linked {
            api.add_sub_issue(&parent.repo, parent.number, child.id, moves).await?;
        }
        let mut written = Written::new(format!("{under} is a part of {over}."));
        if let Some(old) = &elsewhere {
            written = written.change(format!("it was a part of {old} before"));
        }
        if let (Some(behind), Some((repo, number))) = (behind, &after) {
            match api.order_sub_issue(&parent.repo, parent.number, child.id, behind).await {
                Ok(()) => written = written.change(format!("placed after {repo}#{number}")),
                Err(error) if linked => return Err(error),
                Err(error) => written = written.change(format!("NOT placed: {}", error.for_agent())),
            }
        }
        Ok(Reply::written(written.id(parent.number.to_string()).url(parent.ticket.html_url.clone())))
    });
    let plan = plan.state(&seen);
    Ok(if moves { plan.ask() } else { plan.harmless() })
}

/// The id of a part of `parent`.
async fn sibling(call: &Call<GitHub>, parent: &End, repo: &Repo, number: u64) -> Result<u64> {
    let listed = call.api().sub_issues(&parent.repo, parent.number).await?;
    let is = |part: &&RestIssue| {
        part.number == number.to_string()
            && part.repo().is_none_or(|place| place.eq_ignore_ascii_case(&repo.to_string()))
    };
    listed.items.iter().find(is).and_then(|part| part.id.parse().ok()).ok_or_else(|| {
        Error::invalid(format!("`after`: {repo}#{number} is not a part of {}", parent.name()))
            .with_hint("get_issue with include sub_issues lists them")
    })
}

/// `blocked` as waiting for `blocker`, or no more.
async fn block(call: Call<GitHub>, blocked: End, blocker: End, remove: bool) -> Result<Plan> {
    let listed = call.api().blockers(&blocked.repo, blocked.number).await?;
    let linked = listed.items.iter().any(|other| other.id == blocker.ticket.id);
    let (waiting, before) = (blocked.name(), blocker.name());
    if linked != remove && listed.next.is_none() {
        let how = if remove { "does not wait for" } else { "waits for" };
        return Ok(nothing(format!("{waiting} {how} {before} already")));
    }
    if remove {
        let preview = Written::new(format!("Mark {waiting} as no longer blocked by {before}"));
        let seen = (blocked.id, blocker.id);
        return Ok(Plan::new(titled(preview, &blocked, &blocker), move || async move {
            call.api().remove_blocker(&blocked.repo, blocked.number, blocker.id).await?;
            Ok(done(format!("{before} no longer blocks {waiting}."), &blocked))
        })
        .state(&seen)
        .ask());
    }
    let preview = Written::new(format!("Mark {waiting} as blocked by {before}"));
    Ok(Plan::new(titled(preview, &blocked, &blocker), move || async move {
        call.api().add_blocker(&blocked.repo, blocked.number, blocker.id).await?;
        Ok(done(format!("{before} blocks {waiting}."), &blocked))
    })
    .harmless())
}

/// A preview with the titles of both ends.
fn titled(preview: Written, one: &End, other: &End) -> Reply {
    let rows = [one, other].map(|end| format!("{}: {}", end.name(), one_line(&end.ticket.title)));
    Reply::written(preview).outside(FROM, None, rows.join("\n"))
}

fn nothing(why: String) -> Plan {
    Plan::nothing(Reply::written(Written::new(format!("Nothing to change: {why}."))))
}

fn done(what: String, at: &End) -> Reply {
    Reply::written(Written::new(what).id(at.number.to_string()).url(at.ticket.html_url.clone()))
}
