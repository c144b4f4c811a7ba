//! Settings of the service, from flags and `FARTHING_*` variables, checked before anything starts.

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

use axum::http::{HeaderValue, Uri};
use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    http::{Settings, auth::RateLimit},
    store::keys::Secret,
};

/// Where the catalog is kept, unless something else is said.
pub const DATABASE_URL: &str = "sqlite://farthing.db";

/// The URL that stands for the built-in catalog without a database; quotes are then kept until the process ends.
pub const MEMORY: &str = "memory";

/// How `farthing serve` runs. A flag wins over its variable.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address and port to listen on
    #[arg(long, env = "FARTHING_LISTEN", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,

    /// Database: `sqlite:FILE`, made when it is not there, or `memory` for nothing on the disk
    #[arg(long, env = "FARTHING_DATABASE_URL", value_name = "URL",
        default_value = DATABASE_URL, value_parser = database_url)]
    pub database_url: String,

    /// A key for everything, which the service makes at its start and knows from then on; without it the first start
    /// makes one and prints it
    #[arg(long, env = "FARTHING_BOOTSTRAP_KEY", value_name = "KEY", hide_env_values = true,
        value_parser = Secret::parse)]
    pub bootstrap_key: Option<Secret>,

    /// Whether estimating and reading need a key, too; `/admin` always does
    #[arg(long, env = "FARTHING_REQUIRE_KEY", value_name = "BOOLEAN", num_args = 0..=1, require_equals = true,
        default_value = "false", default_missing_value = "true", value_parser = yes_or_no)]
    pub require_key: bool,

    /// Longest request body, such as 512KiB or 1MiB
    #[arg(long, env = "FARTHING_BODY_LIMIT", value_name = "SIZE",
        default_value = "1MiB", value_parser = size)]
    pub body_limit: usize,

    /// How long a body may take to arrive, such as 500ms or 10s; the answer may take as long again
    #[arg(long, env = "FARTHING_TIMEOUT", value_name = "DURATION",
        default_value = "10s", value_parser = duration)]
    pub timeout: Duration,

    /// Requests answered at once; those beyond get 503 and `retry-after`
    #[arg(long, env = "FARTHING_MAX_CONCURRENCY", value_name = "COUNT",
        default_value = "1024", value_parser = count)]
    pub max_concurrency: usize,

    /// Requests a second that each key may make, and all without a key together: `50`, or `50:200` for 200 at once after
    /// a pause [default: no limit]
    #[arg(long, env = "FARTHING_RATE_LIMIT", value_name = "RATE[:BURST]", value_parser = rate_limit)]
    pub rate_limit: Option<RateLimit>,

    /// Web pages that may read answers: origins separated by commas, or `*` [default: none]
    #[arg(long, env = "FARTHING_CORS_ORIGINS", value_name = "ORIGINS",
        value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<HeaderValue>,

    /// How long quotes are kept, such as 90d [default: for ever]
    #[arg(long, env = "FARTHING_QUOTE_RETENTION", value_name = "DURATION", value_parser = period)]
    pub quote_retention: Option<Duration>,

    /// How long the answer to a request with an Idempotency-Key is kept
    #[arg(long, env = "FARTHING_IDEMPOTENCY_TTL", value_name = "DURATION",
        default_value = "24h", value_parser = period)]
    pub idempotency_ttl: Duration,

    /// How long a stop waits for requests already begun
    #[arg(long, env = "FARTHING_SHUTDOWN_GRACE", value_name = "DURATION",
        default_value = "10s", value_parser = duration)]
    pub shutdown_grace: Duration,

    /// What to log: a level, or a list such as `info,farthing::http=debug` (debug logs every request)
    #[arg(long, env = "FARTHING_LOG", value_name = "FILTER",
        default_value = "info", value_parser = log_filter)]
    pub log: String,

    /// How to write the log
    #[arg(long, env = "FARTHING_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

impl Config {
    /// What concerns the routes.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            body_limit: self.body_limit,
            timeout: self.timeout,
            max_concurrency: self.max_concurrency,
            cors_origins: self.cors_origins.clone(),
            quote_retention: self.quote_retention,
            idempotency_ttl: self.idempotency_ttl,
            require_key: self.require_key,
            rate_limit: self.rate_limit,
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "an IP address and a port, such as 127.0.0.1:8080 or [::]:8080")
}

fn database_url(text: &str) -> Result<String, &'static str> {
    let is_file = text.strip_prefix("sqlite:").is_some_and(|file| !file.is_empty());
    if text == MEMORY || is_file {
        return Ok(text.to_owned());
    }
    Err("`memory`, or `sqlite:` and a file, such as sqlite://farthing.db")
}

