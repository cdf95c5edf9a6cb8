//! What people do: subscribe, pause, resume, redrive, skip.

use super::receiver::{Answer, Receiver};
use super::setup::{World, code, on_both};
use hoibao::domain::id::{EndpointId, OutboxId};
use hoibao::domain::journal::{ActorKind, Kind, Tag};
use hoibao::edge::dossier::Reach;
use hoibao::stage::dead_letter::{self, Act, DeadLetterError, Reason, Ruling};
use hoibao::stage::endpoint::{self, EndpointError, Sending};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn ruling(act: Act, login: &str) -> Ruling {
    Ruling {
        act,
        reason: Reason::ReceiverMended,
        login: login.to_owned(),
    }
}

/// A receiver that refuses dossier 1 and 2 until it is mended.
async fn refusing(mended: &Arc<AtomicBool>) -> Receiver {
    let mended = Arc::clone(mended);
    Receiver::start(move |seen| {
        let bad = seen.dossier == code(1) || seen.dossier == code(2);
        if bad && !mended.load(Ordering::SeqCst) {
            Answer::Status(500)
        } else {
            Answer::Status(200)
        }
    })
    .await
}

/// Dead letters in two dossiers, mended, redriven by the receiver: everything comes, in order, with its journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redriven_events_come_in_order() {
    on_both(async |world: &World| {
        let mended = Arc::new(AtomicBool::new(false));
        let receiver = refusing(&mended).await;
        let (id, secret) = world.subscribe(&receiver.url()).await;
        for number in [1, 2, 3, 1, 2, 3, 1] {
            world.happen(number).await;
        }
        world.drain().await;
        assert_eq!(world.states(1).await, ["dead", "waiting", "waiting"]);
        let (dead, held) = dead_letter::list(&world.context).await.unwrap();
        let shown: Vec<(&str, i64, i64)> = dead
            .iter()
            .map(|event| (event.code.as_str(), event.sequence, event.behind))
            .collect();
        assert_eq!(shown, [(code(1).as_str(), 1, 2), (code(2).as_str(), 1, 1)]);
        assert!(held.is_empty());
        let (_, body) = dead_letter::show(&world.context, dead[0].id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(body, world.bodies(1).await[0]);
        mended.store(true, Ordering::SeqCst);
        let before = receiver.seen().len();
        let redrive = ruling(Act::Redrive, "dispatcher");
        let settled = dead_letter::settle_all_of(&world.context, id, &redrive).await;
        assert_eq!(settled.unwrap(), 2);
        world.drain().await;
        let after = receiver.seen().split_off(before);
        let of = |number| -> Vec<i64> {
            let of = after.iter().filter(|seen| seen.dossier == code(number));
            of.map(|seen| seen.sequence).collect()
        };
        assert_eq!((of(1), of(2)), (vec![1, 2, 3], vec![1, 2]));
        receiver.check_signatures(&secret);
        let told = world.told(1).await;
        let kinds: Vec<Kind> = told.iter().map(|entry| entry.kind).collect();
        let (given_up, redriven, delivered) = (Kind::EventGivenUp, Kind::EventRedriven, Kind::EventDelivered);
        assert_eq!(kinds, [given_up, redriven, delivered, delivered, delivered]);
        assert_eq!(told[1].actor.kind, ActorKind::Staff);
        assert_eq!(told[1].actor.id, [1; 16]);
        assert_eq!(told[1].fields.get_ascii(Tag::Reason), Some("receiver_mended"));
        assert_eq!(
            told[2].fields.get_int(Tag::AttemptNumber),
            Some(1),
            "attempts begin anew"
        );
        // Nothing is dead any more: ruling again does nothing.
        let again = dead_letter::settle(&world.context, vec![dead[0].id], redrive).await;
        assert_eq!(again.unwrap(), 0);
    })
    .await;
}

/// A skipped event is never sent; the later ones go on and show the gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skipped_event_leaves_a_gap_that_the_receiver_sees() {
    on_both(async |world: &World| {
        let receiver = Receiver::start(|seen| match seen.sequence {
            1 => Answer::Status(422),
            _ => Answer::Status(200),
        })
        .await;
        world.subscribe(&receiver.url()).await;
        world.happen(1).await;
        world.happen(1).await;
        world.drain().await;
        let (dead, _) = dead_letter::list(&world.context).await.unwrap();
        let tries = receiver.seen().len();
        let skip = ruling(Act::Skip, "administrator");
        let settled = dead_letter::settle(&world.context, vec![dead[0].id], skip).await;
        assert_eq!(settled.unwrap(), 1);
        world.drain().await;
        assert_eq!(world.states(1).await, ["skipped", "sent"]);
        assert_eq!(receiver.sequences(&code(1))[tries..], [2]);
        let told = world.told(1).await;
        assert_eq!(told.len(), 3);
        assert_eq!(
            (told[1].kind, told[1].actor.kind),
            (Kind::EventGivenUp, ActorKind::Staff)
        );
        assert_eq!(told[1].fields.get_ascii(Tag::Word), Some("skipped"));
    })
    .await;
}

