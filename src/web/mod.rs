//! Room `web`: HTTP in.
//!
//! In: requests. Out: answers, thin over the stages. Deliberately not here: SQL, operators' wires, the listening door
//! (the composition root's).

pub mod client_address;
pub mod health;
pub mod middleware;
