//! A real PostgreSQL that the tests (and benches, by `#[path]`) start themselves.
//!
//! In: the newest server found under `/usr/lib/postgresql` or on the `PATH`. Out: the address of a fresh, empty database
//! for each caller, in one private cluster per process, in a temporary folder, on a free port of 127.0.0.1. The cluster
//! dies with the process, even when that is killed: a guard waits for the end of a pipe that only the process holds
//! open. Deliberately not here: a way to go on without PostgreSQL. A missing one fails the tests.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where Debian and its kin keep the server's programs, one folder per version.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// What is started here. `psql` comes with the server on Debian.
const PROGRAMS: &[&str] = &["initdb", "pg_ctl", "postgres", "psql"];

/// The role that owns the cluster and, as its only user, is its superuser.
const ROLE: &str = "hoibao";

/// How often a start is tried when another process took the free port in between.
const STARTS_MAX: u32 = 5;

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The server's own defaults: `fsync`, `synchronous_commit` and `full_page_writes` on.
    Durable,
    /// All three off: for a suite that measures nothing and crashes nothing.
    Fast,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostgresError {
    /// No server was found; says what to install.
    #[error(
        "no PostgreSQL server found: looked for initdb, pg_ctl, postgres and psql in {DEBIAN_FOLDER}/*/bin and on the PATH; \
         install Debian's package `postgresql` (apt-get install postgresql), or run scripts/test, which does that"
    )]
    Missing,
    /// Root may not run the server, and no user was found that may.
    #[error(
        "PostgreSQL does not run as root, and neither setpriv nor runuser with a user postgres or nobody is there"
    )]
    NoUser,
    /// A program ended badly; holds what it said.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which program.
        program: String,
        /// Its last words, the server's log among them.
        said: String,
    },
    /// The operating system refused something.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Its reason.
        #[source]
        source: std::io::Error,
    },
}

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> PostgresError {
    move |source| PostgresError::Io { what, source }
}

/// The folder with the server's programs: the newest version under `debian`, otherwise the first of `path` that has all.
pub(crate) fn find_server(debian: &Path, path: Option<&OsStr>) -> Result<PathBuf, PostgresError> {
    let complete = |folder: &PathBuf| PROGRAMS.iter().all(|name| folder.join(name).is_file());
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(debian)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| complete(folder))
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, folder)| folder);
    let on_path = || {
        let folders: Vec<PathBuf> = std::env::split_paths(path?).collect();
        // `pg_ctl` looks for the server beside itself, so links are followed to where it really is.
        folders.into_iter().find(complete).or_else(|| {
            let link = std::env::split_paths(path?)
                .map(|folder| folder.join("initdb"))
                .find(|file| file.exists())?;
            std::fs::canonicalize(link)
                .ok()?
                .parent()
                .map(Path::to_path_buf)
                .filter(complete)
        })
    };
    newest.or_else(on_path).ok_or(PostgresError::Missing)
}

/// A running cluster. One per process: [`cluster`].
#[derive(Debug)]
pub(crate) struct Cluster {
    bin: PathBuf,
    port: u16,
    user: Option<&'static [&'static str]>,
    folder: PathBuf,
    databases: AtomicU32,
    /// Held for its standard input alone: the guard acts when that closes.
    _guard: Child,
}

/// The process's cluster, started by the first caller.
///
/// # Errors
///
/// The same error for each caller when there is no server or it does not start.
pub(crate) fn cluster(durability: Durability) -> Result<&'static Cluster, &'static PostgresError> {
    static CLUSTER: OnceLock<Result<Cluster, PostgresError>> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start(durability)).as_ref()
}

/// The address of a fresh, empty database in the process's cluster, with the server's durable defaults.
///
/// # Errors
///
/// As [`cluster`] and [`Cluster::create_database`].
pub(crate) fn create_database() -> Result<String, String> {
    let cluster = cluster(Durability::Durable).map_err(explain)?;
    cluster.create_database().map_err(|error| explain(&error))
}

