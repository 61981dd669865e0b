//! `doctor`: what works with these settings, and what would make the rest work.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    Context, call::pretty, failure::Failure, layout::beside, serve::current_thread, setup, tools::List,
};
use crate::{
    Check, CheckState, Connector, Secret,
    settings::{Place, Row, SecretSource},
    upstream::Upstream,
};

#[inline(never)]
pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>, as_json: bool) -> Result<(), Failure> {
    let mut checks = settings(context);
    checks.extend(credentials(context));
    checks.extend(files(context));
    checks.extend(listening(context));
    checks.push(offered::<S>(context)?);
    let asked = context.loaded.config.switch("sandbox")
        || context.table.secrets().any(|row| context.loaded.config.secret(row.key).is_some());
    let runtime = current_thread()?;
    let outcome = runtime.block_on(async {
        let ready = setup::ready::<S>(context).await?;
        if !asked {
            let found = format!("{} was not asked, because there is no credential", S::ABOUT.title);
            return Ok::<_, Failure>(vec![Check::skipped("account", found)]);
        }
        let server = ready.service.server();
        let mut checks = server.diagnose().await;
        checks.extend(drift(S::ABOUT.title, server.upstream()));
        Ok(checks)
    });
    runtime.shutdown_background();
    checks.extend(outcome?);

    let bad = checks.iter().any(|check| check.state == CheckState::Bad);
    let text = if as_json { report_json(context, &checks, bad) } else { report(context, &checks) };
    context.io.answer(&text)?;
    if bad { Err(Failure::silent()) } else { Ok(()) }
}

/// Whether the vendor's answers so far were as this version of the server expects them.
fn drift(title: &str, upstream: &Upstream) -> Option<Check> {
    let places = upstream.status().counts.drift;
    (places > 0).then(|| {
        Check::warning(
            "answers",
            format!("{title}'s answers differed from what is expected in {places} places, and were read all the same"),
            "A newer version of this server may know them",
        )
    })
}

