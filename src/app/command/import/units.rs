//! Room `app`, command `import units`.
//!
//! In: nothing, for the sets that come with the program, or a file of one set. Out: what was written. Deliberately not
//! here: which units there are (`stage::import`).

use super::super::{Global, print};
use super::read_file;
use crate::app::block_on;
use crate::app::compose::{self, Schema};
use crate::stage::import::units::{self, UNITS_BYTES_MAX};
use anyhow::Context as _;
use jiff::civil::Date;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Loads the national lists of provinces and communes, against which every address is checked. Without a file: the \
    sets that come with the program, vn-2025-07 and vn-2026-04. A file holds one whole set in UTF-8 CSV with the columns \
    province_code, province_name, commune_code, commune_name, type. Units that a file no longer has are kept, because \
    addresses name them. Loading the same again changes nothing.";

/// The end of `--help`.
pub(super) const AFTER: &str = "Examples:\n  \
    hoibao import units\n  \
    hoibao import units new.csv --set vn-2027-01 --valid-from 2027-01-01 --dry-run";

/// Load administrative units
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// CSV file of one set; without it, the sets that come with the program
    #[arg(requires = "set", requires = "valid_from")]
    file: Option<PathBuf>,
    /// Name of the file's set, such as vn-2026-04
    #[arg(long, value_name = "NAME", requires = "file")]
    set: Option<String>,
    /// First day on which the file's set is in force, such as 2026-04-30
    #[arg(long, value_name = "DAY", requires = "file")]
    valid_from: Option<Date>,
    /// Only tell what would change
    #[arg(long)]
    dry_run: bool,
    /// Answer as JSON, one object per set
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        let sets = match (&self.file, &self.set, self.valid_from) {
            (Some(file), Some(set), Some(valid_from)) => {
                let bytes = read_file(file, UNITS_BYTES_MAX)?;
                let read = units::read(&bytes, set, valid_from);
                vec![read.with_context(|| format!("{}: nothing was changed", file.display()))?]
            }
            _ => units::built_in()?,
        };
        let loaded = block_on(async {
            let context = compose::context(&config, Schema::UpToDate).await?;
            let loaded = units::load(&context, &sets, self.dry_run).await;
            loaded.context("loading broke off; load again to make it whole")
        })?;
        print(|out| {
            for set in &loaded {
                if self.json {
                    let line = json!({
                        "set": set.name, "units": set.units, "written": set.written, "kept": set.kept,
                        "dry_run": self.dry_run,
                    });
                    writeln!(out, "{line}")?;
                    continue;
                }
                writeln!(
                    out,
                    "{}: {} đơn vị / units · {} {} · {} chỉ có trong cơ sở dữ liệu, giữ nguyên / only in the database, kept",
                    set.name,
                    set.units,
                    set.written,
                    if self.dry_run {
                        "sẽ ghi / would be written"
                    } else {
                        "đã ghi / written"
                    },
                    set.kept
                )?;
            }
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
