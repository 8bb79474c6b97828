//! A small sweep, for tests of the program and of the library.

use std::fs;
use std::path::Path;

pub fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("writable");
    path.to_str().expect("UTF-8").to_owned()
}

/// A small VM whose destination dies at a drawn time; `axes` and what else a sweep has.
pub fn text(axes: &str, more: &str) -> String {
    format!(
        r#"{{
          "schema": 1, "why": "a test",
          "base": {{
            "schema": 1, "why": "A destination that may die.", "policy": "post-copy",
            "vms": [{{"memory": "1 MiB", "workload": "write-uniform"}}],
            "faults": [{{"what": {{"crash": "destination"}},
                        "when": {{"law": {{"time": {{"uniform": {{"from": "0 s", "to": "50 ms"}}}}, "from": "migrate"}}}}}}]
          }},
          "axes": [{axes}] {more}
        }}"#
    )
}

pub const MEMORY: &str = r#"{"path": "vms[0].memory", "range": {"from": "1 MiB", "to": "4 MiB", "step": "1 MiB"}}"#;
pub const POLICIES: &str =
    r#"{"path": "policy", "as": "protection", "files": ["post-copy", "postcopyft-periodic-source"]}"#;
