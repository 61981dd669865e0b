//! The query that is sent: what was asked for, kept within reach, and refused here if GitHub would.

use connector::{Error, Kind, Result, catalog::one_line};

use super::What;
use crate::{bounds::RepositoryBounds, repo::Repo};

/// Characters that GitHub takes, without qualifiers and operators (docs.github.com, "Limitations on query
/// length").
const LONGEST: usize = 256;
/// AND, OR and NOT that it takes.
const OPERATORS: usize = 5;
/// Places that are put behind a query at most: more would make an address that is too long.
const MOST_PLACES: usize = 40;
/// Qualifiers that say where to look.
const PLACES: [&str; 4] = ["repo", "org", "user", "owner"];

/// The whole query. `known` are repositories that the credential sees, for bounds that no qualifier can say.
///
/// # Errors
/// `invalid_argument` for one that GitHub refuses; `policy` for one that looks where this server may not.
pub(super) fn build(
    bounds: &RepositoryBounds,
    known: &[String],
    what: What,
    query: &str,
    repo: Option<&Repo>,
) -> Result<String> {
    let words = words(query);
    limits(what, &words)?;
    let narrow = bounds.is_narrow() && what.is_in_repositories();
    let either = words.iter().any(|word| word == "OR");
    let mut parts = vec![query.trim().to_owned()];
    if narrow && repo.is_none() {
        words
            .iter()
            .filter_map(|word| place(word))
            .try_for_each(|(name, value)| within(bounds, name, value))?;
    }
    if narrow || repo.is_some() {
        whole(query)?;
        if either {
            // OR binds less than what is put behind it.
            if !matches!(what, What::Issues | What::Prs) {
                return Err(Error::invalid(
                    "A search within some repositories takes OR for issues and prs only",
                )
                .with_hint("Split it into several searches"));
            }
            parts = vec![format!("({})", query.trim())];
        }
    }
    parts.extend(kind(what, &words)?);
    if let Some(repo) = repo {
        if words.iter().filter_map(|word| place(word)).next().is_some() {
            return Err(Error::invalid("The query says where to look, and `repo` too")
                .with_hint("Use one of the two"));
        }
        parts.push(format!("repo:{repo}"));
    } else if narrow {
        // A place that is only one choice, or where not to look, keeps nothing within reach.
        let before = std::iter::once("").chain(words.iter().map(String::as_str));
        let placed =
            !either && before.zip(&words).any(|(before, word)| before != "NOT" && place(word).is_some());
        if !placed {
            parts.extend(places(bounds, known, what, &words)?);
        }
        parts.extend(bounds.exclusions());
    }
    parts.retain(|part| !part.is_empty());
    Ok(parts.join(" "))
}

/// The qualifiers that keep a search within reach. In a search for issues several of them must be joined by OR
/// (github.blog changelog, 2025-03-06: a space between them means AND); elsewhere a space does that.
fn places(
    bounds: &RepositoryBounds,
    known: &[String],
    what: What,
    words: &[String],
) -> Result<Option<String>> {
    let places = bounds.qualifiers(known);
    if places.is_empty() && (bounds.patterns().readable().is_some() || !bounds.is_plain()) {
        return Err(Error::invalid("It is not known which repositories this server may search")
            .with_hint("Give `repo`"));
    }
    if places.len() > MOST_PLACES {
        return Err(too_many(places.len()));
    }
    if places.len() < 2 || !matches!(what, What::Issues | What::Prs) {
        return Ok((!places.is_empty()).then(|| places.join(" ")));
    }
    if operators(words) + places.len() - 1 > OPERATORS {
        return Err(too_many(places.len()));
    }
    Ok(Some(format!("({})", places.join(" OR "))))
}

fn too_many(places: usize) -> Error {
    Error::invalid(format!(
        "This server may read {places} places, too many to search at once beside this query"
    ))
    .with_hint("Give `repo`")
}

/// Whether what is put behind a query stands by itself there: no quote and no bracket is left open.
fn whole(query: &str) -> Result<()> {
    let (mut depth, mut quoted) = (0_i32, false);
    let mut good = !query.contains("\\\"");
    for c in query.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        good &= depth >= 0;
    }
    if good && depth == 0 && !quoted {
        return Ok(());
    }
    Err(Error::invalid("The query has a quote or a bracket without its other half")
        .with_hint("Quote what is meant as it stands: \"fn main(\""))
}

/// How many AND, OR and NOT a query has.
fn operators(words: &[String]) -> usize {
    words.iter().filter(|word| is_operator(word)).count()
}

fn is_operator(word: &str) -> bool {
    matches!(word, "AND" | "OR" | "NOT")
}

