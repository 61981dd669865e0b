//! The comments of an issue or pull request: the last ones first, newest last on every page.

use connector::catalog::{Page, Position, excerpt, one_line};
use schemars::JsonSchema;
use serde::Serialize;

use super::head::reactions;
use crate::{
    api::{
        comments::{Comment, Said},
        issues::Conversation,
    },
    render,
    tools::FROM,
};

/// Characters of one comment in a listing.
const EXCERPT: usize = 3_000;
/// Characters of all comments of one page, so that the newest are never those that are cut.
const ROOM: usize = 14_000;

/// A comment.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    id: u64,
    author: String,
    at: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<String>,
}

impl Row {
    /// A comment by itself, with as much of its text as is shown.
    pub(super) fn of_comment(comment: &Comment, body: String) -> Self {
        Self {
            id: comment.id.parse().unwrap_or_default(),
            author: comment.user.login().to_owned(),
            at: comment.created_at.clone(),
            body,
            hidden: None,
        }
    }

    fn of_said(said: &Said) -> Self {
        let (mut body, cut) = excerpt(said.body.trim(), 0, EXCERPT);
        if let Some(cut) = cut {
            let shown = body.chars().count();
            let left = cut.trim_start_matches('[').split(' ').next().unwrap_or_default().to_owned();
            body.push_str(&format!(
                "\n[{left} more characters: get_issue with comment={}, offset={shown}]",
                one_line(&said.id)
            ));
        }
        Self {
            id: said.id.parse().unwrap_or_default(),
            author: said.author.login().to_owned(),
            at: said.created_at.clone(),
            body,
            hidden: said.is_minimized.then(|| one_line(&said.minimized_reason)),
        }
    }

    fn text(&self, said: &Said) -> String {
        let mut head = format!(
            "comment {} by @{}{}, {}",
            self.id,
            one_line(&self.author),
            author_association(&said.author_association),
            render::minute(&self.at)
        );
        if !said.last_edited_at.is_empty() {
            head.push_str(", edited");
        }
        let reactions = reactions(&said.reaction_groups);
        if !reactions.is_empty() {
            head.push_str(&format!(", {reactions}"));
        }
        if let Some(reason) = &self.hidden {
            head.push_str(&format!(", hidden as {reason}"));
        }
        head.push(':');
        for line in self.body.lines() {
            head.push_str("\n  ");
            head.push_str(line);
        }
        head
    }
}

/// How somebody outside stands to the repository, where that says something: ` (no member)`.
pub(crate) fn author_association(association: &str) -> String {
    match association {
        "OWNER" | "MEMBER" | "COLLABORATOR" | "" => String::new(),
        "CONTRIBUTOR" => " (contributor)".to_owned(),
        "FIRST_TIMER" | "FIRST_TIME_CONTRIBUTOR" => " (first contribution)".to_owned(),
        _ => " (outsider)".to_owned(),
    }
}

/// How many of the last comments of what came fit a page, before `position.skip` is taken off.
pub(super) fn shown(conversation: &Conversation, position: &Position) -> usize {
    let comments = conversation.comments();
    let mut room = ROOM;
    let fitting = comments
        .iter()
        .rev()
        .take_while(|(_, said)| {
            let size = said.body.chars().count().min(EXCERPT) + 80;
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        })
        .count();
    fitting.max(usize::from(comments.len() > position.skip))
}

/// The page of the last `shown` comments, those before `position.skip` left out, and the cursor for those
/// before them; with their data and that cursor.
pub(super) fn page(
    conversation: &Conversation,
    shown: usize,
    position: Position,
    about: &str,
    seal: impl Fn(&Position) -> String + Send + 'static,
) -> ((Page, Vec<Row>), Option<String>) {
    let comments = conversation.comments();
    let left = comments.len().saturating_sub(shown);
    let older = if left > 0 {
        // Those that did not fit are before the first that is shown.
        comments.get(left).map(|(cursor, _)| (*cursor).to_owned())
    } else {
        conversation.older(position.after.as_deref()).map(str::to_owned)
    };
    let mut page = Page::new(FROM, ("comment", "comments")).note(about);
    let mut rows = Vec::new();
    for (_, said) in comments.iter().skip(left + position.skip) {
        let row = Row::of_said(said);
        page.push(row.text(said), &row);
        rows.push(row);
    }
    if older.is_some() {
        page = page.note("older ones: the same call with cursor");
    }
    let count = rows.len();
    let next = older.as_ref().map(|older| seal(&position.advance(count, count, Some(older))));
    let page = page
        .total(usize::try_from(conversation.total()).unwrap_or(usize::MAX))
        .cursor(older.is_some(), move |kept| seal(&position.advance(kept, count, older.as_deref())));
    ((page, rows), next)
}

#[cfg(test)]
mod tests {
    use connector::catalog::{Reply, ReplyOptions};
    use serde_json::{Value, json};

    use super::*;

    fn conversation(bodies: &[&str]) -> Conversation {
        let edges: Vec<Value> = bodies
            .iter()
            .enumerate()
            .map(|(at, body)| {
                json!({"cursor": format!("c{at}"), "node": {
                    "fullDatabaseId": (100 + at).to_string(), "body": body, "createdAt": "2026-11-22T10:00:00Z",
                    "author": {"login": "maya"}, "authorAssociation": "MEMBER",
                }})
            })
            .collect();
        let value = json!({"totalCount": 40, "edges": edges, "pageInfo": {"hasPreviousPage": true, "startCursor": "c0"}});
        connector::tolerant::from_value(value).unwrap()
    }

    fn seal(position: &Position) -> String {
        format!("{}+{}", position.after.as_deref().unwrap_or("end"), position.skip)
    }

    #[test]
    fn the_newest_come_first_and_the_cursor_leads_to_those_before_them() {
        let long = "x".repeat(2_900);
        let conversation = conversation(&["first", &long, &long, &long, &long, &long, "last"]);
        let shown = shown(&conversation, &Position::default());
        assert_eq!(shown, 5, "the oldest two do not fit");
        let ((page, rows), next) = page(&conversation, shown, Position::default(), "on #1", seal);
        assert_eq!((rows.len(), next.as_deref()), (5, Some("c2+0")));
        let text = Reply::page(page).render(&ReplyOptions::default()).text;
        assert!(
            text.starts_with(
                "5 of 40 comments (on #1; older ones: the same call with cursor); more: cursor \"c2+0\""
            ),
            "{text}"
        );
        assert!(text.find("comment 102").unwrap() < text.find("comment 106").unwrap(), "newest last");
    }

    #[test]
    fn a_small_budget_cuts_between_comments_and_the_cursor_goes_on_there() {
        let text = "y".repeat(600);
        let conversation = conversation(&[&text, &text, &text]);
        let ((page, _), _) = page(&conversation, 3, Position::default(), "on #1", seal);
        let text = Reply::page(page).render(&ReplyOptions { budget: 1_800, structured: false }).text;
        assert!(text.contains("cursor \"end+2\""), "{text}");
        let position = Position { after: None, skip: 2 };
        let ((_, rows), next) = super::page(&conversation, 3, position, "on #1", seal);
        assert_eq!((rows.len(), rows[0].id, next.as_deref()), (1, 102, Some("c0+0")));
    }

    #[test]
    fn a_long_comment_says_how_to_get_the_rest() {
        let long = "z".repeat(4_000);
        let conversation = conversation(&[&long]);
        let ((_, rows), _) = page(&conversation, 1, Position::default(), "on #1", seal);
        assert!(rows[0].body.ends_with("\n[1000 more characters: get_issue with comment=100, offset=3000]"));
    }
}
