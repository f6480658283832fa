//! Where charts are drawn: an SVG of plotters in the page's own colours and sizes.

/// Which end of a text is at its position.
pub use plotters::style::text_anchor::HPos as Anchor;

use maud::{Markup, PreEscaped, html};
use plotters::{
    drawing::IntoDrawingArea,
    element::{Circle, PathElement, Polygon, Rectangle, Text},
    prelude::{DrawingArea, SVGBackend},
    style::{
        Color as _, FontFamily, FontStyle, IntoTextStyle, RGBAColor, RGBColor, ShapeStyle,
        text_anchor::{Pos, VPos},
    },
};

/// Plotters draws in whole units; so many of them make a pixel, lest curves have steps.
const UNITS: f64 = 4.0;

/// The height of a line of text.
pub const LINE: f64 = 16.0;

/// What a colour stands for. The style sheet gives it a value, a light and a dark one: these are only its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text and what matters most.
    Ink,
    /// Text that may be passed over.
    Muted,
    /// Lines to read values by.
    Grid,
    /// What belongs to the baseline.
    Baseline,
    /// What belongs to the candidate.
    Candidate,
    /// What counts as equivalent.
    Band,
    /// The page behind the chart.
    Paper,
}

impl Paint {
    fn colour(self, opacity: f64) -> RGBAColor {
        let level = self as u8 + 1;
        RGBColor(level, level, level).mix(opacity)
    }

    fn filled(self, opacity: f64) -> ShapeStyle {
        self.colour(opacity).filled()
    }
}

/// A chart in the making. Positions are in pixels from the upper left; what is not finite is not drawn.
pub struct Canvas<'a> {
    pub width: f64,
    pub height: f64,
    area: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
}

/// An SVG for people who see it, with words for those who do not.
pub fn svg(width: f64, height: f64, label: &str, draw: impl FnOnce(&Canvas<'_>)) -> Markup {
    let size = ((width * UNITS) as u32, (height * UNITS) as u32);
    let mut text = String::new();
    let canvas = Canvas { width, height, area: SVGBackend::with_string(&mut text, size).into_drawing_area() };
    draw(&canvas);
    // Writing to a string cannot fail.
    let _ = canvas.area.present();
    drop(canvas);
    // The root that plotters writes has a fixed size and no words.
    let inside = text.split_once('>').map_or("", |(_, inside)| inside);
    let inside = inside.rsplit_once("</svg>").map_or(inside, |(inside, _)| inside);
    html! {
        svg viewBox=(format!("0 0 {} {}", size.0, size.1)) role="img" aria-label=(label)
            xmlns="http://www.w3.org/2000/svg" {
            title { (label) }
            (PreEscaped(inside))
        }
    }
}

impl Canvas<'_> {
    /// A line through these points, if they are at least two.
    pub fn path(&self, points: &[(f64, f64)], paint: Paint, width: f64) {
        if let Some(points) = units(points).filter(|points| points.len() > 1) {
            let style = paint.colour(1.0).stroke_width((width * UNITS) as u32);
            let _ = self.area.draw(&PathElement::new(points, style));
        }
    }

    /// A line between two points.
    pub fn line(&self, from: (f64, f64), to: (f64, f64), paint: Paint, width: f64) {
        self.path(&[from, to], paint, width);
    }

    /// An upright line, dashed.
    pub fn dashed(&self, x: f64, (top, bottom): (f64, f64), paint: Paint) {
        let dashes = ((bottom - top) / 6.0).clamp(0.0, 1000.0) as u32;
        for y in (0..dashes).map(|dash| top + f64::from(dash) * 6.0) {
            self.line((x, y), (x, y + 3.0), paint, 1.0);
        }
    }

    pub fn rectangle(&self, corners: [(f64, f64); 2], paint: Paint, opacity: f64) {
        if let Some(points) = units(&corners) {
            let [(left, top), (right, bottom)] = [points[0], points[1]];
            let corners = [(left.min(right), top.min(bottom)), (left.max(right), top.max(bottom))];
            let _ = self.area.draw(&Rectangle::new(corners, paint.filled(opacity)));
        }
    }

    /// An area, filled.
    pub fn polygon(&self, points: &[(f64, f64)], paint: Paint, opacity: f64) {
        if let Some(points) = units(points) {
            let _ = self.area.draw(&Polygon::new(points, paint.filled(opacity)));
        }
    }

    /// A point, which is hollow where nothing stands behind it.
    pub fn circle(&self, at: (f64, f64), radius: f64, paint: Paint, hollow: bool) {
        let Some(points) = units(&[at]) else { return };
        let radius = (radius * UNITS) as i32;
        let _ = self.area.draw(&Circle::new(points[0], radius, paint.filled(1.0)));
        if hollow {
            let inside = radius - (1.75 * UNITS) as i32;
            let _ = self.area.draw(&Circle::new(points[0], inside, Paint::Paper.filled(1.0)));
        }
    }

    /// The mark of a side: colour is not the only thing that tells them apart.
    pub fn mark(&self, (x, y): (f64, f64), radius: f64, paint: Paint) {
        match paint {
            Paint::Baseline => {
                let half = radius * 0.9;
                self.rectangle([(x - half, y - half), (x + half, y + half)], paint, 1.0);
            }
            _ => self.circle((x, y), radius, paint, false),
        }
    }

    /// A triangle that points to where something lies beyond the chart.
    pub fn beyond(&self, (x, y): (f64, f64), right: bool, paint: Paint) {
        let back = if right { -8.0 } else { 8.0 };
        self.polygon(&[(x, y), (x + back, y - 5.0), (x + back, y + 5.0)], paint, 1.0);
    }

    /// A text whose middle is at this height.
    pub fn text(&self, text: &str, at: (f64, f64), anchor: Anchor, paint: Paint) {
        self.write(text, at, anchor, paint, FontStyle::Normal);
    }

    /// A text that matters.
    pub fn bold(&self, text: &str, at: (f64, f64), anchor: Anchor, paint: Paint) {
        self.write(text, at, anchor, paint, FontStyle::Bold);
    }

    fn write(&self, text: &str, at: (f64, f64), anchor: Anchor, paint: Paint, style: FontStyle) {
        let Some(points) = units(&[at]) else { return };
        let colour = paint.colour(1.0);
        // 12 pixels, in the unit that plotters has for fonts.
        let style = (FontFamily::SansSerif, 12.0 * UNITS * 1.24, style)
            .into_text_style(&self.area)
            .color(&colour)
            .pos(Pos::new(anchor, VPos::Center));
        let _ = self.area.draw(&Text::new(plain(text), points[0], style));
    }
}

