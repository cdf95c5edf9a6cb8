//! Cuts Rust text into the few tokens the import rules need.
//!
//! In: the text of one file. Out: identifiers, punctuation and string contents with their lines; comments, character
//! literals, lifetimes and numbers are gone. Deliberately not here: grammar. A word inside a comment or a string is
//! never an identifier, which is the reason why this is not a search for text.

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word, without the `r#` of a raw one.
    Word(String),
    /// One character of punctuation.
    Mark(char),
    /// The inside of a string literal of any kind, escapes left as written.
    Text(String),
}

/// A token and the line it starts on, counted from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it stands.
    pub(crate) line: usize,
}

impl Token {
    /// Whether this is the given word.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(found) if found == word)
    }

    /// Whether this is the given mark.
    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// The word, when it is one.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            Kind::Mark(_) | Kind::Text(_) => None,
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

/// All tokens of `text`, in order.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    while let Some(next) = lexer.peek(0) {
        lexer.step(next);
    }
    lexer.tokens
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn push(&mut self, kind: Kind, line: usize) {
        self.tokens.push(Token { kind, line });
    }

    fn step(&mut self, next: char) {
        match next {
            '/' if self.peek(1) == Some('/') => {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.advance();
                }
            }
            '/' if self.peek(1) == Some('*') => self.block_comment(),
            '"' => self.string(),
            '\'' => self.quote(),
            c if c.is_ascii_digit() => self.number(),
            c if c == '_' || c.is_alphabetic() => self.word(),
            c if c.is_whitespace() => {
                self.advance();
            }
            c => {
                let line = self.line;
                self.advance();
                self.push(Kind::Mark(c), line);
            }
        }
    }

    /// Block comments nest in Rust.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.advance();
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.advance();
                }
                (None, _) => return,
                _ => {}
            }
            self.advance();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        let line = self.line;
        self.advance();
        let mut text = String::new();
        while let Some(next) = self.advance() {
            match next {
                '"' => break,
                '\\' => {
                    text.push('\\');
                    text.extend(self.advance());
                }
                other => text.push(other),
            }
        }
        self.push(Kind::Text(text), line);
    }

    fn raw_string(&mut self, hashes: usize) {
        let line = self.line;
        for _ in 0..=hashes {
            self.advance();
        }
        let mut text = String::new();
        while let Some(next) = self.advance() {
            if next == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                for _ in 0..hashes {
                    self.advance();
                }
                break;
            }
            text.push(next);
        }
        self.push(Kind::Text(text), line);
    }

    /// A character literal, or a lifetime or label: neither says anything about imports.
    fn quote(&mut self) {
        self.advance();
        if self.peek(0) == Some('\\') {
            self.advance();
            self.advance();
            while self.advance().is_some_and(|c| c != '\'') {}
        } else if self.peek(1) == Some('\'') {
            self.advance();
            self.advance();
        } else {
            while self.peek(0).is_some_and(|c| c == '_' || c.is_alphanumeric()) {
                self.advance();
            }
        }
    }

    /// `1_000u64`, `0xff`, and of `1.5` or `0..9` the part before the dot.
    fn number(&mut self) {
        while self.peek(0).is_some_and(|c| c == '_' || c.is_alphanumeric()) {
            self.advance();
        }
    }

    fn word(&mut self) {
        let line = self.line;
        let mut word = String::new();
        while let Some(next) = self.peek(0).filter(|c| *c == '_' || c.is_alphanumeric()) {
            word.push(next);
            self.advance();
        }
        let hashes = self.chars.iter().skip(self.at).take_while(|c| **c == '#').count();
        let quoted = self.peek(hashes) == Some('"');
        match word.as_str() {
            "r" | "br" | "cr" if quoted => self.raw_string(hashes),
            "b" | "c" if self.peek(0) == Some('"') => self.string(),
            "b" if self.peek(0) == Some('\'') => self.quote(),
            "r" if hashes == 1 => {
                self.advance();
                self.word();
            }
            _ => self.push(Kind::Word(word), line),
        }
    }
}
