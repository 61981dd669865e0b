//! `slack-mcp manifest`: the manifest of a Slack app with the scopes that the enabled toolsets need.

use std::{collections::BTreeSet, io::Write as _, process::ExitCode};

use serde_json::{Value, json};

use crate::scopes::{NEEDS, OPT_IN};

/// Answers `slack-mcp manifest …` and gives the exit code; nothing if another command is meant.
#[must_use]
pub fn answer(args: impl IntoIterator<Item = String>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    if args.next().as_deref() != Some("manifest") {
        return None;
    }
    let (mut toolsets, mut read_only) = (Vec::new(), false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--read-only" => read_only = true,
            "--toolsets" => {
                toolsets =
                    args.next().unwrap_or_default().split(',').map(|word| word.trim().to_owned()).collect();
            }
            other => {
                let _ = writeln!(
                    std::io::stderr(),
                    "error: `manifest` does not know `{other}`\n\nUsage: slack-mcp manifest [--toolsets all|default|NAMES] [--read-only]"
                );
                return Some(ExitCode::from(64));
            }
        }
    }
    let text = serde_json::to_string_pretty(&manifest(&toolsets, read_only)).unwrap_or_default();
    // A reader that went away is no error of ours.
    let _ = writeln!(std::io::stdout(), "{text}");
    Some(ExitCode::SUCCESS)
}

/// The manifest for `toolsets`: `all`, `default`, names; empty for the default. The form is that of
/// docs.slack.dev/reference/app-manifest.
#[must_use]
pub fn manifest(toolsets: &[String], read_only: bool) -> Value {
    let wanted = |toolset: &str| {
        let default = !OPT_IN.contains(&toolset);
        let is = |word: &str| toolsets.iter().any(|wanted| wanted == word);
        // Reading and people are what every tool resolves names with.
        is("all")
            || is(toolset)
            || (default && (toolsets.is_empty() || is("default")))
            || ["reading", "people"].contains(&toolset)
    };
    let (mut user, mut bot) = (BTreeSet::new(), BTreeSet::new());
    for needs in NEEDS.iter().filter(|needs| wanted(needs.toolset)) {
        user.extend(needs.user);
        bot.extend(needs.bot);
    }
    let writes =
        |scope: &&str| scope.contains(":write") || scope.contains(":manage") || scope.contains(":join");
    if read_only {
        user.retain(|scope| !writes(scope));
        bot.retain(|scope| !writes(scope));
    }
    json!({
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(toolsets: &[&str], read_only: bool, whose: &str) -> Vec<String> {
        let toolsets: Vec<String> = toolsets.iter().map(ToString::to_string).collect();
        let manifest = manifest(&toolsets, read_only);
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
        assert!(
            !has(&default, "admin")
                && !scopes(&[], false, "bot").iter().any(|scope| scope.starts_with("search:"))
        );
    }
}
