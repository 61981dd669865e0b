//! All records of a search, however many there are: by their ids, ascending, because no page of one search reaches
//! past 10,000 results and tens of thousands of records can have the same time.

use connector::{Result, catalog::Call, upstream};

use super::search::go_past;
use crate::{
    HubSpot,
    api::objects::{MAX_PAGE, Record, Search},
    resolve::ObjectType,
};

/// What a walk came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    /// How many records were seen.
    pub(super) seen: usize,
    /// How many there are in all, as the first page told.
    pub(super) total: u64,
}

impl Walked {
    /// Whether the walk ended before the records did.
    pub(super) fn is_partial(&self, most: usize) -> bool {
        self.seen >= most && self.total > self.seen as u64
    }
}

/// Shows every record that `search` finds to `visit`, each once, up to `most`. The pace is kept by the pipeline.
pub(super) async fn walk(
    call: &Call<HubSpot>,
    object: &ObjectType,
    search: &Search,
    most: usize,
    mut visit: impl FnMut(&Record) + Send,
) -> Result<Walked> {
    let mut walked = Walked { seen: 0, total: 0 };
    let mut last = 0;
    loop {
        let mut page = Search {
            sort: Some(("hs_object_id".to_owned(), false)),
            limit: MAX_PAGE,
            after: 0,
            ..search.clone()
        };
        if last > 0 {
            go_past(&mut page, last);
        }
        let found = call.api().search(object, &page).await?;
        if walked.seen == 0 {
            walked.total = found.total;
        }
        let mut fresh = 0;
        for record in &found.results {
            let id = record.number();
            if id > last && walked.seen < most {
                visit(record);
                walked.seen += 1;
                fresh += 1;
                last = id;
            }
        }
        let total = u32::try_from(walked.total).ok();
        // The pace of searches makes a walk long; each page that came is a reason to wait for the next one.
        upstream::call::restart();
        call.progress(u32::try_from(walked.seen).unwrap_or(u32::MAX), total, "records read").await;
        // Less than a page is the end; nothing new would go round in a circle.
        if found.results.len() < MAX_PAGE as usize || fresh == 0 || walked.seen >= most {
            return Ok(walked);
        }
    }
}
