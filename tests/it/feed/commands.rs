//! `hoibao endpoints` and `hoibao deadletter`, the real program beside a gateway on the same database.

use super::receiver::{Answer, Receiver};
use super::setup::{World, code, on_both};
use hoibao::stage::endpoint;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Subscribes, sees, pauses and resumes a receiver; the secret is shown once, and is the one that signs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_are_kept_by_command() {
    on_both(async |world: &World| {
        let receiver = Receiver::willing().await;
        let url = format!("{}?token=hidden", receiver.url());
        let add = |more: &[&str]| {
            let words = ["endpoints", "add", "--source", "one", "--url", url.as_str()];
            world.hoibao(&[&words[..], more].concat())
        };
        let refused = add(&[]);
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("https"), "{}", refused.err);
        let made = json(&add(&["--allow-private", "--json"]).out);
        let (id, secret) = (
            made["endpoint"].as_str().unwrap(),
            made["secret"].as_str().unwrap(),
        );
        world.happen(1).await;
        world.drain().await;
        assert_eq!(receiver.sequences(&code(1)), [1]);
        receiver.check_signatures(secret);
        let paused = world.hoibao(&["endpoints", "pause", id]);
        assert_eq!(
            (paused.code, paused.out.as_str()),
            (0, format!("{id} is paused\n").as_str())
        );
        assert_eq!(world.hoibao(&["endpoints", "pause", id]).code, 1);
        world.happen(1).await;
        let listed = world.hoibao(&["endpoints", "list", "--json"]);
        assert!(
            !listed.out.contains("hidden") && !listed.out.contains("whsec_"),
            "{}",
            listed.out
        );
        let row = &json(&listed.out)["endpoints"][0];
        assert_eq!(row["endpoint"], id);
        assert_eq!(
            (&row["active"], &row["waiting"]),
            (&Value::Bool(false), &Value::from(1))
        );
        assert!(row["sent_at"].is_string());
        let table = world.hoibao(&["endpoints", "list"]).out;
        assert!(
            table.contains("paused") && table.contains("waiting 1, dead 0"),
            "{table}"
        );
        assert_eq!(world.hoibao(&["endpoints", "resume", id]).code, 0);
        world.drain().await;
        assert_eq!(receiver.sequences(&code(1)), [1, 2]);
        let unknown = format!("end_{}", "09".repeat(16));
        let refused = world.hoibao(&["endpoints", "resume", &unknown]);
        assert!(
            refused.code == 1 && refused.err.contains(&unknown),
            "{}",
            refused.err
        );
        assert!(endpoint::list(&world.context).await.unwrap()[0].endpoint.active);
    })
    .await;
}

/// The lists and one event of two dead ones and a held shipment; the identifier of the first.
fn check_lists(world: &World) -> String {
    let listed = json(&world.hoibao(&["deadletter", "list", "--json"]).out);
    let events = listed["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    let first = &events[0];
    assert_eq!(first["dossier"], code(1));
    assert_eq!(
        (&first["detail"], &first["behind"]),
        (&Value::from("http_500"), &Value::from(1))
    );
    let held = &listed["shipments"][0];
    assert_eq!(
        (&held["held"], &held["short_number"]),
        (&Value::from("refused_phone"), &Value::from("S3"))
    );
    assert!(
        held["settled_by"]
            .as_str()
            .unwrap()
            .contains("correct the addressee")
    );
    let table = world.hoibao(&["deadletter", "list"]).out;
    for part in [
        "dead events: 2",
        "http_500 after 20 tries",
        "held: 1",
        "refused_phone",
    ] {
        assert!(table.contains(part), "`{part}` is not in {table}");
    }
    let id = first["event"].as_str().unwrap();
    let shown = json(&world.hoibao(&["deadletter", "show", id, "--json"]).out);
    assert_eq!(shown["body"]["data"]["dossier"], code(1));
    assert!(
        world
            .hoibao(&["deadletter", "show", id])
            .out
            .contains("\"sequence\":1")
    );
    id.to_owned()
}

/// Lists, shows and redrives what was given up; held shipments stand beside it with who settles them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_settled_by_command() {
    on_both(async |world: &World| {
        let mended = Arc::new(AtomicBool::new(false));
        let well = Arc::clone(&mended);
        let receiver = Receiver::start(move |_seen| {
            if well.load(Ordering::SeqCst) {
                Answer::Status(200)
            } else {
                Answer::Status(500)
            }
        })
        .await;
        let (endpoint, _) = world.subscribe(&receiver.url()).await;
        for number in [1, 1, 2] {
            world.happen(number).await;
        }
        world.drain().await;
        world.hold(3, "refused_phone").await;
        let id = check_lists(world);
        let endpoint = endpoint.to_string();
        let redrive = |login| {
            let words = ["deadletter", "redrive", "--all-of", endpoint.as_str()];
            world.hoibao(&[&words[..], &["--reason", "receiver-mended", "--by", login]].concat())
        };
        let refused = redrive("clerk");
        assert!(
            refused.code == 1 && refused.err.contains("administrator or dispatcher"),
            "{}",
            refused.err
        );
        mended.store(true, Ordering::SeqCst);
        assert_eq!(redrive("dispatcher").out, "2 dead events put back\n");
        assert_eq!(redrive("dispatcher").code, 1, "nothing is dead any more");
        world.drain().await;
        assert_eq!(world.states(1).await, ["sent", "sent"]);
        assert_eq!(world.states(2).await, ["sent"]);
        // No reason, or a free one: a command line that cannot be read.
        let none = world.hoibao(&["deadletter", "redrive", &id, "--by", "dispatcher"]);
        let free = world.hoibao(&[
            "deadletter",
            "skip",
            &id,
            "--by",
            "dispatcher",
            "--reason",
            "vì ông A",
        ]);
        assert_eq!((none.code, free.code), (2, 2));
    })
    .await;
}
