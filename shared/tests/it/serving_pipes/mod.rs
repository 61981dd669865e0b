//! The protocol over pipes, in both eras.
mod calls;
mod ends;
mod lines;
mod questions;
mod resources_prompts;
mod tools;
mod writes;

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use crate::notes::{self, Notes, Nothing, legacy, modern, modern_with, pipe::Client, text};
use connector::{
    Connector as _, Service,
    access::{Granted, Selection},
    catalog::{Call, Catalog, Reply, Tool},
    serve::StdioOptions,
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

fn call(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}
