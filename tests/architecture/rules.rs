//! The rules of one file of Rust, as a pure function over paths and texts.
//!
//! In: the files of `src`, as path and text. Out: what breaks the table, a sentence each. Deliberately not here: the
//! disk, and the rules about files that are not Rust (`tree.rs`).

use std::collections::BTreeSet;

use super::lexer::{Kind, Token, tokens};
use super::paths::{Manner, Named, Origin, named_paths};
use super::table::{
    ADAPTER_DOOR, ADAPTER_NAMES_IN, ADAPTERS, LINES_MAX, May, OUTSIDE, OUTSIDE_IN_TESTS, ROOMS, Room,
    STD_NOT_IN,
};

/// A file: its path from the package's root with `/`, and its text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// For example `src/stage/intake.rs`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// Everything in `files` that breaks a rule, in the order of the files.
pub(crate) fn violations(files: &[Source]) -> Vec<String> {
    let modules: BTreeSet<String> = files
        .iter()
        .map(|file| module_of(&file.path).join("::"))
        .collect();
    files
        .iter()
        .flat_map(|file| file_violations(file, &modules))
        .collect()
}

/// The module a file of `src` holds; the binary's entry stands for a room of its own.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    if inner == "lib" {
        Vec::new()
    } else {
        inner.split('/').map(str::to_owned).collect()
    }
}

fn file_violations(file: &Source, modules: &BTreeSet<String>) -> Vec<String> {
    let tokens = tokens(&file.text);
    let module = module_of(&file.path);
    let mut found = Vec::new();
    let mut say = |line: usize, what: String| found.push(format!("{}:{line}: {what}", file.path));
    if !file.text.starts_with("//!") {
        say(
            1,
            "does not start with `//!`: say which room, what comes in and goes out, what is not here"
                .to_owned(),
        );
    }
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        say(
            lines,
            format!("{lines} lines, at most {LINES_MAX}: split by what changes together"),
        );
    }
    if room_of(&module, modules).is_none() {
        say(1, "lies in no room of the table".to_owned());
    }
    for (line, what) in smuggling(&file.path, &tokens) {
        say(line, what);
    }
    for (line, what) in adapter_names(&file.path, &tokens) {
        say(line, what);
    }
    // In the binary `crate` is the binary itself, which has no modules.
    let base = if file.path == "src/main.rs" {
        Vec::new()
    } else {
        module.clone()
    };
    for named in named_paths(&tokens, &base) {
        let what = match named.origin {
            Origin::Here => inside(&named, &module, modules),
            Origin::Outside => outside(&named, &file.path),
        };
        if let Some(what) = what {
            say(named.line, what);
        }
    }
    found
}

/// Ways to bring in code that no path shows.
fn smuggling(path: &str, tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = |offset: usize| tokens.get(at + offset);
        let followed = |mark: char| next(1).is_some_and(|t| t.is_mark(mark));
        let what = match token.word() {
            Some("macro_export") => Some("lifts a macro out of its room: export it with `pub(crate) use`"),
            Some("macro_use") if path == "src/lib.rs" => Some("opens a room's macros to all rooms"),
            Some("include") if followed('!') => Some("`include!` brings in code that the rules cannot see"),
            Some("path") if followed('=') && at > 1 && tokens.get(at - 1).is_some_and(|t| t.is_mark('[')) => {
                Some("`#[path]` puts a file into another room")
            }
            _ => None,
        };
        found.extend(what.map(|what| (token.line, what.to_owned())));
    }
    found
}

/// Lower case without separators, so that `VnpHcc`, `vnp_hcc` and "vnp-hcc" are one name.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn adapter_names(path: &str, tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    if ADAPTER_NAMES_IN.iter().any(|prefix| path.starts_with(prefix)) {
        return found;
    }
    for (at, token) in tokens.iter().enumerate() {
        let text = match &token.kind {
            Kind::Word(text) | Kind::Text(text) => plain(text),
            Kind::Mark(_) => continue,
        };
        for adapter in ADAPTERS.iter().filter(|adapter| text.contains(&plain(adapter))) {
            let folder = format!("src/edge/carrier/{adapter}");
            let own = path
                .strip_prefix(&folder)
                .is_some_and(|rest| rest.starts_with('/') || rest == ".rs");
            let declared =
                path == ADAPTER_DOOR && at > 0 && tokens.get(at - 1).is_some_and(|t| t.is_word("mod"));
            if !own && !declared {
                found.push((
                    token.line,
                    format!("names the adapter `{adapter}` outside its folder"),
                ));
            }
        }
    }
    found
}

