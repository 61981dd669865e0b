//! The commands: what they print, where, and how they end.

use super::{Machine, run};

#[test]
fn help_fits_a_screen_and_names_every_option() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(help.out.lines().count() <= 60, "{} lines", help.out.lines().count());
    assert!(help.out.lines().all(|line| line.chars().count() <= 100));
    insta::assert_snapshot!(help.out);
}

#[test]
fn every_command_has_help() {
    let mut pages = String::new();
    for command in ["serve", "call", "tools", "doctor", "check", "config", "sandbox", "healthcheck", "keys"] {
        let help = run(&[command, "--help"]);
        assert_eq!(help.code, 0, "{}", help.shown());
        pages.push_str(&format!("==== {command}\n{}", help.out));
    }
    insta::assert_snapshot!(pages);
}

#[test]
fn wrong_usage_says_what_was_meant() {
    let mut shown = String::new();
    let wrong: &[&[&str]] = &[
        &["--read-onyl"],
        &["--frobnicate"],
        &["serv"],
        &["call"],
        &["tools", "--json", "--markdown"],
        &["--toolsets"],
        &["config", "emacs"],
        &["keys"],
        &["call", "list_note", "--sandbox"],
        &["call", "list_mentions", "--sandbox"],
        &["call", "add_note", "--sandbox", "--read-only"],
        &["call", "list_notes", "{limit: 1}", "--sandbox"],
        &["call", "list_notes", "[1]", "--sandbox"],
        &["call", "list_notes", "--sandbox", "--api-url", "https://x.example"],
        &["sandbox", "--listen", "here"],
    ];
    for args in wrong {
        let outcome = run(args);
        assert_eq!((outcome.code, outcome.out.as_str()), (64, ""), "{args:?}: {}", outcome.shown());
        shown.push_str(&format!("$ notes-mcp {}\n{}", args.join(" "), outcome.err));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn the_version_is_the_servers() {
    assert_eq!(run(&["--version"]).out, "notes-mcp 1.2.3\n");
}

/// Fences carry a nonce.
fn without_nonce(text: &str) -> String {
    let lines = text.lines().map(|line| match line.find("data ") {
        Some(at) if line.starts_with('<') => format!("{}data …>", &line[..at]),
        _ => line.to_owned(),
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_call_prints_the_reply_from_the_sandbox() {
    let outcome = run(&["call", "list_notes", "{\"limit\": 1}", "--sandbox"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{}", outcome.shown());
    insta::assert_snapshot!(without_nonce(&outcome.out));
}

#[test]
fn the_sandbox_is_used_even_where_real_credentials_and_addresses_are_set() {
    let machine = Machine::new()
        .with("NOTES_API_KEY", "real")
        .with("NOTES_ACCESS_TOKEN", "real")
        .with("NOTES_API_URL", "https://real.example");
    assert_eq!(machine.run(&["call", "list_notes", "--sandbox"]).code, 0);
    let asked_for_both =
        machine.with("NOTES_MCP_SANDBOX", "1").run(&["call", "list_notes", "--api-url", "https://x.example"]);
    assert_eq!(asked_for_both.code, 78, "{}", asked_for_both.shown());
}

#[test]
fn a_call_can_print_structured_content_and_read_its_arguments_from_input() {
    let outcome = Machine::new()
        .run_with_input(&["call", "list_notes", "-", "--sandbox", "--structured"], "{\"limit\": 1}\n");
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    let data: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(data["items"], serde_json::json!([{"id": 1, "text": "Buy milk"}]));
}

#[test]
fn a_prefix_is_part_of_the_name() {
    assert_eq!(run(&["call", "n_list_notes", "--sandbox", "--tool-prefix", "n_"]).code, 0);
    let tools = run(&["tools", "--tool-prefix", "n_", "--json"]);
    assert!(tools.out.contains("\"n_list_notes\""), "{}", tools.shown());
}

#[test]
fn what_a_tool_refuses_goes_to_standard_error() {
    let mut shown = String::new();
    shown.push_str(&run(&["call", "delete_note", "{\"id\": 9}", "--sandbox"]).shown());
    shown.push_str(&run(&["call", "list_notes", "{\"limt\": 9}", "--sandbox"]).shown());
    shown.push_str(&run(&["call", "list_notes"]).shown());
    insta::assert_snapshot!(shown);
}

#[test]
fn a_destructive_call_previews_and_asks_for_the_option() {
    insta::assert_snapshot!(run(&["call", "delete_note", "{\"id\": 1}", "--sandbox"]).shown());
    let done = run(&["call", "delete_note", "{\"id\": 1}", "--sandbox", "--allow-destructive"]);
    assert_eq!((done.code, done.out.as_str()), (0, "Deleted note 1.\n"));
}

#[test]
fn where_a_person_has_to_agree_nothing_is_done_from_the_command_line() {
    let strict = ["--sandbox", "--allow-destructive", "--confirm", "strict"];
    let outcome = run(&[&["call", "delete_note", "{\"id\": 1}"][..], &strict].concat());
    assert!(outcome.code == 1 && outcome.err.contains("nobody is asked here"), "{}", outcome.shown());
}

#[test]
fn an_image_is_told_of_beside_the_reply() {
    let outcome = run(&["call", "list_mentions", "--sandbox", "--toolsets", "all"]);
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    assert!(outcome.out.contains("Buy milk"), "{}", outcome.shown());
    assert_eq!(outcome.err, "note: an image is not shown (image/png, 10 bytes).\n");
}

#[test]
fn arguments_that_no_client_could_send_are_refused_as_a_clients_are() {
    let deep = format!("{{\"limit\": {}{}}}", "[".repeat(125), "]".repeat(125));
    let outcome = run(&["call", "list_notes", &deep, "--sandbox"]);
    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""), "{}", outcome.shown());
    assert!(outcome.err.starts_with("error: The message is not"), "{}", outcome.shown());
}

#[test]
fn tools_are_listed_with_their_cost() {
    insta::assert_snapshot!(run(&["tools"]).out);
    insta::assert_snapshot!(run(&["tools", "--markdown", "--toolsets", "all"]).out);
}

#[test]
fn the_doctor_finds_nothing_wrong_with_the_sandbox() {
    insta::assert_snapshot!(run(&["doctor", "--sandbox"]).shown());
}

#[test]
fn the_doctor_says_what_to_do() {
    let machine =
        Machine::new().with("NOTES_API_KEY", "${NOTES_API_KEY}").with("NOTES_MCP_UPLOAD_ROOT", "/nowhere");
    insta::assert_snapshot!(machine.run(&["doctor", "--http", "0.0.0.0:8080"]).shown());
}

#[test]
fn a_password_in_an_address_is_never_shown() {
    for (flag, variable) in [("--api-url", "NOTES_API_URL"), ("--proxy", "NOTES_MCP_PROXY")] {
        let address = "http://maya:geheim7@127.0.0.1:9";
        for command in [
            vec!["doctor"],
            vec!["doctor", "--json"],
            vec!["call", "list_notes"],
            vec!["config", "claude-desktop"],
        ] {
            let by_variable = Machine::new().with(variable, address).run(&command).shown();
            let by_flag = run(&[command.clone(), vec![flag, address]].concat()).shown();
            for shown in [by_variable, by_flag] {
                assert!(!shown.contains("geheim7"), "{command:?} {flag}: {shown}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn the_doctor_notices_secrets_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = "home/.config/notes-mcp/config.toml";
    let machine = Machine::new().file(path, "api-key = \"k-1\"\n");
    std::fs::set_permissions(machine.path(path), std::fs::Permissions::from_mode(0o644)).unwrap();
    let shown = machine.run(&["doctor", "--api-url", "http://127.0.0.1:9"]).shown();
    assert!(shown.contains("fix: chmod 600 /machine/home/.config/notes-mcp/config.toml"), "{shown}");
    std::fs::set_permissions(machine.path(path), std::fs::Permissions::from_mode(0o600)).unwrap();
    let shown = machine.run(&["doctor", "--api-url", "http://127.0.0.1:9"]).shown();
    assert!(!shown.contains("chmod") && !shown.contains("k-1"), "{shown}");
}

#[test]
fn the_doctor_speaks_json() {
    let outcome = run(&["doctor", "--sandbox", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(report["healthy"], true);
    assert_eq!(report["checks"].as_array().unwrap().last().unwrap()["state"], "warning");
}

#[test]
fn the_healthcheck_fails_where_nobody_answers() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = Machine::new().with("NOTES_MCP_HTTP", free.to_string()).run(&["healthcheck"]);
    assert_eq!(outcome.code, 1, "{}", outcome.shown());
    assert_eq!(run(&["healthcheck"]).code, 78);
}

#[test]
fn the_healthcheck_asks_loopback_for_a_server_that_listens_everywhere() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 64];
        let read = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    // Where callers cannot stand in the way, if there is such an address.
    let outcome = run(&["healthcheck", "--admin", &format!("0.0.0.0:{port}"), "--http", "127.0.0.1:1"]);
    assert_eq!(outcome.code, 0, "{}", outcome.shown());
    assert!(server.join().unwrap().starts_with("GET /healthz HTTP/1.1\r\n"));
}

#[test]
fn a_configuration_is_checked_without_a_network() {
    let machine = Machine::new()
        .with("NOTES_API_URL", "https://127.0.0.1:1/")
        .file("home/.config/notes-mcp/config.toml", "read-only = true\n")
        .file("project/other.toml", "raed-only = true\n")
        .file("project/keys", "ada not-a-hash\n")
        .file("project/state-keys", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n");
    let shared = ["check", "--http", "127.0.0.1:0", "--state-keys-file", "state-keys", "--redis"];
    let redis = |more: &[&'static str]| [&shared[..], more].concat();
    for good in [
        &["check"][..],
        &["check", "--config"],
        &["check", "--http", "127.0.0.1:0", "--admin", "[::]:9000"],
        #[cfg(feature = "redis")]
        &redis(&["rediss://ada@127.0.0.1:1/2", "--replicas", "2"]),
    ] {
        let outcome = machine.run(good);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{good:?}");
    }
    let mut shown = String::new();
    for bad in [
        &["check", "--config", "other.toml"][..],
        &["check", "--config", "nowhere.toml"],
        &["check", "--deadline", "soon"],
        &["check", "--tools", "no_such_tool"],
        &["check", "--api-key-file", "nowhere"],
        &["check", "--http", "0.0.0.0:8080"],
        &["check", "--http", "127.0.0.1:0", "--admin", "nowhere"],
        &["check", "--http", "127.0.0.1:0", "--allowed-origins", "app.example"],
        &["check", "--http", "127.0.0.1:0", "--api-keys-file", "keys"],
        &["check", "--http", "127.0.0.1:0", "--redis", "redis://127.0.0.1:1"],
        &["check", "--http", "127.0.0.1:0", "--redis-password-file", "keys"],
        &["check", "--http", "127.0.0.1:0", "--replicas", "0"],
        &redis(&["http://127.0.0.1:1"]),
        &redis(&["redis://:canary@127.0.0.1:1"]),
        #[cfg(feature = "redis")]
        &redis(&["redis://127.0.0.1:1", "--redis-password-file", "nowhere"]),
    ] {
        let outcome = machine.run(bad);
        assert_eq!((outcome.code, outcome.err.lines().count()), (78, 1), "{}", outcome.shown());
        shown.push_str(&outcome.err);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn the_reference_tells_of_every_setting() {
    insta::assert_snapshot!(run(&["reference", "--settings"]).out);
}

#[test]
fn a_new_key_is_known_to_the_server_by_its_line() {
    let outcome = run(&["keys", "new", "ada"]);
    let key = outcome.err.lines().next().unwrap().rsplit(' ').next().unwrap();
    assert!(!outcome.out.contains(key), "{}", outcome.shown());
    let machine = Machine::new().file("keys", &format!("# callers\n{}", outcome.out));
    let keys = connector::access::ApiKeys::load(&machine.path("keys")).unwrap();
    assert_eq!(keys.principal(key).map(|who| who.id().to_owned()).as_deref(), Some("key:ada"));
    assert_eq!(run(&["keys", "new", "ada lovelace"]).code, 64);
}

/// Its line would be added to the file all the same, and let nobody in.
#[test]
fn a_key_that_could_not_be_shown_is_a_failure() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (mut output, mut errors) = (Vec::new(), Full);
    let mut io = connector::cli::Io { input: &mut "".as_bytes(), output: &mut output, errors: &mut errors };
    let environment = connector::settings::Environment::new(
        std::path::PathBuf::from("/"),
        Vec::<(String, std::ffi::OsString)>::new(),
    );
    let args = ["notes-mcp", "keys", "new", "ada"].map(std::ffi::OsString::from);
    let code = connector::cli::run::<super::notes::Notes>(args, &environment, &mut io);
    assert_ne!(code, 0);
    assert!(output.is_empty(), "{}", String::from_utf8_lossy(&output));
}

#[test]
fn what_cannot_be_served_says_why() {
    let mut shown = String::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let keys = Machine::new().file("project/keys", "ada not-a-hash\n");
    let several = [
        run(&["serve", "--http", "0.0.0.0:0"]),
        run(&["serve", "--http", "nowhere"]),
        run(&["serve", "--http", "127.0.0.1:0", "--allowed-origins", "app.example"]),
        run(&["serve", "--http", "127.0.0.1:0", "--max-connections", "0"]),
        keys.run(&["serve", "--http", "0.0.0.0:0", "--api-keys-file", "keys"]),
        run(&["serve", "--http", &address]),
        run(&["serve", "--http", "127.0.0.1:0", "--tls-cert-file", "server.pem"]),
        run(&["serve", "--http", "127.0.0.1:0", "--tls-crl-file", "revoked.pem"]),
        run(&["serve", "--http", "127.0.0.1:0", "--tls-client-ca-file", "clients.pem"]),
        run(&["serve", "--http", "127.0.0.1:0", "--trusted-proxies", "10.0.0.0/8,proxy"]),
        keys.run(&["serve", "--http", "127.0.0.1:0", "--tls-cert-file", "keys", "--tls-key-file", "keys"]),
    ];
    for outcome in several {
        shown.push_str(&outcome.shown().replace(&address, "127.0.0.1:PORT"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn the_reference_for_scripts_names_the_variables() {
    let outcome = run(&["reference", "--json"]);
    let page: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!((&page["key"], &page["program"]), (&"notes".into(), &"notes-mcp".into()));
    assert_eq!((&page["api_url"], &page["credential"]), (&"NOTES_API_URL".into(), &"NOTES_API_KEY".into()));
    assert_eq!(page["variables"]["http"], "NOTES_MCP_HTTP");
    assert_eq!(run(&["reference", "--json", "--tools"]).code, 64);
}
