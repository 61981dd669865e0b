//! Prompts, put together from what to do and what there is to do it with.

use super::{Reply, ReplyOptions};
use crate::Result;

/// Bytes of one section of a prompt.
const SECTION_BYTES: usize = 7 * 1024;

/// A prompt in the making: what to do, then what there is to do it with.
#[derive(Debug)]
pub struct PromptBuilder {
    reply: Reply,
}

impl PromptBuilder {
    /// Begins with what to do, a line each.
    pub fn new(task: &[&str]) -> Self {
        let mut lines = task.iter();
        let mut reply = Reply::new(lines.next().copied().unwrap_or_default());
        for line in lines {
            reply = reply.line(*line);
        }
        Self { reply }
    }

    /// Adds a section. One that could not be read says so, and does not take the others with it.
    #[must_use]
    pub fn section(mut self, title: &str, content: Result<Reply>) -> Self {
        self.reply = self.reply.line(format!("\n## {title}"));
        let options = ReplyOptions { budget: SECTION_BYTES, structured: false };
        self.reply = match content {
            Ok(content) => self.reply.line(content.render(&options).text),
            Err(error) => self.reply.line(format!("Could not be read: {}", error.for_agent())),
        };
        self
    }

    /// The prompt's text.
    pub fn finish(self) -> Reply {
        self.reply
    }
}
