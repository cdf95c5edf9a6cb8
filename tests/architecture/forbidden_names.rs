//! The rules of outside crates, adapter names and the lexer, tried with what they must refuse and must let pass.
//!
//! In: invented files in the invented package of `forbidden.rs`. Out: red when a rule stops biting, or bites the
//! innocent.

use super::forbidden::{allowed, refused};
use super::rules::{Source, violations};

#[test]
fn code_from_elsewhere() {
    refused(
        "src/domain/phone.rs",
        "#[path = \"../edge/store/mod.rs\"]\nmod store;",
        "puts a file into another room",
    );
    refused(
        "src/domain/phone.rs",
        "include!(\"../stage/dispatch.rs\");",
        "brings in code",
    );
    allowed(
        "src/domain/phone.rs",
        "const A: &str = include_str!(\"a.csv\");\nfn f(path: &str) {}",
    );
}

#[test]
fn outside_crates() {
    refused(
        "src/stage/intake.rs",
        "use sqlx::Row;",
        "the crate `sqlx` is only for src/edge/store/",
    );
    refused(
        "src/domain/phone.rs",
        "#[tokio::test]\nasync fn f() {}",
        "the crate `tokio` is only for",
    );
    refused(
        "src/domain/phone.rs",
        "fn f() { tracing::info!(\"x\") }",
        "the crate `tracing` is only for",
    );
    refused(
        "src/domain/time.rs",
        "fn f() { backoff::Backoff::next() }",
        "only for src/domain/retry.rs",
    );
    refused(
        "src/edge/carrier/mod.rs",
        "use reqwest::Client;",
        "the crate `reqwest` is only for",
    );
    refused(
        "src/edge/store/mod.rs",
        "use axum::Router;",
        "the crate `axum` is only for",
    );
    refused(
        "src/stage/intake.rs",
        "use {std::fmt, anyhow::Context};",
        "the crate `anyhow` is only for src/app/",
    );
    refused(
        "src/web/mod.rs",
        "#[derive(clap::Parser)]\nstruct A;",
        "the crate `clap` is only for src/app/",
    );
    refused(
        "src/main.rs",
        "extern crate indicatif;",
        "the crate `indicatif` is only for src/app/",
    );
    refused(
        "src/worker.rs",
        "fn f() { return ::tracing_subscriber::fmt::init(); }",
        "`tracing_subscriber` is only for",
    );
    refused(
        "src/stage/intake.rs",
        "use csv as table;",
        "the crate `csv` is only for",
    );
    refused(
        "src/domain/time.rs",
        "use std::{fmt, time::{Duration, SystemTime}};",
        "is not for `src/domain/`",
    );
    allowed("src/edge/store/mod.rs", "use sqlx::{Row, query};");
    allowed("src/edge/carrier/transport.rs", "use reqwest::Client;");
    allowed("src/domain/retry.rs", "use backoff::backoff::Backoff;");
}

#[test]
fn outside_crates_in_test_modules() {
    let seeded = "#[cfg(test)]\nmod tests { fn f() { fastrand::Rng::with_seed(1); } }";
    allowed("src/domain/phone.rs", seeded);
    let seeded_and_after = format!("{seeded}\nfn f() {{ fastrand::u8(..); }}");
    refused(
        "src/domain/phone.rs",
        &seeded_and_after,
        "the crate `fastrand` is only for",
    );
    let quiet = "#[cfg(test)]\nmod tests { use tracing::info; }";
    refused("src/domain/phone.rs", quiet, "the crate `tracing` is only for");
}

#[test]
fn the_domain_reads_no_clock() {
    let message = "`std::time::Instant::now` is not for `src/domain/`";
    refused(
        "src/domain/phone.rs",
        "fn f() { std::time::Instant::now(); }",
        message,
    );
    refused(
        "src/domain/phone.rs",
        "use std::time::Instant as I;\nfn f() { I::now(); }",
        message,
    );
    refused(
        "src/domain/phone.rs",
        "use core::time;\nuse std::fs;",
        "`std::fs` is not for `src/domain/`",
    );
    allowed("src/domain/phone.rs", "struct Stopped(std::time::Instant);");
    allowed("src/edge/carrier/mod.rs", "use std::fs;");
}

