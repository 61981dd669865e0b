//! `linear-mcp`: Linear for AI assistants.

fn main() -> std::process::ExitCode {
    connector::main::<linear_mcp::Linear>()
}
