//! The rules of rooms, tried with what they must refuse and with what they must let pass.
//!
//! In: invented files in an invented package. Out: red when a rule stops biting, or bites the innocent.

use super::rules::{Source, violations};

/// The modules that the invented package has beside the file under test.
const AROUND: &[&str] = &[
    "src/lib.rs",
    "src/domain/mod.rs",
    "src/domain/phone.rs",
    "src/domain/retry.rs",
    "src/domain/time.rs",
    "src/edge/mod.rs",
    "src/edge/store/mod.rs",
    "src/edge/carrier/mod.rs",
    "src/edge/carrier/transport.rs",
    "src/edge/carrier/myvnpost/mod.rs",
    "src/edge/carrier/viettelpost/mod.rs",
    "src/edge/dossier/mod.rs",
    "src/stage/mod.rs",
    "src/stage/context.rs",
    "src/stage/dispatch.rs",
    "src/stage/intake.rs",
    "src/web/mod.rs",
    "src/worker.rs",
    "src/simulator/mod.rs",
    "src/app/mod.rs",
];

pub(super) fn found(path: &str, text: &str) -> Vec<String> {
    let mut files: Vec<Source> = AROUND
        .iter()
        .filter(|around| **around != path)
        .map(|around| Source {
            path: (*around).to_owned(),
            text: "//! Around.\n".to_owned(),
        })
        .collect();
    files.push(Source {
        path: path.to_owned(),
        text: format!("//! Under test.\n{text}"),
    });
    violations(&files)
}

/// The text must be refused, with a message that says so much.
#[track_caller]
pub(super) fn refused(path: &str, text: &str, message: &str) {
    let found = found(path, text);
    let said = found
        .iter()
        .any(|line| line.starts_with(path) && line.contains(message));
    assert!(said, "{text}\nin {path}: expected {message:?}, found {found:#?}");
}

#[track_caller]
pub(super) fn allowed(path: &str, text: &str) {
    let found = found(path, text);
    assert!(found.is_empty(), "{text}\nin {path}: found {found:#?}");
}

#[test]
fn upward_imports() {
    refused(
        "src/domain/phone.rs",
        "use crate::edge::store::Store;",
        "`domain` may not import `edge::store::Store`",
    );
    refused(
        "src/edge/store/mod.rs",
        "use crate::stage::context::Context;",
        "`edge::store` may not import",
    );
    refused(
        "src/stage/intake.rs",
        "use crate::worker::Worker;",
        "`stage::intake` may not import `worker::Worker`",
    );
    refused(
        "src/stage/intake.rs",
        "fn f() -> crate::web::Page { todo() }",
        "may not import `web::Page`",
    );
    refused(
        "src/web/mod.rs",
        "use crate::app::Config;",
        "`web` may not import `app::Config`",
    );
    refused(
        "src/worker.rs",
        "use crate::web::Router;",
        "`worker` may not import `web::Router`",
    );
    refused(
        "src/main.rs",
        "fn main() { hoibao::stage::intake::tick(); }",
        "`main` may not import",
    );
}

#[test]
fn skipping_a_room() {
    refused(
        "src/web/mod.rs",
        "use crate::edge::store::Store;",
        "`web` may not import `edge::store::Store`",
    );
    refused(
        "src/worker.rs",
        "use crate::edge::carrier::Transport;",
        "`worker` may not import",
    );
}

#[test]
fn sibling_stages() {
    let message = "`stage::intake` may not import `stage::dispatch";
    refused(
        "src/stage/intake.rs",
        "use crate::stage::dispatch::tick;",
        message,
    );
    refused("src/stage/intake.rs", "use crate::stage::dispatch;", message);
    refused(
        "src/stage/intake/check.rs",
        "use crate::stage::dispatch;",
        message,
    );
    refused(
        "src/stage/context.rs",
        "use super::intake::tick;",
        "`stage::context` may not import `stage::intake::tick`",
    );
}

