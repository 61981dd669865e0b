//! Branches and tags, created and deleted.

use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Written, one_line, reconcile, words::counted},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::refs::{no_clash, protected, ref_name, resolve};
use crate::{
    GitHub,
    api::{
        diffs::{Comparison, HeadedPull},
        git::{GitRef, empty},
    },
    render::short_sha,
    repo::Repo,
};

/// Commits named in the preview of a deletion.
const LOST_SHOWN: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Create,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RefKind {
    Branch,
    Tag,
}

impl RefKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Branch => "heads",
            Self::Tag => "tags",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ManageRef {
    repo: Option<String>,
    action: Action,
    kind: RefKind,
    name: String,
    from: Option<String>,
    message: Option<String>,
}

pub(super) async fn manage_ref(call: Call<GitHub>, arguments: ManageRef) -> Result<Plan> {
    let ManageRef { repo, action, kind, name, from, message } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    let effect = if action == Action::Delete { Effect::Destructive } else { Effect::Write };
    call.bounds().permits(&repo, effect)?;
    let name = ref_name("name", &name)?.to_owned();
    let message = message.filter(|message| !message.trim().is_empty());
    if message.is_some() && (kind == RefKind::Branch || action == Action::Delete) {
        return Err(Error::invalid("`message` annotates a new tag, which this is not"));
    }
    if from.is_some() && action == Action::Delete {
        return Err(Error::invalid("`from` is where a new ref begins: leave it out to delete"));
    }
    let there = match call.api().git_ref(&repo, &format!("{}/{name}", kind.folder())).await {
        Err(error) if error.kind() == Kind::Conflict => return Err(empty(&repo)),
        there => there?,
    };
    let target = Target { repo, kind, name };
    match action {
        Action::Create => create(call, target, from, message, there).await,
        Action::Delete => delete(call, target, there).await,
    }
}

/// The ref that is created or deleted.
struct Target {
    repo: Repo,
    kind: RefKind,
    name: String,
}

impl Target {
    /// `branch x of o/r`.
    fn words(&self) -> String {
        format!("{} {} of {}", self.kind.noun(), self.name, self.repo)
    }

    /// `heads/x`.
    fn path(&self) -> String {
        format!("{}/{}", self.kind.folder(), self.name)
    }
}

async fn create(
    call: Call<GitHub>,
    target: Target,
    from: Option<String>,
    message: Option<String>,
    there: Option<GitRef>,
) -> Result<Plan> {
    let at = resolve(&call, &target.repo, from.as_deref()).await?;
    if let Some(there) = there {
        let commit = commit_of(&call, &target.repo, &there).await?;
        if commit == at.sha && (message.is_none() || there.object.kind == "tag") {
            let done = Written::new(format!("The {} is there already, at {}.", target.words(), at.sha));
            return Ok(Plan::nothing(Reply::written(done.id(target.name))));
        }
        return Err(Error::new(
            Kind::Conflict,
            format!("The {} is there already, at {}", target.words(), short_sha(&commit)),
        )
        .with_hint("Take another name, or delete it first"));
    }
    no_clash(&call, &target.repo, target.kind.folder(), &target.name).await?;
    let how = if message.is_some() { "annotated " } else { "" };
    let preview = Written::new(format!("Create the {how}{} at {} ({})", target.words(), at.sha, at.name));
    let plan = Plan::new(Reply::written(preview), move || async move {
        let points_at = match &message {
            Some(message) => {
                let made = call.api().create_tag(&target.repo, &target.name, message, &at.sha).await;
                made.map_err(|error| match error.kind() {
                    // An object that no ref leads to is no tag.
                    Kind::UnknownOutcome => {
                        Error::new(Kind::Upstream, "GitHub failed before the tag was made")
                            .with_hint("Repeat the call as it was")
                            .with_source(error)
                    }
                    _ => error,
                })?
            }
            None => at.sha.clone(),
        };
        let sent = call.api().create_ref(&target.repo, &format!("refs/{}", target.path()), &points_at).await;
        let sent = sent.map_err(|error| protected(error, &target.name));
        // An attempt before this one, or nobody knows: what is there now tells.
        let look = async {
            let now = call.api().git_ref(&target.repo, &target.path()).await.ok().flatten();
            now.filter(|found| found.object.sha == points_at)
        };
        let (_, lost) = reconcile::created(sent, look).await?;
        let created = format!("created the {how}{} at {}", target.words(), at.sha);
        Ok(Reply::written(Written::new(reconcile::summary("GitHub", lost, &created)).id(target.name)))
    });
    Ok(plan.harmless())
}

/// The commit that a ref leads to, through an annotated tag.
async fn commit_of(call: &Call<GitHub>, repo: &Repo, there: &GitRef) -> Result<String> {
    if there.object.kind != "tag" {
        return Ok(there.object.sha.clone());
    }
    Ok(call.api().tag_object(repo, &there.object.sha).await?.object.sha)
}

/// What goes with a ref that is deleted.
#[derive(Default)]
struct Loss {
    /// What a preview tells of it.
    told: Vec<String>,
    /// The commits that no other branch may have.
    unmerged: Comparison,
    /// One call undoes it, and nothing else goes with it.
    harmless: bool,
    /// What else becomes of it, for the reply.
    beside: Option<String>,
}

