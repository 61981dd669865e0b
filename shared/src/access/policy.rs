//! What a caller may use: one function, asked when tools are listed and again when one is called.

use crate::{Effect, Error, Kind, Result, access::Principal};

/// Which part of a server's catalog is offered, by configuration. It only ever narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Offer nothing that writes, whatever else is said.
    pub read_only: bool,
    /// Only these toolsets; `default` stands for those that are on by default, `all` for every one.
    /// Empty means `default`.
    pub toolsets: Vec<String>,
    /// Only these tools, by name, from any toolset. Empty means no such limit.
    pub tools: Vec<String>,
    /// None of these tools, by name.
    pub exclude_tools: Vec<String>,
}

impl Selection {
    /// Whether a tool with these properties is offered.
    #[must_use]
    pub fn offers(&self, tool: &str, toolset: &str, on_by_default: bool, effect: Effect) -> bool {
        let named = self.tools.iter().any(|name| name == tool);
        let in_toolset = if self.toolsets.is_empty() {
            on_by_default
        } else {
            self.toolsets.iter().any(|wanted| match wanted.as_str() {
                "all" => true,
                "default" => on_by_default,
                wanted => wanted == toolset,
            })
        };
        let wanted = if self.tools.is_empty() {
            in_toolset
        } else {
            named && (self.toolsets.is_empty() || in_toolset)
        };
        wanted && !(self.read_only && effect.writes()) && !self.exclude_tools.iter().any(|name| name == tool)
    }
}

/// The rights of callers. Today everybody who is let in has the same rights: those of the
/// configured selection. Roles join here, without a change for who asks.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    read_only: bool,
    allow_destructive: bool,
}

impl Policy {
    /// Rights as configured: nothing that writes if `read_only`; no question before destructive
    /// work if `allow_destructive`.
    #[must_use]
    pub fn new(read_only: bool, allow_destructive: bool) -> Self {
        Self { read_only, allow_destructive }
    }

    /// Whether `principal` may do something with this effect.
    ///
    /// # Errors
    /// [`Kind::Policy`] if not.
    pub fn permits(&self, principal: &Principal, effect: Effect) -> Result<()> {
        if self.read_only && effect.writes() {
            return Err(Error::new(
                Kind::Policy,
                format!("This server is read-only for {principal}; nothing was sent"),
            )
            .with_hint("Ask the operator to start it without --read-only if writing is wanted"));
        }
        Ok(())
    }

    /// Whether `principal` may do destructive work without being asked first.
    #[must_use]
    pub fn skips_confirmation(&self, _principal: &Principal) -> bool {
        self.allow_destructive
    }

    /// Whether nothing may be written.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.read_only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(toolsets: &[&str], tools: &[&str]) -> Selection {
        Selection {
            toolsets: toolsets.iter().map(ToString::to_string).collect(),
            tools: tools.iter().map(ToString::to_string).collect(),
            ..Selection::default()
        }
    }

    #[test]
    fn an_empty_selection_offers_what_is_on_by_default() {
        let selection = Selection::default();
        assert!(selection.offers("list_issues", "issues", true, Effect::Read));
        assert!(!selection.offers("mark_notification", "inbox", false, Effect::Write));
    }

    #[test]
    fn read_only_beats_every_other_wish() {
        let selection = Selection { read_only: true, ..selection(&["all"], &["create_issue"]) };
        assert!(!selection.offers("create_issue", "issues", true, Effect::Write));
    }

    #[test]
    fn tools_narrow_within_toolsets_and_reach_opt_in_tools_alone() {
        assert!(selection(&[], &["mark_notification"]).offers(
            "mark_notification",
            "inbox",
            false,
            Effect::Write
        ));
        assert!(!selection(&["issues"], &["list_projects"]).offers(
            "list_projects",
            "projects",
            true,
            Effect::Read
        ));
        assert!(selection(&["default", "inbox"], &[]).offers(
            "list_notifications",
            "inbox",
            false,
            Effect::Read
        ));
    }
}