/// The error with its causes, on one line.
pub(crate) fn explain(error: &PostgresError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(next) = source {
        // Writing to a `String` cannot fail.
        let _infallible = write!(text, ": {next}");
        source = next.source();
    }
    text
}

impl Cluster {
    /// A cluster beside the process's own, for a test that measures or changes the whole server.
    ///
    /// # Errors
    ///
    /// When there is no server or it does not start.
    pub(crate) fn start(durability: Durability) -> Result<Self, PostgresError> {
        let bin = find_server(Path::new(DEBIAN_FOLDER), std::env::var_os("PATH").as_deref())?;
        let folder = tempfile::Builder::new()
            .prefix("hoibao-postgres-")
            .tempdir()
            .map_err(io("make a temporary folder"))?
            // The guard removes it: it outlives this process.
            .keep();
        let user = other_user(&folder)?;
        let mut guard = start_guard(&bin, &folder, user)?;
        match Self::initialise(&bin, &folder, user, durability) {
            Ok(port) => Ok(Self {
                bin,
                port,
                user,
                folder,
                databases: AtomicU32::new(0),
                _guard: guard,
            }),
            Err(error) => {
                drop(guard.stdin.take());
                guard.wait().map_err(io("wait for the guard"))?;
                Err(error)
            }
        }
    }

    fn initialise(
        bin: &Path,
        folder: &Path,
        user: Option<&'static [&'static str]>,
        durability: Durability,
    ) -> Result<u16, PostgresError> {
        let data = folder.join("data");
        // `--no-sync` is about the making of the files, not about the commits later.
        let mut initdb = as_user(user, &bin.join("initdb"));
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--username",
            ROLE,
            "--pgdata",
        ]);
        run(initdb.arg(&data), folder, "initdb")?;
        let mut last = None;
        for _ in 0..STARTS_MAX {
            let port = free_port()?;
            let settings = settings(folder, port, durability);
            std::fs::write(folder.join("settings.conf"), settings).map_err(io("write the settings"))?;
            let mut start = as_user(user, &bin.join("pg_ctl"));
            start.args(["start", "--wait", "--timeout=60", "--silent"]);
            start
                .arg("--pgdata")
                .arg(&data)
                .arg("--log")
                .arg(folder.join("log"));
            start.arg("--options").arg(format!(
                "-c config_file={}",
                folder.join("settings.conf").display()
            ));
            match run(&mut start, folder, "pg_ctl start") {
                Ok(()) => return Ok(port),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or(PostgresError::Missing))
    }

    /// Makes an empty database of its own for the caller and gives its address.
    ///
    /// # Errors
    ///
    /// When the server refuses or has died; the message holds the end of its log.
    pub(crate) fn create_database(&self) -> Result<String, PostgresError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut psql = as_user(self.user, &self.bin.join("psql"));
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--set",
            "ON_ERROR_STOP=1",
            "--host",
            "127.0.0.1",
            "--username",
            ROLE,
        ]);
        psql.args([
            "--port",
            &self.port.to_string(),
            "--dbname",
            "postgres",
            "--command",
        ]);
        psql.arg(format!("CREATE DATABASE {name}"));
        run(&mut psql, &self.folder, "psql")?;
        Ok(format!("postgres://{ROLE}@127.0.0.1:{}/{name}", self.port))
    }

    /// The cluster's folder, with the server's `log` and `data/postmaster.pid` in it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Everything the server needs to know, in a file of its own beside the data. No socket in the file system: its path
/// may be too long where the temporary folder is deep.
fn settings(folder: &Path, port: u16, durability: Durability) -> String {
    let mut text = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
         data_directory = '{folder}/data'\nhba_file = '{folder}/data/pg_hba.conf'\n\
         ident_file = '{folder}/data/pg_ident.conf'\nmax_connections = 200\nshared_buffers = '64MB'\n\
         timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\n",
        folder = folder.display()
    );
    if durability == Durability::Fast {
        text.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
    }
    text
}

