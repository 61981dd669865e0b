//! `config`: what clients are told, and how their files are changed.

use serde_json::{Value, json};

use super::{Machine, run};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The backups in a folder.
fn backups(machine: &Machine, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(machine.path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".bak") || name.ends_with(".tmp")).collect()
}

#[test]
fn every_client_gets_a_snippet_that_works_as_it_is() {
    let mut shown = String::new();
    for client in ["claude-desktop", "claude-code", "cursor", "vscode"] {
        let outcome = run(&["config", client, "--read-only", "--toolsets", "default,mentions"]);
        parsed(&outcome.out);
        shown.push_str(&format!("==== {client}\n{}", outcome.shown()));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_server_elsewhere_is_reached_with_a_key_from_the_clients_environment() {
    let mut shown = String::new();
    for client in ["claude-desktop", "claude-code", "cursor", "vscode"] {
        let outcome = run(&["config", client, "--http", "https://mcp.example.com"]);
        shown.push_str(&format!("==== {client}\n{}", outcome.shown()));
    }
    shown.push_str(&run(&["config", "claude-code", "--http", "http://127.0.0.1:8080"]).shown());
    shown.push_str(&run(&["config", "claude-code", "--http", "mcp.example.com", "--name", "n"]).shown());
    shown.push_str(&run(&["config", "cursor", "--http", "https://mcp.example.com", "--read-only"]).shown());
    insta::assert_snapshot!(shown);
}

#[test]
fn a_credential_is_never_copied_into_a_snippet() {
    let machine = Machine::new()
        .with("NOTES_ACCESS_TOKEN", "top-secret")
        .file("project/key", "top-secret")
        .with("NOTES_TEAM", "ENG");
    for client in ["claude-desktop", "claude-code", "cursor", "vscode"] {
        let outcome = machine.run(&["config", client]);
        assert!(!outcome.shown().contains("top-secret"), "{}", outcome.shown());
        assert!(!outcome.out.contains("NOTES_API_KEY"), "{}", outcome.shown());
        assert!(
            outcome.err.contains("NOTES_TEAM is set here and stays here; --team would be carried."),
            "{}",
            outcome.shown()
        );
    }
    let outcome = machine.run(&["config", "claude-desktop", "--api-key-file", "key", "--sandbox=false"]);
    let args = parsed(&outcome.out)["mcpServers"]["notes"]["args"].clone();
    assert_eq!(args, json!(["--api-key-file", "/machine/project/key", "--sandbox=false"]));
    let outcome = Machine::new().with("NOTES_API_KEY_FILE", "key").run(&["config", "claude-desktop"]);
    assert_eq!(
        parsed(&outcome.out)["mcpServers"]["notes"]["env"],
        json!({"NOTES_API_KEY_FILE": "/machine/project/key"})
    );
}

#[test]
fn settings_that_the_server_would_refuse_are_refused_here() {
    assert_eq!(run(&["config", "cursor", "--toolsets", "nots"]).code, 64);
    assert_eq!(run(&["config", "cursor", "--api-url", "http://notes.example"]).code, 64);
    assert_eq!(run(&["config", "cursor", "--name", "my notes"]).code, 64);
}

#[test]
fn a_file_that_is_missing_or_empty_is_written() {
    for before in [None, Some(""), Some(" \n")] {
        let machine = Machine::new();
        let machine = match before {
            Some(text) => machine.file("home/.cursor/mcp.json", text),
            None => machine,
        };
        let outcome = machine.run(&["config", "cursor", "--write"]);
        assert_eq!((outcome.code, outcome.out.as_str()), (0, ""), "{}", outcome.shown());
        assert_eq!(
            parsed(&machine.read("home/.cursor/mcp.json"))["mcpServers"]["notes"]["command"],
            "/usr/local/bin/notes-mcp"
        );
        assert_eq!(backups(&machine, "home/.cursor").len(), usize::from(before.is_some()));
    }
}

const DESKTOP: &str = "home/.config/Claude/claude_desktop_config.json";

#[test]
fn the_rest_of_the_file_stays_as_it_is_and_a_backup_is_kept() {
    let before = "{\n    \"theme\": \"dark\",\n    \"mcpServers\": {\n        \"files\": { \"command\": \"npx\", \"args\": [\"-y\", \"files\"] }\n    },\n    \"zoom\": 1.50\n}\n";
    let machine = Machine::new().file(DESKTOP, before);
    let outcome = machine.run(&["config", "claude-desktop", "--write", "--sandbox"]);
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    insta::assert_snapshot!(machine.read(DESKTOP));
    let backups = backups(&machine, "home/.config/Claude");
    assert_eq!(backups.len(), 1, "{backups:?}");
    assert_eq!(machine.read(&format!("home/.config/Claude/{}", backups[0])), before);
}

#[test]
fn writing_twice_changes_nothing_the_second_time() {
    for client in ["claude-desktop", "claude-code", "cursor", "vscode"] {
        let machine = Machine::new();
        let first = machine.run(&["config", client, "--write", "--file", "client.json", "--read-only"]);
        assert_eq!(first.code, 0, "{}", first.shown());
        let text = machine.read("project/client.json");
        let second = machine.run(&["config", client, "--write", "--file", "client.json", "--read-only"]);
        assert!(
            second.err.starts_with("/machine/project/client.json has it already; nothing was changed.\n"),
            "{}",
            second.shown()
        );
        assert_eq!(machine.read("project/client.json"), text);
        assert!(backups(&machine, "project").is_empty());
    }
}

#[test]
fn comments_stay_where_the_client_reads_them() {
    let before = "{\n\t// what we use\n\t\"inputs\": [\n\t\t{ \"id\": \"x\", \"type\": \"promptString\" }, // keep\n\t],\n\t\"servers\": {\n\t\t\"files\": { \"command\": \"npx\" }, // the files\n\t\t/* more to come */\n\t},\n}\n";
    let machine = Machine::new().file("project/.vscode/mcp.json", before);
    let outcome = machine.run(&["config", "vscode", "--write"]);
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    insta::assert_snapshot!(machine.read("project/.vscode/mcp.json"));
}

#[test]
fn a_file_that_cannot_be_changed_without_harm_is_left_alone() {
    let mut shown = String::new();
    let texts = [
        "{ // mine\n}",
        "{\"mcpServers\": {\"a\": {},}}",
        "{\"mcpServers\": ",
        "[]",
        "{\"mcpServers\": []}",
        "{\"mcpServers\": {\"notes\": {}, \"notes\": {}}}",
    ];
    for text in texts {
        let machine = Machine::new().file(DESKTOP, text);
        let outcome = machine.run(&["config", "claude-desktop", "--write"]);
        assert_eq!((outcome.code, machine.read(DESKTOP).as_str()), (1, text), "{}", outcome.shown());
        assert!(backups(&machine, "home/.config/Claude").is_empty());
        shown.push_str(&outcome.err);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_entry_is_brought_up_to_date_without_losing_what_the_person_filled_in() {
    let before = r#"{"mcpServers": {"notes": {"command": "/old/notes-mcp", "args": [], "env": {"NOTES_API_KEY": "k-1", "TZ": "UTC"}, "disabled": true}}}"#;
    let machine = Machine::new().file("project/.mcp.json", before);
    let outcome = machine.run(&["config", "claude-code", "--write", "--read-only"]);
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    assert_eq!(
        parsed(&machine.read("project/.mcp.json"))["mcpServers"]["notes"],
        json!({
            "command": "/usr/local/bin/notes-mcp", "args": ["--read-only"],
            "env": {"NOTES_API_KEY": "k-1", "TZ": "UTC"}, "disabled": true, "type": "stdio",
        })
    );
}

#[cfg(unix)]
#[test]
fn a_linked_file_stays_linked_and_keeps_its_permissions() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let machine = Machine::new().file("home/dotfiles/mcp.json", "{}\n").file("home/.cursor/other", "");
    std::fs::set_permissions(machine.path("home/dotfiles/mcp.json"), std::fs::Permissions::from_mode(0o600))
        .unwrap();
    symlink(machine.path("home/dotfiles/mcp.json"), machine.path("home/.cursor/mcp.json")).unwrap();
    let outcome = machine.run(&["config", "cursor", "--write", "--sandbox"]);
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    assert!(machine.path("home/.cursor/mcp.json").is_symlink());
    let meta = std::fs::metadata(machine.path("home/dotfiles/mcp.json")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    assert!(machine.read("home/dotfiles/mcp.json").contains("notes"));
}
