//! Every statement of the folder `src/edge/store/sql`: understood by its databases, named as its file, used once.
//!
//! In: the folder and the sources beside it. Out: red for a text that no database understands or that nobody uses.

use super::place::{Engine, Place, block_on};
use hoibao::edge::store::Backend;
use sqlx::{Executor as _, SqlSafeStr as _};
use std::path::{Path, PathBuf};

/// One file of the folder.
struct Text {
    table: String,
    verb: String,
    /// The one database it is for; `None` for both.
    only: Option<Engine>,
    sql: String,
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn store_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/edge/store")
}

fn texts() -> Vec<Text> {
    let mut texts = Vec::new();
    for table in sorted(&store_folder().join("sql")) {
        for file in sorted(&table) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let stem = name
                .strip_suffix(".sql")
                .unwrap_or_else(|| panic!("{name} is no statement"));
            let (verb, only) = if let Some(verb) = stem.strip_suffix(".sqlite") {
                (verb, Some(Engine::Sqlite))
            } else if let Some(verb) = stem.strip_suffix(".postgres") {
                (verb, Some(Engine::Postgres))
            } else {
                (stem, None)
            };
            texts.push(Text {
                table: table.file_name().unwrap().to_str().unwrap().to_owned(),
                verb: verb.to_owned(),
                only,
                sql: std::fs::read_to_string(&file).unwrap(),
            });
        }
    }
    texts
}

fn prepare_all(engine: Engine) {
    block_on(async {
        let place = Place::new(engine);
        let store = place.store().await;
        let mut prepared = 0;
        let mut wrong = Vec::new();
        for text in texts() {
            if text.only.is_some_and(|only| only != engine) {
                continue;
            }
            let sql = sqlx::AssertSqlSafe(text.sql).into_sql_str();
            let done = match store.backend() {
                Backend::Sqlite { write, .. } => write.prepare(sql).await.map(drop),
                Backend::Postgres { pool } => pool.prepare(sql).await.map(drop),
            };
            prepared += 1;
            if let Err(error) = done {
                wrong.push(format!("{}/{}: {error}", text.table, text.verb));
            }
        }
        assert!(
            wrong.is_empty(),
            "{engine:?} does not understand:\n{}",
            wrong.join("\n")
        );
        assert!(prepared >= 80, "only {prepared} texts were found");
    });
}

#[test]
fn sqlite_understands_every_text() {
    prepare_all(Engine::Sqlite);
}

#[test]
fn postgres_understands_every_text() {
    prepare_all(Engine::Postgres);
}

#[test]
fn every_text_carries_its_name_and_is_one_statement() {
    for text in texts() {
        let name = format!("-- {}_{}", text.table, text.verb);
        assert_eq!(
            text.sql.lines().next(),
            Some(name.as_str()),
            "first line of {}/{}",
            text.table,
            text.verb
        );
        let statement = text.sql.lines().filter(|line| !line.starts_with("--"));
        assert_eq!(
            statement.filter(|line| line.contains(';')).count(),
            0,
            "{name}: one statement, without a semicolon"
        );
    }
}

#[test]
fn split_texts_come_in_pairs() {
    let texts = texts();
    for text in texts.iter().filter(|text| text.only.is_some()) {
        let twins = texts
            .iter()
            .filter(|twin| twin.table == text.table && twin.verb == text.verb)
            .count();
        assert_eq!(twins, 2, "{}/{}", text.table, text.verb);
    }
}

/// A text nobody uses is a rule nobody keeps; one used twice is changed for one reader and breaks the other.
#[test]
fn every_text_is_used_exactly_once() {
    let sources: Vec<String> = sorted(&store_folder())
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let mut wrong = Vec::new();
    for text in texts() {
        if text.only == Some(Engine::Sqlite) {
            continue; // Counted with its twin.
        }
        let split = if text.only.is_some() { "split " } else { "" };
        let named = format!("sql!({split}\"{}\" / \"{}\")", text.table, text.verb);
        let uses: usize = sources.iter().map(|source| source.matches(&named).count()).sum();
        if uses != 1 {
            wrong.push(format!("{}/{} is used {uses} times", text.table, text.verb));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
