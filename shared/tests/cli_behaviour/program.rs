//! The tests' server as a program of its own.

mod notes;

fn main() -> std::process::ExitCode {
    connector::main::<notes::Notes>()
}
