//! What Prometheus is told: requests by route, never by raw path; load; the catalog's revision and age.
//!
//! Each `App` has a recorder of its own, so several can live in one process, as they do in tests.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::MatchedPath,
    http::{Method, StatusCode},
};
use metrics::{Counter, Histogram, Key, KeyName, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::catalog::snapshot::Snapshot;

/// Requests that match no route go by one name: a scanner must not be able to invent time series.
const UNKNOWN_ROUTE: &str = "unknown";

const REQUESTS: &str = "farthing_http_requests_total";
const DURATION: &str = "farthing_http_request_duration_seconds";
const IN_FLIGHT: &str = "farthing_http_requests_in_flight";
const SHED: &str = "farthing_http_requests_shed_total";
const REVISION: &str = "farthing_catalog_revision";
const REVISION_AGE: &str = "farthing_catalog_revision_age_seconds";
const BUILD_INFO: &str = "farthing_build_info";

/// From a quote in memory to a request that is about to time out.
const DURATION_BUCKETS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0];

/// Everything that is counted.
pub struct Metrics {
    recorder: PrometheusRecorder,
    shed: Counter,
    in_flight: AtomicUsize,
}

impl Metrics {
    /// Starts to count.
    #[must_use]
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new();
        let whole_name = Matcher::Full(DURATION.to_owned());
        let recorder = builder
            .set_buckets_for_metric(whole_name, &DURATION_BUCKETS)
            .unwrap_or_else(|_| PrometheusBuilder::new()) // refused only when there are no buckets
            .build_recorder();
        describe(&recorder);
        let version = [Label::from_static_parts("version", env!("CARGO_PKG_VERSION"))];
        let build = Key::from_parts(BUILD_INFO, version.to_vec());
        recorder.register_gauge(&build, &METADATA).set(1.0);
        let shed = recorder.register_counter(&Key::from_static_name(SHED), &METADATA);
        Self { recorder, shed, in_flight: AtomicUsize::new(0) }
    }

    /// Takes on one more request, unless `most` are being answered already.
    pub(super) fn enter(&self, most: usize) -> bool {
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < most {
            return true;
        }
        self.leave();
        self.shed.increment(1);
        false
    }

    /// A request that was taken on is done with.
    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts one answer.
    pub(super) fn record(&self, endpoint: &Endpoint, call: &Call<'_>, took: Duration) {
        let usual = endpoint.0.get_or_init(|| Usual {
            route: call.route().to_owned(),
            method: call.method.clone(),
            series: self.series(call),
        });
        if usual.is(call) {
            return usual.series.record(took);
        }
        self.series(call).record(took);
    }

    /// The series of one kind of answer, by name: a fraction of a microsecond, so [`Endpoint`] keeps one.
    fn series(&self, call: &Call<'_>) -> Series {
        let route = Label::new("route", call.route().to_owned());
        let method = Label::from_static_parts("method", name_of(call.method));
        let status = Label::new("status", call.status.as_str().to_owned());
        let timed = Key::from_parts(DURATION, vec![route.clone(), method.clone()]);
        let counted = Key::from_parts(REQUESTS, vec![route, method, status]);
        Series {
            status: call.status,
            requests: self.recorder.register_counter(&counted, &METADATA),
            duration: self.recorder.register_histogram(&timed, &METADATA),
        }
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self, catalog: &Snapshot, now: jiff::Timestamp) -> String {
        let gauge = |name| self.recorder.register_gauge(&Key::from_static_name(name), &METADATA);
        let in_flight = u32::try_from(self.in_flight.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        gauge(IN_FLIGHT).set(in_flight);
        gauge(REVISION).set(catalog.revision().0);
        if let Some(newest) = catalog.revisions().last() {
            gauge(REVISION_AGE).set(now.duration_since(newest.made_at).as_secs_f64());
        }
        self.handle().render()
    }

    /// For a caller who now and then empties the histograms' buffers into their buckets
    /// ([`PrometheusHandle::run_upkeep`]): until then each observation takes memory.
    #[must_use]
    pub fn handle(&self) -> PrometheusHandle {
        self.recorder.handle()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

fn describe(recorder: &PrometheusRecorder) {
    let counter = |name, text: &'static str| {
        recorder.describe_counter(KeyName::from_const_str(name), None, text.into());
    };
    let gauge = |name, text: &'static str| {
        recorder.describe_gauge(KeyName::from_const_str(name), None, text.into());
    };
    counter(REQUESTS, "Requests answered, by route, method and status.");
    counter(SHED, "Requests turned away because too many were being answered.");
    gauge(IN_FLIGHT, "Requests being answered, health and metrics aside.");
    gauge(REVISION, "The newest revision of the catalog.");
    gauge(REVISION_AGE, "Seconds since the newest revision of the catalog was made.");
    gauge(BUILD_INFO, "1, labelled with the version.");
    let text = "Time from the head of a request to the head of its answer.";
    recorder.describe_histogram(KeyName::from_const_str(DURATION), None, text.into());
}

/// What labels an answer.
pub(super) struct Call<'c> {
    pub(super) route: Option<&'c MatchedPath>,
    pub(super) method: &'c Method,
    pub(super) status: StatusCode,
}

impl Call<'_> {
    pub(super) fn route(&self) -> &str {
        self.route.map_or(UNKNOWN_ROUTE, MatchedPath::as_str)
    }
}

/// Anybody can invent a method: only the known ones get a name.
fn name_of(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// The series of the first kind of answer that an endpoint gave, kept so that the usual request costs no
/// look-up. All other kinds are looked up by name.
#[derive(Debug, Default)]
pub(super) struct Endpoint(OnceLock<Usual>);

#[derive(Debug)]
struct Usual {
    route: String,
    method: Method,
    series: Series,
}

impl Usual {
    fn is(&self, call: &Call<'_>) -> bool {
        self.series.status == call.status && self.method == *call.method && self.route == call.route()
    }
}

#[derive(Debug)]
struct Series {
    status: StatusCode,
    requests: Counter,
    duration: Histogram,
}

impl Series {
    fn record(&self, took: Duration) {
        self.requests.increment(1);
        self.duration.record(took.as_secs_f64());
    }
}
