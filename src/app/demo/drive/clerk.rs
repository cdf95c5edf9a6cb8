//! Room `app::demo`: the scripted clerk, who acts through the same functions as a person at the desk.
//!
//! In: acts of the agenda. Out: papers scanned in, packed, handed over, taken back, given out. Deliberately not here:
//! decisions about what is held (`desk_decisions`), and any write of its own into the store.

use super::Drive;
use super::agenda::Act;
use crate::app::demo::error::DemoError;
use crate::app::demo::notes::{Paper, Parcel};
use crate::app::demo::plan::Dossier;
use crate::domain::dossier_code::DossierCode;
use crate::domain::id::SourceId;
use crate::domain::time::{Clock as _, Timestamp};
use crate::simulator::{PaperOutcome, PhysicalKind};
use crate::stage::context::By;
use crate::stage::desk::{self, CloseHandover, DeskError, ListedItem, Taking, Thing, Wrong};
use futures_util::StreamExt as _;

/// Acts of clerks under way at one time.
const PARALLEL: usize = 16;
/// Envelopes of a thousand that the postman refuses as torn.
const TORN: u32 = 4;
/// Of a thousand citizens whose result came back: come to the counter; ask for another try.
const COMES: u32 = 550;
const ANOTHER_TRY: u32 = 250;