/// How to become a user that may run the server: `None` when this process already is one.
fn other_user(folder: &Path) -> Result<Option<&'static [&'static str]>, PostgresError> {
    const WAYS: &[&[&str]] = &[
        &[
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
        ],
        &["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"],
        &["runuser", "--user=postgres", "--"],
        &["runuser", "--user=nobody", "--"],
    ];
    // The folder was just made by this process, so its owner is this process's user.
    if std::fs::metadata(folder)
        .map_err(io("read the folder's owner"))?
        .uid()
        != 0
    {
        return Ok(None);
    }
    let works = |way: &&&[&str]| {
        as_user(Some(way), Path::new("true"))
            .output()
            .is_ok_and(|out| out.status.success())
    };
    let way = WAYS.iter().find(works).ok_or(PostgresError::NoUser)?;
    let id = as_user(Some(way), Path::new("id"))
        .arg("-u")
        .output()
        .map_err(io("ask for the user's id"))?;
    let id = String::from_utf8_lossy(&id.stdout)
        .trim()
        .parse()
        .map_err(|_not_a_number| PostgresError::NoUser)?;
    std::os::unix::fs::chown(folder, Some(id), None).map_err(io("give the folder to the server's user"))?;
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700))
        .map_err(io("close the folder to others"))?;
    Ok(Some(way))
}

fn as_user(user: Option<&[&str]>, program: &Path) -> Command {
    let mut command = match user.and_then(<[&str]>::split_first) {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    };
    // Nobody can read the folder we were started in, when that is root's.
    command
        .current_dir("/")
        .env_remove("PGDATA")
        .env_remove("PGOPTIONS");
    command
}

fn run(command: &mut Command, folder: &Path, program: &str) -> Result<(), PostgresError> {
    // Files, not pipes: the server inherits them and would keep a pipe open for as long as it lives.
    let said = folder.join("said");
    let file = std::fs::File::create(&said).map_err(io("make a file for a program's output"))?;
    let twin = file.try_clone().map_err(io("share that file"))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(twin)
        .status()
        .map_err(io("start a program"))?;
    if status.success() {
        return Ok(());
    }
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let text = format!("{} {}", read(&said), read(&folder.join("log")));
    Err(PostgresError::Failed {
        program: program.to_owned(),
        said: text.trim().to_owned(),
    })
}

/// A port that was free a moment ago; the start is tried again when it no longer is.
fn free_port() -> Result<u16, PostgresError> {
    let listener =
        TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).map_err(io("find a free port"))?;
    Ok(listener.local_addr().map_err(io("read the free port"))?.port())
}

/// A shell that waits until this process is gone, in whatever way, then stops the server and removes the folder.
///
/// It has a process group of its own, so that an interrupt from the keyboard does not end it before its work is done.
fn start_guard(
    bin: &Path,
    folder: &Path,
    user: Option<&'static [&'static str]>,
) -> Result<Child, PostgresError> {
    use std::os::unix::process::CommandExt as _;
    const SCRIPT: &str = r#"
        folder=$1; pg_ctl=$2; shift 2
        while read -r _; do :; done
        "$@" "$pg_ctl" stop --mode=immediate --silent --pgdata "$folder/data"
        rm -rf "$folder"
    "#;
    let mut guard = Command::new("sh");
    guard
        .args(["-c", SCRIPT, "guard"])
        .arg(folder)
        .arg(bin.join("pg_ctl"))
        .args(user.unwrap_or_default());
    guard
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let mut guard = guard.spawn().map_err(io("start the guard"))?;
    // A first line shows that the pipe is whole before anything depends on it.
    if let Some(pipe) = guard.stdin.as_mut() {
        pipe.write_all(b"started\n").map_err(io("reach the guard"))?;
    }
    Ok(guard)
}
