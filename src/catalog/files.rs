//! The catalog as a directory of text files: one row a line, sorted, made for diffs and pull requests.
//!
//! [`parse`] reads them, [`write()`] gives them their one spelling, [`not_canonical`] tells where the two differ.
//! The format is described in `catalog/README.md`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    edition::{Edition, EditionVersion, NotVersion},
    fx_file,
    gpu::{GpuPurchase, GpuRental},
    published_throughput::PublishedThroughput,
    rate_card::{Modifier, RateCard},
    rows::Tables,
    text::to_line,
};

/// The format of the files that this program reads and writes.
pub const FORMAT: u32 = 1;

/// The file that names the edition.
pub const MANIFEST: &str = "catalog.json";

const FX_RATES: &str = "fx_rates.csv";
const RATE_CARDS: &str = "rate_cards/";

/// Why files are no catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}{}: {problem}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct FilesError {
    /// The file, as named in its directory.
    pub path: String,
    /// The line, counting from 1; none: the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl FilesError {
    /// A fault on a line.
    pub(super) fn at(path: &str, line: usize, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), problem: problem.into() }
    }

    /// A fault of a whole file.
    fn of(path: &str, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, problem: problem.into() }
    }

    /// A file that has to be there and is not.
    pub(super) fn missing(path: &str) -> Self {
        Self::of(path, "is missing")
    }
}

/// What `catalog.json` says.
#[derive(Debug)]
pub(super) struct Manifest {
    /// Which edition it is.
    pub(super) version: EditionVersion,
    description: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestText {
    format: u32,
    version: String,
    description: String,
}

/// Whether a file of the directory holds rows, by its name; others (its README) are left alone.
#[must_use]
pub fn is_data(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("json" | "jsonl" | "csv"))
}

/// Reads an edition from its files.
///
/// # Errors
/// When a file is missing, unknown, or has a line that is no row; the first such line is named.
pub fn parse(
    files: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<[u8]>)>,
) -> Result<Edition, FilesError> {
    // Sorted, so that rows have the same order wherever the files came from.
    let files: BTreeMap<String, _> =
        files.into_iter().map(|(path, bytes)| (path.as_ref().to_owned(), bytes)).collect();
    let mut tables = Tables::default();
    let mut manifest = None;
    let mut missing: Vec<&str> = WHOLE_FILES.to_vec();
    for (path, bytes) in &files {
        missing.retain(|name| name != path);
        if path == MANIFEST {
            manifest = Some(parse_manifest(bytes.as_ref())?);
        } else {
            let text = std::str::from_utf8(bytes.as_ref())
                .map_err(|error| FilesError::of(path, error.to_string()))?;
            parse_table(&mut tables, path, text)?;
        }
    }
    let Manifest { version, description } = manifest.ok_or_else(|| FilesError::missing(MANIFEST))?;
    match missing.first() {
        Some(path) => Err(FilesError::missing(path)),
        None => Ok(Edition { version, description, tables }),
    }
}

/// Files that hold a table each. All have to be there: a lost file must not look like withdrawn rows.
const WHOLE_FILES: [&str; 16] = [
    "providers.jsonl",
    "meters.jsonl",
    "calendars.jsonl",
    "models.jsonl",
    "offerings.jsonl",
    "modifiers.jsonl",
    FX_RATES,
    "gpus.jsonl",
    "gpu_rentals.jsonl",
    "gpu_purchases.jsonl",
    "market_index.jsonl",
    "assumptions.jsonl",
    "energy_prices.jsonl",
    "published_runs.jsonl",
    "published_throughputs.jsonl",
    "scenarios.jsonl",
];

