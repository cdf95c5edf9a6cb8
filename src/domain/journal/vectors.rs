//! Room `domain`: a known vector for every kind of entry. They were written by another program, from FORMAT.md alone.
//!
//! In: an entry of each kind with the fields that its kind has. Out: red when a single byte of any is another than it was.
//! Deliberately not here: new vectors in the place of old ones; stored bytes are final.

use super::{Actor, ActorKind, Entry, Fields, Kind, Subject, SubjectKind, Tag};
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

/// Kind, its number, fields, and the bytes of the fields with their count before them.
type Vector = (Kind, &'static str, Fields, &'static str);

fn shipments() -> Vec<Vector> {
    vec![
        (
            Kind::ShipmentRegistered,
            "0001",
            Fields::new()
                .int(Tag::Revision, 1)
                .bytes(Tag::Items, &[16; 32])
                .bytes(Tag::ReceivingOffice, &[17; 16])
                .bytes(Tag::DecidingOffice, &[18; 16])
                .bytes(Tag::SendingOffice, &[19; 16])
                .bytes(Tag::ReturnToOffice, &[20; 16])
                .bytes(Tag::Account, &[21; 16])
                .bytes(Tag::Source, &[33; 16])
                .bytes(Tag::Record, &[38; 16]),
            "000900090100080000000000000001001002002010101010101010101010101010101010101010101010101010101010\
                 101010100011020010111111111111111111111111111111110012020010121212121212121212121212121212120013\
                 020010131313131313131313131313131313130014020010141414141414141414141414141414140015020010151515\
                 151515151515151515151515150021020010212121212121212121212121212121210026020010262626262626262626\
                 26262626262626",
        ),
        (
            Kind::ShipmentRevised,
            "0002",
            Fields::new().int(Tag::Revision, 2),
            "000100090100080000000000000002",
        ),
    ]
}

fn facts() -> Vec<Vector> {
    vec![
        (
            Kind::DeliveryFact,
            "0003",
            Fields::new()
                .bytes(Tag::FactId, &[1; 32])
                .int(Tag::FactKind, 11)
                .ascii(Tag::Code, "14")
                .int(Tag::Partial, 0)
                .int(Tag::Status, 100),
            "000500010200200101010101010101010101010101010101010101010101010101010101010101000201000800000000\
                 0000000b000303000231340004010008000000000000000000190100080000000000000064",
        ),
        (
            Kind::DeliveryFact,
            "0003",
            Fields::new()
                .bytes(Tag::FactId, &[1; 32])
                .int(Tag::FactKind, 3)
                .ascii(Tag::Code, "")
                .bytes(Tag::Attempt, &[6; 16])
                .ascii(Tag::Outcome, "unknown"),
            "000500010200200101010101010101010101010101010101010101010101010101010101010101000201000800000000\
                 0000000300030300000006020010060606060606060606060606060606060008030007756e6b6e6f776e",
        ),
        (
            Kind::DeliveryFact,
            "0003",
            Fields::new()
                .bytes(Tag::FactId, &[1; 32])
                .int(Tag::FactKind, 12)
                .ascii(Tag::Code, "")
                .bytes(Tag::Overrides, &[10; 64])
                .bytes(Tag::Decision, &[11; 16])
                .int(Tag::Status, 101),
            "000600010200200101010101010101010101010101010101010101010101010101010101010101000201000800000000\
                 0000000c0003030000000a0200400a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\
                 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a000b0200100b0b0b0b0b0b0b0b0b0b0b0b0b\
                 0b0b0b00190100080000000000000065",
        ),
        (
            Kind::CustodyFact,
            "0004",
            Fields::new()
                .bytes(Tag::FactId, &[1; 32])
                .int(Tag::FactKind, 5)
                .bytes(Tag::Item, &[13; 16])
                .bytes(Tag::Handover, &[22; 16]),
            "000400010200200101010101010101010101010101010101010101010101010101010101010101000201000800000000\
                 00000005000d0200100d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d001602001016161616161616161616161616161616",
        ),
    ]
}