fn units(points: &[(f64, f64)]) -> Option<Vec<(i32, i32)>> {
    // Beyond that there is no chart, and whole numbers end.
    let is_drawable = points.iter().all(|(x, y)| x.abs() < 1e6 && y.abs() < 1e6) && !points.is_empty();
    is_drawable.then(|| points.iter().map(|(x, y)| ((x * UNITS).round() as i32, (y * UNITS).round() as i32)).collect())
}

/// A text without characters that XML forbids or that turn the text around them.
pub fn plain(text: &str) -> String {
    let is_odd = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    text.replace(is_odd, "\u{fffd}")
}

/// A text of at most so many characters; what is too long loses its middle, because names differ at their ends.
pub fn shortened(text: &str, most: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(1);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    characters[..head].iter().chain(&['…']).chain(&characters[characters.len() - tail..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_are_not_finite_are_not_drawn() {
        let text = svg(100.0, 50.0, "<a>", |canvas| {
            canvas.path(&[], Paint::Ink, 1.0);
            canvas.line((0.0, f64::NAN), (1.0, 1.0), Paint::Ink, 1.0);
            canvas.circle((f64::INFINITY, 0.0), 3.0, Paint::Ink, true);
            canvas.rectangle([(1e300, 0.0), (0.0, 0.0)], Paint::Ink, 1.0);
            canvas.text("a\u{0}<b>", (1.0, 1.0), Anchor::Left, Paint::Muted);
        })
        .into_string();
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(document.root_element().children().filter(roxmltree::Node::is_element).count(), 2, "{text}");
        assert!(text.contains("a\u{fffd}&lt;b&gt;"), "{text}");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
        assert_eq!(shortened("äbcdefghij", 6), "äbc…ij");
        assert_eq!(shortened("abc", 1), "…");
    }
}
