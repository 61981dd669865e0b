//! The program `linear-mcp`.

fn main() -> std::process::ExitCode {
    linear_mcp::main()
}
