//! Room `stage`: the road, a file per stage.
//!
//! | stage | takes | leaves, in one transaction |
//! |---|---|---|
//! | intake | a request with its key | shipment, queue, journal |
//! | dispatch | a leased queue row | attempt, facts, journal; then the outcome |
//! | resolve | an outcome that is unknown | facts, queue, journal |
//! | callback | raw bytes | inbox |
//! | reconcile | a shipment due for a look | inbox |
//! | tracking | an inbox row | events, facts, shipment, outbox, journal |
//! | feed | a leased outbox row | outbox, journal |
//!
//! Stages meet only in tables and never call each other. Each is a `tick` that the worker runs and a test can run by
//! hand. Deliberately not here: HTTP, wire formats, SQL.

pub mod audit;
pub mod callback;
pub mod cancel;
pub mod context;
pub mod dead_letter;
pub mod decide;
pub mod desk;
pub mod dispatch;
pub mod dossier_record;
pub mod endpoint;
pub mod feed;
pub mod intake;
pub mod keys;
pub mod reconcile;
pub mod report;
pub mod resolve;
pub mod retention;
pub mod tracking;
