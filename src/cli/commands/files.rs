//! Files that are written whole, and whose fault it is if they cannot be.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// How the name ends of a file that is not written whole.
const UNFINISHED: &str = ".part";

/// A file beside `path` that may become it (`persist`), under a name that no other process takes. Other than temporary files it is to be
/// read by whoever reads other files there.
pub(super) fn unfinished(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".").suffix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Whether a file of this name is what a process that was killed has left.
pub(super) fn is_unfinished(name: &OsStr) -> bool {
    name.to_string_lossy().ends_with(UNFINISHED)
}

/// Under another name first, so that a file of this name is always whole.
pub(super) fn write_file(path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let mut file = unfinished(path)?;
    file.write_all(contents.as_ref())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Whether it is for the user to name another place, and not for the machine to have more room.
pub(super) fn is_of_the_user(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::PermissionDenied
    )
}
