//! Numbers and the global node ids made from them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What every node id has after its prefix.
const MARK: &str = "kwDO";

/// The global id of the thing of a kind with this number: `I_kwDOAAAAAAAAAAc`. Kinds are GitHub's own
/// prefixes: `U`, `O`, `T`, `R`, `I`, `PR`, `IC`, `PRR`, `PRRC`, `PRRT`, `LA`, `MI`, `RE`, `WFR`, `CR`.
pub(super) fn node_id(kind: &str, number: u64) -> String {
    format!("{kind}_{MARK}{}", URL_SAFE_NO_PAD.encode(number.to_be_bytes()))
}

/// The kind and number of a node id; none if it is not one of ours.
pub(super) fn parse(node_id: &str) -> Option<(&str, u64)> {
    let (kind, rest) = node_id.split_once('_')?;
    let bytes = URL_SAFE_NO_PAD.decode(rest.strip_prefix(MARK)?).ok()?;
    Some((kind, u64::from_be_bytes(bytes.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_ids_lead_back_to_what_they_name() {
        assert_eq!(parse(&node_id("PRRT", 4_294_967_296)), Some(("PRRT", 4_294_967_296)));
        assert_eq!(parse("PRRT_x"), None);
    }
}
