//! The program `slack-mcp`.

fn main() -> std::process::ExitCode {
    slack_mcp::manifest::answer(std::env::args()).unwrap_or_else(connector::main::<slack_mcp::Slack>)
}
