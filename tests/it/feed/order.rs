//! Strictly in order per dossier, at least once, whatever happens between two events.

use super::receiver::{Answer, Receiver, Seen};
use super::setup::{DOSSIERS, World, client, code, on_both};
use hoibao::domain::journal::Kind;
use hoibao::domain::time::Clock as _;
use hoibao::edge::dossier::{EventAnswer, EventSender, SignedEvent};
use hoibao::stage::feed;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The first event fails twice: the later ones of its dossier wait for it, those of another dossier do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn later_events_wait_for_the_first_and_other_dossiers_do_not() {
    on_both(async |world: &World| {
        let receiver = Receiver::start(
            |seen| match (seen.dossier == code(1), seen.sequence, seen.before) {
                (true, 1, 0 | 1) => Answer::Status(500),
                _ => Answer::Status(204),
            },
        )
        .await;
        let (_, secret) = world.subscribe(&receiver.url()).await;
        for _ in 0..3 {
            world.happen(1).await;
        }
        world.happen(2).await;
        let first = world.tick().await;
        assert_eq!(world.states(1).await, ["waiting", "waiting", "waiting"]);
        assert_eq!(world.states(2).await, ["sent"]);
        assert!(
            first.next_at.unwrap() > world.clock.now(),
            "the first is tried later"
        );
        // Until then nothing of the dossier leaves.
        assert_eq!(world.tick().await.done, 0);
        world.drain().await;
        assert_eq!(receiver.sequences(&code(1)), [1, 1, 1, 2, 3]);
        assert_eq!(world.states(1).await, ["sent", "sent", "sent"]);
        receiver.check_signatures(&secret);
        // Each send of an event carries the same id and the bytes frozen when it happened; the time is the send's.
        let seen = receiver.seen();
        let of_first: Vec<&Seen> = seen.iter().filter(|seen| seen.dossier == code(1)).collect();
        let frozen = world.bodies(1).await;
        for seen in &of_first {
            assert_eq!(seen.body, frozen[usize::try_from(seen.sequence - 1).unwrap()]);
        }
        assert!(of_first[0].id == of_first[1].id && of_first[0].id == of_first[2].id);
        assert!(of_first[3].id != of_first[2].id);
        assert!(of_first[0].timestamp <= of_first[2].timestamp);
        assert_eq!(of_first[2].timestamp, world.clock.now().as_ms() / 1_000);
        assert_eq!(world.kinds(1).await, [Kind::EventDelivered; 3]);
        assert_eq!(world.kinds(2).await, [Kind::EventDelivered]);
    })
    .await;
}

/// Two gateways at once: every event comes, no dossier ever has two under way, none overtakes another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_at_once_keep_the_order() {
    on_both(async |world: &World| {
        let receiver = Receiver::start(|seen| {
            if seen.before == 0 && (seen.sequence + i64::from(seen.dossier.as_bytes()[24])) % 3 == 0 {
                Answer::Status(500)
            } else {
                Answer::Status(204)
            }
        })
        .await;
        world.subscribe(&receiver.url()).await;
        for _ in 0..4 {
            for number in 1..=DOSSIERS {
                world.happen(number).await;
            }
        }
        let other = world.gateway(99, client()).await;
        let mut idle = 0;
        while idle < 2 {
            let (one, two) = futures_util::future::join(feed::tick(&world.context), feed::tick(&other)).await;
            let (one, two) = (one.unwrap(), two.unwrap());
            idle = if one.done + two.done == 0 { idle + 1 } else { 0 };
            if let Some(at) = [one.next_at, two.next_at].into_iter().flatten().min() {
                world.clock.set(at.max(world.clock.now()));
                idle = 0;
            }
        }
        for number in 1..=DOSSIERS {
            let mut came = receiver.sequences(&code(number));
            assert!(came.is_sorted(), "dossier {number} came as {came:?}");
            came.dedup();
            assert_eq!(came, [1, 2, 3, 4]);
            assert_eq!(world.kinds(number).await, [Kind::EventDelivered; 4]);
        }
    })
    .await;
}

/// Sends, and then never comes back: as a process that dies between the call and its record.
struct Dies(Arc<dyn EventSender>);

impl EventSender for Dies {
    fn send<'a>(&'a self, event: &'a SignedEvent) -> Pin<Box<dyn Future<Output = EventAnswer> + Send + 'a>> {
        Box::pin(async move {
            self.0.send(event).await;
            std::future::pending().await
        })
    }
}

/// A crash between send and commit: the event is sent again under the same id with the same bytes, before any later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_send_and_commit_sends_the_same_event_again() {
    on_both(async |world: &World| {
        let receiver = Receiver::willing().await;
        world.subscribe(&receiver.url()).await;
        world.happen(1).await;
        world.happen(1).await;
        let dying = world.gateway(5, Arc::new(Dies(client()))).await;
        tokio::select! {
            ended = feed::tick(&dying) => panic!("it was to die: {ended:?}"),
            () = receiver.wait_for(1) => {}
        }
        // While the lease stands, nobody else takes the event, and none overtakes it.
        let idle = world.tick().await;
        assert_eq!(idle.done, 0);
        assert_eq!(world.states(1).await, ["leased", "waiting"]);
        let lease_ms = world.context.limits.outbox_lease_ms;
        assert_eq!(idle.next_at, Some(world.clock.now().plus_ms(lease_ms)));
        world.drain().await;
        let seen = receiver.seen();
        assert_eq!(receiver.sequences(&code(1)), [1, 1, 2]);
        assert_eq!((&seen[0].id, &seen[0].body), (&seen[1].id, &seen[1].body));
        assert_eq!(seen[1].timestamp - seen[0].timestamp, lease_ms / 1_000);
        assert_eq!(world.kinds(1).await, [Kind::EventDelivered; 2]);
        assert_eq!(world.lying().await[0].3, 2, "both sends are counted");
    })
    .await;
}

