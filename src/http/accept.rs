//! In which of several media types an answer is wanted (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

use super::problem::Problem;
use crate::browse::fault;

/// The media type wanted most of those that there are, the first where several are wanted equally; `None`
/// when none of them will do.
#[must_use]
pub fn preferred(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let accepted: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
    if accepted.is_empty() {
        return offered.first().copied();
    }
    let ranges: Vec<Range<'_>> =
        accepted.iter().flat_map(|value| value.split(',')).filter_map(Range::read).collect();
    let mut best: Option<(u16, &'static str)> = None;
    for media_type in offered {
        let quality = quality_of(media_type, &ranges);
        if quality > best.map_or(0, |(quality, _)| quality) {
            best = Some((quality, media_type));
        }
    }
    best.map(|(_, media_type)| media_type)
}

/// The same, where something has to be answered.
///
/// # Errors
/// 406 when none of them will do.
pub fn one_of(headers: &HeaderMap, offered: &[&'static str]) -> Result<&'static str, Problem> {
    let refused = || Problem::not_acceptable(format!("there is {} here", fault::one_of(offered)));
    preferred(headers, offered).ok_or_else(refused)
}

/// `text/*;q=0.5`.
struct Range<'h> {
    kind: &'h str,
    /// In thousandths.
    quality: u16,
}

impl<'h> Range<'h> {
    fn read(text: &'h str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = weight.map_or(1000, thousandths);
        Some(Self { kind, quality })
    }

    /// How closely the range describes a media type; none: not at all.
    fn fit(&self, media_type: &str) -> Option<u8> {
        let kind = self.kind.to_ascii_lowercase();
        match kind.strip_suffix("/*") {
            Some("*") => Some(0),
            Some(whole) => media_type.starts_with(&format!("{whole}/")).then_some(1),
            None => (kind == media_type).then_some(2),
        }
    }
}

/// A weight such as `0.5`; what is no weight counts as none at all.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<3}");
    digits.parse().ok().filter(|weight| fraction.len() <= 3 && *weight <= 1000).unwrap_or(0)
}

/// What the closest range says.
fn quality_of(media_type: &str, ranges: &[Range<'_>]) -> u16 {
    let fits = ranges.iter().filter_map(|range| Some((range.fit(media_type)?, range.quality)));
    fits.max().map_or(0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &str) -> Option<&'static str> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        preferred(&headers, &["application/json", "text/csv"])
    }

    #[test]
    fn the_first_will_do_for_who_does_not_say() {
        assert_eq!(preferred(&HeaderMap::new(), &["application/json", "text/csv"]), Some("application/json"));
        assert_eq!(wanted("*/*"), Some("application/json"));
    }

    #[test]
    fn the_heaviest_weight_wins() {
        assert_eq!(wanted("text/csv"), Some("text/csv"));
        assert_eq!(wanted("application/json;q=0.5, text/csv;q=0.51"), Some("text/csv"));
        assert_eq!(wanted("text/html, application/xml;q=0.9, */*;q=0.8"), Some("application/json"));
    }

    #[test]
    fn the_closest_range_decides() {
        assert_eq!(wanted("*/*, application/json;q=0.1"), Some("text/csv"));
        assert_eq!(wanted("TEXT/*"), Some("text/csv"));
    }

    #[test]
    fn nothing_may_be_wanted() {
        for accept in ["text/html", "text/csv;q=0", "application/json;q=many", ""] {
            assert_eq!(wanted(accept), None, "{accept}");
        }
    }
}
