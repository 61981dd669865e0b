//! A draft of a release that is there: changed and still a draft, or published with what else is given of it.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Changes, FieldValue, Plan, Reply, Written, edited, one_line},
};
use serde_json::{Map, json};

use super::{refs, releases::CreateRelease};
use crate::{GitHub, api::releases::Release, render, repo::Repo};

/// What `arguments` do with `draft`: with `draft` true it is changed, else it is published. `tagged` says whether
/// its tag is there.
///
/// # Errors
/// `invalid_argument` for what does not go with a draft that is there.
pub(super) async fn go_on(
    call: Call<GitHub>,
    repo: Repo,
    draft: Release,
    tagged: bool,
    arguments: CreateRelease,
) -> Result<Plan> {
    let tag = &draft.tag_name;
    if arguments.generate_notes == Some(true) {
        return Err(Error::invalid(format!(
            "{tag} is drafted already, and `generate_notes` is for a new release"
        ))
        .with_hint("Leave it out: the draft's notes stay, or give others in `body`"));
    }
    if tagged && arguments.target.is_some() {
        return Err(Error::invalid(format!("The tag {tag} is there already, so `target` has no effect"))
            .with_hint("Leave `target` out"));
    }
    match arguments.draft {
        Some(true) => change(call, repo, draft, arguments).await,
        _ => publish(call, repo, draft, tagged, arguments).await,
    }
}

/// A field of a release, as a change is told.
fn told_of(release: &Release, field: &str) -> FieldValue {
    match field {
        "name" => FieldValue::Short(release.name.clone()),
        "notes" => FieldValue::Exact(release.body.clone()),
        "target" => FieldValue::Short(release.target_commitish.clone()),
        _ => FieldValue::Short(if release.prerelease { "yes" } else { "no" }.to_owned()),
    }
}

/// The plan to change a draft, which stays one.
async fn change(call: Call<GitHub>, repo: Repo, draft: Release, arguments: CreateRelease) -> Result<Plan> {
    let CreateRelease { target, name, body, prerelease, .. } = arguments;
    let mut changes = Changes::default();
    let mut fields = Map::new();
    if let Some(target) = target {
        let at = refs::resolve(&call, &repo, Some(&target)).await?;
        // GitHub takes a branch or a commit here, no pull request.
        let at = if at.name.starts_with("pull/") { at.sha } else { at.name };
        let at = at.trim_start_matches("refs/heads/").to_owned();
        if changes.set("target", told_of(&draft, "target"), FieldValue::Short(at.clone())) {
            fields.insert("target_commitish".to_owned(), json!(at));
        }
    }
    if let Some(name) = name
        && changes.set("name", told_of(&draft, "name"), FieldValue::Short(name.clone()))
    {
        fields.insert("name".to_owned(), json!(name));
    }
    let mut asks = false;
    if let Some(body) = body
        && changes.set("notes", told_of(&draft, "notes"), FieldValue::Exact(body.clone()))
    {
        // Words that are added take nothing away.
        asks = !body.contains(draft.body.trim());
        fields.insert("body".to_owned(), json!(body));
    }
    if let Some(prerelease) = prerelease {
        let wanted = if prerelease { "yes" } else { "no" };
        if changes.set("prerelease", told_of(&draft, "prerelease"), FieldValue::Short(wanted.to_owned())) {
            fields.insert("prerelease".to_owned(), json!(prerelease));
        }
    }
    let thing = format!("the draft {} of {repo}", one_line(&draft.tag_name));
    if changes.is_empty() {
        let nothing = Written::new(format!(
            "Nothing to change: {thing} is already like that. Without `draft` it would be published."
        ));
        return Ok(Plan::nothing(Reply::written(nothing.url(one_line(&draft.html_url)))));
    }
    let mut preview =
        Written::new(format!("Change {thing}, made by @{}; it stays a draft", one_line(&draft.author.login)));
    preview.changed = changes.wanted();
    let seen = (draft.id.clone(), draft.body.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let now = call.api().release(&repo, &draft.tag_name).await?;
        if !now.is_some_and(|now| now.draft && now.id == draft.id && now.body == draft.body) {
            return Err(Error::new(Kind::Conflict, format!("{thing} has changed meanwhile"))
                .with_hint("Nothing was written. list_releases with this tag shows it as it is now"));
        }
        let made = call.api().change_release(&repo, &draft, &fields).await?;
        let outcome = changes.outcome(|field| told_of(&made, field));
        let still = if made.draft { "it is still a draft" } else { "it is published now" };
        let mut done = Written::new(format!("{}; {still}", outcome.summary("GitHub", &thing)));
        done.changed = outcome.lines();
        Ok(Reply::written(done.id(made.tag_name).url(one_line(&made.html_url))))
    });
    let plan = plan.state(&seen);
    Ok(if asks { plan.ask() } else { plan.harmless() })
}

