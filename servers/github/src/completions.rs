//! Completions for the arguments of prompts and the variables of templates, from answers that are kept for a
//! minute: a key pressed must not cost a request.

use connector::{
    Result,
    catalog::{Call, Completions, Variables},
};

use crate::{GitHub, api::actions::RunFilter, repo::Repo};

/// Runs that are offered.
const RUNS: u32 = 30;

/// Every source of completions.
pub(crate) fn all() -> Vec<Completions<GitHub>> {
    let mut all = vec![
        Completions::new("owner", owner).as_found(),
        Completions::new("repo", repo).as_found(),
        Completions::new("path", path),
        Completions::new("number", |call, typed, others| numbers(call, typed, others, false)).as_found(),
        Completions::new("prNumber", |call, typed, others| numbers(call, typed, others, true)).as_found(),
        Completions::new("run_id", run_id).as_found(),
        Completions::new("branch", |call: Call<GitHub>, _, others| async move {
            let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
            call.api().branch_names(&repo).await
        }),
        Completions::new("tag", |call: Call<GitHub>, _, others| async move {
            let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
            call.api().tag_names(&repo).await
        }),
        Completions::new("label", |call: Call<GitHub>, _, others| async move {
            let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
            call.api().label_names(&repo).await
        }),
        Completions::new("login", |call: Call<GitHub>, _, others| async move {
            let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
            call.api().assignee_names(&repo).await
        }),
    ];
    // A point in the history has several names, the ends of a release two.
    all.extend(["ref", "from", "to"].map(|argument| Completions::new(argument, refs).as_found()));
    all
}

/// The repository that was chosen already, if it is one and within reach.
fn chosen(call: &Call<GitHub>, others: &Variables) -> Option<Repo> {
    let name = match (others.given("owner"), others.given("repo")) {
        (Some(owner), Some(repo)) => Some(format!("{owner}/{repo}")),
        (None, Some(repo)) => Some(repo.to_owned()),
        _ => None,
    };
    call.bounds().repo(name.as_deref()).ok()
}

/// `values` with what was typed in them, those that begin with it first, else in their own order.
fn fitting(values: impl IntoIterator<Item = String>, typed: &str) -> Vec<String> {
    let typed = typed.trim().to_lowercase();
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for value in values {
        let lower = value.to_lowercase();
        let list = if lower.starts_with(&typed) { &mut first } else { &mut then };
        if lower.contains(&typed) && !list.contains(&value) {
            list.push(value);
        }
    }
    first.append(&mut then);
    first
}

/// The repositories within reach, the one pushed to last first.
async fn recent(call: &Call<GitHub>) -> Result<Vec<String>> {
    let mut names = call.api().recent_repositories().await?;
    names.retain(|name| call.bounds().sees(name));
    if let Some(default) = call.bounds().default_repo() {
        names.insert(0, default.to_string());
    }
    Ok(names)
}

async fn owner(call: Call<GitHub>, typed: String, _others: Variables) -> Result<Vec<String>> {
    let names = recent(&call).await?;
    Ok(fitting(names.iter().filter_map(|name| Some(name.split_once('/')?.0.to_owned())), &typed))
}

/// Names of one owner's repositories where the owner stands beside them, whole names otherwise.
async fn repo(call: Call<GitHub>, typed: String, others: Variables) -> Result<Vec<String>> {
    let names = recent(&call).await?;
    let Some(owner) = others.get("owner") else { return Ok(fitting(names, &typed)) };
    let of_owner = names.iter().filter_map(|name| {
        let (of, name) = name.split_once('/')?;
        of.eq_ignore_ascii_case(owner).then(|| name.to_owned())
    });
    Ok(fitting(of_owner, &typed))
}

async fn refs(call: Call<GitHub>, typed: String, others: Variables) -> Result<Vec<String>> {
    let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
    let (branches, tags) = tokio::join!(call.api().branch_names(&repo), call.api().tag_names(&repo));
    Ok(fitting(branches?.into_iter().chain(tags?), &typed))
}

async fn path(call: Call<GitHub>, _typed: String, others: Variables) -> Result<Vec<String>> {
    let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
    match ["ref", "branch", "tag", "sha"].into_iter().find_map(|name| others.get(name)) {
        Some(at) => call.api().paths(&repo, at).await,
        None => call.api().paths(&repo, &call.api().access(&repo).await?.default_branch).await,
    }
}

/// The numbers of what is open, by the number or by words of the title.
async fn numbers(
    call: Call<GitHub>,
    typed: String,
    others: Variables,
    only_pulls: bool,
) -> Result<Vec<String>> {
    let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
    let open = call.api().open_numbers(&repo).await?;
    let typed = typed.trim().trim_start_matches('#').to_lowercase();
    let fits =
        |number: &str, title: &str| number.starts_with(&typed) || title.to_lowercase().contains(&typed);
    Ok(open
        .into_iter()
        .filter(|one| (!only_pulls || one.is_pull()) && fits(&one.number, &one.title))
        .map(|one| one.number)
        .collect())
}

async fn run_id(call: Call<GitHub>, typed: String, others: Variables) -> Result<Vec<String>> {
    let Some(repo) = chosen(&call, &others) else { return Ok(Vec::new()) };
    let runs = call.api().runs(&repo, &RunFilter::default(), RUNS, None).await?;
    Ok(fitting(runs.items.into_iter().map(|run| run.id), &typed))
}