#[test]
fn sibling_edges() {
    refused(
        "src/edge/store/mod.rs",
        "use crate::edge::carrier::Outcome;",
        "`edge::store` may not import",
    );
    refused(
        "src/edge/dossier/mod.rs",
        "use super::store::Store;",
        "`edge::dossier` may not import",
    );
    refused(
        "src/edge/carrier/mod.rs",
        "use crate::edge::dossier::Client;",
        "`edge::carrier` may not import",
    );
    let file = "src/edge/carrier/viettelpost/mod.rs";
    refused(
        file,
        "use super::myvnpost::wire::Order;",
        "`edge::carrier::viettelpost` may not import",
    );
    refused(
        file,
        "use crate::edge::store::Store;",
        "`edge::carrier::viettelpost` may not import",
    );
}

#[test]
fn relative_paths() {
    refused(
        "src/stage/intake.rs",
        "use super::dispatch::tick;",
        "may not import `stage::dispatch::tick`",
    );
    refused(
        "src/edge/store/mod.rs",
        "use super::super::stage::intake;",
        "may not import `stage::intake`",
    );
    refused(
        "src/edge/store/mod.rs",
        "fn f() { super::super::web::serve(); }",
        "may not import `web::serve`",
    );
    refused(
        "src/stage/intake.rs",
        "mod inner { use super::super::dispatch::tick; }",
        "may not import `stage::dispatch",
    );
    refused(
        "src/stage/mod.rs",
        "use self::intake::tick;",
        "`stage` may not import `stage::intake::tick`",
    );
    refused(
        "src/stage/mod.rs",
        "pub mod intake;\nfn f() { intake::tick(); }",
        "may not import `stage::intake::tick`",
    );
}

#[test]
fn grouped_imports() {
    let text =
        "use crate::{domain::{self, phone::Phone}, stage::{context::Context, dispatch::{tick, Other as O}}};";
    refused(
        "src/stage/intake.rs",
        text,
        "may not import `stage::dispatch::tick`",
    );
    refused(
        "src/stage/intake.rs",
        text,
        "may not import `stage::dispatch::Other`",
    );
    refused(
        "src/stage/intake.rs",
        "use super::{super::worker::{self}};",
        "may not import `worker`",
    );
    assert_eq!(
        found("src/stage/intake.rs", text).len(),
        2,
        "only the two wrong leaves are refused"
    );
}

#[test]
fn the_packages_own_name() {
    refused(
        "src/domain/phone.rs",
        "use hoibao::stage::intake::tick;",
        "may not import `stage::intake::tick`",
    );
    refused(
        "src/domain/phone.rs",
        "fn f() { ::hoibao::web::serve() }",
        "may not import `web::serve`",
    );
}

#[test]
fn re_exports() {
    let message = "re-exports `edge::store::Store` out of its room";
    refused("src/stage/mod.rs", "pub use crate::edge::store::Store;", message);
    refused(
        "src/stage/context.rs",
        "pub(crate) use crate::edge::store::{Store};",
        message,
    );
    refused(
        "src/lib.rs",
        "pub mod edge;\npub use edge::store::Store;",
        message,
    );
    refused(
        "src/edge/store/mod.rs",
        "pub use sqlx::Row;",
        "re-exports `sqlx::Row`",
    );
    allowed(
        "src/edge/store/mod.rs",
        "mod queue;\npub use queue::Queue;\npub(crate) use self::queue::Lease;",
    );
}

#[test]
fn the_root_under_another_name() {
    let message = "the package's root";
    refused("src/stage/intake.rs", "use crate as everything;", message);
    refused("src/stage/intake.rs", "use hoibao as everything;", message);
    refused("src/stage/intake.rs", "use crate::{self as everything};", message);
    refused("src/worker.rs", "use super as everything;", message);
    refused(
        "src/stage/intake.rs",
        "extern crate hoibao as everything;",
        message,
    );
    refused("src/stage/intake.rs", "extern crate self as everything;", message);
}

