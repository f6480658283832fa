//! How much of a package is looked at.

/// Bounds on what is read of all packages of a function together. Lambda's own is 250 MB of unpacked files; archives
/// within archives come on top of it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries of all archives.
    pub entries: u64,
    /// Unpacked bytes of all archives, nested ones included.
    pub bytes: u64,
    /// The largest directory of one archive, in bytes.
    pub directory_bytes: u64,
    /// How many archives a file may be in.
    pub depth: usize,
    /// An archive may unpack to this size however small it is; a larger one may unpack to `ratio` times its own size.
    pub unsuspicious_bytes: u64,
    pub ratio: u64,
    /// The largest file of metadata that is read.
    pub metadata_bytes: usize,
    /// Bytes of all that is kept in memory: metadata, targets of links and paths.
    pub kept_bytes: u64,
}

impl Limits {
    pub const DEFAULT: Self = Self {
        entries: 200_000,
        bytes: 1 << 30,
        directory_bytes: 64 << 20,
        depth: 4,
        unsuspicious_bytes: 64 << 20,
        ratio: 100,
        metadata_bytes: 4 << 20,
        kept_bytes: 32 << 20,
    };
}
