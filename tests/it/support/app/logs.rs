//! What the process logs, kept so that it can be searched for what must never stand there.
//!
//! In: every line of this binary's tests, the gateway's down to `trace`. Out: red when one holds personal data or a
//! secret. Deliberately not here: the form of a line (`app::telemetry`).

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static WRITES: AtomicUsize = AtomicUsize::new(0);

struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        WRITES.fetch_add(1, Ordering::SeqCst);
        LINES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps all lines from now on.
pub(super) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter("debug,hoibao=trace")
            .with_ansi(false)
            .with_writer(|| Keep)
            .try_init()
            .expect("no other test of this binary takes the log for itself");
    });
}

/// Searches the lines since the last search, of whichever test, for words that must not stand there.
pub(super) fn search(words: &[String]) {
    let lines = std::mem::take(&mut *LINES.lock().unwrap_or_else(PoisonError::into_inner));
    let text = String::from_utf8_lossy(&lines);
    for line in text.lines() {
        for word in words {
            assert!(!line.contains(word.as_str()), "a log line holds {word:?}: {line}");
        }
    }
    assert!(
        WRITES.load(Ordering::SeqCst) > 0,
        "nothing was ever logged: the search proves nothing"
    );
}
