//! Room `app`, command `simulator`: a stand-in postal operator that runs by itself.
//!
//! In: options. Out: MyVNPost's wire on a loopback port until a signal, callbacks, a ledger file, and at the end how
//! often each thing happened. Deliberately not here: what the operator does (`simulator`).

use super::{Global, print};
use crate::app::demo::FaultPreset;
use crate::app::ports::SystemClock;
use crate::app::{block_on, lifecycle};
use crate::domain::time::{Clock, Timestamp};
use crate::simulator::{
    DuplicatePolicy, Faults, Pace, PathPrefix, ScaledClock, Simulator, SimulatorConfig, WebhookTarget,
};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const HOUR_MS: i64 = 3_600_000;

/// What the operator does with a reference that it already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Duplicates {
    /// Refuses it while an order under it is alive
    Refuse,
    /// Takes a second parcel: the danger a gateway must assume
    SecondOrder,
}

/// What the first page of help does not say.
pub const LONG_ABOUT: &str = "A stand-in for the postal operator MyVNPost, on its true wire, with faults by option and by seed. Parcels \
                  that nobody hands over are handed over by themselves, because nobody else will. For trying a gateway \
                  without an operator; never for production.";

/// Options of `simulator`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao simulator --listen 127.0.0.1:9090 --ledger /tmp/operator.jsonl --speed 600 --faults wild\n  \
                  HOIBAO_SIMULATOR_WEBHOOK=http://127.0.0.1:8080/callback/ACCOUNT/SECRET hoibao simulator --speed 60\n\n\
                  A gateway logs in with --username and --password (\"demo\" both, if not given) for the customer --customer.")]
pub struct Args {
    /// Address and port; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// The operator's own append-only record, JSON lines; must be absent or empty.
    #[arg(long, value_name = "FILE", default_value = "operator-ledger.jsonl")]
    ledger: PathBuf,
    /// Where callbacks are sent; none if not given. May hold a secret path, so it is never printed.
    #[arg(
        long,
        value_name = "URL",
        env = "HOIBAO_SIMULATOR_WEBHOOK",
        hide_env_values = true
    )]
    webhook: Option<String>,
    /// The same seed and the same calls give the same faults, codes and journeys.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How badly it behaves.
    #[arg(long, value_enum, default_value = "mild")]
    faults: FaultPreset,
    /// Single rates over the preset, per mille, such as `lost_answer=50,late_accept=10`.
    #[arg(long, value_name = "RATES", default_value = "")]
    fault_rates: String,
    /// Simulated milliseconds per real one; 1 is real time.
    #[arg(long, default_value_t = 60)]
    speed: u32,
    /// Simulated start, RFC 3339; now if not given.
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// User name it accepts.
    #[arg(long, default_value = "demo")]
    username: String,
    /// Password it accepts.
    #[arg(
        long,
        env = "HOIBAO_SIMULATOR_PASSWORD",
        hide_env_values = true,
        default_value = "demo",
        hide_default_value = true
    )]
    password: String,
    /// The customer's code.
    #[arg(long, default_value = "C000000001")]
    customer: String,
    /// What becomes of a second order under one reference.
    #[arg(long, value_enum, default_value = "second-order")]
    duplicates: Duplicates,
    /// Simulated hours after which an order that nobody handed over is handed over by itself.
    #[arg(long, value_name = "HOURS", default_value_t = 4)]
    hand_over_after: i64,
}

impl Args {
    /// Runs until a signal.
    ///
    /// # Errors
    /// When an option cannot be used, the address is taken, or the ledger could not be written.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        global.start()?;
        block_on(self.serve())
    }

    fn config(&self) -> anyhow::Result<SimulatorConfig> {
        let faults = preset(self.faults)
            .parse_override(&self.fault_rates)
            .context("--fault-rates cannot be used")?;
        Ok(SimulatorConfig {
            seed: self.seed,
            listen: self.listen,
            ledger_path: self.ledger.clone(),
            webhook: self.webhook.clone().map(|url| WebhookTarget { url }),
            username: self.username.clone(),
            password: self.password.clone(),
            customer_code: self.customer.clone(),
            faults,
            pace: Pace {
                auto_hand_over_after_ms: Some(self.hand_over_after.clamp(0, 24 * 366) * HOUR_MS),
                ..Pace::default()
            },
            path_prefix: PathPrefix::Both,
            duplicates: match self.duplicates {
                Duplicates::Refuse => DuplicatePolicy::Refuse,
                Duplicates::SecondOrder => DuplicatePolicy::SecondOrder,
            },
        })
    }

    fn start_at(&self) -> anyhow::Result<Timestamp> {
        match &self.start {
            None => Ok(SystemClock.now()),
            Some(text) => Timestamp::parse_rfc3339(text)
                .context("--start is no time with offset, such as 2026-01-05T08:00:00+07:00"),
        }
    }

    async fn serve(self) -> anyhow::Result<ExitCode> {
        let clock: Arc<dyn Clock> = Arc::new(ScaledClock::new(self.start_at()?, self.speed));
        let simulator = Simulator::start(self.config()?, clock).await?;
        let address = simulator.address();
        print(|out| {
            writeln!(out, "Bưu điện giả lập / simulated operator: http://{address}")?;
            writeln!(out, "Sổ / ledger: {}", self.ledger.display())
        })?;
        let stop = CancellationToken::new();
        let mut signals = lifecycle::signals()?;
        tokio::select! {
            () = simulator.run_forever(stop.clone()) => {}
            _signal = signals.recv() => stop.cancel(),
        }
        let counters = simulator.counters();
        simulator.stop().await?;
        print(|out| {
            counters
                .iter()
                .try_for_each(|(word, count)| writeln!(out, "{count:>9}  {word}"))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The rates of a preset.
fn preset(preset: FaultPreset) -> Faults {
    match preset {
        FaultPreset::None => Faults::none(),
        FaultPreset::Mild => Faults::mild(),
        FaultPreset::Wild => Faults::wild(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::Fault;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn read(line: &[&str]) -> Args {
        Line::try_parse_from([&["x"], line].concat()).unwrap().args
    }

    #[test]
    fn options_reach_the_operator_and_bad_ones_are_named() {
        let args = read(&[
            "--faults",
            "none",
            "--fault-rates",
            "lost_answer=50",
            "--duplicates",
            "refuse",
        ]);
        let config = args.config().unwrap();
        assert_eq!(config.faults, Faults::none().with(Fault::LostAnswer, 50));
        assert_eq!(config.duplicates, DuplicatePolicy::Refuse);
        assert_eq!(config.pace.auto_hand_over_after_ms, Some(4 * HOUR_MS));
        let wrong = read(&["--fault-rates", "lost=1"]).config().unwrap_err();
        assert_eq!(wrong.to_string(), "--fault-rates cannot be used");
        let start = read(&["--start", "2026-01-05T08:00:00+07:00"])
            .start_at()
            .unwrap();
        assert_eq!(start, Timestamp::from_ms(1_767_574_800_000));
        assert!(read(&["--start", "yesterday"]).start_at().is_err());
    }
}
