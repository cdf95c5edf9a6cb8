//! Room `edge::store`: the only SQL.
//!
//! In: typed commands and questions. Out: rows in our vocabulary. One Rust body and one `.sql` text serve SQLite and
//! PostgreSQL through the closed enum [`Tx`]; two texts stand only where the dialects part. Writes go through the
//! group commit of [`Store::submit`]. Deliberately not here: decisions, and any call to the network besides the
//! database's own.

pub mod account;
pub mod acting;
pub mod attempt;
pub mod audit;
mod batch;
pub mod dead_letter;
pub mod decision;
pub mod decision_look;
pub mod dossier;
pub mod dossier_entry;
pub mod endpoint;
mod error;
pub mod handover;
pub mod idempotency;
pub mod import;
pub mod inbox;
pub mod journal;
mod keyring;
mod migration;
mod open;
pub mod operator;
pub mod outbox;
pub mod personal;
pub mod poll;
pub mod queue;
pub mod record;
pub mod reference;
pub mod report;
pub mod revision;
pub mod shipment;
pub mod shipment_list;
pub mod shipment_person;
pub mod shipment_stop;
pub mod source;
pub mod tally;
pub mod tracking_event;
mod tx;
pub mod unit;
mod value;

pub use batch::Command;
pub use error::StoreError;
pub use keyring::{KeyFileError, Keyring, RecordKey};
pub use migration::{applied_versions, newest_version};
pub use open::{Backend, Store, StoreSettings};
pub use tx::Tx;
pub use value::{Arg, Row, Sql};

pub(crate) use value::{args, sql};