fn log_filter(text: &str) -> Result<String, &'static str> {
    let allowed = "error, warn, info, debug, trace or off, or a list such as info,farthing=debug";
    // Anything that is not a level would pass for the name of a module, and nothing for `error`.
    let known = |level: &str| !level.is_empty() && level.parse::<LevelFilter>().is_ok();
    let mut rules = text.split(',').map(|rule| rule.rsplit('=').next().unwrap_or(rule).trim());
    if rules.all(known) && EnvFilter::try_new(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(allowed)
}

fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("true or false"),
    }
}

/// Reads `50` (a burst of as many) or `50:200`.
fn rate_limit(text: &str) -> Result<RateLimit, &'static str> {
    const MOST: u32 = 1_000_000;
    let (rate, burst) = text.split_once(':').unwrap_or((text, text));
    let number = |text: &str| text.parse().ok().filter(|number: &NonZeroU32| number.get() <= MOST);
    let limit = number(rate).zip(number(burst));
    let limit = limit.map(|(per_second, burst)| RateLimit { per_second, burst });
    limit.ok_or("requests a second from 1 to 1000000, such as 50, or with a burst, such as 50:200")
}

fn count(text: &str) -> Result<usize, &'static str> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or("a whole number from 1")
}

fn origin(text: &str) -> Result<HeaderValue, &'static str> {
    let allowed = "`*`, or scheme, host and port without a path, such as https://example.com";
    let text = text.trim();
    let is_origin = || {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?;
        (text == format!("{scheme}://{}", uri.authority()?)).then_some(())
    };
    if text == "*" || is_origin().is_some() {
        return HeaderValue::from_str(text).map_err(|_| allowed);
    }
    Err(allowed)
}

/// Reads `1MiB`, `512 kB` or `100000`.
fn size(text: &str) -> Result<usize, &'static str> {
    let units = [
        ("", 1),
        ("B", 1),
        ("kB", 1000),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    let bytes = in_units(text, &units).and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or("a whole number from 1 with B, kB, MB, KiB, MiB or GiB, such as 1MiB")
}

/// Reads `250ms`, `10s`, `2m` or `1h`.
fn duration(text: &str) -> Result<Duration, &'static str> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let longest = |millis: &u64| *millis <= 24 * 3_600_000;
    let millis = in_units(text, &units).filter(longest);
    let allowed = "a whole number from 1 with ms, s, m or h, at most 24h, such as 10s";
    millis.map(Duration::from_millis).ok_or(allowed)
}

/// Reads `30s`, `15m`, `24h` or `90d`.
pub(crate) fn period(text: &str) -> Result<Duration, &'static str> {
    const LONGEST: u64 = 36_500 * 86_400;
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let seconds = in_units(text, &units).filter(|seconds| *seconds <= LONGEST);
    seconds
        .map(Duration::from_secs)
        .ok_or("a whole number from 1 with s, m, h or d, at most 36500d, such as 90d")
}

fn in_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    let whole: u64 = number.parse().ok()?;
    whole.checked_mul(*factor).filter(|product| *product > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        assert_eq!(size("1MiB"), Ok(1_048_576));
        assert_eq!(size("512 kB"), Ok(512_000));
        assert_eq!(size("100000"), Ok(100_000));
        for bad in ["", "0", "MiB", "1.5MiB", "-1", "1mib", "99999999999999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for bad in ["", "10", "0s", "10 weeks", "25h", "s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_kept_is_kept_for_days() {
        assert_eq!(period("90d"), Ok(Duration::from_hours(90 * 24)));
        assert_eq!(period("36500d").map(|period| period.as_secs()), Ok(3_153_600_000));
        for bad in ["", "90", "0d", "36501d", "1y", "10ms"] {
            assert!(period(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        assert!(origin("https://example.com:8443").is_ok());
        assert!(origin("*").is_ok());
        for bad in ["example.com", "https://example.com/", "https://example.com/x", "", "null"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_log_filter_names_levels() {
        assert!(log_filter("info,farthing::http=debug").is_ok());
        for bad in ["", "loud", "farthing=loud"] {
            assert!(log_filter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rate_has_a_burst_of_as_many_unless_told() {
        let numbers = |text| rate_limit(text).map(|limit| (limit.per_second.get(), limit.burst.get()));
        assert_eq!((numbers("50"), numbers("50:200")), (Ok((50, 50)), Ok((50, 200))));
        for bad in ["", "0", "50:0", "50:", ":5", "0.5", "-1", "1000001", "5:5:5", "50/s"] {
            assert!(rate_limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_switch_is_on_or_off() {
        assert_eq!((yes_or_no("1"), yes_or_no("off")), (Ok(true), Ok(false)));
        assert!(yes_or_no("").is_err() && yes_or_no("maybe").is_err());
    }

    #[test]
    fn a_database_is_a_file_or_memory() {
        assert!(database_url("memory").is_ok());
        assert!(database_url("sqlite:farthing.db").is_ok());
        for bad in ["", "sqlite:", "postgres://localhost/x", "farthing.db"] {
            assert!(database_url(bad).is_err(), "{bad}");
        }
    }
}
