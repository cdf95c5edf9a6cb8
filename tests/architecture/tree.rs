//! The rules about files that are not Rust: SQL texts, migrations, fixtures, ARCHITECTURE.md.
//!
//! In: paths and texts. Out: what breaks a rule, a sentence each. Deliberately not here: the disk; whether the SQL is
//! correct, which the store's tests ask both databases.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Kind, tokens};
use super::rules::Source;
use super::table::CODE_MAP;

const SQL: &str = "src/edge/store/sql/";

/// Each SQL text is named in the store's code exactly once, lies in `sql/<table>/<verb>.sql` (or in a pair for the two
/// dialects), and says so in its first line.
pub(crate) fn sql_violations(files: &[Source]) -> Vec<String> {
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let texts: BTreeMap<&str, &str> = files
        .iter()
        .filter(|f| f.path.starts_with(SQL))
        .map(|f| (f.path.as_str(), f.text.as_str()))
        .collect();
    for file in files
        .iter()
        .filter(|f| f.path.starts_with("src/") && is_a(&f.path, "rs"))
    {
        for (line, path) in named_texts(file) {
            if !texts.contains_key(path.as_str()) {
                found.push(format!(
                    "{}:{line}: names {path}, which does not exist",
                    file.path
                ));
            }
            *named.entry(path).or_default() += 1;
        }
    }
    for (path, text) in &texts {
        let times = named.get(*path).copied().unwrap_or_default();
        if times != 1 {
            found.push(format!("{path}: included {times} times, must be once"));
        }
        found.extend(sql_name_violation(path, text, &texts));
    }
    found
}

/// The texts a file of Rust names, by `include_str!` or by the store's `sql!("table" / "verb")`, which with the word
/// `split` in front means the pair for both dialects.
fn named_texts(file: &Source) -> Vec<(usize, String)> {
    let tokens = tokens(&file.text);
    let text = |at: usize| match tokens.get(at).map(|token| &token.kind) {
        Some(Kind::Text(text)) => Some(text.as_str()),
        Some(Kind::Word(_) | Kind::Mark(_)) | None => None,
    };
    let mut named = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let Kind::Text(text) = &token.kind {
            // `include_str!` counts from the file that says it.
            let path = beside(&file.path, text);
            if is_a(text, "sql") && path.starts_with(SQL) {
                named.push((token.line, path));
            }
        }
        if !token.is_word("sql") || !tokens.get(at + 1).is_some_and(|next| next.is_mark('!')) {
            continue;
        }
        let split = tokens.get(at + 3).is_some_and(|next| next.is_word("split"));
        let first = if split { at + 4 } else { at + 3 };
        if let (Some(table), Some(verb)) = (text(first), text(first + 2)) {
            let endings: &[&str] = if split {
                &[".sqlite.sql", ".postgres.sql"]
            } else {
                &[".sql"]
            };
            named.extend(
                endings
                    .iter()
                    .map(|ending| (token.line, format!("{SQL}{table}/{verb}{ending}"))),
            );
        }
    }
    named
}

fn sql_name_violation(path: &str, text: &str, texts: &BTreeMap<&str, &str>) -> Option<String> {
    let inner = path.strip_prefix(SQL)?.strip_suffix(".sql");
    let Some((table, verb)) = inner
        .and_then(|inner| inner.split_once('/'))
        .filter(|(_, verb)| !verb.contains('/'))
    else {
        return Some(format!("{path}: must be sql/<table>/<verb>.sql"));
    };
    let (verb, other) = match (verb.strip_suffix(".postgres"), verb.strip_suffix(".sqlite")) {
        (Some(verb), _) => (verb, Some("sqlite")),
        (None, Some(verb)) => (verb, Some("postgres")),
        (None, None) => (verb, None),
    };
    if let Some(other) = other.map(|other| format!("{SQL}{table}/{verb}.{other}.sql"))
        && !texts.contains_key(other.as_str())
    {
        return Some(format!("{path}: its twin {other} is missing"));
    }
    let head = format!("-- {table}_{verb}");
    let rest = text.strip_prefix(&head);
    let good = rest.is_some_and(|rest| !rest.starts_with(|c: char| c == '_' || c.is_alphanumeric()));
    (!good).then(|| format!("{path}: must start with `{head}`"))
}

/// Both databases have migrations of the same names, and each column says what it is.
pub(crate) fn migration_violations(files: &[Source]) -> Vec<String> {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = format!("migrations/{database}/");
        files
            .iter()
            .filter_map(|f| f.path.strip_prefix(&folder))
            .filter(|n| is_a(n, "sql"))
            .map(str::to_owned)
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    let mut found: Vec<String> = sqlite
        .symmetric_difference(&postgres)
        .map(|name| format!("migrations/*/{name}: must be there for both databases"))
        .collect();
    for file in files
        .iter()
        .filter(|f| f.path.starts_with("migrations/") && is_a(&f.path, "sql"))
    {
        found.extend(uncommented_columns(file));
    }
    found
}

