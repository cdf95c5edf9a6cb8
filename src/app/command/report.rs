//! Room `app`: `hoibao report`.
//!
//! In: a period, perhaps an office. Out: its figures, for people or as JSON. That it was drawn stands in the journal.
//! Deliberately not here: counting (`stage::report`).

use super::{Global, print};
use crate::app::block_on;
use crate::app::compose::{self, Schema};
use crate::domain::journal::Actor;
use crate::stage::report::{self, Fates, Figures, Period, Report};
use jiff::civil::Date;
use std::io::{self, Write};
use std::process::ExitCode;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Counts what was received, resolved, on time, online and returned by post in a period, and what became of \
    the results by post, in dossiers and in envelopes. Second records, dossiers turned down, withdrawn or stopped, \
    and postal choices taken back do not count; what a dossier system stated last is what holds. The journal notes \
    who drew which figures.";

/// Draw the figures of a period
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao report --from 2026-01-01 --to 2026-03-31\n  \
                  hoibao report --from 2026-03-01 --to 2026-03-31 --office HL01 --json\n\n\
                  Both days belong to the period; days are Vietnam's.")]
pub struct Args {
    /// First day of the period
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Date,
    /// Last day of the period
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Date,
    /// Code of the receiving office; all offices without it
    #[arg(long, value_name = "CODE")]
    office: Option<String>,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Draws the report.
    ///
    /// # Errors
    /// When the period or the office does not exist, or the database cannot be read or written.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let Some(period) = Period::new(self.from, self.to) else {
            anyhow::bail!("the period ends before it begins: --from must not be after --to");
        };
        let config = global.start()?;
        let report = block_on(async {
            let context = compose::context(&config, Schema::UpToDate).await?;
            let office = self.office.as_deref();
            let report = report::draw(&context, Actor::ADMINISTRATOR, period, office).await;
            context.store.clone().close().await;
            Ok(report?)
        })?;
        if self.json {
            let text = serde_json::to_string_pretty(&report)?;
            print(|out| writeln!(out, "{text}"))?;
        } else {
            print(|out| show(&report, out))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// One line of a report: word for machines, Vietnamese, English, the figure.
pub(crate) type Line<T> = (&'static str, &'static str, &'static str, fn(&T) -> u64);

/// The figures that a quarter is told by.
pub(crate) const FIGURES: [Line<Figures>; 7] = [
    ("received", "Tiếp nhận", "received", |figures| {
        figures.received
    }),
    ("received_new", "  tiếp nhận mới", "  new", |figures| {
        figures.received_new
    }),
    (
        "carried_over",
        "  kỳ trước chuyển sang",
        "  carried over",
        |figures| figures.carried_over,
    ),
    (
        "online",
        "  nộp trực tuyến",
        "  submitted online",
        |figures| figures.online,
    ),
    ("resolved", "Đã giải quyết", "resolved", |figures| {
        figures.resolved
    }),
    (
        "on_time",
        "  đúng và trước hạn",
        "  on time or early",
        |figures| figures.on_time,
    ),
    ("by_post", "  trả qua BCCI", "  returned by post", |figures| {
        figures.by_post.all
    }),
];

/// What became of results by post.
pub(crate) const FATES: [Line<Fates>; 6] = [
    (
        "handed_over",
        "đã bàn giao bưu điện",
        "handed over",
        |fates| fates.handed_over,
    ),
    ("delivered", "phát thành công", "delivered", |fates| {
        fates.delivered
    }),
    (
        "collected",
        "trả tại quầy",
        "collected at the counter",
        |fates| fates.collected,
    ),
    ("returned", "chuyển hoàn", "returned to the sender", |fates| {
        fates.returned
    }),
    (
        "held",
        "tạm dừng, chờ người quyết định",
        "held for a person",
        |fates| fates.held,
    ),
    ("open", "chưa đến tay dân", "still open", |fates| fates.open),
];

/// A share in percent with two decimals; nothing of nothing is shown as nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let Some(hundredths) = (part.saturating_mul(10_000).saturating_add(whole / 2)).checked_div(whole) else {
        return String::new();
    };
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// Of what a figure is a share, if of anything.
pub(crate) fn whole_of(word: &str, figures: &Figures) -> Option<u64> {
    match word {
        "online" => Some(figures.received),
        "on_time" | "by_post" => Some(figures.resolved),
        _ => None,
    }
}

fn show(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let figures = &report.figures;
    let office = report.office.as_deref().unwrap_or("tất cả / all");
    writeln!(
        out,
        "Kỳ báo cáo / period {} – {}, đơn vị / office: {office}\n",
        report.from, report.to
    )?;
    for (word, vietnamese, english, figure) in FIGURES {
        let figure = figure(figures);
        let share = whole_of(word, figures).map_or_else(String::new, |whole| percent(figure, whole));
        let words = format!("{vietnamese} / {}", english.trim_start());
        let line = format!("{words:<54} {figure:>9}  {share}");
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(
        out,
        "\n{:<54} {:>9} {:>9}",
        "Kết quả trả qua BCCI / results by post", "hồ sơ", "bì thư"
    )?;
    writeln!(out, "{:<54} {:>9} {:>9}", "", "dossiers", "envelopes")?;
    for (_, vietnamese, english, figure) in FATES {
        let words = format!("  {vietnamese} / {english}");
        let (dossiers, envelopes) = (figure(&figures.by_post), figure(&figures.envelopes));
        writeln!(out, "{words:<54} {dossiers:>9} {envelopes:>9}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The article's own shares (design: 98.74 %, 48.23 %, 11.45 %).
    #[test]
    fn shares_are_rounded_as_the_article_rounds_them() {
        assert_eq!(percent(63_952, 64_768), "98.74 %");
        assert_eq!(percent(33_348, 69_140), "48.23 %");
        assert_eq!(percent(7_414, 64_768), "11.45 %");
        assert_eq!(percent(0, 0), "");
    }
}
