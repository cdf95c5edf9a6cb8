//! The operator's own list of units, without which nothing can be addressed.
//!
//! In: an operator that fails half-way. Out: red when half a list is kept, or every gateway loads it.

use super::{HOUR_MS, SECOND_MS, SENT, always};
use crate::support::app::{TestApp, on_both};
use hoibao::simulator::{Fault, Faults};
use hoibao::stage::reconcile;

const COUNT: &str = "SELECT COUNT(*) FROM operator_unit";

/// A day old, it is loaded again, once over all gateways; while the operator fails the old list serves, whole.
#[tokio::test]
async fn an_old_list_is_renewed_whole_or_not_at_all() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let count = app.number(COUNT).await;
        assert!(count > 3_000, "{count} units");
        let calls = app.wire.of("getNewCommuneAll").len();
        assert_eq!(calls, 1);
        app.clock.advance_ms(24 * HOUR_MS);
        app.faults(always(Fault::ErrorBody));
        app.reconcile().await;
        assert_eq!(app.number(COUNT).await, count);
        let id = app.register(1).await;
        app.faults(Faults::none());
        app.dispatch().await;
        assert_eq!(app.stands(id).await, SENT, "the old list no longer served");
        // A loading in vain is not repeated at once, but soon: nothing can be sent without a list.
        app.reconcile().await;
        assert_eq!(app.wire.of("getNewCommuneAll").len(), calls);
        app.advance_ms(11 * SECOND_MS).await;
        let ticks = [&app.context, &other].map(reconcile::tick);
        futures_util::future::try_join_all(ticks).await.unwrap();
        assert_eq!(app.number(COUNT).await, count);
        assert_eq!(app.wire.of("getNewCommuneAll").len(), calls + 1);
        app.finish().await;
    })
    .await;
}
