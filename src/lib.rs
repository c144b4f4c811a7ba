//! Farthing: what an AI model costs, to the last farthing.
//!
//! An HTTP service, a command line and this library answer one question today: what do calls to a hosted model
//! cost, at the price in force at a given instant, line by line and with every figure's source? (Training,
//! serving and owning are questions of the same shape and will be further kinds of workload.)
//!
//! ```
//! use farthing::{catalog::edition::built_in_snapshot, estimate::{estimate, request::EstimateRequest}};
//!
//! let catalog = built_in_snapshot()?;
//! let request = EstimateRequest::parse(br#"{
//!     "provider": "deepseek", "model": "deepseek-reasoner", "as_of": "2025-02-20", "currency": "CNY",
//!     "usage": { "input_tokens": 2000000, "cache_read_tokens": 1000000, "output_tokens": 1000000 }
//! }"#)?;
//! let now = "2026-11-24T12:00:00Z".parse()?;
//! let quote = estimate(&request, &catalog, now).map_err(|faults| format!("{faults:?}"))?;
//! assert_eq!(quote.total.amount.to_string(), "21.00"); // 4 yuan uncached, 1 cached, 16 of output
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The floors
//!
//! | floor | what is there | looks down to |
//! | --- | --- | --- |
//! | [`http`], [`cli`], [`web`] | routes, commands, the page: they load, call and answer | all below |
//! | [`decide`] | questions made of many quotes: series, comparisons | `estimate`, `catalog` |
//! | [`browse`] | lists of the catalog: filters, search, pages, tables | `catalog` |
//! | [`estimate`] | the arithmetic: pure functions from a request and a snapshot to a quote | `catalog` |
//! | [`sources`] | readers of other people's price tables, and the plan of what an import changes | `catalog` |
//! | [`store`] | all SQL: the catalog's history in a database, the quotes that are kept, keys and the trail | `catalog` |
//! | [`catalog`] | what things are and cost: plain types, exact money, the immutable snapshot | nothing |
//!
//! `catalog`, `estimate`, `browse`, `decide` and `sources` know nothing of HTTP, SQL or the time of day; a test reads
//! the imports.
//!
//! A request travels once: bytes, [`EstimateRequest`](estimate::request::EstimateRequest), the current
//! [`Snapshot`](catalog::snapshot::Snapshot) (loaded once), [`estimate()`](estimate::estimate),
//! [`Quote`](estimate::quote::Quote), bytes. No database is asked on the way: the snapshot holds the rows of
//! every revision. Only quotes that are to be kept go to the database: see [`estimate::kept`].
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | model | an AI model, whoever sells it |
//! | offering | a model as one provider sells it, under the provider's own name |
//! | meter | what is counted and charged: `input_tokens`, `web_searches`; a part is counted in its whole too |
//! | rate card | one row of a price table: an offering's complete rates in a currency, over a span, under conditions |
//! | rate | money for a quantity of a meter |
//! | amount | money on a line of a quote |
//! | modifier | a factor that a context brings in, on a line of its own |
//! | context | what is said of a call besides its usage: service tier, region, residency, ... |
//! | `as_of` | the instant whose prices are asked for |
//! | revision | a numbered change of the catalog; an answer names the one it rests on |
//! | fault | one thing wrong with a request, with a JSON Pointer to it |

pub mod browse;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod decide;
pub mod estimate;
pub mod http;
pub mod sources;
pub mod store;
pub mod web;
