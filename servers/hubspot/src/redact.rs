//! Properties whose values no agent may see, by patterns of their names.

use connector::{Error, Kind, Result};
use fast_glob::glob_match;

/// What HubSpot makes of other properties: it says what they say. The words behind a line are its label, as HubSpot's own
/// definitions have it (`GET /crm/properties/{object}`, also the pages "HubSpot's default contact properties" and those of
/// companies and deals at knowledge.hubspot.com).
const DERIVED: [(&str, &[&str]); 19] = [
    ("hs_additional_emails", &["email"]), // "Additional email addresses", of which one may become the first
    ("hs_email_domain", &["email"]),      // "Email Domain"
    ("hs_full_name_or_email", &["firstname", "lastname", "email"]), // "Full name or email"
    // "Calculated Phone Number in International Format", "… with country code", "… without country code", and the same
    // of "Mobile Number".
    ("hs_calculated_phone_number", &["phone"]),
    ("hs_searchable_calculated_international_phone_number", &["phone"]),
    ("hs_searchable_calculated_phone_number", &["phone"]),
    ("hs_calculated_mobile_number", &["mobilephone"]),
    ("hs_searchable_calculated_international_mobile_number", &["mobilephone"]),
    ("hs_searchable_calculated_mobile_number", &["mobilephone"]),
    ("hs_additional_domains", &["domain"]), // "Additional Domains"
    // Equations: "Amount in company currency", "Closed Deal Amount" and "… in home currency", "Open amount in home
    // currency"; the projected amounts are the amount by the stage's probability.
    ("amount_in_home_currency", &["amount"]),
    ("hs_closed_amount", &["amount"]),
    ("hs_closed_amount_in_home_currency", &["amount"]),
    ("hs_open_amount_in_home_currency", &["amount"]),
    ("hs_projected_amount", &["amount"]),
    ("hs_projected_amount_in_home_currency", &["amount"]),
    // One e-mail in two forms, and the beginning of any activity's text (developers.hubspot.com, "Email" and the search
    // guide, which names all three).
    ("hs_email_html", &["hs_email_text"]),
    ("hs_body_preview", &BODIES),
    ("hs_body_preview_html", &BODIES),
];
const BODIES: [&str; 5] =
    ["hs_note_body", "hs_call_body", "hs_meeting_body", "hs_email_text", "hs_task_body"];

/// The properties whose values are not shown, nor filtered or grouped by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redacted(Vec<String>);

impl Redacted {
    /// Those of `names` that are redacted.
    pub(crate) fn of<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names.iter().copied().filter(|name| self.hides(name)).collect()
    }

    /// Names in which `*` stands for any characters.
    pub(crate) fn new(patterns: &[String]) -> Self {
        Self(
            patterns
                .iter()
                .map(|pattern| pattern.trim().to_lowercase())
                .filter(|pattern| !pattern.is_empty())
                .collect(),
        )
    }

    /// Whether a property is redacted, or says what one that is says.
    pub(crate) fn hides(&self, property: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let property = property.to_lowercase();
        let is_named = |name: &str| self.0.iter().any(|pattern| glob_match(pattern, name));
        let derived = DERIVED.iter().filter(|(name, _)| *name == property);
        is_named(&property) || derived.flat_map(|(_, of)| of.iter()).any(|source| is_named(source))
    }

    /// Refuses a search by what may not be seen: it would tell the value bit by bit.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn admits(&self, property: &str) -> Result<()> {
        if !self.hides(property) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Policy,
            format!("`{property}` is redacted on this server, so nothing can be searched by it"),
        )
        .with_hint("Whoever runs the server can change HUBSPOT_REDACT"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_by_patterns() {
        let redacted = Redacted::new(&["birth_*".to_owned(), "*salary*".to_owned(), "phone".to_owned()]);
        let hidden = ["birth_number", "Annual_Salary_EUR", "phone"];
        assert!(hidden.iter().all(|name| redacted.hides(name)));
        assert!(["birthday", "mobilephone", "email"].iter().all(|name| !redacted.hides(name)));
        assert!(redacted.hides("hs_calculated_phone_number") && !redacted.hides("hs_additional_emails"));
        // Whatever HubSpot makes of the number; the mobile one is another.
        assert!(redacted.hides("hs_searchable_calculated_international_phone_number"));
        assert!(!redacted.hides("hs_searchable_calculated_international_mobile_number"));
        assert!(Redacted::new(&["amount".to_owned()]).hides("hs_open_amount_in_home_currency"));
    }
}
