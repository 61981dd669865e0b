//! Releases: listed, one in full, a new one.

use connector::catalog::reconcile;
use connector::{
    Effect, Error, Kind, Result,
    catalog::{
        Call, Page, Plan, Position, Reply, Tool, Written, excerpt, limit, one_line,
        paging::{self, VendorPage},
        words::counted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{drafts, refs};
use crate::{
    GitHub,
    api::releases::{NewRelease, Release},
    render::{characters, day, thousands},
    repo::Repo,
    scopes,
    tools::FROM,
};

/// Characters of a draft's notes in a listing.
const BEGINNING: usize = 120;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_releases",
            "List releases",
            "Releases, newest first, or one in full by tag (or latest).",
            list_releases,
        )
        .toolset("repos")
        .output_page::<Row>(),
        Tool::write(
            "create_release",
            "Create a release",
            "Publishes or drafts a release; changes the draft of tag (draft: true) or publishes it.",
            create_release,
        )
        .toolset("repos")
        .scopes(scopes::REPO)
        .confirmable()
        .aliases(&[
            ("tag_name", "tag"),
            ("target_commitish", "target"),
            ("generate_release_notes", "generate_notes"),
        ])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListReleases {
    repo: Option<String>,
    tag: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A release in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    tag: String,
    name: String,
    /// Of its publication; of its beginning for a draft.
    date: String,
    author: String,
    draft: bool,
    prerelease: bool,
    assets: usize,
    /// Only of a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Row {
    fn new(release: &Release) -> Self {
        let published = &release.published_at;
        let date = if published.is_empty() { &release.created_at } else { published };
        Self {
            tag: release.tag_name.clone(),
            name: one_line(&release.name),
            date: date.clone(),
            author: one_line(&release.author.login),
            draft: release.draft,
            prerelease: release.prerelease,
            assets: release.assets.len(),
            body: None,
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} {} @{}", one_line(&self.tag), day(&self.date), self.author);
        for (is, word) in [(self.draft, " draft"), (self.prerelease, " prerelease")] {
            if is {
                text.push_str(word);
            }
        }
        if self.assets > 0 {
            text.push_str(&format!(", {}", counted(self.assets as u64, ("file", "files"))));
        }
        if !self.name.is_empty() && self.name != self.tag {
            text.push_str(&format!(": {}", self.name));
        }
        text
    }
}

/// How the notes of a draft begin, which nobody can look up elsewhere; nothing of what is published.
fn beginning(release: &Release) -> String {
    let Some(line) = release.body.lines().map(str::trim).find(|line| !line.is_empty() && release.draft)
    else {
        return String::new();
    };
    let (line, cut) = excerpt(&one_line(line), 0, BEGINNING);
    let more = cut.is_some() || release.body.trim().lines().count() > 1;
    format!("; notes: {line}{}", if more { " …" } else { "" })
}

async fn list_releases(call: Call<GitHub>, arguments: ListReleases) -> Result<Reply> {
    let ListReleases { repo, tag, limit: asked, cursor } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    if let Some(tag) = tag.as_deref().map(str::trim).filter(|tag| !tag.is_empty()) {
        return one(&call, &repo, tag).await;
    }
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let per_page = position.first(limit(asked, 20, 100), 100);
    let listed = call.api().releases(&repo, per_page, position.after.as_deref()).await?;
    let mut page = Page::new(FROM, ("release", "releases")).note(format!("of {repo}"));
    let shown = &listed.items[position.skip.min(listed.items.len())..];
    for release in shown {
        let row = Row::new(release);
        page.push(format!("{}{}", row.text(), beginning(release)), &row);
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, shown.len(), listed.next))))
}

