//! Room `app`: `hoibao audit`.
//!
//! In: a database. Out: whether its tables are what its journal says, and what differs. It reads one snapshot, so a gateway
//! may go on working meanwhile, and it changes nothing. Deliberately not here: comparing (`stage::audit`).

use super::{Global, print};
use crate::app::{EXIT_FAILURE, block_on, compose, key_file};
use crate::stage::audit::{self, Audit, DifferenceKind, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Rebuilds every shipment, the way of its paper and every dossier from the bytes of the journal alone, and \
    compares them with the tables: what was changed, removed or added by itself is found. A history rewritten as a \
    whole, and the removal of an entry about the installation itself, can only be seen once the journal is sealed.";

/// Check the records against the journal
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  hoibao audit recompute\n  hoibao audit recompute --json > audit.json")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Rebuild everything from the journal's bytes and compare it with the tables
    #[command(after_help = "Examples:\n  \
                  hoibao audit recompute\n  \
                  hoibao audit recompute --json > audit.json\n  \
                  hoibao audit recompute --database sqlite:/backup/hoibao.sqlite\n\n\
                  It reads a snapshot: gateways may go on. It needs about 300 bytes of memory for each shipment.\n\
                  Exit codes: 0 nothing differs, 1 something differs or it broke off.")]
    Recompute {
        /// Answer as one JSON object, without a progress bar
        #[arg(long)]
        json: bool,
    },
}

impl Args {
    /// Audits.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let Action::Recompute { json } = self.action;
        let config = global.start()?;
        let audit = block_on(async {
            let keyring = Arc::new(key_file::load(&config.keys.file)?);
            let store = compose::open(&config, keyring).await?;
            let bar = bar(json);
            let audit = audit::recompute(&store, &|progress: Progress| {
                bar.set_length(progress.total);
                bar.set_position(progress.done);
            })
            .await;
            bar.finish_and_clear();
            store.close().await;
            Ok(audit?)
        })?;
        if json {
            let text = serde_json::to_string_pretty(&audit)?;
            print(|out| writeln!(out, "{text}"))?;
        } else {
            print(|out| show(&audit, out))?;
        }
        Ok(if audit.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(EXIT_FAILURE)
        })
    }
}

/// Shown on a terminal only; it stands on standard error.
fn bar(json: bool) -> ProgressBar {
    if json || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {bar:40} {pos}/{len} ({elapsed}, {eta})");
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_form| ProgressStyle::default_bar()))
}

fn show(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:>9}  bút toán / journal entries", audit.entries)?;
    writeln!(out, "{:>9}  bưu gửi / shipments", audit.shipments)?;
    writeln!(out, "{:>9}  hồ sơ / dossiers", audit.dossiers)?;
    writeln!(out, "{:>9}  sự việc / facts", audit.facts)?;
    writeln!(
        out,
        "{:>9}  giấy tờ trong bưu gửi / documents in shipments",
        audit.items
    )?;
    if audit.is_clean() {
        return writeln!(
            out,
            "\nPASS  các bảng đúng như nhật ký / the tables are what the journal says"
        );
    }
    writeln!(out, "\nFAIL  {} điểm khác / differences", audit.differences)?;
    for kind in DifferenceKind::ALL {
        if let Some(count) = audit.by_kind.get(kind.as_str()) {
            let (vietnamese, english) = kind.meaning();
            writeln!(out, "{count:>9}  {vietnamese} / {english}")?;
        }
    }
    writeln!(out)?;
    for difference in &audit.listed {
        writeln!(
            out,
            "{}  {}  {}: journal {}, table {}",
            difference.kind.as_str(),
            difference.subject,
            difference.place,
            difference.journal,
            difference.table
        )?;
    }
    let listed = u64::try_from(audit.listed.len()).unwrap_or(u64::MAX);
    let more = audit.differences.saturating_sub(listed);
    if more > 0 {
        writeln!(out, "… còn {more} điểm nữa / and {more} more")?;
    }
    Ok(())
}
