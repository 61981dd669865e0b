//! The program `github-mcp`.

fn main() -> std::process::ExitCode {
    connector::main::<github_mcp::GitHub>()
}
