//! What resources and prompts are made of: the answers of the reading tools themselves, so that
//! nothing is worded twice.

use std::sync::Arc;

use serde_json::Value;

use super::{Answer, Call, Caller, Catalog, Confirmations, Reply, ReplyOptions, Silent};
use crate::{Error, Result, access::Policy};

/// Bytes of one section of a prompt.
const SECTION_BYTES: usize = 7 * 1024;

impl<S: Send + Sync + 'static> Catalog<S> {
    /// What the reading tool `name` answers to a call that is no tool's: a resource, a prompt.
    ///
    /// # Errors
    /// Whatever the tool gives; `internal` if it is no reading tool.
    pub async fn read_with(&self, call: &Call<S>, name: &str, arguments: Value) -> Result<Reply> {
        let tool = self
            .tool(name)
            .filter(|tool| !tool.effect().writes())
            .ok_or_else(|| Error::internal(format!("there is no reading tool {name}")))?;
        let Value::Object(arguments) = arguments else {
            return Err(Error::internal(format!("the arguments of {name} are no object")));
        };
        let caller = Caller {
            principal: call.principal().clone(),
            policy: &Policy::new(true, false),
            confirmations: &Confirmations::default(),
            confirmed: false,
            progress: Arc::new(Silent),
        };
        match self.call(tool, call.server(), caller, arguments).await? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Question(_) => Err(Error::internal(format!("{name} asked instead of reading"))),
        }
    }

    /// What the listing tool `name` answers, with a word on which call its cursor belongs to.
    ///
    /// # Errors
    /// As [`Self::read_with`].
    pub async fn list_with(&self, call: &Call<S>, name: &str, arguments: Value) -> Result<Reply> {
        let reply = self.read_with(call, name, arguments.clone()).await?;
        Ok(reply.line(format!("[From {name} {arguments}; a cursor above goes on with that call.]")))
    }
}

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
