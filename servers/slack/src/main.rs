//! The program `slack-mcp`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    slack_mcp::manifest::answer(args.clone()).unwrap_or_else(|| {
        let code = slack_mcp::main();
        slack_mcp::manifest::help(&args);
        code
    })
}