fn parse_table(tables: &mut Tables, path: &str, text: &str) -> Result<(), FilesError> {
    match path {
        "providers.jsonl" => parse_lines(path, text, &mut tables.providers),
        "meters.jsonl" => parse_lines(path, text, &mut tables.meters),
        "calendars.jsonl" => parse_lines(path, text, &mut tables.calendars),
        "models.jsonl" => parse_lines(path, text, &mut tables.models),
        "offerings.jsonl" => parse_lines(path, text, &mut tables.offerings),
        "modifiers.jsonl" => parse_lines(path, text, &mut tables.modifiers),
        "gpus.jsonl" => parse_lines(path, text, &mut tables.gpus),
        "gpu_rentals.jsonl" => parse_lines(path, text, &mut tables.gpu_rentals),
        "gpu_purchases.jsonl" => parse_lines(path, text, &mut tables.gpu_purchases),
        "market_index.jsonl" => parse_lines(path, text, &mut tables.market_index),
        "assumptions.jsonl" => parse_lines(path, text, &mut tables.assumptions),
        "energy_prices.jsonl" => parse_lines(path, text, &mut tables.energy_prices),
        "published_runs.jsonl" => parse_lines(path, text, &mut tables.published_runs),
        "published_throughputs.jsonl" => parse_lines(path, text, &mut tables.published_throughputs),
        "scenarios.jsonl" => parse_lines(path, text, &mut tables.scenarios),
        FX_RATES => {
            tables.fx_rates = fx_file::parse(path, text)?;
            Ok(())
        }
        _ if path.starts_with(RATE_CARDS) => parse_lines(path, text, &mut tables.rate_cards),
        _ => Err(FilesError::of(path, "is not a file of the catalog")),
    }
}

fn parse_lines<T: DeserializeOwned>(path: &str, text: &str, rows: &mut Vec<T>) -> Result<(), FilesError> {
    for (number, line) in (1..).zip(text.lines()) {
        rows.push(serde_json::from_str(line).map_err(|error| FilesError::at(path, number, plain(&error)))?);
    }
    Ok(())
}

/// Serde's message with the column only: the line is that of the file.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((problem, _)) => format!("{problem} (column {})", error.column()),
        None => text,
    }
}

pub(super) fn parse_manifest(bytes: &[u8]) -> Result<Manifest, FilesError> {
    let text: ManifestText = serde_json::from_slice(bytes)
        .map_err(|error| FilesError::at(MANIFEST, error.line(), plain(&error)))?;
    if text.format != FORMAT {
        let problem = format!("has format {}; this program reads format {FORMAT}", text.format);
        return Err(FilesError::of(MANIFEST, problem));
    }
    let version =
        text.version.parse().map_err(|error: NotVersion| FilesError::of(MANIFEST, error.to_string()))?;
    Ok(Manifest { version, description: text.description })
}

/// The files of an edition: path and content, each in its one spelling.
///
/// Meters keep their order, which is that of the lines of a quote; everything else is sorted.
///
/// # Errors
/// When a row cannot be written as JSON; rows of the catalog always can.
pub fn write(edition: &Edition) -> serde_json::Result<Vec<(String, Vec<u8>)>> {
    let tables = &edition.tables;
    let mut files = vec![
        (MANIFEST.to_owned(), write_manifest(edition)?),
        lines("providers.jsonl", &sorted(&tables.providers, |row| &row.id))?,
        lines("meters.jsonl", &tables.meters)?,
        lines("calendars.jsonl", &sorted(&tables.calendars, |row| &row.id))?,
        lines("models.jsonl", &sorted(&tables.models, |row| &row.id))?,
        lines("offerings.jsonl", &sorted(&tables.offerings, |row| &row.id))?,
        lines("modifiers.jsonl", &sorted(&tables.modifiers, modifier_order))?,
        (FX_RATES.to_owned(), fx_file::write(&tables.fx_rates).into_bytes()),
        lines("gpus.jsonl", &sorted(&tables.gpus, |row| &row.id))?,
        lines("gpu_rentals.jsonl", &sorted(&tables.gpu_rentals, rental_order))?,
        lines("gpu_purchases.jsonl", &sorted(&tables.gpu_purchases, purchase_order))?,
        lines("market_index.jsonl", &sorted(&tables.market_index, |row| (&row.series, row.date, &row.kind)))?,
        lines("assumptions.jsonl", &sorted(&tables.assumptions, |row| (&row.id, row.effective_from)))?,
        lines(
            "energy_prices.jsonl",
            &sorted(&tables.energy_prices, |row| (&row.region, row.effective_from)),
        )?,
        lines("published_runs.jsonl", &sorted(&tables.published_runs, |row| &row.id))?,
        lines("published_throughputs.jsonl", &sorted(&tables.published_throughputs, throughput_order))?,
        lines("scenarios.jsonl", &sorted(&tables.scenarios, |row| &row.id))?,
    ];
    for (provider, cards) in cards_by_provider(&tables.rate_cards) {
        files.push(lines(&format!("{RATE_CARDS}{provider}.jsonl"), &cards)?);
    }
    Ok(files)
}

