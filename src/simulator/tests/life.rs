//! The parcel's life: hand-over, journey, callbacks, cancellation, the ledger's summary.

use super::*;

#[tokio::test]
async fn nothing_happens_before_the_paper_is_handed_over_and_then_it_is_delivered() {
    let receiver = Receiver::new().await;
    let target = WebhookTarget {
        url: receiver.url.clone(),
    };
    let world = World::with(Faults::none(), |config| config.webhook = Some(target)).await;
    world.create("BCCI-1").await.unwrap();
    world.live_out().await;
    assert_eq!(receiver.records(), [("BCCI-1".to_owned(), 1)]);
    assert_eq!(world.found("BCCI-1").await[0]["status"], 1);
    assert_eq!(
        world.simulator.hand_over("BCCI-9", start_time()),
        PaperOutcome::UnknownOrder
    );
    assert_eq!(
        world.simulator.hand_over("BCCI-1", start_time()),
        PaperOutcome::Done
    );
    assert_eq!(
        world.simulator.hand_over("BCCI-1", start_time()),
        PaperOutcome::AlreadyHandedOver
    );
    world.live_out().await;

    let told: Vec<i64> = receiver.records().iter().map(|(_, status)| *status).collect();
    assert_eq!(told, [1, 2, 6, 7, 10, 11, 12, 14]);
    let token = world.simulator.shared.state().issue_token(world.clock.now());
    let world = World { token, ..world };
    assert_eq!(world.found("BCCI-1").await[0]["status"], 14);
    let (_, history) = world
        .get("/GetStatusHistoryOrder?type=2&code=BCCI-1")
        .await
        .unwrap();
    let rows = history["data"]["statusHistory"].as_array().unwrap();
    assert_eq!(rows.len(), 8);
    assert_eq!(rows[7]["statusCode"], 14);
    assert_eq!(
        (&rows[1]["createdDate"], &rows[1]["createdHour"]),
        (&json!("23/11/2026"), &json!("09:00:00"))
    );

    let events = world.simulator.take_physical_events();
    let shown = format!(
        "{} {}",
        rows[7]["createdDate"].as_str().unwrap(),
        rows[7]["createdHour"].as_str().unwrap()
    );
    assert_eq!(shown, order::stamp(events[0].at));
    assert_eq!(
        events[0].at.as_ms() % 1000,
        0,
        "the ledger knows no more than the wire shows"
    );
    assert_eq!((events.len(), events[0].kind), (1, PhysicalKind::Delivered));
    assert_eq!(world.simulator.take_physical_events(), []);
    world.simulator.stop().await.unwrap();
    let summary = read_ledger(&world.ledger).unwrap();
    let sale = &summary.sales["BCCI-1"];
    assert_eq!((sale.live(), sale.final_status()), (1, Some(14)));
    assert_eq!(sale.orders[0].delivered_at, Some(events[0].at));
    assert_eq!(sale.orders[0].handed_over_at, Some(start_time()));
    assert_eq!((summary.callbacks_answered, summary.callbacks_unanswered), (8, 0));
    receiver.stop().await;
}

#[tokio::test]
async fn a_batch_carries_several_records_and_the_documented_frame() {
    let receiver = Receiver::new().await;
    let target = WebhookTarget {
        url: receiver.url.clone(),
    };
    let world = World::with(Faults::none(), |config| config.webhook = Some(target)).await;
    for number in 0..60 {
        world.create(&format!("BCCI-{number}")).await.unwrap();
    }
    world.simulator.run_due().await;
    let batches = receiver.seen.lock().unwrap().clone();
    assert!(batches.len() < 60 && batches.len() > 2, "{}", batches.len());
    assert_eq!(receiver.records().len(), 60);
    for batch in &batches {
        assert_eq!(batch["sendDate"], "23/11/2026 09:00:00");
        assert_eq!(batch["signature"].as_str().unwrap().len(), 344);
        let record = &batch["data"][0];
        assert_eq!(
            (&record["senderCode"], &record["sendType"]),
            (&json!("C000000000"), &json!("TGTN"))
        );
        assert!(record.get("receiverName").is_none());
    }
    world.simulator.stop().await.unwrap();
    receiver.stop().await;
}

#[tokio::test]
async fn an_unanswered_batch_is_sent_again_and_given_up_in_the_end() {
    let receiver = Receiver::new().await;
    let target = WebhookTarget {
        url: receiver.url.clone(),
    };
    let world = World::with(Faults::none(), |config| config.webhook = Some(target)).await;
    receiver.answer.store(503, Ordering::SeqCst);
    world.create("BCCI-1").await.unwrap();
    world.live_out().await;
    assert_eq!(receiver.records().len(), 5, "once and four times again");
    assert_eq!(world.simulator.counters()["callback_batches_given_up"], 1);
    let seen = receiver.seen.lock().unwrap().clone();
    assert!(seen.iter().all(|batch| *batch == seen[0]), "byte for byte");
    receiver.answer.store(200, Ordering::SeqCst);
    world.create("BCCI-2").await.unwrap();
    world.live_out().await;
    assert_eq!(receiver.records().len(), 6);
    world.simulator.stop().await.unwrap();
    let summary = read_ledger(&world.ledger).unwrap();
    assert_eq!((summary.callbacks_answered, summary.callbacks_unanswered), (1, 5));
    receiver.stop().await;
}

