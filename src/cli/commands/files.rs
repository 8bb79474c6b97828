//! Files that are written whole, and whose fault it is if they cannot be.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What a file is called while it is written.
pub(super) fn draft(path: &Path) -> PathBuf {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    unfinished.into()
}

/// Under another name first, so that a file of this name is always whole.
pub(super) fn write_file(path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let unfinished = draft(path);
    fs::write(&unfinished, contents).and_then(|()| fs::rename(&unfinished, path))
}

/// Whether it is for the user to name another place, and not for the machine to have more room.
pub(super) fn is_of_the_user(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::PermissionDenied
    )
}