fn decisions() -> Vec<Vector> {
    vec![
        (
            Kind::DecisionProposed,
            "0005",
            Fields::new()
                .bytes(Tag::Decision, &[11; 16])
                .ascii(Tag::Word, "delivered"),
            "0002000b0200100b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b002703000964656c697665726564",
        ),
        (
            Kind::DecisionApproved,
            "0006",
            Fields::new().bytes(Tag::Decision, &[11; 16]),
            "0001000b0200100b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
        ),
        (
            Kind::DecisionTurnedDown,
            "0007",
            Fields::new().bytes(Tag::Decision, &[11; 16]),
            "0001000b0200100b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
        ),
        (
            Kind::EventQuarantined,
            "0008",
            Fields::new()
                .ascii(Tag::Code, "77")
                .int(Tag::Resolution, 1)
                .bytes(Tag::Evidence, &[23; 32]),
            "000300030300023737000c01000800000000000000010017020020171717171717171717171717171717171717171717\
                 1717171717171717171717",
        ),
        (
            Kind::StopWanted,
            "0009",
            Fields::new().ascii(Tag::Reason, "citizen_asked"),
            "0001000503000d636974697a656e5f61736b6564",
        ),
    ]
}

fn dossiers() -> Vec<Vector> {
    vec![
        (
            Kind::DossierOpened,
            "0014",
            Fields::new().bytes(Tag::Source, &[33; 16]),
            "0001002102001021212121212121212121212121212121",
        ),
        (
            Kind::DossierFact,
            "0015",
            Fields::new()
                .bytes(Tag::FactId, &[1; 32])
                .int(Tag::FactKind, 1)
                .ascii(Tag::StatusRaw, "9")
                .int(Tag::Status, 9)
                .int(Tag::ReturnBy, 1)
                .int(Tag::SubmittedBy, 2)
                .int(Tag::ReceivedAt, 1_767_571_200_000)
                .int(Tag::DueAt, 1_768_000_000_000)
                .int(Tag::FinishedAt, 1_767_900_000_000)
                .int(Tag::DuplicateOf, 0)
                .int(Tag::ReturnedAt, -1),
            "000b00010200200101010101010101010101010101010101010101010101010101010101010101000201000800000000\
                 0000000100180300013900190100080000000000000009001a0100080000000000000001001b01000800000000000000\
                 02001c0100080000019b8b741800001d0100080000019ba5031000001e0100080000019b9f0d2f00001f010008000000\
                 00000000000028010008ffffffffffffffff",
        ),
        (
            Kind::EventDelivered,
            "001e",
            Fields::new()
                .bytes(Tag::Dossier, &[15; 16])
                .bytes(Tag::Endpoint, &[35; 16])
                .int(Tag::Sequence, 7),
            "0003000f0200100f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f00230200102323232323232323232323232323232300240100\
                 080000000000000007",
        ),
        (
            Kind::EventGivenUp,
            "001f",
            Fields::new()
                .int(Tag::AttemptNumber, 12)
                .bytes(Tag::Endpoint, &[35; 16])
                .int(Tag::Sequence, 7),
            "00030007010008000000000000000c002302001023232323232323232323232323232323002401000800000000000000\
                 07",
        ),
        (
            Kind::EventRedriven,
            "0020",
            Fields::new()
                .bytes(Tag::Staff, &[34; 16])
                .bytes(Tag::Endpoint, &[35; 16])
                .int(Tag::Sequence, 7),
            "000300220200102222222222222222222222222222222200230200102323232323232323232323232323232300240100\
                 080000000000000007",
        ),
    ]
}

fn gateway() -> Vec<Vector> {
    vec![
        (
            Kind::HandoverClosed,
            "0028",
            Fields::new().bytes(Tag::Handover, &[22; 16]).int(Tag::Count, 200),
            "0002001602001016161616161616161616161616161616002001000800000000000000c8",
        ),
        (
            Kind::ImportApplied,
            "0029",
            Fields::new()
                .bytes(Tag::Evidence, &[23; 32])
                .int(Tag::Count, 69_140)
                .bytes(Tag::Source, &[33; 16]),
            "000300170200201717171717171717171717171717171717171717171717171717171717171717002001000800000000\
                 00010e14002102001021212121212121212121212121212121",
        ),
        (
            Kind::KeyChanged,
            "0032",
            Fields::new()
                .bytes(Tag::Key, &[37; 16])
                .ascii(Tag::Word, "revoked"),
            "000200250200102525252525252525252525252525252500270300077265766f6b6564",
        ),
        (
            Kind::ConfigurationChanged,
            "0033",
            Fields::new()
                .bytes(Tag::Account, &[21; 16])
                .ascii(Tag::Word, "account"),
            "000200150200101515151515151515151515151515151500270300076163636f756e74",
        ),
    ]
}

