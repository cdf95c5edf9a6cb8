//! The store's contract: one suite, run on a SQLite file and on a real PostgreSQL.
//!
//! In: `hoibao::edge::store` as the stages see it. Out: red when an acknowledged change can be lost, a refused one can
//! leave something behind, or the two databases part. Each case is written once and stands as two tests by
//! [`on_both`]. Deliberately not here: what a stage makes of the store.

mod broken;
mod child;
mod commit;
mod conflict;
mod engine;
mod facts;
mod fsync;
mod kill;
mod lease;
mod personal;
mod place;
mod road;
mod schema;
mod scratch;
mod statements;

/// Makes two tests of each case: one on a SQLite file, one on PostgreSQL.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($place:ident: &Place) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn case($place: &Place) $body

            #[test]
            fn sqlite() {
                crate::store::place::run(crate::store::place::Engine::Sqlite, case);
            }

            #[test]
            fn postgres() {
                crate::store::place::run(crate::store::place::Engine::Postgres, case);
            }
        }
    )*};
}
use on_both;
