//! `docs/sweep.md` and the JSON Schema of sweeps.

use serde_json::Value;

use super::{schema_of, section};
use crate::scenario::schema::sweep::SweepFile;

pub(in crate::scenario) const EXAMPLE: &str = r#"{
  "$schema": "../docs/schema/sweep.schema.json",
  "schema": 1,
  "why": "How does the downtime of a pre-copy depend on how fast the guest writes, and on its downtime limit?",
  "base": "../scenarios/smoke/pre-copy.json",
  "axes": [
    { "path": "vms[0].workload.classes[1].write", "range": { "from": "2000 /s", "to": "10000 /s", "step": "2000 /s" } },
    { "path": "policy.migration.pre-copy.stop_rule.qemu.downtime_limit", "values": ["100 ms", "300 ms", "1 s"] }
  ],
  "where": [{ "path": "downtime_limit", "op": "<", "value": "1 s" }],
  "replications": { "until": { "metric": "downtime_s", "half_width": "5 %", "max": 1024 } },
  "compare": { "axis": "downtime_limit", "with": "300 ms" }
}
"#;

const INTRODUCTION: &str = "\
<!-- generated; do not edit: midflight schema sweep --markdown > docs/sweep.md -->

# Sweeps

A sweep is a scenario, what is varied in it, and how often each variant is run: one JSON file, as strict as a scenario. `midflight sweep
FILE --out DIR` runs it; the [guide](guide.md) leads through a first one. A *cell* is one value of every axis.

* **Axes** vary any field, by its path as for `--set`, or a whole model (`files`). `values` lists them, `range` has equal steps, exactly,
  `log` equal ratios. `zip` makes axes go together, `where` leaves cells out.
* **Designs**: every cell of the grid, a Latin hypercube, or the first points of a Sobol sequence. They take the values that the axes list:
  give an axis many (`range` with a small step) to fill the space. Sobol points are scrambled by the seed (Owen; Burley 2020).
* **Replications**: run k of every cell has the seed (sweep's seed, k), so what a policy does not touch is drawn alike for all of them
  (common random numbers), and `compare` takes the difference run by run.
* **Until** enough is known: a cell is looked at after 32, 64, 128 … runs, always the same ones, and ends when the interval of the
  metric is narrow enough or at `max`.
* **Rare failures**: a fault whose time is drawn from a law may be kept `within` a time (see [scenario.md](scenario.md#lawtrigger)). Each run's
  record then has the probability of that as its `weight`, and the summary multiplies with it.

## What comes of it

| file | holds |
|---|---|
| `runs.csv` | a line for each run: `cell`, a column for each axis, then the record ([metrics.md](metrics.md)). Absent is empty. A run that panicked has the outcome `panicked` and nothing else |
| `summary.csv` | a line for each cell and quantity, see below |
| `manifest.json` | version, commit, toolchain, the sweep, its scenario, their hash, seed, counts, and the commands that repeat all of it or one run |
| `runs.parquet` | the rows of `runs.csv` with typed columns, if asked for (`--parquet`, in a program built with `--features parquet`) |
| `failures/` | the scenario of each run that panicked |

The same command gives the same bytes, on any number of threads, and however often it was interrupted: as long as it is not finished, its rows are in pieces
(`shards/`), and those that are there are not run again. On many machines: [scale-out.md](scale-out.md).
(`manifest.json` has the command in it, with the paths as they were typed.) `--dry-run` writes nothing; to say about how long it takes, it makes one run of
up to three cells and forgets them.
A folder that holds another sweep, or that of another version, is refused. `--quick` makes a tenth of the runs (at least two where there are
several, and no more than the first look of `until`): another sweep, for another folder. What is drawn of a sweep is a file, too: [figure.md](figure.md).

### `summary.csv`

| column | meaning |
|---|---|
| `cell`, axes | the cell |
| `quantity` | a column of the record, or `outcome=lost` and the like for each outcome, seen or not |
| `kind` | `mean`; `proportion`; `difference` of a mean to that of the cell compared with, run by run; `change` of a proportion, likewise |
| `with` | of a difference, the value of the axis that it is to. Cells whose faults were drawn under different conditions are not compared |
| `n`, `absent` | runs that have the quantity, and that have not (a run that panicked has none); of a difference, pairs |
| `estimate`, `low`, `high` | the mean, proportion or difference, and its interval |
| `level` | of that interval: the sweep's; of what `until` looks at several times, half of the probability beyond |
| `method` | `student`; `clopper-pearson` for a proportion, which with a `weight` is that of the condition *and* the outcome; `student-paired`; `bonett-price` (paired) |
| `deviation`, `minimum`, `q05`, `median`, `q95`, `maximum` | of the runs; quantiles interpolate (Hyndman and Fan's type 7) |
| `median_low`, `median_high` | interval of the median from order statistics, whatever the distribution |
| `unpaired` | of a difference: half the width that its interval would have if the runs were not paired |
| `p` | of a change: exact McNemar probability of so many runs that changed one way rather than the other, if none is likelier |
| `weight` | probability of the condition under which faults were drawn; 1 without |

An interval of a mean is one of the mean of the runs *that have the quantity*: a downtime of migrations that completed, say. Look at `absent`.

## A complete example

```json
";

/// The JSON Schema (2020-12) of a sweep.
pub fn sweep_schema() -> Value {
    schema_of::<SweepFile>("Midflight sweep")
}

/// The contents of `docs/sweep.md`.
pub fn sweeps_markdown() -> String {
    let schema = sweep_schema();
    let mut page = format!("{INTRODUCTION}{EXAMPLE}```\n\n## Fields\n");
    section(&mut page, "Sweep", &schema);
    for name in ["Axis", "Range", "Log", "Condition", "Design", "Points", "UntilObject", "Until", "Compare"] {
        section(&mut page, name, &schema["$defs"][name]);
    }
    page
}
