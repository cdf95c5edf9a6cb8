//! Leases of the queue and of the looks: one holder at a time, and a stale holder changes nothing.
//!
//! In: claimers at once, holders that died. Out: red when two have one row, or an old token moves one.

use super::on_both;
use super::place::{Engine, NOW, PATIENCE, Place, run, within};
use super::road::Road;
use futures_util::future::join_all;
use hoibao::domain::id::ShipmentId;
use hoibao::domain::time::Timestamp;
use hoibao::edge::store::poll::{self, Looked, Next, PollRow};
use hoibao::edge::store::queue::{self, Claim, QueueRow, QueueState};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;

const LATER: Timestamp = NOW.plus_ms(60_000);

/// A road whose queue and looks hold this many due rows.
async fn road(place: &Place, rows: u8) -> Road {
    let road = Road::build(place.store().await).await;
    for number in 1..rows {
        let id = ShipmentId::from_bytes([number; 16]);
        road.register(id, &format!("ref-{number}"), &[], 1).await.unwrap();
    }
    road
}

async fn claim(road: &Road, now: Timestamp, limit: u32) -> Vec<QueueRow> {
    let account = road.account;
    road.submit(move |tx| {
        Box::pin(
            async move { queue::claim(tx, account, Claim::Ready, (now, now.plus_ms(30_000)), limit).await },
        )
    })
    .await
    .unwrap()
}

async fn claim_looks(road: &Road, now: Timestamp, limit: u32) -> Vec<PollRow> {
    let account = road.account;
    road.submit(move |tx| {
        Box::pin(async move { poll::claim(tx, account, (now, now.plus_ms(30_000)), limit).await })
    })
    .await
    .unwrap()
}

async fn release(road: &Road, row: QueueRow) -> bool {
    road.submit(move |tx| {
        let row = row.clone();
        Box::pin(async move { queue::release(tx, &row).await })
    })
    .await
    .unwrap()
}

async fn find(road: &Road, id: ShipmentId) -> QueueRow {
    let mut tx = road.store.snapshot().await.unwrap();
    queue::find(&mut tx, id).await.unwrap().unwrap()
}

async fn stale(road: &Road, now: Timestamp) -> Vec<ShipmentId> {
    let mut tx = road.store.snapshot().await.unwrap();
    let rows = queue::list_stale(&mut tx, road.account, now, 100).await.unwrap();
    rows.iter().map(|row| row.shipment).collect()
}

