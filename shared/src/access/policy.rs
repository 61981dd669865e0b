//! What a caller may use: one decision, asked wherever something is listed, called, read, prompted,
//! completed, subscribed to or suggested.

use crate::{Effect, Error, Kind, Result, access::Principal};

use super::scopes::Granted;

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

/// A tool, as far as rights are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Capability<'a> {
    /// Its name, without a prefix.
    pub tool: &'a str,
    /// The toolset it belongs to.
    pub toolset: &'a str,
    /// Whether the toolset is on unless the configuration says otherwise.
    pub on_by_default: bool,
    /// What it does to the vendor's data.
    pub effect: Effect,
    /// The scopes of which a credential needs one; none if it can do without.
    pub scopes: &'a [&'a str],
}

/// Why something may not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Nothing may be written.
    ReadOnly,
    /// Its toolset is off.
    ToolsetOff {
        /// The toolset.
        toolset: String,
        /// The value of `--toolsets` that would switch it on besides those that are on.
        toolsets: String,
    },
    /// The operator lists the tools that are offered, and it is not among them.
    NotAmongTools,
    /// The operator has excluded it.
    Excluded,
    /// The credential lacks a scope: any of these would do.
    Scope(Vec<String>),
}

impl Selection {
    /// Whether a tool is offered.
    ///
    /// # Errors
    /// Why not.
    pub fn decide(&self, wanted: &Capability<'_>) -> Result<(), Denial> {
        let in_toolset = if self.toolsets.is_empty() {
            wanted.on_by_default
        } else {
            self.toolsets.iter().any(|toolset| match toolset.as_str() {
                "all" => true,
                "default" => wanted.on_by_default,
                toolset => toolset == wanted.toolset,
            })
        };
        let named = self.tools.iter().any(|name| name == wanted.tool);
        if self.read_only && wanted.effect.writes() {
            return Err(Denial::ReadOnly);
        }
        if self.exclude_tools.iter().any(|name| name == wanted.tool) {
            return Err(Denial::Excluded);
        }
        if !self.tools.is_empty() && !named {
            return Err(Denial::NotAmongTools);
        }
        // A tool that is named comes from any toolset, unless toolsets are named too.
        let reached = in_toolset || (named && self.toolsets.is_empty());
        if !reached {
            let on = if self.toolsets.is_empty() { "default".to_owned() } else { self.toolsets.join(",") };
            return Err(Denial::ToolsetOff {
                toolset: wanted.toolset.to_owned(),
                toolsets: format!("{on},{}", wanted.toolset),
            });
        }
        Ok(())
    }
}

impl Denial {
    /// What an agent is told, which called `tool`. What the operator switched off is no secret.
    #[must_use]
    pub fn into_error(self, tool: &str, who: &Principal) -> Error {
        match self {
            Self::ReadOnly => {
                Error::new(Kind::Policy, format!("This server is read-only for {who}; nothing was sent"))
                    .with_hint("Ask the operator to start it without --read-only if writing is wanted")
            }
            Self::ToolsetOff { toolset, toolsets } => Error::new(
                Kind::Policy,
                format!("`{tool}` belongs to the toolset `{toolset}`, which is switched off"),
            )
            .with_hint(format!("The operator switches it on with --toolsets {toolsets}")),
            Self::NotAmongTools => {
                Error::new(Kind::Policy, format!("`{tool}` is not among the tools that this server offers"))
                    .with_hint("The operator lists them in --tools")
            }
            Self::Excluded => Error::new(Kind::Policy, format!("`{tool}` is switched off"))
                .with_hint("The operator has it in --exclude-tools"),
            Self::Scope(scopes) => Error::new(
                Kind::Permission,
                format!("The credential lacks the scope that `{tool}` needs: {}", scopes.join(" or ")),
            )
            .with_hint("Give the server a credential that has it"),
        }
    }
}

/// The rights of callers. Today everybody who is let in has the same rights: those of the configuration
/// and of the server's own credential. Roles join in [`Self::decide`], without a change for who asks.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    read_only: bool,
    allow_destructive: bool,
    asks_a_person: bool,
    selection: Option<Selection>,
}

impl Policy {
    /// Rights as configured: nothing that writes if `read_only`; no question before destructive
    /// work if `allow_destructive`.
    #[must_use]
    pub fn new(read_only: bool, allow_destructive: bool) -> Self {
        Self { read_only, allow_destructive, asks_a_person: false, selection: None }
    }

    /// The same, where a person has to agree to every write if `strict`, whatever else is said.
    #[must_use]
    pub fn strictly(mut self, strict: bool) -> Self {
        self.asks_a_person = strict;
        self
    }

    /// The same, with what is offered by configuration.
    #[must_use]
    pub fn with_selection(mut self, selection: Option<Selection>) -> Self {
        self.selection = selection;
        self
    }

