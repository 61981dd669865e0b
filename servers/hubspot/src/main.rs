//! The program `hubspot-mcp`.

fn main() -> std::process::ExitCode {
    hubspot_mcp::main()
}
