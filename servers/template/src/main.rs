//! The program `template-mcp`.

fn main() -> std::process::ExitCode {
    connector::main::<template_mcp::Template>()
}