    /// The one decision: whether `who` may use a tool, in whatever way: see it in a list, call it, read what
    /// a resource or a prompt makes of it, complete its words, subscribe to it, be reminded of its name.
    /// `granted` are the scopes of the server's credential, where they are known.
    ///
    /// # Errors
    /// Why not.
    pub fn decide(
        &self,
        _who: &Principal,
        wanted: &Capability<'_>,
        granted: Option<&Granted>,
    ) -> Result<(), Denial> {
        if self.read_only && wanted.effect.writes() {
            return Err(Denial::ReadOnly);
        }
        if let Some(selection) = &self.selection {
            selection.decide(wanted)?;
        }
        match granted {
            Some(granted) if !granted.has_one_of(wanted.scopes) => {
                Err(Denial::Scope(wanted.scopes.iter().map(ToString::to_string).collect()))
            }
            _ => Ok(()),
        }
    }

    /// Whether what `who` is shown may differ from what another caller is shown.
    #[must_use]
    pub fn depends_on_caller(&self) -> bool {
        false
    }

    /// Whether `principal` may do destructive work without being asked first.
    #[must_use]
    pub fn skips_confirmation(&self, _principal: &Principal) -> bool {
        self.allow_destructive && !self.asks_a_person
    }

    /// Whether a person has to agree to every write of `principal`, asked by the client: no second call will do.
    #[must_use]
    pub fn asks_a_person(&self, _principal: &Principal) -> bool {
        self.asks_a_person
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

    const LIST: Capability<'_> = Capability {
        tool: "list_issues",
        toolset: "issues",
        on_by_default: true,
        effect: Effect::Read,
        scopes: &[],
    };
    const CREATE: Capability<'_> =
        Capability { tool: "create_issue", effect: Effect::Write, scopes: &["write"], ..LIST };
    const MARK: Capability<'_> =
        Capability { tool: "mark_notification", toolset: "inbox", on_by_default: false, ..CREATE };

    #[test]
    fn an_empty_selection_offers_what_is_on_by_default() {
        let selection = Selection::default();
        assert_eq!(selection.decide(&LIST), Ok(()));
        let off = Denial::ToolsetOff { toolset: "inbox".to_owned(), toolsets: "default,inbox".to_owned() };
        assert_eq!(selection.decide(&MARK), Err(off));
    }

    #[test]
    fn read_only_beats_every_other_wish() {
        let selection = Selection { read_only: true, ..selection(&["all"], &["create_issue"]) };
        assert_eq!(selection.decide(&CREATE), Err(Denial::ReadOnly));
    }

    #[test]
    fn tools_narrow_within_toolsets_and_reach_opt_in_tools_alone() {
        assert_eq!(selection(&[], &["mark_notification"]).decide(&MARK), Ok(()));
        assert_eq!(selection(&["issues"], &["list_projects"]).decide(&LIST), Err(Denial::NotAmongTools));
        assert_eq!(selection(&["default", "inbox"], &[]).decide(&MARK), Ok(()));
        assert!(selection(&["issues"], &["mark_notification"]).decide(&MARK).is_err());
        let without = Selection { exclude_tools: vec!["list_issues".to_owned()], ..Selection::default() };
        assert_eq!(without.decide(&LIST), Err(Denial::Excluded));
    }

    #[test]
    fn where_a_person_has_to_agree_no_question_is_skipped() {
        let who = Principal::local();
        let lenient = Policy::new(false, true);
        assert!(lenient.skips_confirmation(&who) && !lenient.asks_a_person(&who));
        let strict = lenient.strictly(true);
        assert!(strict.asks_a_person(&who) && !strict.skips_confirmation(&who));
    }

    #[test]
    fn the_decision_takes_every_rule_into_account() {
        let who = Principal::local();
        let granted = |scopes: &[&str]| Granted::new(scopes.iter().map(ToString::to_string), &[]);
        let policy = Policy::new(false, false).with_selection(Some(Selection::default()));
        assert_eq!(policy.decide(&who, &CREATE, None), Ok(()), "what is not known denies nothing");
        assert_eq!(policy.decide(&who, &CREATE, Some(&granted(&["write"]))), Ok(()));
        let denied = policy.decide(&who, &CREATE, Some(&granted(&["read"]))).unwrap_err();
        let said = denied.into_error("create_issue", &who).for_agent();
        assert!(said.starts_with("permission: ") && said.contains("write"), "{said}");
        assert_eq!(policy.decide(&who, &LIST, Some(&granted(&[]))), Ok(()));
        let said = policy.decide(&who, &MARK, None).unwrap_err().into_error("mark_notification", &who);
        assert!(said.for_agent().contains("toolset `inbox`") && said.for_agent().contains("default,inbox"));
        let read_only = Policy::new(true, false).decide(&who, &CREATE, None);
        assert_eq!(read_only, Err(Denial::ReadOnly));
    }
}