fn write_manifest(edition: &Edition) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(&ManifestText {
        format: FORMAT,
        version: edition.version.to_string(),
        description: edition.description.clone(),
    })?;
    text.push(b'\n');
    Ok(text)
}

fn lines<T: Serialize>(path: &str, rows: &[T]) -> serde_json::Result<(String, Vec<u8>)> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&to_line(row)?);
        text.push('\n');
    }
    Ok((path.to_owned(), text.into_bytes()))
}

fn sorted<'r, T, K: Ord>(rows: &'r [T], key: impl Fn(&'r T) -> K) -> Vec<&'r T> {
    let mut sorted: Vec<&T> = rows.iter().collect();
    sorted.sort_by_cached_key(|row| key(row));
    sorted
}

fn cards_by_provider(cards: &[RateCard]) -> BTreeMap<&str, Vec<&RateCard>> {
    let mut files: BTreeMap<&str, Vec<&RateCard>> = BTreeMap::new();
    for card in sorted(cards, card_order) {
        let offering = card.offering.as_str();
        let provider = offering.split_once('/').map_or(offering, |(provider, _)| provider);
        files.entry(provider).or_default().push(card);
    }
    files
}

fn card_order(card: &RateCard) -> impl Ord + use<'_> {
    let conditions = to_line(&card.conditions).unwrap_or_default(); // plain maps always serialise
    (&card.offering, card.currency, card.effective_from, conditions)
}

fn modifier_order(modifier: &Modifier) -> impl Ord + use<'_> {
    let context = to_line(&modifier.context).unwrap_or_default(); // plain maps always serialise
    (&modifier.offering, context, modifier.effective_from)
}

fn rental_order(rental: &GpuRental) -> impl Ord + use<'_> {
    let place = (&rental.gpu, &rental.provider, &rental.region, &rental.instance);
    (place, commitment(rental), rental.effective_from, rental.gpu_count, &rental.id)
}

/// The commitment as it is written: words are sorted, not variants.
fn commitment(rental: &GpuRental) -> String {
    to_line(&rental.commitment).unwrap_or_default() // a word always serialises
}

fn purchase_order(price: &GpuPurchase) -> impl Ord + use<'_> {
    let from: Date = price.effective_from;
    (&price.gpu, from, &price.kind, &price.system, price.amount)
}

fn throughput_order(row: &PublishedThroughput) -> impl Ord + use<'_> {
    (&row.workload, &row.model_name, &row.hardware, row.gpu_count, &row.precision, &row.id)
}

/// Where files differ from their one spelling: out of order, other spacing, a provider's cards in another's file.
///
/// # Errors
/// As [`write()`].
pub fn not_canonical(
    files: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<[u8]>)>,
    edition: &Edition,
) -> serde_json::Result<Vec<FilesError>> {
    let mut canonical: BTreeMap<String, Vec<u8>> = write(edition)?.into_iter().collect();
    let mut findings = Vec::new();
    for (path, bytes) in files {
        let path = path.as_ref();
        match canonical.remove(path) {
            None => findings.push(FilesError::of(path, "should not be there: no row belongs in it")),
            Some(expected) => findings.extend(first_difference(path, bytes.as_ref(), &expected)),
        }
    }
    findings.extend(canonical.keys().map(|path| FilesError::missing(path)));
    Ok(findings)
}

fn first_difference(path: &str, found: &[u8], expected: &[u8]) -> Option<FilesError> {
    if found == expected {
        return None;
    }
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.split('\n').map(str::to_owned).collect()
    };
    let (found, expected) = (lines(found), lines(expected));
    let pairs = || found.iter().zip(&expected);
    let at = pairs().take_while(|(found, wanted)| found == wanted).count();
    let problem = match (found.get(at), expected.get(at)) {
        (Some(found), Some(wanted)) => spelling(found, wanted),
        _ => "the file ends too early or too late".to_owned(),
    };
    Some(FilesError::at(path, at + 1, problem))
}

