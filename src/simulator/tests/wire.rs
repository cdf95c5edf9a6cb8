//! The wire without faults: documented shapes, refusals, both prefixes.

use super::*;

#[tokio::test]
async fn logging_in_gives_a_token_and_says_why_not() {
    let world = World::new(Faults::none()).await;
    let login =
        |password: &str| json!({"username": "demo", "password": password, "customerCode": "C000000000"});
    for prefix in ["", "/customer-partner"] {
        let (status, body) = world
            .post(&format!("{prefix}/GetAccessToken"), &login("secret"))
            .await
            .unwrap();
        assert_eq!(
            (status, &body["success"], &body["errorMessage"]),
            (200, &json!(true), &Value::Null)
        );
        assert_eq!(body["token"].as_str().unwrap().len(), 32);
    }
    assert_eq!(
        world.post("/GetAccessToken", &login("wrong")).await.unwrap().0,
        403
    );
    assert_eq!(world.post("/GetAccessToken", &json!({})).await.unwrap().0, 400);
    let (status, _) = read(world.client.get(world.url("/getNewProvinceAll")))
        .await
        .unwrap();
    assert_eq!(status, 401, "no token");
    assert_eq!(world.get("/getNewProvinceAll").await.unwrap().0, 200);
    world.advance_ms(Pace::default().token_lifetime_ms);
    assert_eq!(world.get("/getNewProvinceAll").await.unwrap().0, 401, "expired");
    assert_eq!(world.get("/nothing").await.unwrap().0, 404);
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn an_order_is_accepted_and_found_by_each_of_its_codes() {
    let world = World::new(Faults::none()).await;
    assert_eq!(world.found("BCCI-1").await, Vec::<Value>::new());
    let (status, record) = world.create("BCCI-1").await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(record["status"], 1);
    assert_eq!(record["statusName"], "Đã tạo");
    assert_eq!(record["saleOrderCode"], "BCCI-1");
    assert_eq!(record["createdDate"], "23/11/2026 09:00:00");
    assert_eq!(record["receiverCommCode"], world.units.1);
    assert_eq!(record["senderCommuneCode"], world.units.1);
    assert_eq!(record["totalFee"], 29_700);
    assert_eq!(record["addonService"][0]["propList"][0]["propCode"], "PROP0009");
    let item = record["itemCode"].as_str().unwrap();
    assert!(item.len() == 13 && item.starts_with("EB") && item.ends_with("VN"));
    for (kind, code) in [
        ("1", item),
        ("2", "BCCI-1"),
        ("3", record["originalID"].as_str().unwrap()),
    ] {
        let (_, found) = world
            .get(&format!("/customer-partner/getOrder?type={kind}&code={code}"))
            .await
            .unwrap();
        assert_eq!(found, json!([{"results": [record]}]), "type {kind}");
    }
    assert_eq!(world.get("/getOrder?type=9&code=x").await.unwrap().0, 400);
    let summary = world.summary();
    assert_eq!(summary.live(), 1);
    let order = &summary.sales["BCCI-1"].orders[0];
    assert_eq!(order.item_code, item);
    assert_eq!(order.body_sha256.len(), 64);
    let text = std::fs::read_to_string(&world.ledger).unwrap();
    assert!(
        !text.contains("Mẫu") && !text.contains("0900000000"),
        "no personal data"
    );
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn each_bad_field_is_refused_with_its_own_words_and_nothing_is_accepted() {
    let world = World::new(Faults::none()).await;
    let cases = [
        (
            "receiverPhone",
            json!("090"),
            "Số điện thoại người nhận không hợp lệ",
        ),
        (
            "senderPhone",
            json!("+84280000000"),
            "Số điện thoại người gửi không hợp lệ",
        ),
        ("receiverName", json!(" "), "Trường receiverName là bắt buộc"),
        (
            "receiverDistrictCode",
            json!("001"),
            "Mã quận huyện người nhận không hợp lệ",
        ),
        (
            "receiverProvinceCode",
            json!("01"),
            "Mã tỉnh người nhận không tồn tại",
        ),
        (
            "receiverCommuneCode",
            json!("00004"),
            "Mã phường xã người nhận không tồn tại",
        ),
        ("serviceCode", json!("HCC"), "Mã dịch vụ không tồn tại"),
        (
            "serviceCode",
            json!("ETN011"),
            "Dịch vụ cộng thêm GTG001 không áp dụng cho dịch vụ ETN011",
        ),
        ("weight", json!(100), "Trường weight là bắt buộc"),
        ("weight", json!("100.5"), "Khối lượng không hợp lệ"),
        ("sendType", json!("3"), "sendType không hợp lệ"),
    ];
    for (number, (field, value, expected)) in cases.into_iter().enumerate() {
        let mut order = world.order(&format!("BAD-{number}"));
        order["informationOrder"][field] = value;
        let (status, body) = world.post("/CreateOrder", &order).await.unwrap();
        assert_eq!(
            (status, body["message"].as_str()),
            (200, Some(expected)),
            "{field}"
        );
        assert!(body.get("itemCode").is_none());
    }
    let (_, body) = world.post("/CreateOrder", &json!([1])).await.unwrap();
    assert_eq!(body["message"], "orderCreationStatus không hợp lệ");
    world.simulator.stop().await.unwrap();
    let summary = read_ledger(&world.ledger).unwrap();
    assert_eq!(summary.live(), 0);
    assert_eq!(summary.sales["BAD-0"].refused, 1);
}

#[tokio::test]
async fn a_second_order_under_one_code_is_taken_or_refused_by_policy() {
    let world = World::new(Faults::none()).await;
    world.create("BCCI-1").await.unwrap();
    let (_, second) = world.create("BCCI-1").await.unwrap();
    assert!(second["itemCode"].is_string());
    assert_eq!(world.found("BCCI-1").await.len(), 2);
    assert_eq!(world.summary().sales["BCCI-1"].live(), 2);
    world.simulator.stop().await.unwrap();

    let strict = |config: &mut SimulatorConfig| config.duplicates = DuplicatePolicy::Refuse;
    let world = World::with(Faults::none(), strict).await;
    world.create("BCCI-1").await.unwrap();
    let (_, second) = world.create("BCCI-1").await.unwrap();
    assert_eq!(second["message"], "Mã đơn hàng đã tồn tại");
    assert_eq!(world.found("BCCI-1").await.len(), 1);
    world.simulator.stop().await.unwrap();
    let summary = read_ledger(&world.ledger).unwrap();
    assert_eq!(
        (summary.sales["BCCI-1"].live(), summary.sales["BCCI-1"].refused),
        (1, 1)
    );
}

#[tokio::test]
async fn the_list_has_pages_and_limits() {
    let world = World::new(Faults::none()).await;
    for number in 0..5 {
        world.create(&format!("BCCI-{number}")).await.unwrap();
    }
    let list = async |query: &str| world.get(&format!("/GetListOrder?{query}")).await.unwrap();
    let day = "lastUpdateFrom=23-11-2026&lastUpdateTo=23-11-2026&type=GUI&isInternational=0";
    let (_, first) = list(&format!("{day}&page=0&size=3")).await;
    let (_, second) = list(&format!("{day}&page=1&size=3")).await;
    let codes: std::collections::BTreeSet<String> = [first, second]
        .iter()
        .flat_map(|page| page["results"].as_array().unwrap().clone())
        .map(|record| record["saleOrderCode"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes.len(), 5);
    for (query, expected) in [
        (
            "lastUpdateFrom=22-11-2026&lastUpdateTo=22-11-2026&type=GUI&page=0&size=500",
            200,
        ),
        (
            "lastUpdateFrom=2026-11-22&lastUpdateTo=22-11-2026&type=GUI&page=0&size=500",
            400,
        ),
        (
            "lastUpdateFrom=01-10-2026&lastUpdateTo=22-11-2026&type=GUI&page=0&size=500",
            400,
        ),
        (
            "lastUpdateFrom=24-11-2026&lastUpdateTo=22-11-2026&type=GUI&page=0&size=500",
            400,
        ),
        (
            "lastUpdateFrom=22-11-2026&lastUpdateTo=22-11-2026&type=GUI&page=0&size=501",
            400,
        ),
        (
            "lastUpdateFrom=22-11-2026&lastUpdateTo=22-11-2026&type=X&page=0&size=500",
            400,
        ),
        (
            "lastUpdateFrom=23-11-2026&lastUpdateTo=23-11-2026&type=NHAN&page=0&size=500",
            200,
        ),
    ] {
        let (status, body) = list(query).await;
        assert_eq!(status, expected, "{query}");
        if status == 200 {
            assert_eq!(body, json!({"results": []}));
        }
    }
    world.simulator.stop().await.unwrap();
}

#[tokio::test]
async fn fees_labels_and_drafts_have_their_documented_forms() {
    use base64::Engine as _;
    let world = World::new(Faults::none()).await;
    let quote = |service: Value| {
        json!({"scope": 1, "customerCode": "C000000000",
            "data": {"weight": 600, "serviceCode": service, "addonService": []}})
    };
    let (_, all) = world.post("/ServicesCharge", &quote(Value::Null)).await.unwrap();
    assert_eq!(all.as_array().unwrap().len(), 8);
    let (_, one) = world
        .post("/ServicesCharge", &quote(json!("ETN011")))
        .await
        .unwrap();
    assert_eq!(
        (&one[0]["mainFee"], &one[0]["totalFee"]),
        (&json!(25_500), &json!(28_050))
    );

    let (_, record) = world.create("BCCI-1").await.unwrap();
    let (_, labels) = world
        .post("/exportListReport", &json!([record["itemCode"]]))
        .await
        .unwrap();
    let pdf = base64::engine::general_purpose::STANDARD
        .decode(labels[0].as_str().unwrap())
        .unwrap();
    assert!(pdf.starts_with(b"%PDF-1.4"));
    let (_, refused) = world
        .post("/exportListReport", &json!(["EB000000000VN"]))
        .await
        .unwrap();
    assert_eq!(refused["message"], "Không tìm thấy bưu gửi");

    let mut draft = world.order("NHAP-1");
    draft["orderCreationStatus"] = json!(0);
    let (_, record) = world.post("/CreateOrder", &draft).await.unwrap();
    assert_eq!(record["status"], 0);
    assert_eq!(world.summary().live(), 1, "a draft is no order");
    assert_eq!(
        world.simulator.hand_over("NHAP-1", start_time()),
        PaperOutcome::NotLive
    );
    let (_, published) = world.get("/createOrderByDraft?type=2&code=NHAP-1").await.unwrap();
    assert_eq!(published["status"], 1);
    assert_eq!(world.summary().sales["NHAP-1"].live(), 1);
    let (_, again) = world.get("/deleteOrderByDraft?type=2&code=NHAP-1").await.unwrap();
    assert_eq!(again["message"], "Đơn hàng không ở trạng thái nháp");
    world.simulator.stop().await.unwrap();
}
