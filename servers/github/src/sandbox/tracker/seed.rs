//! The issues and pull requests of the seed.
//!
//! What follows from something else is not written there: ids of issues follow from their numbers, events from labels,
//! assignees, requests and endings, the lines of review comments from a text in them (`on`).

use serde_json::Value;

use super::{
    super::{part, state::State, time},
    Tracker, issues, lines, mentions,
    model::{
        Asked, Comment, Event, Issue, Label, Milestone, Pull, Reaction, RepositoryTracker, Review,
        ReviewComment, Side, Thread, Verdict, What,
    },
};

/// The first ids of what the seed gives none.
const FIRST_EVENT: u64 = 2_000_000;
const FIRST_LABEL: u64 = 1_100_000;

impl Tracker {
    pub(in crate::sandbox) fn from_seed(seed: &Value, state: &mut State) -> Result<Self, String> {
        let mut reader = Reader { state, event: FIRST_EVENT, label: FIRST_LABEL };
        let mut tracker = Self::default();
        for (org, rows) in seed["issue_types"].as_object().into_iter().flatten() {
            tracker.types.insert(org.clone(), part(rows)?);
        }
        for (name, rows) in seed["repositories"].as_object().into_iter().flatten() {
            let (owner, repo) = name.split_once('/').ok_or_else(|| format!("{name} is no repository"))?;
            let repo =
                reader.state.repos.find(owner, repo).ok_or_else(|| format!("no repository {name}"))?.id;
            let board = reader.board(repo, rows).map_err(|error| format!("{name}: {error}"))?;
            tracker.boards.insert(repo, board);
        }
        let mut event = reader.event;
        link(&mut tracker, &mut event);
        cross_reference(&mut tracker, state, &mut event);
        Ok(tracker)
    }
}

/// Reads the seed; what is made on the way gets the next id.
struct Reader<'s> {
    state: &'s State,
    event: u64,
    label: u64,
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(row: &Value, key: &str) -> Result<String, String> {
    row[key].as_str().map(str::to_owned).ok_or_else(|| format!("no {key} in {row}"))
}

fn number(row: &Value, key: &str) -> Result<u64, String> {
    row[key].as_u64().ok_or_else(|| format!("no {key} in {row}"))
}

fn moment(row: &Value, key: &str) -> Result<String, String> {
    time(&row[key]).ok_or_else(|| format!("no {key} in {row}"))
}

fn strings(value: &Value) -> Vec<String> {
    list(value).filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A text, or lines of one.
fn body(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) => Some(strings(value).join("\n")),
        _ => value.as_str().map(str::to_owned),
    }
}

fn milestone(repo: u64, row: &Value) -> Result<Milestone, String> {
    let number = number(row, "number")?;
    let closed_at = time(&row["closed_at"]);
    let created_at = moment(row, "created_at")?;
    Ok(Milestone {
        id: repo * 100 + number,
        number,
        title: text(row, "title")?,
        description: row["description"].as_str().map(str::to_owned),
        creator: text(row, "creator")?,
        open: closed_at.is_none(),
        due_on: time(&row["due_on"]),
        updated_at: closed_at.clone().unwrap_or_else(|| created_at.clone()),
        created_at,
        closed_at,
    })
}

