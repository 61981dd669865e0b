//! Settings: where they come from, which wins, and what is said of wrong ones.

use super::{Machine, run};

const FILE: &str = "home/.config/notes-mcp/config.toml";

/// What is offered, as a measure of which settings won.
fn tools(machine: &Machine, args: &[&str]) -> String {
    let mut all = vec!["tools"];
    all.extend(args);
    let outcome = machine.run(&all);
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    let names = ["add_note", "delete_note", "list_mentions", "list_notes"];
    let offered = outcome.out.split("Not offered").next().unwrap();
    names.into_iter().filter(|name| offered.contains(name)).collect::<Vec<_>>().join(" ")
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let machine = Machine::new().file(FILE, "tools = [\"add_note\"]\n");
    assert_eq!(tools(&machine, &[]), "add_note");
    let machine = machine.with("NOTES_MCP_TOOLS", "delete_note");
    assert_eq!(tools(&machine, &[]), "delete_note");
    assert_eq!(tools(&machine, &["--tools", "list_notes"]), "list_notes");
}

#[test]
fn options_stand_before_or_after_the_command_and_the_later_counts() {
    let offered = |args: &[&str]| {
        let outcome = run(args);
        assert_eq!(outcome.code, 0, "{}", outcome.shown());
        outcome.out.split("Not offered").next().unwrap().to_owned()
    };
    let one = offered(&["tools", "--tools", "list_notes"]);
    assert_eq!(offered(&["--tools", "list_notes", "tools"]), one);
    assert_eq!(offered(&["--tools", "add_note", "tools", "--tools", "list_notes"]), one);
    assert_eq!(offered(&["--tools", "list_notes", "tools", "--toolsets", "default"]), one);
    // The word of a command may be an option's value.
    assert_eq!(run(&["keys", "new", "tools", "--log", "off"]).code, 0);
    let slip = run(&["--tool", "list_notes", "tools"]);
    assert!(slip.code == 64 && slip.err.contains("Did you mean"), "{}", slip.shown());
}

#[test]
fn a_switch_of_the_file_can_be_turned_off_again() {
    let machine = Machine::new().file(FILE, "read-only = true\n");
    assert_eq!(tools(&machine, &[]), "list_notes");
    assert_eq!(tools(&machine, &["--read-only=false"]), "add_note delete_note list_notes");
    assert_eq!(tools(&machine.with("NOTES_MCP_READ_ONLY", "off"), &[]), "add_note delete_note list_notes");
}

#[test]
fn lists_may_be_given_in_parts() {
    let machine = Machine::new();
    assert_eq!(
        tools(&machine, &["--tools", "list_notes", "--tools=add_note,list_mentions"]),
        "add_note list_mentions list_notes"
    );
}

