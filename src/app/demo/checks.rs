//! Room `app::demo`: the promises, looked at from outside.
//!
//! In: the notes of the people, the operator's books, the gateway's own doors. Out: one [`Check`] each. Deliberately not
//! here: repairing, and any trust in what the gateway says of itself where somebody else knows better.

use super::client::{Client, text};
use super::error::DemoError;
use super::figures::Figures;
use super::ledger_check::Books;
use super::notes::{Notes, Paper};
use super::outcome::{Check, Fate, Line};
use super::plan::Plan;
use crate::app::command::report::{FATES, FIGURES};
use crate::domain::time::Timestamp;
use crate::simulator::LedgerSale;
use crate::stage::audit::Audit;
use crate::stage::report;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;

/// Questions to the gateway under way at one time.
const PARALLEL: usize = 16;

/// The article's figures beside those of the records.
pub(super) fn lines(article: &Figures, records: &report::Figures) -> Vec<Line> {
    FIGURES
        .iter()
        .filter_map(|(name, vietnamese, english, figure)| {
            let article = u64::from(article.named(name)?);
            let records = figure(records);
            Some(Line {
                name,
                vietnamese,
                english,
                article,
                records,
                equal: article == records,
            })
        })
        .collect()
}

/// What became of the results by post.
pub(super) fn fates(records: &report::Figures) -> Vec<Fate> {
    FATES
        .iter()
        .map(|(name, vietnamese, english, figure)| Fate {
            name,
            vietnamese,
            english,
            dossiers: figure(&records.by_post),
            envelopes: figure(&records.envelopes),
        })
        .collect()
}

/// Each of the article's figures comes out of the records again.
pub(super) fn figures_equal(lines: &[Line]) -> Check {
    let wrong: Vec<String> = lines
        .iter()
        .filter(|line| !line.equal)
        .map(|line| {
            format!(
                "{}: {} in the article, {} in the records",
                line.name, line.article, line.records
            )
        })
        .collect();
    let count = lines.len();
    let words = (
        format!("{count} số liệu của bài báo đếm lại từ bản ghi đều khớp"),
        format!("the article's {count} figures, counted again from the records"),
    );
    Check::new("figures_equal", words, &wrong)
}

/// Everything rebuilt from the journal's bytes is what the tables say.
pub(super) fn folds_recomputed(audit: &Audit) -> Check {
    let wrong: Vec<String> = audit
        .listed
        .iter()
        .map(|difference| {
            format!(
                "{} {} {}: journal {}, table {}",
                difference.subject,
                difference.kind.as_str(),
                difference.place,
                difference.journal,
                difference.table
            )
        })
        .collect();
    let (entries, shipments, dossiers) = (audit.entries, audit.shipments, audit.dossiers);
    let words = (
        format!("tính lại từ {entries} bút toán: {shipments} bưu gửi, {dossiers} hồ sơ đúng như trong bảng"),
        format!(
            "rebuilt from {entries} journal entries: {shipments} shipments, {dossiers} dossiers as in the tables"
        ),
    );
    Check::new("folds_recomputed", words, &wrong)
}

/// Every acknowledged identifier is still known, under the reference it was given.
pub(super) async fn nothing_lost(client: &Client, notes: &Notes, books: &Books) -> Result<Check, DemoError> {
    let questions = books.acknowledged.iter().map(|(id, reference)| async move {
        let source = notes
            .by_id(id)
            .and_then(|place| notes.parcels.get(place))
            .map_or(0, |parcel| parcel.source);
        let answer = client.shipment(source, id).await?;
        let good = answer.status == 200 && text(&answer.body, "reference") == reference;
        Ok::<_, DemoError>(
            (!good).then(|| format!("{id}: {} {}", answer.status, text(&answer.body, "reference"))),
        )
    });
    let answers: Vec<_> = futures_util::stream::iter(questions)
        .buffered(PARALLEL)
        .collect()
        .await;
    let mut wrong = notes.broken.clone();
    for answer in answers {
        wrong.extend(answer?);
    }
    let count = books.acknowledged.len();
    let words = (
        format!("{count} bưu gửi đã xác nhận, không mất bưu gửi nào"),
        format!("{count} acknowledged shipments, none lost"),
    );
    Ok(Check::new("nothing_lost", words, &wrong))
}

