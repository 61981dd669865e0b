//! `sandbox`: the fake vendor by itself, for other programs' tests and for looking at.

use super::{Context, failure::Failure, serve::current_thread, setup};
use crate::{Connector, sandbox, serve::shutdown::Stop, settings::Row};

#[inline(never)]
pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>, listen: &str) -> Result<(), Failure> {
    let sandbox = S::sandbox().ok_or_else(setup::no_sandbox)?;
    let address = setup::listen(listen).ok_or_else(|| {
        Failure::usage(format!("--listen: `{listen}` is no address"))
            .with_hint("It takes an address and a port, such as 127.0.0.1:4010")
    })?;
    let runtime = current_thread()?;
    let outcome = runtime.block_on(async {
        let stop = Stop::on_signals()
            .map_err(|error| Failure::other(format!("Signals cannot be listened for: {error}")))?;
        let running = sandbox::start(sandbox.fake, address).await.map_err(|error| {
            Failure::other(format!("{address} cannot be listened at: {error}"))
                .with_hint("Choose another address with --listen, or port 0 for any free one")
        })?;
        let (key, value) = sandbox.credential;
        let variable = context.table.row(key).map(|row: &Row| row.env.to_string()).unwrap_or_default();
        let url = running.url();
        let about = context.table.about();
        let text = TEXT
            .replace("{title}", about.title)
            .replace("{api}", &setup::join(&url, sandbox.api_path))
            .replace("{control}", &setup::join(&url, "/_sandbox"))
            .replace("{credential}", value)
            .replace("{api_url_env}", about.api_url_env)
            .replace("{credential_env}", &variable)
            .replace("{program}", about.program);
        context.io.answer(&text)?;
        stop.asked.cancelled().await;
        Ok(())
    });
    runtime.shutdown_background();
    outcome
}

const TEXT: &str = "\
The fake of {title}'s API answers at {api}
with the credential {credential}. Nothing real is touched, and everything is forgotten at the end.

Use it:
  {api_url_env}={api} {credential_env}={credential} {program} call whoami

Control it, below {control}:
  GET, DELETE        /journal   what was asked; ?operation=… for one kind of request
  GET, POST, DELETE  /faults    what is to go wrong: {\"operation\": \"*\", \"fault\": {\"action\": \"stall\"}}
  GET, POST          /clock     its time; {\"advance_s\": 3600} moves it
  POST               /reset     everything as at the start
  GET                /dump      the whole state

Ctrl-C stops it.
";
