//! Figures and tables for publication.
//!
//! A figure is made in two steps: [`points`] takes what is drawn out of a sweep's rows, and everything else is made of those points
//! alone: [`svg`], [`png()`] and [`pdf`] of one drawing, [`markdown`] and [`latex`] tables, and [`shown_claims`], what the figure says with its
//! numbers. So a picture can be drawn anew, byte for byte, from the small file of its points. Beside that,
//! [`predicted_against_measured`] draws a finished validation.
//!
//! Floats are positions on paper here, and means of finished runs; nothing is simulated with them.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "positions on paper"
)]

mod axis;
mod claims;
mod draw;
mod gather;
mod layout;
mod marks;
mod number;
mod outcomes;
mod page;
mod picture;
mod point;
mod tables;
mod timeline;
mod validation;

pub use claims::{ShownClaim, shown_claims};
pub use gather::{empty_panel, points};
pub use layout::svg;
pub use page::{Made, page};
pub use picture::{PictureError, pdf, png};
pub use point::{Point, PointsError, csv_points, read_points};
pub use tables::{latex, markdown};
pub use validation::predicted_against_measured;
