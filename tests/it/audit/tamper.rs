//! Somebody changes the database beside the gateway: each kind of change is found, and told by its kind and column.
//!
//! Each case runs on a fresh world on both databases. A change often shows in more than one place; a case names those
//! that must be among them.

use super::clean::audit;
use super::world::World;
use hoibao::stage::audit::Audit;
use std::collections::BTreeSet;

/// A shipment that was delivered, by its state.
const DELIVERED: &str =
    "(SELECT id FROM shipment WHERE state = 'delivered' AND contested = 0 ORDER BY id LIMIT 1)";
/// Two facts about it.
const FACT: &str = "(SELECT fact_id FROM delivery_fact WHERE shipment_id = \
                    (SELECT id FROM shipment WHERE state = 'delivered' AND contested = 0 ORDER BY id LIMIT 1) \
                    ORDER BY occurred_at DESC LIMIT 1)";
/// A dossier returned by post.
const RETURNED: &str =
    "(SELECT id FROM dossier WHERE status = 10 AND shipment_id IS NOT NULL ORDER BY id LIMIT 1)";
/// A dossier that is finished and lies in an envelope.
const FINISHED: &str =
    "(SELECT id FROM dossier WHERE status = 9 AND shipment_id IS NOT NULL ORDER BY id LIMIT 1)";
/// The item of the delivered shipment.
const ITEM: &str = "(SELECT id FROM shipment_item WHERE shipment_id = \
                    (SELECT id FROM shipment WHERE state = 'delivered' AND contested = 0 ORDER BY id LIMIT 1))";
/// The first entry about the delivered shipment, and the last.
const FIRST: &str = "(SELECT id FROM journal WHERE subject_id = \
                     (SELECT id FROM shipment WHERE state = 'delivered' AND contested = 0 ORDER BY id LIMIT 1) \
                     ORDER BY sequence LIMIT 1)";
const LAST: &str = "(SELECT id FROM journal WHERE subject_id = \
                    (SELECT id FROM shipment WHERE state = 'delivered' AND contested = 0 ORDER BY id LIMIT 1) \
                    ORDER BY sequence DESC LIMIT 1)";

/// What must be found: word of the kind and place.
fn found(audit: &Audit) -> BTreeSet<(String, &'static str)> {
    audit
        .listed
        .iter()
        .map(|difference| (difference.kind.as_str().to_owned(), difference.place))
        .collect()
}

/// Runs a statement on a world with everything and expects exactly these differences, by kind and place.
async fn check(statement: &str, expected: &[(&str, &'static str)]) {
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        world.everything().await;
        assert_eq!(world.raw(statement).await, 1, "{statement}");
        let audit = audit(&world).await;
        let expected: BTreeSet<(String, &str)> = expected
            .iter()
            .map(|(kind, place)| ((*kind).to_owned(), *place))
            .collect();
        assert_eq!(found(&audit), expected, "{statement}: {:?}", audit.listed);
        assert!(!audit.is_clean());
        assert_eq!(audit.by_kind.values().sum::<u64>(), audit.differences);
    }
}

/// Every folded and every fixed column of a shipment that the journal speaks of.
#[tokio::test]
async fn a_changed_shipment_is_found_column_by_column() {
    let changes = [
        ("state", "'in_transit'"),
        ("state", "'no word of ours'"),
        ("contested", "1"),
        ("partial", "1"),
        ("held", "'phone'"),
        ("attempts", "0"),
        ("visits", "7"),
        ("failure_code", "'1'"),
        ("last_event_at", "last_event_at + 1"),
        ("delivered_at", "delivered_at - 86400000"),
        ("custody", "'at_desk'"),
        ("handed_over_at", "NULL"),
        ("collected_at", "5"),
        ("without_handover", "1"),
        ("closed", "0"),
        ("revision", "2"),
        ("journal_sequence", "journal_sequence - 1"),
        ("created_at", "created_at + 1"),
        ("source_id", "NULL"),
        ("return_office_id", "(SELECT id FROM office WHERE code = 'HL02')"),
        ("sending_office_id", "(SELECT id FROM office WHERE code = 'HL02')"),
        ("record_id", "id"),
    ];
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        world.everything().await;
        // Both databases keep what an UPDATE inside a table of saved rows gives back.
        world
            .raw(&format!(
                "CREATE TABLE saved AS SELECT * FROM shipment WHERE id = {DELIVERED}"
            ))
            .await;
        for (column, value) in changes {
            let change = format!("UPDATE shipment SET {column} = {value} WHERE id = (SELECT id FROM saved)");
            assert_eq!(world.raw(&change).await, 1);
            let told = audit(&world).await;
            let expected = BTreeSet::from([("row_changed".to_owned(), column)]);
            assert_eq!(found(&told), expected, "{column} = {value}");
            let back = format!(
                "UPDATE shipment SET {column} = (SELECT {column} FROM saved) WHERE id = (SELECT id FROM saved)"
            );
            assert_eq!(world.raw(&back).await, 1);
        }
        assert!(audit(&world).await.is_clean());
    }
}

