//! The binary's entry: hands the command line to the composition root and turns its answer into an exit code.
//! Nothing is decided here.

fn main() -> std::process::ExitCode {
    hoibao::app::main()
}
