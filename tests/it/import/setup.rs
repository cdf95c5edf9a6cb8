//! The set-up file: what stands afterwards, the same twice, whole or nothing, each fault at its place; and the units.

use super::place::{Place, on_both};
use hoibao::domain::journal::{ActorKind, Entry, Kind, Tag};
use hoibao::domain::secret::Secret;
use hoibao::domain::time::Timestamp;
use hoibao::edge::store::account::account_by_code;
use hoibao::edge::store::reference::{office_by_code, procedure, roles, staff_by_login};
use hoibao::edge::store::{journal, unit};
use hoibao::stage::import::setup::{self, Change, SecretPlace, SetupError, SetupMode, Thing};
use hoibao::stage::import::units::{self, SET_NOW};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

pub(super) const SETUP: &str = include_str!("../../../fixtures/setup/sample.toml");
const CALLBACK_SECRET: &str = "0123456789abcdef0123456789abcdef";

fn secrets(password: &'static str) -> impl Fn(&SecretPlace) -> Option<Secret<String>> + Send + Sync {
    move |place| {
        let SecretPlace::Environment(name) = place else {
            return None;
        };
        let known = BTreeMap::from([
            ("BCCI_USER", "user"),
            ("BCCI_PASSWORD", password),
            ("BCCI_CALLBACK_SECRET", CALLBACK_SECRET),
        ]);
        known
            .get(name.as_str())
            .map(|secret| Secret::new((*secret).to_owned()))
    }
}

async fn bring_in(place: &Place, text: &str, mode: SetupMode) -> Result<Vec<Change>, SetupError> {
    setup::run(&place.context, text.as_bytes(), &secrets("hunter2"), mode).await
}

/// With the units that the sample's offices lie in.
async fn with_units(place: &Place) {
    let sets = units::built_in().unwrap();
    let loaded = units::load(&place.context, &sets, false).await.unwrap();
    assert_eq!(
        loaded.iter().map(|set| set.written).sum::<usize>(),
        2 * (34 + 3_321)
    );
}

async fn on_both_empty<F: AsyncFn(&Place)>(test: F) {
    for postgres in [false, true] {
        let place = Place::empty(postgres).await;
        with_units(&place).await;
        test(&place).await;
    }
}

async fn changed_entries(place: &Place) -> Vec<(Entry, String)> {
    let mut tx = place.context.store.snapshot().await.unwrap();
    let (pages, _) = journal::page(&mut tx, journal::Position::START, 10_000)
        .await
        .unwrap();
    let all = pages.iter().map(|bytes| Entry::from_bytes(bytes).unwrap());
    all.filter(|entry| entry.kind == Kind::ConfigurationChanged)
        .map(|entry| {
            let word = entry.fields.get_ascii(Tag::Word).unwrap().to_owned();
            (entry, word)
        })
        .collect()
}

/// A province is switched on by the sample: each row is there, the secrets sealed or hashed, each with its entry.
#[tokio::test]
async fn the_sample_switches_a_province_on() {
    on_both_empty(async |place: &Place| {
        let would = bring_in(place, SETUP, SetupMode::DryRun).await.unwrap();
        assert_eq!(place.number("SELECT COUNT(*) FROM office").await, 0);
        let changes = bring_in(place, SETUP, SetupMode::Apply).await.unwrap();
        assert_eq!(changes, would);
        let told: Vec<(Thing, &str)> = changes.iter().map(|it| (it.thing, it.code.as_str())).collect();
        let expect = [
            (Thing::Account, "bcci"),
            (Thing::Office, "HL01"),
            (Thing::Office, "BC01"),
            (Thing::Office, "CU"),
            (Thing::Procedure, "1.004227"),
            (Thing::Procedure, "9.999999"),
            (Thing::Source, "qni"),
            (Thing::Staff, "canbo.thu"),
            (Thing::Staff, "lanhdao.mau"),
        ];
        assert_eq!(told, expect);
        assert!(changes.iter().all(|change| change.new));
        let mut tx = place.context.store.snapshot().await.unwrap();
        let account = account_by_code(&mut tx, "bcci").await.unwrap().unwrap();
        let (username, password) = account.open_login(&place.context.store).unwrap();
        assert_eq!((username.as_str(), password.as_str()), ("user", "hunter2"));
        let hash: [u8; 32] = Sha256::digest(CALLBACK_SECRET).into();
        assert_eq!(account.callback_secret_hash, hash);
        let carrier = place.context.carriers.find(&account.adapter).unwrap();
        assert_eq!(account.capabilities, carrier.default_capabilities());
        let office = office_by_code(&mut tx, "HL01").await.unwrap().unwrap();
        assert_eq!(
            (office.account, office.paper_first, office.valid_to),
            (Some(account.id), true, None)
        );
        assert_eq!(
            Some(office.valid_from),
            Timestamp::parse_rfc3339("2025-07-01T00:00:00+07:00")
        );
        let old = office_by_code(&mut tx, "CU").await.unwrap().unwrap();
        assert_eq!(
            (old.successor, old.valid_to),
            (Some(office.id), Some(office.valid_from))
        );
        assert!(
            procedure(&mut tx, "1.004227")
                .await
                .unwrap()
                .unwrap()
                .takes_back_old
        );
        let clerk = staff_by_login(&mut tx, "canbo.thu").await.unwrap().unwrap();
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let held = roles(&mut tx, clerk.id, at("2026-12-30T12:00:00+07:00"))
            .await
            .unwrap();
        assert_eq!(held.len(), 2);
        let held = roles(&mut tx, clerk.id, at("2026-12-31T12:00:00+07:00"))
            .await
            .unwrap();
        assert_eq!(held, [(office.id, "clerk".to_owned())]);
        drop(tx);
        let entries = changed_entries(place).await;
        // Two for the sets of units.
        let words: Vec<&str> = entries.iter().map(|(_, word)| word.as_str()).collect();
        assert_eq!(words.len(), 2 + expect.len());
        assert_eq!(words.iter().filter(|word| **word == "office").count(), 3);
        assert!(
            entries
                .iter()
                .all(|(entry, _)| entry.actor.kind == ActorKind::Administrator)
        );
    })
    .await;
}