/// Every column of a dossier that the journal speaks of.
#[tokio::test]
async fn a_changed_dossier_is_found_column_by_column() {
    let changes = [
        ("status", "9"),
        ("status_stated", "10"),
        ("status_raw", "'Nguyễn'"),
        ("map_version", "99"),
        ("return_by", "0"),
        ("submitted_by", "1"),
        ("received_at", "received_at - 1"),
        ("due_at", "NULL"),
        ("finished_at", "finished_at + 1"),
        ("returned_at", "returned_at - 86400000"),
        ("returned_at", "NULL"),
        ("post_withdrawn", "1"),
        ("is_duplicate", "1"),
        ("shipment_id", "NULL"),
        ("discrepancy", "'returned_twice'"),
        ("journal_sequence", "1"),
        ("created_at", "created_at - 1"),
    ];
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        world.everything().await;
        world
            .raw(&format!(
                "CREATE TABLE saved AS SELECT * FROM dossier WHERE id = {RETURNED}"
            ))
            .await;
        for (column, value) in changes {
            let change = format!("UPDATE dossier SET {column} = {value} WHERE id = (SELECT id FROM saved)");
            assert_eq!(world.raw(&change).await, 1);
            let told = audit(&world).await;
            let expected = BTreeSet::from([("row_changed".to_owned(), column)]);
            assert_eq!(found(&told), expected, "{column} = {value}");
            // Whatever was written into a column is not carried on.
            assert!(!format!("{told:?}").contains("Nguyễn"));
            let back = format!(
                "UPDATE dossier SET {column} = (SELECT {column} FROM saved) WHERE id = (SELECT id FROM saved)"
            );
            assert_eq!(world.raw(&back).await, 1);
        }
        assert!(audit(&world).await.is_clean());
    }
}

/// The same for a dossier whose result is still at the desk: 10 without proof.
#[tokio::test]
async fn ten_without_proof_is_found() {
    let statement =
        format!("UPDATE dossier SET status = 10, returned_at = 1793520000000 WHERE id = {FINISHED}");
    check(
        &statement,
        &[("row_changed", "status"), ("row_changed", "returned_at")],
    )
    .await;
}

#[tokio::test]
async fn a_changed_or_deleted_fact_is_found() {
    check(
        &format!("UPDATE delivery_fact SET fields = (SELECT fields FROM custody_fact LIMIT 1) WHERE fact_id = {FACT}"),
        &[("fact_changed", "fields")],
    )
    .await;
    for (column, value) in [
        ("occurred_at", "occurred_at + 1000"),
        ("map_version", "2"),
        ("heard_at", "heard_at - 1"),
    ] {
        check(
            &format!("UPDATE delivery_fact SET {column} = {value} WHERE fact_id = {FACT}"),
            &[("fact_changed", column)],
        )
        .await;
    }
    check(
        &format!("DELETE FROM delivery_fact WHERE fact_id = {FACT}"),
        &[("fact_missing", "fact_id")],
    )
    .await;
    check(
        &format!(
            "DELETE FROM custody_fact WHERE shipment_id = {DELIVERED} \
             AND occurred_at = (SELECT MAX(occurred_at) FROM custody_fact WHERE shipment_id = {DELIVERED})"
        ),
        &[("fact_missing", "fact_id")],
    )
    .await;
    check(
        &format!("DELETE FROM dossier_fact WHERE dossier_id = {RETURNED}"),
        &[("fact_missing", "fact_id")],
    )
    .await;
    // A fact moved to another shipment is missing here and nobody's there.
    check(
        &format!(
            "UPDATE delivery_fact SET shipment_id = (SELECT id FROM shipment WHERE state = 'cancelled' LIMIT 1) \
             WHERE fact_id = {FACT}"
        ),
        &[("fact_missing", "fact_id"), ("fact_unwritten", "fact_id")],
    )
    .await;
}

