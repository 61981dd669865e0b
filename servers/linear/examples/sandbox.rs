//! The fake Linear by itself: `cargo run -p linear-mcp --example sandbox -- 127.0.0.1:4010`.

use std::{io::Write as _, net::SocketAddr};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr: SocketAddr = std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:4010").parse()?;
    let running = connector::sandbox::start(linear_mcp::sandbox::fake(), addr).await?;
    writeln!(std::io::stdout(), "{}graphql", running.url())?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
