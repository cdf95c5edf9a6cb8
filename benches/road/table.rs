//! The table at the end.

use std::io::Write as _;

/// What one phase did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// Operations.
    pub(crate) count: u32,
    /// Seconds of the wall.
    pub(crate) seconds: f64,
    /// CPU microseconds of all processes.
    pub(crate) cpu_us: f64,
    /// Rows written for each operation.
    pub(crate) rows: f64,
}

impl Done {
    fn per_second(self) -> f64 {
        f64::from(self.count) / self.seconds.max(1e-9)
    }
}

/// One line.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was done.
    pub(crate) what: String,
    /// The most the machine could do of it, per second.
    pub(crate) limit: f64,
    /// Share of the limit that is aimed at.
    pub(crate) target: f64,
    /// Share that would be remarkable.
    pub(crate) ambitious: f64,
    /// What was measured.
    pub(crate) done: Done,
}

/// All lines.
#[derive(Debug, Default)]
pub(crate) struct Table {
    limits: Vec<(String, &'static str, f64)>,
    rows: Vec<Row>,
}

impl Table {
    /// Notes a limit of the machine.
    pub(crate) fn limit(&mut self, what: impl Into<String>, unit: &'static str, value: f64) {
        self.limits.push((what.into(), unit, value));
    }

    /// Notes what the road reached.
    pub(crate) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes everything to standard output.
    ///
    /// # Errors
    /// When nobody reads it.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nLimits of this machine, now")?;
        for (what, unit, value) in &self.limits {
            writeln!(out, "{value:>12.0} {unit:<10} {what}")?;
        }
        writeln!(
            out,
            "\n{:<58} {:>9} {:>7} {:>8} {:>7} {:>9} {:>9}",
            "The road", "per s", "ratio", "target", "ambit.", "rows/op", "CPU us/op"
        )?;
        for row in &self.rows {
            let rate = row.done.per_second();
            let ratio = rate / row.limit.max(1e-9);
            let reached = match ratio {
                ratio if ratio >= row.ambitious => "++",
                ratio if ratio >= row.target => "+",
                _ => "-",
            };
            writeln!(
                out,
                "{:<58} {rate:>9.0} {ratio:>7.2} {:>8.2} {:>7.2} {:>9.1} {:>9.0} {reached}",
                row.what,
                row.target,
                row.ambitious,
                row.done.rows,
                row.done.cpu_us / f64::from(row.done.count.max(1)),
            )?;
        }
        writeln!(
            out,
            "\n++ ambitious, + target, - below. Generator of the load, gateway, operator and database share the cores; CPU\n\
             holds all of them. Rates are lower bounds where other work runs beside."
        )?;
        Ok(())
    }
}
