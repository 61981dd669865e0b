//! Finds the servers of the workspace, so that nobody lists them: a server is each crate in `servers/`, and
//! each of them joins: one that the shared tests do not know is an error of the build.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let own = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let servers = own.join("../servers").canonicalize()?;
    println!("cargo::rerun-if-changed={}", servers.display());
    let manifest = fs::read_to_string(own.join("Cargo.toml"))?;
    let mut found = Vec::new();
    for folder in fs::read_dir(&servers)? {
        let folder = folder?.path();
        if !folder.join("Cargo.toml").exists() {
            continue;
        }
        let name = folder.file_name().and_then(|name| name.to_str());
        let name = name.ok_or("the name of a server is plain text")?.to_owned();
        let line = format!("{name}-mcp = {{ path = \"../servers/{name}\" }}");
        let subject = folder.join("tests/suite/subject.rs");
        let missing = if !subject.exists() {
            "servers/NAME/tests/suite/subject.rs, without which no shared test runs for it".to_owned()
        } else if !folder.join("tests/it/main.rs").exists() {
            // `cargo test` builds a package's program only for its integration tests.
            "servers/NAME/tests/it/main.rs, without which nothing builds its program".to_owned()
        } else if !manifest.contains(&line) {
            format!("this line in tests/Cargo.toml: {line}")
        } else {
            found.push((name, subject));
            continue;
        };
        return Err(format!("the server {name} joins by {}", missing.replace("NAME", &name)).into());
    }
    found.sort();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("servers.rs"), code(&found)?)?;
    Ok(())
}

/// A module for each server, a list of their keys, and the macros that go through them.
fn code(servers: &[(String, PathBuf)]) -> Result<String, std::fmt::Error> {
    let mut code = String::new();
    for (name, subject) in servers {
        writeln!(code, "#[path = {subject:?}]\npub mod {name};")?;
    }
    let keys: Vec<_> = servers.iter().map(|(name, _)| name).collect();
    writeln!(
        code,
        "/// The servers of the workspace, by their keys.\npub const SERVERS: &[&str] = &{keys:?};"
    )?;
    let mut tests = String::new();
    let mut each = String::new();
    for (name, _) in servers {
        writeln!(
            tests,
            "mod {name} {{ $( #[$kind] async fn $test() {{ super::$test::<$crate::servers::{name}::Server>().await; }} )+ }}"
        )?;
        writeln!(each, "{{ type $server = $crate::servers::{name}::Server; $body }}")?;
    }
    writeln!(
        code,
        "/// The tests of each server, in a module of its name.
#[doc(hidden)] #[macro_export] macro_rules! server_tests {{ (#[$kind:meta] $($test:ident)+) => {{ {tests} }}; }}
/// Runs a block for each server, whose type has the name that is given: `for_every_server!(S => println!(\"{{}}\", S::ABOUT.key))`.
#[macro_export] macro_rules! for_every_server {{ ($server:ident => $body:expr) => {{ {each} }}; }}"
    )?;
    Ok(code)
}
