//! The load of the server benchmark: the model's server and its gateway's clients in one process, with one clock.
//!
//! It prints the port of the model's server. Each line of its standard input is a command, a JSON object, for a run;
//! each run's figures are a line of its standard output. It ends with its standard input.

mod client;
mod http;
mod judge;
mod plan;
mod process;
mod report;
mod shared;
mod text;
mod upstream;
mod wire;
mod world;

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let mut world = world::World::new()?;
    let mut output = io::stdout().lock();
    writeln!(output, "{}", world.port()?)?;
    output.flush()?;
    for line in io::stdin().lock().lines() {
        match plan::Spec::read(&line?) {
            Ok(spec) => writeln!(output, "{}", world.run(spec)?)?,
            Err(reason) => writeln!(output, "{}", serde_json::json!({ "error": reason }))?,
        }
        output.flush()?;
    }
    Ok(())
}