#[tokio::test]
async fn callbacks_are_doubled_lost_delayed_and_joined_by_strangers() {
    let told = async |fault: Fault| {
        let receiver = Receiver::new().await;
        let target = WebhookTarget {
            url: receiver.url.clone(),
        };
        let faults = Faults::none().with(fault, 1000);
        let world = World::with(faults, |config| config.webhook = Some(target)).await;
        world.create("BCCI-1").await.unwrap();
        world.simulator.hand_over("BCCI-1", start_time());
        world.live_out().await;
        let records = receiver.records();
        assert_eq!(world.simulator.counters()[fault.key()], 8, "{fault:?}");
        world.simulator.stop().await.unwrap();
        receiver.stop().await;
        records
    };
    let ours = |records: &[(String, i64)]| -> Vec<i64> {
        let ours = records.iter().filter(|(code, _)| code == "BCCI-1");
        ours.map(|(_, status)| *status).collect()
    };
    let mut doubled = ours(&told(Fault::CallbackDuplicate).await);
    assert_eq!(doubled.len(), 16);
    doubled.sort_unstable();
    doubled.dedup();
    assert_eq!(doubled, [1, 2, 6, 7, 10, 11, 12, 14]);
    assert_eq!(told(Fault::CallbackLost).await, []);
    let mut late = ours(&told(Fault::CallbackLate).await);
    late.sort_unstable();
    assert_eq!(late, [1, 2, 6, 7, 10, 11, 12, 14]);
    let strangers = told(Fault::CallbackUnknownOrder).await;
    assert_eq!(strangers.len(), 16);
    assert_eq!(ours(&strangers).len(), 8);
}

#[tokio::test]
async fn a_reordered_callback_comes_after_its_successor() {
    let receiver = Receiver::new().await;
    let target = WebhookTarget {
        url: receiver.url.clone(),
    };
    let faults = Faults::none().with(Fault::CallbackReordered, 300);
    let world = World::with(faults, |config| config.webhook = Some(target)).await;
    for number in 0..20 {
        let code = format!("BCCI-{number}");
        world.create(&code).await.unwrap();
        world.simulator.hand_over(&code, start_time());
    }
    world.live_out().await;
    let records = receiver.records();
    assert_eq!(records.len(), 160, "none lost, none doubled");
    let out_of_order = (0..20).filter(|number| {
        let code = format!("BCCI-{number}");
        let mine: Vec<i64> = records
            .iter()
            .filter(|one| one.0 == code)
            .map(|one| one.1)
            .collect();
        !mine.is_sorted()
    });
    assert!(out_of_order.count() > 5);
    world.simulator.stop().await.unwrap();
    receiver.stop().await;
}

