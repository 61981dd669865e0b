//! Search queries: words, phrases, qualifiers, `AND`, `OR`, `NOT` and brackets (docs.github.com, "Understanding the
//! search syntax", "Searching issues and pull requests").

use super::super::super::errors::{ApiError, Outcome};

/// The longest query, in characters, and the most operators ("Limitations on query length").
const LONGEST: usize = 256;
const MOST_OPERATORS: usize = 5;

/// Qualifiers of which several mean any of them. Of others several mean all.
const ANY_OF: [&str; 12] = [
    "repo",
    "org",
    "user",
    "author",
    "assignee",
    "committer",
    "language",
    "extension",
    "filename",
    "path",
    "type",
    "milestone",
];

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Query {
    And(Vec<Query>),
    Or(Vec<Query>),
    Not(Box<Query>),
    /// A word or a phrase, in lower case.
    Text(String),
    Qualifier {
        name: String,
        value: String,
    },
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// 422 for one that is empty or too long.
    pub(in super::super) fn parse(text: Option<&str>) -> Outcome<Self> {
        let text = text.ok_or_else(|| ApiError::validation("Search", "q", "missing"))?;
        let long = |words: &str| ApiError::custom("Search", "q", words);
        let tokens = tokens(text);
        let said: usize = tokens.iter().filter(|token| matches!(token, Token::Text(_))).map(Token::len).sum();
        if said > LONGEST {
            return Err(long("The search is longer than 256 characters."));
        }
        let operators = tokens.iter().filter(|token| token.is_operator()).count();
        if operators > MOST_OPERATORS {
            return Err(long("More than five AND / OR / NOT operators were used."));
        }
        let mut rest = tokens.as_slice();
        Ok(alternatives(&mut rest))
    }

    /// Whether something fits, by what `leaf` says of a text or a qualifier.
    pub(super) fn fits(&self, leaf: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.fits(leaf)),
            Self::Not(part) => !part.fits(leaf),
            Self::Text(_) | Self::Qualifier { .. } => leaf(self),
            Self::And(parts) => parts.iter().all(|part| match part {
                Self::Qualifier { name, .. } if ANY_OF.contains(&name.as_str()) => {
                    let mut same = parts.iter().filter(|other| other.is_called(name));
                    same.any(leaf)
                }
                other => other.fits(leaf),
            }),
        }
    }

    fn is_called(&self, wanted: &str) -> bool {
        matches!(self, Self::Qualifier { name, .. } if name == wanted)
    }

    /// The values of a qualifier, wherever it stands.
    pub(in super::super) fn values(&self, wanted: &str) -> Vec<&str> {
        let mut found = Vec::new();
        self.walk(&mut |part| {
            if let Self::Qualifier { name, value } = part
                && name == wanted
            {
                found.push(value.as_str());
            }
        });
        found
    }

    /// The words and phrases that are looked for.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.walk(&mut |part| {
            if let Self::Text(text) = part {
                found.push(text.as_str());
            }
        });
        found
    }

    /// Goes through all parts but those that are excluded.
    fn walk<'q>(&'q self, see: &mut dyn FnMut(&'q Self)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.walk(see)),
            Self::Not(_) => {}
            Self::Text(_) | Self::Qualifier { .. } => see(self),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    /// A phrase in quotes.
    Phrase(String),
    /// A word, or a qualifier with its value.
    Text(String),
}

impl Token {
    fn is_operator(&self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Not)
    }

    fn len(&self) -> usize {
        if let Self::Text(text) | Self::Phrase(text) = self { text.chars().count() } else { 0 }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&next) = chars.peek() {
        match next {
            _ if next.is_whitespace() => drop(chars.next()),
            '(' => {
                chars.next();
                tokens.push(Token::Open);
            }
            ')' => {
                chars.next();
                tokens.push(Token::Close);
            }
            _ => {
                let begins_quoted = next == '"';
                let mut word = String::new();
                let mut quoted = false;
                while let Some(&c) = chars.peek() {
                    if c == '"' {
                        quoted = !quoted;
                    } else if !quoted && (c.is_whitespace() || c == '(' || c == ')') {
                        break;
                    } else {
                        word.push(c);
                    }
                    chars.next();
                }
                tokens.push(match word.as_str() {
                    _ if begins_quoted => Token::Phrase(word),
                    "AND" => Token::And,
                    "OR" => Token::Or,
                    "NOT" => Token::Not,
                    _ => Token::Text(word),
                });
            }
        }
    }
    tokens
}

fn alternatives(rest: &mut &[Token]) -> Query {
    let mut parts = vec![all(rest)];
    while let Some((Token::Or, more)) = rest.split_first() {
        *rest = more;
        parts.push(all(rest));
    }
    if parts.len() == 1 { parts.swap_remove(0) } else { Query::Or(parts) }
}

fn all(rest: &mut &[Token]) -> Query {
    let mut parts = Vec::new();
    while let Some((token, more)) = rest.split_first() {
        match token {
            Token::Or | Token::Close => break,
            Token::And => *rest = more,
            _ => parts.extend(one(rest)),
        }
    }
    Query::And(parts)
}