on_both! {
    /// Claimers of two gateways at once: every row goes to exactly one of them, and no claim takes more than it asked.
    async fn two_claimers_never_get_one_row(place: &Place) {
        let road = road(place, 40).await;
        let other = Road { store: place.reopen().await, ..road.clone() };
        let claimers = (0..8).map(|claimer| {
            let road = if claimer % 2 == 0 { road.clone() } else { other.clone() };
            async move {
                let (mut rows, mut looks) = (Vec::new(), Vec::new());
                loop {
                    let (more, more_looks) = (claim(&road, NOW, 3).await, claim_looks(&road, NOW, 3).await);
                    assert!(more.len() <= 3 && more_looks.len() <= 3, "a claim took more than it asked for");
                    if more.is_empty() && more_looks.is_empty() {
                        return (rows, looks);
                    }
                    rows.extend(more.iter().map(|row| row.shipment));
                    looks.extend(more_looks.iter().map(|row| row.shipment));
                }
            }
        });
        let (rows, looks): (Vec<_>, Vec<_>) = join_all(claimers).await.into_iter().unzip();
        for taken in [rows.concat(), looks.concat()] {
            assert_eq!(taken.len(), 40, "a row was taken twice or never");
            assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 40);
        }
    }

    /// Rows not due are left alone, and the oldest promise comes first.
    async fn only_what_is_due_is_claimed_oldest_first(place: &Place) {
        let road = road(place, 3).await;
        let (first, second) = (ShipmentId::from_bytes([2; 16]), ShipmentId::from_bytes([1; 16]));
        for (id, due) in [(first, NOW.plus_ms(-9)), (second, NOW.plus_ms(-5)), (road.shipment, LATER)] {
            road.submit(move |tx| Box::pin(async move { queue::set_state(tx, id, QueueState::Ready, due).await }))
                .await
                .unwrap();
        }
        let order: Vec<ShipmentId> = [claim(&road, NOW, 1).await, claim(&road, NOW, 1).await, claim(&road, NOW, 1).await]
            .concat().iter().map(|row| row.shipment).collect();
        assert_eq!(order, [first, second]);
        assert_eq!(claim(&road, LATER, 9).await.len(), 1);
    }

    /// A lease that ran out is listed; once somebody else moved the row, the old holder changes nothing.
    async fn a_stale_lease_changes_nothing(place: &Place) {
        let road = road(place, 1).await;
        let old = claim(&road, NOW, 1).await.remove(0);
        assert_eq!((old.state, old.lease_token), (QueueState::Leased, 1));
        assert_eq!(stale(&road, NOW.plus_ms(29_999)).await, []);
        assert_eq!(stale(&road, NOW.plus_ms(30_001)).await, [road.shipment]);
        assert!(claim(&road, LATER, 9).await.is_empty(), "a lease that ran out is not handed on by itself");
        let id = road.shipment;
        road.submit(move |tx| Box::pin(async move { queue::set_state(tx, id, QueueState::Ready, NOW).await }))
            .await
            .unwrap();
        let back = QueueRow { state: QueueState::Done, attempts: 7, ..old.clone() };
        assert!(!release(&road, back.clone()).await, "the row was moved by a person meanwhile");
        let new = claim(&road, LATER, 1).await.remove(0);
        assert!(new.lease_token > old.lease_token, "a token only grows");
        assert!(!release(&road, back).await, "another holder has it");
        let row = find(&road, id).await;
        assert_eq!((row.state, row.attempts, row.lease_token), (QueueState::Leased, 0, new.lease_token));
        assert!(release(&road, QueueRow { state: QueueState::Done, attempts: 1, ..new.clone() }).await);
        assert!(!release(&road, new).await, "a lease ends once");
        assert_eq!((find(&road, id).await.state, find(&road, id).await.attempts), (QueueState::Done, 1));
    }

    /// The same for looks: a lease that ran out goes to the next, and the old holder ends nothing.
    async fn a_stale_look_changes_nothing(place: &Place) {
        let road = road(place, 1).await;
        let old = claim_looks(&road, NOW, 9).await.remove(0);
        assert!(claim_looks(&road, NOW.plus_ms(29_000), 9).await.is_empty());
        let new = claim_looks(&road, NOW.plus_ms(30_001), 9).await.remove(0);
        assert!(new.lease_token > old.lease_token);
        let done = |row: PollRow| look_done(&road, row, (Next::At(LATER), 4));
        assert!(!done(old).await);
        assert!(claim_looks(&road, NOW.plus_ms(50_000), 9).await.is_empty(), "the new holder has it still");
        assert!(done(new).await);
        let next = claim_looks(&road, LATER, 9).await.remove(0);
        assert_eq!((next.due_at, next.fruitless), (LATER, 4));
    }

    /// A hint during a look is heeded as one that comes when it ends: at once after news, a minute later for each look in
    /// vain, and never before an operator that could not be asked may be asked again.
    async fn a_hint_during_a_look_is_kept(place: &Place) {
        let road = road(place, 1).await;
        let (id, mut now) = (road.shipment, NOW);
        for (next, fruitless, wait_ms) in [
            (Next::At(LATER), 0, 0),
            (Next::At(NOW.plus_ms(86_400_000)), 3, 180_000),
            (Next::OnHint, 99, 600_000),
            (Next::NotBefore(NOW.plus_ms(3_600_000)), 0, 3_600_000 - 780_000),
        ] {
            let row = claim_looks(&road, now, 9).await.remove(0);
            assert!(hint(&road, id, now).await);
            assert!(look_done(&road, row, (next, fruitless)).await);
            let due = now.plus_ms(wait_ms);
            assert!(claim_looks(&road, due.plus_ms(-1), 9).await.is_empty(), "{next:?}");
            now = due;
        }
        assert_eq!(claim_looks(&road, now, 9).await.len(), 1);
    }

    /// A look that was the last leaves a row that no time makes due, and that a late hint makes due by its budget.
    async fn a_look_on_hint_only_is_due_by_no_time(place: &Place) {
        let road = road(place, 1).await;
        let row = claim_looks(&road, NOW, 9).await.remove(0);
        assert!(look_done(&road, row, (Next::OnHint, 2)).await);
        let account = road.account;
        let next = road.submit(move |tx| Box::pin(async move { poll::next_due(tx, account).await })).await.unwrap();
        assert_eq!(next, None);
        assert!(claim_looks(&road, NOW.plus_ms(100 * 31_557_600_000), 9).await.is_empty());
        assert!(hint(&road, road.shipment, LATER).await);
        assert!(claim_looks(&road, LATER.plus_ms(119_999), 9).await.is_empty());
        assert_eq!(claim_looks(&road, LATER.plus_ms(120_000), 9).await.len(), 1);
    }
}

/// Ends a look at the time its row was due.
async fn look_done(road: &Road, row: PollRow, (next, fruitless): (Next, u32)) -> bool {
    let looked = Looked {
        now: row.due_at,
        next,
        fruitless,
        kept: None,
    };
    road.submit(move |tx| Box::pin(async move { poll::done(tx, &row, looked).await }))
        .await
        .unwrap()
}

async fn hint(road: &Road, id: ShipmentId, now: Timestamp) -> bool {
    road.submit(move |tx| Box::pin(async move { poll::hint(tx, id, now).await }))
        .await
        .unwrap()
}

/// While one gateway is in the middle of its claim, another passes its rows over and does not wait for them.
#[test]
fn a_claimer_passes_over_rows_that_another_is_claiming() {
    run(Engine::Postgres, async |place: &Place| {
        let road = road(place, 6).await;
        let other = Road {
            store: place.reopen().await,
            ..road.clone()
        };
        let (claimed, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (account, says, waits) = (road.account, Arc::clone(&claimed), Arc::clone(&go));
        let slow = road.submit(move |tx| {
            let (says, waits) = (Arc::clone(&says), Arc::clone(&waits));
            Box::pin(async move {
                let rows = queue::claim(tx, account, Claim::Ready, (NOW, LATER), 4).await?;
                says.add_permits(1);
                waits.acquire().await.unwrap().forget();
                Ok(rows)
            })
        });
        let quick = async {
            claimed.acquire().await.unwrap().forget();
            let rows = within(PATIENCE, claim(&other, NOW, 9)).await;
            go.add_permits(1);
            rows
        };
        let (slow, quick) = futures_util::future::join(slow, quick).await;
        assert_eq!((slow.unwrap().len(), quick.len()), (4, 2));
    });
}