fn leaders() -> Vec<Vector> {
    vec![
        (
            Kind::CallbacksRefused,
            "0034",
            Fields::new()
                .bytes(Tag::Account, &[21; 16])
                .int(Tag::Count, 3)
                .ascii(Tag::Word, "wrong_secret"),
            "000300150200101515151515151515151515151515151500200100080000000000000003002703000c77726f6e675f73\
                 6563726574",
        ),
        (
            Kind::BreakerChanged,
            "0035",
            Fields::new()
                .bytes(Tag::Account, &[21; 16])
                .ascii(Tag::Word, "open"),
            "000200150200101515151515151515151515151515151500270300046f70656e",
        ),
        (
            Kind::ReportDrawn,
            "003c",
            Fields::new()
                .bytes(Tag::Evidence, &[23; 32])
                .int(Tag::Count, 64_768)
                .ascii(Tag::Word, "2026-01-01..2026-03-31"),
            "000300170200201717171717171717171717171717171717171717171717171717171717171717002001000800000000\
                 0000fd000027030016323032362d30312d30312e2e323032362d30332d3331",
        ),
        (
            Kind::PersonalDataShown,
            "003d",
            Fields::new()
                .bytes(Tag::Shipment, &[14; 16])
                .bytes(Tag::Staff, &[34; 16])
                .bytes(Tag::Record, &[38; 16]),
            "0003000e0200100e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e00220200102222222222222222222222222222222200260200\
                 1026262626262626262626262626262626",
        ),
        (
            Kind::PersonalDataErased,
            "003e",
            Fields::new().bytes(Tag::Record, &[38; 16]),
            "0001002602001026262626262626262626262626262626",
        ),
    ]
}

fn vectors() -> Vec<Vector> {
    [
        shipments(),
        facts(),
        decisions(),
        dossiers(),
        gateway(),
        leaders(),
    ]
    .concat()
}

/// Every kind and every field has a vector, so that no number can change unseen.
#[test]
fn every_kind_and_every_field_has_a_vector() {
    let kinds: BTreeSet<Kind> = vectors().iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, Kind::ALL.iter().copied().collect());
    let tags: BTreeSet<Tag> = vectors()
        .iter()
        .flat_map(|(_, _, fields, _)| fields.iter().map(|(tag, _)| tag).collect::<Vec<_>>())
        .collect();
    assert_eq!(tags, Tag::ALL.iter().copied().collect());
}

#[test]
fn known_bytes_of_every_kind() {
    for (kind, number, fields, hex) in vectors() {
        let entry = Entry {
            id: [0xa1; 16],
            kind,
            subject: Subject {
                kind: SubjectKind::Office,
                id: [0xa2; 16],
            },
            sequence: 258,
            actor: Actor {
                kind: ActorKind::Operator,
                id: [0xa3; 16],
            },
            office: [0xa4; 16],
            recorded_at: Timestamp::from_ms(1_767_571_200_000),
            occurred_at: None,
            map_version: 3,
            fields,
        };
        let expected = [
            "01",
            number,
            &"a1".repeat(16),
            "05",
            &"a2".repeat(16),
            "0000000000000102",
            "03",
            &"a3".repeat(16),
            &"a4".repeat(16),
            "0000019b8b741800",
            "00",
            "00000003",
            hex,
        ]
        .concat();
        let bytes = entry.to_bytes().unwrap();
        let written: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written.concat(), expected, "{kind:?}");
        assert_eq!(Entry::from_bytes(&bytes), Ok(entry));
    }
}

/// The numbers of subjects and actors (FORMAT.md); the order of the lists is theirs.
#[test]
fn subjects_and_actors_keep_their_numbers() {
    let subjects: Vec<u8> = SubjectKind::ALL.iter().map(|kind| kind.number()).collect();
    assert_eq!(subjects, [0, 1, 2, 3, 4, 5]);
    let actors: Vec<u8> = ActorKind::ALL.iter().map(|kind| kind.number()).collect();
    assert_eq!(actors, [0, 1, 2, 3, 4]);
    assert_eq!(
        (SubjectKind::from_number(2), ActorKind::from_number(4)),
        (Some(SubjectKind::Dossier), Some(ActorKind::Administrator))
    );
}
