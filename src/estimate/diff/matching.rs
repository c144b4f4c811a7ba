//! Which item of one answer is which of the other.

use crate::estimate::answer::AnswerItem;

/// Places of an item in both answers; none where it is new or gone.
pub(super) type Pair = (Option<usize>, Option<usize>);

/// Pairs items: by id; then by place and offering; then by offering; then, where neither has an id, by place
/// alone, which is how a workload that moved to another model is recognised.
///
/// In the order of the second answer, then what is gone.
pub(super) fn items(before: &[AnswerItem], after: &[AnswerItem]) -> Vec<Pair> {
    let mut partners = vec![None; after.len()];
    let mut is_taken = vec![false; before.len()];
    let ways: [fn(Placed<'_>, Placed<'_>) -> bool; 4] = [by_id, by_place_and_offering, by_offering, by_place];
    for is_same in ways {
        for (at, item) in after.iter().enumerate() {
            if partners[at].is_some() {
                continue;
            }
            let partner =
                (0..before.len()).find(|&was| !is_taken[was] && is_same((was, &before[was]), (at, item)));
            if let Some(was) = partner {
                (partners[at], is_taken[was]) = (Some(was), true);
            }
        }
    }
    let stayed = partners.into_iter().enumerate().map(|(at, was)| (was, Some(at)));
    let gone = (0..before.len()).filter(|&was| !is_taken[was]).map(|was| (Some(was), None));
    stayed.chain(gone).collect()
}

/// An item and its place.
type Placed<'a> = (usize, &'a AnswerItem);

fn by_id((_, before): Placed<'_>, (_, after): Placed<'_>) -> bool {
    before.id.is_some() && before.id == after.id
}

fn by_place_and_offering(before: Placed<'_>, after: Placed<'_>) -> bool {
    before.0 == after.0 && by_offering(before, after)
}

fn by_offering((_, before): Placed<'_>, (_, after): Placed<'_>) -> bool {
    may_be_same(before, after) && before.offering == after.offering
}

fn by_place(before: Placed<'_>, after: Placed<'_>) -> bool {
    before.0 == after.0 && before.1.id.is_none() && after.1.id.is_none() && before.1.kind == after.1.kind
}

/// Two ids that differ are two items; and a training run is no call.
fn may_be_same(before: &AnswerItem, after: &AnswerItem) -> bool {
    (before.id.is_none() || after.id.is_none()) && before.kind == after.kind
}
