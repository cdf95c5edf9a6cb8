//! Room `edge`: the only code that touches the world outside.
//!
//! `store` holds the only SQL, `carrier` the postal operators, `dossier` the dossier systems. Deliberately not
//! here: decisions about shipments (`stage`).

pub mod carrier;
pub mod dossier;
pub mod store;
