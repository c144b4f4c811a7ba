//! A server in a process of its own, and what the system says about that process.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// `farthing serve` as anybody would start it, on a free port.
pub(crate) fn farthing(database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", database_url]);
    command
}

/// Another instance of the running bench, told what to do.
pub(crate) fn itself(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

/// A command under valgrind's callgrind, which counts its instructions into a file.
pub(crate) fn counted(command: &Command, file: &str) -> Command {
    let mut counted = Command::new("valgrind");
    counted.args(["--tool=callgrind", &format!("--callgrind-out-file={file}")]);
    counted.arg(command.get_program()).args(command.get_args());
    counted.env("TOKIO_WORKER_THREADS", "1"); // valgrind runs one thread at a time anyway
    counted
}

impl Server {
    /// Starts a command and waits until it says, on standard error, where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
            if let Some(address) = address_in(&line) {
                break address;
            }
        };
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, address }
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = self.pid().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        self.child.wait().unwrap();
    }

    /// Processor time so far, to a hundredth of a second.
    pub(crate) fn processor_time(&self) -> Duration {
        const TICK: Duration = Duration::from_millis(10); // Linux tells every program of 100 a second
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let after_name = stat.rsplit_once(") ").unwrap().1;
        let ticks: u32 =
            after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap()).sum();
        TICK * ticks
    }

    /// Memory that is resident now, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that was ever resident, in bytes.
    pub(crate) fn most_resident(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill()); // it may have ended already
        drop(self.child.wait());
    }
}

/// `http://127.0.0.1:40123/` somewhere in a line.
fn address_in(line: &str) -> Option<SocketAddr> {
    let rest = line.split_once("http://")?.1;
    rest.split_once('/')?.0.parse().ok()
}