/// The words of a query; what stands in quotes is one word, brackets are none.
fn words(query: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in query.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            c if !quoted && (c.is_whitespace() || c == '(' || c == ')') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A word that is a qualifier: its name, in lower case, and its value.
fn qualifier(word: &str) -> Option<(String, &str)> {
    let word = word.strip_prefix('-').unwrap_or(word);
    let (name, value) = word.split_once(':')?;
    let good =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (good && !value.is_empty()).then(|| (name.to_lowercase(), value))
}

/// A word that says where to look; one that says where not to does no harm.
fn place(word: &str) -> Option<(&'static str, &str)> {
    if word.starts_with('-') {
        return None;
    }
    let (name, value) = qualifier(word)?;
    PLACES.into_iter().find(|place| *place == name).map(|place| (place, value.trim_matches('"')))
}

/// Whether a place is within reach.
fn within(bounds: &RepositoryBounds, qualifier: &str, value: &str) -> Result<()> {
    let good = if qualifier == "repo" {
        bounds.sees(value)
    } else {
        let all = format!("{}/*", value.to_lowercase());
        let whole = |pattern: &String| *pattern == all || pattern == "*/*";
        bounds.patterns().readable().is_none_or(|patterns| patterns.iter().any(whole))
            // What a pattern denies cannot be taken out of an owner's.
            && (bounds.is_plain() || bounds.patterns().denied().is_empty())
            && !bounds.patterns().denied().iter().any(whole)
    };
    if good {
        return Ok(());
    }
    Err(Error::new(
        Kind::Policy,
        format!("{qualifier}:{} is not within what this server may read", one_line(value)),
    )
    .with_hint("Leave it out: the search is kept within reach by itself. The operator lists repositories in --allow-repos"))
}

fn limits(what: What, words: &[String]) -> Result<()> {
    let operators = operators(words);
    if operators > OPERATORS {
        return Err(Error::invalid(format!(
            "The query has {operators} operators (AND, OR, NOT); GitHub takes {OPERATORS}"
        ))
        .with_hint("Split it into several searches"));
    }
    let terms: Vec<_> = words.iter().filter(|word| !is_operator(word) && qualifier(word).is_none()).collect();
    let length = terms.iter().map(|word| word.chars().count() + 1).sum::<usize>().saturating_sub(1);
    if length > LONGEST {
        return Err(Error::invalid(format!(
            "The query has {length} characters besides its qualifiers; GitHub takes {LONGEST}"
        ))
        .with_hint("Search for the few words that matter"));
    }
    if what == What::Code && terms.is_empty() {
        return Err(Error::invalid("A search for code needs a word to look for, besides qualifiers"));
    }
    if words.is_empty() && matches!(what, What::Repos | What::Commits | What::Users) {
        return Err(Error::invalid("`query` is empty"));
    }
    Ok(())
}

/// The qualifier that keeps to what is looked for. Issues and pull requests are one thing for GitHub's search,
/// and some tokens may not look for both at once.
fn kind(what: What, words: &[String]) -> Result<Option<String>> {
    let says = |wanted: &[&str]| {
        words.iter().filter(|word| !word.starts_with('-')).filter_map(|word| qualifier(word)).any(
            |(name, value)| {
                matches!(name.as_str(), "is" | "type") && wanted.contains(&value.to_lowercase().as_str())
            },
        )
    };
    let (issue, pull) = (says(&["issue"]), says(&["pr", "pull-request"]));
    let wrong = |kind: &str| {
        Err(Error::invalid("The query and `kind` disagree")
            .with_hint(format!("Use kind {kind} for this query")))
    };
    Ok(match what {
        What::Issues if pull => return wrong("prs"),
        What::Prs if issue => return wrong("issues"),
        What::Issues if !issue => Some("is:issue".to_owned()),
        What::Prs if !pull => Some("is:pr".to_owned()),
        What::Orgs => Some("type:org".to_owned()),
        What::Users if !says(&["user", "org"]) => Some("type:user".to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use connector::settings::{Config, Value};

    use super::*;

    fn bounds(patterns: &[&str]) -> RepositoryBounds {
        let mut config = Config::default();
        config.set("allow-repos", Value::List(patterns.iter().map(ToString::to_string).collect()));
        RepositoryBounds::new(&config).unwrap()
    }

    #[test]
    fn a_query_says_what_is_looked_for_and_where() {
        let wide = RepositoryBounds::default();
        let repo = Repo::parse("octo/cat").unwrap();
        let build = |what, query, repo| build(&wide, &[], what, query, repo).unwrap();
        assert_eq!(
            build(What::Issues, "504 label:\"good first issue\"", Some(&repo)),
            "504 label:\"good first issue\" is:issue repo:octo/cat"
        );
        assert_eq!(build(What::Prs, "is:pr is:open", None), "is:pr is:open");
        assert_eq!(build(What::Orgs, "harbor", None), "harbor type:org");
        assert_eq!(build(What::Code, "chunk org:octo", None), "chunk org:octo");
    }

    #[test]
    fn what_github_refuses_is_refused_before() {
        let wide = RepositoryBounds::default();
        let long = "x".repeat(257);
        for (what, query, says) in [
            (What::Issues, long.as_str(), "257 characters"),
            (What::Issues, "a OR b OR c OR d OR e OR f OR g", "6 operators (AND, OR, NOT)"),
            (What::Code, "language:rust", "needs a word"),
            (What::Issues, "is:pr x", "disagree"),
            (What::Repos, "  ", "empty"),
        ] {
            let error = build(&wide, &[], what, query, None).unwrap_err().for_agent();
            assert!(error.contains(says), "{error}");
        }
        // Neither qualifiers nor what stands in quotes count.
        let many = format!("{} \"a OR b OR c OR d OR e OR f OR g\"", "label:x ".repeat(60));
        assert!(build(&wide, &[], What::Issues, &many, None).is_ok());
    }

    #[test]
    fn a_search_is_kept_within_reach() {
        let narrow = bounds(&["octo/cat", "acme/*", "zoo/site-*"]);
        let known = ["Zoo/site-a", "acme/x", "zoo/secret"].map(str::to_owned);
        assert_eq!(
            build(&narrow, &known, What::Issues, "x -repo:octo/dog", None).unwrap(),
            "x -repo:octo/dog is:issue (repo:octo/cat OR repo:zoo/site-a OR user:acme)"
        );
        assert_eq!(
            build(&narrow, &known, What::Issues, "x repo:octo/cat", None).unwrap(),
            "x repo:octo/cat is:issue"
        );
        let places = "(repo:octo/cat OR repo:zoo/site-a OR user:acme)";
        for (query, sent) in [
            ("x OR y", "(x OR y) is:issue"),
            ("x OR repo:octo/cat", "(x OR repo:octo/cat) is:issue"),
            ("x NOT repo:octo/cat", "x NOT repo:octo/cat is:issue"),
        ] {
            assert_eq!(
                build(&narrow, &known, What::Issues, query, None).unwrap(),
                format!("{sent} {places}")
            );
        }
        let cat = Repo::parse("octo/cat").unwrap();
        assert_eq!(
            build(&RepositoryBounds::default(), &[], What::Prs, "x OR y", Some(&cat)).unwrap(),
            "(x OR y) is:pr repo:octo/cat"
        );
        for query in ["x\"", "x) OR (y", "(x", "\"x \\\" y\""] {
            assert!(build(&narrow, &known, What::Issues, query, None).is_err(), "{query}");
        }
        assert!(build(&narrow, &known, What::Code, "x OR y", None).is_err());
        assert_eq!(build(&narrow, &known, What::Issues, "x org:acme", None).unwrap(), "x org:acme is:issue");
        for query in
            ["x repo:octo/dog", "x (OR REPO:\"octo/dog\")", "x user:octo", "x org:zoo", "x owner:octo"]
        {
            assert_eq!(
                build(&narrow, &known, What::Code, query, None).unwrap_err().kind(),
                Kind::Policy,
                "{query}"
            );
        }
        assert_eq!(build(&narrow, &known, What::Users, "tomas", None).unwrap(), "tomas type:user");
        let none = bounds(&["zoo/site-*"]);
        assert!(build(&none, &[], What::Code, "x", None).unwrap_err().for_agent().contains("Give `repo`"));
    }

    #[test]
    fn what_is_denied_is_not_searched() {
        let mut config = Config::default();
        config.set("deny-repos", Value::List(["octo/dog", "zoo/*"].map(str::to_owned).to_vec()));
        let denying = RepositoryBounds::new(&config).unwrap();
        let build = |bounds: &RepositoryBounds, query| {
            build(bounds, &["octo/cat".to_owned()], What::Issues, query, None)
        };
        assert_eq!(build(&denying, "x").unwrap(), "x is:issue -repo:octo/dog -user:zoo");
        assert_eq!(build(&denying, "x org:octo").unwrap(), "x org:octo is:issue -repo:octo/dog -user:zoo");
        assert_eq!(build(&denying, "x org:zoo").unwrap_err().kind(), Kind::Policy);
        config.set("deny-repos", Value::List(vec!["*/secret-*".to_owned()]));
        let denying = RepositoryBounds::new(&config).unwrap();
        assert_eq!(build(&denying, "x").unwrap(), "x is:issue repo:octo/cat");
        assert_eq!(build(&denying, "x org:octo").unwrap_err().kind(), Kind::Policy);
    }
}
