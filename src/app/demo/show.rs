//! Room `app::demo`: the outcome in words, Vietnamese first.
//!
//! In: an [`Outcome`]. Out: text for people. Deliberately not here: judging.

use super::outcome::{Check, Outcome};
use crate::app::command::report::{percent, whole_of};
use std::io::{self, Write};

/// What happened on the way: word, Vietnamese, English.
const HAPPENED: [(&str, &str, &str); 34] = [
    (
        "attempts_unknown",
        "Lệnh gửi không rõ kết quả",
        "calls with an unknown outcome",
    ),
    (
        "doubts_found",
        "… tra ra: bưu điện đã nhận",
        "… found at the operator by look-up",
    ),
    (
        "doubts_absent",
        "… tra hai lần không có, gửi lại cùng mã",
        "… absent twice, sent again under the same reference",
    ),
    ("doubts_open", "… còn chờ xác minh", "… still in doubt"),
    (
        "attempts_not_sent",
        "Lệnh gửi chưa rời hệ thống, gửi lại sau",
        "calls that were not taken, repeated later",
    ),
    (
        "attempts_throttled",
        "… trong đó bưu điện yêu cầu chậm lại (429)",
        "… of them asked to slow down (429)",
    ),
    (
        "attempts_refused",
        "Bưu điện từ chối kèm lý do",
        "orders refused with a reason",
    ),
    (
        "refused_at_the_door",
        "Địa chỉ sai bị từ chối ngay khi đăng ký",
        "addresses refused at registration",
    ),
    (
        "citizens_asked",
        "Đã gọi hỏi công dân",
        "citizens asked about a held shipment",
    ),
    (
        "addresses_corrected",
        "… đã sửa theo lời công dân, gửi tiếp",
        "… corrected as they said, sent on",
    ),
    (
        "citizens_not_reached",
        "… không liên lạc được, còn tạm dừng",
        "… not reached, still held",
    ),
    (
        "doubts_released",
        "Bưu điện không có đơn, cán bộ cho tra lại rồi gửi",
        "unknown to the operator: released by a clerk, looked up once more, sent",
    ),
    (
        "decisions_refused",
        "Quyết định không được nhận vì sự việc đã khác",
        "decisions refused because things had moved on",
    ),
    (
        "registrations_repeated",
        "Yêu cầu đăng ký gửi lặp, trả lời như cũ",
        "registrations sent twice, same answer",
    ),
    (
        "other_content_under_one_key",
        "Nội dung khác dưới cùng khóa, bị từ chối",
        "other content under one key, refused",
    ),
    (
        "wrong_paper_stopped",
        "Quét nhầm giấy vào bì, bị chặn",
        "wrong papers stopped at packing",
    ),
    (
        "refused_by_postman",
        "Bưu tá không nhận bì rách",
        "torn envelopes refused by the postman",
    ),
    (
        "pulled_out_of_lists",
        "Rút khỏi bảng kê",
        "pulled out of hand-over lists",
    ),
    (
        "withdrawn",
        "Công dân rút đăng ký BCCI",
        "postal choices taken back",
    ),
    (
        "envelopes_returned",
        "Chuyển hoàn về bàn",
        "envelopes that came back",
    ),
    ("sent_again", "Gửi lại lần nữa", "envelopes sent once more"),
    (
        "collected_at_the_counter",
        "Trả tại quầy",
        "results given out at the counter",
    ),
    (
        "forged_callbacks_wrong_secret",
        "Callback giả sai bí mật, bị từ chối",
        "forged callbacks with a wrong secret",
    ),
    (
        "forged_callbacks_right_secret",
        "Callback giả đúng địa chỉ, chỉ là gợi ý",
        "forged callbacks taken as hints only",
    ),
    ("garbage_callbacks", "Callback rác", "garbage callbacks"),
    (
        "callbacks_refused",
        "Callback bị từ chối ở cửa",
        "callbacks refused at the door",
    ),
    (
        "events_quarantined",
        "Sự kiện mã lạ, giữ riêng",
        "events quarantined",
    ),
    ("callbacks_taken", "Callback đã nhận", "callbacks taken"),
    (
        "answers_pulled",
        "Câu trả lời đã hỏi bưu điện",
        "answers asked of the operator",
    ),
    ("inbox_unread", "… chưa đọc", "… of both not read yet"),
    (
        "events_delivered",
        "Sự kiện đã gửi hệ thống TTHC",
        "events delivered to dossier systems",
    ),
    ("events_dead", "… bỏ sau nhiều lần thử", "… given up"),
    ("events_waiting", "… còn chờ gửi", "… still waiting"),
    (
        "operator_doubles",
        "Đơn trùng ở bưu điện",
        "double orders at the operator",
    ),
];

/// Writes an outcome for people.
///
/// # Errors
/// As the writer says.
pub(crate) fn show(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\nSố lượng là số thật của Hạ Long, quý I/2022 (tỷ lệ {}); lịch (quý I/2026), người và địa chỉ là giả lập.",
        outcome.scale
    )?;
    writeln!(
        out,
        "Counts are Hạ Long's, first quarter of 2022 (scale {}); the calendar (Q1/2026), people and addresses are invented.",
        outcome.scale
    )?;
    writeln!(out, "seed {}, faults {}\n", outcome.seed, outcome.faults)?;
    figures(outcome, out)?;
    writeln!(
        out,
        "Đã xảy ra và đã giải quyết / what went wrong on the way and how it was settled"
    )?;
    for (word, vietnamese, english) in HAPPENED {
        let count = outcome.happened.get(word).copied().unwrap_or(0);
        if count > 0 {
            writeln!(out, "{count:>9}  {vietnamese} / {english}")?;
        }
    }
    if !outcome.held.is_empty() {
        writeln!(out, "\nTạm dừng, chờ người quyết định / held for a person")?;
        for (reason, count) in &outcome.held {
            writeln!(out, "{count:>9}  {reason}")?;
        }
    }
    writeln!(out)?;
    outcome.checks.iter().try_for_each(|check| one(check, out))
}

/// The article's figures beside those of the records, and what became of the results by post.
fn figures(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<54} {:>9} {:>9}", "", "bài báo", "bản ghi")?;
    writeln!(out, "{:<54} {:>9} {:>9}", "", "article", "records")?;
    for line in &outcome.figures {
        let verdict = if line.equal { "PASS" } else { "FAIL" };
        let words = format!("{} / {}", line.vietnamese, line.english.trim_start());
        let share = whole_of(line.name, &outcome.report).map(|whole| percent(line.records, whole));
        let (article, records) = (line.article, line.records);
        let share = share.unwrap_or_default();
        let line = format!("{words:<54} {article:>9} {records:>9}  {verdict}  {share}");
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(
        out,
        "\n{:<54} {:>9} {:>9}",
        "  trong đó / of them", "hồ sơ", "bì thư"
    )?;
    writeln!(out, "{:<54} {:>9} {:>9}", "", "dossiers", "envelopes")?;
    for fate in &outcome.by_post {
        let words = format!("    {} / {}", fate.vietnamese, fate.english);
        writeln!(out, "{words:<54} {:>9} {:>9}", fate.dossiers, fate.envelopes)?;
    }
    writeln!(out)
}

fn one(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let verdict = if check.passed { "PASS" } else { "FAIL" };
    writeln!(out, "{verdict}  {} / {}", check.vietnamese, check.english)?;
    check
        .wrong
        .iter()
        .try_for_each(|wrong| writeln!(out, "      - {wrong}"))
}