#[tokio::test]
async fn a_cancellation_is_settled_at_once_or_waits_or_is_refused() {
    let world = World::new(Faults::none()).await;
    let cancel = async |world: &World, code: &str| -> Value {
        let id = world.found(code).await[0]["originalID"].clone();
        world
            .post("/orderCancel", &json!({"OriginalId": id}))
            .await
            .unwrap()
            .1
    };
    world.create("BCCI-1").await.unwrap();
    let answer = cancel(&world, "BCCI-1").await;
    assert_eq!(answer["Type"], "00");
    assert_eq!(world.found("BCCI-1").await[0]["status"], 9);
    assert_eq!(
        world.simulator.hand_over("BCCI-1", start_time()),
        PaperOutcome::NotLive
    );
    assert_eq!(
        cancel(&world, "BCCI-1").await["Type"],
        "01",
        "it is cancelled already"
    );
    world.create("BCCI-2").await.unwrap();
    world.simulator.hand_over("BCCI-2", start_time());
    assert_eq!(cancel(&world, "BCCI-2").await["Type"], "01", "too late");
    let (_, unknown) = world
        .post("/orderCancel", &json!({"OriginalId": "1"}))
        .await
        .unwrap();
    assert_eq!(unknown["Message"], "Không tìm thấy đơn hàng");
    let summary = world.summary();
    assert_eq!(
        (
            summary.sales["BCCI-1"].live(),
            summary.sales["BCCI-1"].final_status()
        ),
        (0, Some(9))
    );
    world.simulator.stop().await.unwrap();

    for (refused, status, verdict) in [(0, 9, "00"), (1000, 1, "01")] {
        let faults = Faults::none()
            .with(Fault::CancelCase, 1000)
            .with(Fault::CancelRefused, refused);
        let world = World::with(faults, |config| config.pace.token_lifetime_ms = i64::MAX / 2).await;
        world.create("BCCI-3").await.unwrap();
        let case = cancel(&world, "BCCI-3").await;
        assert_eq!(case["Type"], "02");
        assert_eq!(world.found("BCCI-3").await[0]["status"], 1);
        world.live_out().await;
        assert_eq!(world.found("BCCI-3").await[0]["status"], status);
        let query = format!(
            "/orderCorrection/updateCase?OriginalId={}&CaseId={}",
            case["OriginalId"].as_str().unwrap(),
            case["CaseId"].as_str().unwrap()
        );
        assert_eq!(world.get(&query).await.unwrap().1[0]["Type"], verdict);
        world.simulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_correction_changes_the_receiver_and_answers_in_camel_case() {
    let world = World::new(Faults::none()).await;
    let (_, record) = world.create("BCCI-1").await.unwrap();
    let body = json!({"OriginalId": record["originalID"], "Receiver": {"Phone": "0911111111", "Fullname": "Trần Thị Mẫu"}});
    let (_, answer) = world.post("/orderCorrection", &body).await.unwrap();
    assert_eq!(
        (&answer["type"], &answer["originalId"]),
        (&json!("00"), &record["originalID"])
    );
    assert_eq!(world.found("BCCI-1").await[0]["receiverPhone"], "0911111111");
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn paper_comes_back_by_itself_or_is_taken_back() {
    let world = World::new(Faults::none().with(Fault::Returned, 1000)).await;
    for code in ["BCCI-1", "BCCI-2", "BCCI-3"] {
        world.create(code).await.unwrap();
        assert_eq!(world.simulator.hand_over(code, start_time()), PaperOutcome::Done);
    }
    assert_eq!(
        world.simulator.take_back("BCCI-9", start_time()),
        PaperOutcome::UnknownOrder
    );
    assert_eq!(
        world.simulator.take_back("BCCI-3", start_time()),
        PaperOutcome::Done
    );
    while world.simulator.shared.state().look_up("2", "BCCI-2").unwrap()[0].status != 18 {
        let next = world.simulator.next_event_at().unwrap();
        world.clock.0.fetch_max(next.as_ms(), Ordering::SeqCst);
        world.simulator.run_due().await;
        if world.clock.now().since_ms(start_time()) == 86_400_000 {
            assert_eq!(
                world.simulator.take_back("BCCI-2", world.clock.now()),
                PaperOutcome::NotBack
            );
        }
    }
    let fetched_at = world.clock.now();
    assert_eq!(
        world.simulator.take_back("BCCI-2", fetched_at),
        PaperOutcome::Done
    );
    world.live_out().await;
    world.simulator.stop().await.unwrap();
    let summary = read_ledger(&world.ledger).unwrap();
    let order = |code: &str| summary.sales[code].orders[0].clone();
    assert_eq!(
        (order("BCCI-1").last_status, order("BCCI-2").last_status),
        (19, 19)
    );
    assert_eq!(order("BCCI-2").returned_at, Some(fetched_at));
    assert!(order("BCCI-2").handed_over_at.is_some());
    assert_eq!(
        (order("BCCI-3").last_status, order("BCCI-3").handed_over_at),
        (1, None)
    );
}

#[tokio::test]
async fn a_stand_alone_operator_hands_over_by_itself() {
    let world = World::with(Faults::none(), |config| {
        config.pace.auto_hand_over_after_ms = Some(3_600_000);
    })
    .await;
    world.create("BCCI-1").await.unwrap();
    world.live_out().await;
    assert_eq!(world.summary().sales["BCCI-1"].final_status(), Some(14));
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn an_operator_left_alone_turns_its_own_agenda_until_it_is_stopped() {
    let folder = TempDir::new().unwrap();
    let mut alone = config(&folder, Faults::none());
    alone.pace.auto_hand_over_after_ms = Some(60_000);
    alone.pace.token_lifetime_ms = i64::MAX / 2;
    // A thousand real milliseconds are more than eleven simulated days.
    let clock = Arc::new(ScaledClock::new(start_time(), 1_000_000));
    let simulator = Simulator::start(alone, Arc::<ScaledClock>::clone(&clock))
        .await
        .unwrap();
    let token = simulator.shared.state().issue_token(clock.now());
    let world = World {
        token,
        ..World::new(Faults::none()).await
    };
    let url = format!("http://{}", simulator.address());
    let post = world
        .client
        .post(format!("{url}/CreateOrder"))
        .header("token", &world.token);
    assert_eq!(
        read(post.body(world.order("BCCI-1").to_string()))
            .await
            .unwrap()
            .0,
        200
    );
    let cancel = CancellationToken::new();
    let watch = async {
        loop {
            let get = world.client.get(format!("{url}/getOrder?type=2&code=BCCI-1"));
            let (_, found) = read(get.header("token", &world.token)).await.unwrap();
            if found[0]["results"][0]["status"] == 14 {
                return cancel.cancel();
            }
        }
    };
    let limit = Duration::from_secs(30);
    let both = async { tokio::join!(simulator.run_forever(cancel.clone()), watch) };
    tokio::time::timeout(limit, both)
        .await
        .expect("delivered within the limit");
    simulator.stop().await.unwrap();
}