/// Lines of a `CREATE TABLE` or `ADD COLUMN` that begin a column without a comment on the line or right above it.
fn uncommented_columns(file: &Source) -> Vec<String> {
    const CONSTRAINTS: &[&str] = &["PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "CONSTRAINT", "EXCLUDE"];
    let mut found = Vec::new();
    let (mut in_table, mut depth, mut fresh, mut comment_above) = (false, 0_i32, false, false);
    for (number, line) in file.text.lines().enumerate() {
        let (code, comment) = split_comment(line);
        let upper = code.to_uppercase();
        let first = upper
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .find(|w| !w.is_empty())
            .unwrap_or_default();
        let column = (in_table && depth == 1 && fresh && !first.is_empty() && !CONSTRAINTS.contains(&first))
            || upper.contains(" ADD COLUMN ");
        if column && !comment && !comment_above {
            found.push(format!(
                "{}:{}: column without a `--` comment: {}",
                file.path,
                number + 1,
                code.trim()
            ));
        }
        let starts = upper.contains("CREATE TABLE");
        in_table |= starts;
        depth += nesting(code);
        let end = code.trim_end();
        if !end.is_empty() {
            fresh = end.ends_with(',') || (end.ends_with('(') && depth == 1);
        }
        if in_table && depth <= 0 && end.contains(')') {
            (in_table, depth) = (false, 0);
        }
        comment_above = comment && end.is_empty();
    }
    found
}

/// The code of a line of SQL, and whether a comment follows it. Text in quotes is no comment.
fn split_comment(line: &str) -> (&str, bool) {
    let mut quoted = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '\'' {
            quoted = !quoted;
        }
        if !quoted && c == '-' && before == '-' {
            let code = line.get(..at.saturating_sub(1)).unwrap_or_default();
            return (code, true);
        }
        before = c;
    }
    (line, false)
}

fn nesting(code: &str) -> i32 {
    code.chars()
        .map(|c| match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        })
        .sum()
}

/// Each folder of fixtures says where its files come from.
pub(crate) fn fixture_violations(paths: &[String]) -> Vec<String> {
    let all: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
    let folders: BTreeSet<&str> = paths
        .iter()
        .filter(|p| p.starts_with("fixtures/"))
        .filter_map(|p| p.rsplit_once('/'))
        .map(|(f, _)| f)
        .collect();
    folders
        .into_iter()
        .filter(|folder| !all.contains(format!("{folder}/PROVENANCE.md").as_str()))
        .map(|folder| format!("{folder}: has no PROVENANCE.md: source, licence, date"))
        .collect()
}

/// ARCHITECTURE.md names only what exists, and shows each room in its code map.
pub(crate) fn map_violations(text: &str, paths: &[String]) -> Vec<String> {
    let exists = |name: &str| {
        let folder = format!("{}/", name.trim_end_matches('/'));
        paths.iter().any(|path| path == name || path.starts_with(&folder))
            // The table is the authority on rooms; a room may be drawn before its first file.
            || CODE_MAP.contains(&name)
    };
    let mut found: Vec<String> = named_files(text)
        .filter(|name| !exists(name))
        .map(|name| format!("ARCHITECTURE.md: names `{name}`, which does not exist"))
        .collect();
    let map = text
        .split("\n## ")
        .find(|section| section.to_lowercase().contains("code map\n"))
        .unwrap_or_default();
    for room in CODE_MAP.iter().filter(|room| !map.contains(&format!("`{room}`"))) {
        found.push(format!("ARCHITECTURE.md: the code map lacks `{room}`"));
    }
    found
}

/// Each invariant of ARCHITECTURE.md, but those that say why not yet, names at least one test, and each test named
/// exists: the last segment of `area::file::name` is a function of a file that has a path like that.
pub(crate) fn invariant_violations(text: &str, tests: &[Source]) -> Vec<String> {
    let section = text
        .split("\n## ")
        .find(|section| section.starts_with("Invariants\n"))
        .unwrap_or_default();
    let numbered = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
    let lines: Vec<&str> = section.lines().filter(numbered).collect();
    let mut found = Vec::new();
    if lines.len() < 16 {
        found.push(format!("ARCHITECTURE.md: {} invariants, not 16", lines.len()));
    }
    for line in lines {
        let number = line.split('.').next().unwrap_or_default();
        let named: Vec<&str> = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.contains("::"))
            .collect();
        if named.is_empty() && !line.contains("Not yet:") {
            found.push(format!("ARCHITECTURE.md: invariant {number} names no test"));
        }
        for name in named {
            if !is_a_test(name, tests) {
                found.push(format!(
                    "ARCHITECTURE.md: invariant {number} names `{name}`, which is no test"
                ));
            }
        }
    }
    found
}

fn is_a_test(name: &str, tests: &[Source]) -> bool {
    let Some((place, function)) = name.rsplit_once("::") else {
        return false;
    };
    let place = format!("/{}", place.replace("::", "/"));
    let declared = [
        format!("fn {function}("),
        format!("{function} =>"),
        format!("{function},"),
    ];
    tests.iter().any(|file| {
        let path = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.ends_with(&place) && declared.iter().any(|text| file.text.contains(text))
    })
}

/// What stands between backticks and looks like a file or a folder of this package.
fn named_files(text: &str) -> impl Iterator<Item = &str> {
    const EXTENSIONS: &[&str] = &["rs", "md", "toml", "sql", "csv", "sh", "py", "json"];
    const FOLDERS: &[&str] = &[
        "src/",
        "tests/",
        "benches/",
        "migrations/",
        "fixtures/",
        "scripts/",
        ".ci/",
    ];
    text.split('`').skip(1).step_by(2).filter(|name| {
        let word = !name.contains(|c: char| c.is_whitespace() || "<>*:|".contains(c));
        let file = EXTENSIONS.iter().any(|extension| is_a(name, extension));
        word && (file || FOLDERS.iter().any(|folder| name.starts_with(folder)))
    })
}

fn is_a(path: &str, extension: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(stem, found)| found == extension && !stem.is_empty())
}

/// `name`, counted from the folder of `file`, with `..` resolved.
fn beside(file: &str, name: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
