//! `slack-mcp manifest`: the manifest of a Slack app with the scopes that the enabled toolsets need.

use std::{io::Write as _, process::ExitCode};

use connector::{Connector as _, Result, access::Selection};
use serde_json::{Value, json};

use crate::{
    Slack,
    scopes::{Whose, wanted},
};

/// Answers `slack-mcp manifest …` and gives the exit code; nothing if another command is meant.
#[must_use]
pub fn answer(args: impl IntoIterator<Item = String>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    if args.next().as_deref() != Some("manifest") {
        return None;
    }
    let mut selection = Selection::default();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--read-only" => selection.read_only = true,
            "--toolsets" => {
                let given = args.next().unwrap_or_default();
                selection.toolsets = given.split(',').map(|word| word.trim().to_owned()).collect();
            }
            word if asks_for_help(word) => {
                let does = "Prints the manifest of a Slack app for the tools that are switched on";
                let _ = writeln!(std::io::stdout(), "{does}\n\nUsage: {USAGE}");
                return Some(ExitCode::SUCCESS);
            }
            other => return Some(refuse(&format!("`manifest` does not know `{other}`"))),
        }
    }
    let manifest = match manifest(&selection) {
        Ok(manifest) => manifest,
        Err(error) => return Some(refuse(&error.for_agent())),
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    // A reader that went away is no error of ours.
    let _ = writeln!(std::io::stdout(), "{text}");
    Some(ExitCode::SUCCESS)
}

/// How it is called.
const USAGE: &str = "slack-mcp manifest [--toolsets all|default|NAMES] [--read-only]";

/// Words that ask for the page of help.
fn asks_for_help(word: &str) -> bool {
    ["--help", "-h", "help"].contains(&word)
}

/// Adds this command to the page of help, if `args` asked for it.
pub fn help(args: &[String]) {
    if let [_, word] = args
        && asks_for_help(word)
    {
        let _ = writeln!(std::io::stdout(), "\nThe app to install in Slack:\n  {USAGE}");
    }
}

fn refuse(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {why}\n\nUsage: {USAGE}");
    ExitCode::from(64)
}

/// The manifest of an app for the tools of `selection`, in the form of docs.slack.dev/reference/app-manifest.
///
/// # Errors
/// `invalid_argument` for a toolset that there is not, with the nearest.
pub fn manifest(selection: &Selection) -> Result<Value> {
    let catalog = Slack::catalog().select(selection)?;
    let [user, bot] = [Whose::User, Whose::Bot].map(|whose| {
        let mut scopes = wanted(catalog.all_tools(), whose);
        // A token that cannot write is better than a server that does not.
        scopes.retain(|scope| !selection.read_only || !writes(scope));
        scopes
    });
    Ok(json!({
        "display_information": {
            "name": "MCP assistant",
            "description": "Lets AI assistants read and write here, with the rights of who installs it",
        },
        "features": { "bot_user": { "display_name": "MCP assistant", "always_online": false } },
        "oauth_config": { "scopes": { "user": user, "bot": bot } },
        "settings": {
            "org_deploy_enabled": false,
            "socket_mode_enabled": false,
            "token_rotation_enabled": false,
        },
    }))
}

fn writes(scope: &str) -> bool {
    [":write", ":manage", ":join"].iter().any(|word| scope.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(toolsets: &[&str], read_only: bool, whose: &str) -> Vec<String> {
        let toolsets: Vec<String> = toolsets.iter().map(ToString::to_string).collect();
        let manifest = manifest(&Selection { read_only, toolsets, ..Selection::default() }).unwrap();
        serde_json::from_value(manifest["oauth_config"]["scopes"][whose].clone()).unwrap()
    }

    #[test]
    fn a_manifest_asks_for_what_the_enabled_toolsets_need_and_no_more() {
        let has = |scopes: &[String], scope: &str| scopes.iter().any(|known| known == scope);
        let default = scopes(&[], false, "user");
        assert!(has(&default, "chat:write") && has(&default, "search:read") && !has(&default, "pins:write"));
        assert!(has(&scopes(&["all"], false, "user"), "pins:write"));
        let reading = scopes(&["search"], false, "user");
        assert!(
            has(&reading, "search:read.public")
                && has(&reading, "channels:history")
                && !has(&reading, "chat:write")
        );
        let read_only = scopes(&["all"], true, "bot");
        assert!(has(&read_only, "lists:read") && !read_only.iter().any(|scope| scope.contains("write")));
        let unknown = Selection { toolsets: vec!["pins".to_owned()], ..Selection::default() };
        assert!(manifest(&unknown).unwrap_err().for_agent().contains("pins_bookmarks"));
        assert!(
            !has(&default, "admin")
                && !scopes(&[], false, "bot").iter().any(|scope| scope.starts_with("search:"))
        );
    }
}
