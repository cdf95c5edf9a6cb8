//! CPU time of this process and of a database server beside it, from `/proc`.
//!
//! In: nothing, or the server's folder. Out: microseconds of user and system time so far. Client and generator of the load
//! share this process, so their part is in the number.

use anyhow::Context as _;
use std::fs;
use std::path::Path;

/// Clock ticks in a second, as Linux has them on every platform this runs on.
const TICKS_PER_SECOND: u64 = 100;

/// Whose time counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Processes {
    server: Option<u32>,
}

/// One line of `/proc/PID/stat`: parent, own ticks, ticks of children that have ended.
#[derive(Clone, Copy, Debug)]
struct Stat {
    parent: u32,
    own: u64,
    ended: u64,
}

fn stat(process: &str) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: number(11)? + number(12)?,
        ended: number(13)? + number(14)?,
    })
}

impl Processes {
    /// This process alone.
    pub(crate) const fn own() -> Self {
        Self { server: None }
    }

    /// This process and the server whose data lie in `folder`.
    ///
    /// # Errors
    /// When the server's process cannot be found.
    pub(crate) fn with_server(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("data/postmaster.pid");
        let text = fs::read_to_string(&file).context("the server's process is not told")?;
        let first = text.lines().next().unwrap_or_default();
        Ok(Self {
            server: Some(first.trim().parse()?),
        })
    }

    /// CPU time so far, microseconds.
    pub(crate) fn cpu_us(self) -> u64 {
        let mut ticks = stat("self").map_or(0, |own| own.own);
        if let Some(server) = self.server {
            ticks += stat(&server.to_string()).map_or(0, |head| head.own + head.ended);
            let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
            ticks += processes
                .filter_map(|entry| stat(entry.file_name().to_str()?))
                .filter(|found| found.parent == server)
                .map(|found| found.own)
                .sum::<u64>();
        }
        ticks * 1_000_000 / TICKS_PER_SECOND
    }
}
