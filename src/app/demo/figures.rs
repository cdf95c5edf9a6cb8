//! Room `app::demo`: the article's figures, and how many dossiers of each sort a scaled quarter has.
//!
//! In: a scale. Out: counts, all scaled alike, rounded, and consistent with each other. Deliberately not here: dossiers.
//!
//! The counts are those of Hạ Long in the first quarter of 2022 (design.md 1); everything else about the demo's quarter
//! is invented.

use std::fmt;
use std::str::FromStr;

/// A share of the article's volume, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scale(u32);

/// Why a text is no scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scale is a decimal number from 0.002 to 2, such as 0.01")]
pub struct ScaleError;

/// Millionths in one.
const ONE: u32 = 1_000_000;

impl Scale {
    /// The article's own volume.
    pub const FULL: Self = Self(ONE);

    /// In millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// `count` scaled and rounded.
    pub fn of(self, count: u32) -> u32 {
        let scaled = (u64::from(count) * u64::from(self.0) + u64::from(ONE / 2)) / u64::from(ONE);
        u32::try_from(scaled).unwrap_or(u32::MAX)
    }

    /// `count` scaled and rounded, and never less than `least`: what must be there at any scale to mean anything.
    pub fn at_least(self, count: u32, least: u32) -> u32 {
        self.of(count).max(least)
    }
}

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, ScaleError> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 4 || part.len() > 6 || !digits(whole) || !digits(part) {
            return Err(ScaleError);
        }
        let millionths = format!("{whole}{part:0<6}")
            .parse()
            .map_err(|_too_large| ScaleError)?;
        if (ONE / 500..=2 * ONE).contains(&millionths) {
            Ok(Self(millionths))
        } else {
            Err(ScaleError)
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / ONE, self.0 % ONE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// The figures that the article has and a report must show again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    /// Received: new and carried over.
    pub received: u32,
    /// Received within the quarter.
    pub received_new: u32,
    /// Received before it and not finished when it began.
    pub carried_over: u32,
    /// Finished within the quarter.
    pub resolved: u32,
    /// Of them finished by the promised time.
    pub on_time: u32,
    /// Of those received, submitted online.
    pub online: u32,
    /// Of those resolved, with return by post.
    pub by_post: u32,
}

impl Figures {
    /// Hạ Long, first quarter of 2022 (design.md 1).
    pub const ARTICLE: Self = Self {
        received: 69_140,
        received_new: 64_002,
        carried_over: 5_138,
        resolved: 64_768,
        on_time: 63_952,
        online: 33_348,
        by_post: 7_414,
    };

    /// The figure with this name; `None` for no figure of the article.
    pub fn named(&self, name: &str) -> Option<u32> {
        match name {
            "received" => Some(self.received),
            "received_new" => Some(self.received_new),
            "carried_over" => Some(self.carried_over),
            "resolved" => Some(self.resolved),
            "on_time" => Some(self.on_time),
            "online" => Some(self.online),
            "by_post" => Some(self.by_post),
            _ => None,
        }
    }

    /// The article's figures at a scale: sums are sums, and no part is larger than its whole.
    pub fn at(scale: Scale) -> Self {
        let article = Self::ARTICLE;
        let received_new = scale.at_least(article.received_new, 1);
        let carried_over = scale.at_least(article.carried_over, 1);
        let received = received_new + carried_over;
        let resolved = scale.of(article.resolved).min(received);
        Self {
            received,
            received_new,
            carried_over,
            resolved,
            on_time: scale.of(article.on_time).min(resolved),
            online: scale.of(article.online).min(received),
            by_post: scale.of(article.by_post).min(resolved),
        }
    }
}

/// How many dossiers of each planted sort there are. Each sort changes a figure as soon as the report drops the filter
/// that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planted {
    /// Marked by the source as a second record of another dossier.
    pub duplicates: u32,
    /// Turned down (3), withdrawn (7) or stopped (8), although the other fields look like a resolved one by post.
    pub dropped: u32,
    /// The postal choice taken back before anything was registered. Counted as resolved, not as by post.
    pub withdrawn_early: u32,
    /// The postal choice taken back when the envelope was registered and not yet handed over.
    pub withdrawn_late: u32,
    /// Finished by post in the last days before the quarter; the envelopes leave within it.
    pub finished_before: u32,
    /// Received in the quarter, finished by post in the days after it.
    pub finished_after: u32,
    /// Received and finished after the quarter.
    pub received_after: u32,
    /// First stated by post, later changed to the counter.
    pub post_to_counter: u32,
    /// First stated for the counter, later changed to the post.
    pub counter_to_post: u32,
    /// First stated as finished in the quarter, later corrected to the days after it.
    pub finish_moved_out: u32,
    /// First stated as finished after the quarter, later corrected to its last day.
    pub finish_moved_in: u32,
    /// The promised time was put off in due form before it passed: on time by the last word only.
    pub due_extended: u32,
    /// Finished exactly at the promised time: on time.
    pub due_exact: u32,
}

impl Planted {
    /// The planted sorts at a scale; each is there at any scale.
    pub fn at(scale: Scale) -> Self {
        Self {
            duplicates: scale.at_least(180, 3),
            dropped: scale.at_least(420, 6),
            withdrawn_early: scale.at_least(60, 2),
            withdrawn_late: scale.at_least(45, 2),
            finished_before: scale.at_least(90, 2),
            finished_after: scale.at_least(120, 2),
            received_after: scale.at_least(400, 3),
            post_to_counter: scale.at_least(70, 2),
            counter_to_post: scale.at_least(220, 2),
            finish_moved_out: scale.at_least(24, 2),
            finish_moved_in: scale.at_least(18, 1),
            due_extended: scale.at_least(150, 2),
            due_exact: scale.at_least(40, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_read_and_written() {
        for (text, millionths) in [
            ("1", 1_000_000),
            ("0.01", 10_000),
            ("0.002", 2_000),
            ("1.5", 1_500_000),
        ] {
            let scale: Scale = text.parse().unwrap();
            assert_eq!(
                (scale.millionths(), scale.to_string()),
                (millionths, text.to_owned())
            );
        }
        for text in ["", "0", "2.1", "-1", "1e3", "0.0019", ".5", "1.0000001", "99999"] {
            assert_eq!(text.parse::<Scale>(), Err(ScaleError), "{text}");
        }
    }

    #[test]
    fn the_articles_figures_are_exact_at_full_scale_and_consistent_at_any() {
        assert_eq!(Figures::at(Scale::FULL), Figures::ARTICLE);
        for millionths in [2_000, 2_003, 10_000, 33_333, 500_000, 2_000_000] {
            let figures = Figures::at(Scale(millionths));
            assert_eq!(figures.received, figures.received_new + figures.carried_over);
            assert!(figures.on_time <= figures.resolved && figures.resolved <= figures.received);
            assert!(figures.by_post <= figures.resolved && figures.online <= figures.received);
        }
        assert_eq!(Figures::at("0.01".parse().unwrap()).by_post, 74);
    }
}
