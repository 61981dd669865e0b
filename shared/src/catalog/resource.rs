//! Resources: what a client may attach to a conversation by its address.

use std::{collections::BTreeMap, fmt, sync::Arc};

use futures::future::BoxFuture;

use super::{Call, Reply};
use crate::Result;

/// Reads a resource; templates get the values of their variables.
type Read<S> =
    Arc<dyn Fn(Call<S>, BTreeMap<String, String>) -> BoxFuture<'static, Result<Reply>> + Send + Sync>;

/// A resource with a fixed address.
pub struct Resource<S> {
    uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    read: Read<S>,
}

impl<S> Resource<S> {
    /// A resource at `uri`. It reads as Markdown.
    pub fn new<F, Fut>(
        uri: &'static str,
        name: &'static str,
        title: &'static str,
        description: &'static str,
        read: F,
    ) -> Self
    where
        F: Fn(Call<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        Self { uri, name, title, description, read: Arc::new(move |call, _| Box::pin(read(call))) }
    }

    /// Its address.
    #[must_use]
    pub fn uri(&self) -> &'static str {
        self.uri
    }

    /// Its name, unique among the server's resources.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A few words for people.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// What it holds.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.description
    }

    pub(super) async fn read(&self, call: Call<S>) -> Result<Reply> {
        (self.read)(call, BTreeMap::new()).await
    }
}

impl<S> fmt::Debug for Resource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// A family of resources: an RFC 6570 template with simple variables, each one path segment.
pub struct ResourceTemplate<S> {
    template: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    read: Read<S>,
}

impl<S> ResourceTemplate<S> {
    /// Resources at the addresses that `template` describes. They read as Markdown.
    pub fn new<F, Fut>(
        template: &'static str,
        name: &'static str,
        title: &'static str,
        description: &'static str,
        read: F,
    ) -> Self
    where
        F: Fn(Call<S>, BTreeMap<String, String>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        Self {
            template,
            name,
            title,
            description,
            read: Arc::new(move |call, variables| Box::pin(read(call, variables))),
        }
    }

    /// The template.
    #[must_use]
    pub fn template(&self) -> &'static str {
        self.template
    }

    /// Its name, unique among the server's templates.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A few words for people.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// What the resources hold.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// The variables of the template, in order.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The values of the variables, if `uri` is one of these addresses. A value is one decoded path
    /// segment; one that decodes to a path, or to nothing, is no value.
    #[must_use]
    pub fn matches(&self, uri: &str) -> Option<BTreeMap<String, String>> {
        let mut variables = BTreeMap::new();
        let mut segments = uri.split('/');
        for pattern in self.template.split('/') {
            let segment = segments.next()?;
            match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    let value = decode(segment)?;
                    if value.is_empty() || value.contains(['/', '\\']) || value == "." || value == ".." {
                        return None;
                    }
                    variables.insert(name.to_owned(), value);
                }
                None if pattern == segment => {}
                None => return None,
            }
        }
        segments.next().is_none().then_some(variables)
    }

    pub(super) async fn read(&self, call: Call<S>, variables: BTreeMap<String, String>) -> Result<Reply> {
        (self.read)(call, variables).await
    }
}

impl<S> fmt::Debug for ResourceTemplate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceTemplate").field("template", &self.template).finish_non_exhaustive()
    }
}

/// Percent-decodes one path segment; nothing if it is not valid.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> ResourceTemplate<()> {
        ResourceTemplate::new("linear://cycle/{team}/{which}", "cycle", "Cycle", "", |_, _| async {
            Ok(Reply::default())
        })
    }

    #[test]
    fn a_template_gives_the_values_of_its_variables() {
        let values = template().matches("linear://cycle/ENG/next%20one").unwrap();
        assert_eq!((values["team"].as_str(), values["which"].as_str()), ("ENG", "next one"));
        assert_eq!(template().variables().collect::<Vec<_>>(), ["team", "which"]);
    }

    #[test]
    fn addresses_that_only_look_alike_do_not_match() {
        for uri in [
            "linear://cycle/ENG",
            "linear://cycle/ENG/a/b",
            "linear://cycle/ENG/..",
            "linear://cycle//x",
            "linear://cycle/ENG/a%2fb",
            "linear://cycle/ENG/%zz",
        ] {
            assert_eq!(template().matches(uri), None, "{uri}");
        }
    }
}
