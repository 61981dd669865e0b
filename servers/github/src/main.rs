//! The program `github-mcp`.

fn main() -> std::process::ExitCode {
    github_mcp::main()
}
