//! Holds the shape of the package: who may import whom, and what each file must say about itself.
//!
//! In: the files of the package. Out: red tests that name file, line and rule. The table is data
//! (`architecture/table.rs`), the rules are pure functions over paths and texts (`architecture/rules.rs`,
//! `architecture/tree.rs`) and are themselves tested with forbidden input (`architecture/forbidden*.rs`). Deliberately
//! not here: behaviour.

#[cfg(test)]
mod architecture {
    mod forbidden;
    mod forbidden_files;
    mod forbidden_names;
    mod lexer;
    mod paths;
    mod rules;
    mod table;
    mod tree;

    use std::path::Path;

    use rules::Source;

    const SKIPPED: &[&str] = &["target", ".git"];

    /// All files below `folder`, as paths from the package's root with `/`, sorted.
    fn paths_below(folder: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut open = vec![folder.to_owned()];
        let mut found = Vec::new();
        while let Some(next) = open.pop() {
            let Ok(entries) = std::fs::read_dir(root.join(&next)) else {
                continue;
            };
            for entry in entries {
                let entry = entry.expect("a folder of the package can be read");
                let name = entry.file_name().into_string().expect("names are UTF-8");
                let path = if next.is_empty() {
                    name.clone()
                } else {
                    format!("{next}/{name}")
                };
                if entry.file_type().expect("a file has a type").is_dir() {
                    if !SKIPPED.contains(&name.as_str()) {
                        open.push(path);
                    }
                } else {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    fn sources(folder: &str, extensions: &[&str]) -> Vec<Source> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let wanted = |path: &String| extensions.iter().any(|extension| path.ends_with(extension));
        let read = |path: String| {
            let text = std::fs::read_to_string(root.join(&path)).expect("the file is UTF-8 text");
            Source { path, text }
        };
        paths_below(folder).into_iter().filter(wanted).map(read).collect()
    }

    #[track_caller]
    fn none(found: &[String]) {
        assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    }

    /// Arrows between rooms point down only, siblings are closed, outside crates and adapter names stay in their rooms.
    #[test]
    fn imports_follow_the_table() {
        let files = sources("src", &[".rs"]);
        assert!(files.len() >= 10, "the sources were not found");
        none(&rules::violations(&files));
    }

    /// Tests and benches too stay short enough to be read, and say what they are.
    #[test]
    fn tests_and_benches_are_short_and_introduced() {
        let files = [sources("tests", &[".rs"]), sources("benches", &[".rs"])].concat();
        let mut found = Vec::new();
        for file in files {
            let lines = file.text.lines().count();
            if lines > table::LINES_MAX {
                found.push(format!("{}: {lines} lines", file.path));
            }
            if !file.text.starts_with("//!") {
                found.push(format!("{}: does not start with `//!`", file.path));
            }
        }
        none(&found);
    }

    /// A new dependency needs a row, which says where it may be named.
    #[test]
    fn each_dependency_has_a_row() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .expect("Cargo.toml can be read");
        let manifest: toml::Table = text.parse().expect("Cargo.toml is TOML");
        let dependencies = manifest["dependencies"].as_table().expect("a table");
        let rows: Vec<String> = table::OUTSIDE
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let named: Vec<String> = dependencies.keys().map(|name| name.replace('-', "_")).collect();
        assert_eq!(
            rows, named,
            "rows of `OUTSIDE`, in the order of the alphabet, and [dependencies]"
        );
    }

    /// SQL texts are used, once, and are found by their name.
    #[test]
    fn sql_texts_are_named_and_used_once() {
        none(&tree::sql_violations(&sources("src", &[".rs", ".sql"])));
    }

    /// What one database gets, the other gets, and every column is explained.
    #[test]
    fn migrations_are_paired_and_commented() {
        none(&tree::migration_violations(&sources("migrations", &[".sql"])));
    }

    /// Nobody has to guess where a fixture comes from and under which licence.
    #[test]
    fn fixtures_have_a_provenance() {
        let paths = paths_below("fixtures");
        assert!(!paths.is_empty(), "the fixtures were not found");
        none(&tree::fixture_violations(&paths));
    }

    /// The page that newcomers read first is true.
    #[test]
    fn the_map_is_true() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"))
            .expect("ARCHITECTURE.md is there");
        none(&tree::map_violations(&text, &paths_below("")));
        let tests = [sources("tests", &[".rs"]), sources("src", &[".rs"])].concat();
        none(&tree::invariant_violations(&text, &tests));
    }
}
