//! Two curves as a picture: axes, lines, marks. Text and shapes alone, nothing that runs.

use std::fmt::Write as _;

/// Width and height of the picture.
const SIZE: (f64, f64) = (720.0, 420.0);

/// Room around the curves: left, top, right, bottom.
const ROOM: [f64; 4] = [84.0, 36.0, 20.0, 52.0];

/// Lines of the grid either way.
const TICKS: u32 = 5;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Picture<'p> {
    /// Under the picture.
    pub(super) across: &'p str,
    /// Beside it.
    pub(super) up: &'p str,
    /// Whether numbers across lie at even ratios.
    pub(super) is_log: bool,
    /// What the curves are called, and their points.
    pub(super) curves: [(&'p str, Vec<(f64, f64)>); 2],
    /// Where they cross.
    pub(super) marks: Vec<(f64, f64)>,
}

/// From a number to a place in the picture.
#[derive(Debug, Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
    is_log: bool,
    start: f64,
    length: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let on = |value: f64| if self.is_log { value.ln() } else { value };
        let share = (on(value) - on(self.from)) / (on(self.to) - on(self.from));
        self.start + self.length * share.clamp(0.0, 1.0)
    }

    fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=TICKS).map(move |tick| {
            let share = f64::from(tick) / f64::from(TICKS);
            if self.is_log {
                (self.from.ln() * (1.0 - share) + self.to.ln() * share).exp()
            } else {
                self.from * (1.0 - share) + self.to * share
            }
        })
    }
}

impl Picture<'_> {
    /// The picture as SVG.
    pub(super) fn draw(&self) -> String {
        let mut out = String::with_capacity(8 * 1024);
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn axes(&self) -> (Axis, Axis) {
        let [left, top, right, bottom] = ROOM;
        let points = || self.curves.iter().flat_map(|(_, points)| points);
        let span = |of: fn(&(f64, f64)) -> f64| {
            let (low, high) =
                points().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                });
            if low < high {
                (low, high)
            } else if low.is_finite() {
                (low, low + 1.0)
            } else {
                (0.0, 1.0)
            }
        };
        let (from, to) = span(|point| point.0);
        let (low, high) = span(|point| point.1);
        let is_log = self.is_log && from > 0.0;
        let across = Axis { from, to, is_log, start: left, length: SIZE.0 - left - right };
        let height = SIZE.1 - top - bottom;
        let up =
            Axis { from: low.min(0.0), to: high, is_log: false, start: SIZE.1 - bottom, length: -height };
        (across, up)
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (across, up) = self.axes();
        let (width, height) = SIZE;
        write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\
             <title>{} against {}</title><rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>",
            escaped(self.curves[0].0),
            escaped(self.curves[1].0),
        )?;
        self.write_axes(out, across, up)?;
        for (at, (name, points)) in self.curves.iter().enumerate() {
            let (colour, dashes) = [("#1f5fa8", ""), ("#b3451f", " stroke-dasharray=\"7 4\"")][at];
            write!(out, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes} points=\"")?;
            for (x, y) in points {
                write!(out, "{:.1},{:.1} ", across.at(*x), up.at(*y))?;
            }
            let x = ROOM[0] + 8.0 + 300.0 * if at == 0 { 0.0 } else { 1.0 };
            write!(
                out,
                "\"/><path d=\"M{x} 18h26\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\
                 <text x=\"{}\" y=\"22\">{}</text>",
                x + 32.0,
                escaped(name)
            )?;
        }
        for (x, y) in &self.marks {
            write!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"none\" stroke=\"#222222\" \
                 stroke-width=\"2\"><title>{}</title></circle>",
                across.at(*x),
                up.at(*y),
                short(*x)
            )?;
        }
        out.push_str("</svg>");
        Ok(())
    }

    fn write_axes(&self, out: &mut String, across: Axis, up: Axis) -> std::fmt::Result {
        let (left, right) = (ROOM[0], SIZE.0 - ROOM[2]);
        let (top, bottom) = (ROOM[1], SIZE.1 - ROOM[3]);
        out.push_str("<g stroke=\"#dddddd\">");
        for x in across.ticks() {
            write!(out, "<path d=\"M{:.1} {top}V{bottom}\"/>", across.at(x))?;
        }
        for y in up.ticks() {
            write!(out, "<path d=\"M{left} {:.1}H{right}\"/>", up.at(y))?;
        }
        write!(out, "</g><path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"#222222\"/>")?;
        for x in across.ticks() {
            let (at, y) = (across.at(x), bottom + 18.0);
            write!(out, "<text x=\"{at:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", short(x))?;
        }
        for y in up.ticks() {
            let (x, at) = (left - 8.0, up.at(y) + 4.0);
            write!(out, "<text x=\"{x}\" y=\"{at:.1}\" text-anchor=\"end\">{}</text>", short(y))?;
        }
        let (x, y) = (f64::midpoint(left, right), SIZE.1 - 12.0);
        write!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", escaped(self.across))?;
        let y = f64::midpoint(top, bottom);
        write!(
            out,
            "<text x=\"16\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {y})\">{}</text>",
            escaped(self.up)
        )
    }
}

/// Three digits, with `k`, `M`, `G`, `T` for thousands.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    let (unit, letter) = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        .into_iter()
        .find(|(unit, _)| size >= unit * 0.9995)
        .unwrap_or((1.0, ""));
    let value = value / unit;
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if rounded.abs() >= 1e4 || (rounded != 0.0 && rounded.abs() < 1e-4) {
        return format!("{rounded:e}{letter}");
    }
    format!("{rounded}{letter}")
}

/// Text that cannot be anything else.
fn escaped(text: &str) -> String {
    const MOST: usize = 40;
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(MOST) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_call_things_stays_text() {
        let curves =
            [("<script>alert(1)</script>", vec![(1.0, 2.0), (10.0, 20.0)]), ("b & \"c\"", vec![(1.0, 3.0)])];
        let picture = Picture { across: "calls", up: "USD", is_log: true, curves, marks: vec![(2.0, 3.0)] };
        let drawn = picture.draw();
        assert!(drawn.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !drawn.contains("<script"));
        assert!(drawn.contains("b &amp; &quot;c&quot;"));
        assert_eq!((drawn.matches("<polyline").count(), drawn.matches("<circle").count()), (2, 1));
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"));
    }

    #[test]
    fn a_picture_of_nothing_is_still_one() {
        let picture = Picture {
            across: "",
            up: "",
            is_log: true,
            curves: [("a", vec![]), ("b", vec![(0.0, 0.0)])],
            marks: vec![],
        };
        assert!(!picture.draw().contains("NaN"));
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(0.0, "0"), (999.9, "1k"), (1234.0, "1.23k"), (1.5e6, "1.5M"), (0.02, "0.02"), (1e20, "1e8T")]
        {
            assert_eq!(short(value), text, "{value}");
        }
    }
}
