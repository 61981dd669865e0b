//! Reading what the agent reads.

/// The cursor in a reply, to go on with.
#[must_use]
pub fn cursor(text: &str) -> Option<&str> {
    text.split_once("cursor \"")?.1.split_once('"').map(|(cursor, _)| cursor)
}

/// The one-time value in a reply that asks.
///
/// # Panics
/// If it does not ask.
#[must_use]
pub fn confirm(text: &str) -> &str {
    let (_, rest) = text.split_once("\"confirm\": \"").expect("a question");
    rest.split_once('"').expect("a question").0
}

/// The rows in a reply's first fence.
#[must_use]
pub fn rows(text: &str) -> Vec<&str> {
    let inside = text.lines().skip_while(|line| !line.starts_with("<data ")).skip(1);
    inside.take_while(|line| !line.starts_with("</data ")).collect()
}
