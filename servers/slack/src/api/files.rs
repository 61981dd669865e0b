//! Files: looked at, downloaded, uploaded in three steps.

use bytes::Bytes;
use connector::{Error, Kind, Result, upstream::Request};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Api, Form, methods, types::File};
use crate::vendor::FILES_HOSTS;

/// A page of files.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Files {
    #[serde(alias = "matches")]
    pub(crate) files: Vec<File>,
    pub(crate) paging: Paging,
}

/// Where a page of files stands.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Paging {
    pub(crate) total: usize,
    pages: u64,
    page: u64,
}

impl Paging {
    /// The number of the next page.
    pub(crate) fn next(&self) -> Option<u64> {
        (self.page < self.pages).then(|| self.page + 1)
    }
}

impl Api {
    /// One file.
    pub(crate) async fn file(&self, id: &str) -> Result<File> {
        #[derive(Deserialize)]
        struct Answer {
            file: File,
        }
        let answer: Answer = self.call(methods::FILES_INFO, Form::new().set("file", id)).await?;
        Ok(answer.file)
    }

    /// A page of the files that are seen, or of those in a channel or by somebody, newest first.
    pub(crate) async fn files(
        &self,
        channel: Option<&str>,
        user: Option<&str>,
        count: u32,
        page: u64,
    ) -> Result<Files> {
        let form = Form::new().maybe("channel", channel).maybe("user", user);
        self.call(methods::FILES_LIST, form.set("count", count).set("page", page)).await
    }

    /// A page of the files that a query of the legacy search finds, in name and content.
    pub(crate) async fn found_files(&self, query: &str, count: u32, page: u64) -> Result<Files> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            files: Files,
        }
        let form = Form::new().set("query", query).set("count", count).set("page", page);
        Ok(self.call::<Answer>(methods::SEARCH_FILES, form).await?.files)
    }

    /// A file's bytes and media type. The token goes to Slack's file host and nowhere else.
    pub(crate) async fn download(&self, file: &File, most: usize) -> Result<(String, Bytes)> {
        let address = [&file.url_private_download, &file.url_private]
            .into_iter()
            .find(|url| !url.is_empty())
            .map_or("", String::as_str);
        let url = self.file_url(address)?;
        let request = Request::get(methods::FILES_DOWNLOAD.name, "/")
            .url(url)
            .any_body()
            .max_body(most)
            .cost(methods::FILES_DOWNLOAD.name, 1);
        let response = self.upstream.send(request).await?;
        let kind = response.header("content-type").unwrap_or_default().to_owned();
        // A page in the place of a file asks to log in.
        if kind.starts_with("text/html") && !file.is_canvas() && !file.mimetype.starts_with("text/html") {
            return Err(Error::new(Kind::Permission, "Slack does not give the file's content to this token")
                .with_hint("The token needs the scope files:read, and must see the file"));
        }
        Ok((kind, response.body))
    }

    /// A place for an upload: its address, and the file's id.
    pub(crate) async fn upload_url(
        &self,
        name: &str,
        length: usize,
        alt: Option<&str>,
    ) -> Result<(Url, String)> {
        #[derive(Deserialize)]
        struct Answer {
            upload_url: String,
            file_id: String,
        }
        let form = Form::new().set("filename", name).set("length", length).maybe("alt_txt", alt);
        let answer: Answer =
            self.write(methods::FILES_UPLOAD_URL, form, "Nothing is shared yet".to_owned(), &[]).await?;
        Ok((self.file_url(&answer.upload_url)?, answer.file_id))
    }

    /// Sends the bytes. They are in no channel yet.
    pub(crate) async fn upload(&self, url: Url, bytes: Bytes) -> Result<()> {
        let method = methods::FILES_UPLOAD;
        let request = Request::post(method.name, "/")
            .url(url)
            .effect(method.effect)
            .replay(method.replay)
            .cost(method.name, 1)
            .header(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/octet-stream"))
            .no_auth()
            .any_body()
            .body(bytes);
        self.upstream.send(request).await.map(drop)
    }

    /// Puts an uploaded file where people see it. To be called once.
    pub(crate) async fn complete_upload(
        &self,
        id: &str,
        title: &str,
        channel: Option<&str>,
        comment: Option<&str>,
        thread: Option<&str>,
    ) -> Result<()> {
        let form = Form::new()
            .json("files", &json!([{ "id": id, "title": title }]))
            .maybe("channel_id", channel)
            .maybe("initial_comment", comment)
            .maybe("thread_ts", thread);
        let check = format!("Look at the file {id}");
        self.write::<serde_json::Value>(methods::FILES_COMPLETE, form, check, &[]).await.map(drop)
    }

    /// An address of Slack's file host, or of the API's own (a sandbox, a proxy).
    fn file_url(&self, address: &str) -> Result<Url> {
        let url = Url::parse(address).ok().filter(|url| {
            let home = url.origin() == self.upstream.base_url().origin();
            home || (url.scheme() == "https"
                && url.host_str().is_some_and(|host| FILES_HOSTS.contains(&host)))
        });
        url.ok_or_else(|| {
            Error::new(Kind::Upstream, "Slack gave an address for the file that is not Slack's")
                .with_hint("Files of other services are not fetched")
        })
    }
}
