//! The rules about SQL, migrations, fixtures and the map, tried with what they must refuse.
//!
//! In: invented files. Out: red when a rule stops biting.

use super::rules::Source;
use super::table::CODE_MAP;
use super::tree::{
    fixture_violations, invariant_violations, map_violations, migration_violations, sql_violations,
};

fn files(list: &[(&str, &str)]) -> Vec<Source> {
    list.iter()
        .map(|(path, text)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect()
}

#[track_caller]
fn says(found: &[String], expect: &[&str]) {
    assert_eq!(found.len(), expect.len(), "{found:#?}");
    for (found, expect) in found.iter().zip(expect) {
        assert!(found.contains(expect), "{found:?} does not say {expect:?}");
    }
}

const STORE: &str = "src/edge/store/queue.rs";
const CLAIM: &str = "src/edge/store/sql/queue/claim.sql";

#[test]
fn sql_that_is_used_once_passes() {
    let rust = "const A: &str = include_str!(\"sql/queue/claim.sql\"); // \"sql/queue/claim.sql\"";
    let found = sql_violations(&files(&[
        (STORE, rust),
        (CLAIM, "-- queue_claim: oldest first.\nSELECT 1"),
    ]));
    says(&found, &[]);
    let deeper = "const A: &str = include_str!(\"../sql/queue/claim.sql\");";
    let found = sql_violations(&files(&[
        ("src/edge/store/a/b.rs", deeper),
        (CLAIM, "-- queue_claim\nSELECT 1"),
    ]));
    says(&found, &[]);
}

#[test]
fn sql_that_nobody_or_everybody_uses() {
    let text = "-- queue_claim\nSELECT 1";
    says(
        &sql_violations(&files(&[(STORE, ""), (CLAIM, text)])),
        &["included 0 times"],
    );
    let twice = "const A: &str = include_str!(\"sql/queue/claim.sql\");".repeat(2);
    says(
        &sql_violations(&files(&[(STORE, &twice), (CLAIM, text)])),
        &["included 2 times"],
    );
    let gone = "const A: &str = include_str!(\"sql/queue/gone.sql\");";
    says(
        &sql_violations(&files(&[(STORE, gone)])),
        &["names src/edge/store/sql/queue/gone.sql, which does not exist"],
    );
}

#[test]
fn sql_named_by_the_stores_macro() {
    let text = "-- queue_claim\nSELECT 1";
    says(
        &sql_violations(&files(&[
            (STORE, "fn f() { sql!(\"queue\" / \"claim\") }"),
            (CLAIM, text),
        ])),
        &[],
    );
    let twice = "fn f() { sql!(\"queue\" / \"claim\"); include_str!(\"sql/queue/claim.sql\"); }";
    says(
        &sql_violations(&files(&[(STORE, twice), (CLAIM, text)])),
        &["included 2 times"],
    );
    let gone = "fn f() { sql!(\"queue\" / \"gone\") }";
    says(
        &sql_violations(&files(&[(STORE, gone)])),
        &["names src/edge/store/sql/queue/gone.sql"],
    );
    let split = "fn f() { sql!(split \"queue\" / \"claim\") }";
    let (one, two) = (
        "src/edge/store/sql/queue/claim.sqlite.sql",
        "src/edge/store/sql/queue/claim.postgres.sql",
    );
    says(
        &sql_violations(&files(&[(STORE, split), (one, text), (two, text)])),
        &[],
    );
    says(
        &sql_violations(&files(&[(STORE, split), (CLAIM, text)])),
        &["claim.sqlite.sql", "claim.postgres.sql", "0 times"],
    );
}

#[test]
fn sql_under_another_name() {
    let rust = "const A: &str = include_str!(\"sql/queue/claim.sql\");";
    let head = &["must start with `-- queue_claim`"];
    says(
        &sql_violations(&files(&[(STORE, rust), (CLAIM, "-- outbox_claim\nSELECT 1")])),
        head,
    );
    says(
        &sql_violations(&files(&[(STORE, rust), (CLAIM, "-- queue_claim_all\nSELECT 1")])),
        head,
    );
    says(
        &sql_violations(&files(&[(STORE, rust), (CLAIM, "SELECT 1 -- queue_claim")])),
        head,
    );
    let flat = "src/edge/store/sql/claim.sql";
    let rust = "const A: &str = include_str!(\"sql/claim.sql\");";
    says(
        &sql_violations(&files(&[(STORE, rust), (flat, "-- claim")])),
        &["must be sql/<table>/<verb>.sql"],
    );
}

#[test]
fn a_dialect_without_its_twin() {
    let rust = "const A: &str = include_str!(\"sql/queue/claim.postgres.sql\");";
    let file = "src/edge/store/sql/queue/claim.postgres.sql";
    let found = sql_violations(&files(&[(STORE, rust), (file, "-- queue_claim\nSELECT 1")]));
    says(
        &found,
        &["its twin src/edge/store/sql/queue/claim.sqlite.sql is missing"],
    );
}

#[test]
fn migrations_come_in_pairs() {
    let found = migration_violations(&files(&[
        ("migrations/sqlite/0001_start.sql", ""),
        ("migrations/postgres/0001_start.sql", ""),
        ("migrations/postgres/0002_more.sql", ""),
    ]));
    says(&found, &["0002_more.sql"]);
}

#[test]
fn columns_without_a_comment() {
    let text = "\
CREATE TABLE queue ( -- a comment on the table is not one on its columns
  id text NOT NULL, -- ours
  state text NOT NULL
    CHECK (state IN ('a', 'b')),
  -- Unix milliseconds, UTC; never changes.
  created_at bigint NOT NULL,
  note text DEFAULT '--',
  PRIMARY KEY (id),
  UNIQUE (state, created_at)
) STRICT;
CREATE INDEX queue_state ON queue (
  state,
  created_at
);
ALTER TABLE queue ADD COLUMN fee_vnd bigint;
ALTER TABLE queue ADD COLUMN weight_grams bigint; -- whole grams
";
    let found = migration_violations(&files(&[
        ("migrations/sqlite/0001_start.sql", text),
        ("migrations/postgres/0001_start.sql", ""),
    ]));
    says(
        &found,
        &[":3: column without", ":7: column without", ":15: column without"],
    );
}

