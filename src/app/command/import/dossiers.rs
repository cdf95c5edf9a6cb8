//! Room `app`, command `import dossiers`.
//!
//! In: a file, a system, how wrong rows are dealt with. Out: each refused row by line, column and reason, a sum, and an
//! exit code; the same as JSON, and as a CSV file. Deliberately not here: what the rows mean (`stage::import`).

use super::super::{Global, print};
use super::{read_file, words};
use crate::app::compose::{self, Schema};
use crate::app::{EXIT_FAILURE, block_on};
use crate::domain::journal::Actor;
use crate::stage::import::dossiers::{
    self, Column, FILE_BYTES_MAX, FileError, ImportError, Mode, Outcome, ROWS_MAX, Request, Rule, Step,
};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Brings in dossiers of one system by the same checks as the JSON API. Every row is one statement about one \
    dossier: what its system says of it, and since when. The whole file is checked before anything is written; good rows \
    are then switched in a few at a time, so that callbacks never wait.\n\n\
    Importing the same file again changes nothing. A run that was cut off is settled by the next start of the same file: \
    one of which nothing stood yet is taken back, one that stood in part is finished first.";

/// Refused rows shown to people; a report file has all of them.
const SHOWN_MAX: usize = 50;

/// Bring in dossiers of one system
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// CSV file (UTF-8; comma, semicolon or tab) or workbook (.xlsx), known by its content
    file: PathBuf,
    /// Code of the dossier system whose dossiers these are
    #[arg(long, value_name = "CODE")]
    source: String,
    /// One refused row refuses the file: nothing is changed
    #[arg(long)]
    all_or_nothing: bool,
    /// Only check; nothing is changed
    #[arg(long, conflicts_with = "all_or_nothing")]
    dry_run: bool,
    /// Write refused rows into this CSV file: line, column, code, text, text in English
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Answer as one JSON object, without progress
    #[arg(long)]
    json: bool,
}

/// The columns, as the end of `--help`.
pub(super) fn columns_help() -> String {
    let columns = Column::ALL.iter().map(|column| {
        let must = match column.rule() {
            Rule::Always => "always",
            Rule::WithAddressee => "with an addressee",
            Rule::Optional => "optional",
        };
        format!("  {:<20} {:<28} {must}\n", column.name(), column.name_vi())
    });
    let columns: String = columns.collect();
    format!(
        "Columns, by heading; accents, case, blanks and the order do not matter:\n\n{columns}\n\
         Times: dd/MM/yyyy HH:mm, dd/MM/yyyy, ISO 8601, or dates of the workbook, all on Vietnam's clock; a due day lasts to \
         its end.\n\
         return_by: counter, post, online (Trực tiếp, Bưu chính, Trực tuyến). submitted_by: direct, online, post (Trực tiếp, \
         Trực tuyến, Bưu chính).\n\
         status: the system's own code or wording. duplicate: 1 or 0, có or không. An addressee is given for a return by post \
         only; addressee_commune and addressee_province are national codes of the set in unit_set, such as vn-2026-04.\n\
         At most {} MiB and {ROWS_MAX} rows. Sample: fixtures/dossiers/sample.csv.\n\n\
         Examples:\n  \
         hoibao import dossiers 2026-11-24.csv --source qni --dry-run\n  \
         hoibao import dossiers 2026-11-24.xlsx --source qni --all-or-nothing\n  \
         hoibao import dossiers 2026-11-24.csv --source qni --report refused.csv\n\n\
         Exit codes: 0 every row stands, 1 a row or the file was refused, or it failed.",
        FILE_BYTES_MAX >> 20
    )
}

impl Args {
    fn mode(&self) -> Mode {
        if self.dry_run {
            Mode::DryRun
        } else if self.all_or_nothing {
            Mode::AllOrNothing
        } else {
            Mode::GoodRows
        }
    }

