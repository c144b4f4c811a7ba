//! `farthing catalog check | export | import | fit`: the catalog as a directory of files.

use std::{
    fs, io,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::{
    catalog::{
        check::check,
        edition::{BuiltInError, Edition, built_in, built_in_files, built_in_snapshot, edition_at},
        files::{self, FilesError},
        ids::RevisionNumber,
        rows::{History, Revision},
        snapshot::View,
        text::to_line,
        time::utc_day,
    },
    config::MEMORY,
    estimate::accuracy::{self, FoldFound, Score, ServingRefit},
    store::{Store, StoreError},
};

/// Who makes the revisions that an import brings in.
const ACTOR: &str = "farthing catalog import";

/// Work on the catalog as a directory of files: one row a line, made for diffs and pull requests.
#[derive(Debug, Clone, Subcommand)]
pub enum CatalogCommand {
    /// Check a catalog directory, or the built-in catalog: names, prices, spans, ties, spelling.
    ///
    /// Prints everything that is wrong, one finding a line, and fails when there is any.
    Check(CheckArgs),
    /// Write the catalog of the database to a directory of files.
    ///
    /// Rows are sorted and each has one spelling, so that two exports can be compared line by line.
    Export(ExportArgs),
    /// Make a catalog directory current in the database, as one new revision.
    ///
    /// The directory is checked first, and taken over whole or not at all: rows that are new or different are added,
    /// rows that it does not have are withdrawn. The past stays answerable. Export, edit, import is the way to change
    /// a price by hand.
    Import(ImportArgs),
    /// Print the assumptions that published training runs and speeds give, and how near the engine then comes.
    ///
    /// The rows `training.utilization.*` and `training.rl.tokens.*` as lines of `assumptions.jsonl`, ready to be put
    /// there; the scores of runs, each from a fit that has not seen it, go after them as lines that begin with `#`.
    ///
    /// With `--serving` the rows `serving.*` that published speeds of serving give, in a minute or two: all constants
    /// and factors, fitted on all of them; the scores are of speeds whose accelerator, or family of models, all of it
    /// was fitted without.
    Fit(FitArgs),
}

/// What `fit` is told.
#[derive(Debug, Clone, Args)]
pub struct FitArgs {
    /// The directory [default: the catalog inside this program].
    pub dir: Option<PathBuf>,
    /// Fit serving, and not training.
    #[arg(long)]
    pub serving: bool,
}

/// What `check` is told.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The directory [default: the catalog inside this program].
    pub dir: Option<PathBuf>,
}

/// What `export` is told.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The directory to write to; made when it is not there.
    pub dir: PathBuf,
    /// Write what was current at this revision [default: the newest].
    #[arg(long, value_name = "NUMBER")]
    pub revision: Option<u32>,
}

