//! What a cached call costs in instructions, with all that a team has and without: counted by valgrind, so the same on
//! every machine, whatever else it does.

use std::{fs, path::Path, process::Command};

use suite::Subject;

use super::{
    Outcome, Server,
    load::{self, Target},
    replay,
    team::Team,
    tools_call,
};

/// Calls of a short and of a long run: what both do besides is the same.
const CALLS: [usize; 2] = [100, 600];

/// Prints the row.
pub(crate) async fn of_a_cached_call<S: Subject>(program: &Path) -> Outcome<()> {
    let vendor = replay::start::<S>().await?;
    let (cached, _) = S::cached_read().unwrap_or_else(S::read_one);
    let cached = tools_call(&cached);
    let team = Team::new()?;
    let bare = each::<S>(program, &vendor.url, &cached, &[], &[]).await?;
    let whole = each::<S>(program, &vendor.url, &cached, &team.arguments, &team.keys).await?;
    println!(
        "| instructions of a cached call, with keys, quotas and metrics | {whole:.0}, {:+.1} % to {bare:.0} without | at most a fifth more |",
        (whole / bare - 1.0) * 100.0
    );
    Ok(())
}

/// The instructions of one call.
async fn each<S: Subject>(
    program: &Path,
    api_url: &str,
    call: &str,
    arguments: &[String],
    keys: &[String],
) -> Outcome<f64> {
    let mut counts = [0.0; 2];
    for (count, calls) in counts.iter_mut().zip(CALLS) {
        let report = tempfile::NamedTempFile::new()?;
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
            .arg(format!("--log-file={}", report.path().display()))
            .arg(program);
        let target = |port| Target { keys: keys.to_vec(), ..Target::plain(port) };
        let arguments = [arguments, &["--lame-duck-seconds".to_owned(), "0".to_owned()]].concat();
        let mut server = Server::start_with::<S>(command, api_url, &arguments, target).await?;
        for _ in 0..20 {
            load::once(&server.target, call).await?;
        }
        load::closed(&server.target, call, 1, calls).await?;
        Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status()?;
        server.child.wait()?;
        let report = fs::read_to_string(report.path())?;
        let line =
            report.lines().find_map(|line| line.split_once("refs:")).ok_or("valgrind counted nothing")?;
        *count = line.1.replace(',', "").trim().parse()?;
    }
    Ok((counts[1] - counts[0]) / (CALLS[1] - CALLS[0]) as f64)
}