    pub(super) fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        let file = read_file(&self.file, FILE_BYTES_MAX)?;
        // Before anything is changed: a report that cannot be written is no surprise at the end.
        let report = match &self.report {
            None => None,
            Some(path) => {
                let made = File::create(path);
                Some(made.with_context(|| format!("the report {} cannot be made", path.display()))?)
            }
        };
        let mode = self.mode();
        let progress = Progress::new(self.json);
        let done = block_on(async {
            let context = compose::context(&config, Schema::UpToDate).await?;
            let request = Request {
                file: &file,
                source: &self.source,
                actor: Actor::ADMINISTRATOR,
                mode,
            };
            let watch = |step, done, total| progress.at(step, done, total);
            Ok(dossiers::run(&context, request, &watch).await)
        })?;
        progress.end();
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(ImportError::File(error)) => {
                self.file_refused(&error)?;
                return Ok(ExitCode::from(EXIT_FAILURE));
            }
            Err(ImportError::NoSource) => anyhow::bail!(
                "there is no dossier system {}; `hoibao import setup` makes one",
                self.source
            ),
            Err(error @ ImportError::Run(_)) => {
                return Err(anyhow::Error::from(error)
                    .context("the import broke off; start it again with the same file to finish it"));
            }
        };
        if let Some(report) = report {
            write_report(report, &outcome).context("the report could not be written")?;
        }
        if self.json {
            let text = serde_json::to_string(&as_json(&outcome, mode))?;
            print(|out| writeln!(out, "{text}"))?;
        } else {
            print(|out| show(out, &outcome, mode))?;
        }
        Ok(if outcome.refused.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(EXIT_FAILURE)
        })
    }

    fn file_refused(&self, error: &FileError) -> anyhow::Result<()> {
        let said = words::of_file(error);
        if self.json {
            let text = serde_json::to_string(&json!({"file_refused": said}))?;
            return print(|out| writeln!(out, "{text}"));
        }
        print(|out| {
            writeln!(
                out,
                "Tệp bị từ chối, chưa có gì thay đổi. / The file was refused, nothing was changed."
            )?;
            said.iter().try_for_each(|line| writeln!(out, "  {line}"))
        })
    }
}

/// Line, column, code, Vietnamese, English of every fault.
fn faults(outcome: &Outcome) -> impl Iterator<Item = (u32, Option<Column>, &'static str, words::Said)> {
    outcome.refused.iter().flat_map(|refusal| {
        refusal.faults.iter().map(|fault| {
            (
                refusal.line,
                fault.column,
                fault.code.as_str(),
                words::of_row(fault.code),
            )
        })
    })
}

fn write_report(file: File, outcome: &Outcome) -> anyhow::Result<()> {
    // With a mark, so that spreadsheets read it as UTF-8.
    let mut file = io::BufWriter::new(file);
    file.write_all("\u{feff}".as_bytes())?;
    let mut report = csv::Writer::from_writer(file);
    report.write_record(["line", "column", "code", "text", "text_en"])?;
    for (line, column, code, (en, vi)) in faults(outcome) {
        let column = column.map_or("", Column::name);
        report.write_record([&line.to_string(), column, code, vi, en])?;
    }
    report.flush()?;
    Ok(())
}

fn as_json(outcome: &Outcome, mode: Mode) -> Value {
    let refused: Vec<Value> = faults(outcome)
        .map(|(line, column, code, (en, vi))| {
            json!({
                "line": line, "column": column.map(Column::name), "code": code, "text": vi, "text_en": en,
            })
        })
        .collect();
    let warnings: serde_json::Map<String, Value> = outcome
        .warnings
        .iter()
        .map(|(warning, count)| (warning.as_str().to_owned(), json!(count)))
        .collect();
    json!({
        "mode": match mode {
            Mode::GoodRows => "good_rows",
            Mode::AllOrNothing => "all_or_nothing",
            Mode::DryRun => "dry_run",
        },
        "rows": outcome.rows,
        "rows_refused": outcome.refused.len(),
        "rows_applied": outcome.applied,
        "opened": outcome.opened,
        "changed": outcome.changed,
        "refused": refused,
        "warnings": warnings,
        "resumed": outcome.resumed,
        "taken_back": outcome.taken_back,
        "unfinished": outcome.unfinished,
    })
}

