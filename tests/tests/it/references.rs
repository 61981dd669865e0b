//! The generated parts of the documentation are those that the programs print.
//!
//! `UPDATE_REFERENCES=1 cargo test -p suite --test it references` writes them anew.

#![allow(
    clippy::expect_used,
    clippy::unused_async,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

use std::path::{Path, PathBuf};

use suite::{Subject, program::command};

suite::every_program!(the_prebuilt_schemas_are_those_of_the_arguments);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// What `program reference --part` prints.
async fn printed(program: &str, part: &str) -> String {
    let output = command(program).args(["reference", part]).output().await.unwrap();
    assert!(
        output.status.success(),
        "{program} reference {part}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Compares the file at `path`, or writes it where that is asked for.
fn settle(path: &Path, wanted: &str) {
    let found = std::fs::read_to_string(path).unwrap_or_default();
    if std::env::var_os("UPDATE_REFERENCES").is_some() {
        std::fs::write(path, wanted).unwrap();
    } else {
        let path = path.strip_prefix(root()).unwrap().display();
        assert!(
            found == wanted,
            "{path} is old: UPDATE_REFERENCES=1 cargo test -p suite --test it references"
        );
    }
}

#[tokio::test]
async fn every_servers_settings_are_documented_as_they_are() {
    for server in suite::SERVERS {
        let wanted = printed(&format!("{server}-mcp"), "--settings").await;
        settle(&root().join(format!("servers/{server}/SETTINGS.md")), &wanted);
    }
}

#[tokio::test]
async fn every_servers_tools_are_documented_as_they_are() {
    for server in suite::SERVERS {
        let table = printed(&format!("{server}-mcp"), "--tools").await;
        let path = root().join(format!("servers/{server}/README.md"));
        let readme = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = readme.split_once("<!-- tools -->").expect("a README marks its tools");
        let (_, after) = rest.split_once("<!-- /tools -->").expect("a README marks the end of its tools");
        settle(&path, &format!("{before}<!-- tools -->\n{}\n<!-- /tools -->{after}", table.trim_end()));
    }
}

/// What `docs/tool.md` shows is code that is compiled.
#[tokio::test]
async fn the_page_of_a_tool_shows_the_code_as_it_is() {
    let page = std::fs::read_to_string(root().join("docs/tool.md")).unwrap();
    let (_, rest) = page.split_once("```rust\n").expect("the page has code");
    let (shown, _) = rest.split_once("```").expect("the code ends");
    let code = std::fs::read_to_string(root().join("servers/template/src/tools/search.rs")).unwrap();
    assert!(code.ends_with(shown), "docs/tool.md is old; the code is\n{code}");
}

/// Release builds serve them as they are.
async fn the_prebuilt_schemas_are_those_of_the_arguments<S: Subject>() {
    let path = root().join(format!("servers/{}/src/tools/schemas.json", S::ABOUT.key));
    settle(&path, &S::catalog().schemas());
}
