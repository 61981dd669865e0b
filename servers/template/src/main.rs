//! The program `template-mcp`.

fn main() -> std::process::ExitCode {
    template_mcp::main()
}
