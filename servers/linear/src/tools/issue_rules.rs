//! What Linear refuses of an issue's changes, told before anything is sent.

use connector::{Error, Result, catalog::one_line};

use crate::{
    Linear,
    api::{
        issues::Issue,
        names::{Label, Named},
    },
};

/// How many issues above a parent are looked at.
const ANCESTORS: usize = 10;

/// Refuses a parent that is the issue itself or stands below it, as Linear does.
pub(super) async fn stands_above(server: &Linear, issue: &Issue, parent: &Issue) -> Result<()> {
    if issue.id == parent.id {
        return Err(Error::invalid("An issue cannot be its own parent"));
    }
    let mut above = parent.parent.as_ref().map(|above| above.identifier.clone());
    for _ in 0..ANCESTORS {
        let Some(id) = above else { return Ok(()) };
        if id == issue.identifier {
            return Err(Error::invalid(format!(
                "{} stands below {id}, so it cannot be its parent",
                parent.identifier
            )));
        }
        above = server.api().issue_state(&id).await?.parent.map(|above| above.identifier);
    }
    Ok(())
}

/// Refuses two labels of one group, as Linear does: among those to `add`, or with one that the issue keeps;
/// `kept` are those with their groups.
pub(super) fn one_of_each_group(add: &[Label], kept: &[(Option<&Named>, String)]) -> Result<()> {
    let mut there: Vec<(&str, String, bool)> = kept
        .iter()
        .filter_map(|(group, name)| Some((group.as_ref()?.name.as_str(), name.clone(), true)))
        .collect();
    for label in add {
        let Some(group) = label.parent.as_ref().map(|group| group.name.as_str()) else { continue };
        let same = |(name, other, _): &&(&str, String, bool)| *name == group && *other != label.path();
        if let Some((_, other, is_there)) = there.iter().find(same) {
            let other = one_line(other);
            return Err(Error::invalid(format!(
                "An issue can have one label of the group `{}`, not both `{other}` and `{}`",
                one_line(group),
                one_line(&label.path())
            ))
            .with_hint(match is_there {
                true => format!("It has `{other}`: give that in labels.remove of the same call"),
                false => "Leave one of them out".to_owned(),
            }));
        }
        there.push((group, label.path(), false));
    }
    Ok(())
}