#[test]
fn fixtures_without_a_provenance() {
    let paths: Vec<String> = [
        "fixtures/units/units.csv",
        "fixtures/units/PROVENANCE.md",
        "fixtures/a/b/c.json",
    ]
    .map(str::to_owned)
    .to_vec();
    says(
        &fixture_violations(&paths),
        &["fixtures/a/b: has no PROVENANCE.md"],
    );
}

fn page(map: &str) -> String {
    format!("# A\n\n## Code map\n\n{map}\n\n## Other\n")
}

#[test]
fn a_map_that_names_what_is_not_there() {
    let rooms: Vec<String> = CODE_MAP.iter().map(|room| format!("* `{room}`")).collect();
    let paths = vec!["tests/it/main.rs".to_owned(), "Cargo.toml".to_owned()];
    let good = page(&rooms.join("\n"));
    says(&map_violations(&good, &paths), &[]);
    let names = "`tests/it/main.rs` `tests/it/` `Cargo.toml` `stage::intake` `sql/<table>/<verb>.sql`";
    says(&map_violations(&format!("{good}{names}"), &paths), &[]);
    let found = map_violations(
        &format!("{good} `src/gone.rs`, `scripts/gone` and `GONE.md`"),
        &paths,
    );
    says(&found, &["`src/gone.rs`", "`scripts/gone`", "`GONE.md`"]);
}

#[test]
fn invariants_that_name_no_test_or_one_that_is_not_there() {
    let tests = [Source {
        path: "tests/it/road/doubt.rs".to_owned(),
        text: "async fn one_order() {}".to_owned(),
    }];
    let page = |third: &str| {
        let lines: Vec<String> = (1..=16)
            .map(|number| match number {
                3 => format!("3. Third. {third}"),
                number => format!("{number}. Some. Test: `road::doubt::one_order`"),
            })
            .collect();
        format!("# Page\n\n## Invariants\n\n{}\n\n## Next\n", lines.join("\n"))
    };
    says(
        &invariant_violations(&page("Test: `doubt::one_order`"), &tests),
        &[],
    );
    says(&invariant_violations(&page("Not yet: no log."), &tests), &[]);
    for (third, wrong) in [
        ("", "invariant 3 names no test"),
        (
            "Test: `road::doubt::two_orders`",
            "`road::doubt::two_orders`, which is no test",
        ),
        (
            "Test: `road::held::one_order`",
            "`road::held::one_order`, which is no test",
        ),
    ] {
        says(&invariant_violations(&page(third), &tests), &[wrong]);
    }
    says(&invariant_violations("# Page", &tests), &["0 invariants"]);
}

#[test]
fn a_map_that_lacks_a_room() {
    let rooms: Vec<String> = CODE_MAP
        .iter()
        .skip(1)
        .map(|room| format!("* `{room}`"))
        .collect();
    // Named elsewhere on the page is not shown on the map.
    let text = format!("{}\n`src/domain/`", page(&rooms.join("\n")));
    says(&map_violations(&text, &[]), &["the code map lacks `src/domain/`"]);
}