/// The second time nothing differs, to the byte; a change is told by the names of what differs and written alone.
#[tokio::test]
async fn the_same_twice_changes_nothing_and_a_change_only_itself() {
    on_both_empty(async |place: &Place| {
        bring_in(place, SETUP, SetupMode::Apply).await.unwrap();
        let before = place.tables().await;
        assert_eq!(bring_in(place, SETUP, SetupMode::Apply).await.unwrap(), []);
        assert_eq!(place.tables().await, before);
        let edited = SETUP
            .replace("paper_first = true", "paper_first = false")
            .replace("rate_burst = 20", "rate_burst = 21")
            .replace("until = 2026-12-31", "until = 2027-06-30");
        let other = secrets("correct horse");
        let changes = setup::run(&place.context, edited.as_bytes(), &other, SetupMode::Apply)
            .await
            .unwrap();
        let told: Vec<(&str, Vec<&str>)> = changes
            .iter()
            .map(|it| (it.code.as_str(), it.differs.clone()))
            .collect();
        let expect = [
            ("bcci", vec!["login", "rate_burst"]),
            ("HL01", vec!["paper_first"]),
            ("canbo.thu", vec!["role"]),
        ];
        assert_eq!(told, expect);
        let mut tx = place.context.store.snapshot().await.unwrap();
        let account = account_by_code(&mut tx, "bcci").await.unwrap().unwrap();
        assert_eq!(
            account.open_login(&place.context.store).unwrap().1.as_str(),
            "correct horse"
        );
        let old = office_by_code(&mut tx, "CU").await.unwrap().unwrap();
        assert!(
            old.successor.is_some(),
            "a successor written anew keeps those it succeeded"
        );
        drop(tx);
        assert_eq!(place.number("SELECT COUNT(*) FROM staff_role").await, 4);
        assert_eq!(changed_entries(place).await.len(), 2 + 9 + 3);
    })
    .await;
}

/// What is replaced by what in the sample, and the fault that is told.
const CASES: [(&str, &str, &str, &str); 26] = [
    (
        "code = \"HL01\"\nname",
        "code = \"HL 01\"\nname",
        "office HL 01: code",
        "code_invalid",
    ),
    (
        "code = \"BC01\"",
        "code = \"HL01\"",
        "office HL01: code",
        "repeated",
    ),
    (
        "name = \"Cán bộ Thử\"",
        "name = \" \"",
        "staff canbo.thu: name",
        "name_invalid",
    ),
    (
        "\"myvnpost\"",
        "\"pigeon\"",
        "account bcci: adapter",
        "adapter_unknown",
    ),
    (
        "https://operator",
        "ftp://operator",
        "account bcci: base_url",
        "url_invalid",
    ),
    (
        "https://operator",
        "https://user:pw@operator",
        "account bcci: base_url",
        "url_invalid",
    ),
    (
        "\"env:BCCI_USER\"",
        "\"admin\"",
        "account bcci: username_from",
        "secret_place_invalid",
    ),
    (
        "env:BCCI_PASSWORD",
        "env:NOBODY",
        "account bcci: password_from",
        "secret_missing",
    ),
    (
        "env:BCCI_CALLBACK_SECRET",
        "env:BCCI_USER",
        "account bcci: callback_secret_from",
        "secret_short",
    ),
    (
        "rate_per_minute = 120",
        "rate_per_minute = 0",
        "account bcci: rate_per_minute",
        "rate_invalid",
    ),
    (
        "customer_code",
        "customer_kode",
        "account bcci: settings.customer_code",
        "setting_missing",
    ),
    (
        "send_type",
        "path_prefix",
        "account bcci: settings.path_prefix",
        "setting_invalid",
    ),
    (
        "valid_to = 2025-07-01",
        "valid_to = 2019-01-01",
        "office CU: valid_to",
        "ends_before_it_begins",
    ),
    (
        "valid_to = 2025-07-01",
        "valid_to = 2025-07-01T08:00:00",
        "office CU: valid_to",
        "not_a_day",
    ),
    (
        "valid_to = 2025-07-01\n",
        "",
        "office CU: successor",
        "successor_without_end",
    ),
    (
        "successor = \"HL01\"",
        "successor = \"NIL\"",
        "office CU: successor",
        "office_unknown",
    ),
    (
        "successor = \"HL01\"",
        "successor = \"CU\"",
        "office CU: successor",
        "successor_circle",
    ),
    (
        "0203 3825 002",
        "113",
        "office BC01: sender.phone",
        "phone_invalid",
    ),
    (
        "commune = \"06673\"",
        "commune = \"6673\"",
        "office BC01: sender.commune",
        "unit_invalid",
    ),
    (
        "commune = \"06673\"",
        "commune = \"99999\"",
        "office BC01: sender.commune",
        "unit_unknown",
    ),
    (
        "commune = \"06673\"",
        "commune = \"00004\"",
        "office BC01: sender.commune",
        "commune_not_of_province",
    ),
    (
        "account = \"bcci\"\npaper_first",
        "account = \"x\"\npaper_first",
        "office HL01: account",
        "account_unknown",
    ),
    (
        "addressee_only",
        "anybody",
        "procedure 9.999999: receiver_policy",
        "policy_unknown",
    ),
    (
        "status_map = \"national\"",
        "status_map = \"x\"",
        "source qni: status_map",
        "status_map_unknown",
    ),
    (
        "role = \"dispatcher\"",
        "role = \"king\"",
        "staff canbo.thu: role 2: role",
        "role_unknown",
    ),
    (
        "office = \"BC01\"",
        "office = \"NIL\"",
        "staff lanhdao.mau: role at NIL",
        "office_unknown",
    ),
];