#[tokio::test]
async fn a_deleted_entry_is_found() {
    // The delivery itself: the fact stands alone, and the row says more than its facts.
    check(
        &format!("DELETE FROM journal WHERE id = {LAST}"),
        &[
            ("fact_unwritten", "fact_id"),
            ("row_changed", "journal_sequence"),
            ("row_changed", "state"),
            ("row_changed", "delivered_at"),
            ("row_changed", "last_event_at"),
            ("row_changed", "visits"),
            ("row_changed", "custody"),
            ("row_changed", "closed"),
            // And its dossier.
            ("row_changed", "status"),
            ("row_changed", "returned_at"),
        ],
    )
    .await;
    check(
        &format!("DELETE FROM journal WHERE id = {FIRST}"),
        &[
            ("entry_gap", "sequence"),
            ("row_unwritten", "registered"),
            ("item_unwritten", "item"),
            // Without its registration the dossier has no shipment.
            ("row_changed", "status"),
            ("row_changed", "returned_at"),
            ("row_changed", "shipment_id"),
        ],
    )
    .await;
    // A whole history, and one of an office: its list was closed three times.
    check(
        "DELETE FROM journal WHERE subject_kind = 5 AND sequence = 2",
        &[("entry_gap", "sequence")],
    )
    .await;
}

/// Columns beside the bytes, on an entry about a shipment and on one about the installation.
#[tokio::test]
async fn a_changed_column_beside_an_entry_is_found() {
    for (column, value) in [
        ("kind", "kind + 1"),
        ("recorded_at", "recorded_at - 1"),
        ("id", "subject_id"),
    ] {
        check(
            &format!("UPDATE journal SET {column} = {value} WHERE id = {FIRST}"),
            &[("entry_beside", column)],
        )
        .await;
    }
    check(
        "UPDATE journal SET kind = 60 WHERE subject_kind = 0",
        &[("entry_beside", "kind")],
    )
    .await;
    check(
        &format!("UPDATE journal SET sequence = sequence + 1 WHERE id = {LAST}"),
        &[
            ("entry_beside", "sequence"),
            ("entry_gap", "sequence"),
            ("row_changed", "journal_sequence"),
        ],
    )
    .await;
    // A kind of subject nobody knows hides the entry from every walk; the count tells.
    check(
        "UPDATE journal SET subject_kind = 9 WHERE subject_kind = 5 AND sequence = 4",
        &[("entry_out_of_place", "count")],
    )
    .await;
    check(
        "UPDATE journal SET sequence = NULL WHERE subject_kind = 5 AND sequence = 4",
        &[("entry_out_of_place", "sequence"), ("entry_beside", "sequence")],
    )
    .await;
}

#[tokio::test]
async fn a_moved_document_is_found() {
    check(
        &format!(
            "UPDATE shipment_item SET dossier_id = (SELECT id FROM dossier WHERE is_duplicate = 1) WHERE id = {ITEM}"
        ),
        &[("item_changed", "dossier_id")],
    )
    .await;
    check(
        &format!(
            "UPDATE shipment_item SET shipment_id = (SELECT id FROM shipment WHERE state = 'cancelled' LIMIT 1) \
             WHERE id = {ITEM}"
        ),
        &[("item_missing", "item"), ("item_unwritten", "item")],
    )
    .await;
    check(
        &format!("UPDATE shipment_item SET live = NULL WHERE id = {ITEM}"),
        &[("item_changed", "live")],
    )
    .await;
    check(
        &format!("DELETE FROM shipment_item WHERE id = {ITEM}"),
        &[("item_missing", "item")],
    )
    .await;
}

/// An entry added by copying one: its bytes tell that it stands in another's place.
#[tokio::test]
async fn an_added_entry_is_found() {
    check(
        &format!(
            "INSERT INTO journal (id, subject_kind, subject_id, sequence, kind, recorded_at, bytes) \
             SELECT subject_id, subject_kind, subject_id, sequence + 1, kind, recorded_at, bytes FROM journal \
             WHERE id = {LAST}"
        ),
        &[
            ("entry_beside", "id"),
            ("entry_beside", "sequence"),
            ("entry_twice", "fact_id"),
            ("row_changed", "journal_sequence"),
        ],
    )
    .await;
    // A shipment that nobody registered.
    check(
        &format!(
            "INSERT INTO shipment (id, short_number, account_id, reference, record_id, revision, receiving_office_id, \
             deciding_office_id, sending_office_id, return_office_id, journal_sequence, state, contested, partial, attempts, \
             visits, custody, without_handover, closed, created_at, updated_at) \
             SELECT account_id, 'X', account_id, 'X', record_id, 1, receiving_office_id, deciding_office_id, \
             sending_office_id, return_office_id, 0, 'queued', 0, 0, 0, 0, 'awaited', 0, 0, 5, 5 FROM shipment \
             WHERE id = {DELIVERED}"
        ),
        &[("row_unwritten", "registered")],
    )
    .await;
}
