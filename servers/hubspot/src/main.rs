//! The program `hubspot-mcp`.

fn main() -> std::process::ExitCode {
    connector::main::<hubspot_mcp::HubSpot>()
}