/// One release in full.
async fn one(call: &Call<GitHub>, repo: &Repo, tag: &str) -> Result<Reply> {
    let found = if tag.eq_ignore_ascii_case("latest") {
        call.api().latest_release(repo).await?
    } else {
        call.api().release(repo, tag).await?
    };
    let release = found.ok_or_else(|| {
        Error::not_found(format!("{repo} has no release of {}", one_line(tag)))
            .with_hint("list_releases without `tag` lists them; list_refs has the tags")
    })?;
    let mut row = Row::new(&release);
    let mut header = format!("{repo} {}", row.text());
    if release.draft && !release.target_commitish.is_empty() {
        header.push_str(&format!(" (would be at {})", one_line(&release.target_commitish)));
    }
    row.body = Some(release.body.clone());
    let mut reply = Reply::new(header).line(one_line(&release.html_url));
    for asset in &release.assets {
        let (size, times) = (thousands(asset.size), thousands(asset.download_count));
        reply = reply.line(format!("- {}, {size} bytes, {times} downloads", one_line(&asset.name)));
    }
    if release.body.trim().is_empty() {
        reply = reply.line("It has no notes.");
    } else {
        let from = format!("release {tag} of {repo}");
        reply = reply.outside(from, Some(&format!("@{}", row.author)), release.body.trim());
    }
    Ok(reply.data(&serde_json::json!({"items": [row]})))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateRelease {
    repo: Option<String>,
    tag: String,
    pub(super) target: Option<String>,
    pub(super) name: Option<String>,
    pub(super) body: Option<String>,
    pub(super) generate_notes: Option<bool>,
    pub(super) draft: Option<bool>,
    pub(super) prerelease: Option<bool>,
}

async fn create_release(call: Call<GitHub>, arguments: CreateRelease) -> Result<Plan> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    let tag = refs::ref_name("tag", &arguments.tag)?.to_owned();
    let tag_path = format!("tags/{tag}");
    let (release, tagged) =
        futures::join!(call.api().release(&repo, &tag), call.api().git_ref(&repo, &tag_path));
    let release = release?;
    match release {
        Some(draft) if draft.draft => {
            let tagged = tagged.ok().flatten().is_some();
            return drafts::go_on(call, repo, draft, tagged, arguments).await;
        }
        Some(release) => {
            let published = format!("{repo} has a release of {tag} already, which is published");
            return Err(Error::new(Kind::Conflict, published).with_hint(format!(
                "It cannot be changed with these tools; a person can, at {}. list_releases with this tag shows it",
                one_line(&release.html_url)
            )));
        }
        None => {}
    }
    let mut new = NewRelease {
        tag,
        target: None,
        name: arguments.name,
        body: arguments.body,
        generate_notes: arguments.generate_notes.unwrap_or(false),
        draft: arguments.draft.unwrap_or(false),
        prerelease: arguments.prerelease.unwrap_or(false),
    };
    let mut preview = Written::new(summary(&repo, &new));
    match tagged {
        Ok(Some(_)) if arguments.target.is_some() => {
            return Err(Error::invalid(format!(
                "The tag {} is there already, so `target` has no effect",
                new.tag
            ))
            .with_hint("Leave `target` out"));
        }
        Ok(Some(_)) => preview = preview.change(format!("of the tag {} that is there", new.tag)),
        _ => {
            let at = refs::resolve(&call, &repo, arguments.target.as_deref()).await?;
            refs::no_clash(&call, &repo, "tags", &new.tag).await?;
            let makes = if new.draft { "publishing it would make the tag at" } else { "makes the tag at" };
            preview = preview.change(format!("{makes} {} ({})", at.sha, at.name));
            // The commit that was looked at, unless a draft is to follow its branch.
            new.target = Some(if new.draft { at.name } else { at.sha });
        }
    }
    if new.prerelease {
        preview = preview.change("as a prerelease");
    }
    if !new.draft {
        preview = preview.change(format!("notifies those who watch the releases of {repo}"));
    }
    let mut shown = Reply::written(preview);
    if let Some(body) = new.body.as_deref().filter(|body| !body.trim().is_empty()) {
        shown = shown.outside("the notes given", None, body.trim());
    }
    if new.generate_notes {
        // A look ahead only: the release itself does not depend on it.
        shown = match call.api().release_notes(&repo, &new.tag, new.target.as_deref()).await {
            Ok(notes) => shown.outside(
                format!("notes that GitHub generates: {}", one_line(&notes.name)),
                None,
                notes.body,
            ),
            Err(_) => shown.line("GitHub generates notes, which cannot be shown ahead."),
        };
    }
    let publishes = !new.draft;
    let plan = Plan::new(shown, move || async move {
        let mut lost = false;
        let made = match call.api().create_release(&repo, &new).await {
            Ok(made) => made,
            // There was none a moment ago: one that is there now is this one.
            Err(error) if error.kind() == Kind::UnknownOutcome => {
                match call.api().release(&repo, &new.tag).await {
                    Ok(Some(found)) if is_it(&found, &new) => {
                        lost = true;
                        found
                    }
                    Ok(None) => {
                        return Err(error.with_hint(
                            "It is not there now; look again with list_releases before repeating the call",
                        ));
                    }
                    _ => return Err(error),
                }
            }
            Err(error) => return Err(refs::protected(error, &new.tag)),
        };
        let kind = if made.draft { "drafted" } else { "published" };
        let mut done = Written::new(reconcile::summary(
            "GitHub",
            lost,
            &format!("{kind} the release {} of {repo}", made.tag_name),
        ));
        if !made.name.is_empty() && made.name != made.tag_name {
            done = done.change(format!("named \"{}\"", one_line(&made.name)));
        }
        if made.prerelease {
            done = done.change("a prerelease");
        }
        if !made.target_commitish.is_empty() && new.target.is_some() {
            done = done.change(format!("tag at {}", one_line(&made.target_commitish)));
        }
        done = done.change(format!("notes of {}", characters(&made.body)));
        Ok(Reply::written(done.id(made.tag_name).url(one_line(&made.html_url))))
    })
    .state(&());
    // Whoever watches the repository is told, which nothing takes back.
    Ok(if publishes { plan.ask() } else { plan })
}

fn summary(repo: &Repo, new: &NewRelease) -> String {
    let what = if new.draft { "Draft" } else { "Publish" };
    match new.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{what} the release {} of {repo}: \"{}\"", new.tag, one_line(name)),
        None => format!("{what} the release {} of {repo}", new.tag),
    }
}

/// Whether a release that was found is the one that was to be made.
fn is_it(found: &Release, new: &NewRelease) -> bool {
    let same =
        |given: &Option<String>, is: &str| given.as_deref().is_none_or(|text| text.trim() == is.trim());
    let body = new.generate_notes || same(&new.body, &found.body);
    found.draft == new.draft && found.prerelease == new.prerelease && same(&new.name, &found.name) && body
}
