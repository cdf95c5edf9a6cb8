//! The test binary, started again as a process of its own that a test can kill, count or let hold a lock.
//!
//! In: the name of the test that starts it, a job, values. Out: the child; or, in the child, the job. A test begins by
//! asking [`job`]; in the parent it gets nothing and goes on.

use std::process::{Child, Command, Stdio};

const JOB: &str = "HOIBAO_TEST_JOB";

/// The value handed to this process by the test that started it; `None` in the test itself.
pub(super) fn job() -> Option<String> {
    std::env::var(JOB).ok()
}

/// Starts this binary again, running only the test of this name, with a job. Its output comes through a pipe.
pub(super) fn start(test: &str, job: &str, more: &[(&str, String)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(JOB, job)
        .envs(more.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
