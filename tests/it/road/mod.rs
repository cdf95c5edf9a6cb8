//! The road from queue to operator and back, stage by stage, on both databases and over real HTTP.
//!
//! In: a gateway and an operator that behaves badly on demand (`support::app`). Out: red when a promise of the design
//! (section 7) is broken. Deliberately not here: registering (intake) and pages.

mod happy;
