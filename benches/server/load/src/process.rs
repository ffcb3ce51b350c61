//! What the kernel says about a process: CPU time, memory, descriptors.

use std::fs;

/// Returns the nanoseconds of CPU that all threads of a process have used.
pub fn cpu(pid: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return 0;
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|line| {
            line.split(' ')
                .next()
                .and_then(|first| first.parse::<u64>().ok())
        })
        .sum()
}

/// Returns the resident memory of a process, in bytes.
pub fn resident(pid: u32) -> u64 {
    fs::read_to_string(format!("/proc/{pid}/statm"))
        .ok()
        .and_then(|line| {
            line.split(' ')
                .nth(1)
                .and_then(|pages| pages.parse::<u64>().ok())
        })
        .map_or(0, |pages| pages * 4096)
}

/// Returns the number of open descriptors of a process.
pub fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}
