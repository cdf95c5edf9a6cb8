//! Finds every path a file names and resolves it to where it leads.
//!
//! In: the tokens of one file and its place in the module tree. Out: absolute paths, each with what the file does with
//! it (use, re-export, glob, rename). Aliases made by `use` are followed, so that `use crate::stage;` does not hide
//! `stage::dispatch`. Deliberately not here: what is allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Kind, Token};

/// How a path is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// In an expression, a type, an attribute, a macro call.
    Plain,
    /// By `use`, for this module alone.
    Import,
    /// By `use` with any visibility.
    Export,
}

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This package: the segments count from its root.
    Here,
    /// Elsewhere, or a local name: the first segment may be a crate.
    Outside,
}

/// One path as a file names it, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Where the segments count from.
    pub(crate) origin: Origin,
    /// The segments, `crate`, `self` and `super` resolved away.
    pub(crate) segments: Vec<String>,
    /// How it is named.
    pub(crate) manner: Manner,
    /// Whether everything beneath it is meant (`::*`).
    pub(crate) glob: bool,
    /// The name it gets here, when that differs.
    pub(crate) alias: Option<String>,
    /// Whether it stands in an inline module under `#[cfg(test)]`.
    pub(crate) in_test: bool,
    /// Where.
    pub(crate) line: usize,
}

#[derive(Clone, Debug)]
struct Raw {
    segments: Vec<String>,
    manner: Manner,
    glob: bool,
    alias: Option<String>,
    line: usize,
    module: Vec<String>,
    in_test: bool,
}

/// An inline module that is open.
struct Open {
    name: String,
    /// The brace depth at which it closes.
    depth: usize,
    test: bool,
}

struct Walk<'a> {
    tokens: &'a [Token],
    at: usize,
    inline: Vec<Open>,
    depth: usize,
    base: Vec<String>,
    found: Vec<Raw>,
    children: BTreeSet<Vec<String>>,
}

/// Every path the file names. `base` is the file's own module path.
pub(crate) fn named_paths(tokens: &[Token], base: &[String]) -> Vec<Named> {
    let mut walk = Walk {
        tokens,
        at: 0,
        inline: Vec::new(),
        depth: 0,
        base: base.to_vec(),
        found: Vec::new(),
        children: BTreeSet::new(),
    };
    while walk.at < tokens.len() {
        walk.step();
    }
    resolve(&walk.found, &walk.children)
}

/// Words that may stand right before a path that begins with `::`.
const KEYWORDS: &[&str] = &[
    "as", "await", "break", "const", "dyn", "else", "for", "if", "impl", "in", "let", "match", "move", "mut",
    "ref", "return", "static", "unsafe", "where", "while", "yield",
];

