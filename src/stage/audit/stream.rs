//! Room `stage`, audit: a table read subject by subject, a page at a time.
//!
//! In: a kind of page. Out: the rows of one subject after another, in the order of their identifiers. Deliberately not
//! here: what the rows mean.

use crate::domain::journal::SubjectKind;
use crate::edge::store::audit::{self, AuditedItem, AuditedRow, FactRow, FactTable, JournalRow};
use crate::edge::store::{StoreError, Tx};
use std::collections::VecDeque;

/// Rows read at one time; entries have at most 4,096 bytes.
const PAGE_ROWS: u32 = 500;

/// A table that can be read in pages, ordered by subject.
pub(super) trait Paged {
    /// One row.
    type Row;

    /// The subject of a row.
    fn subject(row: &Self::Row) -> [u8; 16];

    /// The page after a row; the first one after none.
    async fn page(
        &self,
        tx: &mut Tx,
        after: Option<&Self::Row>,
        limit: u32,
    ) -> Result<Vec<Self::Row>, StoreError>;
}

/// Entries about subjects of one kind.
pub(super) struct Entries(pub(super) SubjectKind);

impl Paged for Entries {
    type Row = JournalRow;

    fn subject(row: &JournalRow) -> [u8; 16] {
        row.subject_id
    }

    async fn page(
        &self,
        tx: &mut Tx,
        after: Option<&JournalRow>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let after = after.map_or((&[][..], i64::MIN), |row| (&row.subject_id[..], row.sequence));
        audit::entries(tx, self.0.number().into(), after, limit).await
    }
}

/// Facts of one table.
pub(super) struct Facts(pub(super) FactTable);

impl Paged for Facts {
    type Row = FactRow;

    fn subject(row: &FactRow) -> [u8; 16] {
        row.subject
    }

    async fn page(
        &self,
        tx: &mut Tx,
        after: Option<&FactRow>,
        limit: u32,
    ) -> Result<Vec<FactRow>, StoreError> {
        let after = after.map_or((&[][..], &[][..]), |row| (&row.subject[..], &row.fact_id[..]));
        audit::facts(tx, self.0, after, limit).await
    }
}

/// Shipments.
pub(super) struct Shipments;

impl Paged for Shipments {
    type Row = AuditedRow;

    fn subject(row: &AuditedRow) -> [u8; 16] {
        row.id
    }

    async fn page(
        &self,
        tx: &mut Tx,
        after: Option<&AuditedRow>,
        limit: u32,
    ) -> Result<Vec<AuditedRow>, StoreError> {
        audit::shipments(tx, after.map_or(&[], |row| &row.id[..]), limit).await
    }
}

/// Dossiers.
pub(super) struct Dossiers;

impl Paged for Dossiers {
    type Row = AuditedRow;

    fn subject(row: &AuditedRow) -> [u8; 16] {
        row.id
    }

    async fn page(
        &self,
        tx: &mut Tx,
        after: Option<&AuditedRow>,
        limit: u32,
    ) -> Result<Vec<AuditedRow>, StoreError> {
        audit::dossiers(tx, after.map_or(&[], |row| &row.id[..]), limit).await
    }
}

/// Documents, by their shipment.
pub(super) struct Items;

impl Paged for Items {
    type Row = AuditedItem;

    fn subject(row: &AuditedItem) -> [u8; 16] {
        row.shipment
    }

    async fn page(
        &self,
        tx: &mut Tx,
        after: Option<&AuditedItem>,
        limit: u32,
    ) -> Result<Vec<AuditedItem>, StoreError> {
        let after = after.map_or((&[][..], &[][..]), |row| (&row.shipment[..], &row.id[..]));
        audit::items(tx, after, limit).await
    }
}

/// A table being read: never more than a page and one subject's rows are held.
pub(super) struct Stream<P: Paged> {
    table: P,
    rows: VecDeque<P::Row>,
    ended: bool,
}

impl<P: Paged> Stream<P> {
    /// From the start of a table.
    pub(super) const fn new(table: P) -> Self {
        Self {
            table,
            rows: VecDeque::new(),
            ended: false,
        }
    }

    /// The next subject; `None` after the last.
    pub(super) async fn next_subject(&mut self, tx: &mut Tx) -> Result<Option<[u8; 16]>, StoreError> {
        if self.rows.is_empty() {
            self.read(tx).await?;
        }
        Ok(self.rows.front().map(P::subject))
    }

    /// All rows of a subject, if it is the next one.
    pub(super) async fn take(&mut self, tx: &mut Tx, subject: [u8; 16]) -> Result<Vec<P::Row>, StoreError> {
        let mut taken = Vec::new();
        loop {
            if self.rows.len() < 2 {
                // The last row of a page is the key of the next one, so it is read before that row is given away.
                self.read(tx).await?;
            }
            match self.rows.pop_front_if(|row| P::subject(row) == subject) {
                Some(row) => taken.push(row),
                None => return Ok(taken),
            }
        }
    }

    async fn read(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.ended {
            return Ok(());
        }
        let page = self.table.page(tx, self.rows.back(), PAGE_ROWS).await?;
        self.ended = page.len() < usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        self.rows.extend(page);
        Ok(())
    }
}