#[test]
fn globs() {
    refused("src/stage/intake.rs", "use crate::*;", "the package's root");
    refused(
        "src/stage/intake.rs",
        "use super::*;",
        "imports everything of `stage`",
    );
    refused(
        "src/domain/phone.rs",
        "use crate::edge::*;",
        "may not import `edge`",
    );
    refused("src/edge/store/mod.rs", "use crate::{stage::*};", "`stage`");
    allowed("src/stage/intake.rs", "mod tests { use super::*; }");
    allowed("src/stage/intake.rs", "use crate::domain::phone::*;");
}

#[test]
fn aliases_are_followed() {
    let message = "may not import `stage::dispatch::tick`";
    refused(
        "src/stage/intake.rs",
        "use crate::stage;\nfn f() { stage::dispatch::tick(); }",
        message,
    );
    refused(
        "src/stage/intake.rs",
        "use crate::stage as road;\nfn f() { road::dispatch::tick(); }",
        message,
    );
    refused(
        "src/stage/intake.rs",
        "use super as up;\nuse up::dispatch as d;\nfn f() { d::tick(); }",
        message,
    );
    refused(
        "src/domain/phone.rs",
        "use ::sqlx as quiet;",
        "the crate `sqlx` is only for",
    );
}

#[test]
fn macros() {
    refused(
        "src/web/mod.rs",
        "fn f() { crate::edge::store::run!(tx); }",
        "may not import `edge::store::run`",
    );
    let text = "macro_rules! m { () => { $crate::stage::dispatch::tick() }; }";
    refused(
        "src/edge/store/mod.rs",
        text,
        "may not import `stage::dispatch::tick`",
    );
    refused(
        "src/edge/store/mod.rs",
        "#[macro_export]\nmacro_rules! m { () => {}; }",
        "lifts a macro out of its room",
    );
    refused(
        "src/lib.rs",
        "#[macro_use]\npub mod edge;",
        "opens a room's macros",
    );
    refused(
        "src/web/mod.rs",
        "fn f() { crate::run!(); }",
        "names `run`, which is in no room",
    );
}

#[test]
fn test_modules_obey_the_same_table() {
    let text = "#[cfg(test)]\nmod tests { use crate::stage::dispatch::tick; }";
    refused(
        "src/stage/intake.rs",
        text,
        "may not import `stage::dispatch::tick`",
    );
}

#[test]
fn generic_arguments_and_attributes_are_read() {
    let text = "fn f() -> Vec<crate::web::Page> { Vec::<crate::web::Page>::new() }";
    assert_eq!(found("src/stage/intake.rs", text).len(), 2);
    refused(
        "src/stage/intake.rs",
        "#[crate::web::route]\nfn f() {}",
        "may not import `web::route`",
    );
    refused(
        "src/stage/intake.rs",
        "impl<T: crate::web::Page> A for T {}",
        "may not import `web::Page`",
    );
}

#[test]
fn what_the_table_allows() {
    allowed(
        "src/stage/intake.rs",
        "use crate::domain::phone::Phone;\nuse super::context::Context;\nuse super::Advice;",
    );
    allowed(
        "src/stage/intake.rs",
        "use crate::edge::store::Store;\nfn f<'a>() { 'l: loop { break 'l } }",
    );
    allowed(
        "src/stage/context.rs",
        "use crate::edge::carrier::Registry;\nuse super::Advice;",
    );
    allowed(
        "src/edge/carrier/viettelpost/mod.rs",
        "use crate::edge::carrier::Outcome;\nuse super::transport::Sent;",
    );
    allowed(
        "src/web/mod.rs",
        "use crate::stage::{dispatch, intake};\nfn f() { intake::enqueue(); dispatch::x(); }",
    );
    allowed(
        "src/worker.rs",
        "use crate::stage::dispatch::tick;\nuse std::time::Duration;",
    );
    allowed(
        "src/main.rs",
        "fn main() -> std::process::ExitCode { hoibao::app::main() }",
    );
}

#[test]
fn rooms_that_the_table_does_not_know() {
    refused(
        "src/helper.rs",
        "const A: u8 = 1;",
        "lies in no room of the table",
    );
    refused(
        "src/helper/mod.rs",
        "const A: u8 = 1;",
        "lies in no room of the table",
    );
    allowed("src/web/helper.rs", "const A: u8 = 1;");
}
