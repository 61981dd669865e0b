//! Who a text mentions, and so who would be told of it.

/// The people and teams that `body` mentions as GitHub reads it: not in code, not in e-mail addresses.
/// Whether they exist and may see it, only GitHub knows.
pub(crate) fn mentions(body: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in outside_code(body) {
        let mut rest = text;
        let mut before = None;
        while let Some((head, tail)) = rest.split_once('@') {
            before = head.chars().last().or(before);
            let end = tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '/'));
            let name = tail[..end.unwrap_or(tail.len())].trim_end_matches(['-', '/']);
            let parts: Vec<&str> = name.split('/').collect();
            let good = !name.is_empty()
                && parts.len() <= 2
                && parts.iter().all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric()));
            let begins = before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '@')));
            let mention = format!("@{name}");
            if good && begins && !found.iter().any(|other| other.eq_ignore_ascii_case(&mention)) {
                found.push(mention);
            }
            before = Some('@');
            rest = tail;
        }
    }
    found
}

/// The lines of a Markdown text, and what of them is no code.
fn outside_code(body: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut fence: Option<&str> = None;
    for line in body.lines() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, Some(mark)) => fence = Some(mark),
            // Between back-ticks every other part is code.
            (None, None) => parts.extend(line.split('`').step_by(2)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_teams_are_mentioned_but_not_in_code_or_addresses() {
        let body = "@tomas, see (@harbor-example/imports) and @Tomas.\nMail ops@harbor.example or `@decorator`.\n\
            ```rust\n@not_this\n```\n@priya- @a/b/c @-x";
        assert_eq!(mentions(body), ["@tomas", "@harbor-example/imports", "@priya"]);
        assert!(mentions("nobody@, @ and @@").is_empty());
    }
}
