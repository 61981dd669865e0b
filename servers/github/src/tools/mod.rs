//! The tools, one file per family: arguments, the work, the reply.

mod account;
mod comments;
mod commit;
mod discussions;
mod files;
mod gists;
mod history;
mod inbox;
mod issues_list;
mod issues_read;
mod issues_write;
mod links;
mod logs;
mod members;
mod merge;
mod planning;
mod projects;
mod pulls_list;
mod pulls_read;
mod pulls_write;
mod raw;
mod refs;
mod releases;
mod repos;
mod review;
mod runs;
mod search;
mod security;
mod workflow;

use connector::catalog::Tool;

use crate::GitHub;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<GitHub>> {
    let families = [
        account::tools(),
        comments::tools(),
        commit::tools(),
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
        pulls_list::tools(),
        pulls_read::tools(),
        pulls_write::tools(),
        raw::tools(),
        refs::tools(),
        releases::tools(),
        repos::tools(),
        review::tools(),
        runs::tools(),
        search::tools(),
        security::tools(),
        workflow::tools(),
    ];
    families.into_iter().flatten().collect()
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "GitHub";
