//! Room `simulator`: sending callbacks, in batches, over real HTTP.
//!
//! In: announcements that are due. Out: `POST {data, sendDate, signature}` to the receiver, ledger lines, batches to
//! send again. Deliberately not here: which callbacks are lost, late or doubled (`agenda`).

use super::Shared;
use super::dice::Dice;
use super::faults::Fault;
use super::ledger::{CallbackLine, Entry};
use super::order::{Spelling, stamp};
use super::state::{Announcement, Batch, State};
use crate::domain::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Records in one batch at most.
const BATCH_RECORDS_MAX: i64 = 20;
/// Batches on their way at one time.
const SENDING_MAX: usize = 4;

/// Sends everything and comes back when each batch was answered or given up for now.
pub(super) async fn send_all(shared: &Arc<Shared>, announcements: Vec<Announcement>, again: Vec<Batch>) {
    let Some((client, url)) = shared.webhook.clone() else {
        return;
    };
    let now = shared.clock.now();
    let mut batches = again;
    batches.extend(shared.state().batches(announcements, now));
    let mut waiting = batches.into_iter();
    let mut sending = JoinSet::new();
    loop {
        while sending.len() < SENDING_MAX {
            let Some(batch) = waiting.next() else {
                break;
            };
            let request = client
                .post(url.clone())
                .header("content-type", "application/json")
                .body(batch.body.clone());
            sending.spawn(async move {
                let answer = request.send().await;
                (batch, answer.is_ok_and(|answer| answer.status().as_u16() == 200))
            });
        }
        match sending.join_next().await {
            None => break,
            Some(Err(_cancelled)) => {}
            Some(Ok((batch, answered))) => shared.state().sent(batch, answered, shared.clock.now()),
        }
    }
}

impl State {
    fn batches(&mut self, announcements: Vec<Announcement>, now: Timestamp) -> Vec<Batch> {
        let mut rest = announcements.into_iter().peekable();
        let mut batches = Vec::new();
        while let Some(first) = rest.peek() {
            let size = Dice::new(self.config.seed, "batch", &first.key, 0).between(1, BATCH_RECORDS_MAX);
            let members: Vec<Announcement> = rest.by_ref().take(usize::try_from(size).unwrap_or(1)).collect();
            batches.push(self.batch(&members, now));
        }
        batches
    }

    fn batch(&mut self, members: &[Announcement], now: Timestamp) -> Batch {
        let mut data = Vec::with_capacity(members.len());
        let mut records = Vec::with_capacity(members.len());
        for member in members {
            let (record, item_code) = self.callback_record(member);
            data.push(record);
            records.push(CallbackLine {
                item_code,
                status: member.status,
            });
        }
        let send_date = stamp(now);
        // The documented text covers the first record only.
        let signed = records.first().map_or_else(String::new, |first| {
            format!("MYVNP{send_date}{}{}", first.item_code, first.status)
        });
        let body = json!({"data": data, "sendDate": send_date, "signature": signature(&signed)});
        Batch {
            body: body.to_string(),
            records,
            attempt: 0,
        }
    }

    fn callback_record(&self, member: &Announcement) -> (Value, String) {
        let odd = self
            .dice(Fault::OddShape.key(), &member.key, 0)
            .hits(self.config.faults.rate(Fault::OddShape));
        let spelling = Spelling {
            odd,
            ..Spelling::default()
        };
        let known = member.order.and_then(|id| self.orders.get(&id));
        if let Some(order) = known {
            let mut record = order.callback_record(member.status, member.reason, spelling);
            if let Some(fields) = record.as_object_mut() {
                fields.insert("senderCode".to_owned(), self.config.customer_code.clone().into());
            }
            return (record, order.keys.item_code.clone());
        }
        let mut dice = self.dice("stray", &member.key, 0);
        let serial = u32::try_from(dice.next() % 100_000_000).unwrap_or(0);
        let item_code = super::item_code::item_code(serial);
        let id = 800_000_000 + dice.next() % 100_000_000;
        let record = json!({
            "itemCode": item_code, "originalId": id.to_string(), "orderHdrId": (id + 1).to_string(),
            "saleOrderCode": format!("KHAC-{serial:08}"), "status": member.status,
            "serviceCode": "ETN011", "totalFee": 25_000, "codAmount": 0, "weight": 100,
        });
        (record, item_code)
    }

    fn sent(&mut self, mut batch: Batch, answered: bool, now: Timestamp) {
        batch.attempt += 1;
        self.count(if answered {
            "callback_batches_answered"
        } else {
            "callback_batches_unanswered"
        });
        self.ledger.append(&Entry::Callback {
            at: now.as_ms(),
            records: batch.records.clone(),
            attempt: batch.attempt,
            answered,
        });
        if !answered {
            self.send_again(batch, now);
        }
    }
}

/// 256 bytes that look like an RSA block and, like the documented "signature", authenticate nothing.
fn signature(signed: &str) -> String {
    let mut block = Vec::with_capacity(256);
    for part in 0_u8..8 {
        let mut hash = Sha256::new();
        hash.update([part]);
        hash.update(signed.as_bytes());
        block.extend_from_slice(&hash.finalize());
    }
    STANDARD.encode(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_as_long_as_a_2048_bit_block_and_repeats() {
        let one = signature("MYVNP23/11/2026 09:30:00EB123456785VN14");
        assert_eq!(STANDARD.decode(&one).unwrap().len(), 256);
        assert_eq!(one, signature("MYVNP23/11/2026 09:30:00EB123456785VN14"));
        assert_ne!(one, signature("MYVNP23/11/2026 09:30:00EB123456785VN15"));
    }
}
