//! Faults on calls, each alone at full rate, and the sameness of one seed.

use super::*;

const TEN: usize = 10;

async fn only(fault: Fault) -> World {
    World::new(Faults::none().with(fault, 1000)).await
}

#[tokio::test]
async fn a_lost_answer_leaves_a_live_order() {
    let world = only(Fault::LostAnswer).await;
    let mut closed = 0;
    for number in 0..TEN {
        match world.create(&format!("BCCI-{number}")).await {
            Ok((status, _)) => assert_eq!(status, 504),
            Err(error) => {
                assert!(error.is_request() && !error.is_timeout());
                closed += 1;
            }
        }
    }
    assert!(closed > TEN / 2, "{closed}");
    let summary = world.summary();
    assert_eq!(summary.live(), TEN);
    assert_eq!(summary.faults["lost_answer"], 10);
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_late_acceptance_is_absent_first_and_there_later() {
    let world = only(Fault::LateAccept).await;
    assert!(world.create("BCCI-1").await.is_err());
    assert_eq!(world.found("BCCI-1").await, Vec::<Value>::new());
    assert_eq!(world.summary().live(), 0);
    let due = world.simulator.next_event_at().unwrap();
    let delay = due.since_ms(start_time());
    let (low, high) = Pace::default().late_accept_ms;
    assert!((low..=high).contains(&delay), "{delay}");
    world.advance_ms(delay - 1);
    assert_eq!(world.simulator.run_due().await, 0);
    world.advance_ms(1);
    assert_eq!(world.simulator.run_due().await, 1);
    assert_eq!(world.found("BCCI-1").await.len(), 1);
    let summary = world.summary();
    assert!(summary.sales["BCCI-1"].orders[0].late);
    assert_eq!(summary.sales["BCCI-1"].orders[0].accepted_at, due);
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_late_acceptance_that_meets_an_order_is_refused_where_duplicates_are() {
    let world = World::with(Faults::none().with(Fault::LateAccept, 500), |config| {
        config.duplicates = DuplicatePolicy::Refuse;
    })
    .await;
    // Both outcomes of the same reference: one attempt is late, a later one goes through at once.
    let mut late = 0;
    for number in 0..TEN {
        let code = format!("BCCI-{number}");
        while world.create(&code).await.is_err() {
            late += 1;
        }
    }
    assert!(late > 2, "{late}");
    world.live_out().await;
    let summary = world.summary();
    assert!(summary.sales.values().all(|sale| sale.live() == 1));
    let refused: u64 = summary.sales.values().map(|sale| sale.refused).sum();
    assert_eq!(refused, late);
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_reset_and_a_server_error_leave_nothing() {
    use std::error::Error as _;
    let world = only(Fault::Reset).await;
    let error = world.create("BCCI-1").await.unwrap_err();
    let mut cause = error.source();
    let mut texts = Vec::new();
    while let Some(inner) = cause {
        texts.push(inner.to_string());
        cause = inner.source();
    }
    assert!(texts.iter().any(|text| text.contains("reset")), "{texts:?}");
    assert_eq!(world.summary().live(), 0);
    world.simulator.stop().await.unwrap();

    let world = only(Fault::ServerError).await;
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..30 {
        seen.insert(world.create(&format!("BCCI-{number}")).await.unwrap().0);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [500, 502, 503]);
    let days = only(Fault::LongRetryAfter).await;
    for number in 0..10 {
        let url = days.url(&format!("/getOrder?type=2&code=BCCI-{number}"));
        let answer = days.client.get(url).send().await.unwrap();
        let text = answer.headers()["retry-after"].to_str().unwrap();
        let wait = text.parse::<u32>().ok();
        assert!(
            wait.is_none_or(|wait| (172_800..=432_000).contains(&wait)),
            "{text}"
        );
        assert!(wait.is_some() || text.contains(" Nov 2026 "), "{text}");
    }
    days.simulator.stop().await.unwrap();
    assert_eq!(world.summary().live(), 0);
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn too_many_requests_say_when_to_come_back_in_both_forms() {
    let world = only(Fault::TooManyRequests).await;
    let (mut seconds, mut dates) = (0, 0);
    for number in 0..30 {
        let answer = world
            .client
            .get(world.url(&format!("/getOrder?type=2&code=BCCI-{number}")))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 429);
        let text = answer.headers()["retry-after"].to_str().unwrap();
        if let Ok(wait) = text.parse::<u32>() {
            assert!((5..=120).contains(&wait));
            seconds += 1;
        } else {
            assert!(
                text.starts_with("Mon, 23 Nov 2026 02:0") && text.ends_with(" GMT"),
                "{text}"
            );
            dates += 1;
        }
    }
    assert!(seconds > 3 && dates > 3, "{seconds} {dates}");
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn error_bodies_come_with_200_under_three_keys_and_leave_nothing() {
    let world = only(Fault::ErrorBody).await;
    let mut keys = std::collections::BTreeSet::new();
    for number in 0..30 {
        let (status, body) = world.create(&format!("BCCI-{number}")).await.unwrap();
        assert_eq!(status, 200);
        keys.extend(body.as_object().unwrap().keys().cloned());
    }
    assert_eq!(
        keys.into_iter().collect::<Vec<_>>(),
        ["Message", "errorMessage", "message", "success"]
    );
    assert_eq!(world.summary().live(), 0);
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_dies_in_three_ways_and_stays_dead() {
    let world = only(Fault::TokenExpiry).await;
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..30 {
        let (status, body) = world.create(&format!("BCCI-{number}")).await.unwrap();
        let text = body.get("message").or(body.get("errorMessage")).unwrap();
        assert_eq!(text, "Token đã hết hạn");
        seen.insert(status);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [200, 401, 403]);
    let now = world.clock.now();
    assert!(!world.simulator.shared.state().token_lives(&world.token, now));
    assert_eq!(world.summary().live(), 0);
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_slow_answer_is_slow_in_real_time_and_right() {
    let world = World::with(Faults::none().with(Fault::Slow, 1000), |config| {
        config.pace.slow_real_ms = (60, 60);
    })
    .await;
    let clock = ScaledClock::new(Timestamp::from_ms(0), 1);
    let (status, record) = world.create("BCCI-1").await.unwrap();
    assert!(clock.now().as_ms() >= 60);
    assert_eq!((status, &record["status"]), (200, &json!(1)));
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn replies_are_masked_and_carry_old_codes_beside_new_ones() {
    let faults = Faults::none()
        .with(Fault::MaskedReply, 1000)
        .with(Fault::OldCodes, 1000);
    let world = World::new(faults).await;
    let (_, record) = world.create("BCCI-1").await.unwrap();
    assert_eq!(record["receiverName"], "N+++++++++++++");
    assert_eq!(record["receiverPhone"], "0+++++++++");
    assert_eq!(record["receiverCommCodeNew"], world.units.1);
    assert_eq!(record["senderCommuneCodeNew"], world.units.1);
    assert_eq!(record["receiverProvinceCodeNew"], world.units.0);
    assert_ne!(record["receiverDistrictCode"], "VNPOST");
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn odd_shapes_wrap_rename_and_turn_numbers_into_text() {
    let world = only(Fault::OddShape).await;
    let (_, answer) = world.create("BCCI-1").await.unwrap();
    let record = &answer["data"];
    assert!(record["orderHdrId"].is_string() && record["originalId"].is_string());
    assert_eq!(
        (&record["status"], &record["totalFee"]),
        (&json!("1"), &json!("29700"))
    );
    let mut shapes = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let (_, found) = world.get("/getOrder?type=2&code=BCCI-1").await.unwrap();
        shapes.insert(if found.get("results").is_some() {
            "results"
        } else {
            "bare"
        });
        let (_, absent) = world.get("/getOrder?type=2&code=BCCI-9").await.unwrap();
        assert_eq!(absent, json!({"results": []}));
        let (_, history) = world
            .get("/GetStatusHistoryOrder?type=2&code=BCCI-1")
            .await
            .unwrap();
        let data = &history["data"];
        let data = data.get(0).unwrap_or(data);
        assert_eq!(data["statusHistory "][0]["createHour"], "09:00:00");
        assert_eq!(data["statusHistory "][0]["LocateName"], "MyVNPost");
    }
    assert_eq!(shapes.into_iter().collect::<Vec<_>>(), ["bare", "results"]);
    let mut bad = world.order("BCCI-2");
    bad["informationOrder"]["receiverPhone"] = json!("1");
    let (_, refused) = world.post("/CreateOrder", &bad).await.unwrap();
    assert_eq!(refused["Message"], "Số điện thoại người nhận không hợp lệ");
    world.simulator.stop().await.unwrap();
}

/// One bad week with one seed: twenty orders, each tried up to five times, all handed over.
async fn bad_week(seed: u64, backwards: bool) -> (Vec<u8>, LedgerSummary) {
    let receiver = Receiver::new().await;
    let target = WebhookTarget {
        url: receiver.url.clone(),
    };
    let faults = Faults::wild().with(Fault::Slow, 0).with(Fault::TokenExpiry, 0);
    let world = World::with(faults, |config| {
        config.webhook = Some(target);
        config.seed = seed;
    })
    .await;
    let mut codes: Vec<String> = (0..20).map(|number| format!("BCCI-{number:02}")).collect();
    if backwards {
        codes.reverse();
    }
    for code in &codes {
        for _ in 0..5 {
            if let Ok((200, _)) = world.create(code).await {
                break;
            }
        }
    }
    world.advance_ms(3_600_000);
    world.simulator.run_due().await;
    for code in &codes {
        world.simulator.hand_over(code, world.clock.now());
    }
    world.live_out().await;
    world.simulator.stop().await.unwrap();
    receiver.stop().await;
    let bytes = std::fs::read(&world.ledger).unwrap();
    (bytes, read_ledger(&world.ledger).unwrap())
}

#[tokio::test]
async fn one_seed_is_one_history_and_another_seed_another() {
    let (first, summary) = bad_week(11, false).await;
    let (second, _) = bad_week(11, false).await;
    assert_eq!(first, second, "byte for byte");
    let (backwards, other_order) = bad_week(11, true).await;
    assert_ne!(first, backwards, "lines come in another order");
    assert_eq!(
        summary.sales, other_order.sales,
        "but tell the same story of each order"
    );
    assert_eq!(summary.faults, other_order.faults);
    let (_, other_seed) = bad_week(12, false).await;
    assert_ne!(summary.sales, other_seed.sales);
    assert!(summary.faults.len() > 8, "{:?}", summary.faults);
}

#[tokio::test]
async fn a_cut_off_last_line_is_forgiven_and_a_bad_one_is_not() {
    let world = World::new(Faults::none()).await;
    world.create("BCCI-1").await.unwrap();
    world.simulator.stop().await.unwrap();
    let whole = std::fs::read(&world.ledger).unwrap();
    std::fs::write(&world.ledger, &whole[..whole.len() - 3]).unwrap();
    let summary = read_ledger(&world.ledger).unwrap();
    assert!(summary.torn && summary.live() == 1);
    let mut edited = b"{}\n".to_vec();
    edited.extend(&whole);
    std::fs::write(&world.ledger, edited).unwrap();
    assert!(matches!(read_ledger(&world.ledger), Err(LedgerError::Line(1))));
    let status_only: Vec<u8> = whole
        .split_inclusive(|byte| *byte == b'\n')
        .skip(1)
        .flatten()
        .copied()
        .collect();
    std::fs::write(&world.ledger, status_only).unwrap();
    assert!(matches!(read_ledger(&world.ledger), Err(LedgerError::Stray(1))));
}

#[tokio::test]
async fn a_used_ledger_and_a_taken_port_are_refused() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock(AtomicI64::new(start_time().as_ms())));
    let mut config = config(&folder, Faults::none());
    std::fs::write(&config.ledger_path, "x\n").unwrap();
    let start = async |config: &SimulatorConfig| {
        Simulator::start(config.clone(), Arc::<ManualClock>::clone(&clock)).await
    };
    assert!(matches!(start(&config).await, Err(SimulatorError::Ledger(_))));
    config.ledger_path = folder.path().join("new.jsonl");
    let first = start(&config).await.unwrap();
    config.listen = first.address();
    config.ledger_path = folder.path().join("newer.jsonl");
    assert!(matches!(start(&config).await, Err(SimulatorError::Listen { .. })));
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.webhook = Some(WebhookTarget { url: "no url".into() });
    assert!(matches!(start(&config).await, Err(SimulatorError::Webhook)));
    first.stop().await.unwrap();
}