impl Loss {
    /// What goes with a branch that is at `sha`.
    ///
    /// # Errors
    /// `policy` for a branch that is never deleted.
    async fn of_branch(call: &Call<GitHub>, target: &Target, sha: &str) -> Result<Self> {
        let (api, repo) = (call.api(), &target.repo);
        let default = api.repository(repo).await?.default_branch;
        let never = |what: &str| {
            let words = format!("{} is {what} of {repo}, which is never deleted", target.name);
            Err(Error::new(Kind::Policy, words))
        };
        if target.name == default {
            return never("the default branch");
        }
        let (branch, compared, pulls) = futures::join!(
            api.branch(repo, &target.name),
            api.compare(repo, &default, sha),
            api.pulls_headed_by(repo, &target.name),
        );
        if branch?.is_some_and(|branch| branch.protected) {
            return never("a protected branch");
        }
        // A merge that squashes or rebases leaves commits behind whose changes are all merged.
        let merged = pulls.as_ref().ok().and_then(|pulls| {
            let here = |pull: &&HeadedPull| pull.is_merged() && pull.head.sha == sha;
            let merged = |pull: &HeadedPull| format!("merged as #{} into {}", pull.number, pull.base.name);
            pulls.iter().find(here).map(merged)
        });
        let pulls = pulls.map(|pulls| {
            let open = pulls.iter().filter(|pull| pull.is_open());
            open.map(|pull| format!("#{}", pull.number)).collect::<Vec<_>>()
        });
        let is_merged = merged.is_some() || compared.as_ref().is_ok_and(|compared| compared.ahead_by == 0);
        let mut loss =
            Self { harmless: is_merged && pulls.as_ref().is_ok_and(Vec::is_empty), ..Self::default() };
        loss.told.push(match (compared, merged) {
            (Ok(compared), _) if compared.ahead_by == 0 => {
                format!("nothing is lost: {default} has all its commits")
            }
            (_, Some(merged)) => format!("nothing is lost: {}", one_line(&merged)),
            (Ok(compared), None) => {
                let lost = counted(compared.ahead_by, ("commit", "commits"));
                loss.unmerged = compared;
                format!("{lost} that {default} does not have would be left without a branch")
            }
            (Err(_), None) => format!("whether {default} has its commits could not be learned"),
        });
        match pulls {
            Ok(pulls) if pulls.is_empty() => {}
            Ok(pulls) => {
                let many = if pulls.len() == 1 { "" } else { "s" };
                let pulls = pulls.join(", ");
                loss.told.push(format!("would close the pull request{many} {pulls}"));
                loss.beside = Some(format!("GitHub closes the pull request{many} {pulls}"));
            }
            Err(_) => loss.told.push("whether it would close a pull request could not be learned".to_owned()),
        }
        Ok(loss)
    }

    /// What goes with a tag.
    async fn of_tag(call: &Call<GitHub>, target: &Target) -> Self {
        let mut loss = Self::default();
        if let Ok(Some(release)) = call.api().release(&target.repo, &target.name).await
            && !release.draft
        {
            let name = one_line(&release.name);
            loss.told.push(format!("its release \"{name}\" would become a draft"));
            loss.beside = Some(format!("its release \"{name}\" is a draft now"));
        }
        loss
    }
}

async fn delete(call: Call<GitHub>, target: Target, there: Option<GitRef>) -> Result<Plan> {
    let Some(there) = there else {
        let words = target.words();
        return Ok(Plan::nothing(Reply::written(Written::new(format!("There is no {words}.")))));
    };
    let sha = there.object.sha.clone();
    let Loss { told, unmerged, harmless, beside } = match target.kind {
        RefKind::Branch => Loss::of_branch(&call, &target, &sha).await?,
        RefKind::Tag => Loss::of_tag(&call, &target).await,
    };
    let preview = Written::new(format!("Delete the {}, which is at {sha}", target.words()));
    let preview = told.into_iter().fold(preview, Written::change);
    let mut shown = Reply::written(preview);
    if !unmerged.commits.is_empty() {
        let newest = unmerged.commits.iter().rev().take(LOST_SHOWN);
        let rows: Vec<_> = newest
            .map(|commit| {
                let subject = commit.commit.message.lines().next().unwrap_or_default();
                format!("{} {}", short_sha(&commit.sha), one_line(subject))
            })
            .collect();
        shown = shown.outside("the newest of those commits", None, rows.join("\n"));
    }
    let seen = sha.clone();
    let plan = Plan::new(shown, move || async move {
        // GitHub deletes a ref wherever it is: what was pushed since the preview must not be lost unseen.
        if let Some(now) = call.api().git_ref(&target.repo, &target.path()).await?
            && now.object.sha != sha
        {
            return Err(Error::new(
                Kind::Conflict,
                format!("The {} moved to {} meanwhile", target.words(), one_line(&now.object.sha)),
            )
            .with_hint("Nothing was deleted. Look at what came since, and decide anew"));
        }
        match call.api().delete_ref(&target.repo, &target.path()).await {
            Ok(()) => {}
            Err(error) => match call.api().git_ref(&target.repo, &target.path()).await {
                // An attempt before the one that failed has done it.
                Ok(None)
                    if matches!(
                        error.kind(),
                        Kind::InvalidArgument | Kind::NotFound | Kind::UnknownOutcome
                    ) => {}
                _ => return Err(protected(error, &target.name)),
            },
        }
        let mut done = Written::new(format!("Deleted the {}, which was at {sha}.", target.words()));
        done.changed.extend(beside);
        let done = done
            .change(format!("manage_ref can create it again from {sha}, as long as GitHub keeps the commit"));
        Ok(Reply::written(done.id(target.name)))
    })
    .state(&seen);
    Ok(if harmless { plan.harmless() } else { plan })
}
