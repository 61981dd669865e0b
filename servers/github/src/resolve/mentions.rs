//! Who a text mentions, and so who would be told of it.

use connector::catalog::markdown;

/// The people (`tomas`) and teams (`acme/imports`) that `text` mentions as GitHub reads it and that
/// `before` did not. Whether they exist and may see it, only GitHub knows. A login ends where no letter,
/// digit or hyphen follows; where an underscore follows, or a dot and more, nobody is mentioned
/// (github.com/gjtorikian/html-pipeline, `MentionFilter`).
pub(crate) fn mentions<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let is_login = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let mut found = markdown::mentioned(text, before, |c| c.is_ascii_alphanumeric() || "-/._".contains(c));
    found.retain(|name| name.split('/').count() <= 2 && name.split('/').all(is_login));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_teams_are_mentioned_but_not_in_code_or_addresses() {
        let body = "@tomas, see (@harbor-example/imports) and @Tomas.\nMail ops@harbor.example or `@decorator`.\n\
            ```rust\n@not_this\n```\n@priya- @a/b/c @-x";
        assert_eq!(mentions(body, ""), ["tomas", "harbor-example/imports", "priya"]);
        assert!(mentions("nobody@, @ and @@", "").is_empty());
    }

    #[test]
    fn a_name_with_a_dot_or_an_underscore_is_not_the_login_before_it() {
        assert!(mentions("@jonas.weber and @jonas_w", "").is_empty());
        assert_eq!(mentions("ask @jonas.", ""), ["jonas"]);
    }
}
