//! Uploads: Linear gives a signed address, and the bytes go there.

use bytes::Bytes;
use connector::{
    Effect, Error, Kind, Result,
    upstream::{Replay, Request},
};
use http::{HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

use super::{Api, Operation, document};

// Asking again only makes another address.
const PREPARE: Operation = Operation::write("FileUpload", document!("file_upload"), Replay::Idempotent);

pub(super) const OPERATIONS: &[&Operation] = &[&PREPARE];

/// Where a file may be uploaded to, and where it can be read afterwards.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UploadFile {
    upload_url: String,
    /// The address under which the file can be attached.
    pub(crate) asset_url: String,
    headers: Vec<UploadHeader>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct UploadHeader {
    key: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UploadPayload {
    success: bool,
    upload_file: Option<UploadFile>,
}

impl Api {
    /// Uploads a file and gives the address under which it can be attached. The bytes go only to the
    /// address that Linear named, without the credential.
    ///
    /// # Errors
    /// `upstream` if Linear names no address, or one that is not encrypted.
    pub(crate) async fn upload(
        &self,
        name: &str,
        content_type: &'static str,
        bytes: Bytes,
    ) -> Result<String> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "fileUpload")]
            payload: UploadPayload,
        }
        let variables = json!({"contentType": content_type, "filename": name, "size": bytes.len()});
        let payload = self.run::<Data>(&PREPARE, variables).await?.payload;
        let file = payload
            .upload_file
            .filter(|file| payload.success && !file.asset_url.is_empty())
            .ok_or_else(|| {
                Error::new(Kind::Upstream, "Linear gave no address to upload to").with_operation(PREPARE.name)
            })?;
        self.upstream().send(file.put(content_type, bytes)?).await?;
        Ok(file.asset_url)
    }
}

impl UploadFile {
    /// The request that sends the bytes, with the headers that Linear signed.
    fn put(&self, content_type: &'static str, bytes: Bytes) -> Result<Request> {
        let url = self.target()?;
        let mut request = Request::new("UploadFile", Method::PUT, "")
            .url(url)
            .effect(Effect::Write)
            .replay(Replay::Idempotent)
            .no_auth()
            .any_body()
            .header(header::CONTENT_TYPE, HeaderValue::from_static(content_type))
            .header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000"))
            .body(bytes);
        for signed in &self.headers {
            let name = HeaderName::from_bytes(signed.key.as_bytes());
            let value = HeaderValue::from_str(&signed.value);
            match (name, value) {
                (Ok(name), Ok(value)) => request = request.header(name, value),
                _ => {
                    return Err(Error::new(
                        Kind::Upstream,
                        "Linear asked for an upload header that is not valid",
                    )
                    .with_operation(PREPARE.name));
                }
            }
        }
        Ok(request)
    }

    /// The address, which must be encrypted unless it is on this machine.
    fn target(&self) -> Result<Url> {
        let refused = || {
            Error::new(
                Kind::Upstream,
                "Linear named an upload address that is not safe to use; nothing was uploaded",
            )
            .with_operation(PREPARE.name)
        };
        let url = Url::parse(&self.upload_url).map_err(|error| refused().with_source(error))?;
        let local = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let safe = url.scheme() == "https" || (url.scheme() == "http" && local);
        if safe && url.username().is_empty() && url.password().is_none() { Ok(url) } else { Err(refused()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_only_over_tls_or_to_this_machine() {
        let file = |url: &str| UploadFile { upload_url: url.to_owned(), ..UploadFile::default() };
        for good in [
            "https://uploads.example/x?sig=1",
            "http://127.0.0.1:4010/u",
            "http://[::1]:1/u",
            "http://localhost/u",
        ] {
            assert!(file(good).target().is_ok(), "{good}");
        }
        for bad in [
            "http://uploads.example/x",
            "ftp://127.0.0.1/u",
            "https://user:word@host/x",
            "file:///etc/hosts",
            "",
        ] {
            assert!(file(bad).target().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_headers_that_were_signed_are_sent_and_no_credential() {
        let file = UploadFile {
            upload_url: "https://uploads.example/x".to_owned(),
            headers: vec![UploadHeader {
                key: "x-goog-content-length-range".to_owned(),
                value: "3,3".to_owned(),
            }],
            ..UploadFile::default()
        };
        let request = file.put("image/png", Bytes::from_static(b"png")).unwrap();
        assert_eq!(request.headers["x-goog-content-length-range"], "3,3");
        assert_eq!(request.headers["content-type"], "image/png");
        assert!(!request.authenticated && request.method == Method::PUT);
    }
}