/// Each fault at its place, all at once; and nothing is written, though most of the file is right.
#[tokio::test]
async fn each_fault_is_told_at_its_place_and_nothing_stands() {
    on_both_empty(async |place: &Place| {
        let before = place.tables().await;
        for (from, to, at, code) in CASES {
            let text = SETUP.replacen(from, to, 1);
            assert_ne!(text, SETUP, "{from}");
            let Err(SetupError::Refused(faults)) = bring_in(place, &text, SetupMode::Apply).await else {
                panic!("taken: {to}");
            };
            let told: Vec<(&str, &str)> = faults
                .iter()
                .map(|fault| (fault.place.as_str(), fault.word.as_str()))
                .collect();
            assert!(told.contains(&(at, code)), "{to}: {told:?}");
        }
        let two = SETUP
            .replace("addressee_only", "anybody")
            .replace("0203 3825 002", "113");
        let Err(SetupError::Refused(faults)) = bring_in(place, &two, SetupMode::DryRun).await else {
            panic!("taken");
        };
        assert_eq!(faults.len(), 2);
        let unknown = SETUP.replace("[[source]]", "[[source]]\npassword = \"hunter2\"");
        let error = bring_in(place, &unknown, SetupMode::Apply)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("unknown field `password`") && error.starts_with("line "),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(place.tables().await, before);
        bring_in(place, SETUP, SetupMode::Apply).await.unwrap();
        let adapter = SETUP.replace("\"myvnpost\"", "\"pigeon\"");
        assert!(bring_in(place, &adapter, SetupMode::Apply).await.is_err());
    })
    .await;
}

/// The sets that come with the program: loaded once, the second time nothing; a file changes only what differs.
#[tokio::test]
async fn units_are_loaded_once_and_changed_one_by_one() {
    on_both(async |place: &Place| {
        let sets = units::built_in().unwrap();
        let first = units::load(&place.context, &sets, true).await.unwrap();
        assert_eq!(place.number("SELECT COUNT(*) FROM unit").await, 4);
        assert_eq!(units::load(&place.context, &sets, false).await.unwrap(), first);
        assert_eq!(place.number("SELECT COUNT(*) FROM unit").await, 2 * (34 + 3_321));
        let before = place.tables().await;
        let again = units::load(&place.context, &sets, false).await.unwrap();
        assert!(
            again.iter().all(|set| (set.written, set.kept) == (0, 0)),
            "{again:?}"
        );
        assert_eq!(place.tables().await, before);
        let file = "province_code,province_name,commune_code,commune_name,type\n\
                    22,Tỉnh Quảng Ninh,06688,Phường Hạ Long Mới,phuong\n";
        let set = units::read(file.as_bytes(), SET_NOW, sets[1].valid_from).unwrap();
        let loaded = units::load(&place.context, &[set], false).await.unwrap();
        assert_eq!(
            (loaded[0].units, loaded[0].written, loaded[0].kept),
            (2, 1, 34 + 3_321 - 2)
        );
        let mut tx = place.context.store.snapshot().await.unwrap();
        let renamed = unit::unit(&mut tx, SET_NOW, "commune", "06688")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(renamed.name, "Phường Hạ Long Mới");
    })
    .await;
}
