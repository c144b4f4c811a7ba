//! Other people's price tables: reading them, and planning what an import changes.
//!
//! A table goes two steps. [`read()`] turns bytes into [observations](observation::Observation): what the feed says, in
//! the catalog's units, with exact decimals, and what it says that cannot be taken ([`Refusal`]). [`plan()`](plan::plan)
//! compares them with the prices in force at an instant and says what would change, what waits for somebody's
//! approval, and what is kept because an operator wrote it. Nothing here fetches anything: bytes and instants are
//! handed in.
//!
//! | feed | what is read |
//! | --- | --- |
//! | `LiteLLM` | dollars per token, tiers by field name, regions and pictures by key |
//! | `OpenRouter` | dollars per token, as strings |
//! | genai-prices | dollars per million, tiers, dates, daily hours, variants by context |
//! | ECB | units per euro, a line a day |
//! | `SkyPilot` | dollars per machine and hour, on Google's cloud accelerators and machines apart |
//! | Farthing | lines of the catalog's files; the sheets that `/prices`, `/gpu-prices` and `/fx-rates` give |
//!
//! # Who wrote a row
//!
//! The actor of the revision that brought a row says whose it is: [`BUILT_IN_ACTOR`](crate::catalog::edition::BUILT_IN_ACTOR)
//! for the built-in catalog, `feed:<name>` ([`Source::actor`](plan::Source::actor)) for a feed, anybody else an
//! operator. A feed changes what the built-in catalog or itself wrote; what an operator or another feed wrote is
//! reported and kept. It withdraws only what it wrote itself.

mod ecb;
pub mod exact;
mod genai_prices;
mod json;
mod litellm;
pub mod names;
pub mod observation;
mod openrouter;
mod own;
pub mod plan;
pub mod row;
mod skypilot;

use serde::Serialize;
use utoipa::ToSchema;

pub use self::observation::{Observation, Reading, Reason, Refusal};
use self::{
    json::{Fields, elements},
    own::{lines, sheet},
};

/// A form of table that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// LiteLLM's `model_prices_and_context_window.json`.
    #[serde(rename = "litellm")]
    LiteLlm,
    /// `OpenRouter`'s `/api/v1/models`.
    #[serde(rename = "openrouter")]
    OpenRouter,
    /// genai-prices' `data.json`.
    GenaiPrices,
    /// The European Central Bank's `eurofxref.csv` or `eurofxref-hist.csv`.
    Ecb,
    /// A cloud's `vms.csv` of the `SkyPilot` catalog.
    #[serde(rename = "skypilot")]
    SkyPilot,
    /// Lines of the catalog's own files.
    CatalogLines,
    /// What `/prices` gives as CSV.
    PriceSheet,
    /// What `/gpu-prices` gives as CSV.
    GpuPriceSheet,
    /// What `/fx-rates` gives as CSV.
    FxSheet,
}

impl Format {
    /// The name of the feed that the format is of; none for the catalog's own forms, which operators write.
    #[must_use]
    pub fn feed(self) -> Option<&'static str> {
        match self {
            Self::LiteLlm => Some("litellm"),
            Self::OpenRouter => Some("openrouter"),
            Self::GenaiPrices => Some("genai-prices"),
            Self::Ecb => Some("ecb"),
            Self::SkyPilot => Some("skypilot"),
            Self::CatalogLines | Self::PriceSheet | Self::GpuPriceSheet | Self::FxSheet => None,
        }
    }
}

/// What a table does not say of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Whose machines a `SkyPilot` table prices, in that catalog's word: `aws`, `gcp`, `lambda`.
    pub provider: Option<String>,
}

/// Why a table is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It has the form of no table that is understood.
    #[error("the table has none of the forms that are understood")]
    Unrecognised,
    /// It is no text.
    #[error("the table is not UTF-8 text")]
    NotText,
    /// It does not have the form that it is said to have.
    #[error("the table does not have the form `{0:?}`")]
    OtherForm(Format),
    /// It does not say whose prices it has.
    #[error("a SkyPilot table does not say which cloud it is of: name the provider")]
    NoProvider,
}

/// What a table is, by its content; `None` for anything else.
///
/// ```
/// use farthing::sources::{Format, recognise};
/// assert_eq!(recognise(b"Date,USD,JPY,\n2024-12-27,1.0435,164.75,\n"), Some(Format::Ecb));
/// assert_eq!(recognise(br#"{"data": [{"id": "acme/one", "pricing": {"prompt": "0"}}]}"#), Some(Format::OpenRouter));
/// assert_eq!(recognise(b"hello"), None);
/// ```
#[must_use]
pub fn recognise(bytes: &[u8]) -> Option<Format> {
    let text = text(bytes).ok()?;
    match text.trim_start().as_bytes().first()? {
        b'{' if lines::is(text) => Some(Format::CatalogLines),
        b'{' => {
            let file = Fields::parse(text)?;
            if openrouter::is(&file) {
                Some(Format::OpenRouter)
            } else {
                litellm::is(&file).then_some(Format::LiteLlm)
            }
        }
        b'[' => genai_prices::is(&elements(text)?).then_some(Format::GenaiPrices),
        _ => recognise_header(text.lines().next()?),
    }
}

fn recognise_header(header: &str) -> Option<Format> {
    if ecb::is(header) {
        return Some(Format::Ecb);
    }
    if skypilot::is(header) {
        return Some(Format::SkyPilot);
    }
    sheet::which(header).map(|sheet| match sheet {
        sheet::Sheet::Prices => Format::PriceSheet,
        sheet::Sheet::GpuPrices => Format::GpuPriceSheet,
        sheet::Sheet::FxRates => Format::FxSheet,
    })
}

/// The text, without the mark that some programs put before it.
fn text(bytes: &[u8]) -> Result<&str, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReadError::NotText)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads a table of whatever form it has.
///
/// # Errors
/// When the form is not recognised, or the table does not say what it has to.
pub fn read(bytes: &[u8], options: &Options) -> Result<(Format, Reading), ReadError> {
    let format = recognise(bytes).ok_or(ReadError::Unrecognised)?;
    Ok((format, read_as(format, bytes, options)?))
}

/// Reads a table of a form.
///
/// # Errors
/// When it does not have that form, or does not say what it has to.
pub fn read_as(format: Format, bytes: &[u8], options: &Options) -> Result<Reading, ReadError> {
    let text = text(bytes)?;
    let other = || ReadError::OtherForm(format);
    let object = || Fields::parse(text).ok_or_else(other);
    let sheet = |sheet| sheet::read(sheet, text.as_bytes()).map_err(|_| other());
    match format {
        Format::LiteLlm => Ok(litellm::read(&object()?)),
        Format::OpenRouter => Ok(openrouter::read(&object()?)),
        Format::GenaiPrices => Ok(genai_prices::read(&elements(text).ok_or_else(other)?)),
        Format::Ecb => Ok(ecb::read(text)),
        Format::SkyPilot => skypilot::read(text.as_bytes(), options),
        Format::CatalogLines => Ok(lines::read(text)),
        Format::PriceSheet => sheet(sheet::Sheet::Prices),
        Format::GpuPriceSheet => sheet(sheet::Sheet::GpuPrices),
        Format::FxSheet => sheet(sheet::Sheet::FxRates),
    }
}
