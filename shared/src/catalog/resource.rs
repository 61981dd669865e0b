//! Resources: what a client may attach to a conversation by its address.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use serde_json::Value;

use super::{Call, Reply, Variables};
use crate::Result;

/// Reads a resource; templates get the values of their variables.
type Work<S> = Arc<dyn Fn(Call<S>, Variables) -> BoxFuture<'static, Result<Reply>> + Send + Sync>;
/// The arguments of the tool that a resource reads as.
type Arguments = Arc<dyn Fn(&Variables) -> Result<Value> + Send + Sync>;

/// How a resource is read.
enum Read<S> {
    Work(Work<S>),
    /// As this tool answers.
    Tool {
        tool: &'static str,
        arguments: Arguments,
        /// Whether the tool lists, so that its answer may have a cursor.
        lists: bool,
    },
}

impl<S: Send + Sync + 'static> Read<S> {
    async fn read(&self, call: Call<S>, variables: Variables) -> Result<Reply> {
        match self {
            Self::Work(work) => work(call, variables).await,
            Self::Tool { tool, arguments, lists: false } => call.tool(tool, arguments(&variables)?).await,
            Self::Tool { tool, arguments, lists: true } => call.listing(tool, arguments(&variables)?).await,
        }
    }
}

/// Whether a resource of a family may be watched, told without asking the vendor.
type Admits<S> = Box<dyn Fn(&S, &Variables) -> Result<()> + Send + Sync>;
/// Finds the version of a resource.
type Version<S> = Box<dyn Fn(Call<S>, Variables) -> BoxFuture<'static, Result<String>> + Send + Sync>;

/// How the resources of a family are watched.
struct Watch<S> {
    admits: Admits<S>,
    version: Version<S>,
}

/// A resource with a fixed address.
pub struct Resource<S> {
    uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    needs: Vec<&'static str>,
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
        let read = Read::Work(Arc::new(move |call, _| Box::pin(read(call))));
        Self { uri, name, title, description, needs: Vec::new(), read }
    }

    /// A resource at `uri` that reads as `tool` answers to `arguments`. It is offered to whom the tool is.
    pub fn of_tool(
        uri: &'static str,
        name: &'static str,
        title: &'static str,
        description: &'static str,
        tool: &'static str,
        arguments: Value,
    ) -> Self {
        let read = Read::Tool { tool, arguments: Arc::new(move |_| Ok(arguments.clone())), lists: false };
        Self { uri, name, title, description, needs: vec![tool], read }
    }

    /// Says that the tool lists: a cursor in its answer is explained.
    #[must_use]
    pub fn lists(mut self) -> Self {
        if let Read::Tool { lists, .. } = &mut self.read {
            *lists = true;
        }
        self
    }

    /// Says which tools it reads by: it is offered to whom they all are.
    #[must_use]
    pub fn needs(mut self, tools: &[&'static str]) -> Self {
        self.needs.extend(tools);
        self
    }

    /// The tools that it reads by.
    #[must_use]
    pub fn needed_tools(&self) -> &[&'static str] {
        &self.needs
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
}

impl<S: Send + Sync + 'static> Resource<S> {
    pub(super) async fn read(&self, call: Call<S>) -> Result<Reply> {
        self.read.read(call, Variables::default()).await
    }
}

impl<S> fmt::Debug for Resource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// A family of resources: an RFC 6570 template with simple variables, each one path segment, and at its end
/// perhaps one of several segments.
pub struct ResourceTemplate<S> {
    template: &'static str,
    slashes: Option<&'static str>,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    needs: Vec<&'static str>,
    read: Read<S>,
    watch: Option<Watch<S>>,
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
        F: Fn(Call<S>, Variables) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        let read = Read::Work(Arc::new(move |call, variables| Box::pin(read(call, variables))));
        Self { template, slashes: None, name, title, description, needs: Vec::new(), read, watch: None }
    }

    /// Resources that read as `tool` answers to `arguments`, which are made from the variables' values. They
    /// are offered to whom the tool is.
    pub fn of_tool(
        template: &'static str,
        name: &'static str,
        title: &'static str,
        description: &'static str,
        tool: &'static str,
        arguments: impl Fn(&Variables) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        let read = Read::Tool { tool, arguments: Arc::new(arguments), lists: false };
        Self { template, slashes: None, name, title, description, needs: vec![tool], read, watch: None }
    }

    /// Says that the tool lists: a cursor in its answer is explained.
    #[must_use]
    pub fn lists(mut self) -> Self {
        if let Read::Tool { lists, .. } = &mut self.read {
            *lists = true;
        }
        self
    }

    /// Says which tools they read by: they are offered to whom these all are.
    #[must_use]
    pub fn needs(mut self, tools: &[&'static str]) -> Self {
        self.needs.extend(tools);
        self
    }

    /// The tools that they read by.
    #[must_use]
    pub fn needed_tools(&self) -> &[&'static str] {
        &self.needs
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

    /// Lets the value of `variable` have slashes in it, which its address writes as `%2F`: the name of a
    /// branch.
    #[must_use]
    pub fn slashes(mut self, variable: &'static str) -> Self {
        self.slashes = Some(variable);
        self
    }

    /// Lets clients watch these resources. `version` is asked again and again, and must be cheap for the
    /// vendor: a text that is another one whenever the resource has changed in a way worth telling.
    /// `admits` refuses, without asking the vendor, what can be no resource or may not be read.
    #[must_use]
    pub fn subscribable<A, V, Fut>(mut self, admits: A, version: V) -> Self
    where
        A: Fn(&S, &Variables) -> Result<()> + Send + Sync + 'static,
        V: Fn(Call<S>, Variables) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String>> + Send + 'static,
    {
        let version: Version<S> = Box::new(move |call, variables| Box::pin(version(call, variables)));
        self.watch = Some(Watch { admits: Box::new(admits), version });
        self
    }

    /// Whether clients may watch these resources.
    #[must_use]
    pub fn is_subscribable(&self) -> bool {
        self.watch.is_some()
    }

    /// The variables of the template, in order.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        let (segments, tail) = parts(self.template);
        segments
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .chain(tail.map(Tail::name))
    }

    /// The values of the variables, if `uri` is one of these addresses. A value is one decoded path
    /// segment; one that decodes to a path, or to nothing, is no value. A template may end in `/{+name}`,
    /// which stands for one segment or more, or in `{/name*}`, which stands for any number.
    #[must_use]
    pub fn matches(&self, uri: &str) -> Option<Variables> {
        let mut variables = Variables::default();
        let mut segments = uri.split('/');
        let (patterns, tail) = parts(self.template);
        for pattern in patterns {
            let segment = segments.next()?;
            match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    let value = value(segment, self.slashes == Some(name))?;
                    variables.set(name, value);
                }
                None if pattern == segment => {}
                None => return None,
            }
        }
        let Some(tail) = tail else { return segments.next().is_none().then_some(variables) };
        let rest = segments.map(|segment| value(segment, false)).collect::<Option<Vec<_>>>()?;
        if rest.is_empty() && matches!(tail, Tail::Some(_)) {
            return None;
        }
        variables.set(tail.name(), rest.join("/"));
        Some(variables)
    }

    /// Whether the resource with these variables may be watched; nothing if none of the family is.
    pub(super) fn admits_subscription(&self, server: &S, variables: &Variables) -> Option<Result<()>> {
        self.watch.as_ref().map(|watch| (watch.admits)(server, variables))
    }

    /// The version of the resource with these variables; nothing if none of the family is watched.
    pub(super) fn version(
        &self,
        call: Call<S>,
        variables: Variables,
    ) -> Option<BoxFuture<'static, Result<String>>> {
        self.watch.as_ref().map(|watch| (watch.version)(call, variables))
    }
}