impl Walk<'_> {
    fn token(&self, offset: usize) -> Option<&Token> {
        self.tokens.get(self.at + offset)
    }

    fn mark(&self, offset: usize, mark: char) -> bool {
        self.token(offset).is_some_and(|token| token.is_mark(mark))
    }

    fn colons(&self, offset: usize) -> bool {
        self.mark(offset, ':') && self.mark(offset + 1, ':')
    }

    fn before(&self, back: usize) -> Option<&Token> {
        self.at.checked_sub(back).and_then(|at| self.tokens.get(at))
    }

    fn module(&self) -> Vec<String> {
        let mut module = self.base.clone();
        module.extend(self.inline.iter().map(|open| open.name.clone()));
        module
    }

    fn step(&mut self) {
        let Some(token) = self.token(0).cloned() else {
            return;
        };
        match &token.kind {
            Kind::Mark('{') => {
                self.depth += 1;
                self.at += 1;
            }
            Kind::Mark('}') => {
                self.depth = self.depth.saturating_sub(1);
                if self.inline.last().is_some_and(|open| open.depth == self.depth) {
                    self.inline.pop();
                }
                self.at += 1;
            }
            Kind::Word(word) if word == "mod" => self.module_item(),
            Kind::Word(word) if word == "use" => self.use_item(token.line),
            Kind::Word(word) if word == "extern" && self.token(1).is_some_and(|t| t.is_word("crate")) => {
                self.extern_crate(token.line);
            }
            Kind::Word(word) if KEYWORDS.contains(&word.as_str()) => self.at += 1,
            Kind::Word(_) => self.plain(token.line),
            Kind::Mark(_) | Kind::Text(_) => self.at += 1,
        }
    }

    fn in_test(&self) -> bool {
        self.inline.iter().any(|open| open.test)
    }

    /// Whether the item at hand has `#[cfg(test)]` right above it.
    fn under_cfg_test(&self) -> bool {
        let before = |back: usize| self.before(back).map(|token| &token.kind);
        let is = |back: usize, mark: char| before(back) == Some(&Kind::Mark(mark));
        let word = |back: usize, word: &str| self.before(back).is_some_and(|token| token.is_word(word));
        is(1, ']')
            && is(2, ')')
            && word(3, "test")
            && is(4, '(')
            && word(5, "cfg")
            && is(6, '[')
            && is(7, '#')
    }

    fn module_item(&mut self) {
        let name = self.token(1).and_then(Token::word).map(str::to_owned);
        if let Some(name) = name {
            let mut child = self.module();
            child.push(name.clone());
            if self.mark(2, '{') {
                self.children.insert(child);
                let test = self.under_cfg_test();
                self.inline.push(Open {
                    name,
                    depth: self.depth,
                    test,
                });
            } else if self.mark(2, ';') {
                self.children.insert(child);
            }
            self.at += 1;
        }
        self.at += 1;
    }

    fn extern_crate(&mut self, line: usize) {
        let name = self.token(2).and_then(Token::word).unwrap_or_default();
        // `extern crate self` means the package's root.
        let name = if name == "self" { "crate" } else { name }.to_owned();
        let alias = self
            .token(4)
            .filter(|_| self.token(3).is_some_and(|t| t.is_word("as")));
        let alias = alias.and_then(Token::word).map(str::to_owned);
        let raw = Raw {
            segments: vec![name],
            manner: Manner::Import,
            glob: false,
            alias,
            line,
            module: self.module(),
            in_test: self.in_test(),
        };
        self.found.push(raw);
        self.at += 3;
    }

    fn use_item(&mut self, line: usize) {
        // `pub use` and `pub(crate) use` both end right before the keyword.
        let public = self.before(1).is_some_and(|t| t.is_word("pub") || t.is_mark(')'));
        // The `use<..>` of a captured lifetime list is no import.
        if self.mark(1, '<') {
            self.at += 1;
            return;
        }
        self.at += 1;
        let manner = if public { Manner::Export } else { Manner::Import };
        self.use_tree(&[], manner, line);
    }

    fn use_tree(&mut self, prefix: &[String], manner: Manner, line: usize) {
        let mut segments = prefix.to_vec();
        if self.colons(0) {
            self.at += 2;
            segments.push("::".to_owned());
        }
        let (mut glob, mut alias) = (false, None);
        while let Some(token) = self.token(0).cloned() {
            if token.is_mark('{') {
                self.at += 1;
                while self.token(0).is_some_and(|t| !t.is_mark('}')) {
                    if self.mark(0, ',') {
                        self.at += 1;
                    } else {
                        let before = self.at;
                        self.use_tree(&segments, manner, line);
                        self.at = self.at.max(before + 1);
                    }
                }
                self.at += 1;
                return;
            }
            if token.is_mark('*') {
                glob = true;
                self.at += 1;
            } else if token.is_word("as") {
                alias = self.token(1).and_then(Token::word).map(str::to_owned);
                self.at += 2;
            } else if self.colons(0) {
                self.at += 2;
            } else if let Some(word) = token.word() {
                segments.push(word.to_owned());
                self.at += 1;
            } else if token.is_mark('$') {
                self.at += 1;
            } else {
                break;
            }
        }
        // `a::{self}` means `a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        if !segments.is_empty() {
            self.found.push(Raw {
                segments,
                manner,
                glob,
                alias,
                line,
                module: self.module(),
                in_test: self.in_test(),
            });
        }
    }

    fn plain(&mut self, line: usize) {
        let leading =
            self.before(1).is_some_and(|t| t.is_mark(':')) && self.before(2).is_some_and(|t| t.is_mark(':'));
        let method = self.before(1).is_some_and(|t| t.is_mark('.'));
        let mut segments = Vec::new();
        if leading {
            // `::sqlx::query` names a crate; `<T as Trait>::name` goes on after a type.
            let continues = self.before(3).is_some_and(|t| t.is_mark('>'));
            if !continues {
                segments.push("::".to_owned());
            }
        }
        while let Some(word) = self.token(0).and_then(Token::word) {
            segments.push(word.to_owned());
            self.at += 1;
            if self.colons(0) && self.token(2).is_some_and(|t| t.word().is_some()) {
                self.at += 2;
            } else {
                break;
            }
        }
        let shortest = if segments.first().is_some_and(|s| s == "::") {
            3
        } else {
            2
        };
        if !method && segments.len() >= shortest {
            let module = self.module();
            self.found.push(Raw {
                segments,
                manner: Manner::Plain,
                glob: false,
                alias: None,
                line,
                module,
                in_test: self.in_test(),
            });
        }
    }
}

