//! The program `notion-mcp`.

fn main() -> std::process::ExitCode {
    notion_mcp::main()
}
