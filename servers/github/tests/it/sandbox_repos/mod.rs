//! The fake's repositories: ids that are git's own, files, references, comparisons, releases.

mod branches;
mod files;
mod history;
mod objects;
mod repositories;

use std::{path::Path, process::Command};

use crate::support::{
    REPO_PATH,
    fake::{Sandbox, column},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, header};
use serde_json::{Value, json};

/// Maya's own repository, where nothing is protected.
const MINE: &str = "repos/maya/dotfiles";
const WHEN: &str = "2026-02-03T04:05:06+02:00";

/// What git itself says, in a directory.
fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Maya Lindqvist", "-c", "user.email=maya@harbor.example"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", WHEN)
        .env("GIT_COMMITTER_DATE", WHEN)
        .current_dir(directory)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn head(sandbox: &Sandbox, repo: &str, branch: &str) -> String {
    let found = sandbox.get(&format!("{repo}/git/ref/heads/{branch}")).await;
    found["object"]["sha"].as_str().unwrap().to_owned()
}

async fn text(sandbox: &Sandbox, path: &str, accept: &str) -> (String, String) {
    let request = sandbox.request(Method::GET, path).header(header::ACCEPT, accept);
    let response = request.send().await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    (kind, response.text().await.unwrap())
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}
