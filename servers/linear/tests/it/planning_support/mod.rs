//! The server against its sandbox over real HTTP, called as a client would, with replies in which what
//! differs from day to day is replaced.

use std::{ops::Deref, path::PathBuf, time::Duration};

pub(crate) use connector::testing::cursor;
use connector::{
    Connector as _, Secret,
    sandbox::Harness,
    settings::Value as Setting,
    testing::{Options, Sandboxed},
};
use jiff::civil::Date;
use linear_mcp::Linear;
use serde_json::Value;

/// Texts that are shown otherwise than they are stored: a title, what is stored, a passage as it is shown, and what is
/// stored after that passage has become `a\nc`.
pub(crate) const SHOWN_OTHERWISE: [(&str, &str, &str, &str); 2] = [
    ("Sent by a browser", "a\r\nb", "a\nb", "a\r\nc"),
    ("Copied from a page", "foo\u{200b}bar", "foobar", "a\nc"),
];

/// The server, and the fake Linear it talks to.
pub(crate) struct Site {
    server: Sandboxed<Linear>,
    today: Date,
}

impl Deref for Site {
    type Target = Sandboxed<Linear>;

    fn deref(&self) -> &Self::Target {
        &self.server
    }
}

/// A server with every toolset.
pub(crate) async fn site() -> Site {
    site_with(None).await
}

/// A server that may upload files from `upload_root`.
pub(crate) async fn site_with(upload_root: Option<PathBuf>) -> Site {
    // As for Linear itself.
    let (key, value) = Linear::sandbox().unwrap().credential;
    let mut settings = vec![(key, Setting::Secret(Secret::new(value)))];
    settings.extend(upload_root.map(|root| ("upload-root", Setting::Path(root))));
    let options = Options { allow_destructive: true, settings, ..Options::everything() };
    let server = Sandboxed::<Linear>::start_with(options).await;
    let today = at_noon(server.harness());
    Site { server, today }
}

/// Sets the fake's clock to noon of its day, so that an age such as `3d` reaches back to the same
/// issues whenever the tests run; answers which day that is.
fn at_noon(harness: &Harness) -> Date {
    let (clock, day) = (harness.clock(), Duration::from_secs(86_400));
    let today = clock.today();
    let since_midnight = Duration::from_nanos((clock.now().as_nanos() % day.as_nanos()) as u64);
    match (day / 2).checked_sub(since_midnight) {
        Some(ahead) => clock.advance(ahead),
        None => clock.set_back(since_midnight - day / 2),
    }
    today
}

impl Site {
    /// What the agent reads of a call, be it an error.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.steady(&self.reply(tool, arguments).await)
    }

    /// The same as it is.
    pub(crate) async fn raw(&self, tool: &str, arguments: Value) -> String {
        self.reply(tool, arguments).await
    }

    /// What the agent reads of a resource.
    pub(crate) async fn read(&self, uri: &str) -> String {
        self.steady(&self.server.read(uri).await)
    }

    /// What the agent reads of a prompt.
    pub(crate) async fn prompt(&self, name: &str, arguments: &[(&str, &str)]) -> String {
        self.steady(&self.server.prompt(name, arguments).await)
    }

    /// The date so many days from today.
    pub(crate) fn day(&self, days: i64) -> String {
        (self.today + jiff::Span::new().days(days)).to_string()
    }

    /// `text` with days as offsets from today, and without what is random.
    fn steady(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let at_word = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
            if at_word && let Some(id) = rest.get(..36).filter(|id| uuid::Uuid::try_parse(id).is_ok()) {
                out.push_str("[uuid]");
                rest = &rest[id.len()..];
            } else if at_word && let Some(date) = rest.get(..10).and_then(|word| word.parse::<Date>().ok()) {
                let days = (date - self.today).get_days();
                out.push_str(&format!("D{days:+}"));
                rest = &rest[10..];
                // A moment written by the fake's clock, not by the story.
                if days == 0
                    && let Some(time) =
                        rest.get(..14).filter(|time| time.starts_with('T') && time.ends_with('Z'))
                {
                    out.push_str("T[now]Z");
                    rest = &rest[time.len()..];
                }
            } else if at_word && let Some(slug) = rest.get(..12).filter(|word| is_new_slug(word)) {
                out.push_str("[slug]");
                rest = &rest[slug.len()..];
            } else if let Some(word) = rest.strip_prefix("<data ").or_else(|| rest.strip_prefix("</data ")) {
                out.push_str(&rest[..rest.len() - word.len()]);
                out.push('~');
                rest = &word[10..];
            } else {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        let base = self.running().url().to_string();
        without_cursors(&out.replace(base.trim_end_matches('/'), "[sandbox]"))
    }
}

/// Whether `word` is the id in an address of something that the story does not know.
fn is_new_slug(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && !linear_mcp::sandbox::seed().contains(word)
}

/// Cursors hold ids and digests.
fn without_cursors(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("cursor \"") {
        out.push_str(before);
        out.push_str("cursor \"…");
        rest = after.split_once('"').map_or("", |(cursor, _)| &after[cursor.len()..]);
    }
    out.push_str(rest);
    out
}