impl<S: Send + Sync + 'static> ResourceTemplate<S> {
    pub(super) async fn read(&self, call: Call<S>, variables: Variables) -> Result<Reply> {
        self.read.read(call, variables).await
    }
}

impl<S> fmt::Debug for ResourceTemplate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceTemplate").field("template", &self.template).finish_non_exhaustive()
    }
}

/// The variable at the end of a template that takes several segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// `/{+name}`: one or more.
    Some(&'static str),
    /// `{/name*}`: any number.
    Any(&'static str),
}

impl Tail {
    fn name(self) -> &'static str {
        match self {
            Self::Some(name) | Self::Any(name) => name,
        }
    }
}

/// The segments of a template, and the variable at its end that takes several.
fn parts(template: &'static str) -> (std::str::Split<'static, char>, Option<Tail>) {
    if let Some((before, name)) = template.strip_suffix('}').and_then(|open| open.split_once("/{+")) {
        return (before.split('/'), Some(Tail::Some(name)));
    }
    if let Some((before, name)) = template.strip_suffix("*}").and_then(|open| open.split_once("{/")) {
        return (before.split('/'), Some(Tail::Any(name)));
    }
    (template.split('/'), None)
}

/// The value that a segment stands for, if it is one: never a way up, or out of the place it stands in.
fn value(segment: &str, slashes: bool) -> Option<String> {
    let value = decode(segment)?;
    let good = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\\');
    let all = if slashes { value.split('/').all(good) } else { good(&value) && !value.contains('/') };
    all.then_some(value)
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

    #[test]
    fn a_path_at_the_end_takes_what_is_left_and_never_leads_up() {
        let template = |text: &'static str| {
            ResourceTemplate::<()>::new(text, "x", "X", "", |_, _| async { Ok(Reply::default()) })
        };
        let blob = template("github://{owner}/{repo}/blob/{ref}/{+path}").slashes("ref");
        assert_eq!(blob.variables().collect::<Vec<_>>(), ["owner", "repo", "ref", "path"]);
        let values = blob.matches("github://o/r/blob/feature%2Fx/src/a%20b.rs").unwrap();
        assert_eq!((values["ref"].as_str(), values["path"].as_str()), ("feature/x", "src/a b.rs"));
        let folder = template("repo://{owner}/{repo}/contents{/path*}");
        assert_eq!(folder.variables().collect::<Vec<_>>(), ["owner", "repo", "path"]);
        assert_eq!(folder.matches("repo://o/r/contents").unwrap()["path"], "");
        assert_eq!(folder.matches("repo://o/r/contents/a/b.md").unwrap()["path"], "a/b.md");
        for uri in [
            "github://o/r/blob/main",
            "github://o/r/blob/main/",
            "github://o/r/blob/main/src/../x",
            "github://o/r/blob/main/%2e%2e/x",
            "github://o/r/blob/main/a//b",
            "github://o/r/blob/main/a%2Fb",
            "github://o/r/blob/a%2F..%2Fb/x",
            "github://o%2Fr/r/blob/main/x",
        ] {
            assert_eq!(blob.matches(uri), None, "{uri}");
        }
        assert_eq!(folder.matches("repo://o/r/contentsx"), None);
        assert_eq!(folder.matches("repo://o/r/contents/./a"), None);
    }
}
