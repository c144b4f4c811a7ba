//! What a bench was told, and figures for people.

use std::time::Duration;

/// The value after a flag on the command line, or what holds without it.
pub(crate) fn option(flag: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != flag).skip(1);
    arguments.next().map_or(default, |value| value.parse().unwrap())
}

/// Whether a flag is on the command line.
pub(crate) fn has_flag(flag: &str) -> bool {
    std::env::args().any(|argument| argument == flag)
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The time within which so many of a hundred were done. The times are sorted.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// Microseconds.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Megabytes.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// How many of something there were in a second.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
