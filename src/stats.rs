//! Statistics of finished runs: intervals, comparisons, and when to stop.
//!
//! Numbers in, numbers out: this module knows of no scenario, run, file or figure, starts no thread and draws nothing itself. What
//! is drawn (the bootstrap) comes from a function of the caller. Every method names its source, is tested on published numbers, and
//! where it promises a coverage that is measured. `None` says that the data are too few, never that a computation failed.
//!
//! | question | method |
//! |---|---|
//! | mean | [`student`] |
//! | difference of means | [`welch`]; on the same seeds [`paired`] |
//! | proportion | [`Proportion::wilson`]; at least the level [`Proportion::clopper_pearson`] |
//! | difference of proportions on the same seeds | [`Discordant`] |
//! | quantile | [`quantile_interval`] |
//! | any other statistic | [`bca`], [`percentile`] |
//! | is it this law, are they of one law | [`one_sample`], [`two_samples`] |
//! | how many runs | [`Stopping`] |
//! | rare failures | [`stratified`] |
//!
//! Samples are of finite numbers: another one is a bug of the caller, asserted in debug builds.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics are floats; counts are far below 2⁵³, and ranks are made of floats within the sample"
)]

mod bootstrap;
mod interval;
mod kolmogorov;
mod law;
mod mcnemar;
mod mean;
mod proportion;
mod quantile;
mod rare;
mod sample;
mod sequential;
mod smirnov;
#[cfg(test)]
mod synthetic;

pub use bootstrap::{bca, percentile};
pub use interval::Interval;
pub use kolmogorov::{Distance, kolmogorov_band, one_sample};
pub use law::student_half;
pub use mcnemar::Discordant;
pub use mean::{Paired, paired, student, welch};
pub use proportion::Proportion;
pub use quantile::{QuantileInterval, quantile_interval};
pub use rare::{Estimate, Stratum, stratified};
pub use sample::Sample;
pub use sequential::{Stopping, Width};
pub use smirnov::two_samples;