/// Where the settings come from, and what is odd about them.
fn settings(context: &Context<'_, '_>) -> Vec<Check> {
    let loaded = &context.loaded;
    let (mut options, mut variables, mut lines) = (0, 0, 0);
    for (_, place) in loaded.set() {
        match place {
            Place::Flag(_) => options += 1,
            Place::Variable(_) => variables += 1,
            Place::File { .. } => lines += 1,
        }
    }
    let mut parts = Vec::new();
    for (count, one, many) in [(options, "option", "options"), (variables, "variable", "variables")] {
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if let Some(file) = &loaded.file {
        parts.push(format!("{lines} from {}", file.display()));
    }
    let mut found = if parts.is_empty() { "the defaults".to_owned() } else { parts.join(", ") };
    if let (None, Some(file)) = (&loaded.file, &loaded.default_file) {
        found.push_str(&format!("; there is no {}", file.display()));
    }
    let mut checks = vec![Check::good("settings", found)];
    checks.extend(
        loaded
            .config
            .hints()
            .iter()
            .map(|hint| Check::warning("settings", hint.clone(), "Set it properly, or take it away")),
    );
    let holds_secret = context.table.secrets().any(|row| {
        matches!(loaded.config.secret(row.key), Some(SecretSource::Value(_)))
            && matches!(loaded.place(row.key), Some(Place::File { .. }))
    });
    if let Some(file) = loaded.file.as_deref().filter(|file| holds_secret && others_can_read(file)) {
        checks.push(Check::warning(
            "settings",
            format!("{} holds a credential, and others on this machine can read it", file.display()),
            format!("chmod 600 {}", file.display()),
        ));
    }
    checks
}

/// Whose account is used, and whether each credential that is set can be had.
fn credentials(context: &Context<'_, '_>) -> Vec<Check> {
    let about = context.table.about();
    if context.loaded.config.switch("sandbox") {
        let found =
            format!("the built-in fake of {}: no account is used, nothing real is touched", about.title);
        return vec![Check::good("sandbox", found)];
    }
    let mut checks = Vec::new();
    if let (Some(url), Some(place)) = (context.loaded.config.text("api-url"), context.loaded.place("api-url"))
    {
        // An address with a password in it is refused, and must not be shown while that is told.
        let url = if setup::carries_password(url) { "an address with a password" } else { url };
        checks.push(Check::good("api", format!("{url} from {place}")));
    }
    let before = checks.len();
    checks.extend(context.table.secrets().filter_map(|row| credential(context, row)));
    if checks.len() > before {
        return checks;
    }
    let variable = context.table.secrets().next().map(|row| row.env.to_string()).unwrap_or_default();
    let fix = format!(
        "Set {variable}, or name a file that holds it with {variable}_FILE. Where to get one: {}",
        about.credential_help
    );
    checks.push(Check::bad("credential", "none is set", fix));
    checks
}

fn credential(context: &Context<'_, '_>, row: &Row) -> Option<Check> {
    let source = context.loaded.config.secret(row.key)?;
    let place = context.loaded.place(row.key).map(ToString::to_string).unwrap_or_default();
    let path = match source {
        SecretSource::Value(_) => {
            return Some(Check::good("credential", format!("`{}` from {place}", row.key)));
        }
        SecretSource::File(path) => path,
    };
    let found = format!("`{}` from {place}, the file {}", row.key, path.display());
    Some(match fs::read_to_string(&path) {
        Ok(text) if Secret::new(&text).is_empty() => Check::bad(
            "credential",
            format!("{found}, which is empty"),
            "Put the credential into it, and nothing else",
        ),
        Ok(_) if others_can_read(&path) => Check::warning(
            "credential",
            format!("{found}, which others on this machine can read"),
            format!("chmod 600 {}", path.display()),
        ),
        Ok(_) => Check::good("credential", found),
        Err(error) => Check::bad(
            "credential",
            format!("{found}, which cannot be read: {error}"),
            "Name a file that exists and that this user can read",
        ),
    })
}

/// Whether the files and folders that the settings name are there.
fn files(context: &Context<'_, '_>) -> Vec<Check> {
    let named = |key| context.loaded.config.path(key).cloned();
    let mut checks = Vec::new();
    let mut look = |name, path: Option<PathBuf>, good: fn(&Path) -> bool, wanted: &str| {
        let Some(path) = path else { return };
        checks.push(if good(&path) {
            Check::good(name, path.display().to_string())
        } else {
            Check::bad(
                name,
                format!("{} is no {wanted}", path.display()),
                format!("Name a {wanted} that this user can read"),
            )
        });
    };
    look("upload-root", named("upload-root"), |path| fs::read_dir(path).is_ok(), "folder");
    look("ca-file", named("ca-file"), |path| fs::File::open(path).is_ok() && path.is_file(), "file");
    look(
        "api-keys-file",
        named("api-keys-file"),
        |path| fs::File::open(path).is_ok() && path.is_file(),
        "file",
    );
    checks
}

/// Whether the server may listen where it is told to.
fn listening(context: &Context<'_, '_>) -> Option<Check> {
    let text = context.loaded.config.text("http")?;
    let address: SocketAddr = match setup::listen(text) {
        Some(address) => address,
        None => {
            let fix = "Give an address and a port, such as 127.0.0.1:8080";
            return Some(Check::bad("http", format!("`{text}` is no address"), fix));
        }
    };
    let guarded = context.loaded.config.path("api-keys-file").is_some();
    Some(if guarded || address.ip().is_loopback() {
        Check::good("http", address.to_string())
    } else {
        let program = context.table.about().program;
        Check::bad(
            "http",
            format!("{address} can be reached from other machines, and there are no keys to tell callers by"),
            format!("Make keys with `{program} keys new NAME` and name their file with --api-keys-file"),
        )
    })
}

fn offered<S: Connector>(context: &Context<'_, '_>) -> Result<Check, Failure> {
    let catalog = setup::catalog::<S>(&context.loaded)?;
    let list = List::new(&catalog, &context.loaded)?;
    let (count, tokens) = (list.len(), list.tokens());
    Ok(match count {
        0 => Check::warning(
            "tools",
            "none is offered",
            "Look at --toolsets, --tools, --exclude-tools and --read-only",
        ),
        _ => Check::good("tools", format!("{count} offered, about {tokens} tokens")),
    })
}

/// Whether others than the owner can read a file.
fn others_can_read(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Mounted secrets belong to root and are read through the group: only the world counts.
        fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

fn word(state: CheckState) -> &'static str {
    match state {
        CheckState::Good => "good",
        CheckState::Warning => "warning",
        CheckState::Bad => "bad",
        CheckState::Skipped => "skipped",
    }
}

fn report(context: &Context<'_, '_>, checks: &[Check]) -> String {
    let about = context.table.about();
    let mut text = format!("{} {} for {}\n\n", about.program, about.version, about.title);
    let names = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let column = 2 + 9 + names + 2;
    for check in checks {
        let head = format!("  {:<9}{}", word(check.state), check.name);
        text.push_str(&beside(&head, column, &check.found));
        if let Some(fix) = &check.fix {
            text.push_str(&beside("", column, &format!("fix: {fix}")));
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let _ = match (count(CheckState::Bad), count(CheckState::Warning)) {
        (0, 0) => writeln!(text, "\nEverything works."),
        (0, warnings) => writeln!(text, "\nIt works; {warnings} could be better."),
        (bad, 0) => writeln!(text, "\n{bad} to put right."),
        (bad, warnings) => writeln!(text, "\n{bad} to put right, {warnings} could be better."),
    };
    text
}

fn report_json(context: &Context<'_, '_>, checks: &[Check], bad: bool) -> String {
    let about = context.table.about();
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            let mut entry = json!({"name": check.name, "state": word(check.state), "found": check.found});
            if let (Some(fix), Value::Object(entry)) = (&check.fix, &mut entry) {
                entry.insert("fix".to_owned(), Value::String(fix.clone()));
            }
            entry
        })
        .collect();
    pretty(&json!({"program": about.program, "version": about.version, "healthy": !bad, "checks": checks}))
}