fn one(rest: &mut &[Token]) -> Option<Query> {
    let (token, more) = rest.split_first()?;
    *rest = more;
    match token {
        Token::Not => one(rest).map(|part| Query::Not(Box::new(part))),
        Token::Open => {
            let inner = alternatives(rest);
            if let Some((Token::Close, more)) = rest.split_first() {
                *rest = more;
            }
            Some(inner)
        }
        Token::Phrase(phrase) => Some(Query::Text(phrase.to_lowercase())),
        Token::Text(text) => Some(leaf(text)),
        Token::Close | Token::And | Token::Or => None,
    }
}

/// A word or a qualifier; `-` before it excludes.
fn leaf(text: &str) -> Query {
    if let Some(rest) = text.strip_prefix('-').filter(|rest| !rest.is_empty()) {
        return Query::Not(Box::new(leaf(rest)));
    }
    match text.split_once(':') {
        Some((name, value)) if is_name(name) && !value.is_empty() => {
            Query::Qualifier { name: name.to_lowercase(), value: value.to_owned() }
        }
        _ => Query::Text(text.to_lowercase()),
    }
}

/// Whether this stands before a colon as the name of a qualifier, and is no `http` or `src::path`.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !matches!(name, "http" | "https")
        && name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '_')
}

/// Whether a time is within a qualifier's range: `2026-11-22`, `>=2026-11-01`, `2026-11-01..2026-11-30`, `*..2026-11-30`.
pub(super) fn in_range(time: &str, range: &str) -> bool {
    // Times and days compare as texts; a day means all of it.
    let upper = |bound: &str| if bound.len() <= 10 { format!("{bound}T23:59:59Z") } else { bound.to_owned() };
    let after = |bound: &str| bound == "*" || time >= bound;
    let before = |bound: &str| bound == "*" || time <= upper(bound).as_str();
    if let Some((from, to)) = range.split_once("..") {
        after(from) && before(to)
    } else if let Some(bound) = range.strip_prefix(">=") {
        after(bound)
    } else if let Some(bound) = range.strip_prefix("<=") {
        before(bound)
    } else if let Some(bound) = range.strip_prefix('>') {
        time > upper(bound).as_str()
    } else if let Some(bound) = range.strip_prefix('<') {
        time < bound
    } else {
        after(range) && before(range)
    }
}

/// The same of numbers.
pub(super) fn number_in(number: usize, range: &str) -> bool {
    let parse = |text: &str| text.parse::<usize>().ok();
    if let Some((from, to)) = range.split_once("..") {
        parse(from).is_none_or(|from| number >= from) && parse(to).is_none_or(|to| number <= to)
    } else if let Some(bound) = range.strip_prefix(">=") {
        parse(bound).is_some_and(|bound| number >= bound)
    } else if let Some(bound) = range.strip_prefix("<=") {
        parse(bound).is_some_and(|bound| number <= bound)
    } else if let Some(bound) = range.strip_prefix('>') {
        parse(bound).is_some_and(|bound| number > bound)
    } else if let Some(bound) = range.strip_prefix('<') {
        parse(bound).is_some_and(|bound| number < bound)
    } else {
        parse(range) == Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(query: &str, text: &str) -> bool {
        let query = Query::parse(Some(query)).unwrap();
        query.fits(&|leaf| match leaf {
            Query::Text(word) => text.contains(word.as_str()),
            Query::Qualifier { name, value } => text.contains(&format!("{name}={value}")),
            _ => false,
        })
    }

    #[test]
    fn words_are_all_wanted_and_operators_do_as_they_say() {
        assert!(fits("one two", "one two three") && !fits("one four", "one two"));
        assert!(fits("one OR four", "one") && fits("NOT four", "one") && !fits("-one", "one"));
        assert!(fits("(one OR two) three", "two three") && !fits("(one OR two) three", "two"));
        assert!(fits("\"two three\"", "one two three") && !fits("\"one three\"", "one two three"));
    }

    #[test]
    fn several_repositories_mean_any_and_several_labels_all() {
        assert!(fits("repo:a/b repo:c/d", "repo=c/d"));
        assert!(!fits("label:bug label:P1", "label=bug") && fits("label:bug label:P1", "label=bug label=P1"));
        let query = Query::parse(Some("repo:a/b label:\"good first issue\" timeout")).unwrap();
        assert_eq!((query.values("label"), query.texts()), (vec!["good first issue"], vec!["timeout"]));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert!(Query::parse(Some(&"x".repeat(257))).is_err() && Query::parse(None).is_err());
        assert!(Query::parse(Some("a OR b OR c OR d OR e OR f OR g")).is_err());
    }

    #[test]
    fn a_day_means_all_of_it() {
        let noon = "2026-11-22T12:00:00Z";
        for range in [
            "2026-11-22",
            ">=2026-11-22",
            "<=2026-11-22",
            "2026-11-01..2026-11-22",
            "*..2026-11-23",
            ">2026-11-21",
        ] {
            assert!(in_range(noon, range), "{range}");
        }
        for range in ["2026-11-21", ">2026-11-22", "<2026-11-22", "2026-11-23..*"] {
            assert!(!in_range(noon, range), "{range}");
        }
        assert!(number_in(3, ">2") && number_in(3, "1..3") && !number_in(3, "<3"));
    }
}
