//! Group commit: who is answered when, what stands and what does not.
//!
//! In: [`Write`]s by many submitters. Out: red when an answer comes before the commit, or one command's end touches
//! another's.

use super::on_both;
use super::place::{PATIENCE, Place, within};
use super::scratch::{self, Block, End, Refusal, Write};
use futures_util::future::join_all;
use futures_util::poll;
use hoibao::edge::store::{Store, StoreError, StoreSettings};
use std::pin::pin;
use std::task::Poll;

on_both! {
    /// An answer comes only after the commit: whoever has it finds the row through other connections at once.
    async fn an_answer_means_a_durable_commit(place: &Place) {
        let store = place.store().await;
        scratch::create(&store).await;
        let other = place.reopen().await;
        let submitters = (0..32_i64).map(|submitter| {
            let (store, other) = (store.clone(), other.clone());
            async move {
                for number in 0..10 {
                    let id = submitter * 100 + number;
                    assert_eq!(store.submit(Write::well(id)).await.unwrap(), id);
                    let stands = scratch::ids(&other).await;
                    assert!(stands.contains(&id), "{id} was answered but cannot be read");
                }
            }
        });
        join_all(submitters).await;
        let (commits, commands) = store.commits();
        assert_eq!(commands, 320);
        assert!(commits >= 10, "a submitter waits for each answer, so there are ten rounds at least");
        assert!(commands > commits, "{commands} commands shared {commits} commits");
        let written = scratch::in_order(&other).await;
        for submitter in 0..32 {
            let own: Vec<i64> = written.iter().copied().filter(|id| id / 100 == submitter).collect();
            assert_eq!(own, (0..10).map(|number| submitter * 100 + number).collect::<Vec<_>>());
        }
    }

    /// However a command of a batch ends, exactly its own rows are undone.
    async fn a_bad_end_undoes_one_command_only(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let ends = [End::Well, End::Refused, End::Well, End::Panic, End::Well, End::Breaks, End::Well, End::Swallows, End::Well];
        let before = store.commits();
        let answers = in_one_batch(&store, &ends).await;
        assert!(matches!(answers[1], Err(Refusal::Own(1))));
        assert!(matches!(answers[3], Err(Refusal::Store(StoreError::Panicked))));
        assert!(matches!(&answers[5], Err(Refusal::Store(error @ StoreError::Constraint { .. })) if error.breaks("id")));
        assert!(matches!(answers[7], Err(Refusal::Store(StoreError::Panicked))), "{:?}", answers[7]);
        for good in [0, 2, 4, 6, 8] {
            assert!(answers[good].is_ok(), "{good}: {:?}", answers[good]);
        }
        assert_eq!(scratch::ids(&place.reopen().await).await, [0, 2, 4, 6, 8]);
        // One commit for the batch; the command that blocked the writer was alone in another.
        let after = store.commits();
        assert_eq!((after.0 - before.0, after.1 - before.1), (2, 6), "refused commands are not committed ones");
    }

    /// The same ends, each in a transaction of its own.
    async fn a_bad_end_alone_leaves_nothing(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        for (id, end) in (0..).zip([End::Refused, End::Panic, End::Breaks, End::Swallows]) {
            let answer = store.submit(Write { id, end }).await;
            assert!(answer.is_err(), "{end:?} was acknowledged");
        }
        assert_eq!(store.commits(), (0, 0), "nothing was committed");
        assert_eq!(store.submit(Write::well(9)).await.unwrap(), 9, "the writer goes on");
        assert_eq!(scratch::ids(&place.reopen().await).await, [9]);
    }

    /// A commit that the database refuses is unknown to every member, and nothing of it stands.
    async fn a_refused_commit_is_unknown_to_all(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let answers = in_one_batch(&store, &[End::Well, End::BreaksCommit, End::Refused, End::Well]).await;
        for member in [0, 1, 3] {
            assert!(matches!(answers[member], Err(Refusal::Store(StoreError::CommitUnknown))), "{:?}", answers[member]);
        }
        assert!(matches!(answers[2], Err(Refusal::Own(2))), "its refusal stands whatever became of the commit");
        assert!(scratch::ids(&place.reopen().await).await.is_empty());
        assert_eq!(store.submit(Write::well(9)).await.unwrap(), 9, "the connection is clean again");
        assert_eq!(scratch::ids(&place.reopen().await).await, [9]);
    }

    /// A dropped caller does not cancel its command.
    async fn a_dropped_callers_command_stands(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let (block, blocked) = Block::new();
        let mut first = Box::pin(store.submit(block));
        assert!(poll!(&mut first).is_pending());
        within(PATIENCE, blocked.running).await.unwrap();
        {
            let mut dropped = pin!(store.submit(Write::well(1)));
            assert!(poll!(&mut dropped).is_pending());
        }
        blocked.go.send(()).unwrap();
        first.await.unwrap();
        assert_eq!(store.submit(Write::well(2)).await.unwrap(), 2);
        assert_eq!(scratch::ids(&place.reopen().await).await, [1, 2]);
    }

    /// A caller cut off at its n-th step leaves a whole command or none, for every n.
    async fn a_caller_cut_anywhere_leaves_all_or_nothing(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let mut whole = 0;
        for steps in 0..20_i64 {
            let finished = {
                let mut caller = pin!(store.submit(Write { id: steps, end: End::Well }));
                let mut finished = false;
                for _ in 0..steps {
                    if let Poll::Ready(answer) = poll!(&mut caller) {
                        assert_eq!(answer.unwrap(), steps);
                        finished = true;
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                finished
            };
            // A later command of the same writer is behind it.
            store.submit(Write::well(1_000 + steps)).await.unwrap();
            let stands = scratch::ids(&store).await.contains(&steps);
            assert!(stands || !finished, "{steps} was acknowledged and is not there");
            assert_eq!(stands, steps > 0, "one step hands the command over; without any there is none");
            whole += i64::from(stands);
        }
        assert_eq!(whole, 19);
    }

    /// Urgent commands go first, and commands of one lane keep their order.
    async fn urgent_goes_first_and_order_is_kept(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let (block, blocked) = Block::new();
        let mut first = Box::pin(store.submit(block));
        assert!(poll!(&mut first).is_pending());
        within(PATIENCE, blocked.running).await.unwrap();
        let mut waiting = Vec::new();
        for id in [5, 3, 4] {
            let mut caller = Box::pin(store.submit(Write::well(id)));
            assert!(poll!(&mut caller).is_pending());
            waiting.push(caller);
        }
        let mut urgent = Vec::new();
        for id in [2, 1] {
            let mut caller = Box::pin(store.submit_urgent(Write::well(id)));
            assert!(poll!(&mut caller).is_pending());
            urgent.push(caller);
        }
        blocked.go.send(()).unwrap();
        first.await.unwrap();
        assert!(join_all(waiting).await.into_iter().all(|answer| answer.is_ok()));
        assert!(join_all(urgent).await.into_iter().all(|answer| answer.is_ok()));
        assert_eq!(scratch::in_order(&store).await, [2, 1, 5, 3, 4]);
    }

    /// A full queue makes callers wait, and loses none of them.
    async fn a_full_queue_makes_callers_wait(place: &Place) {
        let settings = StoreSettings { queue_length: 2, ..place.one_writer() };
        let store = place.store_with(&settings).await;
        scratch::create(&store).await;
        let (block, blocked) = Block::new();
        let mut first = Box::pin(store.submit(block));
        assert!(poll!(&mut first).is_pending());
        within(PATIENCE, blocked.running).await.unwrap();
        let mut callers = Vec::new();
        for id in 0..5 {
            let mut caller = Box::pin(store.submit(Write::well(id)));
            assert!(poll!(&mut caller).is_pending());
            callers.push(caller);
        }
        // The last one stands before the queue, not in it: cut off there, it never becomes a command.
        drop(callers.pop());
        blocked.go.send(()).unwrap();
        first.await.unwrap();
        let answers = within(PATIENCE, join_all(callers)).await;
        assert!(answers.into_iter().all(|answer| answer.is_ok()));
        assert_eq!(scratch::ids(&store).await, [0, 1, 2, 3]);
    }

    /// Closing finishes what waits.
    async fn closing_finishes_what_waits(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let (block, blocked) = Block::new();
        let clone = store.clone();
        let mut first = Box::pin(async move { clone.submit(block).await });
        assert!(poll!(&mut first).is_pending());
        within(PATIENCE, blocked.running).await.unwrap();
        for id in 0..20 {
            let clone = store.clone();
            let mut abandoned = Box::pin(async move { clone.submit(Write::well(id)).await });
            assert!(poll!(&mut abandoned).is_pending());
        }
        let mut closing = Box::pin(store.close());
        assert!(poll!(&mut closing).is_pending(), "there is work left");
        blocked.go.send(()).unwrap();
        first.await.unwrap();
        // The first's clone of the store goes with it.
        within(PATIENCE, closing).await;
        assert_eq!(scratch::ids(&place.reopen().await).await, (0..20).collect::<Vec<_>>());
    }

    /// More commands than one transaction takes: all stand, in several commits.
    async fn a_long_queue_is_taken_in_several_batches(place: &Place) {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let answers = in_one_batch(&store, &[End::Well; 300]).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(scratch::in_order(&store).await, (0..300).collect::<Vec<_>>());
        let (commits, commands) = store.commits();
        assert_eq!((commits, commands), (4, 301), "the first one, then 128, 128 and 44");
    }
}

/// Submits writes 0, 1, 2, ... so that they wait together; their answers.
async fn in_one_batch(store: &Store, ends: &[End]) -> Vec<Result<i64, Refusal>> {
    let (block, blocked) = Block::new();
    let mut first = Box::pin(store.submit(block));
    assert!(poll!(&mut first).is_pending());
    within(PATIENCE, blocked.running).await.unwrap();
    let mut callers = Vec::new();
    for (id, end) in (0..).zip(ends) {
        // Unconstrained: a task that queues so much at once would be made to pause, and a command with it.
        let mut caller = Box::pin(tokio::task::unconstrained(store.submit(Write { id, end: *end })));
        assert!(poll!(&mut caller).is_pending());
        callers.push(caller);
    }
    blocked.go.send(()).unwrap();
    first.await.unwrap();
    within(PATIENCE, join_all(callers)).await
}
