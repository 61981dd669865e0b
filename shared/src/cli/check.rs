//! `check`: whether a server would start with these settings. Nobody is asked over the network, so that a pipeline or
//! an init container can tell a bad configuration before it is rolled out.

use std::fs;

use super::{Context, failure::Failure, serve, setup};
use crate::{Connector, Secret, settings::SecretSource};

#[inline(never)]
pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>) -> Result<(), Failure> {
    for row in context.table.secrets() {
        let Some(SecretSource::File(path)) = context.loaded.config.secret(row.key) else { continue };
        let bad = match fs::read_to_string(&path) {
            Ok(text) if Secret::new(&text).is_empty() => "is empty".to_owned(),
            Ok(_) => continue,
            Err(error) => format!("cannot be read: {error}"),
        };
        return Err(context.loaded.refuse(row.key, format!("{} {bad}", path.display())).into());
    }
    if let Some(address) = context.loaded.config.text("http") {
        serve::http_options::<S>(&context.loaded, address)?;
    }
    let runtime = serve::current_thread()?;
    runtime.block_on(async { setup::service::<S>(context, false) })?;
    runtime.shutdown_background();
    context.io.answer("The configuration is good.\n")
}