/// Puts the other end to links, and notes when they were made.
fn link(tracker: &mut Tracker, event: &mut u64) {
    let links: Vec<_> = tracker
        .all()
        .map(|(_, issue)| {
            (
                issue.id,
                issue.author.clone(),
                issue.created_at.clone(),
                issue.sub_issues.clone(),
                issue.blocked_by.clone(),
            )
        })
        .collect();
    let mut note = |tracker: &mut Tracker, id: u64, actor: &str, at: &str, what: What| {
        *event += 1;
        if let Some(issue) = tracker.by_id_mut(id) {
            // What came before the issue itself is told with its beginning.
            let at = std::cmp::max(issue.created_at.as_str(), at).to_owned();
            issue.events.push(Event { id: *event, actor: actor.to_owned(), at, what });
        }
    };
    for (id, author, at, below, before) in links {
        for child in below {
            let begun = tracker.by_id(child).map(|(_, issue)| issue.created_at.clone()).unwrap_or_default();
            let at = std::cmp::max(begun, at.clone());
            note(tracker, id, &author, &at, What::SubIssueAdded(child));
            note(tracker, child, &author, &at, What::ParentAdded(id));
            if let Some(child) = tracker.by_id_mut(child) {
                child.parent = Some(id);
            }
        }
        for first in before {
            note(tracker, id, &author, &at, What::BlockedByAdded(first));
            note(tracker, first, &author, &at, What::BlockingAdded(id));
        }
    }
}

/// Notes in every issue who names it.
fn cross_reference(tracker: &mut Tracker, state: &State, event: &mut u64) {
    let mut found = Vec::new();
    for (repo, issue) in tracker.all() {
        let first = issue.body.iter().map(|body| (body.as_str(), &issue.author, &issue.created_at));
        let rest = issue.comments.iter().map(|one| (one.body.as_str(), &one.author, &one.created_at));
        for (text, author, at) in first.chain(rest) {
            for named in mentions::issues(text) {
                found.push((repo, issue.number, named, author.clone(), at.clone()));
            }
        }
    }
    for (repo, number, named, actor, at) in found {
        let what = What::CrossReferenced { repo, number };
        let target = issues::target(state, repo, &named);
        let Some((target, named)) = target.filter(|target| *target != (repo, number)) else { continue };
        let Some(issue) = tracker.boards.get_mut(&target).and_then(|board| board.issues.get_mut(&named))
        else {
            continue;
        };
        if issue.events.iter().all(|event| event.what != what) {
            *event += 1;
            issue.events.push(Event { id: *event, actor, at, what });
        }
    }
    for issue in tracker.boards.values_mut().flat_map(|board| board.issues.values_mut()) {
        issue.events.sort_by(|a, b| a.at.cmp(&b.at).then(a.id.cmp(&b.id)));
    }
}

