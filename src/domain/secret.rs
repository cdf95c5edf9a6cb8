//! Room `domain`: wrappers for values that must not be printed.
//!
//! In: any value. Out: the same value through [`Secret::expose`] or [`Personal::expose`] only; `Debug` and `Display`
//! show a fixed word. Deliberately not here: encryption (the store) and comparing tokens by digest (the edge).

use std::fmt;

use zeroize::Zeroize;

/// A key, password or token: never printed, overwritten in memory when dropped.
///
/// There is no `PartialEq`: an ordinary comparison stops at the first difference and so tells how much was right.
/// Use [`Secret::matches`].
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each call is a place to review.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Compares in a time that depends on the lengths only.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_ref(), candidate).into()
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A value about a person: never printed by accident (Law 91/2025/QH15 on personal data).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each call is a place to review.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Gives the value up.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

impl<T> fmt::Display for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Nothing of the value comes out, also not inside another structure or with `{:#?}`.
    #[test]
    fn nothing_of_the_value_is_printed() {
        let secret = Secret::new("hunter2".to_owned());
        let person = Personal::new("Nguyễn Thị Thử".to_owned());
        assert_eq!(
            format!("{secret} {secret:?} {:#?}", Some(&secret)),
            "[secret] [secret] Some(\n    [secret],\n)"
        );
        assert_eq!(format!("{person} {person:?}"), "[personal] [personal]");
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(person.clone().into_exposed(), *person.expose());
    }

    #[test]
    fn a_secret_matches_only_itself() {
        let secret = Secret::new(b"key-1".to_vec());
        assert!(secret.matches(b"key-1"));
        assert!(!secret.matches(b"key-2"));
        assert!(!secret.matches(b"key-11"));
        assert!(!secret.matches(b""));
    }

    /// Drop calls `zeroize` on the value.
    #[test]
    fn a_dropped_secret_is_overwritten() {
        static WIPED: AtomicBool = AtomicBool::new(false);
        struct Probe;
        impl Zeroize for Probe {
            fn zeroize(&mut self) {
                WIPED.store(true, Ordering::SeqCst);
            }
        }
        drop(Secret::new(Probe));
        assert!(WIPED.load(Ordering::SeqCst));
    }
}