/// Where a line leaves its one spelling, and how that goes on.
fn spelling(found: &str, wanted: &str) -> String {
    const SHOWN: usize = 60;
    let same = found.chars().zip(wanted.chars());
    let at = same.take_while(|(found, wanted)| found == wanted).count();
    let end = |line: &str| line.chars().skip(at).take(SHOWN).collect::<String>();
    format!(
        "is out of order or spelt otherwise: column {} has `{}` where `{}` belongs",
        at + 1,
        end(found),
        end(wanted)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::edition::{built_in, built_in_files};

    fn files() -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, String> =
            WHOLE_FILES.iter().map(|path| ((*path).to_owned(), String::new())).collect();
        let manifest =
            "{\n  \"format\": 1,\n  \"version\": \"2026-11-23.1\",\n  \"description\": \"A test.\"\n}\n";
        files.insert(MANIFEST.to_owned(), manifest.to_owned());

        files
    }

    fn with(path: &str, text: &str) -> BTreeMap<String, String> {
        let mut files = files();
        files.insert(path.to_owned(), text.to_owned());
        files
    }

    const ACME: &str = r#"{"id": "acme", "name": "Acme", "source": null, "observed_at": "2026-11-23"}"#;
    const BETA: &str = r#"{"id": "beta", "name": "Beta", "source": null, "observed_at": "2026-11-23"}"#;

    #[test]
    fn every_file_of_the_built_in_catalog_is_written_back_byte_for_byte() {
        let findings = not_canonical(built_in_files(), &built_in().unwrap()).unwrap();
        assert_eq!(findings, []);
    }

    #[test]
    fn a_line_that_is_no_row_is_named_with_its_file() {
        let text = format!("{ACME}\n{}\n", BETA.replace("name", "nom"));
        let error = parse(with("providers.jsonl", &text)).unwrap_err();
        assert!(error.to_string().starts_with("providers.jsonl, line 2: unknown field `nom`"), "{error}");
        assert!(!error.to_string().contains("at line"), "{error}");
    }

    #[test]
    fn an_empty_line_is_no_row() {
        let error = parse(with("providers.jsonl", &format!("{ACME}\n\n{BETA}\n"))).unwrap_err();
        assert_eq!(error.line, Some(2));
    }

    #[test]
    fn a_file_that_is_lost_does_not_look_like_withdrawn_rows() {
        let mut files = files();
        files.remove("models.jsonl");
        assert_eq!(parse(files).unwrap_err().to_string(), "models.jsonl: is missing");
    }

    #[test]
    fn a_file_that_nobody_reads_is_refused() {
        let error = parse(with("prices.jsonl", "")).unwrap_err();
        assert_eq!(error.to_string(), "prices.jsonl: is not a file of the catalog");
    }

    #[test]
    fn a_later_format_is_refused() {
        let manifest = r#"{"format": 2, "version": "2026-11-23.1", "description": ""}"#;
        let error = parse(with(MANIFEST, manifest)).unwrap_err();
        assert_eq!(error.to_string(), "catalog.json: has format 2; this program reads format 1");
    }

    #[test]
    fn rows_out_of_order_are_found() {
        let files = with("providers.jsonl", &format!("{BETA}\n{ACME}\n"));
        let findings = not_canonical(&files, &parse(&files).unwrap()).unwrap();
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].to_string().starts_with("providers.jsonl, line 1: is out of order"),
            "{}",
            findings[0]
        );
    }

    #[test]
    fn other_spacing_is_found() {
        let files = with("providers.jsonl", &format!("{ACME}\n{}\n", BETA.replace(": ", ":")));
        let findings = not_canonical(&files, &parse(&files).unwrap()).unwrap();
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [Some(2)]);
    }

    #[test]
    fn a_card_in_another_providers_file_is_found() {
        let card = r#"{"offering": "acme/one", "currency": "USD", "rates": {}, "source": null, "observed_at": "2026-11-23"}"#;
        let files = with("rate_cards/beta.jsonl", &format!("{card}\n"));
        let findings = not_canonical(&files, &parse(&files).unwrap()).unwrap();
        let paths: Vec<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["rate_cards/beta.jsonl", "rate_cards/acme.jsonl"]);
    }
}
