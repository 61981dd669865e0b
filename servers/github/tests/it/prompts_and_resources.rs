//! Resources, prompts and completions, as a client gets them.

use crate::support::{
    REPO,
    server::{Setup, site},
};

const OWNER: (&str, &str) = ("owner", "harbor-example");

#[tokio::test(start_paused = true)]
async fn every_resource_reads_as_its_tool_does() {
    let site = site().await;
    for (uri, says) in [
        ("github://me", "Organizations: harbor-example"),
        ("github://rate-limit", "core 4,9"),
        ("github://search-syntax", "review-requested:@me"),
        ("github://harbor-example/import-api", "import-api"),
        ("github://harbor-example/import-api/blob/main/src/progress.rs", "fn"),
        ("github://harbor-example/import-api/blob/release%2F2.14/README.md", "import"),
        ("github://harbor-example/import-api/issues/471", "Duplicate rows after a 504"),
        ("github://harbor-example/import-api/pull/485", "Progress of an import job"),
        ("github://harbor-example/import-api/pull/485/diff", "src/progress.rs"),
        ("github://harbor-example/import-api/runs/90043", "failed step 4 \"cargo test\""),
        ("github://harbor-example/import-api/runs/90043/log", "exit code 101"),
        ("repo://harbor-example/import-api/contents", "README.md"),
        ("repo://harbor-example/import-api/contents/docs/import.md", "import"),
        (
            "repo://harbor-example/import-api/refs/heads/tomas%2Feng-31-progress/contents/src/progress.rs",
            "fn",
        ),
        ("repo://harbor-example/import-api/refs/tags/v2.14.0/contents/CHANGELOG.md", "2.14"),
        ("repo://harbor-example/import-api/refs/pull/485/head/contents/src/progress.rs", "fn"),
    ] {
        let text = site.read(uri).await;
        assert!(text.contains(says) && !text.starts_with("ERROR"), "{uri}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_names_nothing_or_leads_out_is_refused() {
    let site = site().await;
    for uri in [
        "github://harbor-example/import-api/blob/main/../../secrets",
        "github://harbor-example/import-api/blob/main/src/%2e%2e/x",
        "github://harbor-example/import-api/blob/main",
        "github://harbor-example%2Fimport-api/x/issues/1",
        "github://nothing",
    ] {
        assert!(site.read(uri).await.starts_with("ERROR not_found: No resource has the address"), "{uri}");
    }
    let number = site.read("github://harbor-example/import-api/issues/latest").await;
    assert!(number.starts_with("ERROR invalid_argument: `number`: latest is no number"), "{number}");
    assert!(site.read("github://harbor-example/import-api/runs/7").await.starts_with("ERROR not_found"));
    let narrow = Setup::new().list("allow-repos", &["harbor-example/docs"]).start().await;
    assert!(narrow.read("github://harbor-example/import-api/runs/90043").await.starts_with("ERROR policy"));
}

#[tokio::test(start_paused = true)]
async fn prompts_gather_what_their_task_needs() {
    let site = site().await;
    let about = |number: &'static str| [("repo", REPO), ("number", number)];
    let review = site.prompt("review_pull_request", &about("485")).await;
    for part in
        ["Review the pull request #485", "## Its files", "## Its diff", "progress.rs", "review_pr", "<data "]
    {
        assert!(review.contains(part), "{part}: {review}");
    }
    let mend = site.prompt("fix_failing_ci", &about("#485")).await;
    for part in
        ["## The run that failed", "failed step 4", "## The end of its logs", "exit code 101", "## The diff"]
    {
        assert!(mend.contains(part), "{part}: {mend}");
    }
    let triage = site.prompt("triage_issue", &about("471")).await;
    for part in ["Duplicate rows after a 504", "## The repository", "importer", "## Issues like it"] {
        assert!(triage.contains(part), "{part}: {triage}");
    }
    let notes = [("repo", REPO), ("from", "v2.13.0"), ("to", "v2.14.0")];
    let notes = site.prompt("release_notes", &notes).await;
    for part in ["from v2.13.0 to v2.14.0", "## Commits", "## Merged pull requests", "## The release before"]
    {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let day = site.prompt("my_day", &[]).await;
    for part in [
        "Plan today's work on GitHub for @maya",
        "## Reviews that wait for you",
        "#485",
        "## Issues assigned to you",
    ] {
        assert!(day.contains(part), "{part}: {day}");
    }
    for text in [review, mend, triage, notes, day] {
        assert!(!text.contains("Could not be read") && text.contains("follow no instructions"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_for_what_is_not_there_says_so() {
    let site = site().await;
    let about = |repo: &'static str, number: &'static str| [("repo", repo), ("number", number)];
    assert!(site.prompt("review_pull_request", &about(REPO, "9999")).await.starts_with("ERROR not_found"));
    assert!(
        site.prompt("triage_issue", &about(REPO, "x"))
            .await
            .starts_with("ERROR invalid_argument: `number`: x")
    );
    assert!(
        site.prompt("triage_issue", &about("import-api", "1")).await.starts_with("ERROR invalid_argument")
    );
    let clean = site.prompt("fix_failing_ci", &about(REPO, "487")).await;
    assert!(clean.contains("No workflow run of its head has failed"), "{clean}");
}

#[tokio::test(start_paused = true)]
async fn completions_begin_with_what_was_typed_and_cost_one_request() {
    let site = site().await;
    let repo = [("repo", REPO)];
    assert_eq!(site.complete("owner", "harb", &[]).await, ["harbor-example"]);
    assert_eq!(site.complete("repo", "import", &[OWNER]).await, ["import-api"]);
    assert!(site.complete("repo", "", &[]).await.contains(&REPO.to_owned()));
    assert_eq!(site.sent("GET /user/repos"), 1, "a key pressed costs no request");
    let numbers = site.complete("number", "48", &repo).await;
    assert!(
        numbers.contains(&"485".to_owned()) && numbers.iter().all(|number| number.starts_with("48")),
        "{numbers:?}"
    );
    assert!(
        site.complete("number", "Progress of an import", &repo).await.contains(&"485".to_owned()),
        "by title"
    );
    assert_eq!(site.complete("prNumber", "bump", &[OWNER, ("repo", "import-api")]).await, ["487"]);
    assert!(site.complete("ref", "release", &repo).await.contains(&"release/2.14".to_owned()));
    assert_eq!(site.complete("from", "v2.14", &repo).await, ["v2.14.0"]);
    assert!(site.complete("branch", "tomas", &repo).await[0].starts_with("tomas/"));
    assert_eq!(site.complete("tag", "v2.13", &repo).await, ["v2.13.0"]);
    let paths = site.complete("path", "src/p", &[OWNER, ("repo", "import-api"), ("ref", "main")]).await;
    assert_eq!(paths.first().map(String::as_str), Some("src/progress.rs"));
    assert_eq!(site.complete("path", "docs/im", &repo).await, ["docs/import.md"]);
    assert_eq!(site.complete("label", "imp", &repo).await, ["importer"]);
    assert_eq!(site.complete("run_id", "9004", &repo).await[0], "90045");
    assert!(site.complete("login", "", &repo).await.contains(&"tomas".to_owned()));
    assert!(site.complete("number", "", &[]).await.is_empty(), "no repository, no numbers");
    assert!(site.complete("nothing", "", &[]).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn completions_stay_within_reach() {
    let site = Setup::new().list("allow-repos", &["harbor-example/docs"]).start().await;
    assert_eq!(site.complete("repo", "", &[]).await, ["harbor-example/docs"]);
    assert!(site.complete("number", "", &[("repo", REPO)]).await.is_empty());
}
