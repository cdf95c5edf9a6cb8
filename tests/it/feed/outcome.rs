//! What each answer of a receiver leads to.

use super::receiver::{Answer, Receiver};
use super::setup::{World, code, on_both};
use hoibao::domain::journal::{ActorKind, Kind, Tag};
use hoibao::domain::retry::RetrySchedule;
use hoibao::domain::time::Clock as _;
use hoibao::edge::dossier::Reach;
use hoibao::edge::dossier::client::UrlRefused;
use hoibao::stage::context::Limits;
use hoibao::stage::endpoint::{self, EndpointError};
use hoibao::stage::feed;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// `Retry-After` is never undercut, by no event of the receiver; and the wait is no age.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_holds_back_the_whole_receiver() {
    for (status, after, wait_ms) in [
        (429, "90", 90_000),
        (503, "Tue, 24 Nov 2026 01:10:00 GMT", 0),
        (429, "172800", 172_800_000),
    ] {
        on_both(async |world: &World| {
            let receiver = Receiver::start(move |seen| {
                if seen.before == 0 && seen.sequence == 1 && seen.dossier == code(1) {
                    Answer::RetryAfter(status, after)
                } else {
                    Answer::Status(200)
                }
            })
            .await;
            world.subscribe(&receiver.url()).await;
            world.happen(1).await;
            let asked_at = world.clock.now();
            // An HTTP date: ten minutes past eight in Vietnam.
            let wait_ms = if wait_ms == 0 { 600_000 - 1_000 } else { wait_ms };
            let next_at = world.tick().await.next_at.unwrap();
            assert!(
                next_at.since_ms(asked_at) >= wait_ms,
                "{}",
                next_at.since_ms(asked_at)
            );
            world.happen(2).await;
            world.happen(1).await;
            world.clock.set(asked_at.plus_ms(wait_ms - 1));
            assert_eq!(world.tick().await.done, 0);
            assert_eq!(
                receiver.seen().len(),
                1,
                "nothing is sent before the time asked for"
            );
            assert_eq!(world.lying().await[0].4.as_deref(), Some("throttled"));
            world.drain().await;
            assert_eq!(receiver.sequences(&code(1)), [1, 1, 2]);
            assert_eq!(receiver.sequences(&code(2)), [1]);
        })
        .await;
    }
}

/// A redirect is an answer like any other that is not 2xx: nothing is sent to where it points.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_not_followed() {
    on_both(async |world: &World| {
        let other = Receiver::willing().await;
        let to = other.url();
        let receiver = Receiver::start(move |_seen| Answer::Redirect(to.clone())).await;
        world.subscribe(&receiver.url()).await;
        world.happen(1).await;
        world.tick().await;
        assert_eq!((receiver.seen().len(), other.seen().len()), (1, 0));
        let (_, _, state, attempts, detail) = world.lying().await.remove(0);
        assert_eq!(
            (state.as_str(), attempts, detail.as_deref()),
            ("waiting", 1, Some("http_307"))
        );
    })
    .await;
}

/// A receiver on this machine that nobody allowed is never called: not when its address says so, not when a name leads
/// there. Its events are kept with the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loopback_is_never_called_without_leave() {
    on_both(async |world: &World| {
        let receiver = Receiver::willing().await;
        let port = receiver.address.port();
        for (url, why) in [
            (format!("https://127.0.0.1:{port}/events"), UrlRefused::Place),
            (format!("https://2130706433:{port}/events"), UrlRefused::Place),
            (format!("https://localhost:{port}/events"), UrlRefused::Place),
            (
                format!("http://dossiers.example.vn:{port}/events"),
                UrlRefused::PlainHttp,
            ),
        ] {
            match endpoint::subscribe(&world.context, "one", &url, Reach::Public).await {
                Err(EndpointError::Url(refused)) => assert_eq!(refused, why),
                other => panic!("{url}: {other:?}"),
            }
        }
        // Somebody wrote it into the table all the same.
        let (id, _) = world.subscribe(&receiver.url()).await;
        for url in [receiver.url(), format!("https://localhost:{port}/events")] {
            world.force(id, &url).await;
            world.happen(1).await;
            world.tick().await;
        }
        assert!(receiver.seen().is_empty());
        for (_, sequence, state, attempts, detail) in world.lying().await {
            assert_eq!(state, "waiting");
            if sequence == 1 {
                assert!(attempts >= 1);
                assert_eq!(detail.as_deref(), Some("address_not_allowed"));
            }
        }
    })
    .await;
}