/// What `import` is told.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The directory to read.
    pub dir: PathBuf,
    /// Why: kept with the revision.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Why a catalog command failed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogCommandError {
    /// A file or directory cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// The files are no catalog.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A row cannot be written as text.
    #[error("a row cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// The catalog is not sound; the findings have been printed.
    #[error("the catalog is not sound: {0} finding(s)")]
    Findings(usize),
    /// There is no such revision.
    #[error("the database has no revision {0}")]
    UnknownRevision(RevisionNumber),
    /// The database has not been filled.
    #[error("the database has no catalog yet: `farthing serve` or `farthing catalog import` fills it")]
    Empty,
    /// There is nothing to import into.
    #[error("`memory` is no database: name one with --database-url sqlite://FILE")]
    NoDatabase,
    /// Nothing can be fitted.
    #[error("the catalog lacks a constant of serving that is not fitted, or a measured speed")]
    NoConstants,
    /// The built-in catalog cannot be used.
    #[error(transparent)]
    BuiltIn(#[from] BuiltInError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs a command; what it has to say goes to `out`.
///
/// # Errors
/// When the catalog is not sound, or files or the database cannot be read or written.
pub async fn run(
    command: CatalogCommand,
    database_url: &str,
    now: Timestamp,
    out: &mut dyn io::Write,
) -> Result<(), CatalogCommandError> {
    match command {
        CatalogCommand::Check(args) => check_files(args.dir.as_deref(), out),
        CatalogCommand::Export(args) => export(&args, database_url, out).await,
        CatalogCommand::Import(args) => import(&args, database_url, now, out).await,
        CatalogCommand::Fit(args) => fit(&args, out),
    }
}

fn files_of(dir: Option<&Path>) -> Result<Vec<(String, Vec<u8>)>, CatalogCommandError> {
    match dir {
        Some(dir) => read_dir(dir),
        None => Ok(built_in_files().map(|(path, bytes)| (path.into_owned(), bytes.into_owned())).collect()),
    }
}

fn check_files(dir: Option<&Path>, out: &mut dyn io::Write) -> Result<(), CatalogCommandError> {
    let files = files_of(dir)?;
    let edition = parse(&files)?;
    let spelling = files::not_canonical(files.iter().map(|(path, bytes)| (path, bytes)), &edition)?;
    for finding in &spelling {
        writeln!(out, "{finding}")?;
    }
    let found = spelling.len() + print_findings(&edition, out)?;
    if found > 0 {
        return Err(CatalogCommandError::Findings(found));
    }
    writeln!(out, "catalog {} is sound: {} rows", edition.version, edition.tables.row_count())?;
    Ok(())
}

fn fit(args: &FitArgs, out: &mut dyn io::Write) -> Result<(), CatalogCommandError> {
    let edition = parse(&files_of(args.dir.as_deref())?)?;
    match print_findings(&edition, out)? {
        0 => {}
        found => return Err(CatalogCommandError::Findings(found)),
    }
    let now = edition.version.made_at();
    let snapshot = edition.into_snapshot()?;
    let view = snapshot.newest();
    if args.serving { fit_serving(view, now, out) } else { fit_training(view, now, out) }
}

/// A score as a line that a catalog does not take for a row.
fn said(name: &str, score: &Score) -> String {
    format!("# {name}: {}", serde_json::to_string(score).unwrap_or_default())
}

fn fit_serving(view: View<'_>, now: Timestamp, out: &mut dyn io::Write) -> Result<(), CatalogCommandError> {
    let refit = ServingRefit::read(view, now);
    let found = run_folds(&refit);
    let fit =
        found.and_then(|found| refit.conclude(view, found, now)).ok_or(CatalogCommandError::NoConstants)?;
    for row in &fit.rows {
        writeln!(out, "{}", to_line(row)?)?;
    }
    for (name, score) in &fit.scores {
        writeln!(out, "{}", said(name, score))?;
    }
    Ok(())
}

/// Does all fits, as many at once as there are processors; what each finds does not depend on the others.
fn run_folds(refit: &ServingRefit<'_>) -> Option<Vec<FoldFound>> {
    let folds = refit.folds();
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let work = |worker: usize| {
            let own: Vec<_> = folds.iter().skip(worker).step_by(workers).copied().collect();
            scope.spawn(move || own.into_iter().map(|fold| refit.run(fold)).collect::<Option<Vec<_>>>())
        };
        let workers: Vec<_> = (0..workers).map(work).collect();
        let found: Option<Vec<Vec<_>>> = workers.into_iter().map(|worker| worker.join().ok()?).collect();
        found.map(|found| found.into_iter().flatten().collect())
    })
}

fn fit_training(view: View<'_>, now: Timestamp, out: &mut dyn io::Write) -> Result<(), CatalogCommandError> {
    for row in accuracy::fitted_rows(view, now) {
        let before = view.assumption(row.id, now).map(|before| &before.row);
        writeln!(out, "{}", to_line(&row.assumption(before, utc_day(now)))?)?;
    }
    let found = accuracy::accuracy(view, now);
    let runs = &found.runs;
    writeln!(out, "{}", said("runs", &runs.summary))?;
    writeln!(out, "{}", said("runs, without their organisations", &runs.without_its_organisation))?;
    for group in runs.by_architecture.iter().chain(&runs.by_gpu).chain(&runs.by_kind) {
        writeln!(out, "{}", said(&format!("runs, {}", group.name), &group.score))?;
    }
    writeln!(out, "{}", said("rule of thumb", &runs.rule_of_thumb))?;
    writeln!(out, "{}", said("published utilisation", &found.published_utilization.summary))?;
    writeln!(out, "{}", said("steady speeds", &found.steady_speeds.summary))?;
    writeln!(out, "{}", said("reinforcement learning", &found.reinforcement_learning.summary))?;
    Ok(())
}

