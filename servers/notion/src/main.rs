//! The program `notion-mcp`.

fn main() -> std::process::ExitCode {
    connector::main::<notion_mcp::Notion>()
}
