//! Stage desk: compares what was scanned with what belongs into the envelope.
//!
//! In: the papers of a shipment and the codes scanned. Out: agreement, or every missing paper and foreign scan.
//! Deliberately not here: writing anything.

use super::{DeskError, Paper};
use crate::domain::dossier_code::DossierCode;
use crate::domain::id::ItemId;
use std::collections::BTreeMap;

/// Every paper scanned once, and nothing else.
pub(super) fn compare_scans(papers: &[Paper], scanned: &[String]) -> Result<(), DeskError> {
    let mut open: BTreeMap<&str, Vec<ItemId>> = BTreeMap::new();
    for paper in papers {
        open.entry(paper.code.as_str()).or_default().push(paper.item);
    }
    let mut foreign = Vec::new();
    for (text, position) in scanned.iter().zip(1_u32..) {
        let code = DossierCode::parse(text).ok();
        let found = code.and_then(|code| open.get_mut(code.as_str()).and_then(Vec::pop));
        if found.is_none() {
            foreign.push(position);
        }
    }
    let missing: Vec<ItemId> = open.into_values().flatten().collect();
    if foreign.is_empty() && missing.is_empty() {
        Ok(())
    } else {
        Err(DeskError::Mismatch { foreign, missing })
    }
}