/// Beyond its bounds an event is dead with its last failure; the later ones of its dossier are kept behind it, other
/// dossiers go on, and the dossier's journal tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_its_bounds_an_event_is_given_up_and_nothing_overtakes_it() {
    on_both(async |world: &World| {
        let receiver = Receiver::start(|seen| {
            if seen.dossier == code(1) {
                Answer::Status(422)
            } else {
                Answer::Status(200)
            }
        })
        .await;
        let (id, _) = world.subscribe(&receiver.url()).await;
        world.happen(1).await;
        world.happen(1).await;
        world.happen(2).await;
        world.drain().await;
        let tries = world.context.limits.outbox_retry.attempts_max();
        assert_eq!(
            receiver.sequences(&code(1)),
            vec![1; usize::try_from(tries).unwrap()]
        );
        let lying = world.lying().await;
        assert_eq!(
            lying[0],
            (
                code(1),
                1,
                "dead".to_owned(),
                i64::from(tries),
                Some("http_422".to_owned())
            )
        );
        assert_eq!(world.states(1).await, ["dead", "waiting"]);
        assert_eq!(world.states(2).await, ["sent"]);
        world.clock.advance_ms(30 * 86_400_000);
        world.happen(1).await;
        assert_eq!(world.drain().await, 1, "nothing is due behind a dead event");
        let told = world.told(1).await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].kind, told[0].actor.kind),
            (Kind::EventGivenUp, ActorKind::Stage)
        );
        assert_eq!(told[0].fields.get_ascii(Tag::Reason), Some("http_422"));
        assert_eq!(told[0].fields.get_int(Tag::AttemptNumber), Some(i64::from(tries)));
        assert_eq!(told[0].fields.get_id(Tag::Endpoint), Some(*id.as_bytes()));
        assert_eq!(told[0].fields.get_int(Tag::Sequence), Some(1));
    })
    .await;
}

/// The age bound ends an event too, and waits that the receiver asked for are no age.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn age_ends_an_event_and_waits_asked_for_are_none() {
    on_both(async |world: &World| {
        let receiver = Receiver::start(|seen| match seen.before {
            0 => Answer::RetryAfter(429, "86400"),
            1 | 2 => Answer::Status(500),
            _ => Answer::Status(200),
        })
        .await;
        world.subscribe(&receiver.url()).await;
        let base = world.context.limits.clone();
        let limits = Limits {
            outbox_retry: RetrySchedule::new(1_000, 1_000, 50, 60_000).unwrap(),
            ..base
        };
        let context = world.with_limits(limits).await;
        world.happen(1).await;
        for _ in 0..2 {
            let at = feed::tick(&context).await.unwrap().next_at.unwrap();
            world.clock.set(at);
        }
        // A day later, but of age hardly a second: still alive. A minute more, and it is too old.
        assert_eq!(world.states(1).await, ["waiting"]);
        world.clock.advance_ms(60_000);
        feed::tick(&context).await.unwrap();
        assert_eq!(world.states(1).await, ["dead"]);
        assert_eq!(receiver.seen().len(), 3);
    })
    .await;
}

/// 410: the event is dead, the receiver paused with an entry, and everything else waits until a person looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_pauses_the_receiver() {
    on_both(async |world: &World| {
        let here = Arc::new(AtomicBool::new(false));
        let back = Arc::clone(&here);
        let receiver = Receiver::start(move |_seen| {
            if here.load(Ordering::SeqCst) {
                Answer::Status(200)
            } else {
                Answer::Status(410)
            }
        })
        .await;
        let (id, _) = world.subscribe(&receiver.url()).await;
        for number in 1..=3 {
            world.happen(number).await;
        }
        world.drain().await;
        assert_eq!(receiver.seen().len(), 1);
        let overview = endpoint::list(&world.context).await.unwrap().remove(0);
        assert!(!overview.endpoint.active);
        assert_eq!((overview.waiting, overview.dead), (2, 1));
        assert_eq!(overview.trouble.as_deref(), Some("gone"));
        assert_eq!(world.paused_entries(id).await, ["gone"]);
        assert_eq!(world.kinds(1).await, [Kind::EventGivenUp]);
        back.store(true, Ordering::SeqCst);
        let on = endpoint::Sending::On;
        assert!(endpoint::set_sending(&world.context, id, on).await.unwrap());
        world.drain().await;
        assert_eq!(world.states(2).await, ["sent"]);
        assert_eq!(world.states(3).await, ["sent"]);
        assert_eq!(world.states(1).await, ["dead"], "a person rules on it");
    })
    .await;
}
