//! The tools, one file per family: arguments, the work, the reply.

pub(crate) mod account;
mod comments;
mod commit;
mod conversation;
mod diff;
mod diff_lines;
mod discussion_writes;
mod discussions;
mod editing;
mod events;
mod files;
mod gists;
mod history;
mod inbox;
mod issue_head;
mod issue_rows;
mod issue_update;
mod issues_list;
mod issues_read;
mod issues_write;
mod landing;
mod links;
mod listing;
mod logs;
mod lost;
mod members;
mod mentions;
mod merge;
mod naming;
mod paging;
mod planning;
mod project_writes;
mod projects;
mod pull_create;
mod pull_parts;
mod pull_reviewers;
mod pull_words;
mod pulls_list;
mod pulls_read;
mod pulls_write;
mod raw;
mod reference;
mod refs;
mod releases;
mod repo_parts;
mod repos;
mod review;
mod review_threads;
mod run_detail;
mod runs;
mod search;
mod search_query;
mod search_rows;
mod security;
mod staging;
mod tree;
mod workflow;

use connector::catalog::Tool;

use crate::GitHub;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<GitHub>> {
    let families = [
        account::tools(),
        comments::tools(),
        commit::tools(),
        diff::tools(),
        discussions::tools(),
        files::tools(),
        gists::tools(),
        history::tools(),
        inbox::tools(),
        issues_list::tools(),
        issues_read::tools(),
        issues_write::tools(),
        links::tools(),
        logs::tools(),
        members::tools(),
        merge::tools(),
        planning::tools(),
        projects::tools(),
        pull_create::tools(),
        pulls_list::tools(),
        pulls_read::tools(),
        pulls_write::tools(),
        raw::tools(),
        refs::tools(),
        releases::tools(),
        repos::tools(),
        review::tools(),
        review_threads::tools(),
        run_detail::tools(),
        runs::tools(),
        search::tools(),
        security::tools(),
        tree::tools(),
        workflow::tools(),
    ];
    families.into_iter().flatten().collect()
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "GitHub";
