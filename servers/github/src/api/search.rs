//! GitHub's search: one route for each kind of thing. It spans repositories, so what it finds is the
//! caller's to narrow and to filter.

use connector::{Result, upstream::Request};
use http::{HeaderValue, header};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Api, Listed, Operation, SEARCHED, Target,
    issues::{Person, whole},
    route,
};
use crate::vendor::SEARCH;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// The media type with which GitHub tells where in a file or an issue it found something.
const TEXT_MATCH: HeaderValue = HeaderValue::from_static("application/vnd.github.text-match+json");

/// A file that was found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FoundFile {
    pub(crate) path: String,
    pub(crate) repository: FoundRepo,
    pub(crate) text_matches: Vec<TextMatch>,
}

/// A piece of a text with what was looked for in it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TextMatch {
    object_url: String,
    object_type: String,
    pub(crate) property: String,
    pub(crate) fragment: String,
    matches: Vec<Match>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Match {
    text: String,
}

impl TextMatch {
    /// The id of the comment that it stands in; none where it stands in an issue itself (docs.github.com, "Text match
    /// metadata").
    pub(crate) fn comment(&self) -> Option<u64> {
        let is_comment = self.object_type == "IssueComment";
        self.object_url.rsplit('/').next().filter(|_| is_comment)?.parse().ok()
    }

    /// What was found in the fragment, as it is written there.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.matches.iter().map(|found| found.text.as_str()).filter(|text| !text.is_empty())
    }
}

/// A repository that was found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FoundRepo {
    pub(crate) full_name: String,
    pub(crate) description: String,
    pub(crate) private: bool,
    pub(crate) visibility: String,
    pub(crate) fork: bool,
    pub(crate) archived: bool,
    pub(crate) language: String,
    stargazers_count: Option<f64>,
    pub(crate) pushed_at: String,
}

impl FoundRepo {
    /// How many people have starred it.
    pub(crate) fn stars(&self) -> u64 {
        whole(self.stargazers_count)
    }
}

/// A commit that was found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FoundCommit {
    pub(crate) sha: String,
    pub(crate) commit: FieldValue,
    /// The account of the author; none where the address of the commit is nobody's.
    pub(crate) author: Person,
    pub(crate) repository: FoundRepo,
}

/// What a commit says itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldValue {
    pub(crate) message: String,
    pub(crate) author: Signature,
}

/// Who wrote a commit, and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) date: String,
}

/// What a search looks for.
#[derive(Clone, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) text: &'a str,
    pub(crate) sort: Option<&'a str>,
    pub(crate) order: Option<&'a str>,
    /// By meaning, which GitHub does for issues only.
    pub(crate) semantic: bool,
}

impl Api {
    /// A page of what `template` (a route of GitHub's search) finds.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn search<T: DeserializeOwned>(
        &self,
        template: &'static str,
        query: &Query<'_>,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<T>> {
        let mut request = route(template, &[]).query("q", query.text);
        // Only where a page begins is taken from a cursor: what is looked for is always ours.
        let number = |name: &str| -> Option<u32> {
            let mut pairs = url::form_urlencoded::parse(after?.as_bytes());
            pairs.find(|(key, _)| key == name)?.1.parse().ok()
        };
        if let Some(page) = number("page") {
            request = request.query("page", page.to_string());
        }
        let per_page = number("per_page").unwrap_or(per_page);
        if let Some(sort) = query.sort {
            request = request.query("sort", sort).query("order", query.order.unwrap_or("desc"));
        }
        if query.semantic {
            // Ten a minute, where others are thirty (docs.github.com, search).
            request = request.query("search_type", "semantic").cost(SEARCH, 2);
        }
        if ["GET /search/code", "GET /search/issues"].contains(&template) {
            request = with_matches(request);
        }
        let request = request.cache(SEARCHED, std::iter::empty::<String>());
        self.list(Target::Viewer, request, Some("items"), per_page, None).await
    }
}

fn with_matches(request: Request) -> Request {
    request.header(header::ACCEPT, TEXT_MATCH)
}
