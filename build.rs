//! Tells the program from which commit and with which compiler it was built, for `--version` and manifests.
#![allow(clippy::disallowed_methods, reason = "a build script speaks to cargo through the environment")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/logs/HEAD");
    let git = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]).output();
    let commit = git.ok().filter(|out| out.status.success()).and_then(|out| String::from_utf8(out.stdout).ok());
    let commit = commit.map_or("unknown".into(), |text| text.trim().to_string());
    println!("cargo::rustc-env=MIDFLIGHT_COMMIT={commit}");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok().and_then(|out| String::from_utf8(out.stdout).ok());
    println!(
        "cargo::rustc-env=MIDFLIGHT_TOOLCHAIN={}",
        version.map_or("unknown".into(), |text| text.trim().to_string())
    );
}
