//! Completions for the arguments of prompts and the variables of templates: names from the kept
//! directories, and what was changed last where there is no directory.

use connector::{
    Result,
    catalog::{Call, Completions, Variables, one_line, today},
};
use serde_json::json;

use crate::{
    Linear,
    api::{
        issues::Listing,
        names::{Label, Person, Project, State, Team, View},
    },
};

/// How many issues or documents are looked at.
const RECENT: u32 = 50;

/// Every source of completions.
pub(crate) fn all() -> Vec<Completions<Linear>> {
    vec![
        Completions::new("team", |call: Call<Linear>, _, _| async move {
            let teams: Vec<Team> = call.names().all().await?;
            Ok(teams.into_iter().map(|team| team.key).collect())
        }),
        Completions::new("state", state),
        Completions::new("user", |call: Call<Linear>, _, _| async move {
            let people: Vec<Person> = call.names().all().await?;
            Ok(people.into_iter().filter(Person::is_active).map(|person| person.display_name).collect())
        }),
        Completions::new("label", label),
        Completions::new("project", |call: Call<Linear>, _, _| async move {
            let projects: Vec<Project> = call.names().all().await?;
            Ok(projects.iter().map(|project| one_line(&project.name)).collect())
        }),
        Completions::new("cycle", cycle),
        Completions::new("identifier", identifier),
        Completions::new("document", |call: Call<Linear>, _, _| async move {
            let documents = call.api().list_documents(json!({}), RECENT, None).await?;
            Ok(documents.nodes.iter().map(|document| one_line(&document.title)).collect())
        }),
        Completions::new("view", |call: Call<Linear>, _, _| async move {
            let views: Vec<View> = call.names().all().await?;
            Ok(views
                .iter()
                .filter(|view| view.model_name == "Issue")
                .map(|view| one_line(&view.name))
                .collect())
        }),
        Completions::new("since", |_: Call<Linear>, _, _| async move {
            let ages = ["24h", "2d", "3d", "7d", "2w", "30d", "yesterday"];
            Ok(ages.into_iter().map(str::to_owned).chain([today().to_string()]).collect())
        }),
    ]
}

/// The team that was chosen already, if it is one.
async fn chosen_team(call: &Call<Linear>, others: &Variables) -> Result<Option<Team>> {
    match others.given("team") {
        // A team half typed narrows nothing down.
        Some(team) => Ok(call.names().team(team).await.ok()),
        None => Ok(None),
    }
}

async fn state(call: Call<Linear>, _typed: String, others: Variables) -> Result<Vec<String>> {
    let team = chosen_team(&call, &others).await?;
    let states: Vec<State> = call.names().all().await?;
    let fits = |state: &State| team.as_ref().is_none_or(|team| state.team.id == team.id);
    Ok(states.into_iter().filter(fits).map(|state| state.name).collect())
}

async fn label(call: Call<Linear>, _typed: String, others: Variables) -> Result<Vec<String>> {
    let team = chosen_team(&call, &others).await?;
    let labels: Vec<Label> = call.names().all().await?;
    let fits = |label: &Label| {
        let owned = label.team.as_ref().zip(team.as_ref()).is_none_or(|(owner, team)| owner.id == team.id);
        owned && !label.is_group && label.retired_at.is_none()
    };
    Ok(labels.iter().filter(|label| fits(label)).map(Label::path).collect())
}

async fn cycle(call: Call<Linear>, _typed: String, others: Variables) -> Result<Vec<String>> {
    let mut values: Vec<String> = ["current", "next", "previous"].map(str::to_owned).into();
    if let Some(team) = chosen_team(&call, &others).await? {
        let cycles = call.api().find_cycles(json!({"team": {"id": {"eq": team.id}}}), 20).await?;
        values.extend(cycles.iter().filter_map(|cycle| cycle.number).map(|number| number.to_string()));
    }
    Ok(values)
}

/// The issues changed last; those of one team once its key is typed.
async fn identifier(call: Call<Linear>, typed: String, _others: Variables) -> Result<Vec<String>> {
    let filter = match typed.split_once('-') {
        Some((team, _)) if !team.is_empty() => json!({"team": {"key": {"eqIgnoreCase": team}}}),
        _ => json!({}),
    };
    let listing = Listing {
        view: None,
        filter,
        first: RECENT,
        after: None,
        order_by: Some("updatedAt"),
        sort: None,
        archived: false,
        blockers: false,
    };
    let issues = call.api().list_issues(&listing).await?.data.nodes;
    Ok(issues.into_iter().map(|issue| issue.identifier).collect())
}
