//! The process is killed in the middle of its work: whatever was acknowledged is there afterwards.
//!
//! In: a child that writes numbered rows from many submitters and prints each number it got an answer for. Out: red
//! when a printed number is missing, or a row stands in part.

use super::child;
use super::place::{Engine, Place, block_on};
use super::scratch::{self, Refusal};
use futures_util::future::join_all;
use hoibao::edge::store::{Arg, Command, Tx};
use std::io::{BufRead as _, BufReader, Write as _};

/// How often the child is started and killed.
const ROUNDS: i64 = 5;

/// Acknowledged rows after which it is killed, more in each round.
const ENOUGH: usize = 150;

#[test]
fn sqlite() {
    kill(Engine::Sqlite, "store::kill::sqlite");
}

#[test]
fn postgres() {
    kill(Engine::Postgres, "store::kill::postgres");
}

/// Two rows that stand together or not at all.
struct Pair(i64);

impl Command for Pair {
    const NAME: &'static str = "test_pair";
    type Output = ();
    type Error = Refusal;

    async fn run(&self, tx: &mut Tx) -> Result<(), Refusal> {
        for id in [self.0, -self.0] {
            tx.execute(scratch::INSERT, vec![Arg::from(id), Arg::from(0_i64)])
                .await?;
        }
        Ok(())
    }
}

fn kill(engine: Engine, name: &str) {
    if let Some(job) = child::job() {
        block_on(submit_for_ever(engine, &job));
        return;
    }
    let place = Place::new(engine);
    block_on(async {
        let store = place.store().await;
        scratch::create(&store).await;
        store.close().await;
    });
    let mut acknowledged: Vec<i64> = Vec::new();
    let mut more = 0;
    for round in 1..=ROUNDS {
        let enough = acknowledged.len() + ENOUGH * usize::try_from(round).unwrap();
        let mut child = child::start(name, &format!("{} {round}", place.url), &[]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number =
            |line: std::io::Result<String>| line.unwrap().strip_prefix("stands ")?.parse::<i64>().ok();
        while acknowledged.len() < enough {
            acknowledged.extend(number(lines.next().expect("the child works until it is killed")));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it printed before it died was acknowledged too; a line cut off by the kill has no end and may be wrong.
        let mut rest: Vec<String> = lines.map_while(Result::ok).collect();
        rest.pop();
        acknowledged.extend(rest.into_iter().filter_map(|line| number(Ok(line))));
        let standing = block_on(async {
            let store = place.reopen().await;
            let standing = scratch::ids(&store).await;
            store.close().await;
            standing
        });
        let (negative, positive): (Vec<i64>, Vec<i64>) = standing.iter().partition(|id| **id < 0);
        let mut mirrored: Vec<i64> = negative.iter().map(|id| -id).collect();
        mirrored.sort_unstable();
        assert_eq!(positive, mirrored, "a command stands in part");
        let lost: Vec<&i64> = acknowledged
            .iter()
            .filter(|id| positive.binary_search(id).is_err())
            .collect();
        assert!(lost.is_empty(), "round {round}: acknowledged and lost: {lost:?}");
        more += positive.len() - acknowledged.len();
    }
    writeln!(
        std::io::stdout(),
        "{} acknowledged, none lost; {more} stood without an answer",
        acknowledged.len()
    )
    .unwrap();
}

async fn submit_for_ever(engine: Engine, job: &str) {
    let (url, round) = job.rsplit_once(' ').unwrap();
    let first = round.parse::<i64>().unwrap() * 10_000_000;
    let store = Place::at(engine, url).reopen().await;
    let submitters = (0..16_i64).map(|submitter| {
        let store = store.clone();
        async move {
            for number in 0..100_000 {
                let id = first + submitter * 100_000 + number;
                store.submit(Pair(id)).await.unwrap();
                // One write, so that a line is whole or not there.
                std::io::stdout()
                    .write_all(format!("stands {id}\n").as_bytes())
                    .unwrap();
            }
        }
    });
    join_all(submitters).await;
}
