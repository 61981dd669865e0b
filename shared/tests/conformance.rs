//! The official conformance suite against a server with the suite's fixtures over it, in both eras.
//!
//! The suite is an npm package (`@modelcontextprotocol/conformance`, Node 22). Its program is named
//! by `MCP_CONFORMANCE`; without it there is nothing to run.
#![cfg(feature = "conformance")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where what it needs is not there")]

mod notes;

use std::process::{Command, Stdio};

use connector::serve::{HttpOptions, http_until};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn the_official_suite_finds_nothing_wrong() {
    let Ok(suite) = std::env::var("MCP_CONFORMANCE") else {
        println!("skipped: MCP_CONFORMANCE does not name the suite's program");
        return;
    };
    let stop = CancellationToken::new();
    let (tell, told) = oneshot::channel();
    let mut options = HttpOptions::new(([127, 0, 0, 1], 0).into());
    options.legacy_sessions = true;
    let stopped = stop.clone().cancelled_owned();
    let server =
        tokio::spawn(http_until(notes::service(), options, move |addr| tell.send(addr).unwrap(), stopped));
    let url = format!("http://{}/mcp", told.await.unwrap());
    for requirements in ["2025-11-25", "2026-07-28"] {
        let report = tempfile::tempdir().unwrap();
        let mut command = Command::new(&suite);
        command.args(["server", "--url", &url, "--requirements", requirements, "-o"]).arg(report.path());
        let run = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output())
            .await
            .unwrap()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        let shown: String = said.chars().rev().take(6_000).collect::<Vec<_>>().into_iter().rev().collect();
        assert!(run.status.success(), "{requirements}: {shown}\n{}", String::from_utf8_lossy(&run.stderr));
        println!(
            "{requirements}: {}",
            said.lines().rev().find(|line| line.contains("passed")).unwrap_or_default()
        );
    }
    stop.cancel();
    server.await.unwrap().unwrap();
}