impl Drive<'_> {
    pub(super) fn by(&self, centre: usize) -> Result<By, DemoError> {
        let cast = &self.world.cast;
        match (cast.clerks.get(centre), cast.offices.get(centre)) {
            (Some(staff), Some(office)) => Ok(By {
                staff: *staff,
                office: *office,
            }),
            (None, _) | (_, None) => Err(DemoError::Confused("no clerk")),
        }
    }

    /// A document as its slip is scanned.
    fn document(&self, dossier: &Dossier) -> Result<Thing, DemoError> {
        let source: Option<&SourceId> = self.world.cast.sources.get(dossier.source);
        Ok(Thing::Document {
            source: *source.ok_or(DemoError::Confused("no system"))?,
            code: DossierCode::parse(&dossier.code).map_err(|_form| DemoError::Confused("no code"))?,
            document_no: 1,
        })
    }

    fn dossiers_of(&self, parcel: &Parcel) -> Vec<&Dossier> {
        let envelope = self.plan.envelopes.get(parcel.envelope);
        let places = envelope.map_or(&[][..], |envelope| envelope.dossiers.as_slice());
        places
            .iter()
            .filter_map(|place| self.plan.dossiers.get(*place))
            .collect()
    }

    /// Scans the papers of shipments in.
    pub(super) async fn papers_in(&mut self, acts: &[Act]) -> Result<(), DemoError> {
        let mut calls = Vec::new();
        for act in acts {
            if let Act::PaperIn(place) = act
                && let Some(parcel) = self
                    .notes
                    .parcels
                    .get(*place)
                    .filter(|parcel| parcel.paper == Paper::Awaited)
            {
                let by = self.by(parcel.centre)?;
                let things: Result<Vec<Thing>, DemoError> = self
                    .dossiers_of(parcel)
                    .into_iter()
                    .map(|dossier| self.document(dossier))
                    .collect();
                let (things, context) = (things?, &self.world.context);
                calls.push(async move {
                    for thing in things {
                        desk::paper_in(context, by, thing, None).await?;
                    }
                    Ok::<usize, DeskError>(*place)
                });
            }
        }
        let done: Vec<Result<usize, DeskError>> = futures_util::stream::iter(calls)
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        for place in done {
            let place = place?;
            self.notes.count("envelopes_scanned_in");
            if let Some(parcel) = self.notes.parcels.get_mut(place) {
                parcel.paper = Paper::AtDesk;
            }
        }
        Ok(())
    }

    /// Packs what lies in the cupboard; one paper in a hundred is first scanned into the wrong envelope.
    pub(super) async fn pack(&mut self) -> Result<(), DemoError> {
        let at_desk: Vec<usize> = self.places(|parcel| parcel.paper == Paper::AtDesk && !parcel.stopped);
        let mut calls = Vec::new();
        for place in at_desk {
            let wrong = self.dice.hits(10);
            let Some(parcel) = self.notes.parcels.get(place) else {
                continue;
            };
            let by = self.by(parcel.centre)?;
            let codes: Vec<String> = self
                .dossiers_of(parcel)
                .iter()
                .map(|dossier| dossier.code.clone())
                .collect();
            let (id, context) = (parcel.shipment, &self.world.context);
            calls.push(async move {
                let mut stopped = false;
                if wrong {
                    let foreign = vec!["H49.99-260101-0001".to_owned()];
                    let refused = desk::pack(context, by, id, foreign).await;
                    stopped = matches!(refused, Err(DeskError::Mismatch { .. }));
                }
                (place, wrong, stopped, desk::pack(context, by, id, codes).await)
            });
        }
        let done: Vec<(usize, bool, bool, Result<(), DeskError>)> = futures_util::stream::iter(calls)
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        for (place, wrong, stopped, packed) in done {
            if wrong {
                self.notes.count("wrong_paper_stopped");
                if !stopped {
                    self.notes.broken.push("a wrong paper could be packed".to_owned());
                }
            }
            match packed {
                Ok(()) => self.put(place, Paper::Packed),
                // Cancelled by the operator, or no longer wanted: it stays where it is.
                Err(DeskError::Wrong(Wrong::Ended | Wrong::Cancelling | Wrong::Withdrawn)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Closes a hand-over list per centre at half past three.
    pub(super) async fn close_lists(&mut self) -> Result<(), DemoError> {
        for centre in 0..self.world.cast.offices.len() {
            let mut packed = self.places(|parcel| {
                parcel.paper == Paper::Packed && !parcel.stopped && !parcel.held && parcel.centre == centre
            });
            while !packed.is_empty() {
                let rest = packed.split_off(packed.len().min(desk::LIST_MAX));
                self.close_list(centre, packed).await?;
                packed = rest;
            }
        }
        Ok(())
    }

    async fn close_list(&mut self, centre: usize, mut places: Vec<usize>) -> Result<(), DemoError> {
        let by = self.by(centre)?;
        let now = self.world.clock.now();
        let torn: Vec<bool> = places.iter().map(|_| self.dice.hits(TORN)).collect();
        let mut taking: Vec<(usize, bool)> = places.drain(..).zip(torn).collect();
        // What the desk refuses is pulled out of the list, which is then closed without it.
        while !taking.is_empty() {
            let items = taking.iter().filter_map(|(place, torn)| {
                let parcel = self.notes.parcels.get(*place)?;
                Some(ListedItem {
                    shipment: parcel.shipment,
                    taking: if *torn {
                        Taking::RefusedByPost("phong bì rách".to_owned())
                    } else {
                        Taking::Taken
                    },
                })
            });
            let list = CloseHandover {
                given: by,
                entered_by: by,
                taken_by: format!("buuta-{:02}", centre + 1),
                items: items.collect(),
                handed_over_at: now,
                late_reason: None,
            };
            match desk::close_handover(&self.world.context, list).await {
                Ok(_closed) => {
                    self.notes.count("handover_lists");
                    self.give(&taking, now);
                    return Ok(());
                }
                Err(DeskError::List(wrong)) => {
                    self.notes
                        .add("pulled_out_of_lists", u64::try_from(wrong.len()).unwrap_or(0));
                    let mut position = 0_u32;
                    taking.retain(|_| {
                        position += 1;
                        !wrong.iter().any(|(at, _)| *at == position)
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The postman takes the envelopes of a closed list with him.
    fn give(&mut self, taking: &[(usize, bool)], now: Timestamp) {
        for (place, torn) in taking {
            if *torn {
                self.notes.count("refused_by_postman");
                continue;
            }
            self.notes.count("envelopes_handed_over");
            if let Some(parcel) = self.notes.parcels.get_mut(*place) {
                parcel.paper = Paper::WithPost(now);
                parcel.unknown_to_postman = true;
            }
        }
        self.catch_up_with_postman();
    }

    /// What the postman took before its order was known to him enters the operator's world once the order is there.
    pub(super) fn catch_up_with_postman(&mut self) {
        let simulator = &self.world.simulator;
        let mut late = 0;
        for parcel in self
            .notes
            .parcels
            .iter_mut()
            .filter(|parcel| parcel.unknown_to_postman)
        {
            let Paper::WithPost(given_at) = parcel.paper else {
                continue;
            };
            match simulator.hand_over(&parcel.reference, given_at) {
                PaperOutcome::Done | PaperOutcome::AlreadyHandedOver => parcel.unknown_to_postman = false,
                // The order is in doubt, or was cancelled meanwhile: he keeps it until there is one.
                PaperOutcome::UnknownOrder | PaperOutcome::NotLive | PaperOutcome::NotBack => late += 1,
            }
        }
        self.progress.waiting(late);
    }

    /// Hears what became of papers: scans returned ones in, and remembers who got theirs.
    pub(super) async fn round(&mut self) -> Result<(), DemoError> {
        for event in self.world.simulator.take_physical_events() {
            let Some(place) = self.notes.by_reference(&event.sale_order_code) else {
                self.notes
                    .broken
                    .push("the operator has a parcel that nobody registered".to_owned());
                continue;
            };
            match event.kind {
                PhysicalKind::Delivered => {
                    self.notes.count("envelopes_delivered");
                    if let Some(parcel) = self.notes.parcels.get_mut(place) {
                        parcel.delivered_at = Some(event.at);
                    }
                }
                PhysicalKind::BackAtSender => self.take_back(place).await?,
            }
        }
        Ok(())
    }

    async fn take_back(&mut self, place: usize) -> Result<(), DemoError> {
        let Some(parcel) = self.notes.parcels.get(place) else {
            return Ok(());
        };
        let by = self.by(parcel.centre)?;
        desk::receive_returned(&self.world.context, by, parcel.shipment, None).await?;
        let envelope = parcel.envelope;
        self.notes.count("envelopes_returned");
        self.put(place, Paper::Back);
        let (chance, days) = (self.dice.between(0, 999), self.dice.between(1, 4));
        let at = self.later(days, 10 * 60);
        if chance < COMES {
            self.agenda.add(at, Act::CollectParcel(place));
        } else if chance < COMES + ANOTHER_TRY {
            let again = self.notes.of_envelope(envelope).count();
            let act = Act::Register {
                envelope,
                again: super::systems::SENT_AGAIN + u32::try_from(again).unwrap_or(0),
                corrected: false,
            };
            self.agenda.add(at, act);
            self.notes.count("sent_again");
        }
        Ok(())
    }

    /// A citizen comes for a result that lies at the desk.
    pub(super) async fn collect_parcel(&mut self, place: usize) -> Result<(), DemoError> {
        let Some(parcel) = self.notes.parcels.get(place).cloned() else {
            return Ok(());
        };
        let by = self.by(parcel.centre)?;
        let now = self.world.clock.now();
        let given =
            desk::collect_in_person(&self.world.context, by, Thing::Shipment(parcel.shipment), None).await;
        match given {
            Ok(()) => {
                self.notes.count("collected_at_the_counter");
                self.put(place, Paper::Collected(now));
            }
            // The operator is being asked about it right now: the citizen is asked to wait.
            Err(DeskError::CallUnderWay) => {
                self.notes.count("collection_put_off");
                self.agenda.add(now.plus_ms(3_600_000), Act::CollectParcel(place));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// A citizen comes for a result that nobody sent.
    pub(super) async fn collect_dossier(&mut self, place: usize) -> Result<(), DemoError> {
        let Some(dossier) = self.plan.dossiers.get(place) else {
            return Ok(());
        };
        let by = self.by(dossier.centre)?;
        let now = self.world.clock.now();
        desk::collect_in_person(&self.world.context, by, self.document(dossier)?, None).await?;
        self.notes.count("collected_at_the_counter");
        self.notes.collected.insert(place, now);
        Ok(())
    }

    fn places(&self, wanted: impl Fn(&Parcel) -> bool) -> Vec<usize> {
        let parcels = self.notes.parcels.iter().enumerate();
        parcels
            .filter(|(_, parcel)| wanted(parcel))
            .map(|(place, _)| place)
            .collect()
    }

    fn put(&mut self, place: usize, paper: Paper) {
        if let Some(parcel) = self.notes.parcels.get_mut(place) {
            parcel.paper = paper;
        }
    }
}
