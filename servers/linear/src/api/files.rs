//! Files that Linear keeps. Reading them takes the same credential as the API, so only Linear's own
//! file host, or the fake's, is ever asked.

use bytes::Bytes;
use connector::{Error, Result, upstream::Request};
use http::header;
use url::Url;

use super::Api;
use crate::vendor::FILES_HOST;

/// The most bytes of one file that are read.
pub(crate) const MAX_FILE: usize = 5 * 1024 * 1024;

/// The body of a file, with its media type.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Such as `image/png`, without parameters.
    pub(crate) media_type: String,
    /// The bytes.
    pub(crate) bytes: Bytes,
}

impl Api {
    /// Whether `url` is a file that Linear keeps.
    pub(crate) fn keeps(&self, url: &Url) -> bool {
        let kept = url.scheme() == "https" && url.host_str() == Some(FILES_HOST);
        kept || (url.origin() == self.upstream().base_url().origin() && url.origin().is_tuple())
    }

    /// Reads a file that Linear keeps.
    ///
    /// # Errors
    /// [`connector::Kind::InvalidArgument`] for an address anywhere else.
    pub(crate) async fn read_file(&self, url: &Url) -> Result<File> {
        if !self.keeps(url) {
            return Err(Error::invalid("The file is not kept by Linear, so it is not read"));
        }
        let request = Request::get("ReadFile", "").url(url.clone()).any_body().max_body(MAX_FILE);
        let response = self.upstream().send(request).await?;
        let media_type = response.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(File { media_type, bytes: response.body })
    }
}
