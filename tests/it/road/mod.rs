//! The road from queue to operator and back, stage by stage, on both databases and over real HTTP.
//!
//! In: a gateway and an operator that behaves badly on demand (`support::app`). Out: red when a promise of the design
//! (section 7) is broken; every test also ends with the checks of `TestApp::finish`. Deliberately not here: registering
//! (intake) and pages.

mod answers;
mod breaker;
mod cancel;
mod crash;
mod doubt;
mod gateways;
mod held;
mod kill;
mod swarm;
mod units;

use crate::support::app::TestApp;
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::id::ShipmentId;
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::{Fault, Faults};

/// Booked at the operator.
const BOOKED: DeliveryState = DeliveryState::At(EventKind::Booked);
/// Nothing is left to send.
const SENT: (DeliveryState, QueueState) = (BOOKED, QueueState::Done);
/// Waits to be sent.
const WAITS: (DeliveryState, QueueState) = (DeliveryState::Queued, QueueState::Ready);
/// Nobody knows.
const DOUBT: (DeliveryState, QueueState) = (DeliveryState::InDoubt, QueueState::Doubt);
/// A person must look.
const HELD: (DeliveryState, QueueState) = (DeliveryState::Queued, QueueState::Held);

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The account's quiescence: time after which an answer that did not come will not come.
const QUIESCENCE_MS: i64 = 10 * MINUTE_MS;

/// This goes wrong with every call.
fn always(fault: Fault) -> Faults {
    Faults::none().with(fault, 1_000)
}

/// One living order at the operator, and the gateway knows its numbers.
async fn one_order(app: &TestApp, id: ShipmentId) {
    let (sale, row) = (app.sale(id).await, app.shipment(id).await);
    assert_eq!((sale.live(), sale.orders.len()), (1, 1), "{sale:?}");
    assert_eq!(row.tracking_number.as_ref(), Some(&sale.orders[0].item_code));
    assert_eq!(row.operator_id, Some(sale.orders[0].original_id.to_string()));
}
