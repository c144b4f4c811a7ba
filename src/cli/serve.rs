//! `farthing serve`: from settings to a running service, and from a signal to its end.

use std::{
    io::IsTerminal as _,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};
use tracing_subscriber::EnvFilter;

use super::{Failure, first_key};
use crate::{
    catalog::{edition::built_in_snapshot, handle::Catalog, snapshot::Snapshot},
    config::{Config, LogFormat, MEMORY},
    http::{
        self, App,
        server::{self, Unfinished},
    },
    store::{self, Store, StoreError},
};

/// How often the histograms' buffers are emptied: at 50,000 requests a second they hold 2 MB by then.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves until a signal.
pub(super) fn run(config: &Config, now: fn() -> Timestamp) -> Result<(), Failure> {
    start_log(config);
    let runtime = tokio::runtime::Runtime::new();
    let runtime = runtime.map_err(|error| format!("no threads to run on: {error}"))?;
    runtime.block_on(async {
        let listener = listen(config).await?;
        let (store, snapshot) = open(&config.database_url, now()).await?;
        let catalog = Arc::new(Catalog::new(snapshot));
        if config.database_url != MEMORY {
            tokio::spawn(follow(store.clone(), Arc::clone(&catalog)));
        }
        tokio::spawn(sweep(store.clone(), now));
        let first_key = first_key::ensure(&store, config, now()).await?;
        let app = App::keeping(catalog, store, now, config.settings());
        app.follow_keys().await.map_err(|error| format!("the keys cannot be read: {error}"))?;
        tokio::spawn(follow_keys(app.clone()));
        let signal = stop_signal().map_err(|error| format!("signals cannot be heard: {error}"))?;
        greet(&listener, &app);
        if let Some(secret) = &first_key {
            first_key::show(secret, config.log_format);
        }
        serve(listener, app, signal, config.shutdown_grace).await;
        Ok(())
    })
}

/// How often the database is asked whether somebody has changed the catalog, or the keys.
const POLL: Duration = Duration::from_secs(2);

/// How often it is written down when keys were last used.
const NOTE_USES: Duration = Duration::from_mins(1);

/// How often quotes that have expired are removed. Nobody sees them meanwhile.
const SWEEP: Duration = Duration::from_mins(1);

/// The catalog to start with, and the database that it is in, or that quotes are kept in.
async fn open(url: &str, now: Timestamp) -> Result<(Store, Snapshot), Failure> {
    if url == MEMORY {
        let snapshot = built_in_snapshot().map_err(|error| error.to_string())?;
        let store = Store::in_memory().await.map_err(|error| error.to_string())?;
        return Ok((store, snapshot));
    }
    store::open_and_fill(url, now).await.map_err(|error| error.to_string())
}

/// Removes what has expired, now and then.
async fn sweep(store: Store, now: fn() -> Timestamp) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match store.remove_expired(now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed {count} expired quotes"),
            Err(error) => tracing::warn!("expired quotes could not be removed: {error}"),
        }
    }
}

/// Takes over what others write to the database. A database that cannot be read is logged once and changes nothing.
async fn follow(store: Store, catalog: Arc<Catalog>) {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        match take_over(&store, &catalog).await {
            Ok(()) => failing = false,
            Err(error) if failing => tracing::debug!("the database still cannot be followed: {error}"),
            Err(error) => {
                failing = true;
                tracing::error!("the database cannot be followed, and quotes go on from memory: {error}");
            }
        }
    }
}

/// Takes over keys that others make or revoke, and writes down now and then when keys were last used.
async fn follow_keys(app: App) {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut noted = Instant::now();
    let mut failing = false;
    loop {
        ticks.tick().await;
        let mut followed = app.follow_keys().await.map(drop);
        if noted.elapsed() >= NOTE_USES {
            noted = Instant::now();
            followed = followed.and(app.note_key_uses().await);
        }
        match followed {
            Ok(()) => failing = false,
            Err(error) if failing => tracing::debug!("keys still cannot be followed: {error}"),
            Err(error) => {
                failing = true;
                tracing::error!("keys cannot be followed, and stay as they were: {error}");
            }
        }
    }
}

async fn take_over(store: &Store, catalog: &Catalog) -> Result<(), StoreError> {
    if store.newest_revision().await? <= catalog.current().revision() {
        return Ok(());
    }
    let (history, revisions) = store.load().await?;
    let built = tokio::task::spawn_blocking(move || Snapshot::build(history, revisions)).await;
    let Ok(snapshot) = built else {
        return Ok(()); // the runtime is stopping
    };
    let snapshot = snapshot?;
    let revision = snapshot.revision();
    catalog.replace(snapshot);
    tracing::info!(catalog_revision = revision.0, "took over catalog revision {revision}");
    Ok(())
}

async fn listen(config: &Config) -> Result<TcpListener, Failure> {
    let address = config.listen;
    TcpListener::bind(address).await.map_err(|error| {
        format!("--listen (FARTHING_LISTEN) is `{address}`, which cannot be listened on: {error}")
    })
}

/// Answers requests until `stop`, then finishes those already begun, for as long as `grace`.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>, grace: Duration) {
    let upkeep = tokio::spawn(upkeep(app.clone()));
    let head_timeout = app.settings.timeout;
    let router = http::router(app.clone());
    let stop = async {
        stop.await;
        app.stop();
    };
    if let Err(Unfinished) = server::run(listener, router, head_timeout, stop, grace).await {
        tracing::warn!("stopped before every request was answered: {grace:?} have passed");
    }
    upkeep.abort();
    if let Err(error) = app.note_key_uses().await {
        tracing::warn!("when keys were last used could not be written down: {error}");
    }
}

/// Keeps the counters' memory flat when nobody asks for metrics.
async fn upkeep(app: App) {
    let handle = app.metrics.handle();
    let mut ticks = interval(UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

/// Ends at the first SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("stopping on {name}: finishing what has been begun");
    })
}

fn greet(listener: &TcpListener, app: &App) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let revision = app.catalog.current().revision();
    tracing::info!(
        %address,
        catalog_revision = revision.0,
        "Farthing answers at http://{address}/ (try it out: http://{address}/swagger-ui/), catalog revision {revision}"
    );
}

fn start_log(config: &Config) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