/// Only an active administrator or dispatcher may rule; a refused ruling changes nothing, the good part of it neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_who_may_rule_do() {
    on_both(async |world: &World| {
        let mended = Arc::new(AtomicBool::new(false));
        let receiver = refusing(&mended).await;
        let (id, _) = world.subscribe(&receiver.url()).await;
        world.happen(1).await;
        world.drain().await;
        let (dead, _) = dead_letter::list(&world.context).await.unwrap();
        for login in ["clerk", "gone", "nobody", ""] {
            for refused in [
                dead_letter::settle(&world.context, vec![dead[0].id], ruling(Act::Redrive, login)).await,
                dead_letter::settle_all_of(&world.context, id, &ruling(Act::Redrive, login)).await,
            ] {
                assert!(matches!(refused, Err(DeadLetterError::NotAllowed)), "{login}");
            }
        }
        let unknown = OutboxId::from_bytes([9; 16]);
        let both = vec![dead[0].id, unknown];
        let refused = dead_letter::settle(&world.context, both, ruling(Act::Redrive, "dispatcher")).await;
        assert!(matches!(refused, Err(DeadLetterError::NoEvent(named)) if named == unknown));
        assert_eq!(world.states(1).await, ["dead"]);
        assert_eq!(world.kinds(1).await, [Kind::EventGivenUp]);
    })
    .await;
}

/// A paused receiver is not called, misses nothing, and its pause is no age of its events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_loses_nothing() {
    on_both(async |world: &World| {
        let up = Arc::new(AtomicBool::new(false));
        let up_too = Arc::clone(&up);
        let receiver = Receiver::start(move |_seen| {
            if up_too.load(Ordering::SeqCst) {
                Answer::Status(200)
            } else {
                Answer::Status(500)
            }
        })
        .await;
        let (id, _) = world.subscribe(&receiver.url()).await;
        world.happen(1).await;
        world.tick().await;
        let paused = endpoint::set_sending(&world.context, id, Sending::Paused).await;
        assert!(paused.unwrap());
        let again = endpoint::set_sending(&world.context, id, Sending::Paused).await;
        assert!(!again.unwrap(), "it was paused already");
        // Longer than an event may grow old.
        world
            .clock
            .advance_ms(world.context.limits.outbox_retry.age_max_ms() + 1);
        world.happen(1).await;
        assert_eq!(world.drain().await, 1);
        assert_eq!(receiver.seen().len(), 1);
        let resumed = endpoint::set_sending(&world.context, id, Sending::On).await;
        assert!(resumed.unwrap());
        world.tick().await;
        assert_eq!(
            world.states(1).await,
            ["waiting", "waiting"],
            "the pause was no age"
        );
        assert_eq!(receiver.seen().len(), 2, "it is tried at once");
        up.store(true, Ordering::SeqCst);
        world.drain().await;
        assert_eq!(world.states(1).await, ["sent", "sent"]);
        assert_eq!(world.paused_entries(id).await, [""; 1]);
    })
    .await;
}

/// Refusals of a subscription, and that events begin with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_begins_with_its_secret() {
    on_both(async |world: &World| {
        let receiver = Receiver::willing().await;
        world.happen(1).await;
        let refused = endpoint::subscribe(&world.context, "three", &receiver.url(), Reach::Private).await;
        assert!(matches!(refused, Err(EndpointError::NoSource)));
        let unknown = EndpointId::from_bytes([9; 16]);
        let refused = endpoint::set_sending(&world.context, unknown, Sending::On).await;
        assert!(matches!(refused, Err(EndpointError::NoEndpoint(named)) if named == unknown));
        let (_, one) = world.subscribe(&receiver.url()).await;
        let other = Receiver::willing().await;
        let (_, two) = world.subscribe(&other.url()).await;
        assert_ne!(one, two);
        world.happen(1).await;
        world.drain().await;
        assert_eq!(receiver.sequences(&code(1)), [1]);
        receiver.check_signatures(&one);
        other.check_signatures(&two);
        assert_eq!(other.seen().len(), 1);
        assert_eq!(other.seen()[0].body, receiver.seen()[0].body);
    })
    .await;
}