/// Holds the answer of a send back until it is let go.
struct Slow {
    inner: Arc<dyn EventSender>,
    go: Semaphore,
}

impl EventSender for Slow {
    fn send<'a>(&'a self, event: &'a SignedEvent) -> Pin<Box<dyn Future<Output = EventAnswer> + Send + 'a>> {
        Box::pin(async move {
            self.inner.send(event).await;
            self.go.acquire().await.unwrap().forget();
            EventAnswer::Refused { status: 500 }
        })
    }
}

/// Invariant 6: a sender whose lease ran out changes nothing, whatever it heard; the one who took over decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_lease_changes_nothing() {
    on_both(async |world: &World| {
        let receiver = Receiver::willing().await;
        world.subscribe(&receiver.url()).await;
        world.happen(1).await;
        let slow = Arc::new(Slow {
            inner: client(),
            go: Semaphore::new(0),
        });
        let late = world.gateway(5, Arc::<Slow>::clone(&slow)).await;
        let working = feed::tick(&late);
        let others = async {
            receiver.wait_for(1).await;
            world.clock.advance_ms(world.context.limits.outbox_lease_ms);
            world.tick().await;
            let lying = world.lying().await;
            assert_eq!(world.states(1).await, ["sent"]);
            slow.go.add_permits(1);
            lying
        };
        let (stale, lying) = futures_util::future::join(working, others).await;
        stale.unwrap();
        assert_eq!(world.lying().await, lying);
        assert_eq!(world.kinds(1).await, [Kind::EventDelivered]);
        assert_eq!(receiver.sequences(&code(1)), [1, 1]);
    })
    .await;
}

/// A receiver that hangs, one that is not there and one that refuses everything: a fourth gets all its events in the same
/// round, new ones too, and the bad ones are not stormed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_in_trouble_hold_up_nobody_else() {
    on_both(async |world: &World| {
        let hanging = Receiver::start(|_seen| Answer::Hold).await;
        let refusing = Receiver::start(|_seen| Answer::Status(500)).await;
        let well = Receiver::willing().await;
        let nobody = "http://127.0.0.1:9/events".to_owned();
        for url in [hanging.url(), nobody, refusing.url(), well.url()] {
            world.subscribe(&url).await;
        }
        for _ in 0..3 {
            for number in 1..=DOSSIERS {
                world.happen(number).await;
            }
        }
        let round = world.tick();
        let meanwhile = async {
            let all = usize::from(DOSSIERS) * 3;
            well.wait_for(all).await;
            // The round still waits for the one that hangs; what happens now is sent all the same.
            hanging.wait_for(1).await;
            world.happen(1).await;
            well.wait_for(all + 1).await;
        };
        futures_util::future::join(round, meanwhile).await;
        assert_eq!(hanging.seen().len(), 1, "one silence is enough for a round");
        assert!(refusing.seen().len() <= 8, "{}", refusing.seen().len());
        assert_eq!(well.sequences(&code(1)), [1, 2, 3, 4]);
        for number in 2..=DOSSIERS {
            assert_eq!(well.sequences(&code(number)), [1, 2, 3]);
        }
        let details: BTreeMap<String, u32> = world.lying().await.into_iter().filter_map(|row| row.4).fold(
            BTreeMap::new(),
            |mut all, detail| {
                *all.entry(detail).or_default() += 1;
                all
            },
        );
        assert_eq!(details["timeout"], 1);
        assert_eq!(details["connection_refused"], 1);
        assert!(details["http_500"] >= 1);
    })
    .await;
}

/// Invariant 16: an event whose dossier cannot be read holds up no other, of the same receiver neither; and one that kills
/// its sender each time comes to its end without ever having an outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_holds_up_nobody_else_and_comes_to_its_end() {
    on_both(async |world: &World| {
        let receiver = Receiver::willing().await;
        world.subscribe(&receiver.url()).await;
        for number in [1, 2, 3] {
            world.happen(number).await;
        }
        world.spoil(1).await;
        world.tick().await;
        assert_eq!(
            world.states(1).await,
            ["leased"],
            "sent, but that cannot be written down"
        );
        assert_eq!(world.states(2).await, ["sent"]);
        assert_eq!(world.states(3).await, ["sent"]);
        world.happen(4).await;
        let dying = world.gateway(5, Arc::new(Dies(client()))).await;
        let lease_ms = world.context.limits.outbox_lease_ms;
        let tries = usize::try_from(world.context.limits.outbox_retry.attempts_max()).unwrap();
        while receiver.sequences(&code(4)).len() < tries {
            let seen = receiver.seen().len();
            tokio::select! {
                ended = feed::tick(&dying) => panic!("it was to die: {ended:?}"),
                () = receiver.wait_for(seen + 1) => {}
            }
            world.clock.advance_ms(lease_ms);
        }
        world.tick().await;
        let last = world
            .lying()
            .await
            .into_iter()
            .find(|row| row.0 == code(4))
            .unwrap();
        assert_eq!((last.2.as_str(), last.4.as_deref()), ("dead", Some("broke_off")));
        assert_eq!(receiver.sequences(&code(4)).len(), tries);
    })
    .await;
}
