//! Prompts, which a person starts by name, and completions for their arguments.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

use super::{Call, Reply, Variables, nearest};
use crate::{Error, Result};

/// Writes the text of a prompt.
type Write<S> = Arc<dyn Fn(Call<S>, Variables) -> BoxFuture<'static, Result<Reply>> + Send + Sync>;

/// One prompt of a server.
pub struct Prompt<S> {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    arguments: &'static [PromptArgument],
    needs: Vec<&'static str>,
    write: Write<S>,
}

/// One argument of a prompt.
#[derive(Clone, Copy, Debug)]
pub struct PromptArgument {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Whether the prompt needs it.
    pub required: bool,
}

impl PromptArgument {
    /// An argument that the prompt needs.
    #[must_use]
    pub const fn required(name: &'static str, description: &'static str) -> Self {
        Self { name, description, required: true }
    }

    /// An argument that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, description: &'static str) -> Self {
        Self { name, description, required: false }
    }
}

impl<S> Prompt<S> {
    /// A prompt whose text `write` makes from its arguments.
    pub fn new<F, Fut>(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        arguments: &'static [PromptArgument],
        write: F,
    ) -> Self
    where
        F: Fn(Call<S>, Variables) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        Self {
            name,
            title,
            description,
            arguments,
            needs: Vec::new(),
            write: Arc::new(move |call, given| Box::pin(write(call, given))),
        }
    }

    /// Says which tools it cannot do without: it is offered to whom they all are.
    #[must_use]
    pub fn needs(mut self, tools: &[&'static str]) -> Self {
        self.needs.extend(tools);
        self
    }

    /// The tools that it cannot do without.
    #[must_use]
    pub fn needed_tools(&self) -> &[&'static str] {
        &self.needs
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A few words for people.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// What it starts.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// Its arguments.
    #[must_use]
    pub fn arguments(&self) -> &'static [PromptArgument] {
        self.arguments
    }

    /// Writes its text.
    ///
    /// # Errors
    /// [`crate::Kind::InvalidArgument`] for an argument that is missing or unknown; whatever writing it gives.
    pub async fn get(&self, call: Call<S>, given: Variables) -> Result<Reply> {
        for name in given.keys() {
            if !self.arguments.iter().any(|argument| argument.name == name) {
                let error = Error::invalid(format!(
                    "The prompt `{}` has no argument `{}`",
                    self.name,
                    super::one_line(name)
                ));
                return Err(match nearest(name, self.arguments.iter().map(|argument| argument.name)) {
                    Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                    None => error,
                });
            }
        }
        for argument in self.arguments.iter().filter(|argument| argument.required) {
            if given.given(argument.name).is_none() {
                return Err(Error::invalid(format!("The prompt `{}` needs `{}`", self.name, argument.name))
                    .with_hint(argument.description));
            }
        }
        (self.write)(call, given).await
    }
}

impl<S> fmt::Debug for Prompt<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Finds the values that complete what was typed, given the other arguments typed so far.
type Complete<S> =
    Arc<dyn Fn(Call<S>, String, Variables) -> BoxFuture<'static, Result<Vec<String>>> + Send + Sync>;

/// Completions for every prompt argument and template variable of one name.
pub struct Completions<S> {
    argument: &'static str,
    as_found: bool,
    complete: Complete<S>,
}

impl<S> Completions<S> {
    /// Completions for `argument`. The values need not be filtered by what was typed, nor sorted.
    pub fn new<F, Fut>(argument: &'static str, complete: F) -> Self
    where
        F: Fn(Call<S>, String, Variables) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<String>>> + Send + 'static,
    {
        Self {
            argument,
            as_found: false,
            complete: Arc::new(move |call, typed, others| Box::pin(complete(call, typed, others))),
        }
    }

    /// Leaves the values as they are found: their order says something, or what was typed is not a part of
    /// them (the title of what a number stands for). The source then sees to what was typed itself.
    #[must_use]
    pub fn as_found(mut self) -> Self {
        self.as_found = true;
        self
    }

    /// The name it completes.
    #[must_use]
    pub fn argument(&self) -> &'static str {
        self.argument
    }

    /// The values that complete `typed`: those that begin with it, then those that contain it.
    ///
    /// # Errors
    /// Whatever finding them gives.
    pub async fn complete(&self, call: Call<S>, typed: String, others: Variables) -> Result<Vec<String>> {
        let wanted = typed.to_lowercase();
        let mut values = (self.complete)(call, typed, others).await?;
        if self.as_found {
            values.dedup();
            return Ok(values);
        }
        values.retain(|value| value.to_lowercase().contains(&wanted));
        values.sort_by_cached_key(|value| (!value.to_lowercase().starts_with(&wanted), value.to_lowercase()));
        values.dedup();
        Ok(values)
    }
}

impl<S> fmt::Debug for Completions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completions").field("argument", &self.argument).finish_non_exhaustive()
    }
}