/// At most one living order per shipment, none without a shipment, and one for each envelope that was handed over.
pub(super) fn never_twice(notes: &Notes, books: &Books) -> Check {
    let mut wrong: Vec<String> = books
        .doubled
        .iter()
        .map(|code| format!("{code}: two living orders"))
        .collect();
    wrong.extend(
        books
            .strange
            .iter()
            .map(|code| format!("{code}: an order of nobody")),
    );
    if books.shared > 0 {
        wrong.push(format!("{} references were given twice", books.shared));
    }
    for parcel in &notes.parcels {
        let live = books
            .ledger
            .sales
            .get(&parcel.reference)
            .map_or(0, LedgerSale::live);
        if matches!(parcel.paper, Paper::WithPost(_)) && live == 0 {
            wrong.push(format!("{}: handed over and no living order", parcel.reference));
        }
    }
    let (orders, live) = (books.orders, books.live);
    let words = (
        format!("sổ của bưu điện: {orders} đơn, {live} đơn còn hiệu lực, không bưu gửi nào có hai đơn"),
        format!("the operator's own ledger: {orders} orders, {live} alive, never two for one shipment"),
    );
    Check::new("never_twice", words, &wrong)
}

/// When each dossier of the plan's envelopes was in the citizen's hands, by the world and not by the gateway.
fn handed_to_citizens(plan: &Plan, notes: &Notes, books: &Books) -> BTreeMap<usize, Timestamp> {
    let mut hands: BTreeMap<usize, Timestamp> = notes.collected.clone();
    for parcel in &notes.parcels {
        let sale = books.ledger.sales.get(&parcel.reference);
        let orders = sale.into_iter().flat_map(|sale| &sale.orders);
        // 23, delivered in part, is no delivery before a person has judged it.
        let delivered = orders
            .flat_map(|order| &order.statuses)
            .filter(|(status, _)| *status == 14)
            .map(|(_, at)| *at)
            .min();
        let collected = match parcel.paper {
            Paper::Collected(at) => Some(at),
            Paper::Awaited | Paper::AtDesk | Paper::Packed | Paper::WithPost(_) | Paper::Back => None,
        };
        let Some(at) = delivered.into_iter().chain(collected).min() else {
            continue;
        };
        let envelope = plan.envelopes.get(parcel.envelope);
        for place in envelope.into_iter().flat_map(|envelope| &envelope.dossiers) {
            let first = hands.entry(*place).or_insert(at);
            *first = at.min(*first);
        }
    }
    hands
}

/// Status 10 if and only if the citizen has the result, with that date.
pub(super) async fn ten_only_on_proof(
    client: &Client,
    plan: &Plan,
    notes: &Notes,
    books: &Books,
) -> Result<Check, DemoError> {
    let hands = handed_to_citizens(plan, notes, books);
    let looked_at: Vec<usize> = plan
        .dossiers
        .iter()
        .enumerate()
        .filter(|(_, dossier)| dossier.envelope.is_some() || dossier.withdrawn_at.is_some())
        .map(|(place, _)| place)
        .collect();
    let questions = looked_at.iter().filter_map(|place| {
        let dossier = plan.dossiers.get(*place)?;
        let expected = hands.get(place).copied();
        Some(async move {
            let answer = client.dossier(dossier).await?;
            let status = answer
                .get("status")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0);
            let returned_at = Timestamp::parse_rfc3339(text(&answer, "returned_at"));
            let good = (status == 10) == expected.is_some() && returned_at == expected;
            let wrong = || {
                format!(
                    "{}: status {status} at {returned_at:?}, truly {expected:?}",
                    dossier.code
                )
            };
            Ok::<_, DemoError>((!good).then(wrong))
        })
    });
    let answers: Vec<_> = futures_util::stream::iter(questions)
        .buffered(PARALLEL)
        .collect()
        .await;
    let mut wrong = Vec::new();
    for answer in answers {
        wrong.extend(answer?);
    }
    let (count, ten) = (looked_at.len(), hands.len());
    let words = (
        format!(
            "{count} hồ sơ đăng ký trả qua BCCI: trạng thái 10 đúng ở {ten} hồ sơ đã đến tay dân, đúng ngày"
        ),
        format!(
            "{count} dossiers registered for the post: 10 on exactly the {ten} that reached the citizen, same date"
        ),
    );
    Ok(Check::new("ten_only_on_proof", words, &wrong))
}
