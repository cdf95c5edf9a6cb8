//! Room `app`: how `hoibao decide list` and `show` look, for people in Vietnamese and for scripts as JSON.
//!
//! In: what the stage found. Out: lines. Personal data only where the stage handed them over. Deliberately not here:
//! finding it.

use super::decide_words as words;
use super::print;
use crate::domain::delivery::{AttemptOutcome, DeliveryFact, FactBody};
use crate::domain::time::Timestamp;
use crate::edge::store::queue::QueueState;
use crate::stage::decide::{
    Answer, Decision, FactsSeen, Look, Personal, Question, Said, SaidFact, Statement, Task, Waiting, hex,
};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::process::ExitCode;

/// Digits of a fact or a digest that are shown to people.
const SHORT: usize = 12;

fn short(bytes: &[u8]) -> String {
    hex(bytes).chars().take(SHORT).collect()
}

fn at(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| at.to_rfc3339().into())
}

fn answers(answers: &[Answer]) -> Value {
    answers.iter().map(|answer| answer.as_str()).collect()
}

/// The subcommand's word for an answer.
fn kind(answer: Answer) -> String {
    answer.as_str().replace('_', "-")
}

/// What needs a person, and what waits for a second one.
pub(super) fn list(tasks: &[Task], waiting: &[Waiting], as_json: bool) -> anyhow::Result<ExitCode> {
    print(|out| {
        if as_json {
            let all = json!({
                "tasks": tasks.iter().map(task_json).collect::<Vec<_>>(),
                "proposals": waiting.iter().map(waiting_json).collect::<Vec<_>>(),
            });
            return writeln!(out, "{all}");
        }
        if tasks.is_empty() && waiting.is_empty() {
            return writeln!(out, "Không có việc cần xử lý. (nothing needs a person)");
        }
        for task in tasks {
            task_lines(out, task)?;
        }
        for one in waiting {
            let what = one.answer.map_or("?", words::of_answer);
            writeln!(
                out,
                "{} · {} · {what} · {} · {}",
                one.decision,
                one.short_number,
                one.proposed_by,
                words::clock(one.proposed_at)
            )?;
            writeln!(out, "    -> approve, turn-down")?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn task_lines(out: &mut dyn Write, task: &Task) -> io::Result<()> {
    let due = task
        .promised_at
        .map(|at| format!(" · hẹn trả {}", words::clock(at)));
    writeln!(out, "{} · {}{}", task.name, task.office, due.unwrap_or_default())?;
    for question in &task.questions {
        writeln!(
            out,
            "    {} ({})",
            words::of_question(question),
            question.as_str()
        )?;
    }
    let known = &task.known;
    let parts = [
        known.state.clone(),
        known.custody.clone(),
        known.queue.as_ref().map(|state| format!("queue {state}")),
        known
            .doubted_at
            .map(|at| format!("in doubt since {}", words::clock(at))),
        known
            .handed_over_at
            .map(|at| format!("handed over {}", words::clock(at))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        writeln!(out, "    {}", parts.join(" · "))?;
    }
    if !task.answers.is_empty() {
        let kinds: Vec<String> = task.answers.iter().map(|answer| kind(*answer)).collect();
        writeln!(out, "    -> {}", kinds.join(", "))?;
    }
    Ok(())
}

fn task_json(task: &Task) -> Value {
    let question = |question: &Question| {
        json!({
            "question": question.as_str(),
            "message": words::of_question(question),
            "answers": answers(question.answers()),
        })
    };
    json!({
        "shipment": task.shipment.map(|id| id.to_string()),
        "dossier": task.dossier.map(|id| id.to_string()),
        "name": task.name,
        "office": task.office,
        "questions": task.questions.iter().map(question).collect::<Vec<_>>(),
        "answers": answers(&task.answers),
        "state": task.known.state,
        "custody": task.known.custody,
        "queue": task.known.queue,
        "handed_over_at": at(task.known.handed_over_at),
        "doubted_at": at(task.known.doubted_at),
        "promised_at": at(task.promised_at),
    })
}

fn waiting_json(one: &Waiting) -> Value {
    json!({
        "decision": one.decision.to_string(),
        "shipment": one.shipment.to_string(),
        "short_number": one.short_number,
        "answer": one.answer.map(Answer::as_str),
        "occurred_at": one.occurred_at.to_rfc3339(),
        "overrides": one.overrides,
        "proposed_by": one.proposed_by,
        "proposed_at": one.proposed_at.to_rfc3339(),
    })
}

/// One shipment.
pub(super) fn show(look: &Look, personal: Option<&Personal>, as_json: bool) -> anyhow::Result<ExitCode> {
    print(|out| {
        if as_json {
            return writeln!(out, "{}", look_json(look, personal));
        }
        head(out, look)?;
        if let Some(personal) = personal {
            writeln!(out, "Người nhận: {} · {}", personal.name, personal.phone)?;
            let [commune, province] = &personal.units;
            writeln!(out, "  {} · {commune} · {province}", personal.line)?;
            if let Some(note) = &personal.note {
                writeln!(out, "  {note}")?;
            }
        }
        body(out, look)?;
        for decision in &look.decisions {
            decision_lines(out, decision, personal)?;
        }
        let kinds: Vec<String> = look.possible.iter().map(|answer| kind(*answer)).collect();
        writeln!(out, "Có thể quyết định: {}", kinds.join(", "))?;
        writeln!(out, "Đã xem (--seen): {}", FactsSeen::short(&look.facts_seen))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn head(out: &mut dyn Write, look: &Look) -> io::Result<()> {
    let row = &look.row;
    writeln!(out, "{} · {} · {}", row.short_number, row.reference, row.id)?;
    let state = look.delivery.state;
    writeln!(out, "{} ({})", words::of_state(state), state.as_str())?;
    let place = look.custody.place;
    writeln!(out, "Bản giấy: {} ({})", words::of_place(place), place.as_str())?;
    let mut flags = Vec::new();
    if look.delivery.contested {
        flags.push("Thông tin phát mâu thuẫn (contested)".to_owned());
    }
    if look.delivery.partial {
        flags.push("Phát/hoàn một phần (partial)".to_owned());
    }
    if let Some(why) = &look.delivery.held {
        flags.push(format!("Tạm dừng gửi (held: {why})"));
    }
    if let Some(code) = &row.unknown_code {
        flags.push(format!("Mã chưa rõ nghĩa (unknown code: {code})"));
    }
    if !flags.is_empty() {
        writeln!(out, "{}", flags.join(" · "))?;
    }
    let [receiving, deciding, sending, return_to] = &look.offices;
    writeln!(
        out,
        "Đơn vị: tiếp nhận {receiving} · giải quyết {deciding} · gửi {sending} · nhận hoàn {return_to}"
    )?;
    let number = row.tracking_number.as_deref().unwrap_or("chưa có");
    let queue = look.queue.map_or("-", |state| state.as_str());
    writeln!(
        out,
        "Bưu điện: {} · mã bưu gửi {number} · hàng đợi {queue} · bản {} · {} g",
        look.account, row.revision, look.revision.weight_grams
    )?;
    let codes: Vec<String> = look
        .items
        .iter()
        .map(|item| format!("{} #{}", item.code, item.document_no))
        .collect();
    writeln!(out, "Hồ sơ: {}", codes.join(", "))
}

fn body(out: &mut dyn Write, look: &Look) -> io::Result<()> {
    writeln!(out, "Diễn biến:")?;
    for fact in &look.facts {
        let aside = if fact.set_aside { " · đã bác bỏ" } else { "" };
        writeln!(
            out,
            "  {}  {}  {}  [{}]{aside}",
            words::clock(fact.occurred_at()),
            short(&fact.id().0),
            statement(&fact.statement),
            said(&fact.said)
        )?;
    }
    for attempt in &look.attempts {
        writeln!(
            out,
            "Lần gọi {}: {} · bản {} · {} · {} · {}",
            attempt.number,
            words::clock(attempt.started_at),
            attempt.revision,
            attempt.outcome.map_or("-", |outcome| outcome.as_str()),
            attempt.detail.as_deref().unwrap_or("-"),
            attempt.settled.as_deref().unwrap_or("-"),
        )?;
    }
    for note in &look.evidence {
        writeln!(
            out,
            "Chứng cứ: {} · {} · {}",
            words::clock(note.at),
            note.kind,
            short(&note.digest)
        )?;
    }
    Ok(())
}

fn decision_lines(out: &mut dyn Write, decision: &Decision, personal: Option<&Personal>) -> io::Result<()> {
    let row = &decision.row;
    let what = Answer::parse(&row.kind).map_or("?", words::of_answer);
    let ruled = decision.ruled_by.as_deref().unwrap_or("-");
    writeln!(
        out,
        "Quyết định {}: {what} ({}) · {} · {} / {ruled} · {}",
        row.id,
        row.kind,
        row.state,
        decision.proposed_by,
        words::clock(row.proposed_at)
    )?;
    let reasons = personal
        .map(|personal| personal.reasons.as_slice())
        .unwrap_or_default();
    for (_, reason, ruling) in reasons.iter().filter(|(id, _, _)| *id == row.id) {
        writeln!(out, "  Lý do: {reason}")?;
        if let Some(ruling) = ruling {
            writeln!(out, "  Bác bỏ vì: {ruling}")?;
        }
    }
    Ok(())
}

fn statement(statement: &Statement) -> String {
    match statement {
        Statement::Delivery(fact) => delivery(fact),
        Statement::Custody(fact) => format!("paper {}", fact.act.as_str()),
    }
}

fn delivery(fact: &DeliveryFact) -> String {
    match &fact.body {
        FactBody::Queued => "queued".to_owned(),
        FactBody::AttemptStarted { .. } => "attempt started".to_owned(),
        FactBody::AttemptEnded { outcome, .. } => format!("attempt ended: {}", outcome.as_str()),
        FactBody::FoundAtOperator { .. } => "found at the operator".to_owned(),
        FactBody::AbsentAtOperator { .. } => "absent at the operator".to_owned(),
        FactBody::Held { reason } => format!("held: {reason}"),
        FactBody::Released => "released".to_owned(),
        FactBody::CancelAsked => "cancel asked".to_owned(),
        FactBody::CancelRefused => "cancel refused".to_owned(),
        FactBody::CancelledByUs => "cancelled by us".to_owned(),
        FactBody::Event { kind, partial } => {
            let part = if *partial { ", a part" } else { "" };
            format!("{} (code {}{part})", words::of_kind(*kind), fact.code)
        }
        FactBody::Decided {
            outcome, overrides, ..
        } => {
            let stated = outcome.map(|kind| words::of_kind(kind).to_owned());
            let aside: Vec<String> = overrides.iter().map(|id| short(&id.0)).collect();
            let aside = Some(format!("sets aside {}", aside.join(" "))).filter(|_| !aside.is_empty());
            let parts: Vec<String> = [stated, aside].into_iter().flatten().collect();
            format!("decided {}", parts.join(", "))
        }
    }
}

fn said(said: &Said) -> String {
    match said {
        Said::Stage => "hoibao".to_owned(),
        Said::Staff(login) => format!("cán bộ {login}"),
        Said::Source(code) => format!("hệ thống {code}"),
        Said::Operator(code) => format!("bưu điện {code}"),
        Said::Administrator => "quản trị".to_owned(),
        Said::Unknown => "?".to_owned(),
    }
}

fn said_json(said: &Said) -> Value {
    let (kind, name) = match said {
        Said::Stage => ("stage", None),
        Said::Staff(login) => ("staff", Some(login)),
        Said::Source(code) => ("source", Some(code)),
        Said::Operator(code) => ("operator", Some(code)),
        Said::Administrator => ("administrator", None),
        Said::Unknown => ("unknown", None),
    };
    json!({"kind": kind, "name": name})
}

fn fact_json(fact: &SaidFact) -> Value {
    let about = match &fact.statement {
        Statement::Delivery(_) => "delivery",
        Statement::Custody(_) => "custody",
    };
    json!({
        "id": hex(&fact.id().0),
        "about": about,
        "statement": statement(&fact.statement),
        "occurred_at": fact.occurred_at().to_rfc3339(),
        "recorded_at": at(fact.recorded_at),
        "said_by": said_json(&fact.said),
        "set_aside": fact.set_aside,
    })
}

fn decision_json(decision: &Decision) -> Value {
    let row = &decision.row;
    json!({
        "id": row.id.to_string(),
        "answer": row.kind,
        "state": row.state,
        "outcome": row.outcome,
        "overrides": row.overrides.iter().map(|id| hex(&id.0)).collect::<Vec<_>>(),
        "occurred_at": row.occurred_at.to_rfc3339(),
        "proposed_by": decision.proposed_by,
        "proposed_at": row.proposed_at.to_rfc3339(),
        "ruled_by": decision.ruled_by,
        "ruled_at": at(row.approved_at),
        "needs_second": row.needs_second,
    })
}

fn personal_json(personal: &Personal) -> Value {
    let reason = |(id, reason, ruling): &(_, String, Option<String>)| {
        let id: &crate::domain::id::DecisionId = id;
        json!({"decision": id.to_string(), "reason": reason, "turned_down": ruling})
    };
    json!({
        "name": personal.name,
        "phone": personal.phone,
        "line": personal.line,
        "units": personal.units,
        "note": personal.note,
        "reasons": personal.reasons.iter().map(reason).collect::<Vec<_>>(),
    })
}

fn look_json(look: &Look, personal: Option<&Personal>) -> Value {
    let row = &look.row;
    let attempts: Vec<Value> = look
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "number": attempt.number,
                "revision": attempt.revision,
                "started_at": attempt.started_at.to_rfc3339(),
                "ended_at": at(attempt.ended_at),
                "outcome": attempt.outcome.map(AttemptOutcome::as_str),
                "detail": attempt.detail,
                "settled": attempt.settled,
            })
        })
        .collect();
    let evidence: Vec<Value> = look
        .evidence
        .iter()
        .map(|note| json!({"kind": note.kind, "digest": hex(&note.digest), "at": note.at.to_rfc3339()}))
        .collect();
    let items: Vec<Value> = look
        .items
        .iter()
        .map(|item| json!({"dossier": item.code, "document_no": item.document_no, "live": item.live}))
        .collect();
    json!({
        "id": row.id.to_string(),
        "short_number": row.short_number,
        "reference": row.reference,
        "tracking_number": row.tracking_number,
        "account": look.account,
        "offices": look.offices,
        "state": look.delivery.state.as_str(),
        "contested": look.delivery.contested,
        "partial": look.delivery.partial,
        "held": look.delivery.held,
        "unknown_code": row.unknown_code,
        "custody": look.custody.place.as_str(),
        "closed": look.custody.closed,
        "queue": look.queue.map(QueueState::as_str),
        "revision": row.revision,
        "weight_grams": look.revision.weight_grams,
        "items": items,
        "facts": look.facts.iter().map(fact_json).collect::<Vec<_>>(),
        "attempts": attempts,
        "evidence": evidence,
        "decisions": look.decisions.iter().map(decision_json).collect::<Vec<_>>(),
        "possible": answers(&look.possible),
        "facts_seen": hex(&look.facts_seen),
        "personal": personal.map(personal_json),
    })
}
