//! The import table as data: design section 4, "Rooms and allowed imports".
//!
//! `domain` <- `edge` <- `stage` <- `worker`, `web` <- `app` <- `main`: arrows point down only, siblings are closed.
//! Change a row here only together with the reason for it in ARCHITECTURE.md. Deliberately not here: how a file is read.

/// What a room may import from this package.
#[derive(Clone, Copy, Debug)]
pub(crate) enum May {
    /// Items of exactly this room, not of the rooms inside it.
    Room(&'static str),
    /// This module and everything beneath it.
    Tree(&'static str),
}

/// One room. A file belongs to the room with the longest path that fits; `*` stands for one name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Module path from the root.
    pub(crate) path: &'static str,
    /// What it may import beside itself.
    pub(crate) may: &'static [May],
}

/// The postal operators' adapters. Their names appear in their own folders, in data files and in `app`, and in the
/// simulator, which plays the operator under its own name and shares nothing else with the adapter.
pub(crate) const ADAPTERS: &[&str] = &["myvnpost", "viettelpost", "vnp_hcc"];

/// Where an adapter may be named beside its own folder under `src/edge/carrier/`.
pub(crate) const ADAPTER_NAMES_IN: &[&str] = &["src/app/", "src/simulator/"];

/// Declares the adapters' modules, and may name them for that alone.
pub(crate) const ADAPTER_DOOR: &str = "src/edge/carrier/mod.rs";

const ADAPTER_MAY: &[May] = &[May::Tree("domain"), May::Room("edge::carrier")];
const DOMAIN_ONLY: &[May] = &[May::Tree("domain")];

/// All rooms.
pub(crate) const ROOMS: &[Room] = &[
    // The root declares modules and imports nothing.
    Room { path: "", may: &[] },
    Room {
        path: "main",
        may: &[May::Tree("app")],
    },
    Room {
        path: "domain",
        may: &[],
    },
    Room {
        path: "edge",
        may: DOMAIN_ONLY,
    },
    Room {
        path: "edge::store",
        may: DOMAIN_ONLY,
    },
    Room {
        path: "edge::carrier",
        may: DOMAIN_ONLY,
    },
    Room {
        path: "edge::carrier::myvnpost",
        may: ADAPTER_MAY,
    },
    Room {
        path: "edge::carrier::viettelpost",
        may: ADAPTER_MAY,
    },
    Room {
        path: "edge::carrier::vnp_hcc",
        may: ADAPTER_MAY,
    },
    Room {
        path: "edge::dossier",
        may: DOMAIN_ONLY,
    },
    Room {
        path: "edge::document",
        may: DOMAIN_ONLY,
    },
    Room {
        path: "stage",
        may: &[May::Tree("domain"), May::Tree("edge")],
    },
    Room {
        path: "stage::context",
        may: &[May::Tree("domain"), May::Tree("edge"), May::Room("stage")],
    },
    Room {
        path: "stage::*",
        may: &[
            May::Tree("domain"),
            May::Tree("edge"),
            May::Room("stage"),
            May::Room("stage::context"),
        ],
    },
    Room {
        path: "worker",
        may: &[May::Tree("domain"), May::Tree("stage")],
    },
    Room {
        path: "web",
        may: &[May::Tree("domain"), May::Tree("stage")],
    },
    // Shares no type with the adapters: a mistake made twice would cancel out and hide.
    Room {
        path: "simulator",
        may: &[May::Tree("domain::time")],
    },
    Room {
        path: "app",
        may: &[
            May::Tree("domain"),
            May::Tree("edge"),
            May::Tree("stage"),
            May::Tree("worker"),
            May::Tree("web"),
            May::Tree("simulator"),
        ],
    },
];

/// Rooms that ARCHITECTURE.md must show in its code map.
pub(crate) const CODE_MAP: &[&str] = &[
    "src/domain/",
    "src/edge/store/",
    "src/edge/carrier/",
    "src/edge/dossier/",
    "src/edge/document/",
    "src/stage/",
    "src/worker.rs",
    "src/web/",
    "src/simulator/",
    "src/app/",
    "src/main.rs",
];

const ANYWHERE: &[&str] = &["src/"];
const NOT_DOMAIN: &[&str] = &[
    "src/edge/",
    "src/stage/",
    "src/worker",
    "src/web/",
    "src/simulator/",
    "src/app/",
    "src/main.rs",
];
const APP: &[&str] = &["src/app/"];
const HTTP_IN: &[&str] = &["src/web/", "src/simulator/", "src/app/"];
const HTTP_OUT: &[&str] = &[
    "src/edge/carrier/transport",
    "src/edge/dossier/transport",
    "src/edge/dossier/client",
    "src/simulator/",
    "src/app/",
];

/// Outside crates, by their name in code, and the paths under which a file may name them. Each dependency in Cargo.toml
/// has a row, so that a new one needs a thought.
pub(crate) const OUTSIDE: &[(&str, &[&str])] = &[
    ("anyhow", APP),
    ("axum", HTTP_IN),
    ("backoff", &["src/domain/retry.rs"]),
    ("base64", ANYWHERE),
    ("calamine", &["src/stage/import/"]),
    ("chacha20poly1305", ANYWHERE),
    ("clap", APP),
    ("clap_complete", APP),
    (
        "csv",
        &[
            "src/app/",
            "src/domain/calendar",
            "src/edge/carrier/myvnpost/",
            "src/stage/import/",
        ],
    ),
    // No randomness in the domain: it takes a generator.
    ("fastrand", NOT_DOMAIN),
    ("futures_util", NOT_DOMAIN),
    ("getrandom", NOT_DOMAIN),
    ("governor", &["src/web/", "src/app/"]),
    ("hmac", ANYWHERE),
    // The gateway's own door and the simulator's: `axum::serve` bounds neither heads nor connections.
    ("hyper", &["src/app/door", "src/simulator/"]),
    ("hyper_util", &["src/app/door", "src/simulator/"]),
    ("indicatif", APP),
    ("jiff", ANYWHERE),
    ("metrics", NOT_DOMAIN),
    ("metrics_exporter_prometheus", APP),
    ("reqwest", HTTP_OUT),
    // Free space of a disk.
    ("rustix", &["src/app/command/doctor"]),
    (
        "rustls",
        &[
            "src/main.rs",
            "src/app/",
            "src/edge/carrier/transport",
            "src/edge/dossier/",
            "src/simulator/",
        ],
    ),
    ("serde", ANYWHERE),
    ("serde_json", ANYWHERE),
    ("sha2", ANYWHERE),
    ("sqlx", &["src/edge/store/"]),
    ("subtle", ANYWHERE),
    ("tempfile", NOT_DOMAIN),
    ("thiserror", ANYWHERE),
    ("tokio", NOT_DOMAIN),
    ("tokio_util", NOT_DOMAIN),
    ("toml", ANYWHERE),
    ("tower", HTTP_IN),
    ("tower_http", HTTP_IN),
    ("tracing", NOT_DOMAIN),
    ("tracing_subscriber", APP),
    ("unicode_normalization", ANYWHERE),
    ("uuid", ANYWHERE),
    ("zeroize", ANYWHERE),
    // Counts what a workbook holds before it is unpacked.
    ("zip", &["src/stage/import/"]),
];

/// What a module under `#[cfg(test)]` may name beyond [`OUTSIDE`]: crate and path. Nothing else is excepted for tests.
pub(crate) const OUTSIDE_IN_TESTS: &[(&str, &str)] = &[
    // Property tests shuffle facts with a seeded generator; the rooms themselves take theirs.
    ("fastrand", "src/domain/"),
    // The access log is read back, to prove that no path and no query stands in it.
    ("tracing_subscriber", "src/web/middleware"),
];

/// Parts of the standard library that are not for these paths.
pub(crate) const STD_NOT_IN: &[(&str, &str)] = &[
    ("std::env", "src/domain/"),
    ("std::fs", "src/domain/"),
    ("std::net", "src/domain/"),
    ("std::process", "src/domain/"),
    ("std::thread", "src/domain/"),
    // The type may be named, for a calculator that asks for one; the clock may not be read.
    ("std::time::Instant::now", "src/domain/"),
    ("std::time::SystemTime", "src/domain/"),
];

/// No file of Rust is longer.
pub(crate) const LINES_MAX: usize = 600;