fn show(out: &mut dyn Write, outcome: &Outcome, mode: Mode) -> io::Result<()> {
    for (line, column, code, (en, vi)) in faults(outcome).take(SHOWN_MAX) {
        let (place, place_en) = column.map_or_else(
            || (format!("Dòng {line}"), format!("line {line}")),
            |column| {
                (
                    format!("Dòng {line}, cột {}", column.name_vi()),
                    format!("line {line}, column {}", column.name()),
                )
            },
        );
        writeln!(out, "{place}: {vi}\n    {place_en}: {en} [{code}]")?;
    }
    let hidden = faults(outcome).count().saturating_sub(SHOWN_MAX);
    if hidden > 0 {
        writeln!(
            out,
            "… còn {hidden} lỗi; --report ghi đủ. / {hidden} more; --report writes all."
        )?;
    }
    for (warning, count) in &outcome.warnings {
        writeln!(out, "Lưu ý / to be looked at: {} × {count}", warning.as_str())?;
    }
    if outcome.taken_back {
        writeln!(
            out,
            "Lần nhập trước của tệp này bị ngắt khi chưa ghi gì: đã hủy. / An earlier run of this file was cut off before \
             anything stood: taken back."
        )?;
    }
    if let Some(rows) = outcome.resumed {
        writeln!(
            out,
            "Lần nhập trước của tệp này bị ngắt giữa chừng: đã ghi nốt {rows} dòng. / An earlier run of this file was cut off \
             half-way: its last {rows} rows were switched in."
        )?;
    }
    if outcome.unfinished > 0 {
        writeln!(
            out,
            "{0} tệp khác của hệ thống này đang nhập dở: hãy nhập lại. / {0} other files of this system are unfinished: import \
             them again.",
            outcome.unfinished
        )?;
    }
    let refused = outcome.refused.len();
    writeln!(
        out,
        "Dòng / rows: {} · từ chối / refused: {refused} · đã vào / in: {} (mới / new: {}, thay đổi / changed: {})",
        outcome.rows, outcome.applied, outcome.opened, outcome.changed
    )?;
    match mode {
        Mode::DryRun => writeln!(
            out,
            "Chỉ kiểm tra, chưa có gì thay đổi. / Only checked, nothing was changed."
        ),
        Mode::AllOrNothing if refused > 0 && outcome.applied == 0 => {
            writeln!(
                out,
                "Cả tệp bị từ chối, chưa có gì thay đổi. / The whole file was refused, nothing was changed."
            )
        }
        Mode::AllOrNothing | Mode::GoodRows => Ok(()),
    }
}

/// A bar on a terminal, lines elsewhere, nothing beside JSON.
struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    /// Tenths of the present step that were told.
    told: AtomicUsize,
}

impl Progress {
    fn new(json: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let bar = (terminal && !json).then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{msg:32} {bar:40} {pos:>7}/{len}");
            bar.set_style(style.unwrap_or_else(|_form| ProgressStyle::default_bar()));
            bar
        });
        Self {
            bar,
            lines: !terminal && !json,
            told: AtomicUsize::new(usize::MAX),
        }
    }

    fn at(&self, step: Step, done: usize, total: usize) {
        let (word, number) = match step {
            Step::Checking => ("Kiểm tra / checking", 0),
            Step::Staging => ("Chuẩn bị / staging", 1),
            Step::Switching => ("Ghi vào / switching in", 2),
            Step::Resuming => ("Ghi nốt / resuming", 3),
        };
        if let Some(bar) = &self.bar {
            bar.set_message(word);
            bar.set_length(u64::try_from(total.max(done)).unwrap_or(u64::MAX));
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        } else if self.lines {
            let tenth = done.saturating_mul(10).checked_div(total).unwrap_or(0);
            if self.told.swap(number * 100 + tenth, Ordering::Relaxed) != number * 100 + tenth {
                // A watcher who went away must not stop the import.
                drop(writeln!(io::stderr().lock(), "{word}: {done}/{total}"));
            }
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