fn print_findings(edition: &Edition, out: &mut dyn io::Write) -> io::Result<usize> {
    let findings = check(&edition.tables);
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    Ok(findings.len())
}

async fn export(
    args: &ExportArgs,
    database_url: &str,
    out: &mut dyn io::Write,
) -> Result<(), CatalogCommandError> {
    let edition = if database_url == MEMORY {
        let snapshot = built_in_snapshot()?;
        match args.revision {
            None => built_in().map_err(BuiltInError::from)?,
            Some(_) => edition_of(snapshot.history(), snapshot.revisions(), args.revision)?,
        }
    } else {
        let store = Store::open(database_url).await?;
        let (history, revisions) = store.load().await?;
        store.close().await;
        edition_of(&history, &revisions, args.revision)?
    };
    let files = files::write(&edition)?;
    for (path, bytes) in &files {
        write_file(&args.dir.join(path), bytes)?;
    }
    for (path, _) in read_dir(&args.dir)? {
        if !files.iter().any(|(written, _)| *written == path) {
            writeln!(out, "{path}: left in place, though no row belongs in it")?;
        }
    }
    writeln!(out, "{} rows in {} files", edition.tables.row_count(), files.len())?;
    Ok(())
}

fn edition_of(
    history: &History,
    revisions: &[Revision],
    wanted: Option<u32>,
) -> Result<Edition, CatalogCommandError> {
    let newest = revisions.last().ok_or(CatalogCommandError::Empty)?.revision;
    let at = wanted.map_or(newest, RevisionNumber);
    edition_at(history, revisions, at).ok_or(CatalogCommandError::UnknownRevision(at))
}

async fn import(
    args: &ImportArgs,
    database_url: &str,
    now: Timestamp,
    out: &mut dyn io::Write,
) -> Result<(), CatalogCommandError> {
    if database_url == MEMORY {
        return Err(CatalogCommandError::NoDatabase);
    }
    let edition = parse(&read_dir(&args.dir)?)?;
    match print_findings(&edition, out)? {
        0 => {}
        found => return Err(CatalogCommandError::Findings(found)),
    }
    let version = edition.version.to_string();
    let reason =
        args.reason.clone().unwrap_or_else(|| format!("catalog {version} from {}", args.dir.display()));
    let store = Store::open(database_url).await?;
    let revision = store.import(&edition.tables, &reason, ACTOR, Some(&version), now).await?;
    store.close().await;
    match revision {
        None => writeln!(out, "nothing to change: the database holds these rows already")?,
        Some(Revision { revision, rows_added, rows_superseded, .. }) => {
            writeln!(out, "revision {revision}: {rows_added} rows added, {rows_superseded} superseded")?;
        }
    }
    Ok(())
}

fn parse(files: &[(String, Vec<u8>)]) -> Result<Edition, FilesError> {
    files::parse(files.iter().map(|(path, bytes)| (path, bytes)))
}

/// The data files of a catalog directory, by their path in it.
fn read_dir(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, CatalogCommandError> {
    let mut files = Vec::new();
    let mut folders = vec![(dir.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let failed = |cause| CatalogCommandError::Path { path: folder.clone(), cause };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let inside = format!("{prefix}{name}");
            if path.is_dir() {
                folders.push((path, format!("{inside}/")));
            } else if files::is_data(&inside) {
                let bytes = fs::read(&path).map_err(|cause| CatalogCommandError::Path { path, cause })?;
                files.push((inside, bytes));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CatalogCommandError> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, bytes));
    written.map_err(|cause| CatalogCommandError::Path { path: path.to_owned(), cause })
}
