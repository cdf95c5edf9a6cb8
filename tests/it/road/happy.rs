//! Nothing goes wrong.

use crate::support::app::{Engine, Outcome, Plan, Settings, TestApp, on_both};
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::edge::store::queue::QueueState;
use std::sync::{Arc, Mutex};

const BOOKED: DeliveryState = DeliveryState::At(EventKind::Booked);

/// One order, one attempt; the operator has the bytes we kept; the shipment knows the operator's numbers.
#[tokio::test]
async fn a_shipment_is_booked_once() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        app.drain().await;
        assert_eq!(app.stands(id).await, (BOOKED, QueueState::Done));
        assert_eq!(app.told(id).await, ["accepted: accepted"]);
        let (sale, row) = (app.sale(id).await, app.shipment(id).await);
        let [order] = sale.orders.as_slice() else {
            panic!("not one order: {sale:?}")
        };
        assert_eq!(row.tracking_number.as_ref(), Some(&order.item_code));
        assert_eq!(row.operator_id, Some(order.original_id.to_string()));
        app.finish().await;
    })
    .await;
}