/// What one step of resolution says about a path.
enum Step {
    Here(Vec<String>),
    Bare(Vec<String>),
    Crate(Vec<String>),
}

/// Resolves `crate`, `self`, `super` and the package's own name; a bare path stays bare.
fn anchor(segments: &[String], module: &[String]) -> Step {
    let rest = |from: usize| segments.iter().skip(from).cloned();
    match segments.first().map(String::as_str) {
        Some("crate" | "hoibao") => Step::Here(rest(1).collect()),
        Some("::") if segments.get(1).is_some_and(|s| s == "hoibao") => Step::Here(rest(2).collect()),
        Some("::") => Step::Crate(rest(1).collect()),
        Some("self" | "super") => {
            let mut path = module.to_vec();
            let mut used = 0;
            for segment in segments {
                match segment.as_str() {
                    "self" => {}
                    "super" => {
                        path.pop();
                    }
                    _ => break,
                }
                used += 1;
            }
            path.extend(rest(used));
            Step::Here(path)
        }
        _ => Step::Bare(segments.to_vec()),
    }
}

/// How often an alias may lead to an alias before we stop following.
const ALIAS_DEPTH_MAX: usize = 8;

fn resolve(found: &[Raw], children: &BTreeSet<Vec<String>>) -> Vec<Named> {
    let mut aliases: BTreeMap<&str, Vec<&Raw>> = BTreeMap::new();
    for raw in found
        .iter()
        .filter(|raw| raw.manner != Manner::Plain && !raw.glob)
    {
        let name = raw
            .alias
            .as_deref()
            .or_else(|| raw.segments.last().map(String::as_str));
        aliases.entry(name.unwrap_or_default()).or_default().push(raw);
    }
    let mut named = Vec::new();
    for raw in found {
        let mut targets = Vec::new();
        follow(
            raw,
            &raw.segments,
            &raw.module,
            (&aliases, children),
            ALIAS_DEPTH_MAX,
            &mut targets,
        );
        for (origin, segments) in targets {
            named.push(Named {
                origin,
                segments,
                manner: raw.manner,
                glob: raw.glob,
                alias: raw.alias.clone(),
                in_test: raw.in_test,
                line: raw.line,
            });
        }
    }
    named
}

type Names<'a> = (&'a BTreeMap<&'a str, Vec<&'a Raw>>, &'a BTreeSet<Vec<String>>);

fn follow(
    origin: &Raw,
    segments: &[String],
    module: &[String],
    names: Names<'_>,
    depth: usize,
    targets: &mut Vec<(Origin, Vec<String>)>,
) {
    let bare = match anchor(segments, module) {
        Step::Here(path) => return targets.push((Origin::Here, path)),
        Step::Crate(path) => return targets.push((Origin::Outside, path)),
        Step::Bare(path) => path,
    };
    let first = bare.first().cloned().unwrap_or_default();
    let mut child = module.to_vec();
    child.push(first.clone());
    if names.1.contains(&child) {
        child.extend(bare.iter().skip(1).cloned());
        return targets.push((Origin::Here, child));
    }
    let mut followed = false;
    if depth > 0 {
        for alias in names.0.get(first.as_str()).into_iter().flatten() {
            // A name does not explain itself: `use sqlx;` leads to the crate, not to this line again.
            if std::ptr::eq(*alias, origin) || alias.segments.first() == Some(&first) {
                continue;
            }
            let mut path = alias.segments.clone();
            path.extend(bare.iter().skip(1).cloned());
            follow(alias, &path, &alias.module, names, depth - 1, targets);
            followed = true;
        }
    }
    if !followed {
        targets.push((Origin::Outside, bare));
    }
}
