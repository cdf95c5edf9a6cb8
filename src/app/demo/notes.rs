//! Room `app::demo`: what the people of the demo remember by themselves, outside the gateway and its database.
//!
//! In: what the gateway acknowledged, and what happened to paper in front of their eyes. Out: the same, for the checks at
//! the end. Each acknowledged identifier also goes into a file at once. Deliberately not here: anything read back from
//! the gateway's tables.

use super::error::DemoError;
use crate::domain::id::ShipmentId;
use crate::domain::time::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Where the clerk knows a paper to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paper {
    /// Not come from the deciding office yet.
    Awaited,
    /// In the cupboard.
    AtDesk,
    /// In the cupboard, in its envelope.
    Packed,
    /// Given to the postman at that time.
    WithPost(Timestamp),
    /// Come back.
    Back,
    /// Given to the citizen at the counter at that time.
    Collected(Timestamp),
}

/// One acknowledged shipment.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) shipment: ShipmentId,
    pub(super) reference: String,
    /// Place in the plan's envelopes.
    pub(super) envelope: usize,
    pub(super) source: usize,
    pub(super) centre: usize,
    pub(super) paper: Paper,
    /// The postman has it and no order is known to him yet.
    pub(super) unknown_to_postman: bool,
    /// The citizen changed their mind: it must not leave.
    pub(super) stopped: bool,
    /// The gateway shows it as held: it is not put on a list.
    pub(super) held: bool,
    /// When the addressee got it from the postman, as the world knows.
    pub(super) delivered_at: Option<Timestamp>,
}

/// Everything noted down.
#[derive(Debug)]
pub(super) struct Notes {
    file: File,
    /// In the order of acknowledgement.
    pub(super) parcels: Vec<Parcel>,
    by_id: BTreeMap<String, usize>,
    by_reference: BTreeMap<String, usize>,
    /// Dossiers given out at the counter without any shipment: place in the plan, and when.
    pub(super) collected: BTreeMap<usize, Timestamp>,
    /// Shipments about which the citizen was asked.
    pub(super) asked: BTreeSet<usize>,
    /// How often each thing happened, by its word.
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// Promises of the gateway that were broken before the checks at the end.
    pub(super) broken: Vec<String>,
}

impl Notes {
    /// An empty notebook with its file.
    pub(super) fn new(path: &Path) -> Result<Self, DemoError> {
        Ok(Self {
            file: File::create(path)?,
            parcels: Vec::new(),
            by_id: BTreeMap::new(),
            by_reference: BTreeMap::new(),
            collected: BTreeMap::new(),
            asked: BTreeSet::new(),
            counts: BTreeMap::new(),
            broken: Vec::new(),
        })
    }

    /// Notes an acknowledged shipment; its place.
    pub(super) fn acknowledge(&mut self, parcel: Parcel) -> Result<usize, DemoError> {
        let line = json!({"id": parcel.shipment.to_string(), "reference": parcel.reference});
        writeln!(self.file, "{line}")?;
        let place = self.parcels.len();
        self.by_id.insert(parcel.shipment.to_string(), place);
        self.by_reference.insert(parcel.reference.clone(), place);
        self.parcels.push(parcel);
        Ok(place)
    }

    /// Counts a thing.
    pub(super) fn count(&mut self, word: &'static str) {
        self.add(word, 1);
    }

    /// Counts several.
    pub(super) fn add(&mut self, word: &'static str, more: u64) {
        *self.counts.entry(word).or_default() += more;
    }

    /// How often a thing was counted.
    pub(super) fn counted(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }

    /// The place of a shipment.
    pub(super) fn by_id(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The place of the shipment that has this reference at the operator.
    pub(super) fn by_reference(&self, reference: &str) -> Option<usize> {
        self.by_reference.get(reference).copied()
    }

    /// The shipments of an envelope, in the order of registration.
    pub(super) fn of_envelope(&self, envelope: usize) -> impl Iterator<Item = &Parcel> {
        self.parcels
            .iter()
            .filter(move |parcel| parcel.envelope == envelope)
    }
}