#[test]
fn an_unknown_key_in_the_file_is_an_error_with_its_line_and_the_nearest_key() {
    let machine = Machine::new().file(FILE, "# ours\nteam = \"ENG\"\nreadonly = true\n");
    insta::assert_snapshot!(machine.run(&["tools"]).shown(), @r"
    exit 78
    --- stderr
    error: /machine/home/.config/notes-mcp/config.toml:3: there is no setting `readonly`.
    hint: Did you mean `read-only`?
    ");
}

#[test]
fn a_credential_where_a_key_belongs_is_not_quoted() {
    for line in ["mcp_S3cretS3cretS3cret = true\n", "s3cret-s3cret.s3cret = 1\n", "\"s3cret s3cret\" = 1\n"] {
        let outcome = Machine::new().file(FILE, line).run(&["tools"]);
        assert_eq!(outcome.code, 78, "{}", outcome.shown());
        assert!(!outcome.shown().to_lowercase().contains("s3cret"), "{}", outcome.shown());
    }
}

#[test]
fn a_section_in_the_file_is_explained() {
    let machine = Machine::new().file(FILE, "[server]\nread-only = true\n");
    insta::assert_snapshot!(machine.run(&["tools"]).shown());
}

#[test]
fn a_broken_file_is_named_with_the_line_and_without_the_line_itself() {
    let machine = Machine::new().file(FILE, "team = \"ENG\"\napi-key = top-secret\n");
    let outcome = machine.run(&["tools"]);
    assert!(!outcome.shown().contains("top-secret"), "{}", outcome.shown());
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn a_wrong_value_names_its_place_and_what_is_accepted() {
    let mut shown = String::new();
    let file = Machine::new().file(FILE, "deadline = \"soon\"\n");
    let several = [
        run(&["tools", "--read-only=perhaps"]),
        run(&["tools", "--deadline", "soon"]),
        run(&["tools", "--log-format", "xml"]),
        Machine::new().with("NOTES_MCP_MAX_IN_FLIGHT", "-1").run(&["tools"]),
        file.run(&["tools"]),
        run(&["call", "list_notes", "--sandbox", "--max-in-flight", "0"]),
        run(&["call", "list_notes", "--tool-prefix", "a b"]),
        run(&["tools", "--toolsets", "note"]),
        Machine::new().with("NOTES_MCP_EXCLUDE_TOOLS", "drop_note").run(&["tools"]),
        run(&["tools", "--config", "none.toml"]),
    ];
    for outcome in several {
        shown.push_str(&outcome.shown());
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn settings_that_the_server_refuses_are_wrong_configuration() {
    insta::assert_snapshot!(run(&["call", "list_notes", "--team", "nobody"]).shown());
}

#[test]
fn a_placeholder_or_nothing_counts_as_unset_with_a_hint() {
    let machine = Machine::new().with("NOTES_API_KEY", "${NOTES_API_KEY}").with("NOTES_ACCESS_TOKEN", " ");
    insta::assert_snapshot!(machine.run(&["call", "list_notes"]).shown());
}

#[test]
fn a_slip_in_a_variable_is_noticed_and_others_of_kubernetes_are_not() {
    let machine = Machine::new()
        .with("NOTES_MCP_READONLY", "1")
        .with("NOTES_MCP_SERVICE_HOST", "10.0.0.1")
        .with("NOTES_MCP_PORT", "tcp://10.0.0.1:80")
        .with("NOTES_MCP_KEY", "a client's");
    let outcome = machine.run(&["tools", "--json"]);
    assert_eq!(
        outcome.err,
        "warning: NOTES_MCP_READONLY is set but is no setting; did you mean NOTES_MCP_READ_ONLY?\n"
    );
}

#[test]
fn a_credential_comes_from_a_variable_or_a_file_but_never_from_an_option() {
    let outcome = run(&["call", "list_notes", "--api-key", "secret"]);
    assert!(!outcome.shown().contains("secret"), "{}", outcome.shown());
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn a_file_of_the_settings_file_is_found_beside_it() {
    let machine = Machine::new()
        .file(FILE, "api-key-file = \"key\"\nca-file = \"~/ca.pem\"\n")
        .file("home/.config/notes-mcp/key", "k-1\n");
    let outcome =
        machine.run(&["config", "claude-code", "--config", "../home/.config/notes-mcp/config.toml"]);
    assert!(
        outcome.out.contains("/machine/project/../home/.config/notes-mcp/config.toml"),
        "{}",
        outcome.shown()
    );
    let outcome = machine.run(&["doctor", "--api-url", "http://127.0.0.1:9"]);
    assert!(outcome.out.contains("/machine/home/.config/notes-mcp/key"), "{}", outcome.shown());
    assert!(outcome.out.contains("/machine/home/ca.pem is no file"), "{}", outcome.shown());
}

#[test]
fn a_credential_never_goes_out_in_the_clear() {
    let mut shown = String::new();
    for url in
        ["http://notes.example", "ftp://notes.example", "notes.example", "https://ada:pw@notes.example"]
    {
        shown.push_str(&run(&["call", "list_notes", "--api-url", url]).shown());
    }
    insta::assert_snapshot!(shown);
    let loopback = run(&["call", "list_notes", "--api-url", "http://127.0.0.1:9"]);
    assert_eq!(loopback.code, 1, "{}", loopback.shown());
}

#[test]
fn a_confirmation_that_is_named_and_empty_is_refused() {
    for value in ["", "${X}", "always"] {
        let outcome = Machine::new().with("NOTES_MCP_CONFIRM", value).run(&["tools"]);
        assert!(outcome.code == 78 && outcome.err.contains("NOTES_MCP_CONFIRM"), "{}", outcome.shown());
    }
}

/// A list that is named and empty would bound nothing, where an operator meant something.
#[test]
fn a_bound_that_is_named_and_empty_is_refused_wherever_it_stands() {
    for (flag, variable, key) in [
        ("--tools", "NOTES_MCP_TOOLS", "tools"),
        ("--toolsets", "NOTES_MCP_TOOLSETS", "toolsets"),
        ("--exclude-tools", "NOTES_MCP_EXCLUDE_TOOLS", "exclude-tools"),
    ] {
        for value in ["", ",", " , ", "${X}", "list_notes,${X}"] {
            let outcome = Machine::new().run(&["tools", flag, value]);
            assert!(
                outcome.code == 64 && outcome.err.contains(flag),
                "{flag} {value:?}: {}",
                outcome.shown()
            );
            assert!(outcome.err.contains("it would bound nothing"), "{}", outcome.shown());
            let outcome = Machine::new().with(variable, value).run(&["tools"]);
            assert!(outcome.code == 78 && outcome.err.contains(variable), "{variable}: {}", outcome.shown());
        }
        for value in ["[]", "[\"\"]", "\"\"", "\",\"", "\"${X}\""] {
            let machine = Machine::new().file(FILE, &format!("{key} = {value}\n"));
            let outcome = machine.run(&["tools"]);
            assert!(outcome.code == 78 && outcome.err.contains(key), "{key} = {value}: {}", outcome.shown());
        }
    }
    for value in ["", "${READ_ONLY}"] {
        let outcome = Machine::new().with("NOTES_MCP_READ_ONLY", value).run(&["tools"]);
        assert!(outcome.code == 78 && outcome.err.contains("NOTES_MCP_READ_ONLY"), "{}", outcome.shown());
    }
}
