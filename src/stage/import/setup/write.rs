//! Room `stage`, import: writes what a set-up file changes.
//!
//! In: a plan. Out: its rows, each with an entry "configuration changed", in the caller's transaction. Deliberately not
//! here: what differs (`plan`).

use super::plan::{Plan, Row};
use crate::domain::journal::{Actor, Fields, Kind, Tag, clean_code};
use crate::edge::store::account::put_account;
use crate::edge::store::record::Hand;
use crate::edge::store::reference::{Office, put_office, put_procedure, put_role, put_staff};
use crate::edge::store::source::put_source;
use crate::edge::store::{StoreError, Tx};
use crate::stage::context::Context;

/// Writes every row of a plan.
pub(super) async fn write(context: &Context, tx: &mut Tx, plan: &Plan) -> Result<(), StoreError> {
    let hand = Hand {
        ids: &*context.ids,
        now: context.clock.now(),
        actor: Actor::ADMINISTRATOR,
        office: [0; 16],
    };
    for (change, row) in &plan.rows {
        let fields = Fields::new().ascii(Tag::Word, change.thing.as_str());
        let fields = match row {
            Row::Account(row) => {
                put_account(tx, row).await?;
                fields.bytes(Tag::Account, row.id.as_bytes())
            }
            Row::Office(row) => {
                // Its successor may be written after it.
                let alone = Office {
                    successor: None,
                    ..row.clone()
                };
                put_office(tx, &alone).await?;
                fields.bytes(Tag::SendingOffice, row.id.as_bytes())
            }
            Row::Procedure(row) => {
                put_procedure(tx, row).await?;
                fields.ascii(Tag::Code, &clean_code(&row.code))
            }
            Row::Source(row) => {
                put_source(tx, row, hand.now).await?;
                fields.bytes(Tag::Source, row.id.as_bytes())
            }
            Row::Staff(row, roles) => {
                put_staff(tx, row).await?;
                for role in roles {
                    put_role(tx, row.id, role).await?;
                }
                fields.bytes(Tag::Staff, row.id.as_bytes())
            }
        };
        hand.append_system(tx, Kind::ConfigurationChanged, fields).await?;
    }
    for (_, row) in &plan.rows {
        if let Row::Office(row) = row
            && row.successor.is_some()
        {
            put_office(tx, row).await?;
        }
    }
    Ok(())
}
