//! The program `linear-mcp`.

fn main() -> std::process::ExitCode {
    connector::main::<linear_mcp::Linear>()
}
