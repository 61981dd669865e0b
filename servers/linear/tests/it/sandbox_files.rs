//! Files: asked for, put with strict headers, read with the credential or a signed address.

use std::time::Duration;

use crate::sandbox_support::{KEY, Sandbox, read};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

const PLACE: &str = "mutation F($size: Int!) { fileUpload(contentType: \"text/plain\", filename: \"log 1.txt\", size: $size) \
    { success uploadFile { uploadUrl assetUrl contentType filename size headers { key value } } } }";

async fn place(sandbox: &Sandbox, size: u32) -> Value {
    sandbox.data(PLACE, json!({ "size": size })).await["fileUpload"]["uploadFile"].clone()
}

fn put(sandbox: &Sandbox, place: &Value, body: &'static str) -> RequestBuilder {
    let request = sandbox
        .client
        .put(place["uploadUrl"].as_str().unwrap())
        .body(body)
        .header("content-type", "text/plain");
    place["headers"].as_array().unwrap().iter().fold(request, |request, header| {
        request.header(header["key"].as_str().unwrap(), header["value"].as_str().unwrap())
    })
}

#[tokio::test(start_paused = true)]
async fn a_file_is_put_and_read_back() {
    let sandbox = Sandbox::start().await;
    let place = place(&sandbox, 5).await;
    assert_eq!(put(&sandbox, &place, "hello").send().await.unwrap().status(), StatusCode::OK);
    let asset = place["assetUrl"].as_str().unwrap();
    assert_eq!(sandbox.client.get(asset).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let bearer = sandbox.client.get(asset).header("authorization", format!("Bearer {KEY}"));
    assert_eq!(bearer.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "a key stands alone");
    let response = sandbox.client.get(asset).header("authorization", KEY).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.text().await.unwrap(), "hello");
}

#[tokio::test(start_paused = true)]
async fn an_upload_must_be_as_announced_and_in_time() {
    let sandbox = Sandbox::start().await;
    let status = async |request: RequestBuilder| request.send().await.unwrap().status();
    let first = place(&sandbox, 5).await;
    let bare = sandbox
        .client
        .put(first["uploadUrl"].as_str().unwrap())
        .header("content-type", "text/plain")
        .body("hello");
    assert_eq!(status(bare).await, StatusCode::FORBIDDEN, "headers are missing");
    assert_eq!(status(put(&sandbox, &first, "too long")).await, StatusCode::FORBIDDEN);
    assert_eq!(status(put(&sandbox, &first, "hello")).await, StatusCode::OK);
    assert_eq!(status(put(&sandbox, &first, "again")).await, StatusCode::FORBIDDEN, "a place is used once");
    let late = place(&sandbox, 5).await;
    sandbox.harness().clock().advance(Duration::from_secs(61));
    assert_eq!(status(put(&sandbox, &late, "hello")).await, StatusCode::FORBIDDEN);
    assert_eq!(sandbox.complaint(PLACE, json!({ "size": 0 })).await, "size must not be less than 1.");
}

#[tokio::test(start_paused = true)]
async fn addresses_in_markdown_come_signed_if_asked() {
    let sandbox = Sandbox::start().await;
    let place = place(&sandbox, 5).await;
    put(&sandbox, &place, "hello").send().await.unwrap();
    let asset = place["assetUrl"].as_str().unwrap();
    let update = "mutation U($text: String!) { issueUpdate(id: \"ENG-1\", input: { description: $text }) { success } }";
    sandbox.data(update, json!({ "text": format!("See ![log]({asset}) there") })).await;
    let request = || {
        sandbox.request("{ issue(id: \"ENG-1\") { description } }", json!({})).header("authorization", KEY)
    };
    let (_, _, body) = read(request()).await;
    assert!(!body["data"]["issue"]["description"].as_str().unwrap().contains("signature"));
    let (_, _, body) = read(request().header("public-file-urls-expire-in", "60")).await;
    let text = body["data"]["issue"]["description"].as_str().unwrap();
    let signed = text.strip_prefix("See ![log](").unwrap().strip_suffix(") there").unwrap();
    let fetch = || sandbox.client.get(signed).send();
    assert_eq!(fetch().await.unwrap().text().await.unwrap(), "hello");
    sandbox.harness().clock().advance(Duration::from_secs(61));
    assert_eq!(fetch().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