impl Reader<'_> {
    fn board(&mut self, repo: u64, rows: &Value) -> Result<RepositoryTracker, String> {
        let mut board =
            RepositoryTracker { disabled: rows["issues_enabled"] == false, ..RepositoryTracker::default() };
        for row in list(&rows["labels"]) {
            self.label += 1;
            board.labels.push(Label {
                id: self.label,
                name: text(row, "name")?,
                color: text(row, "color")?,
                description: row["description"].as_str().map(str::to_owned),
                created_at: self
                    .state
                    .repos
                    .get(repo)
                    .map(|repo| repo.created_at.clone())
                    .unwrap_or_default(),
            });
        }
        for row in list(&rows["milestones"]) {
            board.milestones.push(milestone(repo, row)?);
        }
        for row in list(&rows["issues"]) {
            let issue = self.issue(repo, &board, row)?;
            board.issues.insert(issue.number, issue);
        }
        for row in list(&rows["pulls"]) {
            let mut issue = self.issue(repo, &board, row)?;
            self.pull(repo, &mut issue, row).map_err(|error| format!("#{}: {error}", issue.number))?;
            board.issues.insert(issue.number, issue);
        }
        board.last = board.issues.keys().next_back().copied().unwrap_or_default();
        Ok(board)
    }

    fn note(&mut self, issue: &mut Issue, actor: &str, at: &str, what: What) {
        self.event += 1;
        issue.events.push(Event { id: self.event, actor: actor.to_owned(), at: at.to_owned(), what });
    }

    fn issue(&mut self, repo: u64, board: &RepositoryTracker, row: &Value) -> Result<Issue, String> {
        let number = number(row, "number")?;
        let author = text(row, "author")?;
        if self.state.accounts.get(&author).is_none() {
            return Err(format!("nobody is called {author}"));
        }
        let created_at = moment(row, "created_at")?;
        let closed_at = time(&row["closed_at"]).or_else(|| time(&row["merged_at"]));
        let closed_by = row["closed_by"].as_str().or_else(|| row["merged_by"].as_str());
        let comments = list(&row["comments"]).map(|row| self.comment(row)).collect::<Result<Vec<_>, _>>()?;
        let last = comments.iter().map(|comment| comment.created_at.clone());
        let updated_at = time(&row["updated_at"]);
        let updated_at = updated_at.into_iter().chain(last).chain(closed_at.clone()).max();
        let labels = strings(&row["labels"]);
        let labels = labels
            .iter()
            .map(|name| board.label(name).ok_or_else(|| format!("no label {name}")))
            .collect::<Result<Vec<_>, _>>()?;
        let is_pull = !row["head"].is_null();
        let reason =
            row["state_reason"].as_str().or(closed_at.as_ref().filter(|_| !is_pull).map(|_| "completed"));
        let ids =
            |key: &str| list(&row[key]).filter_map(Value::as_u64).map(|number| id_of(repo, number)).collect();
        let mut issue = Issue {
            id: id_of(repo, number),
            number,
            repo,
            title: text(row, "title")?,
            body: body(&row["body"]),
            author: author.clone(),
            open: closed_at.is_none(),
            state_reason: reason.map(str::to_owned),
            duplicate_of: row["duplicate_of"].as_u64().map(|number| id_of(repo, number)),
            labels: labels.iter().map(|label| label.id).collect(),
            assignees: strings(&row["assignees"]),
            milestone: row["milestone"].as_u64(),
            kind: row["type"].as_str().map(str::to_owned),
            locked: row["locked"].is_string(),
            lock_reason: row["locked"].as_str().map(str::to_owned),
            pinned: row["pinned"] == true,
            updated_at: updated_at.unwrap_or_else(|| created_at.clone()),
            created_at: created_at.clone(),
            closed_at: closed_at.clone(),
            closed_by: closed_at.as_ref().map(|_| closed_by.unwrap_or(&author).to_owned()),
            comments,
            reactions: self.reactions(&row["reactions"], &created_at),
            events: Vec::new(),
            sub_issues: ids("sub_issues"),
            parent: None,
            blocked_by: ids("blocked_by"),
            pull: None,
        };
        let mut begun: Vec<What> = labels
            .iter()
            .map(|label| What::Labeled { name: label.name.clone(), color: label.color.clone() })
            .collect();
        begun.extend(issue.assignees.iter().cloned().map(What::Assigned));
        begun.extend(issue.kind.iter().cloned().map(What::TypeAdded));
        let title = issue.milestone.and_then(|number| board.milestone(number)).map(|one| one.title.clone());
        begun.extend(title.map(What::Milestoned));
        begun.extend(
            row["renamed_from"]
                .as_str()
                .map(|from| What::Renamed { from: from.to_owned(), to: issue.title.clone() }),
        );
        begun.extend(issue.pinned.then_some(What::Pinned));
        for what in begun {
            self.note(&mut issue, &author, &created_at, what);
        }
        if let (Some(at), Some(by), false) = (issue.closed_at.clone(), issue.closed_by.clone(), is_pull) {
            let commit = row["closed_with"].as_str();
            let commit = commit.and_then(|key| self.state.repos.get(repo)?.resolve(key));
            let reason = issue.state_reason.clone();
            self.note(&mut issue, &by, &at, What::Closed { reason, commit });
        }
        if issue.locked {
            let (by, at, reason) =
                (issue.closed_by.clone(), issue.updated_at.clone(), issue.lock_reason.clone());
            self.note(&mut issue, by.as_deref().unwrap_or("maya"), &at, What::Locked(reason));
        }
        Ok(issue)
    }

    fn comment(&mut self, row: &Value) -> Result<Comment, String> {
        let created_at = moment(row, "at")?;
        Ok(Comment {
            id: number(row, "id")?,
            author: text(row, "author")?,
            body: body(&row["body"]).ok_or_else(|| format!("no body in {row}"))?,
            updated_at: time(&row["edited_at"]).unwrap_or_else(|| created_at.clone()),
            reactions: self.reactions(&row["reactions"], &created_at),
            minimized: row["minimized"].as_str().map(str::to_owned),
            created_at,
        })
    }

    /// `{"+1": ["maya", "priya"]}`
    fn reactions(&mut self, rows: &Value, at: &str) -> Vec<Reaction> {
        let mut reactions = Vec::new();
        for (content, logins) in rows.as_object().into_iter().flatten() {
            for login in strings(logins) {
                self.event += 1;
                let (id, content, created_at) = (self.event, content.clone(), at.to_owned());
                reactions.push(Reaction { id, login, content, created_at });
            }
        }
        reactions
    }

    fn pull(&mut self, repo: u64, issue: &mut Issue, row: &Value) -> Result<(), String> {
        let there = self.state.repos.get(repo).ok_or("no repository")?;
        let issue_number = issue.number;
        let head_sha = there.resolve(&format!("pull/{issue_number}/head")).ok_or("no head")?;
        let base = row["base"].as_str().unwrap_or(&there.default_branch).to_owned();
        let tip = there.git.branch(&base).ok_or("no base")?.to_owned();
        let merged_at = time(&row["merged_at"]);
        let subject = format!("(#{issue_number})");
        let merge_commit = match (&merged_at, row["merge_commit"].as_str()) {
            (None, _) => None,
            (Some(_), Some(key)) => Some(there.resolve(key).ok_or_else(|| format!("no {key}"))?),
            (Some(_), None) => {
                let log = there.git.log(&tip);
                let mut merges = log.into_iter().filter(|sha| {
                    there.git.commit(sha).is_some_and(|commit| commit.subject().ends_with(&subject))
                });
                Some(merges.next().ok_or_else(|| format!("no commit {subject}"))?)
            }
        };
        let before = merge_commit.as_deref().and_then(|sha| there.git.commit(sha)?.parents.first().cloned());
        let base_sha = before.unwrap_or(tip);
        let requested: Vec<_> = strings(&row["requested_reviewers"])
            .into_iter()
            .map(Asked::Person)
            .chain(strings(&row["requested_teams"]).into_iter().map(Asked::Team))
            .collect();
        let mut pull = Pull {
            id: 1_000_000 + issue.id,
            base,
            head: text(row, "head")?,
            head_repo: repo,
            weighed: Some((head_sha.clone(), base_sha.clone())),
            wanted: false,
            head_sha,
            base_sha,
            draft: row["draft"] == true,
            merged_by: merged_at.as_ref().and_then(|_| issue.closed_by.clone()),
            merged_at,
            merge_commit,
            requested,
            auto_merge: None,
            queued: None,
            maintainer_can_modify: false,
            reviews: Vec::new(),
            threads: Vec::new(),
        };
        let git = &there.git;
        let fork = git.merge_base(&pull.base_sha, &pull.head_sha).ok_or("no common commit")?;
        for row in list(&row["reviews"]) {
            let commit = commit_back(git, &pull.head_sha, row);
            let at = moment(row, "at")?;
            let state = Verdict::parse(&text(row, "state")?).ok_or_else(|| format!("no verdict in {row}"))?;
            pull.reviews.push(Review {
                id: number(row, "id")?,
                author: text(row, "author")?,
                state,
                body: body(&row["body"]).unwrap_or_default(),
                commit,
                submitted_at: (state != Verdict::Pending).then(|| at.clone()),
                created_at: at,
            });
        }
        for row in list(&row["threads"]) {
            let commit = commit_back(git, &pull.head_sha, row);
            pull.threads.push(self.thread(git, &fork, commit, row)?);
        }
        let mut began = issue.updated_at.clone();
        for review in &pull.reviews {
            began = std::cmp::max(began, review.created_at.clone());
        }
        for remark in pull.threads.iter().flat_map(|thread| &thread.remarks) {
            began = std::cmp::max(began, remark.created_at.clone());
        }
        issue.updated_at = time(&row["updated_at"]).unwrap_or(began);
        let (author, created) = (issue.author.clone(), issue.created_at.clone());
        // Whoever reviewed was asked to.
        let mut asked: Vec<Asked> = pull.requested.clone();
        for review in &pull.reviews {
            let one = Asked::Person(review.author.clone());
            if !asked.contains(&one) {
                asked.push(one);
            }
        }
        for asked in asked {
            self.note(issue, &author, &created, What::ReviewRequested(asked));
        }
        if let (Some(sha), Some(at), Some(by)) = (&pull.merge_commit, &pull.merged_at, &pull.merged_by) {
            self.note(issue, by, at, What::Merged(sha.clone()));
            self.note(issue, by, at, What::Closed { reason: None, commit: None });
            self.note(issue, by, at, What::HeadDeleted(pull.head.clone()));
        } else if let (Some(at), Some(by)) = (issue.closed_at.clone(), issue.closed_by.clone()) {
            self.note(issue, &by, &at, What::Closed { reason: None, commit: None });
        }
        issue.pull = Some(pull);
        Ok(())
    }

    fn thread(
        &mut self,
        git: &super::super::repos::git::Git,
        base: &str,
        commit: String,
        row: &Value,
    ) -> Result<Thread, String> {
        let path = text(row, "path")?;
        let patch =
            lines::patch_of(git, base, &commit, &path).ok_or_else(|| format!("{path} is not changed"))?;
        let side = if row["side"] == "LEFT" { Side::Left } else { Side::Right };
        let find = |key: &str| -> Result<Option<u64>, String> {
            let Some(wanted) = row[key].as_str() else { return Ok(None) };
            let hunks = lines::hunks(&patch);
            let mut rows = hunks.iter().flat_map(|hunk| &hunk.rows);
            let found = rows.find(|row| row.on(side).is_some() && row.text.contains(wanted));
            Ok(Some(found.and_then(|row| row.on(side)).ok_or_else(|| format!("{wanted} is not in {patch}"))?))
        };
        let line = find("on")?;
        let start_line = find("from")?;
        let place = line.and_then(|line| lines::place(&patch, line, side));
        let remarks = list(&row["comments"]).map(|row| {
            let comment = self.comment(row)?;
            Ok(ReviewComment {
                id: comment.id,
                review: number(row, "review")?,
                author: comment.author,
                body: comment.body,
                created_at: comment.created_at,
                updated_at: comment.updated_at,
                reactions: comment.reactions,
                minimized: comment.minimized,
            })
        });
        Ok(Thread {
            id: number(row, "id")?,
            path,
            line,
            side,
            start_line,
            start_side: start_line.map(|_| side),
            hunk: place.map(|place| place.hunk).unwrap_or_default(),
            commit,
            resolved_by: row["resolved_by"].as_str().map(str::to_owned),
            remarks: remarks.collect::<Result<_, String>>()?,
        })
    }
}

/// The commit that lies `commits_back` before the head.
fn commit_back(git: &super::super::repos::git::Git, head: &str, row: &Value) -> String {
    let back = row["commits_back"].as_u64().unwrap_or_default();
    let mut log = git.log(head).into_iter();
    log.nth(usize::try_from(back).unwrap_or_default()).unwrap_or_else(|| head.to_owned())
}

/// The id of a seed's issue. A pull request's own id is a million more.
fn id_of(repo: u64, number: u64) -> u64 {
    repo * 1_000 + number
}
