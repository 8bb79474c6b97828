//! `docs/figure.md` and the JSON Schema of figures.

use serde_json::Value;

use super::{schema_of, section};
use crate::scenario::schema::figure::FigureFile;

pub(in crate::scenario) const EXAMPLE: &str = include_str!("../../../figures/downtime.json");

const INTRODUCTION: &str = "\
<!-- generated; do not edit: midflight schema figure --markdown > docs/figure.md -->

# Figures

A figure is what is drawn of which sweeps, what was published beside it, and what it shows: one JSON file, as strict as a scenario.
`midflight figure FILE… --out DIR` makes it in two steps. The rows of its sweeps, in `DIR/rows`, are made where they are missing, as `midflight
sweep` does; what is drawn of them goes to `NAME.csv`, a small file to be committed. Everything else is made of that file alone: `NAME.svg`, as
large as it is on paper, `NAME.pdf` and `NAME.png` of the same drawing, and for plots of numbers by an axis tables as `NAME.tex` (booktabs)
and `NAME.md`. `--redraw` does the second step only. The same command gives the same bytes.

* **Units** come from the metric table and from the axes, and suit what is drawn (0.3 s is 300 ms). Labels are the names of columns and
  axes, or what the file says.
* **Series** differ in colour (Okabe and Ito's palette), in dashes, in the shape of their marks and in how dark they are. What was published is hollow.
* **Bands and error bars** are the intervals of the sweep, of its level.
* **Claims** are sentences with numbers that are taken from the points. A number with `expected` is checked: `midflight figure` ends with exit status
  1 if one is not as near as it must be.
* **`--quick`** makes a tenth of the runs; **`--page`** writes `README.md` about all figures of the command.

## The file of points

| column | meaning |
|---|---|
| `panel`, `series` | from 1; the line, bar, row or lane |
| `source` | `simulated` or `published` |
| `x`, `x_unit` | where on the axis, in the basic unit (`s`, `B`, `B/s`, `/s`, `pages`, `1`); `name`: a value without an order |
| `y`, `y_unit`, `low`, `high` | how much, its unit, and the ends of its interval. In a timeline `low` and `high` are from when to when |
| `n`, `absent` | runs that it is made of, and those that have no such quantity |
| `label` | the outcome, what happened, or how the legend calls what was published |

## A complete example

```json
";

/// The JSON Schema (2020-12) of a figure.
pub fn figure_schema() -> Value {
    schema_of::<FigureFile>("Midflight figure")
}

/// The contents of `docs/figure.md`.
pub fn figures_markdown() -> String {
    let schema = figure_schema();
    let mut page = format!("{INTRODUCTION}{EXAMPLE}```\n\n## Fields\n");
    section(&mut page, "Figure", &schema);
    for name in [
        "Panel",
        "Plot",
        "Lines",
        "Bars",
        "Ecdf",
        "Outcomes",
        "OverTime",
        "Timeline",
        "Published",
        "Point",
        "Claim",
        "Number",
        "Over",
    ] {
        section(&mut page, name, &schema["$defs"][name]);
    }
    page
}
