//! Filters that stand in the query, as people write them in Slack. Those that are arguments here are taken as such;
//! the others go to Slack with its own names for people and channels, and the reply tells them.

use connector::{
    Error, Result,
    catalog::{Calendar, one_line},
};

use super::{Has, Search};
use crate::{policy::Policy, workspace::Workspace};

/// Slack's filters (slack.com/help/articles/202528808-Search-in-Slack).
const NAMES: &[&str] =
    &["in", "from", "with", "to", "has", "hasmy", "is", "before", "after", "on", "during", "creator"];

/// A filter that is no argument here, as it was written: `-from` and `@tomas`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    name: String,
    value: String,
}

/// A filter that is no argument here, with its name resolved.
#[derive(Clone, Debug)]
pub(super) struct Other {
    /// As Slack takes it.
    pub(super) wire: String,
    /// In words.
    pub(super) told: String,
    /// Whose messages, and what conversations', are shut out.
    pub(super) not: Option<String>,
}

/// Takes the filters out of the query: those that are arguments become them, the others are given back.
///
/// # Errors
/// `invalid_argument` for a filter that says something else than the argument of its name.
pub(super) fn take(args: &mut Search) -> Result<Vec<Written>> {
    let query = args.query.take().unwrap_or_default();
    let (mut words, mut others) = (Vec::new(), Vec::new());
    for part in parts(&query) {
        let Some((name, value)) = filter(part) else {
            words.push(part);
            continue;
        };
        let low = name.to_lowercase();
        let is_day = || Calendar::new(None).past("on", value).is_ok();
        let taken = match low.as_str() {
            "in" => give(&mut args.r#in, "in", value)?,
            "from" => give(&mut args.from, "from", value)?,
            "after" => give(&mut args.after, "after", value)?,
            "before" => give(&mut args.before, "before", value)?,
            "on" | "during" if is_day() => {
                give(&mut args.after, "after", value)? && give(&mut args.before, "before", value)?
            }
            "has" => {
                let has = match value {
                    "link" => Some(Has::Link),
                    "file" => Some(Has::File),
                    "pin" => Some(Has::Pin),
                    _ => None,
                };
                // There may be several: the others go to Slack.
                let free = has.is_some() && args.has.is_none_or(|had| Some(had) == has);
                if free {
                    args.has = has;
                }
                free
            }
            _ => false,
        };
        if !taken {
            others.push(Written { name: low, value: value.to_owned() });
        }
    }
    args.query = Some(words.join(" "));
    Ok(others)
}

/// Puts `value` into an argument that is not given, or is the same.
fn give(slot: &mut Option<String>, name: &str, value: &str) -> Result<bool> {
    let given = slot.as_deref().map(str::trim).filter(|given| !given.is_empty());
    match given {
        Some(given) if given != value => Err(Error::invalid(format!(
            "`{name}` is given twice: {} and {}",
            one_line(given),
            one_line(value)
        ))
        .with_hint("One search takes one of it; search twice for both")),
        _ => {
            *slot = Some(value.to_owned());
            Ok(true)
        }
    }
}

/// The parts of a query: words, and what stands in quotes whole.
fn parts(query: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = query.split(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// The name and the value of a part that is a filter.
fn filter(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once(':')?;
    let value = value.trim_matches('"').trim();
    let bare = name.strip_prefix('-').unwrap_or(name).to_lowercase();
    (NAMES.contains(&bare.as_str()) && !value.is_empty() && !value.starts_with("//")).then_some((name, value))
}

/// The filters with people and channels by the ids that Slack takes.
///
/// # Errors
/// Why a name is nobody's.
pub(super) async fn resolve(
    workspace: &Workspace,
    policy: &Policy,
    written: Vec<Written>,
) -> Result<Vec<Other>> {
    let mut others = Vec::new();
    for Written { name, value } in written {
        let names = workspace.names();
        let (bare, shut) = name.strip_prefix('-').map_or((name.as_str(), false), |bare| (bare, true));
        let other = match bare {
            "in" => {
                let channel = names.channel(&value).await?;
                policy.reads(&channel)?;
                let title = names.title(&channel).await;
                (format!("{name}:<#{}>", channel.id), format!("{name} {title}"), Some(channel.id))
            }
            "from" | "with" | "to" | "creator" if !value.starts_with('#') => {
                let user = names.anybody(policy, &value).await?;
                (format!("{name}:<@{}>", user.id), format!("{name} {}", user.told()), Some(user.id))
            }
            _ => {
                let whole = format!("{name}:{value}");
                (whole.clone(), format!("{}, as Slack applies it", one_line(&whole)), None)
            }
        };
        let (wire, told, id) = other;
        let checked = shut && matches!(bare, "in" | "from");
        let told = if checked || id.is_none() { told } else { format!("{told}, as Slack applies it") };
        others.push(Other { wire, told, not: id.filter(|_| checked) });
    }
    Ok(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(query: &str) -> (Search, Vec<String>) {
        let mut args = Search { query: Some(query.to_owned()), ..Search::default() };
        let others = take(&mut args).unwrap();
        (args, others.into_iter().map(|other| format!("{}:{}", other.name, other.value)).collect())
    }

    #[test]
    fn filters_in_the_query_become_arguments_or_are_given_back_and_words_stay() {
        let (args, others) = taken("v2.14 has:pin from:@tomas in:#general before:2026-11-28");
        assert_eq!(args.query.as_deref(), Some("v2.14"));
        assert!(matches!(args.has, Some(Has::Pin)) && others.is_empty());
        assert_eq!((args.from.as_deref(), args.r#in.as_deref()), (Some("@tomas"), Some("#general")));
        assert_eq!((args.before.as_deref(), args.after), (Some("2026-11-28"), None));
        let (args, others) = taken("import is:thread -from:@maya With:@grace has::eyes: during:november");
        assert_eq!(args.query.as_deref(), Some("import"));
        assert_eq!(others, ["is:thread", "-from:@maya", "with:@grace", "has::eyes:", "during:november"]);
        let (args, others) = taken("x on:2026-11-28 has:link has:file");
        assert_eq!((args.after.as_deref(), args.before.as_deref()), (Some("2026-11-28"), Some("2026-11-28")));
        assert!(matches!(args.has, Some(Has::Link)) && others == ["has:file"]);
        let (args, others) =
            taken("from:\"Maya Lindqvist\" \"error in:production\" https://a.example error:timeout");
        assert_eq!(args.from.as_deref(), Some("Maya Lindqvist"));
        assert_eq!(args.query.as_deref(), Some("\"error in:production\" https://a.example error:timeout"));
        assert!(others.is_empty());
    }

    #[test]
    fn a_filter_that_says_something_else_than_the_argument_is_refused() {
        let mut args = Search {
            query: Some("x from:@maya".to_owned()),
            from: Some("@tomas".to_owned()),
            ..Search::default()
        };
        assert!(take(&mut args).unwrap_err().for_agent().contains("`from` is given twice"));
    }
}