#[test]
fn adapter_names() {
    let message = "names the adapter `myvnpost` outside its folder";
    refused(
        "src/stage/intake.rs",
        "fn f(a: &str) -> bool { a == \"myvnpost\" }",
        message,
    );
    refused("src/domain/phone.rs", "enum Carrier { MyVnPost, Other }", message);
    refused(
        "src/edge/carrier/mod.rs",
        "pub mod myvnpost;\nfn f() { myvnpost::create(); }",
        message,
    );
    refused(
        "src/edge/carrier/viettelpost/mod.rs",
        "const A: &str = r#\"MyVNPost\"#;",
        message,
    );
    refused(
        "src/web/mod.rs",
        "const A: &str = \"vnp-hcc\";",
        "names the adapter `vnp_hcc`",
    );
    allowed(
        "src/edge/carrier/mod.rs",
        "pub mod myvnpost;\npub mod viettelpost;",
    );
    allowed(
        "src/edge/carrier/myvnpost/mod.rs",
        "pub struct MyVnPost;\nconst A: &str = \"myvnpost\";",
    );
    allowed("src/app/mod.rs", "use crate::edge::carrier::myvnpost::MyVnPost;");
    allowed("src/stage/intake.rs", "// What MyVNPost says is a hint only.");
}

#[test]
fn the_simulator_shares_nothing() {
    refused(
        "src/simulator/mod.rs",
        "use crate::edge::carrier::Outcome;",
        "`simulator` may not import",
    );
    refused(
        "src/simulator/mod.rs",
        "use crate::domain::phone::Phone;",
        "may not import `domain::phone::Phone`",
    );
    refused(
        "src/simulator/mod.rs",
        "use crate::domain::time_zone;",
        "may not import `domain::time_zone`",
    );
    allowed(
        "src/simulator/mod.rs",
        "use crate::domain::time::{Clock, Timestamp};\nuse axum::Router;",
    );
}

#[test]
fn words_in_comments_and_strings_are_no_imports() {
    allowed(
        "src/domain/phone.rs",
        "// use crate::stage::dispatch;\nconst A: u8 = 1;",
    );
    allowed(
        "src/domain/phone.rs",
        "/* a /* nested */ use crate::stage::dispatch; */ const A: u8 = 1;",
    );
    allowed(
        "src/domain/phone.rs",
        "const A: &str = \"use crate::stage::dispatch; \\\" sqlx::query\";",
    );
    allowed(
        "src/domain/phone.rs",
        "const A: &str = r##\"a \"# use crate::web::serve; \"##;",
    );
    allowed(
        "src/domain/phone.rs",
        "const A: (char, char) = ('\"', '\\'');\nconst B: &str = \"crate::web::serve\";",
    );
    allowed(
        "src/domain/phone.rs",
        "/// See [`crate::edge::store`].\nfn f<'a>(a: &'a str) -> &'a str { a }",
    );
}

#[test]
fn imports_after_comments_and_strings_are_seen() {
    let message = "may not import `stage::dispatch::tick`";
    refused(
        "src/domain/phone.rs",
        "/* /* a */ */ use crate::stage::dispatch::tick;",
        message,
    );
    refused(
        "src/domain/phone.rs",
        "const A: &str = \"// /*\"; use crate::stage::dispatch::tick;",
        message,
    );
    refused(
        "src/domain/phone.rs",
        "const A: char = '\"'; use crate::stage::dispatch::tick; // \"",
        message,
    );
    refused(
        "src/domain/phone.rs",
        "const A: &str = r#\"\\\"#; use crate::stage::dispatch::tick;",
        message,
    );
    refused(
        "src/domain/phone.rs",
        "use crate /* x */ :: stage // y\n :: r#dispatch :: tick;",
        message,
    );
}

#[test]
fn files_introduce_themselves_and_stay_short() {
    let bare = vec![Source {
        path: "src/worker.rs".to_owned(),
        text: "use std::fmt;\n".to_owned(),
    }];
    assert_eq!(violations(&bare).len(), 1, "{:?}", violations(&bare));
    let line = "const A: u8 = 1;\n";
    allowed("src/worker.rs", &line.repeat(599));
    refused("src/worker.rs", &line.repeat(600), "601 lines, at most 600");
}
