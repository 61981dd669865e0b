//! The fake Linear by itself: `cargo run -p linear-mcp --example sandbox -- 127.0.0.1:4010`.

use std::{io::Write as _, net::SocketAddr};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr: SocketAddr = std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:4010").parse()?;
    let seed = std::fs::read_to_string(std::env::args().nth(2).unwrap_or_default())?;
    let running = connector::sandbox::start(linear_mcp::sandbox::with_seed(seed), addr).await?;
    writeln!(std::io::stdout(), "{}graphql", running.url())?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