/// The plan to publish a draft, with what else is given of it.
async fn publish(
    call: Call<GitHub>,
    repo: Repo,
    draft: Release,
    tagged: bool,
    arguments: CreateRelease,
) -> Result<Plan> {
    let tag = draft.tag_name.clone();
    let mut preview = Written::new(format!(
        "Publish the draft {tag} of {repo}, made by @{}",
        one_line(&draft.author.login)
    ));
    let mut fields = Map::from_iter([("draft".to_owned(), json!(false))]);
    if tagged {
        preview = preview.change(format!("of the tag {tag} that is there"));
    } else {
        let at = arguments.target.as_deref().unwrap_or(&draft.target_commitish);
        let at = refs::resolve(&call, &repo, Some(at)).await?;
        refs::no_clash(&call, &repo, "tags", &tag).await?;
        preview = preview.change(format!("makes the tag at {} ({})", at.sha, at.name));
        fields.insert("target_commitish".to_owned(), json!(at.sha));
    }
    if let Some(name) = arguments.name.as_ref().filter(|name| **name != draft.name) {
        fields.insert("name".to_owned(), json!(name));
        preview = preview.change(format!("named \"{}\"", one_line(name)));
    }
    if let Some(body) = arguments.body.as_ref().filter(|body| **body != draft.body) {
        fields.insert("body".to_owned(), json!(body));
        preview = preview.change(format!("notes: {}", edited(&draft.body, body)));
    }
    if let Some(prerelease) = arguments.prerelease {
        fields.insert("prerelease".to_owned(), json!(prerelease));
    }
    if arguments.prerelease.unwrap_or(draft.prerelease) {
        preview = preview.change("as a prerelease");
    }
    preview = preview.change(format!("notifies those who watch the releases of {repo}"));
    let notes = arguments.body.as_deref().unwrap_or(&draft.body).trim().to_owned();
    let mut shown = Reply::written(preview);
    if !notes.is_empty() {
        shown = shown.outside("its notes", None, notes);
    }
    let seen = (draft.id.clone(), draft.body.clone(), draft.target_commitish.clone());
    let plan = Plan::new(shown, move || async move {
        let made = call.api().change_release(&repo, &draft, &fields).await;
        let made = made.map_err(|error| refs::protected(error, &tag))?;
        if made.draft {
            return Err(Error::new(
                Kind::Upstream,
                format!("GitHub reported success, but {tag} is still a draft"),
            ));
        }
        let mut done = Written::new(format!("Published the release {} of {repo}", one_line(&made.tag_name)));
        if !made.name.is_empty() && made.name != made.tag_name {
            done = done.change(format!("named \"{}\"", one_line(&made.name)));
        }
        if made.prerelease {
            done = done.change("a prerelease");
        }
        done = done.change(format!("notes of {}", render::characters(&made.body)));
        Ok(Reply::written(done.id(made.tag_name).url(one_line(&made.html_url))))
    });
    Ok(plan.state(&seen).ask())
}
