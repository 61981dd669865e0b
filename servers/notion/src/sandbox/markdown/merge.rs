//! What becomes of the blocks that are there when a text is put in their place: what reads the same
//! stays as it is, with everything that Markdown does not say of it.

use std::collections::BTreeMap;

use super::{Draft, Writer, render};

/// One step from the old children to the new, in the order of the new.
#[derive(Debug)]
pub(in crate::sandbox) enum Step {
    /// The block with this id stays, with everything in it.
    Keep(String),
    /// The block with this id becomes the draft, and its children are merged with the draft's.
    Change(String, Draft),
    /// A new block.
    Add(Draft),
}

/// How the children `old` become `new`. Old ones that no step names are removed.
pub(in crate::sandbox) fn steps(old: &[Draft], new: Vec<Draft>, writer: &Writer<'_>) -> Vec<Step> {
    let read = |draft: &Draft| render(std::slice::from_ref(draft), writer);
    let old_texts: Vec<String> = old.iter().map(read).collect();
    let new_texts: Vec<String> = new.iter().map(read).collect();
    let mut partner: Vec<Option<usize>> = vec![None; new.len()];
    let mut used = vec![false; old.len()];
    // An id says which block is meant, whatever the text.
    for (at, draft) in new.iter().enumerate() {
        if let Some(id) = &draft.id
            && let Some(found) = old.iter().position(|old| old.id.as_ref() == Some(id))
        {
            partner[at] = Some(found);
            used[found] = true;
        }
    }
    let ends = old_texts.iter().zip(&new_texts).take_while(|(a, b)| a == b).count();
    let mut pair = |at: usize, found: usize| {
        if partner[at].is_none() && !used[found] {
            partner[at] = Some(found);
            used[found] = true;
        }
    };
    (0..ends).for_each(|at| pair(at, at));
    let tail = old_texts[ends..].iter().rev().zip(new_texts[ends..].iter().rev()).take_while(|(a, b)| a == b);
    for back in 1..=tail.count() {
        pair(new.len() - back, old.len() - back);
    }
    // In between, equal texts are found in their order.
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, text) in old_texts.iter().enumerate().rev() {
        places.entry(text).or_default().push(at);
    }
    for at in 0..new.len() {
        if partner[at].is_none()
            && let Some(found) = places
                .get_mut(new_texts[at].as_str())
                .and_then(|found| found.iter().rposition(|at| !used[*at]).map(|place| found.remove(place)))
        {
            partner[at] = Some(found);
            used[found] = true;
        }
    }
    // What is left over changes in place where the type is the same.
    let mut next = 0;
    for at in 0..new.len() {
        if let Some(found) = partner[at] {
            next = next.max(found + 1);
            continue;
        }
        let free = (next..old.len()).take_while(|found| !used[*found]).find(|found| {
            old[*found].kind == new[at].kind
                && !new[at].kind.starts_with("child_")
                && new[at].kind != "unsupported"
        });
        if let Some(found) = free {
            partner[at] = Some(found);
            used[found] = true;
            next = found + 1;
        }
    }
    let mut steps = Vec::with_capacity(new.len());
    for (at, draft) in new.into_iter().enumerate() {
        let id = partner[at].and_then(|found| old[found].id.clone().map(|id| (found, id)));
        steps.push(match id {
            Some((found, id)) if old_texts[found] == new_texts[at] || keeps(&draft) => Step::Keep(id),
            Some((_, id)) => Step::Change(id, draft),
            None => Step::Add(draft),
        });
    }
    steps
}

/// Whether Markdown says nothing of the block but where it stands.
fn keeps(draft: &Draft) -> bool {
    draft.kind.starts_with("child_") || ["unsupported", "transcript"].contains(&draft.kind.as_str())
}