/// The room a module path lies in, with the name its `*` stands for.
pub(crate) fn room_of(segments: &[String], modules: &BTreeSet<String>) -> Option<(Room, String)> {
    // An item of `stage/mod.rs` is no room of its own: only what is a module can be one.
    let longest = (0..=segments.len()).rev().find(|length| {
        *length == 0
            || segments
                .get(..*length)
                .is_some_and(|head| modules.contains(&head.join("::")))
    })?;
    let module = segments.get(..longest)?;
    let mut best: Option<(Room, String)> = None;
    for room in ROOMS {
        let pattern: Vec<&str> = room.path.split("::").filter(|part| !part.is_empty()).collect();
        let fits = pattern.len() <= module.len()
            && pattern
                .iter()
                .zip(module)
                .all(|(part, segment)| *part == "*" || part == segment);
        // The root fits everything, but nothing beneath it belongs to it.
        if !fits || (pattern.is_empty() && !module.is_empty()) {
            continue;
        }
        let name = module.get(..pattern.len())?.join("::");
        let better = best.as_ref().is_none_or(|(other, _)| {
            let length = |path: &str| path.split("::").count();
            (length(room.path), !room.path.contains('*')) > (length(other.path), !other.path.contains('*'))
        });
        if better {
            best = Some((*room, name));
        }
    }
    best
}

fn inside(named: &Named, module: &[String], modules: &BTreeSet<String>) -> Option<String> {
    let path = named.segments.join("::");
    let shown = if path.is_empty() {
        "the package's root".to_owned()
    } else {
        format!("`{path}`")
    };
    let (own, own_name) = room_of(module, modules)?;
    // The bare root is refused here too: through it every room could be reached.
    let Some((target, target_name)) =
        room_of(&named.segments, modules).filter(|(room, _)| !room.path.is_empty())
    else {
        return Some(format!("names {shown}, which is in no room"));
    };
    let closed = named.glob && modules.contains(&path) && own_name != target_name && path == "stage";
    if closed {
        return Some(format!("imports everything of {shown}, its closed rooms too"));
    }
    if own_name == target_name {
        return None;
    }
    if named.manner == Manner::Export {
        return Some(format!("re-exports {shown} out of its room `{target_name}`"));
    }
    let under = |tree: &str| path == tree || path.starts_with(&format!("{tree}::"));
    let allowed = own.may.iter().any(|may| match may {
        May::Room(room) => target.path == *room,
        May::Tree(tree) => under(tree),
    });
    (!allowed).then(|| format!("room `{own_name}` may not import {shown}"))
}

fn outside(named: &Named, path: &str) -> Option<String> {
    let first = named.segments.first()?;
    let full = named.segments.join("::");
    for (prefix, place) in STD_NOT_IN {
        let core = prefix.replacen("std", "core", 1);
        let hit = [*prefix, core.as_str()]
            .iter()
            .any(|p| full == *p || full.starts_with(&format!("{p}::")));
        if hit && path.starts_with(place) {
            return Some(format!("`{prefix}` is not for `{place}`"));
        }
    }
    let (name, places) = OUTSIDE.iter().find(|(name, _)| name == first)?;
    let excepted = named.in_test
        && OUTSIDE_IN_TESTS
            .iter()
            .any(|(krate, place)| krate == name && path.starts_with(place));
    if !excepted && !places.iter().any(|place| path.starts_with(place)) {
        return Some(format!("the crate `{name}` is only for {}", places.join(", ")));
    }
    if named.manner == Manner::Export && *places != ["src/"] {
        return Some(format!(
            "re-exports `{full}`, which would carry the crate `{name}` into other rooms"
        ));
    }
    None
}
