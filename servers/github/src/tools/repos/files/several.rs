//! Several files in one reply, all at one commit: each is shown from its beginning, as far as its share goes.

use connector::{
    Error, Result,
    catalog::{Call, Reply, one_line},
};
use futures::future::join_all;

use super::{Found, MOST, Place, ReadFile, SHOWN, SNIFFED, file_path, numbered, peculiarities, refs};
use crate::{
    GitHub,
    api::contents::Content,
    render::{short_sha, thousands},
    repo::Repo,
};

/// Files of one call.
const FILES: usize = 20;

/// Reads `arguments.paths`. What cannot be read is said beside the others.
///
/// # Errors
/// Those of reading, if nothing could be read; `invalid_argument` for what goes with one file only.
pub(super) async fn read(call: Call<GitHub>, repo: Repo, arguments: &ReadFile) -> Result<Reply> {
    if arguments.start_line.is_some() || arguments.end_line.is_some() || arguments.blame.is_some() {
        return Err(Error::invalid("`start_line`, `end_line` and `blame` go with one `path`"));
    }
    if arguments.paths.len() > FILES {
        return Err(Error::invalid(format!(
            "`paths` has {}, and takes at most {FILES}",
            arguments.paths.len()
        )));
    }
    let paths = arguments.paths.iter().map(|path| file_path("paths", path)).collect::<Result<Vec<_>>>()?;
    let at = refs::resolve(&call, &repo, arguments.r#ref.as_deref()).await?;
    let places: Vec<Place> = paths
        .into_iter()
        .map(|path| Place { call: call.clone(), repo: repo.clone(), path, at: at.clone() })
        .collect();
    let mut answers = join_all(places.iter().map(text)).await;
    if answers.iter().all(std::result::Result::is_err)
        && let Some(Err(error)) = answers.pop()
    {
        return Err(error);
    }
    let read = answers.iter().filter(|answer| answer.is_ok()).count();
    let named = if at.name == at.sha { String::new() } else { format!("{} (", at.name) };
    let close = if named.is_empty() { "" } else { ")" };
    let mut reply =
        Reply::new(format!("{read} of {} files of {repo} at {named}commit {}{close}", places.len(), at.sha));
    let (mut left, mut shown) = (SHOWN, String::new());
    for (index, (place, answer)) in places.iter().zip(answers).enumerate() {
        let text = match answer {
            Ok(text) => text,
            Err(error) => {
                reply = reply.line(format!("- {}: {}", one_line(&place.path), error.for_agent()));
                continue;
            }
        };
        let lines: Vec<&str> = text.lines().collect();
        // What short files leave is shared among those that come.
        let room = left / (places.len() - index);
        let (body, upto) = numbered(&lines, 1, lines.len(), &[], room);
        left = left.saturating_sub(body.len());
        let total = lines.len();
        let mut line = format!("- {}: {} lines", one_line(&place.path), thousands(total as u64));
        if upto < total {
            line.push_str(&format!(", of which {upto} are shown: read_file with start_line={}", upto + 1));
        }
        for note in peculiarities(&text, upto == total) {
            line.push_str(&format!(". {}", note.trim_end_matches('.')));
        }
        shown.push_str(&format!("== {}\n{body}\n", place.path));
        reply = reply.line(line).outside(
            format!("{} at {}", one_line(&place.path), short_sha(&at.sha)),
            None,
            body,
        );
    }
    let all: Vec<_> = places.iter().map(|place| place.path.as_str()).collect();
    let found =
        Found { path: all.join(", "), commit: at.sha, kind: "files", text: Some(shown), ..Found::default() };
    Ok(reply.data(&found))
}

/// The text at a place.
async fn text(place: &Place) -> Result<String> {
    let api = place.call.api();
    let content = api.contents(&place.repo, &place.path, &place.at.sha).await;
    let (sha, size, bytes) = match content.map_err(|error| place.absent(error))? {
        Content::File { sha, size, bytes } => (sha, size, bytes),
        Content::Folder(_) => return Err(Error::invalid("it is a directory: list_tree lists it")),
        Content::Link { .. } | Content::Submodule { .. } => {
            return Err(Error::invalid(
                "it is a link or a submodule: read_file with this path alone shows it",
            ));
        }
    };
    let bytes = match bytes {
        Some(bytes) => bytes.to_vec(),
        None if size > MOST => {
            return Err(Error::invalid(format!("it has {} bytes: too large to be shown", thousands(size))));
        }
        None => api.blob(&place.repo, &sha, size).await?.to_vec(),
    };
    if bytes.iter().take(SNIFFED).any(|byte| *byte == 0) {
        return Err(Error::invalid(format!("it is a binary file of {} bytes", thousands(size))));
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("it is not UTF-8 text"))
}
