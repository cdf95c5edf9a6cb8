//! Room `app::demo`: the scripted clerk before what is held: asks citizens, corrects, releases.
//!
//! In: what the gateway shows as held. Out: decisions through the same stage as a person's. What a clerk may not decide
//! alone, or about which nobody can be reached, stays held and is shown in the end. Deliberately not here: paper.

use super::Drive;
use super::agenda::Act;
use crate::app::demo::error::DemoError;
use crate::app::demo::plan::{Recipient, SOURCES};
use crate::domain::addressee::UnitDraft;
use crate::stage::decide::{self, Answer, Correction, DecideError, Wish};

/// The gateway's word for an order that the operator does not know.
const ABSENT: &str = "absent_at_operator";

impl Drive<'_> {
    /// Looks through what is held: a citizen is called about an address, and an order that the operator does not know is
    /// let go after the night, for one more look and another try.
    pub(super) async fn ask(&mut self) -> Result<(), DemoError> {
        for parcel in &mut self.notes.parcels {
            parcel.held = false;
        }
        for source in 0..SOURCES.len() {
            for (id, why) in self.world.client.held(source).await? {
                let Some(place) = self.notes.by_id(&id) else {
                    continue;
                };
                if let Some(parcel) = self.notes.parcels.get_mut(place) {
                    parcel.held = true;
                }
                if why == ABSENT {
                    self.release(place).await?;
                } else if self.notes.asked.insert(place) {
                    self.notes.count("citizens_asked");
                    let days = self.dice.between(1, 3);
                    let at = self.later(days, 9 * 60);
                    self.agenda.add(at, Act::Correct(place));
                }
            }
        }
        Ok(())
    }

    /// Lets an order go that two look-ups did not find. The gateway looks once more before it sends.
    async fn release(&mut self, place: usize) -> Result<(), DemoError> {
        let reason = "Bưu điện không có đơn sau hai lần tra; cho tra lần nữa rồi gửi lại";
        if self.decide(place, Wish::of(Answer::Release), reason).await? {
            self.notes.count("doubts_released");
            if let Some(parcel) = self.notes.parcels.get_mut(place) {
                parcel.held = false;
            }
        }
        Ok(())
    }

    /// Writes down what the citizen said, if anybody was reached.
    pub(super) async fn correct(&mut self, place: usize) -> Result<(), DemoError> {
        let parcel = self.notes.parcels.get(place);
        let envelope = parcel.and_then(|parcel| self.plan.envelopes.get(parcel.envelope));
        let Some(said) = envelope.and_then(|envelope| envelope.corrected.as_ref()) else {
            self.notes.count("citizens_not_reached");
            return Ok(());
        };
        let wish = Wish {
            correction: Some(correction(said)),
            ..Wish::of(Answer::Correct)
        };
        if self
            .decide(place, wish, "Công dân xác nhận lại qua điện thoại")
            .await?
        {
            self.notes.count("addresses_corrected");
        }
        Ok(())
    }

    /// Whether the decision is in force; a refusal (the shipment moved on meanwhile) is noted and leaves it as it is.
    async fn decide(&mut self, place: usize, wish: Wish, reason: &str) -> Result<bool, DemoError> {
        let Some(parcel) = self.notes.parcels.get(place) else {
            return Ok(false);
        };
        let by = self.by(parcel.centre)?;
        match decide::propose(&self.world.context, by, parcel.shipment, wish, reason).await {
            Ok(ruled) => Ok(ruled.standing == decide::Standing::Applied),
            Err(DecideError::Refused(_) | DecideError::Faults(_)) => {
                self.notes.count("decisions_refused");
                Ok(false)
            }
            Err(DecideError::Store(error)) => Err(error.into()),
        }
    }
}

fn correction(said: &Recipient) -> Correction {
    let unit = |code: &str| {
        Some(UnitDraft {
            set: said.units.set.to_owned(),
            code: code.to_owned(),
        })
    };
    Correction {
        name: Some(said.name.clone()),
        phone: Some(said.phone.clone()),
        line: Some(said.line.clone()),
        commune: unit(said.units.commune),
        province: unit(said.units.province),
        note: said.note.map(str::to_owned),
        weight_grams: None,
    }
}
