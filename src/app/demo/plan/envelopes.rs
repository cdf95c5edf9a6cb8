//! Room `app::demo`: which results go by post, and which of them in one envelope.
//!
//! In: drafts. Out: groups of drafts, then envelopes with their addressee. Deliberately not here: sending them.

use super::days::Days;
use super::drafts::Draft;
use super::{Dossier, Envelope, Recipient, Sort, Trouble};
use crate::app::demo::dice::Dice;
use crate::app::demo::people;
use crate::app::demo::places::Map;
use crate::app::demo::procedures::PROCEDURES;

/// Places of the drafts that go in one envelope.
pub(super) type Group = Vec<usize>;

/// How many envelopes of a thousand hold several dossiers.
const SEVERAL: u32 = 68;
/// Envelopes of a thousand whose order is refused at first, and of those of a thousand whose citizen is never reached.
const BAD_PHONE: u32 = 13;
const BAD_WARD: u32 = 9;
const BAD_UNIT: u32 = 5;
const UNREACHED: u32 = 170;

/// Chooses exactly `count` resolved drafts for the post, in groups for one envelope each. In `changed` of them the
/// citizen first wanted to come to the counter.
pub(super) fn by_post(
    days: &Days,
    dice: &mut Dice,
    drafts: &mut [Draft],
    (count, mut changed): (u32, u32),
) -> Vec<Group> {
    let quarter = days.quarter();
    let mut free: Vec<usize> = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.sort == Sort::Usual)
        .filter(|(_, draft)| draft.finished.is_some_and(|(day, _)| quarter.contains(&day)))
        .map(|(place, _)| place)
        .collect();
    dice.shuffle(&mut free);
    let mut left = usize::try_from(count).unwrap_or(0);
    let mut groups: Vec<Group> = Vec::new();
    while left > 0
        && let Some(lead) = free.pop()
    {
        let wanted = match (groups.len(), dice.hits(SEVERAL), dice.between(0, 99)) {
            // The first two envelopes hold several, so that there are such at any scale.
            (0, _, _) => 3,
            (1, _, _) => 2,
            (_, false, _) => 1,
            (_, true, 0..=2) => 10,
            (_, true, 3..=24) => 3,
            (_, true, _) => 2,
        };
        let mut group = vec![lead];
        choose(dice, drafts, lead);
        while group.len() < wanted.min(left)
            && let Some(place) = companion(&mut free, drafts, lead)
        {
            join(drafts, lead, place);
            group.push(place);
        }
        if let (true, [only]) = (changed > 0, group.as_slice())
            && let Some(draft) = drafts.get_mut(*only)
            && draft.received.0 >= quarter.start
        {
            changed -= 1;
            draft.sort = Sort::CounterToPost;
        }
        left -= group.len();
        groups.push(group);
    }
    groups
}

fn choose(dice: &mut Dice, drafts: &mut [Draft], place: usize) {
    if let Some(draft) = drafts.get_mut(place) {
        draft.ask_for(dice, true);
    }
}

/// Takes one that was received early enough to be finished on the day of the lead. Looks at a few only.
fn companion(free: &mut Vec<usize>, drafts: &[Draft], lead: usize) -> Option<usize> {
    let day = drafts.get(lead)?.finished?.0;
    let found = free
        .iter()
        .rev()
        .take(60)
        .position(|place| drafts.get(*place).is_some_and(|draft| draft.received.0 < day))?;
    let index = free.len().checked_sub(found + 1)?;
    Some(free.swap_remove(index))
}

/// Makes it the same person's as the lead: same office and system, finished on the same day.
fn join(drafts: &mut [Draft], lead: usize, place: usize) {
    let Some(lead) = drafts.get(lead).cloned() else {
        return;
    };
    if let Some(draft) = drafts.get_mut(place) {
        draft.post = true;
        draft.procedure = lead.procedure;
        draft.centre = lead.centre;
        draft.finished = lead.finished;
    }
}

/// The rest that goes by post, one envelope each: what is planted.
pub(super) fn singles(groups: &mut Vec<Group>, drafts: &[Draft]) {
    for (place, draft) in drafts.iter().enumerate() {
        let leaves = matches!(
            draft.sort,
            Sort::WithdrawnLate | Sort::FinishedBefore | Sort::FinishedAfter | Sort::ReceivedAfter
        );
        if leaves && draft.post {
            groups.push(vec![place]);
        }
    }
}

/// Gives every group its addressee.
pub(super) fn fill(map: &Map, dice: &mut Dice, groups: &[Group], dossiers: &mut [Dossier]) -> Vec<Envelope> {
    // Each trouble once for certain, reached and not reached, on envelopes that count; then by chance.
    let mut sure = vec![
        (Trouble::Phone, true),
        (Trouble::Phone, false),
        (Trouble::Ward, true),
        (Trouble::Ward, false),
        (Trouble::Unit, true),
        (Trouble::Unit, false),
    ];
    let mut envelopes = Vec::with_capacity(groups.len());
    for group in groups {
        let number = envelopes.len();
        let Some(lead) = group.first().and_then(|place| dossiers.get(*place)).cloned() else {
            continue;
        };
        let usual = matches!(lead.sort, Sort::Usual | Sort::CounterToPost) && group.len() == 1;
        let chance = dice.between(0, 999);
        let reached = !dice.hits(UNREACHED);
        let trouble = match (usual, sure.pop()) {
            (false, kept) => {
                sure.extend(kept);
                None
            }
            (true, Some(kept)) => Some(kept),
            (true, None) if chance < BAD_PHONE => Some((Trouble::Phone, reached)),
            (true, None) if chance < BAD_PHONE + BAD_WARD => Some((Trouble::Ward, reached)),
            (true, None) if chance < BAD_PHONE + BAD_WARD + BAD_UNIT => Some((Trouble::Unit, reached)),
            (true, None) => None,
        };
        let mut good = Recipient {
            name: people::name(dice),
            phone: people::phone(dice),
            line: people::street_line(dice),
            note: people::note(dice),
            units: map.home(dice),
        };
        let mut recipient = good.clone();
        match trouble {
            None => {}
            Some((Trouble::Phone, _)) => recipient.phone = people::refused_phone(dice),
            Some((Trouble::Ward, _)) => recipient.units = map.gone_home(dice),
            Some((Trouble::Unit, _)) => (recipient.units, good.units) = Map::renamed_home(dice),
        }
        let mut finished_at = lead.received_at;
        for place in group {
            if let Some(dossier) = dossiers.get_mut(*place) {
                dossier.envelope = Some(number);
                let last = dossier.last().and_then(|stated| stated.finished_at);
                finished_at = finished_at.max(last.unwrap_or(finished_at));
            }
        }
        let paper = PROCEDURES
            .get(lead.procedure)
            .map_or(60, |procedure| procedure.grams);
        envelopes.push(Envelope {
            dossiers: group.clone(),
            centre: lead.centre,
            source: lead.source,
            recipient,
            trouble: trouble.map(|(trouble, _)| trouble),
            corrected: trouble.filter(|(_, reached)| *reached).map(|_| good),
            grams: 20 + paper.saturating_mul(u32::try_from(group.len()).unwrap_or(1)),
            finished_at,
        });
    }
    envelopes
}
